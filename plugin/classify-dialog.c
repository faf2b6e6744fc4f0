/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * classify-dialog.c: the window of Filters ▸ Fovea ▸ Classify…. It answers as soon as it opens, and again when model or region change.
 *
 * One look at a time goes through three stages: the model is loaded in a worker, pixels are read band by band when the main loop is idle, the network
 * runs in a worker. A change cancels the look that is under way; the next begins as soon as its worker has let go. A worker that loads is left to itself:
 * it has nothing of ours, and what it loads is freed. Apply finds where the network looked, in a worker too, before the window goes.
 */

#include <libgimp/gimp.h>
#include <libgimp/gimpui.h>

#include <glib/gi18n.h>

#include "classify.h"
#include "dialog.h"
#include "pixels.h"
#include "preview.h"


typedef struct
{
  GimpProcedureConfig *config;
  GimpImage           *image;
  GimpDrawable       **drawables;
  GtkWidget           *dialog, *preview, *bars, *spinner, *settings, *progress;

  Classification  classification;
  char           *loaded;       /* the model's name as set, of classification.classifier */
  GCancellable   *cancellable;  /* of the look under way */
  gboolean        is_looking;   /* a worker or an idle source is at work */
  gboolean        look_again;   /* something changed meanwhile */
  PixelReader    *reader;
  guint           idle, timer;
  gint            attended;     /* how much of the attention is found, thousandths; atomic */
} ClassifyDialog;

static void start_look (ClassifyDialog *dialog);

/* ---- a look --------------------------------------------------------------------------------------------------- */

static void
show_answer (ClassifyDialog *dialog)
{
  const guint8 *pixels;
  int           top, width, height;
  double        threshold;

  if (!dialog->classification.classes)
    return;
  g_object_get (dialog->config, "top", &top, "threshold", &threshold, NULL);
  pixels = fovea_input_get_pixels (dialog->classification.input, &width, &height);
  preview_set_pixels (dialog->preview, pixels, width, height);
  bars_set_classes (dialog->bars, dialog->classification.classes, top, threshold);
}

/* The look is over, well or not. */
static void
end_look (ClassifyDialog *dialog, const GError *error)
{
  dialog->is_looking = FALSE;
  g_clear_pointer (&dialog->reader, pixel_reader_free);
  if (dialog->look_again)
    {
      dialog->look_again = FALSE;
      start_look (dialog);
      return;
    }
  gtk_spinner_stop (GTK_SPINNER (dialog->spinner));
  if (error && !g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    {
      bars_set_message (dialog->bars, error->message);
      if (!dialog->classification.classes)
        preview_clear (dialog->preview);
    }
  else
    show_answer (dialog);
  gtk_dialog_set_response_sensitive (GTK_DIALOG (dialog->dialog), GTK_RESPONSE_OK, dialog->classification.classes != NULL);
}

static void
run_network (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  ClassifyDialog *dialog = data;
  GError         *error = NULL;

  dialog->classification.classes = fovea_classifier_run (dialog->classification.classifier, dialog->classification.input, cancellable, &error);
  if (error)
    g_task_return_error (task, error);
  else
    g_task_return_boolean (task, TRUE);
}

static void
network_done (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (GError) error = NULL;

  g_task_propagate_boolean (G_TASK (result), &error);
  end_look (data, error);
}

static gboolean
read_band (gpointer data)
{
  ClassifyDialog    *dialog = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GTask)  task = NULL;
  double             progress;

  if (!g_cancellable_set_error_if_cancelled (dialog->cancellable, &error) && pixel_reader_step (dialog->reader, &progress, &error))
    return G_SOURCE_CONTINUE;
  dialog->idle = 0;
  if (error)
    {
      end_look (dialog, error);
      return G_SOURCE_REMOVE;
    }
  dialog->classification.seen = pixel_reader_get_seen (dialog->reader);
  task = g_task_new (NULL, dialog->cancellable, network_done, dialog);
  g_task_set_task_data (task, dialog, NULL);
  g_task_run_in_thread (task, run_network);
  return G_SOURCE_REMOVE;
}

/* With the model there: from now on on the main thread, band by band. */
static void
start_reading (ClassifyDialog *dialog)
{
  g_autoptr (GError) error = NULL;
  g_autofree char   *region = NULL;
  int                width, height;

  g_object_get (dialog->config, "region", &region, NULL);
  dialog->reader = pixel_reader_new (dialog->image, dialog->drawables, region, &error);
  if (dialog->reader)
    {
      pixel_reader_get_size (dialog->reader, &width, &height);
      dialog->classification.input = fovea_input_new (fovea_classifier_get_settings (dialog->classification.classifier), width, height, &error);
    }
  if (!dialog->classification.input)
    {
      end_look (dialog, error);
      return;
    }
  pixel_reader_start (dialog->reader, dialog->classification.input);
  dialog->idle = g_idle_add_full (G_PRIORITY_LOW, read_band, dialog, NULL);
}

static void
free_loaded (gpointer loaded)
{
  classification_clear (loaded);
  g_free (loaded);
}

/* Its data is the model's name. */
static void
load_model (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  Classification *loaded = g_new0 (Classification, 1);
  GError         *error = NULL;

  if (classify_load (data, loaded, &error))
    g_task_return_pointer (task, loaded, free_loaded);
  else
    {
      g_free (loaded);
      g_task_return_error (task, error);
    }
}

static void
model_loaded (GObject *source, GAsyncResult *result, gpointer data)
{
  ClassifyDialog    *dialog = data;
  g_autoptr (GError) error = NULL;
  Classification    *loaded = g_task_propagate_pointer (G_TASK (result), &error);

  if (!loaded)
    {
      g_clear_pointer (&dialog->loaded, g_free);
      end_look (dialog, error);
      return;
    }
  dialog->classification = *loaded;
  g_free (loaded);
  start_reading (dialog);
}

static void
start_look (ClassifyDialog *dialog)
{
  g_autofree char  *model = NULL;
  g_autoptr (GTask) task = NULL;

  if (dialog->is_looking)
    {
      dialog->look_again = TRUE;
      g_cancellable_cancel (dialog->cancellable);
      return;
    }
  dialog->is_looking = TRUE;
  g_clear_object (&dialog->cancellable);
  dialog->cancellable = g_cancellable_new ();
  gtk_spinner_start (GTK_SPINNER (dialog->spinner));
  gtk_dialog_set_response_sensitive (GTK_DIALOG (dialog->dialog), GTK_RESPONSE_OK, FALSE);
  g_clear_pointer (&dialog->classification.attention, fovea_tensor_unref);
  g_clear_pointer (&dialog->classification.classes, fovea_classes_free);
  g_clear_pointer (&dialog->classification.input, fovea_input_free);

  g_object_get (dialog->config, "model", &model, NULL);
  if (dialog->classification.classifier && g_strcmp0 (model, dialog->loaded) == 0)
    {
      start_reading (dialog);
      return;
    }
  classification_clear (&dialog->classification);
  g_free (dialog->loaded);
  dialog->loaded = g_strdup (model ? model : "");
  task = g_task_new (NULL, dialog->cancellable, model_loaded, dialog);
  g_task_set_task_data (task, g_strdup (dialog->loaded), g_free);
  g_task_set_return_on_cancel (task, TRUE);
  g_task_run_in_thread (task, load_model);
}

/* ---- Apply ------------------------------------------------------------------------------------------------------ */

static void
attention_progress (double fraction, gpointer data)
{
  ClassifyDialog *dialog = data;

  g_atomic_int_set (&dialog->attended, (gint) (fraction * 1000));
}

static gboolean
show_attended (gpointer data)
{
  ClassifyDialog *dialog = data;

  gtk_progress_bar_set_fraction (GTK_PROGRESS_BAR (dialog->progress), g_atomic_int_get (&dialog->attended) / 1000.0);
  return G_SOURCE_CONTINUE;
}

static void
find_attention (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  ClassifyDialog *dialog = data;
  GError         *error = NULL;

  if (classify_attend (&dialog->classification, cancellable, attention_progress, dialog, &error))
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, error);
}

static void
attention_found (GObject *source, GAsyncResult *result, gpointer data)
{
  ClassifyDialog    *dialog = data;
  g_autoptr (GError) error = NULL;
  gboolean           found = g_task_propagate_boolean (G_TASK (result), &error), is_asked = !dialog->look_again;

  g_clear_handle_id (&dialog->timer, g_source_remove);
  gtk_widget_hide (dialog->progress);
  gtk_widget_set_sensitive (dialog->settings, TRUE);
  end_look (dialog, error);
  if (found && is_asked)
    gtk_dialog_response (GTK_DIALOG (dialog->dialog), GTK_RESPONSE_OK);
}

static gboolean
needs_attention (ClassifyDialog *dialog)
{
  const FoveaClasses *classes = dialog->classification.classes;
  gboolean            attention_layer;
  double              threshold;

  g_object_get (dialog->config, "attention-layer", &attention_layer, "threshold", &threshold, NULL);
  return attention_layer && !dialog->classification.attention && classes && classes->n > 0 && classes->classes[0].score >= threshold;
}

/* Holds Apply back until it is known where the network looked. */
static void
responded (GtkDialog *window, gint response, ClassifyDialog *dialog)
{
  g_autoptr (GTask) task = NULL;

  if (response != GTK_RESPONSE_OK || (!dialog->is_looking && !needs_attention (dialog)))
    return;
  g_signal_stop_emission_by_name (window, "response");
  if (dialog->is_looking)
    return;
  dialog->is_looking = TRUE;
  g_clear_object (&dialog->cancellable);
  dialog->cancellable = g_cancellable_new ();
  gtk_dialog_set_response_sensitive (window, GTK_RESPONSE_OK, FALSE);
  gtk_widget_set_sensitive (dialog->settings, FALSE);
  g_atomic_int_set (&dialog->attended, 0);
  show_attended (dialog);
  gtk_widget_show (dialog->progress);
  dialog->timer = g_timeout_add (100, show_attended, dialog);
  task = g_task_new (NULL, dialog->cancellable, attention_found, dialog);
  g_task_set_task_data (task, dialog, NULL);
  g_task_run_in_thread (task, find_attention);
}

/* ---- the window ----------------------------------------------------------------------------------------------- */

static void
model_changed (GimpProcedureConfig *config, GParamSpec *property, ClassifyDialog *dialog)
{
  g_autofree char *model = NULL;

  g_object_get (config, "model", &model, NULL);
  if (!dialog_is_choosing (model))
    start_look (dialog);
}

static void
region_changed (GimpProcedureConfig *config, GParamSpec *property, ClassifyDialog *dialog)
{
  start_look (dialog);
}

static void
display_changed (GimpProcedureConfig *config, GParamSpec *property, ClassifyDialog *dialog)
{
  if (!dialog->is_looking)
    show_answer (dialog);
}

static GtkWidget *
make_settings (ClassifyDialog *dialog)
{
  GtkWidget        *grid = gtk_grid_new (), *threshold;
  GObject          *config = G_OBJECT (dialog->config);
  gboolean          is_several = dialog->drawables[0] && dialog->drawables[1];
  const char *const region_rows[] = { "image", _("The whole image"), "selection", _("The selection"), dialog->drawables[0] ? "layer" : NULL,
                                      is_several ? _("The chosen layers") : _("The layer"), NULL };
  const char *const mode_rows[] = { "add", _("Keep them"), "replace", _("Replace them"), NULL };
  g_autoptr (GtkListStore) region_store = dialog_make_store (region_rows), mode_store = dialog_make_store (mode_rows);
  GtkWidget        *tags = gimp_prop_check_button_new (config, "write-tags", NULL), *attention = gimp_prop_check_button_new (config, "attention-layer", NULL);
  GtkWidget        *note = gtk_label_new (NULL);
  g_autofree char  *note_text = g_markup_printf_escaped ("<small>%s</small>", _("To keep tags in an exported file, tick XMP, IPTC and Exif in its export window."));

  gtk_grid_set_row_spacing (GTK_GRID (grid), 6);
  gtk_grid_set_column_spacing (GTK_GRID (grid), 12);
  dialog_attach (GTK_GRID (grid), 0, _("_Model"), _("The network that looks"), dialog_model_combo_new (dialog->config, FOVEA_TASK_CLASSIFY, dialog->dialog));
  dialog_attach (GTK_GRID (grid), 1, _("Loo_k at"), _("The part of the image that is named"),
                  gimp_prop_string_combo_box_new (config, "region", GTK_TREE_MODEL (region_store), 0, 1));
  dialog_attach (GTK_GRID (grid), 2, _("_Names"), _("How many names at most"), gimp_prop_spin_button_new (config, "top", 1, 5, 0));
  threshold = gimp_prop_spin_button_new (config, "threshold", 0.01, 0.1, 2);
  dialog_attach (GTK_GRID (grid), 3, _("Threshol_d"), _("Leave out names less sure than this"), threshold);
  gtk_grid_attach (GTK_GRID (grid), gtk_separator_new (GTK_ORIENTATION_HORIZONTAL), 0, 4, 2, 1);
  gtk_grid_attach (GTK_GRID (grid), tags, 0, 5, 2, 1);
  dialog_attach (GTK_GRID (grid), 6, _("Tags alread_y there"), _("What happens to the keywords that the image has"),
                  gimp_prop_string_combo_box_new (config, "tag-mode", GTK_TREE_MODEL (mode_store), 0, 1));
  gtk_label_set_markup (GTK_LABEL (note), note_text);
  gtk_label_set_line_wrap (GTK_LABEL (note), TRUE);
  gtk_label_set_xalign (GTK_LABEL (note), 0);
  gtk_label_set_max_width_chars (GTK_LABEL (note), 40);
  gtk_grid_attach (GTK_GRID (grid), note, 0, 7, 2, 1);
  if (gimp_image_get_base_type (dialog->image) == GIMP_INDEXED)
    {
      g_object_set (config, "attention-layer", FALSE, NULL);
      gtk_widget_set_sensitive (attention, FALSE);
      gtk_widget_set_tooltip_text (attention, _("An indexed image has no colours for an attention layer. Convert it to RGB first (Image ▸ Mode ▸ RGB)."));
    }
  gtk_grid_attach (GTK_GRID (grid), attention, 0, 8, 2, 1);
  return grid;
}

static GtkWidget *
make_content (ClassifyDialog *dialog)
{
  GtkWidget *columns = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 18), *left = gtk_box_new (GTK_ORIENTATION_VERTICAL, 6);
  GtkWidget *right = gtk_box_new (GTK_ORIENTATION_VERTICAL, 18), *answer = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 6);
  GtkWidget *seen = gtk_label_new (_("What the network sees"));

  dialog->preview = preview_new ();
  dialog->bars = bars_new ();
  dialog->spinner = gtk_spinner_new ();
  dialog->progress = gtk_progress_bar_new ();
  dialog->settings = make_settings (dialog);
  gtk_widget_set_valign (dialog->spinner, GTK_ALIGN_START);
  gtk_style_context_add_class (gtk_widget_get_style_context (seen), "dim-label");
  gtk_progress_bar_set_text (GTK_PROGRESS_BAR (dialog->progress), _("Finding where the network looked"));
  gtk_progress_bar_set_show_text (GTK_PROGRESS_BAR (dialog->progress), TRUE);
  atk_object_set_name (gtk_widget_get_accessible (dialog->progress), _("Finding where the network looked"));
  gtk_widget_set_no_show_all (dialog->progress, TRUE);
  gtk_widget_set_valign (left, GTK_ALIGN_START);
  gtk_box_pack_start (GTK_BOX (left), dialog->preview, FALSE, FALSE, 0);
  gtk_box_pack_start (GTK_BOX (left), seen, FALSE, FALSE, 0);
  gtk_box_pack_start (GTK_BOX (left), dialog->progress, FALSE, FALSE, 0);
  gtk_box_pack_start (GTK_BOX (answer), dialog->bars, TRUE, TRUE, 0);
  gtk_box_pack_start (GTK_BOX (answer), dialog->spinner, FALSE, FALSE, 0);
  gtk_widget_set_size_request (answer, -1, 190);
  gtk_box_pack_start (GTK_BOX (right), answer, TRUE, TRUE, 0);
  gtk_box_pack_start (GTK_BOX (right), dialog->settings, FALSE, FALSE, 0);
  gtk_box_pack_start (GTK_BOX (columns), left, TRUE, TRUE, 0);
  gtk_box_pack_start (GTK_BOX (columns), right, FALSE, FALSE, 0);
  gtk_container_set_border_width (GTK_CONTAINER (columns), 12);
  return columns;
}

/* Where no layer is chosen, there is none to look at. */
static void
choose_image (GimpProcedureConfig *config)
{
  g_autofree char *region = NULL;

  g_object_get (config, "region", &region, NULL);
  if (g_strcmp0 (region, "layer") == 0)
    g_object_set (config, "region", "image", NULL);
}

gboolean
classify_dialog_run (GimpProcedure *procedure, GimpProcedureConfig *config, GimpImage *image, GimpDrawable **drawables, Classification *classification,
                     GError **error)
{
  ClassifyDialog dialog = { .config = config, .image = image, .drawables = drawables };
  GtkWidget     *content;
  gboolean       ok;

  if (!drawables[0])
    choose_image (config);
  gimp_ui_init ("fovea");
  dialog.dialog = gimp_procedure_dialog_new (procedure, config, _("Classify"));
  gimp_procedure_dialog_set_ok_label (GIMP_PROCEDURE_DIALOG (dialog.dialog), _("_Apply"));
  content = make_content (&dialog);
  gtk_box_pack_start (GTK_BOX (gtk_dialog_get_content_area (GTK_DIALOG (dialog.dialog))), content, TRUE, TRUE, 0);
  gtk_widget_show_all (content);
  g_signal_connect (config, "notify::model", G_CALLBACK (model_changed), &dialog);
  g_signal_connect (config, "notify::region", G_CALLBACK (region_changed), &dialog);
  g_signal_connect (config, "notify::top", G_CALLBACK (display_changed), &dialog);
  g_signal_connect (config, "notify::threshold", G_CALLBACK (display_changed), &dialog);
  g_signal_connect (dialog.dialog, "response", G_CALLBACK (responded), &dialog);
  start_look (&dialog);

  ok = gimp_procedure_dialog_run (GIMP_PROCEDURE_DIALOG (dialog.dialog));

  g_signal_handlers_disconnect_by_data (config, &dialog);
  dialog.look_again = FALSE;
  g_cancellable_cancel (dialog.cancellable);
  while (dialog.is_looking)
    g_main_context_iteration (NULL, TRUE);
  gtk_widget_destroy (dialog.dialog);
  g_clear_object (&dialog.cancellable);
  g_free (dialog.loaded);
  *classification = dialog.classification;
  return ok && classification->classes != NULL;
}
