/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * loss-boxes.h: how wrong a detector is. Each cell of each grid says four distances from its centre and a score for each class; which cells answer for which
 * box is decided anew at each step, by how well they do already (task-aligned assignment: Feng et al. 2021, arXiv:2108.07755). What a cell's score should be
 * is the overlap of its box with the true one, so that scores say how good a box is.
 */
#pragma once

#include <glib.h>

/* One grid of a network: values and gradient are (photos, 4 + classes, height, width). Distances are logarithms: left, top, right, bottom =
 * 2 stride exp (value), pixels of the network's input. Scores are logits. */
typedef struct
{
  const float *values;
  float       *gradient;
  int          width, height; /* cells */
  double       stride;        /* pixels */
} BoxGrid;

#define CELL_FREE    (-1) /* shows nothing */
#define CELL_IGNORED (-2) /* isn't known to show nothing */

/* What boxes are learned by. */
typedef enum { BOX_LOSS_GIOU, BOX_LOSS_CIOU, BOX_LOSS_SMOOTH_L1 } BoxLoss;

/* What one cell should say. */
typedef struct
{
  gint32 box;   /* row of the photo's list, or one of the above */
  float  score; /* of that box's class */
} CellTarget;

gsize  box_grids_count (const BoxGrid *grids, guint n_grids);

/* Assigns the cells of one photo, in the order of grids, rows and columns. list: scene.h. */
void   box_grids_assign (const BoxGrid *grids, guint n_grids, gsize photo, gsize n_classes, const float *list, CellTarget *targets);

/* The loss for an assignment, of all photos: sigmoid cross-entropy of the scores and that of the boxes, by the sum of the scores that should be: 1 - GIoU
 * or CIoU, or the mean over the sides of smooth L1 of the values.
 * targets (photos, cells); lists (photos, SCENE_BOXES, SCENE_NUMBERS); known (photos, classes): 0 where a photo's source says nothing of a class: then only
 * the cells that answer for a box of it learn its score. */
double loss_boxes       (const BoxGrid *grids, guint n_grids, gsize n_photos, gsize n_classes, const CellTarget *targets, const float *lists, const float *known,
                         BoxLoss kind);

/* 1 - generalized intersection over union (Rezatofighi et al. 2019, arXiv:1902.09630) of two boxes left, top, right, bottom, and its derivatives by the
 * first one's sides. */
double loss_giou        (const double box[4], const double truth[4], double gradient[4]);

/* 1 - complete intersection over union (Zheng et al. 2020, arXiv:1911.08287), likewise: the overlap, how far the centres are apart, and the ratios of the sides, which
 * count more the better boxes overlap. As there, that weight is taken as it is: the derivatives don't see that it changes, too. */
double loss_ciou        (const double box[4], const double truth[4], double gradient[4]);
