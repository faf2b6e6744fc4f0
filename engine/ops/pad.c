/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * pad.c: Pad with a constant, the edge, a reflection or the other side; negative pads cut. CenterCropPad is the same with pads made from a size. Plain only.
 *
 * A task is a row of the output (its last dimension). Each output coordinate maps to an input coordinate, or to none.
 */

#include "ops/pad.h"

#include <string.h>

#include "ops/families.h"
#include "ops/gradient.h"

static gboolean
pad_parse (Node *node, GError **error)
{
  PadParams  *params = node->params;
  const char *mode = node_string (node, "mode", "constant");

  if (strcmp (mode, "constant") == 0)
    params->mode = PAD_CONSTANT;
  else if (strcmp (mode, "reflect") == 0)
    params->mode = PAD_REFLECT;
  else if (strcmp (mode, "edge") == 0)
    params->mode = PAD_EDGE;
  else if (strcmp (mode, "wrap") == 0)
    params->mode = PAD_WRAP;
  else
    return node_error (node, error, FOVEA_ERROR_UNSUPPORTED, "its mode “%s” isn't known. Export it with constant, edge, reflect or wrap.", mode);
  return TRUE;
}

static gboolean
set_shape (const Node *node, GError **error)
{
  const PadParams *params = node->params;
  FoveaShape       shape = node_input (node, 0)->shape;

  for (guint i = 0; i < shape.n_dims; i++)
    {
      if (ABS (params->begin[i]) > G_MAXINT32 || ABS (params->end[i]) > G_MAXINT32)
        return node_error (node, error, FOVEA_ERROR_SHAPE, "it adds %" G_GINT64_FORMAT " elements, which can't be. The model is damaged.", params->begin[i]);
      shape.dims[i] += params->begin[i] + params->end[i];
      if (shape.dims[i] < 0 || (params->mode != PAD_CONSTANT && node_input (node, 0)->shape.dims[i] == 0 && shape.dims[i] > 0))
        return node_error (node, error, FOVEA_ERROR_SHAPE, "nothing is left of dimension %u. Give a larger input.", i);
    }
  infer_set (node, 0, node_input (node, 0)->type, &shape);
  return TRUE;
}

static gboolean
pad_infer (const Node *node, InferContext *context, GError **error)
{
  PadParams        *params = node->params;
  const FoveaShape *in;
  gint64            pads[2 * FOVEA_MAX_DIMS], axes[FOVEA_MAX_DIMS];
  gssize            n, n_axes;
  gboolean          old = node->opset < 11;

  if (!infer_check_inputs (node, 1, old ? 1 : 4, error) || !infer_check_outputs (node, 1, error)
      || !infer_ints (node, context, 1, old ? "pads" : NULL, pads, G_N_ELEMENTS (pads), &n, error)
      || !infer_ints (node, context, 3, NULL, axes, FOVEA_MAX_DIMS, &n_axes, error))
    return FALSE;
  in = &node_input (node, 0)->shape;
  if (n != 2 * (n_axes >= 0 ? n_axes : (gssize) in->n_dims))
    return node_error (node, error, FOVEA_ERROR_MODEL, "it doesn't say the padding of both ends of each dimension. The model is damaged.");
  memset (params->begin, 0, sizeof params->begin);
  memset (params->end, 0, sizeof params->end);
  for (gssize i = 0; i < n / 2; i++)
    {
      guint axis = (guint) i;

      if (n_axes >= 0 && !infer_axis (node, axes[i], in->n_dims, &axis, error))
        return FALSE;
      params->begin[axis] = pads[i];
      params->end[axis] = pads[n / 2 + i];
    }
  if (node_input (node, 2) && (node_input (node, 2)->type != node_input (node, 0)->type || shape_count (&node_input (node, 2)->shape) != 1))
    return node_error (node, error, FOVEA_ERROR_MODEL, "its value isn't a number of its input's type. The model is damaged.");
  return set_shape (node, error);
}

gint64
pad_source (PadMode mode, gint64 at, gint64 size)
{
  if (at >= 0 && at < size)
    return at;
  switch (mode)
    {
    case PAD_EDGE:
      return CLAMP (at, 0, size - 1);
    case PAD_WRAP:
      return (at % size + size) % size;
    case PAD_REFLECT:
      {
        gint64 period = MAX (2 * (size - 1), 1);

        at = (at % period + period) % period;
        return size == 1 ? 0 : MIN (at, period - at);
      }
    default:
      return -1;
    }
}

static void
fill (guint8 *out, gsize n, const guint8 *value, gsize size)
{
  for (gsize i = 0; i < n; i++)
    memcpy (out + i * size, value, size);
}

static void
pad_row (const Step *step, gsize row, const guint8 *value)
{
  const PadParams  *params = step->node->params;
  const FoveaShape *in = &step->in[0].shape, *out = &step->out[0].shape;
  gsize             size = type_size (step->out[0].type), rest = row;
  guint             last = out->n_dims - 1;
  gint64            from = 0, stride = in->dims[last];
  guint8           *target = (guint8 *) step->out[0].data + row * (gsize) out->dims[last] * size;

  for (guint i = last; i-- > 0;)
    {
      gint64 at = pad_source (params->mode, (gint64) (rest % (gsize) out->dims[i]) - params->begin[i], in->dims[i]);

      rest /= (gsize) out->dims[i];
      if (at < 0)
        {
          fill (target, (gsize) out->dims[last], value, size);
          return;
        }
      from += at * stride;
      stride *= in->dims[i];
    }
  for (gint64 i = 0; i < out->dims[last]; i++)
    {
      gint64 at = pad_source (params->mode, i - params->begin[last], in->dims[last]);

      memcpy (target + (gsize) i * size, at < 0 ? value : (const guint8 *) step->in[0].data + (gsize) (from + at) * size, size);
    }
}

static void
pad_run (const Step *step, gsize first, gsize last, guint thread)
{
  gfloat        attribute = step->node->opset < 11 ? node_float (step->node, "value", 0) : 0;
  guint8        zero[8] = { 0 };
  const guint8 *value = step->n_inputs > 2 && step->in[2].value ? step->in[2].data : zero;

  if (step->node->opset < 11 && step->out[0].type == FOVEA_TYPE_FLOAT32)
    memcpy (zero, &attribute, sizeof attribute);
  for (gsize row = first; row < last; row++)
    pad_row (step, row, value);
}

static gboolean
pad_prepare (Step *step, GError **error)
{
  gsize count = shape_count (&step->out[0].shape), row;

  if (step->out[0].shape.n_dims == 0)
    {
      step->view = 0;
      return TRUE;
    }
  for (guint i = 1; i < step->n_inputs; i++)
    step->in[i].packed = i != 2;
  row = (gsize) step->out[0].shape.dims[step->out[0].shape.n_dims - 1];
  step_set_run (step, "pad", pad_run, count ? count / row : 0, 1 + 4096 / MAX (row, 1));
  return TRUE;
}

/* ---- CenterCropPad ------------------------------------------------------------------------------------------ */

static gboolean
center_infer (const Node *node, InferContext *context, GError **error)
{
  PadParams        *params = node->params;
  const FoveaShape *in;
  const gint64     *axes;
  gint64            sizes[FOVEA_MAX_DIMS];
  gssize            n;
  gsize             n_axes;

  if (!infer_check_inputs (node, 2, 2, error) || !infer_check_outputs (node, 1, error)
      || !infer_ints (node, context, 1, NULL, sizes, FOVEA_MAX_DIMS, &n, error))
    return FALSE;
  in = &node_input (node, 0)->shape;
  n_axes = node_ints (node, "axes", &axes);
  if (n != (node_attribute (node, "axes") ? (gssize) n_axes : (gssize) in->n_dims))
    return node_error (node, error, FOVEA_ERROR_MODEL, "it doesn't say the size of each dimension. The model is damaged.");
  memset (params->begin, 0, sizeof params->begin);
  memset (params->end, 0, sizeof params->end);
  for (gssize i = 0; i < n; i++)
    {
      guint  axis = (guint) i;
      gint64 more;

      if (n_axes && !infer_axis (node, axes[i], in->n_dims, &axis, error))
        return FALSE;
      more = CLAMP (sizes[i], -1, G_MAXINT32) - in->dims[axis];
      params->begin[axis] = more >= 0 ? more / 2 : -(-more / 2); /* the odd one goes to, or is cut from, the end */
      params->end[axis] = more - params->begin[axis];
    }
  return set_shape (node, error);
}

static gboolean
center_prepare (Step *step, GError **error)
{
  step->in[1].packed = TRUE;
  return pad_prepare (step, error);
}

/* What was added is cut off, or given back to where it came from. */
gboolean
pad_backward (Gradients *gradients, Node *node, GError **error)
{
  const PadParams *params = node->params;
  Value           *x = node_input (node, 0), *pads;
  guint            n = x->shape.n_dims;
  gint64           cut[2 * FOVEA_MAX_DIMS];

  if (params->mode != PAD_CONSTANT)
    {
      Value *dy = gradient_get (gradients, node_output (node, 0));
      Node  *gradient = gradient_begin (gradients, "fovea", "PadGradient", 1, &dy);

      node_set_ints (gradient, "shape", x->shape.dims, n);
      node_set_ints (gradient, "begin", params->begin, n);
      node_set_int (gradient, "mode", params->mode);
      return gradient_give (gradients, x, gradient_end (gradients, gradient, 1, error), error);
    }
  for (guint i = 0; i < n; i++)
    {
      cut[i] = -params->begin[i];
      cut[n + i] = -params->end[i];
    }
  pads = gradient_ints (gradients, cut, 2 * n, error);
  return gradient_give (gradients, x, gradient_of_two (gradients, "Pad", gradient_get (gradients, node_output (node, 0)), pads, error), error);
}

static const AttributeSpec center_attributes[] = { { "axes", ATTRIBUTE_INTS }, { NULL } };
static const AttributeSpec pad_attributes[] = {
  { "mode", ATTRIBUTE_STRING }, { "pads", ATTRIBUTE_INTS }, { "value", ATTRIBUTE_FLOAT }, { NULL },
};

const Operator pad_operators[] = {
  { "CenterCropPad", "", sizeof (PadParams), NULL, center_infer, NULL, center_prepare, NULL, center_attributes },
  { "Pad", "", sizeof (PadParams), pad_parse, pad_infer, NULL, pad_prepare, NULL, pad_attributes },
  { NULL },
};
