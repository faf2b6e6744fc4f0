/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * batch-norm.h: a batch norm as a scale and a shift per channel, for the pass that folds it.
 */
#pragma once

#include "model/graph.h"

/* scale, shift: one per channel. FALSE where the statistics aren't constant. */
gboolean batch_norm_scale_shift (const Node *node, double *scale, double *shift);
