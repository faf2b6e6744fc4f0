/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * vec-winograd.h: Winograd convolution F(4x4, 3x3) in three steps: 6x6 inputs of each tile are transformed, 36 products of (tiles, C) by
 * (C, K) take the place of the 3x3 sums, and each 6x6 product is transformed back to 4x4 outputs: 36 instead of 144 multiplications. F(2x2, 3x3)
 * likewise: 4x4 inputs, 16 products instead of 36.
 * Lavin and Gray, "Fast algorithms for convolutional neural networks", arXiv 1509.09308.
 *
 *   transformed input (size, C/16, tiles, 16)    products (size, WINOGRAD_BLOCKS, tiles, 16)    size = side^2, side = m + 2
 *
 * An element's input is multiplied for some output blocks before the next element's turn, so that it is read from the first-level cache. The
 * weights, which each band of tiles uses once, come from memory while others are multiplied.
 */
#pragma once

#include "kernels/vec-tile.h"

/* Output blocks that are multiplied together. */
#define WINOGRAD_BLOCKS 4

/* Blocks of input channels that are summed up at once: their weights and inputs stay in the first-level cache while all tiles pass by. */
#define WINOGRAD_PLANES 8

#define SIDE KERNEL_WINOGRAD_MOST

/* B' x of one row or column: six numbers, or four. The side is a constant where this is called, as in all that follows. */
INLINE void
winograd_in (int side, const Vec x[SIDE], Vec out[SIDE])
{
  const Vec two = vec_set (2.0f), four = vec_set (4.0f), minus_four = vec_set (-4.0f), minus_five = vec_set (-5.0f);
  Vec       a, b, c, d;

  if (side == 4)
    {
      out[0] = vec_sub (x[0], x[2]);
      out[1] = vec_add (x[1], x[2]);
      out[2] = vec_sub (x[2], x[1]);
      out[3] = vec_sub (x[1], x[3]);
      return;
    }
  a = vec_fma (minus_four, x[2], x[4]); /* x4 - 4 x2 */
  b = vec_fma (minus_four, x[1], x[3]); /* x3 - 4 x1 */
  c = vec_sub (x[4], x[2]);
  d = vec_mul (two, vec_sub (x[3], x[1]));
  out[0] = vec_fma (four, x[0], vec_fma (minus_five, x[2], x[4]));
  out[1] = vec_add (a, b);
  out[2] = vec_sub (a, b);
  out[3] = vec_add (c, d);
  out[4] = vec_sub (c, d);
  out[5] = vec_fma (four, x[1], vec_fma (minus_five, x[3], x[5]));
}

/* A' x: six to four, or four to two. */
INLINE void
winograd_out (int side, const Vec x[SIDE], Vec out[4])
{
  Vec a = vec_add (x[1], x[2]), b = vec_sub (x[1], x[2]), c, d;

  if (side == 4)
    {
      out[0] = vec_add (x[0], a);
      out[1] = vec_sub (b, x[3]);
      return;
    }
  c = vec_add (x[3], x[4]);
  d = vec_sub (x[3], x[4]);
  out[0] = vec_add (x[0], vec_add (a, c));
  out[1] = vec_fma (vec_set (2.0f), d, b);
  out[2] = vec_fma (vec_set (4.0f), c, a);
  out[3] = vec_add (x[5], vec_fma (vec_set (8.0f), d, b));
}

/* One tile of one vector of channels: `in` is the image of the block, (y, x) its first input, outputs `step` floats apart. */
INLINE void
winograd_input_side (int side, const KernelConv *conv, const float *in, int y, int x, float *out, size_t step)
{
  bool inside = y >= 0 && x >= 0 && y + side <= conv->in_h && x + side <= conv->in_w;
  Vec  half[SIDE][SIDE];

  for (int j = 0; j < side; j++)
    {
      Vec column[SIDE], transformed[SIDE];

      UNROLL for (int i = 0; i < side; i++)
        column[i] = inside || (y + i >= 0 && y + i < conv->in_h && x + j >= 0 && x + j < conv->in_w)
                      ? vec_load (in + ((ptrdiff_t) (y + i) * conv->in_w + x + j) * KERNEL_BLOCK) : vec_zero ();
      winograd_in (side, column, transformed);
      UNROLL for (int i = 0; i < side; i++)
        half[i][j] = transformed[i];
    }
  for (int i = 0; i < side; i++)
    {
      Vec transformed[SIDE];

      winograd_in (side, half[i], transformed);
      UNROLL for (int j = 0; j < side; j++)
        vec_store (out + (size_t) (i * side + j) * step, transformed[j]);
    }
}

static void
winograd_input_tile (int side, const KernelConv *conv, const float *in, int y, int x, float *out, size_t step)
{
  if (side == 4)
    winograd_input_side (4, conv, in, y, x, out, step);
  else
    winograd_input_side (6, conv, in, y, x, out, step);
}

static void
vec_winograd_input (const KernelWinograd *winograd, size_t first_block, size_t last_block, size_t first, size_t last, float *out)
{
  const KernelConv *conv = &winograd->conv;
  size_t            n_tiles = last - first, step = kernel_winograd_step (kernel_blocks (conv->in_channels), n_tiles);

  for (size_t block = first_block; block < last_block; block++)
    for (size_t i = 0; i < n_tiles; i++)
      {
        int    y = (int) ((first + i) / winograd->tiles_x) * winograd->m - conv->pad_top;
        int    x = (int) ((first + i) % winograd->tiles_x) * winograd->m - conv->pad_left;
        float *tile = out + (block * n_tiles + i) * KERNEL_BLOCK;

        for (size_t lane = 0; lane < KERNEL_BLOCK; lane += VEC_LANES)
          winograd_input_tile (winograd->m + 2, conv, conv->in + block * conv->in_plane + lane, y, x, tile + lane, step);
      }
}

/* The products of one element, and of the output blocks [block, block + TILE_BLOCKS): some input blocks at a time. tile: all that doesn't depend on
 * these. next: the weights of the product after this one, NULL if there is none. */
static void
winograd_product (const KernelConv *conv, Tile *tile, const float *in, const float *weights, const float *next)
{
  size_t blocks = kernel_blocks (conv->in_channels), n_tiles = tile->plane / KERNEL_BLOCK, end;

  for (size_t block = 0; block < blocks; block = end)
    {
      size_t channel = block * KERNEL_BLOCK, last;

      end = block + WINOGRAD_PLANES < blocks ? block + WINOGRAD_PLANES : blocks;
      last = end < blocks ? end * KERNEL_BLOCK : conv->in_channels;
      tile->in = in + block * tile->plane;
      tile->weights = weights + channel * KERNEL_BLOCK;
      tile->n_planes = end - block;
      tile->last_inner = last - (end - 1) * KERNEL_BLOCK;
      tile->resumes = block > 0;
      tile->pauses = end < blocks;
      tile->next = end < blocks ? weights + last * KERNEL_BLOCK : next;
      tile->n_next = tile->next ? (last - channel) * KERNEL_BLOCK : 0;
      tile_run (tile, n_tiles);
    }
}

/* The products of n_blocks output blocks. */
static void
winograd_multiply (const KernelWinograd *winograd, size_t first_block, size_t n_blocks, size_t n_tiles, const float *in, float *products)
{
  static const int16_t taps[1] = { 0 };
  static const int32_t offsets[1] = { 0 };
  const KernelConv    *conv = &winograd->conv;
  size_t               blocks = kernel_blocks (conv->in_channels), size = kernel_winograd_size (winograd->m);
  size_t               in_step = kernel_winograd_step (blocks, n_tiles), out_step = kernel_winograd_step (WINOGRAD_BLOCKS, n_tiles);
  const float         *first = conv->weights + first_block * size * conv->in_channels * KERNEL_BLOCK;
  Tile                 tile = {
                    .mode = TILE_POINTWISE,
                    .plane = n_tiles * KERNEL_BLOCK,
                    .inner = KERNEL_BLOCK,
                    .step = KERNEL_BLOCK,
                    .n_taps = 1,
                    .all_taps = 1,
                    .taps = taps,
                    .offsets = offsets,
                    .weights_block = size * conv->in_channels * KERNEL_BLOCK,
                    .out_step = KERNEL_BLOCK,
                    .out_block = n_tiles * KERNEL_BLOCK,
                    .ahead = blocks > WINOGRAD_PLANES, /* from 256 channels on 5 to 20 % faster; with fewer 2 % slower */
  };

  for (size_t element = 0; element < size; element++)
    for (size_t b = 0; b < n_blocks; b += TILE_BLOCKS)
      {
        const float *weights = first + b * tile.weights_block + element * conv->in_channels * KERNEL_BLOCK, *next = NULL;
        size_t       channel = (first_block + b) * KERNEL_BLOCK, end = channel + (TILE_BLOCKS < n_blocks - b ? TILE_BLOCKS : n_blocks - b) * KERNEL_BLOCK;

        if (b + TILE_BLOCKS < n_blocks)
          next = weights + TILE_BLOCKS * tile.weights_block;
        else if (element + 1 < size)
          next = first + (element + 1) * conv->in_channels * KERNEL_BLOCK;
        tile.n_channels = (end < conv->out_channels ? end : conv->out_channels) - channel;
        tile.out = products + element * out_step + b * n_tiles * KERNEL_BLOCK;
        winograd_product (conv, &tile, in + element * in_step, weights, next);
      }
}

/* One tile of one vector of output channels. `place` is that of its first output in the block's image. */
INLINE void
winograd_output_side (int side, const KernelConv *conv, const float *products, size_t step, Vec bias, int y, int x, size_t place)
{
  const Vec alpha = vec_set (conv->activation.alpha), beta = vec_set (conv->activation.beta);
  const int m = side - 2, n_rows = conv->out_h - y < m ? conv->out_h - y : m, n_columns = conv->out_w - x < m ? conv->out_w - x : m;
  Vec       half[4][SIDE];

  for (int j = 0; j < side; j++)
    {
      Vec column[SIDE], transformed[4];

      UNROLL for (int i = 0; i < side; i++)
        column[i] = vec_load (products + (size_t) (i * side + j) * step);
      winograd_out (side, column, transformed);
      UNROLL for (int i = 0; i < m; i++)
        half[i][j] = transformed[i];
    }
  for (int i = 0; i < n_rows; i++)
    {
      Vec row[4];

      winograd_out (side, half[i], row);
      UNROLL for (int j = 0; j < m; j++)
        if (j < n_columns)
          {
            size_t at = place + ((size_t) i * (size_t) conv->out_w + (size_t) j) * KERNEL_BLOCK;
            Vec    sum = vec_add (row[j], bias);

            if (conv->residual)
              sum = vec_add (sum, vec_load (conv->residual + at));
            if (conv->activation.kind == ACTIVATION_RELU)
              sum = vec_max (vec_zero (), sum);
            else if (conv->activation.kind == ACTIVATION_CLIP)
              sum = vec_clamp (sum, alpha, beta);
            vec_store (conv->out + at, sum);
          }
    }
}

static void
winograd_output_tile (int side, const KernelConv *conv, const float *products, size_t step, Vec bias, int y, int x, size_t place)
{
  if (side == 4)
    winograd_output_side (4, conv, products, step, bias, y, x, place);
  else
    winograd_output_side (6, conv, products, step, bias, y, x, place);
}

/* Activations that aren't done above, and zeros past the last channel, for the outputs of one tile. */
static void
winograd_finish (const KernelConv *conv, int m, size_t block, int y, int x)
{
  size_t n_valid = conv->out_channels - block * KERNEL_BLOCK;
  int    last_row = conv->out_h < y + m ? conv->out_h : y + m;
  int    last_column = conv->out_w < x + m ? conv->out_w : x + m;

  if (conv->activation.kind <= ACTIVATION_CLIP && n_valid >= KERNEL_BLOCK)
    return;
  for (int row = y; row < last_row; row++)
    {
      float *out = conv->out + block * conv->out_plane + ((size_t) row * (size_t) conv->out_w + (size_t) x) * KERNEL_BLOCK;
      size_t n = (size_t) (last_column - x);

      if (conv->activation.kind > ACTIVATION_CLIP)
        vec_activate (&conv->activation, out, out, n * KERNEL_BLOCK);
      for (size_t i = 0; i < n && n_valid < KERNEL_BLOCK; i++)
        tile_clear (out + i * KERNEL_BLOCK, n_valid);
    }
}

static void
vec_winograd_output (const KernelWinograd *winograd, size_t first_block, size_t last_block, size_t first, size_t last, const float *in,
                     float *products)
{
  const KernelConv *conv = &winograd->conv;
  size_t            n_tiles = last - first, n_blocks;

  for (size_t block = first_block; block < last_block; block += n_blocks)
    {
      n_blocks = last_block - block < WINOGRAD_BLOCKS ? last_block - block : WINOGRAD_BLOCKS;
      winograd_multiply (winograd, block, n_blocks, n_tiles, in, products);
      for (size_t b = block; b < block + n_blocks; b++)
        for (size_t i = 0; i < n_tiles; i++)
          {
            int          y = (int) ((first + i) / winograd->tiles_x) * winograd->m;
            int          x = (int) ((first + i) % winograd->tiles_x) * winograd->m;
            size_t       place = b * conv->out_plane + ((size_t) y * (size_t) conv->out_w + (size_t) x) * KERNEL_BLOCK;
            const float *product = products + ((b - block) * n_tiles + i) * KERNEL_BLOCK;

            for (size_t lane = 0; lane < KERNEL_BLOCK; lane += VEC_LANES)
              winograd_output_tile (winograd->m + 2, conv, product + lane, kernel_winograd_step (WINOGRAD_BLOCKS, n_tiles),
                                    conv->bias ? vec_load (conv->bias + b * KERNEL_BLOCK + lane) : vec_zero (), y, x, place + lane);
            winograd_finish (conv, winograd->m, b, y, x);
          }
    }
}

#undef SIDE
