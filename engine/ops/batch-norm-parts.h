/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * batch-norm-parts.h: what convolutions do of a batch normalization in training (batch-norm-training.c), a band at a time, with numbers that are in the cache
 * anyway: see compile/fuse-norm.c.
 */
#pragma once

#include "kernels/kernels.h"
#include "ops/step.h"

/* How an image is normalized as it is read. */
typedef struct
{
  guint      input;      /* of the node: gamma; beta, mean and 1 / sigma follow. 0: it is read as it is */
  Activation activation; /* what follows the normalization */
} InputNorm;

/* A block of 16 channels: what the kernels read of it. */
typedef struct
{
  float scale[KERNEL_BLOCK], shift[KERNEL_BLOCK], mean[KERNEL_BLOCK], inverse[KERNEL_BLOCK];
} NormBlock;

/* The same of a block's gradient: dx = a g + b x + c, g being the gradient before the activation. */
typedef struct
{
  NormBlock norm;
  float     a[KERNEL_BLOCK], b[KERNEL_BLOCK], c[KERNEL_BLOCK];
} NormGradientBlock;

/* Fills `out` from tensors with a number per channel, zero past the last one; what kernels are told of it. */
KernelNorm norm_block_fill        (const TensorView *gamma, const TensorView *beta, const TensorView *mean, const TensorView *inverse, gsize block,
                                   const Activation *activation, NormBlock *out);

/* n pixels of that block of the step's image. */
void       input_norm_apply       (const InputNorm *norm, const Kernels *kernels, const Step *step, gsize block, const float *in, float *out, gsize n);

/* dx of n pixels of a block. */
void       norm_gradient_apply    (const NormGradientBlock *block, const Activation *activation, const Kernels *kernels, const float *x,
                                   const float *gradient, float *out, gsize n);

/* Two sums over some pixels of a block, for each channel. */
typedef double NormSums[2][KERNEL_BLOCK];

/* Over n pixels: of x and its square. */
void       norm_sums_set          (const Kernels *kernels, const float *x, gsize n, NormSums out);

/* Over n pixels: of g and g (x - mean) / sigma, g being the gradient before the activation. */
void       norm_gradient_sums_set (const Kernels *kernels, const KernelNorm *norm, const float *x, const float *gradient, gsize n, NormSums out);

#define BATCH_NORM_COEFFICIENTS 3 /* output of a BatchNormGradient */

/* What follows the normalization of a node of type BatchNormTraining or BatchNormGradient; FALSE where it is no such node. */
gboolean   batch_norm_activation  (const Node *node, const char *type, Activation *activation);
