/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * slice.c: Slice with any steps, by attributes (before opset 10) or inputs; any type. Images of float32 also on blocks: space freely, channels by
 * whole blocks.
 */

#include "kernels/kernels.h"
#include "ops/axis-map.h"
#include "ops/families.h"

typedef struct
{
  gint64 start[FOVEA_MAX_DIMS], stride[FOVEA_MAX_DIMS];
} SliceParams;

static gboolean
slice_parse (Node *node, GError **error)
{
  if (node->opset >= 10)
    return node_check_attributes (node, error, NULL);
  return node_check_attributes (node, error, "starts", ATTRIBUTE_INTS, "ends", ATTRIBUTE_INTS, "axes", ATTRIBUTE_INTS, NULL);
}

/* start, end and step as Python's slices have them; *n gets the number of elements. */
static void
resolve (gint64 size, gint64 *start, gint64 end, gint64 *step, gint64 *n)
{
  gint64 low = *step > 0 ? 0 : -1, high = *step > 0 ? size : size - 1;

  *step = CLAMP (*step, -size - 1, size + 1);
  *start = CLAMP (*start < 0 ? *start + size : *start, low, high);
  end = CLAMP (end < 0 ? end + size : end, low, high);
  *n = *step > 0 ? (end - *start + *step - 1) / *step : (*start - end - *step - 1) / -*step;
  *n = MAX (*n, 0);
}

static gboolean
slice_infer (const Node *node, InferContext *context, GError **error)
{
  SliceParams *params = node->params;
  gint64       starts[FOVEA_MAX_DIMS], ends[FOVEA_MAX_DIMS], axes[FOVEA_MAX_DIMS], steps[FOVEA_MAX_DIMS];
  gssize       n, n_ends, n_axes, n_steps;
  FoveaShape   out;

  if (!infer_check_inputs (node, 1, 5, error) || !infer_check_outputs (node, 1, error)
      || !infer_ints (node, context, 1, "starts", starts, FOVEA_MAX_DIMS, &n, error)
      || !infer_ints (node, context, 2, "ends", ends, FOVEA_MAX_DIMS, &n_ends, error)
      || !infer_ints (node, context, 3, "axes", axes, FOVEA_MAX_DIMS, &n_axes, error)
      || !infer_ints (node, context, 4, NULL, steps, FOVEA_MAX_DIMS, &n_steps, error))
    return FALSE;
  out = node_input (node, 0)->shape;
  if (n < 0 || n_ends != n || (n_axes >= 0 && n_axes != n) || (n_steps >= 0 && n_steps != n) || n > (gssize) out.n_dims)
    return node_error (node, error, FOVEA_ERROR_MODEL, "its starts, ends, axes and steps don't belong together. The model is damaged.");

  for (guint i = 0; i < out.n_dims; i++)
    {
      params->start[i] = 0;
      params->stride[i] = 1;
    }
  for (gssize i = 0; i < n; i++)
    {
      gint64 step = n_steps >= 0 ? steps[i] : 1;
      guint  axis;

      if (!infer_axis (node, n_axes >= 0 ? axes[i] : i, out.n_dims, &axis, error))
        return FALSE;
      if (step == 0)
        return node_error (node, error, FOVEA_ERROR_MODEL, "its step along axis %u is 0. The model is damaged.", axis);
      resolve (node_input (node, 0)->shape.dims[axis], &starts[i], ends[i], &step, &out.dims[axis]);
      params->start[axis] = starts[i];
      params->stride[axis] = step;
    }
  infer_set (node, 0, node_input (node, 0)->type, &out);
  return TRUE;
}

static gboolean
slice_blocked (const Node *node, BlockedForm *form)
{
  const SliceParams *params = node->params;
  const Value       *in = node_input (node, 0), *out = node_output (node, 0);
  gint64             channels;

  if (in->type != FOVEA_TYPE_FLOAT32 || in->shape.n_dims != 4)
    return FALSE;
  channels = out->shape.dims[1];
  if (in->shape.dims[1] != channels || params->stride[1] != 1)
    if (params->stride[1] != 1 || params->start[1] % KERNEL_BLOCK != 0
        || (channels % KERNEL_BLOCK != 0 && params->start[1] + channels != in->shape.dims[1]))
      return FALSE;
  form->wish = BLOCKED_FOLLOWS;
  form->inputs = form->outputs = 1;
  return TRUE;
}

static gboolean
slice_prepare (Step *step, GError **error)
{
  const SliceParams *params = step->node->params;
  const FoveaShape  *out = &step->out[0].shape;
  AxisMap            map;
  gboolean           ok = TRUE;

  axis_map_init (&map, &step->in[0].shape, out->n_dims);
  for (guint i = 0; ok && i < out->n_dims; i++)
    if (params->start[i] != 0 || params->stride[i] != 1 || map.in.dims[i] != out->dims[i])
      {
        gint64 *indices = axis_map_add (&map, i, (gsize) out->dims[i], error);

        for (gint64 j = 0; indices && j < out->dims[i]; j++)
          indices[j] = params->start[i] + j * params->stride[i];
        ok = indices != NULL;
      }
  ok = ok && axis_map_prepare (step, &map, "slice", error);
  axis_map_clear (&map);
  return ok;
}

const Operator slice_operators[] = {
  { "Slice", "", sizeof (SliceParams), slice_parse, slice_infer, slice_blocked, slice_prepare, NULL },
  { NULL },
};
