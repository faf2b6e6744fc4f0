/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * reference.c: the meaning of the kernels that work on images and matrices, and the reference table. Plain C, sums in double, no
 * cleverness.
 */

#include "kernels/reference.h"

#include <math.h>

#include "kernels/winograd-matrices.h"

/* Element (channel, y, x) of a blocked image. */
static size_t
blocked_index (size_t plane, int width, size_t channel, int y, int x)
{
  return channel / KERNEL_BLOCK * plane + ((size_t) y * (size_t) width + (size_t) x) * KERNEL_BLOCK + channel % KERNEL_BLOCK;
}

/* ---- convolution ------------------------------------------------------------------------------------------ */

static float
conv_input (const KernelConv *conv, size_t channel, int y, int x)
{
  if (conv->in_pixel == 1)
    return conv->in[channel * conv->in_plane + (size_t) y * (size_t) conv->in_w + (size_t) x];
  return conv->in[blocked_index (conv->in_plane, conv->in_w, channel, y, x)];
}

/* Bias, residual, activation; zero past the last channel. */
static void
conv_finish (const KernelConv *conv, size_t channel, int y, int x, double sum)
{
  size_t index = blocked_index (conv->out_plane, conv->out_w, channel, y, x);

  if (conv->out_step)
    index = channel / KERNEL_BLOCK * conv->out_plane + (size_t) y * conv->out_row + (size_t) x * conv->out_step + channel % KERNEL_BLOCK;
  if (conv->bias)
    sum += conv->bias[channel];
  if (conv->residual)
    sum += conv->residual[index];
  conv->out[index] = channel < conv->out_channels ? (float) activation_reference (&conv->activation, sum) : 0.0f;
}

static double
conv_sum (const KernelConv *conv, size_t channel, int y, int x)
{
  size_t       block = channel / KERNEL_BLOCK, taps = (size_t) conv->kernel_h * (size_t) conv->kernel_w;
  size_t       in_block = conv->in_pixel == 1 ? 1 : KERNEL_BLOCK;
  size_t       first = conv->group_out_blocks ? block / conv->group_out_blocks * conv->group_in_blocks * KERNEL_BLOCK : 0;
  const float *weights = conv->weights + block * conv->in_channels * taps * KERNEL_BLOCK + channel % KERNEL_BLOCK;
  double       sum = 0.0;

  for (size_t c = 0; c < conv->in_channels; c += in_block)
    {
      size_t n = conv->in_channels - c < in_block ? conv->in_channels - c : in_block;

      for (int ky = 0; ky < conv->kernel_h; ky++)
        for (int kx = 0; kx < conv->kernel_w; kx++)
          for (size_t i = 0; i < n; i++, weights += KERNEL_BLOCK)
            {
              int in_y = y * conv->stride_h - conv->pad_top + ky * conv->dilation_h;
              int in_x = x * conv->stride_w - conv->pad_left + kx * conv->dilation_w;

              if (in_y >= 0 && in_y < conv->in_h && in_x >= 0 && in_x < conv->in_w)
                sum += (double) conv_input (conv, first + c + i, in_y, in_x) * *weights;
            }
    }
  return sum;
}

static void
reference_conv (const KernelConv *conv, size_t first_block, size_t last_block, size_t first_pixel, size_t last_pixel)
{
  for (size_t channel = first_block * KERNEL_BLOCK; channel < last_block * KERNEL_BLOCK; channel++)
    for (size_t pixel = first_pixel; pixel < last_pixel; pixel++)
      {
        int y = (int) (pixel / (size_t) conv->out_w), x = (int) (pixel % (size_t) conv->out_w);

        conv_finish (conv, channel, y, x, conv_sum (conv, channel, y, x));
      }
}

static void
reference_depthwise (const KernelConv *conv, size_t first_block, size_t last_block, size_t first_row, size_t last_row)
{
  int taps = conv->kernel_h * conv->kernel_w;

  for (size_t channel = first_block * KERNEL_BLOCK; channel < last_block * KERNEL_BLOCK; channel++)
    for (int y = (int) first_row; y < (int) last_row; y++)
      for (int x = 0; x < conv->out_w; x++)
        {
          const float *weights = conv->weights + channel / KERNEL_BLOCK * (size_t) taps * KERNEL_BLOCK + channel % KERNEL_BLOCK;
          double       sum = 0.0;

          for (int tap = 0; tap < taps; tap++)
            {
              int in_y = y * conv->stride_h - conv->pad_top + tap / conv->kernel_w * conv->dilation_h;
              int in_x = x * conv->stride_w - conv->pad_left + tap % conv->kernel_w * conv->dilation_w;

              if (in_y >= 0 && in_y < conv->in_h && in_x >= 0 && in_x < conv->in_w)
                sum += (double) conv_input (conv, channel, in_y, in_x) * weights[tap * KERNEL_BLOCK];
            }
          conv_finish (conv, channel, y, x, sum);
        }
}

/* ---- Winograd --------------------------------------------------------------------------------------------- */

static void
reference_winograd_input (const KernelWinograd *winograd, size_t first_block, size_t last_block, size_t first, size_t last, float *out)
{
  const KernelConv *conv = &winograd->conv;
  size_t            n_tiles = last - first, blocks = kernel_blocks (conv->in_channels);
  int               side = winograd->m + 2;
  const double (*transform)[6] = winograd_b[side == 6 ? 0 : 1];

  for (size_t channel = first_block * KERNEL_BLOCK; channel < last_block * KERNEL_BLOCK; channel++)
    for (size_t tile = 0; tile < n_tiles; tile++)
      {
        int    y = (int) ((first + tile) / winograd->tiles_x) * winograd->m - conv->pad_top;
        int    x = (int) ((first + tile) % winograd->tiles_x) * winograd->m - conv->pad_left;
        double in[6][6];

        for (int i = 0; i < side; i++)
          for (int j = 0; j < side; j++)
            in[i][j] =
                y + i >= 0 && y + i < conv->in_h && x + j >= 0 && x + j < conv->in_w ? conv_input (conv, channel, y + i, x + j) : 0.0;

        for (size_t element = 0; element < kernel_winograd_size (winograd->m); element++)
          {
            double sum = 0.0;

            for (int i = 0; i < side; i++)
              for (int j = 0; j < side; j++)
                sum += transform[element / (size_t) side][i] * in[i][j] * transform[element % (size_t) side][j];
            out[element * kernel_winograd_step (blocks, n_tiles) + (channel / KERNEL_BLOCK * n_tiles + tile) * KERNEL_BLOCK
                + channel % KERNEL_BLOCK] = (float) sum;
          }
      }
}

static double
winograd_product (const KernelWinograd *winograd, size_t channel, size_t element, size_t tile, size_t n_tiles, const float *in)
{
  const KernelConv *conv = &winograd->conv;
  size_t       blocks = kernel_blocks (conv->in_channels);
  const float *weights = conv->weights + (channel / KERNEL_BLOCK * kernel_winograd_size (winograd->m) + element) * conv->in_channels * KERNEL_BLOCK;
  double       sum = 0.0;

  for (size_t c = 0; c < conv->in_channels; c++)
    sum += (double) in[element * kernel_winograd_step (blocks, n_tiles) + (c / KERNEL_BLOCK * n_tiles + tile) * KERNEL_BLOCK + c % KERNEL_BLOCK]
           * weights[c * KERNEL_BLOCK + channel % KERNEL_BLOCK];
  return sum;
}

static void
reference_winograd_output (const KernelWinograd *winograd, size_t first_block, size_t last_block, size_t first, size_t last,
                           const float *in, float *products)
{
  const KernelConv *conv = &winograd->conv;
  int               m = winograd->m, side = m + 2;
  const double (*transform)[6] = winograd_a[m == 4 ? 0 : 1];

  for (size_t channel = first_block * KERNEL_BLOCK; channel < last_block * KERNEL_BLOCK; channel++)
    for (size_t tile = first; tile < last; tile++)
      {
        int    y = (int) (tile / winograd->tiles_x) * m, x = (int) (tile % winograd->tiles_x) * m;
        double product[6][6];

        for (size_t element = 0; element < kernel_winograd_size (m); element++)
          product[element / (size_t) side][element % (size_t) side] = winograd_product (winograd, channel, element, tile - first, last - first, in);

        for (int i = 0; i < m && y + i < conv->out_h; i++)
          for (int j = 0; j < m && x + j < conv->out_w; j++)
            {
              double sum = 0.0;

              for (int row = 0; row < side; row++)
                for (int column = 0; column < side; column++)
                  sum += transform[i][row] * product[row][column] * transform[j][column];
              conv_finish (conv, channel, y + i, x + j, sum);
            }
      }
}

/* ---- pooling ---------------------------------------------------------------------------------------------- */

static float
pool_window (const KernelPool *pool, size_t channel, int y, int x)
{
  double sum = 0.0;
  float  greatest = -INFINITY;
  int    n_inside = 0, n_padded = 0;

  for (int ky = 0; ky < pool->kernel_h; ky++)
    for (int kx = 0; kx < pool->kernel_w; kx++)
      {
        int in_y = y * pool->stride_h - pool->pad_top + ky * pool->dilation_h;
        int in_x = x * pool->stride_w - pool->pad_left + kx * pool->dilation_w;

        if (in_y < pool->in_h + pool->pad_bottom && in_x < pool->in_w + pool->pad_right)
          n_padded++;
        if (in_y >= 0 && in_y < pool->in_h && in_x >= 0 && in_x < pool->in_w)
          {
            float value = pool->in[blocked_index (pool->in_plane, pool->in_w, channel, in_y, in_x)];

            reference_binary (BINARY_MAX, &greatest, &value, &greatest, 1);
            sum += value;
            n_inside++;
          }
      }

  if (pool->kind == POOL_MAX)
    return greatest;
  if (pool->kind == POOL_AVERAGE_PADDED)
    return n_padded > 0 ? (float) (sum / n_padded) : 0.0f;
  return n_inside > 0 ? (float) (sum / n_inside) : 0.0f;
}

static void
reference_pool (const KernelPool *pool, size_t first_block, size_t last_block, size_t first_row, size_t last_row)
{
  for (size_t channel = first_block * KERNEL_BLOCK; channel < last_block * KERNEL_BLOCK; channel++)
    for (int y = (int) first_row; y < (int) last_row; y++)
      for (int x = 0; x < pool->out_w; x++)
        pool->out[blocked_index (pool->out_plane, pool->out_w, channel, y, x)]
          = channel < pool->channels ? pool_window (pool, channel, y, x) : 0.0f;
}

static void
reference_sum_pixels (const float *in, size_t n, float scale, float *out)
{
  for (size_t lane = 0; lane < KERNEL_BLOCK; lane++)
    {
      double sum = 0.0;

      for (size_t i = 0; i < n; i++)
        sum += in[i * KERNEL_BLOCK + lane];
      out[lane] = (float) (sum * scale);
    }
}

/* ---- matrices and layout ---------------------------------------------------------------------------------- */

static void
reference_gemm (const KernelGemm *gemm, size_t first_panel, size_t last_panel, size_t first_row, size_t last_row)
{
  for (size_t row = first_row; row < last_row; row++)
    for (size_t column = first_panel * KERNEL_BLOCK; column < last_panel * KERNEL_BLOCK && column < gemm->n; column++)
      {
        const float *b = gemm->b + column / KERNEL_BLOCK * gemm->k * KERNEL_BLOCK + column % KERNEL_BLOCK;
        float       *c = gemm->c + row * gemm->c_row + column;
        double       sum = gemm->bias ? gemm->bias[column] : 0.0;

        for (size_t i = 0; i < gemm->k; i++)
          sum += (double) gemm->a[row * gemm->a_row + i] * b[i * KERNEL_BLOCK];
        if (gemm->accumulate)
          sum += *c;
        *c = (float) activation_reference (&gemm->activation, sum);
      }
}

static void
reference_block (const float *in, float *out, size_t channels, size_t n_pixels, size_t first, size_t last)
{
  for (size_t channel = 0; channel < kernel_blocks (channels) * KERNEL_BLOCK; channel++)
    for (size_t i = first; i < last; i++)
      out[(channel / KERNEL_BLOCK * n_pixels + i) * KERNEL_BLOCK + channel % KERNEL_BLOCK]
        = channel < channels ? in[channel * n_pixels + i] : 0.0f;
}

static void
reference_unblock (const float *in, float *out, size_t channels, size_t n_pixels, size_t first, size_t last)
{
  for (size_t channel = 0; channel < channels; channel++)
    for (size_t i = first; i < last; i++)
      out[channel * n_pixels + i] = in[(channel / KERNEL_BLOCK * n_pixels + i) * KERNEL_BLOCK + channel % KERNEL_BLOCK];
}

static void
reference_multiply_adds (size_t n, float *out)
{
  for (size_t lane = 0; lane < KERNEL_BLOCK; lane++)
    out[lane] = (float) lane;
  for (size_t i = 0; i < n; i += KERNEL_BLOCK)
    for (size_t lane = 0; lane < KERNEL_BLOCK; lane++)
      out[lane] = out[lane] * 0.5f + 1.0f;
}

const Kernels kernels_reference = {
  .name = "reference",
  .tile = "plain C",
  .conv = reference_conv,
  .depthwise = reference_depthwise,
  .winograd_input = reference_winograd_input,
  .winograd_output = reference_winograd_output,
  .winograd_blocks = 1,
  .pool = reference_pool,
  .max_pool_gradient = reference_max_pool_gradient,
  .sum_pixels = reference_sum_pixels,
  .gemm = reference_gemm,
  .activate = reference_activate,
  .binary = reference_binary,
  .binary_right = reference_binary_right,
  .binary_left = reference_binary_left,
  .binary_channels = reference_binary_channels,
  .binary_channels_left = reference_binary_channels_left,
  .scale_shift = reference_scale_shift,
  .scale_shift_channels = reference_scale_shift_channels,
  .softmax = reference_softmax,
  .sum = reference_sum,
  .sum_squares = reference_sum_squares,
  .max = reference_max,
  .block = reference_block,
  .unblock = reference_unblock,
  .weight_gradient = reference_weight_gradient,
  .winograd_gradient = reference_winograd_gradient,
  .winograd_gradient_out = reference_winograd_gradient_out,
  .depthwise_weight_gradient = reference_depthwise_weight_gradient,
  .depthwise_input_gradient = reference_depthwise_input_gradient,
  .norm_sums = reference_norm_sums,
  .norm_apply = reference_norm_apply,
  .norm_gradient_sums = reference_norm_gradient_sums,
  .norm_gradient = reference_norm_gradient,
  .multiply_adds = reference_multiply_adds,
  .activate_gradient = reference_activate_gradient,
};
