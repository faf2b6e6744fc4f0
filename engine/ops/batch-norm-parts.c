/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * batch-norm-parts.c: see batch-norm-parts.h.
 */

#include "ops/batch-norm-parts.h"

#include <string.h>

#define STRIP 512 /* pixels that are summed in float before the sum is added in double */

/* Element c of a tensor with a number per channel; 0 past the end. */
static float
channel_number (const TensorView *view, gsize c)
{
  return c < (gsize) view->shape.dims[0] ? ((const float *) view->data)[c] : 0.0f;
}

KernelNorm
norm_block_fill (const TensorView *gamma, const TensorView *beta, const TensorView *mean, const TensorView *inverse, gsize block,
                 const Activation *activation, NormBlock *out)
{
  for (gsize i = 0; i < KERNEL_BLOCK; i++)
    {
      gsize c = block * KERNEL_BLOCK + i;

      out->mean[i] = channel_number (mean, c);
      out->inverse[i] = channel_number (inverse, c);
      out->scale[i] = channel_number (gamma, c) * out->inverse[i];
      out->shift[i] = channel_number (beta, c) - out->mean[i] * out->scale[i];
    }
  return (KernelNorm) { .scale = out->scale, .shift = out->shift, .mean = out->mean, .inverse = out->inverse, .activation = *activation };
}

void
input_norm_apply (const InputNorm *norm, const Kernels *kernels, const Step *step, gsize block, const float *in, float *out, gsize n)
{
  const TensorView *numbers = &step->in[norm->input];
  NormBlock         filled;
  KernelNorm        kernel = norm_block_fill (&numbers[0], &numbers[1], &numbers[2], &numbers[3], block, &norm->activation, &filled);

  kernels->norm_apply (&kernel, in, out, n);
}

void
norm_gradient_apply (const NormGradientBlock *block, const Activation *activation, const Kernels *kernels, const float *x, const float *gradient, float *out,
                     gsize n)
{
  const NormBlock *norm = &block->norm;
  KernelNorm       kernel = { .scale = norm->scale, .shift = norm->shift, .mean = norm->mean, .inverse = norm->inverse, .activation = *activation };

  kernels->norm_gradient (&kernel, x, gradient, block->a, block->b, block->c, out, n);
}

/* The squares are summed about the strip's first pixel. */
void
norm_sums_set (const Kernels *kernels, const float *x, gsize n, NormSums out)
{
  memset (out, 0, sizeof (NormSums));
  for (gsize i = 0; i < n; i += STRIP)
    {
      const float *strip = x + i * KERNEL_BLOCK;
      gsize        m = MIN (STRIP, n - i);
      float        sums[2][KERNEL_BLOCK] = { { 0 } };

      kernels->norm_sums (strip, strip, m, sums[0], sums[1]);
      for (gsize c = 0; c < KERNEL_BLOCK; c++)
        {
          double pivot = strip[c], all = (double) m * pivot;

          out[0][c] += sums[0][c] + all;
          out[1][c] += sums[1][c] + pivot * (2.0 * sums[0][c] + all);
        }
    }
}

void
norm_gradient_sums_set (const Kernels *kernels, const KernelNorm *norm, const float *x, const float *gradient, gsize n, NormSums out)
{
  memset (out, 0, sizeof (NormSums));
  for (gsize i = 0; i < n; i += STRIP)
    {
      float sums[2][KERNEL_BLOCK] = { { 0 } };

      kernels->norm_gradient_sums (norm, x + i * KERNEL_BLOCK, gradient + i * KERNEL_BLOCK, MIN (STRIP, n - i), sums[0], sums[1]);
      for (gsize c = 0; c < KERNEL_BLOCK; c++)
        {
          out[0][c] += sums[0][c];
          out[1][c] += sums[1][c];
        }
    }
}
