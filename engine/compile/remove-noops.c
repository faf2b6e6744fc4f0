/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * remove-noops.c: nodes that change nothing go: Identity, Dropout, Cast to the same type, and pairs of Transpose that undo each other.
 */

#include <string.h>

#include "compile/passes.h"
#include "ops/operator.h"

static gboolean
is_type (const Node *node, const char *type)
{
  return node && !*node->domain && strcmp (node->type, type) == 0;
}

/* Where dimension i of the transposed tensor comes from. */
static gint64
source_of (const Node *transpose, gint64 i, guint rank)
{
  const gint64 *order;

  if (node_ints (transpose, "perm", &order) == 0)
    return (gint64) rank - 1 - i;
  return order[i] < 0 ? order[i] + rank : order[i];
}

static gboolean
undoes (const Node *second, const Node *first)
{
  guint rank = node_input (first, 0)->shape.n_dims;

  for (guint i = 0; i < rank; i++)
    if (source_of (first, source_of (second, i, rank), rank) != (gint64) i)
      return FALSE;
  return TRUE;
}

/* The value that the node's first output is the same as, or NULL. */
static Value *
same_as (const Node *node)
{
  Value *in = node_input (node, 0);

  if (is_type (node, "Identity") || (is_type (node, "Dropout") && !node_output (node, 1)))
    return in;
  if (is_type (node, "Cast") && in->type == node_output (node, 0)->type && node_int (node, "to", 0) != 10)
    return in;
  if (is_type (node, "Transpose") && is_type (in->producer, "Transpose") && undoes (node, in->producer))
    return node_input (in->producer, 0);
  return NULL;
}

gboolean
remove_noops (Graph *graph, GError **error)
{
  for (guint i = 0; i < graph->nodes->len;)
    {
      Node  *node = g_ptr_array_index (graph->nodes, i);
      Value *out = node_output (node, 0), *same = out ? same_as (node) : NULL;

      if (!same || same->constant || !graph_can_replace_value (graph, out, same))
        {
          i++;
          continue;
        }
      graph_remove_node (graph, node);
      graph_replace_value (graph, out, same);
    }
  return TRUE;
}
