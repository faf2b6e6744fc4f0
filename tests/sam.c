/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * sam.c: a tiny pair of encoder and decoder: the mask lies where the prompt says, the best of several is taken, the photo is encoded once, and the other file is found.
 * The decoder draws discs around the mean of the places that belong to the thing, and only where the photo's red is above its mean.
 */

#include <glib/gstdio.h>
#include <math.h>

#include "small-graph.h"
#include "vision/masks.h"
#include "vision/sam.h"

#define SIDE   32 /* of the encoder's input */
#define WIDTH  64 /* of the photo: its lower half of the input is padding */
#define HEIGHT 32

/* White on the left, black on the right. */
static gboolean
read_halves (gpointer user_data, int x, int y, int width, int height, guint8 *rgb, gsize stride, GError **error)
{
  for (int row = 0; row < height; row++)
    for (int column = 0; column < width; column++)
      memset (rgb + (gsize) row * stride + 3 * column, x + column < WIDTH / 2 ? 255 : 0, 3);
  return TRUE;
}

static Graph *
make_encoder (void)
{
  const FoveaShape photo = { 4, { 1, 3, SIDE, SIDE } };
  Graph           *graph = small_graph_new ();
  Value           *x = small_graph_add_input (graph, "image", &photo), *y = graph_append (graph, "Identity", "image_embeddings", x, NULL);

  return small_graph_finish (graph, y, &photo);
}

static Value *
add_number (Graph *graph, float value)
{
  const FoveaShape shape = { 0, { 0 } };

  return small_graph_add_floats (graph, NULL, &shape, &value);
}

/* (1, 1, SIDE, SIDE): the column or the row of each pixel, minus the mean of the places' coordinate. */
static Value *
add_distance (Graph *graph, Value *weighted, Value *total, int axis)
{
  const FoveaShape  shape = { 4, { 1, 1, SIDE, SIDE } }, pick = { 3, { 1, 1, 2 } };
  const float       mask[2] = { axis == 0, axis == 1 };
  g_autofree float *grid = g_new (float, SIDE * SIDE);
  Value            *mean;

  for (int i = 0; i < SIDE * SIDE; i++)
    grid[i] = (float) (axis == 0 ? i % SIDE : i / SIDE);
  mean = small_graph_add_node (graph, "ReduceSum", small_graph_add_node (graph, "Mul", weighted, small_graph_add_floats (graph, NULL, &pick, mask)), NULL);
  node_set_int (mean->producer, "keepdims", 0);
  mean = small_graph_add_node (graph, "Sub", small_graph_add_floats (graph, NULL, &shape, grid), small_graph_add_node (graph, "Div", mean, total));
  return small_graph_add_node (graph, "Mul", mean, mean);
}

/* Three discs, of which the middle one is said to be the best. */
static Graph *
make_decoder (void)
{
  const FoveaShape features = { 4, { 1, 3, SIDE, SIDE } }, places = { 3, { 1, -1, 2 } }, labels = { 2, { 1, -1 } }, one = { 1, { 1 } }, size = { 1, { 2 } };
  const FoveaShape mask_input = { 4, { 1, 1, 8, 8 } }, radii = { 4, { 1, 3, 1, 1 } }, scores = { 2, { 1, 3 } }, last = { 1, { 1 } }, two = { 1, { 2 } };
  const float      squares[3] = { 9, 25, 100 }, quality[3] = { 0.3f, 0.9f, 0.5f };
  Graph           *graph = small_graph_new ();
  Value           *image = small_graph_add_input (graph, "image_embeddings", &features), *at = small_graph_add_input (graph, "point_coords", &places);
  Value           *label = small_graph_add_input (graph, "point_labels", &labels), *total, *weights, *discs, *red, *ends;
  g_autoptr (FoveaTensor) axis = fovea_tensor_new (FOVEA_TYPE_INT64, &last, NULL), starts = fovea_tensor_new (FOVEA_TYPE_INT64, &two, NULL);
  g_autoptr (FoveaTensor) axes = fovea_tensor_new (FOVEA_TYPE_INT64, &two, NULL);

  small_graph_add_input (graph, "mask_input", &mask_input);
  small_graph_add_input (graph, "has_mask_input", &one);
  ends = small_graph_add_input (graph, "orig_im_size", &size);
  *(gint64 *) axis->data = -1;
  ((gint64 *) axes->data)[0] = 2;
  ((gint64 *) axes->data)[1] = 3;
  weights = small_graph_add_node (graph, "Relu", label, NULL);
  total = small_graph_add_node (graph, "ReduceSum", weights, NULL);
  node_set_int (total->producer, "keepdims", 0);
  weights = small_graph_add_node (graph, "Mul", small_graph_add_node (graph, "Unsqueeze", weights, graph_add_constant (graph, NULL, axis)), at);
  discs = small_graph_add_node (graph, "Add", add_distance (graph, weights, total, 0), add_distance (graph, weights, total, 1));
  discs = small_graph_add_node (graph, "Sub", small_graph_add_floats (graph, NULL, &radii, squares), discs);
  red = small_graph_add_node (graph, "ReduceMax", image, NULL);
  node_set_int (red->producer, "keepdims", 1);
  red = small_graph_add_node (graph, "Mul", red, add_number (graph, 1e-6f)); /* of the photo nothing is left but that it was asked for */
  discs = small_graph_add_node (graph, "Add", discs, red);
  ends = graph_append (graph, "Cast", NULL, ends, NULL);
  node_set_int (ends->producer, "to", 7);
  discs = graph_append (graph, "Slice", "masks", discs, graph_add_constant (graph, NULL, starts));
  node_add_input (discs->producer, ends);
  node_add_input (discs->producer, graph_add_constant (graph, NULL, axes));
  small_graph_finish (graph, discs, NULL);
  red = graph_append (graph, "Add", "iou_predictions", small_graph_add_floats (graph, NULL, &scores, quality),
                      small_graph_add_node (graph, "Mul", total, add_number (graph, 0.0f)));
  return small_graph_finish (graph, red, NULL);
}

static char *
save (const char *folder, const char *name, Graph *graph)
{
  g_autoptr (FoveaModel) model = model_new_for_graph (graph, name);
  g_autoptr (GError)     error = NULL;
  char                  *path = g_build_filename (folder, name, NULL);

  fovea_model_save (model, path, &error);
  g_assert_no_error (error);
  return path;
}

static FoveaSegmenter *
load (const char *path, GError **error)
{
  g_autoptr (FoveaModel)    model = fovea_model_load (path, NULL);
  g_autoptr (FoveaSettings) settings = fovea_settings_read (model, NULL);

  g_assert_nonnull (settings);
  if (g_strcmp0 (settings->family, "sam-encoder") == 0)
    g_assert_cmpint (settings->width, ==, SIDE);
  return fovea_segmenter_new (model, settings, 1, error);
}

static void
note_progress (double fraction, gpointer data)
{
  double *least = data;

  *least = MIN (*least, fraction);
}

/* The middle of the mask and its area, in the photo's pixels. */
static void
run (FoveaSegmenter *segmenter, const FoveaPrompt *prompt, double *x, double *y, double *area, double *least)
{
  FoveaPhoto             photo = { WIDTH, HEIGHT, read_halves, NULL };
  g_autoptr (GError)     error = NULL;
  g_autoptr (FoveaMasks) masks = NULL;
  const MaskStack       *stack;
  double                 sum = 0.0;

  *least = 2.0;
  *x = *y = 0.0;
  masks = fovea_segmenter_run_prompt (segmenter, &photo, prompt, NULL, note_progress, least, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (fovea_masks_count (masks), ==, 1);
  stack = masks->stack;
  g_assert_cmpint (stack->width, ==, SIDE);
  g_assert_cmpint (stack->height, ==, SIDE / 2);
  for (int i = 0; i < stack->width * stack->height; i++)
    if (stack->shares[i] >= 0.5f)
      {
        sum += 1.0;
        *x += (i % stack->width + 0.5) * WIDTH / stack->width;
        *y += (i / stack->width + 0.5) * HEIGHT / stack->height;
      }
  *x /= sum;
  *y /= sum;
  *area = sum;
}

static void
test_pair (void)
{
  g_autofree char          *folder = g_dir_make_tmp ("fovea-sam-XXXXXX", NULL), *encoder = save (folder, "tiny.encoder.onnx", make_encoder ());
  g_autofree char          *decoder = save (folder, "tiny.decoder.onnx", make_decoder ()), *moved = g_build_filename (folder, "other.onnx", NULL);
  g_autofree char          *sidecar = g_build_filename (folder, "tiny.encoder.json", NULL);
  g_autoptr (GError)        error = NULL;
  g_autoptr (FoveaSegmenter) segmenter = load (encoder, &error), other = NULL;
  const FoveaPromptPoint    one[] = { { 20, 14, TRUE } }, several[] = { { 40, 12, TRUE }, { 44, 16, TRUE }, { 3, 3, FALSE } };
  g_autofree float         *region = g_new0 (float, WIDTH * HEIGHT);
  FoveaPhoto                photo = { WIDTH, HEIGHT, read_halves, NULL };
  double                    x, y, area, least;

  g_assert_no_error (error);
  run (segmenter, &(FoveaPrompt) { .points = one, .n_points = 1 }, &x, &y, &area, &least);
  g_assert_cmpfloat (fabs (x - 20), <, 1.1);
  g_assert_cmpfloat (fabs (y - 14), <, 1.1);
  g_assert_cmpfloat_with_epsilon (area, G_PI * 25, 8);
  g_assert_cmpfloat (least, <, 0.95); /* it was encoded … */
  run (segmenter, &(FoveaPrompt) { .points = several, .n_points = 3 }, &x, &y, &area, &least);
  g_assert_cmpfloat (fabs (x - 42), <, 1.1);
  g_assert_cmpfloat (fabs (y - 14), <, 1.1);
  g_assert_cmpfloat (least, ==, 1.0); /* … once */
  for (int i = 0; i < WIDTH * HEIGHT; i++)
    region[i] = i % WIDTH >= 30 && i % WIDTH < 50 && i / WIDTH >= 10 && i / WIDTH < 20;
  run (segmenter, &(FoveaPrompt) { .region = region, .region_width = WIDTH, .region_height = HEIGHT }, &x, &y, &area, &least);
  g_assert_cmpfloat (fabs (x - 42), <, 1.5); /* the decoder counts the second corner more than the first */
  g_assert_cmpfloat (fabs (y - 16), <, 1.5);

  g_assert_null (fovea_segmenter_run (segmenter, &photo, 1, NULL, NULL, NULL, &error));
  g_assert_error (error, FOVEA_ERROR, FOVEA_ERROR_ARGUMENT);
  g_assert_nonnull (strstr (error->message, "Click"));
  g_clear_error (&error);
  g_assert_null (fovea_segmenter_run_prompt (segmenter, &photo, &(FoveaPrompt) { 0 }, NULL, NULL, NULL, &error));
  g_assert_error (error, FOVEA_ERROR, FOVEA_ERROR_ARGUMENT);
  g_clear_error (&error);

  other = load (decoder, &error); /* from the other end */
  g_assert_no_error (error);
  run (other, &(FoveaPrompt) { .points = one, .n_points = 1 }, &x, &y, &area, &least);
  g_assert_cmpfloat (fabs (x - 20), <, 1.1);
  g_clear_pointer (&other, fovea_segmenter_free);

  g_assert_cmpint (g_rename (decoder, moved), ==, 0);
  g_assert_null (load (encoder, &error));
  g_assert_error (error, FOVEA_ERROR, FOVEA_ERROR_FILE);
  g_assert_nonnull (strstr (error->message, "partner"));
  g_clear_error (&error);
  g_assert_true (g_file_set_contents (sidecar, "{\"fovea\": {\"output\": {\"partner\": \"other.onnx\"}}}", -1, NULL));
  other = load (encoder, &error);
  g_assert_no_error (error);
  g_assert_true (g_file_set_contents (sidecar, "{\"fovea\": {\"output\": {\"partner\": \"../other.onnx\"}}}", -1, NULL));
  {
    g_autoptr (FoveaModel) model = fovea_model_load (encoder, NULL);

    g_assert_null (fovea_settings_read (model, &error));
    g_assert_nonnull (strstr (error->message, "partner"));
  }
  g_remove (sidecar);
  g_remove (moved);
  g_remove (encoder);
  g_rmdir (folder);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/sam/pair", test_pair);
  return g_test_run ();
}
