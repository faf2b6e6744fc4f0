/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * vec-depthwise.h: each channel with its own window.
 *
 * The usual windows, 3x3 and 5x5 with stride 1 or 2, go row by row in strips of one vector by four to six pixels. Each input is loaded once and
 * feeds all sums whose window it is in:
 *
 *   inputs   i0 i1 i2 i3 i4 i5 i6 i7       sum[p] += i[p stride + kx] weights[ky][kx]
 *   sums        s0 s1 s2 s3 s4 s5
 *
 * The last strip of a row is moved to the left until it fits: what it computes again has the same bits. Everything else goes in tiles of some
 * vectors of one block by some pixels of one row; there each input is a vector load that feeds one multiply-add. A tap that lies inside the
 * image for the first and last pixel of the tile is done for all; one that crosses the border is done pixel by pixel, with branches that the
 * processor soon knows.
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

/* ---- strips ------------------------------------------------------------------------------------------------ */

#define DEPTHWISE_LEAST 4 /* pixels of a strip */
#define DEPTHWISE_MOST  6

/* What a strip reads and writes: one vector of channels. */
typedef struct
{
  const float *rows[5];     /* of the input, those that the window has inside the image, from column 0 on */
  const float *weights[5];  /* of these rows: (kernel_w, 16) */
  int          n_rows, width; /* columns of the input */
  Vec          bias;
  Activation   activation;
} DepthwiseStrip;

#define DEPTHWISE_CHECKED (-1)

/* The strip of n pixels whose first window begins in column x. Of its columns `left` at its beginning and `right` at its end lie outside, both known to
 * the compiler, or DEPTHWISE_CHECKED: each is looked at. */
INLINE void
depthwise_strip (const DepthwiseStrip *strip, int n, int kernel, int stride, int left, int right, int x, float *out)
{
  const Vec alpha = vec_set (strip->activation.alpha), beta = vec_set (strip->activation.beta);
  const int span = (n - 1) * stride + kernel;
  Vec       sum[DEPTHWISE_MOST];

  UNROLL for (int p = 0; p < n; p++)
    sum[p] = strip->bias;
  for (int row = 0; row < strip->n_rows; row++)
    {
      const float *in = strip->rows[row] + (ptrdiff_t) x * KERNEL_BLOCK;
      Vec          w[5];

      UNROLL for (int kx = 0; kx < kernel; kx++)
        w[kx] = vec_load (strip->weights[row] + kx * KERNEL_BLOCK);
      UNROLL for (int i = 0; i < span; i++)
        if (left == DEPTHWISE_CHECKED ? x + i >= 0 && x + i < strip->width : i >= left && i < span - right)
          {
            Vec input = vec_load (in + i * KERNEL_BLOCK);

            UNROLL for (int kx = 0; kx < kernel; kx++)
              if (i >= kx && (i - kx) % stride == 0 && (i - kx) / stride < n)
                sum[(i - kx) / stride] = vec_fma (input, w[kx], sum[(i - kx) / stride]);
          }
    }
  UNROLL for (int p = 0; p < n; p++)
    {
      if (strip->activation.kind == ACTIVATION_RELU)
        sum[p] = vec_max (vec_zero (), sum[p]);
      else if (strip->activation.kind == ACTIVATION_CLIP)
        sum[p] = vec_clamp (sum[p], alpha, beta);
      else if (strip->activation.kind == ACTIVATION_HARD_SWISH)
        sum[p] = vec_activation (ACTIVATION_HARD_SWISH, sum[p], alpha, beta);
      vec_store (out + p * KERNEL_BLOCK, sum[p]);
    }
}

/* A strip whose columns outside aren't the usual ones, as short ones, of which the last is moved to the left. */
static void
depthwise_checked (const DepthwiseStrip *strip, int n, int kernel, int stride, int x, float *out)
{
  for (int done = 0; done < n; done += DEPTHWISE_LEAST)
    {
      int    first = done + DEPTHWISE_LEAST <= n ? done : n - DEPTHWISE_LEAST, column = x + first * stride;
      float *place = out + first * KERNEL_BLOCK;

      if (kernel == 3 && stride == 1)
        depthwise_strip (strip, DEPTHWISE_LEAST, 3, 1, DEPTHWISE_CHECKED, DEPTHWISE_CHECKED, column, place);
      else if (kernel == 3)
        depthwise_strip (strip, DEPTHWISE_LEAST, 3, 2, DEPTHWISE_CHECKED, DEPTHWISE_CHECKED, column, place);
      else if (stride == 1)
        depthwise_strip (strip, DEPTHWISE_LEAST, 5, 1, DEPTHWISE_CHECKED, DEPTHWISE_CHECKED, column, place);
      else
        depthwise_strip (strip, DEPTHWISE_LEAST, 5, 2, DEPTHWISE_CHECKED, DEPTHWISE_CHECKED, column, place);
    }
}

/* One row of at least n pixels. The usual paddings have forms of their own. */
INLINE void
depthwise_strips (const DepthwiseStrip *strip, int n, int kernel, int stride, int pad_left, int out_w, float *out)
{
  const int span = (n - 1) * stride + kernel, usual_left = kernel / 2, usual_right = kernel / 2 + 1 - stride;

  for (int done = 0; done < out_w; done += n)
    {
      int    first = done + n <= out_w ? done : out_w - n, x = first * stride - pad_left;
      int    left = x < 0 ? -x : 0, right = x + span > strip->width ? x + span - strip->width : 0;
      float *place = out + (size_t) first * KERNEL_BLOCK;

      if (left == 0 && right == 0)
        depthwise_strip (strip, n, kernel, stride, 0, 0, x, place);
      else if (left == usual_left && right == 0)
        depthwise_strip (strip, n, kernel, stride, usual_left, 0, x, place);
      else if (left == 0 && right == usual_right)
        depthwise_strip (strip, n, kernel, stride, 0, usual_right, x, place);
      else
        depthwise_checked (strip, n, kernel, stride, x, place);
    }
}

/* As few strips as the row needs, and these as short as that allows: 7 pixels are two strips of 4, 14 three of 5. */
INLINE void
depthwise_strips_even (const DepthwiseStrip *strip, int kernel, int stride, int pad_left, int out_w, float *out)
{
  int n_strips = (out_w + DEPTHWISE_MOST - 1) / DEPTHWISE_MOST;

  switch ((out_w + n_strips - 1) / n_strips)
    {
    case 6:  depthwise_strips (strip, 6, kernel, stride, pad_left, out_w, out); break;
    case 5:  depthwise_strips (strip, 5, kernel, stride, pad_left, out_w, out); break;
    default: depthwise_strips (strip, DEPTHWISE_LEAST, kernel, stride, pad_left, out_w, out); break;
    }
}

static void
depthwise_strips_3_1 (const DepthwiseStrip *strip, int pad_left, int out_w, float *out)
{
  depthwise_strips_even (strip, 3, 1, pad_left, out_w, out);
}

static void
depthwise_strips_3_2 (const DepthwiseStrip *strip, int pad_left, int out_w, float *out)
{
  depthwise_strips_even (strip, 3, 2, pad_left, out_w, out);
}

static void
depthwise_strips_5_1 (const DepthwiseStrip *strip, int pad_left, int out_w, float *out)
{
  depthwise_strips_even (strip, 5, 1, pad_left, out_w, out);
}

static void
depthwise_strips_5_2 (const DepthwiseStrip *strip, int pad_left, int out_w, float *out)
{
  depthwise_strips_even (strip, 5, 2, pad_left, out_w, out);
}

/* The usual windows. What a strip computes twice must not depend on what it has written. */
static bool
depthwise_takes_strips (const KernelConv *conv)
{
  return conv->kernel_w == conv->kernel_h && (conv->kernel_w == 3 || conv->kernel_w == 5) && conv->dilation_w == 1 &&
         (conv->stride_w == 1 || conv->stride_w == 2) && conv->out_w >= DEPTHWISE_LEAST && !conv->residual;
}

/* Row y of one block. */
static void
depthwise_row_of_strips (const KernelConv *conv, size_t block, int y, float *out)
{
  const float   *in = conv->in + block * conv->in_plane;
  const float   *weights = conv->weights + block * (size_t) (conv->kernel_h * conv->kernel_w) * KERNEL_BLOCK;
  DepthwiseStrip strip = { .width = conv->in_w, .activation = conv->activation };
  void (*run) (const DepthwiseStrip *strip, int pad_left, int out_w, float *out) =
      conv->kernel_w == 3 ? (conv->stride_w == 1 ? depthwise_strips_3_1 : depthwise_strips_3_2)
                          : (conv->stride_w == 1 ? depthwise_strips_5_1 : depthwise_strips_5_2);

  for (size_t lane = 0; lane < KERNEL_BLOCK; lane += VEC_LANES)
    {
      strip.n_rows = 0;
      strip.bias = conv->bias ? vec_load (conv->bias + block * KERNEL_BLOCK + lane) : vec_zero ();
      for (int ky = 0; ky < conv->kernel_h; ky++)
        {
          int in_y = y * conv->stride_h - conv->pad_top + ky * conv->dilation_h;

          if (in_y < 0 || in_y >= conv->in_h)
            continue;
          strip.rows[strip.n_rows] = in + (size_t) in_y * (size_t) conv->in_w * KERNEL_BLOCK + lane;
          strip.weights[strip.n_rows++] = weights + (size_t) (ky * conv->kernel_w) * KERNEL_BLOCK + lane;
        }
      run (&strip, conv->pad_left, conv->out_w, out + lane);
    }
}

/* ---- rows -------------------------------------------------------------------------------------------------- */

/* Row y of one block, in tiles. */
static void
depthwise_row_of_tiles (const KernelConv *conv, size_t block, int y, size_t row)
{
  size_t width = (size_t) conv->out_w, n_tiles = tile_count (width), taps = (size_t) conv->kernel_h * (size_t) conv->kernel_w;

  for (size_t lane = 0; lane < KERNEL_BLOCK; lane += DEPTHWISE_VECTORS * VEC_LANES)
    for (size_t i = 0; i < n_tiles; i++)
      {
        size_t        x = tile_first (width, n_tiles, i), place = row + x * KERNEL_BLOCK + lane;
        DepthwiseTile tile = {
          .conv = conv, .in = conv->in + block * conv->in_plane + lane, .weights = conv->weights + block * taps * KERNEL_BLOCK + lane,
          .y = y, .x = (int) x,
        };

        depthwise_tile (&tile, (int) (tile_first (width, n_tiles, i + 1) - x), conv->bias ? conv->bias + block * KERNEL_BLOCK + lane : NULL,
                        conv->residual ? conv->residual + place : NULL, conv->out + place);
      }
}

/* What strips and tiles of a row have left: activations that aren't inlined, and zeros past the last channel. */
static void
depthwise_finish (const KernelConv *conv, size_t block, float *out)
{
  size_t n_valid = conv->out_channels - block * KERNEL_BLOCK;

  if (conv->activation.kind > ACTIVATION_CLIP && conv->activation.kind != ACTIVATION_HARD_SWISH)
    vec_activate (&conv->activation, out, out, (size_t) conv->out_w * KERNEL_BLOCK);
  if (n_valid < KERNEL_BLOCK)
    for (int x = 0; x < conv->out_w; x++)
      tile_clear (out + (size_t) x * KERNEL_BLOCK, n_valid);
}

static void
vec_depthwise (const KernelConv *conv, size_t first_block, size_t last_block, size_t first_row, size_t last_row)
{
  bool strips = depthwise_takes_strips (conv);

  for (size_t block = first_block; block < last_block; block++)
    for (size_t y = first_row; y < last_row; y++)
      {
        size_t row = block * conv->out_plane + y * (size_t) conv->out_w * KERNEL_BLOCK;

        if (strips)
          depthwise_row_of_strips (conv, block, (int) y, conv->out + row);
        else
          depthwise_row_of_tiles (conv, block, (int) y, row);
        depthwise_finish (conv, block, conv->out + row);
      }
}
