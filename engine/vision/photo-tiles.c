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
count_along (int length, int side, int overlap, int step)
{
  int apart = MAX ((side - overlap) / step * step, 1);

  return length <= side ? 1 : (length - side + apart - 1) / apart + 1;
}

static int
place_along (int length, int side, int i, int n, int step)
{
  return n > 1 ? (int) ((gint64) (length - side) / step * i / (n - 1)) * step + (i == n - 1 ? (length - side) % step : 0) : 0;
}

GArray *
photo_tiles_cover (int width, int height, int tile_width, int tile_height, int overlap, int step)
{
  GArray *list = g_array_new (FALSE, FALSE, sizeof (PhotoTile));
  int     columns = count_along (width, tile_width, overlap, step), rows = count_along (height, tile_height, overlap, step);

  for (int i = 0; i < columns * rows; i++)
    {
      PhotoTile tile = { .width = MIN (tile_width, width), .height = MIN (tile_height, height) };

      tile.x = place_along (width, tile.width, i % columns, columns, step);
      tile.y = place_along (height, tile.height, i / columns, rows, step);
      g_array_append_val (list, tile);
    }
  return list;
}

static void
add_level (GArray *list, int photo_width, int photo_height, int tiles)
{
  int longer = MAX (photo_width, photo_height), side = MAX ((int) (longer / (1 + (tiles - 1) * (1 - OVERLAP)) + 0.5), 1);
  g_autoptr (GArray) level = photo_tiles_cover (photo_width, photo_height, side, side, (int) ceil (side * OVERLAP), 1);

  g_array_append_vals (list, level->data, level->len);
}

int
photo_tiles_choose (int photo_width, int photo_height, int size)
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

  tiles = tiles < 1 ? photo_tiles_choose (photo_width, photo_height, size) : MIN (tiles, PHOTO_TILES_MAX);
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
