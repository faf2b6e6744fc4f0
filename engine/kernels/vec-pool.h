/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * vec-pool.h: maximum and average over windows of blocked images, and the gradient of the maximum. The part of the window that lies inside is found once for a row and
 * once for a pixel, so that the loops over it have no conditions.
 */
#pragma once

#include "kernels/vec-elementwise.h"

/* Taps [*first, *last) of a window that lie inside [0, size); start: the place of tap 0. */
INLINE void
pool_inside (int start, int size, int kernel, int dilation, int *first, int *last)
{
  *first = start < 0 ? (-start + dilation - 1) / dilation : 0;
  *last = start >= size ? 0 : (size - 1 - start) / dilation + 1;
  if (*last > kernel)
    *last = kernel;
  if (*first > *last)
    *first = *last;
}

/* NaN wins: one in `a`, the greatest so far, stays in vec_max; where b is one, the other side of it doesn't count. */
INLINE Vec
pool_max (Vec a, Vec b)
{
  return vec_select (vec_is_nan (b), b, vec_max (b, a));
}

/* Both kinds, and the usual number of columns, are constants where this is called; n_columns 0: as many as said. */
INLINE void
pool_window (const KernelPool *pool, bool maximum, int n_columns, const float *in, int n_y, int n_x, Vec scale, float *out)
{
  const size_t row = (size_t) pool->dilation_h * (size_t) pool->in_w * KERNEL_BLOCK, column = (size_t) pool->dilation_w * KERNEL_BLOCK;

  for (int lane = 0; lane < KERNEL_BLOCK; lane += VEC_LANES)
    {
      Vec result = maximum ? vec_set (-INFINITY) : vec_zero ();

      for (int ky = 0; ky < n_y; ky++)
        {
          const float *at = in + (size_t) ky * row + lane;

          for (int kx = 0; kx < (n_columns ? n_columns : n_x); kx++)
            {
              Vec value = vec_load (at + (size_t) kx * column);

              result = maximum ? pool_max (result, value) : vec_add (result, value);
            }
        }
      vec_store (out + lane, maximum ? result : vec_mul (result, scale));
    }
}

/* n_y by n_x pixels of the window lie inside, from `in` on. */
INLINE void
pool_pixel (const KernelPool *pool, const float *in, int n_y, int n_x, Vec scale, float *out)
{
  if (pool->kind != POOL_MAX)
    pool_window (pool, false, 0, in, n_y, n_x, scale, out);
  else if (n_x == 3)
    pool_window (pool, true, 3, in, n_y, n_x, scale, out);
  else if (n_x == 2)
    pool_window (pool, true, 2, in, n_y, n_x, scale, out);
  else
    pool_window (pool, true, 0, in, n_y, n_x, scale, out);
}

/* One over the number of pixels that the average is taken over. */
INLINE float
pool_scale (const KernelPool *pool, int y, int n_y, int x, int n_x)
{
  int first, last;

  if (pool->kind == POOL_AVERAGE_PADDED)
    {
      pool_inside (y + pool->pad_top, pool->in_h + pool->pad_top + pool->pad_bottom, pool->kernel_h, pool->dilation_h, &first, &last);
      n_y = last - first;
      pool_inside (x + pool->pad_left, pool->in_w + pool->pad_left + pool->pad_right, pool->kernel_w, pool->dilation_w, &first, &last);
      n_x = last - first;
    }
  return n_y > 0 && n_x > 0 ? 1.0f / (float) (n_y * n_x) : 0.0f;
}

static void
vec_pool (const KernelPool *pool, size_t first_block, size_t last_block, size_t first_row, size_t last_row)
{
  for (size_t block = first_block; block < last_block; block++)
    for (size_t row = first_row; row < last_row; row++)
      {
        const float *in = pool->in + block * pool->in_plane;
        float       *out = pool->out + block * pool->out_plane + row * (size_t) pool->out_w * KERNEL_BLOCK;
        size_t       n_valid = pool->channels - block * KERNEL_BLOCK;
        int          y = (int) row * pool->stride_h - pool->pad_top, y_first, y_last;

        pool_inside (y, pool->in_h, pool->kernel_h, pool->dilation_h, &y_first, &y_last);
        for (int i = 0; i < pool->out_w; i++, out += KERNEL_BLOCK)
          {
            int   x = i * pool->stride_w - pool->pad_left, x_first, x_last;
            float scale;

            pool_inside (x, pool->in_w, pool->kernel_w, pool->dilation_w, &x_first, &x_last);
            scale = pool->kind == POOL_MAX ? 1.0f : pool_scale (pool, y, y_last - y_first, x, x_last - x_first);
            pool_pixel (pool, in + ((ptrdiff_t) (y + y_first * pool->dilation_h) * pool->in_w + x + x_first * pool->dilation_w) * KERNEL_BLOCK,
                        y_last - y_first, x_last - x_first, vec_set (scale), out);
            for (size_t lane = n_valid; lane < KERNEL_BLOCK; lane++)
              out[lane] = 0.0f;
          }
      }
}

/* ---- gradient --------------------------------------------------------------------------------------------- */

/* Adds what one window's maximum, y, brings to its pixels, n_y by n_x of which lie inside, from `in` on: to the first that equals it. */
INLINE void
max_pool_spread (const KernelPool *pool, const float *in, const float *y, const float *gradient, int n_y, int n_x, float *out)
{
  const size_t row = (size_t) pool->dilation_h * (size_t) pool->in_w * KERNEL_BLOCK, column = (size_t) pool->dilation_w * KERNEL_BLOCK;

  for (int lane = 0; lane < KERNEL_BLOCK; lane += VEC_LANES)
    {
      Vec maximum = vec_load (y + lane), left = vec_load (gradient + lane); /* left: what hasn't met its pixel */

      for (int ky = 0; ky < n_y; ky++)
        for (int kx = 0; kx < n_x; kx++)
          {
            size_t  at = (size_t) ky * row + (size_t) kx * column + (size_t) lane;
            VecMask met = vec_equal (vec_load (in + at), maximum);

            vec_store (out + at, vec_add (vec_load (out + at), vec_select (met, left, vec_zero ())));
            left = vec_select (met, vec_zero (), left);
          }
    }
}

static void
vec_max_pool_gradient (const KernelPool *pool, const float *gradient, size_t block, float *out)
{
  const float *y = pool->out + block * pool->out_plane;

  gradient += block * pool->out_plane;
  for (int row = 0; row < pool->out_h; row++)
    for (int i = 0; i < pool->out_w; i++, y += KERNEL_BLOCK, gradient += KERNEL_BLOCK)
      {
        int    top = row * pool->stride_h - pool->pad_top, left = i * pool->stride_w - pool->pad_left, y_first, y_last, x_first, x_last;
        size_t place;

        pool_inside (top, pool->in_h, pool->kernel_h, pool->dilation_h, &y_first, &y_last);
        pool_inside (left, pool->in_w, pool->kernel_w, pool->dilation_w, &x_first, &x_last);
        if (y_first == y_last || x_first == x_last)
          continue;
        place = ((size_t) (top + y_first * pool->dilation_h) * (size_t) pool->in_w + (size_t) (left + x_first * pool->dilation_w)) * KERNEL_BLOCK;
        max_pool_spread (pool, pool->in + block * pool->in_plane + place, y, gradient, y_last - y_first, x_last - x_first, out + place);
      }
}
