/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * evaluate.h: what a network is worth on labelled photos.
 */
#pragma once

#include "train/feature-cache.h"

/* Runs `model` on the samples `order` (n of the dataset's) and compares. NULL with an error as for sessions and loaders, or G_IO_ERROR_CANCELLED. */
FoveaEvaluation *evaluate_samples (FoveaModel *model, const LoaderSettings *settings, const guint *order, gsize n, GPtrArray *warnings, GCancellable *cancellable,
                                   FoveaProgress progress, gpointer user_data, GError **error);

/* What single photos of the data's are worth: an empty array of FoveaPhotoScore that owns their names, one more of them, and all given to the evaluation. */
GArray          *evaluation_photos_new  (void);
void             evaluation_add_photo   (GArray *photos, const Dataset *dataset, guint sample, double score);
void             evaluation_take_photos (FoveaEvaluation *evaluation, GArray *photos);

/* The same for a last layer alone, on features that are there. */
FoveaEvaluation *evaluate_features (FoveaModel *head, const FeatureCache *cache, const Dataset *dataset, GError **error);

/* The names of a confusion's rows: the classes, and "" for none of them. Free with g_strfreev. */
char           **evaluation_name_confused (const Dataset *dataset);
