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
  int        longest; /* side of all, pixels */
} TrainSources;

void          train_sources_free (TrainSources *sources);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TrainSources, train_sources_free)

/* source: "image", "open-images" or "folder". NULL with an error in words where none of them has labels. */
TrainSources *train_sources_open (const char *source, GimpImage *image, const char *folder, GError **error);
