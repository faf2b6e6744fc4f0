/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * conv-blocked.c: convolutions on blocked tensors: cuts the work into tasks, and hands them to the kernels.
 *
 * A task is (image, band of the output, group of output blocks). Bands are such that the input of one stays in the second-level cache
 * while all output blocks are computed from it; where that gives too few tasks for the threads, the output blocks are cut too. The cut
 * never changes a result: each output is one sum, in one order.
 */

#include <string.h>

#include "ops/conv-stage.h"

#define BAND_BYTES     (256 * 1024) /* of input that a band looks at */
#define WINOGRAD_BYTES (448 * 1024) /* of transformed input of a block of tiles … */
#define WINOGRAD_TILES 24           /* … but at least so many tiles, so that reading the weights pays … */
#define WINOGRAD_WEIGHTS (256 * 1024) /* … and no more of them for more threads where the weights, which each reads anew, take more than that */
#define TASK_MACS      500000       /* below this a task isn't worth waking a thread for … */
#define DEPTHWISE_WORK 4            /* … and how many times as long a multiply-add of a depthwise one takes */

typedef struct
{
  ConvStage      stage;
  gsize          n_images;
  gsize          n_units;       /* what bands are cut from: pixels, rows or Winograd tiles of an image */
  gsize          n_bands;
  gsize          n_blocks, n_groups; /* output blocks, and groups of them */
  gsize          unit_pixels;   /* output pixels of a unit */
  gsize          tiles_x, tiles_y;
  gsize          n_parts;       /* of the input blocks of a band, transformed by themselves */
  gboolean       is_summed;     /* into output 1, band by band: these depend on shapes only then */
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

  conv_stage_clear (&state->stage);
  g_free (state);
}

static const InputNorm *
conv_norm (const Step *step)
{
  return &((const ConvParams *) step->node->params)->norm;
}

/* Groups of output blocks begin at even blocks, so that kernels can take two at a time. */
static gsize
group_first (const ConvState *state, gsize group)
{
  gsize pairs = (state->n_blocks + 1) / 2;

  return MIN (pairs * group / state->n_groups * 2, state->n_blocks);
}

/* Where a thinned block of an image lies. */
static float *
thinned_block (const Step *step, gsize image, gsize block)
{
  const ConvState *state = step->state;

  return (float *) step->workspace + (image * kernel_blocks ((gsize) state->stage.shape.channels) + block) * state->stage.conv.in_plane;
}

static ConvTask
get_task (const Step *step, gsize task)
{
  const ConvState  *state = step->state;
  const ConvParams *params = step->node->params;
  gsize group = task % state->n_groups, band = task / state->n_groups % state->n_bands, image = task / state->n_groups / state->n_bands;
  ConvTask          result = { .conv = state->stage.conv, .image = image, .band = band };

  if (state->stage.kind == CONV_THINNED)
    result.conv.in = thinned_block (step, image, 0);
  else
    result.conv.in = (const float *) step->in[0].data + image * state->stage.in_image;
  result.conv.out = (float *) step->out[0].data + image * state->stage.out_image;
  if (params->residual)
    result.conv.residual = (const float *) step->in[CONV_RESIDUAL_INPUT].data + image * state->stage.out_image;
  result.first = state->n_units * band / state->n_bands;
  result.last = state->n_units * (band + 1) / state->n_bands;
  result.first_block = group_first (state, group);
  result.last_block = group_first (state, group + 1);
  return result;
}

/* Sums what the task has written, which is in the cache. */
static void
sum_output (const Step *step, const ConvTask *task)
{
  const ConvState  *state = step->state;
  const InputNorm  *norm = &((const ConvParams *) step->node->params)->summed;
  const TensorView *numbers = &step->in[norm->input];
  gsize             first = task->first * state->unit_pixels * KERNEL_BLOCK, n = (task->last - task->first) * state->unit_pixels;
  NormSums         *sums = (NormSums *) step->out[1].data + (task->image * state->n_bands + task->band) * state->n_blocks;

  for (gsize block = task->first_block; block < task->last_block; block++)
    {
      const float *out = task->conv.out + block * task->conv.out_plane + first;
      NormBlock    filled;
      KernelNorm   kernel;

      if (!norm->input)
        {
          norm_sums_set (state->stage.kernels, out, n, sums[block]);
          continue;
        }
      kernel = norm_block_fill (&numbers[0], &numbers[1], &numbers[2], &numbers[3], block, &norm->activation, &filled);
      norm_gradient_sums_set (state->stage.kernels, &kernel, (const float *) numbers[-1].data + (out - (const float *) step->out[0].data), out, n,
                              sums[block]);
    }
}

/* Has the pixels of a pointwise task normalized, and makes an image of their own of them. */
static void
normalize_pixels (const Step *step, ConvTask *task, float *scratch)
{
  const ConvState *state = step->state;
  KernelConv      *conv = &task->conv;
  gsize            n = task->last - task->first, skipped = task->first * KERNEL_BLOCK;

  for (gsize block = 0; block < kernel_blocks (conv->in_channels); block++)
    input_norm_apply (conv_norm (step), state->stage.kernels, step, block, conv->in + block * conv->in_plane + skipped,
                      scratch + block * n * KERNEL_BLOCK, n);
  conv->in = scratch;
  conv->in_plane = n * KERNEL_BLOCK;
  conv->in_w = conv->out_w = (int) n;
  conv->out += skipped;
  if (conv->residual)
    conv->residual += skipped;
  task->first = 0;
  task->last = n;
}

static void
conv_run (const Step *step, gsize first, gsize last, guint thread)
{
  const ConvState *state = step->state;

  for (gsize i = first; i < last; i++)
    {
      ConvTask task = get_task (step, i);

      if (conv_norm (step)->input)
        normalize_pixels (step, &task, step_scratch (step, thread));
      state->stage.kernels->conv (&task.conv, task.first_block, task.last_block, task.first * state->unit_pixels, task.last * state->unit_pixels);
      if (state->is_summed)
        sum_output (step, &task);
    }
}

/* The pixels that a pointwise convolution with a stride looks at, side by side. A task is a block of channels of an image. */
static void
thin_run (const Step *step, gsize first, gsize last, guint thread)
{
  const ConvState *state = step->state;
  const ConvShape *shape = &state->stage.shape;
  gsize            n_blocks = kernel_blocks ((gsize) shape->channels);

  for (gsize i = first; i < last; i++)
    {
      const float *in = (const float *) step->in[0].data + i * (gsize) (shape->h * shape->w) * KERNEL_BLOCK;
      float       *out = thinned_block (step, i / n_blocks, i % n_blocks);

      for (gint64 y = 0; y < shape->out_h; y++)
        for (gint64 x = 0; x < shape->out_w; x++, out += KERNEL_BLOCK)
          memcpy (out, in + (y * shape->window.stride[0] * shape->w + x * shape->window.stride[1]) * KERNEL_BLOCK, KERNEL_BLOCK * sizeof (float));
    }
}

/* One block after the other from the rows that the task looks at, normalized. */
static void
run_normalized (const Step *step, const ConvTask *task, float *scratch)
{
  const ConvState *state = step->state;
  const ConvShape *shape = &state->stage.shape;
  gsize            row = (gsize) shape->w * KERNEL_BLOCK, begin, end;
  KernelConv       conv = task->conv;

  window_seen (&shape->window, 0, shape->h, task->first, task->last, &begin, &end);
  conv.in = scratch;
  conv.in_plane = 0;
  conv.in_h = (int) (end - begin);
  conv.pad_top += (int) begin;
  for (gsize block = task->first_block; block < task->last_block; block++)
    {
      input_norm_apply (conv_norm (step), state->stage.kernels, step, block, task->conv.in + block * task->conv.in_plane + begin * row, scratch,
                        (end - begin) * (gsize) shape->w);
      state->stage.kernels->depthwise (&conv, block, block + 1, task->first, task->last);
    }
}

static void
depthwise_run (const Step *step, gsize first, gsize last, guint thread)
{
  const ConvState *state = step->state;

  for (gsize i = first; i < last; i++)
    {
      ConvTask task = get_task (step, i);

      if (conv_norm (step)->input)
        run_normalized (step, &task, step_scratch (step, thread));
      else
        state->stage.kernels->depthwise (&task.conv, task.first_block, task.last_block, task.first, task.last);
      if (state->is_summed)
        sum_output (step, &task);
    }
}

/* ---- Winograd --------------------------------------------------------------------------------------------- */

/* Floats of the transformed input of n tiles, and of their products. */
static gsize
winograd_in_size (const ConvState *state, gsize n)
{
  return kernel_winograd_size (state->stage.winograd_m) * kernel_winograd_step (kernel_blocks (state->stage.conv.in_channels), n);
}

static gsize
winograd_products_size (const ConvState *state, gsize n)
{
  return kernel_winograd_size (state->stage.winograd_m) * kernel_winograd_step (state->stage.kernels->winograd_blocks, n);
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
  return (KernelWinograd) { .conv = task->conv, .m = state->stage.winograd_m, .tiles_x = state->tiles_x, .tiles_y = state->tiles_y };
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

      state->stage.kernels->winograd_input (&winograd, 0, kernel_blocks (task.conv.in_channels), task.first, task.last, in);
      state->stage.kernels->winograd_output (&winograd, 0, state->n_blocks, task.first, task.last, in, products);
    }
}

/* Few bands: all inputs are transformed first, some blocks a task, shared by all threads, … */
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
      ConvTask       task = get_task (step, i / state->n_parts * state->n_groups);
      KernelWinograd winograd = winograd_of_task (state, &task);
      gsize          part = i % state->n_parts, blocks = kernel_blocks (task.conv.in_channels);

      state->stage.kernels->winograd_input (&winograd, blocks * part / state->n_parts, blocks * (part + 1) / state->n_parts, task.first, task.last,
                                            winograd_shared (step, &task));
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

      state->stage.kernels->winograd_output (&winograd, task.first_block, task.last_block, task.first, task.last, winograd_shared (step, &task),
                                       step_scratch (step, thread));
    }
}

static gsize
winograd_weight_bytes (const ConvState *state)
{
  return pack_winograd_size (state->stage.conv.out_channels, state->stage.conv.in_channels, state->stage.winograd_m) * sizeof (float);
}

static gsize
winograd_tiles (gint64 pixels, int m)
{
  return (gsize) ((pixels + m - 1) / m);
}

static gboolean
prepare_winograd (Step *step, ConvState *state, GError **error)
{
  const char *name = state->stage.winograd_m == 2 ? "winograd 3x3, tiles of 2" : "winograd 3x3";
  gsize       wanted, size, in, products;

  state->tiles_x = winograd_tiles (state->stage.conv.out_w, state->stage.winograd_m);
  state->tiles_y = winograd_tiles (state->stage.conv.out_h, state->stage.winograd_m);
  state->n_units = state->tiles_x * state->tiles_y;
  wanted = MAX (WINOGRAD_BYTES / sizeof (float) / winograd_in_size (state, 1), WINOGRAD_TILES);
  state->n_bands = (state->n_units + wanted - 1) / wanted;
  if (step->n_threads > 1 && winograd_weight_bytes (state) <= WINOGRAD_WEIGHTS)
    state->n_bands = MAX (state->n_bands, MIN (4 * step->n_threads, state->n_units / WINOGRAD_TILES));
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
  state->n_parts = MIN (kernel_blocks (state->stage.conv.in_channels), 4 * step->n_threads);
  step_set_run (step, name, winograd_input_run, state->n_images * state->n_bands * state->n_parts, 1);
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
    case CONV_THINNED:   return "pointwise, thinned";
    case CONV_DIAGONAL:  return "direct, small groups";
    default:             return shape->group > 1 ? "direct, groups" : "direct";
    }
}

/* Puts the thinning before what is there. */
static gboolean
prepare_thinned (Step *step, ConvState *state, GError **error)
{
  gsize n = state->n_images * kernel_blocks ((gsize) state->stage.shape.channels), size;

  if (!g_size_checked_mul (&size, n, state->stage.conv.in_plane * sizeof (float)) || size > G_MAXSSIZE)
    return node_error (step->node, error, FOVEA_ERROR_MEMORY, "its input is too large. Use a smaller one.");
  step->phase[1] = step->phase[0];
  step->phase[0].run = thin_run;
  step->phase[0].n_tasks = n;
  step->phase[0].grain = MAX (n / (4 * step->n_threads), 1);
  step->n_phases = 2;
  step->workspace_size = size;
  return TRUE;
}

/* Whether its units are pixels. */
static gboolean
is_pointwise (ConvKind kind)
{
  return kind == CONV_POINTWISE || kind == CONV_THINNED;
}

/* What bands are cut from: pixels or rows of an image. */
static gsize
count_units (const ConvShape *shape, ConvKind kind)
{
  return (gsize) shape->out_h * (is_pointwise (kind) ? (gsize) shape->out_w : 1);
}

gsize
conv_count_bands (const ConvShape *shape, ConvKind kind, gboolean summed)
{
  gsize channels = kind == CONV_DEPTHWISE ? KERNEL_BLOCK : (gsize) (shape->channels / shape->group);
  gsize outputs = kind == CONV_DEPTHWISE ? KERNEL_BLOCK : (gsize) shape->outputs, out_pixels = (gsize) (shape->out_h * shape->out_w), bytes;

  bytes = channels * sizeof (float);
  bytes *= is_pointwise (kind) ? out_pixels : (gsize) (shape->w * MIN (shape->h, shape->out_h * shape->window.stride[0]));
  if (summed)
    bytes = (bytes + outputs * out_pixels * sizeof (float)) / 2;
  return CLAMP (bytes / BAND_BYTES + 1, 1, count_units (shape, kind));
}

/* Bands and groups of blocks for the units that are set; macs: of an image. */
static void
cut (Step *step, ConvState *state, ConvKind kind, const ConvShape *shape, gsize macs)
{
  gsize wanted, n_tasks;

  state->n_bands = conv_count_bands (shape, kind, state->is_summed);
  wanted = MIN (4 * step->n_threads, state->n_images * macs * (kind == CONV_DEPTHWISE ? DEPTHWISE_WORK : 1) / TASK_MACS + 1);
  wanted = wanted > 1 ? (wanted + step->n_threads - 1) / step->n_threads * step->n_threads : 1; /* as many for each thread */

  if (kind == CONV_DEPTHWISE && step->n_threads == 1) /* so that it can be cancelled: the order is that of the image's blocks */
    {
      state->n_groups = (state->n_blocks + 1) / 2;
      n_tasks = state->n_images * state->n_bands * state->n_groups;
    }
  else
    {
      /* Rather more bands than more groups, as long as a band is big enough for the weights to be read with profit: so each thread goes on where it
       * has computed in the step before, and where its caches know the image. */
      gsize least = is_pointwise (kind) ? 96 : MAX (96 / (gsize) state->stage.conv.out_w, 1);
      gsize most = MAX (state->n_units / least, 1);

      if (step->n_threads > 1 && !state->is_summed && state->n_images * state->n_bands < wanted)
        state->n_bands = CLAMP ((wanted + state->n_images - 1) / state->n_images, state->n_bands, MAX (most, state->n_bands));
      n_tasks = state->n_images * state->n_bands;
      if (step->n_threads > 1 && n_tasks < wanted)
        state->n_groups = MIN ((wanted + n_tasks - 1) / n_tasks, (state->n_blocks + 1) / 2);
      n_tasks *= state->n_groups;
    }
  step_set_run (step, kernel_name (kind, shape), kind == CONV_DEPTHWISE ? depthwise_run : conv_run, n_tasks,
                MAX (n_tasks / MAX (wanted, 1), 1));
}

/* Room for what a task reads normalized. */
static void
prepare_norm (Step *step, const ConvState *state, ConvKind kind, const ConvShape *shape)
{
  gsize most = (state->n_units + state->n_bands - 1) / state->n_bands, n = kernel_blocks (state->stage.conv.in_channels) * most;

  if (kind == CONV_DEPTHWISE)
    n = window_most (&shape->window, 0, shape->h, most) * (gsize) shape->w;
  step->scratch_size = n * KERNEL_BLOCK * sizeof (float);
}

static void
conv_refresh (const Step *step)
{
  conv_stage_refresh (&((ConvState *) step->state)->stage, step);
}

gboolean
conv_prepare_blocked (Step *step, const ConvShape *shape, ConvKind kind, GError **error)
{
  ConvState *state = g_new0 (ConvState, 1);
  double     macs;

  step->state = state;
  step->free_state = state_free;
  if (!conv_stage_init (&state->stage, step, 1, step->node->params, shape, kind, error))
    return FALSE;
  if (step->in[1].value->variable || (state->stage.bias && step->in[2].value->variable))
    step->refresh = conv_refresh;

  state->n_images = (gsize) shape->n;
  state->n_blocks = kernel_blocks ((gsize) shape->outputs);
  state->n_groups = state->n_bands = 1;
  state->n_units = count_units (shape, kind);
  state->is_summed = step->n_outputs > 1;
  state->unit_pixels = is_pointwise (kind) ? 1 : (gsize) shape->out_w;

  if (shape->n == 0)
    {
      step_set_run (step, kernel_name (kind, shape), conv_run, 0, 1);
      return TRUE;
    }
  if (kind == CONV_WINOGRAD)
    return prepare_winograd (step, state, error);
  macs = (double) shape->out_h * (double) shape->out_w * (double) shape->outputs * (double) state->stage.conv.in_channels
         * (double) (shape->window.kernel[0] * shape->window.kernel[1]);
  cut (step, state, kind, shape, (gsize) MIN (macs, 1e15));
  if (conv_norm (step)->input)
    prepare_norm (step, state, kind, shape);
  return kind != CONV_THINNED || prepare_thinned (step, state, error);
}
