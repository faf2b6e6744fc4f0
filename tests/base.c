/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * base.c: half precision against its definition, shapes at the edge of overflow, tensors of every type.
 */

#include <math.h>
#include <string.h>

#include "base/half.h"
#include "base/memory.h"
#include "base/tensor.h"

/* Every half: its value by the formula, and back again to the same bits. */
static void
test_half_all (void)
{
  for (guint bits = 0; bits < 0x10000; bits++)
    {
      int    exponent = bits >> 10 & 0x1f, mantissa = bits & 0x3ff;
      double expected = exponent == 0 ? ldexp (mantissa, -24) : ldexp (1024 + mantissa, exponent - 25);
      float  value = half_to_float ((guint16) bits);

      if (exponent == 31 && mantissa)
        {
          g_assert_true (isnan (value));
          g_assert_true (isnan (half_to_float (half_from_float (value))));
          continue;
        }
      if (exponent == 31)
        expected = INFINITY;
      if (bits & 0x8000)
        expected = -expected;
      g_assert_true ((double) value == expected);
      g_assert_cmpuint (half_from_float (value), ==, bits);
    }
}

/* Between two neighbours the nearer one wins, and the even one of a tie. */
static void
test_half_rounding (void)
{
  for (guint bits = 0; bits < 0x7bff; bits++)
    {
      float low = half_to_float ((guint16) bits), high = half_to_float ((guint16) (bits + 1));
      float middle = low + (high - low) / 2;

      g_assert_cmpuint (half_from_float (middle), ==, bits & 1 ? bits + 1 : bits);
      g_assert_cmpuint (half_from_float (nextafterf (middle, 0)), ==, bits);
      g_assert_cmpuint (half_from_float (nextafterf (middle, INFINITY)), ==, bits + 1);
    }
  g_assert_cmpuint (half_from_float (65519.996f), ==, 0x7bff);
  g_assert_cmpuint (half_from_float (65520.0f), ==, 0x7c00);
  g_assert_cmpuint (half_from_float (-1e30f), ==, 0xfc00);
}

static void
test_shape_overflow (void)
{
  static const struct
  {
    guint    n_dims;
    gint64   dims[4];
    gboolean fits;
    gsize    count;
  } cases[] = {
    { 0, { 0 }, TRUE, 1 },
    { 2, { 3, 4 }, TRUE, 12 },
    { 3, { 3, 0, 4 }, TRUE, 0 },
    { 2, { -1, 4 }, FALSE, 0 },
    { 2, { G_MAXINT64, 2 }, FALSE, 0 },
    { 3, { G_MAXINT64, 0, 4 }, FALSE, 0 },
    { 4, { 1 << 16, 1 << 16, 1 << 16, 1 << 16 }, FALSE, 0 },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      FoveaShape shape = shape_make (cases[i].n_dims, cases[i].dims);
      gsize      count = 99;

      g_assert_cmpint (shape_count_checked (&shape, &count), ==, cases[i].fits);
      if (cases[i].fits)
        g_assert_cmpuint (count, ==, cases[i].count);
    }
}

static void
test_tensor_refuses (void)
{
  const gint64     huge[] = { G_MAXINT64 / 2, 4 }, two[] = { 2 };
  FoveaShape       shape = shape_make (2, huge), pair = shape_make (1, two);
  g_autoptr (GError) error = NULL;
  float            data[3];

  g_assert_null (fovea_tensor_new (FOVEA_TYPE_FLOAT32, &shape, &error));
  g_assert_error (error, FOVEA_ERROR, FOVEA_ERROR_SHAPE);
  g_clear_error (&error);
  g_assert_null (fovea_tensor_new_for_data (FOVEA_TYPE_FLOAT32, &pair, data, sizeof data, NULL, NULL, &error));
  g_assert_error (error, FOVEA_ERROR, FOVEA_ERROR_SHAPE);
  g_clear_error (&error);
  g_assert_null (memory_alloc_n (G_MAXSIZE / 2, 4, "a test", &error));
  g_assert_error (error, FOVEA_ERROR, FOVEA_ERROR_MEMORY);
}

static void
test_tensor_read (void)
{
  const gint64             dims[] = { 3 };
  FoveaShape               shape = shape_make (1, dims);
  g_autoptr (FoveaTensor)  doubles = fovea_tensor_new (FOVEA_TYPE_FLOAT64, &shape, NULL);
  g_autoptr (FoveaTensor)  bytes = fovea_tensor_new (FOVEA_TYPE_INT8, &shape, NULL);
  const double             values[] = { -1.9, NAN, 1e30 };
  const gint8              small[] = { -128, 0, 127 };
  gint64                   integers[3];
  float                    floats[2];

  memcpy (doubles->data, values, sizeof values);
  tensor_read_int64 (doubles, 0, 3, integers);
  g_assert_cmpint (integers[0], ==, -1);
  g_assert_cmpint (integers[1], ==, 0);
  g_assert_cmpint (integers[2], ==, G_MAXINT64);

  memcpy (bytes->data, small, sizeof small);
  tensor_read_float (bytes, 1, 2, floats);
  g_assert_cmpfloat (floats[0], ==, 0.0f);
  g_assert_cmpfloat (floats[1], ==, 127.0f);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/base/half/all", test_half_all);
  g_test_add_func ("/base/half/rounding", test_half_rounding);
  g_test_add_func ("/base/shape/overflow", test_shape_overflow);
  g_test_add_func ("/base/tensor/refuses", test_tensor_refuses);
  g_test_add_func ("/base/tensor/read", test_tensor_read);
  return g_test_run ();
}
