/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * vec-depthwise.h: each channel with its own window. A tile is some vectors of one block by some pixels of one row, summed over the taps in
 * registers; each input is a vector load that feeds one multiply-add.
 *
 * A tap that lies inside the image for the first and last pixel of the tile is done for all; one that crosses the border is done pixel by
 * pixel, with branches that the processor soon knows.
 */
#pragma once

#include "kernels/vec-tile.h"

#define DEPTHWISE_VECTORS (TILE_LANES < KERNEL_BLOCK ? TILE_VECTORS : KERNEL_BLOCK / VEC_LANES)

typedef struct
{
  const KernelConv *conv;
  const float      *in;        /* the block, from the tile's first lane on */
  const float      *weights;   /* (taps, 16), likewise */
  int               y, x;      /* first output pixel */
} DepthwiseTile;

INLINE void
depthwise_sum (const DepthwiseTile *tile, int n_pixels, int stride, Vec sum[DEPTHWISE_VECTORS][TILE_PIXELS])
{
  const KernelConv *conv = tile->conv;
  const int         in_x = tile->x * stride - conv->pad_left, last = (n_pixels - 1) * stride;

  for (int ky = 0; ky < conv->kernel_h; ky++)
    {
      int          in_y = tile->y * conv->stride_h - conv->pad_top + ky * conv->dilation_h;
      const float *row, *weights = tile->weights + ky * conv->kernel_w * KERNEL_BLOCK;

      if (in_y < 0 || in_y >= conv->in_h)
        continue;
      row = tile->in + (size_t) in_y * (size_t) conv->in_w * KERNEL_BLOCK;
      for (int kx = 0; kx < conv->kernel_w; kx++, weights += KERNEL_BLOCK)
        {
          int x = in_x + kx * conv->dilation_w;
          Vec w[DEPTHWISE_VECTORS];

          UNROLL for (int v = 0; v < DEPTHWISE_VECTORS; v++)
            w[v] = vec_load (weights + v * VEC_LANES);
          if (x >= 0 && x + last < conv->in_w)
            {
              const float *in = row + (size_t) x * KERNEL_BLOCK;

              UNROLL for (int p = 0; p < n_pixels; p++)
                UNROLL for (int v = 0; v < DEPTHWISE_VECTORS; v++)
                  sum[v][p] = vec_fma (vec_load (in + p * stride * KERNEL_BLOCK + v * VEC_LANES), w[v], sum[v][p]);
            }
          else
            UNROLL for (int p = 0; p < n_pixels; p++)
              if (x + p * stride >= 0 && x + p * stride < conv->in_w)
                UNROLL for (int v = 0; v < DEPTHWISE_VECTORS; v++)
                  sum[v][p] = vec_fma (vec_load (row + (size_t) (x + p * stride) * KERNEL_BLOCK + v * VEC_LANES), w[v], sum[v][p]);
        }
    }
}

INLINE void
depthwise_compute (const DepthwiseTile *tile, int n_pixels, const float *bias, const float *residual, float *out)
{
  const KernelConv *conv = tile->conv;
  const Vec         alpha = vec_set (conv->activation.alpha), beta = vec_set (conv->activation.beta);
  Vec               sum[DEPTHWISE_VECTORS][TILE_PIXELS];

  UNROLL for (int v = 0; v < DEPTHWISE_VECTORS; v++)
    {
      Vec start = bias ? vec_load (bias + v * VEC_LANES) : vec_zero ();

      UNROLL for (int p = 0; p < n_pixels; p++)
        sum[v][p] = start;
    }

  if (conv->stride_w == 1)
    depthwise_sum (tile, n_pixels, 1, sum);
  else if (conv->stride_w == 2)
    depthwise_sum (tile, n_pixels, 2, sum);
  else
    depthwise_sum (tile, n_pixels, conv->stride_w, sum);

  UNROLL for (int p = 0; p < n_pixels; p++)
    UNROLL for (int v = 0; v < DEPTHWISE_VECTORS; v++)
      {
        Vec x = sum[v][p];

        if (residual)
          x = vec_add (x, vec_load (residual + p * KERNEL_BLOCK + v * VEC_LANES));
        if (conv->activation.kind == ACTIVATION_RELU)
          x = vec_max (vec_zero (), x);
        else if (conv->activation.kind == ACTIVATION_CLIP)
          x = vec_clamp (x, alpha, beta);
        else if (conv->activation.kind == ACTIVATION_HARD_SWISH)
          x = vec_activation (ACTIVATION_HARD_SWISH, x, alpha, beta);
        vec_store (out + p * KERNEL_BLOCK + v * VEC_LANES, x);
      }
}

static void
depthwise_tile (const DepthwiseTile *tile, int n_pixels, const float *bias, const float *residual, float *out)
{
  switch (n_pixels)
    {
    case 1:  depthwise_compute (tile, 1, bias, residual, out); break;
    case 2:  depthwise_compute (tile, 2, bias, residual, out); break;
    case 3:  depthwise_compute (tile, 3, bias, residual, out); break;
    case 4:  depthwise_compute (tile, 4, bias, residual, out); break;
    case 5:  depthwise_compute (tile, 5, bias, residual, out); break;
#if TILE_PIXELS > 5
    case 6:  depthwise_compute (tile, 6, bias, residual, out); break;
#endif
#if TILE_PIXELS > 6
    case 7:  depthwise_compute (tile, 7, bias, residual, out); break;
    case 8:  depthwise_compute (tile, 8, bias, residual, out); break;
    case 9:  depthwise_compute (tile, 9, bias, residual, out); break;
    case 10: depthwise_compute (tile, 10, bias, residual, out); break;
    case 11: depthwise_compute (tile, 11, bias, residual, out); break;
    case 12: depthwise_compute (tile, 12, bias, residual, out); break;
#endif
    }
}

/* What the tiles of a row have left: activations that aren't inlined, and zeros past the last channel. */
static void
depthwise_finish (const KernelConv *conv, size_t block, float *out)
{
  size_t n_valid = conv->out_channels - block * KERNEL_BLOCK;

  if (conv->activation.kind > ACTIVATION_CLIP && conv->activation.kind != ACTIVATION_HARD_SWISH)
    vec_activate (&conv->activation, out, out, (size_t) conv->out_w * KERNEL_BLOCK);
  if (n_valid < KERNEL_BLOCK)
    for (int x = 0; x < conv->out_w; x++)
      for (size_t lane = n_valid; lane < KERNEL_BLOCK; lane++)
        out[(size_t) x * KERNEL_BLOCK + lane] = 0.0f;
}

static void
vec_depthwise (const KernelConv *conv, size_t first_block, size_t last_block, size_t first_row, size_t last_row)
{
  size_t width = (size_t) conv->out_w, n_tiles = tile_count (width), taps = (size_t) conv->kernel_h * (size_t) conv->kernel_w;

  for (size_t block = first_block; block < last_block; block++)
    for (size_t y = first_row; y < last_row; y++)
      {
        size_t row = block * conv->out_plane + y * width * KERNEL_BLOCK;

        for (size_t lane = 0; lane < KERNEL_BLOCK; lane += DEPTHWISE_VECTORS * VEC_LANES)
          for (size_t i = 0; i < n_tiles; i++)
            {
              size_t        x = tile_first (width, n_tiles, i), place = row + x * KERNEL_BLOCK + lane;
              DepthwiseTile tile = {
                .conv = conv, .in = conv->in + block * conv->in_plane + lane, .weights = conv->weights + block * taps * KERNEL_BLOCK + lane,
                .y = (int) y, .x = (int) x,
              };

              depthwise_tile (&tile, (int) (tile_first (width, n_tiles, i + 1) - x),
                              conv->bias ? conv->bias + block * KERNEL_BLOCK + lane : NULL, conv->residual ? conv->residual + place : NULL,
                              conv->out + place);
            }
        depthwise_finish (conv, block, conv->out + row);
      }
}
