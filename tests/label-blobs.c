/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * label-blobs.c: blobs from rows of runs are those that flood filling finds, in the order of their first pixels; rows in parts and with gaps.
 */

#include "label-blobs.h"

#define WIDTH  37
#define HEIGHT 29

static void
fill (guint8 *left, int x, int y, LabelBlob *blob)
{
  int right = MAX (blob->x + blob->width, x + 1), bottom = MAX (blob->y + blob->height, y + 1);

  left[y * WIDTH + x] = 0;
  blob->x = MIN (blob->x, x);
  blob->y = MIN (blob->y, y);
  blob->width = right - blob->x;
  blob->height = bottom - blob->y;
  blob->pixels++;
  for (int v = MAX (y - 1, 0); v <= MIN (y + 1, HEIGHT - 1); v++)
    for (int u = MAX (x - 1, 0); u <= MIN (x + 1, WIDTH - 1); u++)
      if (left[v * WIDTH + u])
        fill (left, u, v, blob);
}

static void
check (const guint8 *painted, const LabelBlob *blob, guint i, guint8 *left)
{
  LabelBlob expected = { WIDTH, HEIGHT, 0, 0, 0 };
  int       first = 0;

  while (first < WIDTH * HEIGHT && !left[first])
    first++;
  g_assert_cmpint (first, <, WIDTH * HEIGHT);
  expected.x = first % WIDTH;
  expected.y = first / WIDTH;
  fill (left, expected.x, expected.y, &expected);
  g_assert_cmpint (blob->x, ==, expected.x);
  g_assert_cmpint (blob->y, ==, expected.y);
  g_assert_cmpint (blob->width, ==, expected.width);
  g_assert_cmpint (blob->height, ==, expected.height);
  g_assert_cmpuint (blob->pixels, ==, expected.pixels);
}

static void
test_random (void)
{
  for (guint32 seed = 0; seed < 300; seed++)
    {
      g_autoptr (GRand)      random = g_rand_new_with_seed (seed);
      g_autoptr (LabelBlobs) blobs = label_blobs_new ();
      g_autoptr (GArray)     list = NULL;
      guint8                 painted[WIDTH * HEIGHT], left[WIDTH * HEIGHT];
      double                 density = g_rand_double_range (random, 0, 0.7);

      for (int i = 0; i < WIDTH * HEIGHT; i++)
        left[i] = painted[i] = g_rand_double (random) < density;
      for (int y = 0; y < HEIGHT; y++)
        label_blobs_add_row (blobs, 0, y, painted + y * WIDTH, WIDTH);
      list = label_blobs_list (blobs);
      for (guint i = 0; i < list->len; i++)
        check (painted, &g_array_index (list, LabelBlob, i), i, left);
      for (int i = 0; i < WIDTH * HEIGHT; i++)
        g_assert_false (left[i]);
    }
}

/* A row that is left out is empty; a layer may begin anywhere. */
static void
test_gap (void)
{
  g_autoptr (LabelBlobs) blobs = label_blobs_new ();
  g_autoptr (GArray)     list = NULL;
  const guint8           row[] = { 1, 1, 0, 1 };

  label_blobs_add_row (blobs, -2, -5, row, 4);
  label_blobs_add_row (blobs, -2, -3, row, 4);
  list = label_blobs_list (blobs);
  g_assert_cmpuint (list->len, ==, 4);
  g_assert_cmpint (g_array_index (list, LabelBlob, 0).x, ==, -2);
  g_assert_cmpint (g_array_index (list, LabelBlob, 0).y, ==, -5);
  g_assert_cmpint (g_array_index (list, LabelBlob, 3).x, ==, 1);
  g_assert_cmpint (g_array_index (list, LabelBlob, 3).height, ==, 1);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/label-blobs/random", test_random);
  g_test_add_func ("/label-blobs/gap", test_gap);
  return g_test_run ();
}
