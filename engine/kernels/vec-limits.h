/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * vec-limits.h: multiply-adds that nothing holds up: twelve chains side by side, more than latency times units of any processor we know, all
 * in registers. What it reaches is the peak that other kernels are measured by.
 */
#pragma once

#include "kernels/vec.h"

#define CHAINS 12

static void
vec_multiply_adds (size_t n, float *out)
{
  const Vec factor = vec_set (0.5f), step = vec_set (1.0f);
  Vec       sums[CHAINS], total = vec_zero ();

  for (int i = 0; i < CHAINS; i++)
    sums[i] = vec_set ((float) i);
  for (size_t i = 0; i < n; i += CHAINS * VEC_LANES)
    UNROLL for (int j = 0; j < CHAINS; j++)
      sums[j] = vec_fma (sums[j], factor, step);
  for (int i = 0; i < CHAINS; i++)
    total = vec_add (total, sums[i]);
  for (int i = 0; i < KERNEL_BLOCK; i += VEC_LANES)
    vec_store (out + i, total);
}
