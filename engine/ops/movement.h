/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * movement.h: what a Slice takes, for the pass that folds it.
 */
#pragma once

#include "model/graph.h"

/* Whether a Slice takes whole channels of images (N, C, H, W): *first, *first + *step, …, as many as its output has. */
gboolean slice_takes_channels (const Node *node, gint64 *first, gint64 *step);
