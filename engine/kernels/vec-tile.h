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
          const float *const *pixels, Vec sum[TILE_VECTORS][TILE_PIXELS])
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
            sum[v][p] = vec_fma (w[v], x, sum[v][p]);
        }
    }
}

/* Bias is in the sums already. Residual and the cheap activations are done here, the others afterwards in tile_finish (). */
INLINE void
tile_store (const Tile *tile, int n_vectors, int n_pixels, Vec sum[TILE_VECTORS][TILE_PIXELS])
{
  const Vec alpha = vec_set (tile->activation.alpha), beta = vec_set (tile->activation.beta);

  if (tile->residual)
    UNROLL for (int p = 0; p < n_pixels; p++)
      UNROLL for (int v = 0; v < n_vectors; v++)
        sum[v][p] = vec_add (sum[v][p], vec_load (tile->residual + (size_t) p * tile->out_step + tile_vector (v, tile->out_block)));

  if (tile->activation.kind == ACTIVATION_RELU)
    UNROLL for (int p = 0; p < n_pixels; p++)
      UNROLL for (int v = 0; v < n_vectors; v++)
        sum[v][p] = vec_max (vec_zero (), sum[v][p]);
  else if (tile->activation.kind == ACTIVATION_CLIP)
    UNROLL for (int p = 0; p < n_pixels; p++)
      UNROLL for (int v = 0; v < n_vectors; v++)
        sum[v][p] = vec_clamp (sum[v][p], alpha, beta);
  else if (tile->activation.kind == ACTIVATION_HARD_SWISH)
    UNROLL for (int p = 0; p < n_pixels; p++)
      UNROLL for (int v = 0; v < n_vectors; v++)
        sum[v][p] = vec_activation (ACTIVATION_HARD_SWISH, sum[v][p], alpha, beta);

  UNROLL for (int p = 0; p < n_pixels; p++)
    UNROLL for (int v = 0; v < n_vectors; v++)
      vec_store (tile->out + (size_t) p * tile->out_step + tile_vector (v, tile->out_block), sum[v][p]);
}

INLINE void
tile_compute (const Tile *tile, int n_vectors, int n_pixels, TileMode mode)
{
  Vec          sum[TILE_VECTORS][TILE_PIXELS];
  const float *plane = tile->in, *weights = tile->weights;

  UNROLL for (int v = 0; v < n_vectors; v++)
    {
      Vec bias = tile->bias ? vec_load (tile->bias + v * VEC_LANES) : vec_zero ();

      UNROLL for (int p = 0; p < n_pixels; p++)
        sum[v][p] = bias;
    }

  for (size_t n = 0; n < tile->n_planes; n++, plane += tile->plane)
    {
      size_t inner = n + 1 < tile->n_planes ? tile->inner : tile->last_inner;

      for (int t = 0; t < tile->n_taps; t++)
        {
          const float *tap_weights = weights + (size_t) tile->taps[t] * inner * KERNEL_BLOCK;

          if (mode == TILE_GATHERED)
            {
              const float *pixels[TILE_PIXELS];

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
  tile_store (tile, n_vectors, n_pixels, sum);
}

INLINE void
tile_pixels (const Tile *tile, int n_vectors, int n_pixels, TileMode mode)
{
  switch (n_pixels)
    {
    case 1:  tile_compute (tile, n_vectors, 1, mode); break;
    case 2:  tile_compute (tile, n_vectors, 2, mode); break;
    case 3:  tile_compute (tile, n_vectors, 3, mode); break;
    case 4:  tile_compute (tile, n_vectors, 4, mode); break;
    case 5:  tile_compute (tile, n_vectors, 5, mode); break;
#if TILE_PIXELS > 5
    case 6:  tile_compute (tile, n_vectors, 6, mode); break;
#endif
#if TILE_PIXELS > 6
    case 7:  tile_compute (tile, n_vectors, 7, mode); break;
    case 8:  tile_compute (tile, n_vectors, 8, mode); break;
    case 9:  tile_compute (tile, n_vectors, 9, mode); break;
    case 10: tile_compute (tile, n_vectors, 10, mode); break;
    case 11: tile_compute (tile, n_vectors, 11, mode); break;
    case 12: tile_compute (tile, n_vectors, 12, mode); break;
#endif
    }
}

static void
tile_strided_16_wide (const Tile *tile, int n_pixels)
{
  tile_pixels (tile, TILE_VECTORS, n_pixels, TILE_STRIDED_16);
}

static void
tile_strided_16_narrow (const Tile *tile, int n_pixels)
{
  tile_pixels (tile, TILE_NARROW, n_pixels, TILE_STRIDED_16);
}

static void
tile_strided_wide (const Tile *tile, int n_pixels)
{
  tile_pixels (tile, TILE_VECTORS, n_pixels, TILE_STRIDED);
}

static void
tile_strided_narrow (const Tile *tile, int n_pixels)
{
  tile_pixels (tile, TILE_NARROW, n_pixels, TILE_STRIDED);
}

static void
tile_gathered_wide (const Tile *tile, int n_pixels)
{
  tile_pixels (tile, TILE_VECTORS, n_pixels, TILE_GATHERED);
}

static void
tile_gathered_narrow (const Tile *tile, int n_pixels)
{
  tile_pixels (tile, TILE_NARROW, n_pixels, TILE_GATHERED);
}

/* What the registers' form of the tile has left: activations that aren't inlined, and zeros past the last channel. `n` channels were
 * written. */
INLINE void
tile_finish (const Tile *tile, size_t n, int n_pixels)
{
  size_t last = (tile->n_channels + KERNEL_BLOCK - 1) / KERNEL_BLOCK * KERNEL_BLOCK;
  bool   inlined = tile->activation.kind <= ACTIVATION_CLIP || tile->activation.kind == ACTIVATION_HARD_SWISH;

  for (size_t first = 0; first < last; first += KERNEL_BLOCK)
    {
      size_t n_here = n - first < KERNEL_BLOCK ? n - first : KERNEL_BLOCK;
      size_t n_valid = tile->n_channels - first < KERNEL_BLOCK ? tile->n_channels - first : KERNEL_BLOCK;

      for (int p = 0; p < n_pixels; p++)
        {
          float *out = tile->out + (size_t) p * tile->out_step + first / KERNEL_BLOCK * tile->out_block;

          if (!inlined)
            vec_activate (&tile->activation, out, out, n_here);
          for (size_t lane = n_valid; lane < KERNEL_BLOCK; lane++)
            out[lane] = 0.0f;
        }
    }
}

/* All output channels of the tile (up to TILE_LANES, at least a block where TILE_LANES is less) for n_pixels pixels. */
static void
tile_run (const Tile *whole, int n_pixels)
{
  Tile   tile = *whole;
  size_t done = 0;

  while (done < tile.n_channels)
    {
      bool narrow = tile.n_channels - done <= TILE_NARROW * VEC_LANES;

      switch (tile.mode)
        {
        case TILE_STRIDED:    (narrow ? tile_strided_narrow : tile_strided_wide) (&tile, n_pixels); break;
        case TILE_STRIDED_16: (narrow ? tile_strided_16_narrow : tile_strided_16_wide) (&tile, n_pixels); break;
        case TILE_GATHERED:   (narrow ? tile_gathered_narrow : tile_gathered_wide) (&tile, n_pixels); break;
        }
      done += (narrow ? TILE_NARROW : TILE_VECTORS) * VEC_LANES;
      if (done < tile.n_channels) /* only where TILE_LANES is half a block */
        {
          tile.weights += TILE_LANES;
          tile.out += TILE_LANES;
          tile.residual = tile.residual ? tile.residual + TILE_LANES : NULL;
          tile.bias = tile.bias ? tile.bias + TILE_LANES : NULL;
        }
    }
  tile_finish (whole, done, n_pixels);
}

/* Output blocks that one tile_run () takes at most. */
#define TILE_BLOCKS (TILE_LANES > KERNEL_BLOCK ? TILE_LANES / KERNEL_BLOCK : 1)

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
