/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * step-make.h: from a node to a step, for the plan and for evaluating a node while compiling.
 */
#pragma once

#include "ops/step.h"

/* Fills the step's views of inputs and outputs from the node's values and calls the operator's prepare. Constants get data: aligned, and float32
 * where the value says so. It may keep weights of `may_hold` bytes. Clear with step_clear, also after FALSE. */
gboolean step_make  (Step *step, const Node *node, gboolean reference, guint n_threads, gsize may_hold, GError **error);
void     step_clear (Step *step);
