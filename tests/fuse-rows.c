/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * fuse-rows.c: chains of convolutions by bands of rows: they are found, give the same bits as the convolutions one by one, with any number of threads, and
 * agree with the reference. Chains that may not be joined aren't.
 */

#include <math.h>

#include "small-graph.h"

typedef struct
{
  const char *name;
  gint64      n, channels, h, w;      /* of the input */
  gint64      middle, kernel, stride, dilation, pads[4]; /* of the depthwise convolution */
  gint64      out;                    /* channels of project; 0: squeeze-and-excitation follows instead */
  gboolean    first, residual;        /* the first layer (3x3, stride 2) instead of expand; the input is added */
  const char *activation;
} Case;

static Value *
add_random (Graph *graph, guint n_dims, const gint64 *dims, float limit)
{
  FoveaShape shape = { .n_dims = n_dims };
  g_autoptr (FoveaTensor) tensor = NULL;

  memcpy (shape.dims, dims, n_dims * sizeof *dims);
  tensor = fovea_tensor_new (FOVEA_TYPE_FLOAT32, &shape, NULL);
  g_assert_nonnull (tensor);
  for (gsize i = 0; i < tensor->size / sizeof (float); i++)
    ((float *) tensor->data)[i] = (float) g_test_rand_double_range (-limit, limit);
  return graph_add_constant (graph, NULL, tensor);
}

static Value *
add_conv (Graph *graph, Value *in, gint64 n_out, gint64 n_in, gint64 kernel, float limit)
{
  Value *out = small_graph_add_node (graph, "Conv", in, add_random (graph, 4, (gint64[]){ n_out, n_in, kernel, kernel }, limit));

  node_add_input (out->producer, add_random (graph, 1, (gint64[]){ n_out }, 0.5f));
  return out;
}

static Value *
activate (Graph *graph, const Case *c, Value *value)
{
  return c->activation ? small_graph_add_node (graph, c->activation, value, NULL) : value;
}

static Graph *
make_graph (const Case *c)
{
  Graph *graph = small_graph_new ();
  Value *x = small_graph_add_input (graph, "x", &(FoveaShape){ 4, { c->n, c->channels, c->h, c->w } }), *value = x, *in;

  if (!c->first) /* what feeds the chain is blocked, and the chain's own input may be its residual */
    value = x = small_graph_add_node (graph, "Relu", add_conv (graph, x, c->channels, c->channels, 1, 0.3f), NULL);
  value = add_conv (graph, x, c->middle, c->channels, c->first ? 3 : 1, 0.3f);
  if (c->first)
    {
      node_set_ints (value->producer, "strides", (gint64[]){ 2, 2 }, 2);
      node_set_ints (value->producer, "pads", (gint64[]){ 1, 1, 1, 1 }, 4);
    }
  value = in = activate (graph, c, value);
  value = add_conv (graph, in, c->middle, 1, c->kernel, 0.3f);
  node_set_int (value->producer, "group", c->middle);
  node_set_ints (value->producer, "strides", (gint64[]){ c->stride, c->stride }, 2);
  node_set_ints (value->producer, "dilations", (gint64[]){ c->dilation, c->dilation }, 2);
  node_set_ints (value->producer, "pads", c->pads, 4);
  value = activate (graph, c, value);
  if (c->out)
    value = add_conv (graph, value, c->out, c->middle, 1, 0.2f);
  else
    value = small_graph_add_node (graph, "Mul", value, small_graph_add_node (graph, "GlobalAveragePool", value, NULL));
  if (c->residual)
    value = small_graph_add_node (graph, "Add", x, value);
  return small_graph_finish (graph, value, NULL);
}

static float *
run (FoveaModel *model, const char *switches, gboolean reference, guint n_threads, gsize *n, gboolean *by_rows)
{
  g_autoptr (FoveaSessionOptions) options = fovea_session_options_new ();
  g_autoptr (FoveaSession) session = NULL;
  g_autoptr (GRand) random = g_rand_new_with_seed (7);
  g_autoptr (GError) error = NULL;
  g_autofree char   *plan = NULL;
  FoveaTensor       *in, *out;

  g_setenv ("FOVEA_PASSES", switches, TRUE);
  fovea_session_options_set_threads (options, n_threads);
  fovea_session_options_set_reference (options, reference);
  session = fovea_session_new (model, options, &error);
  g_assert_no_error (error);
  in = fovea_session_get_input (session, 0);
  for (gsize i = 0; i < in->size / sizeof (float); i++)
    ((float *) in->data)[i] = (float) g_rand_double_range (random, -1, 1);
  fovea_session_run (session, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
  out = fovea_session_get_output (session, 0);
  *n = out->size / sizeof (float);
  plan = fovea_session_print_plan (session);
  *by_rows = strstr (plan, "by rows") != NULL;
  return g_memdup2 (out->data, out->size);
}

static void
test_chain (gconstpointer data)
{
  const Case            *c = data;
  g_autoptr (FoveaModel) model = model_new_for_graph (make_graph (c), "test");
  gboolean               by_rows;
  gsize                  n;
  g_autofree float      *expected = run (model, "", TRUE, 1, &n, &by_rows);
  g_autofree float      *alone = NULL;
  float                  largest = 0;

  alone = run (model, "-fuse-rows", FALSE, 1, &n, &by_rows);
  g_assert_false (by_rows);
  for (gsize i = 0; i < n; i++)
    largest = MAX (largest, fabsf (expected[i]));
  g_assert_cmpfloat (largest, >, 0);
  for (guint n_threads = 1; n_threads <= 3; n_threads++)
    {
      g_autofree float *found = run (model, "", FALSE, n_threads, &n, &by_rows);

      g_assert_true (by_rows);
      g_assert_cmpmem (alone, n * sizeof (float), found, n * sizeof (float));
      for (gsize i = 0; i < n; i++)
        g_assert_cmpfloat (fabsf (expected[i] - found[i]), <=, 2e-5f * largest);
    }
}

/* What lies between is small, wanted by others, or an output itself: nothing is joined. */
static void
test_left (gconstpointer data)
{
  static const Case      small = { "", 1, 16, 9, 9, 64, 3, 1, 1, { 1, 1, 1, 1 }, 16, FALSE, FALSE, "Relu" };
  static const Case      large = { "", 1, 16, 60, 60, 96, 3, 1, 1, { 1, 1, 1, 1 }, 16, FALSE, FALSE, NULL };
  const gint             kind = GPOINTER_TO_INT (data);
  Graph                 *graph = make_graph (kind == 0 ? &small : &large);
  g_autoptr (FoveaModel) model = NULL;
  g_autofree float      *found = NULL;
  gboolean               by_rows;
  gsize                  n;

  if (kind == 1) /* the depthwise convolution reads what two others read, and its own result is an output */
    {
      Node *project = ((Value *) graph->outputs->pdata[0])->producer, *depthwise = node_input (project, 0)->producer;

      g_ptr_array_add (graph->outputs, node_output (depthwise, 0));
      g_ptr_array_add (graph->outputs, small_graph_add_node (graph, "Neg", node_input (depthwise, 0), NULL));
    }
  model = model_new_for_graph (graph, "test");
  found = run (model, "", FALSE, 2, &n, &by_rows);
  g_assert_false (by_rows);
}

int
main (int argc, char **argv)
{
  static const Case cases[] = {
    { "stride-1", 1, 24, 41, 37, 96, 3, 1, 1, { 1, 1, 1, 1 }, 24, FALSE, TRUE, "Relu" },
    { "stride-2", 1, 16, 60, 57, 100, 3, 2, 1, { 1, 1, 1, 1 }, 20, FALSE, FALSE, "Relu" },
    { "stride-2-below", 1, 16, 60, 60, 72, 3, 2, 1, { 0, 0, 1, 1 }, 24, FALSE, FALSE, "HardSwish" },
    { "window-5", 2, 20, 40, 31, 72, 5, 1, 1, { 2, 2, 2, 2 }, 20, FALSE, TRUE, "HardSwish" },
    { "window-5-stride-2", 1, 8, 64, 64, 40, 5, 2, 1, { 2, 1, 1, 2 }, 17, FALSE, FALSE, "LeakyRelu" },
    { "dilated", 1, 16, 50, 50, 64, 3, 1, 3, { 3, 3, 3, 3 }, 16, FALSE, TRUE, "Sigmoid" },
    { "stride-3", 1, 16, 50, 61, 64, 3, 3, 1, { 1, 0, 0, 1 }, 16, FALSE, FALSE, "Relu" },
    { "excitation", 1, 16, 56, 56, 80, 3, 2, 1, { 1, 1, 1, 1 }, 0, FALSE, FALSE, "HardSwish" },
    { "first-layer", 1, 3, 120, 122, 32, 3, 1, 1, { 1, 1, 1, 1 }, 16, TRUE, FALSE, "Relu" },
    { "wide", 1, 16, 5, 1900, 32, 3, 1, 1, { 1, 1, 1, 1 }, 16, FALSE, TRUE, "Relu" },
  };

  g_test_init (&argc, &argv, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *path = g_strconcat ("/fuse-rows/", cases[i].name, NULL);

      g_test_add_data_func (path, &cases[i], test_chain);
    }
  g_test_add_data_func ("/fuse-rows/small", GINT_TO_POINTER (0), test_left);
  g_test_add_data_func ("/fuse-rows/wanted", GINT_TO_POINTER (1), test_left);
  return g_test_run ();
}
