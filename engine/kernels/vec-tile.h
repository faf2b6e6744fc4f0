/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * vec-tile.h: the inner loop of convolutions, Winograd and matrix products: a tile of output channels by pixels that stays in registers.
 *
 *                     pixels ->
 *                  p0   p1   …   p5        one input channel at a time:
 *   vector 0     [ sum  sum  …  sum ]        sum[v][p] += weights[v] (a vector)  *  in[p] (one number, in every lane)
 *   vector 1     [ sum  sum  …  sum ]
 *
 * Output channels lie in the lanes, so nothing is ever summed across lanes. The sum runs over planes (blocks of input channels), taps
 * (places of the window) and the channels of a block; weights lie in exactly this order (pack.c), so they are read once, straight through.
 *
 * Where the pixels' inputs lie is told in one of two ways:
 *   strided   those of a tap are `step` floats apart, and all lie inside the image: offsets[tap] is the first one's;
 *   gathered  each pixel has its own offset, offsets[tap * n_pixels + pixel]; -1 is outside and reads zeros.
 * Taps that lie outside for all pixels of the tile are left out of the list, so that big dilations cost what they use.
 */
#pragma once

#include "kernels/kernels.h"
#include "kernels/vec-elementwise.h"

/* Vectors of the narrower tile, for what is left of the output channels. */
#define TILE_NARROW (TILE_VECTORS / 2)

#define TILE_COUNTED 4 /* channels between two looks at the counter */

/* Sums of a tile: TILE_VECTORS by TILE_PIXELS, or TILE_NARROW by up to TILE_NARROW_PIXELS. */
#define TILE_SUMS (TILE_VECTORS * TILE_PIXELS)

typedef enum
{
  TILE_STRIDED,
  TILE_STRIDED_16, /* strided with a step of one blocked pixel, known to the compiler */
  TILE_POINTWISE,  /* the same with a single tap: planes follow each other in the weights */
  TILE_GATHERED,
} TileMode;

typedef struct
{
  /* input */
  TileMode       mode;
  const float   *in;             /* of the first plane */
  size_t         n_planes, plane; /* floats from plane to plane */
  size_t         inner;          /* channels of a plane, one float apart */
  size_t         last_inner;     /* channels of the last plane */
  size_t         step;
  int            n_taps, all_taps; /* taps in the list; taps that the weights have */
  const int16_t *taps;           /* n_taps: their numbers among all taps */
  const int32_t *offsets;

  /* weights and output, of the first channel */
  const float   *weights;
  size_t         weights_block;  /* floats from 16 output channels to the next 16 */
  const float   *bias;           /* NULL: none */
  const float   *residual;       /* laid out as out; NULL: none */
  float         *out;
  size_t         out_step;       /* floats from pixel to pixel */
  size_t         out_block;      /* floats from 16 output channels to the next 16 */
  size_t         n_channels;     /* of the output; where this isn't a multiple of 16, what is left of the block is set to zero */
  Activation     activation;

  /* A sum over many planes may be taken in several goes, with the same bits: */
  bool           resumes;        /* it begins with what lies in out, instead of the bias */
  bool           pauses;         /* it will be resumed: no residual, no activation yet */

  /* Weights that are wanted next, fetched in small shares while these are used: what comes from memory else is waited for. */
  const float   *next;
  size_t         n_next, share;  /* floats, of each block; those that are fetched with each plane */
  bool           ahead;          /* pointwise: the next tile's inputs are fetched, too: where rows are too short for the processor to see that they go on */
} Tile;

static const float tile_zeros[KERNEL_BLOCK];

/* Floats from the first output channel of a tile to the first of its vector v, where 16 channels are `block` floats apart. */
INLINE size_t
tile_vector (int v, size_t block)
{
  return (size_t) (v * VEC_LANES / KERNEL_BLOCK) * block + (size_t) (v * VEC_LANES % KERNEL_BLOCK);
}

/* One input channel: sum += weights (vectors) * pixels. `place` is the channel's in a plane, or in each of the gathered pixels. n_vectors, n_pixels and
 * mode are constants where this is called. */
INLINE void
tile_add (const Tile *tile, int n_vectors, int n_pixels, TileMode mode, size_t place, const float *weights, const float *in, const float *const *pixels,
          Vec sum[TILE_SUMS])
{
  const size_t step = mode == TILE_STRIDED_16 || mode == TILE_POINTWISE ? KERNEL_BLOCK : tile->step;
  Vec          w[TILE_VECTORS];

  UNROLL for (int v = 0; v < n_vectors; v++)
    w[v] = vec_load (weights + tile_vector (v, tile->weights_block));
  UNROLL for (int p = 0; p < n_pixels; p++)
    {
      Vec x = vec_set (mode == TILE_GATHERED ? pixels[p][place] : in[(size_t) p * step + place]);

      UNROLL for (int v = 0; v < n_vectors; v++)
        sum[v * n_pixels + p] = vec_fma (w[v], x, sum[v * n_pixels + p]);
    }
}

/* n input channels of a plane. */
INLINE void
tile_sum (const Tile *tile, int n_vectors, int n_pixels, TileMode mode, size_t n, const float *weights, const float *in, const float *const *pixels,
          Vec sum[TILE_SUMS])
{
  for (size_t i = 0; i < n; i++)
    tile_add (tile, n_vectors, n_pixels, mode, i, weights + i * KERNEL_BLOCK, in, pixels, sum);
}

/* All channels of a plane: counting less leaves more of the processor to the sums, where another thread has the other half of it. */
INLINE void
tile_sum_block (const Tile *tile, int n_vectors, int n_pixels, TileMode mode, const float *weights, const float *in, Vec sum[TILE_SUMS])
{
  for (size_t i = 0; i < KERNEL_BLOCK; i += TILE_COUNTED)
    UNROLL for (size_t k = 0; k < TILE_COUNTED; k++)
      tile_add (tile, n_vectors, n_pixels, mode, i + k, weights + (i + k) * KERNEL_BLOCK, in, NULL, sum);
}

INLINE void
tile_start (const Tile *tile, int n_vectors, int n_pixels, const float *out, Vec sum[TILE_SUMS])
{
  if (tile->resumes)
    UNROLL for (int p = 0; p < n_pixels; p++)
      UNROLL for (int v = 0; v < n_vectors; v++)
        sum[v * n_pixels + p] = vec_load (out + (size_t) p * tile->out_step + tile_vector (v, tile->out_block));
  else
    UNROLL for (int v = 0; v < n_vectors; v++)
      {
        Vec bias = tile->bias ? vec_load (tile->bias + v * VEC_LANES) : vec_zero ();

        UNROLL for (int p = 0; p < n_pixels; p++)
          sum[v * n_pixels + p] = bias;
      }
}

/* Residual and the cheap activations are done here, the others afterwards in tile_activate (). */
INLINE void
tile_store (const Tile *tile, int n_vectors, int n_pixels, const float *residual, float *out, Vec sum[TILE_SUMS])
{
  const Vec alpha = vec_set (tile->activation.alpha), beta = vec_set (tile->activation.beta);

  if (residual)
    UNROLL for (int p = 0; p < n_pixels; p++)
      UNROLL for (int v = 0; v < n_vectors; v++)
        sum[v * n_pixels + p] = vec_add (sum[v * n_pixels + p], vec_load (residual + (size_t) p * tile->out_step + tile_vector (v, tile->out_block)));

  if (tile->activation.kind == ACTIVATION_RELU)
    UNROLL for (int i = 0; i < n_vectors * n_pixels; i++)
      sum[i] = vec_max (vec_zero (), sum[i]);
  else if (tile->activation.kind == ACTIVATION_CLIP)
    UNROLL for (int i = 0; i < n_vectors * n_pixels; i++)
      sum[i] = vec_clamp (sum[i], alpha, beta);
  else if (tile->activation.kind == ACTIVATION_HARD_SWISH)
    UNROLL for (int i = 0; i < n_vectors * n_pixels; i++)
      sum[i] = vec_activation (ACTIVATION_HARD_SWISH, sum[i], alpha, beta);

  UNROLL for (int p = 0; p < n_pixels; p++)
    UNROLL for (int v = 0; v < n_vectors; v++)
      vec_store (out + (size_t) p * tile->out_step + tile_vector (v, tile->out_block), sum[v * n_pixels + p]);
}

INLINE bool
tile_is_inlined (const Activation *activation)
{
  return activation->kind <= ACTIVATION_CLIP || activation->kind == ACTIVATION_HARD_SWISH;
}

/* Activations that are too long for that, for some tiles at once: all that they change is in the first-level cache then, and it is long enough to keep
 * the processor busy. */
#define TILE_ACTIVATED 16

static void
tile_activate (const Tile *tile, int n_vectors, int n_pixels, float *out)
{
  size_t n_lanes = (size_t) n_vectors * VEC_LANES, lanes = n_lanes < KERNEL_BLOCK ? n_lanes : KERNEL_BLOCK;

  for (size_t first = 0; first < n_lanes; first += KERNEL_BLOCK, out += tile->out_block)
    if (lanes == tile->out_step)
      vec_activate (&tile->activation, out, out, (size_t) n_pixels * lanes);
    else
      for (int p = 0; p < n_pixels; p++)
        vec_activate (&tile->activation, out + (size_t) p * tile->out_step, out + (size_t) p * tile->out_step, lanes);
}

/* What the next tile will read of a plane. It may lie past the image: nothing is read then. */
INLINE void
tile_fetch_ahead (int n_pixels, const float *next)
{
  UNROLL for (int p = 0; p < n_pixels; p++)
    __builtin_prefetch (next + p * KERNEL_BLOCK, 0, 3);
}

/* What is still to be fetched of the weights wanted next. */
typedef struct
{
  const float *next;
  size_t       left, share; /* floats */
} TileFetch;

/* A share of them. */
INLINE void
tile_fetch (const Tile *tile, TileFetch *fetch)
{
  size_t n = fetch->share < fetch->left ? fetch->share : fetch->left;

  if (n == 0) /* there may be no next weights at all */
    return;
  fetch->left -= n;
  for (const float *end = fetch->next + n; fetch->next < end; fetch->next += KERNEL_BLOCK)
    {
      __builtin_prefetch (fetch->next, 0, 2);
      if (TILE_LANES > KERNEL_BLOCK && tile->n_channels > KERNEL_BLOCK)
        __builtin_prefetch (fetch->next + tile->weights_block, 0, 2);
    }
}

/* The shares that n_tiles tiles fetch it in: whole cache lines. */
INLINE size_t
tile_share (const Tile *tile, size_t n_tiles)
{
  return (tile->n_next / (n_tiles * tile->n_planes) / KERNEL_BLOCK + 1) * KERNEL_BLOCK;
}

/* n_tiles tiles of n_pixels pixels, side by side; a gathered one is alone. */
INLINE void
tile_compute (const Tile *tile, int n_vectors, int n_pixels, TileMode mode, size_t n_tiles)
{
  const size_t in_step = (size_t) n_pixels * (mode == TILE_STRIDED_16 || mode == TILE_POINTWISE ? KERNEL_BLOCK : tile->step);
  const size_t out_step = (size_t) n_pixels * tile->out_step;
  const bool   inlined = tile_is_inlined (&tile->activation);
  const size_t first = mode == TILE_POINTWISE ? (size_t) tile->offsets[0] : 0;
  TileFetch    fetch = { tile->next, tile->n_next, tile->share };

  for (size_t i = 0; i < n_tiles; i++)
    {
      const float *plane = tile->in + i * in_step, *weights = tile->weights;
      float       *out = tile->out + i * out_step;
      Vec          sum[TILE_SUMS];

      tile_start (tile, n_vectors, n_pixels, out, sum);
      for (size_t n = 0; n < tile->n_planes; n++, plane += tile->plane)
        {
          size_t inner = n + 1 < tile->n_planes ? tile->inner : tile->last_inner;

          tile_fetch (tile, &fetch);
          if (mode == TILE_POINTWISE)
            {
              if (tile->ahead)
                tile_fetch_ahead (n_pixels, plane + first + in_step);
              if (inner == KERNEL_BLOCK)
                tile_sum_block (tile, n_vectors, n_pixels, mode, weights, plane + first, sum);
              else
                tile_sum (tile, n_vectors, n_pixels, mode, inner, weights, plane + first, NULL, sum);
              weights += inner * KERNEL_BLOCK;
              continue;
            }
          for (int t = 0; t < tile->n_taps; t++)
            {
              const float *tap_weights = weights + (size_t) tile->taps[t] * inner * KERNEL_BLOCK;

              if (mode == TILE_GATHERED)
                {
                  const float *pixels[TILE_NARROW_PIXELS];

                  UNROLL for (int p = 0; p < n_pixels; p++)
                    {
                      int32_t offset = tile->offsets[t * n_pixels + p];

                      pixels[p] = offset >= 0 ? plane + offset : tile_zeros;
                    }
                  tile_sum (tile, n_vectors, n_pixels, mode, inner, tap_weights, NULL, pixels, sum);
                }
              else if (inner == KERNEL_BLOCK)
                tile_sum_block (tile, n_vectors, n_pixels, mode, tap_weights, plane + tile->offsets[t], sum);
              else if (mode == TILE_STRIDED && inner == 3) /* a row of the first layer's usual window */
                UNROLL for (size_t k = 0; k < 3; k++)
                  tile_add (tile, n_vectors, n_pixels, mode, k, tap_weights + k * KERNEL_BLOCK, plane + tile->offsets[t], NULL, sum);
              else
                tile_sum (tile, n_vectors, n_pixels, mode, inner, tap_weights, plane + tile->offsets[t], NULL, sum);
            }
          weights += (size_t) tile->all_taps * inner * KERNEL_BLOCK;
        }
      tile_store (tile, n_vectors, n_pixels, tile->residual ? tile->residual + i * out_step : NULL, out, sum);
      if (!inlined && ((i + 1) % TILE_ACTIVATED == 0 || i + 1 == n_tiles))
        tile_activate (tile, n_vectors, n_pixels * (int) (i % TILE_ACTIVATED + 1), out - i % TILE_ACTIVATED * out_step);
    }
}

/* The constant that the number of pixels is; what doesn't fit the registers is never asked for. */
INLINE void
tile_pixels (const Tile *tile, int n_vectors, int n_pixels, TileMode mode, size_t n_tiles)
{
  switch (n_pixels)
    {
    case 1:  tile_compute (tile, n_vectors, 1, mode, n_tiles); break;
    case 2:  tile_compute (tile, n_vectors, 2, mode, n_tiles); break;
    case 3:  tile_compute (tile, n_vectors, 3, mode, n_tiles); break;
    case 4:  tile_compute (tile, n_vectors, 4, mode, n_tiles); break;
    case 5:  tile_compute (tile, n_vectors, 5, mode, n_tiles); break;
#if TILE_PIXELS > 5
    case 6:  tile_compute (tile, n_vectors, 6, mode, n_tiles); break;
#endif
#if TILE_NARROW_PIXELS > 6
    default:
      if (TILE_PIXELS > 6 || (n_vectors == TILE_NARROW && (mode == TILE_STRIDED_16 || mode == TILE_POINTWISE)))
        switch (n_pixels)
          {
          case 7:  tile_compute (tile, n_vectors, 7, mode, n_tiles); break;
          case 8:  tile_compute (tile, n_vectors, 8, mode, n_tiles); break;
          case 9:  tile_compute (tile, n_vectors, 9, mode, n_tiles); break;
          case 10: tile_compute (tile, n_vectors, 10, mode, n_tiles); break;
          case 11: tile_compute (tile, n_vectors, 11, mode, n_tiles); break;
          case 12: tile_compute (tile, n_vectors, 12, mode, n_tiles); break;
          }
#endif
    }
}

/* n_vectors as a constant likewise. */
INLINE void
tile_vectors (const Tile *tile, bool narrow, int n_pixels, TileMode mode, size_t n_tiles)
{
  if (narrow)
    tile_pixels (tile, TILE_NARROW, n_pixels, mode, n_tiles);
  else
    tile_pixels (tile, TILE_VECTORS, n_pixels, mode, n_tiles);
}

static void
tile_strided (const Tile *tile, bool narrow, int n_pixels, size_t n_tiles)
{
  tile_vectors (tile, narrow, n_pixels, TILE_STRIDED, n_tiles);
}

static void
tile_strided_16 (const Tile *tile, bool narrow, int n_pixels, size_t n_tiles)
{
  tile_vectors (tile, narrow, n_pixels, TILE_STRIDED_16, n_tiles);
}

static void
tile_pointwise (const Tile *tile, bool narrow, int n_pixels, size_t n_tiles)
{
  tile_vectors (tile, narrow, n_pixels, TILE_POINTWISE, n_tiles);
}

static void
tile_gathered (const Tile *tile, bool narrow, int n_pixels)
{
  tile_vectors (tile, narrow, n_pixels, TILE_GATHERED, 1);
}

/* n pixels cut evenly into tiles of at most TILE_PIXELS: number of tiles, and the first pixel of tile i. */
INLINE size_t
tile_count (size_t n)
{
  return (n + TILE_PIXELS - 1) / TILE_PIXELS;
}

INLINE size_t
tile_first (size_t n, size_t n_tiles, size_t i)
{
  return n * i / n_tiles;
}

/* n_tiles tiles of n_pixels pixels. */
static void
tile_side_by_side (const Tile *tile, bool narrow, int n_pixels, size_t n_tiles)
{
  switch (tile->mode)
    {
    case TILE_STRIDED_16: tile_strided_16 (tile, narrow, n_pixels, n_tiles); break;
    case TILE_POINTWISE:  tile_pointwise (tile, narrow, n_pixels, n_tiles); break;
    default:              tile_strided (tile, narrow, n_pixels, n_tiles); break;
    }
}

/* n pixels of a strided row, cut into tiles whose sizes differ by one at most. */
static void
tile_row (const Tile *whole, bool narrow, size_t n)
{
  size_t  most = narrow && (whole->mode == TILE_STRIDED_16 || whole->mode == TILE_POINTWISE) ? TILE_NARROW_PIXELS : TILE_PIXELS, n_tiles = (n + most - 1) / most;
  size_t  small = n / n_tiles, n_large = n % n_tiles;
  Tile    tile = *whole;

  tile.share = tile_share (whole, n_tiles);
  if (n_large > 0)
    {
      size_t done = n_large * (small + 1), fetched;

      tile_side_by_side (&tile, narrow, (int) small + 1, n_large);
      fetched = n_large * tile.n_planes * tile.share < tile.n_next ? n_large * tile.n_planes * tile.share : tile.n_next;
      if (fetched > 0) /* otherwise there may be no next weights at all */
        {
          tile.next += fetched;
          tile.n_next -= fetched;
        }
      tile.in += done * tile.step;
      tile.out += done * tile.out_step;
      tile.residual = tile.residual ? tile.residual + done * tile.out_step : NULL;
    }
  tile_side_by_side (&tile, narrow, (int) small, n_tiles - n_large);
}

/* Makes the lanes of a block from lane n on zero. */
INLINE void
tile_clear (float *block, size_t n)
{
  static const float lanes[KERNEL_BLOCK] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 };

  for (size_t lane = n / VEC_LANES * VEC_LANES; lane < KERNEL_BLOCK; lane += VEC_LANES)
    vec_store (block + lane, vec_select (vec_less (vec_load (lanes + lane), vec_set ((float) n)), vec_load (block + lane), vec_zero ()));
}

/* Zeros past the last channel of the tile. */
INLINE void
tile_finish (const Tile *tile, size_t n_pixels)
{
  size_t n_valid = tile->n_channels % KERNEL_BLOCK;
  float *out = tile->out + tile->n_channels / KERNEL_BLOCK * tile->out_block;

  if (n_valid > 0)
    for (size_t p = 0; p < n_pixels; p++)
      tile_clear (out + p * tile->out_step, n_valid);
}

/* All output channels of the tile (up to TILE_LANES, at least a block where TILE_LANES is less) for n_pixels pixels: any number side by
 * side where the tile is strided, at most TILE_PIXELS where it is gathered. */
static void
tile_run (const Tile *whole, size_t n_pixels)
{
  Tile   tile = *whole;
  size_t done = 0;

  if (tile.pauses)
    {
      tile.residual = NULL;
      tile.activation.kind = ACTIVATION_NONE;
    }
  while (done < tile.n_channels)
    {
      bool narrow = tile.n_channels - done <= TILE_NARROW * VEC_LANES;

      tile.share = tile_share (&tile, 1);
      if (tile.mode == TILE_GATHERED)
        tile_gathered (&tile, narrow, (int) n_pixels);
      else
        tile_row (&tile, narrow, n_pixels);
      done += (narrow ? TILE_NARROW : TILE_VECTORS) * VEC_LANES;
      if (done < tile.n_channels) /* only where TILE_LANES is half a block */
        {
          tile.weights += TILE_LANES;
          tile.out += TILE_LANES;
          tile.residual = tile.residual ? tile.residual + TILE_LANES : NULL;
          tile.bias = tile.bias ? tile.bias + TILE_LANES : NULL;
        }
    }
  if (!tile.pauses)
    tile_finish (whole, n_pixels);
}

/* Output blocks that one tile_run () takes at most. */
#define TILE_BLOCKS (TILE_LANES > KERNEL_BLOCK ? TILE_LANES / KERNEL_BLOCK : 1)
