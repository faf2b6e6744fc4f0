/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * fold-batch-norm.c: a batch norm after a convolution, or a multiplication or addition of one constant per channel, goes into the convolution's weights
 * and bias.
 *
 *   y = s (W x + b) + t   =   (s W) x + (s b + t)
 */

#include <string.h>

#include "compile/passes.h"
#include "ops/batch-norm.h"
#include "ops/conv.h"

/* The constant of a Mul, Add, Sub or Div with one number per channel, or one in all; *values gets n of them. */
static gboolean
read_per_channel (const Value *value, guint rank, gsize n, double *values)
{
  const FoveaTensor *constant = value->constant;
  gsize              count;

  if (!constant || !type_is_float (constant->type))
    return FALSE;
  count = shape_count (&constant->shape);
  if (count != 1 && (count != n || constant->shape.n_dims + 1 < rank || constant->shape.dims[constant->shape.n_dims - rank + 1] != (gint64) n))
    return FALSE;
  for (gsize i = 0; i < n; i++)
    tensor_read_double (constant, count == 1 ? 0 : i, 1, &values[i]);
  return constant->shape.n_dims <= rank;
}

/* What the node does to each channel of `in`: times scale, plus shift. */
static gboolean
as_scale_shift (const Node *node, const Value *in, gsize n, double *scale, double *shift)
{
  guint    other = node->inputs->len == 2 && node_input (node, 0) == in ? 1 : 0;
  gboolean add = strcmp (node->type, "Add") == 0, sub = strcmp (node->type, "Sub") == 0, mul = strcmp (node->type, "Mul") == 0;
  g_autofree double *values = NULL;

  if (*node->domain)
    return FALSE;
  if (strcmp (node->type, "BatchNormalization") == 0)
    return node_input (node, 0) == in && batch_norm_scale_shift (node, scale, shift);
  if (node->inputs->len != 2 || !(add || sub || mul) || (sub && other == 0))
    return FALSE;

  values = g_new (double, n);
  if (!read_per_channel (node_input (node, other), in->shape.n_dims, n, values) || !shape_equal (&in->shape, &node_output (node, 0)->shape))
    return FALSE;
  for (gsize i = 0; i < n; i++)
    {
      scale[i] = mul ? values[i] : 1;
      shift[i] = add ? values[i] : sub ? -values[i] : 0;
    }
  return TRUE;
}

gboolean
fold_batch_norm (Graph *graph, GError **error)
{
  for (guint i = 0; i < graph->nodes->len; i++)
    {
      Node *conv = g_ptr_array_index (graph->nodes, i);

      while (conv_can_fold (conv))
        {
          Value             *out = node_output (conv, 0);
          Node              *next = graph_only_consumer (graph, out);
          gsize              n = conv_out_channels (conv);
          g_autofree double *scale = g_new (double, n), *shift = g_new (double, n);

          if (!next || !as_scale_shift (next, out, n, scale, shift) || !graph_can_replace_value (graph, node_output (next, 0), out))
            break;
          if (g_cancellable_set_error_if_cancelled (g_cancellable_get_current (), error) || !conv_fold (graph, conv, scale, shift, n, error))
            return FALSE;
          graph_remove_node (graph, next);
          graph_replace_value (graph, node_output (next, 0), out);
        }
    }
  return TRUE;
}
