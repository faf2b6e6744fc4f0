/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * symmetric.h: symmetric 3 × 3 matrices, covariances of colours, as six numbers: rr rg rb gg gb bb.
 */
#pragma once

/* The inverse of m with `epsilon` added to its diagonal, by the adjugate; zeros where there is none. */
static inline void
symmetric_invert (const float m[6], float epsilon, float inverse[6])
{
  double r = (double) m[0] + epsilon, g = (double) m[3] + epsilon, b = (double) m[5] + epsilon, rg = m[1], rb = m[2], gb = m[4];
  double adjugate[6] = { g * b - gb * gb, rb * gb - rg * b, rg * gb - rb * g, r * b - rb * rb, rg * rb - r * gb, r * g - rg * rg };
  double determinant = r * adjugate[0] + rg * adjugate[1] + rb * adjugate[2], share = determinant > 1e-20 ? 1.0 / determinant : 0.0;

  for (int i = 0; i < 6; i++)
    inverse[i] = (float) (adjugate[i] * share);
}

static inline void
symmetric_multiply (const float m[6], const float v[3], float out[3])
{
  out[0] = m[0] * v[0] + m[1] * v[1] + m[2] * v[2];
  out[1] = m[1] * v[0] + m[3] * v[1] + m[4] * v[2];
  out[2] = m[2] * v[0] + m[4] * v[1] + m[5] * v[2];
}
