/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * onnx-write.c: a model written and read again is the same; nothing is left behind where writing fails. That ONNX Runtime reads the same is
 * onnx-roundtrip.py's matter.
 */

#include <glib/gstdio.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "model/model.h"
#include "model/onnx-write.h"
#include "wire.h"

#define DIMS(...) ((const gint64[]) { __VA_ARGS__, -2 })

/* ---- the same? -------------------------------------------------------------------------------------------- */

static void assert_same_graph (const Graph *a, const Graph *b);

static void
assert_same_tensor (const FoveaTensor *a, const FoveaTensor *b)
{
  g_assert_cmpint (a->type, ==, b->type);
  g_assert_true (shape_equal (&a->shape, &b->shape));
  g_assert_cmpmem (a->data, a->size, b->data, b->size);
}

static void
assert_same_value (const Value *a, const Value *b)
{
  g_assert_true ((a == NULL) == (b == NULL));
  if (!a)
    return;
  g_assert_cmpstr (a->name, ==, b->name);
  g_assert_cmpint (a->type, ==, b->type);
  g_assert_cmpint (a->has_rank, ==, b->has_rank);
  g_assert_cmpint (a->outer, ==, b->outer);
  g_assert_true (shape_equal (&a->shape, &b->shape));
  for (guint i = 0; i < FOVEA_MAX_DIMS; i++)
    g_assert_cmpstr (a->dim_names[i], ==, b->dim_names[i]);
  g_assert_true ((a->constant == NULL) == (b->constant == NULL));
  if (a->constant)
    assert_same_tensor (a->constant, b->constant);
}

static void
assert_same_values (const GPtrArray *a, const GPtrArray *b)
{
  g_assert_cmpuint (a->len, ==, b->len);
  for (guint i = 0; i < a->len; i++)
    assert_same_value (g_ptr_array_index (a, i), g_ptr_array_index (b, i));
}

static void
assert_same_attribute (const Attribute *a, const Attribute *b)
{
  g_assert_cmpstr (a->name, ==, b->name);
  g_assert_cmpint (a->kind, ==, b->kind);
  g_assert_cmpint (a->i, ==, b->i);
  g_assert_cmpfloat (a->f, ==, b->f);
  g_assert_cmpstr (a->s, ==, b->s);
  g_assert_cmpuint (a->n, ==, b->n);
  if (a->tensor)
    assert_same_tensor (a->tensor, b->tensor);
  if (a->graph)
    assert_same_graph (a->graph, b->graph);
  if (a->ints)
    g_assert_cmpmem (a->ints, a->n * sizeof (gint64), b->ints, b->n * sizeof (gint64));
  if (a->floats)
    g_assert_cmpmem (a->floats, a->n * sizeof (float), b->floats, b->n * sizeof (float));
  if (a->strings)
    g_assert_cmpstrv (a->strings, b->strings);
}

static void
assert_same_table (GHashTable *a, GHashTable *b, gboolean texts)
{
  GHashTableIter iter;
  gpointer       key, value;

  g_assert_cmpuint (g_hash_table_size (a), ==, g_hash_table_size (b));
  g_hash_table_iter_init (&iter, a);
  while (g_hash_table_iter_next (&iter, &key, &value))
    if (texts)
      g_assert_cmpstr (value, ==, g_hash_table_lookup (b, key));
    else
      g_assert_true (value == g_hash_table_lookup (b, key));
}

static void
assert_same_graph (const Graph *a, const Graph *b)
{
  g_assert_cmpint (MAX (a->ir_version, 4), ==, MAX (b->ir_version, 4));
  assert_same_table (a->opsets, b->opsets, FALSE);
  assert_same_table (a->metadata, b->metadata, TRUE);
  g_assert_cmpstr (a->producer_name, ==, b->producer_name);
  g_assert_cmpstr (a->doc_string, ==, b->doc_string);
  assert_same_values (a->inputs, b->inputs);
  assert_same_values (a->outputs, b->outputs);
  g_assert_cmpuint (a->nodes->len, ==, b->nodes->len);
  for (guint i = 0; i < a->nodes->len; i++)
    {
      const Node *m = g_ptr_array_index (a->nodes, i), *n = g_ptr_array_index (b->nodes, i);

      g_assert_cmpstr (m->name, ==, n->name);
      g_assert_cmpstr (m->type, ==, n->type);
      g_assert_cmpstr (m->domain, ==, n->domain);
      g_assert_cmpint (m->opset, ==, n->opset);
      assert_same_values (m->inputs, n->inputs);
      assert_same_values (m->outputs, n->outputs);
      g_assert_cmpuint (m->attributes->len, ==, n->attributes->len);
      for (guint j = 0; j < m->attributes->len; j++)
        assert_same_attribute (g_ptr_array_index (m->attributes, j), g_ptr_array_index (n->attributes, j));
    }
}

/* ---- a folder of one's own -------------------------------------------------------------------------------- */

typedef struct
{
  char *folder, *path;
} Place;

static void
place_set_up (Place *place, gconstpointer data)
{
  place->folder = g_dir_make_tmp ("fovea-XXXXXX", NULL);
  place->path = g_build_filename (place->folder, "model.onnx", NULL);
}

static guint
count_files (const char *folder)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  guint n = 0;

  while (g_dir_read_name (dir))
    n++;
  return n;
}

static void
place_tear_down (Place *place, gconstpointer data)
{
  g_unlink (place->path);
  g_assert_no_errno (g_rmdir (place->folder));
  g_free (place->path);
  g_free (place->folder);
}

static void
assert_round_trip (FoveaModel *model, const Place *place)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (FoveaModel) again = NULL;

  fovea_model_save (model, place->path, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (count_files (place->folder), ==, 1);
  again = fovea_model_load (place->path, &error);
  g_assert_no_error (error);
  assert_same_graph (model_get_graph (model), model_get_graph (again));
}

/* ---- tests ------------------------------------------------------------------------------------------------ */

/* Attributes of each kind, left-out values, a sub-graph with names from outside, symbolic dimensions, an empty and a scalar constant. */
static FoveaModel *
make_model (void)
{
  Graph *graph = graph_new (), *branch = graph_new ();
  Value *x = graph_add_value (graph, "x"), *inner = graph_add_value (branch, "x"), *y;
  Node  *node = graph_add_node (graph, "my.domain", "Op", "", -1), *inner_node;
  g_autoptr (FoveaTensor) scalar = fovea_tensor_new (FOVEA_TYPE_FLOAT16, &(FoveaShape) { 0 }, NULL);
  g_autoptr (FoveaTensor) empty = fovea_tensor_new (FOVEA_TYPE_INT64, &(FoveaShape) { 2, { 0, 3 } }, NULL);
  static const char *const texts[] = { "a", "", "ü" };

  g_hash_table_insert (graph->opsets, g_strdup ("my.domain"), GINT_TO_POINTER (3));
  node->opset = 3;
  g_hash_table_insert (graph->metadata, g_strdup ("task"), g_strdup ("classify"));
  g_hash_table_insert (graph->metadata, g_strdup ("empty"), g_strdup (""));
  graph->doc_string = g_strdup ("what it is for");
  graph->producer_name = g_strdup ("fovea");
  graph->producer_version = g_strdup ("");
  branch->doc_string = NULL;
  x->type = FOVEA_TYPE_FLOAT32;
  x->has_rank = TRUE;
  x->shape = shape_make (3, (const gint64[]) { -1, 3, -1 });
  x->dim_names[0] = g_strdup ("batch");
  g_ptr_array_add (graph->inputs, x);

  inner->outer = TRUE;
  inner_node = graph_add_node (branch, "", "Relu", NULL, -1);
  node_add_input (inner_node, inner);
  node_add_output (inner_node, graph_add_value (branch, "r"));
  g_ptr_array_add (branch->outputs, node_output (inner_node, 0));
  g_free (branch->name);
  branch->name = g_strdup ("branch");
  branch->ir_version = graph->ir_version;
  g_hash_table_insert (branch->opsets, g_strdup ("my.domain"), GINT_TO_POINTER (3));

  node_add_input (node, NULL);
  node_add_input (node, graph_add_constant (graph, "scalar", scalar));
  node_add_input (node, graph_add_constant (graph, "empty", empty));
  node_add_input (node, x);
  node_add_output (node, NULL);
  y = graph_add_value (graph, "y");
  node_add_output (node, y);
  y->type = FOVEA_TYPE_BOOL;
  g_ptr_array_add (graph->outputs, y);
  node_set_int (node, "int", G_MININT64);
  node_set_float (node, "float", -0.5f);
  node_set_string (node, "string", "text");
  node_set_string (node, "empty", "");
  node_set_ints (node, "ints", (const gint64[]) { 1, -1, G_MAXINT64 }, 3);
  node_set_floats (node, "floats", (const float[]) { 1e30f, 0 }, 2);
  node_set_floats (node, "none", NULL, 0);
  node_set_strings (node, "strings", texts, 3);
  node_set_tensor (node, "tensor", scalar);
  node_set_graph (node, "graph", branch);
  return model_new_for_graph (graph, "made");
}

static void
test_everything (Place *place, gconstpointer data)
{
  g_autoptr (FoveaModel) model = make_model ();

  assert_round_trip (model, place);
}

/* The same graph makes the same bytes, and a model may be saved over the file that it is mapped from. */
static void
test_over_itself (Place *place, gconstpointer data)
{
  g_autoptr (FoveaModel) model = make_model ();
  g_autoptr (FoveaModel) again = NULL;
  g_autofree char *first = NULL, *second = NULL;
  gsize first_size, second_size;

  assert_round_trip (model, place);
  g_assert_true (g_file_get_contents (place->path, &first, &first_size, NULL));
  again = fovea_model_load (place->path, NULL);
  assert_round_trip (again, place);
  g_assert_true (g_file_get_contents (place->path, &second, &second_size, NULL));
  g_assert_cmpmem (first, first_size, second, second_size);
}

static void
test_unused (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (FoveaTensor) tensor = fovea_tensor_new (FOVEA_TYPE_FLOAT32, &(FoveaShape) { 1, { 1000 } }, NULL);
  g_autoptr (FoveaModel) model = make_model (), again = NULL;
  g_autoptr (Graph) graph = graph_copy (model_get_graph (model));

  graph_add_constant (graph, "unused", tensor);
  g_assert_true (onnx_write (graph, place->path, &error));
  again = fovea_model_load (place->path, &error);
  g_assert_no_error (error);
  g_assert_null (graph_find_value (model_get_graph (again), "unused"));
}

static void
test_external (Place *place, gconstpointer data)
{
  static const float values[2] = { 1, 2 };
  g_autofree char *weights = g_build_filename (place->folder, "w.bin", NULL);
  Wire *tensor = wire_int (wire_tensor ("w", ONNX_FLOAT, DIMS (2)), 14, 1), *graph = wire_new (), *wire;
  g_autoptr (GError) error = NULL;
  g_autoptr (FoveaModel) model = NULL, again = NULL;

  wire_message (tensor, 13, wire_text (wire_text (wire_new (), 1, "location"), 2, "w.bin"));
  wire_message (wire_message (graph, 1, wire_node ("Add", "x w", "y")), 11, wire_port ("x", ONNX_FLOAT, DIMS (2)));
  wire = wire_model (wire_message (wire_message (graph, 12, wire_text (wire_new (), 1, "y")), 5, tensor));
  g_assert_true (g_file_set_contents (weights, (const char *) values, sizeof values, NULL));
  g_assert_true (g_file_set_contents (place->path, (const char *) wire->data, wire->len, NULL));
  g_byte_array_unref (wire);
  model = fovea_model_load (place->path, &error);
  g_assert_no_error (error);
  g_assert_true (fovea_model_save (model, place->path, &error));
  g_unlink (weights);
  again = fovea_model_load (place->path, &error);
  g_assert_no_error (error);
  assert_same_graph (model_get_graph (model), model_get_graph (again));
}

static void
test_failures (Place *place, gconstpointer data)
{
  g_autoptr (FoveaModel) model = make_model ();
  g_autoptr (GError) error = NULL;
  g_autofree char *nowhere = g_build_filename (place->folder, "none", "model.onnx", NULL);
  g_autofree char *before = NULL, *after = NULL;
  struct rlimit limit, little;

  g_assert_false (fovea_model_save (model, nowhere, &error));
  g_assert_error (error, FOVEA_ERROR, FOVEA_ERROR_FILE);
  g_clear_error (&error);
  g_assert_false (fovea_model_save (model, place->folder, &error));
  g_assert_error (error, FOVEA_ERROR, FOVEA_ERROR_FILE);
  g_clear_error (&error);

  /* A disk that is full after 100 bytes, so to speak. */
  assert_round_trip (model, place);
  g_assert_true (g_file_get_contents (place->path, &before, NULL, NULL));
  signal (SIGXFSZ, SIG_IGN);
  getrlimit (RLIMIT_FSIZE, &limit);
  little = limit;
  little.rlim_cur = 100;
  g_assert_no_errno (setrlimit (RLIMIT_FSIZE, &little));
  g_assert_false (fovea_model_save (model, place->path, &error));
  g_assert_no_errno (setrlimit (RLIMIT_FSIZE, &limit));
  g_assert_error (error, FOVEA_ERROR, FOVEA_ERROR_FILE);
  g_assert_nonnull (strstr (error->message, "can't be written"));
  g_assert_cmpuint (count_files (place->folder), ==, 1);
  g_assert_true (g_file_get_contents (place->path, &after, NULL, NULL));
  g_assert_cmpstr (before, ==, after);
}

static void
test_own_operators (Place *place, gconstpointer data)
{
  g_autoptr (Graph) graph = graph_new ();
  g_autoptr (GError) error = NULL;

  graph_add_node (graph, "fovea", "Block", NULL, -1);
  g_assert_false (onnx_write (graph, place->path, &error));
  g_assert_error (error, FOVEA_ERROR, FOVEA_ERROR_ARGUMENT);
  g_assert_cmpuint (count_files (place->folder), ==, 0);
}

static void
unmap (gpointer map)
{
  munmap (map, (gsize) 5 << 28);
}

/* Two constants of 1.25 GB each, which nobody touches. */
static void
test_too_large (Place *place, gconstpointer data)
{
  gsize size = (gsize) 5 << 28;
  gpointer map = mmap (NULL, size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  g_autoptr (FoveaTensor) tensor = NULL;
  g_autoptr (Graph) graph = graph_new ();
  g_autoptr (GError) error = NULL;

  if (map == MAP_FAILED)
    {
      g_test_skip ("no address space");
      return;
    }
  tensor = fovea_tensor_new_for_data (FOVEA_TYPE_INT8, &(FoveaShape) { 1, { (gint64) size } }, map, size, map, unmap, NULL);
  g_ptr_array_add (graph->outputs, graph_add_constant (graph, "a", tensor));
  g_ptr_array_add (graph->outputs, graph_add_constant (graph, "b", tensor));
  g_assert_false (onnx_write (graph, place->path, &error));
  g_assert_error (error, FOVEA_ERROR, FOVEA_ERROR_UNSUPPORTED);
  g_assert_nonnull (strstr (error->message, "2 GB"));
  g_assert_cmpuint (count_files (place->folder), ==, 0);
}

static void
test_reference_models (Place *place, gconstpointer data)
{
  const char *reference = g_getenv ("FOVEA_REFERENCE_DIR");
  g_autofree char *folder = reference ? g_build_filename (reference, "models", NULL) : NULL;
  g_autoptr (GDir) dir = folder ? g_dir_open (folder, 0, NULL) : NULL;
  const char *name;

  if (!dir)
    g_test_skip ("FOVEA_REFERENCE_DIR has no models");
  while (dir && (name = g_dir_read_name (dir)))
    if (g_str_has_suffix (name, ".onnx"))
      {
        g_autofree char *path = g_build_filename (folder, name, NULL);
        g_autoptr (GError) error = NULL;
        g_autoptr (FoveaModel) model = fovea_model_load (path, &error);

        g_assert_no_error (error);
        assert_round_trip (model, place);
      }
}

int
main (int argc, char **argv)
{
  static const struct { const char *name; void (*test) (Place *, gconstpointer); } tests[] = {
    { "/onnx-write/everything", test_everything },     { "/onnx-write/over-itself", test_over_itself },
    { "/onnx-write/unused", test_unused },             { "/onnx-write/external", test_external },
    { "/onnx-write/failures", test_failures },         { "/onnx-write/own-operators", test_own_operators },
    { "/onnx-write/too-large", test_too_large },       { "/onnx-write/reference-models", test_reference_models },
  };

  g_test_init (&argc, &argv, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (tests); i++)
    g_test_add (tests[i].name, Place, NULL, place_set_up, tests[i].test, place_tear_down);
  return g_test_run ();
}
