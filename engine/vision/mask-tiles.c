/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * mask-tiles.c: see mask-tiles.h. What a network says near a cut side of a tile depends on what lies beyond it, as far as its layers reach: the halo. There the
 * neighbour's answer counts, which sees more; so that where layers reach a known way, tiles join to what the network would say of the whole. Networks that look at the
 * whole photo get an overlap of a quarter, in which one tile's answer passes into the next's.
 */

#include "vision/mask-tiles.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/tensor.h"
#include "vision/input.h"
#include "vision/photo-tiles.h"

#define STEP        32          /* places of tiles are multiples of this: networks halve their input up to five times */
#define RAMP        8           /* from one tile to the next where they say the same anyway */
#define MOST_PIXELS (16 << 20)  /* of a canvas */
#define MOST_BYTES  (512 << 20) /* of its maps */

/* ---- how a canvas is cut ------------------------------------------------------------------------------------------------ */

/* Pixels along one side that a value of the answer sees; 0: all, or it isn't known. */
static int
find_field (const MaskNetwork *network, GError **error)
{
  g_autoptr (FoveaSessionOptions) options = fovea_session_options_new ();
  const FoveaPort                *port = fovea_model_get_input (network->model, 0);
  FoveaShape                      shape;
  FoveaLayer                     *layers;
  gsize                           n;
  int                             field = -1;

  if (!fovea_settings_get_input_shape (network->settings, port, &shape, error))
    return -1;
  fovea_session_options_set_shape (options, port->name, &shape);
  layers = fovea_model_list_layers (network->model, options, &n, error);
  if (layers)
    field = n ? layers[n - 1].receptive_field : 0;
  for (gsize i = 0; i < n && field > 0 && network->n_outputs > 1; i++) /* which of them gives the first output isn't said */
    field = layers[i].receptive_field > 0 ? MAX (field, layers[i].receptive_field) : 0;
  fovea_layers_free (layers, n);
  return field;
}

/* Whole steps where the tile is of whole steps. */
static int
round_side (double side, int tile)
{
  int step = tile % STEP ? 1 : STEP;

  return MAX (tile, (int) rint (side / step) * step);
}

/* A canvas for so many tiles, not larger than the photo nor than memory allows. */
static void
choose_canvas (MaskTiles *tiles, const MaskNetwork *network, int photo_width, int photo_height, int n, int overlap)
{
  const FoveaSettings *settings = network->settings;
  int                  tile = MAX (settings->width, settings->height), longer = MAX (photo_width, photo_height);
  double               side = MIN (tile + (n - 1.0) * (tile - overlap), longer), scale = side / longer, pixels = (double) settings->width * settings->height;
  double               most = MIN (MOST_PIXELS, MOST_BYTES / (network->outputs[0]->size / pixels));

  scale = MIN (scale, sqrt (most / ((double) photo_width * photo_height)));
  tiles->width = round_side (photo_width * scale, settings->width);
  tiles->height = round_side (photo_height * scale, settings->height);
}

MaskTiles *
mask_tiles_new (const MaskNetwork *network, int photo_width, int photo_height, int n, GError **error)
{
  g_autoptr (MaskTiles) tiles = g_new0 (MaskTiles, 1);
  const FoveaSettings  *settings = network->settings;
  int                   side = MIN (settings->width, settings->height), field = find_field (network, error), overlap;
  gboolean              is_near = field > 0 && field + RAMP <= side / 2;

  if (field < 0)
    return NULL;
  tiles->halo = is_near ? (field + 1) / 2 : side / 16;
  tiles->ramp = is_near ? RAMP : side / 8;
  overlap = 2 * tiles->halo + tiles->ramp;
  if (n < 1)
    n = is_near ? photo_tiles_choose (photo_width, photo_height, side) : 1;
  choose_canvas (tiles, network, photo_width, photo_height, n, overlap);
  tiles->places = photo_tiles_cover (tiles->width, tiles->height, settings->width, settings->height, overlap, side % STEP ? 1 : STEP);
  return g_steal_pointer (&tiles);
}

void
mask_tiles_free (MaskTiles *tiles)
{
  if (!tiles)
    return;
  g_clear_pointer (&tiles->places, g_array_unref);
  g_free (tiles);
}

/* ---- joining ---------------------------------------------------------------------------------------------------------------- */

/* Maps of the whole canvas. */
typedef struct
{
  const MaskTiles *tiles;
  MaskMaps         maps;    /* sums of what tiles say, each with its weight */
  float           *weights; /* (height, width) */
} Joined;

/* Weights of a tile's maps along one side, n values from `first` on; of a side of the canvas that isn't cut all count. */
static float *
make_weights (int n, gboolean cut_before, gboolean cut_behind, double halo, double ramp)
{
  float *weights = g_new (float, n);

  for (int i = 0; i < n; i++)
    {
      double before = cut_before ? i + 0.5 - halo : G_MAXDOUBLE, behind = cut_behind ? n - i - 0.5 - halo : G_MAXDOUBLE;

      weights[i] = (float) CLAMP (MIN (before, behind) / MAX (ramp, 1.0), 1e-9, 1.0); /* what only one tile has counts nevertheless */
    }
  return weights;
}

static gboolean
joined_start (Joined *joined, const MaskMaps *maps, const FoveaSettings *settings, GError **error)
{
  MaskMaps *whole = &joined->maps;

  whole->n = maps->n;
  whole->width = (int) rint ((double) joined->tiles->width * maps->width / settings->width);
  whole->height = (int) rint ((double) joined->tiles->height * maps->height / settings->height);
  whole->pixel_stride = 1;
  whole->class_stride = (gsize) whole->width * (gsize) whole->height;
  whole->values = memory_alloc_n (whole->class_stride, whole->n * sizeof (float), "the masks", error);
  joined->weights = whole->values ? memory_alloc_n (whole->class_stride, sizeof (float), "the masks", error) : NULL;
  return joined->weights != NULL;
}

/* One row of a tile's maps. Numbers of classes can't be mixed: there the tile counts that sees a pixel best. */
static void
join_row (Joined *joined, const MaskMaps *maps, gsize from, gsize to, const float *columns, float row, gboolean are_indices)
{
  MaskMaps *whole = &joined->maps;

  for (int x = 0; x < maps->width; x++)
    {
      float weight = columns[x] * row;

      if (are_indices && weight <= joined->weights[to + x])
        continue;
      for (gsize c = 0; c < maps->n; c++)
        {
          float value = maps->values[(from + x) * maps->pixel_stride + c * maps->class_stride];

          if (are_indices)
            whole->values[c * whole->class_stride + to + x] = value;
          else
            whole->values[c * whole->class_stride + to + x] += weight * value;
        }
      joined->weights[to + x] = are_indices ? weight : joined->weights[to + x] + weight;
    }
}

static void
join_tile (Joined *joined, const MaskMaps *maps, const PhotoTile *tile, gboolean are_indices)
{
  const MaskTiles  *tiles = joined->tiles;
  double            scale_x = (double) maps->width / tile->width, scale_y = (double) maps->height / tile->height;
  int               x = MIN ((int) rint (tile->x * scale_x), joined->maps.width - maps->width);
  int               y = MIN ((int) rint (tile->y * scale_y), joined->maps.height - maps->height);
  g_autofree float *columns = make_weights (maps->width, tile->x > 0, tile->x + tile->width < tiles->width, tiles->halo * scale_x, tiles->ramp * scale_x);
  g_autofree float *rows = make_weights (maps->height, tile->y > 0, tile->y + tile->height < tiles->height, tiles->halo * scale_y, tiles->ramp * scale_y);

  for (int row = 0; row < maps->height; row++)
    join_row (joined, maps, (gsize) row * maps->width, (gsize) (y + row) * joined->maps.width + x, columns, rows[row], are_indices);
}

static void
joined_finish (Joined *joined, gboolean are_indices)
{
  for (gsize c = 0; c < joined->maps.n && !are_indices; c++)
    for (gsize i = 0; i < joined->maps.class_stride; i++)
      joined->maps.values[c * joined->maps.class_stride + i] /= MAX (joined->weights[i], 1e-12f);
}

/* ---- looking -------------------------------------------------------------------------------------------------------------- */

typedef struct
{
  FoveaProgress progress;
  gpointer      user_data;
  guint         tile, n_tiles;
} Part;

static void
report (double fraction, gpointer user_data)
{
  const Part *part = user_data;

  if (part->progress)
    part->progress ((part->tile + fraction) / part->n_tiles, part->user_data);
}

static void
copy_tile (const guint8 *canvas, int canvas_width, const PhotoTile *tile, guint8 *pixels)
{
  for (int y = 0; y < tile->height; y++)
    memcpy (pixels + (gsize) y * tile->width * 3, canvas + ((gsize) (tile->y + y) * canvas_width + tile->x) * 3, (gsize) tile->width * 3);
}

static gboolean
look_at_tile (const MaskNetwork *network, const PhotoTile *tile, Joined *joined, GError **error)
{
  MaskMaps maps = { 0 };
  gboolean are_indices = decode_masks_are_indices (network->settings), done;

  if (!decode_masks_read (network->settings, network->outputs, network->n_outputs, &maps, error))
    return FALSE;
  done = joined->weights || joined_start (joined, &maps, network->settings, error);
  if (done)
    join_tile (joined, &maps, tile, are_indices);
  memory_free (maps.values);
  return done;
}

MaskStack *
mask_tiles_run (const MaskTiles *tiles, const MaskNetwork *network, const guint8 *canvas, GCancellable *cancellable, FoveaProgress progress, gpointer user_data,
                GError **error)
{
  const FoveaSettings *settings = network->settings;
  Part                 part = { progress, user_data, 0, tiles->places->len };
  Joined               joined = { .tiles = tiles };
  guint8              *pixels = memory_alloc_n ((gsize) settings->width * (gsize) settings->height, 3, "a part of the photo", error);
  MaskStack           *stack = NULL;
  gboolean             done = pixels != NULL;

  for (; done && part.tile < part.n_tiles; part.tile++)
    {
      const PhotoTile *tile = &g_array_index (tiles->places, PhotoTile, part.tile);

      copy_tile (canvas, tiles->width, tile, pixels);
      input_write_pixels (settings, pixels, canvas, (gsize) tiles->width * (gsize) tiles->height, fovea_session_get_input (network->session, 0));
      done = fovea_session_run (network->session, cancellable, report, &part, error) && look_at_tile (network, tile, &joined, error);
    }
  if (done && !g_cancellable_set_error_if_cancelled (cancellable, error))
    {
      joined_finish (&joined, decode_masks_are_indices (settings));
      stack = decode_masks_of (settings, &joined.maps, error);
    }
  memory_free (pixels);
  memory_free (joined.maps.values);
  memory_free (joined.weights);
  return stack;
}
