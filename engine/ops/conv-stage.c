/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * conv-stage.c: packs weights and bias for the way that conv-choose.c chose, and describes the convolution to the kernels. See conv-stage.h.
 */

#include "ops/conv-stage.h"

#include <string.h>

#include "base/memory.h"

/* Weights (in, out/group, h, w) of the convolution whose data gradient this is, as those (out, in/group, h, w) of the gradient: turned by half a turn. */
static void
turn_weights (const ConvShape *shape, const float *weights, float *out)
{
  gsize channels = (gsize) (shape->channels / shape->group), outputs = (gsize) (shape->outputs / shape->group);
  gsize taps = (gsize) (shape->window.kernel[0] * shape->window.kernel[1]);

  for (gsize k = 0; k < (gsize) shape->outputs; k++)
    for (gsize c = 0; c < channels; c++)
      {
        const float *from = weights + ((k / outputs * channels + c) * outputs + k % outputs) * taps;

        for (gsize t = taps; t > 0; t--)
          *out++ = from[t - 1];
      }
}

/* Leaves out of weights (out, in/group, h, w) the taps that conv_crop has left out, where they are. */
static void
crop_weights (const ConvShape *shape, float *weights)
{
  gsize        pairs = (gsize) (shape->outputs * (shape->channels / shape->group)), width = (gsize) shape->window.kernel[1];
  gsize        all = (gsize) (shape->all_taps[0] * shape->all_taps[1]);
  const float *from = weights + shape->first_tap[0] * shape->all_taps[1] + shape->first_tap[1];

  if (all == 0 || all == (gsize) shape->window.kernel[0] * width)
    return;
  for (gsize pair = 0; pair < pairs; pair++, from += all)
    for (gint64 y = 0; y < shape->window.kernel[0]; y++, weights += width)
      memmove (weights, from + y * shape->all_taps[1], width * sizeof (float));
}

/* Weights, float32 as the node has them, into the form that the kernels read. */
static void
fill_weights (ConvStage *stage, const float *weights)
{
  const ConvShape *shape = &stage->shape;
  gsize            outputs = (gsize) shape->outputs, channels = (gsize) (shape->channels / shape->group);
  gsize            taps = (gsize) (shape->window.kernel[0] * shape->window.kernel[1]);

  if (stage->turned)
    {
      turn_weights (shape, weights, stage->turned);
      weights = stage->turned;
    }
  switch (stage->kind)
    {
    case CONV_DEPTHWISE: pack_depthwise (weights, outputs, taps, stage->weights); break;
    case CONV_WINOGRAD:  pack_winograd (weights, outputs, channels, stage->is_turned, stage->winograd_m, stage->weights); break;
    case CONV_DIAGONAL:  pack_conv_diagonal (weights, outputs, channels, taps, stage->weights); break;
    case CONV_FIRST:     pack_conv (weights, outputs, channels, taps, 1, stage->weights); break;
    default:             pack_conv (weights, outputs, channels, taps, KERNEL_BLOCK, stage->weights); break;
    }
}

void
conv_stage_refresh (ConvStage *stage, const Step *step)
{
  const TensorView *weights = &step->in[stage->input], *bias = weights + 1;

  if (weights->value->variable)
    fill_weights (stage, weights->data);
  if (stage->bias && bias->value->variable)
    memcpy (stage->bias, bias->data, (gsize) stage->shape.outputs * sizeof (float));
}

static gboolean
pack_weights (ConvStage *stage, Step *step, GError **error)
{
  TensorView *view = &step->in[stage->input];
  gsize       outputs = (gsize) stage->shape.outputs, channels = (gsize) (stage->shape.channels / stage->shape.group);
  gsize       taps = (gsize) (stage->shape.window.kernel[0] * stage->shape.window.kernel[1]), size;
  gboolean    needs_turning = stage->is_turned && stage->kind != CONV_WINOGRAD; /* Winograd's transform turns them as it reads them */
  float      *weights;

  size = stage->kind == CONV_DEPTHWISE ? pack_depthwise_size (outputs, taps)
         : stage->kind == CONV_WINOGRAD ? pack_winograd_size (outputs, channels, stage->winograd_m)
                                        : pack_conv_size (outputs, stage->kind == CONV_DIAGONAL ? KERNEL_BLOCK : channels, taps);
  stage->weights = step_alloc (step, size, sizeof (float), error);
  if (stage->weights && needs_turning)
    stage->turned = step_alloc (step, outputs * channels * taps, sizeof (float), error);
  if (!stage->weights || (needs_turning && !stage->turned))
    return FALSE;
  if (!view->value->constant)
    return TRUE;

  weights = step_constant_floats (step, stage->input, error);
  if (!weights)
    return FALSE;
  crop_weights (&stage->shape, weights);
  fill_weights (stage, weights);
  memory_free (weights);
  view->packed = TRUE;
  return TRUE;
}

static gboolean
pack_bias (ConvStage *stage, Step *step, GError **error)
{
  TensorView *view = &step->in[stage->input + 1];
  float      *bias;

  if (stage->input + 1 >= step->n_inputs || !view->value)
    return TRUE;
  stage->bias = step_alloc (step, kernel_blocks ((gsize) stage->shape.outputs) * KERNEL_BLOCK, sizeof (float), error);
  if (!stage->bias || !view->value->constant)
    return stage->bias != NULL;

  bias = step_constant_floats (step, stage->input + 1, error);
  if (!bias)
    return FALSE;
  memcpy (stage->bias, bias, (gsize) stage->shape.outputs * sizeof (float));
  memory_free (bias);
  view->packed = TRUE;
  return TRUE;
}

/* Sizes of the kernel's own description. */
static void
describe (ConvStage *stage)
{
  const ConvShape *shape = &stage->shape;
  const Window    *window = &shape->window;
  ConvKind         kind = stage->kind;
  gsize            in_pixels = (gsize) (shape->h * shape->w), out_pixels = (gsize) (shape->out_h * shape->out_w);
  KernelConv      *conv = &stage->conv;

  stage->in_image =
      kind == CONV_FIRST ? (gsize) shape->channels * in_pixels : kernel_blocks ((gsize) shape->channels) * in_pixels * KERNEL_BLOCK;
  stage->out_image = kernel_blocks ((gsize) shape->outputs) * out_pixels * KERNEL_BLOCK;

  conv->in_channels = (gsize) (shape->channels / shape->group);
  conv->in_pixel = kind == CONV_FIRST ? 1 : KERNEL_BLOCK;
  conv->in_plane = in_pixels * (gsize) conv->in_pixel;
  conv->in_h = (int) shape->h;
  conv->in_w = (int) shape->w;
  conv->out_channels = (gsize) shape->outputs;
  conv->out_plane = out_pixels * KERNEL_BLOCK;
  conv->out_h = (int) shape->out_h;
  conv->out_w = (int) shape->out_w;
  conv->kernel_h = (int) window->kernel[0];
  conv->kernel_w = (int) window->kernel[1];
  conv->stride_h = (int) window->stride[0];
  conv->stride_w = (int) window->stride[1];
  conv->dilation_h = (int) window->dilation[0];
  conv->dilation_w = (int) window->dilation[1];
  conv->pad_top = (int) window->pad_begin[0];
  conv->pad_left = (int) window->pad_begin[1];
  if (kind == CONV_DIAGONAL)
    {
      conv->in_channels = KERNEL_BLOCK;
      conv->group_in_blocks = conv->group_out_blocks = 1;
    }
  else if (kind != CONV_DEPTHWISE && shape->group > 1)
    {
      conv->group_in_blocks = conv->in_channels / KERNEL_BLOCK;
      conv->group_out_blocks = (gsize) (shape->outputs / shape->group) / KERNEL_BLOCK;
    }
  if (kind == CONV_POINTWISE || kind == CONV_THINNED) /* one long row: no ends of rows */
    {
      conv->in_plane = conv->out_plane;
      conv->in_w = conv->out_w = (int) out_pixels;
      conv->in_h = conv->out_h = conv->stride_h = conv->stride_w = 1;
    }
}

gboolean
conv_stage_init (ConvStage *stage, Step *step, guint input, const ConvParams *params, const ConvShape *shape, ConvKind kind, GError **error)
{
  stage->kernels = kernels_get ();
  stage->kind = kind;
  stage->shape = *shape;
  stage->winograd_m = conv_winograd_m (shape);
  stage->input = input;
  stage->is_turned = params->turned;
  describe (stage);
  if (!pack_weights (stage, step, error) || !pack_bias (stage, step, error))
    return FALSE;
  stage->conv.weights = stage->weights;
  stage->conv.bias = stage->bias;
  stage->conv.activation = params->activation;
  return TRUE;
}

void
conv_stage_clear (ConvStage *stage)
{
  memory_free (stage->weights);
  memory_free (stage->bias);
  memory_free (stage->turned);
}
