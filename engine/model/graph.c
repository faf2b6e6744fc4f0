/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * graph.c: making, changing, copying and sorting graphs. See graph.h for what is what.
 *
 * The keys of graph->values are the names inside the values; whoever renames a value takes it out of the table first.
 * Nothing here recurses but over sub-graphs, whose depth the reader limits.
 */

#include "model/graph.h"

#include <glib/gi18n.h>
#include <string.h>

#define NEWEST_OPSET 22
#define NEWEST_IR 10

/* ---- graphs ----------------------------------------------------------------------------------------------- */

static void
value_free (gpointer data)
{
  Value *value = data;

  g_free (value->name);
  for (guint i = 0; i < FOVEA_MAX_DIMS; i++)
    g_free (value->dim_names[i]);
  g_clear_pointer (&value->constant, fovea_tensor_unref);
  g_clear_pointer (&value->variable, fovea_tensor_unref);
  g_free (value);
}

static void
attribute_free (gpointer data)
{
  Attribute *attribute = data;

  g_free (attribute->name);
  g_free (attribute->s);
  g_clear_pointer (&attribute->tensor, fovea_tensor_unref);
  g_clear_pointer (&attribute->graph, graph_free);
  g_free (attribute->ints);
  g_free (attribute->floats);
  g_strfreev (attribute->strings);
  g_free (attribute);
}

static void
node_free (gpointer data)
{
  Node *node = data;

  if (node->clear)
    node->clear (node);
  g_free (node->name);
  g_free (node->type);
  g_free (node->domain);
  g_ptr_array_unref (node->inputs);
  g_ptr_array_unref (node->outputs);
  g_ptr_array_unref (node->attributes);
  g_free (node);
}

Graph *
graph_new (void)
{
  Graph *graph = g_new0 (Graph, 1);

  graph->name = g_strdup ("");
  graph->ir_version = NEWEST_IR;
  graph->opsets = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_hash_table_insert (graph->opsets, g_strdup (""), GINT_TO_POINTER (NEWEST_OPSET));
  graph->metadata = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  graph->nodes = g_ptr_array_new ();
  graph->inputs = g_ptr_array_new ();
  graph->outputs = g_ptr_array_new ();
  graph->values = g_hash_table_new (g_str_hash, g_str_equal);
  graph->all_nodes = g_ptr_array_new_with_free_func (node_free);
  graph->all_values = g_ptr_array_new_with_free_func (value_free);
  return graph;
}

void
graph_free (Graph *graph)
{
  if (!graph)
    return;
  g_free (graph->name);
  g_hash_table_unref (graph->opsets);
  g_free (graph->producer_name);
  g_free (graph->producer_version);
  g_free (graph->doc_string);
  g_hash_table_unref (graph->metadata);
  g_ptr_array_unref (graph->nodes);
  g_ptr_array_unref (graph->inputs);
  g_ptr_array_unref (graph->outputs);
  g_hash_table_unref (graph->values);
  g_ptr_array_unref (graph->all_nodes);
  g_ptr_array_unref (graph->all_values);
  g_free (graph);
}

Value *
graph_find_value (const Graph *graph, const char *name)
{
  return g_hash_table_lookup (graph->values, name);
}

/* A free name: `name`, "name:1", …; a made-up one for NULL or "". */
static char *
unique_name (const Graph *graph, const char *name)
{
  guint suffix = name && *name ? 1 : graph->all_values->len;

  if (name && *name && !graph_find_value (graph, name))
    return g_strdup (name);
  for (;; suffix++)
    {
      g_autofree char *candidate = name && *name ? g_strdup_printf ("%s:%u", name, suffix) : g_strdup_printf ("value_%u", suffix);

      if (!graph_find_value (graph, candidate))
        return g_steal_pointer (&candidate);
    }
}

Value *
graph_add_value (Graph *graph, const char *name)
{
  Value *value = g_new0 (Value, 1);

  value->name = unique_name (graph, name);
  g_ptr_array_add (graph->all_values, value);
  g_hash_table_insert (graph->values, value->name, value);
  return value;
}

Value *
graph_add_constant (Graph *graph, const char *name, FoveaTensor *tensor)
{
  Value *value = graph_add_value (graph, name);

  value->type = tensor->type;
  value->has_rank = TRUE;
  value->shape = tensor->shape;
  value->constant = fovea_tensor_ref (tensor);
  return value;
}

/* A node that is in no list yet. */
static Node *
add_unlinked_node (Graph *graph, const char *domain, const char *type, const char *name, gint64 opset)
{
  Node *node = g_new0 (Node, 1);

  node->name = g_strdup (name ? name : "");
  node->type = g_strdup (type);
  node->domain = g_strdup (domain);
  node->opset = opset;
  node->inputs = g_ptr_array_new ();
  node->outputs = g_ptr_array_new ();
  node->attributes = g_ptr_array_new_with_free_func (attribute_free);
  g_ptr_array_add (graph->all_nodes, node);
  return node;
}

Node *
graph_add_node (Graph *graph, const char *domain, const char *type, const char *name, gint index)
{
  gint64 opset = GPOINTER_TO_INT (g_hash_table_lookup (graph->opsets, domain));
  Node  *node = add_unlinked_node (graph, domain, type, name, MAX (opset, 1));

  if (!*node->name)
    {
      g_free (node->name);
      node->name = g_strdup_printf ("%s_%u", type, graph->all_nodes->len - 1);
    }
  g_ptr_array_insert (graph->nodes, index, node);
  return node;
}

Value *
graph_append (Graph *graph, const char *type, const char *name, Value *a, Value *b)
{
  Node  *node = graph_add_node (graph, "", type, name, -1);
  Value *out = graph_add_value (graph, name);

  node_add_input (node, a);
  if (b)
    node_add_input (node, b);
  node_add_output (node, out);
  return out;
}

void
node_add_input (Node *node, Value *value)
{
  g_ptr_array_add (node->inputs, value);
}

void
node_add_output (Node *node, Value *value)
{
  g_ptr_array_add (node->outputs, value);
  if (value)
    value->producer = node;
}

void
graph_remove_node (Graph *graph, Node *node)
{
  g_ptr_array_remove (graph->nodes, node);
  for (guint i = 0; i < node->outputs->len; i++)
    {
      Value *value = node_output (node, i);

      if (value && value->producer == node)
        value->producer = NULL;
    }
}

/* ---- uses of values --------------------------------------------------------------------------------------- */

static guint
count_in (const GPtrArray *values, const Value *value)
{
  guint n = 0;

  for (guint i = 0; i < values->len; i++)
    n += g_ptr_array_index (values, i) == value;
  return n;
}

static guint
replace_in (GPtrArray *values, const Value *old, Value *now)
{
  guint n = 0;

  for (guint i = 0; i < values->len; i++)
    if (g_ptr_array_index (values, i) == old)
      {
        g_ptr_array_index (values, i) = now;
        n++;
      }
  return n;
}

/* Whether a sub-graph of the node, at any depth, takes the value of that name from around it. */
static gboolean
node_takes_outer (const Node *node, const char *name)
{
  for (guint i = 0; i < node->attributes->len; i++)
    {
      const Attribute *attribute = g_ptr_array_index (node->attributes, i);
      const Value     *inner = attribute->graph ? graph_find_value (attribute->graph, name) : NULL;

      if (inner && inner->outer)
        return TRUE;
    }
  return FALSE;
}

gboolean
graph_is_output (const Graph *graph, const Value *value)
{
  return count_in (graph->outputs, value) > 0;
}

guint
graph_count_uses (const Graph *graph, const Value *value)
{
  guint n = count_in (graph->outputs, value);

  for (guint i = 0; i < graph->nodes->len; i++)
    {
      const Node *node = g_ptr_array_index (graph->nodes, i);

      n += count_in (node->inputs, value) + node_takes_outer (node, value->name);
    }
  return n;
}

void
graph_remove_unused (Graph *graph)
{
  for (guint i = graph->nodes->len; i-- > 0;)
    {
      Node    *node = g_ptr_array_index (graph->nodes, i);
      gboolean used = FALSE;

      for (guint k = 0; k < node->outputs->len; k++)
        used = used || (node_output (node, k) && graph_count_uses (graph, node_output (node, k)) > 0);
      if (!used)
        graph_remove_node (graph, node);
    }
}

Node *
graph_only_consumer (const Graph *graph, const Value *value)
{
  Node *consumer = NULL;

  if (graph_is_output (graph, value))
    return NULL;
  for (guint i = 0; i < graph->nodes->len; i++)
    {
      Node *node = g_ptr_array_index (graph->nodes, i);

      if (count_in (node->inputs, value) || node_takes_outer (node, value->name))
        {
          if (consumer)
            return NULL;
          consumer = node;
        }
    }
  return consumer;
}

static void
rename_value (Graph *graph, Value *value, char *name)
{
  g_hash_table_remove (graph->values, value->name);
  g_free (value->name);
  value->name = name;
  g_hash_table_replace (graph->values, value->name, value);
}

static void
exchange_names (Graph *graph, Value *a, Value *b)
{
  char *name = a->name;

  a->name = b->name;
  b->name = name;
  g_hash_table_replace (graph->values, a->name, a);
  g_hash_table_replace (graph->values, b->name, b);
}

static void redirect_outer (Graph *graph, const char *from, const char *to);

static void
redirect_outer_of_nodes (Graph *graph, const char *from, const char *to)
{
  for (guint i = 0; i < graph->nodes->len; i++)
    {
      const Node *node = g_ptr_array_index (graph->nodes, i);

      for (guint j = 0; j < node->attributes->len; j++)
        {
          const Attribute *attribute = g_ptr_array_index (node->attributes, j);

          if (attribute->graph)
            redirect_outer (attribute->graph, from, to);
        }
    }
}

/* What a sub-graph takes from around it under the name `from`, it takes under the name `to` from now on. */
static void
redirect_outer (Graph *graph, const char *from, const char *to)
{
  Value *value = graph_find_value (graph, from);
  Value *taken = graph_find_value (graph, to);

  if (!value || !value->outer)
    return;
  if (taken && taken->outer)
    {
      graph_replace_value (graph, value, taken);
      value->outer = FALSE;
      return;
    }
  graph_free_name (graph, to); /* a sub-graph's own names are private: its outputs go by position */
  rename_value (graph, value, g_strdup (to));
  redirect_outer_of_nodes (graph, from, to);
}

void
graph_free_name (Graph *graph, const char *name)
{
  Value           *value = graph_find_value (graph, name);
  g_autofree char *before = g_strdup (name);

  if (!value)
    return;
  rename_value (graph, value, unique_name (graph, name));
  redirect_outer_of_nodes (graph, before, value->name);
}

gboolean
graph_can_replace_value (const Graph *graph, const Value *old, const Value *now)
{
  return !graph_is_output (graph, old) || !(graph_is_output (graph, now) || now->outer || count_in (graph->inputs, now));
}

void
graph_replace_value (Graph *graph, Value *old, Value *now)
{
  if (old == now)
    return;
  for (guint i = 0; i < graph->nodes->len; i++)
    replace_in (((Node *) g_ptr_array_index (graph->nodes, i))->inputs, old, now);
  if (graph_is_output (graph, old) && graph_can_replace_value (graph, old, now))
    {
      replace_in (graph->outputs, old, now);
      exchange_names (graph, old, now);
    }
  redirect_outer_of_nodes (graph, old->name, now->name);
}

/* ---- sorting ---------------------------------------------------------------------------------------------- */

/* How far the depth-first walk is with a node: OPEN while its producers are being done. */
typedef enum { UNSEEN, OPEN, DONE } Mark;

/* Pushes the node that makes `value`; FALSE if that one waits for this very value. */
static gboolean
push_producer (GPtrArray *stack, GHashTable *marks, const Value *value, GError **error)
{
  Node *producer = value ? value->producer : NULL;

  if (!producer || !g_hash_table_contains (marks, producer))
    return TRUE;
  if (GPOINTER_TO_INT (g_hash_table_lookup (marks, producer)) == OPEN)
    return node_error (producer, error, FOVEA_ERROR_MODEL,
                       "it needs its own output, directly or through other layers. The model file is damaged; get it again.");
  g_ptr_array_add (stack, producer);
  return TRUE;
}

/* All that the node needs, by its sub-graphs and by its inputs, the first input on top. */
static gboolean
push_producers (const Graph *graph, const Node *node, GPtrArray *stack, GHashTable *marks, GError **error)
{
  for (guint i = 0; i < node->attributes->len; i++)
    {
      const Graph *inner = ((const Attribute *) g_ptr_array_index (node->attributes, i))->graph;

      for (guint j = 0; inner && j < inner->all_values->len; j++)
        {
          const Value *value = g_ptr_array_index (inner->all_values, j);

          if (value->outer && !push_producer (stack, marks, graph_find_value (graph, value->name), error))
            return FALSE;
        }
    }
  for (guint i = node->inputs->len; i-- > 0;)
    if (!push_producer (stack, marks, node_input (node, i), error))
      return FALSE;
  return TRUE;
}

/* Depth first from the nodes in their present order, so that a sorted graph stays as it is. */
gboolean
graph_sort (Graph *graph, GError **error)
{
  g_autoptr (GHashTable) marks = g_hash_table_new (NULL, NULL); /* Node* -> Mark */
  g_autoptr (GPtrArray) stack = g_ptr_array_new ();
  g_autoptr (GPtrArray) sorted = g_ptr_array_sized_new (graph->nodes->len);

  for (guint i = 0; i < graph->nodes->len; i++)
    g_hash_table_insert (marks, g_ptr_array_index (graph->nodes, i), GINT_TO_POINTER (UNSEEN));

  for (guint i = 0; i < graph->nodes->len; i++)
    {
      g_ptr_array_add (stack, g_ptr_array_index (graph->nodes, i));
      while (stack->len > 0)
        {
          Node *node = g_ptr_array_index (stack, stack->len - 1);
          Mark  mark = GPOINTER_TO_INT (g_hash_table_lookup (marks, node));

          if (mark == UNSEEN)
            {
              g_hash_table_insert (marks, node, GINT_TO_POINTER (OPEN));
              if (!push_producers (graph, node, stack, marks, error))
                return FALSE;
              continue;
            }
          g_ptr_array_set_size (stack, stack->len - 1);
          if (mark == OPEN)
            {
              g_hash_table_insert (marks, node, GINT_TO_POINTER (DONE));
              g_ptr_array_add (sorted, node);
            }
        }
    }

  g_ptr_array_set_size (graph->nodes, 0);
  for (guint i = 0; i < sorted->len; i++)
    g_ptr_array_add (graph->nodes, g_ptr_array_index (sorted, i));
  return TRUE;
}

/* ---- nodes ------------------------------------------------------------------------------------------------ */

Value *
node_input (const Node *node, guint i)
{
  return i < node->inputs->len ? g_ptr_array_index (node->inputs, i) : NULL;
}

Value *
node_output (const Node *node, guint i)
{
  return i < node->outputs->len ? g_ptr_array_index (node->outputs, i) : NULL;
}

char *
name_for_display (const char *name)
{
  enum { LONGEST = 80 };
  g_autofree char *valid = g_utf8_make_valid (name, strnlen (name, 4 * LONGEST));
  GString *text = g_string_new (NULL);
  guint    n = 0;

  for (const char *c = valid; *c; c = g_utf8_next_char (c))
    {
      gunichar character = g_utf8_get_char (c);

      if (n++ == LONGEST)
        {
          g_string_append (text, "…");
          break;
        }
      g_string_append_unichar (text, g_unichar_isprint (character) ? character : '?');
    }
  return g_string_free (text, FALSE);
}

gboolean
node_error (const Node *node, GError **error, int code, const char *format, ...)
{
  g_autofree char *name = name_for_display (node->name);
  g_autofree char *type = name_for_display (node->type);
  g_autofree char *message = NULL;
  va_list arguments;

  va_start (arguments, format);
  message = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_set_error (error, FOVEA_ERROR, code, _("layer “%s” (%s): %s"), name, type, message);
  return FALSE;
}
