/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * folder.h: photos through an operation into a folder of results: fovea-batch.csv, .json and .html; masks/, cut-outs/, pictures/, xmp/, keywords/ and xcf/, which
 * are laid out like the photos' folder; coco/, yolo/ and voc/; and fovea-batch.journal, by which a later run skips what is done. No photo is touched. Of a share of
 * the photos (2/8), what isn't a photo's own is called fovea-batch-2-of-8.csv, coco-2-of-8 and so on, so that shares may have one folder.
 */
#pragma once

#include "formats.h"
#include "job.h"

/* Writes a photo with what was found in it as a file of layers. On the thread that calls folder_run_step. FALSE with an error. */
typedef gboolean (*FolderWriteLayers) (const char *photo, const char *file, const Finding *finding, gpointer user_data, GError **error);

typedef struct
{
  const char       *output, *model;
  OperationSettings operation;
  guint             formats;           /* FORMAT_… */
  gboolean          again;             /* what is done is done once more */
  gsize             shard, n_shards;   /* 1, 1: all photos */
  guint             n_threads;         /* 0: one per processor */
  FolderWriteLayers write_layers;      /* for FORMAT_XCF */
  gpointer          layers_data;
} FolderSettings;

typedef struct _FolderRun FolderRun;

/* Begins at once. Takes the list, which must not be closed. NULL with the errors of file_list_check_output, journal_open and job_new. */
FolderRun *folder_run_new    (FileList *list, const FolderSettings *settings, GError **error);

const Job *folder_run_get_job (const FolderRun *run);

/* Waits for the next photo, so many microseconds at most. FALSE when there is none left, or with an error of writing. */
gboolean   folder_run_step   (FolderRun *run, gint64 microseconds, GError **error);

void       folder_run_count  (const FolderRun *run, gsize *done, gsize *n); /* of the photos that weren't skipped */

/* Photos that failed so far, and those that a format left out, in words; borrowed. */
const GPtrArray *folder_run_get_failures (const FolderRun *run);
const GPtrArray *folder_run_get_left_out (const FolderRun *run);

/* TRUE: what failed were photos that can't be read. */
gboolean   folder_run_only_unreadable (const FolderRun *run);

/* Writes the tables and the summary. Returns counts, the files and the photos that failed, as a JSON object; `count`: photos that have an answer. NULL with
 * FOVEA_ERROR_FILE. */
JsonNode  *folder_run_finish (FolderRun *run, gsize *count, GError **error);

void       folder_run_free   (FolderRun *run);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FolderRun, folder_run_free)
