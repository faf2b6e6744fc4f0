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

/* G x of 16 columns, or rows, side by side: three numbers to six (F(4, 3)), or to four (F(2, 3)). winograd-matrices.h has G. */
static void
winograd_column (int side, const double x[3][KERNEL_BLOCK], double out[KERNEL_WINOGRAD_MOST][KERNEL_BLOCK])
{
  for (size_t i = 0; i < KERNEL_BLOCK; i++)
    {
      double a = x[0][i], b = x[1][i], c = x[2][i];

      out[0][i] = a;
      out[1][i] = 0.5 * (a + c) + 0.5 * b;
      out[2][i] = 0.5 * (a + c) - 0.5 * b;
      out[3][i] = c;
    }
  for (size_t i = 0; i < KERNEL_BLOCK && side == 6; i++)
    {
      double a = x[0][i], b = x[1][i], c = x[2][i], near = -1.0 / 6 * (a + c), far = 1.0 / 24 * a + 1.0 / 6 * c;

      out[0][i] = 0.25 * a;
      out[1][i] = near - 1.0 / 6 * b;
      out[2][i] = near + 1.0 / 6 * b;
      out[3][i] = far + 1.0 / 12 * b;
      out[4][i] = far - 1.0 / 12 * b;
      out[5][i] = c;
    }
}

/* G g G' of 16 kernels g: those of one input channel, `outputs` of them, `apart` floats from one to the next, turned by half a turn or as they are; the
 * others are zero. The elements are `step` floats apart. */
static void
winograd_kernels (const float *kernels, size_t outputs, size_t apart, bool turned, int side, float *out, size_t step)
{
  double taps[3][3][KERNEL_BLOCK] = { 0 }, columns[3][KERNEL_WINOGRAD_MOST][KERNEL_BLOCK];

  for (size_t k = 0; k < outputs; k++)
    for (size_t tap = 0; tap < 9; tap++)
      taps[tap % 3][tap / 3][k] = kernels[k * apart + (turned ? 8 - tap : tap)];
  for (int x = 0; x < 3; x++)
    winograd_column (side, taps[x], columns[x]);
  for (int y = 0; y < side; y++)
    {
      double row[3][KERNEL_BLOCK], elements[KERNEL_WINOGRAD_MOST][KERNEL_BLOCK];

      for (int x = 0; x < 3; x++)
        memcpy (row[x], columns[x][y], sizeof row[x]);
      winograd_column (side, row, elements);
      for (int x = 0; x < side; x++)
        for (size_t k = 0; k < KERNEL_BLOCK; k++)
          out[(size_t) (y * side + x) * step + k] = (float) elements[x][k];
    }
}

void
pack_winograd (const float *weights, size_t out_channels, size_t in_channels, bool turned, int m, float *out)
{
  size_t step = in_channels * KERNEL_BLOCK, apart = turned ? 9 : in_channels * 9, apart_in = turned ? out_channels * 9 : 9;

  for (size_t k = 0; k < out_channels; k += KERNEL_BLOCK, out += kernel_winograd_size (m) * step)
    for (size_t c = 0; c < in_channels; c++)
      winograd_kernels (weights + k * apart + c * apart_in, out_channels - k < KERNEL_BLOCK ? out_channels - k : KERNEL_BLOCK, apart, turned, m + 2,
                        out + c * KERNEL_BLOCK, step);
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
