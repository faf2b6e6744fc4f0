/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * conv.c: Conv and ConvTranspose: the plain form against a direct reading of the specification, every blocked form against the plain one
 * with any number of threads, folding and fusing, refusals.
 */

#include <math.h>
#include <string.h>

#include "base/tensor.h"
#include "kernels/kernels.h"
#include "node-runner.h"
#include "ops/conv.h"

/* One convolution; sizes of up to three dimensions. */
typedef struct
{
  guint    n_spatial;
  gint64   n, channels, outputs, group;
  gint64   in[3], kernel[3], stride[3], dilation[3], pad[6];
  gboolean transposed;
} Case;

static void
set_attributes (Node *node, const Case *c)
{
  gint64 pads[6];

  for (guint i = 0; i < c->n_spatial; i++)
    {
      pads[i] = c->pad[i];
      pads[c->n_spatial + i] = c->pad[3 + i];
    }
  node_set_ints (node, "kernel_shape", c->kernel, c->n_spatial);
  node_set_ints (node, "strides", c->stride, c->n_spatial);
  node_set_ints (node, "dilations", c->dilation, c->n_spatial);
  node_set_ints (node, "pads", pads, 2 * c->n_spatial);
  node_set_int (node, "group", c->group);
}

/* A runner with input, weights and bias of the type; data[0 … 2] get them. */
static Runner *
make_runner (const Case *c, FoveaType type, gboolean constant, gpointer data[3])
{
  Runner *runner = runner_new (c->transposed ? "ConvTranspose" : "Conv");
  gint64  dims[5] = { c->n, c->channels }, bias = c->outputs;

  set_attributes (runner->node, c);
  memcpy (dims + 2, c->in, sizeof c->in);
  data[0] = runner_add (runner, type, 2 + c->n_spatial, dims, FALSE);
  dims[0] = c->transposed ? c->channels : c->outputs;
  dims[1] = (c->transposed ? c->outputs : c->channels) / c->group;
  memcpy (dims + 2, c->kernel, sizeof c->kernel);
  data[1] = runner_add (runner, type, 2 + c->n_spatial, dims, constant);
  data[2] = runner_add (runner, type, 1, &bias, constant);
  return runner;
}

static double
number (gconstpointer data, FoveaType type, gint64 i)
{
  return type == FOVEA_TYPE_FLOAT64 ? ((const double *) data)[i] : (double) ((const float *) data)[i];
}

/* The specification: every input element times every weight goes to (convolution: comes from) the place that the formula names. */
static double *
by_specification (const Case *c, const FoveaShape *out_shape, FoveaType type, gpointer data[3])
{
  gint64  in[3] = { 1, 1, 1 }, out[3] = { 1, 1, 1 }, kernel[3] = { 1, 1, 1 }, at[3];
  gint64  n_in, n_out, n_kernel, c_group = c->channels / c->group, k_group = c->outputs / c->group;
  double *result = g_new (double, shape_count (out_shape));

  for (guint i = 0; i < c->n_spatial; i++)
    {
      in[i] = c->in[i];
      out[i] = out_shape->dims[2 + i];
      kernel[i] = c->kernel[i];
    }
  n_in = in[0] * in[1] * in[2];
  n_out = out[0] * out[1] * out[2];
  n_kernel = kernel[0] * kernel[1] * kernel[2];
  for (gint64 i = 0; i < c->n * c->outputs * n_out; i++)
    result[i] = number (data[2], type, i / n_out % c->outputs);

  for (gint64 image = 0; image < c->n; image++)
    for (gint64 k = 0; k < c->outputs; k++)
      for (gint64 j = 0; j < c_group; j++)
        for (gint64 tap = 0; tap < n_kernel; tap++)
          for (gint64 small = 0; small < (c->transposed ? n_in : n_out); small++) /* the side that strides */
            {
              const gint64 taps[3] = { tap / (kernel[1] * kernel[2]), tap / kernel[2] % kernel[1], tap % kernel[2] };
              const gint64 *few = c->transposed ? in : out, *many = c->transposed ? out : in;
              const gint64 place[3] = { small / (few[1] * few[2]), small / few[2] % few[1], small % few[2] };
              gint64        channel = k / k_group * c_group + j, other, weight;
              gboolean      inside = TRUE;

              for (guint i = 0; i < 3; i++)
                {
                  at[i] = i < c->n_spatial ? place[i] * c->stride[i] + taps[i] * c->dilation[i] - c->pad[i] : 0;
                  inside &= at[i] >= 0 && at[i] < many[i];
                }
              if (!inside)
                continue;
              other = (at[0] * many[1] + at[1]) * many[2] + at[2];
              weight = c->transposed ? (channel * k_group + k % k_group) * n_kernel + tap : (k * c_group + j) * n_kernel + tap;
              result[(image * c->outputs + k) * n_out + (c->transposed ? other : small)] +=
                  number (data[0], type, (image * c->channels + channel) * n_in + (c->transposed ? small : other)) *
                  number (data[1], type, weight);
            }
  return result;
}

static Case
random_case (guint n_spatial, gboolean transposed)
{
  Case c = { .n_spatial = n_spatial, .transposed = transposed, .n = g_test_rand_int_range (1, 3), .group = g_test_rand_int_range (1, 4) };

  c.channels = c.group * g_test_rand_int_range (1, 4);
  c.outputs = c.group * g_test_rand_int_range (1, 4);
  for (guint i = 0; i < n_spatial; i++)
    {
      gint64 reach;

      c.in[i] = g_test_rand_int_range (1, 8);
      c.kernel[i] = g_test_rand_int_range (1, 5);
      c.stride[i] = g_test_rand_int_range (1, 4);
      c.dilation[i] = g_test_rand_int_range (1, 4);
      reach = (c.kernel[i] - 1) * c.dilation[i] + 1;
      c.pad[i] = g_test_rand_int_range (0, 4);
      c.pad[3 + i] = g_test_rand_int_range (0, 4);
      if (!transposed && c.in[i] + c.pad[i] + c.pad[3 + i] < reach)
        c.pad[3 + i] = reach - c.in[i] - c.pad[i];
      if (transposed && (c.in[i] - 1) * c.stride[i] + reach <= c.pad[i] + c.pad[3 + i])
        c.pad[i] = c.pad[3 + i] = 0;
    }
  return c;
}

static void
check_plain (const Case *c, FoveaType type, gboolean constant)
{
  gpointer           data[3];
  g_autoptr (Runner) runner = make_runner (c, type, constant, data);
  g_autofree double *expected = NULL;
  g_autofree gpointer got = NULL;
  GError            *error = NULL;
  double             tolerance = type == FOVEA_TYPE_FLOAT64 ? 1e-12 : 1e-5;

  if (!runner_infer (runner, 1, &error))
    g_error ("%s", error->message);
  expected = by_specification (c, &runner->out[0]->shape, type, data);
  got = runner_run (runner, FALSE, 1, 0, NULL);
  for (gsize i = 0; i < shape_count (&runner->out[0]->shape); i++)
    g_assert_cmpfloat_with_epsilon (number (got, type, (gint64) i), expected[i], tolerance * (1 + fabs (expected[i])));
}

static void
test_plain (gconstpointer transposed)
{
  for (guint turn = 0; turn < 150; turn++)
    {
      Case c = random_case (1 + turn % 3, GPOINTER_TO_INT (transposed));

      check_plain (&c, turn % 2 ? FOVEA_TYPE_FLOAT64 : FOVEA_TYPE_FLOAT32, turn % 5 != 0);
    }
}

/* Rows long enough to be cut into several tasks, so that a run of them can be cancelled. */
static void
test_long_rows (void)
{
  Case c = { .n_spatial = 1, .n = 1, .channels = 30, .outputs = 1, .group = 1, .in = { 30000 }, .kernel = { 9 }, .stride = { 1 }, .dilation = { 2 },
             .pad = { 3, 0, 0, 5 } };

  g_assert_cmpuint (step_pieces (30000, 30 * 9), >, 1);
  check_plain (&c, FOVEA_TYPE_FLOAT32, TRUE);
  c.transposed = TRUE;
  c.stride[0] = 2;
  check_plain (&c, FOVEA_TYPE_FLOAT64, FALSE);
}

/* ---- blocked ---------------------------------------------------------------------------------------------- */

static const struct
{
  const char *kernel; /* that must be chosen; "": none */
  Case        c;
} blocked_cases[] = {
  { "depthwise", { 2, 2, 40, 40, 40, { 13, 15 }, { 3, 3 }, { 1, 1 }, { 1, 1 }, { 1, 1, 0, 1, 1, 0 }, FALSE } },
  { "depthwise", { 2, 1, 72, 72, 72, { 30, 28 }, { 5, 5 }, { 2, 2 }, { 1, 1 }, { 2, 2, 0, 1, 2, 0 }, FALSE } },
  { "depthwise", { 2, 1, 8, 8, 8, { 9, 9 }, { 3, 3 }, { 1, 1 }, { 4, 4 }, { 4, 4, 0, 4, 4, 0 }, FALSE } },
  { "first layer", { 2, 2, 3, 24, 1, { 32, 35 }, { 3, 3 }, { 2, 2 }, { 1, 1 }, { 1, 1, 0, 1, 1, 0 }, FALSE } },
  { "first layer", { 2, 1, 1, 16, 1, { 28, 28 }, { 5, 5 }, { 1, 1 }, { 1, 1 }, { 2, 2, 0, 2, 2, 0 }, FALSE } },
  { "first layer", { 2, 1, 3, 64, 1, { 64, 63 }, { 7, 7 }, { 2, 2 }, { 1, 1 }, { 3, 3, 0, 3, 3, 0 }, FALSE } },
  { "pointwise", { 2, 2, 24, 72, 1, { 14, 15 }, { 1, 1 }, { 1, 1 }, { 1, 1 }, { 0 }, FALSE } },
  { "pointwise", { 2, 1, 320, 100, 1, { 20, 20 }, { 1, 1 }, { 1, 1 }, { 1, 1 }, { 0 }, FALSE } },
  { "pointwise", { 2, 3, 72, 24, 1, { 1, 1 }, { 1, 1 }, { 1, 1 }, { 1, 1 }, { 0 }, FALSE } },
  { "pointwise, thinned", { 2, 2, 72, 40, 1, { 15, 14 }, { 1, 1 }, { 2, 2 }, { 1, 1 }, { 0 }, FALSE } },
  { "pointwise, thinned", { 2, 1, 200, 35, 1, { 13, 20 }, { 1, 1 }, { 3, 2 }, { 1, 1 }, { 0 }, FALSE } },
  { "pointwise, thinned", { 2, 2, 48, 96, 3, { 9, 9 }, { 1, 1 }, { 1, 2 }, { 1, 1 }, { 0 }, FALSE } },
  { "direct", { 2, 1, 32, 40, 1, { 9, 9 }, { 1, 1 }, { 2, 2 }, { 1, 1 }, { 1, 1, 0, 1, 1, 0 }, FALSE } },
  { "winograd 3x3", { 2, 1, 32, 48, 1, { 30, 33 }, { 3, 3 }, { 1, 1 }, { 1, 1 }, { 1, 1, 0, 1, 1, 0 }, FALSE } },
  { "winograd 3x3", { 2, 2, 40, 40, 1, { 14, 14 }, { 3, 3 }, { 1, 1 }, { 1, 1 }, { 1, 1, 0, 1, 1, 0 }, FALSE } },
  { "winograd 3x3", { 2, 1, 33, 35, 1, { 60, 14 }, { 3, 3 }, { 1, 1 }, { 1, 1 }, { 0, 2, 0, 1, 0, 0 }, FALSE } },
  { "direct", { 2, 2, 24, 40, 1, { 15, 17 }, { 3, 3 }, { 2, 2 }, { 1, 1 }, { 1, 1, 0, 1, 1, 0 }, FALSE } },
  { "winograd 3x3", { 2, 1, 16, 24, 1, { 40, 37 }, { 3, 3 }, { 1, 1 }, { 1, 1 }, { 1, 1, 0, 1, 1, 0 }, FALSE } },
  { "winograd 3x3, tiles of 2", { 2, 2, 48, 48, 1, { 7, 7 }, { 3, 3 }, { 1, 1 }, { 1, 1 }, { 1, 1, 0, 1, 1, 0 }, FALSE } },
  { "winograd 3x3, tiles of 2", { 2, 1, 200, 35, 1, { 9, 6 }, { 3, 3 }, { 1, 1 }, { 1, 1 }, { 0, 2, 0, 1, 1, 0 }, FALSE } },
  { "direct", { 2, 1, 48, 48, 1, { 3, 3 }, { 3, 3 }, { 1, 1 }, { 1, 1 }, { 1, 1, 0, 1, 1, 0 }, FALSE } },
  { "direct", { 2, 1, 15, 48, 1, { 20, 20 }, { 3, 3 }, { 1, 1 }, { 1, 1 }, { 1, 1, 0, 1, 1, 0 }, FALSE } },
  { "direct", { 2, 1, 16, 33, 1, { 20, 20 }, { 3, 3 }, { 1, 1 }, { 12, 12 }, { 12, 12, 0, 12, 12, 0 }, FALSE } },
  { "pointwise", { 2, 2, 33, 40, 1, { 12, 11 }, { 3, 3 }, { 1, 1 }, { 12, 12 }, { 12, 12, 0, 12, 12, 0 }, FALSE } },
  { "direct", { 2, 1, 20, 40, 1, { 25, 11 }, { 3, 5 }, { 2, 1 }, { 12, 11 }, { 14, 22, 0, 12, 22, 0 }, FALSE } },
  { "depthwise", { 2, 1, 40, 40, 40, { 6, 9 }, { 5, 3 }, { 1, 1 }, { 6, 6 }, { 12, 6, 0, 12, 6, 0 }, FALSE } },
  { "pointwise, thinned", { 2, 1, 64, 32, 1, { 40, 40 }, { 1, 1 }, { 2, 2 }, { 1, 1 }, { 0 }, FALSE } },
  { "direct, groups", { 2, 2, 64, 96, 2, { 9, 9 }, { 3, 3 }, { 1, 1 }, { 1, 1 }, { 1, 1, 0, 1, 1, 0 }, FALSE } },
  { "pointwise", { 2, 1, 48, 48, 3, { 9, 9 }, { 1, 1 }, { 1, 1 }, { 1, 1 }, { 0 }, FALSE } },
  { "direct, small groups", { 2, 2, 24, 24, 6, { 9, 9 }, { 3, 3 }, { 1, 1 }, { 1, 1 }, { 1, 1, 0, 1, 1, 0 }, FALSE } },
  { "direct, small groups", { 2, 1, 40, 40, 5, { 12, 13 }, { 3, 3 }, { 2, 2 }, { 1, 1 }, { 1, 1, 0, 1, 1, 0 }, FALSE } },
  { "transposed", { 2, 2, 24, 40, 1, { 9, 7 }, { 2, 2 }, { 2, 2 }, { 1, 1 }, { 0 }, TRUE } },
  { "transposed", { 2, 1, 40, 17, 1, { 8, 11 }, { 4, 4 }, { 2, 2 }, { 1, 1 }, { 1, 1, 0, 1, 1, 0 }, TRUE } },
  { "transposed", { 2, 1, 16, 16, 1, { 6, 5 }, { 3, 3 }, { 2, 3 }, { 1, 1 }, { 2, 1, 0, 0, 2, 0 }, TRUE } },
  { "transposed", { 2, 1, 32, 64, 2, { 5, 5 }, { 5, 3 }, { 1, 1 }, { 1, 1 }, { 2, 0, 0, 2, 1, 0 }, TRUE } },
  { "transposed", { 2, 2, 8, 8, 1, { 4, 4 }, { 2, 1 }, { 3, 3 }, { 1, 1 }, { 0 }, TRUE } },
  { "transposed", { 2, 1, 16, 32, 1, { 3, 3 }, { 16, 8 }, { 8, 4 }, { 1, 1 }, { 4, 2, 0, 4, 2, 0 }, TRUE } },
  { "", { 2, 1, 16, 16, 1, { 4, 4 }, { 3, 3 }, { 2, 2 }, { 2, 2 }, { 0 }, TRUE } },
  { "", { 2, 1, 6, 12, 6, { 9, 9 }, { 3, 3 }, { 1, 1 }, { 1, 1 }, { 1, 1, 0, 1, 1, 0 }, FALSE } },
  { "", { 2, 1, 16, 16, 1, { 40, 40 }, { 12, 12 }, { 1, 1 }, { 1, 1 }, { 0 }, FALSE } },
  { "", { 1, 1, 16, 16, 1, { 40 }, { 3 }, { 1 }, { 1 }, { 0 }, FALSE } },
};

/* Fuses an activation and a residual into some of the cases. */
static void
fuse (Runner *runner, guint turn)
{
  static const Activation activations[] = { { ACTIVATION_RELU, 0, 0 }, { ACTIVATION_SIGMOID, 0, 0 }, { ACTIVATION_CLIP, 0, 6 } };
  Node                   *node = runner->node;

  if (turn % 2 && strcmp (node->type, "Conv") == 0)
    {
      const FoveaShape *shape = &runner->out[0]->shape;

      g_assert_true (conv_can_add_residual (node));
      runner_add (runner, FOVEA_TYPE_FLOAT32, shape->n_dims, shape->dims, FALSE);
      node->inputs->len--; /* runner_add has put it in already: by the pass's own function now */
      conv_add_residual (node, runner->in[CONV_RESIDUAL_INPUT]);
      g_assert_false (conv_can_add_residual (node));
    }
  if (turn % 4 > 1)
    {
      g_assert_true (conv_can_activate (node));
      conv_set_activation (node, &activations[turn % G_N_ELEMENTS (activations)]);
      g_assert_false (conv_can_activate (node) || conv_can_add_residual (node) || conv_can_fold (node));
    }
}

static void
check_blocked (const char *wanted, const Case *c, guint turn)
{
  gpointer           data[3];
  g_autoptr (Runner) runner = make_runner (c, FOVEA_TYPE_FLOAT32, TRUE, data);
  g_autofree float  *plain = NULL, *first = NULL;
  GError            *error = NULL;
  const char        *kernel = NULL;
  gsize              n;

  if (!runner_infer (runner, 1, &error))
    g_error ("%s", error->message);
  n = shape_count (&runner->out[0]->shape);
  fuse (runner, turn);
  plain = runner_run (runner, FALSE, 1, 0, NULL);
  for (guint n_threads = 1; n_threads <= 8; n_threads++)
    {
      g_autofree float *got = runner_run (runner, TRUE, n_threads, 0, &kernel);

      if (!*wanted)
        {
          g_assert_null (got);
          return;
        }
      g_assert_cmpstr (kernel, ==, wanted);
      for (gsize i = 0; i < n; i++)
        g_assert_cmpfloat_with_epsilon (got[i], plain[i], strstr (wanted, "winograd") ? 2e-4 : 2e-5 * (1 + fabs (plain[i])));
      if (first)
        g_assert_cmpmem (got, n * sizeof (float), first, n * sizeof (float));
      else
        first = g_steal_pointer (&got);
    }
}

static void
test_blocked (void)
{
  for (int table = 0; kernels_nth (table); table++)
    {
      g_setenv ("FOVEA_ISA", kernels_nth (table)->name, TRUE);
      for (guint i = 0; i < G_N_ELEMENTS (blocked_cases); i++)
        check_blocked (blocked_cases[i].kernel, &blocked_cases[i].c, i);
    }
  g_unsetenv ("FOVEA_ISA");
}

/* Random sizes, whatever is chosen. */
static void
test_blocked_random (void)
{
  for (guint turn = 0; turn < 150; turn++)
    {
      Case               c = random_case (2, turn % 3 == 0);
      gpointer           data[3];
      g_autoptr (Runner) runner = NULL;
      g_autofree float  *plain = NULL, *got = NULL;
      GError            *error = NULL;

      c.group = turn % 4 == 0 ? g_test_rand_int_range (1, 4) : 1;
      c.channels = c.group == 1 ? g_test_rand_int_range (1, 50) : c.group * 16;
      c.outputs = c.group == 1 ? g_test_rand_int_range (1, 50) : c.group * 32;
      runner = make_runner (&c, FOVEA_TYPE_FLOAT32, TRUE, data);
      if (!runner_infer (runner, 1, &error))
        g_error ("%s", error->message);
      fuse (runner, turn);
      plain = runner_run (runner, FALSE, 1, 0, NULL);
      got = runner_run (runner, TRUE, 1 + turn % 3, 0, NULL);
      g_assert_cmpint (got != NULL, ==, !c.transposed || (c.dilation[0] == 1 && c.dilation[1] == 1));
      if (!got)
        continue;
      for (gsize i = 0; i < shape_count (&runner->out[0]->shape); i++)
        g_assert_cmpfloat_with_epsilon (got[i], plain[i], 2e-5 * (1 + fabs (plain[i])));
    }
}

/* ---- passes ----------------------------------------------------------------------------------------------- */

static void
check_fold (const Case *c, gboolean with_bias)
{
  gpointer           data[3];
  g_autoptr (Runner) runner = make_runner (c, FOVEA_TYPE_FLOAT32, TRUE, data);
  g_autofree float  *before = NULL, *after = NULL;
  double             scale[64], shift[64];
  GError            *error = NULL;
  gsize              n, plane;

  if (!with_bias)
    runner->node->inputs->len = 2;
  if (!runner_infer (runner, 1, &error))
    g_error ("%s", error->message);
  before = runner_run (runner, FALSE, 1, 0, NULL);
  for (gint64 i = 0; i < c->outputs; i++)
    {
      scale[i] = runner_random ();
      shift[i] = runner_random ();
    }
  g_assert_true (conv_is (runner->node) && conv_can_fold (runner->node));
  g_assert_cmpuint (conv_out_channels (runner->node), ==, c->outputs);
  if (!conv_fold (runner->graph, runner->node, scale, shift, (gsize) c->outputs, &error))
    g_error ("%s", error->message);
  after = runner_run (runner, FALSE, 1, 0, NULL);

  n = shape_count (&runner->out[0]->shape);
  plane = shape_count_range (&runner->out[0]->shape, 2, 2 + c->n_spatial);
  for (gsize i = 0; i < n; i++)
    {
      gsize channel = i / plane % (gsize) c->outputs;

      g_assert_cmpfloat_with_epsilon (after[i], before[i] * scale[channel] + shift[channel], 1e-5);
    }
}

static void
test_fold (void)
{
  for (guint turn = 0; turn < 40; turn++)
    {
      Case c = random_case (1 + turn % 3, turn % 4 > 1);

      check_fold (&c, turn % 3 != 0);
    }
}

/* ---- refusals and sizes ----------------------------------------------------------------------------------- */

static void
refuse (const Case *c, const char *attribute, gint64 value, int code)
{
  gpointer           data[3];
  g_autoptr (Runner) runner = make_runner (c, FOVEA_TYPE_FLOAT32, TRUE, data);
  g_autoptr (GError) error = NULL;

  if (attribute)
    node_set_int (runner->node, attribute, value);
  g_assert_false (runner_infer (runner, 1, &error));
  g_assert_error (error, FOVEA_ERROR, code);
  g_assert_nonnull (strstr (error->message, "tested"));
}

static void
test_refusals (void)
{
  const Case good = { 2, 1, 4, 4, 1, { 5, 5 }, { 3, 3 }, { 1, 1 }, { 1, 1 }, { 0 }, FALSE };
  Case       c = good;

  c.in[0] = 2;
  refuse (&c, NULL, 0, FOVEA_ERROR_SHAPE); /* nothing is left */
  c = good;
  c.stride[1] = 0;
  refuse (&c, NULL, 0, FOVEA_ERROR_UNSUPPORTED);
  c = good;
  c.pad[0] = -1;
  refuse (&c, NULL, 0, FOVEA_ERROR_UNSUPPORTED);
  refuse (&good, "group", 3, FOVEA_ERROR_SHAPE);
  refuse (&good, "group", 0, FOVEA_ERROR_MODEL);
  refuse (&good, "surprise", 1, FOVEA_ERROR_UNSUPPORTED);
  refuse (&good, "strides", 1, FOVEA_ERROR_MODEL); /* an int instead of ints */
}

/* Output size and first padding of each auto_pad, from the specification's formulas. */
static void
test_auto_pad (void)
{
  static const struct
  {
    const char *auto_pad;
    gint64      in, kernel, stride, out, pad_begin;
  } cases[] = {
    { "SAME_UPPER", 7, 3, 2, 4, 1 }, { "SAME_LOWER", 7, 3, 2, 4, 1 }, { "SAME_UPPER", 6, 3, 2, 3, 0 }, { "SAME_LOWER", 6, 3, 2, 3, 1 },
    { "SAME_UPPER", 5, 4, 1, 5, 1 }, { "SAME_LOWER", 5, 4, 1, 5, 2 }, { "VALID", 7, 3, 2, 3, 0 },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (Runner) runner = runner_new ("Conv");
      const gint64       in[3] = { 1, 1, cases[i].in }, kernel[3] = { 1, 1, cases[i].kernel };
      float *x = runner_add (runner, FOVEA_TYPE_FLOAT32, 3, in, FALSE), *w = runner_add (runner, FOVEA_TYPE_FLOAT32, 3, kernel, TRUE);
      g_autofree float  *got = NULL;
      float              expected = 0.0f;

      node_set_string (runner->node, "auto_pad", cases[i].auto_pad);
      node_set_ints (runner->node, "strides", &cases[i].stride, 1);
      g_assert_true (runner_infer (runner, 1, NULL));
      g_assert_cmpint (runner->out[0]->shape.dims[2], ==, cases[i].out);
      got = runner_run (runner, FALSE, 1, 0, NULL);
      for (gint64 k = cases[i].pad_begin; k < cases[i].kernel; k++)
        expected += x[k - cases[i].pad_begin] * w[k];
      g_assert_cmpfloat_with_epsilon (got[0], expected, 1e-5);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_data_func ("/conv/plain", GINT_TO_POINTER (FALSE), test_plain);
  g_test_add_data_func ("/conv/transpose", GINT_TO_POINTER (TRUE), test_plain);
  g_test_add_func ("/conv/long-rows", test_long_rows);
  g_test_add_func ("/conv/blocked", test_blocked);
  g_test_add_func ("/conv/blocked-random", test_blocked_random);
  g_test_add_func ("/conv/fold", test_fold);
  g_test_add_func ("/conv/refusals", test_refusals);
  g_test_add_func ("/conv/auto-pad", test_auto_pad);
  return g_test_run ();
}
