/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * macs.h: the arithmetic of a node, for people.
 */
#pragma once

#include "model/graph.h"

/* Multiply-adds of a node whose shapes are known; 0 for all that isn't a convolution or a matrix product. */
guint64 node_count_macs (const Node *node);
