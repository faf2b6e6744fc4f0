/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * conv-blocked.c: convolutions on blocked tensors: packs the weights for the way that conv-choose.c chose, cuts the work into tasks, and
 * hands them to the kernels.
 *
 * A task is (image, band of the output, group of output blocks). Bands are such that the input of one stays in the second-level cache
 * while all output blocks are computed from it; where that gives too few tasks for the threads, the output blocks are cut too. The cut
 * never changes a result: each output is one sum, in one order.
 */

#include <string.h>

#include "base/memory.h"
#include "kernels/kernels.h"
#include "ops/conv.h"

#define BAND_BYTES     (256 * 1024) /* of input that a band looks at */
#define WINOGRAD_BYTES (448 * 1024) /* of transformed input of a block of tiles … */
#define WINOGRAD_TILES 24           /* … but at least so many tiles, so that reading the weights pays */
#define TASK_MACS      1000000      /* below this a task isn't worth waking a thread for */

typedef struct
{
  const Kernels *kernels;
  KernelConv     conv;          /* of image 0, without data */
  ConvKind       kind;
  ConvShape      shape;
  float         *weights, *bias;
  float         *turned;        /* a place to turn weights in; NULL: they stay as they are */
  gsize          n_images, in_image, out_image; /* floats from image to image */
  gsize          n_units;       /* what bands are cut from: pixels, rows or Winograd tiles of an image */
  gsize          n_bands;
  gsize          n_blocks, n_groups; /* output blocks, and groups of them */
  gsize          unit_pixels;   /* output pixels of a unit */
  int            winograd_m;    /* outputs along a side of a Winograd tile */
  gsize          tiles_x, tiles_y;
} ConvState;

typedef struct
{
  KernelConv conv;
  gsize      first, last;             /* units */
  gsize      first_block, last_block;
  gsize      image, band;
} ConvTask;

static void
state_free (gpointer data)
{
  ConvState *state = data;

  memory_free (state->weights);
  memory_free (state->bias);
  memory_free (state->turned);
  g_free (state);
}

/* Groups of output blocks begin at even blocks, so that kernels can take two at a time. */
static gsize
group_first (const ConvState *state, gsize group)
{
  gsize pairs = (state->n_blocks + 1) / 2;

  return MIN (pairs * group / state->n_groups * 2, state->n_blocks);
}

static ConvTask
get_task (const Step *step, gsize task)
{
  const ConvState  *state = step->state;
  const ConvParams *params = step->node->params;
  gsize group = task % state->n_groups, band = task / state->n_groups % state->n_bands, image = task / state->n_groups / state->n_bands;
  ConvTask          result = { .conv = state->conv, .image = image, .band = band };

  result.conv.in = (const float *) step->in[0].data + image * state->in_image;
  result.conv.out = (float *) step->out[0].data + image * state->out_image;
  if (params->residual)
    result.conv.residual = (const float *) step->in[CONV_RESIDUAL_INPUT].data + image * state->out_image;
  result.first = state->n_units * band / state->n_bands;
  result.last = state->n_units * (band + 1) / state->n_bands;
  result.first_block = group_first (state, group);
  result.last_block = group_first (state, group + 1);
  return result;
}

static void
conv_run (const Step *step, gsize first, gsize last, guint thread)
{
  const ConvState *state = step->state;

  for (gsize i = first; i < last; i++)
    {
      ConvTask task = get_task (step, i);

      state->kernels->conv (&task.conv, task.first_block, task.last_block, task.first * state->unit_pixels, task.last * state->unit_pixels);
    }
}

static void
depthwise_run (const Step *step, gsize first, gsize last, guint thread)
{
  const ConvState *state = step->state;

  for (gsize i = first; i < last; i++)
    {
      ConvTask task = get_task (step, i);

      state->kernels->depthwise (&task.conv, task.first_block, task.last_block, task.first, task.last);
    }
}

/* ---- Winograd --------------------------------------------------------------------------------------------- */

/* Floats of the transformed input of n tiles, and of their products. */
static gsize
winograd_in_size (const ConvState *state, gsize n)
{
  return kernel_winograd_size (state->winograd_m) * kernel_winograd_step (kernel_blocks (state->conv.in_channels), n);
}

static gsize
winograd_products_size (const ConvState *state, gsize n)
{
  return kernel_winograd_size (state->winograd_m) * kernel_winograd_step (state->kernels->winograd_blocks, n);
}

/* The most tiles of a band. */
static gsize
winograd_band (const ConvState *state)
{
  return (state->n_units + state->n_bands - 1) / state->n_bands;
}

static KernelWinograd
winograd_of_task (const ConvState *state, const ConvTask *task)
{
  return (KernelWinograd) { .conv = task->conv, .m = state->winograd_m, .tiles_x = state->tiles_x, .tiles_y = state->tiles_y };
}

/* Enough bands for the threads: a band's input is transformed into the thread's own scratch and used while it is in the cache. */
static void
winograd_run (const Step *step, gsize first, gsize last, guint thread)
{
  const ConvState *state = step->state;
  float           *products = step_scratch (step, thread);

  for (gsize i = first; i < last; i++)
    {
      ConvTask       task = get_task (step, i);
      KernelWinograd winograd = winograd_of_task (state, &task);
      float         *in = products + winograd_products_size (state, winograd_band (state));

      state->kernels->winograd_input (&winograd, task.first, task.last, in);
      state->kernels->winograd_output (&winograd, 0, state->n_blocks, task.first, task.last, in, products);
    }
}

/* Few bands: all inputs are transformed first, shared by all threads, … */
static float *
winograd_shared (const Step *step, const ConvTask *task)
{
  const ConvState *state = step->state;

  return (float *) step->workspace + (task->image * state->n_bands + task->band) * winograd_in_size (state, winograd_band (state));
}

static void
winograd_input_run (const Step *step, gsize first, gsize last, guint thread)
{
  const ConvState *state = step->state;

  for (gsize i = first; i < last; i++)
    {
      ConvTask       task = get_task (step, i * state->n_groups);
      KernelWinograd winograd = winograd_of_task (state, &task);

      state->kernels->winograd_input (&winograd, task.first, task.last, winograd_shared (step, &task));
    }
}

/* … then each thread takes some of the output blocks. */
static void
winograd_output_run (const Step *step, gsize first, gsize last, guint thread)
{
  const ConvState *state = step->state;

  for (gsize i = first; i < last; i++)
    {
      ConvTask       task = get_task (step, i);
      KernelWinograd winograd = winograd_of_task (state, &task);

      state->kernels->winograd_output (&winograd, task.first_block, task.last_block, task.first, task.last, winograd_shared (step, &task),
                                       step_scratch (step, thread));
    }
}

static gsize
winograd_tiles (gint64 pixels, int m)
{
  return (gsize) ((pixels + m - 1) / m);
}

static gboolean
prepare_winograd (Step *step, ConvState *state, GError **error)
{
  const char *name = state->winograd_m == 2 ? "winograd 3x3, tiles of 2" : "winograd 3x3";
  gsize       wanted, size, in, products;

  state->tiles_x = winograd_tiles (state->conv.out_w, state->winograd_m);
  state->tiles_y = winograd_tiles (state->conv.out_h, state->winograd_m);
  state->n_units = state->tiles_x * state->tiles_y;
  wanted = MAX (WINOGRAD_BYTES / sizeof (float) / winograd_in_size (state, 1), WINOGRAD_TILES);
  state->n_bands = (state->n_units + wanted - 1) / wanted;
  in = winograd_in_size (state, winograd_band (state)) * sizeof (float);
  products = winograd_products_size (state, winograd_band (state)) * sizeof (float);

  if (step->n_threads == 1 || state->n_bands * state->n_images >= 4 * step->n_threads)
    {
      step_set_run (step, name, winograd_run, state->n_images * state->n_bands, 1);
      step->scratch_size = products + in;
      return TRUE;
    }

  if (!g_size_checked_mul (&size, state->n_images * state->n_bands, in) || size > G_MAXSSIZE)
    return node_error (step->node, error, FOVEA_ERROR_MEMORY, "its input is too large. Use a smaller one.");
  state->n_groups = MIN ((state->n_blocks + 1) / 2, 4 * step->n_threads);
  step_set_run (step, name, winograd_input_run, state->n_images * state->n_bands, 1);
  step->n_phases = 2;
  step->phase[1].run = winograd_output_run;
  step->phase[1].n_tasks = state->n_images * state->n_bands * state->n_groups;
  step->phase[1].grain = 1;
  step->scratch_size = products;
  step->workspace_size = size;
  return TRUE;
}

/* ---- the other ways --------------------------------------------------------------------------------------- */

static const char *
kernel_name (ConvKind kind, const ConvShape *shape)
{
  switch (kind)
    {
    case CONV_DEPTHWISE: return "depthwise";
    case CONV_FIRST:     return "first layer";
    case CONV_POINTWISE: return "pointwise";
    case CONV_DIAGONAL:  return "direct, small groups";
    default:             return shape->group > 1 ? "direct, groups" : "direct";
    }
}

/* Bands and groups of blocks for the units that are set; macs: of an image. */
static void
cut (Step *step, ConvState *state, ConvKind kind, const ConvShape *shape, gsize macs)
{
  gsize channels = kind == CONV_DEPTHWISE ? KERNEL_BLOCK : (gsize) (shape->channels / (state->conv.group_out_blocks ? shape->group : 1));
  gsize row_bytes = channels * (gsize) state->conv.in_w * sizeof (float), bytes, wanted, n_tasks;

  if (kind == CONV_POINTWISE)
    bytes = row_bytes;
  else
    bytes = row_bytes * (gsize) MIN (state->conv.in_h, state->conv.out_h * state->conv.stride_h);
  state->n_bands = CLAMP (bytes / BAND_BYTES + 1, 1, state->n_units);
  wanted = MIN (4 * step->n_threads, state->n_images * macs / TASK_MACS + 1);

  if (kind == CONV_DEPTHWISE) /* each block is a task of its own */
    {
      state->n_groups = (state->n_blocks + 1) / 2;
      n_tasks = state->n_images * state->n_bands * state->n_groups;
    }
  else
    {
      /* Rather more bands than more groups, as long as a band is big enough for the weights to be read with profit. */
      gsize least = kind == CONV_POINTWISE ? 96 : MAX (96 / (gsize) state->conv.out_w, 1);
      gsize most = MAX (state->n_units / least, 1);

      if (step->n_threads > 1 && state->n_images * state->n_bands < wanted)
        state->n_bands = CLAMP ((wanted + state->n_images - 1) / state->n_images, state->n_bands, MAX (most, state->n_bands));
      n_tasks = state->n_images * state->n_bands;
      if (step->n_threads > 1 && n_tasks < wanted)
        state->n_groups = MIN ((wanted + n_tasks - 1) / n_tasks, (state->n_blocks + 1) / 2);
      n_tasks *= state->n_groups;
    }
  step_set_run (step, kernel_name (kind, shape), kind == CONV_DEPTHWISE ? depthwise_run : conv_run, n_tasks,
                MAX (n_tasks / MAX (wanted, 1), 1));
}

/* ---- weights ---------------------------------------------------------------------------------------------- */

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
fill_weights (const Step *step, ConvState *state, const float *weights)
{
  gsize outputs = (gsize) state->shape.outputs, channels = (gsize) (state->shape.channels / state->shape.group);
  gsize taps = (gsize) (state->shape.window.kernel[0] * state->shape.window.kernel[1]);

  if (state->turned)
    {
      turn_weights (&state->shape, weights, state->turned);
      weights = state->turned;
    }
  switch (state->kind)
    {
    case CONV_DEPTHWISE: pack_depthwise (weights, outputs, taps, state->weights); break;
    case CONV_WINOGRAD:  pack_winograd (weights, outputs, channels, state->winograd_m, state->weights); break;
    case CONV_DIAGONAL:  pack_conv_diagonal (weights, outputs, channels, taps, state->weights); break;
    case CONV_FIRST:     pack_conv (weights, outputs, channels, taps, 1, state->weights); break;
    default:             pack_conv (weights, outputs, channels, taps, KERNEL_BLOCK, state->weights); break;
    }
}

static void
conv_refresh (const Step *step)
{
  ConvState *state = step->state;

  if (step->in[1].value->variable)
    fill_weights (step, state, step->in[1].data);
  if (state->bias && step->in[2].value->variable)
    memcpy (state->bias, step->in[2].data, (gsize) state->shape.outputs * sizeof (float));
}

/* Constants are packed now, variables whenever they have changed. */
static gboolean
pack (Step *step, ConvState *state, GError **error)
{
  const ConvParams *params = step->node->params;
  gsize             outputs = (gsize) state->shape.outputs, channels = (gsize) (state->shape.channels / state->shape.group);
  gsize             taps = (gsize) (state->shape.window.kernel[0] * state->shape.window.kernel[1]), size;

  size = state->kind == CONV_DEPTHWISE ? pack_depthwise_size (outputs, taps)
         : state->kind == CONV_WINOGRAD ? pack_winograd_size (outputs, channels, state->winograd_m)
                                        : pack_conv_size (outputs, state->kind == CONV_DIAGONAL ? KERNEL_BLOCK : channels, taps);
  state->weights = step_alloc (step, size, sizeof (float), error);
  if (state->weights && params->turned)
    state->turned = step_alloc (step, outputs * channels * taps, sizeof (float), error);
  if (!state->weights || (params->turned && !state->turned))
    return FALSE;
  if (step->in[1].value->constant)
    {
      float *weights = step_constant_floats (step, 1, error);

      if (!weights)
        return FALSE;
      crop_weights (&state->shape, weights);
      fill_weights (step, state, weights);
      memory_free (weights);
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
          memcpy (state->bias, bias, outputs * sizeof (float));
          step->in[2].packed = TRUE;
        }
      memory_free (bias);
    }
  if (step->in[1].value->variable || (state->bias && step->in[2].value->variable))
    step->refresh = conv_refresh;
  return TRUE;
}

/* Sizes of the kernel's own description, and what the bands are cut from. */
static void
describe (ConvState *state, ConvKind kind, const ConvShape *shape)
{
  const Window *window = &shape->window;
  gsize         in_pixels = (gsize) (shape->h * shape->w), out_pixels = (gsize) (shape->out_h * shape->out_w);
  KernelConv   *conv = &state->conv;

  state->n_images = (gsize) shape->n;
  state->n_blocks = kernel_blocks ((gsize) shape->outputs);
  state->n_groups = state->n_bands = 1;
  state->in_image =
      kind == CONV_FIRST ? (gsize) shape->channels * in_pixels : kernel_blocks ((gsize) shape->channels) * in_pixels * KERNEL_BLOCK;
  state->out_image = state->n_blocks * out_pixels * KERNEL_BLOCK;

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

  state->n_units = (gsize) shape->out_h;
  state->unit_pixels = (gsize) shape->out_w;
  if (kind == CONV_POINTWISE)
    {
      conv->in_w = conv->out_w = (int) in_pixels;
      conv->in_h = conv->out_h = 1;
      state->n_units = in_pixels;
      state->unit_pixels = 1;
    }
}

gboolean
conv_prepare_blocked (Step *step, const ConvShape *shape, ConvKind kind, GError **error)
{
  const ConvParams *params = step->node->params;
  ConvState        *state = g_new0 (ConvState, 1);
  double            macs;

  step->state = state;
  step->free_state = state_free;
  state->kernels = kernels_get ();
  describe (state, kind, shape);
  state->kind = kind;
  state->shape = *shape;
  state->winograd_m = conv_winograd_m (shape);
  if (!pack (step, state, error))
    return FALSE;
  state->conv.weights = state->weights;
  state->conv.bias = state->bias;
  state->conv.activation = params->activation;

  if (shape->n == 0)
    {
      step_set_run (step, kernel_name (kind, shape), conv_run, 0, 1);
      return TRUE;
    }
  if (kind == CONV_WINOGRAD)
    return prepare_winograd (step, state, error);
  macs = (double) shape->out_h * (double) shape->out_w * (double) shape->outputs * (double) state->conv.in_channels
         * (double) (shape->window.kernel[0] * shape->window.kernel[1]);
  cut (step, state, kind, shape, (gsize) MIN (macs, 1e15));
  return TRUE;
}
