/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * resize.c: Resize of images, plain, on blocks and by hand; refusals. What each mode means is tested by ONNX's cases and against ONNX Runtime.
 */

#include <math.h>
#include <string.h>

#include "kernels/kernels.h"
#include "node-runner.h"
#include "small-graph.h"

static Runner *
make_runner (gint64 channels, gint64 height, gint64 width, gint64 new_height, gint64 new_width, const char *mode, const char *coordinate)
{
  Runner *runner = runner_new ("Resize");
  gint64  dims[] = { 2, channels, height, width }, four = 4, *sizes;

  runner_add (runner, FOVEA_TYPE_FLOAT32, 4, dims, FALSE);
  runner_skip (runner);
  runner_skip (runner);
  sizes = runner_add (runner, FOVEA_TYPE_INT64, 1, &four, TRUE);
  memcpy (sizes, (gint64[]){ 2, channels, new_height, new_width }, 4 * sizeof *sizes);
  node_set_string (runner->node, "mode", mode);
  node_set_string (runner->node, "coordinate_transformation_mode", coordinate);
  return runner;
}

static void
test_blocked (void)
{
  static const char *const modes[] = { "nearest", "linear", "cubic" };
  static const char *const coordinates[] = { "half_pixel", "align_corners", "asymmetric", "pytorch_half_pixel" };
  static const gint64      sizes[][5] = { { 16, 4, 5, 8, 10 }, { 20, 7, 3, 5, 9 }, { 3, 1, 6, 4, 1 }, { 33, 6, 6, 6, 6 }, { 17, 9, 2, 3, 2 } };
  guint                    n_blocked = 0;

  for (gsize m = 0; m < G_N_ELEMENTS (modes); m++)
    for (gsize c = 0; c < G_N_ELEMENTS (coordinates); c++)
      for (gsize s = 0; s < G_N_ELEMENTS (sizes); s++)
        {
          const gint64      *size = sizes[s];
          g_autoptr (Runner) runner = make_runner (size[0], size[1], size[2], size[3], size[4], modes[m], coordinates[c]);
          g_autoptr (GError) error = NULL;
          g_autofree float  *plain = NULL, *blocked = NULL;

          g_assert_true (runner_infer (runner, 1, &error));
          plain = runner_run (runner, FALSE, 3, 0, NULL);
          blocked = runner_run (runner, TRUE, 3, 0, NULL);
          if (!blocked)
            continue;
          n_blocked++;
          for (gint64 i = 0; i < 2 * size[0] * size[3] * size[4]; i++)
            g_assert_cmpfloat_with_epsilon (plain[i], blocked[i], 1e-5f);
        }
  g_assert_cmpuint (n_blocked, >=, 40); /* nearest and linear at least */
}

/* Plain images in a session, larger and smaller than a task: against the reference, with any number of threads. */
static void
test_plain (void)
{
  static const char *const modes[] = { "nearest", "linear", "cubic" };
  static const gint64      sizes[][4] = { { 11, 9, 90, 130 }, { 40, 40, 320, 320 }, { 7, 30, 7, 11 }, { 37, 21, 12, 60 }, { 5, 6, 40, 3 } };

  for (gsize i = 0; i < G_N_ELEMENTS (modes) * G_N_ELEMENTS (sizes); i++)
    {
      const gint64          *size = sizes[i / G_N_ELEMENTS (modes)];
      Graph                 *graph = small_graph_new ();
      Value                 *x = small_graph_add_input (graph, "x", &(FoveaShape){ 4, { 1, 3, size[0], size[1] } });
      Value                 *y = small_graph_add_node (graph, "Resize", x, NULL);
      const gint64           to[] = { 1, 3, size[2], size[3] };
      g_autoptr (FoveaModel) model = NULL;
      g_autofree float      *expected = NULL;
      g_autoptr (FoveaTensor) tensor = fovea_tensor_new (FOVEA_TYPE_INT64, &(FoveaShape){ 1, { 4 } }, NULL);

      memcpy (tensor->data, to, sizeof to);
      while (y->producer->inputs->len < 3)
        node_add_input (y->producer, NULL);
      node_add_input (y->producer, graph_add_constant (graph, NULL, tensor));
      node_set_string (y->producer, "mode", modes[i % G_N_ELEMENTS (modes)]);
      model = model_new_for_graph (small_graph_finish (graph, y, NULL), "test");
      for (guint n_threads = 0; n_threads <= 3; n_threads++) /* 0: the reference */
        {
          g_autoptr (FoveaSessionOptions) options = fovea_session_options_new ();
          g_autoptr (FoveaSession) session = NULL;
          g_autoptr (GRand)  random = g_rand_new_with_seed (3);
          g_autoptr (GError) error = NULL;
          FoveaTensor       *in, *out;

          fovea_session_options_set_threads (options, MAX (n_threads, 1));
          fovea_session_options_set_reference (options, n_threads == 0);
          session = fovea_session_new (model, options, &error);
          g_assert_no_error (error);
          in = fovea_session_get_input (session, 0);
          out = fovea_session_get_output (session, 0);
          for (gsize k = 0; k < in->size / sizeof (float); k++)
            ((float *) in->data)[k] = (float) g_rand_double_range (random, -1, 1);
          fovea_session_run (session, NULL, NULL, NULL, &error);
          g_assert_no_error (error);
          for (gsize k = 0; expected && k < out->size / sizeof (float); k++)
            g_assert_cmpfloat_with_epsilon (expected[k], ((float *) out->data)[k], 1e-5f);
          if (!expected)
            expected = g_memdup2 (out->data, out->size);
        }
    }
}

/* Twice the size, nearest: each pixel four times. */
static void
test_double (void)
{
  g_autoptr (Runner) runner = make_runner (18, 3, 4, 6, 8, "nearest", "asymmetric");
  g_autofree float  *out = NULL;
  const float       *in = runner->data[0];

  node_set_string (runner->node, "nearest_mode", "floor");
  g_assert_true (runner_infer (runner, 1, NULL));
  out = runner_run (runner, TRUE, 2, 0, NULL);
  g_assert_nonnull (out);
  for (gint64 plane = 0; plane < 2 * 18; plane++)
    for (gint64 y = 0; y < 6; y++)
      for (gint64 x = 0; x < 8; x++)
        g_assert_true (out[(plane * 6 + y) * 8 + x] == in[(plane * 3 + y / 2) * 4 + x / 2]);
}

static void
test_refusals (void)
{
  g_autoptr (GError) error = NULL;

  {
    g_autoptr (Runner) runner = make_runner (3, 4, 4, 8, 8, "bicubic", "half_pixel");

    g_assert_false (runner_infer (runner, 1, &error));
    g_assert_error (error, FOVEA_ERROR, FOVEA_ERROR_UNSUPPORTED);
    g_clear_error (&error);
  }
  {
    g_autoptr (Runner) runner = make_runner (3, 0, 4, 8, 8, "linear", "half_pixel");

    g_assert_false (runner_infer (runner, 1, &error));
    g_assert_error (error, FOVEA_ERROR, FOVEA_ERROR_SHAPE);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/resize/blocked", test_blocked);
  g_test_add_func ("/resize/plain", test_plain);
  g_test_add_func ("/resize/double", test_double);
  g_test_add_func ("/resize/refusals", test_refusals);
  return g_test_run ();
}
