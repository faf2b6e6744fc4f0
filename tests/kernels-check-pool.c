/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * kernels-check-pool.c: pooling, sums over pixels, matrix products.
 */

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "kernels-check.h"

/* Of the answer that is in pool->out. */
static bool
check_gradient (const Kernels *kernels, const KernelPool *pool, size_t blocks)
{
  size_t size = pool->in_plane, n_out = blocks * pool->out_plane;
  float *gradient = make (n_out, FILL_RANDOM), *expected = make_output (size), *got = make_output (size);
  bool   good = true;

  for (size_t block = 0; block < blocks; block++)
    {
      memset (expected, 0, size * sizeof (float));
      memset (got, 0, size * sizeof (float));
      kernels_reference.max_pool_gradient (pool, gradient, block, expected);
      kernels->max_pool_gradient (pool, gradient, block, got);
      good &= difference (expected, got, size, 1e-5) < 0 && guards_whole (got, size);
    }
  give_back (gradient);
  free_output (expected);
  free_output (got);
  return good;
}

static bool
check_pool (const Kernels *kernels, KernelPool *pool, Fill fill)
{
  size_t    pixels = (size_t) (pool->in_h * pool->in_w), blocks = kernel_blocks (pool->channels);
  size_t    size = blocks * (size_t) (pool->out_h * pool->out_w) * KERNEL_BLOCK;
  float    *in = make_blocked (pool->channels, pixels, fill), *expected = make_output (size), *got = make_output (size);
  ptrdiff_t at;
  bool      good;

  pool->in = in;
  pool->in_plane = pixels * KERNEL_BLOCK;
  pool->out_plane = (size_t) (pool->out_h * pool->out_w) * KERNEL_BLOCK;
  pool->out = expected;
  kernels_reference.pool (pool, 0, blocks, 0, (size_t) pool->out_h);
  pool->out = got;
  for (size_t block = 0; block < blocks; block++)
    for (size_t row = 0; row < (size_t) pool->out_h; row++)
      kernels->pool (pool, block, block + 1, row, row + 1);
  at = difference (expected, got, size, 1e-5);
  good = at < 0 && guards_whole (got, size) && (pool->kind != POOL_MAX || check_gradient (kernels, pool, blocks));
  if (!good)
    printf ("# %s pool kind %d: %zu channels, %dx%d to %dx%d, kernel %dx%d, stride %d, dilation %d, pads %d %d %d %d, element %td\n",
            kernels->name, pool->kind, pool->channels, pool->in_h, pool->in_w, pool->out_h, pool->out_w, pool->kernel_h, pool->kernel_w,
            pool->stride_h, pool->dilation_h, pool->pad_top, pool->pad_left, pool->pad_bottom, pool->pad_right, at);
  give_back (in);
  free_output (expected);
  free_output (got);
  return good;
}

void
test_pool (const Kernels *kernels)
{
  bool good = true;

  for (int i = 0; i < (quick ? 60 : 600); i++)
    {
      KernelPool pool = { .kind = (PoolKind) (i % 3),
                          .channels = (size_t) random_int (1, 40),
                          .in_h = random_int (1, 12),
                          .in_w = random_int (1, 20),
                          .kernel_h = random_int (1, 5),
                          .kernel_w = random_int (1, 5),
                          .stride_h = random_int (1, 3),
                          .stride_w = random_int (1, 3),
                          .dilation_h = random_int (1, 2),
                          .dilation_w = random_int (1, 2),
                          .pad_top = random_int (0, 3),
                          .pad_left = random_int (0, 3),
                          .pad_bottom = random_int (0, 3),
                          .pad_right = random_int (0, 3) };
      int        room_h = pool.in_h + pool.pad_top + pool.pad_bottom - (pool.kernel_h - 1) * pool.dilation_h - 1;
      int        room_w = pool.in_w + pool.pad_left + pool.pad_right - (pool.kernel_w - 1) * pool.dilation_w - 1;

      if (room_h < 0 || room_w < 0)
        continue;
      pool.out_h = room_h / pool.stride_h + 1 + random_int (0, 1); /* as ceil_mode has it: one more, partly or wholly past the end */
      pool.out_w = room_w / pool.stride_w + 1 + random_int (0, 1);
      good &= check_pool (kernels, &pool, i % 2 ? FILL_EXTREME : FILL_RANDOM);
    }
  report (good, "%s pool", kernels->name);
}

void
test_sum_pixels (const Kernels *kernels)
{
  bool good = true;

  for (size_t n = 0; n < 70; n++)
    {
      float *in = make (n * KERNEL_BLOCK, n % 3 ? FILL_RANDOM : FILL_EXTREME), expected[KERNEL_BLOCK], got[KERNEL_BLOCK];

      for (size_t i = 0; i < n * KERNEL_BLOCK; i++)
        if (fabsf (in[i]) == 1e30f) /* sums of these depend on their order */
          in[i] = 1.0f;
      kernels_reference.sum_pixels (in, n, 0.5f, expected);
      kernels->sum_pixels (in, n, 0.5f, got);
      good &= difference (expected, got, KERNEL_BLOCK, 1e-5) < 0;
      give_back (in);
    }
  report (good, "%s sum_pixels", kernels->name);
}


static bool
check_gemm (const Kernels *kernels, size_t m, size_t n, size_t k, bool transposed, bool accumulate, Fill fill, ActivationKind kind)
{
  size_t     a_row = k + (size_t) random_int (0, 3), c_row = n + (size_t) random_int (0, 3), b_row = (transposed ? k : n) + 1;
  size_t     panels = kernel_blocks (n);
  float     *a = make (m * a_row, fill), *b = make ((transposed ? n : k) * b_row, FILL_RANDOM),
        *packed = take (pack_gemm_size (n, k));
  float     *bias = make_blocked (n, 1, FILL_RANDOM), *start = make (m * c_row, FILL_RANDOM);
  float     *expected = make_output (m * c_row), *got = make_output (m * c_row), *again = make_output (m * c_row);
  KernelGemm gemm = { .m = m, .n = n, .k = k, .a = a, .a_row = a_row, .b = packed, .c_row = c_row, .bias = random_int (0, 1) ? bias : NULL,
                      .accumulate = accumulate, .activation = { kind, 0.1f, 0.7f } };
  bool       good;

  pack_gemm (b, n, k, b_row, transposed, packed);
  memcpy (expected, start, m * c_row * sizeof (float));
  memcpy (got, start, m * c_row * sizeof (float));
  memcpy (again, start, m * c_row * sizeof (float));
  gemm.c = expected;
  kernels_reference.gemm (&gemm, 0, panels, 0, m);
  gemm.c = got;
  kernels->gemm (&gemm, 0, panels, 0, m);
  gemm.c = again;
  for (size_t panel = 0; panel < panels; panel++)
    for (size_t row = 0; row < m; row += 4)
      kernels->gemm (&gemm, panel, panel + 1, row, row + 4 < m ? row + 4 : m);

  good = difference (expected, got, m * c_row, 1e-5 * (1 + sqrt ((double) k) / 4)) < 0 && same_bits (got, again, m * c_row)
         && guards_whole (got, m * c_row) && guards_whole (again, m * c_row);
  if (!good)
    printf ("# %s gemm %zux%zux%zu transposed %d accumulate %d fill %d activation %d\n", kernels->name, m, n, k, transposed, accumulate,
            fill, kind);
  give_back (a);
  give_back (b);
  give_back (packed);
  give_back (bias);
  give_back (start);
  free_output (expected);
  free_output (got);
  free_output (again);
  return good;
}

void
test_gemm (const Kernels *kernels)
{
  bool good = true;

  for (int i = 0; i < (quick ? 40 : 300); i++)
    good &= check_gemm (kernels, (size_t) (i % 4 ? random_int (1, 30) : 1), (size_t) random_int (1, 150),
                        (size_t) random_int (i % 10 ? 1 : 0, 70), i % 2, i / 2 % 2, i % 3 ? FILL_RANDOM : FILL_EXTREME,
                        conv_activations[i % N_ELEMENTS (conv_activations)]);
  report (good, "%s gemm", kernels->name);
}
