/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * reference-elementwise.c: the meaning of the elementwise kernels and of those on rows, plain C in double. See reference.h.
 */

#include "kernels/reference.h"

#include <math.h>

static double
sigmoid (double x)
{
  return 1.0 / (1.0 + exp (-x));
}

static double
softplus (double x)
{
  return x > 0.0 ? x + log1p (exp (-x)) : log1p (exp (x));
}

/* x * y, where y goes to 0 faster than x to -infinity. */
static double
gated (double x, double y)
{
  return x == -INFINITY ? 0.0 : x * y;
}

static double
clamp (double x, double low, double high)
{
  if (x < low)
    x = low;
  return x > high ? high : x;
}

double
activation_reference (const Activation *activation, double x)
{
  double alpha = activation->alpha, beta = activation->beta;

  switch (activation->kind)
    {
    case ACTIVATION_NONE:             return x;
    case ACTIVATION_RELU:             return x < 0.0 ? 0.0 : x;
    case ACTIVATION_CLIP:             return clamp (x, alpha, beta);
    case ACTIVATION_LEAKY_RELU:       return x < 0.0 ? alpha * x : x;
    case ACTIVATION_THRESHOLDED_RELU: return x <= alpha ? 0.0 : x;
    case ACTIVATION_SIGMOID:          return sigmoid (x);
    case ACTIVATION_HARD_SIGMOID:     return clamp (alpha * x + beta, 0.0, 1.0);
    case ACTIVATION_HARD_SWISH:       return gated (x, clamp (alpha * x + beta, 0.0, 1.0));
    case ACTIVATION_SILU:             return gated (x, sigmoid (alpha * x));
    case ACTIVATION_TANH:             return tanh (x);
    case ACTIVATION_ELU:              return x < 0.0 ? alpha * expm1 (x) : x;
    case ACTIVATION_CELU:             return x < 0.0 ? alpha * expm1 (x / alpha) : x;
    case ACTIVATION_SELU:             return beta * (x < 0.0 ? alpha * expm1 (x) : x);
    case ACTIVATION_GELU:             return gated (x, 0.5 * erfc (-x * M_SQRT1_2));
    case ACTIVATION_GELU_TANH:        return gated (x, sigmoid (2.0 * sqrt (2.0 / M_PI) * (x + 0.044715 * x * x * x)));
    case ACTIVATION_MISH:             return gated (x, tanh (softplus (x)));
    case ACTIVATION_SOFTPLUS:         return softplus (x);
    case ACTIVATION_SOFTSIGN:         return isinf (x) ? copysign (1.0, x) : x / (1.0 + fabs (x));
    case ACTIVATION_EXP:              return exp (x);
    case ACTIVATION_ERF:              return erf (x);
    case ACTIVATION_ABS:              return fabs (x);
    case ACTIVATION_NEG:              return -x;
    case ACTIVATION_SQRT:             return sqrt (x);
    case ACTIVATION_RECIPROCAL:       return 1.0 / x;
    case N_ACTIVATIONS:               break;
    }
  return x;
}

void
reference_activate (const Activation *activation, const float *in, float *out, size_t n)
{
  for (size_t i = 0; i < n; i++)
    out[i] = (float) activation_reference (activation, in[i]);
}

static float
binary (BinaryKind kind, float a, float b)
{
  switch (kind)
    {
    case BINARY_ADD:   return a + b;
    case BINARY_SUB:   return a - b;
    case BINARY_MUL:   return a * b;
    case BINARY_DIV:   return a / b;
    case BINARY_MAX:   return a > b || isnan (a) ? a : b;
    case BINARY_MIN:   return a < b || isnan (a) ? a : b;
    case BINARY_PRELU: return a < 0.0f ? a * b : a;
    case N_BINARIES:   break;
    }
  return a;
}

void
reference_binary (BinaryKind kind, const float *a, const float *b, float *out, size_t n)
{
  for (size_t i = 0; i < n; i++)
    out[i] = binary (kind, a[i], b[i]);
}

void
reference_binary_right (BinaryKind kind, const float *a, float b, float *out, size_t n)
{
  for (size_t i = 0; i < n; i++)
    out[i] = binary (kind, a[i], b);
}

void
reference_binary_left (BinaryKind kind, float a, const float *b, float *out, size_t n)
{
  for (size_t i = 0; i < n; i++)
    out[i] = binary (kind, a, b[i]);
}

void
reference_binary_channels (BinaryKind kind, const float *a, const float *b, float *out, size_t n)
{
  for (size_t i = 0; i < n * KERNEL_BLOCK; i++)
    out[i] = binary (kind, a[i], b[i % KERNEL_BLOCK]);
}

void
reference_binary_channels_left (BinaryKind kind, const float *b, const float *a, float *out, size_t n)
{
  for (size_t i = 0; i < n * KERNEL_BLOCK; i++)
    out[i] = binary (kind, b[i % KERNEL_BLOCK], a[i]);
}

void
reference_scale_shift (const float *a, float scale, float shift, float *out, size_t n)
{
  for (size_t i = 0; i < n; i++)
    out[i] = (float) ((double) a[i] * scale + shift);
}

void
reference_scale_shift_channels (const float *a, const float *scale, const float *shift, float *out, size_t n)
{
  for (size_t i = 0; i < n * KERNEL_BLOCK; i++)
    out[i] = (float) ((double) a[i] * scale[i % KERNEL_BLOCK] + shift[i % KERNEL_BLOCK]);
}

/* ---- rows ------------------------------------------------------------------------------------------------- */

void
reference_softmax (const float *in, float *out, size_t n, bool logarithm)
{
  double greatest = reference_max (in, n), total = 0.0;

  for (size_t i = 0; i < n; i++)
    total += exp (in[i] - greatest);
  for (size_t i = 0; i < n; i++)
    out[i] = (float) (logarithm ? in[i] - greatest - log (total) : exp (in[i] - greatest) / total);
}

float
reference_sum (const float *in, size_t n)
{
  double total = 0.0;

  for (size_t i = 0; i < n; i++)
    total += in[i];
  return (float) total;
}

float
reference_sum_squares (const float *in, size_t n, float centre)
{
  double total = 0.0;

  for (size_t i = 0; i < n; i++)
    total += ((double) in[i] - centre) * ((double) in[i] - centre);
  return (float) total;
}

float
reference_max (const float *in, size_t n)
{
  float greatest = -INFINITY;

  for (size_t i = 0; i < n; i++)
    greatest = binary (BINARY_MAX, greatest, in[i]);
  return greatest;
}
