/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * pixel-head.h: two small layers that make classes of a pixel's features: as a network of vectors, which learns, and laid over the maps, which answers for
 * whole photos.
 */
#pragma once

#include "train/pixel-features.h"

#define PIXEL_HIDDEN 32 /* numbers between the two layers */

/* An untrained head: from (batch, n_features) to (batch, n_classes). NULL with FOVEA_ERROR_MEMORY. */
FoveaModel *pixel_head_new  (gsize n_features, guint n_classes, guint64 seed, GError **error);

/* What a head was trained on: (feature - mean) * scale, n_features each. */
typedef struct
{
  const float *mean, *scale;
} PixelScale;

typedef enum
{
  PIXEL_JOIN_WHOLE,  /* the network from the photo on */
  PIXEL_JOIN_MAPS,   /* from the maps, its inputs, named as the taps are */
  PIXEL_JOIN_PLACES, /* the same, and where in the photo a cell lies counts too: for the photo alone that was painted */
} PixelJoin;

/* The head over the maps; answers are (1, n_classes, grid, grid).
 * Where a map's pixels are summed and where they are enlarged are exchanged, which changes nothing but the order of rounding: both are linear. NULL with
 * FOVEA_ERROR_MEMORY, or FOVEA_ERROR_UNSUPPORTED where the base is of an operator set too old to enlarge. */
FoveaModel *pixel_head_join (const PixelFeatures *features, FoveaModel *head, const PixelScale *scale, PixelJoin how, GError **error);

/* The head of a model that pixel_head_join has made, for the scale it gets (n_classes of its own). NULL with an error where it doesn't fit `features`. */
FoveaModel *pixel_head_find (const PixelFeatures *features, FoveaModel *model, const PixelScale *scale, GError **error);

/* A head for other classes: rows[i] is the row of `head` that class i keeps, or -1: a new one, which says nothing yet. */
FoveaModel *pixel_head_change_classes (FoveaModel *head, const int *rows, guint n_classes, GError **error);
