/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * pixel-features.h: what a network sees around each pixel of a photo: maps from its layers at several scales, those of its first layers once more on the photo
 * at a finer scale, and plain colour. A light head learns on them what the user has painted (pixel-head.h).
 *
 *   photo (1, 3, side, side) ─┬─ mean of factor x factor ─▶ the base network at 320 pixels ─▶ its maps, 10 to 160 pixels wide
 *                             ├─ the base's first layers ─▶ fine maps, side / 4 and side / 2 wide
 *                             └─ means of colour at several widths, contrast
 */
#pragma once

#include "model/model.h"

#define PIXEL_PLACES 64 /* features behind those of the taps: how near a cell is to each of 8 x 8 places of the photo */

typedef struct
{
  char    *name;     /* of the value in the model */
  gint64   channels;
  int      size;     /* width and height */
  gboolean general;  /* says what a thing is, rather than how it is coloured here */
  float    emphasis; /* that its features are scaled by: 1, more for a segmenter's own answer and for colour */
} PixelTap;

typedef struct
{
  FoveaModel *model;      /* from the photo to the taps, its outputs, in their order */
  PixelTap   *taps;       /* n of them, by growing size */
  guint       n;
  gsize       n_mapped;   /* features: channels of all taps */
  gsize       n_features; /* n_mapped + PIXEL_PLACES */
  int         side;       /* of the photo's square */
  int         grid;       /* of the answers' square: side / 2 */
} PixelFeatures;

/* The side for photos whose longer side has so many pixels: a multiple of 320. */
int            pixel_features_choose_side (int longest);

/* base: any network whose first input is an RGB photo in planes; float32 weights. NULL with FOVEA_ERROR_UNSUPPORTED where it has no maps. */
PixelFeatures *pixel_features_new  (FoveaModel *base, int side, GError **error);

/* The same of a model that pixel_head_join has made: without its head. NULL without an error: it is none. */
PixelFeatures *pixel_features_find (FoveaModel *model, int side, GError **error);

void           pixel_features_free (PixelFeatures *features);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PixelFeatures, pixel_features_free)

/* How near the middle of the photo's part from 0 to 1 is to each of the places. */
void           pixel_features_place (double x, double y, float places[PIXEL_PLACES]);

/* The features at cell x, y of the grid, from the maps of one photo, between their pixels: n_features numbers. */
void           pixel_features_read (const PixelFeatures *features, const float *const *maps /* n of (channels, size, size) */, int x, int y, float *out);
