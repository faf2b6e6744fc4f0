/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * clip.h: the bounds of a Clip, for the pass that fuses it.
 */
#pragma once

#include "model/graph.h"

/* FALSE where a bound is known only while running. */
gboolean clip_bounds (const Node *node, float *low, float *high);
