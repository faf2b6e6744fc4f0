/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * graph.c: values and their uses, sorting, copies, inlining, attributes.
 */

#include <string.h>

#include "model/graph.h"

static Value *
add_input (Graph *graph, const char *name)
{
  Value *value = graph_add_value (graph, name);

  g_ptr_array_add (graph->inputs, value);
  return value;
}

/* A node with one output, named as given; inputs up to NULL. */
static Value *
add (Graph *graph, const char *type, const char *output, ...)
{
  Node   *node = graph_add_node (graph, "", type, NULL, -1);
  Value  *value = graph_add_value (graph, output), *input;
  va_list inputs;

  va_start (inputs, output);
  while ((input = va_arg (inputs, Value *)))
    node_add_input (node, input);
  va_end (inputs);
  node_add_output (node, value);
  return value;
}

static Value *
add_outer (Graph *graph, const char *name)
{
  Value *value = graph_add_value (graph, name);

  value->outer = TRUE;
  return value;
}

/* The nodes' types and outputs: "Relu:a Add:b". */
static char *
describe (const Graph *graph)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < graph->nodes->len; i++)
    {
      const Node *node = g_ptr_array_index (graph->nodes, i);

      g_string_append_printf (text, "%s%s(", i ? " " : "", node->type);
      for (guint j = 0; j < node->inputs->len; j++)
        g_string_append_printf (text, "%s%s", j ? "," : "", node_input (node, j) ? node_input (node, j)->name : "-");
      g_string_append_printf (text, "):%s", node_output (node, 0)->name);
    }
  return g_string_free (text, FALSE);
}

static void
assert_graph (const Graph *graph, const char *expected)
{
  g_autofree char *text = describe (graph);

  g_assert_cmpstr (text, ==, expected);
}

static void
test_names (void)
{
  g_autoptr (Graph) graph = graph_new ();

  g_assert_cmpstr (graph_add_value (graph, "x")->name, ==, "x");
  g_assert_cmpstr (graph_add_value (graph, "x")->name, ==, "x:1");
  g_assert_cmpstr (graph_add_value (graph, "x")->name, ==, "x:2");
  g_assert_cmpstr (graph_add_value (graph, NULL)->name, ==, "value_3");
  g_assert_cmpstr (graph_find_value (graph, "x:1")->name, ==, "x:1");
  g_assert_null (graph_find_value (graph, "y"));
  g_assert_cmpstr (graph_add_node (graph, "", "Conv", NULL, -1)->name, ==, "Conv_0");
  g_assert_cmpstr (graph_add_node (graph, "", "Conv", "first", 0)->name, ==, "first");
  g_assert_cmpstr (((Node *) g_ptr_array_index (graph->nodes, 0))->name, ==, "first");
}

static void
test_uses (void)
{
  g_autoptr (Graph) graph = graph_new ();
  Value *x = add_input (graph, "x");
  Value *a = add (graph, "Relu", "a", x, NULL);
  Value *b = add (graph, "Add", "b", a, a, NULL);

  g_ptr_array_add (graph->outputs, b);
  g_assert_cmpuint (graph_count_uses (graph, x), ==, 1);
  g_assert_cmpuint (graph_count_uses (graph, a), ==, 2);
  g_assert_cmpuint (graph_count_uses (graph, b), ==, 1);
  g_assert_true (graph_only_consumer (graph, a) == b->producer);
  g_assert_null (graph_only_consumer (graph, b));
  add (graph, "Exp", "c", a, NULL);
  g_assert_null (graph_only_consumer (graph, a));
}

/* Relu (x) = a, Identity (a) = y: taking the Identity out gives Relu's output the public name. */
static void
test_replace_output (void)
{
  g_autoptr (Graph) graph = graph_new ();
  Value *x = add_input (graph, "x");
  Value *a = add (graph, "Relu", "a", x, NULL);
  Value *y = add (graph, "Identity", "y", a, NULL);
  Value *z = add (graph, "Exp", "z", y, NULL);

  g_ptr_array_add (graph->outputs, y);
  g_ptr_array_add (graph->outputs, z);
  g_assert_true (graph_can_replace_value (graph, y, a));
  g_assert_false (graph_can_replace_value (graph, y, x));
  g_assert_false (graph_can_replace_value (graph, y, z));
  g_assert_true (graph_can_replace_value (graph, a, x));

  graph_remove_node (graph, y->producer);
  g_assert_null (y->producer);
  graph_replace_value (graph, y, a);
  assert_graph (graph, "Relu(x):y Exp(y):z");
  g_assert_true (g_ptr_array_index (graph->outputs, 0) == a);
  g_assert_true (graph_find_value (graph, "y") == a && graph_find_value (graph, "a") == y);
}

static void
test_sort (void)
{
  g_autoptr (Graph) graph = graph_new ();
  g_autoptr (GError) error = NULL;
  Value *x = add_input (graph, "x");
  Value *b = graph_add_value (graph, "b");
  Value *c = add (graph, "Add", "c", b, x, NULL);
  Value *d = add (graph, "Exp", "d", x, NULL);

  node_add_output (graph_add_node (graph, "", "Relu", NULL, -1), b);
  node_add_input (b->producer, x);
  g_assert_true (graph_sort (graph, &error));
  assert_graph (graph, "Relu(x):b Add(b,x):c Exp(x):d");
  g_assert_true (graph_sort (graph, &error));
  assert_graph (graph, "Relu(x):b Add(b,x):c Exp(x):d");

  node_add_input (b->producer, c);
  g_assert_false (graph_sort (graph, &error));
  g_assert_error (error, FOVEA_ERROR, FOVEA_ERROR_MODEL);
  g_assert_nonnull (strstr (error->message, "“Relu_2” (Relu)"));
  g_clear_error (&error);

  g_ptr_array_set_size (b->producer->inputs, 1);
  node_add_input (d->producer, d);
  g_assert_false (graph_sort (graph, &error));
  g_assert_nonnull (strstr (error->message, "“Exp_1”"));
}

/* A chain as long as a hostile file can make it: no recursion may be behind it. */
static void
test_sort_long (void)
{
  g_autoptr (Graph) graph = graph_new ();
  Value *value = add_input (graph, "x");

  for (guint i = 0; i < 50000; i++)
    value = add (graph, "Relu", NULL, value, NULL);
  for (guint i = 0; i < graph->nodes->len / 2; i++)
    {
      gpointer *nodes = graph->nodes->pdata, node = nodes[i];

      nodes[i] = nodes[graph->nodes->len - 1 - i];
      nodes[graph->nodes->len - 1 - i] = node;
    }
  g_assert_true (graph_sort (graph, NULL));
  for (guint i = 1; i < graph->nodes->len; i++)
    {
      const Node *node = g_ptr_array_index (graph->nodes, i);

      g_assert_true (node_input (node, 0)->producer == g_ptr_array_index (graph->nodes, i - 1));
    }
}

/* An If whose branch computes Add (a, own) from the outer a. */
static Node *
add_if (Graph *graph, Value *condition, const char *outer, const char *own, const char *output)
{
  Graph *branch = graph_new ();
  Node  *node = graph_add_node (graph, "", "If", NULL, -1);
  Value *constant, *sum;
  g_autoptr (FoveaTensor) tensor = fovea_tensor_new (FOVEA_TYPE_FLOAT32, &(FoveaShape) { 0 }, NULL);

  constant = graph_add_constant (branch, own, tensor);
  sum = add (branch, "Add", "sum", add_outer (branch, outer), constant, NULL);
  g_ptr_array_add (branch->outputs, sum);
  node_add_input (node, condition);
  node_set_graph (node, "then_branch", branch);
  node_add_output (node, graph_add_value (graph, output));
  return node;
}

static void
test_sub_graph_uses (void)
{
  g_autoptr (Graph) graph = graph_new ();
  Value *x = add_input (graph, "x"), *condition = add_input (graph, "condition");
  Node  *node = add_if (graph, condition, "a", "own", "y");
  Value *a = add (graph, "Relu", "a", x, NULL);
  Value *own = add (graph, "Exp", "own", x, NULL);
  const Graph *branch = node_attribute (node, "then_branch")->graph;

  g_assert_cmpuint (graph_count_uses (graph, a), ==, 1);
  g_assert_true (graph_only_consumer (graph, a) == node);
  g_assert_cmpuint (graph_count_uses (graph, own), ==, 0);

  g_assert_true (graph_sort (graph, NULL));
  assert_graph (graph, "Relu(x):a If(condition):y Exp(x):own");

  /* The branch's own "own" gives way to the outer one. */
  graph_replace_value (graph, a, own);
  assert_graph (branch, "Add(own,own:1):sum");
  g_assert_true (graph_find_value (branch, "own")->outer);
  g_assert_cmpuint (graph_count_uses (graph, own), ==, 1);
}

static void
test_copy (void)
{
  g_autoptr (Graph) graph = graph_new ();
  g_autoptr (Graph) copy = NULL;
  Value *x = add_input (graph, "x");
  Value *a = add (graph, "Relu", "a", x, NULL);
  Node  *node = add_if (graph, a, "a", "own", "y");
  const Attribute *branch;

  x->type = FOVEA_TYPE_FLOAT32;
  x->has_rank = TRUE;
  x->shape = shape_make (2, (gint64[]) { -1, 3 });
  x->dim_names[0] = g_strdup ("batch");
  g_ptr_array_add (graph->outputs, node_output (node, 0));
  g_hash_table_insert (graph->metadata, g_strdup ("task"), g_strdup ("classify"));
  node_set_ints (node, "ints", (gint64[]) { 1, 2 }, 2);

  copy = graph_copy (graph);
  graph_remove_node (graph, node);
  assert_graph (copy, "Relu(x):a If(a):y");
  x = g_ptr_array_index (copy->inputs, 0);
  g_assert_true (x != g_ptr_array_index (graph->inputs, 0));
  g_assert_cmpstr (x->dim_names[0], ==, "batch");
  g_assert_cmpint (x->shape.dims[1], ==, 3);
  g_assert_true (graph_is_output (copy, graph_find_value (copy, "y")));
  g_assert_cmpstr (g_hash_table_lookup (copy->metadata, "task"), ==, "classify");

  branch = node_attribute (g_ptr_array_index (copy->nodes, 1), "then_branch");
  assert_graph (branch->graph, "Add(a,own):sum");
  g_assert_true (graph_find_value (branch->graph, "own")->constant
                 == graph_find_value (node_attribute (node, "then_branch")->graph, "own")->constant);
}

/* Two Ifs, the second's branch uses the first's output: both are inlined, and names that collide stay apart. */
static void
test_inline_branches (void)
{
  g_autoptr (Graph) graph = graph_new ();
  g_autoptr (GError) error = NULL;
  Value *x = add_input (graph, "x");
  Value *sum = add (graph, "Relu", "sum", x, NULL);
  Node  *first = add_if (graph, x, "sum", "one", "y");
  Node  *second = add_if (graph, x, "y", "one", "z");

  g_ptr_array_add (graph->outputs, node_output (second, 0));
  g_ptr_array_add (graph->outputs, sum);
  g_assert_true (graph_inline (graph, first, node_attribute (first, "then_branch")->graph, &error));
  assert_graph (graph, "Relu(x):sum Add(sum,one):sum:1 If(x):z");
  g_assert_true (graph_inline (graph, second, node_attribute (second, "then_branch")->graph, &error));
  assert_graph (graph, "Relu(x):sum Add(sum,one):sum:1 Add(sum:1,one:1):z");
  g_assert_cmpstr (((Node *) g_ptr_array_index (graph->nodes, 1))->name, ==, "If_1/Add_0");
  g_assert_true (graph_sort (graph, &error));
}

/* A branch that only hands on what comes from outside: an output can't be an input, an Identity is put between. */
static void
test_inline_identity (void)
{
  g_autoptr (Graph) graph = graph_new ();
  g_autoptr (Graph) body = graph_new ();
  g_autoptr (GError) error = NULL;
  Value *x = add_input (graph, "x");
  Value *y = add (graph, "If", "y", x, NULL);

  g_ptr_array_add (graph->outputs, y);
  g_ptr_array_add (body->outputs, add_outer (body, "x"));
  g_assert_true (graph_inline (graph, y->producer, body, &error));
  assert_graph (graph, "Identity(x):y");

  graph_find_value (body, "x")->name[0] = 'q';
  g_assert_false (graph_inline (graph, y->producer, body, &error));
  g_assert_error (error, FOVEA_ERROR, FOVEA_ERROR_MODEL);
  g_assert_nonnull (strstr (error->message, "“q”"));
}

static void
test_inline_function (void)
{
  g_autoptr (Graph) graph = graph_new ();
  g_autoptr (Graph) body = graph_new ();
  g_autoptr (GError) error = NULL;
  Value *x = add_input (graph, "x");
  Value *y = add (graph, "Mine", "y", x, NULL);
  Value *p = add_input (body, "p"), *q = add_input (body, "q");

  g_ptr_array_add (graph->outputs, y);
  g_ptr_array_add (body->outputs, add (body, "Clip", "x", p, q, p, NULL));
  g_assert_true (graph_inline (graph, y->producer, body, &error));
  assert_graph (graph, "Clip(x,-,x):y");

  /* An output that hangs on the input that isn't given; more inputs than the function has. */
  g_ptr_array_index (body->outputs, 0) = q;
  y = add (graph, "Mine", "w", x, NULL);
  g_assert_false (graph_inline (graph, y->producer, body, &error));
  g_assert_nonnull (strstr (error->message, "left out"));
  g_clear_error (&error);
  y = add (graph, "Mine", "z", x, x, x, NULL);
  g_assert_false (graph_inline (graph, y->producer, body, &error));
  g_assert_nonnull (strstr (error->message, "3 inputs"));
}

static void
test_attributes (void)
{
  static const AttributeSpec right[] = {
    { "pads", ATTRIBUTE_INTS }, { "group", ATTRIBUTE_INT }, { "alpha", ATTRIBUTE_FLOAT }, { "auto_pad", ATTRIBUTE_STRING }, { NULL },
  };
  static const AttributeSpec wrong[] = {
    { "pads", ATTRIBUTE_INT }, { "group", ATTRIBUTE_INT }, { "alpha", ATTRIBUTE_FLOAT }, { "auto_pad", ATTRIBUTE_STRING }, { NULL },
  };
  g_autoptr (Graph) graph = graph_new ();
  g_autoptr (GError) error = NULL;
  Node  *node = graph_add_node (graph, "", "Conv", "conv1", -1);
  const gint64 *ints;

  node_set_int (node, "group", 2);
  node_set_int (node, "group", 4);
  node_set_float (node, "alpha", 0.5f);
  node_set_string (node, "auto_pad", "VALID");
  node_set_ints (node, "pads", (gint64[]) { 1, 2, 3 }, 3);
  g_assert_cmpuint (node->attributes->len, ==, 4);
  g_assert_cmpint (node_int (node, "group", 1), ==, 4);
  g_assert_cmpint (node_int (node, "alpha", 7), ==, 7);
  g_assert_cmpint (node_int (node, "none", 7), ==, 7);
  g_assert_cmpfloat (node_float (node, "alpha", 0), ==, 0.5f);
  g_assert_cmpstr (node_string (node, "auto_pad", "NOTSET"), ==, "VALID");
  g_assert_cmpuint (node_ints (node, "pads", &ints), ==, 3);
  g_assert_cmpint (ints[2], ==, 3);
  g_assert_cmpuint (node_ints (node, "strides", &ints), ==, 0);
  g_assert_null (ints);

  g_assert_true (node_check_attributes (node, right, &error));
  g_assert_false (node_check_attributes (node, wrong, &error));
  g_assert_error (error, FOVEA_ERROR, FOVEA_ERROR_MODEL);
  g_assert_nonnull (strstr (error->message, "layer “conv1” (Conv): its attribute “pads” is a list of integers, but should be an integer"));
  g_clear_error (&error);
  g_assert_false (node_check_attributes (node, right + 1, &error));
  g_assert_error (error, FOVEA_ERROR, FOVEA_ERROR_UNSUPPORTED);
  g_clear_error (&error);
  g_assert_false (node_check_attributes (node, NULL, &error));
  g_assert_error (error, FOVEA_ERROR, FOVEA_ERROR_UNSUPPORTED);
}

static void
count_clear (Node *node)
{
  ++*(guint *) node->params;
}

static void
test_clear (void)
{
  Graph *graph = graph_new ();
  guint  cleared = 0;

  for (guint i = 0; i < 2; i++)
    {
      Node *node = graph_add_node (graph, "", "Relu", NULL, -1);

      node->params = &cleared;
      node->clear = count_clear;
      if (i == 0)
        graph_remove_node (graph, node);
    }
  graph_free (graph);
  g_assert_cmpuint (cleared, ==, 2);
}

static void
test_display (void)
{
  static const struct { const char *name, *shown; } cases[] = {
    { "conv1", "conv1" },
    { "größe", "größe" },
    { "a\033[31mb\n", "a?[31mb?" },
    { "a\xff" "b", "a�b" },
    { "", "" },
    { "12345678901234567890123456789012345678901234567890123456789012345678901234567890" "1",
      "12345678901234567890123456789012345678901234567890123456789012345678901234567890…" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *shown = name_for_display (cases[i].name);

      g_assert_cmpstr (shown, ==, cases[i].shown);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/graph/names", test_names);
  g_test_add_func ("/graph/uses", test_uses);
  g_test_add_func ("/graph/replace-output", test_replace_output);
  g_test_add_func ("/graph/sort", test_sort);
  g_test_add_func ("/graph/sort-long", test_sort_long);
  g_test_add_func ("/graph/sub-graph-uses", test_sub_graph_uses);
  g_test_add_func ("/graph/copy", test_copy);
  g_test_add_func ("/graph/inline-branches", test_inline_branches);
  g_test_add_func ("/graph/inline-identity", test_inline_identity);
  g_test_add_func ("/graph/inline-function", test_inline_function);
  g_test_add_func ("/graph/attributes", test_attributes);
  g_test_add_func ("/graph/clear", test_clear);
  g_test_add_func ("/graph/display", test_display);
  return g_test_run ();
}
