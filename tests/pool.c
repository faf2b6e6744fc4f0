/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * pool.c: pools against a direct reading of the specification: each window is gathered into a list of values, then the list is reduced.
 * Then the blocked form against the plain one, sizes of ceil_mode, and refusals.
 */

#include <math.h>
#include <string.h>

#include "base/tensor.h"
#include "kernels/kernels.h"
#include "node-runner.h"

typedef struct
{
  const char *type;
  guint       n_spatial;
  gint64      n, channels;
  gint64      in[3], kernel[3], stride[3], dilation[3], pad[6];
  gboolean    ceil_mode, count_padding;
  gint64      p;
} Case;

static gboolean
is_global (const Case *c)
{
  return g_str_has_prefix (c->type, "Global");
}

static Runner *
make_runner (const Case *c, FoveaType type, gpointer *data)
{
  Runner *runner = runner_new (c->type);
  gint64  dims[5] = { c->n, c->channels }, pads[6];

  memcpy (dims + 2, c->in, sizeof c->in);
  *data = runner_add (runner, type, 2 + c->n_spatial, dims, FALSE);
  if (strstr (c->type, "Lp"))
    node_set_int (runner->node, "p", c->p);
  if (is_global (c))
    return runner;
  for (guint i = 0; i < c->n_spatial; i++)
    {
      pads[i] = c->pad[i];
      pads[c->n_spatial + i] = c->pad[3 + i];
    }
  node_set_ints (runner->node, "kernel_shape", c->kernel, c->n_spatial);
  node_set_ints (runner->node, "strides", c->stride, c->n_spatial);
  node_set_ints (runner->node, "dilations", c->dilation, c->n_spatial);
  node_set_ints (runner->node, "pads", pads, 2 * c->n_spatial);
  node_set_int (runner->node, "ceil_mode", c->ceil_mode);
  if (strcmp (c->type, "AveragePool") == 0)
    node_set_int (runner->node, "count_include_pad", c->count_padding);
  return runner;
}

static double
number (gconstpointer data, FoveaType type, gint64 i)
{
  switch (type)
    {
    case FOVEA_TYPE_FLOAT64: return ((const double *) data)[i];
    case FOVEA_TYPE_FLOAT32: return ((const float *) data)[i];
    case FOVEA_TYPE_INT8:    return ((const gint8 *) data)[i];
    default:                 return ((const guint8 *) data)[i];
    }
}

static double
reduce (const Case *c, const double *values, guint n, guint n_padded)
{
  double result = strstr (c->type, "Max") ? -INFINITY : 0.0;

  for (guint i = 0; i < n; i++)
    if (strstr (c->type, "Max"))
      result = MAX (result, values[i]);
    else
      result += strstr (c->type, "Lp") ? pow (fabs (values[i]), (double) c->p) : values[i];
  if (strstr (c->type, "Average"))
    result /= c->count_padding && !is_global (c) ? n_padded : n;
  return strstr (c->type, "Lp") ? pow (result, 1.0 / (double) c->p) : result;
}

/* One output of one channel, and the place of the greatest in the plane. */
static double
by_specification (const Case *c, FoveaType type, gconstpointer data, gint64 plane, const gint64 in[3], const gint64 at[3], gint64 *greatest)
{
  gint64   kernel[3] = { 1, 1, 1 }, place[3];
  double   values[600], best = -INFINITY;
  guint    n = 0, n_padded = 0;
  gboolean dilated = FALSE; /* then what hangs over in ceil_mode counts as padding too, as ONNX's own cases have it */

  for (guint i = 0; i < c->n_spatial; i++)
    {
      kernel[i] = is_global (c) ? in[i] : c->kernel[i];
      dilated |= c->dilation[i] > 1;
    }
  *greatest = -1;
  for (gint64 tap = 0; tap < kernel[0] * kernel[1] * kernel[2]; tap++)
    {
      const gint64 taps[3] = { tap / (kernel[1] * kernel[2]), tap / kernel[2] % kernel[1], tap % kernel[2] };
      gboolean     inside = TRUE, padded = TRUE;

      for (guint i = 0; i < 3; i++)
        {
          gboolean moves = i < c->n_spatial && !is_global (c);

          place[i] = moves ? at[i] * c->stride[i] + taps[i] * c->dilation[i] - c->pad[i] : taps[i];
          inside &= place[i] >= 0 && place[i] < in[i];
          padded &= !moves || dilated || place[i] < in[i] + c->pad[3 + i];
        }
      n_padded += padded;
      if (!inside)
        continue;
      values[n] = number (data, type, plane * in[0] * in[1] * in[2] + (place[0] * in[1] + place[1]) * in[2] + place[2]);
      if (*greatest < 0 || values[n] > best)
        {
          best = values[n];
          *greatest = (place[0] * in[1] + place[1]) * in[2] + place[2];
        }
      n++;
    }
  return reduce (c, values, n, n_padded);
}

static Case
random_case (guint turn)
{
  static const char *const types[] = { "MaxPool", "AveragePool", "LpPool", "GlobalMaxPool", "GlobalAveragePool", "GlobalLpPool" };
  Case                     c = { .type = types[turn % 6],
                                 .n_spatial = 1 + turn / 6 % 3,
                                 .n = g_test_rand_int_range (1, 3),
                                 .channels = g_test_rand_int_range (1, 5),
                                 .ceil_mode = g_test_rand_bit (),
                                 .count_padding = g_test_rand_bit (),
                                 .p = g_test_rand_int_range (1, 4) };

  for (guint i = 0; i < c.n_spatial; i++)
    {
      c.in[i] = g_test_rand_int_range (3, 9);
      c.kernel[i] = g_test_rand_int_range (1, 4);
      c.stride[i] = g_test_rand_int_range (1, 4);
      c.dilation[i] = c.kernel[i] < 3 ? g_test_rand_int_range (1, 3) : 1;
      c.pad[i] = g_test_rand_int_range (0, (int) c.kernel[i]);
      c.pad[3 + i] = g_test_rand_int_range (0, (int) c.kernel[i]);
    }
  return c;
}

static void
check_plain (const Case *c, FoveaType type)
{
  gpointer            data;
  g_autoptr (Runner)  runner = make_runner (c, type, &data);
  g_autofree gpointer got = NULL;
  g_autofree gint64  *indices = NULL;
  gboolean            with_indices = strcmp (c->type, "MaxPool") == 0;
  gint64              in[3] = { 1, 1, 1 }, out[3] = { 1, 1, 1 };
  GError             *error = NULL;

  if (!runner_infer (runner, with_indices ? 2 : 1, &error))
    g_error ("%s", error->message);
  got = runner_run (runner, FALSE, 1, 0, NULL);
  if (with_indices)
    indices = runner_run (runner, FALSE, 1, 1, NULL);
  for (guint i = 0; i < c->n_spatial; i++)
    {
      in[i] = c->in[i];
      out[i] = runner->out[0]->shape.dims[2 + i];
    }
  for (gint64 i = 0; i < (gint64) shape_count (&runner->out[0]->shape); i++)
    {
      gint64       plane = i / (out[0] * out[1] * out[2]), greatest;
      const gint64 at[3] = { i / (out[1] * out[2]) % out[0], i / out[2] % out[1], i % out[2] };
      double       expected = by_specification (c, type, data, plane, in, at, &greatest);

      g_assert_cmpfloat_with_epsilon (number (got, type, i), expected, 1e-5 * MAX (fabs (expected), 1.0));
      if (with_indices)
        g_assert_cmpint (indices[i], ==, plane * in[0] * in[1] * in[2] + greatest);
    }
}

static void
test_plain (void)
{
  for (guint turn = 0; turn < 300; turn++)
    {
      Case c = random_case (turn);

      check_plain (&c, turn % 7 == 0 ? FOVEA_TYPE_FLOAT64 : FOVEA_TYPE_FLOAT32);
      if (strcmp (c.type, "MaxPool") == 0)
        check_plain (&c, turn % 12 ? FOVEA_TYPE_INT8 : FOVEA_TYPE_UINT8);
    }
}

/* Windows large enough for the output of a channel to be cut into several tasks, so that a run of them can be cancelled. */
static void
test_large_windows (void)
{
  static const Case plain = { .type = "MaxPool", .n_spatial = 3, .n = 1, .channels = 1, .in = { 40, 40, 20 }, .kernel = { 8, 8, 8 }, .stride = { 1, 1, 1 },
                              .dilation = { 1, 1, 1 }, .pad = { 2, 0, 1, 0, 3, 0 } };
  static const Case blocked = { .type = "AveragePool", .n_spatial = 2, .n = 1, .channels = 17, .in = { 60, 60 }, .kernel = { 17, 17 }, .stride = { 1, 1 },
                                .dilation = { 1, 1 }, .pad = { 8, 8, 0, 8, 8, 0 } };
  gpointer           data;
  g_autoptr (Runner) runner = make_runner (&blocked, FOVEA_TYPE_FLOAT32, &data);
  g_autofree float  *expected = NULL, *got = NULL;

  g_assert_cmpuint (step_pieces (40 * 40 * 13, 8 * 8 * 8), >, 1);
  g_assert_cmpuint (step_pieces (60, 60 * 16 * 17 * 17), >, 1);
  check_plain (&plain, FOVEA_TYPE_FLOAT32);
  g_assert_true (runner_infer (runner, 1, NULL));
  expected = runner_run (runner, FALSE, 1, 0, NULL);
  got = runner_run (runner, TRUE, 2, 0, NULL);
  for (gsize i = 0; i < shape_count (&runner->out[0]->shape); i++)
    g_assert_cmpfloat_with_epsilon (got[i], expected[i], 1e-5);
}

static void
test_blocked (void)
{
  for (int table = 0; kernels_nth (table); table++)
    {
      g_setenv ("FOVEA_ISA", kernels_nth (table)->name, TRUE);
      for (guint turn = 0; turn < 200; turn++)
        {
          Case               c = random_case (turn);
          gpointer           data;
          g_autoptr (Runner) runner = NULL;
          g_autofree float  *plain = NULL, *got = NULL;

          c.channels = g_test_rand_int_range (1, 40);
          runner = make_runner (&c, FOVEA_TYPE_FLOAT32, &data);
          g_assert_true (runner_infer (runner, 1, NULL));
          plain = runner_run (runner, FALSE, 1, 0, NULL);
          got = runner_run (runner, TRUE, 1 + turn % 3, 0, NULL);
          g_assert_cmpint (got != NULL, ==, c.n_spatial == 2 && !strstr (c.type, "Lp"));
          for (gsize i = 0; got && i < shape_count (&runner->out[0]->shape); i++)
            g_assert_cmpfloat_with_epsilon (got[i], plain[i], 1e-5);
        }
    }
  g_unsetenv ("FOVEA_ISA");
}

/* MaxPool whose places are wanted stays plain; storage_order counts columns first. */
static void
test_column_major (void)
{
  g_autoptr (Runner) runner = runner_new ("MaxPool");
  const gint64       dims[4] = { 1, 2, 2, 3 }, kernel[2] = { 2, 3 };
  float             *in = runner_add (runner, FOVEA_TYPE_FLOAT32, 4, dims, FALSE);
  g_autofree gint64 *indices = NULL;

  for (guint i = 0; i < 12; i++)
    in[i] = i == 2 || i == 9 ? 1.0f : 0.0f; /* row 0, column 2; in the second plane row 1, column 0 */
  node_set_ints (runner->node, "kernel_shape", kernel, 2);
  node_set_int (runner->node, "storage_order", 1);
  g_assert_true (runner_infer (runner, 2, NULL));
  g_assert_null (runner_run (runner, TRUE, 1, 0, NULL));
  indices = runner_run (runner, FALSE, 1, 1, NULL);
  g_assert_cmpint (indices[0], ==, 4);
  g_assert_cmpint (indices[1], ==, 6 + 1);
}

/* Rounding up never adds a window that begins in the padding behind. */
static void
test_ceil_mode (void)
{
  static const gint64 cases[][6] = { /* in, kernel, stride, padding, out rounded down, out rounded up */
    { 6, 3, 2, 0, 2, 3 }, { 7, 3, 2, 0, 3, 3 }, { 4, 1, 3, 0, 2, 2 }, { 3, 2, 2, 1, 2, 2 }, { 5, 2, 3, 1, 2, 2 }, { 6, 2, 4, 1, 2, 2 },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    for (guint up = 0; up < 2; up++)
      {
        g_autoptr (Runner) runner = runner_new ("MaxPool");
        const gint64       dims[3] = { 1, 1, cases[i][0] }, pads[2] = { cases[i][3], cases[i][3] };

        runner_add (runner, FOVEA_TYPE_FLOAT32, 3, dims, FALSE);
        node_set_ints (runner->node, "kernel_shape", &cases[i][1], 1);
        node_set_ints (runner->node, "strides", &cases[i][2], 1);
        node_set_ints (runner->node, "pads", pads, 2);
        node_set_int (runner->node, "ceil_mode", up);
        g_assert_true (runner_infer (runner, 1, NULL));
        g_assert_cmpint (runner->out[0]->shape.dims[2], ==, cases[i][4 + up]);
      }
}

static void
test_refusals (void)
{
  g_autoptr (Runner) runner = runner_new ("AveragePool");
  const gint64       dims[4] = { 1, 1, 3, 3 }, kernel[2] = { 4, 4 };
  g_autoptr (GError) error = NULL;

  runner_add (runner, FOVEA_TYPE_FLOAT32, 4, dims, FALSE);
  g_assert_false (runner_infer (runner, 1, &error)); /* no kernel_shape */
  g_assert_error (error, FOVEA_ERROR, FOVEA_ERROR_MODEL);
  g_clear_error (&error);
  operator_clear_node (runner->node);
  node_set_ints (runner->node, "kernel_shape", kernel, 2);
  runner->node->outputs->len = 0;
  g_assert_false (runner_infer (runner, 1, &error)); /* larger than the image */
  g_assert_error (error, FOVEA_ERROR, FOVEA_ERROR_SHAPE);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/pool/plain", test_plain);
  g_test_add_func ("/pool/large-windows", test_large_windows);
  g_test_add_func ("/pool/blocked", test_blocked);
  g_test_add_func ("/pool/column-major", test_column_major);
  g_test_add_func ("/pool/ceil-mode", test_ceil_mode);
  g_test_add_func ("/pool/refusals", test_refusals);
  return g_test_run ();
}
