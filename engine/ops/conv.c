/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * conv.c: Conv in one to three dimensions. Here its attributes and shapes, and the plain form: loops that take whatever comes (double
 * precision, weights that aren't constant, three dimensions, odd groups), summing in double: the meaning. The fast forms are in
 * conv-blocked.c.
 */

#include "ops/conv.h"

#include <string.h>

#include "base/tensor.h"
#include "kernels/reference.h"
#include "ops/operator.h"

gboolean
conv_parse (Node *node, GError **error)
{
  ConvParams *params = node->params;

  params->group = node_int (node, "group", 1);
  if (params->group < 1)
    return node_error (node, error, FOVEA_ERROR_MODEL, "its attribute “group” must be at least 1.");
  return window_parse (node, &params->window, error);
}

gboolean
conv_check_sizes (const Node *node, const Value *in, const Value *weights, const Value *bias, Window *window, FoveaShape *out, GError **error)
{
  const ConvParams *params = node->params;
  guint             n_spatial;

  if (in->shape.n_dims < 3 || in->shape.n_dims != weights->shape.n_dims)
    return node_error (node, error, FOVEA_ERROR_SHAPE,
                       "its input has %u dimensions and its weights have %u; both must have the same number, at least 3.", in->shape.n_dims,
                       weights->shape.n_dims);
  n_spatial = in->shape.n_dims - 2;
  if (weights->shape.dims[0] % params->group != 0 || in->shape.dims[1] % params->group != 0
      || weights->shape.dims[1] != in->shape.dims[1] / params->group || weights->shape.dims[1] < 1 || weights->shape.dims[0] < 1)
    return node_error (node, error, FOVEA_ERROR_SHAPE,
                       "its weights are made for %" G_GINT64_FORMAT " channels in %" G_GINT64_FORMAT
                       " groups, but its input has %" G_GINT64_FORMAT ".",
                       weights->shape.dims[1], params->group, in->shape.dims[1]);
  if (bias && (bias->shape.n_dims != 1 || bias->shape.dims[0] != weights->shape.dims[0]))
    return node_error (node, error, FOVEA_ERROR_SHAPE, "its bias must have one value for each output channel.");
  if (!window_resolve (node, &params->window, n_spatial, weights->shape.dims + 2, window, error))
    return FALSE;

  out->n_dims = in->shape.n_dims;
  out->dims[0] = in->shape.dims[0];
  out->dims[1] = weights->shape.dims[0];
  for (guint i = 0; i < n_spatial; i++)
    if (!window_output (node, window, i, in->shape.dims[2 + i], &out->dims[2 + i], error))
      return FALSE;
  return TRUE;
}

static gboolean
conv_sizes (const Node *node, Window *window, FoveaShape *out, GError **error)
{
  return conv_check_sizes (node, node_input (node, 0), node_input (node, 1), node_input (node, 2), window, out, error);
}

static gboolean
conv_infer (const Node *node, InferContext *context, GError **error)
{
  const ConvParams *params = node->params;
  FoveaShape        shape;
  Window            window;
  FoveaType         type;

  if (!infer_check_inputs (node, 2, params->residual ? 4 : 3, error) || !infer_check_outputs (node, 1, error)
      || !infer_check_type (node, 0, error, FOVEA_TYPE_FLOAT32, FOVEA_TYPE_FLOAT64, FOVEA_TYPE_FLOAT16, FOVEA_TYPE_NONE))
    return FALSE;
  type = node_input (node, 0)->type;
  for (guint i = 1; i < node->inputs->len; i++)
    if (node_input (node, i) && !infer_check_type (node, i, error, type, FOVEA_TYPE_NONE))
      return FALSE;
  if (!conv_sizes (node, &window, &shape, error))
    return FALSE;
  if (params->residual && !shape_equal (&node_input (node, CONV_RESIDUAL_INPUT)->shape, &shape))
    return node_error (node, error, FOVEA_ERROR_SHAPE, "what is added to its output must have the output's shape.");
  infer_set (node, 0, type, &shape);
  return TRUE;
}

gboolean
conv_is_packable (const Value *weights, const Value *bias)
{
  return (weights->constant || weights->variable) && (!bias || bias->constant || bias->variable);
}

gboolean
conv_blocked_shape (const Node *node, ConvShape *shape)
{
  const ConvParams *params = node->params;
  const Value      *in = node_input (node, 0), *weights = node_input (node, 1), *bias = node_input (node, 2);
  FoveaShape        out;

  memset (shape, 0, sizeof *shape);
  if (in->type != FOVEA_TYPE_FLOAT32 || in->shape.n_dims != 4 || !conv_is_packable (weights, bias)
      || !conv_sizes (node, &shape->window, &out, NULL))
    return FALSE;
  shape->n = out.dims[0];
  shape->channels = in->shape.dims[1];
  shape->h = in->shape.dims[2];
  shape->w = in->shape.dims[3];
  shape->outputs = out.dims[1];
  shape->out_h = out.dims[2];
  shape->out_w = out.dims[3];
  shape->group = params->group;
  if (weights->constant && !params->turned)
    conv_crop (shape);
  return TRUE;
}

static gboolean
conv_blocked (const Node *node, BlockedForm *form)
{
  ConvShape shape;
  ConvKind  kind;

  if (!conv_blocked_shape (node, &shape))
    return FALSE;
  kind = conv_choose (&shape);
  if (kind == CONV_PLAIN)
    return FALSE;
  form->wish = BLOCKED_PREFERS;
  form->inputs = (kind == CONV_FIRST ? 0 : 1u << 0)
                 | (((const ConvParams *) node->params)->residual ? 1u << CONV_RESIDUAL_INPUT : 0);
  form->outputs = 1u << 0;
  return TRUE;
}

/* ---- the plain form --------------------------------------------------------------------------------------- */

static void
read_three (gint64 three[3], const gint64 *values, guint n, gint64 otherwise)
{
  for (guint i = 0; i < 3; i++)
    three[i] = i + n < 3 ? otherwise : values[i + n - 3];
}

void
conv_loops_init (ConvLoops *conv, gint64 group, const FoveaShape *in, const FoveaShape *out, const Window *window)
{
  guint n_spatial = window->n_spatial;

  conv->group = (gsize) group;
  conv->channels = (gsize) (in->dims[1] / group);
  conv->outputs = (gsize) (out->dims[1] / group);
  read_three (conv->in, in->dims + 2, n_spatial, 1);
  read_three (conv->out, out->dims + 2, n_spatial, 1);
  read_three (conv->kernel, window->kernel, n_spatial, 1);
  read_three (conv->stride, window->stride, n_spatial, 1);
  read_three (conv->dilation, window->dilation, n_spatial, 1);
  read_three (conv->pad, window->pad_begin, n_spatial, 0);
  conv->n_strips = step_pieces ((gsize) conv->out[2], conv->channels * (gsize) (conv->kernel[0] * conv->kernel[1] * conv->kernel[2]));
}

static inline double
plain_element (const void *data, gboolean is_double, gsize i)
{
  return is_double ? ((const double *) data)[i] : (double) ((const float *) data)[i];
}

/* The sum of one output over one row of the kernel. */
static inline double
plain_row (const ConvLoops *conv, const void *in, gsize in_row, const void *weights, gsize weights_row, gint64 x, gboolean is_double)
{
  gint64 start = x * conv->stride[2] - conv->pad[2];
  double sum = 0.0;

  for (gint64 kx = 0; kx < conv->kernel[2]; kx++)
    {
      gint64 in_x = start + kx * conv->dilation[2];

      if (in_x >= 0 && in_x < conv->in[2])
        sum += plain_element (in, is_double, in_row + (gsize) in_x) * plain_element (weights, is_double, weights_row + (gsize) kx);
    }
  return sum;
}

static inline double
plain_sum (const ConvLoops *conv, const void *in, gsize in_first, const void *weights, gsize weights_first, const gint64 at[3],
           gboolean is_double)
{
  double sum = 0.0;

  for (gsize c = 0; c < conv->channels; c++)
    for (gint64 kz = 0; kz < conv->kernel[0]; kz++)
      for (gint64 ky = 0; ky < conv->kernel[1]; ky++)
        {
          gint64 z = at[0] * conv->stride[0] - conv->pad[0] + kz * conv->dilation[0];
          gint64 y = at[1] * conv->stride[1] - conv->pad[1] + ky * conv->dilation[1];

          if (z >= 0 && z < conv->in[0] && y >= 0 && y < conv->in[1])
            sum +=
                plain_row (conv, in,
                           in_first + (((c * (gsize) conv->in[0]) + (gsize) z) * (gsize) conv->in[1] + (gsize) y) * (gsize) conv->in[2],
                           weights,
                           weights_first + (gsize) (((gint64) c * conv->kernel[0] + kz) * conv->kernel[1] + ky) * (gsize) conv->kernel[2],
                           at[2], is_double);
        }
  return sum;
}

/* One task: a strip of an output row, (image, output channel, z, y, strip). */
static inline void
plain_task (const Step *step, const ConvLoops *conv, gsize task, gboolean is_double)
{
  const ConvParams *params = step->node->params;
  gsize             row = task / conv->n_strips, strip = task % conv->n_strips, width = (gsize) conv->out[2];
  gsize             y = row % (gsize) conv->out[1], z = row / (gsize) conv->out[1] % (gsize) conv->out[0];
  gsize             channel = row / (gsize) (conv->out[0] * conv->out[1]) % (conv->outputs * conv->group);
  gsize             image = row / (gsize) (conv->out[0] * conv->out[1]) / (conv->outputs * conv->group);
  gsize in_first = (image * conv->group + channel / conv->outputs) * conv->channels * (gsize) (conv->in[0] * conv->in[1] * conv->in[2]);
  gsize             weights_first = channel * conv->channels * (gsize) (conv->kernel[0] * conv->kernel[1] * conv->kernel[2]);

  for (gsize x = width * strip / conv->n_strips; x < width * (strip + 1) / conv->n_strips; x++)
    {
      const gint64 at[3] = { (gint64) z, (gint64) y, (gint64) x };
      gsize        i = row * width + x;
      double       sum = plain_sum (conv, step->in[0].data, in_first, step->in[1].data, weights_first, at, is_double);

      if (step->n_inputs > 2 && step->in[2].value)
        sum += plain_element (step->in[2].data, is_double, channel);
      if (params->residual)
        sum += plain_element (step->in[CONV_RESIDUAL_INPUT].data, is_double, i);
      sum = activation_reference (&params->activation, sum);
      if (is_double)
        ((double *) step->out[0].data)[i] = sum;
      else
        ((float *) step->out[0].data)[i] = (float) sum;
    }
}

static void
plain_run (const Step *step, gsize first, gsize last, guint thread)
{
  for (gsize task = first; task < last; task++)
    if (step->out[0].type == FOVEA_TYPE_FLOAT64)
      plain_task (step, step->state, task, TRUE);
    else
      plain_task (step, step->state, task, FALSE);
}

static gboolean
conv_prepare (Step *step, GError **error)
{
  const ConvParams *params = step->node->params;
  FoveaShape        out;
  Window            window;
  ConvLoops        *conv;

  if (step->out[0].layout == LAYOUT_BLOCKED)
    {
      ConvShape shape;
      gboolean  fits = conv_blocked_shape (step->node, &shape);

      g_assert (fits);
      return conv_prepare_blocked (step, &shape, conv_choose (&shape), error);
    }

  if (!conv_sizes (step->node, &window, &out, error))
    return FALSE;
  conv = g_new0 (ConvLoops, 1);
  step->state = conv;
  step->free_state = g_free;
  conv_loops_init (conv, params->group, &step->in[0].shape, &out, &window);
  step_set_run (step, "plain", plain_run, (gsize) (out.dims[0] * out.dims[1] * conv->out[0] * conv->out[1]) * conv->n_strips, 1);
  return TRUE;
}

const AttributeSpec conv_attributes[] = {
  { "kernel_shape", ATTRIBUTE_INTS }, { "strides", ATTRIBUTE_INTS }, { "dilations", ATTRIBUTE_INTS },
  { "pads", ATTRIBUTE_INTS }, { "auto_pad", ATTRIBUTE_STRING }, { "group", ATTRIBUTE_INT }, { NULL },
};

const Operator conv_operators[] = {
  { "Conv", "", sizeof (ConvParams), conv_parse, conv_infer, conv_blocked, conv_prepare, NULL, conv_attributes },
  { NULL },
};
