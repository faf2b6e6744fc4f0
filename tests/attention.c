/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * attention.c: classifiers on small networks whose answers are plain to see: what they name, where they look, what is refused.
 *
 * All networks look at photos whose left half is red and whose right half is blue.
 */

#include <string.h>

#include "small-graph.h"

#define SIDE 16

/* ---- networks --------------------------------------------------------------------------------------------------------------------------- */

/* The input and a convolution of one point: channel 0 is red, channel 1 blue. */
static Value *
add_colours (Graph *graph)
{
  static const float weights[] = { 1, 0, 0, 0, 0, 1 };
  FoveaShape shape = { 4, { 1, 3, SIDE, SIDE } }, weight_shape = { 4, { 2, 3, 1, 1 } };
  Value     *x = small_graph_add_input (graph, "x", &shape);

  return small_graph_add_node (graph, "Conv", x, small_graph_add_floats (graph, "colours", &weight_shape, weights));
}

static const FoveaShape two_scores = { 2, { 1, 2 } }, three_scores = { 2, { 1, 3 } };

/* ResNet's end: class 0 is red, class 1 blue, class 2 both. `transposed`: weights as MatMul has them. */
static Graph *
make_pooled (gboolean transposed, gboolean reduce)
{
  static const float rows[] = { 1, 0, 0, 1, 1, 1 }, columns[] = { 1, 0, 1, 0, 1, 1 };
  static const gint64 axes[] = { -2, -1 };
  Graph     *graph = small_graph_new ();
  FoveaShape shape = transposed ? (FoveaShape) { 2, { 2, 3 } } : (FoveaShape) { 2, { 3, 2 } };
  Value     *pooled = small_graph_add_node (graph, reduce ? "ReduceMean" : "GlobalAveragePool", add_colours (graph), NULL), *flat, *out;

  if (reduce)
    node_set_ints (pooled->producer, "axes", axes, 2);
  flat = small_graph_add_node (graph, "Flatten", pooled, NULL);
  out = small_graph_add_node (graph, transposed ? "MatMul" : "Gemm", flat, small_graph_add_floats (graph, "linear", &shape, transposed ? columns : rows));
  if (!transposed)
    node_set_int (out->producer, "transB", 1);
  return small_graph_finish (graph, out, &three_scores);
}

/* MobileNetV2's end: the linear layer is a convolution of one point. */
static Graph *
make_convolved (void)
{
  static const float rows[] = { 1, 0, 0, 1, 1, 1 };
  Graph     *graph = small_graph_new ();
  FoveaShape weight_shape = { 4, { 3, 2, 1, 1 } }, shape = { 4, { 1, 3, 1, 1 } };
  Value     *pooled = small_graph_add_node (graph, "GlobalAveragePool", add_colours (graph), NULL);

  return small_graph_finish (graph, small_graph_add_node (graph, "Conv", pooled, small_graph_add_floats (graph, "linear", &weight_shape, rows)), &shape);
}

/* SqueezeNet's end: the channels are the classes. */
static Graph *
make_average (void)
{
  static const gint64 kernel[] = { SIDE, SIDE };
  Graph *graph = small_graph_new ();
  Value *pooled = small_graph_add_node (graph, "AveragePool", add_colours (graph), NULL), *flat;

  node_set_ints (pooled->producer, "kernel_shape", kernel, 2);
  flat = small_graph_add_node (graph, "Flatten", pooled, NULL);
  return small_graph_finish (graph, small_graph_add_node (graph, "Softmax", flat, NULL), &two_scores);
}

/* No pooling: class 0 counts what is red at the top left, class 1 nothing at all. */
static Graph *
make_unpooled (void)
{
  g_autofree float *weights = g_new0 (float, 2 * 2 * SIDE * SIDE);
  Graph     *graph = small_graph_new ();
  FoveaShape shape = { 2, { 2 * SIDE * SIDE, 2 } };
  Value     *flat = small_graph_add_node (graph, "Flatten", add_colours (graph), NULL);

  for (int y = 0; y < SIDE / 4; y++)
    for (int x = 0; x < SIDE / 4; x++)
      weights[(y * SIDE + x) * 2] = 0.1f;
  return small_graph_finish (graph, small_graph_add_node (graph, "Gemm", flat, small_graph_add_floats (graph, "linear", &shape, weights)), &two_scores);
}

/* ---- using them ------------------------------------------------------------------------------------------------------------------------- */

static FoveaClassifier *
make_classifier (Graph *graph)
{
  g_autoptr (FoveaModel) model = model_new_for_graph (graph, "test");
  g_autoptr (FoveaSettings) settings = fovea_settings_read (model, NULL);
  g_autoptr (GError) error = NULL;
  FoveaClassifier *classifier;

  settings->resize = FOVEA_RESIZE_STRETCH;
  for (int c = 0; c < 3; c++)
    {
      settings->mean[c] = 0;
      settings->std[c] = 1;
    }
  classifier = fovea_classifier_new (model, settings, 1, &error);
  g_assert_no_error (error);
  return classifier;
}

static FoveaInput *
make_photo (FoveaClassifier *classifier)
{
  FoveaInput *input = fovea_input_new (fovea_classifier_get_settings (classifier), SIDE, SIDE, NULL);
  guint8      row[SIDE * 3] = { 0 };

  for (int x = 0; x < SIDE; x++)
    row[x * 3 + (x < SIDE / 2 ? 0 : 2)] = 255;
  fovea_input_push (input, row, 0, SIDE);
  return input;
}

static void
attend (FoveaClassifier *classifier, gsize index, const char *expected_method, float out[SIDE][SIDE])
{
  g_autoptr (FoveaInput) input = make_photo (classifier);
  g_autoptr (GError) error = NULL;
  const char *method = NULL;
  g_autoptr (FoveaTensor) map = fovea_classifier_attend (classifier, input, index, &method, NULL, NULL, NULL, &error);

  g_assert_no_error (error);
  g_assert_cmpstr (method, ==, expected_method);
  g_assert_cmpuint (map->size, ==, sizeof (float) * SIDE * SIDE);
  memcpy (out, map->data, map->size);
  for (int i = 0; i < SIDE * SIDE; i++)
    g_assert_true (out[i / SIDE][i % SIDE] >= 0 && out[i / SIDE][i % SIDE] <= 1);
}

static void
check_halves (FoveaClassifier *classifier)
{
  float map[SIDE][SIDE];

  attend (classifier, 0, "class activation", map);
  g_assert_cmpfloat (map[SIDE / 2][1], ==, 1);
  g_assert_cmpfloat (map[SIDE / 2][SIDE - 2], ==, 0);
  attend (classifier, 1, "class activation", map);
  g_assert_cmpfloat (map[SIDE / 2][1], ==, 0);
  g_assert_cmpfloat (map[SIDE / 2][SIDE - 2], ==, 1);
}

static void
test_class_activation (void)
{
  g_autoptr (FoveaClassifier) gemm = make_classifier (make_pooled (FALSE, FALSE)), matmul = make_classifier (make_pooled (TRUE, FALSE));
  g_autoptr (FoveaClassifier) reduce = make_classifier (make_pooled (FALSE, TRUE)), average = make_classifier (make_average ());
  float map[SIDE][SIDE];

  check_halves (gemm);
  check_halves (matmul);
  check_halves (reduce);
  check_halves (average);
  attend (gemm, 2, "class activation", map); /* red and blue alike: nothing to tell apart */
  g_assert_cmpfloat (map[0][0], ==, 0);
}

static void
test_convolved (void)
{
  g_autoptr (FoveaClassifier) convolved = make_classifier (make_convolved ());

  check_halves (convolved);
}

static void
note_progress (double fraction, gpointer user_data)
{
  double *last = user_data;

  g_assert_cmpfloat (fraction, >, *last);
  *last = fraction;
}

static void
test_occlusion (void)
{
  g_autoptr (FoveaClassifier) classifier = make_classifier (make_unpooled ());
  g_autoptr (FoveaInput) input = make_photo (classifier);
  g_autoptr (FoveaTensor) map = NULL;
  float  values[SIDE][SIDE];
  double last = 0;

  attend (classifier, 0, "occlusion", values);
  g_assert_cmpfloat (values[1][1], >, 0.7);
  g_assert_cmpfloat (values[SIDE - 1][1], ==, 0);
  g_assert_cmpfloat (values[1][SIDE - 1], ==, 0);
  map = fovea_classifier_attend (classifier, input, 0, NULL, NULL, note_progress, &last, NULL);
  g_assert_nonnull (map);
  g_assert_cmpfloat (last, ==, 1);
}

static void
test_cancel (void)
{
  g_autoptr (FoveaClassifier) pooled = make_classifier (make_average ()), unpooled = make_classifier (make_unpooled ());
  FoveaClassifier *both[] = { pooled, unpooled };
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();

  g_cancellable_cancel (cancellable);
  for (int i = 0; i < 2; i++)
    {
      g_autoptr (FoveaInput) input = make_photo (both[i]);
      g_autoptr (GError) error = NULL;

      g_assert_null (fovea_classifier_attend (both[i], input, 0, NULL, cancellable, NULL, NULL, &error));
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
      g_clear_error (&error);
      g_assert_null (fovea_classifier_run (both[i], input, cancellable, &error));
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
    }
}

static void
test_classes (void)
{
  g_autoptr (FoveaClassifier) classifier = make_classifier (make_pooled (FALSE, FALSE));
  g_autoptr (FoveaInput) input = make_photo (classifier), other = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (FoveaClasses) classes = fovea_classifier_run (classifier, input, NULL, &error);
  FoveaSettings *settings = fovea_settings_copy (fovea_classifier_get_settings (classifier));

  /* logits 0.5, 0.5, 1: softmax */
  g_assert_no_error (error);
  g_assert_cmpuint (classes->n, ==, 3);
  g_assert_cmpuint (classes->classes[0].index, ==, 2);
  g_assert_cmpstr (classes->classes[0].label, ==, "class 2");
  g_assert_cmpfloat_with_epsilon (classes->classes[0].score, 0.45186, 1e-4);
  g_assert_cmpuint (classes->classes[1].index, ==, 0);

  /* An input of another size, a class that isn't there. */
  settings->width = 8;
  other = fovea_input_new (settings, SIDE, SIDE, NULL);
  fovea_settings_free (settings);
  g_assert_null (fovea_classifier_run (classifier, other, NULL, &error));
  g_assert_error (error, FOVEA_ERROR, FOVEA_ERROR_ARGUMENT);
  g_clear_error (&error);
  g_assert_null (fovea_classifier_attend (classifier, input, 3, NULL, NULL, NULL, NULL, &error));
  g_assert_error (error, FOVEA_ERROR, FOVEA_ERROR_ARGUMENT);
}

/* A graph that ends in what isn't one score for each class. */
static void
check_refused (const FoveaShape *out, const char *expected)
{
  g_autoptr (FoveaModel) model = NULL;
  g_autoptr (GError) error = NULL;
  Graph *graph = small_graph_new ();
  Value *colours = add_colours (graph);

  model = model_new_for_graph (small_graph_finish (graph, small_graph_add_node (graph, "Relu", colours, NULL), out), "test");
  g_assert_null (fovea_classifier_new (model, NULL, 1, &error));
  g_assert_error (error, FOVEA_ERROR, FOVEA_ERROR_UNSUPPORTED);
  g_test_message ("%s", error->message);
  g_assert_nonnull (strstr (error->message, expected));
}

static void
test_refused (void)
{
  FoveaShape boxes = { 3, { 1, 3549, 85 } }, map = { 4, { 1, 2, SIDE, SIDE } };

  check_refused (&boxes, "is a detector (85 values for each of 3549 boxes): use Locate");
  check_refused (&map, "use Segment");
  check_refused (NULL, "use Segment"); /* known only when compiled */
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/attention/convolved", test_convolved);
  g_test_add_func ("/attention/class-activation", test_class_activation);
  g_test_add_func ("/attention/occlusion", test_occlusion);
  g_test_add_func ("/attention/cancel", test_cancel);
  g_test_add_func ("/attention/classes", test_classes);
  g_test_add_func ("/attention/refused", test_refused);
  return g_test_run ();
}
