/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * pad.h: what a Pad does, for the pass that fuses it.
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
