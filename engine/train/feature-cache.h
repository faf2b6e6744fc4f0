/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * feature-cache.h: what a frozen backbone says of each photo, computed once: training a last layer on it takes a moment.
 */
#pragma once

#include "train/loader.h"

typedef struct
{
  gsize   n;        /* samples */
  gsize   n_forms;  /* augmented forms of each */
  gsize   size;     /* features of one */
  float  *features; /* (forms, samples, size) */
  gsize   on_disk;  /* bytes of these in a file without a name; 0: they are in memory */
  Batch   labels;   /* targets and weights of the samples as a Batch has them; no input */
  guint  *row;      /* of a sample, by the dataset's index; G_MAXUINT: not here */
  gsize   target_size, weight_size;
} FeatureCache;

#define FEATURE_CACHE_DISK 8

/* Runs `backbone` (photos to (batch, features)) over the samples `order`. What would take more than `limit` bytes of
 * memory goes to a file in the user's cache folder, which is gone with the cache; `n_forms` falls where that would take more than FEATURE_CACHE_DISK times as much, or
 * there is no room. The augmentation of
 * form i is that of epoch i. NULL with G_IO_ERROR_CANCELLED, or errors of sessions, loaders and memory. */
FeatureCache *feature_cache_new  (FoveaModel *backbone, const LoaderSettings *settings, const guint *order, gsize n, gsize n_forms, guint64 limit,
                                  GPtrArray *warnings, GCancellable *cancellable, FoveaProgress progress, gpointer user_data, GError **error);
void          feature_cache_free (FeatureCache *cache);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FeatureCache, feature_cache_free)

/* The mean of each feature, and the factor that brings features to one size: their deviation to a share of a vector of length 4, whatever the network, so that one
 * learning rate serves all. size numbers each, to be freed with g_free. */
void          feature_cache_measure (const FeatureCache *cache, float **mean, float **scale);

/* Takes the mean away and multiplies. */
void          feature_cache_standardize (FeatureCache *cache, const float *mean, const float *scale);

/* Writes a batch of the samples order[0 … n - 1] to `batch`, whose buffers the caller has made; the form of each is drawn from (seed, epoch, place). */
void          feature_cache_fill (const FeatureCache *cache, const guint *order, gsize n, guint64 seed, guint64 epoch, gsize first, Batch *batch);
