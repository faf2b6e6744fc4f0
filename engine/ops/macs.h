/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * macs.h: the arithmetic of a node, for people and for progress.
 */
#pragma once

#include "model/graph.h"

/* Multiply-adds of a node whose shapes are known; 0 for all that isn't a convolution or a matrix product. */
guint64 node_count_macs (const Node *node);

/* The numbers that it reads and writes, constants apart. */
guint64 node_count_elements (const Node *node);
