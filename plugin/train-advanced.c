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

typedef struct
{
  GimpProcedureConfig *config;
  GimpImage           *image;
  GtkWidget           *window, *advice;
  GPtrArray           *of_photos; /* of GtkWidget*: what means nothing for painted pixels of the open image */
  FoveaTask            task;
} Advanced;

static void
on_forms (GtkButton *button, Advanced *advanced)
{
  train_forms_open (advanced->config, advanced->image, advanced->task, GTK_WINDOW (advanced->window));
}

/* Seconds for those who want them, or a number that is found by trying. */
static void
rate_changed (GimpProcedureConfig *config, GParamSpec *property, GtkWidget *rate)
{
  gboolean find;

  g_object_get (config, "find-rate", &find, NULL);
  gtk_widget_set_sensitive (rate, !find);
}

static void
minutes_changed (GimpProcedureConfig *config, GParamSpec *property, GtkWidget *epochs)
{
  double minutes;

  g_object_get (config, "minutes", &minutes, NULL);
  gtk_widget_set_sensitive (epochs, minutes <= 0);
}

static GtkWidget *
add_spin (GtkGrid *grid, int row, const char *label, const char *tooltip, GimpProcedureConfig *config, const char *property, double step, double page, int digits)
{
  GtkWidget *spin = gimp_prop_spin_button_new (G_OBJECT (config), property, step, page, digits);

  dialog_attach (grid, row, label, tooltip, spin);
  return spin;
}

static GtkWidget *
add_check (GtkGrid *grid, int row, const char *label, const char *tooltip, GimpProcedureConfig *config, const char *property)
{
  GtkWidget *check = gimp_prop_check_button_new (G_OBJECT (config), property, label);

  gtk_widget_set_tooltip_text (check, tooltip);
  gtk_grid_attach (grid, check, 1, row, 1, 1);
  return check;
}

/* What learns, and for how long. */
static void
add_first_rows (Advanced *advanced, GtkGrid *grid)
{
  const char *const trainable_rows[] = { "auto", _("Automatic"), "head", _("The last layer: seconds"), "last", _("The last third of the layers"), "all", _("All layers"), NULL };
  g_autoptr (GtkListStore) trainables = dialog_make_store (trainable_rows);
  GimpProcedureConfig     *config = advanced->config;
  GtkWidget               *trainable = gimp_prop_string_combo_box_new (G_OBJECT (config), "trainable", GTK_TREE_MODEL (trainables), 0, 1), *minutes, *epochs;

  dialog_attach (grid, 0, _("_Base model"), _("What is learned on. A model that you trained before goes on from what it knows"),
                 dialog_base_model_combo_new (config, advanced->window));
  dialog_attach (grid, 1, _("Wh_ich layers"), _("With few photos like those that the base model knows, its last layer; the more photos, and the more different they are, the more layers"),
                 trainable);
  advanced->advice = dialog_text_new ();
  gtk_label_set_max_width_chars (GTK_LABEL (advanced->advice), 36);
  gtk_grid_attach (grid, advanced->advice, 0, 2, 2, 1);
  epochs = add_spin (grid, 3, _("Ep_ochs"), _("How often each photo is looked at; 0: as is usual"), config, "epochs", 1, 10, 0);
  minutes = add_spin (grid, 4, _("or min_utes"), _("How long it learns, instead of epochs; 0: the epochs decide"), config, "minutes", 1, 10, 1);
  minutes_changed (config, NULL, epochs);
  g_signal_connect_object (config, "notify::minutes", G_CALLBACK (minutes_changed), epochs, 0);
  g_ptr_array_add (advanced->of_photos, trainable);
  g_ptr_array_add (advanced->of_photos, minutes);
}

/* How it learns. */
static void
add_other_rows (Advanced *advanced, GtkGrid *grid)
{
  GimpProcedureConfig *config = advanced->config;
  GtkWidget           *rate, *forms = gtk_button_new_with_label (_("Changed photos…"));

  rate = add_spin (grid, 5, _("Learnin_g rate"), _("At its highest; 0: as is usual"), config, "learning-rate", 0.001, 0.01, 4);
  g_ptr_array_add (advanced->of_photos, add_check (grid, 6, _("Find it b_y trying"), _("Some dozens of steps tell what rate the photos and the network can stand"), config, "find-rate"));
  g_ptr_array_add (advanced->of_photos, add_spin (grid, 7, _("Batch"), _("Photos of a step; 0: as is usual"), config, "batch", 1, 8, 0));
  g_ptr_array_add (advanced->of_photos, add_check (grid, 8, _("Balance classes"), _("Photos of rare classes are shown more often"), config, "balance"));
  add_spin (grid, 9, _("Kept out"), _("The share of the photos, or strokes, that isn't learned, to judge by"), config, "validation-share", 0.05, 0.1, 2);
  add_spin (grid, 10, _("Se_ed"), _("The same seed gives the same model"), config, "seed", 1, 10, 0);
  gtk_widget_set_tooltip_text (forms, _("How training crops, turns and recolours the photos, so that few of them teach more: with a sheet of what comes of it"));
  g_signal_connect (forms, "clicked", G_CALLBACK (on_forms), advanced);
  gtk_grid_attach (grid, forms, 0, 11, 2, 1);
  g_ptr_array_add (advanced->of_photos, forms);
  rate_changed (config, NULL, rate);
  g_signal_connect_object (config, "notify::find-rate", G_CALLBACK (rate_changed), rate, 0);
}

static void
free_advanced (gpointer data)
{
  g_ptr_array_unref (((Advanced *) data)->of_photos);
  g_free (data);
}

GtkWidget *
train_advanced_new (GimpProcedureConfig *config, GimpImage *image, GtkWidget *window)
{
  Advanced  *advanced = g_new0 (Advanced, 1);
  GtkWidget *expander = gtk_expander_new_with_mnemonic (_("A_dvanced")), *grid = gtk_grid_new ();

  advanced->config = config;
  advanced->image = image;
  advanced->window = window;
  advanced->of_photos = g_ptr_array_new ();
  gtk_grid_set_row_spacing (GTK_GRID (grid), 6);
  gtk_grid_set_column_spacing (GTK_GRID (grid), 12);
  gtk_widget_set_margin_top (grid, 12);
  add_first_rows (advanced, GTK_GRID (grid));
  add_other_rows (advanced, GTK_GRID (grid));
  gtk_container_add (GTK_CONTAINER (expander), grid);
  g_object_set_data_full (G_OBJECT (expander), "advanced", advanced, free_advanced);
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
train_advanced_set_task (GtkWidget *expander, gboolean on_pixels, FoveaTask task, guint n_photos)
{
  Advanced        *advanced = g_object_get_data (G_OBJECT (expander), "advanced");
  g_autofree char *text = on_pixels ? g_strdup (_("Two small layers learn on what the base model sees.")) : advise (task, n_photos);

  advanced->task = task;
  gtk_label_set_text (GTK_LABEL (advanced->advice), text);
  gtk_widget_set_visible (advanced->advice, *text != '\0');
  for (guint i = 0; i < advanced->of_photos->len; i++)
    gtk_widget_set_sensitive (advanced->of_photos->pdata[i], !on_pixels);
}
