/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * import-try.c: see import-try.h. It looks as the filters' windows do (look.h). The network runs twice: once as it is, for the raw numbers, once as the filter
 * of its task would run it.
 */

#include "import-try.h"

#include <glib/gi18n.h>

#include "answer-view.h"
#include "dialog.h"
#include "look.h"

#define VIEW_WIDTH    360
#define VIEW_HEIGHT   170
#define RANGES_HEIGHT 90 /* pixels */

struct _ImportTry
{
  GimpProcedureConfig *config;
  GtkWidget           *widget, *status, *view, *words, *ranges;
  GimpImage           *image;    /* that `look` looks at */
  Look                *look;
  FoveaModel          *model;
  FoveaSettings       *settings; /* as they stand in the form */
  gboolean             is_on;

  FoveaSettings       *used;     /* by the look under way; what follows is its answer */
  ModelAnswer         *answer;
  char                *raw, *sample;
};

/* ---- the network, in a worker ----------------------------------------------------------------------------------- */

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
  g_autoptr (FoveaInput) input = model_answer_read (try->used, photo, error);

  try->raw = input ? measure_raw (try, input, cancellable, error) : NULL;
  try->sample = try->raw ? import_try_sample (try->model, try->used, cancellable) : NULL;
  try->answer = try->raw ? model_answer_new (try->model, try->used, photo, cancellable, progress, progress_data, error) : NULL; /* of no task: the raw numbers may tell */
  return try->answer != NULL;
}

/* ---- what is shown ------------------------------------------------------------------------------------------------ */

static void
forget (gpointer data)
{
  ImportTry *try = data;

  answer_view_set (try->view, NULL);
  g_clear_pointer (&try->answer, model_answer_free);
  g_clear_pointer (&try->raw, g_free);
  g_clear_pointer (&try->sample, g_free);
}

static void
show_photo (GdkPixbuf *photo, GdkPixbuf *small, gpointer data)
{
  answer_view_set_photo (((ImportTry *) data)->view, photo, small);
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

static char *
tell_answer (const ImportTry *try)
{
  g_autofree char *text = model_answer_tell (try->answer);

  return *text ? g_steal_pointer (&text)
               : g_strdup (try->answer->task == FOVEA_TASK_UNKNOWN ? _("Say what the network is for: only the raw numbers are known.")
                                                                   : _("It finds nothing here. Are range, mean and colour right?"));
}

static void
ended (gboolean done, gpointer data)
{
  ImportTry       *try = data;
  g_autofree char *answer = done ? tell_answer (try) : NULL, *raw = NULL;

  raw = try->raw ? g_strdup_printf ("%s\n%s%s%s", _("Raw output:"), try->raw, try->sample ? "\n" : "", try->sample ? try->sample : "") : NULL;
  gtk_label_set_text (GTK_LABEL (try->words), answer ? answer : "");
  gtk_label_set_text (GTK_LABEL (try->ranges), raw ? raw : "");
  answer_view_set (try->view, done ? try->answer : NULL);
}

/* ---- its life ------------------------------------------------------------------------------------------------------- */

ImportTry *
import_try_new (GimpProcedureConfig *config)
{
  ImportTry *try = g_new0 (ImportTry, 1);
  GtkWidget *scrolled = gtk_scrolled_window_new (NULL, NULL);

  try->config = config;
  try->widget = gtk_box_new (GTK_ORIENTATION_VERTICAL, 6);
  try->status = gtk_box_new (GTK_ORIENTATION_VERTICAL, 0);
  try->view = answer_view_new (VIEW_WIDTH, VIEW_HEIGHT);
  try->words = dialog_text_new ();
  try->ranges = dialog_text_new ();
  gtk_label_set_max_width_chars (GTK_LABEL (try->words), 46);
  gtk_label_set_max_width_chars (GTK_LABEL (try->ranges), 46);
  gtk_label_set_selectable (GTK_LABEL (try->ranges), TRUE);
  gtk_box_pack_start (GTK_BOX (try->widget), try->view, TRUE, TRUE, 0);
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
