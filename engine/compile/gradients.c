/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * gradients.c: see gradients.h, and ops/gradient.h for what operators see of it. Reverse accumulation as in Griewank & Walther, Evaluating
 * Derivatives (2008), chapter 3: each node once, last first; the parts of a value's gradient are added as they come.
 */

#include "compile/gradients.h"

#include <string.h>

#include "compile/passes.h"
#include "ops/activation.h"
#include "ops/clip.h"
#include "ops/gradient.h"

#define GRADIENT_OPSET 22 /* in which the backward functions write standard operators, whatever the model's */

struct _Gradients
{
  InferContext    context;
  Graph          *graph;
  const Training *training;
  GHashTable     *wanted;    /* set of Value*: something trained lies before them */
  GHashTable     *gradients; /* Value* -> Value* */
};

/* ---- what backward functions use ------------------------------------------------------------------------------ */

static const FoveaTensor *
constant_input (InferContext *context, const Node *node, guint i, GError **error)
{
  const Value *value = node_input (node, i);

  if (!value->constant)
    node_error (node, error, FOVEA_ERROR_UNSUPPORTED, "its shape isn't known before running. Freeze the layers around it.");
  return value->constant;
}

Value *
gradient_get (Gradients *gradients, const Value *value)
{
  return value ? g_hash_table_lookup (gradients->gradients, value) : NULL;
}

gboolean
gradient_wanted (Gradients *gradients, const Value *value)
{
  return value && g_hash_table_contains (gradients->wanted, value);
}

Node *
gradient_begin (Gradients *gradients, const char *domain, const char *type, guint n, Value *const *inputs)
{
  Node *node = graph_add_node (gradients->graph, domain, type, NULL, -1);

  node->opset = *domain ? 1 : GRADIENT_OPSET;
  for (guint i = 0; i < n; i++)
    node_add_input (node, inputs[i]);
  return node;
}

Value *
gradient_end (Gradients *gradients, Node *node, guint n_outputs, GError **error)
{
  for (guint i = 0; i < n_outputs; i++)
    {
      g_autofree char *name = i ? g_strdup_printf ("%s %u", node->name, i) : g_strdup (node->name);

      node_add_output (node, graph_add_value (gradients->graph, name));
    }
  if (!operator_parse_node (node, error) || !node->op->infer (node, &gradients->context, error))
    return NULL;
  return node_output (node, 0);
}

Value *
gradient_of_one (Gradients *gradients, const char *type, Value *a, GError **error)
{
  return a ? gradient_end (gradients, gradient_begin (gradients, "", type, 1, &a), 1, error) : NULL;
}

Value *
gradient_of_two (Gradients *gradients, const char *type, Value *a, Value *b, GError **error)
{
  Value *const inputs[] = { a, b };

  return a && b ? gradient_end (gradients, gradient_begin (gradients, "", type, 2, inputs), 1, error) : NULL;
}

gboolean
gradient_give (Gradients *gradients, Value *value, Value *gradient, GError **error)
{
  Value *before = gradient_get (gradients, value);

  if (!gradient)
    return FALSE;
  if (!gradient_wanted (gradients, value))
    return TRUE;
  if (before)
    gradient = gradient_of_two (gradients, "Add", before, gradient, error);
  if (gradient)
    g_hash_table_insert (gradients->gradients, value, gradient);
  return gradient != NULL;
}

Value *
gradient_constant (Gradients *gradients, FoveaTensor *tensor)
{
  return graph_add_constant (gradients->graph, NULL, tensor);
}

Value *
gradient_ints (Gradients *gradients, const gint64 *values, gsize n, GError **error)
{
  gint64                 size = (gint64) n;
  FoveaShape             shape = shape_make (1, &size);
  g_autoptr (FoveaTensor) tensor = fovea_tensor_new (FOVEA_TYPE_INT64, &shape, error);

  if (!tensor)
    return NULL;
  memcpy (tensor->data, values, n * sizeof *values);
  return graph_add_constant (gradients->graph, NULL, tensor);
}

Value *
gradient_number (Gradients *gradients, FoveaType type, double number, GError **error)
{
  FoveaShape             shape = shape_make (0, NULL);
  g_autoptr (FoveaTensor) tensor = fovea_tensor_new (type, &shape, error);

  if (!tensor)
    return NULL;
  if (type == FOVEA_TYPE_FLOAT64)
    *(double *) tensor->data = number;
  else
    *(float *) tensor->data = (float) number;
  return graph_add_constant (gradients->graph, NULL, tensor);
}

Value *
gradient_reshape (Gradients *gradients, Value *value, const FoveaShape *shape, GError **error)
{
  Value *target;

  if (!value || shape_equal (&value->shape, shape))
    return value;
  target = gradient_ints (gradients, shape->dims, shape->n_dims, error);
  return gradient_of_two (gradients, "Reshape", value, target, error);
}

Value *
gradient_sum_to (Gradients *gradients, Value *value, const FoveaShape *shape, GError **error)
{
  gint64 axes[FOVEA_MAX_DIMS];
  guint  n = 0, missing;
  Value *inputs[2];

  if (!value || shape_equal (&value->shape, shape))
    return value;
  missing = value->shape.n_dims - shape->n_dims;
  for (guint i = 0; i < value->shape.n_dims; i++)
    if (i < missing || (shape->dims[i - missing] == 1 && value->shape.dims[i] != 1))
      axes[n++] = i;
  if (n > 0)
    {
      inputs[0] = value;
      inputs[1] = gradient_ints (gradients, axes, n, error);
      value = inputs[1] ? gradient_end (gradients, gradient_begin (gradients, "", "ReduceSum", 2, inputs), 1, error) : NULL;
    }
  return gradient_reshape (gradients, value, shape, error);
}

/* ---- training forms ------------------------------------------------------------------------------------------- */

static void
mark_variables (Graph *graph, GHashTable *variables)
{
  GHashTableIter iter;
  gpointer       name, tensor;

  g_hash_table_iter_init (&iter, variables);
  while (g_hash_table_iter_next (&iter, &name, &tensor))
    {
      Value *value = graph_find_value (graph, name);

      if (!value || !value->constant)
        continue;
      g_clear_pointer (&value->constant, fovea_tensor_unref);
      value->variable = fovea_tensor_ref (tensor);
      value->type = value->variable->type;
    }
}

/* The activation that alone reads the node's output goes into the node. */
static void
take_activation (Graph *graph, Node *norm)
{
  Value     *out = node_output (norm, 0);
  Node      *next = graph_only_consumer (graph, out);
  Activation activation;

  if (!next || *next->domain)
    return;
  if (strcmp (next->type, "Clip") == 0)
    {
      activation.kind = ACTIVATION_CLIP;
      if (!clip_bounds (next, &activation.alpha, &activation.beta))
        return;
    }
  else if (!activation_of_node (next, &activation) || !activation_keeps_zero (&activation))
    return;
  node_set_int (norm, "activation", activation.kind);
  node_set_float (norm, "alpha", activation.alpha);
  node_set_float (norm, "beta", activation.beta);
  norm->outputs->pdata[0] = node_output (next, 0);
  out->producer = NULL;
  graph_remove_node (graph, next);
  node_output (norm, 0)->producer = norm;
}

static gboolean
train_batch_norm (Gradients *gradients, Node *node, GError **error)
{
  Graph *graph = gradients->graph;
  Node  *norm;
  guint  index;

  for (guint i = 1; i < 5; i++)
    if (!node_input (node, i)->variable)
      return TRUE;
  g_ptr_array_find (graph->nodes, node, &index);
  norm = graph_add_node (graph, "fovea", "BatchNormTraining", node->name, (gint) index);
  node_set_float (norm, "epsilon", node_float (node, "epsilon", 1e-5f));
  node_set_float (norm, "momentum", (float) gradients->training->momentum);
  for (guint i = 0; i < 5; i++)
    node_add_input (norm, node_input (node, i));
  graph_remove_node (graph, node);
  node_add_output (norm, node_output (node, 0));
  for (guint i = 0; i < 2; i++) /* mean and 1 / sigma of the batch, for the gradient */
    node_add_output (norm, graph_add_value (graph, i ? "inverse" : "mean"));
  take_activation (graph, norm);
  return operator_parse_node (norm, error) && norm->op->infer (norm, &gradients->context, error);
}

static gboolean
train_dropout (Gradients *gradients, Node *node, GError **error)
{
  Graph *graph = gradients->graph;
  Node  *dropout;
  Value *step;
  double ratio = node_float (node, "ratio", 0.5f);
  guint  index;

  if (node_input (node, 1) && node_input (node, 1)->constant)
    tensor_read_double (node_input (node, 1)->constant, 0, 1, &ratio);
  g_ptr_array_find (graph->nodes, node, &index);
  dropout = graph_add_node (graph, "fovea", "DropoutTraining", node->name, (gint) index);
  node_set_float (dropout, "ratio", (float) ratio);
  node_set_int (dropout, "seed", (gint64) (gradients->training->seed * 0x9e3779b97f4a7c15u + index));
  step = graph_add_value (graph, "training step");
  step->type = FOVEA_TYPE_INT64;
  step->has_rank = TRUE;
  step->shape = gradients->training->step->shape;
  step->variable = fovea_tensor_ref (gradients->training->step);
  node_add_input (dropout, node_input (node, 0));
  node_add_input (dropout, step);
  graph_remove_node (graph, node);
  node_add_output (dropout, node_output (node, 0));
  return operator_parse_node (dropout, error) && dropout->op->infer (dropout, &gradients->context, error);
}

static gboolean
set_training_forms (Gradients *gradients, GError **error)
{
  g_autoptr (GPtrArray) nodes = g_ptr_array_copy (gradients->graph->nodes, NULL, NULL);

  for (guint i = 0; i < nodes->len; i++)
    {
      Node *node = g_ptr_array_index (nodes, i);

      if (*node->domain)
        continue;
      if (strcmp (node->type, "BatchNormalization") == 0 && !train_batch_norm (gradients, node, error))
        return FALSE;
      if (strcmp (node->type, "Dropout") == 0 && !train_dropout (gradients, node, error))
        return FALSE;
    }
  return TRUE;
}

/* ---- the walk -------------------------------------------------------------------------------------------------- */

static void
find_wanted (Gradients *gradients)
{
  for (guint i = 0; i < gradients->graph->nodes->len; i++)
    {
      Node    *node = g_ptr_array_index (gradients->graph->nodes, i);
      gboolean wanted = FALSE;

      for (guint j = 0; j < node->inputs->len; j++)
        {
          Value *input = node_input (node, j);

          if (input && input->variable && type_is_float (input->type))
            g_hash_table_add (gradients->wanted, input);
          wanted |= gradient_wanted (gradients, input);
        }
      for (guint j = 0; wanted && j < node->outputs->len; j++)
        if (node_output (node, j) && type_is_float (node_output (node, j)->type))
          g_hash_table_add (gradients->wanted, node_output (node, j));
    }
}

/* The outputs' gradients come out of the Loss node. */
static gboolean
add_loss (Gradients *gradients, GError **error)
{
  GPtrArray *outputs = gradients->graph->outputs;
  Node      *loss = gradient_begin (gradients, "fovea", "Loss", outputs->len, (Value *const *) outputs->pdata);

  if (!gradient_end (gradients, loss, outputs->len, error))
    return FALSE;
  for (guint i = 0; i < outputs->len; i++)
    if (gradient_wanted (gradients, g_ptr_array_index (outputs, i))
        && !gradient_give (gradients, g_ptr_array_index (outputs, i), node_output (loss, i), error))
      return FALSE;
  return TRUE;
}

static gboolean
add_backward (Gradients *gradients, Node *node, GError **error)
{
  gboolean has_gradient = FALSE, wants = FALSE;
  Backward backward = gradient_backward (node);

  for (guint i = 0; i < node->outputs->len; i++)
    has_gradient |= gradient_get (gradients, node_output (node, i)) != NULL;
  for (guint i = 0; i < node->inputs->len; i++)
    wants |= gradient_wanted (gradients, node_input (node, i));
  if (!has_gradient || !wants)
    return TRUE;
  if (!backward)
    return node_error (node, error, FOVEA_ERROR_UNSUPPORTED, "it can't be trained through. Freeze the layers up to it, or train a network without it.");
  return backward (gradients, node, error);
}

static void
name_gradients (Gradients *gradients)
{
  GHashTableIter iter;
  gpointer       name;

  g_hash_table_iter_init (&iter, gradients->training->variables);
  while (g_hash_table_iter_next (&iter, &name, NULL))
    {
      Value *gradient = gradient_get (gradients, graph_find_value (gradients->graph, name));

      if (!gradient)
        continue;
      if (!graph_is_output (gradients->graph, gradient))
        g_ptr_array_add (gradients->graph->outputs, gradient);
      g_hash_table_insert (gradients->training->gradients, g_strdup (name), g_strdup (gradient->name));
    }
}

gboolean
append_gradients (Graph *graph, const Training *training, GError **error)
{
  Gradients gradients = { { constant_input }, graph, training, g_hash_table_new (NULL, NULL), g_hash_table_new (NULL, NULL) };
  gboolean  ok;
  guint     n_forward;

  mark_variables (graph, training->variables);
  ok = fold_constants (graph, error) && set_training_forms (&gradients, error); /* bounds and shapes that nodes make */
  n_forward = graph->nodes->len;
  find_wanted (&gradients);
  ok = ok && add_loss (&gradients, error);
  for (guint i = n_forward; ok && i > 0; i--)
    ok = add_backward (&gradients, g_ptr_array_index (graph->nodes, i - 1), error);
  if (ok)
    name_gradients (&gradients);
  g_hash_table_unref (gradients.wanted);
  g_hash_table_unref (gradients.gradients);
  return ok;
}
