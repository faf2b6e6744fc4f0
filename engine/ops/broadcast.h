/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * broadcast.h: NumPy broadcasting, made simple: dimensions that can be walked as one are merged, and the work is cut into rows along the last.
 */
#pragma once

#include "ops/operator.h"

#define BROADCAST_MAX_INPUTS 3

/* Most elements that one task walks. */
#define BROADCAST_CHUNK 16384

typedef struct
{
  guint  n_inputs;
  guint  n_dims;                                     /* at least 1 */
  gint64 dims[FOVEA_MAX_DIMS];
  gint64 strides[BROADCAST_MAX_INPUTS][FOVEA_MAX_DIMS]; /* elements; 0 along a broadcast dimension */
  gsize  row;                                        /* elements of the last dimension */
  gsize  chunks;                                     /* pieces of at most BROADCAST_CHUNK that a row is cut into */
  gsize  n_tasks;                                    /* rows * chunks; 0 for an empty output */
  gsize  grain;
} Broadcast;

/* One piece of a row: n elements of the output from `out` on, and where each input begins. */
typedef struct
{
  gsize n;
  gsize out;
  gsize in[BROADCAST_MAX_INPUTS];
  gsize step[BROADCAST_MAX_INPUTS]; /* 0 or 1 elements from one to the next */
} BroadcastPiece;

/* The shapes must broadcast to `out` (infer_broadcast). */
void broadcast_init  (Broadcast *broadcast, const FoveaShape *out, const FoveaShape *const *in, guint n_inputs);
void broadcast_piece (const Broadcast *broadcast, gsize task, BroadcastPiece *piece);
