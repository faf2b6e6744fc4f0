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

/* Sums of a tile: TILE_VECTORS by TILE_PIXELS, or TILE_NARROW by up to TILE_NARROW_PIXELS. */
#define TILE_SUMS (TILE_VECTORS * TILE_PIXELS)

typedef enum
{
  TILE_STRIDED,
  TILE_STRIDED_16, /* strided with a step of one blocked pixel, known to the compiler */
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
} Tile;

static const float tile_zeros[KERNEL_BLOCK];

/* Floats from the first output channel of a tile to the first of its vector v, where 16 channels are `block` floats apart. */
INLINE size_t
tile_vector (int v, size_t block)
{
  return (size_t) (v * VEC_LANES / KERNEL_BLOCK) * block + (size_t) (v * VEC_LANES % KERNEL_BLOCK);
}

/* sum += weights (n, vectors) * pixels (n) for n input channels. n_vectors, n_pixels and mode are constants where this is called. */
INLINE void
tile_sum (const Tile *tile, int n_vectors, int n_pixels, TileMode mode, size_t n, const float *weights, const float *in,
          const float *const *pixels, Vec sum[TILE_SUMS])
{
  const size_t step = mode == TILE_STRIDED_16 ? KERNEL_BLOCK : tile->step, block = tile->weights_block;

  for (size_t i = 0; i < n; i++, weights += KERNEL_BLOCK)
    {
      Vec w[TILE_VECTORS];

      UNROLL for (int v = 0; v < n_vectors; v++)
        w[v] = vec_load (weights + tile_vector (v, block));
      UNROLL for (int p = 0; p < n_pixels; p++)
        {
          Vec x = vec_set (mode == TILE_GATHERED ? pixels[p][i] : in[(size_t) p * step + i]);

          UNROLL for (int v = 0; v < n_vectors; v++)
            sum[v * n_pixels + p] = vec_fma (w[v], x, sum[v * n_pixels + p]);
        }
    }
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

/* Residual and the cheap activations are done here, the others afterwards in tile_finish (). */
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

/* The share of the weights wanted next that begins at `at`. */
INLINE void
tile_fetch (const Tile *tile, size_t at)
{
  size_t end = at + tile->share < tile->n_next ? at + tile->share : tile->n_next;

  for (; at < end; at += KERNEL_BLOCK)
    for (size_t channel = 0; channel < tile->n_channels; channel += KERNEL_BLOCK)
      __builtin_prefetch (tile->next + channel / KERNEL_BLOCK * tile->weights_block + at, 0, 2);
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
  const size_t in_step = (size_t) n_pixels * (mode == TILE_STRIDED_16 ? KERNEL_BLOCK : tile->step);
  const size_t out_step = (size_t) n_pixels * tile->out_step;

  for (size_t i = 0; i < n_tiles; i++)
    {
      const float *plane = tile->in + i * in_step, *weights = tile->weights;
      float       *out = tile->out + i * out_step;
      Vec          sum[TILE_SUMS];

      tile_start (tile, n_vectors, n_pixels, out, sum);
      for (size_t n = 0; n < tile->n_planes; n++, plane += tile->plane)
        {
          size_t inner = n + 1 < tile->n_planes ? tile->inner : tile->last_inner;

          tile_fetch (tile, (i * tile->n_planes + n) * tile->share);
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
              else
                tile_sum (tile, n_vectors, n_pixels, mode, inner, tap_weights, plane + tile->offsets[t], NULL, sum);
            }
          weights += (size_t) tile->all_taps * inner * KERNEL_BLOCK;
        }
      tile_store (tile, n_vectors, n_pixels, tile->residual ? tile->residual + i * out_step : NULL, out, sum);
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
      if (TILE_PIXELS > 6 || (n_vectors == TILE_NARROW && mode == TILE_STRIDED_16))
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

static void
tile_strided_16_wide (const Tile *tile, int n_pixels, size_t n_tiles)
{
  tile_pixels (tile, TILE_VECTORS, n_pixels, TILE_STRIDED_16, n_tiles);
}

static void
tile_strided_16_narrow (const Tile *tile, int n_pixels, size_t n_tiles)
{
  tile_pixels (tile, TILE_NARROW, n_pixels, TILE_STRIDED_16, n_tiles);
}

static void
tile_strided_wide (const Tile *tile, int n_pixels, size_t n_tiles)
{
  tile_pixels (tile, TILE_VECTORS, n_pixels, TILE_STRIDED, n_tiles);
}

static void
tile_strided_narrow (const Tile *tile, int n_pixels, size_t n_tiles)
{
  tile_pixels (tile, TILE_NARROW, n_pixels, TILE_STRIDED, n_tiles);
}

static void
tile_gathered_wide (const Tile *tile, int n_pixels)
{
  tile_pixels (tile, TILE_VECTORS, n_pixels, TILE_GATHERED, 1);
}

static void
tile_gathered_narrow (const Tile *tile, int n_pixels)
{
  tile_pixels (tile, TILE_NARROW, n_pixels, TILE_GATHERED, 1);
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

/* n pixels of a strided row, cut into tiles whose sizes differ by one at most. */
static void
tile_row (const Tile *whole, bool narrow, size_t n)
{
  size_t most = narrow && whole->mode == TILE_STRIDED_16 ? TILE_NARROW_PIXELS : TILE_PIXELS, n_tiles = (n + most - 1) / most;
  size_t small = n / n_tiles, n_large = n % n_tiles;
  Tile   tile = *whole;
  void (*run) (const Tile *tile, int n_pixels, size_t n_tiles) = whole->mode == TILE_STRIDED_16
                                                                     ? (narrow ? tile_strided_16_narrow : tile_strided_16_wide)
                                                                     : (narrow ? tile_strided_narrow : tile_strided_wide);

  tile.share = tile_share (whole, n_tiles);
  if (n_large > 0)
    {
      size_t done = n_large * (small + 1), fetched;

      run (&tile, (int) small + 1, n_large);
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
  run (&tile, (int) small, n_tiles - n_large);
}

/* Makes the lanes of a block from lane n on zero. */
INLINE void
tile_clear (float *block, size_t n)
{
  static const float lanes[KERNEL_BLOCK] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 };

  for (size_t lane = n / VEC_LANES * VEC_LANES; lane < KERNEL_BLOCK; lane += VEC_LANES)
    vec_store (block + lane, vec_select (vec_less (vec_load (lanes + lane), vec_set ((float) n)), vec_load (block + lane), vec_zero ()));
}

/* What the registers' form of the tile has left: activations that aren't inlined, and zeros past the last channel. `n` channels were
 * written. */
INLINE void
tile_finish (const Tile *tile, size_t n, size_t n_pixels)
{
  size_t last = (tile->n_channels + KERNEL_BLOCK - 1) / KERNEL_BLOCK * KERNEL_BLOCK;
  bool   inlined = tile->activation.kind <= ACTIVATION_CLIP || tile->activation.kind == ACTIVATION_HARD_SWISH;

  if (inlined && tile->n_channels == last)
    return;
  for (size_t first = 0; first < last; first += KERNEL_BLOCK)
    {
      size_t n_here = n - first < KERNEL_BLOCK ? n - first : KERNEL_BLOCK;
      size_t n_valid = tile->n_channels - first < KERNEL_BLOCK ? tile->n_channels - first : KERNEL_BLOCK;
      float *out = tile->out + first / KERNEL_BLOCK * tile->out_block;

      if (!inlined && n_here == KERNEL_BLOCK && tile->out_step == KERNEL_BLOCK)
        vec_activate (&tile->activation, out, out, n_pixels * KERNEL_BLOCK);
      else if (!inlined)
        for (size_t p = 0; p < n_pixels; p++)
          vec_activate (&tile->activation, out + p * tile->out_step, out + p * tile->out_step, n_here);
      if (n_valid < KERNEL_BLOCK)
        for (size_t p = 0; p < n_pixels; p++)
          tile_clear (out + p * tile->out_step, n_valid);
    }
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
        (narrow ? tile_gathered_narrow : tile_gathered_wide) (&tile, (int) n_pixels);
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
    tile_finish (whole, done, n_pixels);
}

/* Output blocks that one tile_run () takes at most. */
#define TILE_BLOCKS (TILE_LANES > KERNEL_BLOCK ? TILE_LANES / KERNEL_BLOCK : 1)
