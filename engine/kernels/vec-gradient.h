/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * vec-gradient.h: what training needs besides the forward kernels and the weight gradients (vec-weight-gradient.h): depthwise convolutions, batch
 * normalization and its gradient, derivatives of activations.
 */
#pragma once

#include "kernels/vec-weight-gradient.h"

/* ---- depthwise -------------------------------------------------------------------------------------------- */

#define DEPTHWISE_TAPS 5 /* most that are summed side by side */

/* Adds n pixels of a row of the gradient times those of x under n_taps taps of one row, `apart` floats from tap to tap, to sum (n_taps, 16). */
INLINE void
depthwise_gradient_taps (const float *x, size_t step, size_t apart, const float *gradient, size_t n, int n_taps, float *sum)
{
  for (size_t lane = 0; lane < KERNEL_BLOCK; lane += VEC_LANES)
    {
      const float *in = x + lane, *g = gradient + lane;
      Vec          total[DEPTHWISE_TAPS][2]; /* of even and odd pixels: chains of additions side by side */
      size_t       i = 0;

      UNROLL for (int t = 0; t < n_taps; t++)
        {
          total[t][0] = vec_load (sum + t * KERNEL_BLOCK + lane);
          total[t][1] = vec_zero ();
        }
      for (; i + 2 <= n; i += 2, in += 2 * step, g += 2 * KERNEL_BLOCK)
        {
          const Vec even = vec_load (g), odd = vec_load (g + KERNEL_BLOCK);

          UNROLL for (int t = 0; t < n_taps; t++)
            {
              total[t][0] = vec_fma (vec_load (in + (size_t) t * apart), even, total[t][0]);
              total[t][1] = vec_fma (vec_load (in + step + (size_t) t * apart), odd, total[t][1]);
            }
        }
      if (i < n)
        UNROLL for (int t = 0; t < n_taps; t++)
          total[t][0] = vec_fma (vec_load (in + (size_t) t * apart), vec_load (g), total[t][0]);
      UNROLL for (int t = 0; t < n_taps; t++)
        vec_store (sum + t * KERNEL_BLOCK + lane, vec_add (total[t][0], total[t][1]));
    }
}

/* Output pixels [first, last) under taps [tap, tap + n_taps) of one row; n_taps: 1, or all of the usual windows. */
static void
depthwise_gradient_pixels (const KernelWeightGradient *g, const float *in_row, const float *gradient_row, int tap, int n_taps, int first, int last, float *sum)
{
  const float *x, *gradient = gradient_row + (size_t) first * KERNEL_BLOCK;
  size_t       step = (size_t) g->stride_w * KERNEL_BLOCK, apart = (size_t) g->dilation_w * KERNEL_BLOCK, n = (size_t) (last - first);

  if (first >= last)
    return;
  x = in_row + (size_t) (first * g->stride_w - g->pad_left + tap * g->dilation_w) * KERNEL_BLOCK;
  sum += tap * KERNEL_BLOCK;
  switch (n_taps)
    {
    case 3:  depthwise_gradient_taps (x, step, apart, gradient, n, 3, sum); break;
    case 5:  depthwise_gradient_taps (x, step, apart, gradient, n, 5, sum); break;
    default: depthwise_gradient_taps (x, step, apart, gradient, n, 1, sum); break;
    }
}

/* One row of the gradient by the row of x that lies under one row of taps: where all taps are inside together, beside that one by one. */
static void
depthwise_gradient_row (const KernelWeightGradient *g, const float *in_row, const float *gradient_row, float *sum)
{
  const int n_taps = g->kernel_w;
  int       first, last, from, to;
  bool      together;

  gradient_inside (0, g->pad_left, g->stride_w, g->in_w, g->out_w, &from, &last);
  gradient_inside ((n_taps - 1) * g->dilation_w, g->pad_left, g->stride_w, g->in_w, g->out_w, &first, &to);
  together = (n_taps == 3 || n_taps == 5) && from < to;
  if (together)
    depthwise_gradient_pixels (g, in_row, gradient_row, 0, n_taps, from, to, sum);
  for (int t = 0; t < n_taps; t++)
    {
      gradient_inside (t * g->dilation_w, g->pad_left, g->stride_w, g->in_w, g->out_w, &first, &last);
      depthwise_gradient_pixels (g, in_row, gradient_row, t, 1, first, together ? from : last, sum);
      if (together)
        depthwise_gradient_pixels (g, in_row, gradient_row, t, 1, to, last, sum);
    }
}

static void
vec_depthwise_weight_gradient (const KernelWeightGradient *g, size_t block, size_t first_row, size_t last_row, float *sum)
{
  const float *in = g->in + block * g->in_plane, *gradient = g->gradient + block * g->gradient_plane;

  for (size_t row = first_row; row < last_row; row++)
    for (int ky = 0; ky < g->kernel_h; ky++)
      {
        int y = (int) row * g->stride_h - g->pad_top + ky * g->dilation_h;

        if (y >= 0 && y < g->in_h)
          depthwise_gradient_row (g, in + (size_t) y * (size_t) g->in_w * KERNEL_BLOCK, gradient + row * (size_t) g->out_w * KERNEL_BLOCK,
                                  sum + ky * g->kernel_w * KERNEL_BLOCK);
      }
}

/* Adds one row of the gradient, times the weights of one row of taps, to a row of the input's gradient. */
INLINE void
depthwise_spread_row (const KernelWeightGradient *g, const float *gradient, const float *weights, float *out)
{
  for (int kx = 0; kx < g->kernel_w; kx++, weights += KERNEL_BLOCK)
    {
      int    first, last;
      size_t step = (size_t) g->stride_w * KERNEL_BLOCK;
      Vec    w[KERNEL_BLOCK / VEC_LANES];
      float *to;

      gradient_inside (kx * g->dilation_w, g->pad_left, g->stride_w, g->in_w, g->out_w, &first, &last);
      if (first >= last)
        continue;
      to = out + (ptrdiff_t) (first * g->stride_w - g->pad_left + kx * g->dilation_w) * KERNEL_BLOCK;
      UNROLL for (int v = 0; v < KERNEL_BLOCK / VEC_LANES; v++)
        w[v] = vec_load (weights + v * VEC_LANES);
      for (int x = first; x < last; x++, to += step)
        UNROLL for (int v = 0; v < KERNEL_BLOCK / VEC_LANES; v++)
          vec_store (to + v * VEC_LANES,
                     vec_fma (vec_load (gradient + (size_t) x * KERNEL_BLOCK + v * VEC_LANES), w[v], vec_load (to + v * VEC_LANES)));
    }
}

static void
vec_depthwise_input_gradient (const KernelWeightGradient *g, const float *weights, size_t block, size_t first_row, size_t last_row, float *out)
{
  const float *gradient = g->gradient + block * g->gradient_plane;
  const size_t row_size = (size_t) g->in_w * KERNEL_BLOCK;

  weights += block * (size_t) (g->kernel_h * g->kernel_w) * KERNEL_BLOCK;
  for (size_t y = first_row; y < last_row; y++)
    {
      memset (out + y * row_size, 0, row_size * sizeof (float));
      for (int ky = 0; ky < g->kernel_h; ky++)
        {
          int at = (int) y + g->pad_top - ky * g->dilation_h;

          if (at >= 0 && at % g->stride_h == 0 && at / g->stride_h < g->out_h)
            depthwise_spread_row (g, gradient + (size_t) (at / g->stride_h) * (size_t) g->out_w * KERNEL_BLOCK,
                                  weights + ky * g->kernel_w * KERNEL_BLOCK, out + y * row_size);
        }
    }
}

/* ---- derivatives ------------------------------------------------------------------------------------------- */

/* The kinds that have one here; the others are left to activation_derivative_reference (). */
INLINE bool
has_vec_derivative (ActivationKind kind)
{
  switch (kind)
    {
    case ACTIVATION_NONE:
    case ACTIVATION_RELU:
    case ACTIVATION_CLIP:
    case ACTIVATION_LEAKY_RELU:
    case ACTIVATION_SIGMOID:
    case ACTIVATION_HARD_SIGMOID:
    case ACTIVATION_HARD_SWISH:
    case ACTIVATION_SILU:
    case ACTIVATION_TANH:
    case ACTIVATION_ELU:
    case ACTIVATION_GELU:
      return true;
    default:
      return false;
    }
}

/* 1 inside (low, high), 0 outside and at the ends. */
INLINE Vec
vec_between (Vec x, Vec low, Vec high)
{
  return vec_select (vec_less (low, x), vec_select (vec_less (x, high), vec_set (1.0f), vec_zero ()), vec_zero ());
}

INLINE Vec
vec_derivative (ActivationKind kind, Vec x, Vec alpha, Vec beta)
{
  const Vec zero = vec_zero (), one = vec_set (1.0f);
  Vec       s;

  switch (kind)
    {
    case ACTIVATION_RELU:         return vec_select (vec_less (zero, x), one, zero);
    case ACTIVATION_CLIP:         return vec_between (x, alpha, beta);
    case ACTIVATION_LEAKY_RELU:   return vec_select (vec_less (x, zero), alpha, one);
    case ACTIVATION_SIGMOID:
      s = vec_sigmoid (x);
      return vec_mul (s, vec_sub (one, s));
    case ACTIVATION_HARD_SIGMOID: return vec_mul (alpha, vec_between (vec_fma (x, alpha, beta), zero, one));
    case ACTIVATION_HARD_SWISH:
      s = vec_fma (x, alpha, beta);
      return vec_select (vec_less (zero, s), vec_select (vec_less (s, one), vec_fma (x, alpha, s), one), zero);
    case ACTIVATION_SILU:
      s = vec_sigmoid (vec_mul (alpha, x));
      return vec_fma (vec_mul (vec_mul (alpha, vec_clamp (x, vec_set (-1e4f), vec_set (1e4f))), s), vec_sub (one, s), s);
    case ACTIVATION_TANH:
      s = vec_tanh (x);
      return vec_sub (one, vec_mul (s, s));
    case ACTIVATION_ELU:          return vec_select (vec_less (x, zero), vec_mul (alpha, vec_exp (vec_min (zero, x))), one);
    case ACTIVATION_GELU:
      x = vec_clamp (x, vec_set (-1e4f), vec_set (1e4f));
      s = vec_fma (vec_erf (vec_mul (x, vec_set (0.70710678118654752f))), vec_set (0.5f), vec_set (0.5f));
      return vec_fma (vec_mul (x, vec_set (0.39894228040143268f)), vec_exp (vec_mul (vec_mul (x, x), vec_set (-0.5f))), s);
    default:                      return one;
    }
}

INLINE void
activate_gradient_loop (ActivationKind kind, const Activation *activation, const float *in, const float *gradient, float *out, size_t n)
{
  const Vec alpha = vec_set (activation->alpha), beta = vec_set (activation->beta);
  size_t    i = 0;

  for (; i + VEC_LANES <= n; i += VEC_LANES)
    vec_store (out + i, vec_mul (vec_load (gradient + i), vec_derivative (kind, vec_load (in + i), alpha, beta)));
  if (i < n)
    vec_store_part (out + i, vec_mul (vec_load_part (gradient + i, n - i), vec_derivative (kind, vec_load_part (in + i, n - i), alpha, beta)), n - i);
}

static void
vec_activate_gradient (const Activation *activation, const float *in, const float *gradient, float *out, size_t n)
{
  switch (activation->kind)
    {
    case ACTIVATION_NONE:         activate_gradient_loop (ACTIVATION_NONE, activation, in, gradient, out, n); break;
    case ACTIVATION_RELU:         activate_gradient_loop (ACTIVATION_RELU, activation, in, gradient, out, n); break;
    case ACTIVATION_CLIP:         activate_gradient_loop (ACTIVATION_CLIP, activation, in, gradient, out, n); break;
    case ACTIVATION_LEAKY_RELU:   activate_gradient_loop (ACTIVATION_LEAKY_RELU, activation, in, gradient, out, n); break;
    case ACTIVATION_SIGMOID:      activate_gradient_loop (ACTIVATION_SIGMOID, activation, in, gradient, out, n); break;
    case ACTIVATION_HARD_SIGMOID: activate_gradient_loop (ACTIVATION_HARD_SIGMOID, activation, in, gradient, out, n); break;
    case ACTIVATION_HARD_SWISH:   activate_gradient_loop (ACTIVATION_HARD_SWISH, activation, in, gradient, out, n); break;
    case ACTIVATION_SILU:         activate_gradient_loop (ACTIVATION_SILU, activation, in, gradient, out, n); break;
    case ACTIVATION_TANH:         activate_gradient_loop (ACTIVATION_TANH, activation, in, gradient, out, n); break;
    case ACTIVATION_ELU:          activate_gradient_loop (ACTIVATION_ELU, activation, in, gradient, out, n); break;
    case ACTIVATION_GELU:         activate_gradient_loop (ACTIVATION_GELU, activation, in, gradient, out, n); break;
    default:                      kernels_reference.activate_gradient (activation, in, gradient, out, n); break;
    }
}

/* ---- normalization ----------------------------------------------------------------------------------------- */

#define NORM_VECTORS (KERNEL_BLOCK / VEC_LANES)

static void
vec_norm_sums (const float *in, const float *pivot, size_t n, float *sum, float *squares)
{
  UNROLL for (int v = 0; v < NORM_VECTORS; v++)
    {
      const Vec    centre = vec_load (pivot + v * VEC_LANES);
      const float *x = in + v * VEC_LANES;
      Vec          first[4], second[4];
      size_t       i = 0;

      UNROLL for (int k = 0; k < 4; k++)
        first[k] = second[k] = vec_zero ();
      for (; i + 4 <= n; i += 4, x += 4 * KERNEL_BLOCK)
        UNROLL for (int k = 0; k < 4; k++)
          {
            Vec d = vec_sub (vec_load (x + k * KERNEL_BLOCK), centre);

            first[k] = vec_add (first[k], d);
            second[k] = vec_fma (d, d, second[k]);
          }
      for (; i < n; i++, x += KERNEL_BLOCK)
        {
          Vec d = vec_sub (vec_load (x), centre);

          first[0] = vec_add (first[0], d);
          second[0] = vec_fma (d, d, second[0]);
        }
      first[0] = vec_add (vec_add (first[0], first[1]), vec_add (first[2], first[3]));
      second[0] = vec_add (vec_add (second[0], second[1]), vec_add (second[2], second[3]));
      vec_store (sum + v * VEC_LANES, vec_add (vec_load (sum + v * VEC_LANES), first[0]));
      vec_store (squares + v * VEC_LANES, vec_add (vec_load (squares + v * VEC_LANES), second[0]));
    }
}

INLINE void
norm_apply_loop (ActivationKind kind, const KernelNorm *norm, const float *in, float *out, size_t n)
{
  const Vec alpha = vec_set (norm->activation.alpha), beta = vec_set (norm->activation.beta);
  Vec       scale[NORM_VECTORS], shift[NORM_VECTORS];

  UNROLL for (int v = 0; v < NORM_VECTORS; v++)
    {
      scale[v] = vec_load (norm->scale + v * VEC_LANES);
      shift[v] = vec_load (norm->shift + v * VEC_LANES);
    }
  for (size_t i = 0; i < n; i++, in += KERNEL_BLOCK, out += KERNEL_BLOCK)
    UNROLL for (int v = 0; v < NORM_VECTORS; v++)
      vec_store (out + v * VEC_LANES, vec_activation (kind, vec_fma (vec_load (in + v * VEC_LANES), scale[v], shift[v]), alpha, beta));
}

static void
vec_norm_apply (const KernelNorm *norm, const float *in, float *out, size_t n)
{
  switch (norm->activation.kind)
    {
    case ACTIVATION_NONE:       norm_apply_loop (ACTIVATION_NONE, norm, in, out, n); break;
    case ACTIVATION_RELU:       norm_apply_loop (ACTIVATION_RELU, norm, in, out, n); break;
    case ACTIVATION_CLIP:       norm_apply_loop (ACTIVATION_CLIP, norm, in, out, n); break;
    case ACTIVATION_HARD_SWISH: norm_apply_loop (ACTIVATION_HARD_SWISH, norm, in, out, n); break;
    case ACTIVATION_SILU:       norm_apply_loop (ACTIVATION_SILU, norm, in, out, n); break;
    default:
      norm_apply_loop (ACTIVATION_NONE, norm, in, out, n);
      vec_activate (&norm->activation, out, out, n * KERNEL_BLOCK);
      break;
    }
}

/* gradient f' (in scale + shift) of one vector. */
INLINE Vec
norm_derivative (ActivationKind kind, const KernelNorm *norm, const float *in, const float *gradient, int v)
{
  Vec u = vec_fma (vec_load (in + v * VEC_LANES), vec_load (norm->scale + v * VEC_LANES), vec_load (norm->shift + v * VEC_LANES));
  Vec g = vec_load (gradient + v * VEC_LANES);

  if (kind == ACTIVATION_NONE)
    return g;
  if (kind == ACTIVATION_RELU)
    return vec_select (vec_less (vec_zero (), u), g, vec_zero ());
  if (!has_vec_derivative (kind))
    {
      float us[VEC_LANES], gs[VEC_LANES];

      vec_store (us, u);
      vec_store (gs, g);
      kernels_reference.activate_gradient (&norm->activation, us, gs, gs, VEC_LANES);
      return vec_load (gs);
    }
  return vec_mul (g, vec_derivative (kind, u, vec_set (norm->activation.alpha), vec_set (norm->activation.beta)));
}

INLINE void
norm_gradient_sums_loop (ActivationKind kind, const KernelNorm *norm, const float *in, const float *gradient, size_t n, float *sum, float *product)
{
  UNROLL for (int v = 0; v < NORM_VECTORS; v++)
    {
      const Vec mean = vec_load (norm->mean + v * VEC_LANES);
      Vec       first[2] = { vec_zero (), vec_zero () }, second[2] = { vec_zero (), vec_zero () };
      size_t    i = 0;

      for (; i + 2 <= n; i += 2)
        UNROLL for (int k = 0; k < 2; k++)
          {
            const float *x = in + (i + (size_t) k) * KERNEL_BLOCK;
            Vec          g = norm_derivative (kind, norm, x, gradient + (i + (size_t) k) * KERNEL_BLOCK, v);

            first[k] = vec_add (first[k], g);
            second[k] = vec_fma (g, vec_sub (vec_load (x + v * VEC_LANES), mean), second[k]);
          }
      if (i < n)
        {
          Vec g = norm_derivative (kind, norm, in + i * KERNEL_BLOCK, gradient + i * KERNEL_BLOCK, v);

          first[0] = vec_add (first[0], g);
          second[0] = vec_fma (g, vec_sub (vec_load (in + i * KERNEL_BLOCK + v * VEC_LANES), mean), second[0]);
        }
      vec_store (sum + v * VEC_LANES, vec_add (vec_load (sum + v * VEC_LANES), vec_add (first[0], first[1])));
      vec_store (product + v * VEC_LANES, vec_fma (vec_add (second[0], second[1]), vec_load (norm->inverse + v * VEC_LANES),
                                                   vec_load (product + v * VEC_LANES)));
    }
}

static void
vec_norm_gradient_sums (const KernelNorm *norm, const float *in, const float *gradient, size_t n, float *sum, float *product)
{
  switch (norm->activation.kind)
    {
    case ACTIVATION_NONE:       norm_gradient_sums_loop (ACTIVATION_NONE, norm, in, gradient, n, sum, product); break;
    case ACTIVATION_RELU:       norm_gradient_sums_loop (ACTIVATION_RELU, norm, in, gradient, n, sum, product); break;
    case ACTIVATION_CLIP:       norm_gradient_sums_loop (ACTIVATION_CLIP, norm, in, gradient, n, sum, product); break;
    case ACTIVATION_HARD_SWISH: norm_gradient_sums_loop (ACTIVATION_HARD_SWISH, norm, in, gradient, n, sum, product); break;
    case ACTIVATION_SILU:       norm_gradient_sums_loop (ACTIVATION_SILU, norm, in, gradient, n, sum, product); break;
    default:                    norm_gradient_sums_loop (N_ACTIVATIONS, norm, in, gradient, n, sum, product); break;
    }
}

INLINE void
norm_gradient_loop (ActivationKind kind, const KernelNorm *norm, const float *in, const float *gradient, const float *a, const float *b,
                    const float *c, float *out, size_t n)
{
  for (size_t i = 0; i < n; i++, in += KERNEL_BLOCK, gradient += KERNEL_BLOCK, out += KERNEL_BLOCK)
    UNROLL for (int v = 0; v < NORM_VECTORS; v++)
      {
        Vec g = norm_derivative (kind, norm, in, gradient, v);
        Vec rest = vec_fma (vec_load (b + v * VEC_LANES), vec_load (in + v * VEC_LANES), vec_load (c + v * VEC_LANES));

        vec_store (out + v * VEC_LANES, vec_fma (vec_load (a + v * VEC_LANES), g, rest));
      }
}

static void
vec_norm_gradient (const KernelNorm *norm, const float *in, const float *gradient, const float *a, const float *b, const float *c, float *out, size_t n)
{
  switch (norm->activation.kind)
    {
    case ACTIVATION_NONE:       norm_gradient_loop (ACTIVATION_NONE, norm, in, gradient, a, b, c, out, n); break;
    case ACTIVATION_RELU:       norm_gradient_loop (ACTIVATION_RELU, norm, in, gradient, a, b, c, out, n); break;
    case ACTIVATION_CLIP:       norm_gradient_loop (ACTIVATION_CLIP, norm, in, gradient, a, b, c, out, n); break;
    case ACTIVATION_HARD_SWISH: norm_gradient_loop (ACTIVATION_HARD_SWISH, norm, in, gradient, a, b, c, out, n); break;
    case ACTIVATION_SILU:       norm_gradient_loop (ACTIVATION_SILU, norm, in, gradient, a, b, c, out, n); break;
    default:                    norm_gradient_loop (N_ACTIVATIONS, norm, in, gradient, a, b, c, out, n); break;
    }
}
