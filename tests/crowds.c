/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * crowds.c: a region of many objects teaches a detector nothing, neither that something is there nor that nothing is: from COCO's file and from a manifest to the loss.
 */

#include <glib/gstdio.h>
#include <string.h>

#include "train/dataset.h"
#include "train/loss-boxes.h"
#include "train/scene.h"

#define SIDE      64
#define N_CELLS   8 /* along a side */
#define N_CLASSES 2

/* Right of the middle is a crowd of dogs, with one dog in it that is known; another stands on the left. */
static const double dogs[2][4] = { { 8, 8, 16, 16 }, { 40, 40, 16, 16 } };

static const char coco[] =
  "{\"images\": [{\"id\": 1, \"file_name\": \"a.png\", \"width\": 64, \"height\": 64}, {\"id\": 2, \"file_name\": \"b.png\", \"width\": 64, \"height\": 64}],"
  " \"categories\": [{\"id\": 1, \"name\": \"cat\"}, {\"id\": 2, \"name\": \"dog\"}],"
  " \"annotations\": [{\"image_id\": 1, \"category_id\": 2, \"bbox\": [32, 0, 32, 64], \"iscrowd\": 1, \"segmentation\": {\"size\": [64, 64], \"counts\": [2048, 2048]}},"
  "  {\"image_id\": 1, \"category_id\": 2, \"bbox\": [8, 8, 16, 16], \"iscrowd\": 0}, {\"image_id\": 1, \"category_id\": 2, \"bbox\": [40, 40, 16, 16]},"
  "  {\"image_id\": 2, \"category_id\": 1, \"bbox\": [8, 8, 16, 16]}]}";

static const char manifest[] = "{\"file\": \"a.png\", \"boxes\": [[\"dog\", 0.125, 0.125, 0.25, 0.25], [\"dog\", 0.625, 0.625, 0.25, 0.25]], \"crowd\": [[\"dog\", 0.5, 0.0, 0.5, 1.0]]}\n"
                               "{\"file\": \"b.png\", \"boxes\": [[\"cat\", 0.125, 0.125, 0.25, 0.25]]}\n";

static const struct { const char *file, *text; } layouts[] = { { "annotations.json", coco }, { "manifest.jsonl", manifest } };

static Dataset *
load (const char *file, const char *text)
{
  g_autofree char   *folder = g_dir_make_tmp ("crowds-XXXXXX", NULL), *labels = g_build_filename (folder, file, NULL);
  g_autofree char   *one = g_build_filename (folder, "a.png", NULL), *other = g_build_filename (folder, "b.png", NULL);
  g_autoptr (GError) error = NULL;
  Dataset           *dataset;

  g_assert_true (g_file_set_contents (labels, text, -1, NULL) && g_file_set_contents (one, "", 0, NULL) && g_file_set_contents (other, "", 0, NULL));
  dataset = dataset_load (folder, FOVEA_TASK_DETECT, &(DatasetSettings) { 0 }, &error);
  g_assert_no_error (error);
  g_assert_cmpint (g_remove (labels) | g_remove (one) | g_remove (other) | g_rmdir (folder), ==, 0);
  return dataset;
}

static gboolean
holds (const double box[4], double x, double y)
{
  return x > box[0] && x < box[0] + box[2] && y > box[1] && y < box[1] + box[3];
}

/* What a network that knows nothing learns from the list: in the crowd only that of the dog. */
static void
check_list (const float *list)
{
  float      values[(4 + N_CLASSES) * N_CELLS * N_CELLS] = { 0 }, gradients[G_N_ELEMENTS (values)];
  BoxGrid    grid = { values, gradients, N_CELLS, N_CELLS, (double) SIDE / N_CELLS };
  CellTarget targets[N_CELLS * N_CELLS];
  float      known[N_CLASSES] = { 1.0f, 1.0f };
  guint      n_taught[2] = { 0 };

  box_grids_assign (&grid, 1, 0, N_CLASSES, list, targets);
  loss_boxes (&grid, 1, 1, N_CLASSES, targets, list, known, BOX_LOSS_CIOU);
  for (guint i = 0; i < G_N_ELEMENTS (targets); i++)
    {
      double   x = (i % N_CELLS + 0.5) * SIDE / N_CELLS, y = (i / N_CELLS + 0.5) * SIDE / N_CELLS;
      gboolean in_crowd = x > SIDE / 2.0, is_dog = holds (dogs[in_crowd], x, y);

      n_taught[in_crowd] += is_dog && gradients[i] != 0.0f;
      for (guint k = 0; k < 4 && !is_dog; k++)
        g_assert_cmpfloat (gradients[k * G_N_ELEMENTS (targets) + i], ==, 0.0f);
      for (guint c = 0; c < N_CLASSES && !is_dog; c++)
        if (in_crowd)
          g_assert_cmpfloat (gradients[(4 + c) * G_N_ELEMENTS (targets) + i], ==, 0.0f);
        else
          g_assert_cmpfloat (gradients[(4 + c) * G_N_ELEMENTS (targets) + i], >, 0.0f);
    }
  g_assert_true (n_taught[0] > 0 && n_taught[1] > 0);
}

static const Photo *
get_photo (gpointer data, guint index, gboolean *owned, GError **error)
{
  *owned = FALSE;
  return data;
}

static void
test_nothing_is_learned (gconstpointer data)
{
  guint               layout = GPOINTER_TO_UINT (data), order[] = { 0, 1 };
  g_autoptr (Dataset) dataset = load (layouts[layout].file, layouts[layout].text);
  static guint8       pixels[SIDE * SIDE * 3], rgb[SIDE * SIDE * 3];
  static float        list[SCENE_BOXES * SCENE_NUMBERS];
  Photo               photo = { SIDE, SIDE, pixels, 0, 0, NULL };
  const ScenePhotos   photos = { get_photo, NULL, &photo, order, 2 };
  FoveaAugmentation   none = { .crop = 1.0 };
  Random              random = random_stream (1, 0, 0);
  float               known[N_CLASSES];
  gsize               n = 0;

  g_assert_cmpuint (dataset_count_boxes (dataset, SPLIT_TRAIN, 0), ==, 1);
  g_assert_cmpuint (dataset_count_boxes (dataset, SPLIT_TRAIN, 1), ==, 2);
  memset (list, 0, sizeof list);
  scene_add_boxes (&g_array_index (dataset->samples, Sample, 0), (double[]) { SIDE, SIDE }, (double[]) { 0, 0 }, list, &n);
  g_assert_cmpuint (n, ==, 3);
  check_list (list);
  memset (list, 0, sizeof list);
  g_assert_true (scene_make (&photos, dataset, &none, 0, &photo, SIDE, &random, rgb, list, known, NULL));
  check_list (list);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (layouts); i++)
    {
      g_autofree char *name = g_strconcat ("/crowds/", layouts[i].file, NULL);

      g_test_add_data_func (name, GUINT_TO_POINTER (i), test_nothing_is_learned);
    }
  return g_test_run ();
}
