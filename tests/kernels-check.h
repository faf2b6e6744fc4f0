/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * kernels-check.h: what the parts of kernels-check share: its report, random numbers, arrays at the edge of memory, and how results are compared.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernels/kernels.h"
#include "kernels/reference.h"

#define N_ELEMENTS(array) (sizeof (array) / sizeof (array)[0])

extern bool quick; /* most cases are left out */

/* Those that convolutions and matrix products have with them. */
static const ActivationKind conv_activations[] = {
  ACTIVATION_NONE, ACTIVATION_RELU, ACTIVATION_CLIP, ACTIVATION_HARD_SWISH, ACTIVATION_SIGMOID, ACTIVATION_LEAKY_RELU, ACTIVATION_SILU,
};

/* A line of TAP. */
void report (bool good, const char *format, ...) __attribute__ ((format (printf, 2, 3)));

/* ---- kernels-check-arrays.c ---- */

typedef enum
{
  FILL_RANDOM,
  FILL_EXTREME, /* some NaN, infinities, denormals and huge numbers among them */
} Fill;

int   random_int   (int low, int high);
float random_float (void); /* -1 to 1 */

/* Room for n floats between two pages that can't be touched: its end lies at the second, or its beginning at the first, as chance has it. */
float *take         (size_t n);
float *make         (size_t n, Fill fill);
float *make_blocked (size_t channels, size_t n_pixels, Fill fill); /* (C/16, pixels, 16) with zeros past C */
void   give_back    (float *array);

/* n NaNs between guard values that nobody may touch. */
float *make_output  (size_t n);
void   free_output  (float *array);
bool   guards_whole (const float *array, size_t n);

bool   same_bits    (const float *a, const float *b, size_t n);

/* Where two results differ by more than `tolerance` of the greater of 1 and the expected value; -1: nowhere. Where the extreme inputs of
 * 1e30 have a part in a sum, what is left when they cancel is as uncertain as they are; what is near the end of the range may be infinite
 * on one side. */
ptrdiff_t difference (const float *expected, const float *got, size_t n, double tolerance);

/* ---- a table's kernels against the reference: kernels-check-conv.c ---- */

void test_conv      (const Kernels *kernels);
void test_spread    (const Kernels *kernels);
void test_pointwise (const Kernels *kernels);
void test_depthwise (const Kernels *kernels);
void test_one_row   (const Kernels *kernels);
void test_winograd  (const Kernels *kernels);
void test_weight_gradient (const Kernels *kernels);

/* ---- kernels-check-pool.c ---- */

void test_pool       (const Kernels *kernels);
void test_sum_pixels (const Kernels *kernels);
void test_gemm       (const Kernels *kernels);

/* ---- kernels-check-elementwise.c ---- */

void test_activations (const Kernels *kernels);
void test_elementwise (const Kernels *kernels);
void test_layout      (const Kernels *kernels);
