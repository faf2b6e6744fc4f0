/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * job.c: see job.h.
 */

#include "job.h"

#include <fcntl.h>
#include <unistd.h>

#include "crew.h"
#include "image.h"

struct _Job
{
  FileList      *list;
  Operation     *operation;
  PictureFolders pictures;
  gboolean       keep_findings;
  gsize          n_ahead;      /* so many photos before its turn the system is told that a file will be read */
  GCancellable  *cancellable;
  GMutex         large;        /* held by the one large photo that is in memory */
  Crew          *crew;
  gsize          n, done;
};

/* A photo on its way from the decoder to the worker. */
typedef struct
{
  GdkPixbuf *pixels;   /* NULL: */
  gboolean   is_large; /* the worker decodes it itself, or: */
  GError    *error;
} Decoded;

void
job_entry_free (JobEntry *entry)
{
  if (!entry)
    return;
  g_clear_pointer (&entry->finding, finding_free);
  g_clear_pointer (&entry->answer, json_node_unref);
  g_clear_error (&entry->error);
  g_free (entry);
}

/* ---- on the workers' threads ------------------------------------------------------------------------------------------------------------------- */

/* A slow disk reads while the processors compute. Only plain files: who writes into a pipe mustn't see it closed. */
static void
announce (const Job *job, gsize i)
{
  const ListedFile *file = i < file_list_count (job->list) ? file_list_get (job->list, i) : NULL;
  int               descriptor = file && !file->problem && g_file_test (file->path, G_FILE_TEST_IS_REGULAR) ? open (file->path, O_RDONLY | O_CLOEXEC) : -1;

  if (descriptor < 0)
    return;
  posix_fadvise (descriptor, 0, 0, POSIX_FADV_WILLNEED);
  close (descriptor);
}

static gpointer
decode (gsize i, gpointer data)
{
  Job              *job = data;
  const ListedFile *file = file_list_get (job->list, i);
  Decoded          *decoded = g_new0 (Decoded, 1);

  announce (job, i + job->n_ahead);
  if (file->problem)
    decoded->error = g_error_new_literal (FOVEA_ERROR, FOVEA_ERROR_FILE, file->problem);
  else
    decoded->pixels = image_load_small (file->path, &decoded->is_large, &decoded->error);
  return decoded;
}

static void
free_decoded (gpointer data)
{
  Decoded *decoded = data;

  g_clear_object (&decoded->pixels);
  g_clear_error (&decoded->error);
  g_free (decoded);
}

static JsonNode *
make_answer (const Job *job, const ListedFile *file, const Finding *finding, const GError *error)
{
  g_autoptr (JsonBuilder) json = json_builder_new ();
  g_autofree char        *path = g_utf8_make_valid (file->path, -1), *message = error ? g_utf8_make_valid (error->message, -1) : NULL;

  json_builder_begin_object (json);
  json_builder_set_member_name (json, "file");
  json_builder_add_string_value (json, path);
  if (finding)
    finding_add_members (finding, operation_get_settings (job->operation), json);
  if (message)
    {
      json_builder_set_member_name (json, "error");
      json_builder_add_string_value (json, message);
    }
  json_builder_end_object (json);
  return json_builder_get_root (json);
}

/* A photo that is in memory, or isn't for the error that is said. */
static JobEntry *
look_at (Job *job, const ListedFile *file, guint worker, Decoded *decoded)
{
  JobEntry           *entry = g_new0 (JobEntry, 1);
  g_autoptr (Finding) finding = NULL;

  entry->file = file;
  entry->unreadable = !decoded->pixels;
  if (decoded->pixels)
    finding = operation_look (job->operation, worker, decoded->pixels, job->cancellable, &entry->error);
  else
    entry->error = g_steal_pointer (&decoded->error);
  if (finding)
    pictures_write (&job->pictures, file->name, decoded->pixels, finding, &entry->error);
  entry->answer = make_answer (job, file, finding, entry->error);
  if (job->keep_findings && !entry->error)
    entry->finding = g_steal_pointer (&finding);
  free_decoded (decoded);
  return entry;
}

/* Of large photos there is one in memory at a time, however many workers there are. */
static gpointer
work (gsize i, guint worker, gpointer data, gpointer job_data)
{
  Job              *job = job_data;
  Decoded          *decoded = data;
  const ListedFile *file = file_list_get (job->list, i);
  JobEntry         *entry;

  if (!decoded->is_large)
    return look_at (job, file, worker, decoded);
  g_mutex_lock (&job->large);
  if (!g_cancellable_set_error_if_cancelled (job->cancellable, &decoded->error))
    decoded->pixels = image_load (file->path, &decoded->error);
  entry = look_at (job, file, worker, decoded);
  g_mutex_unlock (&job->large);
  return entry;
}

static void
free_entry (gpointer entry)
{
  job_entry_free (entry);
}

/* ---- on the caller's -------------------------------------------------------------------------------------------------------------------------- */

static const CrewTasks tasks = { decode, work, free_decoded, free_entry };

Job *
job_new (FileList *list, const JobSettings *settings, GError **error)
{
  g_autoptr (Job) job = g_new0 (Job, 1);
  guint           n_workers;

  job->list = list;
  job->cancellable = g_cancellable_new ();
  g_mutex_init (&job->large);
  job->pictures = (PictureFolders) { g_strdup (settings->pictures.masks), g_strdup (settings->pictures.cutouts), g_strdup (settings->pictures.drawn) };
  job->keep_findings = settings->keep_findings;
  job->n = file_list_count (list);
  job->operation = operation_new (settings->model, &settings->operation, job->n, settings->n_threads, error);
  if (!job->operation)
    return NULL;
  n_workers = operation_get_n_workers (job->operation);
  job->n_ahead = 2 * n_workers;
  job->crew = crew_new (job->n, n_workers, operation_get_n_threads (job->operation) > 1, &tasks, job, error);
  return job->crew ? g_steal_pointer (&job) : NULL;
}

JobEntry *
job_next (Job *job, gint64 microseconds)
{
  JobEntry *entry = job->done < job->n ? crew_next (job->crew, microseconds) : NULL;

  if (entry)
    job->done++;
  return entry;
}

const Operation *
job_get_operation (const Job *job)
{
  return job->operation;
}

gsize
job_count (const Job *job)
{
  return job->n;
}

gsize
job_done (const Job *job)
{
  return job->done;
}

void
job_free (Job *job)
{
  if (!job)
    return;
  g_cancellable_cancel (job->cancellable);
  g_clear_pointer (&job->crew, crew_free);
  g_clear_pointer (&job->operation, operation_free);
  g_clear_pointer (&job->list, file_list_free);
  g_clear_object (&job->cancellable);
  g_mutex_clear (&job->large);
  g_free ((char *) job->pictures.masks);
  g_free ((char *) job->pictures.cutouts);
  g_free ((char *) job->pictures.drawn);
  g_free (job);
}
