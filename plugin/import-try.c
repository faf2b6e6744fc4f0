/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * import-try.c: see import-try.h. It looks as the filters' windows do (look.h). The network runs twice: once as it is, for the raw numbers, once as the filter
 * of its task would run it.
 */

#include "import-try.h"

#include <glib/gi18n.h>

#include "box-view.h"
#include "dialog.h"
#include "look.h"
#include "mask-view.h"
#include "preview.h"

#define VIEW_WIDTH    360
#define VIEW_HEIGHT   170
#define MOST_NAMES    5
#define RANGES_HEIGHT 90 /* pixels */

struct _ImportTry
{
  GimpProcedureConfig *config;
  GtkWidget           *widget, *status, *stack, *bars, *boxes, *masks, *words, *ranges;
  GimpImage           *image;    /* that `look` looks at */
  Look                *look;
  FoveaModel          *model;
  FoveaSettings       *settings; /* as they stand in the form */
  gboolean             is_on;

  FoveaSettings       *used;     /* by the look under way; what follows is its answer */
  FoveaClasses        *classes;
  FoveaObjects        *objects;
  FoveaMasks          *found;
  FoveaMask           *mask;
  char                *raw, *sample;
};

/* ---- the network, in a worker ----------------------------------------------------------------------------------- */

/* The whole photo, as the network sees it. */
static FoveaInput *
prepare_input (const FoveaSettings *settings, const FoveaPhoto *photo, GError **error)
{
  g_autoptr (FoveaInput) input = fovea_input_new (settings, photo->width, photo->height, error);
  int                    x, y, width, height;
  g_autofree guint8     *rows = NULL;

  if (!input)
    return NULL;
  fovea_input_get_region (input, &x, &y, &width, &height);
  rows = g_malloc_n ((gsize) width * 64, 3);
  for (int row = 0; row < height; row += 64)
    {
      const int n = MIN (64, height - row);

      if (!photo->read (photo->user_data, x, y + row, width, n, rows, (gsize) width * 3, error))
        return NULL;
      fovea_input_push (input, rows, (gsize) width * 3, n);
    }
  return g_steal_pointer (&input);
}

static void
print_output (const FoveaRawOutput *output, GString *text)
{
  g_string_append_printf (text, "%s%s: ", text->len ? "\n" : "", output->name);
  for (guint i = 0; i < output->shape.n_dims; i++)
    g_string_append_printf (text, "%s%" G_GINT64_FORMAT, i ? "×" : "", output->shape.dims[i]);
  if (output->type != FOVEA_TYPE_FLOAT32)
    g_string_append_printf (text, " %s", fovea_type_name (output->type));
  g_string_append_c (text, ' ');
  if (output->n > output->n_strange)
    g_string_append_printf (text, _("from %.4g to %.4g, mean %.4g"), output->least, output->most, output->mean);
  if (output->n_strange)
    g_string_append_printf (text, _("; %d aren't numbers: the input is prepared wrongly, or the file is damaged"), (int) output->n_strange);
}

/* Between what bounds the outputs lie, before any decoding. */
static char *
measure_raw (ImportTry *try, FoveaInput *input, GCancellable *cancellable, GError **error)
{
  gsize               n = 0;
  FoveaRawOutput     *outputs = fovea_model_run_raw (try->model, try->used, input, &n, cancellable, error);
  g_autoptr (GString) text = g_string_new (NULL);

  for (gsize i = 0; outputs && i < n; i++)
    print_output (&outputs[i], text);
  fovea_raw_outputs_free (outputs, n);
  return outputs ? g_string_free (g_steal_pointer (&text), FALSE) : NULL;
}

char *
import_try_sample (FoveaModel *model, const FoveaSettings *settings, GCancellable *cancellable)
{
  g_autoptr (GError) error = NULL;
  double             difference;
  const FoveaSample  verdict = fovea_model_try_sample (model, settings, &difference, cancellable, &error);

  if (error)
    return g_strdup (error->message);
  if (verdict == FOVEA_SAMPLE_WRONG)
    return g_strdup_printf (_("Its makers' own sample comes out otherwise, by %.3g of the range: these settings aren't what they mean."), difference);
  return verdict == FOVEA_SAMPLE_RIGHT ? g_strdup (_("Its makers' own sample comes out as it should.")) : NULL;
}

/* Networks that must be pointed at are pointed at the middle. */
static FoveaMasks *
find_masks (ImportTry *try, FoveaSegmenter *segmenter, const FoveaPhoto *photo, GCancellable *cancellable, FoveaProgress progress, gpointer progress_data, GError **error)
{
  const FoveaPromptPoint middle = { photo->width / 2.0, photo->height / 2.0, TRUE };
  const FoveaPrompt      prompt = { .points = &middle, .n_points = 1 };
  g_autofree char       *partner = fovea_model_find_partner (try->model, try->used, NULL);

  return partner ? fovea_segmenter_run_prompt (segmenter, photo, &prompt, cancellable, progress, progress_data, error)
                 : fovea_segmenter_run (segmenter, photo, 1, cancellable, progress, progress_data, error);
}

static gboolean
decode (ImportTry *try, FoveaInput *input, const FoveaPhoto *photo, GCancellable *cancellable, FoveaProgress progress, gpointer progress_data, GError **error)
{
  if (try->used->task == FOVEA_TASK_CLASSIFY)
    {
      g_autoptr (FoveaClassifier) classifier = fovea_classifier_new (try->model, try->used, 0, error);

      try->classes = classifier ? fovea_classifier_run (classifier, input, cancellable, error) : NULL;
      return try->classes != NULL;
    }
  if (try->used->task == FOVEA_TASK_DETECT)
    {
      g_autoptr (FoveaLocator)    locator = fovea_locator_new (try->model, try->used, 0, error);
      g_autoptr (FoveaCandidates) candidates = locator ? fovea_locator_run (locator, photo, 1, FALSE, cancellable, progress, progress_data, error) : NULL;

      try->objects = candidates ? fovea_candidates_select (candidates, NULL, error) : NULL;
      return try->objects != NULL;
    }
  if (try->used->task == FOVEA_TASK_SEGMENT)
    {
      const FoveaMaskOptions     plain = { .threshold = 0.5, .softness = 1 };
      g_autoptr (FoveaSegmenter) segmenter = fovea_segmenter_new (try->model, try->used, 0, error);

      try->found = segmenter ? find_masks (try, segmenter, photo, cancellable, progress, progress_data, error) : NULL;
      try->mask = try->found && fovea_masks_count (try->found) ? fovea_mask_new (try->found, NULL, 0, &plain, error) : NULL;
      return try->found && (try->mask || fovea_masks_count (try->found) == 0);
    }
  return TRUE; /* the raw numbers may tell what it is for */
}

static gboolean
load (const char *path, gpointer data, GError **error)
{
  ImportTry *try = data;

  g_clear_pointer (&try->model, fovea_model_unref);
  try->model = fovea_model_load (path, error);
  return try->model != NULL;
}

static gboolean
run (const FoveaPhoto *photo, GCancellable *cancellable, FoveaProgress progress, gpointer progress_data, gpointer data, GError **error)
{
  ImportTry             *try = data;
  g_autoptr (FoveaInput) input = prepare_input (try->used, photo, error);

  try->raw = input ? measure_raw (try, input, cancellable, error) : NULL;
  try->sample = try->raw ? import_try_sample (try->model, try->used, cancellable) : NULL;
  return try->raw && decode (try, input, photo, cancellable, progress, progress_data, error);
}

/* ---- what is shown ------------------------------------------------------------------------------------------------ */

static void
show_nothing (ImportTry *try)
{
  box_view_set_objects (try->boxes, NULL, NULL);
  mask_view_set_mask (try->masks, NULL);
}

static void
forget (gpointer data)
{
  ImportTry *try = data;

  show_nothing (try);
  g_clear_pointer (&try->classes, fovea_classes_free);
  g_clear_pointer (&try->objects, fovea_objects_free);
  g_clear_pointer (&try->mask, fovea_mask_free);
  g_clear_pointer (&try->found, fovea_masks_free);
  g_clear_pointer (&try->raw, g_free);
  g_clear_pointer (&try->sample, g_free);
}

static void
show_photo (GdkPixbuf *photo, GdkPixbuf *small, gpointer data)
{
  ImportTry *try = data;

  show_nothing (try);
  photo_view_set_photo (try->boxes, photo, small);
  photo_view_set_photo (try->masks, photo, small);
}

static void
begin (gpointer data)
{
  ImportTry *try = data;

  forget (try);
  g_clear_pointer (&try->used, fovea_settings_free);
  try->used = fovea_settings_copy (try->settings);
}

static void
loaded (gpointer data)
{
}

/* The answer in words: for those who hear the window, and for names of masks, which have no place in the picture. */
static char *
print_answer (const ImportTry *try)
{
  g_autoptr (GString) text = g_string_new (NULL);

  for (gsize i = 0; try->classes && i < MIN (try->classes->n, MOST_NAMES); i++)
    g_string_append_printf (text, "%s%s %.0f %%", i ? ", " : "", try->classes->classes[i].label, 100 * try->classes->classes[i].score);
  for (gsize i = 0; try->objects && i < MIN (try->objects->n, MOST_NAMES); i++)
    g_string_append_printf (text, "%s%s %.0f %%", i ? ", " : "", try->objects->objects[i].label, 100 * try->objects->objects[i].score);
  for (gsize i = 0; try->found && i < MIN (fovea_masks_count (try->found), MOST_NAMES); i++)
    g_string_append_printf (text, "%s%s", i ? ", " : "", fovea_masks_get_label (try->found, i));
  if (try->mask)
    g_string_append_printf (text, _(": %.0f %% of the photo"), 100 * fovea_mask_get_area (try->mask));
  if (text->len == 0)
    g_string_append (text, try->used->task == FOVEA_TASK_UNKNOWN ? _("Say what the network is for: only the raw numbers are known.")
                                                                  : _("It finds nothing here. Are range, mean and colour right?"));
  return g_string_free (g_steal_pointer (&text), FALSE);
}

static void
ended (gboolean done, gpointer data)
{
  ImportTry       *try = data;
  g_autofree char *answer = done ? print_answer (try) : NULL, *raw = NULL;

  raw = try->raw ? g_strdup_printf ("%s\n%s%s%s", _("Raw output:"), try->raw, try->sample ? "\n" : "", try->sample ? try->sample : "") : NULL;
  gtk_label_set_text (GTK_LABEL (try->words), answer ? answer : "");
  gtk_label_set_text (GTK_LABEL (try->ranges), raw ? raw : "");
  if (try->classes)
    bars_set_classes (try->bars, try->classes, MOST_NAMES, 0);
  box_view_set_objects (try->boxes, try->objects, NULL);
  mask_view_set_mask (try->masks, try->mask);
  if (done)
    gtk_stack_set_visible_child (GTK_STACK (try->stack), try->classes ? try->bars : try->found ? try->masks : try->boxes);
}

/* ---- its life ------------------------------------------------------------------------------------------------------- */

static void
box_clicked (gint object, gpointer data)
{
  box_view_select (((ImportTry *) data)->boxes, object);
}

ImportTry *
import_try_new (GimpProcedureConfig *config)
{
  ImportTry *try = g_new0 (ImportTry, 1);
  GtkWidget *scrolled = gtk_scrolled_window_new (NULL, NULL);

  try->config = config;
  try->widget = gtk_box_new (GTK_ORIENTATION_VERTICAL, 6);
  try->status = gtk_box_new (GTK_ORIENTATION_VERTICAL, 0);
  try->stack = gtk_stack_new ();
  try->bars = bars_new ();
  try->boxes = box_view_new (box_clicked, try);
  try->masks = mask_view_new (NULL, NULL);
  try->words = dialog_text_new ();
  try->ranges = dialog_text_new ();
  mask_view_set_kind (try->masks, MASK_VIEW_PHOTO);
  gtk_label_set_max_width_chars (GTK_LABEL (try->words), 46);
  gtk_label_set_max_width_chars (GTK_LABEL (try->ranges), 46);
  gtk_label_set_selectable (GTK_LABEL (try->ranges), TRUE);
  gtk_container_add (GTK_CONTAINER (try->stack), try->boxes);
  gtk_container_add (GTK_CONTAINER (try->stack), try->bars);
  gtk_container_add (GTK_CONTAINER (try->stack), try->masks);
  gtk_widget_set_size_request (try->boxes, VIEW_WIDTH, VIEW_HEIGHT); /* smaller than in the windows that are there for it */
  gtk_widget_set_size_request (try->masks, VIEW_WIDTH, VIEW_HEIGHT);
  gtk_widget_set_size_request (try->stack, VIEW_WIDTH, VIEW_HEIGHT);
  gtk_box_pack_start (GTK_BOX (try->widget), try->stack, TRUE, TRUE, 0);
  gtk_box_pack_start (GTK_BOX (try->widget), try->words, FALSE, FALSE, 0);
  gtk_scrolled_window_set_policy (GTK_SCROLLED_WINDOW (scrolled), GTK_POLICY_NEVER, GTK_POLICY_AUTOMATIC); /* detectors may have a dozen outputs */
  gtk_scrolled_window_set_propagate_natural_height (GTK_SCROLLED_WINDOW (scrolled), TRUE);
  gtk_scrolled_window_set_max_content_height (GTK_SCROLLED_WINDOW (scrolled), RANGES_HEIGHT);
  gtk_container_add (GTK_CONTAINER (scrolled), try->ranges);
  gtk_box_pack_start (GTK_BOX (try->widget), scrolled, FALSE, FALSE, 0);
  gtk_box_pack_start (GTK_BOX (try->widget), try->status, FALSE, FALSE, 0);
  return try;
}

static void
end_look (ImportTry *try)
{
  if (!try->look)
    return;
  show_photo (NULL, NULL, try);
  gtk_container_remove (GTK_CONTAINER (try->status), look_get_status (try->look));
  g_clear_pointer (&try->look, look_free);
  forget (try);
}

void
import_try_free (ImportTry *try)
{
  end_look (try);
  forget (try);
  g_clear_pointer (&try->model, fovea_model_unref);
  g_clear_pointer (&try->settings, fovea_settings_free);
  g_clear_pointer (&try->used, fovea_settings_free);
  g_free (try);
}

GtkWidget *
import_try_get_widget (const ImportTry *try)
{
  return try->widget;
}

void
import_try_start (ImportTry *try, GimpImage *image, const FoveaSettings *settings)
{
  static const LookSteps steps = { load, loaded, forget, show_photo, begin, run, ended };

  g_clear_pointer (&try->settings, fovea_settings_free);
  try->settings = fovea_settings_copy (settings);
  try->is_on = TRUE;
  if (!try->look || image != try->image)
    {
      end_look (try);
      try->image = image;
      try->look = look_new (try->config, image, NULL, "image", &steps, try);
      look_fix (try->look, "file", "image");
      gtk_box_pack_start (GTK_BOX (try->status), look_get_status (try->look), FALSE, FALSE, 0);
    }
  look_start (try->look);
}

void
import_try_clear (ImportTry *try)
{
  try->is_on = FALSE;
  end_look (try);
  gtk_label_set_text (GTK_LABEL (try->words), "");
  gtk_label_set_text (GTK_LABEL (try->ranges), "");
}

gboolean
import_try_is_on (const ImportTry *try)
{
  return try->is_on;
}
