/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * loader.h: batches of photos, decoded and changed by threads ahead of the compute. What a batch holds depends on the order, the seed and the epoch, never on
 * the threads. A photo that can't be read is left out of the loss (its weights are 0) and listed once.
 */
#pragma once

#include "train/scene.h"

typedef struct
{
  float *input;    /* (size, channels, height, width), normalized */
  float *targets;  /* classify: (size, classes); detect: (size, boxes, 5), see scene.h; segment: (size, masks, height, width) */
  float *weights;  /* classify, exclusive: (size); tags, detect: (size, classes); segment: (size, height, width) */
  gsize  n;        /* photos in it: the last batch of an evaluation has fewer, the rest are zeros */
  gsize  first;    /* place of its first photo in the order */
} Batch;

typedef struct
{
  const Dataset           *dataset;
  const FoveaSettings     *settings;      /* input size and normalization */
  const FoveaAugmentation *augmentation;  /* NULL: photos as a classifier or segmenter of these settings sees them */
  FoveaReadFile            read;
  gpointer                 read_data;
  guint                    batch;
  guint                    n_threads;
  guint64                  seed;
  guint64                  cache;         /* bytes of decoded photos to keep; 0: none */
  gboolean                 gives_shares;  /* of an evaluation: the one map of the network's is shares already, not logits */
} LoaderSettings;

typedef struct _Loader Loader;

/* Everything that `settings` points at must outlive it. NULL with FOVEA_ERROR_MEMORY. */
Loader      *loader_new   (const LoaderSettings *settings, GError **error);
void         loader_free  (Loader *loader);

/* Begins to make batches of the samples `order` (n of the dataset's indices; copied) from batch `first` on. What is still under way is dropped. */
void         loader_start (Loader *loader, const guint *order, gsize n, guint64 epoch, gsize first);

/* The next batch, valid until the next call; NULL with G_IO_ERROR_CANCELLED, or with FOVEA_ERROR_FILE where more than half of the photos so far (16 at least)
 * can't be read. Never called past the last one. */
const Batch *loader_next  (Loader *loader, GCancellable *cancellable, GError **error);

/* What couldn't be read, one message a file, from whenever it was met. */
GPtrArray   *loader_get_warnings (Loader *loader);
