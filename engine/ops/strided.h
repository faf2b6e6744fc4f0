/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * strided.h: copying between tensors along any strides: what Transpose, Slice, Split, Concat, Expand and Tile are, each in its own words.
 */
#pragma once

#include "ops/operator.h"

/* For each element of `shape` (n_dims of it, walked row by row): out[out_offset + Σ i * out_strides] = in[in_offset + Σ i * in_strides]; offsets and
 * strides in elements of `size` bytes, strides may be 0 or negative. */
typedef struct
{
  guint  n_dims; /* at least 1 */
  gint64 dims[FOVEA_MAX_DIMS], in_strides[FOVEA_MAX_DIMS], out_strides[FOVEA_MAX_DIMS];
  gint64 in_offset, out_offset;
  gsize  size;
} StridedCopy;

/* Dense strides of a shape. */
void  strided_dense    (const FoveaShape *shape, gint64 *strides);

/* Leaves out dimensions of one element, merges those that are walked as one, orders the rest so that rows near each other in the input are copied
 * together. Call once, before the others. */
void  strided_simplify (StridedCopy *copy);

/* The number of rows (all dimensions but the last); 0 when there is nothing to copy. */
gsize strided_rows     (const StridedCopy *copy);

/* Copies rows [first, last). */
void  strided_run      (const StridedCopy *copy, const void *in, void *out, gsize first, gsize last);

/* Tasks for step_set_run: about 16 KiB a grain. */
gsize strided_grain    (const StridedCopy *copy);
