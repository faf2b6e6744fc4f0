/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * remove-noops.c: nodes that change nothing go: Identity, Dropout, Cast to the same type, pools of a single pixel, and pairs of Transpose that undo each
 * other. Chains of Reshape and the like need no pass: a view moves nothing.
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

static gboolean
is_used (const Graph *graph, const Value *value)
{
  return value && graph_count_uses (graph, value) > 0;
}

/* The value that the node's first output is the same as, or NULL. */
/* Whether a list of integers, if it is there, has nothing but `number`. */
static gboolean
all_are (const Node *node, const char *name, gint64 number)
{
  const gint64 *values;
  gsize         n = node_ints (node, name, &values);

  for (gsize i = 0; i < n; i++)
    if (values[i] != number)
      return FALSE;
  return TRUE;
}

/* A window of one pixel on every pixel. */
static gboolean
pools_single_pixels (const Node *node)
{
  return ((is_type (node, "MaxPool") && !node_output (node, 1)) || is_type (node, "AveragePool")) && all_are (node, "kernel_shape", 1)
         && all_are (node, "strides", 1) && all_are (node, "pads", 0) && shape_equal (&node_input (node, 0)->shape, &node_output (node, 0)->shape);
}

static Value *
same_as (const Graph *graph, const Node *node)
{
  Value *in = node_input (node, 0);

  if (is_type (node, "Identity") || (is_type (node, "Dropout") && !is_used (graph, node_output (node, 1))))
    return in;
  if (pools_single_pixels (node))
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
      Value *out = node_output (node, 0), *same = out ? same_as (graph, node) : NULL;

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
