/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * gather.c: elements picked by index: Gather, GatherElements, GatherND, OneHot, Compress, ReverseSequence. Plain only.
 *
 * Indices are data: one that lies outside can't be refused while running, so it is pushed to the nearest that exists. Constant indices are
 * checked while compiling.
 */

#include <string.h>

#include "ops/element.h"
#include "ops/families.h"

typedef struct
{
  guint axis;       /* set by infer */
  guint batch_axis; /* ReverseSequence */
  gint64 batch_dims; /* GatherND */
} GatherParams;

static gint64
read_index (const TensorView *view, gsize i)
{
  return view->type == FOVEA_TYPE_INT32 ? ((const gint32 *) view->data)[i] : ((const gint64 *) view->data)[i];
}

static gsize
clamp_index (gint64 index, gint64 size)
{
  return (gsize) CLAMP (index < 0 ? index + size : index, 0, size - 1);
}

static gboolean
check_indices (const Node *node, guint input, gint64 size, GError **error)
{
  const FoveaTensor *constant = node_input (node, input)->constant;

  if (!infer_check_type (node, input, error, FOVEA_TYPE_INT32, FOVEA_TYPE_INT64, FOVEA_TYPE_NONE))
    return FALSE;
  if (size == 0 && shape_count (&node_input (node, input)->shape) > 0)
    return node_error (node, error, FOVEA_ERROR_SHAPE, "it picks from a dimension that is empty. Check the input's size.");
  for (gsize i = 0; constant && i < shape_count (&constant->shape); i++)
    {
      gint64 index;

      tensor_read_int64 (constant, i, 1, &index);
      if (index < -size || index >= size)
        return node_error (node, error, FOVEA_ERROR_MODEL, "it picks element %" G_GINT64_FORMAT " of %" G_GINT64_FORMAT ". The model is damaged.", index, size);
    }
  return TRUE;
}

/* ---- Gather ------------------------------------------------------------------------------------------------ */

static gboolean
gather_infer (const Node *node, InferContext *context, GError **error)
{
  GatherParams     *params = node->params;
  const FoveaShape *in, *indices;
  FoveaShape        shape = { 0, { 0 } };

  if (!infer_check_inputs (node, 2, 2, error) || !infer_check_outputs (node, 1, error))
    return FALSE;
  in = &node_input (node, 0)->shape;
  indices = &node_input (node, 1)->shape;
  if (!infer_axis (node, node_int (node, "axis", 0), in->n_dims, &params->axis, error)
      || !check_indices (node, 1, in->dims[params->axis], error))
    return FALSE;
  if (in->n_dims + indices->n_dims - 1 > FOVEA_MAX_DIMS)
    return node_error (node, error, FOVEA_ERROR_UNSUPPORTED, "its result has more than %d dimensions.", FOVEA_MAX_DIMS);
  for (guint i = 0; i < params->axis; i++)
    shape.dims[shape.n_dims++] = in->dims[i];
  for (guint i = 0; i < indices->n_dims; i++)
    shape.dims[shape.n_dims++] = indices->dims[i];
  for (guint i = params->axis + 1; i < in->n_dims; i++)
    shape.dims[shape.n_dims++] = in->dims[i];
  infer_set (node, 0, node_input (node, 0)->type, &shape);
  return TRUE;
}

static void
gather_run (const Step *step, gsize first, gsize last, guint thread)
{
  const GatherParams *params = step->node->params;
  const FoveaShape   *in = &step->in[0].shape;
  gsize               n = shape_count (&step->in[1].shape), inner = shape_count_range (in, params->axis + 1, in->n_dims) * type_size (step->in[0].type);

  for (gsize task = first; task < last; task++)
    {
      gsize from = task / n * (gsize) in->dims[params->axis] + clamp_index (read_index (&step->in[1], task % n), in->dims[params->axis]);

      memcpy ((guint8 *) step->out[0].data + task * inner, (const guint8 *) step->in[0].data + from * inner, inner);
    }
}

static gboolean
gather_prepare (Step *step, GError **error)
{
  const GatherParams *params = step->node->params;
  const FoveaShape   *in = &step->in[0].shape;
  gsize               inner = shape_count_range (in, params->axis + 1, in->n_dims);

  step_set_run (step, "gather", gather_run, inner ? shape_count (&step->out[0].shape) / inner : 0, 1 + 4096 / MAX (inner, 1));
  return TRUE;
}

/* ---- GatherElements ---------------------------------------------------------------------------------------- */

static gboolean
elements_infer (const Node *node, InferContext *context, GError **error)
{
  GatherParams *params = node->params;
  const Value  *in, *indices;

  if (!infer_check_inputs (node, 2, 2, error) || !infer_check_outputs (node, 1, error))
    return FALSE;
  in = node_input (node, 0);
  indices = node_input (node, 1);
  if (!infer_axis (node, node_int (node, "axis", 0), in->shape.n_dims, &params->axis, error)
      || !check_indices (node, 1, in->shape.dims[params->axis], error))
    return FALSE;
  for (guint i = 0; i < in->shape.n_dims; i++)
    if (indices->shape.n_dims != in->shape.n_dims || (i != params->axis && indices->shape.dims[i] > in->shape.dims[i]))
      return node_error (node, error, FOVEA_ERROR_SHAPE, "its indices don't fit its input. The model is damaged.");
  infer_set (node, 0, in->type, &indices->shape);
  return TRUE;
}

static void
elements_run (const Step *step, gsize first, gsize last, guint thread)
{
  const GatherParams *params = step->node->params;
  const FoveaShape   *in = &step->in[0].shape, *out = &step->out[0].shape;
  gsize               size = type_size (step->in[0].type);

  for (gsize task = first; task < last; task++)
    {
      gsize from = 0, stride = 1, rest = task;

      for (guint i = out->n_dims; i-- > 0;)
        {
          gsize at = rest % (gsize) out->dims[i];

          rest /= (gsize) out->dims[i];
          if (i == params->axis)
            at = clamp_index (read_index (&step->in[1], task), in->dims[i]);
          from += at * stride;
          stride *= (gsize) in->dims[i];
        }
      memcpy ((guint8 *) step->out[0].data + task * size, (const guint8 *) step->in[0].data + from * size, size);
    }
}

static gboolean
elements_prepare (Step *step, GError **error)
{
  step_set_run (step, "gather", elements_run, shape_count (&step->out[0].shape), 1024);
  return TRUE;
}

/* ---- GatherND ---------------------------------------------------------------------------------------------- */

static gboolean
nd_infer (const Node *node, InferContext *context, GError **error)
{
  GatherParams     *params = node->params;
  const FoveaShape *in, *indices;
  FoveaShape        shape = { 0, { 0 } };
  gint64            depth, batch = node_int (node, "batch_dims", 0);

  if (!infer_check_inputs (node, 2, 2, error) || !infer_check_outputs (node, 1, error)
      || !infer_check_type (node, 1, error, FOVEA_TYPE_INT64, FOVEA_TYPE_INT32, FOVEA_TYPE_NONE))
    return FALSE;
  in = &node_input (node, 0)->shape;
  indices = &node_input (node, 1)->shape;
  depth = indices->n_dims ? indices->dims[indices->n_dims - 1] : 0;
  if (batch < 0 || depth < 1 || batch >= indices->n_dims || batch + depth > in->n_dims
      || indices->n_dims - 1 + in->n_dims - (guint) (batch + depth) > FOVEA_MAX_DIMS)
    return node_error (node, error, FOVEA_ERROR_SHAPE, "its indices don't fit its input. The model is damaged.");
  for (guint i = 0; i + 1 < indices->n_dims; i++)
    {
      if (i < batch && indices->dims[i] != in->dims[i])
        return node_error (node, error, FOVEA_ERROR_SHAPE, "its batches don't fit. The model is damaged.");
      shape.dims[shape.n_dims++] = indices->dims[i];
    }
  for (guint i = (guint) (batch + depth); i < in->n_dims; i++)
    shape.dims[shape.n_dims++] = in->dims[i];
  for (guint i = (guint) batch; i < batch + depth; i++)
    if (in->dims[i] == 0)
      return node_error (node, error, FOVEA_ERROR_SHAPE, "it picks from a dimension that is empty. Check the input's size.");
  params->batch_dims = batch;
  infer_set (node, 0, node_input (node, 0)->type, &shape);
  return TRUE;
}

static void
nd_run (const Step *step, gsize first, gsize last, guint thread)
{
  const GatherParams *params = step->node->params;
  const FoveaShape   *in = &step->in[0].shape, *indices = &step->in[1].shape;
  guint               batch = (guint) params->batch_dims, depth = (guint) indices->dims[indices->n_dims - 1];
  gsize               inner = shape_count_range (in, batch + depth, in->n_dims) * type_size (step->in[0].type);
  gsize               per_batch = shape_count_range (indices, batch, indices->n_dims - 1);

  for (gsize task = first; task < last; task++)
    {
      gsize from = task / per_batch;

      for (guint i = 0; i < depth; i++)
        from = from * (gsize) in->dims[batch + i] + clamp_index (read_index (&step->in[1], task * depth + i), in->dims[batch + i]);
      memcpy ((guint8 *) step->out[0].data + task * inner, (const guint8 *) step->in[0].data + from * inner, inner);
    }
}

static gboolean
nd_prepare (Step *step, GError **error)
{
  const FoveaShape *indices = &step->in[1].shape;
  gsize             n = shape_count_range (indices, 0, indices->n_dims - 1);

  step_set_run (step, "gather", nd_run, shape_count (&step->out[0].shape) ? n : 0, 64);
  return TRUE;
}

/* ---- OneHot ------------------------------------------------------------------------------------------------ */

static gboolean
one_hot_infer (const Node *node, InferContext *context, GError **error)
{
  GatherParams     *params = node->params;
  const FoveaShape *in;
  FoveaShape        shape = { 0, { 0 } };
  const FoveaTensor *depth_tensor;
  gint64            depth;

  if (!infer_check_inputs (node, 3, 3, error) || !infer_check_outputs (node, 1, error) || !(depth_tensor = context->constant (context, node, 1, error)))
    return FALSE;
  in = &node_input (node, 0)->shape;
  if (shape_count (&depth_tensor->shape) != 1 || shape_count (&node_input (node, 2)->shape) != 2 || node_input (node, 0)->type == FOVEA_TYPE_BOOL)
    return node_error (node, error, FOVEA_ERROR_MODEL, "its depth or its two values have the wrong size. The model is damaged.");
  tensor_read_int64 (depth_tensor, 0, 1, &depth);
  if (in->n_dims + 1 > FOVEA_MAX_DIMS || depth < 0)
    return node_error (node, error, FOVEA_ERROR_SHAPE, "its depth or rank is out of range. The model is damaged.");
  if (!infer_axis (node, node_int (node, "axis", -1), in->n_dims + 1, &params->axis, error))
    return FALSE;
  for (guint i = 0; i <= in->n_dims; i++)
    shape.dims[i] = i == params->axis ? depth : in->dims[i - (i > params->axis)];
  shape.n_dims = in->n_dims + 1;
  infer_set (node, 0, node_input (node, 2)->type, &shape);
  return TRUE;
}

static void
one_hot_run (const Step *step, gsize first, gsize last, guint thread)
{
  const GatherParams *params = step->node->params;
  const FoveaShape   *out = &step->out[0].shape;
  gsize               size = type_size (step->out[0].type), inner = shape_count_range (out, params->axis + 1, out->n_dims);
  gint64              depth = out->dims[params->axis];

  for (gsize task = first; task < last; task++)
    {
      gsize  outer = task / ((gsize) depth * inner), at = task / inner % (gsize) depth;
      gint64 index = element_read_integer (&step->in[0], outer * inner + task % inner);

      if (index < 0)
        index += depth;
      memcpy ((guint8 *) step->out[0].data + task * size, (const guint8 *) step->in[2].data + (index == (gint64) at ? size : 0), size);
    }
}

static gboolean
one_hot_prepare (Step *step, GError **error)
{
  step_set_run (step, "one hot", one_hot_run, shape_count (&step->out[0].shape), 4096);
  return TRUE;
}

/* ---- Compress: the size depends on the condition ------------------------------------------------------------ */

static gboolean
compress_infer (const Node *node, InferContext *context, GError **error)
{
  GatherParams     *params = node->params;
  const FoveaShape *in;
  FoveaShape        shape;
  gint64            most;

  if (!infer_check_inputs (node, 2, 2, error) || !infer_check_outputs (node, 1, error)
      || !infer_check_type (node, 1, error, FOVEA_TYPE_BOOL, FOVEA_TYPE_NONE))
    return FALSE;
  in = &node_input (node, 0)->shape;
  shape = shape_make (1, (gint64[]){ (gint64) shape_count (in) });
  params->axis = 0;
  if (node_attribute (node, "axis"))
    {
      if (!infer_axis (node, node_int (node, "axis", 0), in->n_dims, &params->axis, error))
        return FALSE;
      shape = *in;
    }
  most = (gint64) shape_count (&node_input (node, 1)->shape);
  shape.dims[params->axis] = MIN (shape.dims[params->axis], most);
  infer_set (node, 0, node_input (node, 0)->type, &shape);
  node_output (node, 0)->dynamic = TRUE;
  return TRUE;
}

static void
compress_run (const Step *step, gsize first, gsize last, guint thread)
{
  const GatherParams *params = step->node->params;
  gboolean            flat = !node_attribute (step->node, "axis");
  const FoveaShape   *in = &step->in[0].shape;
  gsize               outer = flat ? 1 : shape_count_range (in, 0, params->axis), length = flat ? shape_count (in) : (gsize) in->dims[params->axis];
  gsize               inner = (flat ? 1 : shape_count_range (in, params->axis + 1, in->n_dims)) * type_size (step->in[0].type);
  gsize               n = MIN (length, shape_count (&step->in[1].shape)), kept = 0;
  const guint8       *condition = step->in[1].data;
  guint8             *out = step->out[0].data;

  for (gsize o = 0; o < outer; o++)
    for (gsize i = 0; i < n; i++)
      if (condition[i])
        {
          memcpy (out, (const guint8 *) step->in[0].data + (o * length + i) * inner, inner);
          out += inner;
        }
  for (gsize i = 0; i < n; i++)
    kept += condition[i] != 0;
  *step->out[0].actual = step->out[0].shape;
  step->out[0].actual->dims[params->axis] = (gint64) kept;
}

static gboolean
compress_prepare (Step *step, GError **error)
{
  step_set_run (step, "compress", compress_run, 1, 1);
  return TRUE;
}

/* ---- ReverseSequence ---------------------------------------------------------------------------------------- */

static gboolean
reverse_infer (const Node *node, InferContext *context, GError **error)
{
  GatherParams     *params = node->params;
  const FoveaShape *in;

  if (!infer_check_inputs (node, 2, 2, error) || !infer_check_outputs (node, 1, error)
      || !infer_check_type (node, 1, error, FOVEA_TYPE_INT64, FOVEA_TYPE_INT32, FOVEA_TYPE_NONE))
    return FALSE;
  in = &node_input (node, 0)->shape;
  if (!infer_axis (node, node_int (node, "time_axis", 0), in->n_dims, &params->axis, error)
      || !infer_axis (node, node_int (node, "batch_axis", 1), in->n_dims, &params->batch_axis, error))
    return FALSE;
  if (params->axis + params->batch_axis != 1 || shape_count (&node_input (node, 1)->shape) != (gsize) in->dims[params->batch_axis])
    return node_error (node, error, FOVEA_ERROR_SHAPE, "its axes or lengths don't fit its input. The model is damaged.");
  infer_same (node, 0, 0);
  return TRUE;
}

static void
reverse_run (const Step *step, gsize first, gsize last, guint thread)
{
  const GatherParams *params = step->node->params;
  const FoveaShape   *in = &step->in[0].shape;
  gsize               inner = shape_count_range (in, 2, in->n_dims) * type_size (step->in[0].type), columns = (gsize) in->dims[1];

  for (gsize task = first; task < last; task++)
    {
      gsize  time = params->axis == 0 ? task / columns : task % columns, batch = params->axis == 0 ? task % columns : task / columns;
      gint64 length = CLAMP (read_index (&step->in[1], batch), 0, in->dims[params->axis]);
      gsize  from_time = (gint64) time < length ? (gsize) length - 1 - time : time;
      gsize  from = params->axis == 0 ? from_time * columns + batch : batch * columns + from_time;

      memcpy ((guint8 *) step->out[0].data + task * inner, (const guint8 *) step->in[0].data + from * inner, inner);
    }
}

static gboolean
reverse_prepare (Step *step, GError **error)
{
  step_set_run (step, "reverse", reverse_run,
                shape_count (&step->in[0].shape) ? (gsize) (step->in[0].shape.dims[0] * step->in[0].shape.dims[1]) : 0, 64);
  return TRUE;
}

static const AttributeSpec axis_attributes[] = { { "axis", ATTRIBUTE_INT }, { NULL } };
static const AttributeSpec nd_attributes[] = { { "batch_dims", ATTRIBUTE_INT }, { NULL } };
static const AttributeSpec reverse_attributes[] = { { "batch_axis", ATTRIBUTE_INT }, { "time_axis", ATTRIBUTE_INT }, { NULL } };

const Operator gather_operators[] = {
  { "Compress", "", sizeof (GatherParams), NULL, compress_infer, NULL, compress_prepare, NULL, axis_attributes },
  { "Gather", "", sizeof (GatherParams), NULL, gather_infer, NULL, gather_prepare, NULL, axis_attributes },
  { "GatherElements", "", sizeof (GatherParams), NULL, elements_infer, NULL, elements_prepare, NULL, axis_attributes },
  { "GatherND", "", sizeof (GatherParams), NULL, nd_infer, NULL, nd_prepare, NULL, nd_attributes },
  { "OneHot", "", sizeof (GatherParams), NULL, one_hot_infer, NULL, one_hot_prepare, NULL, axis_attributes },
  { "ReverseSequence", "", sizeof (GatherParams), NULL, reverse_infer, NULL, reverse_prepare, NULL, reverse_attributes },
  { NULL },
};
