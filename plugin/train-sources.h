/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * train-sources.h: the images whose labels are learned: one, all that are open, or the XCF files of a folder. On the main thread.
 */
#pragma once

#include "label-layers.h"

typedef struct
{
  GPtrArray *images; /* of GimpImage*, those with labels */
  GPtrArray *labels; /* of LabelLayers*, one for each */
  GPtrArray *opened; /* of GimpImage*: closed again with the sources */
  GPtrArray *files;  /* of char*: XCF files that are still to be opened */
  guint      n_files; /* of them at first */
  int        longest; /* side of all, pixels */
} TrainSources;

void          train_sources_free (TrainSources *sources);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TrainSources, train_sources_free)

/* source: "image", "open-images" or "folder". The files of a folder are only listed. NULL with an error in words. */
TrainSources *train_sources_new  (const char *source, GimpImage *image, const char *folder, GError **error);

/* Opens the next file. FALSE when there is none left. */
gboolean      train_sources_step (TrainSources *sources);

/* Closes what was opened so far, which no longer belongs to them. */
void          train_sources_close (TrainSources *sources);

/* When all are open: FALSE with an error in words where none has labels. */
gboolean      train_sources_check (const TrainSources *sources, GError **error);

/* Those whose labels are for another task go; their number. */
guint         train_sources_keep (TrainSources *sources, FoveaTask task);

/* All of that at once. source: "image", "open-images" or "folder". NULL with an error in words where none of them has labels. */
TrainSources *train_sources_open (const char *source, GimpImage *image, const char *folder, GError **error);

/* Of a folder with XCF files: labelled photos for that task beside them, which are learned, too; NULL: there are none. Any thread. */
FoveaLabelled *train_sources_find_others (const char *folder, FoveaTask task);

/* What is said of photos there that are labelled for another. Free with g_free; NULL: there are none. Any thread. */
char          *train_sources_tell_others (const char *folder, FoveaTask task);
