/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * axis-map.h: operators whose output is their input seen through one list of indices per axis: out[i][j]… = in[a[i]][b[j]]…, or a fill value where a
 * list says AXIS_MAP_FILL. Slice, Pad, Expand, Tile, Resize (nearest) and CenterCropPad make the lists, the walk is here. Elements of any size.
 */
#pragma once

#include "ops/operator.h"

#define AXIS_MAP_FILL (-1)

typedef struct
{
  FoveaShape in;                    /* the input's shape, as many dimensions as the output has */
  gint64    *axes[FOVEA_MAX_DIMS];  /* for each index of the output that of the input; NULL: the axis stays as it is */
  guint8     fill[8];               /* one element; zeros to begin with */
  gint       fill_input;            /* or the input whose only element it is, -1: none */
} AxisMap;

/* For `in`, given leading dimensions of 1 until it has those of the output. */
void     axis_map_init    (AxisMap *map, const FoveaShape *in, guint n_dims);
void     axis_map_clear   (AxisMap *map);

/* A list of `n` indices for the axis, all 0; NULL with an error where memory is short. */
gint64  *axis_map_add     (AxisMap *map, guint axis, gsize n, GError **error);

/* Sets the step's run; the map may be cleared after. On blocks the first two axes must be as they are, or axis 1 be moved by whole blocks. */
gboolean axis_map_prepare (Step *step, const AxisMap *map, const char *kernel, GError **error);
