/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * resize.h: what a resize is made of, for its gradient.
 */
#pragma once

#include "model/graph.h"

/* For each place along `dim` of the output, the places of the input that it is made of and their weights: (out, n), n being returned; weights of 0 where
 * there are fewer. Free both with g_free. The node is a Resize or Upsample, inferred. 0 where there is no memory for that. */
gsize resize_table (const Node *node, guint dim, gint64 **positions, float **weights, GError **error);
