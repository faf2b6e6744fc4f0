/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * conv-fuse.c: what passes do to convolutions: scale and shift folded into the weights, activation and residual taken in. See conv.h.
 */

#include <string.h>

#include "base/tensor.h"
#include "ops/conv-weight-gradient.h"

static gboolean
is_transposed (const Node *node)
{
  return strcmp (node->type, "ConvTranspose") == 0;
}

gboolean
conv_is (const Node *node)
{
  return node->domain[0] == '\0' && node->params && (strcmp (node->type, "Conv") == 0 || is_transposed (node));
}

gsize
conv_out_channels (const Node *node)
{
  const ConvParams *params = node->params;
  const Value      *weights = node_input (node, 1);

  if (!weights || !weights->has_rank || weights->shape.n_dims < 3)
    return 0;
  if (is_transposed (node))
    return weights->shape.dims[1] > 0 && params->group <= G_MAXINT32 ? (gsize) (weights->shape.dims[1] * params->group) : 0;
  return weights->shape.dims[0] > 0 ? (gsize) weights->shape.dims[0] : 0;
}

gboolean
conv_can_fold (const Node *node)
{
  const ConvParams *params = node->params;
  const Value      *weights, *bias;

  if (!conv_is (node) || params->activation.kind != ACTIVATION_NONE || params->residual)
    return FALSE;
  weights = node_input (node, 1);
  bias = node_input (node, 2);
  return weights && weights->constant && type_is_float (weights->constant->type) && (!bias || bias->constant) &&
         conv_out_channels (node) > 0;
}

/* A constant of the same shape in float32, or in float64 where it is that. */
static FoveaTensor *
new_like (const FoveaTensor *tensor, const FoveaShape *shape, GError **error)
{
  return fovea_tensor_new (tensor->type == FOVEA_TYPE_FLOAT64 ? FOVEA_TYPE_FLOAT64 : FOVEA_TYPE_FLOAT32, shape, error);
}

/* All elements of `old` in the type of `new`. */
static void
read_all (const FoveaTensor *old, FoveaTensor *new)
{
  if (new->type == FOVEA_TYPE_FLOAT64)
    tensor_read_double (old, 0, shape_count (&old->shape), new->data);
  else
    tensor_read_float (old, 0, shape_count (&old->shape), new->data);
}

/* Elements [first, first + n) times scale, plus shift. */
static void
scale_shift (FoveaTensor *tensor, gsize first, gsize n, double scale, double shift)
{
  for (gsize i = first; i < first + n; i++)
    if (tensor->type == FOVEA_TYPE_FLOAT64)
      ((double *) tensor->data)[i] = ((double *) tensor->data)[i] * scale + shift;
    else
      ((float *) tensor->data)[i] = (float) (((float *) tensor->data)[i] * scale + shift);
}

gboolean
conv_fold (Graph *graph, Node *node, const double *scale, const double *shift, gsize n, GError **error)
{
  const ConvParams         *params = node->params;
  Value                    *weights = node_input (node, 1), *bias = node_input (node, 2), *value;
  const FoveaTensor        *old = weights->constant, *old_bias = bias ? bias->constant : NULL;
  const gint64              n_outputs = (gint64) n;
  FoveaShape                bias_shape = shape_make (1, &n_outputs);
  g_autoptr (FoveaTensor)   new_weights = NULL, new_bias = NULL;
  gsize                     count = shape_count (&old->shape), inner = shape_count_range (&old->shape, 2, old->shape.n_dims);

  if (n != conv_out_channels (node) || count == 0 || (old_bias && shape_count (&old_bias->shape) != n))
    return node_error (node, error, FOVEA_ERROR_SHAPE, "its bias doesn't fit its weights.");
  new_weights = new_like (old, &old->shape, error);
  new_bias = new_weights ? new_like (old, &bias_shape, error) : NULL;
  if (!new_bias)
    return FALSE;

  read_all (old, new_weights);
  for (gsize i = 0; i < count / inner; i++) /* runs that belong to one input and one output channel */
    {
      gsize outer = i / (gsize) old->shape.dims[1], channel = outer;

      if (is_transposed (node)) /* (C, K / group, …): the group that input channel `outer` is in, then the output within it */
        channel =
            outer / ((gsize) old->shape.dims[0] / (gsize) params->group) * (gsize) old->shape.dims[1] + i % (gsize) old->shape.dims[1];
      scale_shift (new_weights, i * inner, inner, scale[channel], 0.0);
    }
  if (old_bias)
    read_all (old_bias, new_bias);
  for (gsize i = 0; i < n; i++)
    scale_shift (new_bias, i, 1, scale[i], shift[i]);

  value = graph_add_constant (graph, weights->name, new_weights);
  node->inputs->pdata[1] = value;
  value = graph_add_constant (graph, bias ? bias->name : weights->name, new_bias);
  if (node->inputs->len < 3)
    node_add_input (node, value);
  else
    node->inputs->pdata[2] = value;
  return TRUE;
}

gboolean
conv_can_activate (const Node *node)
{
  return conv_is (node) && ((const ConvParams *) node->params)->activation.kind == ACTIVATION_NONE;
}

void
conv_set_activation (Node *node, const Activation *activation)
{
  ((ConvParams *) node->params)->activation = *activation;
}

gboolean
conv_can_add_residual (const Node *node)
{
  return conv_can_activate (node) && !is_transposed (node) && !((const ConvParams *) node->params)->residual;
}

void
conv_add_residual (Node *node, Value *residual)
{
  while (node->inputs->len < CONV_RESIDUAL_INPUT)
    node_add_input (node, NULL);
  node_add_input (node, residual);
  ((ConvParams *) node->params)->residual = TRUE;
}

gboolean
conv_can_normalize (const Node *node)
{
  ConvShape shape;
  ConvKind  kind;

  if (!(conv_is (node) ? !is_transposed (node) && conv_blocked_shape (node, &shape) : conv_weight_gradient_shape (node, &shape))
      || node_input (node, 0)->layout != LAYOUT_BLOCKED)
    return FALSE;
  kind = conv_choose (&shape);
  return kind == CONV_DEPTHWISE || (kind == CONV_POINTWISE && shape.group == 1);
}

void
conv_set_norm (Node *node, Value *image, const Activation *activation, Value *const numbers[4])
{
  ConvParams *params = node->params; /* a gradient's begin with them */

  while (conv_is (node) && node->inputs->len <= CONV_RESIDUAL_INPUT)
    node_add_input (node, NULL);
  params->norm = (InputNorm) { node->inputs->len, *activation };
  node->inputs->pdata[0] = image;
  for (guint i = 0; i < 4; i++)
    node_add_input (node, numbers[i]);
}

Value *
conv_add_sums (Graph *graph, Node *node, Value *x, const Activation *activation, Value *const numbers[4])
{
  ConvParams *params = node->params;
  ConvShape   shape;
  ConvKind    kind;
  Value      *sums;
  gint64      dims[] = { 0, 0, 2, KERNEL_BLOCK };

  if (node->outputs->len != 1 || node_output (node, 0)->layout != LAYOUT_BLOCKED
      || !(conv_is (node) ? !is_transposed (node) && conv_blocked_shape (node, &shape) : conv_input_gradient_shape (node, &shape)))
    return NULL;
  kind = conv_choose (&shape);
  if (kind == CONV_WINOGRAD)
    return NULL;
  if (!conv_is (node))
    {
      node_add_input (node, x);
      params->summed = (InputNorm) { node->inputs->len, *activation };
      for (guint i = 0; i < 4; i++)
        node_add_input (node, numbers[i]);
    }
  dims[0] = shape.n * (gint64) conv_count_bands (&shape, kind, TRUE);
  dims[1] = (gint64) kernel_blocks ((gsize) shape.outputs);
  sums = graph_add_value (graph, "sums");
  sums->type = FOVEA_TYPE_FLOAT64;
  sums->has_rank = TRUE;
  sums->shape = shape_make (4, dims);
  node_add_output (node, sums);
  return sums;
}

/* The first node of that type that reads `value` as input `i`, or NULL. */
static Node *
find_reader (const Graph *graph, const Value *value, const char *type, guint i)
{
  for (guint k = 0; k < graph->nodes->len; k++)
    {
      Node *node = g_ptr_array_index (graph->nodes, k);

      if (node_input (node, i) == value && strcmp (node->domain, "fovea") == 0 && strcmp (node->type, type) == 0)
        return node;
    }
  return NULL;
}

void
conv_join_gradients (Graph *graph, Node *norm, const Activation *activation)
{
  Value      *gradient = node_output (norm, 0), *coefficients, *dx, *sums;
  Node       *by_weights = find_reader (graph, gradient, "ConvWeightGradient", 1), *by_input = find_reader (graph, gradient, "ConvInputGradient", 0);
  ConvParams *params, *other;
  ConvShape   shape;
  gsize       n_bands;
  gint64      dims[] = { 0, sizeof (NormGradientBlock) / sizeof (float) };

  if (!by_weights || !by_input || graph_count_uses (graph, gradient) != 2 || node_output (by_weights, 1)
      || node_input (by_weights, 0)->layout != LAYOUT_BLOCKED || node_output (by_input, 0)->layout != LAYOUT_BLOCKED
      || !conv_weight_gradient_shape (by_weights, &shape) || !conv_can_join_gradients (&shape, &n_bands))
    return;
  params = by_weights->params;
  other = by_input->params;
  dx = node_output (by_input, 0);
  sums = node_output (by_input, 1);

  coefficients = graph_add_value (graph, "coefficients");
  dims[0] = (gint64) kernel_blocks ((gsize) shape.outputs);
  coefficients->type = FOVEA_TYPE_FLOAT32;
  coefficients->has_rank = TRUE;
  coefficients->shape = shape_make (2, dims);
  norm->outputs->pdata[0] = NULL;
  node_add_output (norm, coefficients);

  by_weights->inputs->pdata[1] = node_input (norm, 1);
  node_add_input (by_weights, node_input (norm, 0));
  params->gradient = (InputNorm) { by_weights->inputs->len - 1, *activation };
  node_add_input (by_weights, coefficients);
  node_add_input (by_weights, node_input (by_input, 1));
  node_add_input (by_weights, NULL); /* no bias */
  for (guint i = 2; i < by_input->inputs->len; i++)
    node_add_input (by_weights, node_input (by_input, i));
  if (other->summed.input)
    params->summed = (InputNorm) { by_weights->inputs->len - 4, other->summed.activation };

  graph_remove_node (graph, by_input);
  while (by_weights->outputs->len < CONV_GRADIENT_IMAGE)
    node_add_output (by_weights, NULL);
  node_add_output (by_weights, dx);
  if (sums)
    {
      sums->shape.dims[0] = (gint64) n_bands;
      node_add_output (by_weights, sums);
    }
}
