/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * locator.c: from a photo to objects: where boxes lie for each way of resizing, tiles, choosing without running again, cancelling, rough boxes of a classifier,
 * and models that have no boxes. The network is a small one of our own whose boxes are known.
 */

#include <math.h>

#include "small-graph.h"
#include "vision/activation-map.h"
#include "vision/candidates.h"
#include "vision/photo-tiles.h"

/* ---- tiles ------------------------------------------------------------------------------------------------------------------------------ */

/* Every tile lies inside, they cover all, and neighbours overlap by about a quarter, so that something small is whole in one. */
static void
check_tiles (int width, int height, int tiles, gboolean pyramid)
{
  g_autoptr (GArray) list = photo_tiles_new (width, height, tiles, pyramid, 416);
  const PhotoTile *first = &g_array_index (list, PhotoTile, 0);

  g_assert_true (first->whole && first->width == width && first->height == height);
  if (list->len == 1)
    return;
  for (int i = 0; i < 200; i++)
    {
      const PhotoTile *last = &g_array_index (list, PhotoTile, list->len - 1);
      int              size = MAX (MIN (last->width, last->height) / 6, 1);
      int              x = g_test_rand_int_range (0, width - size + 1), y = g_test_rand_int_range (0, height - size + 1);
      gboolean         whole = FALSE;

      for (guint k = 1; k < list->len; k++)
        {
          const PhotoTile *tile = &g_array_index (list, PhotoTile, k);

          g_assert_true (tile->x >= 0 && tile->y >= 0 && tile->width >= 1 && tile->height >= 1);
          g_assert_true (tile->x + tile->width <= width && tile->y + tile->height <= height && !tile->whole);
          whole |= !photo_tiles_cuts (tile, width, height, x, y, x + size, y + size) && x >= tile->x && y >= tile->y && x + size <= tile->x + tile->width &&
                   y + size <= tile->y + tile->height;
        }
      if (MIN (last->width, last->height) > 20)
        g_assert_true (whole);
    }
}

static void
test_tiles (void)
{
  static const int sizes[][2] = { { 4000, 3000 }, { 300, 4000 }, { 20000, 1500 }, { 640, 640 }, { 97, 1009 } };

  for (gsize i = 0; i < G_N_ELEMENTS (sizes); i++)
    for (int tiles = 0; tiles <= 5; tiles++)
      {
        check_tiles (sizes[i][0], sizes[i][1], tiles, FALSE);
        check_tiles (sizes[i][0], sizes[i][1], tiles, TRUE);
      }
  check_tiles (1, 1, 32, TRUE);
  check_tiles (3, 1, 1000, FALSE);
}

/* ---- a network whose answer is known ----------------------------------------------------------------------------------------------------- */

/* (1, 3, 32, 32) in; out (1, 2, 6), "yolo-end2end": a box of the network's own pixels 8 … 24 by 4 … 12 of class 1, scored by the mean of the input (0 to
 * 1), and one of class 0 at its top left, scored half of that. */
static FoveaModel *
make_detector (void)
{
  static const float rows[12] = { 8, 4, 24, 12, 0, 1, 0, 0, 4, 4, 0, 0 }, weights[12] = { 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0.5f, 0 };
  const FoveaShape   photo = { 4, { 1, 3, 32, 32 } }, table = { 3, { 1, 2, 6 } };
  Graph             *graph = small_graph_new ();
  Value             *x = small_graph_add_input (graph, "x", &photo), *mean, *score;

  mean = small_graph_add_node (graph, "ReduceMean", x, NULL);
  node_set_int (mean->producer, "keepdims", 0);
  score = small_graph_add_node (graph, "Mul", small_graph_add_floats (graph, "w", &table, weights), mean);
  small_graph_finish (graph, small_graph_add_node (graph, "Add", score, small_graph_add_floats (graph, "b", &table, rows)), &table);
  return model_new_for_graph (graph, "known");
}

static FoveaSettings *
make_settings (FoveaResize resize)
{
  FoveaSettings *settings = g_new0 (FoveaSettings, 1);

  settings->task = FOVEA_TASK_DETECT;
  settings->family = g_strdup ("yolo-end2end");
  settings->width = settings->height = 32;
  settings->resize = resize;
  settings->filter = FOVEA_FILTER_BILINEAR;
  settings->crop_scale = 1;
  settings->channels = 3;
  settings->range = 1;
  settings->threshold = 0.3;
  settings->overlap = 0.5;
  settings->std[0] = settings->std[1] = settings->std[2] = 1;
  settings->labels = g_strsplit ("dot,Bar", ",", -1);
  settings->n_labels = 2;
  return settings;
}

typedef struct
{
  int value;       /* of all pixels */
  int n_reads;
  int fail_after;  /* reads; -1: never */
  GCancellable *cancel; /* after the first read */
} Source;

static gboolean
read_gray (gpointer user_data, int x, int y, int width, int height, guint8 *rgb, gsize row_stride, GError **error)
{
  Source *source = user_data;

  if (source->n_reads++ == source->fail_after)
    {
      g_set_error_literal (error, FOVEA_ERROR, FOVEA_ERROR_FILE, "gone");
      return FALSE;
    }
  if (source->cancel)
    g_cancellable_cancel (source->cancel);
  for (int row = 0; row < height; row++)
    memset (rgb + row * row_stride, source->value, (gsize) width * 3);
  return TRUE;
}

static FoveaLocator *
make_locator (FoveaResize resize)
{
  g_autoptr (FoveaModel) model = make_detector ();
  g_autoptr (FoveaSettings) settings = make_settings (resize);
  g_autoptr (GError) error = NULL;
  FoveaLocator *locator = fovea_locator_new (model, settings, 1, &error);

  g_assert_no_error (error);
  return locator;
}

static void
test_places (void)
{
  /* A photo of 64 x 128; where the box 8 … 24 x 4 … 12 of the input lies in it. */
  static const struct
  {
    FoveaResize resize;
    double      box[4];
  } cases[] = {
    { FOVEA_RESIZE_STRETCH, { 16, 16, 32, 32 } },
    { FOVEA_RESIZE_LETTERBOX, { 0, 16, 64, 32 } },        /* the photo lies in columns 8 … 24 */
    { FOVEA_RESIZE_LETTERBOX_CORNER, { 32, 16, 32, 32 } }, /* in columns 0 … 16: what is beyond is cut */
    { FOVEA_RESIZE_SHORTEST_CROP, { 16, 40, 32, 16 } },   /* rows 16 … 48 of 64 are seen */
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (FoveaLocator) locator = make_locator (cases[i].resize);
      Source     source = { 255, 0, -1, NULL };
      FoveaPhoto photo = { 64, 128, read_gray, &source };
      g_autoptr (GError) error = NULL;
      g_autoptr (FoveaCandidates) candidates = fovea_locator_run (locator, &photo, 1, FALSE, NULL, NULL, NULL, &error);
      g_autoptr (FoveaObjects) objects = NULL;

      g_assert_no_error (error);
      objects = fovea_candidates_select (candidates, NULL, &error);
      g_assert_cmpuint (objects->n, >=, 1);
      g_test_message ("%d: %g %g %g %g", cases[i].resize, objects->objects[0].x, objects->objects[0].y, objects->objects[0].width, objects->objects[0].height);
      g_assert_cmpstr (objects->objects[0].label, ==, "Bar");
      g_assert_cmpfloat_with_epsilon (objects->objects[0].x, cases[i].box[0], 1e-4);
      g_assert_cmpfloat_with_epsilon (objects->objects[0].y, cases[i].box[1], 1e-4);
      g_assert_cmpfloat_with_epsilon (objects->objects[0].width, cases[i].box[2], 1e-4);
      g_assert_cmpfloat_with_epsilon (objects->objects[0].height, cases[i].box[3], 1e-4);
      g_assert_false (objects->objects[0].rough);
    }
}

static gsize
count_selected (const FoveaCandidates *candidates, double threshold, const char *const *classes)
{
  FoveaSelection selection = { threshold, -1, FOVEA_SUPPRESS_CLASS, 0, classes };
  g_autoptr (FoveaObjects) objects = fovea_candidates_select (candidates, &selection, NULL);

  g_assert_nonnull (objects);
  return objects->n;
}

static void
test_selection (void)
{
  static const char *const bar[] = { "bar", NULL }, *const dot[] = { "DOT", "bar", NULL }, *const fish[] = { "fish", NULL }, *const none[] = { NULL };
  g_autoptr (FoveaLocator) locator = make_locator (FOVEA_RESIZE_STRETCH);
  Source         source = { 255, 0, -1, NULL };
  FoveaPhoto     photo = { 64, 64, read_gray, &source };
  FoveaSelection wrong = { -1, -1, FOVEA_SUPPRESS_CLASS, 0, fish };
  g_autoptr (FoveaCandidates) candidates = fovea_locator_run (locator, &photo, 1, FALSE, NULL, NULL, NULL, NULL);
  g_autoptr (GError) error = NULL;
  int n_reads = source.n_reads;

  g_assert_cmpuint (fovea_candidates_count (candidates), ==, 2);
  g_assert_cmpuint (count_selected (candidates, -1, NULL), ==, 2);
  g_assert_cmpuint (count_selected (candidates, 0.7, NULL), ==, 1);
  g_assert_cmpuint (count_selected (candidates, 1.1, NULL), ==, 0);
  g_assert_cmpuint (count_selected (candidates, -1, bar), ==, 1);
  g_assert_cmpuint (count_selected (candidates, -1, dot), ==, 2);
  g_assert_cmpuint (count_selected (candidates, -1, none), ==, 2);
  g_assert_null (fovea_candidates_select (candidates, &wrong, &error));
  g_assert_error (error, FOVEA_ERROR, FOVEA_ERROR_ARGUMENT);
  g_assert_nonnull (strstr (error->message, "fish"));
  g_assert_nonnull (strstr (error->message, "Bar"));
  g_assert_cmpint (source.n_reads, ==, n_reads);
}

static void
note_progress (double fraction, gpointer user_data)
{
  double *last = user_data;

  g_assert_cmpfloat (fraction, >=, *last);
  g_assert_cmpfloat (fraction, <=, 1);
  *last = fraction;
}

/* With two tiles along a side the same box is found in the whole and in each tile; those that a tile cuts (the dot at its corner) are left out. */
static void
test_tiled_run (void)
{
  g_autoptr (FoveaLocator) locator = make_locator (FOVEA_RESIZE_STRETCH);
  Source     source = { 255, 0, -1, NULL };
  FoveaPhoto photo = { 700, 700, read_gray, &source };
  double     last = 0;
  g_autoptr (FoveaCandidates) candidates = fovea_locator_run (locator, &photo, 2, FALSE, NULL, note_progress, &last, NULL);

  g_assert_cmpuint (fovea_candidates_count (candidates), ==, 2 + 4 + 1);
  g_assert_cmpfloat (last, ==, 1);
}

static void
test_failures (void)
{
  g_autoptr (FoveaLocator) locator = make_locator (FOVEA_RESIZE_STRETCH);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;
  Source     source = { 255, 0, 3, NULL };
  FoveaPhoto photo = { 700, 700, read_gray, &source }, empty = { 0, 5, read_gray, &source };

  g_assert_null (fovea_locator_run (locator, &photo, 2, FALSE, NULL, NULL, NULL, &error));
  g_assert_error (error, FOVEA_ERROR, FOVEA_ERROR_FILE);
  g_clear_error (&error);
  g_assert_null (fovea_locator_run (locator, &empty, 1, FALSE, NULL, NULL, NULL, &error));
  g_assert_error (error, FOVEA_ERROR, FOVEA_ERROR_ARGUMENT);
  g_clear_error (&error);
  source = (Source) { 255, 0, -1, cancellable };
  g_assert_null (fovea_locator_run (locator, &photo, 8, FALSE, cancellable, NULL, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_cmpint (source.n_reads, ==, 1);
}

/* Settings that call it something else, or nothing. */
static void
test_refusals (void)
{
  static const struct
  {
    const char *family;
    FoveaTask   task;
    const char *word;
  } cases[] = {
    { "saliency", FOVEA_TASK_SEGMENT, "use Segment" },
    { "fish", FOVEA_TASK_DETECT, "fish" },
    { NULL, FOVEA_TASK_DETECT, "known.json" },
    { "classifier", FOVEA_TASK_CLASSIFY, "known" },
    { "yunet", FOVEA_TASK_DETECT, NULL }, /* found out while running */
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (FoveaModel) model = make_detector ();
      g_autoptr (FoveaSettings) settings = make_settings (FOVEA_RESIZE_STRETCH);
      g_autoptr (GError) error = NULL;
      g_autoptr (FoveaLocator) locator = NULL;
      Source     source = { 255, 0, -1, NULL };
      FoveaPhoto photo = { 64, 64, read_gray, &source };

      g_free (settings->family);
      settings->family = g_strdup (cases[i].family);
      settings->task = cases[i].task;
      locator = fovea_locator_new (model, settings, 1, &error);
      if (locator)
        {
          g_assert_null (cases[i].word);
          g_assert_null (fovea_locator_run (locator, &photo, 1, FALSE, NULL, NULL, NULL, &error));
          g_assert_error (error, FOVEA_ERROR, FOVEA_ERROR_MODEL);
          continue;
        }
      g_assert_error (error, FOVEA_ERROR, FOVEA_ERROR_UNSUPPORTED);
      g_test_message ("%s", error->message);
      g_assert_nonnull (strstr (error->message, cases[i].word));
    }
}

/* ---- rough boxes ------------------------------------------------------------------------------------------------------------------------ */

static void
test_map_box (void)
{
  float map[6 * 4] = { 0 }, box[4];

  g_assert_false (activation_map_find_box (map, 6, 4, 0.35, 60, 40, box));
  map[1 * 6 + 3] = map[1 * 6 + 4] = 1;
  map[3 * 6 + 0] = 0.6f; /* apart: not part of the box */
  g_assert_true (activation_map_find_box (map, 6, 4, 0.5, 60, 40, box));
  g_test_message ("%g %g %g %g", box[0], box[1], box[2], box[3]);
  g_assert_cmpfloat_with_epsilon (box[0], 30, 4);
  g_assert_cmpfloat_with_epsilon (box[1], 10, 4);
  g_assert_cmpfloat_with_epsilon (box[2], 50, 4);
  g_assert_cmpfloat_with_epsilon (box[3], 20, 4);
  map[0] = NAN;
  activation_map_find_box (map, 6, 4, 0.5, 60, 40, box);
}

/* x -> GlobalAveragePool -> Flatten -> Softmax: channel c is class c. */
static FoveaModel *
make_classifier (void)
{
  const FoveaShape photo = { 4, { 1, 3, 16, 16 } }, scores = { 2, { 1, 3 } };
  Graph           *graph = small_graph_new ();
  Value           *x = small_graph_add_input (graph, "x", &photo), *pooled;

  pooled = small_graph_add_node (graph, "GlobalAveragePool", small_graph_add_node (graph, "Relu", x, NULL), NULL);
  small_graph_finish (graph, small_graph_add_node (graph, "Softmax", small_graph_add_node (graph, "Flatten", pooled, NULL), NULL), &scores);
  return model_new_for_graph (graph, "pooled");
}

/* Red in the lower right quarter. */
static gboolean
read_quarter (gpointer user_data, int x, int y, int width, int height, guint8 *rgb, gsize row_stride, GError **error)
{
  for (int row = 0; row < height; row++)
    for (int column = 0; column < width; column++)
      {
        guint8 *pixel = rgb + row * row_stride + 3 * column;

        pixel[0] = x + column >= 32 && y + row >= 32 ? 255 : 0;
        pixel[1] = pixel[2] = 0;
      }
  return TRUE;
}

static void
test_rough (void)
{
  g_autoptr (FoveaModel) model = make_classifier ();
  g_autoptr (FoveaSettings) settings = make_settings (FOVEA_RESIZE_STRETCH);
  g_autoptr (FoveaLocator) locator = NULL;
  g_autoptr (FoveaCandidates) candidates = NULL;
  g_autoptr (FoveaObjects) objects = NULL;
  g_autoptr (GError) error = NULL;
  FoveaPhoto photo = { 64, 64, read_quarter, NULL };

  settings->task = FOVEA_TASK_CLASSIFY;
  settings->activation = FOVEA_ACTIVATION_AUTO;
  settings->width = settings->height = 16;
  g_free (settings->family);
  settings->family = g_strdup ("classifier");
  g_strfreev (settings->labels);
  settings->labels = g_strsplit ("red,green,blue", ",", -1);
  settings->n_labels = 3;
  locator = fovea_locator_new (model, settings, 1, &error);
  g_assert_no_error (error);
  g_assert_true (fovea_locator_is_rough (locator));
  candidates = fovea_locator_run (locator, &photo, 4, TRUE, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
  objects = fovea_candidates_select (candidates, NULL, &error);
  g_assert_cmpuint (objects->n, ==, 1); /* nothing in the photo speaks for the others */
  g_assert_cmpstr (objects->objects[0].label, ==, "red");
  g_assert_true (objects->objects[0].rough);
  g_assert_cmpfloat_with_epsilon (objects->objects[0].x, 32, 4);
  g_assert_cmpfloat_with_epsilon (objects->objects[0].y, 32, 4);
  g_assert_cmpfloat_with_epsilon (objects->objects[0].width, 32, 4);
}

/* ---- raw outputs ------------------------------------------------------------------------------------------------------------------------------- */

/* Outputs of any type, of a network that also wants the photo's size: the photo itself, which channel is the greatest, the size, and what isn't a number. */
static void
test_raw (void)
{
  const FoveaShape          photo = { 4, { 1, 3, 32, 40 } }, pair = { 2, { 1, 2 } };
  Graph                    *graph = small_graph_new ();
  Value                    *x = small_graph_add_input (graph, "x", &photo), *size = small_graph_add_input (graph, "size", &pair), *best;
  g_autoptr (FoveaModel)    model = NULL;
  g_autoptr (FoveaSettings) settings = make_settings (FOVEA_RESIZE_STRETCH);
  g_autoptr (FoveaInput)    input = NULL;
  g_autoptr (GError)        error = NULL;
  guint8                    rows[32 * 40 * 3];
  FoveaRawOutput           *outputs;
  gsize                     n;

  small_graph_set_shape (size, FOVEA_TYPE_INT64, &pair);
  small_graph_finish (graph, small_graph_add_node (graph, "Neg", x, NULL), NULL);
  best = small_graph_add_node (graph, "ArgMax", x, NULL);
  node_set_int (best->producer, "axis", 1);
  small_graph_finish (graph, best, NULL);
  small_graph_finish (graph, small_graph_add_node (graph, "Add", size, size), NULL);
  small_graph_finish (graph, small_graph_add_node (graph, "Log", small_graph_add_node (graph, "Neg", x, NULL), NULL), NULL);
  model = model_new_for_graph (graph, "raw");
  settings->width = 40;
  for (gsize i = 0; i < sizeof rows; i++)
    rows[i] = i % 3 == 2 ? 255 : 51;
  input = fovea_input_new (settings, 40, 32, &error);
  g_assert_no_error (error);
  fovea_input_push (input, rows, 40 * 3, 32);
  outputs = fovea_model_run_raw (model, settings, input, &n, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (n, ==, 4);
  g_assert_cmpfloat_with_epsilon (outputs[0].least, -1, 1e-6);
  g_assert_cmpfloat_with_epsilon (outputs[0].most, -0.2, 1e-6);
  g_assert_cmpfloat_with_epsilon (outputs[0].mean, -1.4 / 3, 1e-6);
  g_assert_true (outputs[1].type == FOVEA_TYPE_INT64 && outputs[1].least == 2 && outputs[1].most == 2 && outputs[1].n == 32 * 40);
  g_assert_true (outputs[2].type == FOVEA_TYPE_INT64 && outputs[2].least == 64 && outputs[2].most == 80 && outputs[2].mean == 72);
  g_assert_true (outputs[3].n_strange == outputs[3].n && outputs[0].n_strange == 0);
  fovea_raw_outputs_free (outputs, n);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/locator/tiles", test_tiles);
  g_test_add_func ("/locator/places", test_places);
  g_test_add_func ("/locator/selection", test_selection);
  g_test_add_func ("/locator/tiled-run", test_tiled_run);
  g_test_add_func ("/locator/failures", test_failures);
  g_test_add_func ("/locator/refusals", test_refusals);
  g_test_add_func ("/locator/map-box", test_map_box);
  g_test_add_func ("/locator/rough", test_rough);
  g_test_add_func ("/locator/raw", test_raw);
  return g_test_run ();
}
