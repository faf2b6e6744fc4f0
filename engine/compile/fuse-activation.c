/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * fuse-activation.c: what follows a convolution element by element goes into it, so that its output is written once: the addition of a residual, then an
 * activation.
 */

#include <math.h>
#include <string.h>

#include "compile/passes.h"
#include "ops/activation.h"
#include "ops/clip.h"
#include "ops/conv.h"

static gint
node_index (const Graph *graph, const Node *node)
{
  guint index;

  return node && g_ptr_array_find (graph->nodes, node, &index) ? (gint) index : -1;
}

static gboolean
as_activation (const Node *node, Activation *activation)
{
  if (!*node->domain && strcmp (node->type, "Clip") == 0)
    {
      activation->kind = ACTIVATION_CLIP;
      if (!clip_bounds (node, &activation->alpha, &activation->beta))
        return FALSE;
      if (activation->alpha == 0 && activation->beta == INFINITY)
        activation->kind = ACTIVATION_RELU;
      return TRUE;
    }
  return activation_of_node (node, activation);
}

/* Takes the node after the convolution into it: its result is the convolution's now. */
static void
absorb (Graph *graph, Node *conv, Node *next)
{
  graph_remove_node (graph, next);
  graph_replace_value (graph, node_output (next, 0), node_output (conv, 0));
}

/* The sum must have been there when the convolution runs: what is added has to come from a node before it. */
static gboolean
fuse_residual (Graph *graph, Node *conv, Node *add)
{
  Value *out = node_output (conv, 0), *other;

  if (*add->domain || strcmp (add->type, "Add") != 0 || add->inputs->len != 2 || !conv_can_add_residual (conv))
    return FALSE;
  other = node_input (add, node_input (add, 0) == out ? 1 : 0);
  if (other == out || other->constant || other->type != out->type || !shape_equal (&other->shape, &out->shape)
      || (other->producer && node_index (graph, other->producer) > node_index (graph, conv)))
    return FALSE;
  conv_add_residual (conv, other);
  absorb (graph, conv, add);
  return TRUE;
}

gboolean
fuse_activation (Graph *graph, GError **error)
{
  for (guint i = 0; i < graph->nodes->len; i++)
    {
      Node      *conv = g_ptr_array_index (graph->nodes, i), *next;
      Activation activation;

      if (!conv_is (conv) || node_output (conv, 0)->type != FOVEA_TYPE_FLOAT32)
        continue;
      next = graph_only_consumer (graph, node_output (conv, 0));
      if (next && graph_can_replace_value (graph, node_output (next, 0), node_output (conv, 0)) && fuse_residual (graph, conv, next))
        next = graph_only_consumer (graph, node_output (conv, 0));
      if (next && conv_can_activate (conv) && graph_can_replace_value (graph, node_output (next, 0), node_output (conv, 0)) && as_activation (next, &activation))
        {
          conv_set_activation (conv, &activation);
          absorb (graph, conv, next);
        }
    }
  return TRUE;
}
