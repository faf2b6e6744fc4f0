/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * scene.c: what is pasted on a scene is what the other photo's mask shows, its box lies around it, and of boxes under it nothing is said any more.
 */

#include <string.h>

#include "train/scene.h"

#define SIDE    64
#define N_SEEDS 200
#define GRAY    90

/* Sample 0: all gray, with a box of class 0. Sample 1: red on blue, the red in the mask and in a box of class 1. */
typedef struct
{
  Dataset           dataset;
  SampleBox         boxes[2];
  guint8            known[2];
  Photo             photos[2];
  guint8            pixels[2][SIDE * SIDE * 3], mask[SIDE * SIDE];
  guint             order[2];
  FoveaAugmentation augmentation;
  guint8            rgb[SIDE * SIDE * 3];
  float             list[SCENE_BOXES * SCENE_NUMBERS], scene_known[2];
} Case;

static Case *
make_case (void)
{
  Case  *one = g_new0 (Case, 1);
  Sample samples[2] = { { .boxes = &one->boxes[0], .n_boxes = 1 }, { .boxes = &one->boxes[1], .n_boxes = 1, .mask = (char *) "a mask" } };

  one->boxes[0] = (SampleBox) { 0, 0.45f, 0.45f, 0.05f, 0.05f, FALSE };
  one->boxes[1] = (SampleBox) { 1, 0.25f, 0.25f, 0.5f, 0.25f, FALSE };
  memset (one->pixels[0], GRAY, sizeof one->pixels[0]);
  for (int i = 0; i < SIDE * SIDE; i++)
    {
      gboolean is_object = i % SIDE >= SIDE / 4 && i % SIDE < SIDE * 3 / 4 && i / SIDE >= SIDE / 4 && i / SIDE < SIDE / 2;

      one->mask[i] = is_object;
      one->pixels[1][3 * i + (is_object ? 0 : 2)] = 255;
    }
  for (guint i = 0; i < 2; i++)
    {
      one->photos[i] = (Photo) { SIDE, SIDE, one->pixels[i], SIDE, SIDE, i == 1 ? one->mask : NULL };
      one->order[i] = i;
      one->known[i] = 1;
    }
  one->dataset = (Dataset) { .task = FOVEA_TASK_DETECT, .n_classes = 2, .samples = g_array_new (FALSE, FALSE, sizeof (Sample)), .known = g_ptr_array_new () };
  g_array_append_vals (one->dataset.samples, samples, 2);
  g_ptr_array_add (one->dataset.known, one->known);
  one->augmentation = (FoveaAugmentation) { .crop = 1.0, .paste = 1.0 };
  return one;
}

static void
free_case (Case *one)
{
  g_array_free (one->dataset.samples, TRUE);
  g_ptr_array_free (one->dataset.known, TRUE);
  g_free (one);
}

static const Photo *
get_photo (gpointer data, guint index, gboolean *owned, GError **error)
{
  *owned = FALSE;
  return &((Case *) data)->photos[index];
}

/* The number of boxes. */
static gsize
make_scene (Case *one, guint64 seed)
{
  const ScenePhotos photos = { get_photo, NULL, one, one->order, 2 };
  Random            random = random_stream (seed, 0, 0);
  GError           *error = NULL;
  gsize             n = 0;

  memset (one->list, 0, sizeof one->list);
  g_assert_true (scene_make (&photos, &one->dataset, &one->augmentation, 0, &one->photos[0], SIDE, &random, one->rgb, one->list, one->scene_known, &error));
  g_assert_no_error (error);
  while (one->list[n * SCENE_NUMBERS + 3] > one->list[n * SCENE_NUMBERS + 1])
    n++;
  return n;
}

static gboolean
holds (const float *row, int x, int y, float margin)
{
  return (float) x + 0.5f >= row[1] - margin && (float) x + 0.5f <= row[3] + margin && (float) y + 0.5f >= row[2] - margin && (float) y + 0.5f <= row[4] + margin;
}

static void
test_cutout_lies_in_its_box (void)
{
  Case *one = make_case ();

  for (guint64 seed = 0; seed < N_SEEDS; seed++)
    {
      const float *row = one->list + SCENE_NUMBERS;

      g_assert_cmpuint (make_scene (one, seed), ==, 2);
      g_assert_cmpfloat (row[0], ==, 1.0f);
      g_assert_cmpfloat (row[1], >=, 0.0f);
      g_assert_cmpfloat (row[4], <=, (float) SIDE);
      g_assert_cmpfloat_with_epsilon ((row[3] - row[1]) / (row[4] - row[2]), 2.0, 0.01);
      for (int i = 0; i < SIDE * SIDE; i++)
        {
          const guint8 *pixel = one->rgb + 3 * i;

          if (holds (row, i % SIDE, i / SIDE, -2.0f)) /* the mask's border is soft */
            g_assert_true (pixel[0] == 255 && pixel[2] == 0);
          else if (!holds (row, i % SIDE, i / SIDE, 1.0f))
            g_assert_true (pixel[0] == GRAY && pixel[2] == GRAY);
        }
    }
  free_case (one);
}

static void
test_hidden_boxes_are_ignored (void)
{
  Case *one = make_case ();
  guint n_hidden = 0, n_seen = 0;

  for (guint64 seed = 0; seed < N_SEEDS; seed++)
    {
      const float *own = one->list, *row = one->list + SCENE_NUMBERS;

      make_scene (one, seed);
      if (row[1] <= own[1] && row[2] <= own[2] && row[3] >= own[3] && row[4] >= own[4])
        {
          g_assert_cmpfloat (own[0], ==, SCENE_IGNORED (0));
          n_hidden++;
        }
      else if (row[1] >= own[3] || row[3] <= own[1] || row[2] >= own[4] || row[4] <= own[2])
        {
          g_assert_cmpfloat (own[0], ==, 0.0f);
          n_seen++;
        }
    }
  g_assert_cmpuint (n_hidden, >, 0);
  g_assert_cmpuint (n_seen, >, 0);
  free_case (one);
}

/* Nothing is pasted of a mask that shows something else than the box, of a class that the scene doesn't know, without a mask, or where it isn't asked for. */
static void
test_what_is_not_pasted (void)
{
  Case *one = make_case ();

  one->augmentation.paste = 0.0;
  g_assert_cmpuint (make_scene (one, 1), ==, 1);
  one->augmentation.paste = 1.0;
  one->known[1] = 0;
  g_assert_cmpuint (make_scene (one, 1), ==, 1);
  one->known[1] = 1;
  one->boxes[1].y = 0.6f;
  g_assert_cmpuint (make_scene (one, 1), ==, 1);
  one->boxes[1].y = 0.25f;
  one->boxes[1].ignored = TRUE;
  g_assert_cmpuint (make_scene (one, 1), ==, 1);
  one->boxes[1].ignored = FALSE;
  g_assert_cmpuint (make_scene (one, 1), ==, 2);
  g_array_index (one->dataset.samples, Sample, 1).mask = NULL;
  g_assert_cmpuint (make_scene (one, 1), ==, 1);
  free_case (one);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/scene/cut-out-lies-in-its-box", test_cutout_lies_in_its_box);
  g_test_add_func ("/scene/hidden-boxes-are-ignored", test_hidden_boxes_are_ignored);
  g_test_add_func ("/scene/what-is-not-pasted", test_what_is_not_pasted);
  return g_test_run ();
}
