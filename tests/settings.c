/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * settings.c: where a model's settings come from, in which order, and that files from anywhere can do no harm: JSON, Python's repr, label lists,
 * damaged and hostile ones among them.
 */

#include <glib/gstdio.h>
#include <string.h>

#include "small-graph.h"
#include "vision/labels.h"
#include "vision/literal.h"
#include "vision/sidecar.h"

/* ---- literals --------------------------------------------------------------------------------------------------------------------------- */

static char *
reprint (const char *text)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonNode) node = literal_parse (text, strlen (text), &error);

  g_assert_no_error (error);
  return json_to_string (node, FALSE);
}

static void
check_literal (const char *text, const char *expected)
{
  g_autofree char *found = reprint (text);

  g_assert_cmpstr (found, ==, expected);
}

static void
test_literals (void)
{
  check_literal ("{\"a\": [1, -2.5, true, false, null], \"b\": {}}", "{\"a\":[1,-2.5,true,false,null],\"b\":{}}");
  check_literal ("{0: 'person', 1: \"it's\", 2: 'say \"a\"'}", "{\"0\":\"person\",\"1\":\"it's\",\"2\":\"say \\\"a\\\"\"}");
  check_literal ("['a', 'b',]", "[\"a\",\"b\"]");
  check_literal ("(640, 480)", "[640,480]");
  check_literal ("(640,)", "[640]");
  check_literal ("{'nms': False, 'args': None, 'end2end': True}", "{\"nms\":false,\"args\":null,\"end2end\":true}");
  check_literal ("'tab\\there \\x41 \\u00e9 \\U0001F600 \\'\\\\'", "\"tab\\there A é 😀 '\\\\\"");
  check_literal ("\"\\ud83d\\ude00\"", "\"😀\"");
  check_literal ("\"\\ud83d x \\u0000\"", "\"\xef\xbf\xbd x \xef\xbf\xbd\"");
  check_literal ("\xef\xbb\xbf[1]", "[1]");
  check_literal (" 1e2 ", "100.0");
}

static void
test_damaged_literals (void)
{
  static const char *const damaged[] = {
    "", " ", "{", "[", "{\"a\"", "{\"a\":", "{\"a\":1", "{\"a\" 1}", "{a: 1}", "[1", "[1 2]", "[,]", "\"", "'abc", "\"abc'", "\"\\", "\"\\u12\"", "'\\xg0'",
    "nan", "NaN", "Infinity", "-inf", "1e999", "-", "tru", "[1] 2", "{1: 2}}", "{'a': }", "\\", "{.: 1}",
  };

  for (gsize i = 0; i < G_N_ELEMENTS (damaged); i++)
    {
      g_autoptr (GError) error = NULL;

      g_test_message ("%s", damaged[i]);
      g_assert_null (literal_parse (damaged[i], strlen (damaged[i]), &error));
      g_assert_error (error, FOVEA_ERROR, FOVEA_ERROR_MODEL);
      g_assert_true (g_str_has_prefix (error->message, "line "));
    }
}

/* A million brackets, and every cut of a text that is right. */
static void
test_hostile_literals (void)
{
  static const char whole[] = "{'names': {0: 'a\\u00e9\\n', 1: \"b\"}, \"x\": [1.5, (True, None)], 'y': -3}";
  g_autofree char *deep = g_strnfill (1000000, '[');
  g_autoptr (GError) error = NULL;

  g_assert_null (literal_parse (deep, 1000000, &error));
  g_assert_error (error, FOVEA_ERROR, FOVEA_ERROR_MODEL);
  for (gsize n = 0; n < strlen (whole); n++)
    {
      g_autofree char *cut = g_strndup (whole, n); /* of its own, so that a read past the end shows */

      g_assert_null (literal_parse (cut, n, NULL));
    }
  for (gsize n = 0; n < strlen (whole); n++)
    for (int flip = 1; flip < 256; flip <<= 1)
      {
        g_autofree char *changed = g_strdup (whole);
        JsonNode *node;

        changed[n] ^= flip;
        node = literal_parse (changed, strlen (whole), NULL);
        g_clear_pointer (&node, json_node_unref);
      }
}

/* ---- labels ----------------------------------------------------------------------------------------------------------------------------- */

static void
check_labels (char **labels, gsize n, const char *const *expected, gsize n_expected)
{
  g_assert_nonnull (labels);
  g_assert_cmpuint (n, ==, n_expected);
  g_assert_cmpuint (g_strv_length (labels), ==, n_expected);
  for (gsize i = 0; i < n; i++)
    g_assert_cmpstr (labels[i], ==, expected[i]);
  g_strfreev (labels);
}

static void
check_text (const char *text, const char *const *expected, gsize n_expected)
{
  gsize  n = 0;
  char **labels = labels_from_text (text, strlen (text), &n, NULL);

  check_labels (labels, n, expected, n_expected);
}

static void
test_label_text (void)
{
  static const char *const plain[] = { "cat", "dog" }, *const gap[] = { "cat", "class 1", "dog" }, *const years[] = { "1940s", "0 percent" };
  static const char *const numbers[] = { "0 cat", "2 dog" };

  check_text ("cat\ndog\n", plain, 2);
  check_text ("cat\r\ndog\r\n\r\n", plain, 2);
  check_text ("0 cat\n1 dog", plain, 2);
  check_text ("1: cat\n2:\tdog\n", plain, 2);
  check_text ("\xef\xbb\xbf" "0,cat\n1,dog\n", plain, 2);
  check_text ("cat\n\ndog", gap, 3);
  check_text ("1940s\n0 percent", years, 2);
  check_text ("0 cat\n2 dog", numbers, 2); /* not counted: the numbers belong to the names */
}

static void
test_label_json (void)
{
  static const char *const expected[] = { "cat", "class 1", "dog" }, *const list[] = { "cat", "class 1" };
  g_autoptr (JsonNode) object = literal_parse ("{2: 'dog', 0: 'cat'}", 20, NULL), array = literal_parse ("['cat', 7]", 10, NULL);
  g_autoptr (JsonNode) words = literal_parse ("{'cat': 0}", 10, NULL), far = literal_parse ("{'2000000000': 'x'}", 19, NULL);
  g_autoptr (JsonNode) empty = literal_parse ("[]", 2, NULL), number = literal_parse ("3", 1, NULL);
  JsonNode *wrong[] = { words, far, empty, number };
  gsize  n;
  char **labels = labels_from_json (object, &n, NULL);

  check_labels (labels, n, expected, 3);
  labels = labels_from_json (array, &n, NULL);
  check_labels (labels, n, list, 2);
  for (gsize i = 0; i < G_N_ELEMENTS (wrong); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_null (labels_from_json (wrong[i], &n, &error));
      g_assert_error (error, FOVEA_ERROR, FOVEA_ERROR_MODEL);
    }
}

/* Controls, terminal escapes, marks that turn the text around, broken UTF-8, names without end; markup stays as it is. */
static void
test_label_hygiene (void)
{
  static const char *const expected[] = { "a [31mb", "left right", "caf\xef\xbf\xbd", "<b>&amp;</b>", "class 4", "last" };
  static const char text[] = "a\x1b[31mb\nleft\xe2\x80\xaeright\ncaf\xe9\n<b>&amp;</b>\n\x01\nlast";
  g_autofree char *endless = g_strnfill (5000, 'x'), *many = g_strnfill (2 * LABELS_MAX + 4, '\n');
  g_autoptr (GError) error = NULL;
  gsize  n;
  char **labels;

  labels = labels_from_text (text, strlen (text), &n, NULL);
  check_labels (labels, n, expected, 6);

  labels = labels_from_text (endless, 5000, &n, NULL);
  g_assert_cmpuint (g_utf8_strlen (labels[0], -1), ==, 200);
  g_strfreev (labels);

  for (gsize i = 0; i < 2 * (LABELS_MAX + 1); i += 2)
    many[i] = 'x';
  g_assert_null (labels_from_text (many, strlen (many), &n, &error));
  g_assert_error (error, FOVEA_ERROR, FOVEA_ERROR_MODEL);
  g_clear_error (&error);
  g_assert_null (labels_from_text ("\n \n", 3, &n, &error));
  g_assert_error (error, FOVEA_ERROR, FOVEA_ERROR_MODEL);
}

/* ---- sidecars --------------------------------------------------------------------------------------------------------------------------- */

static gboolean
apply (FoveaSettings *settings, const char *text, GError **error)
{
  g_autoptr (JsonNode) node = literal_parse (text, strlen (text), NULL);
  guint found = 0;

  g_assert_nonnull (node);
  return sidecar_apply (settings, &found, json_node_get_object (node), error);
}

static void
test_sidecar (void)
{
  g_autoptr (FoveaSettings) settings = g_new0 (FoveaSettings, 1);
  g_autoptr (GError) error = NULL;

  g_assert_true (apply (settings,
                        "{'task': 'detect', 'names': ['a', 'b'], 'imgsz': [480, 640], 'later': 1, 'fovea': {'version': 1, 'input': {'resize': 'letterbox',"
                        "'filter': 'lanczos', 'crop_scale': 1.25, 'pad': 0, 'colour': 'bgr', 'layout': 'nhwc', 'range': 255, 'mean': [1, 2, 3], 'std': 4},"
                        "'output': {'family': 'yolox', 'activation': 'sigmoid'}, 'card': {'title': 'x'}}}",
                        &error));
  g_assert_no_error (error);
  g_assert_cmpint (settings->task, ==, FOVEA_TASK_DETECT);
  g_assert_cmpuint (settings->n_labels, ==, 2);
  g_assert_cmpint (settings->height, ==, 480);
  g_assert_cmpint (settings->width, ==, 640);
  g_assert_cmpint (settings->resize, ==, FOVEA_RESIZE_LETTERBOX);
  g_assert_cmpint (settings->filter, ==, FOVEA_FILTER_LANCZOS);
  g_assert_cmpfloat (settings->crop_scale, ==, 1.25);
  g_assert_cmpint (settings->pad, ==, 0);
  g_assert_true (settings->bgr);
  g_assert_true (settings->nhwc);
  g_assert_cmpfloat (settings->range, ==, 255);
  g_assert_cmpfloat (settings->mean[2], ==, 3);
  g_assert_cmpfloat (settings->std[1], ==, 4);
  g_assert_cmpstr (settings->family, ==, "yolox");
  g_assert_cmpint (settings->activation, ==, FOVEA_ACTIVATION_SIGMOID);
}

static void
test_wrong_sidecars (void)
{
  static const char *const wrong[] = {
    "{'task': 'clasify'}", "{'task': ''}", "{'task': 3}", "{'names': 'cat'}", "{'names': {'cat': 0}}", "{'imgsz': 0}", "{'imgsz': 1e9}", "{'imgsz': [1, 2, 3]}",
    "{'imgsz': 2.5}", "{'imgsz': '224'}", "{'fovea': 3}", "{'fovea': {'input': []}}", "{'fovea': {'input': {'size': -1}}}",
    "{'fovea': {'input': {'resize': 'crop'}}}", "{'fovea': {'input': {'filter': 2}}}", "{'fovea': {'input': {'crop_scale': 0.5}}}",
    "{'fovea': {'input': {'colour': 'RGB'}}}", "{'fovea': {'input': {'mean': [1, 2]}}}", "{'fovea': {'input': {'std': 0}}}",
    "{'fovea': {'input': {'std': [1, 1, -1]}}}", "{'fovea': {'input': {'mean': 1e300}}}", "{'fovea': {'input': {'pad': 256}}}",
    "{'fovea': {'input': {'range': 0}}}", "{'fovea': {'output': {'family': 'a b'}}}", "{'fovea': {'output': {'activation': 'relu'}}}",
  };

  for (gsize i = 0; i < G_N_ELEMENTS (wrong); i++)
    {
      g_autoptr (FoveaSettings) settings = g_new0 (FoveaSettings, 1);
      g_autoptr (GError) error = NULL;

      g_test_message ("%s", wrong[i]);
      g_assert_false (apply (settings, wrong[i], &error));
      g_assert_error (error, FOVEA_ERROR, FOVEA_ERROR_FILE);
      g_test_message ("%s", error->message);
    }
}

/* ---- whole models ----------------------------------------------------------------------------------------------------------------------- */

/* x (1, channels, side, side) -> Identity -> y, of the shape that the last arguments say. */
static Graph *
make_graph (FoveaType type, const FoveaShape *in, const FoveaShape *out)
{
  Graph *graph = small_graph_new ();
  Value *x = small_graph_add_input (graph, "x", in);

  x->type = type;
  small_graph_finish (graph, small_graph_add_node (graph, "Identity", x, NULL), out);
  ((Value *) g_ptr_array_index (graph->outputs, 0))->type = type;
  return graph;
}

static void
set_metadata (Graph *graph, const char *key, const char *value)
{
  g_hash_table_insert (graph->metadata, g_strdup (key), g_strdup (value));
}

static FoveaSettings *
read_graph (Graph *graph)
{
  g_autoptr (FoveaModel) model = model_new_for_graph (graph, "test");
  g_autoptr (GError) error = NULL;
  FoveaSettings *settings = fovea_settings_read (model, &error);

  g_assert_no_error (error);
  return settings;
}

static void
test_shapes (void)
{
  const struct
  {
    FoveaType  type;
    FoveaShape in, out;
    int        width, height, channels;
    gboolean   nhwc;
    FoveaTask  task;
    double     mean;
  } cases[] = {
    { FOVEA_TYPE_FLOAT32, { 4, { 1, 3, 192, 256 } }, { 2, { 1, 1000 } }, 256, 192, 3, FALSE, FOVEA_TASK_CLASSIFY, 0.485 },
    { FOVEA_TYPE_FLOAT32, { 4, { -1, -1, -1, -1 } }, { 2, { -1, -1 } }, 224, 224, 3, FALSE, FOVEA_TASK_CLASSIFY, 0.485 },
    { FOVEA_TYPE_FLOAT32, { 4, { -1, 299, 299, 3 } }, { 2, { -1, 1001 } }, 299, 299, 3, TRUE, FOVEA_TASK_CLASSIFY, 0.485 },
    { FOVEA_TYPE_FLOAT32, { 4, { 1, 1, 28, 28 } }, { 2, { 1, 10 } }, 28, 28, 1, FALSE, FOVEA_TASK_CLASSIFY, 0 },
    { FOVEA_TYPE_UINT8, { 4, { 1, 96, 96, 3 } }, { 4, { 1, 5, 1, 1 } }, 96, 96, 3, TRUE, FOVEA_TASK_CLASSIFY, 0 },
    { FOVEA_TYPE_FLOAT16, { 3, { 3, 64, 64 } }, { 3, { 1, 3549, 85 } }, 64, 64, 3, FALSE, FOVEA_TASK_DETECT, 0.485 },
    { FOVEA_TYPE_FLOAT32, { 4, { 1, 3, 64, 64 } }, { 4, { 1, 21, 64, 64 } }, 64, 64, 3, FALSE, FOVEA_TASK_SEGMENT, 0.485 },
    { FOVEA_TYPE_FLOAT32, { 2, { 1, 10 } }, { 0, { 0 } }, 224, 224, 3, FALSE, FOVEA_TASK_UNKNOWN, 0 },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (FoveaSettings) settings = read_graph (make_graph (cases[i].type, &cases[i].in, &cases[i].out));

      g_assert_cmpint (settings->width, ==, cases[i].width);
      g_assert_cmpint (settings->height, ==, cases[i].height);
      g_assert_cmpint (settings->channels, ==, cases[i].channels);
      g_assert_cmpint (settings->nhwc, ==, cases[i].nhwc);
      g_assert_cmpint (settings->task, ==, cases[i].task);
      if (settings->task == FOVEA_TASK_DETECT)
        g_assert_cmpint (settings->resize, ==, FOVEA_RESIZE_LETTERBOX);
      g_assert_cmpfloat (settings->mean[0], ==, cases[i].mean);
    }
}

static const FoveaShape photo_shape = { 4, { 1, 3, 32, 32 } }, open_shape = { 4, { -1, 3, -1, -1 } }, scores_shape = { 2, { 1, 2 } };

static void
test_metadata (void)
{
  Graph *graph = make_graph (FOVEA_TYPE_FLOAT32, &open_shape, &scores_shape);
  g_autoptr (FoveaSettings) settings = NULL;
  g_autofree char *beyond = NULL;

  set_metadata (graph, "task", "classify");
  set_metadata (graph, "names", "{0: 'tench', 1: \"cat's tail\"}");
  set_metadata (graph, "imgsz", "[64, 96]");
  set_metadata (graph, "fovea", "{\"input\": {\"range\": 1, \"colour\": \"bgr\"}}");
  settings = read_graph (graph);
  g_assert_cmpstr (settings->labels[1], ==, "cat's tail");
  g_assert_cmpint (settings->height, ==, 64);
  g_assert_cmpint (settings->width, ==, 96);
  g_assert_true (settings->bgr);
  g_assert_cmpfloat (settings->mean[0], ==, 0); /* ImageNet's only where nothing is said */
  beyond = fovea_settings_get_label (settings, 2);
  g_assert_cmpstr (beyond, ==, "class 2");
  g_assert_nonnull (strstr (settings->sources, "metadata"));
}

static void
test_ultralytics (void)
{
  static const char *const tasks[] = { "classify", "detect" };

  for (gsize i = 0; i < G_N_ELEMENTS (tasks); i++)
    {
      Graph *graph = make_graph (FOVEA_TYPE_FLOAT32, &photo_shape, &scores_shape);
      g_autoptr (FoveaSettings) settings = NULL;

      set_metadata (graph, "author", "Ultralytics");
      set_metadata (graph, "task", tasks[i]);
      settings = read_graph (graph);
      g_assert_cmpint (settings->resize, ==, i ? FOVEA_RESIZE_LETTERBOX : FOVEA_RESIZE_SHORTEST_CROP);
      g_assert_cmpfloat (settings->mean[0], ==, 0);
      g_assert_cmpfloat (settings->range, ==, 1);
      g_assert_cmpfloat (settings->crop_scale, ==, i ? 256.0 / 224 : 1);
    }
}

/* Metadata that can't be read are left out, one by one, and it is said. */
static void
test_damaged_metadata (void)
{
  Graph *graph = make_graph (FOVEA_TYPE_FLOAT32, &photo_shape, &scores_shape);
  g_autoptr (FoveaSettings) settings = NULL;

  set_metadata (graph, "task", "pose");
  set_metadata (graph, "names", "{0: 'a', 1: 'b'}");
  set_metadata (graph, "fovea", "[[[[");
  set_metadata (graph, "imgsz", "640");
  settings = read_graph (graph);
  g_assert_cmpuint (settings->n_labels, ==, 2);
  g_assert_cmpint (settings->task, ==, FOVEA_TASK_CLASSIFY);
  g_assert_cmpint (settings->width, ==, 32); /* the model can't take another */
  g_assert_nonnull (strstr (settings->sources, "fovea: line 1"));
  g_assert_nonnull (strstr (settings->sources, "can't be 640×640"));
}

typedef struct
{
  char *folder, *model, *sidecar, *labels;
} Files;

static void
set_up (Files *files, gconstpointer data)
{
  g_autoptr (FoveaModel) model = NULL;
  g_autoptr (GError) error = NULL;
  Graph *graph = make_graph (FOVEA_TYPE_FLOAT32, &photo_shape, &scores_shape);

  if (data)
    set_metadata (graph, "names", data);
  model = model_new_for_graph (graph, "test");
  files->folder = g_dir_make_tmp ("fovea-settings-XXXXXX", NULL);
  files->model = g_build_filename (files->folder, "net.onnx", NULL);
  files->sidecar = g_build_filename (files->folder, "net.json", NULL);
  files->labels = g_build_filename (files->folder, "net.labels.txt", NULL);
  g_assert_true (fovea_model_save (model, files->model, &error));
  g_assert_no_error (error);
}

static void
tear_down (Files *files, gconstpointer data)
{
  g_remove (files->model);
  g_remove (files->sidecar);
  g_remove (files->labels);
  g_assert_cmpint (g_rmdir (files->folder), ==, 0);
  g_free (files->folder);
  g_free (files->model);
  g_free (files->sidecar);
  g_free (files->labels);
}

static FoveaSettings *
read_files (const Files *files, GError **error)
{
  g_autoptr (FoveaModel) model = fovea_model_load (files->model, NULL);

  g_assert_nonnull (model);
  return fovea_settings_read (model, error);
}

static void
check_first_label (const Files *files, const char *expected)
{
  g_autoptr (FoveaSettings) settings = read_files (files, NULL);

  g_assert_nonnull (settings);
  g_assert_cmpstr (settings->labels[0], ==, expected);
}

static void
write_text (const char *path, const char *text)
{
  g_assert_true (g_file_set_contents (path, text, -1, NULL));
}

static void
test_order (Files *files, gconstpointer data)
{
  check_first_label (files, "metadata");
  write_text (files->labels, "list\nthe list\n");
  check_first_label (files, "metadata");
  write_text (files->sidecar, "{\"names\": {\"0\": \"sidecar\", \"1\": \"b\"}}");
  check_first_label (files, "sidecar");
  write_text (files->sidecar, "{}");
  check_first_label (files, "metadata");
}

static void
test_list (Files *files, gconstpointer data)
{
  g_autoptr (FoveaSettings) none = read_files (files, NULL);

  g_assert_cmpuint (none->n_labels, ==, 0);
  write_text (files->labels, "list\nthe list\n");
  check_first_label (files, "list");
}

static void
test_damaged_sidecar (Files *files, gconstpointer data)
{
  static const char *const damaged[] = { "", "{", "[]", "{\"task\": \"cook\"}", "null", "{\"fovea\": {\"input\": {\"std\": [0, 1, 1]}}}" };

  for (gsize i = 0; i < G_N_ELEMENTS (damaged); i++)
    {
      g_autoptr (GError) error = NULL;

      write_text (files->sidecar, damaged[i]);
      g_assert_null (read_files (files, &error));
      g_assert_error (error, FOVEA_ERROR, FOVEA_ERROR_FILE);
      g_assert_nonnull (strstr (error->message, "net.json"));
    }
}

/* A folder where a file should be. */
static void
test_odd_sidecar (Files *files, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (g_mkdir (files->sidecar, 0700), ==, 0);
  g_assert_null (read_files (files, &error));
  g_assert_error (error, FOVEA_ERROR, FOVEA_ERROR_FILE);
  g_rmdir (files->sidecar);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/settings/literals", test_literals);
  g_test_add_func ("/settings/damaged-literals", test_damaged_literals);
  g_test_add_func ("/settings/hostile-literals", test_hostile_literals);
  g_test_add_func ("/settings/label-text", test_label_text);
  g_test_add_func ("/settings/label-json", test_label_json);
  g_test_add_func ("/settings/label-hygiene", test_label_hygiene);
  g_test_add_func ("/settings/sidecar", test_sidecar);
  g_test_add_func ("/settings/wrong-sidecars", test_wrong_sidecars);
  g_test_add_func ("/settings/shapes", test_shapes);
  g_test_add_func ("/settings/metadata", test_metadata);
  g_test_add_func ("/settings/ultralytics", test_ultralytics);
  g_test_add_func ("/settings/damaged-metadata", test_damaged_metadata);
  g_test_add ("/settings/order", Files, "['metadata', 'b']", set_up, test_order, tear_down);
  g_test_add ("/settings/list", Files, NULL, set_up, test_list, tear_down);
  g_test_add ("/settings/damaged-sidecar", Files, NULL, set_up, test_damaged_sidecar, tear_down);
  g_test_add ("/settings/odd-sidecar", Files, NULL, set_up, test_odd_sidecar, tear_down);
  return g_test_run ();
}
