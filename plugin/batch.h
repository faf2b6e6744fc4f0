/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * batch.h: the procedure plug-in-fovea-batch: a folder of photos.
 */
#pragma once

#include <libgimp/gimp.h>

#include "folder.h"

#define BATCH_PROCEDURE "plug-in-fovea-batch"

GimpProcedure *batch_create_procedure (GimpPlugIn *plug_in);

/* What is to be done, as the arguments say it. */
typedef struct
{
  char          *input, *output, *model, *pattern; /* model "": the first that can do it; pattern NULL: all photos */
  gboolean       recursive;
  guint          operation;                        /* its place in batch_operations */
  FolderSettings settings;                         /* without what is above */
} BatchRequest;

/* The words of the argument “operation”, NULL-terminated. */
extern const char *const batch_operations[];

OperationKind batch_get_kind     (guint operation);
FoveaTask     batch_get_task     (guint operation);

/* NULL with an error for arguments that can't be. */
BatchRequest *batch_request_read (GimpProcedureConfig *config, GError **error);
void          batch_request_free (BatchRequest *request);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BatchRequest, batch_request_free)

/* The photos of a request, not closed. On any thread. */
FileList     *batch_list_photos  (const BatchRequest *request);

/* Loads the model and begins. On any thread; the request must outlive the run. */
FolderRun    *batch_begin        (BatchRequest *request, GError **error);

/* “17 of 40 photos, 12 s left”; `began`: g_get_monotonic_time. Free with g_free. */
char         *batch_tell         (gsize done, gsize n, gint64 began);

/* The window. The result of the last run that ended, as folder_run_finish gives it, and its count; NULL: there was none. */
JsonNode     *batch_dialog_run   (GimpProcedureConfig *config, gsize *count);

/* A FolderWriteLayers: an XCF of the photo with its masks, frames or cut-out as layers. user_data: the BatchRequest. On the main thread. */
gboolean      batch_layers_write (const char *photo, const char *file, const Finding *finding, gpointer request, GError **error);
