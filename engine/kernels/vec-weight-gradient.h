/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * vec-weight-gradient.h: weight gradients of convolutions. That of one tap is a sum of outer products, one for each pixel, and its tile stays in
 * registers over all pixels of the rows:
 *
 *                        input channels ->
 *                    c0   c1   …   c7         one pixel at a time:
 *   vector 0       [ sum  sum  …  sum ]         sum[v][c] += gradient[v] (a vector of output channels)  *  in[c] (one number, in every lane)
 *   vector 1       [ sum  sum  …  sum ]
 *
 * The two vectors are one block of output channels, or with 16 lanes those of two blocks.
 *
 * A 3x3 convolution that Winograd's F(4x4, 3x3) computes as y = A' [(G w G') . (B' x B)] A, tile by tile, has the weight gradient
 * dw = G' [sum of (A dy A') . (B' x B)] G: 36 outer products for the 144 of a tile of 16 pixels (Lavin and Gray, arXiv 1509.09308). Only the sum over all
 * tiles is transformed back.
 */
#pragma once

#include "kernels/vec-elementwise.h"
#include "kernels/vec-winograd.h"

#if VEC_LANES == 16
#define GRADIENT_VECTORS 2
#define GRADIENT_INPUTS 8
#elif TILE_VECTORS == 4
#define GRADIENT_VECTORS 4
#define GRADIENT_INPUTS 6
#else
#define GRADIENT_VECTORS 2
#define GRADIENT_INPUTS 6
#endif

/* ---- weight gradients ------------------------------------------------------------------------------------- */

/* Output pixels [*first, *last) of one axis whose input under tap `place` (already times the dilation) lies inside. */
INLINE void
gradient_inside (int place, int pad, int stride, int in_size, int out_size, int *first, int *last)
{
  int before = pad - place, room = in_size - 1 - place + pad;

  *first = before > 0 ? (before + stride - 1) / stride : 0;
  *last = room < 0 ? 0 : room / stride + 1;
  if (*last > out_size)
    *last = out_size;
  if (*first > *last)
    *first = *last;
}

/* One tap of rows of one image: where its pixels begin, and how far apart they are. */
typedef struct
{
  const float *in, *gradient;           /* of the first pixel of the first row */
  size_t       in_row, gradient_row;    /* floats from row to row */
  size_t       in_step, in_channel;     /* floats from pixel to pixel, and from channel to channel */
  size_t       n_rows, n_pixels;
  size_t       gradient_block, sum_block; /* floats from one output block to the next */
} GradientTap;

/* The sums are of n_vectors <= GRADIENT_VECTORS vectors and n_inputs input channels; both are constants where this is called. */
INLINE void
weight_gradient_tile (const GradientTap *tap, int n_vectors, int n_inputs, float *out)
{
  const size_t across = VEC_LANES == KERNEL_BLOCK ? tap->gradient_block : VEC_LANES; /* floats from vector to vector */
  const size_t across_out = VEC_LANES == KERNEL_BLOCK ? tap->sum_block : VEC_LANES;
  Vec          sum[KERNEL_BLOCK][GRADIENT_VECTORS];

  UNROLL for (int c = 0; c < n_inputs; c++)
    UNROLL for (int v = 0; v < n_vectors; v++)
      sum[c][v] = vec_load (out + c * KERNEL_BLOCK + (size_t) v * across_out);

  for (size_t row = 0; row < tap->n_rows; row++)
    {
      const float *in = tap->in + row * tap->in_row, *gradient = tap->gradient + row * tap->gradient_row;

      for (size_t i = 0; i < tap->n_pixels; i++, in += tap->in_step, gradient += KERNEL_BLOCK)
        {
          Vec g[GRADIENT_VECTORS];

          UNROLL for (int v = 0; v < n_vectors; v++)
            g[v] = vec_load (gradient + (size_t) v * across);
          UNROLL for (int c = 0; c < n_inputs; c++)
            {
              Vec x = vec_set (in[(size_t) c * tap->in_channel]);

              UNROLL for (int v = 0; v < n_vectors; v++)
                sum[c][v] = vec_fma (g[v], x, sum[c][v]);
            }
        }
    }

  UNROLL for (int c = 0; c < n_inputs; c++)
    UNROLL for (int v = 0; v < n_vectors; v++)
      vec_store (out + c * KERNEL_BLOCK + (size_t) v * across_out, sum[c][v]);
}

#if VEC_LANES == 16

/* Two output blocks of a whole input block in halves; what is left alone takes the whole input block at once, or at most 8 of its channels. */
static void
weight_gradient_inputs (const GradientTap *tap, int n_inputs, float *out)
{
  switch (n_inputs)
    {
    case 1:  weight_gradient_tile (tap, 1, 1, out); break;
    case 2:  weight_gradient_tile (tap, 1, 2, out); break;
    case 3:  weight_gradient_tile (tap, 1, 3, out); break;
    case 4:  weight_gradient_tile (tap, 1, 4, out); break;
    case 5:  weight_gradient_tile (tap, 1, 5, out); break;
    case 6:  weight_gradient_tile (tap, 1, 6, out); break;
    case 7:  weight_gradient_tile (tap, 1, 7, out); break;
    case 8:  weight_gradient_tile (tap, 1, 8, out); break;
    default: weight_gradient_tile (tap, 1, 16, out); break;
    }
}

/* n_inputs: 8, or the 3 of a photo. */
static void
weight_gradient_pair (const GradientTap *tap, int n_inputs, float *out)
{
  if (n_inputs == 3)
    weight_gradient_tile (tap, 2, 3, out);
  else
    weight_gradient_tile (tap, 2, 8, out);
}

#else

static void
weight_gradient_inputs (const GradientTap *tap, int n_inputs, float *out)
{
  switch (n_inputs)
    {
    case 1:  weight_gradient_tile (tap, GRADIENT_VECTORS, 1, out); break;
    case 2:  weight_gradient_tile (tap, GRADIENT_VECTORS, 2, out); break;
    case 3:  weight_gradient_tile (tap, GRADIENT_VECTORS, 3, out); break;
    case 4:  weight_gradient_tile (tap, GRADIENT_VECTORS, 4, out); break;
    case 5:  weight_gradient_tile (tap, GRADIENT_VECTORS, 5, out); break;
    default: weight_gradient_tile (tap, GRADIENT_VECTORS, 6, out); break;
    }
}

#endif

/* One output block: all input channels of one tap, in tiles of nearly the same size. */
static void
weight_gradient_block (GradientTap tap, size_t n_in, float *sum)
{
  const size_t lanes = VEC_LANES == KERNEL_BLOCK ? KERNEL_BLOCK : GRADIENT_VECTORS * VEC_LANES;
  const size_t widest = VEC_LANES == KERNEL_BLOCK && n_in == KERNEL_BLOCK ? KERNEL_BLOCK : GRADIENT_INPUTS;
  size_t       n_tiles = (n_in + widest - 1) / widest;
  const float *in = tap.in, *gradient = tap.gradient;

  for (size_t lane = 0; lane < KERNEL_BLOCK; lane += lanes)
    for (size_t i = 0; i < n_tiles; i++)
      {
        size_t first = n_in * i / n_tiles, last = n_in * (i + 1) / n_tiles;

        tap.in = in + first * tap.in_channel;
        tap.gradient = gradient + lane;
        weight_gradient_inputs (&tap, (int) (last - first), sum + first * KERNEL_BLOCK + lane);
      }
}

/* n_blocks output blocks. */
static void
weight_gradient_tap (GradientTap tap, size_t n_blocks, size_t n_in, float *sum)
{
  const float *in = tap.in;

  while (n_blocks > 0)
    {
      size_t done = 1;

#if VEC_LANES == 16
      if (n_blocks > 1 && (n_in % 8 == 0 || n_in == 3))
        {
          for (size_t first = 0; first < n_in; first += 8)
            {
              tap.in = in + first * tap.in_channel;
              weight_gradient_pair (&tap, n_in == 3 ? 3 : 8, sum + first * KERNEL_BLOCK);
            }
          done = 2;
        }
#endif
      tap.in = in;
      if (done == 1)
        weight_gradient_block (tap, n_in, sum);
      tap.gradient += done * tap.gradient_block;
      sum += done * tap.sum_block;
      n_blocks -= done;
    }
}

/* The rows and pixels whose input under tap (ky, kx) lies inside; FALSE if none does. */
INLINE bool
gradient_tap (const KernelWeightGradient *g, const float *in, const float *gradient, int ky, int kx, size_t first_row, size_t last_row,
              GradientTap *tap)
{
  int top = ky * g->dilation_h, left = kx * g->dilation_w, first_y, last_y, first_x, last_x, y, x;

  gradient_inside (top, g->pad_top, g->stride_h, g->in_h, g->out_h, &first_y, &last_y);
  gradient_inside (left, g->pad_left, g->stride_w, g->in_w, g->out_w, &first_x, &last_x);
  if (first_y < (int) first_row)
    first_y = (int) first_row;
  if (last_y > (int) last_row)
    last_y = (int) last_row;
  if (first_y >= last_y || first_x >= last_x)
    return false;

  y = first_y * g->stride_h - g->pad_top + top;
  x = first_x * g->stride_w - g->pad_left + left;
  tap->in = in + ((size_t) y * (size_t) g->in_w + (size_t) x) * g->in_pixel;
  tap->gradient = gradient + ((size_t) first_y * (size_t) g->out_w + (size_t) first_x) * KERNEL_BLOCK;
  tap->in_row = (size_t) (g->stride_h * g->in_w) * g->in_pixel;
  tap->gradient_row = (size_t) g->out_w * KERNEL_BLOCK;
  tap->in_step = (size_t) g->stride_w * g->in_pixel;
  tap->in_channel = g->in_channel;
  tap->gradient_block = g->gradient_plane;
  tap->sum_block = g->sum_block;
  tap->n_rows = (size_t) (last_y - first_y);
  tap->n_pixels = (size_t) (last_x - first_x);
  if (tap->in_row == tap->n_pixels * tap->in_step && tap->gradient_row == tap->n_pixels * KERNEL_BLOCK) /* one long row */
    {
      tap->n_pixels *= tap->n_rows;
      tap->n_rows = 1;
    }
  return true;
}

static void
vec_weight_gradient (const KernelWeightGradient *g, size_t first_block, size_t last_block, size_t in_block, size_t first_row, size_t last_row, float *sum)
{
  const float *in = g->in + in_block * g->in_plane, *gradient = g->gradient + first_block * g->gradient_plane;
  size_t       left = g->in_channels - in_block * KERNEL_BLOCK, n_in = left < KERNEL_BLOCK ? left : KERNEL_BLOCK;
  GradientTap  tap;

  for (int ky = 0; ky < g->kernel_h; ky++)
    for (int kx = 0; kx < g->kernel_w; kx++, sum += KERNEL_BLOCK * KERNEL_BLOCK)
      if (gradient_tap (g, in, gradient, ky, kx, first_row, last_row, &tap))
        weight_gradient_tap (tap, last_block - first_block, n_in, sum);
}

/* ---- Winograd --------------------------------------------------------------------------------------------- */

#define SIDE KERNEL_WINOGRAD_MOST
#define M    (SIDE - 2)

/* A x: four numbers to six. */
INLINE void
winograd_spread (const Vec x[M], Vec out[SIDE])
{
  const Vec two = vec_set (2.0f), four = vec_set (4.0f), eight = vec_set (8.0f);
  Vec       even = vec_add (x[0], x[2]), odd = vec_add (x[1], x[3]);

  out[0] = x[0];
  out[1] = vec_add (even, odd);
  out[2] = vec_sub (even, odd);
  even = vec_fma (four, x[2], x[0]);
  odd = vec_fma (eight, x[3], vec_mul (two, x[1]));
  out[3] = vec_add (even, odd);
  out[4] = vec_sub (even, odd);
  out[5] = x[3];
}

/* G' x: six numbers to three. */
INLINE void
winograd_gather (const Vec x[SIDE], Vec out[3])
{
  Vec near_sum = vec_mul (vec_add (x[1], x[2]), vec_set (1.0f / 6)), near_difference = vec_mul (vec_sub (x[2], x[1]), vec_set (1.0f / 6));
  Vec far_sum = vec_add (x[3], x[4]), far_difference = vec_sub (x[3], x[4]);

  out[0] = vec_fma (vec_set (0.25f), x[0], vec_fma (vec_set (1.0f / 24), far_sum, vec_sub (vec_zero (), near_sum)));
  out[1] = vec_fma (vec_set (1.0f / 12), far_difference, near_difference);
  out[2] = vec_add (x[5], vec_fma (vec_set (1.0f / 6), far_sum, vec_sub (vec_zero (), near_sum)));
}

/* One tile of one vector of output channels: `in` is the gradient's image of the block, (y, x) the tile's first pixel, outputs `step` floats apart. */
INLINE void
winograd_gradient_tile (const KernelWeightGradient *g, const float *in, int y, int x, float *out, size_t step)
{
  const bool inside = y + M <= g->out_h && x + M <= g->out_w;
  Vec        half[SIDE][M];

  for (int j = 0; j < M; j++)
    {
      Vec column[M], transformed[SIDE];

      UNROLL for (int i = 0; i < M; i++)
        column[i] = inside || (y + i < g->out_h && x + j < g->out_w)
                      ? vec_load (in + ((size_t) (y + i) * (size_t) g->out_w + (size_t) (x + j)) * KERNEL_BLOCK) : vec_zero ();
      winograd_spread (column, transformed);
      UNROLL for (int i = 0; i < SIDE; i++)
        half[i][j] = transformed[i];
    }
  for (int i = 0; i < SIDE; i++)
    {
      Vec transformed[SIDE];

      winograd_spread (half[i], transformed);
      UNROLL for (int j = 0; j < SIDE; j++)
        vec_store (out + (size_t) (i * SIDE + j) * step, transformed[j]);
    }
}

/* Where tile `tile` of the batch lies: its image, and its first output. */
INLINE size_t
winograd_place (const KernelWinogradGradient *winograd, size_t tile, int *y, int *x)
{
  size_t tiles = winograd->tiles_x * winograd->tiles_y;

  *y = (int) (tile % tiles / winograd->tiles_x) * M;
  *x = (int) (tile % winograd->tiles_x) * M;
  return tile / tiles;
}

/* Tiles [first, last) of one block of x: out (36, last - first, 16), elements `step` floats apart. */
static void
winograd_gradient_in (const KernelWinogradGradient *winograd, size_t block, size_t first, size_t last, float *out, size_t step)
{
  const KernelWeightGradient *g = &winograd->gradient;
  const KernelConv            image = { .in_h = g->in_h, .in_w = g->in_w };

  for (; first < last; first++, out += KERNEL_BLOCK)
    {
      int    y, x;
      size_t nth = winograd_place (winograd, first, &y, &x);

      for (size_t lane = 0; lane < KERNEL_BLOCK; lane += VEC_LANES)
        winograd_input_side (SIDE, &image, g->in + nth * winograd->in_image + block * g->in_plane + lane, y - g->pad_top, x - g->pad_left, out + lane, step);
    }
}

/* The same of one block of the gradient. */
static void
winograd_gradient_gradient (const KernelWinogradGradient *winograd, size_t block, size_t first, size_t last, float *out, size_t step)
{
  const KernelWeightGradient *g = &winograd->gradient;

  for (; first < last; first++, out += KERNEL_BLOCK)
    {
      int    y, x;
      size_t nth = winograd_place (winograd, first, &y, &x);

      for (size_t lane = 0; lane < KERNEL_BLOCK; lane += VEC_LANES)
        winograd_gradient_tile (g, g->gradient + nth * winograd->gradient_image + block * g->gradient_plane + lane, y, x, out + lane, step);
    }
}

static void
vec_winograd_gradient (const KernelWinogradGradient *winograd, size_t first_block, size_t last_block, size_t first, size_t last, float *scratch, float *sum)
{
  const size_t blocks = kernel_blocks (winograd->gradient.in_channels), n_blocks = last_block - first_block, n = last - first;
  const size_t in_step = kernel_winograd_step (blocks, n), gradient_step = kernel_winograd_step (n_blocks, n);
  const size_t sum_step = kernel_winograd_step (n_blocks * blocks, KERNEL_BLOCK);
  float       *in = scratch, *gradient = scratch + SIDE * SIDE * in_step;
  GradientTap  tap = { .in_step = KERNEL_BLOCK, .in_channel = 1, .n_rows = 1, .n_pixels = n, .gradient_block = n * KERNEL_BLOCK,
                       .sum_block = blocks * KERNEL_BLOCK * KERNEL_BLOCK };

  for (size_t block = 0; block < blocks; block++)
    winograd_gradient_in (winograd, block, first, last, in + block * n * KERNEL_BLOCK, in_step);
  for (size_t block = 0; block < n_blocks; block++)
    winograd_gradient_gradient (winograd, first_block + block, first, last, gradient + block * n * KERNEL_BLOCK, gradient_step);
  for (size_t element = 0; element < SIDE * SIDE; element++)
    for (size_t out = 0; out < n_blocks; out += 2)
      for (size_t block = 0; block < blocks; block++)
        {
          tap.in = in + element * in_step + block * n * KERNEL_BLOCK;
          tap.gradient = gradient + element * gradient_step + out * n * KERNEL_BLOCK;
          weight_gradient_tap (tap, out + 2 < n_blocks ? 2 : n_blocks - out, KERNEL_BLOCK,
                               sum + element * sum_step + (out * blocks + block) * KERNEL_BLOCK * KERNEL_BLOCK);
        }
}

static void
vec_winograd_gradient_out (const float *sum, size_t n_pairs, float *out)
{
  const size_t step = kernel_winograd_step (n_pairs, KERNEL_BLOCK);

  for (size_t pair = 0; pair < n_pairs; pair++, out += 9 * KERNEL_BLOCK * KERNEL_BLOCK)
    for (size_t i = 0; i < KERNEL_BLOCK * KERNEL_BLOCK; i += VEC_LANES, sum += VEC_LANES)
      {
        Vec half[3][SIDE];

        for (int j = 0; j < SIDE; j++)
          {
            Vec column[SIDE], transformed[3];

            UNROLL for (int k = 0; k < SIDE; k++)
              column[k] = vec_load (sum + (size_t) (k * SIDE + j) * step);
            winograd_gather (column, transformed);
            UNROLL for (int k = 0; k < 3; k++)
              half[k][j] = transformed[k];
          }
        for (int k = 0; k < 3; k++)
          {
            Vec row[3];

            winograd_gather (half[k], row);
            UNROLL for (int j = 0; j < 3; j++)
              vec_store (out + (size_t) (3 * k + j) * KERNEL_BLOCK * KERNEL_BLOCK + i, row[j]);
          }
      }
}

#undef SIDE
#undef M
