/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * passes.c: each pass on a small network that it was made for. It must make fewer steps of it (the layout pass: blocked ones), and switched off, alone or
 * with all others, it must not change the answer beyond rounding, nor must the reference differ.
 */

#include <math.h>

#include "base/sanitizer.h"
#include "small-graph.h"

static FoveaTensor *
random_tensor (const FoveaShape *shape, float low, float high)
{
  FoveaTensor *tensor = fovea_tensor_new (FOVEA_TYPE_FLOAT32, shape, NULL);
  float       *values;

  g_assert_nonnull (tensor);
  values = tensor->data;
  for (gsize i = 0; i < tensor->size / sizeof *values; i++)
    values[i] = (float) g_test_rand_double_range (low, high);
  return tensor;
}

static Value *
add_random (Graph *graph, guint n_dims, const gint64 *dims, float low, float high)
{
  FoveaShape shape = { .n_dims = n_dims };
  g_autoptr (FoveaTensor) tensor = NULL;

  memcpy (shape.dims, dims, n_dims * sizeof *dims);
  tensor = random_tensor (&shape, low, high);
  return graph_add_constant (graph, NULL, tensor);
}

static Value *
add_number (Graph *graph, float value)
{
  return small_graph_add_floats (graph, NULL, &(FoveaShape){ 0 }, &value);
}

static Value *
add_per_channel (Graph *graph, gint64 n, float low, float high)
{
  return add_random (graph, 3, (gint64[]){ n, 1, 1 }, low, high);
}

static Value *
add_photo (Graph *graph)
{
  return small_graph_add_input (graph, "x", &(FoveaShape){ 4, { 1, 16, 14, 13 } });
}

/* 3x3, 16 channels or 20 out of 16, same size. */
static Value *
add_conv (Graph *graph, Value *in, gint64 n_out, gint64 n_in, gint64 padding)
{
  Value       *out = small_graph_add_node (graph, "Conv", in, add_random (graph, 4, (gint64[]){ n_out, n_in, 3, 3 }, -0.2f, 0.2f));
  const gint64 pads[] = { padding, padding, padding, padding };

  node_set_ints (out->producer, "pads", pads, 4);
  return out;
}

/* ---- networks ---------------------------------------------------------------------------------------------- */

static Value *
make_constants (Graph *graph)
{
  Value *sum = small_graph_add_node (graph, "Add", add_per_channel (graph, 16, -1, 1), add_per_channel (graph, 16, -1, 1));

  return small_graph_add_node (graph, "Mul", add_photo (graph), small_graph_add_node (graph, "Abs", sum, NULL));
}

static Value *
make_noops (Graph *graph)
{
  Value       *value = small_graph_add_node (graph, "Relu", add_photo (graph), NULL);
  const gint64 to_nhwc[] = { 0, 2, 3, 1 }, to_nchw[] = { 0, 3, 1, 2 };

  value = small_graph_add_node (graph, "Dropout", small_graph_add_node (graph, "Identity", value, NULL), NULL);
  value = small_graph_add_node (graph, "Transpose", value, NULL);
  node_set_ints (value->producer, "perm", to_nhwc, 4);
  value = small_graph_add_node (graph, "Transpose", value, NULL);
  node_set_ints (value->producer, "perm", to_nchw, 4);
  return small_graph_add_node (graph, "Neg", value, NULL);
}

static Value *
make_small_pool (Graph *graph)
{
  Value       *value = small_graph_add_node (graph, "MaxPool", add_photo (graph), NULL);
  const gint64 kernel[] = { 1, 1 };

  node_set_ints (value->producer, "kernel_shape", kernel, 2);
  return small_graph_add_node (graph, "Neg", value, NULL);
}

static Value *
make_swish (Graph *graph)
{
  Value *x = add_photo (graph);

  return small_graph_add_node (graph, "Mul", x, small_graph_add_node (graph, "Sigmoid", x, NULL));
}

static Value *
make_hard_swish (Graph *graph)
{
  Value *x = add_photo (graph);

  return small_graph_add_node (graph, "Mul", small_graph_add_node (graph, "HardSigmoid", x, NULL), x);
}

static Value *
make_mish (Graph *graph)
{
  Value *x = add_photo (graph);

  return small_graph_add_node (graph, "Mul", x, small_graph_add_node (graph, "Tanh", small_graph_add_node (graph, "Softplus", x, NULL), NULL));
}

/* x * Clip (x + 3, 0, limit) / 6: with 6 it is HardSwish, with anything else it isn't. */
static Value *
make_clipped (Graph *graph, float limit)
{
  Value *x = add_photo (graph);
  Value *clipped = small_graph_add_node (graph, "Clip", small_graph_add_node (graph, "Add", x, add_number (graph, 3)), add_number (graph, 0));

  node_add_input (clipped->producer, add_number (graph, limit));
  return small_graph_add_node (graph, "Div", small_graph_add_node (graph, "Mul", x, clipped), add_number (graph, 6));
}

static Value *
make_old_hard_swish (Graph *graph)
{
  return make_clipped (graph, 6);
}

static Value *
make_other_clip (Graph *graph)
{
  return make_clipped (graph, 2.5f);
}

/* A batch norm, then Mul, Add and Sub with a number for each channel. */
static Value *
make_batch_norm (Graph *graph)
{
  Value *y = small_graph_add_node (graph, "BatchNormalization", add_conv (graph, add_photo (graph), 20, 16, 1), NULL);

  node_add_input (y->producer, add_random (graph, 1, (gint64[]){ 20 }, 0.5f, 2));
  node_add_input (y->producer, add_random (graph, 1, (gint64[]){ 20 }, -1, 1));
  node_add_input (y->producer, add_random (graph, 1, (gint64[]){ 20 }, -1, 1));
  node_add_input (y->producer, add_random (graph, 1, (gint64[]){ 20 }, 0.1f, 2));
  y = small_graph_add_node (graph, "Mul", y, add_per_channel (graph, 20, -1, 1));
  y = small_graph_add_node (graph, "Add", add_per_channel (graph, 20, -1, 1), y);
  return small_graph_add_node (graph, "Sub", y, add_number (graph, 0.25f));
}

static Value *
pad_photo (Graph *graph)
{
  static const gint64     pads[] = { 0, 0, 1, 2, 0, 0, 2, 0 };
  g_autoptr (FoveaTensor) tensor = fovea_tensor_new (FOVEA_TYPE_INT64, &(FoveaShape){ 1, { 8 } }, NULL);

  memcpy (tensor->data, pads, sizeof pads);
  return small_graph_add_node (graph, "Pad", add_photo (graph), graph_add_constant (graph, NULL, tensor));
}

static Value *
make_padding (Graph *graph)
{
  return add_conv (graph, pad_photo (graph), 20, 16, 0);
}

/* Of a convolution that says nothing but its weights. */
static Value *
make_bare_padding (Graph *graph)
{
  return small_graph_add_node (graph, "Conv", pad_photo (graph), add_random (graph, 4, (gint64[]){ 20, 16, 3, 3 }, -0.2f, 0.2f));
}

/* A residual block; the block's end is an activation of its own. */
static Value *
make_activation (Graph *graph)
{
  Value *x = add_photo (graph);
  Value *y = small_graph_add_node (graph, "LeakyRelu", add_conv (graph, x, 16, 16, 1), NULL);

  y = small_graph_add_node (graph, "Add", x, add_conv (graph, y, 16, 16, 1));
  return small_graph_add_node (graph, "Relu", y, NULL);
}

/* The gate reads what the convolution makes, too: once both are joined, nothing else does. */
static Value *
make_gated_conv (Graph *graph)
{
  Value *y = add_conv (graph, add_photo (graph), 20, 16, 1);

  return small_graph_add_node (graph, "Mul", y, small_graph_add_node (graph, "Sigmoid", y, NULL));
}

static Value *
add_shape (Graph *graph, guint n_dims, const gint64 *dims)
{
  g_autoptr (FoveaTensor) tensor = fovea_tensor_new (FOVEA_TYPE_INT64, &(FoveaShape){ 1, { n_dims } }, NULL);

  memcpy (tensor->data, dims, tensor->size);
  return graph_add_constant (graph, NULL, tensor);
}

/* 40 channels of x and y in two groups, as ShuffleNet shuffles them. */
static Value *
add_shuffle (Graph *graph, Value *x, Value *y)
{
  const gint64 order[] = { 0, 2, 1, 3, 4 };
  Value       *all = small_graph_add_node (graph, "Concat", x, y);

  node_set_int (all->producer, "axis", 1);
  all = small_graph_add_node (graph, "Reshape", all, add_shape (graph, 5, (gint64[]){ 1, 2, 20, 14, 13 }));
  all = small_graph_add_node (graph, "Transpose", all, NULL);
  node_set_ints (all->producer, "perm", order, 5);
  return small_graph_add_node (graph, "Reshape", all, add_shape (graph, 4, (gint64[]){ 1, 40, 14, 13 }));
}

/* Two of ShuffleNet's units: the first shuffle is taken apart, backwards even, the second isn't. */
static Value *
make_shuffles (Graph *graph)
{
  Value *x = add_photo (graph), *left, *right = graph_add_value (graph, NULL), *all;

  all = add_shuffle (graph, add_conv (graph, x, 20, 16, 1), add_conv (graph, x, 20, 16, 1));
  left = small_graph_add_node (graph, "Split", all, NULL);
  node_set_int (left->producer, "axis", 1);
  node_add_output (left->producer, right);
  all = add_shuffle (graph, left, add_conv (graph, right, 20, 20, 1));
  left = small_graph_add_node (graph, "Slice", all, add_shape (graph, 1, (gint64[]){ 35 }));
  node_add_input (left->producer, add_shape (graph, 1, (gint64[]){ 2 }));
  node_add_input (left->producer, add_shape (graph, 1, (gint64[]){ 1 }));
  node_add_input (left->producer, add_shape (graph, 1, (gint64[]){ -3 }));
  return small_graph_add_node (graph, "Concat", small_graph_add_node (graph, "GlobalAveragePool", left, NULL),
                               small_graph_add_node (graph, "GlobalAveragePool", all, NULL));
}

/* A mean that leaves its dimensions away. */
static Value *
make_means (Graph *graph)
{
  Value       *y = small_graph_add_node (graph, "ReduceMean", add_conv (graph, add_photo (graph), 20, 16, 1), NULL);
  const gint64 axes[] = { 2, 3 };

  node_add_input (y->producer, add_shape (graph, 2, axes));
  node_set_int (y->producer, "keepdims", 0);
  return small_graph_add_node (graph, "Neg", y, NULL);
}

/* What is added is computed after the convolution: it isn't there yet when the convolution runs. */
static Value *
make_late_residual (Graph *graph)
{
  Value *x = add_photo (graph);
  Value *conv = add_conv (graph, x, 16, 16, 1);

  return small_graph_add_node (graph, "Relu", small_graph_add_node (graph, "Add", conv, small_graph_add_node (graph, "Neg", x, NULL)), NULL);
}

static Value *
make_dead (Graph *graph)
{
  Value *x = add_photo (graph);

  small_graph_add_node (graph, "Exp", small_graph_add_node (graph, "Sqrt", x, NULL), NULL);
  return small_graph_add_node (graph, "Neg", x, NULL);
}

/* Blocked and plain users of the same values. */
static Value *
make_layouts (Graph *graph)
{
  Value *y = small_graph_add_node (graph, "Relu", add_conv (graph, add_photo (graph), 20, 16, 1), NULL);
  Value *deep = add_conv (graph, y, 32, 20, 1), *both;

  both = small_graph_add_node (graph, "Concat", deep, y);
  node_set_int (both->producer, "axis", 1);
  both = small_graph_add_node (graph, "GlobalAveragePool", both, NULL);
  return small_graph_add_node (graph, "Flatten", both, NULL);
}

/* Parts that can be made in their place, and some that can't: one that has two places, one that is used after, halves that are multiplied where the
 * whole lies. */
static Value *
make_parts (Graph *graph)
{
  Value *y = small_graph_add_node (graph, "Relu", add_conv (graph, add_photo (graph), 16, 16, 1), NULL);
  Value *deep = add_conv (graph, y, 32, 16, 1), *both, *all, *half = graph_add_value (graph, NULL);

  both = small_graph_add_node (graph, "Concat", deep, y);
  node_set_int (both->producer, "axis", 1);
  all = small_graph_add_node (graph, "Concat", both, y);
  node_set_int (all->producer, "axis", 1);
  all = small_graph_add_node (graph, "Split", all, NULL);
  node_set_int (all->producer, "axis", 1);
  node_add_output (all->producer, half);
  return small_graph_add_node (graph, "Sub", small_graph_add_node (graph, "Mul", all, half), deep);
}

/* ---- runs -------------------------------------------------------------------------------------------------- */

typedef struct
{
  const char *pass;
  Value      *(*make) (Graph *graph);
  gboolean    counts; /* the pass leaves fewer steps */
} Case;

/* The answer with those passes, of g_test's same random numbers each time; free with g_free. */
static float *
run (const FoveaModel *model, const FoveaTensor *x, const char *switches, gboolean reference, guint *n_steps, gsize *n, char **plan)
{
  g_autoptr (FoveaSessionOptions) options = fovea_session_options_new ();
  g_autoptr (FoveaSession) session = NULL;
  g_autoptr (GError) error = NULL;
  FoveaTensor *out;

  g_setenv ("FOVEA_PASSES", switches, TRUE);
  fovea_session_options_set_threads (options, 2);
  fovea_session_options_set_reference (options, reference);
  session = fovea_session_new ((FoveaModel *) model, options, &error);
  g_assert_no_error (error);
  memcpy (fovea_session_get_input (session, 0)->data, x->data, x->size);
  fovea_session_run (session, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
  out = fovea_session_get_output (session, 0);
  *n = out->size / sizeof (float);
  *n_steps = fovea_session_get_n_steps (session);
  if (plan)
    *plan = fovea_session_print_plan (session);
  return g_memdup2 (out->data, out->size);
}

static void
compare (const float *expected, const float *found, gsize n)
{
  float largest = 0;

  for (gsize i = 0; i < n; i++)
    largest = MAX (largest, fabsf (expected[i]));
  g_assert_cmpfloat (largest, >, 0);
  for (gsize i = 0; i < n; i++)
    g_assert_cmpfloat (fabsf (expected[i] - found[i]), <=, 2e-5f * largest);
}

static void
test_pass (gconstpointer data)
{
  const Case             *c = data;
  Graph                  *graph = small_graph_new ();
  Value                  *out = c->make (graph);
  g_autoptr (FoveaModel)  model = model_new_for_graph (small_graph_finish (graph, out, NULL), "test");
  g_autoptr (FoveaTensor) x = random_tensor (&fovea_model_get_input (model, 0)->shape, -1, 1);
  g_autofree char        *without = g_strdup_printf ("-%s", c->pass), *plan = NULL, *plan_without = NULL;
  guint                   n_steps, n_steps_without, ignored;
  gsize                   n, n_other;
  g_autofree float       *expected = run (model, x, "", TRUE, &ignored, &n, NULL);
  g_autofree float       *found = run (model, x, "", FALSE, &n_steps, &n_other, &plan);
  g_autofree float       *found_without = run (model, x, without, FALSE, &n_steps_without, &n_other, &plan_without);
  g_autofree float       *found_plain = run (model, x, "-all", FALSE, &ignored, &n_other, NULL);

  g_assert_cmpuint (n, ==, n_other);
  compare (expected, found, n);
  compare (expected, found_without, n);
  compare (expected, found_plain, n);
  if (c->counts)
    g_assert_cmpuint (n_steps, <, n_steps_without);
  if (g_str_equal (c->pass, "block-layout") && !g_str_equal (fovea_get_isa (), "reference"))
    g_assert_nonnull (strstr (plan, "blocked"));
  if (g_str_equal (c->pass, "block-layout"))
    g_assert_null (strstr (plan_without, "blocked"));
  if (g_str_equal (c->pass, "share-parts") && !UNDER_ADDRESS_SANITIZER)
    g_assert_nonnull (strstr (plan, "in place"));
  if (g_str_equal (c->pass, "share-parts"))
    g_assert_null (strstr (plan_without, "in place"));
}

int
main (int argc, char **argv)
{
  static const Case cases[] = {
    { "fold-constants", make_constants, TRUE },   { "remove-noops", make_noops, TRUE },
    { "join-gates", make_swish, TRUE },           { "join-gates", make_hard_swish, TRUE },
    { "join-gates", make_mish, TRUE },            { "join-gates", make_old_hard_swish, TRUE },
    { "join-gates", make_other_clip, FALSE },     { "fold-batch-norm", make_batch_norm, TRUE },
    { "fuse-padding", make_padding, TRUE },       { "fuse-padding", make_bare_padding, TRUE },
    { "fuse-activation", make_activation, TRUE },
    { "remove-dead", make_dead, TRUE },           { "fuse-activation", make_late_residual, FALSE },
    { "block-layout", make_layouts, FALSE },      { "remove-noops", make_small_pool, TRUE },
    { "share-parts", make_parts, FALSE },         { "fuse-activation", make_gated_conv, TRUE },
    { "fold-shuffles", make_shuffles, TRUE },     { "block-layout", make_means, FALSE },
  };

  g_test_init (&argc, &argv, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *path = g_strdup_printf ("/passes/%" G_GSIZE_FORMAT "/%s", i, cases[i].pass);

      g_test_add_data_func (path, &cases[i], test_pass);
    }
  return g_test_run ();
}
