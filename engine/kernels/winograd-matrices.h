/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * winograd-matrices.h: the transforms of Winograd's F(4, 3), and, in the corners of matrices of the same size, of F(2, 3): B' of inputs, A' of outputs,
 * G of weights (Lavin and Gray, arXiv 1509.09308). pack.c and the vectorized kernels have them as sums.
 */
#pragma once

static const double winograd_b[2][6][6] = {
  { { 4, 0, -5, 0, 1, 0 }, { 0, -4, -4, 1, 1, 0 }, { 0, 4, -4, -1, 1, 0 }, { 0, -2, -1, 2, 1, 0 }, { 0, 2, -1, -2, 1, 0 }, { 0, 4, 0, -5, 0, 1 } },
  { { 1, 0, -1, 0 }, { 0, 1, 1, 0 }, { 0, -1, 1, 0 }, { 0, 1, 0, -1 } },
};
static const double winograd_a[2][4][6] = {
  { { 1, 1, 1, 1, 1, 0 }, { 0, 1, -1, 2, -2, 0 }, { 0, 1, 1, 4, 4, 0 }, { 0, 1, -1, 8, -8, 1 } },
  { { 1, 1, 1, 0 }, { 0, 1, -1, -1 } },
};
static const double winograd_g[2][6][3] = {
  { { 1.0 / 4, 0, 0 }, { -1.0 / 6, -1.0 / 6, -1.0 / 6 }, { -1.0 / 6, 1.0 / 6, -1.0 / 6 }, { 1.0 / 24, 1.0 / 12, 1.0 / 6 }, { 1.0 / 24, -1.0 / 12, 1.0 / 6 },
    { 0, 0, 1 } },
  { { 1, 0, 0 }, { 0.5, 0.5, 0.5 }, { 0.5, -0.5, 0.5 }, { 0, 0, 1 } },
};
