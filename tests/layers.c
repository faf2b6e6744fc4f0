/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * layers.c: multiply-adds, parameters, windows and receptive fields, against what is known or counted by hand.
 */

#include "small-graph.h"

static void
set_window (Value *value, gint64 kernel, gint64 stride, gint64 padding, gint64 dilation)
{
  const gint64 kernels[] = { kernel, kernel }, strides[] = { stride, stride }, dilations[] = { dilation, dilation };
  const gint64 pads[] = { padding, padding, padding, padding };

  node_set_ints (value->producer, "kernel_shape", kernels, 2);
  node_set_ints (value->producer, "strides", strides, 2);
  node_set_ints (value->producer, "pads", pads, 4);
  node_set_ints (value->producer, "dilations", dilations, 2);
}

static Value *
add_conv (Graph *graph, Value *in, gint64 n_in, gint64 n_out, gint64 kernel, gint64 stride, gint64 padding, gint64 dilation)
{
  FoveaShape shape = { 4, { n_out, n_in, kernel, kernel } };
  Value     *out = small_graph_add_node (graph, "Conv", in, small_graph_add_floats (graph, NULL, &shape, NULL));

  set_window (out, kernel, stride, padding, dilation);
  return out;
}

static FoveaLayer *
list (Graph *graph, gsize *n)
{
  g_autoptr (FoveaModel) model = model_new_for_graph (graph, "test");
  g_autoptr (GError) error = NULL;
  FoveaLayer *layers = fovea_model_list_layers (model, NULL, n, &error);

  g_assert_no_error (error);
  return layers;
}

static void
check_layer (const FoveaLayer *layer, int field, guint64 macs, guint64 parameters)
{
  g_assert_cmpint (layer->receptive_field, ==, field);
  g_assert_cmpuint (layer->macs, ==, macs);
  g_assert_cmpuint (layer->parameters, ==, parameters);
}

/* The first layers of a ResNet: 7, 11, 19; then a dilated one, and all. */
static void
test_residual (void)
{
  const FoveaShape photo = { 4, { 1, 3, 224, 224 } };
  Graph      *graph = small_graph_new ();
  Value      *stem = add_conv (graph, small_graph_add_input (graph, "x", &photo), 3, 64, 7, 2, 3, 1);
  Value      *pooled = small_graph_add_node (graph, "MaxPool", small_graph_add_node (graph, "Relu", stem, NULL), NULL), *sum;
  FoveaLayer *layers;
  gsize       n;

  set_window (pooled, 3, 2, 1, 1);
  sum = small_graph_add_node (graph, "Add", pooled, add_conv (graph, pooled, 64, 64, 3, 1, 1, 1));
  sum = add_conv (graph, sum, 64, 32, 3, 1, 2, 2);
  layers = list (small_graph_finish (graph, small_graph_add_node (graph, "GlobalAveragePool", sum, NULL), NULL), &n);
  g_assert_cmpuint (n, ==, 7);
  check_layer (&layers[0], 7, 118013952, 9408); /* 64 * 112² * 3 * 7² */
  check_layer (&layers[1], 7, 0, 0);
  check_layer (&layers[2], 11, 0, 0);
  check_layer (&layers[3], 19, 115605504, 36864);
  check_layer (&layers[4], 19, 0, 0);
  check_layer (&layers[5], 35, 57802752, 18432);
  check_layer (&layers[6], 0, 0, 0);
  g_assert_true (layers[0].has_window);
  g_assert_cmpint (layers[0].padding[3], ==, 3);
  g_assert_cmpint (layers[5].dilation[0], ==, 2);
  g_assert_false (layers[1].has_window);
  g_assert_cmpint (layers[2].out.dims[2], ==, 56);
  g_assert_cmpstr (layers[2].operator_type, ==, "MaxPool");
  fovea_layers_free (layers, n);
}

/* Depthwise: each output channel has one input channel. "Same" padding is written out. Weights used twice are counted once. */
static void
test_depthwise (void)
{
  const FoveaShape photo = { 4, { 1, 8, 15, 15 } }, shape = { 4, { 8, 1, 3, 3 } };
  const gint64 stride[] = { 2, 2 };
  Graph      *graph = small_graph_new ();
  Value      *weights = small_graph_add_floats (graph, "w", &shape, NULL);
  Value      *first = small_graph_add_node (graph, "Conv", small_graph_add_input (graph, "x", &photo), weights);
  Value      *second = small_graph_add_node (graph, "Conv", first, weights);
  FoveaLayer *layers;
  gsize       n;

  node_set_int (first->producer, "group", 8);
  node_set_int (second->producer, "group", 8);
  node_set_string (first->producer, "auto_pad", "SAME_UPPER");
  node_set_ints (second->producer, "strides", stride, 2);
  node_set_string (second->producer, "auto_pad", "SAME_LOWER");
  layers = list (small_graph_finish (graph, second, NULL), &n);
  check_layer (&layers[0], 3, 8 * 15 * 15 * 9, 72);
  check_layer (&layers[1], 5, 8 * 8 * 8 * 9, 0);
  for (int i = 0; i < 4; i++)
    g_assert_cmpint (layers[0].padding[i], ==, 1);
  g_assert_cmpint (layers[0].kernel[1], ==, 3);
  g_assert_cmpint (layers[1].stride[0], ==, 2);
  fovea_layers_free (layers, n);
}

static void
test_transposed (void)
{
  const FoveaShape photo = { 4, { 1, 4, 8, 8 } }, shape = { 4, { 4, 6, 2, 2 } };
  Graph      *graph = small_graph_new ();
  Value      *down = add_conv (graph, small_graph_add_input (graph, "x", &photo), 4, 4, 2, 2, 0, 1);
  Value      *up = small_graph_add_node (graph, "ConvTranspose", down, small_graph_add_floats (graph, "w", &shape, NULL));
  FoveaLayer *layers;
  gsize       n;

  set_window (up, 2, 2, 0, 1);
  layers = list (small_graph_finish (graph, add_conv (graph, up, 6, 1, 3, 1, 1, 1), NULL), &n);
  check_layer (&layers[0], 2, 4 * 16 * 16, 64);
  check_layer (&layers[1], 2, 4 * 16 * 24, 96); /* every input value meets 6 * 2 * 2 weights */
  check_layer (&layers[2], 4, 64 * 54, 54);     /* neighbours are one pixel apart again */
  fovea_layers_free (layers, n);
}

static void
test_matrices (void)
{
  const FoveaShape vector = { 2, { 1, 10 } }, shape = { 2, { 5, 10 } }, second = { 2, { 5, 3 } };
  Graph      *graph = small_graph_new ();
  Value      *gemm = small_graph_add_node (graph, "Gemm", small_graph_add_input (graph, "x", &vector), small_graph_add_floats (graph, "a", &shape, NULL));
  FoveaLayer *layers;
  gsize       n;

  node_set_int (gemm->producer, "transB", 1);
  layers = list (small_graph_finish (graph, small_graph_add_node (graph, "MatMul", gemm, small_graph_add_floats (graph, "b", &second, NULL)), NULL), &n);
  check_layer (&layers[0], 0, 50, 50);
  check_layer (&layers[1], 0, 15, 15);
  fovea_layers_free (layers, n);
}

/* A constant may come first: the layer's input is the other. */
static void
test_constant_first (void)
{
  const FoveaShape photo = { 4, { 1, 3, 8, 8 } }, scalar = { 0, { 0 } };
  Graph      *graph = small_graph_new ();
  Value      *in = small_graph_add_input (graph, "x", &photo);
  FoveaLayer *layers;
  gsize       n;

  layers = list (small_graph_finish (graph, small_graph_add_node (graph, "Mul", small_graph_add_floats (graph, "a", &scalar, NULL), in), NULL), &n);
  check_layer (&layers[0], 1, 0, 0);
  g_assert_cmpint (layers[0].in.n_dims, ==, 4);
  fovea_layers_free (layers, n);
}

static void
test_refused (void)
{
  const FoveaShape photo = { 4, { 1, 3, 8, 8 } };
  Graph *graph = small_graph_new ();
  Value *out = small_graph_add_node (graph, "Frobnicate", small_graph_add_input (graph, "x", &photo), NULL);
  g_autoptr (FoveaModel) model = model_new_for_graph (small_graph_finish (graph, out, NULL), "test");
  g_autoptr (GError) error = NULL;
  gsize n = 1;

  g_assert_null (fovea_model_list_layers (model, NULL, &n, &error));
  g_assert_error (error, FOVEA_ERROR, FOVEA_ERROR_UNSUPPORTED);
  g_assert_cmpuint (n, ==, 0);
}

static void
test_operators (void)
{
  g_auto (GStrv) names = fovea_list_operators ();

  g_assert_true (g_strv_contains ((const char *const *) names, "Conv"));
  g_assert_false (g_strv_contains ((const char *const *) names, "Block")); /* the engine's own */
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/layers/residual", test_residual);
  g_test_add_func ("/layers/depthwise", test_depthwise);
  g_test_add_func ("/layers/transposed", test_transposed);
  g_test_add_func ("/layers/matrices", test_matrices);
  g_test_add_func ("/layers/constant-first", test_constant_first);
  g_test_add_func ("/layers/refused", test_refused);
  g_test_add_func ("/layers/operators", test_operators);
  return g_test_run ();
}
