/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * folder.c: see folder.h.
 */

#include "folder.h"

#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>

#include "csv.h"
#include "journal.h"
#include "output-file.h"
#include "summary.h"

struct _FolderRun
{
  FolderSettings settings; /* its texts are NULL but for these: */
  char          *input, *output, *model, *masks, *cutouts;
  Journal       *journal;
  GPtrArray     *photos;   /* JournalPhoto, all of the folder */
  GArray        *left;     /* guint: those that the job does */
  Job           *job;      /* NULL: nothing is left to do */
  GPtrArray     *failures; /* JsonNode */
};

/* ---- folders ------------------------------------------------------------------------------------------------------------------------------- */

/* Without links, also where its end isn't there yet. */
static char *
resolve (const char *path)
{
  g_autofree char *whole = g_canonicalize_filename (path, NULL), *parent = NULL, *base = NULL, *above = NULL;
  char            *real = realpath (whole, NULL), *copy = g_strdup (real);

  free (real);
  if (copy || strcmp (whole, "/") == 0)
    return copy ? copy : g_strdup (whole);
  parent = g_path_get_dirname (whole);
  base = g_path_get_basename (whole);
  above = resolve (parent);
  return g_build_filename (above, base, NULL);
}

static gboolean
is_inside (const char *path, const char *folder)
{
  gsize length = strlen (folder);

  return strncmp (path, folder, length) == 0 && (path[length] == '/' || path[length] == '\0' || g_str_equal (folder, "/"));
}

/* That no result can take the place of a photo, or be taken for one by the next run. */
static gboolean
check_folders (const FolderRun *run, GError **error)
{
  const char *const written[] = { run->output, run->masks, run->cutouts };
  g_autofree char  *input = resolve (run->input), *shown = g_filename_display_name (run->input);

  if (!g_file_test (run->input, G_FILE_TEST_IS_DIR))
    {
      g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_FILE, "“%s” isn't a folder. Choose the folder that has the photos.", shown);
      return FALSE;
    }
  for (guint i = 0; i < G_N_ELEMENTS (written); i++)
    {
      g_autofree char *folder = resolve (written[i]), *name = g_filename_display_name (folder);

      if (is_inside (input, folder) || (run->settings.recursive && is_inside (folder, input)))
        {
          g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_ARGUMENT,
                       "The results can't be written to “%s”: that is the folder of the photos “%s”, in it or around it. Choose a folder beside it.", name, shown);
          return FALSE;
        }
    }
  return TRUE;
}

/* ---- what is left to do -------------------------------------------------------------------------------------------------------------------- */

static char *
make_task (const FolderRun *run, GError **error)
{
  g_autofree char *path = fovea_find_model (run->model, error), *valid = NULL;
  GStatBuf         status = { 0 };

  if (!path)
    return NULL;
  if (g_stat (path, &status) != 0)
    memset (&status, 0, sizeof status);
  valid = g_utf8_make_valid (path, -1);
  return g_strdup_printf ("%d%s%s %s %" G_GINT64_FORMAT " %" G_GINT64_FORMAT, run->settings.operation.kind, run->settings.masks ? " masks" : "",
                          run->settings.cutouts ? " cut-outs" : "", valid, (gint64) status.st_size, (gint64) status.st_mtime);
}

static gboolean
is_left (const ListedFile *file, gpointer data)
{
  FolderRun           *run = data;
  JournalPhoto        *photo = g_new0 (JournalPhoto, 1);
  const char          *below = file->path + strlen (run->input);
  g_autoptr (JsonNode) answer = NULL;
  GStatBuf             status;
  guint                place = run->photos->len;

  while (*below == '/')
    below++;
  photo->path = g_utf8_make_valid (below, -1);
  photo->name = g_utf8_make_valid (file->name, -1);
  if (g_stat (file->path, &status) == 0)
    {
      photo->size = status.st_size;
      photo->modified = (gint64) status.st_mtim.tv_sec * G_USEC_PER_SEC + status.st_mtim.tv_nsec / 1000;
    }
  g_ptr_array_add (run->photos, photo);
  answer = journal_find (run->journal, photo);
  if (!answer)
    g_array_append_val (run->left, place);
  return !answer;
}

static gboolean
begin_job (FolderRun *run, FileList *list, GError **error)
{
  JobSettings job = { run->model, run->settings.operation, 0, { run->settings.masks ? run->masks : NULL, run->settings.cutouts ? run->cutouts : NULL, NULL } };

  if (run->left->len == 0)
    {
      file_list_free (list);
      return TRUE;
    }
  run->job = job_new (list, &job, error);
  return run->job != NULL;
}

FolderRun *
folder_run_new (const FolderSettings *settings, GError **error)
{
  g_autoptr (FolderRun) run = g_new0 (FolderRun, 1);
  g_autofree char      *file = NULL, *task = NULL;
  g_autoptr (FileList)  list = NULL;

  run->settings = *settings;
  run->settings.input = run->settings.output = run->settings.model = run->settings.pattern = NULL;
  run->input = g_strdup (settings->input);
  run->output = g_strdup (settings->output);
  run->model = g_strdup (settings->model);
  run->masks = g_build_filename (run->output, "masks", NULL);
  run->cutouts = g_build_filename (run->output, "cut-outs", NULL);
  run->photos = g_ptr_array_new_with_free_func ((GDestroyNotify) journal_photo_free);
  run->left = g_array_new (FALSE, FALSE, sizeof (guint));
  run->failures = g_ptr_array_new_with_free_func ((GDestroyNotify) json_node_unref);
  task = check_folders (run, error) ? make_task (run, error) : NULL;
  if (!task)
    return NULL;
  list = file_list_new (settings->pattern, !settings->recursive, run->output);
  file_list_add (list, run->input);
  if (file_list_count (list) == 0)
    {
      g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_FILE, "There are no photos in “%s”. Choose another folder or pattern.", run->input);
      return NULL;
    }
  file_list_close (list, 1, 1);
  file = g_build_filename (run->output, "fovea-batch.journal", NULL);
  g_mkdir_with_parents (run->output, 0777); /* where it can't, the journal says so */
  run->journal = journal_open (file, task, settings->again, error);
  if (!run->journal)
    return NULL;
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
  g_ptr_array_unref (run->failures);
  g_array_unref (run->left);
  g_free (run->input);
  g_free (run->output);
  g_free (run->model);
  g_free (run->masks);
  g_free (run->cutouts);
  g_free (run);
}

/* ---- doing it ------------------------------------------------------------------------------------------------------------------------------ */

void
folder_run_count (const FolderRun *run, gsize *done, gsize *n)
{
  *n = run->left->len;
  *done = run->job ? job_done (run->job) : 0;
}

gboolean
folder_run_step (FolderRun *run, gint64 microseconds, GError **error)
{
  gsize                done, n;
  g_autoptr (JobEntry) entry = NULL;
  const JournalPhoto  *photo;

  folder_run_count (run, &done, &n);
  if (done == n)
    return FALSE;
  entry = job_next (run->job, microseconds);
  if (!entry)
    return TRUE;
  photo = run->photos->pdata[g_array_index (run->left, guint, done)];
  json_object_set_string_member (json_node_get_object (entry->answer), "file", photo->path);
  if (!entry->error)
    return journal_add (run->journal, photo, entry->answer, error);
  g_ptr_array_add (run->failures, g_steal_pointer (&entry->answer));
  return TRUE;
}

/* ---- results ------------------------------------------------------------------------------------------------------------------------------- */

static gboolean
write_text (const FolderRun *run, const char *name, const GString *text, JsonObject *files, GError **error)
{
  g_autofree char *path = g_build_filename (run->output, name, NULL), *valid = g_utf8_make_valid (path, -1);

  json_object_set_string_member (files, strrchr (name, '.') + 1, valid);
  return output_file_write (path, text->str, text->len, error);
}

static JsonNode *
make_array (GPtrArray *nodes)
{
  JsonNode  *node = json_node_new (JSON_NODE_ARRAY);
  JsonArray *array = json_array_new ();

  for (guint i = 0; i < nodes->len; i++)
    json_array_add_element (array, json_node_copy (nodes->pdata[i]));
  json_node_take_array (node, array);
  return node;
}

static gboolean
write_results (FolderRun *run, GPtrArray *answers, JsonObject *answer, JsonObject *files, GError **error)
{
  Summary             summary = { run->settings.operation.kind, run->model, run->input, run->photos->len - run->left->len, answers, run->failures };
  g_autoptr (GString) csv = g_string_new (NULL), json = g_string_new (NULL), html = summary_make (&summary);
  g_autoptr (JsonNode) root = json_node_new (JSON_NODE_OBJECT);
  g_autofree char    *text = NULL;

  csv_add_head (summary.kind, csv);
  for (guint i = 0; i < answers->len; i++)
    csv_add_rows (summary.kind, json_node_get_object (answers->pdata[i]), csv);
  json_object_set_member (answer, "images", make_array (answers));
  json_node_set_object (root, answer);
  text = json_to_string (root, TRUE);
  json_object_remove_member (answer, "images");
  g_string_append_printf (json, "%s\n", text);
  return (!run->settings.csv || write_text (run, "fovea-batch.csv", csv, files, error))
         && (!run->settings.json || write_text (run, "fovea-batch.json", json, files, error)) && write_text (run, "fovea-batch.html", html, files, error);
}

char *
folder_run_finish (FolderRun *run, gsize *count, GError **error)
{
  g_autoptr (GPtrArray) answers = g_ptr_array_new_with_free_func ((GDestroyNotify) json_node_unref);
  g_autoptr (JsonNode)  root = json_node_new (JSON_NODE_OBJECT);
  JsonObject           *answer = json_object_new (), *files = json_object_new ();
  gboolean              ok;

  json_node_take_object (root, answer);
  for (guint i = 0; i < run->photos->len; i++)
    {
      JsonNode *found = journal_find (run->journal, run->photos->pdata[i]);

      if (found)
        g_ptr_array_add (answers, found);
    }
  *count = answers->len;
  json_object_set_string_member (answer, "model", run->model);
  json_object_set_int_member (answer, "count", answers->len);
  json_object_set_int_member (answer, "skipped", run->photos->len - run->left->len);
  json_object_set_member (answer, "failed", make_array (run->failures));
  ok = write_results (run, answers, answer, files, error);
  json_object_set_object_member (answer, "files", files);
  return ok ? json_to_string (root, FALSE) : NULL;
}
