/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * reference-gradient.c: the meaning of the kernels that training needs. Plain C, sums in double.
 */

#include "kernels/reference.h"

#include <math.h>

#include "kernels/winograd-matrices.h"

/* ---- activations ------------------------------------------------------------------------------------------ */

static double
sigmoid (double x)
{
  return 1.0 / (1.0 + exp (-x));
}

/* x gate (x): gate + x gate'. */
static double
gated_derivative (double x, double gate, double gate_derivative)
{
  return gate_derivative == 0.0 ? gate : gate + x * gate_derivative;
}

static double
gelu_tanh_derivative (double x)
{
  double k = 2.0 * sqrt (2.0 / M_PI), s = sigmoid (k * (x + 0.044715 * x * x * x));

  return gated_derivative (x, s, s * (1.0 - s) * k * (1.0 + 3.0 * 0.044715 * x * x));
}

static double
mish_derivative (double x)
{
  double softplus = x > 30.0 ? x : log1p (exp (x)), t = tanh (softplus);

  return gated_derivative (x, t, (1.0 - t * t) * sigmoid (x));
}

double
activation_derivative_reference (const Activation *activation, double x)
{
  double alpha = activation->alpha, beta = activation->beta, t;

  switch (activation->kind)
    {
    case ACTIVATION_NONE:             return 1.0;
    case ACTIVATION_RELU:             return x > 0.0 ? 1.0 : 0.0;
    case ACTIVATION_CLIP:             return x > alpha && x < beta ? 1.0 : 0.0;
    case ACTIVATION_LEAKY_RELU:       return x < 0.0 ? alpha : 1.0;
    case ACTIVATION_THRESHOLDED_RELU: return x > alpha ? 1.0 : 0.0;
    case ACTIVATION_SIGMOID:          return sigmoid (x) * sigmoid (-x);
    case ACTIVATION_HARD_SIGMOID:     return alpha * x + beta > 0.0 && alpha * x + beta < 1.0 ? alpha : 0.0;
    case ACTIVATION_HARD_SWISH:       t = alpha * x + beta; return t <= 0.0 ? 0.0 : t >= 1.0 ? 1.0 : 2.0 * alpha * x + beta;
    case ACTIVATION_SILU:             t = sigmoid (alpha * x); return gated_derivative (x, t, alpha * t * (1.0 - t));
    case ACTIVATION_TANH:             t = tanh (x); return 1.0 - t * t;
    case ACTIVATION_ELU:              return x < 0.0 ? alpha * exp (x) : 1.0;
    case ACTIVATION_CELU:             return x < 0.0 ? exp (x / alpha) : 1.0;
    case ACTIVATION_SELU:             return beta * (x < 0.0 ? alpha * exp (x) : 1.0);
    case ACTIVATION_GELU:             return gated_derivative (x, 0.5 * erfc (-x * M_SQRT1_2), exp (-0.5 * x * x) / sqrt (2.0 * M_PI));
    case ACTIVATION_GELU_TANH:        return gelu_tanh_derivative (x);
    case ACTIVATION_MISH:             return mish_derivative (x);
    case ACTIVATION_SOFTPLUS:         return sigmoid (x);
    case ACTIVATION_SOFTSIGN:         t = 1.0 + fabs (x); return 1.0 / (t * t);
    case ACTIVATION_EXP:              return exp (x);
    case ACTIVATION_ERF:              return 2.0 / sqrt (M_PI) * exp (-x * x);
    case ACTIVATION_ABS:              return x > 0.0 ? 1.0 : x < 0.0 ? -1.0 : 0.0;
    case ACTIVATION_NEG:              return -1.0;
    case ACTIVATION_SQRT:             return 0.5 / sqrt (x);
    case ACTIVATION_RECIPROCAL:       return -1.0 / (x * x);
    case N_ACTIVATIONS:               break;
    }
  return 1.0;
}

void
reference_activate_gradient (const Activation *activation, const float *in, const float *gradient, float *out, size_t n)
{
  for (size_t i = 0; i < n; i++)
    out[i] = (float) (gradient[i] * activation_derivative_reference (activation, in[i]));
}

/* ---- convolution ------------------------------------------------------------------------------------------ */

static bool
is_inside (const KernelWeightGradient *g, int y, int x)
{
  return y >= 0 && y < g->in_h && x >= 0 && x < g->in_w;
}

static double
weight_sum (const KernelWeightGradient *g, const float *in, const float *gradient, int ky, int kx, size_t first_row, size_t last_row)
{
  double sum = 0.0;

  for (size_t row = first_row; row < last_row; row++)
    for (int column = 0; column < g->out_w; column++)
      {
        int y = (int) row * g->stride_h - g->pad_top + ky * g->dilation_h, x = column * g->stride_w - g->pad_left + kx * g->dilation_w;

        if (is_inside (g, y, x))
          sum += (double) in[((size_t) y * (size_t) g->in_w + (size_t) x) * g->in_pixel]
                 * gradient[(row * (size_t) g->out_w + (size_t) column) * KERNEL_BLOCK];
      }
  return sum;
}

/* Of one output block. */
static void
add_weights (const KernelWeightGradient *g, size_t out_block, size_t in_block, size_t first_row, size_t last_row, float *sum)
{
  size_t left = g->in_channels - in_block * KERNEL_BLOCK, n_in = left < KERNEL_BLOCK ? left : KERNEL_BLOCK;

  for (int ky = 0; ky < g->kernel_h; ky++)
    for (int kx = 0; kx < g->kernel_w; kx++, sum += KERNEL_BLOCK * KERNEL_BLOCK)
      for (size_t c = 0; c < n_in; c++)
        for (size_t k = 0; k < KERNEL_BLOCK; k++)
          sum[c * KERNEL_BLOCK + k] += (float) weight_sum (g, g->in + in_block * g->in_plane + c * g->in_channel,
                                                           g->gradient + out_block * g->gradient_plane + k, ky, kx, first_row, last_row);
}

void
reference_weight_gradient (const KernelWeightGradient *g, size_t first_block, size_t last_block, size_t in_block, size_t first_row, size_t last_row,
                           float *sum)
{
  for (size_t block = first_block; block < last_block; block++)
    add_weights (g, block, in_block, first_row, last_row, sum + (block - first_block) * g->sum_block);
}

/* z (y + i, x + j) of one channel of a blocked image, zero outside of it. */
static double
pixel (const float *image, int h, int w, int y, int x)
{
  return y >= 0 && y < h && x >= 0 && x < w ? image[((size_t) y * (size_t) w + (size_t) x) * KERNEL_BLOCK] : 0.0;
}

/* What one tile adds to an element of one pair of channels. */
static double
tile_product (const KernelWinogradGradient *winograd, size_t tile, size_t element, size_t k, size_t c)
{
  const KernelWeightGradient *g = &winograd->gradient;
  size_t       tiles = winograd->tiles_x * winograd->tiles_y, image = tile / tiles;
  int          top = (int) (tile % tiles / winograd->tiles_x) * 4, left = (int) (tile % winograd->tiles_x) * 4;
  const float *in = g->in + image * winograd->in_image + c / KERNEL_BLOCK * g->in_plane + c % KERNEL_BLOCK;
  const float *gradient = g->gradient + image * winograd->gradient_image + k / KERNEL_BLOCK * g->gradient_plane + k % KERNEL_BLOCK;
  double       x = 0.0, y = 0.0;

  for (size_t i = 0; i < 6; i++)
    for (size_t j = 0; j < 6; j++)
      x += winograd_b[0][element / 6][i] * winograd_b[0][element % 6][j]
           * pixel (in, g->in_h, g->in_w, top - g->pad_top + (int) i, left - g->pad_left + (int) j);
  for (size_t i = 0; i < 4; i++)
    for (size_t j = 0; j < 4; j++)
      y += winograd_a[0][i][element / 6] * winograd_a[0][j][element % 6] * pixel (gradient, g->out_h, g->out_w, top + (int) i, left + (int) j);
  return x * y;
}

void
reference_winograd_gradient (const KernelWinogradGradient *winograd, size_t first_block, size_t last_block, size_t first, size_t last, float *scratch,
                             float *sum)
{
  size_t channels = kernel_blocks (winograd->gradient.in_channels) * KERNEL_BLOCK, n_blocks = last_block - first_block;
  size_t step = kernel_winograd_step (n_blocks * channels / KERNEL_BLOCK, KERNEL_BLOCK);

  for (size_t element = 0; element < 36; element++)
    for (size_t block = 0; block < n_blocks; block++)
      for (size_t c = 0; c < channels; c++)
        for (size_t lane = 0; lane < KERNEL_BLOCK; lane++)
          {
            double total = 0.0;

            for (size_t tile = first; tile < last; tile++)
              total += tile_product (winograd, tile, element, (first_block + block) * KERNEL_BLOCK + lane, c);
            sum[element * step + (block * channels + c) * KERNEL_BLOCK + lane] += (float) total;
          }
}

void
reference_winograd_gradient_out (const float *sum, size_t n_pairs, float *out)
{
  const size_t size = KERNEL_BLOCK * KERNEL_BLOCK, step = kernel_winograd_step (n_pairs, KERNEL_BLOCK);

  for (size_t i = 0; i < n_pairs * 9 * size; i++)
    {
      size_t pair = i / (9 * size), tap = i / size % 9;
      double total = 0.0;

      for (size_t element = 0; element < 36; element++)
        total += winograd_g[0][element / 6][tap / 3] * winograd_g[0][element % 6][tap % 3] * sum[element * step + pair * size + i % size];
      out[i] = (float) total;
    }
}

void
reference_depthwise_weight_gradient (const KernelWeightGradient *g, size_t block, size_t first_row, size_t last_row, float *sum)
{
  for (int ky = 0; ky < g->kernel_h; ky++)
    for (int kx = 0; kx < g->kernel_w; kx++)
      for (size_t c = 0; c < KERNEL_BLOCK; c++, sum++)
        *sum += (float) weight_sum (g, g->in + block * g->in_plane + c, g->gradient + block * g->gradient_plane + c, ky, kx, first_row, last_row);
}

void
reference_depthwise_input_gradient (const KernelWeightGradient *g, const float *weights, size_t block, size_t first_row, size_t last_row, float *out)
{
  const float *gradient = g->gradient + block * g->gradient_plane;

  weights += block * (size_t) (g->kernel_h * g->kernel_w) * KERNEL_BLOCK;
  for (size_t i = first_row * (size_t) g->in_w * KERNEL_BLOCK; i < last_row * (size_t) g->in_w * KERNEL_BLOCK; i++)
    {
      int    y = (int) (i / KERNEL_BLOCK) / g->in_w, x = (int) (i / KERNEL_BLOCK) % g->in_w;
      double sum = 0.0;

      for (int ky = 0; ky < g->kernel_h; ky++)
        for (int kx = 0; kx < g->kernel_w; kx++)
          {
            int at_y = y + g->pad_top - ky * g->dilation_h, at_x = x + g->pad_left - kx * g->dilation_w;

            if (at_y % g->stride_h == 0 && at_x % g->stride_w == 0 && at_y >= 0 && at_x >= 0 && at_y / g->stride_h < g->out_h
                && at_x / g->stride_w < g->out_w)
              sum += (double) gradient[(size_t) (at_y / g->stride_h * g->out_w + at_x / g->stride_w) * KERNEL_BLOCK + i % KERNEL_BLOCK]
                     * weights[(size_t) (ky * g->kernel_w + kx) * KERNEL_BLOCK + i % KERNEL_BLOCK];
          }
      out[i] = (float) sum;
    }
}

/* ---- pooling ---------------------------------------------------------------------------------------------- */

/* Adds the gradient of output (i, j) of one channel to the first pixel of its window that equals it. */
static void
spread_maximum (const KernelPool *pool, const float *in, float maximum, float gradient, int i, int j, float *out)
{
  for (int ky = 0; ky < pool->kernel_h; ky++)
    for (int kx = 0; kx < pool->kernel_w; kx++)
      {
        int y = i * pool->stride_h - pool->pad_top + ky * pool->dilation_h, x = j * pool->stride_w - pool->pad_left + kx * pool->dilation_w;

        if (y >= 0 && y < pool->in_h && x >= 0 && x < pool->in_w && in[((size_t) y * (size_t) pool->in_w + (size_t) x) * KERNEL_BLOCK] == maximum)
          {
            out[((size_t) y * (size_t) pool->in_w + (size_t) x) * KERNEL_BLOCK] += gradient;
            return;
          }
      }
}

void
reference_max_pool_gradient (const KernelPool *pool, const float *gradient, size_t block, float *out)
{
  for (size_t at = 0; at < (size_t) (pool->out_h * pool->out_w) * KERNEL_BLOCK; at++)
    spread_maximum (pool, pool->in + block * pool->in_plane + at % KERNEL_BLOCK, pool->out[block * pool->out_plane + at],
                    gradient[block * pool->out_plane + at], (int) (at / KERNEL_BLOCK) / pool->out_w, (int) (at / KERNEL_BLOCK) % pool->out_w,
                    out + at % KERNEL_BLOCK);
}

/* ---- normalization ---------------------------------------------------------------------------------------- */

void
reference_norm_sums (const float *in, const float *pivot, size_t n, float *sum, float *squares)
{
  for (size_t c = 0; c < KERNEL_BLOCK; c++)
    {
      double first = 0.0, second = 0.0;

      for (size_t i = 0; i < n; i++)
        {
          double d = (double) in[i * KERNEL_BLOCK + c] - pivot[c];

          first += d;
          second += d * d;
        }
      sum[c] += (float) first;
      squares[c] += (float) second;
    }
}

static double
normalized (const KernelNorm *norm, const float *in, size_t i)
{
  return (double) in[i] * norm->scale[i % KERNEL_BLOCK] + norm->shift[i % KERNEL_BLOCK];
}

void
reference_norm_apply (const KernelNorm *norm, const float *in, float *out, size_t n)
{
  for (size_t i = 0; i < n * KERNEL_BLOCK; i++)
    out[i] = (float) activation_reference (&norm->activation, normalized (norm, in, i));
}

void
reference_norm_gradient_sums (const KernelNorm *norm, const float *in, const float *gradient, size_t n, float *sum, float *product)
{
  for (size_t c = 0; c < KERNEL_BLOCK; c++)
    {
      double first = 0.0, second = 0.0;

      for (size_t i = c; i < n * KERNEL_BLOCK; i += KERNEL_BLOCK)
        {
          double g = gradient[i] * activation_derivative_reference (&norm->activation, normalized (norm, in, i));

          first += g;
          second += g * ((double) in[i] - norm->mean[c]) * norm->inverse[c];
        }
      sum[c] += (float) first;
      product[c] += (float) second;
    }
}

void
reference_norm_gradient (const KernelNorm *norm, const float *in, const float *gradient, const float *a, const float *b, const float *c, float *out,
                         size_t n)
{
  for (size_t i = 0; i < n * KERNEL_BLOCK; i++)
    {
      size_t lane = i % KERNEL_BLOCK;
      double g = gradient[i] * activation_derivative_reference (&norm->activation, normalized (norm, in, i));

      out[i] = (float) (a[lane] * g + (double) b[lane] * in[i] + c[lane]);
    }
}
