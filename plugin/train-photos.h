/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * train-photos.h: the labelled photos of images, as files that a training reads: for whole images the example layers of each class, for objects each image with
 * the boxes of its blobs and paths. Photos are copied, so that layers and images may change or go while it trains. On the main thread.
 */
#pragma once

#include "train-sources.h"

typedef struct
{
  char *name;
  guint n; /* photos of the class, or boxes */
} PhotoClass;

typedef struct _TrainPhotos TrainPhotos;

/* task: classify or detect. folder: a folder where files may be written. */
TrainPhotos *train_photos_new    (const TrainSources *sources, FoveaTask task, const char *folder);
void         train_photos_free   (TrainPhotos *photos);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TrainPhotos, train_photos_free)

/* Labelled photos on disk come to them, which stay where they are. After the last has been copied. */
void         train_photos_add    (TrainPhotos *photos, const FoveaLabelled *others);

/* Leaves at most n photos, from all over the list: a taste of it. Before the first is copied. */
void         train_photos_thin   (TrainPhotos *photos, guint n);

/* Copies the next photo. FALSE when there is none left, or with an error. */
gboolean     train_photos_step   (TrainPhotos *photos, double *fraction, GError **error);

/* Writes the list of those that are there so far, whatever they are worth. */
gboolean     train_photos_list   (const TrainPhotos *photos, GError **error);

/* When all are there: the same. FALSE with an error in words where there is nothing to learn from. */
gboolean     train_photos_finish (TrainPhotos *photos, GError **error);

guint        train_photos_count        (const TrainPhotos *photos);
const GArray *train_photos_get_classes (const TrainPhotos *photos); /* of PhotoClass */

/* Tells one set of photos and labels from another. */
const char  *train_photos_get_digest   (const TrainPhotos *photos);

/* What was left out and what is doubtful, in words: of char*. */
GPtrArray   *train_photos_get_warnings (const TrainPhotos *photos);
