/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * activation.h: a node as a kernels' activation, for the pass that fuses it.
 */
#pragma once

#include "kernels/activation.h"
#include "model/graph.h"

/* FALSE where the node isn't one of activation.c. */
gboolean activation_of_node (const Node *node, Activation *activation);
