/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * nms.c: which boxes stay where they overlap: by class, over all, soft; against the plain definition on random boxes.
 */

#include "vision/nms.h"

static Box
make_box (float left, float top, float right, float bottom, float score, int label)
{
  return (Box) { left, top, right, bottom, score, label, 0 };
}

static void
test_overlap (void)
{
  Box a = make_box (0, 0, 10, 10, 1, 0), half = make_box (5, 0, 15, 10, 1, 0), apart = make_box (10, 0, 20, 10, 1, 0), empty = make_box (3, 3, 3, 9, 1, 0);

  g_assert_cmpfloat_with_epsilon (nms_overlap (&a, &a), 1, 1e-9);
  g_assert_cmpfloat_with_epsilon (nms_overlap (&a, &half), 50.0 / 150, 1e-9);
  g_assert_cmpfloat (nms_overlap (&a, &apart), ==, 0);
  g_assert_cmpfloat (nms_overlap (&a, &empty), ==, 0);
  g_assert_cmpfloat (nms_overlap (&empty, &empty), ==, 0);
}

static void
test_kinds (void)
{
  const Box boxes[] = { make_box (0, 0, 10, 10, 0.9f, 0), make_box (1, 0, 11, 10, 0.8f, 0), make_box (0, 1, 10, 11, 0.7f, 1), make_box (50, 50, 60, 60, 0.2f, 0) };
  Box       kept[4];

  g_assert_cmpuint (nms_suppress (boxes, 4, FOVEA_SUPPRESS_CLASS, 0.45, 0.1, 10, kept), ==, 3);
  g_assert_cmpfloat (kept[1].score, ==, 0.7f);
  g_assert_cmpuint (nms_suppress (boxes, 4, FOVEA_SUPPRESS_ALL, 0.45, 0.1, 10, kept), ==, 2);
  g_assert_cmpuint (nms_suppress (boxes, 4, FOVEA_SUPPRESS_ALL, 1, 0.1, 10, kept), ==, 4);
  g_assert_cmpuint (nms_suppress (boxes, 4, FOVEA_SUPPRESS_CLASS, 0.45, 0.3, 10, kept), ==, 2);
  g_assert_cmpuint (nms_suppress (boxes, 4, FOVEA_SUPPRESS_CLASS, 0.45, 0.1, 1, kept), ==, 1);
  g_assert_cmpuint (nms_suppress (boxes, 0, FOVEA_SUPPRESS_SOFT, 0.45, 0.1, 10, kept), ==, 0);

  /* 0.8 exp (-(90/110)² / 0.5) = 0.21 */
  g_assert_cmpuint (nms_suppress (boxes, 4, FOVEA_SUPPRESS_SOFT, 0.45, 0.15, 10, kept), ==, 4);
  g_assert_cmpfloat_with_epsilon (kept[2].score, 0.8 * exp (-(90.0 / 110) * (90.0 / 110) / 0.5), 1e-5);
  g_assert_cmpuint (nms_suppress (boxes, 4, FOVEA_SUPPRESS_SOFT, 0.45, 0.205, 10, kept), ==, 3);
}

/* What stays must be as the definition says: each box that stays overlaps no better one that stays; each that went overlaps one. */
static void
test_random (void)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (3);

  for (int round = 0; round < 50; round++)
    {
      Box   boxes[200], kept[200];
      gsize n_kept, k = 0;

      for (int i = 0; i < 200; i++)
        {
          float x = (float) g_rand_double_range (rand, 0, 60), y = (float) g_rand_double_range (rand, 0, 60);

          boxes[i] = make_box (x, y, x + (float) g_rand_double_range (rand, 1, 40), y + (float) g_rand_double_range (rand, 1, 40), 1 - i / 250.0f,
                               g_rand_int_range (rand, 0, 3));
        }
      n_kept = nms_suppress (boxes, 200, FOVEA_SUPPRESS_CLASS, 0.4, 0.25, 200, kept);
      for (int i = 0; i < 200 && boxes[i].score >= 0.25; i++)
        {
          gboolean overlaps = FALSE, stayed = k < n_kept && kept[k].score == boxes[i].score;

          for (gsize j = 0; j < k; j++)
            overlaps |= kept[j].label == boxes[i].label && nms_overlap (&kept[j], &boxes[i]) > 0.4;
          g_assert_true (stayed != overlaps);
          k += stayed;
        }
      g_assert_cmpuint (k, ==, n_kept);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/nms/overlap", test_overlap);
  g_test_add_func ("/nms/kinds", test_kinds);
  g_test_add_func ("/nms/random", test_random);
  return g_test_run ();
}
