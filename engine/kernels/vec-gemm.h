/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * vec-gemm.h: C = activation (A B + bias), A and C row-major, B in panels of 16 columns (k, 16). Rows take the place of pixels in the tile.
 * A single row (a vector by a matrix) has its own loop, as wide as there are registers: it is bound by reading B.
 */
#pragma once

#include "kernels/vec-tile.h"

/* Columns that are computed at once for a single row: eight vectors, but whole panels. */
#define GEMV_PANELS (VEC_LANES * 8 / KERNEL_BLOCK)
#define GEMV_VECTORS 8

/* The last panel where it has less than 16 columns: tiles go to the stack, and what is valid from there. */
static void
gemm_tile_part (const KernelGemm *gemm, Tile *tile, size_t row, size_t panel, size_t n_pixels)
{
  size_t column = panel * KERNEL_BLOCK, n = gemm->n - column;
  float  part[TILE_PIXELS * KERNEL_BLOCK], before[TILE_PIXELS * KERNEL_BLOCK] = { 0 };

  tile->out = part;
  tile->out_step = KERNEL_BLOCK;
  tile->n_channels = n;
  if (gemm->accumulate)
    {
      for (size_t p = 0; p < n_pixels; p++)
        memcpy (before + p * KERNEL_BLOCK, gemm->c + (row + p) * gemm->c_row + column, n * sizeof (float));
      tile->residual = before;
    }
  tile_run (tile, n_pixels);
  for (size_t p = 0; p < n_pixels; p++)
    memcpy (gemm->c + (row + p) * gemm->c_row + column, part + p * KERNEL_BLOCK, n * sizeof (float));
}

static void
gemm_panels (const KernelGemm *gemm, size_t panel, size_t n_panels, size_t first_row, size_t last_row)
{
  static const int16_t taps[1] = { 0 };
  static const int32_t offsets[1] = { 0 };
  bool                 part = (panel + n_panels) * KERNEL_BLOCK > gemm->n;
  size_t               n_rows = last_row - first_row, n_runs = part ? tile_count (n_rows) : 1;

  for (size_t i = 0; i < n_runs; i++)
    {
      size_t row = first_row + tile_first (n_rows, n_runs, i), n_pixels = first_row + tile_first (n_rows, n_runs, i + 1) - row;
      Tile   tile = {
          .mode = TILE_STRIDED,
          .in = gemm->a + row * gemm->a_row,
          .n_planes = 1,
          .inner = gemm->k,
          .last_inner = gemm->k,
          .step = gemm->a_row,
          .n_taps = 1,
          .all_taps = 1,
          .taps = taps,
          .offsets = offsets,
          .weights = gemm->b + panel * gemm->k * KERNEL_BLOCK,
          .weights_block = gemm->k * KERNEL_BLOCK,
          .bias = gemm->bias ? gemm->bias + panel * KERNEL_BLOCK : NULL,
          .out = gemm->c + row * gemm->c_row + panel * KERNEL_BLOCK,
          .out_step = gemm->c_row,
          .out_block = KERNEL_BLOCK,
          .n_channels = n_panels * KERNEL_BLOCK,
          .activation = gemm->activation,
      };

      if (part)
        {
          gemm_tile_part (gemm, &tile, row, panel, n_pixels);
          continue;
        }
      tile.residual = gemm->accumulate ? tile.out : NULL;
      tile_run (&tile, n_pixels);
    }
}

/* One row, `n_vectors` vectors of columns from panel `panel` on, to out. */
INLINE void
gemv_panels (const KernelGemm *gemm, const float *a, size_t panel, int n_vectors, float *out)
{
  const float *b = gemm->b + panel * gemm->k * KERNEL_BLOCK;
  size_t       block = gemm->k * KERNEL_BLOCK;
  Vec          sum[GEMV_VECTORS];

  UNROLL for (int v = 0; v < n_vectors; v++)
    sum[v] = gemm->bias ? vec_load (gemm->bias + panel * KERNEL_BLOCK + v * VEC_LANES) : vec_zero ();
  for (size_t i = 0; i < gemm->k; i++, b += KERNEL_BLOCK)
    {
      Vec x = vec_set (a[i]);

      UNROLL for (int v = 0; v < n_vectors; v++)
        sum[v] = vec_fma (vec_load (b + tile_vector (v, block)), x, sum[v]);
    }
  UNROLL for (int v = 0; v < n_vectors; v++)
    vec_store (out + v * VEC_LANES, sum[v]);
}

static void
gemv (const KernelGemm *gemm, size_t row, size_t first_panel, size_t last_panel)
{
  const float *a = gemm->a + row * gemm->a_row;
  size_t       n_panels;

  for (size_t panel = first_panel; panel < last_panel; panel += n_panels)
    {
      float  part[GEMV_PANELS * KERNEL_BLOCK];
      float *c = gemm->c + row * gemm->c_row + panel * KERNEL_BLOCK;
      size_t n;

      n_panels = last_panel - panel >= GEMV_PANELS ? GEMV_PANELS : 1;
      n = n_panels * KERNEL_BLOCK < gemm->n - panel * KERNEL_BLOCK ? n_panels * KERNEL_BLOCK : gemm->n - panel * KERNEL_BLOCK;
      if (n_panels == 1)
        gemv_panels (gemm, a, panel, KERNEL_BLOCK / VEC_LANES, part);
      else
        gemv_panels (gemm, a, panel, GEMV_VECTORS, part);
      if (gemm->accumulate)
        vec_binary (BINARY_ADD, part, c, part, n);
      vec_activate (&gemm->activation, part, c, n);
    }
}

static void
vec_gemm (const KernelGemm *gemm, size_t first_panel, size_t last_panel, size_t first_row, size_t last_row)
{
  size_t n;

  if (first_row >= last_row)
    return;
  if (gemm->m == 1)
    {
      gemv (gemm, first_row, first_panel, last_panel);
      return;
    }
  for (size_t panel = first_panel; panel < last_panel; panel += n)
    {
      n = last_panel - panel < TILE_BLOCKS ? last_panel - panel : TILE_BLOCKS;
      if ((panel + n) * KERNEL_BLOCK > gemm->n)
        n = 1; /* whole panels first, what is left of the last one alone */
      gemm_panels (gemm, panel, n, first_row, last_row);
    }
}
