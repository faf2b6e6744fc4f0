/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * folder.h: a folder of photos through an operation into a folder of results: fovea-batch.csv, .json, .html, masks/, cut-outs/, and fovea-batch.journal, by which a
 * later run skips what is done. Nothing in the folder of photos is touched.
 */
#pragma once

#include "job.h"

typedef struct
{
  const char       *input, *output, *model, *pattern; /* pattern: file_list_new's, or NULL */
  gboolean          recursive, again;                 /* again: what is done is done once more */
  gboolean          csv, json, masks, cutouts;
  OperationSettings operation;
} FolderSettings;

typedef struct _FolderRun FolderRun;

/* Begins at once. NULL with FOVEA_ERROR_ARGUMENT for folders of which one would be in the other's way, and the errors of journal_open and job_new. */
FolderRun *folder_run_new    (const FolderSettings *settings, GError **error);

/* Waits for the next photo, so many microseconds at most. FALSE when there is none left, or with an error of writing. */
gboolean   folder_run_step   (FolderRun *run, gint64 microseconds, GError **error);

void       folder_run_count  (const FolderRun *run, gsize *done, gsize *n); /* of the photos that weren't skipped */

/* Writes the tables and the summary. Returns counts, the files and the photos that failed, as JSON; `count`: photos that have an answer. NULL with FOVEA_ERROR_FILE. */
char      *folder_run_finish (FolderRun *run, gsize *count, GError **error);

void       folder_run_free   (FolderRun *run);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FolderRun, folder_run_free)
