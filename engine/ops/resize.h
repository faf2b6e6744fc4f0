/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * resize.h: what a resize is made of, for its gradient and for resize-image.c.
 */
#pragma once

#include "ops/step.h"

/* For each place along `dim` of the output, the places of the input that it is made of and their weights: (out, n), n being returned; weights of 0 where
 * there are fewer. Free both with g_free. The node is a Resize or Upsample, inferred. 0 where there is no memory for that. */
gsize resize_table (const Node *node, guint dim, gint64 **positions, float **weights, GError **error);

/* ---- for resize.c ------------------------------------------------------------------------------------------ */

/* What one output coordinate is made of. */
typedef struct
{
  guint  first, n;   /* weights [first, first + n) of the axis */
  gboolean outside;  /* COORDINATE_CROP: extrapolated */
} Tap;

typedef struct
{
  Tap    *taps;      /* one for each output coordinate */
  gint64 *positions; /* taps of all of them, one after the other */
  double *weights;
  guint   n;
} Axis;

typedef struct
{
  guint n_dims;
  Axis  axes[FOVEA_MAX_DIMS];
  gint64 strides[FOVEA_MAX_DIMS];

  /* of images */
  gboolean nearest;
  gsize    n_ring;  /* places for rows that are widened before they are summed; 0: rows are summed first */
} ResizeState;

/* Sets up a step on images whose batch and channels stay as they are, float32, plain or blocked; its state is a ResizeState. */
void resize_image_prepare (Step *step, gboolean nearest);
