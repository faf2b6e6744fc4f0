/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * photo-tiles.c: tiles that cover a photo with an overlap of a quarter, so that an object up to that size is whole in one of them. What is larger is seen
 * whole at a coarser level; boxes that a tile's side cuts are dropped, since some other tile has the object whole.
 */

#include "vision/photo-tiles.h"

#include <math.h>

#define OVERLAP  0.25
#define CUT      0.01 /* of the tile's side: boxes that come so near to it count as cut */

/* Tiles of `side` along a length: evenly spaced, the last ends where the photo ends. */
static int
count_along (int length, int side)
{
  double step = side * (1 - OVERLAP);

  return length <= side ? 1 : (int) ceil ((length - side) / step) + 1;
}

static void
add_level (GArray *list, int photo_width, int photo_height, int tiles)
{
  int longer = MAX (photo_width, photo_height), side = MAX ((int) (longer / (1 + (tiles - 1) * (1 - OVERLAP)) + 0.5), 1);
  int columns = count_along (photo_width, side), rows = count_along (photo_height, side);

  for (int i = 0; i < columns * rows; i++)
    {
      int       column = i % columns, row = i / columns;
      PhotoTile tile = { .width = MIN (side, photo_width), .height = MIN (side, photo_height) };

      tile.x = columns > 1 ? (int) ((gint64) (photo_width - tile.width) * column / (columns - 1)) : 0;
      tile.y = rows > 1 ? (int) ((gint64) (photo_height - tile.height) * row / (rows - 1)) : 0;
      g_array_append_val (list, tile);
    }
}

static int
choose_tiles (int photo_width, int photo_height, int size)
{
  int tiles = 1;

  while (tiles < PHOTO_TILES_AUTO && MAX (photo_width, photo_height) / (1 + (tiles - 1) * (1 - OVERLAP)) > 2 * size)
    tiles++;
  return tiles;
}

GArray *
photo_tiles_new (int photo_width, int photo_height, int tiles, gboolean pyramid, int size)
{
  GArray   *list = g_array_new (FALSE, FALSE, sizeof (PhotoTile));
  PhotoTile whole = { 0, 0, photo_width, photo_height, TRUE };
  int       levels[16], n_levels = 0;

  tiles = tiles < 1 ? choose_tiles (photo_width, photo_height, size) : MIN (tiles, PHOTO_TILES_MAX);
  for (int level = tiles; level > 1 && (pyramid || n_levels == 0); level /= 2)
    levels[n_levels++] = level;
  g_array_append_val (list, whole);
  while (n_levels > 0)
    add_level (list, photo_width, photo_height, levels[--n_levels]);
  return list;
}

gboolean
photo_tiles_cuts (const PhotoTile *tile, int photo_width, int photo_height, double left, double top, double right, double bottom)
{
  double margin_x = MAX (CUT * tile->width, 1), margin_y = MAX (CUT * tile->height, 1);

  return (tile->x > 0 && left < tile->x + margin_x) || (tile->y > 0 && top < tile->y + margin_y) ||
         (tile->x + tile->width < photo_width && right > tile->x + tile->width - margin_x) ||
         (tile->y + tile->height < photo_height && bottom > tile->y + tile->height - margin_y);
}
