/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * samples.h: known tensors through each function of a kernel table, for the self-test: a processor, a compiler or a build that computes something else than the
 * reference is found on the user's own machine. It looks at each function a few times only; tests/kernels-check.c is the thorough one.
 */
#pragma once

#include "kernels/kernels.h"

#define SAMPLE_NUMBERS 16384 /* floats, -1 to 1, that samples are made of */
#define SAMPLE_SCRATCH 20000 /* floats for packed weights and tiles */
#define SAMPLE_OUTPUTS 16384 /* floats, the most that a sample puts out */
#define SAMPLE_GUARD   64    /* floats before and after the outputs that nothing may touch */

typedef struct
{
  const float *numbers;  /* (SAMPLE_NUMBERS), from sample_numbers () */
  float       *scratch;  /* (SAMPLE_SCRATCH) */
  float       *expected; /* (SAMPLE_OUTPUTS + 2 SAMPLE_GUARD) */
  float       *got;      /* the same */
} SampleBuffers;

typedef enum
{
  SAMPLE_EQUAL,
  SAMPLE_DIFFERS, /* from the reference, by more than rounding */
  SAMPLE_OUTSIDE, /* something was written outside of the output */
} SampleResult;

/* The same numbers on every machine. */
void         sample_numbers (float *numbers, size_t n);

/* The name of sample i, "conv 3x3"; NULL past the last. */
const char  *sample_name    (size_t i);

/* Sample i by a table, compared with the reference. *worst gets the greatest difference, as a share of the greater of 1 and what is expected. */
SampleResult sample_check   (const Kernels *kernels, size_t i, const SampleBuffers *buffers, double *worst);

/* The greatest difference of n numbers, as a share of the greater of 1 and what is expected; infinite where one is NaN or infinite and the other isn't. */
double       sample_compare (const float *expected, const float *got, size_t n);
