/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * reference.h: what the two halves of the reference table share.
 */
#pragma once

#include "kernels/kernels.h"

/* The meaning of each activation, in double. */
double activation_reference (const Activation *activation, double x);

/* Its derivative; where it has none, that of the side that networks are trained with: 0 for max (x, 0) at 0. */
double activation_derivative_reference (const Activation *activation, double x);

void  reference_activate             (const Activation *activation, const float *in, float *out, size_t n);
void  reference_binary               (BinaryKind kind, const float *a, const float *b, float *out, size_t n);
void  reference_binary_right         (BinaryKind kind, const float *a, float b, float *out, size_t n);
void  reference_binary_left          (BinaryKind kind, float a, const float *b, float *out, size_t n);
void  reference_binary_channels      (BinaryKind kind, const float *a, const float *b, float *out, size_t n);
void  reference_binary_channels_left (BinaryKind kind, const float *b, const float *a, float *out, size_t n);
void  reference_scale_shift          (const float *a, float scale, float shift, float *out, size_t n);
void  reference_scale_shift_channels (const float *a, const float *scale, const float *shift, float *out, size_t n);
void  reference_softmax              (const float *in, float *out, size_t n, bool logarithm);
float reference_sum                  (const float *in, size_t n);
float reference_sum_squares          (const float *in, size_t n, float centre);
float reference_max                  (const float *in, size_t n);

void  reference_weight_gradient           (const KernelWeightGradient *gradient, size_t first_block, size_t last_block, size_t in_block, size_t first_row,
                                           size_t last_row, float *sum);
void  reference_winograd_gradient         (const KernelWinogradGradient *winograd, size_t first_block, size_t last_block, size_t first, size_t last,
                                           float *scratch, float *sum);
void  reference_winograd_gradient_out     (const float *sum, size_t n_pairs, float *out);
void  reference_depthwise_weight_gradient (const KernelWeightGradient *gradient, size_t block, size_t first_row, size_t last_row, float *sum);
void  reference_depthwise_input_gradient  (const KernelWeightGradient *gradient, const float *weights, size_t block, size_t first_row, size_t last_row,
                                           float *out);
void  reference_max_pool_gradient         (const KernelPool *pool, const float *gradient, size_t block, float *out);
void  reference_norm_sums                 (const float *in, const float *pivot, size_t n, float *sum, float *squares);
void  reference_norm_apply                (const KernelNorm *norm, const float *in, float *out, size_t n);
void  reference_norm_gradient_sums        (const KernelNorm *norm, const float *in, const float *gradient, size_t n, float *sum, float *product);
void  reference_norm_gradient             (const KernelNorm *norm, const float *in, const float *gradient, const float *a, const float *b,
                                           const float *c, float *out, size_t n);
void  reference_activate_gradient         (const Activation *activation, const float *in, const float *gradient, float *out, size_t n);
