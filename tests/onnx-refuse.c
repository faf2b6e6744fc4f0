/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * onnx-refuse.c: what the reader refuses and in which words: contradictions, what it doesn't know, and all kinds of damage.
 */

#include "small-onnx.h"

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
#define ZIP "PK\3\4\24\0\0\0\0\0\0\0\0\0\0\0\0\0\2\0\0\0\2\0\0\0\20\0\0\0"
#define AS_IT_IS(text) text, sizeof text - 1
  static const struct
  {
    const char *data;
    gsize       size;
    const char *words;
  } cases[] = {
    { AS_IT_IS (ZIP "net/model.onnx--"), "ZIP archive, not an ONNX model. Unpack it" },
    { AS_IT_IS ("PK\5\6\0\0\0\0"), "ZIP archive" },
    { AS_IT_IS (ZIP "archive/data.pkl"), "PyTorch's own file" },
    { AS_IT_IS (ZIP "metadata.json---"), "Keras" },
    { AS_IT_IS (ZIP "arr_0.npy-------"), "NumPy" },
    { AS_IT_IS ("\x80\2\x8a\nl\xfc\x9c" "F\xf9 j\xa8P\31."), "pickle of Python" },
    { AS_IT_IS ("\x1f\x8b\10\0\0\0\0\0\0\3"), "gzip. Unpack it" },
    { AS_IT_IS ("\34\0\0\0TFL3\24\0\40\0"), "TensorFlow Lite" },
    { AS_IT_IS ("\x89HDF\r\n\x1a\n\0\0\0"), "HDF5" },
    { AS_IT_IS ("GGUF\3\0\0\0"), "GGUF" },
    { AS_IT_IS ("\100\0\0\0\0\0\0\0{\"w\":{\"dtype\":\"F32\""), "safetensors" },
    { AS_IT_IS ("version https://git-lfs.github.com/spec/v1\n"), "git lfs pull" },
    { AS_IT_IS ("\xef\xbb\xbf\r\n <!DOCTYPE html><html>"), "web page" },
    { AS_IT_IS ("<html>404"), "web page" },
    { AS_IT_IS ("<?xml version=\"1.0\"?>\n<net name=\"x\">"), "OpenVINO" },
    { AS_IT_IS ("{\"error\": \"not found\"}"), "JSON" },
    { AS_IT_IS ("Entry not found"), "damaged at byte" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    assert_refused (g_byte_array_append (wire_new (), (const guint8 *) cases[i].data, (guint) cases[i].size), FOVEA_ERROR_MODEL, cases[i].words);
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

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/onnx-refuse/contradictions", test_contradictions);
  g_test_add_func ("/onnx-refuse/versions", test_versions);
  g_test_add_func ("/onnx-refuse/bad-tensors", test_bad_tensors);
  g_test_add_func ("/onnx-refuse/bad-attributes", test_bad_attributes);
  g_test_add_func ("/onnx-refuse/deep", test_deep);
  g_test_add_func ("/onnx-refuse/many", test_many);
  g_test_add_func ("/onnx-refuse/strange-names", test_strange_names);
  g_test_add_func ("/onnx-refuse/not-onnx", test_not_onnx);
  g_test_add_func ("/onnx-refuse/damage", test_damage);
  g_test_add_func ("/onnx-refuse/damage-real", test_damage_real);
  return g_test_run ();
}
