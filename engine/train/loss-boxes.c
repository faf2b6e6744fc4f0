/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * loss-boxes.c: see loss-boxes.h.
 */

#include "train/loss-boxes.h"

#include <math.h>
#include <string.h>

#include "train/loss.h"
#include "train/scene.h"

#define N_CANDIDATES 10   /* cells that answer for a box, at most */
#define OVERLAP_POWER 4.0 /* how much more the overlap counts than the score, when cells are chosen */
#define SCORE_POWER  0.5
#define BOX_WEIGHT   5.0  /* of boxes against scores in the loss */
#define FARTHEST     6.0f /* logarithm of a distance by 2 strides */

/* One cell of a photo: where its values lie, and the box that it says. */
typedef struct
{
  const float *values;
  float       *gradient;
  gsize        plane; /* floats from a value to the next */
  double       x, y, reach;
  double       box[4];
} Cell;

gsize
box_grids_count (const BoxGrid *grids, guint n_grids)
{
  gsize n = 0;

  for (guint g = 0; g < n_grids; g++)
    n += (gsize) grids[g].width * grids[g].height;
  return n;
}

static double
distance (const Cell *cell, int side)
{
  float value = cell->values[(gsize) side * cell->plane];

  return cell->reach * exp (CLAMP (value, -FARTHEST, FARTHEST));
}

/* The cells of a photo, with their boxes. */
static void
list_cells (const BoxGrid *grids, guint n_grids, gsize photo, gsize n_classes, Cell *cells)
{
  for (guint g = 0; g < n_grids; g++)
    {
      const BoxGrid *grid = &grids[g];
      gsize          plane = (gsize) grid->width * grid->height, first = photo * (4 + n_classes) * plane;

      for (gsize i = 0; i < plane; i++, cells++)
        {
          cells->values = grid->values + first + i;
          cells->gradient = grid->gradient ? grid->gradient + first + i : NULL;
          cells->plane = plane;
          cells->x = ((double) (i % (gsize) grid->width) + 0.5) * grid->stride;
          cells->y = ((double) (i / (gsize) grid->width) + 0.5) * grid->stride;
          cells->reach = 2.0 * grid->stride;
          cells->box[0] = cells->x - distance (cells, 0);
          cells->box[1] = cells->y - distance (cells, 1);
          cells->box[2] = cells->x + distance (cells, 2);
          cells->box[3] = cells->y + distance (cells, 3);
        }
    }
}

/* ---- which cell answers for which box ------------------------------------------------------------------------------------------------------------- */

static gboolean
holds (const float *row, double x, double y)
{
  return x > row[1] && y > row[2] && x < row[3] && y < row[4];
}

static double
overlap (const double box[4], const float *row)
{
  double width = MIN (box[2], (double) row[3]) - MAX (box[0], (double) row[1]), height = MIN (box[3], (double) row[4]) - MAX (box[1], (double) row[2]);
  double both = MAX (width, 0.0) * MAX (height, 0.0), area = (box[2] - box[0]) * (box[3] - box[1]) + (double) (row[3] - row[1]) * (row[4] - row[2]);

  return both / MAX (area - both, 1e-9);
}

/* A cell that may answer for a box. */
typedef struct
{
  gsize  cell;
  double fit, overlap;
} Candidate;

/* Keeps the best, in falling order. */
static void
rank (Candidate *best, guint *n, const Candidate *candidate)
{
  guint at = *n;

  if (at == N_CANDIDATES && best[at - 1].fit >= candidate->fit)
    return;
  at = MIN (at, N_CANDIDATES - 1);
  for (; at > 0 && best[at - 1].fit < candidate->fit; at--)
    best[at] = best[at - 1];
  best[at] = *candidate;
  *n = MIN (*n + 1, N_CANDIDATES);
}

static Candidate
judge (const Cell *cells, gsize i, const float *row)
{
  const Cell *cell = &cells[i];
  double      score = 1.0 / (1.0 + exp (-(double) cell->values[(4 + (gsize) row[0]) * cell->plane])), same = overlap (cell->box, row);

  return (Candidate) { i, pow (score, SCORE_POWER) * pow (same, OVERLAP_POWER), same };
}

/* The best cells whose centres lie in the box; for one so small that none does, the nearest of the finest grid. */
static guint
choose_cells (const Cell *cells, gsize n_cells, const float *row, Candidate *best)
{
  double x = (row[1] + row[3]) / 2.0, y = (row[2] + row[4]) / 2.0, least = INFINITY;
  gsize  nearest = 0;
  guint  n = 0;

  for (gsize i = 0; i < n_cells; i++)
    {
      double    away = hypot (cells[i].x - x, cells[i].y - y) + 1e6 * cells[i].reach;
      Candidate candidate;

      if (away < least)
        {
          least = away;
          nearest = i;
        }
      if (!holds (row, cells[i].x, cells[i].y))
        continue;
      candidate = judge (cells, i, row);
      rank (best, &n, &candidate);
    }
  if (n == 0)
    {
      best[0] = judge (cells, nearest, row);
      n = 1;
    }
  return n;
}

static void
ignore_cells (const Cell *cells, gsize n_cells, const float *row, CellTarget *targets)
{
  for (gsize i = 0; i < n_cells; i++)
    if (targets[i].box == CELL_FREE && holds (row, cells[i].x, cells[i].y))
      targets[i].box = CELL_IGNORED;
}

/* Several boxes may want a cell: it answers for the one that its own fits best. The best cell of a box should say its overlap, others less. */
static void
claim_cells (const Candidate *best, guint n, gint32 box, CellTarget *targets, double *claims)
{
  double most = 0.0;

  for (guint i = 0; i < n; i++)
    most = MAX (most, best[i].overlap);
  for (guint i = 0; i < n; i++)
    if (targets[best[i].cell].box < 0 || best[i].overlap > claims[best[i].cell])
      {
        targets[best[i].cell].box = box;
        targets[best[i].cell].score = (float) (most * best[i].fit / MAX (best[0].fit, 1e-12));
        claims[best[i].cell] = best[i].overlap;
      }
}

void
box_grids_assign (const BoxGrid *grids, guint n_grids, gsize photo, gsize n_classes, const float *list, CellTarget *targets)
{
  gsize              n_cells = box_grids_count (grids, n_grids);
  g_autofree Cell   *cells = g_new (Cell, n_cells);
  g_autofree double *claims = g_new0 (double, n_cells);
  Candidate          best[N_CANDIDATES];

  list_cells (grids, n_grids, photo, n_classes, cells);
  for (gsize i = 0; i < n_cells; i++)
    targets[i] = (CellTarget) { CELL_FREE, 0.0f };
  for (gint32 b = 0; b < SCENE_BOXES; b++)
    {
      const float *row = list + (gsize) b * SCENE_NUMBERS;

      if (!(row[3] > row[1]))
        break;
      if (row[0] >= 0.0f)
        claim_cells (best, choose_cells (cells, n_cells, row, best), b, targets, claims);
    }
  for (gint32 b = 0; b < SCENE_BOXES; b++)
    if (list[b * SCENE_NUMBERS] < 0.0f)
      ignore_cells (cells, n_cells, list + (gsize) b * SCENE_NUMBERS, targets);
}

/* ---- the loss ------------------------------------------------------------------------------------------------------------------------------------- */

/* Two boxes' common area and that of both, and their derivatives by the first one's sides. */
typedef struct
{
  double both, either, both_by[4], either_by[4];
} Areas;

static Areas
find_areas (const double box[4], const double truth[4])
{
  double width = MIN (box[2], truth[2]) - MAX (box[0], truth[0]), height = MIN (box[3], truth[3]) - MAX (box[1], truth[1]);
  double own_width = box[2] - box[0], own_height = box[3] - box[1];
  Areas  areas = { .both = width > 0.0 && height > 0.0 ? width * height : 0.0 };

  areas.either = own_width * own_height + (truth[2] - truth[0]) * (truth[3] - truth[1]) - areas.both;
  for (int side = 0; side < 4; side++)
    {
      gboolean across = side % 2 == 0, far = side >= 2; /* a left or right side; a right or bottom one */
      double   sign = far ? 1.0 : -1.0;
      gboolean inside = far ? box[side] < truth[side] : box[side] > truth[side];

      areas.both_by[side] = areas.both > 0.0 && inside ? sign * (across ? height : width) : 0.0;
      areas.either_by[side] = sign * (across ? own_height : own_width) - areas.both_by[side];
    }
  return areas;
}

/* Of intersection over union. */
static double
share_by (const Areas *areas, int side)
{
  return (areas->both_by[side] * areas->either - areas->both * areas->either_by[side]) / (areas->either * areas->either);
}

double
loss_giou (const double box[4], const double truth[4], double gradient[4])
{
  double hull_width = MAX (box[2], truth[2]) - MIN (box[0], truth[0]), hull_height = MAX (box[3], truth[3]) - MIN (box[1], truth[1]);
  double hull = hull_width * hull_height;
  Areas  areas = find_areas (box, truth);

  for (int side = 0; side < 4; side++)
    {
      gboolean outside = side >= 2 ? box[side] >= truth[side] : box[side] <= truth[side];
      double   hull_by = outside ? (side >= 2 ? 1.0 : -1.0) * (side % 2 == 0 ? hull_height : hull_width) : 0.0;

      gradient[side] = -share_by (&areas, side) - (areas.either_by[side] * hull - areas.either * hull_by) / (hull * hull);
    }
  return 2.0 - areas.both / areas.either - areas.either / hull;
}

/* The square of the distance of two boxes' centres over that of their hull's diagonal, and its derivatives. */
static double
part_centres (const double box[4], const double truth[4], double gradient[4])
{
  double apart[2], hull[2], away = 0.0, diagonal = 0.0;

  for (int axis = 0; axis < 2; axis++)
    {
      apart[axis] = (box[axis] + box[axis + 2] - truth[axis] - truth[axis + 2]) / 2.0;
      hull[axis] = MAX (box[axis + 2], truth[axis + 2]) - MIN (box[axis], truth[axis]);
      away += apart[axis] * apart[axis];
      diagonal += hull[axis] * hull[axis];
    }
  for (int side = 0; side < 4; side++)
    {
      gboolean outside = side >= 2 ? box[side] > truth[side] : box[side] < truth[side];
      double   diagonal_by = outside ? (side >= 2 ? 2.0 : -2.0) * hull[side % 2] : 0.0;

      gradient[side] = (apart[side % 2] * diagonal - away * diagonal_by) / (diagonal * diagonal);
    }
  return away / diagonal;
}

double
loss_ciou (const double box[4], const double truth[4], double gradient[4])
{
  double by_side[4], width = box[2] - box[0], height = box[3] - box[1], square = width * width + height * height;
  Areas  areas = find_areas (box, truth);
  double share = areas.both / areas.either, apart = part_centres (box, truth, by_side);
  double turn = atan2 (truth[2] - truth[0], truth[3] - truth[1]) - atan2 (width, height), ratio = 4.0 / (G_PI * G_PI) * turn * turn;
  double weight = ratio > 0.0 ? ratio / (1.0 - share + ratio) : 0.0;

  for (int side = 0; side < 4; side++)
    {
      double turn_by = (side >= 2 ? 1.0 : -1.0) * (side % 2 == 0 ? -height : width) / square;

      gradient[side] = by_side[side] - share_by (&areas, side) + weight * 8.0 / (G_PI * G_PI) * turn * turn_by;
    }
  return 1.0 - share + apart + weight * ratio;
}

/* Smooth L1 of what a cell says of a box's sides, mean over them. */
static double
lose_sides (const Cell *cell, const double truth[4], double weight)
{
  double loss = 0.0;

  for (int side = 0; side < 4; side++)
    {
      double away = side < 2 ? (side == 0 ? cell->x : cell->y) - truth[side] : truth[side] - (side == 2 ? cell->x : cell->y), derivative;
      double wanted = log (MAX (away, 1e-9) / cell->reach);

      loss += weight / 4.0 * loss_smooth_l1_one (cell->values[(gsize) side * cell->plane] - CLAMP (wanted, -FARTHEST, FARTHEST), &derivative);
      cell->gradient[(gsize) side * cell->plane] = (float) (weight / 4.0 * derivative);
    }
  return loss;
}

/* Adds the loss of one cell's box, times `weight`. */
static double
lose_box (const Cell *cell, const float *row, BoxLoss kind, double weight)
{
  const double truth[4] = { row[1], row[2], row[3], row[4] };
  double       by_side[4], loss;

  if (kind == BOX_LOSS_SMOOTH_L1)
    return lose_sides (cell, truth, weight);
  loss = kind == BOX_LOSS_CIOU ? loss_ciou (cell->box, truth, by_side) : loss_giou (cell->box, truth, by_side);

  for (int side = 0; side < 4; side++)
    {
      float value = cell->values[(gsize) side * cell->plane];

      if (fabsf (value) < FARTHEST)
        cell->gradient[(gsize) side * cell->plane] = (float) (weight * by_side[side] * (side < 2 ? -1.0 : 1.0) * distance (cell, side));
    }
  return weight * loss;
}

/* Adds the loss of one cell's scores, times `weight`. */
static double
lose_scores (const Cell *cell, gsize n_classes, const CellTarget *target, const float *lists, const float *known, double weight)
{
  gsize  own = target->box >= 0 ? (gsize) lists[target->box * SCENE_NUMBERS] : n_classes;
  double loss = 0.0;

  for (gsize c = 0; c < n_classes; c++)
    {
      double derivative;

      if (c != own && (known[c] <= 0.0f || target->box == CELL_IGNORED))
        continue;
      loss += weight * loss_sigmoid_one (cell->values[(4 + c) * cell->plane], c == own ? target->score : 0.0, 0.0, &derivative);
      cell->gradient[(4 + c) * cell->plane] = (float) (weight * derivative);
    }
  return loss;
}

double
loss_boxes (const BoxGrid *grids, guint n_grids, gsize n_photos, gsize n_classes, const CellTarget *targets, const float *lists, const float *known,
            BoxLoss kind)
{
  gsize            n_cells = box_grids_count (grids, n_grids);
  g_autofree Cell *cells = g_new (Cell, n_cells);
  double           mass = 0.0, loss = 0.0;

  for (gsize i = 0; i < n_photos * n_cells; i++)
    mass += targets[i].score;
  mass = MAX (mass, 1.0);
  for (guint g = 0; g < n_grids; g++)
    memset (grids[g].gradient, 0, n_photos * (4 + n_classes) * (gsize) grids[g].width * grids[g].height * sizeof (float));
  for (gsize photo = 0; photo < n_photos; photo++)
    {
      const float *list = lists + photo * SCENE_BOXES * SCENE_NUMBERS;

      list_cells (grids, n_grids, photo, n_classes, cells);
      for (gsize i = 0; i < n_cells; i++)
        {
          const CellTarget *target = &targets[photo * n_cells + i];

          loss += lose_scores (&cells[i], n_classes, target, list, known + photo * n_classes, 1.0 / mass);
          if (target->box >= 0)
            loss += lose_box (&cells[i], list + target->box * SCENE_NUMBERS, kind, BOX_WEIGHT * target->score / mass);
        }
    }
  return loss;
}
