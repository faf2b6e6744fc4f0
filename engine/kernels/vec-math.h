/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * vec-math.h: exponential and its kin on vectors, and the activations made of them. Polynomials were fitted at Chebyshev nodes; their own
 * relative error is below 7e-8, with the rounding around it results are good to a few units in the last place. NaN stays NaN.
 */
#pragma once

#include <float.h>

#include "kernels/activation.h"
#include "kernels/vec.h"

#define VEC_ABREAST 4 /* vectors that long functions are computed of side by side, so that their steps needn't wait for each other */

/* x = n ln 2 + r with |r| <= ln 2 / 2:  n + VEC_MAGIC is returned, r stored. |x| < 2^21. */
INLINE Vec
vec_reduce (Vec x, Vec *r)
{
  Vec shifted = vec_add (vec_mul (x, vec_set (1.44269504088896f)), vec_set (VEC_MAGIC));
  Vec n = vec_sub (shifted, vec_set (VEC_MAGIC));

  x = vec_fma (n, vec_set (-0.693359375f), x); /* ln 2 in two parts, the first short enough for n times it to be exact */
  *r = vec_fma (n, vec_set (2.12194440e-4f), x);
  return shifted;
}

/* exp (r) - 1 for |r| <= ln 2 / 2. */
INLINE Vec
vec_expm1_small (Vec r)
{
  Vec p = vec_set (0.0013926926767453551f);

  p = vec_fma (p, r, vec_set (0.008363774046301842f));
  p = vec_fma (p, r, vec_set (0.04166654869914055f));
  p = vec_fma (p, r, vec_set (0.16666573286056519f));
  p = vec_fma (p, r, vec_set (0.5f));
  return vec_fma (vec_mul (p, r), r, r);
}

/* Infinity from 88.73 on, subnormal below -87.3, 0 below -104. */
INLINE Vec
vec_exp (Vec x)
{
  Vec r, shifted, half, p;

  x = vec_min (vec_set (89.0f), vec_max (vec_set (-105.0f), x));
  shifted = vec_reduce (x, &r);
  p = vec_add (vec_expm1_small (r), vec_set (1.0f));

  /* 2^n in two factors: n reaches from -151 to 128. */
  half = vec_add (vec_mul (vec_sub (shifted, vec_set (VEC_MAGIC)), vec_set (0.5f)), vec_set (VEC_MAGIC));
  p = vec_mul (p, vec_exponent (half));
  return vec_mul (p, vec_exponent (vec_sub (shifted, vec_sub (half, vec_set (VEC_MAGIC)))));
}

/* exp (x) - 1 for x <= 0, exact near 0. */
INLINE Vec
vec_expm1_negative (Vec x)
{
  Vec r, power, p;

  x = vec_max (vec_set (-87.0f), x);
  power = vec_exponent (vec_reduce (x, &r));
  p = vec_expm1_small (r);
  return vec_fma (p, power, vec_sub (power, vec_set (1.0f)));
}

/* log (1 + e) for 0 <= e <= 1:  2 artanh (e / (2 + e)). */
INLINE Vec
vec_log1p_unit (Vec e)
{
  Vec u = vec_div (e, vec_add (e, vec_set (2.0f)));
  Vec z = vec_mul (u, u);
  Vec p = vec_set (0.1219695433974266f);

  p = vec_fma (p, z, vec_set (0.10699280351400375f));
  p = vec_fma (p, z, vec_set (0.1431010365486145f));
  p = vec_fma (p, z, vec_set (0.1999935507774353f));
  p = vec_fma (p, z, vec_set (0.33333340287208557f));
  p = vec_fma (p, z, vec_set (1.0f));
  return vec_mul (vec_add (u, u), p);
}

/* x[i] becomes 1 + exp (-x[i]), n vectors abreast: each step is taken for all of them before the next, for one alone would wait for each of its own
 * results. 2^n is made in one piece: n from -126, where the sum is 1 anyway, to 128, which makes infinity. */
INLINE void
vec_one_plus_exp_negative (int n, Vec *x)
{
  Vec r[VEC_ABREAST], p[VEC_ABREAST], shifted[VEC_ABREAST];

  UNROLL for (int i = 0; i < n; i++)
    x[i] = vec_min (vec_set (87.0f), vec_max (vec_set (-89.0f), x[i]));
  UNROLL for (int i = 0; i < n; i++)
    shifted[i] = vec_fma (x[i], vec_set (-1.44269504088896f), vec_set (VEC_MAGIC));
  UNROLL for (int i = 0; i < n; i++)
    p[i] = vec_sub (shifted[i], vec_set (VEC_MAGIC));
  UNROLL for (int i = 0; i < n; i++)
    r[i] = vec_fma (p[i], vec_set (0.693359375f), x[i]);
  UNROLL for (int i = 0; i < n; i++)
    r[i] = vec_fma (p[i], vec_set (-2.12194440e-4f), r[i]); /* exp (-x) = 2^n exp (-r) */
  UNROLL for (int i = 0; i < n; i++)
    p[i] = vec_fma (vec_set (-0.008290272206068039f), r[i], vec_set (0.04189816117286682f));
  UNROLL for (int i = 0; i < n; i++)
    p[i] = vec_fma (p[i], r[i], vec_set (-0.1666763871908188f));
  UNROLL for (int i = 0; i < n; i++)
    p[i] = vec_fma (p[i], r[i], vec_set (0.4999914765357971f));
  UNROLL for (int i = 0; i < n; i++)
    p[i] = vec_fma (p[i], r[i], vec_set (-0.9999997019767761f));
  UNROLL for (int i = 0; i < n; i++)
    p[i] = vec_fma (p[i], r[i], vec_set (1.0f));
  UNROLL for (int i = 0; i < n; i++)
    x[i] = vec_fma (p[i], vec_exponent (shifted[i]), vec_set (1.0f));
}

/* 1 / (1 + exp (-x)) */
INLINE Vec
vec_sigmoid (Vec x)
{
  vec_one_plus_exp_negative (1, &x);
  return vec_div (vec_set (1.0f), x);
}

/* x / (1 + exp (-alpha x)); 0 at minus infinity. */
INLINE void
vec_silu (int n, Vec *x, Vec alpha)
{
  Vec divisor[VEC_ABREAST];

  UNROLL for (int i = 0; i < n; i++)
    divisor[i] = vec_mul (alpha, x[i]);
  vec_one_plus_exp_negative (n, divisor);
  UNROLL for (int i = 0; i < n; i++)
    x[i] = vec_div (vec_max (vec_set (-FLT_MAX), x[i]), divisor[i]);
}

INLINE Vec
vec_tanh (Vec x)
{
  Vec e = vec_expm1_negative (vec_mul (vec_set (-2.0f), vec_abs (x)));

  return vec_copy_sign (vec_div (e, vec_add (e, vec_set (2.0f))), x);
}

INLINE Vec
vec_softplus (Vec x)
{
  return vec_add (vec_max (vec_zero (), x), vec_log1p_unit (vec_exp (vec_sub (vec_zero (), vec_abs (x)))));
}

/* erf (x) for |x| <= 1. */
INLINE Vec
vec_erf_small (Vec x)
{
  Vec z = vec_mul (x, x);
  Vec p = vec_set (7.875874871388078e-05f);

  p = vec_fma (p, z, vec_set (-0.000801686430349946f));
  p = vec_fma (p, z, vec_set (0.005189087241888046f));
  p = vec_fma (p, z, vec_set (-0.02685421146452427f));
  p = vec_fma (p, z, vec_set (0.11283594369888306f));
  p = vec_fma (p, z, vec_set (-0.3761262595653534f));
  p = vec_fma (p, z, vec_set (1.1283791065216064f));
  return vec_mul (p, x);
}

/* 1 - erf (x) for x >= 0.95:  exp (-x^2) times a polynomial in 1 / (x + 2). */
INLINE Vec
vec_erfc_large (Vec x)
{
  Vec t = vec_div (vec_set (1.0f), vec_add (x, vec_set (2.0f)));
  Vec p = vec_set (23.598880767822266f);

  p = vec_fma (p, t, vec_set (-28.526113510131836f));
  p = vec_fma (p, t, vec_set (5.0459208488464355f));
  p = vec_fma (p, t, vec_set (2.016828775405884f));
  p = vec_fma (p, t, vec_set (2.8503189086914062f));
  p = vec_fma (p, t, vec_set (1.9765956401824951f));
  p = vec_fma (p, t, vec_set (1.128119707107544f));
  p = vec_fma (p, t, vec_set (0.5641974210739136f));
  return vec_mul (vec_mul (p, t), vec_exp (vec_mul (x, vec_sub (vec_zero (), x))));
}

INLINE Vec
vec_erf (Vec x)
{
  Vec large = vec_copy_sign (vec_sub (vec_set (1.0f), vec_erfc_large (vec_abs (x))), x);

  return vec_select (vec_less (vec_abs (x), vec_set (1.0f)), vec_erf_small (x), large);
}

INLINE Vec
vec_gelu (Vec x)
{
  Vec y = vec_mul (x, vec_set (0.70710678118654752f));
  Vec tail = vec_erfc_large (vec_abs (y));                                                        /* erfc (|y|) */
  Vec far = vec_select (vec_less (y, vec_zero ()), tail, vec_sub (vec_set (2.0f), tail));
  Vec near = vec_add (vec_set (1.0f), vec_erf_small (y));
  Vec gate = vec_select (vec_less (vec_abs (y), vec_set (1.0f)), near, far);

  return vec_mul (vec_mul (vec_set (0.5f), vec_max (vec_set (-FLT_MAX), x)), gate);
}

/* x times a gate that is 0 at minus infinity. */
INLINE Vec
vec_gated (Vec x, Vec gate)
{
  return vec_mul (vec_max (vec_set (-FLT_MAX), x), gate);
}

INLINE Vec
vec_clamp (Vec x, Vec low, Vec high)
{
  return vec_min (high, vec_max (low, x));
}

INLINE Vec
vec_gelu_tanh (Vec x)
{
  Vec cube = vec_mul (vec_mul (x, x), x);
  Vec inner = vec_fma (cube, vec_set (0.044715f), x);

  return vec_gated (x, vec_sigmoid (vec_mul (vec_set (1.5957691216057308f), inner)));
}

/* tanh (log (1 + e)) = (e^2 + 2 e) / (e^2 + 2 e + 2), which is 1 long before e^2 overflows. */
INLINE Vec
vec_mish (Vec x)
{
  Vec e = vec_exp (vec_min (vec_set (20.0f), x));
  Vec n = vec_mul (e, vec_add (e, vec_set (2.0f)));

  return vec_gated (x, vec_div (n, vec_add (n, vec_set (2.0f))));
}

INLINE Vec
vec_softsign (Vec x)
{
  x = vec_clamp (x, vec_set (-FLT_MAX), vec_set (FLT_MAX));
  return vec_div (x, vec_add (vec_set (1.0f), vec_abs (x)));
}

/* alpha (exp (x scale) - 1) where x < 0, otherwise x. */
INLINE Vec
vec_elu (Vec x, Vec alpha, Vec scale)
{
  VecMask negative = vec_less (x, vec_zero ());
  Vec     e = vec_expm1_negative (vec_select (negative, vec_mul (x, scale), vec_zero ()));

  return vec_select (negative, vec_mul (alpha, e), x);
}

/* One activation of one vector; `kind` is a constant where it is called, so that only one case stays. */
INLINE Vec
vec_activation (ActivationKind kind, Vec x, Vec alpha, Vec beta)
{
  const Vec zero = vec_zero (), one = vec_set (1.0f);

  switch (kind)
    {
    case ACTIVATION_NONE:             return x;
    case ACTIVATION_RELU:             return vec_max (zero, x);
    case ACTIVATION_CLIP:             return vec_clamp (x, alpha, beta);
    case ACTIVATION_LEAKY_RELU:       return vec_select (vec_less (x, zero), vec_mul (alpha, x), x);
    case ACTIVATION_THRESHOLDED_RELU: return vec_select (vec_less (alpha, x), x, vec_select (vec_is_nan (x), x, zero));
    case ACTIVATION_SIGMOID:          return vec_sigmoid (x);
    case ACTIVATION_HARD_SIGMOID:     return vec_clamp (vec_fma (x, alpha, beta), zero, one);
    case ACTIVATION_HARD_SWISH:       return vec_gated (x, vec_clamp (vec_fma (x, alpha, beta), zero, one));
    case ACTIVATION_SILU:             vec_silu (1, &x, alpha); return x;
    case ACTIVATION_TANH:             return vec_tanh (x);
    case ACTIVATION_ELU:              return vec_elu (x, alpha, one);
    case ACTIVATION_CELU:             return vec_elu (x, alpha, vec_div (one, alpha));
    case ACTIVATION_SELU:             return vec_mul (beta, vec_elu (x, alpha, one));
    case ACTIVATION_GELU:             return vec_gelu (x);
    case ACTIVATION_GELU_TANH:        return vec_gelu_tanh (x);
    case ACTIVATION_MISH:             return vec_mish (x);
    case ACTIVATION_SOFTPLUS:         return vec_softplus (x);
    case ACTIVATION_SOFTSIGN:         return vec_softsign (x);
    case ACTIVATION_EXP:              return vec_exp (x);
    case ACTIVATION_ERF:              return vec_erf (x);
    case ACTIVATION_ABS:              return vec_abs (x);
    case ACTIVATION_NEG:              return vec_sub (zero, x);
    case ACTIVATION_SQRT:             return vec_sqrt (x);
    case ACTIVATION_RECIPROCAL:       return vec_div (one, x);
    case N_ACTIVATIONS:               break;
    }
  return x;
}
