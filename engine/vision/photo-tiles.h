/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * photo-tiles.h: which parts of a photo a network is shown, so that what is small in the whole is large enough.
 */
#pragma once

#include <glib.h>

typedef struct
{
  int      x, y, width, height; /* pixels of the photo */
  gboolean whole;
} PhotoTile;

/* The whole photo first; then overlapping tiles that are square where the photo is large enough: `tiles` along the longer side (1: none; 0: as many as
 * keep the network's `size` pixels at half the photo's scale, at most PHOTO_TILES_AUTO), with `pyramid` first those for tiles / 2, tiles / 4 …
 * A GArray of PhotoTile. */
GArray  *photo_tiles_new  (int photo_width, int photo_height, int tiles, gboolean pyramid, int size);

/* How many tiles along the longer side those are. */
int      photo_tiles_choose (int photo_width, int photo_height, int size);

/* Tiles of one size that cover an area, neighbours with `overlap` pixels in common or more; sides are multiples of `step`, and so are the places. A GArray of
 * PhotoTile. */
GArray  *photo_tiles_cover (int width, int height, int tile_width, int tile_height, int overlap, int step);

/* Is a box, in pixels of the photo, cut off by a side of the tile that isn't the photo's own? */
gboolean photo_tiles_cuts (const PhotoTile *tile, int photo_width, int photo_height, double left, double top, double right, double bottom);

#define PHOTO_TILES_AUTO 8
#define PHOTO_TILES_MAX  32
