/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * graph-copy.c: whole graphs copied, and one graph put in the place of a node of another.
 *
 * Both walk the same way: first every value gets its counterpart (a map from Value* to Value*; NULL means "left out"), then the nodes are
 * copied with their inputs and outputs mapped. Sub-graphs refer to values around them by name, and names may change on the way: they are
 * copied with the map of the graph around them in hand.
 */

#include "model/graph.h"

static Graph *copy_graph (const Graph *graph, const Graph *around, GHashTable *around_map);

static void
copy_value_fields (Value *to, const Value *from)
{
  to->type = from->type;
  to->has_rank = from->has_rank;
  to->shape = from->shape;
  to->layout = from->layout;
  to->dynamic = from->dynamic;
  for (guint i = 0; i < FOVEA_MAX_DIMS; i++)
    {
      g_free (to->dim_names[i]);
      to->dim_names[i] = g_strdup (from->dim_names[i]);
    }
  if (from->constant && !to->constant)
    to->constant = fovea_tensor_ref (from->constant);
}

static void
copy_attribute (Node *to, const Attribute *from, const Graph *graph, GHashTable *map)
{
  if (from->kind == ATTRIBUTE_GRAPH)
    node_set_graph (to, from->name, copy_graph (from->graph, graph, map));
  else
    node_copy_attribute (to, from->name, from);
}

/* Copies the nodes of `from` into `to`, before position `index` (-1: at the end). */
static void
copy_nodes (Graph *to, const Graph *from, GHashTable *map, const char *prefix, gint index)
{
  for (guint i = 0; i < from->nodes->len; i++)
    {
      const Node *node = g_ptr_array_index (from->nodes, i);
      g_autofree char *name = g_strconcat (prefix, node->name, NULL);
      Node *copy = graph_add_node (to, node->domain, node->type, name, index < 0 ? -1 : index + (gint) i);

      copy->opset = node->opset;
      for (guint j = 0; j < node->inputs->len; j++)
        node_add_input (copy, g_hash_table_lookup (map, node_input (node, j)));
      for (guint j = 0; j < node->outputs->len; j++)
        node_add_output (copy, g_hash_table_lookup (map, node_output (node, j)));
      for (guint j = 0; j < node->attributes->len; j++)
        copy_attribute (copy, g_ptr_array_index (node->attributes, j), from, map);
    }
}

/* The counterpart of a value that the copy of a sub-graph takes from around it: NULL if it is left out there. */
static Value *
copy_outer_value (Graph *copy, const Value *value, const Graph *around, GHashTable *around_map)
{
  const Value *meant = around ? graph_find_value (around, value->name) : NULL;
  const Value *mapped = meant ? g_hash_table_lookup (around_map, meant) : NULL;
  const char  *name = meant && mapped ? mapped->name : value->name;
  Value       *outer;

  if (meant && !mapped)
    return NULL;
  outer = graph_find_value (copy, name);
  if (!outer)
    outer = graph_add_value (copy, name);
  copy_value_fields (outer, value);
  outer->outer = TRUE;
  return outer;
}

static void
copy_strings (GHashTable *to, GHashTable *from)
{
  GHashTableIter iter;
  gpointer       key, value;

  g_hash_table_remove_all (to);
  g_hash_table_iter_init (&iter, from);
  while (g_hash_table_iter_next (&iter, &key, &value))
    g_hash_table_insert (to, g_strdup (key), g_strdup (value));
}

static Graph *
copy_graph (const Graph *graph, const Graph *around, GHashTable *around_map)
{
  g_autoptr (GHashTable) map = g_hash_table_new (NULL, NULL);
  Graph         *copy = graph_new ();
  GHashTableIter iter;
  gpointer       domain, version;

  g_free (copy->name);
  copy->name = g_strdup (graph->name);
  copy->ir_version = graph->ir_version;
  copy->producer_name = g_strdup (graph->producer_name);
  copy->producer_version = g_strdup (graph->producer_version);
  copy->doc_string = g_strdup (graph->doc_string);
  copy_strings (copy->metadata, graph->metadata);
  g_hash_table_remove_all (copy->opsets);
  g_hash_table_iter_init (&iter, graph->opsets);
  while (g_hash_table_iter_next (&iter, &domain, &version))
    g_hash_table_insert (copy->opsets, g_strdup (domain), version);

  /* Names from around come first: they must stay as they are, the graph's own may give way. */
  for (guint i = 0; i < graph->all_values->len; i++)
    {
      Value *value = g_ptr_array_index (graph->all_values, i);

      if (value->outer)
        g_hash_table_insert (map, value, copy_outer_value (copy, value, around, around_map));
    }
  for (guint i = 0; i < graph->all_values->len; i++)
    {
      Value *value = g_ptr_array_index (graph->all_values, i);
      Value *counterpart;

      if (value->outer)
        continue;
      counterpart = graph_add_value (copy, value->name);
      copy_value_fields (counterpart, value);
      g_hash_table_insert (map, value, counterpart);
    }

  copy_nodes (copy, graph, map, "", -1);
  for (guint i = 0; i < graph->inputs->len; i++)
    g_ptr_array_add (copy->inputs, g_hash_table_lookup (map, g_ptr_array_index (graph->inputs, i)));
  for (guint i = 0; i < graph->outputs->len; i++)
    g_ptr_array_add (copy->outputs, g_hash_table_lookup (map, g_ptr_array_index (graph->outputs, i)));
  return copy;
}

Graph *
graph_copy (const Graph *graph)
{
  return copy_graph (graph, NULL, NULL);
}

/* ---- inlining --------------------------------------------------------------------------------------------- */

/* Finds or makes the counterpart in `graph` of every value of `body`. */
static GHashTable *
map_body (Graph *graph, const Node *node, const Graph *body, GError **error)
{
  g_autoptr (GHashTable) map = g_hash_table_new (NULL, NULL);

  for (guint i = 0; i < body->inputs->len; i++)
    g_hash_table_insert (map, g_ptr_array_index (body->inputs, i), node_input (node, i));

  for (guint i = 0; i < body->all_values->len; i++)
    {
      Value *value = g_ptr_array_index (body->all_values, i);
      Value *counterpart;

      if (g_hash_table_contains (map, value))
        continue;
      if (value->outer)
        {
          counterpart = graph_find_value (graph, value->name);
          if (!counterpart)
            {
              g_autofree char *name = name_for_display (value->name);

              node_error (node, error, FOVEA_ERROR_MODEL,
                          "its sub-graph uses “%s”, which isn't there. The model file is damaged; get it again.", name);
              return NULL;
            }
        }
      else
        {
          counterpart = graph_add_value (graph, value->name);
          copy_value_fields (counterpart, value);
        }
      g_hash_table_insert (map, value, counterpart);
    }
  return g_steal_pointer (&map);
}

gboolean
graph_inline (Graph *graph, Node *node, const Graph *body, GError **error)
{
  g_autoptr (GHashTable) map = NULL;
  g_autofree char *prefix = g_strconcat (node->name, "/", NULL);
  guint index;

  if (!g_ptr_array_find (graph->nodes, node, &index))
    return node_error (node, error, FOVEA_ERROR_ARGUMENT, "it isn't part of the graph any more.");
  if (node->outputs->len > body->outputs->len || (body->inputs->len > 0 && node->inputs->len > body->inputs->len))
    return node_error (node, error, FOVEA_ERROR_MODEL,
                       "it has %u inputs and %u outputs, but what it stands for has %u and %u. The model file is damaged; get it again.",
                       node->inputs->len, node->outputs->len, body->inputs->len, body->outputs->len);
  map = map_body (graph, node, body, error);
  if (!map)
    return FALSE;
  for (guint i = 0; i < node->outputs->len; i++)
    if (node_output (node, i) && !g_hash_table_lookup (map, g_ptr_array_index (body->outputs, i)))
      return node_error (node, error, FOVEA_ERROR_MODEL, "its output %u depends on an input that is left out. Export the model again.", i);

  graph_remove_node (graph, node);
  copy_nodes (graph, body, map, prefix, (gint) index);
  index += body->nodes->len;
  for (guint i = 0; i < node->outputs->len; i++)
    {
      Value *old = node_output (node, i);
      Value *now = old ? g_hash_table_lookup (map, g_ptr_array_index (body->outputs, i)) : NULL;

      if (!old)
        continue;
      if (graph_can_replace_value (graph, old, now))
        {
          if (now->type == FOVEA_TYPE_NONE && !now->has_rank)
            copy_value_fields (now, old);
          graph_replace_value (graph, old, now);
        }
      else
        {
          g_autofree char *name = g_strdup_printf ("%soutput_%u", prefix, i);
          Node *identity = graph_add_node (graph, "", "Identity", name, (gint) index++);

          node_add_input (identity, now);
          node_add_output (identity, old);
        }
    }
  return TRUE;
}
