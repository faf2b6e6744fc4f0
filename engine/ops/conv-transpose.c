/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * conv-transpose.c: ConvTranspose in one to three dimensions: the gradient of a convolution with respect to its input. Each input pixel
 * adds the kernel, times its value, to the output.
 *
 * Computed the other way round, so that tasks don't meet: an output looks at those inputs whose kernel reaches it. With stride s only every
 * s-th tap of the kernel does; which ones depends on the output's place modulo s.
 */

#include <string.h>

#include "base/memory.h"
#include "base/tensor.h"
#include "kernels/kernels.h"
#include "kernels/reference.h"
#include "ops/conv.h"
#include "ops/gradient.h"
#include "ops/operator.h"

static gboolean
read_sizes (const Node *node, const char *name, gint64 *values, gboolean *has, GError **error)
{
  const gint64 *ints;
  gsize         n = node_ints (node, name, &ints);

  if (has)
    *has = n > 0;
  if (n > WINDOW_MAX_SPATIAL)
    return node_error (node, error, FOVEA_ERROR_UNSUPPORTED,
                       "its attribute “%s” has %" G_GSIZE_FORMAT " values; windows have one to three dimensions.", name, n);
  for (gsize i = 0; i < n; i++)
    {
      if (ints[i] < 0 || ints[i] > G_MAXINT32)
        return node_error (node, error, FOVEA_ERROR_MODEL, "its attribute “%s” has a value that is out of range.", name);
      values[i] = ints[i];
    }
  return TRUE;
}

static gboolean
conv_transpose_parse (Node *node, GError **error)
{
  ConvParams *params = node->params;

  params->group = node_int (node, "group", 1);
  if (params->group < 1)
    return node_error (node, error, FOVEA_ERROR_MODEL, "its attribute “group” must be at least 1.");
  return read_sizes (node, "output_shape", params->output_shape, &params->has_output_shape, error)
         && read_sizes (node, "output_padding", params->output_padding, NULL, error) && window_parse (node, &params->window, error);
}

/* Size and paddings along one axis, as the ONNX specification has them. */
static gboolean
transpose_output (const Node *node, Window *window, guint axis, gint64 in, gint64 *out, GError **error)
{
  const ConvParams *params = node->params;
  gint64            reach = (window->kernel[axis] - 1) * window->dilation[axis] + 1, full, total = 0;

  if (in > G_MAXINT32)
    return node_error (node, error, FOVEA_ERROR_SHAPE, "its input is too large.");
  full = window->stride[axis] * (in - 1) + params->output_padding[axis] + reach;
  if (params->has_output_shape)
    {
      *out = params->output_shape[axis];
      total = MAX (full - *out, 0);
    }
  else if (window->auto_pad == PAD_SAME_UPPER || window->auto_pad == PAD_SAME_LOWER)
    {
      *out = in * window->stride[axis];
      total = MAX (full - *out, 0);
    }
  else
    {
      if (window->auto_pad == PAD_VALID)
        window->pad_begin[axis] = window->pad_end[axis] = 0;
      *out = full - window->pad_begin[axis] - window->pad_end[axis];
    }
  if (params->has_output_shape || window->auto_pad == PAD_SAME_UPPER || window->auto_pad == PAD_SAME_LOWER)
    {
      window->pad_begin[axis] = window->auto_pad == PAD_SAME_UPPER ? total / 2 : total - total / 2;
      window->pad_end[axis] = total - window->pad_begin[axis];
    }
  if (in < 1 || *out < 1)
    return node_error (node, error, FOVEA_ERROR_SHAPE, "nothing is left of its output. Use a larger input.");
  return TRUE;
}

static gboolean
transpose_sizes (const Node *node, Window *window, FoveaShape *out, GError **error)
{
  const ConvParams *params = node->params;
  const Value      *in = node_input (node, 0), *weights = node_input (node, 1), *bias = node_input (node, 2);
  guint             n_spatial;

  if (in->shape.n_dims < 3 || in->shape.n_dims != weights->shape.n_dims)
    return node_error (node, error, FOVEA_ERROR_SHAPE,
                       "its input has %u dimensions and its weights have %u; both must have the same number, at least 3.", in->shape.n_dims,
                       weights->shape.n_dims);
  n_spatial = in->shape.n_dims - 2;
  if (weights->shape.dims[0] != in->shape.dims[1] || weights->shape.dims[0] < 1 || weights->shape.dims[1] < 1
      || weights->shape.dims[0] % params->group != 0 || weights->shape.dims[1] > G_MAXINT32 || params->group > G_MAXINT32)
    return node_error (node, error, FOVEA_ERROR_SHAPE,
                       "its weights are made for %" G_GINT64_FORMAT " channels, but its input has %" G_GINT64_FORMAT ".",
                       weights->shape.dims[0], in->shape.dims[1]);
  out->n_dims = in->shape.n_dims;
  out->dims[0] = in->shape.dims[0];
  out->dims[1] = weights->shape.dims[1] * params->group;
  if (bias && (bias->shape.n_dims != 1 || bias->shape.dims[0] != out->dims[1]))
    return node_error (node, error, FOVEA_ERROR_SHAPE, "its bias must have one value for each output channel.");
  if (!window_resolve (node, &params->window, n_spatial, weights->shape.dims + 2, window, error))
    return FALSE;
  for (guint i = 0; i < n_spatial; i++)
    if (!transpose_output (node, window, i, in->shape.dims[2 + i], &out->dims[2 + i], error))
      return FALSE;
  return TRUE;
}

static gboolean
conv_transpose_infer (const Node *node, InferContext *context, GError **error)
{
  FoveaShape shape;
  Window     window;
  FoveaType  type;

  if (!infer_check_inputs (node, 2, 3, error) || !infer_check_outputs (node, 1, error)
      || !infer_check_type (node, 0, error, FOVEA_TYPE_FLOAT32, FOVEA_TYPE_FLOAT64, FOVEA_TYPE_FLOAT16, FOVEA_TYPE_NONE))
    return FALSE;
  type = node_input (node, 0)->type;
  for (guint i = 1; i < node->inputs->len; i++)
    if (node_input (node, i) && !infer_check_type (node, i, error, type, FOVEA_TYPE_NONE))
      return FALSE;
  if (!transpose_sizes (node, &window, &shape, error))
    return FALSE;
  infer_set (node, 0, type, &shape);
  return TRUE;
}

/* The sizes of a two-dimensional float node with weights that can be packed; FALSE for others. */
static gboolean
blocked_shape (const Node *node, ConvShape *shape)
{
  const Value *in = node_input (node, 0), *weights = node_input (node, 1), *bias = node_input (node, 2);
  FoveaShape   out;

  if (in->type != FOVEA_TYPE_FLOAT32 || in->shape.n_dims != 4 || !conv_is_packable (weights, bias)
      || !transpose_sizes (node, &shape->window, &out, NULL))
    return FALSE;
  shape->n = out.dims[0];
  shape->channels = in->shape.dims[1];
  shape->h = in->shape.dims[2];
  shape->w = in->shape.dims[3];
  shape->outputs = out.dims[1];
  shape->out_h = out.dims[2];
  shape->out_w = out.dims[3];
  shape->group = ((const ConvParams *) node->params)->group;
  return TRUE;
}

static gboolean
conv_transpose_blocked (const Node *node, BlockedForm *form)
{
  ConvShape shape;

  if (!blocked_shape (node, &shape) || !conv_transpose_accepts (&shape))
    return FALSE;
  form->wish = BLOCKED_PREFERS;
  form->inputs = 1u << 0;
  form->outputs = 1u << 0;
  return TRUE;
}

/* ---- plain ------------------------------------------------------------------------------------------------ */

typedef struct
{
  gsize  channels, outputs, group; /* channels and outputs of one group */
  gint64 in[3], out[3], kernel[3], stride[3], dilation[3], pad[3];
  gsize  n_strips; /* that an output row is cut into, each a task */
} PlainTranspose;

static void
three (gint64 values[3], const gint64 *given, guint n, gint64 otherwise)
{
  for (guint i = 0; i < 3; i++)
    values[i] = i + n < 3 ? otherwise : given[i + n - 3];
}

/* The input coordinate whose tap k falls on output coordinate `out` along one axis; FALSE if there is none. */
static inline gboolean
source (const PlainTranspose *conv, guint axis, gint64 out, gint64 k, gint64 *in)
{
  gint64 place = out + conv->pad[axis] - k * conv->dilation[axis];

  *in = place / conv->stride[axis];
  return place >= 0 && place % conv->stride[axis] == 0 && *in < conv->in[axis];
}

static inline double
read_element (const void *data, gboolean is_double, gsize i)
{
  return is_double ? ((const double *) data)[i] : (double) ((const float *) data)[i];
}

/* Outputs [begin, end) of row (image, output channel, z, y), into `sums`, tap by tap, channel by channel. */
static inline void
transpose_strip (const Step *step, const PlainTranspose *conv, gsize out_row, gint64 begin, gint64 end, double *sums, gboolean is_double)
{
  gsize  rows = (gsize) (conv->out[0] * conv->out[1]), channel = out_row / rows % (conv->outputs * conv->group);
  gsize  image = out_row / rows / (conv->outputs * conv->group), group = channel / conv->outputs;
  gint64 out_z = (gint64) (out_row % rows) / conv->out[1], out_y = (gint64) (out_row % rows) % conv->out[1];

  for (gsize c = group * conv->channels; c < (group + 1) * conv->channels; c++)
    for (gint64 kz = 0; kz < conv->kernel[0]; kz++)
      for (gint64 ky = 0; ky < conv->kernel[1]; ky++)
        {
          gint64 z, y, x;
          gsize  row, weight;

          if (!source (conv, 0, out_z, kz, &z) || !source (conv, 1, out_y, ky, &y))
            continue;
          row = (((image * conv->group * conv->channels + c) * (gsize) conv->in[0] + (gsize) z) * (gsize) conv->in[1] + (gsize) y) *
                (gsize) conv->in[2];
          weight = (((c * conv->outputs + channel % conv->outputs) * (gsize) conv->kernel[0] + (gsize) kz) * (gsize) conv->kernel[1] +
                    (gsize) ky) *
                   (gsize) conv->kernel[2];
          for (gint64 kx = 0; kx < conv->kernel[2]; kx++)
            {
              double factor = read_element (step->in[1].data, is_double, weight + (gsize) kx);
              gint64 first = kx * conv->dilation[2] - conv->pad[2];

              /* From the first input that falls inside to the last. */
              x = first < begin ? (begin - first + conv->stride[2] - 1) / conv->stride[2] : 0;
              for (gint64 at = first + x * conv->stride[2]; x < conv->in[2] && at < end; x++, at += conv->stride[2])
                sums[at - begin] += factor * read_element (step->in[0].data, is_double, row + (gsize) x);
            }
        }
}

/* A task is a strip of an output row. */
static void
transpose_run (const Step *step, gsize first, gsize last, guint thread)
{
  const ConvParams     *params = step->node->params;
  const PlainTranspose *conv = step->state;
  double               *sums = step_scratch (step, thread);
  gsize                 width = (gsize) conv->out[2], rows = (gsize) (conv->out[0] * conv->out[1]);
  gboolean              is_double = step->out[0].type == FOVEA_TYPE_FLOAT64;

  for (gsize task = first; task < last; task++)
    {
      gsize  row = task / conv->n_strips, strip = task % conv->n_strips;
      gsize  begin = width * strip / conv->n_strips, end = width * (strip + 1) / conv->n_strips;
      double bias = step->n_inputs > 2 && step->in[2].value
                      ? read_element (step->in[2].data, is_double, row / rows % (conv->outputs * conv->group)) : 0.0;

      for (gsize x = begin; x < end; x++)
        sums[x - begin] = bias;
      if (is_double)
        transpose_strip (step, conv, row, (gint64) begin, (gint64) end, sums, TRUE);
      else
        transpose_strip (step, conv, row, (gint64) begin, (gint64) end, sums, FALSE);
      for (gsize x = begin; x < end; x++)
        {
          double result = activation_reference (&params->activation, sums[x - begin]);

          if (is_double)
            ((double *) step->out[0].data)[row * width + x] = result;
          else
            ((float *) step->out[0].data)[row * width + x] = (float) result;
        }
    }
}

static gboolean
conv_transpose_prepare (Step *step, GError **error)
{
  const ConvParams *params = step->node->params;
  FoveaShape        out;
  Window            window;
  PlainTranspose   *conv;

  if (step->out[0].layout == LAYOUT_BLOCKED)
    {
      ConvShape shape;
      gboolean  fits = blocked_shape (step->node, &shape);

      g_assert (fits);
      return conv_transpose_prepare_blocked (step, &shape, error);
    }

  if (!transpose_sizes (step->node, &window, &out, error))
    return FALSE;
  conv = g_new0 (PlainTranspose, 1);
  step->state = conv;
  step->free_state = g_free;
  conv->group = (gsize) params->group;
  conv->channels = (gsize) (step->in[0].shape.dims[1] / params->group);
  conv->outputs = (gsize) (out.dims[1] / params->group);
  three (conv->in, step->in[0].shape.dims + 2, window.n_spatial, 1);
  three (conv->out, out.dims + 2, window.n_spatial, 1);
  three (conv->kernel, window.kernel, window.n_spatial, 1);
  three (conv->stride, window.stride, window.n_spatial, 1);
  three (conv->dilation, window.dilation, window.n_spatial, 1);
  three (conv->pad, window.pad_begin, window.n_spatial, 0);
  step->scratch_size = (gsize) conv->out[2] * sizeof (double);
  conv->n_strips = step_pieces ((gsize) conv->out[2], conv->channels * (gsize) (conv->kernel[0] * conv->kernel[1] * conv->kernel[2]));
  step_set_run (step, "plain", transpose_run, (gsize) (out.dims[0] * out.dims[1] * conv->out[0] * conv->out[1]) * conv->n_strips, 1);
  return TRUE;
}

/* ---- backward: the node is the gradient by its input of a convolution with the same weights, so that its own is this convolution of dy ------ */

static void
set_window (Node *conv, const Window *window, gint64 group)
{
  gint64 pads[2 * WINDOW_MAX_SPATIAL];
  guint  n = window->n_spatial;

  for (guint i = 0; i < n; i++)
    {
      pads[i] = window->pad_begin[i];
      pads[n + i] = window->pad_end[i];
    }
  node_set_ints (conv, "strides", window->stride, n);
  node_set_ints (conv, "dilations", window->dilation, n);
  node_set_ints (conv, "pads", pads, 2 * n);
  node_set_int (conv, "group", group);
}

gboolean
conv_transpose_backward (Gradients *gradients, Node *node, GError **error)
{
  Value     *x = node_input (node, 0), *weights = node_input (node, 1), *bias = node_input (node, 2), *dy = gradient_get (gradients, node_output (node, 0)), *sum;
  gint64     group = ((const ConvParams *) node->params)->group;
  FoveaShape shape, channels;
  Window     window;
  Node      *gradient;

  if (!transpose_sizes (node, &window, &shape, error))
    return FALSE;
  channels = shape;
  for (guint i = 0; i < shape.n_dims; i++)
    channels.dims[i] = i == 1 ? shape.dims[i] : 1;
  for (guint i = 0; i < window.n_spatial; i++)
    if ((shape.dims[2 + i] + window.pad_begin[i] + window.pad_end[i] - (window.kernel[i] - 1) * window.dilation[i] - 1) / window.stride[i] + 1 != x->shape.dims[2 + i])
      return node_error (node, error, FOVEA_ERROR_UNSUPPORTED, "its output is larger than its input reaches, and it can't be trained through. Freeze the layers up to it.");
  if (gradient_wanted (gradients, bias))
    {
      sum = gradient_sum_to (gradients, dy, &channels, error);
      if (!gradient_give (gradients, bias, gradient_reshape (gradients, sum, &bias->shape, error), error))
        return FALSE;
    }
  if (gradient_wanted (gradients, weights))
    {
      gradient = gradient_begin (gradients, "fovea", "ConvWeightGradient", 2, (Value *[]) { dy, x });
      set_window (gradient, &window, group);
      node_set_ints (gradient, "shape", weights->shape.dims, weights->shape.n_dims);
      if (!gradient_give (gradients, weights, gradient_end (gradients, gradient, 1, error), error))
        return FALSE;
    }
  if (!gradient_wanted (gradients, x))
    return TRUE;
  gradient = gradient_begin (gradients, "", "Conv", 2, (Value *[]) { dy, weights });
  set_window (gradient, &window, group);
  return gradient_give (gradients, x, gradient_end (gradients, gradient, 1, error), error);
}

static const AttributeSpec conv_transpose_attributes[] = {
  { "kernel_shape", ATTRIBUTE_INTS }, { "strides", ATTRIBUTE_INTS }, { "dilations", ATTRIBUTE_INTS },
  { "pads", ATTRIBUTE_INTS }, { "auto_pad", ATTRIBUTE_STRING }, { "group", ATTRIBUTE_INT },
  { "output_padding", ATTRIBUTE_INTS }, { "output_shape", ATTRIBUTE_INTS }, { NULL },
};

const Operator conv_transpose_operators[] = {
  { "ConvTranspose", "", sizeof (ConvParams), conv_transpose_parse, conv_transpose_infer, conv_transpose_blocked, conv_transpose_prepare,
    NULL, conv_transpose_attributes },
  { NULL },
};
