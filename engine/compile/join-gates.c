/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * join-gates.c: exporters write activations that they have no operator for as several nodes. Where x is multiplied by a function of itself, the pair
 * becomes one activation, which can then be fused:
 *
 *   x * Sigmoid (x)           SiLU, as Swish
 *   x * HardSigmoid (x)       HardSwish with the same slope
 *   x * Tanh (Softplus (x))   Mish
 *   x * Clip (x + 3, 0, 6) / 6   HardSwish, as it was written before opset 14 (the division before or after the product)
 */

#include <math.h>
#include <string.h>

#include "compile/passes.h"
#include "ops/clip.h"
#include "ops/operator.h"

static gboolean
is_type (const Node *node, const char *type)
{
  return node && !*node->domain && strcmp (node->type, type) == 0;
}

/* The single float that an input is, if it is a constant of one element. */
static gboolean
is_number (const Value *value, double expected)
{
  double number;

  if (!value || !value->constant || shape_count (&value->constant->shape) != 1 || !type_is_float (value->constant->type))
    return FALSE;
  tensor_read_double (value->constant, 0, 1, &number);
  return fabs (number - expected) < 1e-6;
}

/* Clip (x + 3, 0, 6): returns x. */
static Value *
match_clip (const Node *clip)
{
  const Node *add;
  float       low, high;

  if (!is_type (clip, "Clip") || !clip_bounds (clip, &low, &high) || low != 0 || high != 6)
    return NULL;
  add = node_input (clip, 0)->producer;
  if (!is_type (add, "Add"))
    return NULL;
  return is_number (node_input (add, 1), 3) ? node_input (add, 0) : is_number (node_input (add, 0), 3) ? node_input (add, 1) : NULL;
}

/* What is multiplied by x: makes the joined node's type and settings; FALSE where `gate` isn't a function of x that we know. */
static gboolean
match_gate (const Value *x, const Node *gate, const char **type, float *alpha, float *beta, gboolean *sixth_missing)
{
  *alpha = 1.0f / 6;
  *beta = 0.5f;
  *sixth_missing = FALSE;
  *type = "HardSwish";
  if (!gate || *gate->domain)
    return FALSE;
  if (is_type (gate, "Sigmoid") && node_input (gate, 0) == x)
    {
      *type = "Swish";
      *alpha = 1;
      return TRUE;
    }
  if (is_type (gate, "HardSigmoid") && node_input (gate, 0) == x)
    {
      *alpha = node_float (gate, "alpha", 0.2f);
      *beta = node_float (gate, "beta", 0.5f);
      return TRUE;
    }
  if (is_type (gate, "Tanh") && is_type (node_input (gate, 0)->producer, "Softplus") && node_input (node_input (gate, 0)->producer, 0) == x)
    {
      *type = "Mish";
      return TRUE;
    }
  if (is_type (gate, "Div") && is_number (node_input (gate, 1), 6))
    return node_input (gate, 0)->producer && match_clip (node_input (gate, 0)->producer) == x;
  *sixth_missing = TRUE;
  return match_clip (gate) == x;
}

static gboolean
join (Graph *graph, guint index, Value *x, const Node *last, const char *type, float alpha, float beta, GError **error)
{
  Value *out = node_output (last, 0);
  Node  *joined = graph_add_node (graph, "", type, last->name, (gint) index);

  node_add_input (joined, x);
  if (strcmp (type, "Mish") != 0)
    node_set_float (joined, "alpha", alpha);
  if (strcmp (type, "HardSwish") == 0)
    node_set_float (joined, "beta", beta);
  graph_remove_node (graph, (Node *) last);
  node_add_output (joined, out);
  return operator_parse_node (joined, error);
}

gboolean
join_gates (Graph *graph, GError **error)
{
  gboolean any = FALSE;

  for (guint i = 0; i < graph->nodes->len; i++)
    {
      Node *mul = g_ptr_array_index (graph->nodes, i);

      if (!is_type (mul, "Mul") || mul->inputs->len != 2 || node_output (mul, 0)->type != FOVEA_TYPE_FLOAT32)
        continue;
      for (guint k = 0; k < 2; k++)
        {
          Value      *x = node_input (mul, k);
          const Node *gate = node_input (mul, 1 - k)->producer, *last = mul;
          const char *type;
          float       alpha, beta;
          gboolean    sixth_missing;

          if (!shape_equal (&x->shape, &node_output (mul, 0)->shape) || !match_gate (x, gate, &type, &alpha, &beta, &sixth_missing))
            continue;
          if (sixth_missing)
            {
              last = graph_only_consumer (graph, node_output (mul, 0));
              if (!is_type (last, "Div") || !is_number (node_input (last, 1), 6))
                continue;
            }
          if (!join (graph, i, x, last, type, alpha, beta, error))
            return FALSE;
          any = TRUE;
          break;
        }
    }
  if (any)
    graph_remove_unused (graph); /* the gates: x would have two users still, and nothing could be fused with what makes it */
  return TRUE;
}
