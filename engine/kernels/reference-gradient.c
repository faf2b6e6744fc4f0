/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * reference-gradient.c: the meaning of the kernels that training needs. Plain C, sums in double.
 */

#include "kernels/reference.h"

#include <math.h>

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

void
reference_weight_gradient (const KernelWeightGradient *g, size_t out_block, size_t in_block, size_t first_row, size_t last_row, float *sum)
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
