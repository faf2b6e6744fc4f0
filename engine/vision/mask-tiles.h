/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * mask-tiles.h: a photo that a network of masks sees in parts. The photo is made as large as so many tiles of the network's input are (the canvas); the network looks
 * at one after the other, and what it says joins to maps of the whole canvas, as if it had looked at that at once.
 */
#pragma once

#include "vision/decode-masks.h"

typedef struct
{
  FoveaModel          *model;
  const FoveaSettings *settings;
  FoveaSession        *session;
  FoveaTensor *const  *outputs; /* (n_outputs) of the session */
  guint                n_outputs;
} MaskNetwork;

/* How a canvas is cut. */
typedef struct
{
  int     width, height; /* of the canvas */
  int     halo, ramp;    /* pixels of the canvas: so far from a tile's cut sides its answer doesn't count, and from there on by and by more */
  GArray *places;        /* of PhotoTile, pixels of the canvas; fewer than two: tiles are of no use, and the network looks at the whole */
} MaskTiles;

/* `tiles` along the photo's longer side, 0: as many as let the network see the photo at half its size or larger, if it looks at what is near each pixel only.
 * NULL with an error where the network's layers can't be read. */
MaskTiles *mask_tiles_new  (const MaskNetwork *network, int photo_width, int photo_height, int tiles, GError **error);
void       mask_tiles_free (MaskTiles *tiles);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (MaskTiles, mask_tiles_free)

/* Looks at all tiles. canvas: (height, width, 3). The masks lie over the whole canvas. */
MaskStack *mask_tiles_run  (const MaskTiles *tiles, const MaskNetwork *network, const guint8 *canvas, GCancellable *cancellable, FoveaProgress progress,
                            gpointer user_data, GError **error);
