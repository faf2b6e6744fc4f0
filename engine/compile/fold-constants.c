/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * fold-constants.c: nodes whose inputs are all known are computed now, once: chains of Shape, Gather, Concat and Slice vanish.
 */

#include "compile/evaluate.h"
#include "compile/passes.h"

static gboolean
is_folded (const Node *node)
{
  for (guint i = 0; i < node->outputs->len; i++)
    {
      const Value *value = node_output (node, i);

      if (value && !value->constant)
        return FALSE;
    }
  return TRUE;
}

gboolean
fold_constants (Graph *graph, GError **error)
{
  for (guint i = 0; i < graph->nodes->len;)
    {
      Node *node = g_ptr_array_index (graph->nodes, i);

      if (!is_folded (node) && !evaluate_can (node))
        {
          i++;
          continue;
        }
      if (!is_folded (node) && !evaluate_node (node, error))
        return FALSE;
      graph_remove_node (graph, node);
    }
  return TRUE;
}
