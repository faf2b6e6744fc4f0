/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * job.h: a batch from beginning to end: the photos of a list through one operation, several at once, the answers in the list's order.
 *
 *   g_autoptr (Job) job = job_new (list, &settings, &error);
 *   while ((entry = job_next (job, -1)))
 *     …
 */
#pragma once

#include "file-list.h"
#include "operation.h"
#include "pictures.h"

typedef struct
{
  const char       *model;     /* a file or an installed name */
  OperationSettings operation;
  guint             n_threads; /* 0: one per processor */
  PictureFolders    pictures;
  gboolean          keep_findings; /* entries have them */
} JobSettings;

typedef struct
{
  const ListedFile *file;
  Finding          *finding;    /* NULL: there is none, or it isn't kept */
  JsonNode         *answer;     /* an object: “file”, and what was found or “error” */
  GError           *error;      /* NULL: all went well */
  gboolean          unreadable; /* the error is the photo's own */
} JobEntry;

void     job_entry_free (JobEntry *entry);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (JobEntry, job_entry_free)

typedef struct _Job Job;

/* Begins at once. Takes the list, which must be closed, also where it fails. NULL with the errors of operation_new. */
Job      *job_new    (FileList *list, const JobSettings *settings, GError **error);

/* The next photo's; NULL when it hasn't come in so many microseconds (negative: waits), or after the last one. */
JobEntry *job_next   (Job *job, gint64 microseconds);

const Operation *job_get_operation (const Job *job);

gsize     job_count  (const Job *job); /* photos in all */
gsize     job_done   (const Job *job); /* those that job_next has given */

/* Networks stop within 0.2 s; a photo that is being decoded, or its pictures written, is waited for. */
void      job_free   (Job *job);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Job, job_free)
