/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * batch-dialog.c: the window of Filters ▸ Fovea ▸ Batch…: what is done with which photos, then how far it is, then what came out. A run begins and ends on a thread
 * (models are loaded, the page is written); in between a timer takes what is done. Stop and Close lose nothing: the next run goes on there.
 */

#include "batch.h"

#include <glib/gi18n.h>
#include <libgimp/gimpui.h>

#include "batch-choice.h"
#include "dialog.h"

#define TICK_MS         50
#define TICK_BUSY       (G_USEC_PER_SEC / 40) /* what a tick takes at most */
#define COUNT_DELAY_MS  250
#define PROBLEMS_HEIGHT 70
#define FORMAT_COLUMNS  3

typedef enum { STATE_IDLE, STATE_BEGINNING, STATE_RUNNING, STATE_ENDING } BatchState;

typedef struct
{
  GimpProcedureConfig *config;
  GtkWidget           *dialog, *settings, *count, *results, *formats, *start, *stop, *bar, *message, *problems, *problems_frame, *show;
  BatchState           state;
  BatchRequest        *request;
  FolderRun           *run;
  JsonNode            *told;      /* of the last run that ended */
  char                *proposed;  /* for results; NULL: nothing yet */
  char                *reason;    /* why the run was stopped before its end; NULL: none was */
  gsize                n_told;
  gint64               began;
  guint                tick, count_timer;
  guint                n_counts;  /* photos are being counted so many times */
} BatchDialog;

static const struct
{
  const char *name, *label;
} format_labels[] = {
  { "csv", N_("Table (CSV)") },          { "json", N_("JSON") },
  { "xmp", N_("XMP sidecars") },         { "keywords", N_("Copies with keywords") },
  { "coco", N_("Boxes for COCO") },      { "yolo", N_("Boxes for YOLO") },
  { "voc", N_("Boxes for Pascal VOC") }, { "masks", N_("Masks (PNG)") },
  { "cut-outs", N_("Cut-outs (PNG)") },  { "pictures", N_("Pictures with frames or colours") },
  { "xcf", N_("GIMP images with layers (XCF)") },
};

/* ---- how far it is -------------------------------------------------------------------------------------------------------------------------- */

static void
set_state (BatchDialog *dialog, BatchState state)
{
  dialog->state = state;
  gtk_widget_set_sensitive (dialog->settings, state == STATE_IDLE);
  gtk_widget_set_sensitive (dialog->start, state == STATE_IDLE);
  gtk_widget_set_sensitive (dialog->stop, state == STATE_RUNNING);
  gtk_widget_set_sensitive (dialog->show, state == STATE_IDLE && dialog->told);
}

static void
show_bar (BatchDialog *dialog, double fraction, const char *text)
{
  gtk_progress_bar_set_fraction (GTK_PROGRESS_BAR (dialog->bar), fraction);
  gtk_progress_bar_set_text (GTK_PROGRESS_BAR (dialog->bar), text);
}

static void
show_problems (BatchDialog *dialog)
{
  const GPtrArray *const lists[] = { folder_run_get_failures (dialog->run), folder_run_get_left_out (dialog->run) };
  g_autoptr (GString)    text = g_string_new (NULL);

  for (guint i = 0; i < G_N_ELEMENTS (lists); i++)
    for (guint k = 0; k < lists[i]->len; k++)
      g_string_append_printf (text, "%s\n", (const char *) lists[i]->pdata[k]);
  gtk_text_buffer_set_text (gtk_text_view_get_buffer (GTK_TEXT_VIEW (dialog->problems)), text->str, -1);
  gtk_widget_set_visible (dialog->problems_frame, text->len > 0);
}

/* ---- the end of a run ------------------------------------------------------------------------------------------------------------------------ */

static void
end_run (BatchDialog *dialog, const char *message)
{
  g_clear_pointer (&dialog->run, folder_run_free);
  g_clear_pointer (&dialog->request, batch_request_free);
  gtk_label_set_text (GTK_LABEL (dialog->message), message);
  set_state (dialog, STATE_IDLE);
}

static void
wait_for_run (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  BatchDialog *dialog = data;

  g_clear_pointer (&dialog->run, folder_run_free);
  g_task_return_boolean (task, TRUE);
}

static void
run_stopped (GObject *source, GAsyncResult *result, gpointer data)
{
  end_run (data, ((BatchDialog *) data)->reason);
}

/* Before its end: photos that are being decoded are waited for, on a thread. */
static void
stop_run (BatchDialog *dialog, const char *message)
{
  g_autoptr (GTask) task = g_task_new (NULL, NULL, run_stopped, dialog);

  set_state (dialog, STATE_ENDING);
  g_free (dialog->reason);
  dialog->reason = g_strdup (message);
  g_task_set_task_data (task, dialog, NULL);
  g_task_run_in_thread (task, wait_for_run);
}

static void
finish_run (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  BatchDialog *dialog = data;
  GError      *error = NULL;
  JsonNode    *told = folder_run_finish (dialog->run, &dialog->n_told, &error);

  if (told)
    g_task_return_pointer (task, told, (GDestroyNotify) json_node_unref);
  else
    g_task_return_error (task, error);
}

static void
run_finished (GObject *source, GAsyncResult *result, gpointer data)
{
  BatchDialog       *dialog = data;
  g_autoptr (GError) error = NULL;
  JsonNode          *told = g_task_propagate_pointer (G_TASK (result), &error);
  g_autofree char   *text = NULL;
  JsonObject        *object;

  if (!told)
    {
      end_run (dialog, error->message);
      return;
    }
  g_clear_pointer (&dialog->told, json_node_unref);
  dialog->told = told;
  object = json_node_get_object (told);
  text = g_strdup_printf (_("%d photos are done, %d of them before; %u failed."), (int) dialog->n_told, (int) json_object_get_int_member (object, "skipped"),
                          json_array_get_length (json_object_get_array_member (object, "failed")));
  show_problems (dialog);
  show_bar (dialog, 1, _("Done"));
  end_run (dialog, text);
}

static void
begin_finishing (BatchDialog *dialog)
{
  g_autoptr (GTask) task = g_task_new (NULL, NULL, run_finished, dialog);

  set_state (dialog, STATE_ENDING);
  show_bar (dialog, 1, _("Writing the summary"));
  g_task_set_task_data (task, dialog, NULL);
  g_task_run_in_thread (task, finish_run);
}

/* ---- a run ------------------------------------------------------------------------------------------------------------------------------------ */

static gboolean
on_tick (gpointer data)
{
  BatchDialog       *dialog = data;
  gint64             until = g_get_monotonic_time () + TICK_BUSY;
  gsize              before, done, n;
  gboolean           more = TRUE;
  g_autoptr (GError) error = NULL;
  g_autofree char   *text = NULL;

  if (dialog->state != STATE_RUNNING)
    return G_SOURCE_CONTINUE;
  folder_run_count (dialog->run, &done, &n);
  do
    {
      before = done;
      more = folder_run_step (dialog->run, 0, &error);
      folder_run_count (dialog->run, &done, &n);
    }
  while (more && done > before && g_get_monotonic_time () < until);
  if (error)
    stop_run (dialog, error->message);
  else if (!more)
    begin_finishing (dialog);
  else
    {
      text = batch_tell (done, n, dialog->began);
      show_bar (dialog, (double) done / (double) n, text);
    }
  return G_SOURCE_CONTINUE;
}

static void
begin_run (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  BatchDialog *dialog = data;
  GError      *error = NULL;
  FolderRun   *run = batch_begin (dialog->request, &error);

  if (run)
    g_task_return_pointer (task, run, (GDestroyNotify) folder_run_free);
  else
    g_task_return_error (task, error);
}

static void
run_begun (GObject *source, GAsyncResult *result, gpointer data)
{
  BatchDialog       *dialog = data;
  g_autoptr (GError) error = NULL;

  dialog->run = g_task_propagate_pointer (G_TASK (result), &error);
  if (!dialog->run)
    {
      show_bar (dialog, 0, "");
      end_run (dialog, error->message);
      return;
    }
  dialog->began = g_get_monotonic_time ();
  set_state (dialog, STATE_RUNNING);
}

static void
on_start (GtkButton *button, BatchDialog *dialog)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GTask)  task = NULL;

  dialog->request = batch_request_read (dialog->config, &error);
  gtk_label_set_text (GTK_LABEL (dialog->message), error ? error->message : "");
  if (!dialog->request)
    return;
  if (!*dialog->request->model && !dialog_ask_licence (dialog->dialog, "", batch_get_task (dialog->request->operation)))
    {
      g_clear_pointer (&dialog->request, batch_request_free);
      return;
    }
  gtk_widget_hide (dialog->problems_frame);
  set_state (dialog, STATE_BEGINNING);
  show_bar (dialog, 0, _("Loading the model"));
  task = g_task_new (NULL, NULL, run_begun, dialog);
  g_task_set_task_data (task, dialog, NULL);
  g_task_run_in_thread (task, begin_run);
}

static void
on_stop (GtkButton *button, BatchDialog *dialog)
{
  if (dialog->state == STATE_RUNNING)
    stop_run (dialog, _("Stopped. Start goes on where it was."));
}

static void
on_show (GtkButton *button, BatchDialog *dialog)
{
  JsonObject        *files = json_object_get_object_member (json_node_get_object (dialog->told), "files");
  g_autofree char   *uri = g_filename_to_uri (json_object_get_string_member (files, "html"), NULL, NULL);
  g_autoptr (GError) error = NULL;

  if (!uri || !gtk_show_uri_on_window (GTK_WINDOW (dialog->dialog), uri, GDK_CURRENT_TIME, &error))
    gtk_label_set_text (GTK_LABEL (dialog->message), error ? error->message : json_object_get_string_member (files, "html"));
}

/* ---- how many photos there are ----------------------------------------------------------------------------------------------------------------- */

static void
count_photos (GTask *task, gpointer source, gpointer request, GCancellable *cancellable)
{
  g_autoptr (FileList) list = batch_list_photos (request);

  g_task_return_int (task, (gssize) file_list_count (list));
}

static void
photos_counted (GObject *source, GAsyncResult *result, gpointer data)
{
  BatchDialog     *dialog = data;
  gssize           n = g_task_propagate_int (G_TASK (result), NULL);
  g_autofree char *text = g_strdup_printf (ngettext ("%d photo", "%d photos", (gulong) n), (int) n);

  dialog->n_counts--;
  if (dialog->n_counts == 0)
    gtk_label_set_text (GTK_LABEL (dialog->count), text);
}

static gboolean
start_counting (gpointer data)
{
  BatchDialog             *dialog = data;
  g_autoptr (BatchRequest) request = g_new0 (BatchRequest, 1);
  g_autoptr (GFile)        folder = NULL;
  g_autoptr (GTask)        task = NULL;

  dialog->count_timer = 0;
  g_object_get (dialog->config, "input-folder", &folder, "pattern", &request->pattern, "recursive", &request->recursive, NULL);
  request->input = folder ? g_file_get_path (folder) : NULL;
  if (request->pattern && !*request->pattern)
    g_clear_pointer (&request->pattern, g_free);
  if (!request->input || !g_file_test (request->input, G_FILE_TEST_IS_DIR))
    {
      gtk_label_set_text (GTK_LABEL (dialog->count), request->input ? _("This folder isn't there.") : "");
      return G_SOURCE_REMOVE;
    }
  gtk_label_set_text (GTK_LABEL (dialog->count), _("Counting photos …"));
  dialog->n_counts++;
  task = g_task_new (NULL, NULL, photos_counted, dialog);
  g_task_set_task_data (task, g_steal_pointer (&request), (GDestroyNotify) batch_request_free);
  g_task_run_in_thread (task, count_photos);
  return G_SOURCE_REMOVE;
}

static void
photos_changed (GimpProcedureConfig *config, GParamSpec *property, BatchDialog *dialog)
{
  if (dialog->count_timer)
    g_source_remove (dialog->count_timer);
  dialog->count_timer = g_timeout_add (COUNT_DELAY_MS, start_counting, dialog);
}

/* ---- formats ---------------------------------------------------------------------------------------------------------------------------------- */

static guint
get_operation (const BatchDialog *dialog)
{
  g_autofree char *word = NULL;
  guint            i = 0;

  g_object_get (dialog->config, "operation", &word, NULL);
  while (batch_operations[i + 1] && g_strcmp0 (batch_operations[i], word) != 0)
    i++;
  return i;
}

static void
format_toggled (GtkToggleButton *button, BatchDialog *dialog)
{
  g_autoptr (GList)   buttons = gtk_container_get_children (GTK_CONTAINER (dialog->formats));
  g_autoptr (GString) text = g_string_new (NULL);

  for (GList *l = buttons; l; l = l->next)
    if (gtk_toggle_button_get_active (l->data) && gtk_widget_get_sensitive (l->data))
      g_string_append_printf (text, "%s%s", text->len ? "," : "", (const char *) g_object_get_data (l->data, "format"));
  g_object_set (dialog->config, "formats", text->str, NULL);
}

/* Those that the operation doesn't have can't be chosen. */
static void
operation_changed (GimpProcedureConfig *config, GParamSpec *property, BatchDialog *dialog)
{
  g_autoptr (GList) buttons = gtk_container_get_children (GTK_CONTAINER (dialog->formats));
  OperationKind     kind = batch_get_kind (get_operation (dialog));

  for (GList *l = buttons; l; l = l->next)
    {
      guint unused;

      gtk_widget_set_sensitive (l->data, formats_parse (g_object_get_data (l->data, "format"), kind, TRUE, &unused, NULL));
    }
  format_toggled (NULL, dialog);
}

static GtkWidget *
make_formats (BatchDialog *dialog)
{
  g_autofree char *chosen = NULL;
  g_auto (GStrv)   words = NULL;

  g_object_get (dialog->config, "formats", &chosen, NULL);
  words = g_strsplit (chosen ? chosen : "", ",", -1);
  for (guint i = 0; words[i]; i++)
    g_strstrip (words[i]);
  dialog->formats = gtk_grid_new ();
  gtk_grid_set_column_spacing (GTK_GRID (dialog->formats), 18);
  for (guint i = 0; i < G_N_ELEMENTS (format_labels); i++)
    {
      GtkWidget *button = gtk_check_button_new_with_label (_(format_labels[i].label));

      g_object_set_data (G_OBJECT (button), "format", (gpointer) format_labels[i].name);
      gtk_toggle_button_set_active (GTK_TOGGLE_BUTTON (button), g_strv_contains ((const char *const *) words, format_labels[i].name));
      g_signal_connect (button, "toggled", G_CALLBACK (format_toggled), dialog);
      gtk_grid_attach (GTK_GRID (dialog->formats), button, (int) i % FORMAT_COLUMNS, (int) i / FORMAT_COLUMNS, 1, 1);
    }
  return dialog->formats;
}

/* ---- the window -------------------------------------------------------------------------------------------------------------------------------- */

/* Results of “Holidays” go to “Holidays (Fovea)” beside it, unless the user has said something else. */
static void
propose_results (BatchDialog *dialog, GFile *photos)
{
  g_autofree char *path = photos ? g_file_get_path (photos) : NULL;
  const char      *present = gtk_entry_get_text (GTK_ENTRY (dialog->results));

  if (!path || (*present && g_strcmp0 (present, dialog->proposed) != 0))
    return;
  g_free (dialog->proposed);
  dialog->proposed = g_strdup_printf ("%s (Fovea)", path);
  gtk_entry_set_text (GTK_ENTRY (dialog->results), dialog->proposed);
}

static void
photos_chosen (GtkFileChooser *chooser, BatchDialog *dialog)
{
  g_autoptr (GFile) file = gtk_file_chooser_get_file (chooser);

  g_object_set (dialog->config, "input-folder", file, NULL);
  propose_results (dialog, file);
}

static GtkWidget *
make_photos (BatchDialog *dialog)
{
  GtkWidget        *button = gtk_file_chooser_button_new (_("Folder of Photos"), GTK_FILE_CHOOSER_ACTION_SELECT_FOLDER);
  g_autoptr (GFile) file = NULL;

  g_object_get (dialog->config, "input-folder", &file, NULL);
  if (file)
    gtk_file_chooser_set_file (GTK_FILE_CHOOSER (button), file, NULL);
  g_signal_connect (button, "selection-changed", G_CALLBACK (photos_chosen), dialog);
  return button;
}

static void
results_changed (GtkEntry *entry, BatchDialog *dialog)
{
  const char       *text = gtk_entry_get_text (entry);
  g_autofree char  *home = g_str_has_prefix (text, "~/") ? g_build_filename (g_get_home_dir (), text + 2, NULL) : NULL;
  g_autoptr (GFile) file = *text ? g_file_new_for_path (home ? home : text) : NULL;

  g_object_set (dialog->config, "output-folder", file, NULL);
}

static void
choose_results (GtkEntry *entry, GtkEntryIconPosition position, GdkEvent *event, BatchDialog *dialog)
{
  g_autoptr (GtkFileChooserNative) chooser = gtk_file_chooser_native_new (_("Folder for Results"), GTK_WINDOW (dialog->dialog), GTK_FILE_CHOOSER_ACTION_SELECT_FOLDER,
                                                                          _("_Choose"), NULL);
  g_autofree char *path = NULL;

  if (gtk_native_dialog_run (GTK_NATIVE_DIALOG (chooser)) == GTK_RESPONSE_ACCEPT)
    path = gtk_file_chooser_get_filename (GTK_FILE_CHOOSER (chooser));
  if (path)
    gtk_entry_set_text (entry, path);
}

/* A folder that needn't be there yet: a chooser of folders can't show that. */
static GtkWidget *
make_results (BatchDialog *dialog)
{
  g_autoptr (GFile) photos = NULL, results = NULL;
  g_autofree char  *path = NULL;

  g_object_get (dialog->config, "input-folder", &photos, "output-folder", &results, NULL);
  path = results ? g_file_get_path (results) : NULL;
  dialog->results = gtk_entry_new ();
  gtk_entry_set_icon_from_icon_name (GTK_ENTRY (dialog->results), GTK_ENTRY_ICON_SECONDARY, "document-open");
  gtk_entry_set_icon_tooltip_text (GTK_ENTRY (dialog->results), GTK_ENTRY_ICON_SECONDARY, _("Choose a folder"));
  g_signal_connect (dialog->results, "changed", G_CALLBACK (results_changed), dialog);
  g_signal_connect (dialog->results, "icon-release", G_CALLBACK (choose_results), dialog);
  gtk_entry_set_text (GTK_ENTRY (dialog->results), path ? path : "");
  propose_results (dialog, photos);
  return dialog->results;
}

static GtkWidget *
make_settings (BatchDialog *dialog)
{
  const char *const        rows[] = { "classify", _("Classify: name what is in them"), "locate", _("Locate: find where objects are"), "segment", _("Segment: make masks"),
                                      "cut-out", _("Cut out the subject"), NULL };
  g_autoptr (GtkListStore) operations = dialog_make_store (rows);
  GtkWidget               *grid = gtk_grid_new (), *entry = gimp_prop_entry_new (G_OBJECT (dialog->config), "pattern", -1);
  GtkWidget               *which = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 24);

  gtk_grid_set_row_spacing (GTK_GRID (grid), 6);
  gtk_grid_set_column_spacing (GTK_GRID (grid), 12);
  gtk_entry_set_placeholder_text (GTK_ENTRY (entry), _("all photos"));
  dialog->count = dialog_text_new ();
  dialog_attach (GTK_GRID (grid), 0, _("_Do"), _("What is done with each photo"),
                 gimp_prop_string_combo_box_new (G_OBJECT (dialog->config), "operation", GTK_TREE_MODEL (operations), 0, 1));
  dialog_attach (GTK_GRID (grid), 1, _("_Model"), _("The network that looks"), dialog_model_combo_new (dialog->config, FOVEA_TASK_UNKNOWN, dialog->dialog));
  batch_choice_attach (dialog->config, GTK_GRID (grid), 2);
  dialog_attach (GTK_GRID (grid), 3, _("_Photos"), _("The folder that has the photos; nothing in it is changed"),
                 make_photos (dialog));
  dialog_attach (GTK_GRID (grid), 4, _("File _names"), _("Which files are taken, as “*.jpg,cat-*”; empty: all photos"), entry);
  gtk_box_pack_start (GTK_BOX (which), gimp_prop_check_button_new (G_OBJECT (dialog->config), "recursive", _("Folders _inside, too")), FALSE, FALSE, 0);
  gtk_box_pack_start (GTK_BOX (which), dialog->count, FALSE, FALSE, 0);
  gtk_grid_attach (GTK_GRID (grid), which, 1, 5, 1, 1);
  dialog_attach (GTK_GRID (grid), 6, _("_Results"), _("The folder that tables, pictures and the summary go to: another one than that of the photos"),
                 make_results (dialog));
  dialog_attach (GTK_GRID (grid), 7, _("_Formats"), _("What is written there, beside a page that shows the results"), make_formats (dialog));
  gtk_grid_attach (GTK_GRID (grid), gimp_prop_check_button_new (G_OBJECT (dialog->config), "again", _("Do a_gain what an earlier run has done")), 1, 8, 1, 1);
  return grid;
}

static GtkWidget *
make_button (BatchDialog *dialog, const char *label, GCallback clicked)
{
  GtkWidget *button = gtk_button_new_with_mnemonic (label);

  g_signal_connect (button, "clicked", clicked, dialog);
  return button;
}

static GtkWidget *
make_problems (BatchDialog *dialog)
{
  GtkWidget *scrolled = gtk_scrolled_window_new (NULL, NULL);

  dialog->problems = gtk_text_view_new ();
  gtk_text_view_set_editable (GTK_TEXT_VIEW (dialog->problems), FALSE);
  gtk_text_view_set_wrap_mode (GTK_TEXT_VIEW (dialog->problems), GTK_WRAP_WORD_CHAR);
  atk_object_set_name (gtk_widget_get_accessible (dialog->problems), _("Photos that failed"));
  gtk_scrolled_window_set_min_content_height (GTK_SCROLLED_WINDOW (scrolled), PROBLEMS_HEIGHT);
  gtk_container_add (GTK_CONTAINER (scrolled), dialog->problems);
  dialog->problems_frame = gimp_frame_new (_("Failed or left out"));
  gtk_container_add (GTK_CONTAINER (dialog->problems_frame), scrolled);
  return dialog->problems_frame;
}

static GtkWidget *
make_content (BatchDialog *dialog)
{
  GtkWidget *column = gtk_box_new (GTK_ORIENTATION_VERTICAL, 12), *row = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 6);

  dialog->settings = make_settings (dialog);
  dialog->start = make_button (dialog, _("_Start"), G_CALLBACK (on_start));
  dialog->stop = make_button (dialog, _("S_top"), G_CALLBACK (on_stop));
  dialog->show = make_button (dialog, _("Sho_w the results"), G_CALLBACK (on_show));
  dialog->message = dialog_text_new ();
  dialog->bar = gtk_progress_bar_new ();
  gtk_progress_bar_set_show_text (GTK_PROGRESS_BAR (dialog->bar), TRUE);
  gtk_progress_bar_set_text (GTK_PROGRESS_BAR (dialog->bar), "");
  atk_object_set_name (gtk_widget_get_accessible (dialog->bar), _("Progress"));
  gtk_style_context_add_class (gtk_widget_get_style_context (dialog->start), "suggested-action");
  gtk_box_pack_start (GTK_BOX (row), dialog->start, TRUE, TRUE, 0);
  gtk_box_pack_start (GTK_BOX (row), dialog->stop, TRUE, TRUE, 0);
  gtk_box_pack_start (GTK_BOX (row), dialog->show, TRUE, TRUE, 0);
  gtk_box_pack_start (GTK_BOX (column), dialog->settings, FALSE, FALSE, 0);
  gtk_box_pack_start (GTK_BOX (column), row, FALSE, FALSE, 0);
  gtk_box_pack_start (GTK_BOX (column), dialog->bar, FALSE, FALSE, 0);
  gtk_box_pack_start (GTK_BOX (column), dialog->message, FALSE, FALSE, 0);
  gtk_box_pack_start (GTK_BOX (column), make_problems (dialog), TRUE, TRUE, 0);
  gtk_container_set_border_width (GTK_CONTAINER (column), 12);
  gtk_widget_show_all (column);
  gtk_widget_hide (dialog->problems_frame);
  return column;
}

/* Threads that use the dialog must have ended. */
static void
wait_for_threads (BatchDialog *dialog)
{
  if (dialog->state == STATE_RUNNING)
    on_stop (NULL, dialog);
  while (dialog->state != STATE_IDLE || dialog->n_counts > 0)
    {
      g_main_context_iteration (NULL, TRUE);
      if (dialog->state == STATE_RUNNING)
        on_stop (NULL, dialog);
    }
}

JsonNode *
batch_dialog_run (GimpProcedureConfig *config, gsize *count)
{
  BatchDialog dialog = { .config = config };

  gimp_ui_init ("fovea");
  dialog.dialog = gimp_dialog_new (_("Batch"), "fovea-batch", NULL, 0, gimp_standard_help_func, BATCH_PROCEDURE, _("_Close"), GTK_RESPONSE_CLOSE, NULL);
  gtk_box_pack_start (GTK_BOX (gtk_dialog_get_content_area (GTK_DIALOG (dialog.dialog))), make_content (&dialog), TRUE, TRUE, 0);
  g_signal_connect (config, "notify::operation", G_CALLBACK (operation_changed), &dialog);
  g_signal_connect (config, "notify::input-folder", G_CALLBACK (photos_changed), &dialog);
  g_signal_connect (config, "notify::pattern", G_CALLBACK (photos_changed), &dialog);
  g_signal_connect (config, "notify::recursive", G_CALLBACK (photos_changed), &dialog);
  operation_changed (config, NULL, &dialog);
  photos_changed (config, NULL, &dialog);
  set_state (&dialog, STATE_IDLE);
  dialog.tick = g_timeout_add (TICK_MS, on_tick, &dialog);

  gimp_dialog_run (GIMP_DIALOG (dialog.dialog));

  wait_for_threads (&dialog);
  g_signal_handlers_disconnect_by_data (config, &dialog);
  g_source_remove (dialog.tick);
  if (dialog.count_timer)
    g_source_remove (dialog.count_timer);
  gtk_widget_destroy (dialog.dialog);
  g_free (dialog.proposed);
  g_free (dialog.reason);
  *count = dialog.n_told;
  return dialog.told;
}
