/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * conv-transpose-blocked.c: transposed convolution on blocked tensors, as stride x stride ordinary convolutions.
 *
 * With stride s, the outputs whose place (with the padding) leaves remainder r see only taps r, r + s, r + 2 s … of the kernel, turned
 * round. So each remainder, in y and in x, is a dense convolution with a small kernel of its own, whose outputs lie s pixels apart:
 *
 *   kernel 3, stride 2:   remainder 0:  taps 2 0      remainder 1:  tap 1
 */

#include <string.h>

#include "base/memory.h"
#include "kernels/kernels.h"
#include "ops/conv.h"

#define MAX_STRIDE 8
#define BAND_MACS  4000000 /* of a task */

/* One axis of one remainder. */
typedef struct
{
  gint64 remainder, taps; /* the kernel's taps that it sees */
  gint64 first, count;    /* its outputs: first, first + stride … */
  gint64 pad;             /* of its dense convolution */
} Axis;

typedef struct
{
  KernelConv conv;        /* of image 0; in and out are set by run, out from the remainder's first output on */
  gsize      out_first;   /* floats before the first output */
  gsize      weights;     /* floats before its weights */
} Phase;

typedef struct
{
  const Kernels *kernels;
  Phase         *phases;  /* n_phases */
  gsize          n_phases, n_bands, n_blocks;
  gsize          in_image, out_image;
  ConvShape      shape;
  float         *weights, *bias;
  float         *turned;  /* a place to turn weights in */
} TransposeState;

static void
state_free (gpointer data)
{
  TransposeState *state = data;

  memory_free (state->weights);
  memory_free (state->bias);
  memory_free (state->turned);
  g_free (state->phases);
  g_free (state);
}

static Axis
get_axis (const ConvShape *shape, guint axis, gint64 remainder)
{
  gint64 stride = shape->window.stride[axis], kernel = shape->window.kernel[axis], pad = shape->window.pad_begin[axis];
  gint64 out = axis == 0 ? shape->out_h : shape->out_w, skipped;
  Axis   result = { .remainder = remainder };

  result.taps = kernel > remainder ? (kernel - remainder + stride - 1) / stride : 0;
  skipped = pad > remainder ? (pad - remainder + stride - 1) / stride : 0; /* outputs of this remainder that the padding takes away */
  result.first = remainder - pad + skipped * stride;
  result.count = result.first < out ? (out - result.first + stride - 1) / stride : 0;
  result.pad = result.taps - 1 - skipped;
  return result;
}

gboolean
conv_transpose_accepts (const ConvShape *shape)
{
  const Window *window = &shape->window;

  return conv_fits_kernels (shape) && conv_has_whole_blocks (shape) && window->dilation[0] == 1 && window->dilation[1] == 1
         && window->stride[0] <= MAX_STRIDE && window->stride[1] <= MAX_STRIDE && window->kernel[0] * window->kernel[1] <= KERNEL_MAX_TAPS;
}

/* The weights (C, K/group, h, w) that a remainder sees, as those (K, C/group, taps, taps) of its convolution. */
static void
turn_weights (const ConvShape *shape, const float *weights, const Axis *y, const Axis *x, float *out)
{
  gint64 channels = shape->channels / shape->group, outputs = shape->outputs / shape->group;
  gint64 kernel_h = shape->window.kernel[0], kernel_w = shape->window.kernel[1];

  for (gint64 k = 0; k < shape->outputs; k++)
    for (gint64 c = 0; c < channels; c++)
      for (gint64 i = y->taps - 1; i >= 0; i--)
        for (gint64 j = x->taps - 1; j >= 0; j--)
          {
            gint64 row = y->remainder + i * shape->window.stride[0], column = x->remainder + j * shape->window.stride[1];

            *out++ = weights[(((k / outputs * channels + c) * outputs + k % outputs) * kernel_h + row) * kernel_w + column];
          }
}

static void
describe (Phase *phase, const ConvShape *shape, const Axis *y, const Axis *x)
{
  KernelConv *conv = &phase->conv;

  conv->in_channels = (gsize) (shape->channels / shape->group);
  conv->in_pixel = KERNEL_BLOCK;
  conv->in_plane = (gsize) (shape->h * shape->w) * KERNEL_BLOCK;
  conv->in_h = (int) shape->h;
  conv->in_w = (int) shape->w;
  conv->out_channels = (gsize) shape->outputs;
  conv->out_plane = (gsize) (shape->out_h * shape->out_w) * KERNEL_BLOCK;
  conv->out_step = (gsize) shape->window.stride[1] * KERNEL_BLOCK;
  conv->out_row = (gsize) (shape->window.stride[0] * shape->out_w) * KERNEL_BLOCK;
  conv->out_h = (int) y->count;
  conv->out_w = (int) x->count;
  conv->kernel_h = (int) y->taps;
  conv->kernel_w = (int) x->taps;
  conv->stride_h = conv->stride_w = conv->dilation_h = conv->dilation_w = 1;
  conv->pad_top = (int) y->pad;
  conv->pad_left = (int) x->pad;
  if (shape->group > 1)
    {
      conv->group_in_blocks = conv->in_channels / KERNEL_BLOCK;
      conv->group_out_blocks = (gsize) (shape->outputs / shape->group) / KERNEL_BLOCK;
    }
  phase->out_first = (gsize) (y->first * shape->out_w + x->first) * KERNEL_BLOCK;
}

/* A task is (image, band of rows, remainder). */
static void
transpose_run (const Step *step, gsize first, gsize last, guint thread)
{
  const TransposeState *state = step->state;

  for (gsize task = first; task < last; task++)
    {
      const Phase *phase = &state->phases[task % state->n_phases];
      gsize        band = task / state->n_phases % state->n_bands, image = task / state->n_phases / state->n_bands;
      gsize        rows = (gsize) phase->conv.out_h, width = (gsize) phase->conv.out_w;
      KernelConv   conv = phase->conv;

      conv.in = (const float *) step->in[0].data + image * state->in_image;
      conv.out = (float *) step->out[0].data + image * state->out_image + phase->out_first;
      state->kernels->conv (&conv, 0, state->n_blocks, rows * band / state->n_bands * width, rows * (band + 1) / state->n_bands * width);
    }
}

/* Weights, float32 as the node has them, for all remainders side by side. */
static void
fill_weights (TransposeState *state, const float *weights)
{
  const ConvShape *shape = &state->shape;
  gsize            channels = (gsize) (shape->channels / shape->group), phase = 0;

  for (gint64 i = 0; i < shape->window.stride[0] * shape->window.stride[1]; i++)
    {
      Axis y = get_axis (shape, 0, i / shape->window.stride[1]), x = get_axis (shape, 1, i % shape->window.stride[1]);

      if (y.count == 0 || x.count == 0)
        continue;
      turn_weights (shape, weights, &y, &x, state->turned);
      pack_conv (state->turned, (gsize) shape->outputs, channels, (gsize) (y.taps * x.taps), KERNEL_BLOCK, state->weights + state->phases[phase++].weights);
    }
}

static void
transpose_refresh (const Step *step)
{
  TransposeState *state = step->state;

  if (step->in[1].value->variable)
    fill_weights (state, step->in[1].data);
  if (state->bias && step->in[2].value->variable)
    memcpy (state->bias, step->in[2].data, (gsize) state->shape.outputs * sizeof (float));
}

/* The remainders that have outputs, and where their weights begin. */
static void
describe_phases (TransposeState *state)
{
  const ConvShape *shape = &state->shape;
  gsize            used = 0;

  for (gint64 i = 0; i < shape->window.stride[0] * shape->window.stride[1]; i++)
    {
      Axis   y = get_axis (shape, 0, i / shape->window.stride[1]), x = get_axis (shape, 1, i % shape->window.stride[1]);
      Phase *phase = &state->phases[state->n_phases];

      if (y.count == 0 || x.count == 0)
        continue;
      describe (phase, shape, &y, &x);
      phase->weights = used;
      used += pack_conv_size ((gsize) shape->outputs, (gsize) (shape->channels / shape->group), (gsize) (y.taps * x.taps));
      state->n_phases++;
    }
}

/* Constants are packed now, variables whenever they have changed. */
static gboolean
pack (Step *step, TransposeState *state, GError **error)
{
  const ConvShape *shape = &state->shape;
  gsize            taps = (gsize) (shape->window.kernel[0] * shape->window.kernel[1]), channels = (gsize) (shape->channels / shape->group);

  state->turned = step->in[1].value->constant ? memory_alloc_n ((gsize) shape->outputs * channels * taps, sizeof (float), "weights", error)
                                              : step_alloc (step, (gsize) shape->outputs * channels * taps, sizeof (float), error);
  if (state->turned)
    state->weights = step_alloc (step, pack_conv_size ((gsize) shape->outputs, channels, taps), sizeof (float), error);
  if (!state->weights)
    return FALSE;
  describe_phases (state);
  if (step->in[1].value->constant)
    {
      float *weights = step_constant_floats (step, 1, error);

      if (!weights)
        return FALSE;
      fill_weights (state, weights);
      memory_free (weights);
      g_clear_pointer (&state->turned, memory_free);
      step->in[1].packed = TRUE;
    }

  if (step->n_inputs > 2 && step->in[2].value)
    {
      float *bias = NULL;

      state->bias = step_alloc (step, state->n_blocks * KERNEL_BLOCK, sizeof (float), error);
      if (!state->bias || (step->in[2].value->constant && !(bias = step_constant_floats (step, 2, error))))
        return FALSE;
      if (bias)
        {
          memcpy (state->bias, bias, (gsize) shape->outputs * sizeof (float));
          step->in[2].packed = TRUE;
        }
      memory_free (bias);
    }
  if (step->in[1].value->variable || (state->bias && step->in[2].value->variable))
    step->refresh = transpose_refresh;
  return TRUE;
}

gboolean
conv_transpose_prepare_blocked (Step *step, const ConvShape *shape, GError **error)
{
  const ConvParams *params = step->node->params;
  TransposeState   *state = g_new0 (TransposeState, 1);
  double            macs = (double) shape->h * (double) shape->w * (double) shape->outputs * (double) (shape->channels / shape->group)
                * (double) (shape->window.kernel[0] * shape->window.kernel[1]);

  step->state = state;
  step->free_state = state_free;
  state->kernels = kernels_get ();
  state->phases = g_new0 (Phase, (gsize) (shape->window.stride[0] * shape->window.stride[1]));
  state->n_blocks = kernel_blocks ((gsize) shape->outputs);
  state->in_image = kernel_blocks ((gsize) shape->channels) * (gsize) (shape->h * shape->w) * KERNEL_BLOCK;
  state->out_image = state->n_blocks * (gsize) (shape->out_h * shape->out_w) * KERNEL_BLOCK;
  state->shape = *shape;
  if (!pack (step, state, error))
    return FALSE;
  for (gsize i = 0; i < state->n_phases; i++)
    {
      state->phases[i].conv.weights = state->weights + state->phases[i].weights;
      state->phases[i].conv.bias = state->bias;
      state->phases[i].conv.activation = params->activation;
    }
  state->n_bands = (gsize) CLAMP (macs / BAND_MACS / (double) state->n_phases, 1, (double) shape->h);
  step_set_run (step, "transposed", transpose_run, (gsize) shape->n * state->n_bands * state->n_phases,
                macs < BAND_MACS / 4 ? state->n_phases * state->n_bands : 1);
  return TRUE;
}
