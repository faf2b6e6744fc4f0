/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * reference.h: what the two halves of the reference table share.
 */
#pragma once

#include "kernels/kernels.h"

/* The meaning of each activation, in double. */
double activation_reference (const Activation *activation, double x);

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
