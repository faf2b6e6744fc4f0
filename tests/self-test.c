/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * self-test.c: the self-test finds what it is there to find: kernels that compute something else, forget some of it, or write outside.
 */

#include <glib.h>
#include <math.h>

#include "kernels/reference.h"
#include "kernels/samples.h"

/* ---- numbers ---------------------------------------------------------------------------------------------- */

static void
test_compare (void)
{
  const float expected[] = { 0.5f, 100.0f, NAN, INFINITY }, near[] = { 0.5001f, 100.01f, NAN, INFINITY }, no_number[] = { 0.5f, NAN, NAN, INFINITY },
              number[] = { 0.5f, 100.0f, 1.0f, INFINITY }, other_side[] = { 0.5f, 100.0f, NAN, -INFINITY };

  g_assert_cmpfloat (sample_compare (expected, expected, 4), ==, 0.0);
  g_assert_cmpfloat_with_epsilon (sample_compare (expected, near, 4), 1e-4, 1e-6);
  g_assert_true (isinf (sample_compare (expected, no_number, 4)));
  g_assert_true (isinf (sample_compare (expected, number, 4)));
  g_assert_true (isinf (sample_compare (expected, other_side, 4)));
}

/* ---- kernels ---------------------------------------------------------------------------------------------- */

/* The reference's, each with one fault of a kind. */
static void
conv_forgets_bias (const KernelConv *conv, size_t first_block, size_t last_block, size_t first_pixel, size_t last_pixel)
{
  KernelConv other = *conv;

  other.bias = NULL;
  kernels_reference.conv (&other, first_block, last_block, first_pixel, last_pixel);
}

static void
pool_forgets_row (const KernelPool *pool, size_t first_block, size_t last_block, size_t first_row, size_t last_row)
{
  kernels_reference.pool (pool, first_block, last_block, first_row, last_row - 1);
}

static void
gemm_goes_on (const KernelGemm *gemm, size_t first_panel, size_t last_panel, size_t first_row, size_t last_row)
{
  kernels_reference.gemm (gemm, first_panel, last_panel, first_row, last_row);
  gemm->c[gemm->m * gemm->c_row] = 0.0f;
}

static float
sum_is_rough (const float *in, size_t n)
{
  return kernels_reference.sum (in, n) * 1.001f;
}

/* How many samples end so. */
static guint
count (const Kernels *kernels, SampleResult result)
{
  g_autofree float   *memory = g_new (float, SAMPLE_NUMBERS + SAMPLE_SCRATCH + 2 * (SAMPLE_OUTPUTS + 2 * SAMPLE_GUARD));
  const SampleBuffers buffers = { memory, memory + SAMPLE_NUMBERS, memory + SAMPLE_NUMBERS + SAMPLE_SCRATCH,
                                  memory + SAMPLE_NUMBERS + SAMPLE_SCRATCH + SAMPLE_OUTPUTS + 2 * SAMPLE_GUARD };
  double              difference;
  guint               n = 0;

  sample_numbers (memory, SAMPLE_NUMBERS);
  for (gsize i = 0; sample_name (i); i++)
    n += sample_check (kernels, i, &buffers, &difference) == result;
  return n;
}

static void
test_kernels (void)
{
  Kernels conv = kernels_reference, pool = kernels_reference, gemm = kernels_reference, sum = kernels_reference;

  conv.conv = conv_forgets_bias;
  pool.pool = pool_forgets_row;
  gemm.gemm = gemm_goes_on;
  sum.sum = sum_is_rough;
  g_assert_cmpuint (count (&conv, SAMPLE_DIFFERS), ==, 4);
  g_assert_cmpuint (count (&pool, SAMPLE_DIFFERS), ==, 1);
  g_assert_cmpuint (count (&gemm, SAMPLE_OUTSIDE), ==, 1);
  g_assert_cmpuint (count (&sum, SAMPLE_DIFFERS), ==, 1);
  for (int i = 0; kernels_nth (i); i++)
    g_assert_cmpuint (count (kernels_nth (i), SAMPLE_DIFFERS) + count (kernels_nth (i), SAMPLE_OUTSIDE), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/self-test/compare", test_compare);
  g_test_add_func ("/self-test/kernels", test_kernels);
  return g_test_run ();
}
