/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * remove-dead.c: nodes whose results nobody uses go.
 */

#include "compile/passes.h"

gboolean
remove_dead (Graph *graph, GError **error)
{
  g_autoptr (GHashTable) used = g_hash_table_new (NULL, NULL);

  for (guint i = 0; i < graph->outputs->len; i++)
    g_hash_table_add (used, g_ptr_array_index (graph->outputs, i));

  /* From the last to the first: a node is needed if one of its outputs is, and then so are its inputs. */
  for (guint i = graph->nodes->len; i-- > 0;)
    {
      Node    *node = g_ptr_array_index (graph->nodes, i);
      gboolean needed = FALSE;

      for (guint j = 0; j < node->outputs->len; j++)
        {
          const Value *value = node_output (node, j);

          needed |= value && !value->constant && g_hash_table_contains (used, value);
        }
      if (!needed)
        graph_remove_node (graph, node);
      for (guint j = 0; needed && j < node->inputs->len; j++)
        if (node_input (node, j))
          g_hash_table_add (used, node_input (node, j));
    }
  return TRUE;
}
