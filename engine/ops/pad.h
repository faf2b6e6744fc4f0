/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * pad.h: what a Pad does, for the pass that fuses it, and for its gradient.
 */
#pragma once

#include "base/tensor.h"

typedef enum
{
  PAD_CONSTANT,
  PAD_REFLECT,
  PAD_EDGE,
  PAD_WRAP,
} PadMode;

typedef struct
{
  PadMode mode;
  gint64  begin[FOVEA_MAX_DIMS], end[FOVEA_MAX_DIMS]; /* set by infer */
} PadParams;

/* Where an output comes from that lies at `at` beside a dimension of `size`; -1: from nowhere. */
gint64 pad_source (PadMode mode, gint64 at, gint64 size);
