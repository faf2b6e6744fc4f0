/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * pack.c: weights put in the order in which the kernels read them: 16 output channels side by side, then one input channel after the other.
 * Done once, when a model is compiled; the same for every table.
 *
 *   (K, C, taps)  ->  for each 16 outputs, for each block of inputs, for each tap, for each input of the block:  [ w w w … 16 outputs ]
 */

#include "kernels/kernels.h"

#include <string.h>

size_t
pack_conv_size (size_t out_channels, size_t in_channels, size_t taps)
{
  return kernel_blocks (out_channels) * in_channels * taps * KERNEL_BLOCK;
}

void
pack_conv (const float *weights, size_t out_channels, size_t in_channels, size_t taps, size_t in_block, float *out)
{
  for (size_t block = 0; block < kernel_blocks (out_channels); block++)
    for (size_t first = 0; first < in_channels; first += in_block)
      for (size_t tap = 0; tap < taps; tap++)
        for (size_t c = first; c < first + in_block && c < in_channels; c++)
          for (size_t lane = 0; lane < KERNEL_BLOCK; lane++)
            {
              size_t k = block * KERNEL_BLOCK + lane;

              *out++ = k < out_channels ? weights[(k * in_channels + c) * taps + tap] : 0.0f;
            }
}

void
pack_conv_diagonal (const float *weights, size_t out_channels, size_t channels, size_t taps, float *out)
{
  for (size_t block = 0; block < kernel_blocks (out_channels); block++)
    for (size_t tap = 0; tap < taps; tap++)
      for (size_t c = 0; c < KERNEL_BLOCK; c++)
        for (size_t lane = 0; lane < KERNEL_BLOCK; lane++)
          {
            size_t k = block * KERNEL_BLOCK + lane;

            *out++ = k < out_channels && c / channels == lane / channels ? weights[(k * channels + c % channels) * taps + tap] : 0.0f;
          }
}

size_t
pack_depthwise_size (size_t channels, size_t taps)
{
  return kernel_blocks (channels) * taps * KERNEL_BLOCK;
}

void
pack_depthwise (const float *weights, size_t channels, size_t taps, float *out)
{
  for (size_t block = 0; block < kernel_blocks (channels); block++)
    for (size_t tap = 0; tap < taps; tap++)
      for (size_t lane = 0; lane < KERNEL_BLOCK; lane++)
        {
          size_t c = block * KERNEL_BLOCK + lane;

          *out++ = c < channels ? weights[c * taps + tap] : 0.0f;
        }
}

size_t
pack_winograd_size (size_t out_channels, size_t in_channels, int m)
{
  return kernel_blocks (out_channels) * kernel_winograd_size (m) * in_channels * KERNEL_BLOCK;
}

/* G g G' of one 3 x 3 kernel (Lavin and Gray's G for F(4, 3), with a side of 6, and F(2, 3), with a side of 4). */
static void
winograd_kernel (const float *kernel, int side, double *out)
{
  static const double large[6][3] = {
    { 1.0 / 4, 0, 0 },          { -1.0 / 6, -1.0 / 6, -1.0 / 6 },  { -1.0 / 6, 1.0 / 6, -1.0 / 6 },
    { 1.0 / 24, 1.0 / 12, 1.0 / 6 }, { 1.0 / 24, -1.0 / 12, 1.0 / 6 }, { 0, 0, 1 },
  };
  static const double small[4][3] = { { 1, 0, 0 }, { 0.5, 0.5, 0.5 }, { 0.5, -0.5, 0.5 }, { 0, 0, 1 } };
  const double (*transform)[3] = side == 6 ? large : small;
  double half[KERNEL_WINOGRAD_MOST][3];

  for (int i = 0; i < side; i++)
    for (int j = 0; j < 3; j++)
      half[i][j] = transform[i][0] * kernel[j] + transform[i][1] * kernel[3 + j] + transform[i][2] * kernel[6 + j];
  for (int i = 0; i < side; i++)
    for (int j = 0; j < side; j++)
      out[i * side + j] = half[i][0] * transform[j][0] + half[i][1] * transform[j][1] + half[i][2] * transform[j][2];
}

void
pack_winograd (const float *weights, size_t out_channels, size_t in_channels, int m, float *out)
{
  size_t n_elements = kernel_winograd_size (m);

  memset (out, 0, pack_winograd_size (out_channels, in_channels, m) * sizeof (float));
  for (size_t k = 0; k < out_channels; k++)
    for (size_t c = 0; c < in_channels; c++)
      {
        double transformed[KERNEL_WINOGRAD_MOST * KERNEL_WINOGRAD_MOST];
        float *first = out + (k / KERNEL_BLOCK * n_elements * in_channels + c) * KERNEL_BLOCK + k % KERNEL_BLOCK;

        winograd_kernel (weights + (k * in_channels + c) * 9, m + 2, transformed);
        for (size_t element = 0; element < n_elements; element++)
          first[element * in_channels * KERNEL_BLOCK] = (float) transformed[element];
      }
}

size_t
pack_gemm_size (size_t n, size_t k)
{
  return kernel_blocks (n) * k * KERNEL_BLOCK;
}

void
pack_gemm (const float *b, size_t n, size_t k, size_t b_row, bool transposed, float *out)
{
  for (size_t panel = 0; panel < kernel_blocks (n); panel++)
    for (size_t i = 0; i < k; i++)
      for (size_t lane = 0; lane < KERNEL_BLOCK; lane++)
        {
          size_t column = panel * KERNEL_BLOCK + lane;

          if (column >= n)
            *out++ = 0.0f;
          else
            *out++ = transposed ? b[column * b_row + i] : b[i * b_row + column];
        }
}
