/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * vec-elementwise.h: activations, binary operators and sums over arrays. Arrays of any length: the last vector that isn't full goes
 * through a copy on the stack, so that nothing outside is touched.
 */
#pragma once

#include "kernels/kernels.h"
#include "kernels/vec-math.h"

/* n < VEC_LANES numbers, zeros behind them. */
INLINE Vec
vec_load_part (const float *in, size_t n)
{
  float part[VEC_LANES] = { 0 };

  memcpy (part, in, n * sizeof (float));
  return vec_load (part);
}

INLINE void
vec_store_part (float *out, Vec x, size_t n)
{
  float part[VEC_LANES];

  vec_store (part, x);
  memcpy (out, part, n * sizeof (float));
}

/* ---- activations ------------------------------------------------------------------------------------------ */

INLINE void
activate_loop (ActivationKind kind, const Activation *activation, const float *in, float *out, size_t n)
{
  const Vec alpha = vec_set (activation->alpha), beta = vec_set (activation->beta);
  size_t    i = 0;

  for (; i + VEC_LANES <= n; i += VEC_LANES)
    vec_store (out + i, vec_activation (kind, vec_load (in + i), alpha, beta));
  if (i < n)
    vec_store_part (out + i, vec_activation (kind, vec_load_part (in + i, n - i), alpha, beta), n - i);
}

/* What activate_loop () would do, some vectors abreast; returns how many numbers are done. */
INLINE size_t
activate_silu (const Activation *activation, const float *in, float *out, size_t n)
{
  const Vec alpha = vec_set (activation->alpha);
  size_t    i = 0;

  for (; i + VEC_ABREAST * VEC_LANES <= n; i += VEC_ABREAST * VEC_LANES)
    {
      Vec x[VEC_ABREAST];

      UNROLL for (int k = 0; k < VEC_ABREAST; k++)
        x[k] = vec_load (in + i + k * VEC_LANES);
      vec_silu (VEC_ABREAST, x, alpha);
      UNROLL for (int k = 0; k < VEC_ABREAST; k++)
        vec_store (out + i + k * VEC_LANES, x[k]);
    }
  return i;
}

static void
vec_activate (const Activation *activation, const float *in, float *out, size_t n)
{
  size_t done;

  switch (activation->kind)
    {
    case ACTIVATION_NONE:             activate_loop (ACTIVATION_NONE, activation, in, out, n); break;
    case ACTIVATION_RELU:             activate_loop (ACTIVATION_RELU, activation, in, out, n); break;
    case ACTIVATION_CLIP:             activate_loop (ACTIVATION_CLIP, activation, in, out, n); break;
    case ACTIVATION_LEAKY_RELU:       activate_loop (ACTIVATION_LEAKY_RELU, activation, in, out, n); break;
    case ACTIVATION_THRESHOLDED_RELU: activate_loop (ACTIVATION_THRESHOLDED_RELU, activation, in, out, n); break;
    case ACTIVATION_SIGMOID:          activate_loop (ACTIVATION_SIGMOID, activation, in, out, n); break;
    case ACTIVATION_HARD_SIGMOID:     activate_loop (ACTIVATION_HARD_SIGMOID, activation, in, out, n); break;
    case ACTIVATION_HARD_SWISH:       activate_loop (ACTIVATION_HARD_SWISH, activation, in, out, n); break;
    case ACTIVATION_SILU:
      done = activate_silu (activation, in, out, n);
      activate_loop (ACTIVATION_SILU, activation, in + done, out + done, n - done);
      break;
    case ACTIVATION_TANH:             activate_loop (ACTIVATION_TANH, activation, in, out, n); break;
    case ACTIVATION_ELU:              activate_loop (ACTIVATION_ELU, activation, in, out, n); break;
    case ACTIVATION_CELU:             activate_loop (ACTIVATION_CELU, activation, in, out, n); break;
    case ACTIVATION_SELU:             activate_loop (ACTIVATION_SELU, activation, in, out, n); break;
    case ACTIVATION_GELU:             activate_loop (ACTIVATION_GELU, activation, in, out, n); break;
    case ACTIVATION_GELU_TANH:        activate_loop (ACTIVATION_GELU_TANH, activation, in, out, n); break;
    case ACTIVATION_MISH:             activate_loop (ACTIVATION_MISH, activation, in, out, n); break;
    case ACTIVATION_SOFTPLUS:         activate_loop (ACTIVATION_SOFTPLUS, activation, in, out, n); break;
    case ACTIVATION_SOFTSIGN:         activate_loop (ACTIVATION_SOFTSIGN, activation, in, out, n); break;
    case ACTIVATION_EXP:              activate_loop (ACTIVATION_EXP, activation, in, out, n); break;
    case ACTIVATION_ERF:              activate_loop (ACTIVATION_ERF, activation, in, out, n); break;
    case ACTIVATION_ABS:              activate_loop (ACTIVATION_ABS, activation, in, out, n); break;
    case ACTIVATION_NEG:              activate_loop (ACTIVATION_NEG, activation, in, out, n); break;
    case ACTIVATION_SQRT:             activate_loop (ACTIVATION_SQRT, activation, in, out, n); break;
    case ACTIVATION_RECIPROCAL:       activate_loop (ACTIVATION_RECIPROCAL, activation, in, out, n); break;
    case N_ACTIVATIONS:               break;
    }
}

/* ---- binary operators ------------------------------------------------------------------------------------- */

INLINE Vec
vec_binary_one (BinaryKind kind, Vec a, Vec b)
{
  switch (kind)
    {
    case BINARY_ADD:   return vec_add (a, b);
    case BINARY_SUB:   return vec_sub (a, b);
    case BINARY_MUL:   return vec_mul (a, b);
    case BINARY_DIV:   return vec_div (a, b);
    case BINARY_MAX:   return vec_select (vec_less (b, a), a, vec_select (vec_is_nan (a), a, b));
    case BINARY_MIN:   return vec_select (vec_less (a, b), a, vec_select (vec_is_nan (a), a, b));
    case BINARY_PRELU: return vec_select (vec_less (a, vec_zero ()), vec_mul (a, b), a);
    case N_BINARIES:   break;
    }
  return a;
}

/* What an operand is: an array, one number, or the 16 numbers of a block again and again. */
typedef enum
{
  OPERAND_ARRAY,
  OPERAND_NUMBER,
  OPERAND_CHANNELS,
} Operand;

INLINE Vec
vec_operand (Operand kind, const float *p, size_t i)
{
  if (kind == OPERAND_ARRAY)
    return vec_load (p + i);
  if (kind == OPERAND_NUMBER)
    return vec_set (*p);
  return vec_load (p + i % KERNEL_BLOCK);
}

INLINE Vec
vec_operand_part (Operand kind, const float *p, size_t i, size_t n)
{
  return kind == OPERAND_NUMBER ? vec_set (*p) : vec_load_part (p + i, n);
}

INLINE void
binary_loop (BinaryKind kind, Operand a_kind, const float *a, Operand b_kind, const float *b, float *out, size_t n)
{
  size_t i = 0;

  for (; i + VEC_LANES <= n; i += VEC_LANES)
    vec_store (out + i, vec_binary_one (kind, vec_operand (a_kind, a, i), vec_operand (b_kind, b, i)));
  if (i < n)
    vec_store_part (out + i, vec_binary_one (kind, vec_operand_part (a_kind, a, i, n - i), vec_operand_part (b_kind, b, i, n - i)), n - i);
}

INLINE void
binary_any (BinaryKind kind, Operand a_kind, const float *a, Operand b_kind, const float *b, float *out, size_t n)
{
  switch (kind)
    {
    case BINARY_ADD:   binary_loop (BINARY_ADD, a_kind, a, b_kind, b, out, n); break;
    case BINARY_SUB:   binary_loop (BINARY_SUB, a_kind, a, b_kind, b, out, n); break;
    case BINARY_MUL:   binary_loop (BINARY_MUL, a_kind, a, b_kind, b, out, n); break;
    case BINARY_DIV:   binary_loop (BINARY_DIV, a_kind, a, b_kind, b, out, n); break;
    case BINARY_MAX:   binary_loop (BINARY_MAX, a_kind, a, b_kind, b, out, n); break;
    case BINARY_MIN:   binary_loop (BINARY_MIN, a_kind, a, b_kind, b, out, n); break;
    case BINARY_PRELU: binary_loop (BINARY_PRELU, a_kind, a, b_kind, b, out, n); break;
    case N_BINARIES:   break;
    }
}

static void
vec_binary (BinaryKind kind, const float *a, const float *b, float *out, size_t n)
{
  binary_any (kind, OPERAND_ARRAY, a, OPERAND_ARRAY, b, out, n);
}

static void
vec_binary_right (BinaryKind kind, const float *a, float b, float *out, size_t n)
{
  binary_any (kind, OPERAND_ARRAY, a, OPERAND_NUMBER, &b, out, n);
}

static void
vec_binary_left (BinaryKind kind, float a, const float *b, float *out, size_t n)
{
  binary_any (kind, OPERAND_NUMBER, &a, OPERAND_ARRAY, b, out, n);
}

static void
vec_binary_channels (BinaryKind kind, const float *a, const float *b, float *out, size_t n)
{
  binary_any (kind, OPERAND_ARRAY, a, OPERAND_CHANNELS, b, out, n * KERNEL_BLOCK);
}

static void
vec_binary_channels_left (BinaryKind kind, const float *b, const float *a, float *out, size_t n)
{
  binary_any (kind, OPERAND_CHANNELS, b, OPERAND_ARRAY, a, out, n * KERNEL_BLOCK);
}

static void
vec_scale_shift (const float *a, float scale, float shift, float *out, size_t n)
{
  const Vec vec_scale = vec_set (scale), vec_shift = vec_set (shift);
  size_t    i = 0;

  for (; i + VEC_LANES <= n; i += VEC_LANES)
    vec_store (out + i, vec_fma (vec_load (a + i), vec_scale, vec_shift));
  if (i < n)
    vec_store_part (out + i, vec_fma (vec_load_part (a + i, n - i), vec_scale, vec_shift), n - i);
}

static void
vec_scale_shift_channels (const float *a, const float *scale, const float *shift, float *out, size_t n)
{
  for (size_t lane = 0; lane < KERNEL_BLOCK; lane += VEC_LANES)
    {
      const Vec vec_scale = vec_load (scale + lane), vec_shift = vec_load (shift + lane);

      for (size_t i = lane; i < n * KERNEL_BLOCK; i += KERNEL_BLOCK)
        vec_store (out + i, vec_fma (vec_load (a + i), vec_scale, vec_shift));
    }
}

/* ---- sums and rows ---------------------------------------------------------------------------------------- */

/* Four running sums hide the latency of the addition, and keep rounding errors small. */
#define RUNNING 4

INLINE float
vec_total (const Vec sums[RUNNING])
{
  float lanes[VEC_LANES], total = 0.0f;

  vec_store (lanes, vec_add (vec_add (sums[0], sums[1]), vec_add (sums[2], sums[3])));
  for (int i = 0; i < VEC_LANES; i++)
    total += lanes[i];
  return total;
}

static float
vec_sum (const float *in, size_t n)
{
  Vec    sums[RUNNING] = { vec_zero (), vec_zero (), vec_zero (), vec_zero () };
  size_t i = 0;

  for (; i + RUNNING * VEC_LANES <= n; i += RUNNING * VEC_LANES)
    UNROLL for (size_t j = 0; j < RUNNING; j++)
      sums[j] = vec_add (sums[j], vec_load (in + i + j * VEC_LANES));
  for (; i < n; i += VEC_LANES)
    sums[0] = vec_add (sums[0], i + VEC_LANES <= n ? vec_load (in + i) : vec_load_part (in + i, n - i));
  return vec_total (sums);
}

static float
vec_sum_squares (const float *in, size_t n, float centre)
{
  const Vec middle = vec_set (centre);
  Vec       sums[RUNNING] = { vec_zero (), vec_zero (), vec_zero (), vec_zero () };
  float     rest = 0.0f;
  size_t    i = 0;

  for (; i + RUNNING * VEC_LANES <= n; i += RUNNING * VEC_LANES)
    UNROLL for (size_t j = 0; j < RUNNING; j++)
      {
        Vec x = vec_sub (vec_load (in + i + j * VEC_LANES), middle);

        sums[j] = vec_fma (x, x, sums[j]);
      }
  for (; i < n; i++)
    rest += (in[i] - centre) * (in[i] - centre);
  return vec_total (sums) + rest;
}

static float
vec_greatest (const float *in, size_t n)
{
  Vec    greatest = vec_set (-INFINITY);
  float  lanes[VEC_LANES], result = -INFINITY;
  size_t i = 0;

  for (; i + VEC_LANES <= n; i += VEC_LANES)
    greatest = vec_binary_one (BINARY_MAX, greatest, vec_load (in + i));
  vec_store (lanes, greatest);
  for (int j = 0; j < VEC_LANES; j++)
    if (lanes[j] > result || lanes[j] != lanes[j])
      result = result != result ? result : lanes[j];
  for (; i < n; i++)
    if (in[i] > result || in[i] != in[i])
      result = in[i];
  return result;
}

static void
vec_softmax (const float *in, float *out, size_t n, bool logarithm)
{
  const Vec greatest = vec_set (vec_greatest (in, n));
  Vec       sum = vec_zero ();
  float     rest = 0.0f, total;
  float     part[VEC_LANES];
  size_t    i = 0;

  /* exp (in - max) goes to out for a softmax; for its logarithm only the sum is needed. */
  for (; i + VEC_LANES <= n; i += VEC_LANES)
    {
      Vec e = vec_exp (vec_sub (vec_load (in + i), greatest));

      sum = vec_add (sum, e);
      vec_store (out + i, logarithm ? vec_sub (vec_load (in + i), greatest) : e);
    }
  if (i < n)
    {
      Vec x = vec_sub (vec_load_part (in + i, n - i), greatest), e = vec_exp (x);

      vec_store (part, e);
      for (size_t j = 0; j < n - i; j++)
        rest += part[j];
      vec_store_part (out + i, logarithm ? x : e, n - i);
    }
  vec_store (part, sum);
  for (size_t j = 0; j < VEC_LANES; j++)
    rest += part[j];
  total = rest;

  if (logarithm)
    vec_binary_right (BINARY_SUB, out, logf (total), out, n);
  else
    vec_binary_right (BINARY_DIV, out, total, out, n);
}

/* out (16) = scale * the sum of n pixels of one block. */
static void
vec_sum_pixels (const float *in, size_t n, float scale, float *out)
{
  for (size_t lane = 0; lane < KERNEL_BLOCK; lane += VEC_LANES)
    {
      Vec    sums[RUNNING] = { vec_zero (), vec_zero (), vec_zero (), vec_zero () };
      size_t i = 0;

      for (; i + RUNNING <= n; i += RUNNING)
        UNROLL for (size_t j = 0; j < RUNNING; j++)
          sums[j] = vec_add (sums[j], vec_load (in + (i + j) * KERNEL_BLOCK + lane));
      for (; i < n; i++)
        sums[0] = vec_add (sums[0], vec_load (in + i * KERNEL_BLOCK + lane));
      vec_store (out + lane, vec_mul (vec_set (scale), vec_add (vec_add (sums[0], sums[1]), vec_add (sums[2], sums[3]))));
    }
}
