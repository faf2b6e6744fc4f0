/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * train-dialog.c: the window of Filters ▸ Fovea ▸ Train…. It looks (look.h) at the photo as soon as it opens and keeps what the network sees; a look after that
 * reads the labels and learns. While “Live” is on, strokes that are painted in GIMP's window are noticed by reading the label layers now and then.
 */

#include <libgimp/gimp.h>
#include <libgimp/gimpui.h>

#include <glib/gi18n.h>
#include <string.h>

#include "arguments.h"
#include "dialog.h"
#include "label-examples.h"
#include "look.h"
#include "mask-output.h"
#include "pixel-training.h"
#include "train-view.h"
#include "train.h"

#define POLL_MS    300
#define REST       3 /* reading labels takes at most one part of so many of the time */
#define BARS_WIDTH 280

enum { RESPONSE_SAVE = 1 };

typedef struct
{
  GimpProcedureConfig *config;
  GimpImage           *image;
  GtkWidget           *dialog, *view, *bars, *score, *next, *where, *train, *stop, *live, *apply, *save;
  Look                *look;
  PixelTraining       *training;
  LabelLayers         *labels;      /* as they were read last; NULL: none */
  guint8              *cells;       /* what is painted; NULL: not known yet */
  guint8              *colours;     /* of the training's classes */
  FoveaMasks          *masks, *new_masks;   /* shown; made by the worker */
  TrainAnswer         *answer, *new_answer;
  gboolean             has_photo;   /* the trainer has looked at it */
  gboolean             are_new;     /* the classes are others than the trainer's */
  gboolean             wants;       /* the user wants to learn, not only to have the photo looked at */
  gboolean             judge;       /* say what it is worth, too */
  gboolean             is_unsaved;
  gint64               next_poll;
  guint                poll;
} TrainDialog;

/* ---- labels -------------------------------------------------------------------------------------------------------- */

static guint
count_painted (const TrainDialog *dialog, guint index)
{
  gsize n = (gsize) fovea_pixel_trainer_get_grid (dialog->training->trainer), found = 0;

  for (gsize i = 0; dialog->cells && i < n * n; i++)
    found += dialog->cells[i] == index;
  return (guint) found;
}

static guint
count_painted_classes (const TrainDialog *dialog)
{
  guint n = 0;

  for (guint i = 0; i < dialog->training->classes->len; i++)
    n += count_painted (dialog, i) > 0;
  return n;
}

static void
note_colours (TrainDialog *dialog)
{
  GPtrArray *classes = dialog->training->classes;

  g_free (dialog->colours);
  dialog->colours = g_new0 (guint8, 3 * classes->len + 1);
  for (guint i = 0; i < classes->len; i++)
    {
      gint place = label_layers_index (dialog->labels, classes->pdata[i]);

      if (place >= 0)
        memcpy (dialog->colours + 3 * i, dialog->labels->classes[place].rgb, 3);
    }
}

/* A bar for each class: its share of what is painted. */
static void
show_bars (TrainDialog *dialog)
{
  guint            n = dialog->training->classes->len, most = 1;
  g_autofree guint *counts = g_new0 (guint, n + 1);
  g_autoptr (GList) children = gtk_container_get_children (GTK_CONTAINER (dialog->bars));

  for (GList *child = children; child; child = child->next)
    gtk_widget_destroy (child->data);
  for (guint i = 0; i < n && dialog->cells; i++)
    most = MAX (most, counts[i] = count_painted (dialog, i));
  for (guint i = 0; i < n; i++)
    {
      GtkWidget       *bar = gtk_progress_bar_new ();
      g_autofree char *text = g_strdup_printf (ngettext ("%s: %u cell painted", "%s: %u cells painted", counts[i]), (const char *) dialog->training->classes->pdata[i], counts[i]);

      gtk_progress_bar_set_show_text (GTK_PROGRESS_BAR (bar), TRUE);
      gtk_progress_bar_set_text (GTK_PROGRESS_BAR (bar), text);
      gtk_progress_bar_set_fraction (GTK_PROGRESS_BAR (bar), (double) counts[i] / most);
      atk_object_set_name (gtk_widget_get_accessible (bar), text);
      gtk_box_pack_start (GTK_BOX (dialog->bars), bar, FALSE, FALSE, 0);
    }
  gtk_widget_show_all (dialog->bars);
}

/* TRUE if anything is other than it was. While no worker is at work. */
static gboolean
read_labels (TrainDialog *dialog, GError **error)
{
  PixelTraining         *training = dialog->training;
  g_autoptr (LabelLayers) labels = pixels_check_image (dialog->image, error) ? label_layers_read (dialog->image, error) : NULL;
  g_autoptr (GPtrArray)  before = g_ptr_array_new_with_free_func (g_free);
  g_autofree guint8     *cells = NULL;
  gboolean               changed;
  gsize                  n;

  if (!labels)
    return FALSE;
  for (guint i = 0; i < training->classes->len; i++)
    g_ptr_array_add (before, g_strdup (training->classes->pdata[i]));
  g_ptr_array_set_size (training->classes, 0);
  pixel_training_add_classes (training, labels);
  changed = before->len != training->classes->len;
  for (guint i = 0; i < before->len && !changed; i++)
    changed = g_strcmp0 (before->pdata[i], training->classes->pdata[i]) != 0;
  dialog->are_new |= changed;
  g_clear_pointer (&dialog->labels, label_layers_free);
  dialog->labels = g_steal_pointer (&labels);
  note_colours (dialog);
  if (!training->trainer)
    return changed;
  cells = pixel_training_draw_labels (training, dialog->labels, NULL, error);
  if (!cells)
    return FALSE;
  n = (gsize) fovea_pixel_trainer_get_grid (training->trainer);
  changed |= !dialog->cells || memcmp (cells, dialog->cells, n * n) != 0;
  g_free (dialog->cells);
  dialog->cells = g_steal_pointer (&cells);
  if (changed)
    show_bars (dialog);
  return changed;
}

/* ---- a look ---------------------------------------------------------------------------------------------------------- */

static gboolean
load (const char *model, gpointer data, GError **error)
{
  return pixel_training_load_base (((TrainDialog *) data)->training, model, error);
}

static void
loaded (gpointer data)
{
}

static void
forget (gpointer data)
{
  TrainDialog *dialog = data;

  gtk_widget_set_sensitive (dialog->stop, TRUE);
  gtk_widget_set_sensitive (dialog->apply, FALSE);
  gtk_widget_set_sensitive (dialog->save, FALSE);
}

static void
show_photo (const guint8 *rgb, int width, int height, gpointer data)
{
  TrainDialog *dialog = data;

  train_view_set_answer (dialog->view, NULL, NULL, 0);
  train_view_set_size (dialog->view, width, height);
  photo_view_set_photo (dialog->view, rgb, width, height);
}

static void
begin (gpointer data)
{
  TrainDialog       *dialog = data;
  g_autoptr (GError) error = NULL;

  look_show_progress (dialog->look, TRUE);
  read_labels (dialog, &error);
  if (error)
    look_show_message (dialog->look, error->message);
}

static gboolean
learn (TrainDialog *dialog, const FoveaPhoto *photo, GCancellable *cancellable, FoveaProgress progress, gpointer progress_data, GError **error)
{
  PixelTraining *training = dialog->training;

  if (!fovea_pixel_trainer_set_labels (training->trainer, 0, dialog->cells, error) || !fovea_pixel_trainer_run (training->trainer, cancellable, progress, progress_data, error))
    return FALSE;
  g_clear_pointer (&training->score, fovea_pixel_score_free);
  if (dialog->judge && !(training->score = fovea_pixel_trainer_judge (training->trainer, cancellable, error)))
    return FALSE;
  g_clear_pointer (&dialog->new_masks, fovea_masks_free);
  dialog->new_masks = fovea_pixel_trainer_look (training->trainer, 0, cancellable, error);
  dialog->new_answer = dialog->new_masks ? train_answer_new (training, photo, dialog->new_masks, error) : NULL;
  return dialog->new_answer != NULL;
}

/* First the photo is looked at, which needs to be done once; what is painted can be drawn when the trainer has said how fine. */
static gboolean
run (const FoveaPhoto *photo, GCancellable *cancellable, FoveaProgress progress, gpointer progress_data, gpointer data, GError **error)
{
  TrainDialog *dialog = data;

  if (!dialog->training->trainer || dialog->are_new)
    {
      if (!pixel_training_begin (dialog->training, MAX (photo->width, photo->height), error))
        return FALSE;
      dialog->are_new = FALSE;
    }
  if (!dialog->has_photo)
    {
      dialog->has_photo = fovea_pixel_trainer_add_photo (dialog->training->trainer, photo, cancellable, error) >= 0;
      if (!dialog->has_photo)
        return FALSE;
    }
  return !dialog->wants || !dialog->cells || learn (dialog, photo, cancellable, progress, progress_data, error);
}

static void
show_answer (TrainDialog *dialog)
{
  g_autofree char *score = dialog->judge ? pixel_training_tell_score (dialog->training) : NULL;

  train_view_set_answer (dialog->view, dialog->new_answer, dialog->colours, dialog->training->classes->len);
  train_view_set_mark (dialog->view, FALSE);
  g_clear_pointer (&dialog->answer, train_answer_free);
  g_clear_pointer (&dialog->masks, fovea_masks_free);
  dialog->answer = g_steal_pointer (&dialog->new_answer);
  dialog->masks = g_steal_pointer (&dialog->new_masks);
  dialog->is_unsaved = TRUE;
  gtk_label_set_text (GTK_LABEL (dialog->where), "");
  gtk_label_set_text (GTK_LABEL (dialog->score), score ? score : "");
  atk_object_set_description (gtk_widget_get_accessible (dialog->view), _("Trained"));
}

static void
ended (gboolean done, gpointer data)
{
  TrainDialog *dialog = data;

  gtk_widget_set_sensitive (dialog->stop, FALSE);
  if (done && dialog->new_answer)
    {
      dialog->wants = FALSE;
      show_answer (dialog);
    }
  else if (done && dialog->wants && !dialog->cells) /* the photo has been looked at, and Train pressed meanwhile */
    {
      look_start (dialog->look);
      return;
    }
  else if (!done)
    dialog->wants = FALSE;
  g_clear_pointer (&dialog->new_answer, train_answer_free);
  gtk_widget_set_sensitive (dialog->apply, dialog->masks != NULL);
  gtk_widget_set_sensitive (dialog->save, dialog->masks != NULL);
  gtk_widget_set_sensitive (dialog->next, dialog->masks != NULL);
}

/* Strokes that were painted since. When there are none any more, the score is found, too. */
static gboolean
on_poll (gpointer data)
{
  TrainDialog       *dialog = data;
  gint64             started = g_get_monotonic_time ();
  g_autoptr (GError) error = NULL;

  if (look_is_busy (dialog->look) || started < dialog->next_poll || !gtk_toggle_button_get_active (GTK_TOGGLE_BUTTON (dialog->live)))
    return G_SOURCE_CONTINUE;
  if (read_labels (dialog, &error))
    {
      dialog->wants = count_painted_classes (dialog) >= 2;
      dialog->judge = FALSE;
      if (dialog->wants || dialog->are_new)
        look_start (dialog->look);
    }
  else if (error)
    look_show_message (dialog->look, error->message);
  else if (dialog->masks && !dialog->judge)
    {
      dialog->wants = dialog->judge = TRUE;
      look_start (dialog->look);
    }
  dialog->next_poll = g_get_monotonic_time () + REST * (g_get_monotonic_time () - started);
  return G_SOURCE_CONTINUE;
}

/* ---- buttons --------------------------------------------------------------------------------------------------------- */

static void
on_train (GtkButton *button, TrainDialog *dialog)
{
  dialog->wants = dialog->judge = TRUE;
  look_start (dialog->look);
}

static void
on_stop (GtkButton *button, TrainDialog *dialog)
{
  gtk_toggle_button_set_active (GTK_TOGGLE_BUTTON (dialog->live), FALSE);
  dialog->wants = FALSE;
  look_stop (dialog->look);
}

static void
on_next (GtkButton *button, TrainDialog *dialog)
{
  FoveaPhoto       photo = look_get_photo (dialog->look);
  g_autofree char *text = g_strdup_printf (_("At %d, %d: paint what it is there."), (int) (dialog->answer->next_x * photo.width), (int) (dialog->answer->next_y * photo.height));

  train_view_set_mark (dialog->view, TRUE);
  gtk_label_set_text (GTK_LABEL (dialog->where), text);
}

static void
kind_toggled (GtkToggleButton *button, TrainDialog *dialog)
{
  if (gtk_toggle_button_get_active (button))
    train_view_set_kind (dialog->view, (TrainViewKind) GPOINTER_TO_INT (g_object_get_data (G_OBJECT (button), "kind")));
}

static void
on_save (GtkButton *button, TrainDialog *dialog)
{
  g_autoptr (GError) error = NULL;
  g_autofree char   *name = NULL, *path = NULL, *text = NULL;

  g_object_get (dialog->config, "name", &name, NULL);
  path = pixel_training_save (dialog->training, name, &error);
  text = path ? g_strdup_printf (_("Saved as %s. Segment finds it by its name."), path) : NULL;
  dialog->is_unsaved &= path == NULL;
  look_show_message (dialog->look, text ? text : error->message);
}

/* The user has a label layer chosen: what gets a mask is the highest layer that isn't one. */
static GimpLayer *
find_photo_layer (const TrainDialog *dialog)
{
  g_autofree GimpLayer **layers = gimp_image_get_layers (dialog->image);
  const GimpLayer       *group = label_layers_find (dialog->image);

  for (guint i = 0; layers[i]; i++)
    if (layers[i] != group && !gimp_item_is_group (GIMP_ITEM (layers[i])))
      return layers[i];
  return NULL;
}

static gboolean
apply (TrainDialog *dialog, GError **error)
{
  GimpDrawable      *drawables[] = { NULL, NULL };
  FoveaPhoto         photo = look_get_photo (dialog->look);
  MaskOutput         output = { .operation = GIMP_CHANNEL_OP_REPLACE, .options = { .threshold = 0.5, .softness = 1, .refine = TRUE } };
  gsize              n = fovea_masks_count (dialog->masks), n_wanted = 0;
  g_autofree gsize  *which = g_new0 (gsize, n + 1);
  g_autofree double *areas = g_new0 (double, n + 1);
  guint              kind;

  if (!pixels_check_image (dialog->image, error) || !argument_read_word (dialog->config, "output", mask_output_kinds, &kind, error))
    return FALSE;
  drawables[0] = GIMP_DRAWABLE (find_photo_layer (dialog));
  output.kind = (MaskOutputKind) kind;
  for (gsize i = 0; i < n; i++)
    if (!dialog->training->background[fovea_masks_get_class (dialog->masks, i)])
      which[n_wanted++] = i;
  if (!mask_output_check (&output, dialog->image, drawables, error))
    return FALSE;
  return mask_output_apply (&output, &(MaskSource) { dialog->image, drawables, look_get_reader (dialog->look), &photo, dialog->masks, which, n_wanted }, areas, error);
}

static void
on_apply (GtkButton *button, TrainDialog *dialog)
{
  g_autoptr (GError) error = NULL;

  look_show_message (dialog->look, apply (dialog, &error) ? _("Applied.") : error->message);
  gimp_displays_flush ();
}

/* ---- the window ------------------------------------------------------------------------------------------------------- */

static GtkWidget *
make_button (TrainDialog *dialog, const char *label, GCallback clicked, gboolean sensitive)
{
  GtkWidget *button = gtk_button_new_with_mnemonic (label);

  g_signal_connect (button, "clicked", clicked, dialog);
  gtk_widget_set_sensitive (button, sensitive);
  return button;
}

static GtkWidget *
make_kinds (TrainDialog *dialog)
{
  const char *const labels[] = { _("Classes"), _("Confidence"), _("Uncertainty") };
  GtkWidget        *box = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 0), *button = NULL;

  gtk_style_context_add_class (gtk_widget_get_style_context (box), "linked");
  for (int kind = 0; kind < (int) G_N_ELEMENTS (labels); kind++)
    {
      button = gtk_radio_button_new_with_label_from_widget (button ? GTK_RADIO_BUTTON (button) : NULL, labels[kind]);
      gtk_toggle_button_set_mode (GTK_TOGGLE_BUTTON (button), FALSE);
      g_object_set_data (G_OBJECT (button), "kind", GINT_TO_POINTER (kind));
      g_signal_connect (button, "toggled", G_CALLBACK (kind_toggled), dialog);
      gtk_box_pack_start (GTK_BOX (box), button, TRUE, TRUE, 0);
    }
  return box;
}

static GtkWidget *
make_controls (TrainDialog *dialog)
{
  const char *const output_rows[] = { "selection", _("A selection"), "layer-mask", _("A layer mask"), "channels", _("Channels"), "layers", _("Coloured layers"),
                                      "cut-out", _("A cut-out"), NULL };
  g_autoptr (GtkListStore) outputs = dialog_make_store (output_rows);
  GtkWidget *column = gtk_box_new (GTK_ORIENTATION_VERTICAL, 8), *grid = gtk_grid_new ();

  dialog->bars = gtk_box_new (GTK_ORIENTATION_VERTICAL, 6);
  dialog->score = dialog_text_new ();
  dialog->where = dialog_text_new ();
  dialog->train = make_button (dialog, _("_Train"), G_CALLBACK (on_train), TRUE);
  dialog->stop = make_button (dialog, _("_Stop"), G_CALLBACK (on_stop), FALSE);
  dialog->next = make_button (dialog, _("Label here ne_xt"), G_CALLBACK (on_next), FALSE);
  dialog->apply = make_button (dialog, _("_Apply now"), G_CALLBACK (on_apply), FALSE);
  dialog->save = make_button (dialog, _("Save _model"), G_CALLBACK (on_save), FALSE);
  dialog->live = gtk_check_button_new_with_mnemonic (_("_Live: learn each stroke that is painted"));
  gtk_toggle_button_set_active (GTK_TOGGLE_BUTTON (dialog->live), TRUE);
  gtk_style_context_add_class (gtk_widget_get_style_context (dialog->train), "suggested-action");
  gtk_widget_set_size_request (dialog->train, BARS_WIDTH, 56);
  gtk_grid_set_row_spacing (GTK_GRID (grid), 6);
  gtk_grid_set_column_spacing (GTK_GRID (grid), 12);
  dialog_attach (GTK_GRID (grid), 0, _("Ma_ke"), _("What the classes become in the image"),
                 gimp_prop_string_combo_box_new (G_OBJECT (dialog->config), "output", GTK_TREE_MODEL (outputs), 0, 1));
  gtk_grid_attach (GTK_GRID (grid), dialog->apply, 0, 1, 2, 1);
  dialog_attach (GTK_GRID (grid), 2, _("_Name"), _("Of the model that is saved; empty: “My model”"), gimp_prop_entry_new (G_OBJECT (dialog->config), "name", -1));
  gtk_grid_attach (GTK_GRID (grid), dialog->save, 0, 3, 2, 1);
  for (int i = 0; i < 8; i++)
    {
      GtkWidget *const rows[] = { dialog->train, dialog->stop, dialog->live, dialog->bars, dialog->score, dialog->next, dialog->where, grid };

      gtk_box_pack_start (GTK_BOX (column), rows[i], FALSE, FALSE, 0);
    }
  return column;
}

static GtkWidget *
make_content (TrainDialog *dialog)
{
  GtkWidget *columns = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 18), *left = gtk_box_new (GTK_ORIENTATION_VERTICAL, 6);

  dialog->view = train_view_new ();
  gtk_box_pack_start (GTK_BOX (left), make_kinds (dialog), FALSE, FALSE, 0);
  gtk_box_pack_start (GTK_BOX (left), dialog->view, TRUE, TRUE, 0);
  gtk_box_pack_start (GTK_BOX (left), look_get_status (dialog->look), FALSE, FALSE, 0);
  gtk_box_pack_start (GTK_BOX (columns), left, TRUE, TRUE, 0);
  gtk_box_pack_start (GTK_BOX (columns), make_controls (dialog), FALSE, FALSE, 0);
  gtk_container_set_border_width (GTK_CONTAINER (columns), 12);
  gtk_widget_show_all (columns);
  return columns;
}

/* TRUE: the window may close. */
static gboolean
ask_unsaved (TrainDialog *dialog)
{
  GtkWidget *question;
  gint       answer;

  if (!dialog->is_unsaved)
    return TRUE;
  question = gtk_message_dialog_new (GTK_WINDOW (dialog->dialog), GTK_DIALOG_MODAL, GTK_MESSAGE_QUESTION, GTK_BUTTONS_NONE, _("The model hasn't been saved."));
  gtk_dialog_add_buttons (GTK_DIALOG (question), _("Close _without saving"), GTK_RESPONSE_CLOSE, _("_Go on"), GTK_RESPONSE_CANCEL, _("_Save"), RESPONSE_SAVE, NULL);
  answer = gtk_dialog_run (GTK_DIALOG (question));
  gtk_widget_destroy (question);
  if (answer == RESPONSE_SAVE && !look_is_busy (dialog->look))
    on_save (NULL, dialog);
  return answer == GTK_RESPONSE_CLOSE || !dialog->is_unsaved;
}

void
train_dialog_run (GimpProcedureConfig *config, GimpImage *image)
{
  static const LookSteps steps = { load, loaded, forget, show_photo, begin, run, ended };
  TrainDialog dialog = { .config = config, .image = image };

  gimp_ui_init ("fovea");
  dialog.training = pixel_training_new ();
  dialog.look = look_new (config, image, NULL, "image", &steps, &dialog);
  look_fix (dialog.look, "base-model", "image");
  dialog.dialog = gimp_dialog_new (_("Train"), "fovea-train", NULL, 0, gimp_standard_help_func, TRAIN_PROCEDURE, _("_Close"), GTK_RESPONSE_CLOSE, NULL);
  gtk_box_pack_start (GTK_BOX (gtk_dialog_get_content_area (GTK_DIALOG (dialog.dialog))), make_content (&dialog), TRUE, TRUE, 0);
  dialog.poll = g_timeout_add (POLL_MS, on_poll, &dialog);
  look_start (dialog.look);

  do
    gimp_dialog_run (GIMP_DIALOG (dialog.dialog));
  while (!ask_unsaved (&dialog));

  g_source_remove (dialog.poll);
  show_photo (NULL, 0, 0, &dialog);
  look_free (dialog.look);
  gtk_widget_destroy (dialog.dialog);
  pixel_training_free (dialog.training);
  g_clear_pointer (&dialog.labels, label_layers_free);
  g_clear_pointer (&dialog.masks, fovea_masks_free);
  g_clear_pointer (&dialog.new_masks, fovea_masks_free);
  g_clear_pointer (&dialog.answer, train_answer_free);
  g_free (dialog.cells);
  g_free (dialog.colours);
}
