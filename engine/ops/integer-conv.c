/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * integer-conv.c: ConvInteger and QLinearConv in one to three dimensions: exact sums of products of 8-bit integers. Plain loops. See integer.h.
 */

#include <string.h>

#include "ops/conv.h"
#include "ops/families.h"
#include "ops/integer.h"

/* Where the two operators have their inputs; -1: nowhere. */
typedef struct
{
  gint in_zero, weights, weights_zero, bias, in_scale, weights_scale, out_scale, out_zero;
} Places;

static const Places *
get_places (const Node *node)
{
  static const Places integer = { 2, 1, 3, -1, -1, -1, -1, -1 }, linear = { 2, 3, 5, 8, 1, 4, 6, 7 };

  return strcmp (node->type, "QLinearConv") == 0 ? &linear : &integer;
}

static Value *
value_at (const Node *node, gint place)
{
  return place < 0 ? NULL : node_input (node, (guint) place);
}

static gboolean
sizes (const Node *node, Window *window, FoveaShape *out, GError **error)
{
  const Places *places = get_places (node);

  return conv_check_sizes (node, node_input (node, 0), value_at (node, places->weights), value_at (node, places->bias), window, out, error);
}

/* A scale or zero point is one value, or, where n > 1, one for each of n. */
static gboolean
check_count (const Node *node, gint place, gint64 n, GError **error)
{
  const Value *value = value_at (node, place);

  return !value || shape_is_single (&value->shape) || (value->shape.n_dims == 1 && value->shape.dims[0] == n)
         || node_error (node, error, FOVEA_ERROR_SHAPE, "its input %d must be one value or one for each output channel.", place);
}

static gboolean
check_types (const Node *node, GError **error)
{
  const Places *places = get_places (node);
  const gint    bytes[] = { 0, places->weights, places->in_zero, places->weights_zero, places->out_zero };
  const gint    scales[] = { places->in_scale, places->weights_scale, places->out_scale };

  for (gsize i = 0; i < G_N_ELEMENTS (bytes); i++)
    if (value_at (node, bytes[i]) && !infer_check_type (node, (guint) bytes[i], error, FOVEA_TYPE_UINT8, FOVEA_TYPE_INT8, FOVEA_TYPE_NONE))
      return FALSE;
  for (gsize i = 0; i < G_N_ELEMENTS (scales); i++)
    if (value_at (node, scales[i]) && !infer_check_type (node, (guint) scales[i], error, FOVEA_TYPE_FLOAT32, FOVEA_TYPE_NONE))
      return FALSE;
  return !value_at (node, places->bias) || infer_check_type (node, (guint) places->bias, error, FOVEA_TYPE_INT32, FOVEA_TYPE_NONE);
}

static gboolean
integer_conv_infer (const Node *node, InferContext *context, GError **error)
{
  const Places *places = get_places (node);
  gboolean      linear = places->out_scale >= 0;
  FoveaShape    out;
  Window        window;

  if (!infer_check_inputs (node, linear ? 8 : 2, linear ? 9 : 4, error) || !infer_check_outputs (node, 1, error) || !check_types (node, error)
      || !sizes (node, &window, &out, error) || !check_count (node, places->in_zero, 1, error) || !check_count (node, places->in_scale, 1, error)
      || !check_count (node, places->out_scale, 1, error) || !check_count (node, places->out_zero, 1, error)
      || !check_count (node, places->weights_zero, out.dims[1], error) || !check_count (node, places->weights_scale, out.dims[1], error))
    return FALSE;
  infer_set (node, 0, linear ? value_at (node, places->out_zero)->type : FOVEA_TYPE_INT32, &out);
  return TRUE;
}

/* The sum of one output, modulo 2^32 as ONNX Runtime has it. */
static gint32
sum_window (const Step *step, const ConvLoops *conv, gsize image, gsize channel, const gint64 at[3])
{
  const Places     *places = get_places (step->node);
  const TensorView *in = &step->in[0], *weights = &step->in[places->weights];
  gint32            in_zero = integer_zero (step, (guint) places->in_zero, 0);
  gint32            weights_zero = integer_zero (step, (guint) places->weights_zero, channel);
  guint32           sum = 0;

  for (gsize c = 0; c < conv->channels; c++)
    for (gint64 kz = 0; kz < conv->kernel[0]; kz++)
      for (gint64 ky = 0; ky < conv->kernel[1]; ky++)
        {
          gint64 z = at[0] * conv->stride[0] - conv->pad[0] + kz * conv->dilation[0];
          gint64 y = at[1] * conv->stride[1] - conv->pad[1] + ky * conv->dilation[1];
          gsize  in_channel = (image * conv->group + channel / conv->outputs) * conv->channels + c;
          gsize  row = ((in_channel * (gsize) conv->in[0] + (gsize) z) * (gsize) conv->in[1] + (gsize) y) * (gsize) conv->in[2];
          gsize  taps = (((channel * conv->channels + c) * (gsize) conv->kernel[0] + (gsize) kz) * (gsize) conv->kernel[1] + (gsize) ky)
                       * (gsize) conv->kernel[2];

          if (z < 0 || z >= conv->in[0] || y < 0 || y >= conv->in[1])
            continue;
          for (gint64 kx = 0; kx < conv->kernel[2]; kx++)
            {
              gint64 x = at[2] * conv->stride[2] - conv->pad[2] + kx * conv->dilation[2];

              if (x >= 0 && x < conv->in[2])
                sum += (guint32) ((integer_element (in, row + (gsize) x) - in_zero) * (integer_element (weights, taps + (gsize) kx) - weights_zero));
            }
        }
  return (gint32) sum;
}

/* One task: an output row, (image, output channel, z, y). */
static void
integer_conv_run (const Step *step, gsize first, gsize last, guint thread)
{
  const ConvLoops *conv = step->state;
  const Places    *places = get_places (step->node);
  gsize            n_channels = conv->outputs * conv->group, rows = (gsize) (conv->out[0] * conv->out[1]);

  for (gsize task = first; task < last; task++)
    {
      gsize     channel = task / rows % n_channels, image = task / rows / n_channels;
      gboolean  linear = places->out_scale >= 0;
      Quantizer quantizer = quantizer_make (step->out[0].type, linear ? integer_zero (step, (guint) places->out_zero, 0) : 0);
      float     scale = linear ? integer_scale (step, (guint) places->in_scale, 0) * integer_scale (step, (guint) places->weights_scale, channel)
                                 / integer_scale (step, (guint) places->out_scale, 0)
                           : 1;

      for (gint64 x = 0; x < conv->out[2]; x++)
        {
          const gint64 at[3] = { (gint64) (task % rows) / conv->out[1], (gint64) (task % rows) % conv->out[1], x };
          gsize        i = task * (gsize) conv->out[2] + (gsize) x;
          guint32      sum = (guint32) sum_window (step, conv, image, channel, at);

          if (value_at (step->node, places->bias))
            sum += (guint32) ((const gint32 *) step->in[places->bias].data)[channel];
          if (linear)
            quantizer_write (&quantizer, (float) (gint32) sum * scale, step->out[0].data, i);
          else
            ((gint32 *) step->out[0].data)[i] = (gint32) sum;
        }
    }
}

static gboolean
integer_conv_prepare (Step *step, GError **error)
{
  const ConvParams *params = step->node->params;
  ConvLoops        *conv = g_new0 (ConvLoops, 1);
  FoveaShape        out;
  Window            window;

  step->state = conv;
  step->free_state = g_free;
  if (!sizes (step->node, &window, &out, error))
    return FALSE;
  conv_loops_init (conv, params->group, &step->in[0].shape, &out, &window);
  step_set_run (step, "plain", integer_conv_run, (gsize) (out.dims[0] * out.dims[1] * conv->out[0] * conv->out[1]), 1);
  return TRUE;
}

const Operator integer_conv_operators[] = {
  { "ConvInteger", "", sizeof (ConvParams), conv_parse, integer_conv_infer, NULL, integer_conv_prepare, NULL, conv_attributes },
  { "QLinearConv", "", sizeof (ConvParams), conv_parse, integer_conv_infer, NULL, integer_conv_prepare, NULL, conv_attributes },
  { NULL },
};
