/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * views.c: operators that only see the same elements in another shape: Reshape, Flatten, Squeeze, Unsqueeze, Identity, and Dropout, which does nothing
 * in inference. No work: output 0 shares the input's memory.
 */

#include <string.h>

#include "ops/families.h"

static gboolean
view_prepare (Step *step, GError **error)
{
  step->view = 0;
  return TRUE;
}

/* ---- Identity ---------------------------------------------------------------------------------------------- */

static gboolean
identity_infer (const Node *node, InferContext *context, GError **error)
{
  if (!infer_check_inputs (node, 1, 1, error) || !infer_check_outputs (node, 1, error))
    return FALSE;
  infer_same (node, 0, 0);
  return TRUE;
}

static gboolean
identity_blocked (const Node *node, BlockedForm *form)
{
  if (node_input (node, 0)->type != FOVEA_TYPE_FLOAT32 || node_input (node, 0)->shape.n_dims != 4 || node_output (node, 1))
    return FALSE;
  form->wish = BLOCKED_FOLLOWS;
  form->inputs = form->outputs = 1;
  return TRUE;
}

/* ---- Dropout (Srivastava et al. 2014) ----------------------------------------------------------------------- */

static gboolean
dropout_infer (const Node *node, InferContext *context, GError **error)
{
  if (!infer_check_inputs (node, 1, 3, error) || !infer_check_outputs (node, 2, error))
    return FALSE;
  if (node_input (node, 2))
    {
      const FoveaTensor *training = context->constant (context, node, 2, error);

      if (!training)
        return FALSE;
      if (training->type != FOVEA_TYPE_BOOL || shape_count (&training->shape) != 1 || *(const guint8 *) training->data)
        return node_error (node, error, FOVEA_ERROR_UNSUPPORTED, "it is in training mode. Export the model for inference (in PyTorch: model.eval ()).");
    }
  infer_same (node, 0, 0);
  infer_set (node, 1, FOVEA_TYPE_BOOL, &node_input (node, 0)->shape);
  return TRUE;
}

static void
mask_run (const Step *step, gsize first, gsize last, guint thread)
{
  gsize count = shape_count (&step->in[0].shape);

  memcpy (step->out[0].data, step->in[0].data, count * type_size (step->in[0].type));
  memset (step->out[1].data, 1, count);
}

static gboolean
dropout_prepare (Step *step, GError **error)
{
  if (step->n_outputs > 1 && step->out[1].value)
    step_set_run (step, "copy", mask_run, shape_count (&step->in[0].shape) > 0, 1);
  else
    step->view = 0;
  for (guint i = 1; i < step->n_inputs; i++)
    step->in[i].packed = TRUE;
  return TRUE;
}

/* ---- Reshape ------------------------------------------------------------------------------------------------ */

static gboolean
refuse_reshape (const Node *node, const FoveaShape *shape, GError **error)
{
  g_autofree char *from = shape_to_string (&node_input (node, 0)->shape), *to = shape_to_string (shape);

  return node_error (node, error, FOVEA_ERROR_SHAPE, "%s elements can't be seen as %s. Give the input the size that the model was exported for.", from, to);
}

static gboolean
reshape_infer (const Node *node, InferContext *context, GError **error)
{
  const FoveaShape *from;
  FoveaShape        shape = { 0, { 0 } };
  gint64            target[FOVEA_MAX_DIMS];
  gssize            n;
  gint              open = -1;
  gsize             count, rest = 1;

  if (!infer_check_inputs (node, node->opset < 5 ? 1 : 2, 2, error) || !infer_check_outputs (node, 1, error)
      || !infer_ints (node, context, 1, "shape", target, FOVEA_MAX_DIMS, &n, error))
    return FALSE;
  from = &node_input (node, 0)->shape;
  shape.n_dims = (guint) MAX (n, 0);
  for (guint i = 0; i < shape.n_dims; i++)
    {
      shape.dims[i] = target[i];
      if (target[i] == 0 && !node_int (node, "allowzero", 0))
        shape.dims[i] = i < from->n_dims ? from->dims[i] : -1;
      if (target[i] == -1 && open < 0)
        open = (gint) i;
      else if (shape.dims[i] < 0)
        return refuse_reshape (node, &shape, error);
      else if (!g_size_checked_mul (&rest, rest, (gsize) shape.dims[i]))
        return refuse_reshape (node, &shape, error);
    }
  count = shape_count (from);
  if (open >= 0)
    {
      if (rest == 0 || count % rest != 0)
        return refuse_reshape (node, &shape, error);
      shape.dims[open] = (gint64) (count / rest);
    }
  else if (rest != count)
    return refuse_reshape (node, &shape, error);
  infer_set (node, 0, node_input (node, 0)->type, &shape);
  return TRUE;
}

/* ---- Flatten ------------------------------------------------------------------------------------------------ */

static gboolean
flatten_infer (const Node *node, InferContext *context, GError **error)
{
  const FoveaShape *from;
  FoveaShape        shape = { 2, { 0 } };
  gint64            axis = node_int (node, "axis", 1);

  if (!infer_check_inputs (node, 1, 1, error) || !infer_check_outputs (node, 1, error))
    return FALSE;
  from = &node_input (node, 0)->shape;
  if (axis < -(gint64) from->n_dims || axis > (gint64) from->n_dims)
    return node_error (node, error, FOVEA_ERROR_SHAPE, "axis %" G_GINT64_FORMAT " doesn't exist in a tensor of %u dimensions.", axis, from->n_dims);
  if (axis < 0)
    axis += from->n_dims;
  shape.dims[0] = (gint64) shape_count_range (from, 0, (guint) axis);
  shape.dims[1] = (gint64) shape_count_range (from, (guint) axis, from->n_dims);
  infer_set (node, 0, node_input (node, 0)->type, &shape);
  return TRUE;
}

/* ---- Squeeze, Unsqueeze ------------------------------------------------------------------------------------- */

static gboolean
read_axes (const Node *node, InferContext *context, guint rank, gboolean *at, gssize *n, GError **error)
{
  gint64 axes[FOVEA_MAX_DIMS];

  if (!infer_check_inputs (node, 1, 2, error) || !infer_check_outputs (node, 1, error)
      || !infer_ints (node, context, 1, "axes", axes, FOVEA_MAX_DIMS, n, error))
    return FALSE;
  rank += strcmp (node->type, "Unsqueeze") == 0 ? (guint) MAX (*n, 0) : 0;
  if (rank > FOVEA_MAX_DIMS)
    return node_error (node, error, FOVEA_ERROR_UNSUPPORTED, "its result has more than %d dimensions.", FOVEA_MAX_DIMS);
  for (gssize i = 0; i < *n; i++)
    {
      guint axis;

      if (!infer_axis (node, axes[i], rank, &axis, error))
        return FALSE;
      if (at[axis])
        return node_error (node, error, FOVEA_ERROR_MODEL, "it names axis %u twice. The model is damaged.", axis);
      at[axis] = TRUE;
    }
  return TRUE;
}

static gboolean
squeeze_infer (const Node *node, InferContext *context, GError **error)
{
  const Value *in = node_input (node, 0);
  gboolean     at[FOVEA_MAX_DIMS] = { FALSE };
  FoveaShape   shape = { 0, { 0 } };
  gssize       n;

  if (!in)
    return infer_check_inputs (node, 1, 2, error);
  if (!read_axes (node, context, in->shape.n_dims, at, &n, error))
    return FALSE;
  for (guint i = 0; i < in->shape.n_dims; i++)
    {
      if (at[i] && in->shape.dims[i] != 1)
        return node_error (node, error, FOVEA_ERROR_SHAPE, "axis %u has %" G_GINT64_FORMAT " elements and can't be left out.", i, in->shape.dims[i]);
      if (n < 0 ? in->shape.dims[i] != 1 : !at[i])
        shape.dims[shape.n_dims++] = in->shape.dims[i];
    }
  infer_set (node, 0, in->type, &shape);
  return TRUE;
}

static gboolean
unsqueeze_infer (const Node *node, InferContext *context, GError **error)
{
  const Value *in = node_input (node, 0);
  gboolean     at[FOVEA_MAX_DIMS] = { FALSE };
  FoveaShape   shape = { 0, { 0 } };
  guint        next = 0;
  gssize       n;

  if (!in)
    return infer_check_inputs (node, 1, 2, error);
  if (!read_axes (node, context, in->shape.n_dims, at, &n, error))
    return FALSE;
  shape.n_dims = in->shape.n_dims + (guint) MAX (n, 0);
  for (guint i = 0; i < shape.n_dims; i++)
    shape.dims[i] = at[i] ? 1 : in->shape.dims[next++];
  infer_set (node, 0, in->type, &shape);
  return TRUE;
}

static const AttributeSpec dropout_attributes[] = { { "ratio", ATTRIBUTE_FLOAT }, { "seed", ATTRIBUTE_INT }, { NULL } };
static const AttributeSpec flatten_attributes[] = { { "axis", ATTRIBUTE_INT }, { NULL } };
static const AttributeSpec reshape_attributes[] = { { "allowzero", ATTRIBUTE_INT }, { NULL } };
static const AttributeSpec axes_attributes[] = { { "axes", ATTRIBUTE_INTS }, { NULL } };

const Operator view_operators[] = {
  { "Dropout", "", 0, NULL, dropout_infer, identity_blocked, dropout_prepare, NULL, dropout_attributes },
  { "Flatten", "", 0, NULL, flatten_infer, NULL, view_prepare, NULL, flatten_attributes },
  { "Identity", "", 0, NULL, identity_infer, identity_blocked, view_prepare, NULL },
  { "Reshape", "", 0, NULL, reshape_infer, NULL, view_prepare, NULL, reshape_attributes },
  { "Squeeze", "", 0, NULL, squeeze_infer, NULL, view_prepare, NULL, axes_attributes },
  { "Unsqueeze", "", 0, NULL, unsqueeze_infer, NULL, view_prepare, NULL, axes_attributes },
  { NULL },
};
