/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * mask-tiles.c: a network that looks at what is near each pixel says the same in tiles as of the whole; one that looks at everything joins without steps; numbers of
 * classes aren't mixed; how far it is, and an end when it is told to; threads.
 */

#include <math.h>

#include "base/pool.h"
#include "small-graph.h"
#include "vision/mask-tiles.h"
#include "vision/masks.h"
#include "vision/photo-tiles.h"

#define TILE   128
#define WIDTH  416
#define HEIGHT 288

typedef enum { NET_NEAR, NET_WHOLE, NET_INDICES } NetKind;

static guint most_threads; /* of all pools so far; 0: one per processor */

Pool *__real_pool_new (guint n_threads, GError **error);
Pool *__wrap_pool_new (guint n_threads, GError **error);

Pool *
__wrap_pool_new (guint n_threads, GError **error)
{
  most_threads = n_threads == 0 ? G_MAXUINT : MAX (most_threads, n_threads);
  return __real_pool_new (n_threads, error);
}

/* A pattern that repeats nowhere. */
static gboolean
read_pattern (gpointer user_data, int x, int y, int width, int height, guint8 *rgb, gsize stride, GError **error)
{
  for (int row = 0; row < height; row++)
    for (int column = 0; column < width; column++)
      for (int c = 0; c < 3; c++)
        {
          guint32 mixed = ((guint32) (x + column) * 2654435761u + (guint32) (y + row) * 40503u + (guint32) c * 977u) * 2246822519u;

          rgb[(gsize) row * stride + 3 * column + c] = (guint8) ((mixed >> 24) / 3 + (guint32) (80 + 40 * sin ((x + column) / 37.0) + 40 * cos ((y + row) / 23.0)));
        }
  return TRUE;
}

static Value *
add_conv (Graph *graph, Value *x, const char *name, int out, int in, int stride, guint seed)
{
  const gint64      pads[4] = { 1, 1, 1, 1 }, strides[2] = { stride, stride };
  FoveaShape        shape = { 4, { out, in, 3, 3 } };
  g_autofree float *weights = g_new (float, 9 * out * in);
  Value            *y;

  for (int i = 0; i < 9 * out * in; i++)
    weights[i] = (float) sin ((seed + 1.0) * (i + 1) * 1.7) / (3.0f * in);
  y = small_graph_add_node (graph, "Conv", x, small_graph_add_floats (graph, name, &shape, weights));
  node_set_ints (y->producer, "pads", pads, 4);
  node_set_ints (y->producer, "strides", strides, 2);
  return y;
}

/* Three convolutions, the second halves: classes at half the input's size. */
static FoveaModel *
make_model (NetKind kind, int width, int height)
{
  FoveaShape in = { 4, { 1, 3, height, width } }, out = { 4, { 1, 2, height / 2, width / 2 } };
  Graph     *graph = small_graph_new ();
  Value     *y = add_conv (graph, small_graph_add_input (graph, "x", &in), "a", 4, 3, 1, 1);

  y = add_conv (graph, small_graph_add_node (graph, "Relu", y, NULL), "b", 4, 4, 2, 2);
  if (kind == NET_WHOLE)
    y = small_graph_add_node (graph, "Add", y, small_graph_add_node (graph, "GlobalAveragePool", y, NULL));
  y = add_conv (graph, y, "c", 2, 4, 1, 3);
  if (kind == NET_INDICES)
    {
      y = small_graph_add_node (graph, "ArgMax", y, NULL);
      node_set_int (y->producer, "axis", 1);
      out.dims[1] = 1;
    }
  return model_new_for_graph (small_graph_finish (graph, y, &out), "tiles");
}

static FoveaSettings *
make_settings (NetKind kind, int width, int height)
{
  FoveaSettings *settings = g_new0 (FoveaSettings, 1);

  settings->task = FOVEA_TASK_SEGMENT;
  settings->family = g_strdup (kind == NET_INDICES ? "semantic-indices" : "semantic");
  settings->width = width;
  settings->height = height;
  settings->filter = FOVEA_FILTER_BILINEAR;
  settings->activation = FOVEA_ACTIVATION_AUTO;
  settings->crop_scale = settings->range = 1;
  settings->channels = 3;
  settings->std[0] = settings->std[1] = settings->std[2] = 1;
  settings->labels = g_strsplit ("rough,smooth", ",", -1);
  settings->n_labels = 2;
  return settings;
}

static FoveaMasks *
look (NetKind kind, int width, int height, int tiles, GCancellable *cancellable, FoveaProgress progress, gpointer user_data, GError **error)
{
  g_autoptr (FoveaModel)     model = make_model (kind, width, height);
  g_autoptr (FoveaSettings)  settings = make_settings (kind, width, height);
  g_autoptr (FoveaSegmenter) segmenter = fovea_segmenter_new (model, settings, 1, NULL);
  FoveaPhoto                 photo = { WIDTH, HEIGHT, read_pattern, NULL };

  g_assert_nonnull (segmenter);
  return fovea_segmenter_run (segmenter, &photo, tiles, cancellable, progress, user_data, error);
}

static void
compare (NetKind kind, double tolerance)
{
  g_autoptr (FoveaMasks) whole = look (kind, WIDTH, HEIGHT, 1, NULL, NULL, NULL, NULL), tiled = look (kind, TILE, TILE, 8, NULL, NULL, NULL, NULL);
  gsize                  n;

  g_assert_nonnull (whole);
  g_assert_nonnull (tiled);
  g_assert_cmpuint (fovea_masks_count (whole), ==, 2);
  g_assert_cmpuint (fovea_masks_count (tiled), ==, 2);
  g_assert_cmpint (tiled->stack->width, ==, WIDTH / 2);
  g_assert_cmpint (tiled->stack->height, ==, HEIGHT / 2);
  n = 2 * (gsize) (WIDTH / 2) * (HEIGHT / 2);
  for (gsize i = 0; i < n; i++)
    g_assert_cmpfloat_with_epsilon (tiled->stack->shares[i], whole->stack->shares[i], tolerance);
}

static void
test_near (void)
{
  compare (NET_NEAR, 1e-5);
}

static void
test_indices (void)
{
  compare (NET_INDICES, 1e-6);
}

/* The greatest step from a pixel to the next. */
static double
find_step (const MaskStack *stack)
{
  double greatest = 0.0;

  for (int y = 0; y < stack->height; y++)
    for (int x = 1; x < stack->width; x++)
      greatest = MAX (greatest, fabs (stack->shares[y * stack->width + x] - stack->shares[y * stack->width + x - 1]));
  return greatest;
}

/* Each tile has a mean of its own: the answers differ, but pass into each other. */
static void
test_whole (void)
{
  g_autoptr (FoveaMasks) whole = look (NET_WHOLE, WIDTH, HEIGHT, 1, NULL, NULL, NULL, NULL), tiled = look (NET_WHOLE, TILE, TILE, 8, NULL, NULL, NULL, NULL);

  g_assert_cmpint (tiled->stack->width, ==, WIDTH / 2);
  g_assert_cmpfloat (find_step (tiled->stack), <, 1.1 * find_step (whole->stack) + 0.01);
}

/* By itself only what looks at what is near gets tiles. */
static void
test_auto (void)
{
  g_autoptr (FoveaMasks) near = look (NET_NEAR, TILE, TILE, 0, NULL, NULL, NULL, NULL), whole = look (NET_WHOLE, TILE, TILE, 0, NULL, NULL, NULL, NULL);

  g_assert_cmpint (near->stack->width, >, TILE / 2);
  g_assert_cmpint (whole->stack->width, ==, TILE / 2);
}

typedef struct
{
  GCancellable *cancellable;
  double        stop, last;
} Watch;

static void
on_progress (double fraction, gpointer data)
{
  Watch *watch = data;

  g_assert_cmpfloat (fraction, >=, watch->last);
  g_assert_cmpfloat (fraction, <=, 1.0);
  watch->last = fraction;
  if (fraction >= watch->stop)
    {
      g_assert_false (g_cancellable_is_cancelled (watch->cancellable));
      g_cancellable_cancel (watch->cancellable);
    }
}

static void
test_cancel (void)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError)       error = NULL;
  Watch                    watch = { cancellable, 2.0, 0.0 };
  g_autoptr (FoveaMasks)   done = look (NET_NEAR, TILE, TILE, 8, cancellable, on_progress, &watch, NULL);

  g_assert_nonnull (done);
  g_assert_cmpfloat (watch.last, >, 0.95);
  watch = (Watch) { cancellable, 0.5, 0.0 };
  g_assert_null (look (NET_NEAR, TILE, TILE, 8, cancellable, on_progress, &watch, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

/* Who looks at many photos at once gives each network one thread: the masks that are made of its answer have no more, or they would be in each other's way. */
static void
test_threads (void)
{
  const FoveaMaskOptions options = { .threshold = 0.5, .softness = 1.0, .refine = TRUE };
  const gsize            which = 0;
  g_autoptr (FoveaMasks) masks = NULL;
  g_autoptr (FoveaMask)  mask = NULL;

  most_threads = 0;
  masks = look (NET_NEAR, TILE, TILE, 1, NULL, NULL, NULL, NULL);
  mask = fovea_mask_new (masks, &which, 1, &options, NULL);
  g_assert_nonnull (mask);
  g_assert_true (fovea_mask_find_hair (mask, 10, NULL, NULL, NULL, NULL));
  g_assert_cmpuint (most_threads, ==, 1);
}

/* Neighbours have enough in common, places are whole steps, nothing is left out. */
static void
test_cover (void)
{
  for (int width = 32; width < 700; width++)
    {
      int                step = width % 32 ? 1 : 32, end = 0;
      g_autoptr (GArray) tiles = photo_tiles_cover (width, 50, 96, 96, 20, step);

      for (guint i = 0; i < tiles->len; i++)
        {
          const PhotoTile *tile = &g_array_index (tiles, PhotoTile, i);

          g_assert_cmpint (tile->height, ==, 50);
          g_assert_cmpint (tile->x % step, ==, 0);
          g_assert_true (i == 0 ? tile->x == 0 : tile->x + 20 <= end);
          end = tile->x + tile->width;
        }
      g_assert_cmpint (end, ==, width);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/mask-tiles/cover", test_cover);
  g_test_add_func ("/mask-tiles/near", test_near);
  g_test_add_func ("/mask-tiles/indices", test_indices);
  g_test_add_func ("/mask-tiles/whole", test_whole);
  g_test_add_func ("/mask-tiles/auto", test_auto);
  g_test_add_func ("/mask-tiles/cancel", test_cancel);
  g_test_add_func ("/mask-tiles/threads", test_threads);
  return g_test_run ();
}
