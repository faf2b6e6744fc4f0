/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * gradients.h: from a network that answers to one that learns: marks the variables, puts operators into their training form, appends the backward
 * nodes.
 *
 *     forward nodes ──▶ Loss ──▶ backward nodes ──▶ a gradient for each variable
 *
 * The Loss node stands for whatever the trainer computes between the two: its inputs are the network's outputs, its outputs the gradients of the
 * loss by these.
 */
#pragma once

#include "model/graph.h"

/* What is trained, and what comes of it. */
typedef struct _Training
{
  GHashTable  *variables;  /* name of a constant (char*) -> FoveaTensor*, float32, of the constant's shape: it takes the constant's place. Batch
                              normalization whose five inputs are variables works on the batch's statistics and updates the last two. */
  gdouble      momentum;   /* of these running statistics: the share of the new; 0.1 is usual */
  FoveaTensor *step;       /* one int64, the number of the training step: dropout's randomness comes from it and from the node's place */
  guint64      seed;
  GHashTable  *gradients;  /* filled in: name of a variable -> name of the graph output that is its gradient; those without influence are left out */
} Training;

/* The graph must be inferred. Errors: _UNSUPPORTED naming a layer that can't be trained through. */
gboolean append_gradients (Graph *graph, const Training *training, GError **error);
