/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * infer-shapes.c: node by node in order. A node whose shape depends on a value asks for it through the InferContext; we compute it then, and only
 * then, from constants, known shapes and bound inputs. See infer-shapes.h.
 */

#include "compile/infer-shapes.h"

#include <string.h>

#include "compile/evaluate.h"
#include "compile/unroll-loop.h"
#include "ops/operator.h"

/* Deeper chains of values that shapes depend on are made up to exhaust the stack. */
#define MAX_DEPTH 2000

typedef struct
{
  InferContext          context;
  const CompileOptions *options;
  GHashTable           *used;
  guint                 depth;
} Inference;

static gboolean evaluate_value (Inference *inference, Value *value, GError **error);

static gboolean
bind_input (Inference *inference, Value *value, GError **error)
{
  FoveaTensor *tensor = inference->options->bound ? g_hash_table_lookup (inference->options->bound, value->name) : NULL;

  if (!tensor)
    {
      g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_UNSUPPORTED,
                   "shapes depend on the values of input “%s”, which aren't known before running. Bind the input, or export the model with fixed shapes.",
                   value->name);
      return FALSE;
    }
  value->constant = fovea_tensor_ref (tensor);
  g_hash_table_insert (inference->used, value->name, tensor);
  return TRUE;
}

static gboolean
evaluate_producer (Inference *inference, Node *node, GError **error)
{
  gboolean ok = TRUE;

  if (inference->depth >= MAX_DEPTH)
    return node_error (node, error, FOVEA_ERROR_UNSUPPORTED, "it is too deep in a chain of values that shapes depend on.");
  inference->depth++;
  for (guint i = 0; ok && !evaluate_can (node) && i < node->inputs->len; i++)
    {
      Value *input = node_input (node, i);

      ok = !input || evaluate_value (inference, input, error);
    }
  inference->depth--;
  if (ok && !evaluate_can (node))
    return node_error (node, error, FOVEA_ERROR_UNSUPPORTED, "shapes depend on its result, whose size isn't known before running.");
  return ok && evaluate_node (node, error);
}

static gboolean
evaluate_value (Inference *inference, Value *value, GError **error)
{
  if (value->constant)
    return TRUE;
  if (value->variable)
    {
      g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_UNSUPPORTED, "shapes depend on “%s”, which is being trained. Freeze it.", value->name);
      return FALSE;
    }
  return value->producer ? evaluate_producer (inference, value->producer, error) : bind_input (inference, value, error);
}

static const FoveaTensor *
context_constant (InferContext *context, const Node *node, guint i, GError **error)
{
  Value             *value = node_input (node, i);
  g_autoptr (GError) cause = NULL;

  if (evaluate_value ((Inference *) context, value, &cause))
    return value->constant;
  node_error (node, error, cause->code, "%s", cause->message);
  return NULL;
}

/* float16 is stored, float32 is computed: no operator ever sees float16. */
static void
widen_value (Value *value)
{
  if (!value || value->type != FOVEA_TYPE_FLOAT16)
    return;
  value->type = FOVEA_TYPE_FLOAT32;
  value->is_half = TRUE;
}

/* What an operator makes of nothing but float16 is float16 in the model. */
static void
note_half (const Node *node)
{
  gboolean any = FALSE, all = TRUE;

  for (guint i = 0; i < node->inputs->len; i++)
    {
      const Value *value = node_input (node, i);

      any |= value && value->is_half;
      all &= !value || value->type != FOVEA_TYPE_FLOAT32 || value->is_half;
    }
  for (guint i = 0; any && all && i < node->outputs->len; i++)
    if (node_output (node, i) && node_output (node, i)->type == FOVEA_TYPE_FLOAT32)
      node_output (node, i)->is_half = TRUE;
}

static void
widen_values (Graph *graph)
{
  GHashTableIter iter;
  gpointer       value;

  g_hash_table_iter_init (&iter, graph->values);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    widen_value (value);
}

static gboolean
check_outputs (const Node *node, GError **error)
{
  for (guint i = 0; i < node->outputs->len; i++)
    {
      Value *value = node_output (node, i);
      gsize  bytes;

      if (!value)
        continue;
      if (value->type == FOVEA_TYPE_NONE || !value->has_rank || !plan_value_bytes (value, &bytes))
        {
          g_autofree char *shape = shape_to_string (&value->shape);

          return node_error (node, error, FOVEA_ERROR_SHAPE, "its output “%s” would be a tensor of shape %s, which can't be. Check the input's size.",
                             value->name, shape);
        }
      widen_value (value);
    }
  return TRUE;
}

static gboolean
check_inputs (const Node *node, GError **error)
{
  for (guint i = 0; i < node->inputs->len; i++)
    {
      const Value *value = node_input (node, i);

      if (value && value->dynamic)
        return node_error (node, error, FOVEA_ERROR_UNSUPPORTED,
                           "the size of its input “%s” is known only while running. Use a model without this post-processing inside.", value->name);
    }
  return TRUE;
}

/* The branch that an If takes must be known now; its nodes take the If's place. */
static gboolean
inline_if (Inference *inference, Graph *graph, Node *node, GError **error)
{
  const Attribute   *branch;
  const FoveaTensor *condition;
  gint64             taken = 0;

  if (!node_input (node, 0))
    return node_error (node, error, FOVEA_ERROR_MODEL, "its condition is missing. The model is damaged, or was written by a faulty exporter.");
  condition = context_constant (&inference->context, node, 0, error);
  if (!condition)
    return FALSE;
  if (condition->type != FOVEA_TYPE_BOOL || shape_count (&condition->shape) != 1)
    return node_error (node, error, FOVEA_ERROR_MODEL, "its condition isn't a single bool. The model is damaged, or was written by a faulty exporter.");
  tensor_read_int64 (condition, 0, 1, &taken);
  branch = node_attribute (node, taken ? "then_branch" : "else_branch");
  if (!branch || branch->kind != ATTRIBUTE_GRAPH)
    return node_error (node, error, FOVEA_ERROR_MODEL, "it lacks a branch. The model is damaged, or was written by a faulty exporter.");
  return graph_inline (graph, node, branch->graph, error);
}

/* One round more of a Loop, or the end of it. What decides must be known now. */
static gboolean
unroll_round (Inference *inference, Graph *graph, Node *node, GHashTable *loops, GError **error)
{
  LoopState *state = g_hash_table_lookup (loops, node);
  gint64     decides[2] = { G_MAXINT64, TRUE }; /* the most rounds; whether to go on */
  gboolean   done;

  for (guint i = 0; i < 2; i++)
    {
      const FoveaTensor *tensor = node_input (node, i) ? context_constant (&inference->context, node, i, error) : NULL;

      if (node_input (node, i) && !tensor)
        return FALSE;
      if (tensor && shape_count (&tensor->shape) != 1)
        return node_error (node, error, FOVEA_ERROR_MODEL, "its condition or number of rounds isn't a single value. The model is damaged.");
      if (tensor)
        tensor_read_int64 (tensor, 0, 1, &decides[i]);
    }
  if (!state)
    {
      state = loop_state_new (node, error);
      if (!state)
        return FALSE;
      g_hash_table_insert (loops, node, state);
    }
  if (!unroll_loop (graph, node, state, decides[0], decides[1] != 0, &done, error))
    return FALSE;
  if (done) /* the node is no more */
    g_hash_table_remove (loops, node);
  return TRUE;
}

gboolean
infer_shapes (Graph *graph, const CompileOptions *options, GHashTable *used, GError **error)
{
  Inference inference = { { context_constant }, options, used, 0 };
  g_autoptr (GHashTable) loops = g_hash_table_new_full (NULL, NULL, NULL, (GDestroyNotify) loop_state_free); /* Node* -> LoopState* */

  widen_values (graph);
  for (guint i = 0; i < graph->nodes->len;)
    {
      Node *node = g_ptr_array_index (graph->nodes, i);

      if (!*node->domain && g_str_equal (node->type, "If"))
        {
          if (!inline_if (&inference, graph, node, error))
            return FALSE;
          widen_values (graph);
          continue;
        }
      if (!*node->domain && g_str_equal (node->type, "Loop"))
        {
          if (!unroll_round (&inference, graph, node, loops, error))
            return FALSE;
          widen_values (graph);
          continue;
        }
      if (!operator_parse_node (node, error) || !check_inputs (node, error) || !node->op->infer (node, &inference.context, error)
          || !check_outputs (node, error))
        return FALSE;
      if (*node->domain || (strcmp (node->type, "Cast") != 0 && strcmp (node->type, "EyeLike") != 0)) /* whose type is an attribute */
        note_half (node);
      i++;
    }
  return TRUE;
}
