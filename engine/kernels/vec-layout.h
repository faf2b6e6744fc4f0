/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * vec-layout.h: plain images to blocks and back. Sixteen channels by sixteen pixels are moved at a time through a square on the stack, so
 * that both sides are read and written in whole runs; the compiler vectorizes the copies.
 */
#pragma once

#include "kernels/kernels.h"
#include "kernels/vec.h"

#define SQUARE KERNEL_BLOCK

static void
vec_block (const float *in, float *out, size_t channels, size_t n_pixels, size_t first, size_t last)
{
  for (size_t block = 0; block < kernel_blocks (channels); block++)
    {
      size_t       n_channels = channels - block * KERNEL_BLOCK < KERNEL_BLOCK ? channels - block * KERNEL_BLOCK : KERNEL_BLOCK;
      const float *plane = in + block * KERNEL_BLOCK * n_pixels;
      float       *blocked = out + block * n_pixels * KERNEL_BLOCK;

      for (size_t i = first; i < last; i += SQUARE)
        {
          size_t n = last - i < SQUARE ? last - i : SQUARE;
          float  square[KERNEL_BLOCK][SQUARE] = { { 0 } };

          for (size_t c = 0; c < n_channels; c++)
            memcpy (square[c], plane + c * n_pixels + i, n * sizeof (float));
          for (size_t p = 0; p < n; p++)
            for (size_t c = 0; c < KERNEL_BLOCK; c++)
              blocked[(i + p) * KERNEL_BLOCK + c] = square[c][p];
        }
    }
}

static void
vec_unblock (const float *in, float *out, size_t channels, size_t n_pixels, size_t first, size_t last)
{
  for (size_t block = 0; block < kernel_blocks (channels); block++)
    {
      size_t       n_channels = channels - block * KERNEL_BLOCK < KERNEL_BLOCK ? channels - block * KERNEL_BLOCK : KERNEL_BLOCK;
      const float *blocked = in + block * n_pixels * KERNEL_BLOCK;
      float       *plane = out + block * KERNEL_BLOCK * n_pixels;

      for (size_t i = first; i < last; i += SQUARE)
        {
          size_t n = last - i < SQUARE ? last - i : SQUARE;
          float  square[KERNEL_BLOCK][SQUARE];

          for (size_t p = 0; p < n; p++)
            for (size_t c = 0; c < KERNEL_BLOCK; c++)
              square[c][p] = blocked[(i + p) * KERNEL_BLOCK + c];
          for (size_t c = 0; c < n_channels; c++)
            memcpy (plane + c * n_pixels + i, square[c], n * sizeof (float));
        }
    }
}
