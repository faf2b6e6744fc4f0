/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * loss-boxes.c: a detector's loss: its gradients are those that differences show, cells are assigned to the boxes that they lie in, and what isn't known isn't
 * learned.
 */

#include <math.h>
#include <string.h>

#include "train/loss-boxes.h"
#include "train/random.h"
#include "train/scene.h"

#define N_CLASSES  3
#define N_PHOTOS   2
#define SIDE       64
#define N_CHANNELS (4 + N_CLASSES)

typedef struct
{
  float   values[2][N_PHOTOS * N_CHANNELS * 64], gradients[2][N_PHOTOS * N_CHANNELS * 64]; /* grids of 8 x 8 and 4 x 4 cells */
  float   lists[N_PHOTOS][SCENE_BOXES * SCENE_NUMBERS], known[N_PHOTOS * N_CLASSES];
  BoxGrid grids[2];
} Case;

static void
add (Case *one, guint photo, guint row, float label, float left, float top, float right, float bottom)
{
  const float numbers[SCENE_NUMBERS] = { label, left, top, right, bottom };

  memcpy (one->lists[photo] + row * SCENE_NUMBERS, numbers, sizeof numbers);
}

static Case *
make_case (void)
{
  Case  *one = g_new0 (Case, 1);
  Random random = random_stream (7, 0, 0);

  for (guint g = 0; g < 2; g++)
    {
      int n = g == 0 ? 8 : 4;

      one->grids[g] = (BoxGrid) { one->values[g], one->gradients[g], n, n, (double) SIDE / n };
      for (int i = 0; i < N_PHOTOS * N_CHANNELS * n * n; i++)
        one->values[g][i] = (float) (0.5 * random_normal (&random));
    }
  for (guint i = 0; i < N_PHOTOS * N_CLASSES; i++)
    one->known[i] = 1.0f;
  add (one, 0, 0, 1.0f, 4, 6, 40, 50);
  add (one, 0, 1, 2.0f, 30, 20, 62, 60);
  add (one, 0, 2, SCENE_IGNORED (0), 0, 48, 24, 64);
  add (one, 1, 0, 0.0f, 9, 9, 11, 11); /* holds no cell's centre */
  return one;
}

static gsize
assign (Case *one, CellTarget *targets)
{
  gsize n = box_grids_count (one->grids, 2);

  for (gsize photo = 0; photo < N_PHOTOS; photo++)
    box_grids_assign (one->grids, 2, photo, N_CLASSES, one->lists[photo], targets + photo * n);
  return n;
}

static void
check_gradients (BoxLoss kind)
{
  g_autofree Case *one = make_case ();
  CellTarget       targets[N_PHOTOS * 80];
  gsize            n = assign (one, targets), n_checked = 0;

  g_assert_cmpuint (n, ==, 80);
  loss_boxes (one->grids, 2, N_PHOTOS, N_CLASSES, targets, one->lists[0], one->known, kind);
  for (guint g = 0; g < 2; g++)
    {
      g_autofree float *analytic = g_memdup2 (one->gradients[g], sizeof one->gradients[g]);

      for (gsize i = 0; i < N_PHOTOS * N_CHANNELS * (g ? 16u : 64u); i++)
        {
          const float step = 1.0f / 512;
          float       kept = one->values[g][i];
          double      above, below, slope;

          one->values[g][i] = kept + step;
          above = loss_boxes (one->grids, 2, N_PHOTOS, N_CLASSES, targets, one->lists[0], one->known, kind);
          one->values[g][i] = kept - step;
          below = loss_boxes (one->grids, 2, N_PHOTOS, N_CLASSES, targets, one->lists[0], one->known, kind);
          one->values[g][i] = kept;
          slope = (above - below) / (2.0 * step);
          g_assert_cmpfloat (fabs (slope - analytic[i]), <, 1e-3 * MAX (fabs (slope), 0.02));
          n_checked += analytic[i] != 0.0f;
        }
    }
  g_assert_cmpuint (n_checked, >, 300);
}

static void
test_gradients (void)
{
  check_gradients (BOX_LOSS_GIOU);
  check_gradients (BOX_LOSS_SMOOTH_L1);
}

static void
test_giou (void)
{
  const double truth[4] = { 10, 10, 30, 40 }, boxes[][4] = { { 12, 8, 33, 37 }, { 40, 50, 60, 55 }, { 15, 15, 20, 20 }, { 0, 0, 90, 90 }, { 12, 50, 25, 60 } };
  double       by_side[4], ignored[4];

  g_assert_cmpfloat (fabs (loss_giou (truth, truth, by_side)), <, 1e-12);
  for (guint b = 0; b < G_N_ELEMENTS (boxes); b++)
    {
      loss_giou (boxes[b], truth, by_side);
      for (int side = 0; side < 4; side++)
        {
          double moved[4], above, below;

          memcpy (moved, boxes[b], sizeof moved);
          moved[side] += 1e-5;
          above = loss_giou (moved, truth, ignored);
          moved[side] -= 2e-5;
          below = loss_giou (moved, truth, ignored);
          g_assert_cmpfloat (fabs ((above - below) / 2e-5 - by_side[side]), <, 1e-6);
        }
    }
}

/* By the paper's formula. *weight: that of the sides' ratios; NAN: it is to be found. */
static double
plain_ciou (const double a[4], const double b[4], double *weight)
{
  double both = MAX (MIN (a[2], b[2]) - MAX (a[0], b[0]), 0.0) * MAX (MIN (a[3], b[3]) - MAX (a[1], b[1]), 0.0);
  double iou = both / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - both);
  double away = pow ((a[0] + a[2] - b[0] - b[2]) / 2.0, 2) + pow ((a[1] + a[3] - b[1] - b[3]) / 2.0, 2);
  double diagonal = pow (MAX (a[2], b[2]) - MIN (a[0], b[0]), 2) + pow (MAX (a[3], b[3]) - MIN (a[1], b[1]), 2);
  double v = 4.0 / (G_PI * G_PI) * pow (atan ((b[2] - b[0]) / (b[3] - b[1])) - atan ((a[2] - a[0]) / (a[3] - a[1])), 2);

  if (isnan (*weight))
    *weight = v / (1.0 - iou + v);
  return 1.0 - iou + away / diagonal + *weight * v;
}

static void
test_ciou (void)
{
  const double truth[4] = { 10, 10, 30, 40 }, boxes[][4] = { { 12, 8, 33, 37 }, { 40, 50, 60, 55 }, { 15, 15, 20, 20 }, { 0, 0, 90, 90 }, { 12, 50, 25, 60 } };
  double       by_side[4];

  g_assert_cmpfloat (fabs (loss_ciou (truth, truth, by_side)), <, 1e-12);
  for (guint b = 0; b < G_N_ELEMENTS (boxes); b++)
    {
      double weight = NAN;

      g_assert_cmpfloat (fabs (loss_ciou (boxes[b], truth, by_side) - plain_ciou (boxes[b], truth, &weight)), <, 1e-12);
      for (int side = 0; side < 4; side++)
        {
          double moved[4], above;

          memcpy (moved, boxes[b], sizeof moved);
          moved[side] += 1e-5;
          above = plain_ciou (moved, truth, &weight);
          moved[side] -= 2e-5;
          g_assert_cmpfloat (fabs ((above - plain_ciou (moved, truth, &weight)) / 2e-5 - by_side[side]), <, 1e-6);
        }
    }
}

/* One cell that answers for one box, 2, 4, 6 and 8 strides away: what its values should be is where nothing of the boxes is lost, whichever loss. */
static void
test_right_boxes (void)
{
  g_autofree float *list = g_new0 (float, SCENE_BOXES * SCENE_NUMBERS);
  float             values[5 * 4] = { 0 }, gradient[5 * 4], known[1] = { 1.0f };
  BoxGrid           grid = { values, gradient, 2, 2, 8.0 };
  CellTarget        targets[4] = { { 0, 1.0f }, { CELL_FREE, 0.0f }, { CELL_FREE, 0.0f }, { CELL_FREE, 0.0f } };
  const float       row[SCENE_NUMBERS] = { 0, 4 - 16, 4 - 32, 4 + 48, 4 + 64 };

  memcpy (list, row, sizeof row);
  for (int side = 0; side < 4; side++)
    values[side * 4] = logf ((float) (side + 1));
  for (BoxLoss kind = BOX_LOSS_GIOU; kind <= BOX_LOSS_SMOOTH_L1; kind++)
    {
      const double truth[4] = { row[1], row[2], row[3], row[4] }, shorter[4] = { row[1], row[2], 4.0 + 48.0 * exp (-0.5), row[4] };
      double       right = loss_boxes (&grid, 1, 1, 1, targets, list, known, kind), wrong, by_side[4];

      g_assert_cmpfloat_with_epsilon (right, 4.0 * log (2.0), 1e-5); /* of four scores */
      values[8] -= 0.5f;
      wrong = loss_boxes (&grid, 1, 1, 1, targets, list, known, kind);
      g_assert_cmpfloat (gradient[8], <, -0.05f);
      if (kind == BOX_LOSS_SMOOTH_L1)
        g_assert_cmpfloat_with_epsilon (wrong - right, 5.0 * 0.125 / 4.0, 1e-5);
      else
        g_assert_cmpfloat_with_epsilon (wrong - right, 5.0 * (kind == BOX_LOSS_GIOU ? loss_giou (shorter, truth, by_side) : loss_ciou (shorter, truth, by_side)), 1e-4);
      values[8] += 0.5f;
    }
}

static void
test_assignment (void)
{
  g_autofree Case *one = make_case ();
  CellTarget       targets[N_PHOTOS * 80];
  guint            n_of[2] = { 0 }, n_ignored = 0, n_small = 0;

  assign (one, targets);
  for (guint i = 0; i < 80; i++)
    {
      int          n = i < 64 ? 8 : 4, cell = i < 64 ? (int) i : (int) i - 64;
      double       x = (cell % n + 0.5) * SIDE / n, y = (cell / n + 0.5) * SIDE / n;
      const float *row = one->lists[0] + MAX (targets[i].box, 0) * SCENE_NUMBERS;

      if (targets[i].box >= 0)
        {
          g_assert_true (x > row[1] && x < row[3] && y > row[2] && y < row[4]);
          g_assert_true (targets[i].score >= 0.0f && targets[i].score <= 1.0f);
          n_of[targets[i].box]++;
        }
      n_ignored += targets[i].box == CELL_IGNORED;
      n_small += targets[80 + i].box == 0;
    }
  g_assert_true (n_of[0] > 0 && n_of[0] <= 10 && n_of[1] > 0 && n_of[1] <= 10);
  g_assert_cmpuint (n_ignored, >, 0);
  g_assert_cmpuint (n_small, ==, 1);
  g_assert_cmpint (targets[80 + 8 + 1].box, ==, 0); /* the cell around (12, 12) is the nearest to (10, 10) */
}

/* A class that the photo's source doesn't know is taught by its boxes' cells only. */
static void
test_unknown (void)
{
  g_autofree Case *one = make_case ();
  CellTarget       targets[N_PHOTOS * 80];

  one->known[1] = 0.0f;
  assign (one, targets);
  loss_boxes (one->grids, 2, N_PHOTOS, N_CLASSES, targets, one->lists[0], one->known, BOX_LOSS_GIOU);
  for (guint i = 0; i < 64; i++)
    {
      float gradient = one->gradients[0][(4 + 1) * 64 + i], other = one->gradients[0][(4 + 2) * 64 + i];

      if (targets[i].box != 0)
        g_assert_cmpfloat (gradient, ==, 0.0f);
      else
        g_assert_cmpfloat (gradient, !=, 0.0f);
      if (targets[i].box == CELL_FREE)
        g_assert_cmpfloat (other, >, 0.0f);
      if (targets[i].box == CELL_IGNORED)
        g_assert_cmpfloat (other, ==, 0.0f);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/loss-boxes/giou", test_giou);
  g_test_add_func ("/loss-boxes/ciou", test_ciou);
  g_test_add_func ("/loss-boxes/right-boxes", test_right_boxes);
  g_test_add_func ("/loss-boxes/gradients", test_gradients);
  g_test_add_func ("/loss-boxes/assignment", test_assignment);
  g_test_add_func ("/loss-boxes/unknown", test_unknown);
  return g_test_run ();
}
