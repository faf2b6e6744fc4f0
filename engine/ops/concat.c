/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * concat.c: Concat and Split along one axis. Blocked images along their channels: whole blocks are copied as they are; where a part doesn't begin
 * at a block, its channels are moved lane by lane. Of a single image whose parts all begin at blocks, nothing is copied that the plan could put in
 * its place at once.
 */

#include <string.h>

#include "kernels/kernels.h"
#include "ops/families.h"

typedef struct
{
  guint axis; /* set by infer */
} ConcatParams;

/* ---- Concat ------------------------------------------------------------------------------------------------ */

static gboolean
concat_infer (const Node *node, InferContext *context, GError **error)
{
  ConcatParams *params = node->params;
  FoveaShape    shape;

  if (!infer_check_inputs (node, 1, G_MAXUINT, error) || !infer_check_outputs (node, 1, error))
    return FALSE;
  shape = node_input (node, 0)->shape;
  if (!infer_axis (node, node_int (node, "axis", 1), shape.n_dims, &params->axis, error))
    return FALSE;
  for (guint i = 1; i < node->inputs->len; i++)
    {
      const Value *value = node_input (node, i);
      gboolean     fits = value && value->type == node_input (node, 0)->type && value->shape.n_dims == shape.n_dims;

      for (guint d = 0; fits && d < shape.n_dims; d++)
        fits = d == params->axis || value->shape.dims[d] == shape.dims[d];
      if (!fits)
        {
          g_autofree char *first = shape_to_string (&node_input (node, 0)->shape), *other = value ? shape_to_string (&value->shape) : g_strdup ("nothing");

          return node_error (node, error, FOVEA_ERROR_SHAPE, "tensors of the shapes %s and %s can't be joined along axis %u. Check the input's size.", first, other,
                             params->axis);
        }
      if (shape.dims[params->axis] > G_MAXINT64 - value->shape.dims[params->axis])
        return node_error (node, error, FOVEA_ERROR_SHAPE, "its result is too large. The model is damaged.");
      shape.dims[params->axis] += value->shape.dims[params->axis];
    }
  infer_set (node, 0, node_input (node, 0)->type, &shape);
  return TRUE;
}

/* All inputs of a concat, or outputs of a split, are float32 images that aren't constant, along the channels. */
static gboolean
parts_blocked (const Node *node, guint axis, const GPtrArray *parts)
{
  if (axis != 1 || node_input (node, 0)->type != FOVEA_TYPE_FLOAT32 || node_input (node, 0)->shape.n_dims != 4 || parts->len > 31)
    return FALSE;
  for (guint i = 0; i < parts->len; i++)
    {
      const Value *value = g_ptr_array_index (parts, i);

      if (!value || value->constant)
        return FALSE;
    }
  return TRUE;
}

static gboolean
concat_blocked (const Node *node, BlockedForm *form)
{
  if (!parts_blocked (node, ((const ConcatParams *) node->params)->axis, node->inputs))
    return FALSE;
  form->wish = BLOCKED_FOLLOWS;
  form->inputs = (1u << node->inputs->len) - 1;
  form->outputs = 1;
  return TRUE;
}

/* Plain: a task is one input of one outer index. */
static void
concat_run (const Step *step, gsize first, gsize last, guint thread)
{
  const ConcatParams *params = step->node->params;
  const FoveaShape   *shape = &step->out[0].shape;
  gsize               inner = shape_count_range (shape, params->axis + 1, shape->n_dims) * type_size (step->out[0].type);
  gsize               row = inner * (gsize) shape->dims[params->axis];

  for (gsize task = first; task < last; task++)
    {
      guint8 *out = (guint8 *) step->out[0].data + task * row;

      for (guint i = 0; i < step->n_inputs; i++)
        {
          gsize part = inner * (gsize) step->in[i].shape.dims[params->axis];

          if (part > 0)
            memcpy (out, (const guint8 *) step->in[i].data + task * part, part);
          out += part;
        }
    }
}

/* Copies channels [from, from + n) of a blocked image of `pixels` to channels [to, to + n) of another: both are (blocks, pixels, 16). */
static void
move_channels (const float *in, gsize from, float *out, gsize to, gsize n, gsize pixels)
{
  if (from % KERNEL_BLOCK == 0 && to % KERNEL_BLOCK == 0)
    {
      gsize whole = n / KERNEL_BLOCK * KERNEL_BLOCK;

      if (in + from * pixels == out + to * pixels) /* made in its place */
        return;
      if (whole > 0)
        memcpy (out + to * pixels, in + from * pixels, whole * pixels * sizeof (float));
      from += whole;
      to += whole;
      n -= whole;
    }
  while (n > 0)
    {
      gsize        in_lane = from % KERNEL_BLOCK, out_lane = to % KERNEL_BLOCK;
      gsize        run = MIN (n, KERNEL_BLOCK - MAX (in_lane, out_lane));
      const float *source = in + from / KERNEL_BLOCK * pixels * KERNEL_BLOCK + in_lane;
      float       *target = out + to / KERNEL_BLOCK * pixels * KERNEL_BLOCK + out_lane;

      for (gsize p = 0; p < pixels; p++)
        for (gsize lane = 0; lane < run; lane++)
          target[p * KERNEL_BLOCK + lane] = source[p * KERNEL_BLOCK + lane];
      from += run;
      to += run;
      n -= run;
    }
}

/* The lanes past the last channel. */
static void
clear_tail (float *image, gsize channels, gsize pixels)
{
  gsize used = channels % KERNEL_BLOCK;

  if (used > 0)
    for (gsize p = 0; p < pixels; p++)
      memset (image + channels / KERNEL_BLOCK * pixels * KERNEL_BLOCK + p * KERNEL_BLOCK + used, 0, (KERNEL_BLOCK - used) * sizeof (float));
}

static gsize
image_pixels (const TensorView *view)
{
  return (gsize) (view->shape.dims[2] * view->shape.dims[3]);
}

static gsize
image_floats (const TensorView *view)
{
  return kernel_blocks ((gsize) view->shape.dims[1]) * image_pixels (view) * KERNEL_BLOCK;
}

/* Blocked: a task is one image. Where every part begins at a block, a task is one part of one image. */
static void
concat_blocked_run (const Step *step, gsize first, gsize last, guint thread)
{
  gboolean aligned = step->phase[0].n_tasks > (gsize) step->out[0].shape.dims[0];

  for (gsize task = first; task < last; task++)
    {
      gsize  image = aligned ? task / step->n_inputs : task, to = 0;
      float *out = (float *) step->out[0].data + image * image_floats (&step->out[0]);

      for (guint i = 0; i < step->n_inputs; i++)
        {
          gsize channels = (gsize) step->in[i].shape.dims[1];

          if (!aligned || task % step->n_inputs == i)
            move_channels ((const float *) step->in[i].data + image * image_floats (&step->in[i]), 0, out, to, channels, image_pixels (&step->out[0]));
          to += channels;
        }
      if (!aligned || task % step->n_inputs == step->n_inputs - 1)
        clear_tail (out, (gsize) step->out[0].shape.dims[1], image_pixels (&step->out[0]));
    }
}

static gboolean
concat_prepare (Step *step, GError **error)
{
  const ConcatParams *params = step->node->params;
  const FoveaShape   *shape = &step->out[0].shape;
  gboolean            aligned = TRUE;

  if (step->out[0].layout == LAYOUT_PLAIN)
    {
      gsize outer = shape_count_range (shape, 0, params->axis), row = shape_count_range (shape, params->axis, shape->n_dims);

      step_set_run (step, "concat", concat_run, row > 0 ? outer : 0, 1 + 8192 / MAX (row, 1));
      return TRUE;
    }
  for (guint i = 0; i + 1 < step->n_inputs; i++)
    aligned &= step->in[i].shape.dims[1] % KERNEL_BLOCK == 0;
  step->joins = aligned && shape->dims[0] == 1;
  step_set_run (step, aligned ? "concat blocks" : "concat lanes", concat_blocked_run,
                (gsize) shape->dims[0] * (aligned && step->n_inputs > 1 ? step->n_inputs : 1), 1);
  return TRUE;
}

/* ---- Split ------------------------------------------------------------------------------------------------- */

static gboolean
split_infer (const Node *node, InferContext *context, GError **error)
{
  ConcatParams     *params = node->params;
  const FoveaShape *in;
  g_autofree gint64 *sizes = g_new0 (gint64, node->outputs->len + 1);
  gint64            sum = 0, parts = node_int (node, "num_outputs", node->outputs->len);
  gssize            n;

  if (!infer_check_inputs (node, 1, 2, error))
    return FALSE;
  in = &node_input (node, 0)->shape;
  if (!infer_axis (node, node_int (node, "axis", 0), in->n_dims, &params->axis, error)
      || !infer_ints (node, context, 1, node->opset < 13 ? "split" : NULL, sizes, node->outputs->len, &n, error))
    return FALSE;
  if (n >= 0 ? n != (gssize) node->outputs->len : parts != node->outputs->len || parts < 1)
    return node_error (node, error, FOVEA_ERROR_MODEL, "it doesn't say the size of each of its %u parts. The model is damaged.", node->outputs->len);
  for (guint i = 0; i < node->outputs->len; i++)
    {
      FoveaShape shape = *in;
      gint64     whole = in->dims[params->axis], even = (whole + parts - 1) / MAX (parts, 1);

      if (n < 0)
        sizes[i] = CLAMP (whole - even * (gint64) i, 0, even);
      if (sizes[i] < 0 || sizes[i] > whole)
        return node_error (node, error, FOVEA_ERROR_SHAPE, "one of its parts would have %" G_GINT64_FORMAT " elements. The model is damaged.", sizes[i]);
      sum += sizes[i];
      shape.dims[params->axis] = sizes[i];
      infer_set (node, i, node_input (node, 0)->type, &shape);
    }
  return sum == in->dims[params->axis]
         || node_error (node, error, FOVEA_ERROR_SHAPE, "its parts have %" G_GINT64_FORMAT " elements together, its input has %" G_GINT64_FORMAT ".", sum,
                        in->dims[params->axis]);
}

static gboolean
split_blocked (const Node *node, BlockedForm *form)
{
  if (!parts_blocked (node, ((const ConcatParams *) node->params)->axis, node->outputs))
    return FALSE;
  form->wish = BLOCKED_FOLLOWS;
  form->inputs = 1;
  form->outputs = (1u << node->outputs->len) - 1;
  return TRUE;
}

static void
split_run (const Step *step, gsize first, gsize last, guint thread)
{
  const ConcatParams *params = step->node->params;
  const FoveaShape   *shape = &step->in[0].shape;
  gsize               inner = shape_count_range (shape, params->axis + 1, shape->n_dims) * type_size (step->in[0].type);
  gsize               row = inner * (gsize) shape->dims[params->axis];

  for (gsize task = first; task < last; task++)
    {
      const guint8 *in = (const guint8 *) step->in[0].data + task * row;

      for (guint i = 0; i < step->n_outputs; i++)
        {
          gsize part = inner * (gsize) step->out[i].shape.dims[params->axis];

          if (part > 0)
            memcpy ((guint8 *) step->out[i].data + task * part, in, part);
          in += part;
        }
    }
}

static void
split_blocked_run (const Step *step, gsize first, gsize last, guint thread)
{
  for (gsize task = first; task < last; task++)
    {
      gsize        image = task / step->n_outputs, part = task % step->n_outputs, from = 0, channels = (gsize) step->out[part].shape.dims[1];
      const float *in = (const float *) step->in[0].data + image * image_floats (&step->in[0]);
      float       *out = (float *) step->out[part].data + image * image_floats (&step->out[part]);

      for (guint i = 0; i < part; i++)
        from += (gsize) step->out[i].shape.dims[1];
      move_channels (in, from, out, 0, channels, image_pixels (&step->in[0]));
      clear_tail (out, channels, image_pixels (&step->in[0]));
    }
}

static gboolean
split_prepare (Step *step, GError **error)
{
  const ConcatParams *params = step->node->params;
  const FoveaShape   *shape = &step->in[0].shape;
  gsize               outer, row;

  if (step->n_inputs > 1)
    step->in[1].packed = TRUE;
  for (guint i = 0; i < step->n_outputs; i++)
    if (!step->out[i].value)
      return node_error (step->node, error, FOVEA_ERROR_MODEL, "one of its parts has no name. The model is damaged.");
  if (step->in[0].layout == LAYOUT_BLOCKED)
    {
      step->splits = shape->dims[0] == 1;
      for (guint i = 0; i + 1 < step->n_outputs; i++)
        step->splits &= step->out[i].shape.dims[1] % KERNEL_BLOCK == 0;
      step_set_run (step, "split blocks", split_blocked_run, (gsize) shape->dims[0] * step->n_outputs, 1);
      return TRUE;
    }
  outer = shape_count_range (shape, 0, params->axis);
  row = shape_count_range (shape, params->axis, shape->n_dims);
  step_set_run (step, "split", split_run, row > 0 ? outer : 0, 1 + 8192 / MAX (row, 1));
  return TRUE;
}

static const AttributeSpec concat_attributes[] = { { "axis", ATTRIBUTE_INT }, { NULL } };
static const AttributeSpec split_attributes[] = {
  { "axis", ATTRIBUTE_INT }, { "split", ATTRIBUTE_INTS }, { "num_outputs", ATTRIBUTE_INT }, { NULL },
};

const Operator concat_operators[] = {
  { "Concat", "", sizeof (ConcatParams), NULL, concat_infer, concat_blocked, concat_prepare, NULL, concat_attributes },
  { "Split", "", sizeof (ConcatParams), NULL, split_infer, split_blocked, split_prepare, NULL, split_attributes },
  { NULL },
};
