/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * pixel-photo.h: a photo that pixels are learned on: what the network sees of it, its painted cells, and their features.
 */
#pragma once

#include "train/pixel-features.h"
#include "vision/masks.h"

typedef struct
{
  guint cell;   /* y * grid + x */
  guint stroke; /* of its class in its photo, from 0; painted cells that touch are one */
  guint8 label;
} PixelSample;

typedef struct
{
  int          width, height;            /* of the photo */
  guint8      *guide;                    /* (guide_height, guide_width, 3) */
  int          guide_width, guide_height;
  FoveaTensor *input;                    /* what the network sees; kept, so that maps can be made again */
  float      **maps;                     /* n of (channels, size, size), or NULL: dropped */
  guint8      *labels;                   /* (grid, grid) */
  GArray      *samples;                  /* of PixelSample: some of the painted cells of each class */
  float       *features;                 /* (samples, n_features) */
} PixelPhoto;

/* session: of features->model. NULL with an error as for sessions, or G_IO_ERROR_CANCELLED. */
PixelPhoto *pixel_photo_new    (const PixelFeatures *features, const FoveaSettings *settings, const FoveaPhoto *photo, FoveaSession *session,
                                GCancellable *cancellable, GError **error);
void        pixel_photo_free   (PixelPhoto *photo);

/* Makes maps where they were dropped. */
gboolean    pixel_photo_see    (PixelPhoto *photo, const PixelFeatures *features, FoveaSession *session, GCancellable *cancellable, GError **error);
void        pixel_photo_forget (PixelPhoto *photo, const PixelFeatures *features);

/* Takes labels (copied; NULL: none) and reads the features of at most `most` cells of each class, chosen by chance. The maps must be there. */
gboolean    pixel_photo_paint  (PixelPhoto *photo, const PixelFeatures *features, const guint8 *labels, gsize most, guint64 seed, GError **error);
