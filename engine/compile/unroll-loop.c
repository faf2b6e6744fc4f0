/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * unroll-loop.c: Loop, round by round. The condition and the number of rounds must be known while compiling, as they are where a loop goes over the photos of a
 * batch (TensorFlow's exports do) or counts to a constant.
 *
 *   inputs of a Loop: rounds, condition, carried values …      of its body: round, condition, carried values …
 *   outputs of a Loop: carried values …, lists …               of its body: condition, carried values …, elements of the lists …
 *
 * One round at a time is put before the Loop, since its condition may hang on the values of the round before.
 */

#include "compile/unroll-loop.h"

#include <string.h>

#define MAX_ROUNDS 1000
#define MAX_NODES  200000 /* of the graph, with all copies */

struct _LoopState
{
  const Graph *body;      /* of the node */
  gint64       n_rounds;
  guint        n_carried;
  Value      **carried;   /* (n_carried) */
  Value       *condition; /* NULL: none */
  GPtrArray   *elements;  /* Value*, those of the first round, then those of the second … */
};

void
loop_state_free (LoopState *state)
{
  if (!state)
    return;
  g_free (state->carried);
  g_ptr_array_unref (state->elements);
  g_free (state);
}

LoopState *
loop_state_new (const Node *node, GError **error)
{
  const Attribute *attribute = node_attribute (node, "body");
  const Graph     *body = attribute && attribute->kind == ATTRIBUTE_GRAPH ? attribute->graph : NULL;
  guint            n_carried = node->inputs->len > 2 ? node->inputs->len - 2 : 0;
  LoopState       *state;

  if (!body || body->inputs->len != 2 + n_carried || body->outputs->len < 1 + n_carried || node->outputs->len > body->outputs->len - 1)
    {
      node_error (node, error, FOVEA_ERROR_MODEL, "its body doesn't fit its inputs and outputs. The model is damaged, or was written by a faulty exporter.");
      return NULL;
    }
  state = g_new0 (LoopState, 1);
  state->body = body;
  state->n_carried = n_carried;
  state->carried = g_new0 (Value *, n_carried + 1);
  state->elements = g_ptr_array_new ();
  state->condition = node_input (node, 1);
  for (guint i = 0; i < n_carried; i++)
    state->carried[i] = node_input (node, 2 + i);
  return state;
}

static Value *
add_scalar (Graph *graph, FoveaType type, gint64 number, GError **error)
{
  g_autoptr (FoveaTensor) tensor = fovea_tensor_new (type, &(FoveaShape) { 0, { 0 } }, error);

  if (!tensor)
    return NULL;
  if (type == FOVEA_TYPE_BOOL)
    *(guint8 *) tensor->data = number != 0;
  else
    *(gint64 *) tensor->data = number;
  return graph_add_constant (graph, NULL, tensor);
}

/* A node that stands for the body takes its place at once; the values that it made are the new state. */
static gboolean
add_round (Graph *graph, Node *node, LoopState *state, GError **error)
{
  const Graph        *body = state->body;
  g_autofree char    *name = g_strdup_printf ("%s/%" G_GINT64_FORMAT, node->name, state->n_rounds);
  Value              *round = add_scalar (graph, FOVEA_TYPE_INT64, state->n_rounds, error), *condition = state->condition, *most;
  g_autofree Value  **outs = g_new0 (Value *, body->outputs->len);
  Node               *call;
  guint               index;

  if (!condition)
    condition = round ? add_scalar (graph, FOVEA_TYPE_BOOL, 1, error) : NULL;
  if (!condition || !g_ptr_array_find (graph->nodes, node, &index))
    return FALSE;
  call = graph_add_node (graph, "", "Loop", name, (gint) index);
  node_add_input (call, round);
  node_add_input (call, condition);
  for (guint i = 0; i < state->n_carried; i++)
    node_add_input (call, state->carried[i]);
  /* Each output of the body goes through a node of our own, so that it keeps a value however the body made it. */
  for (guint i = 0; i < body->outputs->len; i++)
    {
      Value *made = graph_add_value (graph, NULL);
      Node  *identity = graph_add_node (graph, "", "Identity", NULL, (gint) (index + 1 + i));

      outs[i] = graph_add_value (graph, NULL);
      node_add_output (call, made);
      node_add_input (identity, made);
      node_add_output (identity, outs[i]);
    }
  if (!graph_inline (graph, call, body, error))
    return FALSE;
  state->condition = outs[0];
  for (guint i = 0; i < state->n_carried; i++)
    state->carried[i] = outs[1 + i];
  for (guint i = 1 + state->n_carried; i < body->outputs->len; i++)
    g_ptr_array_add (state->elements, outs[i]);
  state->n_rounds++;

  /* The Loop itself keeps what comes next alive, and in order. */
  most = node_input (node, 0);
  g_ptr_array_set_size (node->inputs, 0);
  node_add_input (node, most);
  node_add_input (node, state->condition);
  for (guint i = 0; i < state->n_carried; i++)
    node_add_input (node, state->carried[i]);
  return TRUE;
}

/* The elements of list i get a dimension in front and are joined along it. */
static void
add_list (Graph *graph, const LoopState *state, guint i, guint n_lists, Value *axes, Value *out, guint *index)
{
  Node *concat;
  g_autoptr (GPtrArray) parts = g_ptr_array_new ();

  for (gint64 round = 0; round < state->n_rounds; round++)
    {
      Value *part = graph_add_value (graph, NULL);
      Node  *unsqueeze = graph_add_node (graph, "", "Unsqueeze", NULL, (gint) (*index)++);

      node_add_input (unsqueeze, g_ptr_array_index (state->elements, round * n_lists + i));
      if (axes)
        node_add_input (unsqueeze, axes);
      else
        node_set_ints (unsqueeze, "axes", (const gint64[]) { 0 }, 1);
      node_add_output (unsqueeze, part);
      g_ptr_array_add (parts, part);
    }
  concat = graph_add_node (graph, "", "Concat", NULL, (gint) (*index)++);
  node_set_int (concat, "axis", 0);
  for (guint k = 0; k < parts->len; k++)
    node_add_input (concat, g_ptr_array_index (parts, k));
  node_add_output (concat, out);
}

static gboolean
finish (Graph *graph, Node *node, const LoopState *state, GError **error)
{
  guint                n_lists = state->body->outputs->len - 1 - state->n_carried, index = 0;
  int                  opset = node->opset;
  g_autofree Value   **outs = g_new0 (Value *, node->outputs->len + 1);
  guint                n_outs = node->outputs->len;
  Value               *axes = NULL;

  for (guint i = 0; i < n_outs; i++)
    outs[i] = node_output (node, i);
  for (guint i = state->n_carried; i < n_outs && state->n_rounds == 0; i++)
    if (outs[i])
      return node_error (node, error, FOVEA_ERROR_UNSUPPORTED, "it goes no round, so that the size of its lists isn't known. Use a model without it.");
  if (opset >= 13 && n_lists)
    {
      g_autoptr (FoveaTensor) zero = fovea_tensor_new (FOVEA_TYPE_INT64, &(FoveaShape) { 1, { 1 } }, error);

      if (!zero)
        return FALSE;
      axes = graph_add_constant (graph, NULL, zero);
    }
  if (!g_ptr_array_find (graph->nodes, node, &index))
    return FALSE;
  graph_remove_node (graph, node);
  for (guint i = 0; i < n_outs; i++)
    {
      Node *identity;

      if (!outs[i])
        continue;
      if (i >= state->n_carried)
        {
          add_list (graph, state, i - state->n_carried, n_lists, axes, outs[i], &index);
          continue;
        }
      identity = graph_add_node (graph, "", "Identity", NULL, (gint) index++);
      node_add_input (identity, state->carried[i]);
      node_add_output (identity, outs[i]);
    }
  return TRUE;
}

gboolean
unroll_loop (Graph *graph, Node *node, LoopState *state, gint64 rounds, gboolean more, gboolean *done, GError **error)
{
  *done = !more || state->n_rounds >= rounds;
  if (*done)
    return finish (graph, node, state, error);
  if (state->n_rounds >= MAX_ROUNDS || graph->nodes->len + state->body->nodes->len > MAX_NODES)
    return node_error (node, error, FOVEA_ERROR_UNSUPPORTED, "it goes too many rounds to be unrolled. Use a model without it.");
  return add_round (graph, node, state, error);
}
