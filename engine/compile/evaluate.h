/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * evaluate.h: computes nodes while compiling, when all they depend on is known.
 */
#pragma once

#include "ops/operator.h"

/* Runs one node whose inputs are all constants (for Shape and Size: whose input's shape is known): its outputs become constants. The node must have been
 * parsed and inferred. */
gboolean evaluate_node (const Node *node, GError **error);

/* Whether evaluate_node could run: inputs constant, outputs of a known, bounded size. */
gboolean evaluate_can  (const Node *node);
