/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * onnx-read.c: what the reader takes: sound files of every type, sub-graphs, functions. onnx-refuse.c has what it doesn't, onnx-files.c what lies in
 * several files.
 */

#include "base/half.h"
#include "small-onnx.h"

static void
test_small (void)
{
  g_autoptr (GError) error = NULL;
  Wire *wire = wire_model (small_graph ());
  g_autoptr (FoveaModel) model = NULL;
  const FoveaPort *port;
  const Node *node;

  wire_message (wire, 14, wire_text (wire_text (wire_new (), 1, "task"), 2, "classify"));
  model = load (wire, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (fovea_model_get_n_inputs (model), ==, 1);
  g_assert_cmpuint (fovea_model_get_n_outputs (model), ==, 1);
  port = fovea_model_get_input (model, 0);
  g_assert_cmpstr (port->name, ==, "x");
  g_assert_cmpint (port->type, ==, FOVEA_TYPE_FLOAT32);
  g_assert_cmpint (port->shape.dims[1], ==, 3);
  g_assert_null (fovea_model_get_input (model, 1));
  g_assert_null (fovea_model_get_path (model));
  g_assert_cmpstr (fovea_model_get_name (model), ==, "test");
  g_assert_cmpstr (fovea_model_get_metadata (model, "task"), ==, "classify");
  g_assert_null (fovea_model_get_metadata (model, "names"));
  node = g_ptr_array_index (model_get_graph (model)->nodes, 0);
  g_assert_cmpstr (node->name, ==, "Relu_0");
  g_assert_cmpint (node->opset, ==, 17);
}

static void
test_ports (void)
{
  g_autoptr (GError) error = NULL;
  Wire *graph = wire_message (wire_new (), 1, wire_node ("Concat", "a b w", "y"));
  Wire *symbolic = wire_new ();
  g_autoptr (FoveaModel) model = NULL;
  const FoveaPort *port;

  wire_message (symbolic, 1, wire_text (wire_new (), 2, "batch"));
  wire_message (symbolic, 1, wire_new ());
  wire_message (symbolic, 1, wire_int (wire_new (), 1, -1));
  wire_message (symbolic, 1, wire_int (wire_new (), 1, 7));
  wire_message (graph, 11, wire_message (wire_text (wire_new (), 1, "a"), 2, wire_message (wire_new (), 1,
                wire_message (wire_int (wire_new (), 1, ONNX_FLOAT16), 2, symbolic))));
  wire_message (graph, 11, wire_message (wire_text (wire_new (), 1, "b"), 2, wire_message (wire_new (), 1, wire_int (wire_new (), 1, ONNX_BOOL))));
  wire_message (graph, 11, wire_port ("w", ONNX_FLOAT, DIMS (1)));
  wire_message (graph, 5, wire_bytes (wire_tensor ("w", ONNX_FLOAT, DIMS (1)), 9, "\0\0\0\0", 4));
  wire_message (graph, 12, wire_text (wire_new (), 1, "y"));
  model = load (wire_model (graph), &error);
  g_assert_no_error (error);

  /* w is a weight: it doesn't count. */
  g_assert_cmpuint (fovea_model_get_n_inputs (model), ==, 2);
  port = fovea_model_get_input (model, 0);
  g_assert_cmpint (port->type, ==, FOVEA_TYPE_FLOAT16);
  g_assert_cmpuint (port->shape.n_dims, ==, 4);
  g_assert_cmpint (port->shape.dims[0], ==, -1);
  g_assert_cmpstr (port->dim_names[0], ==, "batch");
  g_assert_cmpint (port->shape.dims[1], ==, -1);
  g_assert_null (port->dim_names[1]);
  g_assert_cmpint (port->shape.dims[2], ==, -1);
  g_assert_cmpint (port->shape.dims[3], ==, 7);
  port = fovea_model_get_input (model, 1);
  g_assert_false (port->has_rank);
  port = fovea_model_get_output (model, 0);
  g_assert_cmpint (port->type, ==, FOVEA_TYPE_NONE);
}

/* Every type, raw and in its list: the values -2, 0, 1 and 3 (bits of them where unsigned; 0, 0, 1, 1 for bool). */
static void
test_types (void)
{
  static const struct { int code; FoveaType type; guint field; } cases[] = {
    { ONNX_FLOAT, FOVEA_TYPE_FLOAT32, 4 },  { ONNX_DOUBLE, FOVEA_TYPE_FLOAT64, 10 }, { ONNX_FLOAT16, FOVEA_TYPE_FLOAT16, 5 },
    { ONNX_INT8, FOVEA_TYPE_INT8, 5 },      { ONNX_INT16, FOVEA_TYPE_INT16, 5 },     { ONNX_INT32, FOVEA_TYPE_INT32, 5 },
    { ONNX_INT64, FOVEA_TYPE_INT64, 7 },    { ONNX_UINT8, FOVEA_TYPE_UINT8, 5 },     { ONNX_UINT16, FOVEA_TYPE_UINT16, 5 },
    { ONNX_UINT32, FOVEA_TYPE_UINT32, 11 }, { ONNX_UINT64, FOVEA_TYPE_UINT64, 11 },  { ONNX_BOOL, FOVEA_TYPE_BOOL, 5 },
  };
  static const gint64 values[4] = { -2, 0, 1, 3 };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      gsize  size = fovea_type_size (cases[i].type);
      guint8 raw[32];

      for (guint j = 0; j < 4; j++)
        {
          float   f = values[j];
          double  d = values[j];
          guint16 h = half_from_float (f);
          gint64  v = cases[i].type != FOVEA_TYPE_BOOL ? values[j] : values[j] > 0;

          memcpy (raw + j * size, cases[i].code == ONNX_FLOAT ? (gpointer) &f : cases[i].code == ONNX_DOUBLE ? (gpointer) &d :
                  cases[i].code == ONNX_FLOAT16 ? (gpointer) &h : (gpointer) &v, size);
        }
      for (guint form = 0; form < 4; form++) /* raw, a list, single elements, two lists */
        {
          Wire *tensor = wire_tensor ("w", cases[i].code, DIMS (2, 2)), *list = wire_new ();
          gboolean fixed = cases[i].field == 4 || cases[i].field == 10;
          g_autoptr (GError) error = NULL;
          g_autoptr (FoveaModel) model = NULL;
          FoveaTensor *read;

          for (guint j = 0; j < 4; j++)
            {
              guint64 v = 0;

              if (cases[i].type == FOVEA_TYPE_FLOAT16 || !type_is_float (cases[i].type))
                memcpy (&v, raw + j * size, size);
              if (cases[i].type != FOVEA_TYPE_BOOL && cases[i].type != FOVEA_TYPE_FLOAT16 && v && values[j] < 0 && i % 2)
                v = (guint64) values[j]; /* with its sign in 64 bits, as protobuf writes an int32 */
              if (fixed)
                g_byte_array_append (list, raw + j * size, (guint) size);
              else
                wire_raw_varint (list, v);
              if (form == 2 && fixed)
                g_byte_array_append (wire_raw_varint (tensor, cases[i].field << 3 | (size == 4 ? 5 : 1)), raw + j * size, (guint) size);
              else if (form == 2)
                wire_raw_varint (wire_raw_varint (tensor, cases[i].field << 3), v);
              else if (form == 3 && j % 2)
                {
                  wire_bytes (tensor, cases[i].field, list->data, list->len);
                  g_byte_array_set_size (list, 0);
                }
            }
          if (form == 0)
            wire_bytes (tensor, 9, raw, 4 * size);
          else if (form == 1)
            wire_bytes (tensor, cases[i].field, list->data, list->len);
          g_byte_array_unref (list);
          model = load (with_tensor (tensor), &error);
          g_assert_no_error (error);
          read = graph_find_value (model_get_graph (model), "w")->constant;
          g_assert_cmpint (read->type, ==, cases[i].type);
          g_assert_cmpuint (read->shape.n_dims, ==, 2);
          g_assert_cmpmem (read->data, read->size, raw, 4 * size);
          g_assert_true (tensor_is_aligned (read));
        }
    }
}

static void
test_scalars_and_empty (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (FoveaModel) scalar = load (with_tensor (wire_bytes (wire_tensor ("w", ONNX_INT64, SCALAR), 9, "\1\0\0\0\0\0\0\0", 8)), &error);
  g_autoptr (FoveaModel) empty = load (with_tensor (wire_tensor ("w", ONNX_INT64, DIMS (0, 5))), &error);
  g_autoptr (FoveaModel) empty_raw = load (with_tensor (wire_bytes (wire_tensor ("w", ONNX_FLOAT, DIMS (0)), 9, NULL, 0)), &error);
  g_autoptr (FoveaModel) bools = load (with_tensor (wire_bytes (wire_tensor ("w", ONNX_BOOL, DIMS (3)), 9, "\0\1\xff", 3)), &error);

  g_assert_no_error (error);
  g_assert_cmpuint (graph_find_value (model_get_graph (scalar), "w")->constant->shape.n_dims, ==, 0);
  g_assert_cmpint (*(gint64 *) graph_find_value (model_get_graph (scalar), "w")->constant->data, ==, 1);
  g_assert_cmpuint (graph_find_value (model_get_graph (empty), "w")->constant->size, ==, 0);
  g_assert_cmpuint (graph_find_value (model_get_graph (empty_raw), "w")->constant->size, ==, 0);
  g_assert_cmpmem (graph_find_value (model_get_graph (bools), "w")->constant->data, 3, "\0\1\1", 3);
}

/* Large weights stay where they are, aligned or not; small ones are aligned. */
static void
test_no_copy (void)
{
  for (guint shift = 0; shift < 4; shift++)
    for (guint large = 0; large < 2; large++)
      {
        gsize n = large ? 5000 : 500;
        g_autofree float *values = g_new (float, n);
        g_autofree char *name = g_strnfill (shift, 'n');
        Wire *wire;
        g_autoptr (GBytes) bytes = NULL;
        g_autoptr (FoveaModel) model = NULL;
        g_autoptr (FoveaTensor) aligned = NULL;
        FoveaTensor *read;
        const char *start;

        for (gsize i = 0; i < n; i++)
          values[i] = (float) i;
        wire = with_tensor (wire_bytes (wire_text (wire_tensor ("w", ONNX_FLOAT, DIMS ((gint64) n)), 12, name), 9, values, n * sizeof *values));
        bytes = g_byte_array_free_to_bytes (wire);
        model = fovea_model_load_bytes (bytes, "test", NULL);
        read = graph_find_value (model_get_graph (model), "w")->constant;
        start = g_bytes_get_data (bytes, NULL);
        if (large)
          g_assert_true ((char *) read->data > start && (char *) read->data < start + g_bytes_get_size (bytes));
        else
          g_assert_true (tensor_is_aligned (read));
        aligned = tensor_aligned (read, NULL);
        g_assert_true (tensor_is_aligned (aligned));
        g_assert_cmpmem (aligned->data, aligned->size, values, n * sizeof *values);
      }
}

static void
test_attributes (void)
{
  g_autoptr (GError) error = NULL;
  Wire *node = wire_node ("Op", "x - x", "- y");
  g_autoptr (FoveaModel) model = NULL;
  const Node   *read;
  const gint64 *ints;

  wire_message (node, 5, wire_int (wire_int (wire_text (wire_new (), 1, "i"), 3, -5), 20, 2));
  wire_message (node, 5, wire_text (wire_text (wire_new (), 1, "s"), 4, "text")); /* its type isn't given */
  wire_message (node, 5, wire_int (wire_bytes (wire_text (wire_new (), 1, "packed"), 8, "\1\2\3", 3), 20, 7));
  wire_message (node, 5, wire_int (wire_int (wire_int (wire_text (wire_new (), 1, "single"), 8, 7), 8, -1), 20, 7));
  wire_message (node, 5, wire_int (wire_text (wire_text (wire_text (wire_new (), 1, "texts"), 9, "a"), 9, "b"), 20, 8));
  wire_message (node, 5, wire_int (wire_text (wire_new (), 1, "empty"), 20, 7));
  wire_message (node, 5, wire_int (wire_message (wire_text (wire_new (), 1, "t"), 5,
                wire_bytes (wire_tensor ("", ONNX_FLOAT, DIMS (1)), 4, "\0\0\x80\x3f", 4)), 20, 4));
  wire_text (node, 3, "name");
  wire_text (node, 7, "my.domain");
  model = load (wire_model (wire_message (wire_message (wire_message (wire_new (), 1, node), 11, wire_port ("x", ONNX_FLOAT, DIMS (1))), 12,
                wire_text (wire_new (), 1, "y"))), &error);
  g_assert_no_error (error);
  read = g_ptr_array_index (model_get_graph (model)->nodes, 0);
  g_assert_cmpstr (read->name, ==, "name");
  g_assert_cmpstr (read->domain, ==, "my.domain");
  g_assert_cmpint (read->opset, ==, 1);
  g_assert_null (node_input (read, 1));
  g_assert_cmpstr (node_input (read, 2)->name, ==, "x");
  g_assert_null (node_output (read, 0));
  g_assert_cmpint (node_int (read, "i", 0), ==, -5);
  g_assert_cmpstr (node_string (read, "s", ""), ==, "text");
  g_assert_cmpuint (node_ints (read, "packed", &ints), ==, 3);
  g_assert_cmpint (ints[2], ==, 3);
  g_assert_cmpuint (node_ints (read, "single", &ints), ==, 2);
  g_assert_cmpint (ints[1], ==, -1);
  g_assert_cmpstr (node_attribute (read, "texts")->strings[1], ==, "b");
  g_assert_cmpuint (node_attribute (read, "texts")->n, ==, 2);
  g_assert_cmpint (node_attribute (read, "empty")->kind, ==, ATTRIBUTE_INTS);
  g_assert_cmpfloat (*(float *) node_attribute (read, "t")->tensor->data, ==, 1.0f);
}

/* Nodes in any order, and an If in an If that uses x through both. */
static void
test_sub_graphs (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (FoveaModel) model = NULL;
  Wire *inner = wire_message (wire_message (wire_new (), 1, wire_node ("Neg", "late", "r")), 12, wire_text (wire_new (), 1, "r"));
  Wire *inner_if = wire_message (wire_node ("If", "c", "q"), 5, wire_message (wire_text (wire_new (), 1, "then_branch"), 6, inner));
  Wire *outer = wire_message (wire_message (wire_new (), 1, inner_if), 12, wire_text (wire_new (), 1, "q"));
  Wire *outer_if = wire_message (wire_node ("If", "c", "y"), 5, wire_message (wire_text (wire_new (), 1, "then_branch"), 6, outer));
  Wire *graph = wire_message (wire_message (wire_new (), 1, outer_if), 1, wire_node ("Relu", "x", "late"));
  const Graph *read;

  wire_message (graph, 11, wire_port ("x", ONNX_FLOAT, DIMS (1)));
  wire_message (graph, 11, wire_port ("c", ONNX_BOOL, SCALAR));
  wire_message (graph, 12, wire_text (wire_new (), 1, "y"));
  model = load (wire_model (graph), &error);
  g_assert_no_error (error);
  read = model_get_graph (model);
  g_assert_cmpstr (((Node *) g_ptr_array_index (read->nodes, 0))->type, ==, "Relu");
  read = node_attribute (g_ptr_array_index (read->nodes, 1), "then_branch")->graph;
  g_assert_true (graph_find_value (read, "late")->outer);
  g_assert_true (graph_find_value (read, "c")->outer);
  g_assert_false (graph_find_value (read, "q")->outer);
  read = node_attribute (g_ptr_array_index (read->nodes, 0), "then_branch")->graph;
  g_assert_true (graph_find_value (read, "late")->outer);
  g_assert_null (graph_find_value (read, "x"));
}

/* y = Twice (Twice (x)); Twice (p) = Add (Scaled (p), p), Scaled (p; by) = Mul (p, Constant (by)), by = 3 unless given. */
static Wire *
functions_model (gboolean recursive)
{
  Wire *graph = wire_new (), *twice = wire_new (), *scaled = wire_new (), *model;
  Wire *constant = wire_node ("Constant", "", "k");

  wire_message (graph, 1, wire_text (wire_node ("Twice", "x", "h"), 7, "mine"));
  wire_message (graph, 1, wire_message (wire_text (wire_node ("Scaled", "h", "y"), 7, "mine"), 5,
                wire_int (wire_bytes (wire_text (wire_new (), 1, "by"), 7, "\0\0\0\x40", 4), 20, 6)));
  wire_message (graph, 11, wire_port ("x", ONNX_FLOAT, DIMS (1)));
  wire_message (graph, 12, wire_text (wire_new (), 1, "y"));
  model = wire_model (graph);
  wire_message (model, 8, wire_opset ("mine", 1));

  wire_text (wire_text (wire_text (wire_text (twice, 1, "Twice"), 4, "p"), 5, "r"), 10, "mine");
  wire_message (wire_message (twice, 9, wire_opset ("", 17)), 9, wire_opset ("mine", 1));
  wire_message (twice, 7, wire_text (wire_node (recursive ? "Twice" : "Scaled", "p", "h"), 7, "mine"));
  wire_message (twice, 7, wire_node ("Add", "h p", "r"));

  wire_text (wire_text (wire_text (wire_text (scaled, 1, "Scaled"), 4, "p"), 5, "r"), 10, "mine");
  wire_message (scaled, 9, wire_opset ("", 17));
  wire_message (constant, 5, wire_int (wire_text (wire_text (wire_new (), 1, "value_floats"), 21, "by"), 20, 6));
  wire_message (wire_message (scaled, 7, constant), 7, wire_node ("Mul", "p k", "r"));
  wire_message (scaled, 11, wire_int (wire_bytes (wire_text (wire_new (), 1, "by"), 7, "\0\0\x40\x40", 4), 20, 6));
  return wire_message (wire_message (model, 25, twice), 25, scaled);
}

static void
test_functions (void)
{
  static const char *const types[] = { "Constant", "Mul", "Add", "Constant", "Mul" };
  g_autoptr (GError) error = NULL;
  g_autoptr (FoveaModel) model = load (functions_model (FALSE), &error);
  const Graph *graph;

  g_assert_no_error (error);
  graph = model_get_graph (model);
  g_assert_cmpuint (graph->nodes->len, ==, G_N_ELEMENTS (types));
  for (guint i = 0; i < G_N_ELEMENTS (types); i++)
    g_assert_cmpstr (((Node *) g_ptr_array_index (graph->nodes, i))->type, ==, types[i]);
  g_assert_cmpfloat (node_attribute (g_ptr_array_index (graph->nodes, 0), "value_floats")->floats[0], ==, 3.0f);
  g_assert_cmpfloat (node_attribute (g_ptr_array_index (graph->nodes, 3), "value_floats")->floats[0], ==, 2.0f);
  g_assert_cmpstr (((Node *) g_ptr_array_index (graph->nodes, 0))->name, ==, "Twice_0/Scaled_0/Constant_0");
  g_assert_cmpstr (node_output (g_ptr_array_index (graph->nodes, 4), 0)->name, ==, "y");
  g_assert_true (graph_is_output (graph, node_output (g_ptr_array_index (graph->nodes, 4), 0)));

  assert_refused (functions_model (TRUE), FOVEA_ERROR_MODEL, "calls itself");
}

/* Each of 20 functions calls the next one four times: 4^20 nodes if it were allowed. */
static void
test_function_bomb (void)
{
  Wire *graph = wire_message (wire_new (), 1, wire_text (wire_node ("F0", "x", "y"), 7, "m")), *model;

  wire_message (wire_message (graph, 11, wire_port ("x", ONNX_FLOAT, DIMS (1))), 12, wire_text (wire_new (), 1, "y"));
  model = wire_model (graph);
  for (guint i = 0; i < 12; i++)
    {
      g_autofree char *name = g_strdup_printf ("F%u", i), *next = g_strdup_printf (i < 11 ? "F%u" : "G", i + 1);
      Wire *function = wire_text (wire_text (wire_text (wire_text (wire_new (), 1, name), 4, "x"), 5, "d"), 10, "m");

      wire_message (function, 7, wire_text (wire_node (next, "x", "a"), 7, "m"));
      wire_message (function, 7, wire_text (wire_node (next, "a", "b"), 7, "m"));
      wire_message (function, 7, wire_text (wire_node (next, "b", "c"), 7, "m"));
      wire_message (function, 7, wire_text (wire_node (next, "c", "d"), 7, "m"));
      wire_message (model, 25, function);
    }
  assert_refused (model, FOVEA_ERROR_MODEL, "more than 65536 layers");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/onnx-read/small", test_small);
  g_test_add_func ("/onnx-read/ports", test_ports);
  g_test_add_func ("/onnx-read/types", test_types);
  g_test_add_func ("/onnx-read/scalars-and-empty", test_scalars_and_empty);
  g_test_add_func ("/onnx-read/no-copy", test_no_copy);
  g_test_add_func ("/onnx-read/attributes", test_attributes);
  g_test_add_func ("/onnx-read/sub-graphs", test_sub_graphs);
  g_test_add_func ("/onnx-read/functions", test_functions);
  g_test_add_func ("/onnx-read/function-bomb", test_function_bomb);
  return g_test_run ();
}
