/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * train-advanced.c: see train-advanced.h.
 */

#include "train-advanced.h"

#include <glib/gi18n.h>

#include "dialog.h"
#include "train-forms.h"

#define FEW  60  /* photos: the last layer alone */
#define SOME 400 /* photos: the last third of the layers */

/* From top to bottom. */
enum { ROW_BASE, ROW_TRAINABLE, ROW_ADVICE, ROW_EPOCHS, ROW_MINUTES, ROW_RATE, ROW_FIND_RATE, ROW_BATCH, ROW_BALANCE, ROW_KEPT_OUT, ROW_JUDGE, ROW_SEED, ROW_FORMS, N_ROWS };

/* What means something for whole photos only, or for strokes only, isn't offered for the others. */
typedef enum { OF_BOTH, OF_PHOTOS, OF_STROKES } RowOf;

static const RowOf row_of[N_ROWS] = { [ROW_TRAINABLE] = OF_PHOTOS, [ROW_MINUTES] = OF_PHOTOS, [ROW_FIND_RATE] = OF_PHOTOS, [ROW_BATCH] = OF_PHOTOS,
                                      [ROW_BALANCE] = OF_PHOTOS, [ROW_KEPT_OUT] = OF_PHOTOS, [ROW_FORMS] = OF_PHOTOS, [ROW_JUDGE] = OF_STROKES };

typedef struct
{
  GimpProcedureConfig *config;
  GimpImage           *image;
  GtkWidget           *window, *grid, *advice, *epochs, *rate;
  int                  width, height; /* of the window before it was opened */
  gboolean             are_strokes;
  FoveaTask            task;
} Advanced;

static void
on_forms (GtkButton *button, Advanced *advanced)
{
  train_forms_open (advanced->config, advanced->image, advanced->task, GTK_WINDOW (advanced->window));
}

/* The window gets back the size that it had, without an empty place beside. */
static void
on_expanded (GtkExpander *expander, GParamSpec *property, Advanced *advanced)
{
  if (gtk_expander_get_expanded (expander))
    gtk_window_get_size (GTK_WINDOW (advanced->window), &advanced->width, &advanced->height);
  else
    gtk_window_resize (GTK_WINDOW (advanced->window), advanced->width, advanced->height);
}

/* Seconds for those who want them, or a number that is found by trying. */
static void
update (Advanced *advanced)
{
  gboolean find;
  double   minutes;

  g_object_get (advanced->config, "find-rate", &find, "minutes", &minutes, NULL);
  gtk_widget_set_sensitive (advanced->rate, advanced->are_strokes || !find);
  gtk_widget_set_sensitive (advanced->epochs, advanced->are_strokes || minutes <= 0);
}

static void
on_setting (GimpProcedureConfig *config, GParamSpec *property, GtkWidget *expander)
{
  update (g_object_get_data (G_OBJECT (expander), "advanced"));
}

static GtkWidget *
add_spin (Advanced *advanced, int row, const char *label, const char *tooltip, const char *property, double step, double page, int digits)
{
  GtkWidget *spin = gimp_prop_spin_button_new (G_OBJECT (advanced->config), property, step, page, digits);

  dialog_attach (GTK_GRID (advanced->grid), row, label, tooltip, spin);
  return spin;
}

static void
add_check (Advanced *advanced, int row, GtkWidget *check, const char *tooltip)
{
  gtk_widget_set_tooltip_text (check, tooltip);
  gtk_grid_attach (GTK_GRID (advanced->grid), check, 0, row, 2, 1);
}

/* Of strokes a third is kept out, or none. */
static gboolean
share_to_judge (GBinding *binding, const GValue *share, GValue *judge, gpointer unused)
{
  g_value_set_boolean (judge, g_value_get_double (share) > 0);
  return TRUE;
}

static gboolean
judge_to_share (GBinding *binding, const GValue *judge, GValue *share, gpointer usual)
{
  g_value_set_double (share, g_value_get_boolean (judge) ? *(const double *) usual : 0);
  return TRUE;
}

static GtkWidget *
make_judge (GimpProcedureConfig *config)
{
  GtkWidget        *judge = gtk_check_button_new_with_mnemonic (_("_Judge by a third of the strokes"));
  const GParamSpec *share = g_object_class_find_property (G_OBJECT_GET_CLASS (config), "validation-share");

  g_object_bind_property_full (config, "validation-share", judge, "active", G_BINDING_SYNC_CREATE | G_BINDING_BIDIRECTIONAL, share_to_judge, judge_to_share,
                               &((GParamSpecDouble *) share)->default_value, NULL);
  return judge;
}

/* What learns, and for how long. */
static void
add_first_rows (Advanced *advanced)
{
  const char *const trainable_rows[] = { "auto", _("Automatic"), "head", _("The last layer: seconds"), "last", _("The last third of the layers"), "all", _("All layers"), NULL };
  g_autoptr (GtkListStore) trainables = dialog_make_store (trainable_rows);
  GtkGrid                 *grid = GTK_GRID (advanced->grid);

  dialog_attach (grid, ROW_BASE, _("_Base model"), _("What is learned on. A model that you trained before goes on from what it knows"),
                 dialog_base_model_combo_new (advanced->config, advanced->window));
  dialog_attach (grid, ROW_TRAINABLE, _("Wh_ich layers"),
                 _("With few photos like those that the base model knows, its last layer; the more photos, and the more different they are, the more layers"),
                 gimp_prop_string_combo_box_new (G_OBJECT (advanced->config), "trainable", GTK_TREE_MODEL (trainables), 0, 1));
  advanced->advice = dialog_text_new ();
  gtk_label_set_max_width_chars (GTK_LABEL (advanced->advice), 32);
  gtk_grid_attach (grid, advanced->advice, 0, ROW_ADVICE, 2, 1);
  advanced->epochs = add_spin (advanced, ROW_EPOCHS, _("Ep_ochs"), _("How often each photo is looked at; of strokes, ten steps each; 0: as is usual"), "epochs", 1, 10, 0);
  add_spin (advanced, ROW_MINUTES, _("or min_utes"), _("How long it learns, instead of epochs; 0: the epochs decide"), "minutes", 1, 10, 1);
}

/* How it learns. */
static void
add_other_rows (Advanced *advanced)
{
  GtkWidget *forms = gtk_button_new_with_label (_("Changed photos…"));

  advanced->rate = add_spin (advanced, ROW_RATE, _("Learnin_g rate"), _("At its highest; 0: as is usual"), "learning-rate", 0.001, 0.01, 4);
  add_check (advanced, ROW_FIND_RATE, gimp_prop_check_button_new (G_OBJECT (advanced->config), "find-rate", _("Find it b_y trying")),
             _("Some dozens of steps tell what rate the photos and the network can stand"));
  add_spin (advanced, ROW_BATCH, _("Batch"), _("Photos of a step; 0: as is usual"), "batch", 1, 8, 0);
  add_check (advanced, ROW_BALANCE, gimp_prop_check_button_new (G_OBJECT (advanced->config), "balance", _("Balance classes")), _("Photos of rare classes are shown more often"));
  add_spin (advanced, ROW_KEPT_OUT, _("Kept out"), _("The share of the photos that isn't learned, to judge by"), "validation-share", 0.05, 0.1, 2);
  add_check (advanced, ROW_JUDGE, make_judge (advanced->config), _("It learns without them, too, to tell how good it is; without that it is done sooner"));
  add_spin (advanced, ROW_SEED, _("Se_ed"), _("The same seed gives the same model"), "seed", 1, 10, 0);
  gtk_widget_set_tooltip_text (forms, _("How training crops, turns and recolours the photos, so that few of them teach more: with a sheet of what comes of it"));
  g_signal_connect (forms, "clicked", G_CALLBACK (on_forms), advanced);
  gtk_grid_attach (GTK_GRID (advanced->grid), forms, 0, ROW_FORMS, 2, 1);
}

GtkWidget *
train_advanced_new (GimpProcedureConfig *config, GimpImage *image, GtkWidget *window)
{
  Advanced  *advanced = g_new0 (Advanced, 1);
  GtkWidget *expander = gtk_expander_new_with_mnemonic (_("A_dvanced"));

  advanced->config = config;
  advanced->image = image;
  advanced->window = window;
  advanced->grid = gtk_grid_new ();
  gtk_grid_set_row_spacing (GTK_GRID (advanced->grid), 6);
  gtk_grid_set_column_spacing (GTK_GRID (advanced->grid), 12);
  gtk_widget_set_margin_top (advanced->grid, 12);
  add_first_rows (advanced);
  add_other_rows (advanced);
  gtk_container_add (GTK_CONTAINER (expander), advanced->grid);
  g_object_set_data_full (G_OBJECT (expander), "advanced", advanced, g_free);
  g_signal_connect (expander, "notify::expanded", G_CALLBACK (on_expanded), advanced);
  g_signal_connect_object (config, "notify::find-rate", G_CALLBACK (on_setting), expander, 0);
  g_signal_connect_object (config, "notify::minutes", G_CALLBACK (on_setting), expander, 0);
  gtk_widget_show_all (expander);
  return expander;
}

/* As the guide to transfer learning has it: how many photos there are, and how different they are from what the base model knows. */
static char *
advise (FoveaTask task, guint n_photos)
{
  g_autofree char *begin = g_strdup_printf (ngettext ("With %u photo: ", "With %u photos: ", n_photos), n_photos);
  const char      *end;

  if (n_photos == 0)
    return g_strdup ("");
  if (task != FOVEA_TASK_CLASSIFY)
    end = n_photos < FEW ? _("all layers, and strongly changed photos; more photos would help more.") : _("all layers.");
  else if (n_photos < FEW)
    end = _("the last layer. Where they look like nothing on the web (microscopes, drawings), the last third.");
  else if (n_photos < SOME)
    end = _("the last third of the layers; all, where they look like nothing on the web (microscopes, drawings).");
  else
    end = _("all layers.");
  return g_strconcat (begin, end, NULL);
}

void
train_advanced_set_task (GtkWidget *expander, gboolean are_strokes, FoveaTask task, guint n_photos)
{
  Advanced        *advanced = g_object_get_data (G_OBJECT (expander), "advanced");
  g_autofree char *text = are_strokes ? g_strdup (_("Two small layers learn on what the base model sees.")) : advise (task, n_photos);

  advanced->task = task;
  advanced->are_strokes = are_strokes;
  for (int row = 0; row < N_ROWS; row++)
    for (int column = 0; column < 2; column++)
      {
        GtkWidget *widget = gtk_grid_get_child_at (GTK_GRID (advanced->grid), column, row);

        if (widget)
          gtk_widget_set_visible (widget, row_of[row] != (are_strokes ? OF_PHOTOS : OF_STROKES));
      }
  gtk_label_set_text (GTK_LABEL (advanced->advice), text);
  gtk_widget_set_visible (advanced->advice, *text != '\0');
  update (advanced);
}
