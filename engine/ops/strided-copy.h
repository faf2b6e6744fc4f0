/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * strided-copy.h: operators that only move elements from one regular place to another: Transpose, Concat, Split, DepthToSpace … say what goes
 * where; the walk, its tasks and the tiling that keeps transpositions in the cache are done here, for elements of any size.
 */
#pragma once

#include "ops/operator.h"

/* A box of elements: out[out_offset + Σ at·out_strides] = in[in_offset + Σ at·in_strides]. Offsets and strides count elements. */
typedef struct
{
  guint  in, out;                     /* which input and output of the step */
  gsize  in_offset, out_offset;
  guint  n_dims;
  gint64 dims[FOVEA_MAX_DIMS];
  gint64 in_strides[FOVEA_MAX_DIMS];
  gint64 out_strides[FOVEA_MAX_DIMS];
} StridedCopy;

typedef struct _StridedCopies StridedCopies;

/* Strides of a dense row-major tensor. */
void           strided_copy_strides (const FoveaShape *shape, gint64 *strides);

/* An empty list for elements of `element_size` bytes; becomes step->state. */
StridedCopies *strided_copies_new   (Step *step, gsize element_size);

/* Adds a box; boxes must not overlap in the output. */
void           strided_copies_add   (StridedCopies *copies, const StridedCopy *copy);

/* The list is complete: sets the step's run. */
void           strided_copies_finish (Step *step, const char *kernel);
