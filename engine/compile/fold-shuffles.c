/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * fold-shuffles.c: ShuffleNet's units join two images, shuffle the channels and take the result apart for the next unit. Exporters write that as
 *
 *   Concat ─▶ Reshape (N, G, C/G, H, W) ─▶ Transpose (0, 2, 1, 3, 4) ─▶ Reshape (N, C, H, W) ─▶ Slice, Slice   (or Split)
 *
 * five to six times over memory, three of them in plain layout. Each end becomes one PickChannels that reads what the Concat would have joined,
 * and stays in blocks.
 */

#include <string.h>

#include "compile/passes.h"
#include "ops/movement.h"
#include "ops/operator.h"

static gboolean
is_type (const Node *node, const char *domain, const char *type)
{
  return node && strcmp (node->domain, domain) == 0 && strcmp (node->type, type) == 0;
}

static gboolean
is_image (const Value *value)
{
  return value && !value->constant && value->type == FOVEA_TYPE_FLOAT32 && value->shape.n_dims == 4 && shape_count (&value->shape) > 0;
}

/* What the Reshape at the end of a shuffle shuffles, and in how many groups; NULL where it isn't one. */
static Value *
match_shuffle (const Node *last, gint64 *n_groups)
{
  static const gint64 swap[] = { 0, 2, 1, 3, 4 };
  const Node         *transpose, *first;
  const FoveaShape   *groups, *shape;
  const gint64       *order;
  Value              *x;

  if (!is_type (last, "", "Reshape") || !is_image (node_output (last, 0)))
    return NULL;
  transpose = node_input (last, 0)->producer;
  if (!is_type (transpose, "", "Transpose") || node_ints (transpose, "perm", &order) != 5 || memcmp (order, swap, sizeof swap) != 0)
    return NULL;
  first = node_input (transpose, 0)->producer;
  if (!is_type (first, "", "Reshape"))
    return NULL;
  x = node_input (first, 0);
  shape = &x->shape;
  groups = &node_output (first, 0)->shape;
  if (!is_image (x) || !shape_equal (shape, &node_output (last, 0)->shape) || groups->n_dims != 5 || groups->dims[0] != shape->dims[0]
      || groups->dims[3] != shape->dims[2] || groups->dims[4] != shape->dims[3])
    return NULL;
  *n_groups = groups->dims[1];
  return x;
}

/* A PickChannels before node `index` that makes `out`, whose producer is gone. */
static gboolean
add_pick (Graph *graph, const char *name, const GPtrArray *inputs, const gint64 *channels, Value *out, gint index, GError **error)
{
  Node *pick = graph_add_node (graph, "fovea", "PickChannels", name, index);

  for (guint i = 0; i < inputs->len; i++)
    node_add_input (pick, g_ptr_array_index (inputs, i));
  node_add_output (pick, out);
  node_set_ints (pick, "channels", channels, (gsize) out->shape.dims[1]);
  return operator_parse_node (pick, error);
}

/* x itself, or the images that a Concat joins to x. */
static GPtrArray *
parts_of (Value *x)
{
  const Node *concat = x->producer;
  GPtrArray  *parts = g_ptr_array_new ();
  gboolean    joins = is_type (concat, "", "Concat") && concat->inputs->len < 32 && (node_int (concat, "axis", 1) == 1 || node_int (concat, "axis", 1) == -3);

  for (guint i = 0; joins && i < concat->inputs->len; i++)
    joins = is_image (node_input (concat, i));
  for (guint i = 0; joins && i < concat->inputs->len; i++)
    g_ptr_array_add (parts, node_input (concat, i));
  if (!joins)
    g_ptr_array_add (parts, x);
  return parts;
}

/* The Reshape at `index` becomes a PickChannels: channel i of the result is number i / G of group i % G. */
static gboolean
fold_shuffle (Graph *graph, Value *x, gint64 n_groups, guint index, GError **error)
{
  Node                 *last = g_ptr_array_index (graph->nodes, index);
  Value                *out = node_output (last, 0);
  gint64                n = x->shape.dims[1];
  g_autofree gint64    *channels = g_new (gint64, n);
  g_autoptr (GPtrArray) parts = parts_of (x);

  for (gint64 i = 0; i < n; i++)
    channels[i] = i % n_groups * (n / n_groups) + i / n_groups;
  graph_remove_node (graph, last);
  return add_pick (graph, last->name, parts, channels, out, (gint) index, error);
}

/* Which channels of its input output `part` of a Slice or Split has: *first, *first + *step, … */
static gboolean
takes_channels (const Node *node, guint part, gint64 *first, gint64 *step)
{
  if (is_type (node, "", "Slice"))
    return slice_takes_channels (node, first, step);
  *first = 0;
  *step = 1;
  for (guint i = 0; i < part; i++)
    *first += node_output (node, i)->shape.dims[1];
  return TRUE;
}

/* A Slice or Split of channels that a PickChannels has picked. */
static gboolean
takes_picked_apart (const Node *node)
{
  gint64 first, step;

  if (!is_type (node, "", "Slice") && !(is_type (node, "", "Split") && (node_int (node, "axis", 0) == 1 || node_int (node, "axis", 0) == -3)))
    return FALSE;
  for (guint i = 0; i < node->outputs->len; i++)
    if (!is_image (node_output (node, i)))
      return FALSE;
  return is_type (node_input (node, 0)->producer, "fovea", "PickChannels") && takes_channels (node, 0, &first, &step);
}

/* Each output of the node at *index becomes a PickChannels of its own; *index is the last of them then. */
static gboolean
fold_parts (Graph *graph, guint *index, GError **error)
{
  Node         *node = g_ptr_array_index (graph->nodes, *index), *pick = node_input (node, 0)->producer;
  guint         n_parts = node->outputs->len;
  const gint64 *picked;

  node_ints (pick, "channels", &picked);
  graph_remove_node (graph, node);
  for (guint part = 0; part < n_parts; part++)
    {
      Value             *out = node_output (node, part);
      g_autofree gint64 *channels = g_new (gint64, out->shape.dims[1]);
      gint64             first, step;

      takes_channels (node, part, &first, &step);
      for (gint64 i = 0; i < out->shape.dims[1]; i++)
        channels[i] = picked[first + i * step];
      if (!add_pick (graph, node->name, pick->inputs, channels, out, (gint) (*index + part), error))
        return FALSE;
    }
  *index += n_parts - 1;
  return TRUE;
}

gboolean
fold_shuffles (Graph *graph, GError **error)
{
  gboolean any = FALSE;

  for (guint i = 0; i < graph->nodes->len; i++)
    {
      Node  *node = g_ptr_array_index (graph->nodes, i);
      gint64 n_groups;
      Value *x = match_shuffle (node, &n_groups);

      if ((x && !fold_shuffle (graph, x, n_groups, i, error)) || (!x && takes_picked_apart (node) && !fold_parts (graph, &i, error)))
        return FALSE;
      any |= x != NULL;
    }
  if (any)
    graph_remove_unused (graph);
  return TRUE;
}
