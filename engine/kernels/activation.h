/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * activation.h: the functions of one number that kernels apply, alone or fused into the operator that comes before. Reference meaning:
 * activation_reference () in kernels/reference.c, in double.
 *
 * For all of them NaN stays NaN, and infinities give the limit.
 */
#pragma once

#include <stdbool.h>

typedef enum
{
  ACTIVATION_NONE,             /* x */
  ACTIVATION_RELU,             /* max (x, 0) */
  ACTIVATION_CLIP,             /* min (max (x, alpha), beta) */
  ACTIVATION_LEAKY_RELU,       /* x < 0 ? alpha x : x */
  ACTIVATION_THRESHOLDED_RELU, /* x > alpha ? x : 0 */
  ACTIVATION_SIGMOID,          /* 1 / (1 + exp (-x)) */
  ACTIVATION_HARD_SIGMOID,     /* max (0, min (1, alpha x + beta)) */
  ACTIVATION_HARD_SWISH,       /* x max (0, min (1, alpha x + beta)); ONNX: alpha 1/6, beta 0.5 */
  ACTIVATION_SILU,             /* x sigmoid (alpha x); alpha 1 unless a Swish says otherwise */
  ACTIVATION_TANH,
  ACTIVATION_ELU,              /* x < 0 ? alpha (exp (x) - 1) : x */
  ACTIVATION_CELU,             /* x < 0 ? alpha (exp (x / alpha) - 1) : x */
  ACTIVATION_SELU,             /* beta (x < 0 ? alpha (exp (x) - 1) : x) */
  ACTIVATION_GELU,             /* x (1 + erf (x / sqrt 2)) / 2 */
  ACTIVATION_GELU_TANH,        /* x (1 + tanh (sqrt (2 / pi) (x + 0.044715 x^3))) / 2 */
  ACTIVATION_MISH,             /* x tanh (log (1 + exp (x))) */
  ACTIVATION_SOFTPLUS,         /* log (1 + exp (x)) */
  ACTIVATION_SOFTSIGN,         /* x / (1 + |x|) */
  ACTIVATION_EXP,
  ACTIVATION_ERF,
  ACTIVATION_ABS,
  ACTIVATION_NEG,
  ACTIVATION_SQRT,
  ACTIVATION_RECIPROCAL,
  N_ACTIVATIONS
} ActivationKind;

typedef struct
{
  ActivationKind kind;
  float          alpha, beta;
} Activation;

/* Whether f (0) is 0: the lanes past the last channel of a block stay zero by themselves then. */
static inline bool
activation_keeps_zero (const Activation *activation)
{
  switch (activation->kind)
    {
    case ACTIVATION_CLIP:
      return activation->alpha <= 0.0f && activation->beta >= 0.0f;
    case ACTIVATION_HARD_SIGMOID:
      return activation->beta <= 0.0f;
    case ACTIVATION_THRESHOLDED_RELU: /* the value or 0: both are 0 */
      return true;
    case ACTIVATION_SIGMOID:
    case ACTIVATION_SOFTPLUS:
    case ACTIVATION_EXP:
    case ACTIVATION_RECIPROCAL:
      return false;
    default:
      return true;
    }
}
