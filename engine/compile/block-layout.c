/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * block-layout.c: chooses the nodes that run on blocked images, and puts Block and Unblock where plain and blocked meet.
 *
 * Nodes that prefer blocks always run so; those that follow do when one of their images comes out of a blocked node anyway. A value that is needed both
 * ways is converted once. A convolution that reads plain pixels (the first layer) has no Block before it: it says so itself.
 *
 *     plain ──▶ Conv ═▶ Relu ═▶ MaxPool ═▶ Conv ═▶ GlobalAveragePool ═▶ Unblock ──▶ Flatten ──▶ Gemm
 */

#include "compile/passes.h"
#include "ops/operator.h"

typedef struct
{
  Graph      *graph;
  GHashTable *forms;   /* Node* -> BlockedForm*, of the nodes that run blocked */
  GHashTable *blocked; /* plain Value* -> its blocked twin */
  GHashTable *plain;   /* set of plain values that exist, of those that have a twin made by their producer */
} Layouts;

/* ---- who runs blocked -------------------------------------------------------------------------------------- */

/* Whether one of the inputs that the form wants blocked is written blocked already. */
static gboolean
is_fed_blocked (const Layouts *layouts, const Node *node, const BlockedForm *form)
{
  for (guint i = 0; i < node->inputs->len && i < 32; i++)
    {
      const Value       *value = node_input (node, i);
      const BlockedForm *producer = value && value->producer ? g_hash_table_lookup (layouts->forms, value->producer) : NULL;

      if (!producer || !(form->inputs >> i & 1))
        continue;
      for (guint k = 0; k < value->producer->outputs->len; k++)
        if (node_output (value->producer, k) == value && producer->outputs >> k & 1)
          return TRUE;
    }
  return FALSE;
}

static void
choose_nodes (Layouts *layouts)
{
  for (guint i = 0; i < layouts->graph->nodes->len; i++)
    {
      Node       *node = g_ptr_array_index (layouts->graph->nodes, i);
      BlockedForm form = { BLOCKED_FOLLOWS, 0, 0 };

      if (node->op->blocked && node->op->blocked (node, &form) && (form.wish == BLOCKED_PREFERS || is_fed_blocked (layouts, node, &form)))
        g_hash_table_insert (layouts->forms, node, g_memdup2 (&form, sizeof form));
    }
}

/* Whether some node reads an output of this one blocked. */
static gboolean
feeds_blocked (const Layouts *layouts, const Node *node)
{
  for (guint i = 0; i < layouts->graph->nodes->len; i++)
    {
      const Node        *consumer = g_ptr_array_index (layouts->graph->nodes, i);
      const BlockedForm *form = g_hash_table_lookup (layouts->forms, consumer);

      for (guint k = 0; form && k < consumer->inputs->len && k < 32; k++)
        if (form->inputs >> k & 1 && node_input (consumer, k) && node_input (consumer, k)->producer == node)
          return TRUE;
    }
  return FALSE;
}

/* A node that makes a larger image, which nobody wants blocked, reads a plain one: the smaller of the two is put in order then. */
static void
leave_growing_nodes (Layouts *layouts)
{
  for (guint i = layouts->graph->nodes->len; i-- > 0;)
    {
      Node              *node = g_ptr_array_index (layouts->graph->nodes, i);
      const BlockedForm *form = g_hash_table_lookup (layouts->forms, node);

      if (form && form->wish == BLOCKED_FOLLOWS && form->inputs == 1 && form->outputs == 1
          && shape_count (&node_output (node, 0)->shape) > shape_count (&node_input (node, 0)->shape) && !feeds_blocked (layouts, node))
        g_hash_table_remove (layouts->forms, node);
    }
}

/* ---- where the layouts meet -------------------------------------------------------------------------------- */

static Value *
add_twin (Layouts *layouts, Value *value)
{
  g_autofree char *name = g_strconcat (value->name, " blocked", NULL);
  Value           *twin = graph_add_value (layouts->graph, name);

  twin->type = value->type;
  twin->has_rank = TRUE;
  twin->shape = value->shape;
  twin->layout = LAYOUT_BLOCKED;
  g_hash_table_insert (layouts->blocked, value, twin);
  return twin;
}

/* A Block or Unblock from `in` to `out` before node `index`. */
static gboolean
add_reorder (Layouts *layouts, const char *type, Value *in, Value *out, gint index, GError **error)
{
  g_autofree char *name = g_strdup_printf ("%s %s", type, in->name);
  Node            *node = graph_add_node (layouts->graph, "fovea", type, name, index);

  node_add_input (node, in);
  node_add_output (node, out);
  return operator_parse_node (node, error);
}

/* Gives the node its inputs in the layout it reads; *index is the node's, and moves on by the nodes put before it. */
static gboolean
settle_inputs (Layouts *layouts, Node *node, const BlockedForm *form, guint *index, GError **error)
{
  for (guint i = 0; i < node->inputs->len; i++)
    {
      Value *value = node_input (node, i), *twin = value ? g_hash_table_lookup (layouts->blocked, value) : NULL;

      if (!value || value->constant)
        continue;
      if (form && i < 32 && form->inputs >> i & 1)
        {
          if (!twin)
            {
              twin = add_twin (layouts, value);
              g_hash_table_add (layouts->plain, value);
              if (!add_reorder (layouts, "Block", value, twin, (gint) (*index)++, error))
                return FALSE;
            }
          node->inputs->pdata[i] = twin;
        }
      else if (twin && g_hash_table_add (layouts->plain, value) && !add_reorder (layouts, "Unblock", twin, value, (gint) (*index)++, error))
        return FALSE;
    }
  return TRUE;
}

/* The outputs that the node writes blocked become the twins; the plain values come to be where somebody needs them. */
static void
settle_outputs (Layouts *layouts, Node *node, const BlockedForm *form)
{
  for (guint i = 0; form && i < node->outputs->len && i < 32; i++)
    {
      Value *value = node_output (node, i), *twin;

      if (!value || !(form->outputs >> i & 1))
        continue;
      twin = add_twin (layouts, value);
      value->producer = NULL;
      node->outputs->pdata[i] = twin;
      twin->producer = node;
    }
}

gboolean
block_layout (Graph *graph, GError **error)
{
  Layouts  layouts = { graph, g_hash_table_new_full (NULL, NULL, NULL, g_free), g_hash_table_new (NULL, NULL), g_hash_table_new (NULL, NULL) };
  gboolean ok = TRUE;

  choose_nodes (&layouts);
  leave_growing_nodes (&layouts);
  for (guint i = 0; ok && i < graph->nodes->len; i++)
    {
      Node              *node = g_ptr_array_index (graph->nodes, i);
      const BlockedForm *form = g_hash_table_lookup (layouts.forms, node);

      ok = settle_inputs (&layouts, node, form, &i, error);
      settle_outputs (&layouts, node, form);
    }
  for (guint i = 0; ok && i < graph->outputs->len; i++)
    {
      Value *value = g_ptr_array_index (graph->outputs, i), *twin = g_hash_table_lookup (layouts.blocked, value);

      if (twin && g_hash_table_add (layouts.plain, value))
        ok = add_reorder (&layouts, "Unblock", twin, value, -1, error);
    }
  g_hash_table_unref (layouts.forms);
  g_hash_table_unref (layouts.blocked);
  g_hash_table_unref (layouts.plain);
  return ok;
}
