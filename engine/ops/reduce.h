/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * reduce.h: which dimensions a reduction takes away, for its gradient.
 */
#pragma once

#include "model/graph.h"

/* The node is one of reduce.c, inferred. */
gboolean reduce_is_reduced (const Node *node, guint dim);
