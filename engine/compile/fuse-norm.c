/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * fuse-norm.c: in training, a batch normalization whose answer only pointwise and depthwise convolutions read, and the gradients of their weights, leaves
 * it to them: each normalizes x a band at a time, in the cache (ops/batch-norm-parts.h). The normalization only finds the statistics then; its answer, as
 * large as x, is neither written nor kept until the gradients need it. What the statistics and the normalization's gradient need to know of all pixels is summed
 * by the convolutions that write them. And both gradients of a convolution whose output is normalized become one node, which brings dy back through the
 * normalization a band at a time (ops/conv-weight-gradient.c). Runs when layouts are settled.
 *
 *     x ═▶ BatchNormTraining ─▶ mean, 1 / sigma
 *     ╚══════════════════════════▶ Conv ═▶ …   …   ConvWeightGradient ─▶
 */

#include "compile/passes.h"
#include "ops/conv.h"

static gboolean
reads (const Node *node, const Value *value)
{
  return g_ptr_array_find (node->inputs, value, NULL);
}

static gboolean
all_can_normalize (const Graph *graph, const Value *value)
{
  for (guint i = 0; i < graph->nodes->len; i++)
    {
      const Node *node = g_ptr_array_index (graph->nodes, i);

      if (reads (node, value) && (node_input (node, 0) != value || !conv_can_normalize (node)))
        return FALSE;
    }
  return !graph_is_output (graph, value);
}

/* The normalization leaves y to its readers. */
static void
move_to_readers (Graph *graph, Node *norm, const Activation *activation)
{
  Value       *y = node_output (norm, 0);
  Value *const numbers[] = { node_input (norm, 1), node_input (norm, 2), node_output (norm, 1), node_output (norm, 2) };

  if (!all_can_normalize (graph, y))
    return;
  for (guint i = 0; i < graph->nodes->len; i++)
    if (reads (graph->nodes->pdata[i], y))
      conv_set_norm (graph->nodes->pdata[i], node_input (norm, 0), activation, numbers);
  norm->outputs->pdata[0] = NULL;
  y->producer = NULL;
}

/* The sums over `summed`, x or dy, come from the convolution that it comes from. */
static void
take_sums (Graph *graph, Node *norm, const Value *summed, const Activation *activation, Value *const numbers[4])
{
  Value *sums = summed->producer ? conv_add_sums (graph, summed->producer, node_input (norm, 0), activation, numbers) : NULL;

  if (sums)
    node_add_input (norm, sums);
}

gboolean
fuse_norm (Graph *graph, GError **error)
{
  Activation activation;

  for (guint i = 0; i < graph->nodes->len; i++)
    {
      Node *norm = g_ptr_array_index (graph->nodes, i);

      if (batch_norm_activation (norm, "BatchNormTraining", &activation))
        {
          move_to_readers (graph, norm, &activation);
          take_sums (graph, norm, node_input (norm, 0), NULL, NULL);
        }
      else if (batch_norm_activation (norm, "BatchNormGradient", &activation))
        take_sums (graph, norm, node_input (norm, 1), &activation,
                   (Value *[]) { node_input (norm, 2), node_input (norm, 3), node_input (norm, 4), node_input (norm, 5) });
    }
  for (guint i = 0; i < graph->nodes->len; i++)
    if (batch_norm_activation (graph->nodes->pdata[i], "BatchNormGradient", &activation))
      conv_join_gradients (graph, graph->nodes->pdata[i], &activation);
  return TRUE;
}
