/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * gradient.c: which operators can be trained through, and the backward of those whose gradient standard operators can say. Those with kernels of their own
 * are in the files *-gradient.c.
 */

#include "ops/gradient.h"

#include <string.h>

#include "ops/reduce.h"

static Value *
gradient_of_output (Gradients *gradients, const Node *node)
{
  return gradient_get (gradients, node_output (node, 0));
}

/* ---- arithmetic: broadcast inputs get the sum over what was broadcast ------------------------------------------- */

static gboolean
give_sum (Gradients *gradients, Value *input, Value *gradient, GError **error)
{
  if (!gradient_wanted (gradients, input))
    return gradient != NULL;
  return gradient_give (gradients, input, gradient_sum_to (gradients, gradient, &input->shape, error), error);
}

static gboolean
add_backward (Gradients *gradients, Node *node, GError **error)
{
  for (guint i = 0; i < node->inputs->len; i++)
    if (!give_sum (gradients, node_input (node, i), gradient_of_output (gradients, node), error))
      return FALSE;
  return TRUE;
}

static gboolean
subtract_backward (Gradients *gradients, Node *node, GError **error)
{
  Value *dy = gradient_of_output (gradients, node), *b = node_input (node, 1);

  return give_sum (gradients, node_input (node, 0), dy, error)
         && (!gradient_wanted (gradients, b) || give_sum (gradients, b, gradient_of_one (gradients, "Neg", dy, error), error));
}

static gboolean
multiply_backward (Gradients *gradients, Node *node, GError **error)
{
  Value *dy = gradient_of_output (gradients, node);

  for (guint i = 0; i < 2; i++)
    if (gradient_wanted (gradients, node_input (node, i))
        && !give_sum (gradients, node_input (node, i), gradient_of_two (gradients, "Mul", dy, node_input (node, 1 - i), error), error))
      return FALSE;
  return TRUE;
}

/* y = a / b:  da = dy / b,  db = -dy y / b. */
static gboolean
divide_backward (Gradients *gradients, Node *node, GError **error)
{
  Value *a = node_input (node, 0), *b = node_input (node, 1), *share = gradient_of_two (gradients, "Div", gradient_of_output (gradients, node), b, error);
  Value *db;

  if (!share || !give_sum (gradients, a, share, error) || !gradient_wanted (gradients, b))
    return share != NULL;
  db = gradient_of_one (gradients, "Neg", gradient_of_two (gradients, "Mul", share, node_output (node, 0), error), error);
  return give_sum (gradients, b, db, error);
}

static gboolean
negate_backward (Gradients *gradients, Node *node, GError **error)
{
  return gradient_give (gradients, node_input (node, 0), gradient_of_one (gradients, "Neg", gradient_of_output (gradients, node), error), error);
}

/* y = x where x >= 0, slope x elsewhere. */
static gboolean
prelu_backward (Gradients *gradients, Node *node, GError **error)
{
  Value *x = node_input (node, 0), *slope = node_input (node, 1), *dy = gradient_of_output (gradients, node), *zero, *below, *one, *factor;

  zero = gradient_number (gradients, x->type, 0.0, error);
  one = gradient_number (gradients, x->type, 1.0, error);
  below = zero && one ? gradient_of_two (gradients, "Less", x, zero, error) : NULL;
  factor = below ? gradient_end (gradients, gradient_begin (gradients, "", "Where", 3, (Value *[]) { below, slope, one }), 1, error) : NULL;
  if (!factor || !give_sum (gradients, x, gradient_of_two (gradients, "Mul", dy, factor, error), error) || !gradient_wanted (gradients, slope))
    return factor != NULL;
  return give_sum (gradients, slope, gradient_of_two (gradients, "Mul", dy, gradient_of_two (gradients, "Min", x, zero, error), error), error);
}

/* What is outside of -lambd to lambd is moved, the rest is 0. */
static gboolean
shrink_backward (Gradients *gradients, Node *node, GError **error)
{
  Value *x = node_input (node, 0), *dy = gradient_of_output (gradients, node), *zero, *reach, *outside;

  zero = gradient_number (gradients, x->type, 0.0, error);
  reach = zero ? gradient_number (gradients, x->type, node_float (node, "lambd", 0.5f), error) : NULL;
  outside = reach ? gradient_of_two (gradients, "Greater", gradient_of_one (gradients, "Abs", x, error), reach, error) : NULL;
  return outside
         && gradient_give (gradients, x, gradient_end (gradients, gradient_begin (gradients, "", "Where", 3, (Value *[]) { outside, dy, zero }), 1, error), error);
}

/* ---- the same numbers elsewhere -------------------------------------------------------------------------------------- */

static gboolean
view_backward (Gradients *gradients, Node *node, GError **error)
{
  Value *x = node_input (node, 0);

  return gradient_give (gradients, x, gradient_reshape (gradients, gradient_of_output (gradients, node), &x->shape, error), error);
}

static gboolean
concat_backward (Gradients *gradients, Node *node, GError **error)
{
  g_autofree gint64 *sizes = g_new (gint64, node->inputs->len);
  const FoveaShape  *shape = &node_output (node, 0)->shape;
  gint64             axis = node_int (node, "axis", 1);
  Value             *parts;
  Node              *split;

  axis += axis < 0 ? shape->n_dims : 0;
  for (guint i = 0; i < node->inputs->len; i++)
    sizes[i] = node_input (node, i)->shape.dims[axis];
  parts = gradient_ints (gradients, sizes, node->inputs->len, error);
  if (!parts)
    return FALSE;
  split = gradient_begin (gradients, "", "Split", 2, (Value *[]) { gradient_of_output (gradients, node), parts });
  node_set_int (split, "axis", axis);
  if (!gradient_end (gradients, split, node->inputs->len, error))
    return FALSE;
  for (guint i = 0; i < node->inputs->len; i++)
    if (!gradient_give (gradients, node_input (node, i), node_output (split, i), error))
      return FALSE;
  return TRUE;
}

/* A tensor of zeros of a value's shape, for outputs that nothing depends on. */
static Value *
zeros (Gradients *gradients, const Value *like, GError **error)
{
  Value *zero = gradient_number (gradients, like->type, 0.0, error), *shape = gradient_ints (gradients, like->shape.dims, like->shape.n_dims, error);

  return gradient_of_two (gradients, "Expand", zero, shape, error);
}

static gboolean
split_backward (Gradients *gradients, Node *node, GError **error)
{
  g_autofree Value **parts = g_new (Value *, node->outputs->len);
  Node              *concat;

  for (guint i = 0; i < node->outputs->len; i++)
    {
      parts[i] = gradient_get (gradients, node_output (node, i));
      if (!parts[i] && !(parts[i] = zeros (gradients, node_output (node, i), error)))
        return FALSE;
    }
  concat = gradient_begin (gradients, "", "Concat", node->outputs->len, parts);
  node_set_int (concat, "axis", node_int (node, "axis", 0));
  return gradient_give (gradients, node_input (node, 0), gradient_end (gradients, concat, 1, error), error);
}

static gboolean
transpose_backward (Gradients *gradients, Node *node, GError **error)
{
  guint         n = node_input (node, 0)->shape.n_dims;
  const gint64 *order;
  gsize         n_order = node_ints (node, "perm", &order);
  gint64        back[FOVEA_MAX_DIMS];
  Node         *transpose = gradient_begin (gradients, "", "Transpose", 1, (Value *[]) { gradient_of_output (gradients, node) });

  for (guint i = 0; i < n; i++)
    back[n_order ? order[i] + (order[i] < 0 ? n : 0) : n - 1 - i] = i;
  node_set_ints (transpose, "perm", back, n);
  return gradient_give (gradients, node_input (node, 0), gradient_end (gradients, transpose, 1, error), error);
}

/* ---- matrices ------------------------------------------------------------------------------------------------------ */

/* alpha A' B'. A is turned beforehand: the kernels read it row by row. */
static Value *
product (Gradients *gradients, Value *a, gboolean turn_a, Value *b, gboolean turn_b, float alpha, GError **error)
{
  Node *gemm;

  if (turn_a)
    a = gradient_of_one (gradients, "Transpose", a, error);
  if (!a)
    return NULL;
  gemm = gradient_begin (gradients, "", "Gemm", 2, (Value *[]) { a, b });
  node_set_int (gemm, "transB", turn_b);
  node_set_float (gemm, "alpha", alpha);
  return gradient_end (gradients, gemm, 1, error);
}

/* Y = alpha A' B' + beta C, with A' and B' turned or not:  dA' = alpha dY B'^T,  dB' = alpha A'^T dY. */
static gboolean
gemm_backward (Gradients *gradients, Node *node, GError **error)
{
  Value   *a = node_input (node, 0), *b = node_input (node, 1), *c = node_input (node, 2), *dy = gradient_of_output (gradients, node);
  gboolean is_gemm = strcmp (node->type, "Gemm") == 0, turn_a = node_int (node, "transA", 0) != 0, turn_b = node_int (node, "transB", 0) != 0;
  float    alpha = is_gemm ? node_float (node, "alpha", 1) : 1, beta = node_float (node, "beta", 1);

  if (gradient_wanted (gradients, a)
      && !gradient_give (gradients, a,
                         turn_a ? product (gradients, b, turn_b, dy, TRUE, alpha, error) : product (gradients, dy, FALSE, b, !turn_b, alpha, error), error))
    return FALSE;
  if (gradient_wanted (gradients, b)
      && !gradient_give (gradients, b,
                         turn_b ? product (gradients, dy, TRUE, a, turn_a, alpha, error) : product (gradients, a, !turn_a, dy, FALSE, alpha, error), error))
    return FALSE;
  if (!is_gemm || !gradient_wanted (gradients, c))
    return TRUE;
  if (beta != 1.0f)
    dy = gradient_of_two (gradients, "Mul", dy, gradient_number (gradients, dy->type, beta, error), error);
  return give_sum (gradients, c, dy, error);
}

/* The last two axes exchanged. */
static Value *
turn (Gradients *gradients, Value *value, GError **error)
{
  Node  *transpose = gradient_begin (gradients, "", "Transpose", 1, &value);
  guint  n = value->shape.n_dims;
  gint64 order[FOVEA_MAX_DIMS];

  for (guint i = 0; i < n; i++)
    order[i] = i + 2 < n ? i : i + 2 == n ? n - 1 : n - 2;
  node_set_ints (transpose, "perm", order, n);
  return gradient_end (gradients, transpose, 1, error);
}

static gboolean
matmul_backward (Gradients *gradients, Node *node, GError **error)
{
  Value *a = node_input (node, 0), *b = node_input (node, 1), *dy = gradient_of_output (gradients, node);

  if (a->shape.n_dims < 2 || b->shape.n_dims < 2)
    return node_error (node, error, FOVEA_ERROR_UNSUPPORTED, "products with a vector can't be trained through. Freeze the layers up to it.");
  if (a->shape.n_dims == 2 && b->shape.n_dims == 2)
    return gemm_backward (gradients, node, error);
  return (!gradient_wanted (gradients, a) || give_sum (gradients, a, gradient_of_two (gradients, "MatMul", dy, turn (gradients, b, error), error), error))
         && (!gradient_wanted (gradients, b)
             || give_sum (gradients, b, gradient_of_two (gradients, "MatMul", turn (gradients, a, error), dy, error), error));
}

/* ---- sums ----------------------------------------------------------------------------------------------------------- */

static gboolean
reduce_backward (Gradients *gradients, Node *node, GError **error)
{
  Value     *x = node_input (node, 0), *dy = gradient_of_output (gradients, node), *shape;
  FoveaShape kept = x->shape;
  double     n = 1.0;

  for (guint i = 0; i < x->shape.n_dims; i++)
    if (reduce_is_reduced (node, i))
      {
        n *= (double) kept.dims[i];
        kept.dims[i] = 1;
      }
  dy = gradient_reshape (gradients, dy, &kept, error);
  if (dy && strcmp (node->type, "ReduceMean") == 0)
    dy = gradient_of_two (gradients, "Mul", dy, gradient_number (gradients, dy->type, 1.0 / n, error), error);
  shape = gradient_ints (gradients, x->shape.dims, x->shape.n_dims, error);
  return gradient_give (gradients, x, gradient_of_two (gradients, "Expand", dy, shape, error), error);
}

/* The sum over the axes that a softmax is taken over, kept as axes of size 1. */
static Value *
softmax_sum (Gradients *gradients, const Node *node, Value *value, GError **error)
{
  gint64 axes[FOVEA_MAX_DIMS], axis = node_int (node, "axis", node->opset < 13 ? 1 : -1);
  guint  n = 0;
  Value *which;

  if (!value)
    return NULL;
  axis += axis < 0 ? value->shape.n_dims : 0;
  for (gint64 i = axis; i < (node->opset < 13 ? value->shape.n_dims : axis + 1); i++)
    axes[n++] = i;
  which = gradient_ints (gradients, axes, n, error);
  return which ? gradient_end (gradients, gradient_begin (gradients, "", "ReduceSum", 2, (Value *[]) { value, which }), 1, error) : NULL;
}

/* softmax: dx = y (dy - sum (dy y));  its logarithm: dx = dy - exp (y) sum (dy). */
static gboolean
softmax_backward (Gradients *gradients, Node *node, GError **error)
{
  Value *y = node_output (node, 0), *dy = gradient_get (gradients, y), *dx;

  if (strcmp (node->type, "LogSoftmax") == 0)
    dx = gradient_of_two (gradients, "Sub", dy,
                          gradient_of_two (gradients, "Mul", gradient_of_one (gradients, "Exp", y, error), softmax_sum (gradients, node, dy, error), error),
                          error);
  else
    dx = gradient_of_two (gradients, "Mul", y,
                          gradient_of_two (gradients, "Sub", dy, softmax_sum (gradients, node, gradient_of_two (gradients, "Mul", dy, y, error), error), error),
                          error);
  return gradient_give (gradients, node_input (node, 0), dx, error);
}

/* ---- the table --------------------------------------------------------------------------------------------------------- */

static const struct
{
  const char *domain, *type;
  Backward    backward;
} backwards[] = {
  { "", "Add", add_backward },
  { "", "AveragePool", pool_backward },
  { "", "BatchNormalization", batch_norm_backward },
  { "", "Celu", activation_backward },
  { "", "Clip", activation_backward },
  { "", "Concat", concat_backward },
  { "", "Conv", conv_backward },
  { "", "ConvTranspose", conv_transpose_backward },
  { "", "Div", divide_backward },
  { "", "Elu", activation_backward },
  { "", "Erf", activation_backward },
  { "", "Exp", activation_backward },
  { "", "Flatten", view_backward },
  { "", "Gelu", activation_backward },
  { "", "Gemm", gemm_backward },
  { "", "GlobalAveragePool", pool_backward },
  { "", "GlobalLpPool", pool_backward },
  { "", "GlobalMaxPool", pool_backward },
  { "", "GroupNormalization", norm_backward },
  { "", "HardSigmoid", activation_backward },
  { "", "HardSwish", activation_backward },
  { "", "Identity", view_backward },
  { "", "InstanceNormalization", norm_backward },
  { "", "LayerNormalization", norm_backward },
  { "", "LeakyRelu", activation_backward },
  { "", "LogSoftmax", softmax_backward },
  { "", "LpPool", pool_backward },
  { "", "MatMul", matmul_backward },
  { "", "MaxPool", pool_backward },
  { "", "Mish", activation_backward },
  { "", "Mul", multiply_backward },
  { "", "Neg", negate_backward },
  { "", "PRelu", prelu_backward },
  { "", "Pad", pad_backward },
  { "", "Reciprocal", activation_backward },
  { "", "ReduceMean", reduce_backward },
  { "", "ReduceSum", reduce_backward },
  { "", "Relu", activation_backward },
  { "", "Reshape", view_backward },
  { "", "Resize", resize_backward },
  { "", "Selu", activation_backward },
  { "", "Shrink", shrink_backward },
  { "", "Sigmoid", activation_backward },
  { "", "Slice", slice_backward },
  { "", "Softmax", softmax_backward },
  { "", "Softplus", activation_backward },
  { "", "Softsign", activation_backward },
  { "", "Split", split_backward },
  { "", "Sqrt", activation_backward },
  { "", "Squeeze", view_backward },
  { "", "Sub", subtract_backward },
  { "", "Sum", add_backward },
  { "", "Swish", activation_backward },
  { "", "Tanh", activation_backward },
  { "", "ThresholdedRelu", activation_backward },
  { "", "Transpose", transpose_backward },
  { "", "Unsqueeze", view_backward },
  { "fovea", "BatchNormTraining", batch_norm_training_backward },
  { "fovea", "DropoutTraining", dropout_training_backward },
};

Backward
gradient_backward (const Node *node)
{
  for (gsize i = 0; i < G_N_ELEMENTS (backwards); i++)
    if (strcmp (backwards[i].type, node->type) == 0 && strcmp (backwards[i].domain, node->domain) == 0)
      return backwards[i].backward;
  return NULL;
}
