/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * onnx-read.c: what the reader takes, and what it refuses and in which words: sound files of every type, and all kinds of damage.
 */

#include <errno.h>
#include <glib/gstdio.h>
#include <unistd.h>

#include "base/half.h"
#include "model/mapping.h"
#include "model/model.h"
#include "wire.h"

#define DIMS(...) ((const gint64[]) { __VA_ARGS__, -2 })
static const gint64 SCALAR[] = { -2 };

/* Takes the bytes over. */
static FoveaModel *
load (Wire *wire, GError **error)
{
  g_autoptr (GBytes) bytes = g_byte_array_free_to_bytes (wire);

  return fovea_model_load_bytes (bytes, "test", error);
}

static void
assert_refused (Wire *wire, int code, const char *words)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (FoveaModel) model = load (wire, &error);

  g_assert_null (model);
  g_assert_error (error, FOVEA_ERROR, code);
  if (!strstr (error->message, words))
    g_error ("“%s” isn't in “%s”", words, error->message);
  g_assert_true (g_utf8_validate (error->message, -1, NULL));
  g_assert_true (g_str_has_prefix (error->message, "Model “test”: "));
}

/* x (1, 3) -> Relu -> y, more parts to come. */
static Wire *
small_graph (void)
{
  Wire *graph = wire_message (wire_new (), 1, wire_node ("Relu", "x", "y"));

  wire_message (graph, 11, wire_port ("x", ONNX_FLOAT, DIMS (1, 3)));
  return wire_message (graph, 12, wire_port ("y", ONNX_FLOAT, DIMS (1, 3)));
}

/* The same with an initializer w that is a second output. */
static Wire *
with_tensor (Wire *tensor)
{
  return wire_model (wire_message (wire_message (small_graph (), 5, tensor), 12, wire_text (wire_new (), 1, "w")));
}

/* ---- sound files ------------------------------------------------------------------------------------------ */

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

/* ---- what is refused -------------------------------------------------------------------------------------- */

static void
test_contradictions (void)
{
  Wire *graph;

  graph = wire_message (small_graph (), 1, wire_node ("Neg", "x", "y"));
  assert_refused (wire_model (graph), FOVEA_ERROR_MODEL, "“y” is made twice");
  graph = wire_message (small_graph (), 1, wire_node ("Neg", "y", "x"));
  assert_refused (wire_model (graph), FOVEA_ERROR_MODEL, "“x” is made twice");
  graph = wire_message (small_graph (), 1, wire_node ("Neg", "nothing", "z"));
  assert_refused (wire_model (graph), FOVEA_ERROR_MODEL, "layer “Neg_1” (Neg): its input “nothing” is made by no layer");
  graph = wire_message (small_graph (), 1, wire_node ("Neg", "z", "z"));
  assert_refused (wire_model (graph), FOVEA_ERROR_MODEL, "layer “Neg_1” (Neg): it needs its own output");
  graph = wire_message (wire_message (small_graph (), 1, wire_node ("Neg", "v", "u")), 1, wire_node ("Abs", "u", "v"));
  assert_refused (wire_model (graph), FOVEA_ERROR_MODEL, "it needs its own output");
  graph = wire_message (small_graph (), 12, wire_text (wire_new (), 1, "z"));
  assert_refused (wire_model (graph), FOVEA_ERROR_MODEL, "output “z” is made by no layer");
  graph = wire_message (small_graph (), 12, wire_text (wire_new (), 1, "y"));
  assert_refused (wire_model (graph), FOVEA_ERROR_MODEL, "output “y” is listed twice");
  graph = wire_message (small_graph (), 11, wire_text (wire_new (), 1, "u"));
  assert_refused (wire_model (graph), FOVEA_ERROR_MODEL, "input “u” has no type");
  graph = wire_message (small_graph (), 11, wire_port ("", ONNX_FLOAT, DIMS (1)));
  assert_refused (wire_model (graph), FOVEA_ERROR_MODEL, "has no name");
  graph = wire_message (small_graph (), 1, wire_node ("", "x", "z"));
  assert_refused (wire_model (graph), FOVEA_ERROR_MODEL, "it has no operator");
  graph = wire_message (small_graph (), 1, wire_text (wire_node ("Block", "x", "z"), 7, "fovea"));
  assert_refused (wire_model (graph), FOVEA_ERROR_MODEL, "never found in files");
  graph = wire_message (small_graph (), 11, wire_port ("u", ONNX_FLOAT, DIMS (3, -7)));
  assert_refused (wire_model (graph), FOVEA_ERROR_MODEL, "input “u”: its dimension 1 is -7");
  graph = wire_message (small_graph (), 11, wire_port ("u", ONNX_FLOAT, DIMS (1, 1, 1, 1, 1, 1, 1, 1, 1)));
  assert_refused (wire_model (graph), FOVEA_ERROR_UNSUPPORTED, "9 dimensions");
  graph = wire_message (small_graph (), 11, wire_port ("u", ONNX_STRING, DIMS (1)));
  assert_refused (wire_model (graph), FOVEA_ERROR_UNSUPPORTED, "input “u”: its type, string,");
  graph = wire_message (small_graph (), 11, wire_message (wire_text (wire_new (), 1, "u"), 2, wire_message (wire_new (), 4, wire_new ())));
  assert_refused (wire_model (graph), FOVEA_ERROR_UNSUPPORTED, "not a tensor, but a sequence");
  graph = wire_message (small_graph (), 15, wire_new ());
  assert_refused (wire_model (graph), FOVEA_ERROR_UNSUPPORTED, "sparse");
}

static void
test_versions (void)
{
  assert_refused (wire_message (wire_int (wire_new (), 1, 8), 7, small_graph ()), FOVEA_ERROR_MODEL, "which version of ONNX's operators");
  assert_refused (wire_message (wire_model (small_graph ()), 8, wire_opset ("ai.onnx", 6)), FOVEA_ERROR_UNSUPPORTED, "(opset) 6, but 7 to 25");
  assert_refused (wire_message (wire_model (small_graph ()), 8, wire_opset ("", 26)), FOVEA_ERROR_UNSUPPORTED, "(opset) 26");
  assert_refused (wire_message (wire_model (small_graph ()), 8, wire_opset ("x", -1)), FOVEA_ERROR_MODEL, "the version -1");
  assert_refused (wire_int (wire_model (small_graph ()), 1, 2), FOVEA_ERROR_UNSUPPORTED, "version 2 of the ONNX format");
  assert_refused (wire_int (wire_model (small_graph ()), 1, G_MAXINT64), FOVEA_ERROR_UNSUPPORTED, "of the ONNX format");
  assert_refused (wire_new (), FOVEA_ERROR_MODEL, "holds no ONNX model");
  assert_refused (wire_int (wire_new (), 1, 8), FOVEA_ERROR_MODEL, "holds no ONNX model");
}

static void
test_bad_tensors (void)
{
  Wire *tensor;

  assert_refused (with_tensor (wire_bytes (wire_tensor ("w", ONNX_FLOAT, DIMS (2)), 9, "1234567", 7)), FOVEA_ERROR_MODEL,
                  "tensor “w”: its shape 2 of float32 takes 8 bytes, but there are 7");
  assert_refused (with_tensor (wire_tensor ("w", ONNX_FLOAT, DIMS (2))), FOVEA_ERROR_MODEL, "there are 0");
  assert_refused (with_tensor (wire_tensor ("w", ONNX_INT32, DIMS (2))), FOVEA_ERROR_MODEL, "takes 2 elements, but there are 0");
  assert_refused (with_tensor (wire_bytes (wire_tensor ("w", ONNX_INT64, DIMS (2)), 7, "\1\2\3", 3)), FOVEA_ERROR_MODEL, "2 elements, but there are 3");
  assert_refused (with_tensor (wire_bytes (wire_tensor ("w", ONNX_INT64, DIMS (3)), 7, "\1\2\x80", 3)), FOVEA_ERROR_MODEL, "damaged at byte");
  assert_refused (with_tensor (wire_bytes (wire_tensor ("w", ONNX_FLOAT, DIMS (G_MAXINT64, G_MAXINT64, 2)), 9, "1234", 4)), FOVEA_ERROR_MODEL,
                  "far too large");
  assert_refused (with_tensor (wire_bytes (wire_tensor ("w", ONNX_INT64, DIMS (G_MAXINT64 / 8)), 7, "1234", 4)), FOVEA_ERROR_MODEL, "there are 4");
  assert_refused (with_tensor (wire_bytes (wire_tensor ("w", ONNX_INT8, DIMS (0, G_MAXINT64, G_MAXINT64)), 9, "", 0)), FOVEA_ERROR_MODEL,
                  "far too large");
  assert_refused (with_tensor (wire_bytes (wire_tensor ("w", ONNX_FLOAT, DIMS (-1)), 9, "1234", 4)), FOVEA_ERROR_MODEL, "its dimension 0 is -1");
  assert_refused (with_tensor (wire_tensor ("w", ONNX_FLOAT, DIMS (1, 1, 1, 1, 1, 1, 1, 1, 1))), FOVEA_ERROR_UNSUPPORTED, "9 dimensions");
  for (int type = ONNX_STRING; type < 40; type++)
    if (type == ONNX_STRING || type > ONNX_UINT64)
      assert_refused (with_tensor (wire_bytes (wire_tensor ("w", type, DIMS (2)), 9, "1234", 4)), FOVEA_ERROR_UNSUPPORTED, "tensor “w”: its type");
  assert_refused (with_tensor (wire_bytes (wire_tensor ("w", -3, DIMS (2)), 9, "1234", 4)), FOVEA_ERROR_UNSUPPORTED, "its type, unknown");
  assert_refused (with_tensor (wire_bytes (wire_tensor ("x", ONNX_FLOAT, DIMS (1)), 9, "1234", 4)), FOVEA_ERROR_MODEL, "output “w”");
  assert_refused (with_tensor (wire_bytes (wire_tensor ("", ONNX_FLOAT, DIMS (1)), 9, "1234", 4)), FOVEA_ERROR_MODEL, "no name");
  tensor = wire_int (wire_tensor ("w", ONNX_FLOAT, DIMS (1)), 14, 1);
  wire_message (tensor, 13, wire_text (wire_text (wire_new (), 1, "location"), 2, "w.bin"));
  assert_refused (with_tensor (tensor), FOVEA_ERROR_UNSUPPORTED, "in another file");
}

static void
test_bad_attributes (void)
{
  static const struct { int type; int code; const char *words; } cases[] = {
    { 4, FOVEA_ERROR_MODEL, "“a” is empty" },   { 5, FOVEA_ERROR_MODEL, "“a” is empty" },
    { 9, FOVEA_ERROR_UNSUPPORTED, "kind (9)" }, { 11, FOVEA_ERROR_UNSUPPORTED, "kind (11)" }, { 0, FOVEA_ERROR_UNSUPPORTED, "kind (0)" },
    { -1, FOVEA_ERROR_UNSUPPORTED, "kind (-1)" },
  };
  Wire *node;

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      node = wire_message (wire_node ("Op", "x", "z"), 5, wire_int (wire_text (wire_new (), 1, "a"), 20, cases[i].type));
      assert_refused (wire_model (wire_message (small_graph (), 1, node)), cases[i].code, cases[i].words);
    }
  node = wire_message (wire_node ("Op", "x", "z"), 5, wire_text (wire_text (wire_new (), 1, "a"), 21, "b"));
  assert_refused (wire_model (wire_message (small_graph (), 1, node)), FOVEA_ERROR_MODEL, "isn't part of a function");
  node = wire_node ("Op", "x", "z");
  for (guint i = 0; i < 65; i++)
    wire_message (node, 5, wire_int (wire_text (wire_new (), 1, "a"), 3, 1));
  assert_refused (wire_model (wire_message (small_graph (), 1, node)), FOVEA_ERROR_MODEL, "65 attributes");
}

/* Graphs within graphs, as deep as the file likes. */
static void
test_deep (void)
{
  Wire *graph = wire_new ();

  for (guint i = 0; i < 2000; i++)
    graph = wire_message (wire_new (), 1, wire_message (wire_node ("If", "", ""), 5, wire_message (wire_text (wire_new (), 1, "a"), 6, graph)));
  assert_refused (wire_model (graph), FOVEA_ERROR_MODEL, "too deep");
}

/* Two bytes in the file for a struct in memory, millions of times. */
static void
test_many (void)
{
  Wire *graph = wire_new ();

  for (guint i = 0; i < 1100000; i++)
    wire_message (graph, 1, wire_new ());
  assert_refused (wire_model (graph), FOVEA_ERROR_MODEL, "description is too large");
  graph = small_graph ();
  for (guint i = 0; i < 66000; i++)
    wire_message (graph, 1, wire_node ("Relu", "x", ""));
  assert_refused (wire_model (graph), FOVEA_ERROR_MODEL, "more than 65536 layers");
}

static void
test_strange_names (void)
{
  Wire *node = wire_node ("Re\033[2Jlu\xff", "x", "z");

  wire_bytes (node, 3, "con\0v\xfe", 6);
  wire_bytes (node, 1, "\xc3(", 2);
  assert_refused (wire_model (wire_message (small_graph (), 1, node)), FOVEA_ERROR_MODEL, "layer “con” (Re?[2Jlu�): its input “�(”");
}

static void
test_not_onnx (void)
{
  Wire *wire = wire_new ();

  g_byte_array_append (wire, (const guint8 *) "version https://git-lfs.github.com/spec/v1\n", 43);
  assert_refused (wire, FOVEA_ERROR_MODEL, "git lfs pull");
  wire = wire_new ();
  g_byte_array_append (wire, (const guint8 *) "<!DOCTYPE html><html>", 21);
  assert_refused (wire, FOVEA_ERROR_MODEL, "damaged at byte 0, in the model");
}

/* A model with a bit of everything, to be cut and flipped. */
static Wire *
rich_model (void)
{
  Wire *branch = wire_message (wire_message (wire_new (), 1, wire_node ("Neg", "h", "r")), 12, wire_text (wire_new (), 1, "r"));
  Wire *node = wire_message (wire_node ("If", "c", "y"), 5, wire_int (wire_message (wire_text (wire_new (), 1, "then_branch"), 6, branch), 20, 5));
  Wire *conv = wire_node ("Conv", "x w", "h"), *graph = wire_new (), *model;

  wire_message (conv, 5, wire_int (wire_bytes (wire_text (wire_new (), 1, "pads"), 8, "\1\1\1\1", 4), 20, 7));
  wire_message (conv, 5, wire_int (wire_text (wire_text (wire_new (), 1, "auto_pad"), 4, "NOTSET"), 20, 3));
  wire_message (wire_message (graph, 1, conv), 1, node);
  wire_message (graph, 1, wire_text (wire_node ("Twice", "y", "z"), 7, "m"));
  wire_message (graph, 5, wire_bytes (wire_tensor ("w", ONNX_FLOAT, DIMS (1, 1, 1, 1)), 9, "1234", 4));
  wire_message (graph, 5, wire_bytes (wire_tensor ("c", ONNX_BOOL, SCALAR), 5, "\1", 1));
  wire_message (wire_message (graph, 11, wire_port ("x", ONNX_FLOAT, DIMS (1, 1, 2, 2))), 12, wire_port ("z", ONNX_FLOAT, DIMS (-1)));
  model = wire_message (wire_model (graph), 14, wire_text (wire_text (wire_new (), 1, "task"), 2, "classify"));
  wire_message (model, 8, wire_opset ("m", 1));
  return wire_message (model, 25, wire_message (wire_message (wire_text (wire_text (wire_text (wire_text (wire_new (), 1, "Twice"), 4, "p"), 5, "q"),
                       10, "m"), 7, wire_node ("Add", "p p", "q")), 9, wire_opset ("", 17)));
}

/* Whatever it is: a model or an error with a message. */
static void
load_any (const guint8 *data, gsize size)
{
  g_autofree guint8 *copy = g_memdup2 (data, size); /* exactly as long as it is: the sanitizer sees each byte beyond */
  g_autoptr (GBytes) bytes = g_bytes_new_static (copy, size);
  g_autoptr (GError) error = NULL;
  g_autoptr (FoveaModel) model = fovea_model_load_bytes (bytes, "test", &error);

  if (model)
    {
      g_autoptr (Graph) graph = graph_copy (model_get_graph (model));

      g_assert_no_error (error);
      g_assert_cmpuint (graph->nodes->len, ==, model_get_graph (model)->nodes->len);
    }
  else
    {
      g_assert_nonnull (error);
      g_assert_true (g_utf8_validate (error->message, -1, NULL));
    }
}

static void
damage (const guint8 *data, gsize size)
{
  g_autofree guint8 *copy = g_memdup2 (data, size);

  for (gsize length = 0; length < size; length++)
    load_any (data, length);
  for (gsize bit = 0; bit < size * 8; bit++)
    {
      copy[bit / 8] ^= 1 << bit % 8;
      load_any (copy, size);
      copy[bit / 8] ^= 1 << bit % 8;
    }
  for (gsize i = 0; i < size; i++)
    for (guint value = 0; value < 3; value++)
      {
        copy[i] = "\0\x7f\xff"[value];
        load_any (copy, size);
        copy[i] = data[i];
      }
}

static void
test_damage (void)
{
  Wire *wire = rich_model ();
  g_autoptr (GError) error = NULL;
  g_autoptr (FoveaModel) model = NULL;

  damage (wire->data, wire->len);
  model = load (wire, &error);
  g_assert_no_error (error);
}

/* The same with a real model: all of its structure, not every byte of its weights. */
static void
test_damage_real (void)
{
  g_autofree char *path = g_build_filename (g_getenv ("FOVEA_REFERENCE_DIR") ? g_getenv ("FOVEA_REFERENCE_DIR") : "", "models", "mnist.onnx", NULL);
  g_autofree char *data = NULL;
  g_autofree guint8 *copy = NULL;
  gsize size;

  if (!g_file_get_contents (path, &data, &size, NULL))
    {
      g_test_skip ("FOVEA_REFERENCE_DIR has no models/mnist.onnx");
      return;
    }
  copy = g_memdup2 (data, size);
  for (gsize length = 0; length < size; length += length < 1000 ? 1 : 397)
    load_any (copy, length);
  for (gsize bit = 0; bit < size * 8; bit += bit < 8000 ? 1 : 2003)
    {
      copy[bit / 8] ^= 1 << bit % 8;
      load_any (copy, size);
      copy[bit / 8] ^= 1 << bit % 8;
    }
}

/* ---- files ------------------------------------------------------------------------------------------------ */

typedef struct
{
  char *folder, *outside;
} Folders;

static void
folders_set_up (Folders *folders, gconstpointer data)
{
  g_autofree char *within = NULL;

  folders->folder = g_dir_make_tmp ("fovea-XXXXXX", NULL);
  folders->outside = g_dir_make_tmp ("fovea-XXXXXX", NULL);
  within = g_build_filename (folders->folder, "data", NULL);
  g_assert_no_errno (g_mkdir (within, 0700));
}

static void
remove_folder (char *folder)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *name;

  while ((name = g_dir_read_name (dir)))
    {
      g_autofree char *path = g_build_filename (folder, name, NULL);

      if (g_file_test (path, G_FILE_TEST_IS_DIR) && !g_file_test (path, G_FILE_TEST_IS_SYMLINK))
        remove_folder (g_steal_pointer (&path));
      else
        g_unlink (path);
    }
  g_rmdir (folder);
  g_free (folder);
}

static void
folders_tear_down (Folders *folders, gconstpointer data)
{
  remove_folder (folders->folder);
  remove_folder (folders->outside);
}

static char *
put_file (const char *folder, const char *name, gconstpointer data, gsize size)
{
  char *path = g_build_filename (folder, name, NULL);
  g_autoptr (GError) error = NULL;

  g_file_set_contents (path, data, (gssize) size, &error);
  g_assert_no_error (error);
  return path;
}

/* A model with w (2 float32) in file `location`, loaded from folder; offset and length may be NULL. */
static FoveaModel *
load_external (const Folders *folders, const char *location, const char *offset, const char *length, GError **error)
{
  Wire *tensor = wire_int (wire_tensor ("w", ONNX_FLOAT, DIMS (2)), 14, 1), *wire;
  g_autofree char *path = NULL;

  wire_message (tensor, 13, wire_text (wire_text (wire_new (), 1, "location"), 2, location));
  if (offset)
    wire_message (tensor, 13, wire_text (wire_text (wire_new (), 1, "offset"), 2, offset));
  if (length)
    wire_message (tensor, 13, wire_text (wire_text (wire_new (), 1, "length"), 2, length));
  wire = with_tensor (tensor);
  path = put_file (folders->folder, "my model.onnx", wire->data, wire->len);
  g_byte_array_unref (wire);
  return fovea_model_load (path, error);
}

static void
assert_external_refused (const Folders *folders, const char *location, const char *offset, const char *length, const char *words)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (FoveaModel) model = load_external (folders, location, offset, length, &error);

  g_assert_null (model);
  if (!strstr (error->message, words))
    g_error ("“%s” isn't in “%s”", words, error->message);
  g_assert_nonnull (strstr (error->message, "Model “my model.onnx”: tensor “w”: "));
}

static void
test_external (Folders *folders, gconstpointer data)
{
  static const float values[4] = { 1, 2, 3, 4 };
  g_autofree char *good = put_file (folders->folder, "w.bin", values, sizeof values);
  g_autofree char *deep = put_file (folders->folder, "data/w.bin", values, sizeof values);
  g_autofree char *secret = put_file (folders->outside, "secret", values, sizeof values);
  g_autofree char *link = g_build_filename (folders->folder, "link", NULL);
  g_autofree char *inner_link = g_build_filename (folders->folder, "inner", NULL);
  g_autofree char *folder_link = g_build_filename (folders->folder, "elsewhere", NULL);
  g_autofree char *pipe = g_build_filename (folders->folder, "pipe", NULL);
  g_autofree char *sibling = g_strconcat ("../", strrchr (folders->outside, '/') + 1, "/secret", NULL);
  static const struct { const char *location, *offset, *length; float first; } sound[] = {
    { "w.bin", NULL, NULL, 1 }, { "w.bin", "4", "8", 2 }, { "w.bin", "8", NULL, 3 }, { "data/w.bin", "0", "8", 1 }, { "./w.bin", "8", "8", 3 },
    { "inner", "4", "8", 2 },
  };

  g_assert_no_errno (symlink (secret, link));
  g_assert_no_errno (symlink ("data/w.bin", inner_link));
  g_assert_no_errno (symlink (folders->outside, folder_link));
  g_assert_no_errno (mkfifo (pipe, 0600));
  for (gsize i = 0; i < G_N_ELEMENTS (sound); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (FoveaModel) model = load_external (folders, sound[i].location, sound[i].offset, sound[i].length, &error);
      float first;

      g_assert_no_error (error);
      memcpy (&first, graph_find_value (model_get_graph (model), "w")->constant->data, sizeof first);
      g_assert_cmpfloat (first, ==, sound[i].first);
      g_assert_cmpstr (fovea_model_get_name (model), ==, "my model");
      g_assert_true (g_str_has_suffix (fovea_model_get_path (model), "/my model.onnx"));
    }

  assert_external_refused (folders, secret, NULL, NULL, "is an absolute path");
  assert_external_refused (folders, sibling, NULL, NULL, "leaves the model's folder");
  assert_external_refused (folders, "data/../../x", NULL, NULL, "leaves the model's folder");
  assert_external_refused (folders, "link", NULL, NULL, "a link that leaves");
  assert_external_refused (folders, "elsewhere/secret", NULL, NULL, "a link that leaves");
  assert_external_refused (folders, "", NULL, NULL, "is no name");
  assert_external_refused (folders, ".", NULL, NULL, "a link that leaves");
  assert_external_refused (folders, "data", NULL, NULL, "is a folder");
  assert_external_refused (folders, "pipe", NULL, NULL, "not a regular file");
  assert_external_refused (folders, "none.bin", NULL, NULL, "can't be found");
  assert_external_refused (folders, "w.bin", "9", NULL, "end at byte 17 of “w.bin”, which has 16");
  assert_external_refused (folders, "w.bin", "9223372036854775807", "8", "of “w.bin”, which has 16");
  assert_external_refused (folders, "w.bin", "0", "16", "takes 8 bytes, but there are 16");
  assert_external_refused (folders, "w.bin", "-4", NULL, "is no number");
  assert_external_refused (folders, "w.bin", "0x4", NULL, "is no number");
  assert_external_refused (folders, "w.bin", "99999999999999999999999", NULL, "is no number");
}

static void
test_files (Folders *folders, gconstpointer data)
{
  g_autofree char *empty = put_file (folders->folder, "empty.onnx", "", 0);
  g_autofree char *none = g_build_filename (folders->folder, "none.onnx", NULL);
  const struct { const char *path, *words; } cases[] = {
    { empty, "empty.onnx” is empty" }, { none, "none.onnx” can't be opened: No such file" }, { folders->folder, "is a folder" }, { "", "can't be opened" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_null (fovea_model_load (cases[i].path, &error));
      g_assert_error (error, FOVEA_ERROR, FOVEA_ERROR_FILE);
      g_assert_nonnull (strstr (error->message, cases[i].words));
    }
}

/* The pages of weights that are packed can be given back, and come back. */
static void
test_release (Folders *folders, gconstpointer data)
{
  enum { N = 100000 };
  g_autofree float *values = g_new (float, N);
  Wire *wire;
  g_autofree char *path = NULL;
  g_autoptr (FoveaModel) model = NULL;
  FoveaTensor *tensor;

  for (guint i = 0; i < N; i++)
    values[i] = (float) i;
  wire = with_tensor (wire_bytes (wire_tensor ("w", ONNX_FLOAT, DIMS (N)), 9, values, N * sizeof *values));
  path = put_file (folders->folder, "large.onnx", wire->data, wire->len);
  g_byte_array_unref (wire);
  model = fovea_model_load (path, NULL);
  tensor = graph_find_value (model_get_graph (model), "w")->constant;
  mapping_release_pages (tensor);
  g_assert_cmpmem (tensor->data, tensor->size, values, N * sizeof *values);
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
  g_test_add_func ("/onnx-read/contradictions", test_contradictions);
  g_test_add_func ("/onnx-read/versions", test_versions);
  g_test_add_func ("/onnx-read/bad-tensors", test_bad_tensors);
  g_test_add_func ("/onnx-read/bad-attributes", test_bad_attributes);
  g_test_add_func ("/onnx-read/deep", test_deep);
  g_test_add_func ("/onnx-read/many", test_many);
  g_test_add_func ("/onnx-read/strange-names", test_strange_names);
  g_test_add_func ("/onnx-read/not-onnx", test_not_onnx);
  g_test_add_func ("/onnx-read/damage", test_damage);
  g_test_add_func ("/onnx-read/damage-real", test_damage_real);
  g_test_add ("/onnx-read/external", Folders, NULL, folders_set_up, test_external, folders_tear_down);
  g_test_add ("/onnx-read/files", Folders, NULL, folders_set_up, test_files, folders_tear_down);
  g_test_add ("/onnx-read/release", Folders, NULL, folders_set_up, test_release, folders_tear_down);
  return g_test_run ();
}
