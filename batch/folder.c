/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * folder.c: see folder.h. A photo's own files are written first, then its line in the journal: what the journal has is there, whole. What is written below
 * “.fovea-batch.part” has no name yet; a run that was ended leaves it behind, the next one takes it away.
 */

#include "folder.h"

#include <errno.h>
#include <glib/gi18n.h>
#include <glib/gstdio.h>
#include <string.h>

#include "csv.h"
#include "images-json.h"
#include "journal.h"
#include "keywords.h"
#include "label-output.h"
#include "output-file.h"
#include "summary.h"

#define PLACE_MASKS    "masks"
#define PLACE_CUTOUTS  "cut-outs"
#define PLACE_PICTURES "pictures"
#define PLACE_SIDECARS "xmp"
#define PLACE_COPIES   "keywords"
#define PLACE_LAYERS   "xcf"

struct _FolderRun
{
  FolderSettings settings; /* its texts are NULL but for output and model */
  char          *photos_from; /* for people */
  char          *suffix;   /* "-2-of-8", or "" */
  char          *part;     /* the folder of what isn't whole */
  char          *masks, *cutouts, *pictures;
  Journal       *journal;
  char          *folder;   /* the one that all photos are in, or NULL */
  GPtrArray     *photos;   /* JournalPhoto, all … */
  GPtrArray     *paths;    /* … and their paths */
  GArray        *left;     /* guint: those that the job does */
  Job           *job;
  GPtrArray     *failed;   /* JsonNode: “file” and “error” */
  GPtrArray     *failures, *left_out; /* the same in words; what formats left out */
  gboolean       only_unreadable;
};

/* ---- files ---------------------------------------------------------------------------------------------------------------------------------- */

static void
remove_tree (const char *path)
{
  GDir       *folder = g_file_test (path, G_FILE_TEST_IS_SYMLINK) ? NULL : g_dir_open (path, 0, NULL);
  const char *name;

  while (folder && (name = g_dir_read_name (folder)))
    {
      g_autofree char *inside = g_build_filename (path, name, NULL);

      remove_tree (inside);
    }
  if (folder)
    g_dir_close (folder);
  g_remove (path);
}

/* "OUTPUT/PLACE/sub/photo.jpg.xmp"; *below gets what follows OUTPUT/, as UTF-8. */
static char *
make_path (const FolderRun *run, const char *place, const char *name, const char *ending, char **below)
{
  g_autofree char *file = g_strconcat (name, ending, NULL), *path = g_build_filename (place, file, NULL);

  *below = g_utf8_make_valid (path, -1);
  return g_build_filename (run->settings.output, path, NULL);
}

/* "fovea-batch.csv", of a share "fovea-batch-2-of-8.csv". */
static char *
name_table (const FolderRun *run, const char *ending)
{
  g_autofree char *name = g_strconcat ("fovea-batch", run->suffix, ending, NULL);

  return g_build_filename (run->settings.output, name, NULL);
}

/* ---- what is left to do -------------------------------------------------------------------------------------------------------------------- */

static void
add_number (GString *text, double number)
{
  char digits[G_ASCII_DTOSTR_BUF_SIZE];

  g_string_append_printf (text, " %s", g_ascii_dtostr (digits, sizeof digits, number));
}

/* All that an answer depends on but the photo. */
static char *
make_task (const FolderRun *run, GError **error)
{
  const OperationSettings *settings = &run->settings.operation;
  const double             numbers[] = { (double) settings->kind, (double) settings->top, settings->least, settings->selection.threshold, settings->selection.overlap,
                                         settings->selection.suppression, (double) settings->selection.most, settings->tiles, settings->pyramid,
                                         settings->mask.threshold, settings->mask.softness, settings->mask.grow, settings->mask.feather, settings->mask.invert,
                                         settings->mask.refine, settings->mask.hair };
  g_autofree char         *path = operation_find_model (run->settings.model, settings->kind, error), *valid = NULL;
  g_autofree char         *names = settings->classes ? g_strjoinv (",", settings->classes) : g_strdup (""), *made = formats_tell (run->settings.formats & FORMATS_OF_PHOTOS);
  g_autoptr (GString)      task = g_string_new (made);
  GStatBuf                 status = { 0 };

  if (!path)
    return NULL;
  if (g_stat (path, &status) != 0)
    memset (&status, 0, sizeof status);
  valid = g_utf8_make_valid (path, -1);
  for (guint i = 0; i < G_N_ELEMENTS (numbers); i++)
    add_number (task, numbers[i]);
  g_string_append_printf (task, " %s %s %s %" G_GINT64_FORMAT " %" G_GINT64_FORMAT, settings->prompt ? settings->prompt : "", names, valid, (gint64) status.st_size, (gint64) status.st_mtime);
  return g_utf8_make_valid (task->str, (gssize) task->len);
}

static JournalPhoto *
make_photo (const FolderRun *run, const ListedFile *file)
{
  JournalPhoto    *photo = g_new0 (JournalPhoto, 1);
  g_autofree char *whole = run->folder ? g_strdup (file->below) : g_canonicalize_filename (file->path, NULL);
  GStatBuf         status;

  photo->path = g_utf8_validate (whole, -1, NULL) ? g_strdup (whole) : g_uri_escape_string (whole, G_URI_RESERVED_CHARS_ALLOWED_IN_PATH, FALSE);
  photo->shown = g_utf8_make_valid (run->folder ? file->below : file->path, -1);
  photo->name = g_utf8_make_valid (file->name, -1);
  if (g_stat (file->path, &status) == 0)
    {
      photo->size = status.st_size;
      photo->modified = (gint64) status.st_mtim.tv_sec * G_USEC_PER_SEC + status.st_mtim.tv_nsec / 1000;
    }
  return photo;
}

static gboolean
is_left (const ListedFile *file, gpointer data)
{
  FolderRun           *run = data;
  JournalPhoto        *photo = make_photo (run, file);
  g_autoptr (JsonNode) answer = journal_find (run->journal, photo);
  guint                place = run->photos->len;

  g_ptr_array_add (run->photos, photo);
  g_ptr_array_add (run->paths, g_strdup (file->path));
  if (!answer)
    g_array_append_val (run->left, place);
  return !answer;
}

static gboolean
begin_job (FolderRun *run, FileList *list, GError **error)
{
  guint       formats = run->settings.formats;
  JobSettings job = { .model = run->settings.model, .operation = run->settings.operation, .n_threads = run->settings.n_threads,
                      .pictures = { formats & FORMAT_MASKS ? run->masks : NULL, formats & FORMAT_CUTOUTS ? run->cutouts : NULL, formats & FORMAT_PICTURES ? run->pictures : NULL },
                      .keep_findings = (formats & FORMAT_XCF) != 0 };

  run->job = job_new (list, &job, error);
  return run->job != NULL;
}

static gboolean
open_journal (FolderRun *run, GError **error)
{
  g_autofree char *task = make_task (run, error), *file = name_table (run, ".journal");

  if (!task)
    return FALSE;
  g_mkdir_with_parents (run->settings.output, 0777); /* where it can't, the journal says so */
  run->journal = journal_open (file, task, run->settings.again, error);
  if (!run->journal)
    return FALSE;
  remove_tree (run->part);
  return TRUE;
}

static FolderRun *
make_run (FileList *list, const FolderSettings *settings)
{
  FolderRun       *run = g_new0 (FolderRun, 1);
  g_autofree char *part = NULL;

  run->settings = *settings;
  run->settings.output = g_canonicalize_filename (settings->output, NULL);
  run->settings.model = g_strdup (settings->model);
  run->settings.operation.classes = g_strdupv (settings->operation.classes);
  run->suffix = settings->n_shards > 1 ? g_strdup_printf ("-%" G_GSIZE_FORMAT "-of-%" G_GSIZE_FORMAT, settings->shard, settings->n_shards) : g_strdup ("");
  part = g_strdup_printf (".fovea-batch%s.part", run->suffix);
  run->part = g_build_filename (run->settings.output, part, NULL);
  run->masks = g_build_filename (run->settings.output, PLACE_MASKS, NULL);
  run->cutouts = g_build_filename (run->settings.output, PLACE_CUTOUTS, NULL);
  run->pictures = g_build_filename (run->settings.output, PLACE_PICTURES, NULL);
  run->folder = g_strdup (file_list_get_folder (list));
  run->photos_from = run->folder ? g_filename_display_name (run->folder) : g_strdup_printf ("%" G_GSIZE_FORMAT " photos", file_list_count (list));
  run->photos = g_ptr_array_new_with_free_func ((GDestroyNotify) journal_photo_free);
  run->paths = g_ptr_array_new_with_free_func (g_free);
  run->left = g_array_new (FALSE, FALSE, sizeof (guint));
  run->failed = g_ptr_array_new_with_free_func ((GDestroyNotify) json_node_unref);
  run->failures = g_ptr_array_new_with_free_func (g_free);
  run->left_out = g_ptr_array_new_with_free_func (g_free);
  run->only_unreadable = TRUE;
  return run;
}

/* Nor may a folder of the results be a link to the photos. */
static gboolean
check_places (const FolderRun *run, const FileList *list, GError **error)
{
  static const char *const places[] = { "", PLACE_MASKS, PLACE_CUTOUTS, PLACE_PICTURES, PLACE_SIDECARS, PLACE_COPIES, PLACE_LAYERS };

  for (gsize i = 0; i < G_N_ELEMENTS (places); i++)
    {
      g_autofree char *place = g_build_filename (run->settings.output, places[i], NULL);

      if (!file_list_check_output (list, place, error))
        return FALSE;
    }
  return TRUE;
}

FolderRun *
folder_run_new (FileList *photos, const FolderSettings *settings, GError **error)
{
  g_autoptr (FileList)  list = photos;
  g_autoptr (FolderRun) run = make_run (list, settings);

  gexiv2_initialize ();
  gexiv2_log_set_level (GEXIV2_LOG_LEVEL_MUTE);
  if (!check_places (run, list, error) || !open_journal (run, error))
    return NULL;
  file_list_close (list, settings->shard, settings->n_shards);
  file_list_keep (list, is_left, run);
  return begin_job (run, g_steal_pointer (&list), error) ? g_steal_pointer (&run) : NULL;
}

void
folder_run_free (FolderRun *run)
{
  if (!run)
    return;
  g_clear_pointer (&run->job, job_free);
  g_clear_pointer (&run->journal, journal_close);
  g_ptr_array_unref (run->photos);
  g_ptr_array_unref (run->paths);
  g_ptr_array_unref (run->failed);
  g_ptr_array_unref (run->failures);
  g_ptr_array_unref (run->left_out);
  g_array_unref (run->left);
  g_strfreev (run->settings.operation.classes);
  g_free ((char *) run->settings.output);
  g_free ((char *) run->settings.model);
  g_free (run->photos_from);
  g_free (run->suffix);
  g_free (run->part);
  g_free (run->masks);
  g_free (run->cutouts);
  g_free (run->pictures);
  g_free (run->folder);
  g_free (run);
}

/* ---- one photo ------------------------------------------------------------------------------------------------------------------------------ */

const Job *
folder_run_get_job (const FolderRun *run)
{
  return run->job;
}

void
folder_run_count (const FolderRun *run, gsize *done, gsize *n)
{
  *n = run->left->len;
  *done = job_done (run->job);
}

const GPtrArray *
folder_run_get_failures (const FolderRun *run)
{
  return run->failures;
}

const GPtrArray *
folder_run_get_left_out (const FolderRun *run)
{
  return run->left_out;
}

gboolean
folder_run_only_unreadable (const FolderRun *run)
{
  return run->only_unreadable;
}

/* Paths in answers lie below the folder of results: it may be moved. */
static void
shorten (const FolderRun *run, JsonObject *object, const char *member)
{
  const char      *path = json_object_get_string_member_with_default (object, member, NULL);
  g_autofree char *valid = g_utf8_make_valid (run->settings.output, -1);
  gsize            length = strlen (valid);

  if (path && strncmp (path, valid, length) == 0 && path[length] == '/')
    {
      g_autofree char *below = g_strdup (path + length + 1);

      json_object_set_string_member (object, member, below);
    }
}

static void
shorten_all (const FolderRun *run, JsonObject *answer)
{
  JsonArray *masks = json_object_has_member (answer, "masks") ? json_object_get_array_member (answer, "masks") : NULL;

  shorten (run, answer, "picture");
  for (guint i = 0; masks && i < json_array_get_length (masks); i++)
    {
      shorten (run, json_array_get_object_element (masks, i), "file");
      shorten (run, json_array_get_object_element (masks, i), "cutout");
    }
}

static gboolean
write_layers (const FolderRun *run, const ListedFile *file, const JobEntry *entry, JsonObject *answer, GError **error)
{
  g_autofree char *below = NULL, *path = make_path (run, PLACE_LAYERS, file->name, ".xcf", &below), *part = g_build_filename (run->part, "photo.xcf", NULL);
  g_autofree char *folder = g_path_get_dirname (path);

  if (g_mkdir_with_parents (folder, 0777) != 0 || g_mkdir_with_parents (run->part, 0777) != 0)
    {
      g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_FILE, _("“%s” can't be made: %s. Choose another folder, or make room."), folder, g_strerror (errno));
      return FALSE;
    }
  if (!run->settings.write_layers (file->path, part, entry->finding, run->settings.layers_data, error))
    return FALSE;
  if (g_rename (part, path) != 0)
    {
      g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_FILE, _("“%s” can't be written: %s. Choose another folder, or make room."), path, g_strerror (errno));
      return FALSE;
    }
  json_object_set_string_member (answer, "layers", below);
  return TRUE;
}

/* What belongs to the photo and isn't made by the workers. A copy that can't have keywords is told and left out; all else is an error. */
static gboolean
write_own_files (const FolderRun *run, const JobEntry *entry, JsonObject *answer, GError **error)
{
  const ListedFile *file = entry->file;
  g_auto (GStrv)    names = keywords_of_answer (answer);
  g_autofree char  *sidecar_below = NULL, *sidecar = make_path (run, PLACE_SIDECARS, file->copy, ".xmp", &sidecar_below);
  g_autofree char  *copy_below = NULL, *copy = make_path (run, PLACE_COPIES, file->copy, "", &copy_below), *part = g_build_filename (run->part, "photo", NULL);
  g_autoptr (GError) local = NULL;

  if (run->settings.formats & FORMAT_XMP)
    {
      if (!keywords_write_sidecar (file->path, sidecar, (const char *const *) names, error))
        return FALSE;
      json_object_set_string_member (answer, "sidecar", sidecar_below);
    }
  if (run->settings.formats & FORMAT_KEYWORDS)
    {
      if (keywords_write_copy (file->path, copy, part, (const char *const *) names, &local))
        json_object_set_string_member (answer, "copy", copy_below);
      else
        g_ptr_array_add (run->left_out, g_strdup (local->message));
    }
  return !(run->settings.formats & FORMAT_XCF) || write_layers (run, file, entry, answer, error);
}

static void
note_failure (FolderRun *run, JobEntry *entry, const char *message, gboolean unreadable)
{
  json_object_set_string_member (json_node_get_object (entry->answer), "error", message);
  g_ptr_array_add (run->failures, g_strdup (message));
  g_ptr_array_add (run->failed, g_steal_pointer (&entry->answer));
  run->only_unreadable &= unreadable;
}

gboolean
folder_run_step (FolderRun *run, gint64 microseconds, GError **error)
{
  gsize                done, n;
  g_autoptr (JobEntry) entry = NULL;
  g_autoptr (GError)   local = NULL;
  const JournalPhoto  *photo;
  JsonObject          *answer;

  folder_run_count (run, &done, &n);
  if (done == n)
    return FALSE;
  entry = job_next (run->job, microseconds);
  if (!entry)
    return TRUE;
  photo = run->photos->pdata[g_array_index (run->left, guint, done)];
  answer = json_node_get_object (entry->answer);
  json_object_set_string_member (answer, "file", photo->shown);
  if (entry->error)
    {
      g_autofree char *message = g_utf8_make_valid (entry->error->message, -1);

      note_failure (run, entry, message, entry->unreadable);
      return TRUE;
    }
  shorten_all (run, answer);
  if (write_own_files (run, entry, answer, &local))
    return journal_add (run->journal, photo, entry->answer, error);
  note_failure (run, entry, local->message, FALSE);
  return TRUE;
}

/* ---- results ------------------------------------------------------------------------------------------------------------------------------- */

/* What is written while the answers pass by. */
typedef struct
{
  OutputFile  *csv, *json; /* NULL: not wanted */
  LabelOutput *labels;
  Summary     *summary;
  gsize        n;
} Results;

static void
results_drop (Results *results)
{
  g_clear_pointer (&results->csv, output_file_drop);
  g_clear_pointer (&results->json, output_file_drop);
  g_clear_pointer (&results->labels, label_output_free);
  g_clear_pointer (&results->summary, summary_free);
}

/* Opens a table, where it is wanted; files gets its path. */
static gboolean
open_table (const FolderRun *run, guint format, const char *ending, OutputFile **file, JsonObject *files, GError **error)
{
  g_autofree char *path = name_table (run, ending), *valid = g_utf8_make_valid (path, -1);

  if (!(run->settings.formats & format))
    return TRUE;
  json_object_set_string_member (files, ending + 1, valid);
  *file = output_file_open (path, error);
  return *file != NULL;
}

/* The object's members, then the beginning of the array of answers. */
static void
begin_json (FILE *stream, JsonNode *root)
{
  g_autofree char *text = json_to_string (root, TRUE);

  *strrchr (text, '}') = '\0';
  fprintf (stream, "%s,\n  \"images\" : [", g_strchomp (text));
}

static gboolean
begin_results (FolderRun *run, Results *results, JsonNode *root, JsonObject *files, gsize n_answers, GError **error)
{
  const Operation *operation = job_get_operation (run->job);
  SummarySettings  summary = { run->settings.operation.kind, run->settings.model, run->photos_from, run->settings.output, n_answers };
  g_autoptr (GString) head = g_string_new (NULL);

  if (!open_table (run, FORMAT_CSV, ".csv", &results->csv, files, error) || !open_table (run, FORMAT_JSON, ".json", &results->json, files, error))
    return FALSE;
  if (results->csv)
    {
      csv_add_head (run->settings.operation.kind, head);
      fputs (head->str, output_file_stream (results->csv));
    }
  if (results->json)
    begin_json (output_file_stream (results->json), root);
  results->labels = label_output_new (run->settings.formats, operation_get_labels (operation));
  results->summary = summary_new (&summary);
  return TRUE;
}

static void
add_result (FolderRun *run, Results *results, guint i, JsonNode *answer)
{
  JsonObject         *object = json_node_get_object (answer);
  g_autoptr (GString) rows = g_string_new (NULL);
  g_autoptr (GError)  error = NULL;

  if (results->csv)
    {
      csv_add_rows (run->settings.operation.kind, object, rows);
      fputs (rows->str, output_file_stream (results->csv));
    }
  if (results->json)
    images_json_add (output_file_stream (results->json), results->n, answer);
  if (run->settings.operation.kind == OPERATION_LOCATE && !label_output_add (results->labels, run->photos->pdata[i], object, &error))
    g_ptr_array_add (run->left_out, g_strdup (error->message));
  summary_add (results->summary, run->paths->pdata[i], object);
  results->n++;
}

static gboolean
end_results (FolderRun *run, Results *results, JsonObject *files, GError **error)
{
  g_autoptr (GString) page = summary_finish (results->summary, run->photos->len - run->left->len, run->failures, run->left_out);
  g_autofree char    *path = name_table (run, ".html"), *valid = g_utf8_make_valid (path, -1);

  if (results->json)
    {
      images_json_end (output_file_stream (results->json), results->n);
      fputs ("\n}\n", output_file_stream (results->json));
    }
  json_object_set_string_member (files, "html", valid);
  return (!results->csv || output_file_close (g_steal_pointer (&results->csv), error)) && (!results->json || output_file_close (g_steal_pointer (&results->json), error))
         && label_output_write (results->labels, run->settings.output, run->suffix, run->part, files, error) && output_file_write (path, page->str, page->len, error);
}

static JsonArray *
copy_nodes (const GPtrArray *nodes)
{
  JsonArray *array = json_array_new ();

  for (guint i = 0; i < nodes->len; i++)
    json_array_add_element (array, json_node_copy (nodes->pdata[i]));
  return array;
}

static JsonArray *
copy_texts (const GPtrArray *texts)
{
  JsonArray *array = json_array_new ();

  for (guint i = 0; i < texts->len; i++)
    json_array_add_string_element (array, texts->pdata[i]);
  return array;
}

JsonNode *
folder_run_finish (FolderRun *run, gsize *count, GError **error)
{
  g_autoptr (JsonNode) root = json_node_new (JSON_NODE_OBJECT);
  JsonObject          *told = json_object_new (), *files = json_object_new ();
  Results              results = { NULL };
  gboolean             ok;

  *count = run->photos->len - run->failures->len;
  json_node_take_object (root, told);
  json_object_set_string_member (told, "model", run->settings.model);
  json_object_set_int_member (told, "count", (gint64) *count);
  json_object_set_int_member (told, "skipped", run->photos->len - run->left->len);
  json_object_set_array_member (told, "failed", copy_nodes (run->failed));
  ok = begin_results (run, &results, root, files, *count, error);
  for (guint i = 0; ok && i < run->photos->len; i++)
    {
      g_autoptr (JsonNode) answer = journal_find (run->journal, run->photos->pdata[i]);

      if (answer)
        add_result (run, &results, i, answer);
    }
  ok = ok && end_results (run, &results, files, error);
  results_drop (&results);
  g_clear_pointer (&run->job, job_free);
  remove_tree (run->part);
  json_object_set_array_member (told, "left_out", copy_texts (run->left_out));
  json_object_set_object_member (told, "files", files);
  return ok ? g_steal_pointer (&root) : NULL;
}
