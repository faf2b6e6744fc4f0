/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * movement.c: operators that move elements along strides: Transpose, Slice, Expand, Tile, DepthToSpace, SpaceToDepth. Plain only. Each is one
 * StridedCopy; parse and infer put its numbers together, prepare fills it, strided_run does the work.
 */

#include <string.h>

#include "ops/families.h"
#include "ops/gradient.h"
#include "ops/movement.h"
#include "ops/strided.h"

static void
copy_run (const Step *step, gsize first, gsize last, guint thread)
{
  strided_run (step->state, step->in[0].data, step->out[0].data, first, last);
}

/* The step that runs `copy`; inputs other than the first were needed only for compiling. */
static gboolean
set_copy (Step *step, StridedCopy *copy, const char *kernel)
{
  copy->size = type_size (step->in[0].type);
  strided_simplify (copy);
  step->state = g_memdup2 (copy, sizeof *copy);
  step->free_state = g_free;
  for (guint i = 1; i < step->n_inputs; i++)
    step->in[i].packed = TRUE;
  step_set_run (step, kernel, copy_run, strided_rows (copy), strided_grain (copy));
  return TRUE;
}

/* ---- Transpose --------------------------------------------------------------------------------------------- */

typedef struct
{
  guint order[FOVEA_MAX_DIMS]; /* set by infer */
} TransposeParams;

static gboolean
transpose_infer (const Node *node, InferContext *context, GError **error)
{
  TransposeParams  *params = node->params;
  const FoveaShape *in;
  FoveaShape        shape = { 0, { 0 } };
  const gint64     *order;
  gsize             n;
  gboolean          seen[FOVEA_MAX_DIMS] = { FALSE };

  if (!infer_check_inputs (node, 1, 1, error) || !infer_check_outputs (node, 1, error))
    return FALSE;
  in = &node_input (node, 0)->shape;
  n = node_ints (node, "perm", &order);
  if (node_attribute (node, "perm") && n != in->n_dims)
    return node_error (node, error, FOVEA_ERROR_SHAPE, "it reorders %" G_GSIZE_FORMAT " dimensions of a tensor that has %u.", n, in->n_dims);
  shape.n_dims = in->n_dims;
  for (guint i = 0; i < in->n_dims; i++)
    {
      guint axis = in->n_dims - 1 - i;

      if (node_attribute (node, "perm") && !infer_axis (node, order[i], in->n_dims, &axis, error))
        return FALSE;
      if (seen[axis])
        return node_error (node, error, FOVEA_ERROR_MODEL, "it names dimension %u twice. The model is damaged.", axis);
      seen[axis] = TRUE;
      params->order[i] = axis;
      shape.dims[i] = in->dims[axis];
    }
  infer_set (node, 0, node_input (node, 0)->type, &shape);
  return TRUE;
}

static gboolean
transpose_prepare (Step *step, GError **error)
{
  const TransposeParams *params = step->node->params;
  StridedCopy            copy = { .n_dims = step->out[0].shape.n_dims };
  gint64                 strides[FOVEA_MAX_DIMS];
  gint                   last_moved = -1;
  gboolean               moved = FALSE;

  /* Where only dimensions of one element change places, nothing moves. */
  for (guint i = 0; i < copy.n_dims; i++)
    if (step->out[0].shape.dims[i] != 1)
      {
        moved |= (gint) params->order[i] < last_moved;
        last_moved = (gint) params->order[i];
      }
  if (!moved)
    {
      step->view = 0;
      return TRUE;
    }
  strided_dense (&step->in[0].shape, strides);
  strided_dense (&step->out[0].shape, copy.out_strides);
  for (guint i = 0; i < copy.n_dims; i++)
    {
      copy.dims[i] = step->out[0].shape.dims[i];
      copy.in_strides[i] = strides[params->order[i]];
    }
  return set_copy (step, &copy, "transpose");
}

/* ---- Slice ------------------------------------------------------------------------------------------------- */

typedef struct
{
  gint64 start[FOVEA_MAX_DIMS], step[FOVEA_MAX_DIMS]; /* per dimension, set by infer */
} SliceParams;

/* NumPy's rules: both ends are counted from the end when negative and pushed into the tensor; the result is empty when they cross. */
static gint64
slice_axis (gint64 size, gint64 start, gint64 end, gint64 step, gint64 *first)
{
  gint64 low = step > 0 ? 0 : -1, high = step > 0 ? size : size - 1;

  start = start < 0 ? MAX (start, -size - 1) + size : MIN (start, size);
  end = end < 0 ? MAX (end, -size - 1) + size : MIN (end, size);
  start = CLAMP (start, low + (step < 0), MAX (high, 0));
  end = CLAMP (end, low, MAX (high + (step < 0), 0));
  *first = start;
  if (size == 0)
    return 0;
  if (step > 0)
    return end > start ? (end - start - 1) / step + 1 : 0;
  return start > end ? (start - end - 1) / -step + 1 : 0;
}

static gboolean
slice_infer (const Node *node, InferContext *context, GError **error)
{
  SliceParams      *params = node->params;
  const FoveaShape *in;
  FoveaShape        shape;
  gint64            starts[FOVEA_MAX_DIMS], ends[FOVEA_MAX_DIMS], axes[FOVEA_MAX_DIMS], steps[FOVEA_MAX_DIMS];
  gssize            n, n_ends, n_axes, n_steps;
  gboolean          old = node->opset < 10;

  if (!infer_check_inputs (node, old ? 1 : 3, old ? 1 : 5, error) || !infer_check_outputs (node, 1, error)
      || !infer_ints (node, context, 1, old ? "starts" : NULL, starts, FOVEA_MAX_DIMS, &n, error)
      || !infer_ints (node, context, 2, old ? "ends" : NULL, ends, FOVEA_MAX_DIMS, &n_ends, error)
      || !infer_ints (node, context, 3, old ? "axes" : NULL, axes, FOVEA_MAX_DIMS, &n_axes, error)
      || !infer_ints (node, context, 4, NULL, steps, FOVEA_MAX_DIMS, &n_steps, error))
    return FALSE;
  in = &node_input (node, 0)->shape;
  if (n < 0 || n != n_ends || (n_axes >= 0 && n_axes != n) || (n_steps >= 0 && n_steps != n) || n > (gssize) in->n_dims)
    return node_error (node, error, FOVEA_ERROR_MODEL, "its starts, ends, axes and steps aren't of one length. The model is damaged.");
  shape = *in;
  for (guint i = 0; i < in->n_dims; i++)
    {
      params->start[i] = 0;
      params->step[i] = 1;
    }
  for (gssize i = 0; i < n; i++)
    {
      guint axis = (guint) i;

      if (n_axes >= 0 && !infer_axis (node, axes[i], in->n_dims, &axis, error))
        return FALSE;
      params->step[axis] = n_steps >= 0 ? steps[i] : 1;
      if (params->step[axis] == 0)
        return node_error (node, error, FOVEA_ERROR_MODEL, "its step is 0. The model is damaged.");
      params->step[axis] = CLAMP (params->step[axis], -G_MAXINT32, G_MAXINT32);
      shape.dims[axis] = slice_axis (in->dims[axis], starts[i], ends[i], params->step[axis], &params->start[axis]);
    }
  infer_set (node, 0, node_input (node, 0)->type, &shape);
  return TRUE;
}

gboolean
slice_takes_channels (const Node *node, gint64 *first, gint64 *step)
{
  const SliceParams *params = node->params;
  const FoveaShape  *in = &node_input (node, 0)->shape, *out = &node_output (node, 0)->shape;

  if (in->n_dims != 4)
    return FALSE;
  for (guint i = 0; i < 4; i++)
    if (i != 1 && (params->start[i] != 0 || params->step[i] != 1 || in->dims[i] != out->dims[i]))
      return FALSE;
  *first = params->start[1];
  *step = params->step[1];
  return TRUE;
}

static gboolean
slice_prepare (Step *step, GError **error)
{
  const SliceParams *params = step->node->params;
  StridedCopy        copy = { .n_dims = step->out[0].shape.n_dims };

  if (shape_equal (&step->in[0].shape, &step->out[0].shape))
    {
      gboolean whole = TRUE;

      for (guint i = 0; i < copy.n_dims; i++)
        whole &= params->step[i] > 0 || step->in[0].shape.dims[i] == 1;
      if (whole)
        {
          step->view = 0;
          return TRUE;
        }
    }
  strided_dense (&step->in[0].shape, copy.in_strides);
  strided_dense (&step->out[0].shape, copy.out_strides);
  for (guint i = 0; i < copy.n_dims; i++)
    {
      copy.dims[i] = step->out[0].shape.dims[i];
      copy.in_offset += params->start[i] * copy.in_strides[i];
      copy.in_strides[i] *= copy.dims[i] > 1 ? params->step[i] : 1;
    }
  return set_copy (step, &copy, "slice");
}

/* The value with step - 1 zeros after each of its elements along an axis. */
static Value *
spread (Gradients *gradients, Value *value, guint axis, gint64 step, GError **error)
{
  const FoveaShape shape = value->shape;
  const gint64     zeros[] = { 0, 0, 0, 0, step - 1, 0 };
  FoveaShape       apart = shape_make (3, (gint64[]) { (gint64) shape_count_range (&shape, 0, axis + 1), 1, (gint64) shape_count_range (&shape, axis + 1, shape.n_dims) });
  FoveaShape       spread_shape = shape;

  spread_shape.dims[axis] *= step;
  value = gradient_reshape (gradients, value, &apart, error);
  value = gradient_of_two (gradients, "Pad", value, gradient_ints (gradients, zeros, G_N_ELEMENTS (zeros), error), error);
  return gradient_reshape (gradients, value, &spread_shape, error);
}

/* The value from its end to its beginning along an axis. */
static Value *
turn (Gradients *gradients, Value *value, guint axis, GError **error)
{
  const gint64 numbers[] = { value->shape.dims[axis] - 1, -G_MAXINT32, axis, -1 }; /* start, end, axis, step */
  Value       *inputs[5] = { value };

  for (guint i = 0; i < 4; i++)
    if (!(inputs[i + 1] = gradient_ints (gradients, &numbers[i], 1, error)))
      return NULL;
  return gradient_end (gradients, gradient_begin (gradients, "", "Slice", 5, inputs), 1, error);
}

/* What was left out gets zeros. */
gboolean
slice_backward (Gradients *gradients, Node *node, GError **error)
{
  const SliceParams *params = node->params;
  Value             *x = node_input (node, 0), *dy = gradient_get (gradients, node_output (node, 0));
  guint              n = x->shape.n_dims;
  gint64             pads[2 * FOVEA_MAX_DIMS];

  for (guint i = 0; dy && i < n; i++)
    {
      gint64 step = params->step[i], first = params->start[i];

      if (step < 0) /* the same from the other end */
        {
          first += step * MAX (dy->shape.dims[i] - 1, 0);
          step = -step;
          dy = turn (gradients, dy, i, error);
        }
      if (dy && step > 1)
        dy = spread (gradients, dy, i, step, error);
      pads[i] = first;
      pads[n + i] = dy ? x->shape.dims[i] - first - dy->shape.dims[i] : 0;
    }
  return dy && gradient_give (gradients, x, gradient_of_two (gradients, "Pad", dy, gradient_ints (gradients, pads, 2 * n, error), error), error);
}

/* ---- Expand, Tile ------------------------------------------------------------------------------------------ */

static gboolean
expand_infer (const Node *node, InferContext *context, GError **error)
{
  FoveaShape target = { 0, { 0 } }, shape;
  gssize     n;

  if (!infer_check_inputs (node, 2, 2, error) || !infer_check_outputs (node, 1, error)
      || !infer_ints (node, context, 1, NULL, target.dims, FOVEA_MAX_DIMS, &n, error))
    return FALSE;
  target.n_dims = (guint) n;
  if (!shape_is_known (&target))
    return node_error (node, error, FOVEA_ERROR_SHAPE, "it would make a tensor with a negative dimension. The model is damaged.");
  if (!infer_broadcast (node, &node_input (node, 0)->shape, &target, &shape, error))
    return FALSE;
  infer_set (node, 0, node_input (node, 0)->type, &shape);
  return TRUE;
}

static gboolean
expand_prepare (Step *step, GError **error)
{
  const FoveaShape *in = &step->in[0].shape, *out = &step->out[0].shape;
  StridedCopy       copy = { .n_dims = out->n_dims };
  gint64            strides[FOVEA_MAX_DIMS];

  if (shape_equal (in, out))
    {
      step->view = 0;
      return TRUE;
    }
  strided_dense (in, strides);
  strided_dense (out, copy.out_strides);
  for (guint i = 0; i < out->n_dims; i++)
    {
      gint at = (gint) (i + in->n_dims) - (gint) out->n_dims;

      copy.dims[i] = out->dims[i];
      copy.in_strides[i] = at < 0 || in->dims[at] == 1 ? 0 : strides[at];
    }
  return set_copy (step, &copy, "expand");
}

static gboolean
tile_infer (const Node *node, InferContext *context, GError **error)
{
  FoveaShape shape;
  gint64     repeats[FOVEA_MAX_DIMS];
  gssize     n;

  if (!infer_check_inputs (node, 2, 2, error) || !infer_check_outputs (node, 1, error)
      || !infer_ints (node, context, 1, NULL, repeats, FOVEA_MAX_DIMS, &n, error))
    return FALSE;
  shape = node_input (node, 0)->shape;
  if (n != (gssize) shape.n_dims)
    return node_error (node, error, FOVEA_ERROR_MODEL, "it doesn't repeat each dimension. The model is damaged.");
  for (guint i = 0; i < shape.n_dims; i++)
    {
      if (repeats[i] < 0 || (shape.dims[i] > 0 && repeats[i] > G_MAXINT64 / shape.dims[i]))
        return node_error (node, error, FOVEA_ERROR_SHAPE, "it repeats %" G_GINT64_FORMAT " times, which can't be. The model is damaged.", repeats[i]);
      shape.dims[i] *= repeats[i];
    }
  infer_set (node, 0, node_input (node, 0)->type, &shape);
  return TRUE;
}

/* Each dimension counts as two, of which the outer stands still in the input: more than a StridedCopy may hold when there are more than four. So a task
 * is a row of the output, found by remainders. */
static void
tile_run (const Step *step, gsize first, gsize last, guint thread)
{
  const FoveaShape *in = &step->in[0].shape, *out = &step->out[0].shape;
  gsize             size = type_size (step->out[0].type);
  gint64            strides[FOVEA_MAX_DIMS];
  gsize             row = out->n_dims ? (gsize) out->dims[out->n_dims - 1] : 1, in_row = in->n_dims ? (gsize) in->dims[in->n_dims - 1] : 1;

  strided_dense (in, strides);
  for (gsize task = first; task < last; task++)
    {
      gsize rest = task, from = 0;

      for (guint i = out->n_dims ? out->n_dims - 1 : 0; i-- > 0;)
        {
          from += rest % (gsize) out->dims[i] % (gsize) in->dims[i] * (gsize) strides[i];
          rest /= (gsize) out->dims[i];
        }
      for (gsize at = 0; at < row; at += in_row)
        memcpy ((guint8 *) step->out[0].data + (task * row + at) * size, (const guint8 *) step->in[0].data + from * size, in_row * size);
    }
}

static gboolean
tile_prepare (Step *step, GError **error)
{
  gsize count = shape_count (&step->out[0].shape), row;

  row = step->out[0].shape.n_dims ? (gsize) step->out[0].shape.dims[step->out[0].shape.n_dims - 1] : 1;
  step->in[1].packed = TRUE;
  step_set_run (step, "tile", tile_run, count ? count / row : 0, 1 + 4096 / MAX (row, 1));
  return TRUE;
}

/* ---- DepthToSpace, SpaceToDepth ---------------------------------------------------------------------------- */

typedef struct
{
  gint64   size;
  gboolean column_row; /* DepthToSpace, mode CRD: channels are (C, b, b), not (b, b, C) */
} DepthParams;

static gboolean
depth_parse (Node *node, GError **error)
{
  DepthParams *params = node->params;

  params->size = node_int (node, "blocksize", 0);
  params->column_row = strcmp (node_string (node, "mode", "DCR"), "CRD") == 0;
  return (params->size >= 1 && params->size <= 1 << 15)
         || node_error (node, error, FOVEA_ERROR_MODEL, "its block size is %" G_GINT64_FORMAT ". The model is damaged.", params->size);
}

static gboolean
depth_infer (const Node *node, InferContext *context, GError **error)
{
  const DepthParams *params = node->params;
  FoveaShape         shape;
  gint64             b = params->size;
  gboolean           to_space = node->type[0] == 'D';

  if (!infer_check_inputs (node, 1, 1, error) || !infer_check_outputs (node, 1, error))
    return FALSE;
  shape = node_input (node, 0)->shape;
  if (shape.n_dims != 4 || (to_space ? shape.dims[1] % (b * b) : shape.dims[2] % b || shape.dims[3] % b))
    {
      g_autofree char *text = shape_to_string (&shape);

      return node_error (node, error, FOVEA_ERROR_SHAPE, "an input of shape %s can't be cut into blocks of %" G_GINT64_FORMAT ". Check the input's size.", text, b);
    }
  shape.dims[1] = to_space ? shape.dims[1] / (b * b) : shape.dims[1] * b * b;
  shape.dims[2] = to_space ? shape.dims[2] * b : shape.dims[2] / b;
  shape.dims[3] = to_space ? shape.dims[3] * b : shape.dims[3] / b;
  infer_set (node, 0, node_input (node, 0)->type, &shape);
  return TRUE;
}

/* Walked as (N, C, h, b, w, b), with the larger plane's strides on one side and the deeper tensor's on the other. */
static gboolean
depth_prepare (Step *step, GError **error)
{
  const DepthParams *params = step->node->params;
  gboolean           to_space = step->node->type[0] == 'D';
  const FoveaShape  *wide = to_space ? &step->out[0].shape : &step->in[0].shape, *deep = to_space ? &step->in[0].shape : &step->out[0].shape;
  gint64             b = params->size, plane = deep->dims[2] * deep->dims[3], channels = wide->dims[1];
  gint64             sub = params->column_row ? plane : channels * plane; /* from one place within the block to the next */
  StridedCopy        copy = { .n_dims = 6 };
  const gint64       dims[] = { wide->dims[0], channels, deep->dims[2], b, deep->dims[3], b };
  const gint64       wide_strides[] = { channels * wide->dims[2] * wide->dims[3], wide->dims[2] * wide->dims[3], b * wide->dims[3], wide->dims[3], b, 1 };
  const gint64       deep_strides[] = { deep->dims[1] * plane, params->column_row ? b * b * plane : plane, deep->dims[3], b * sub, 1, sub };

  memcpy (copy.dims, dims, sizeof dims);
  memcpy (to_space ? copy.out_strides : copy.in_strides, wide_strides, sizeof wide_strides);
  memcpy (to_space ? copy.in_strides : copy.out_strides, deep_strides, sizeof deep_strides);
  return set_copy (step, &copy, to_space ? "depth to space" : "space to depth");
}

static const AttributeSpec depth_attributes[] = { { "blocksize", ATTRIBUTE_INT }, { "mode", ATTRIBUTE_STRING }, { NULL } };
static const AttributeSpec space_attributes[] = { { "blocksize", ATTRIBUTE_INT }, { NULL } };
static const AttributeSpec slice_attributes[] = {
  { "starts", ATTRIBUTE_INTS }, { "ends", ATTRIBUTE_INTS }, { "axes", ATTRIBUTE_INTS }, { NULL },
};
static const AttributeSpec transpose_attributes[] = { { "perm", ATTRIBUTE_INTS }, { NULL } };

const Operator movement_operators[] = {
  { "DepthToSpace", "", sizeof (DepthParams), depth_parse, depth_infer, NULL, depth_prepare, NULL, depth_attributes },
  { "Expand", "", 0, NULL, expand_infer, NULL, expand_prepare, NULL },
  { "Slice", "", sizeof (SliceParams), NULL, slice_infer, NULL, slice_prepare, NULL, slice_attributes },
  { "SpaceToDepth", "", sizeof (DepthParams), depth_parse, depth_infer, NULL, depth_prepare, NULL, space_attributes },
  { "Tile", "", 0, NULL, tile_infer, NULL, tile_prepare, NULL },
  { "Transpose", "", sizeof (TransposeParams), NULL, transpose_infer, NULL, transpose_prepare, NULL, transpose_attributes },
  { NULL },
};
