/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * conv-weight-gradient.c: how the weight gradient of a convolution is cut into work for the kernels (kernels/vec-weight-gradient.h).
 *
 * A task is (part of the images' rows, some output blocks): band after band of rows is read from memory once and multiplied by all pairs of blocks, whose
 * sums stay in the second-level cache. With Winograd a part is of the tiles of all images, and its sums, four times as many, are each thread's own; only what
 * they mean is kept. Then the parts are added up. Parts depend on shapes only, so that the result doesn't depend on the number of threads.
 *
 * Where the convolution's output is normalized (batch-norm-training.c), dy may be the gradient of what comes out of that: then each band of it is brought
 * back through the normalization in the cache, and the data gradient is made of the same band, so that both gradients read memory once.
 */

#include "ops/conv-weight-gradient.h"

#include <string.h>

#include "ops/conv-stage.h"

#define BAND_BYTES      20480     /* of the rows of x and dy, of one block each, that a call of the kernel looks at */
#define DEPTHWISE_BAND  (128 * 1024) /* the same of a depthwise one, whose kernel goes row by row anyway */
#define SUM_FLOATS      (1 << 16) /* of a task, about: they share the second-level cache with the band */
#define WINOGRAD_FLOATS (5 << 18) /* of a task's sums in Winograd's domain: with fewer output blocks the inputs would be transformed too often */
#define WINOGRAD_BAND   (1 << 19) /* floats of a band's inputs in Winograd's domain, about */
#define LEAST_TILES     16        /* of a band; with fewer the sums would be read too often */
#define MOST_TILES      64
#define MIN_TASKS       8         /* that a gradient is cut into at least, where there are as many bands */

typedef struct
{
  const Kernels         *kernels;
  KernelWinogradGradient winograd;               /* of image 0, without data; without Winograd only its .gradient */
  gboolean               depthwise, is_winograd;
  gsize                  images, channels, outputs, taps; /* channels of a group */
  gsize                  in_image;               /* floats of an image of x */
  gsize                  in_blocks, out_blocks;  /* in_blocks: of a group */
  gsize                  blocks_per_group;       /* output blocks; whole ones */
  gsize                  n_parts, n_pairs, pair_size; /* sums: (parts, pairs, pair_size), pairs: (out_blocks, in_blocks) */
  gsize                  task_blocks, n_cuts;    /* output blocks of a task, and tasks of a part */
  gsize                  band;                   /* rows, or with Winograd tiles, of a call */
  InputNorm              norm;                   /* of x */
  ConvShape              shape;

  /* where both gradients are made */
  InputNorm              gradient;               /* of ConvParams; input 0: only that of the weights is made */
  ConvStage              stage;                  /* the convolution that the data gradient is */
  gsize                  norm_at;                /* floats of the scratch before x, normalized; dy is there first */
} WeightState;

KernelWeightGradient
conv_describe_gradient (const ConvShape *shape)
{
  const Window *window = &shape->window;

  return (KernelWeightGradient) {
    .in_channels = (gsize) (shape->channels / shape->group), .in_plane = (gsize) (shape->h * shape->w) * KERNEL_BLOCK, .in_pixel = KERNEL_BLOCK,
    .in_channel = 1, .in_h = (int) shape->h, .in_w = (int) shape->w,
    .gradient_plane = (gsize) (shape->out_h * shape->out_w) * KERNEL_BLOCK, .out_h = (int) shape->out_h, .out_w = (int) shape->out_w,
    .kernel_h = (int) window->kernel[0], .kernel_w = (int) window->kernel[1], .stride_h = (int) window->stride[0], .stride_w = (int) window->stride[1],
    .dilation_h = (int) window->dilation[0], .dilation_w = (int) window->dilation[1], .pad_top = (int) window->pad_begin[0],
    .pad_left = (int) window->pad_begin[1],
  };
}

/* ---- sums ---------------------------------------------------------------------------------------------------------- */

/* Rows [first, last) of one image, output blocks [block, end). */
static void
add_band (const WeightState *state, const KernelWeightGradient *gradient, gsize block, gsize end, gsize first, gsize last, float *sums)
{
  gsize step;

  for (; block < end; block += step, sums += step * state->in_blocks * state->pair_size)
    {
      KernelWeightGradient group = *gradient;
      gsize                left = state->blocks_per_group - block % state->blocks_per_group;

      step = MIN (MIN (end - block, left), 2);
      group.in += block / state->blocks_per_group * state->in_blocks * gradient->in_plane;
      for (gsize in_block = 0; in_block < state->in_blocks; in_block++)
        state->kernels->weight_gradient (&group, block, block + step, in_block, first, last, sums + in_block * state->pair_size);
    }
}

static gsize
bands_of_image (const WeightState *state)
{
  return ((gsize) state->winograd.gradient.out_h + state->band - 1) / state->band;
}

/* Has blocks [block, end) of x normalized where rows [first, last) of dy look at them, and read from `out`. */
static void
normalize_rows (const Step *step, const WeightState *state, KernelWeightGradient *gradient, gsize block, gsize end, gsize first, gsize last, float *out)
{
  gsize from, to, n, width = (gsize) gradient->in_w;

  window_seen (&state->shape.window, 0, gradient->in_h, first, last, &from, &to);
  n = (to - from) * width;
  for (gsize b = block; b < end; b++)
    input_norm_apply (&state->norm, state->kernels, step, b, gradient->in + b * gradient->in_plane + from * width * KERNEL_BLOCK,
                      out + (b - block) * n * KERNEL_BLOCK, n);
  gradient->in = out;
  gradient->in_plane = end - block > 1 ? n * KERNEL_BLOCK : 0;
  gradient->in_h = (int) (to - from);
  gradient->pad_top += (int) from;
}

/* Rows [first, last) of one image, output blocks [block, end) of a depthwise convolution. */
static void
add_depthwise_band (const Step *step, const WeightState *state, const KernelWeightGradient *gradient, gsize block, gsize end, gsize first, gsize last,
                    float *scratch, float *sums)
{
  for (; block < end; block++, sums += state->pair_size)
    {
      KernelWeightGradient one = *gradient;

      if (state->norm.input)
        normalize_rows (step, state, &one, block, block + 1, first, last, scratch);
      state->kernels->depthwise_weight_gradient (&one, block, first, last, sums);
    }
}

/* ---- both gradients ------------------------------------------------------------------------------------------------ */

/* n pixels of block `block` of dy, `at` floats from the beginning of that tensor, brought back through the normalization. */
static void
normalize_gradient (const Step *step, const WeightState *state, gsize block, gsize at, gsize n, float *out)
{
  const TensorView *view = &step->in[state->gradient.input];

  norm_gradient_apply ((const NormGradientBlock *) view[1].data + block, &state->gradient.activation, state->kernels, (const float *) view[0].data + at,
                       (const float *) step->in[1].data + at, out, n);
}

/* Sums of n pixels of block `block` of dx, `at` floats from the beginning of that tensor; `task`: (image, band). */
static void
sum_image (const Step *step, const WeightState *state, gsize task, gsize block, gsize at, gsize n)
{
  const InputNorm  *norm = &((const ConvParams *) step->node->params)->summed;
  const TensorView *numbers = &step->in[norm->input];
  gsize             blocks = kernel_blocks ((gsize) state->shape.channels);
  NormBlock         filled;
  KernelNorm        kernel;

  if (!norm->input)
    return;
  kernel = norm_block_fill (&numbers[0], &numbers[1], &numbers[2], &numbers[3], block, &norm->activation, &filled);
  norm_gradient_sums_set (state->kernels, &kernel, (const float *) numbers[-1].data + at, (const float *) step->out[CONV_GRADIENT_IMAGE].data + at, n,
                          ((NormSums *) step->out[CONV_GRADIENT_IMAGE + 1].data)[task * blocks + block]);
}

/* Rows [first, last) of one image of a pointwise convolution, which are an image of their own; `gradient` is that of the image. */
static void
join_pointwise_band (const Step *step, const WeightState *state, KernelWeightGradient gradient, gsize band, gsize first, gsize last, float *scratch,
                     float *sums)
{
  gsize      image = band / bands_of_image (state), width = (gsize) gradient.out_w, skipped = first * width * KERNEL_BLOCK, n = (last - first) * width;
  gsize      out_plane = gradient.gradient_plane, in_plane = gradient.in_plane;
  float     *dx = step->out[CONV_GRADIENT_IMAGE].data;
  KernelConv conv = state->stage.conv;

  for (gsize block = 0; block < state->out_blocks; block++)
    normalize_gradient (step, state, block, (image * state->out_blocks + block) * out_plane + skipped, n, scratch + block * n * KERNEL_BLOCK);
  if (state->norm.input)
    normalize_rows (step, state, &gradient, 0, state->in_blocks, first, last, scratch + state->norm_at);
  else
    gradient.in += skipped;
  gradient.in_h = gradient.out_h = (int) (last - first);
  gradient.pad_top = 0;
  gradient.gradient = scratch;
  gradient.gradient_plane = n * KERNEL_BLOCK;
  add_band (state, &gradient, 0, state->out_blocks, 0, last - first, sums);

  conv.in = scratch;
  conv.in_plane = n * KERNEL_BLOCK;
  conv.in_w = conv.out_w = (int) n;
  conv.out = dx + image * state->in_image + skipped;
  state->kernels->conv (&conv, 0, state->in_blocks, 0, n);
  for (gsize block = 0; block < state->in_blocks; block++)
    sum_image (step, state, band, block, image * state->in_image + block * in_plane + skipped, n);
}

/* Rows [first, last) of one image of a depthwise convolution whose output is as large as its input, block by block. */
static void
join_depthwise_band (const Step *step, const WeightState *state, const KernelWeightGradient *gradient, gsize band, gsize first, gsize last, float *scratch,
                     float *sums)
{
  gsize image = band / bands_of_image (state), row = (gsize) gradient->in_w * KERNEL_BLOCK, from, to;

  window_seen (&state->stage.shape.window, 0, gradient->out_h, first, last, &from, &to);
  for (gsize block = 0; block < state->out_blocks; block++, sums += state->pair_size)
    {
      gsize                at = (image * state->out_blocks + block) * gradient->in_plane;
      KernelWeightGradient one = *gradient;
      KernelConv           conv = state->stage.conv;

      normalize_gradient (step, state, block, at + from * row, (to - from) * (gsize) gradient->in_w, scratch);
      if (state->norm.input)
        normalize_rows (step, state, &one, block, block + 1, first, last, scratch + state->norm_at);
      one.gradient = scratch;
      one.gradient_plane = 0;
      one.out_h = (int) (to - from);
      one.pad_top -= (int) from;
      state->kernels->depthwise_weight_gradient (&one, block, first - from, last - from, sums);

      conv.in = scratch;
      conv.in_plane = 0;
      conv.in_h = (int) (to - from);
      conv.pad_top += (int) from;
      conv.out = (float *) step->out[CONV_GRADIENT_IMAGE].data + image * state->in_image;
      state->kernels->depthwise (&conv, block, block + 1, first, last);
      sum_image (step, state, band, block, at + first * row, (last - first) * (gsize) gradient->in_w);
    }
}

/* ---- by bands ------------------------------------------------------------------------------------------------------ */

static void
add_bands (const Step *step, const WeightState *state, gsize part, gsize block, gsize end, float *scratch, float *sums)
{
  gsize rows = (gsize) state->winograd.gradient.out_h, n_bands = state->images * bands_of_image (state);

  memset (sums, 0, (end - block) * state->in_blocks * state->pair_size * sizeof *sums);
  for (gsize band = n_bands * part / state->n_parts; band < n_bands * (part + 1) / state->n_parts; band++)
    {
      gsize                image = band / bands_of_image (state), row = band % bands_of_image (state) * state->band, last = MIN (row + state->band, rows);
      KernelWeightGradient gradient = state->winograd.gradient;

      gradient.in = (const float *) step->in[0].data + image * state->in_image;
      gradient.gradient = (const float *) step->in[1].data + image * state->out_blocks * gradient.gradient_plane;
      if (state->gradient.input && state->depthwise)
        join_depthwise_band (step, state, &gradient, band, row, last, scratch, sums);
      else if (state->gradient.input)
        join_pointwise_band (step, state, gradient, band, row, last, scratch, sums);
      else if (state->depthwise)
        add_depthwise_band (step, state, &gradient, block, end, row, last, scratch, sums);
      else
        {
          if (state->norm.input)
            normalize_rows (step, state, &gradient, 0, state->in_blocks, row, last, scratch);
          add_band (state, &gradient, block, end, row, last, sums);
        }
    }
}

/* Floats of a thread's sums, before its transformed inputs. */
static gsize
winograd_sums (const WeightState *state)
{
  return kernel_winograd_size (4) * kernel_winograd_step (state->task_blocks * state->in_blocks, KERNEL_BLOCK);
}

static void
add_tiles (const Step *step, const WeightState *state, gsize part, gsize block, gsize end, float *scratch, float *sums)
{
  KernelWinogradGradient winograd = state->winograd;
  gsize                  n_tiles = state->images * winograd.tiles_x * winograd.tiles_y;
  gsize                  first = n_tiles * part / state->n_parts, last = n_tiles * (part + 1) / state->n_parts, next;

  winograd.gradient.in = step->in[0].data;
  winograd.gradient.gradient = step->in[1].data;
  memset (scratch, 0, winograd_sums (state) * sizeof *scratch);
  for (; first < last; first = next)
    {
      gsize bands = (last - first + state->band - 1) / state->band;

      next = first + (last - first + bands - 1) / bands; /* of nearly the same size */
      state->kernels->winograd_gradient (&winograd, block, end, first, next, scratch + winograd_sums (state), scratch);
    }
  state->kernels->winograd_gradient_out (scratch, (end - block) * state->in_blocks, sums);
}

static void
sum_run (const Step *step, gsize first, gsize last, guint thread)
{
  const WeightState *state = step->state;

  for (gsize task = first; task < last; task++)
    {
      gsize  part = task / state->n_cuts, block = task % state->n_cuts * state->task_blocks, end = MIN (block + state->task_blocks, state->out_blocks);
      float *sums = (float *) step->workspace + (part * state->n_pairs + block * state->in_blocks) * state->pair_size;

      if (state->is_winograd)
        add_tiles (step, state, part, block, end, step_scratch (step, thread), sums);
      else
        add_bands (step, state, part, block, end, step_scratch (step, thread), sums);
    }
}

/* ---- of all parts -------------------------------------------------------------------------------------------------- */

static void
sum_bias (const Step *step, const WeightState *state, gsize block)
{
  gsize plane = state->winograd.gradient.gradient_plane;
  float total[KERNEL_BLOCK] = { 0 };

  for (gsize image = 0; image < state->images; image++)
    {
      float sum[KERNEL_BLOCK];

      state->kernels->sum_pixels ((const float *) step->in[1].data + (image * state->out_blocks + block) * plane, plane / KERNEL_BLOCK, 1.0f, sum);
      for (gsize i = 0; i < KERNEL_BLOCK; i++)
        total[i] += sum[i];
    }
  for (gsize i = 0; i < KERNEL_BLOCK && block * KERNEL_BLOCK + i < state->outputs; i++)
    ((float *) step->out[1].data)[block * KERNEL_BLOCK + i] = total[i];
}

/* Adds up the parts of one output block and puts them where the weights lie. */
static void
gather_weights (const Step *step, const WeightState *state, gsize block)
{
  const float *first = (const float *) step->workspace + block * state->in_blocks * state->pair_size;
  gsize        lanes = MIN (KERNEL_BLOCK, state->outputs - block * KERNEL_BLOCK), apart = state->depthwise ? KERNEL_BLOCK : KERNEL_BLOCK * KERNEL_BLOCK;

  for (gsize c = 0; c < state->channels; c++)
    {
      const float *sums = first + c / KERNEL_BLOCK * state->pair_size + c % KERNEL_BLOCK * KERNEL_BLOCK;

      for (gsize lane = 0; lane < lanes; lane++)
        {
          float *out = (float *) step->out[0].data + ((block * KERNEL_BLOCK + lane) * state->channels + c) * state->taps;

          for (gsize t = 0; t < state->taps; t++)
            {
              float sum = 0.0f;

              for (gsize part = 0; part < state->n_parts; part++)
                sum += sums[part * state->n_pairs * state->pair_size + t * apart + lane];
              out[t] = sum;
            }
        }
    }
}

/* A task is one output block. */
static void
gather_run (const Step *step, gsize first, gsize last, guint thread)
{
  const WeightState *state = step->state;

  for (gsize block = first; block < last; block++)
    {
      gather_weights (step, state, block);
      if (step->n_outputs > 1 && step->out[1].value)
        sum_bias (step, state, block);
    }
}

/* ---- preparation --------------------------------------------------------------------------------------------------- */

/* Whether Winograd has less to multiply: 36 products for a tile, and as much for some tiles more, as its sums are transformed back. */
static gboolean
suits_winograd (const ConvShape *shape)
{
  const Window *window = &shape->window;
  gint64        tiles = (shape->out_h + 3) / 4 * ((shape->out_w + 3) / 4) * shape->n;

  return shape->group == 1 && shape->channels >= KERNEL_BLOCK && shape->outputs >= KERNEL_BLOCK && window->kernel[0] == 3 && window->kernel[1] == 3
         && window->stride[0] == 1 && window->stride[1] == 1 && window->dilation[0] == 1 && window->dilation[1] == 1
         && 36 * (tiles + LEAST_TILES) < 9 * shape->n * shape->out_h * shape->out_w;
}

static void
describe (WeightState *state, const ConvShape *shape, gboolean plain)
{
  KernelWeightGradient *gradient = &state->winograd.gradient;

  state->kernels = kernels_get ();
  state->shape = *shape;
  state->depthwise = conv_is_depthwise (shape);
  state->is_winograd = suits_winograd (shape);
  state->images = (gsize) shape->n;
  state->channels = (gsize) (shape->channels / shape->group);
  state->outputs = (gsize) shape->outputs;
  state->taps = (gsize) (shape->window.kernel[0] * shape->window.kernel[1]);
  state->in_blocks = kernel_blocks (state->channels);
  state->out_blocks = kernel_blocks (state->outputs);
  state->blocks_per_group = shape->group > 1 ? MAX (state->outputs / (gsize) shape->group / KERNEL_BLOCK, 1) : state->out_blocks;
  state->n_pairs = state->out_blocks * state->in_blocks;
  state->pair_size = state->taps * KERNEL_BLOCK * (state->depthwise ? 1 : KERNEL_BLOCK);

  *gradient = conv_describe_gradient (shape);
  gradient->sum_block = state->in_blocks * state->pair_size;
  state->in_image = kernel_blocks ((gsize) shape->channels) * gradient->in_plane;
  if (plain)
    {
      gradient->in_pixel = 1;
      gradient->in_channel = (gsize) (shape->h * shape->w);
      state->in_image = (gsize) (shape->channels * shape->h * shape->w);
    }
  state->winograd.in_image = state->in_image;
  state->winograd.gradient_image = state->out_blocks * gradient->gradient_plane;
  state->winograd.tiles_x = (gsize) ((shape->out_w + 3) / 4);
  state->winograd.tiles_y = (gsize) ((shape->out_h + 3) / 4);
}

/* How many output blocks and bands a task has. */
static void
cut (WeightState *state, const ConvShape *shape)
{
  gsize row_bytes = (gsize) (shape->w * shape->window.stride[0] + shape->out_w) * KERNEL_BLOCK * sizeof (float);
  gsize room = state->is_winograd ? WINOGRAD_FLOATS / kernel_winograd_size (4) / (KERNEL_BLOCK * KERNEL_BLOCK) / state->in_blocks
                                  : SUM_FLOATS / state->pair_size / state->in_blocks;
  gsize n_bands;

  state->task_blocks = CLAMP (room / 2 * 2, 2, state->out_blocks + state->out_blocks % 2);
  state->n_cuts = (state->out_blocks + state->task_blocks - 1) / state->task_blocks;
  if (state->is_winograd)
    {
      gsize fitting = WINOGRAD_BAND / kernel_winograd_size (4) / KERNEL_BLOCK / (state->in_blocks + state->task_blocks);

      state->band = CLAMP (fitting / LEAST_TILES * LEAST_TILES, LEAST_TILES, MOST_TILES);
      n_bands = state->images * state->winograd.tiles_x * state->winograd.tiles_y / LEAST_TILES;
    }
  else
    {
      state->band = MAX ((state->depthwise ? DEPTHWISE_BAND : BAND_BYTES) / row_bytes, 1);
      n_bands = state->images * bands_of_image (state);
    }
  state->n_parts = CLAMP ((MIN_TASKS + state->n_cuts - 1) / state->n_cuts, 1, MAX (n_bands, 1));
}

gboolean
conv_can_join_gradients (const ConvShape *shape, gsize *n_bands)
{
  WeightState state = { 0 };

  describe (&state, shape, FALSE);
  cut (&state, shape);
  *n_bands = state.images * bands_of_image (&state);
  if (state.n_cuts > 1 || shape->n == 0)
    return FALSE;
  return state.depthwise ? shape->window.stride[0] == 1 && shape->window.stride[1] == 1 && shape->h == shape->out_h && shape->w == shape->out_w
                         : shape->group == 1 && conv_choose (shape) == CONV_POINTWISE;
}

static void
state_free (gpointer data)
{
  WeightState *state = data;

  conv_stage_clear (&state->stage);
  g_free (state);
}

static void
stage_refresh (const Step *step)
{
  conv_stage_refresh (&((WeightState *) step->state)->stage, step);
}

/* The data gradient too. */
static gboolean
prepare_both (Step *step, WeightState *state, GError **error)
{
  ConvShape turned = conv_turn_shape (&state->shape);
  guint     weights = state->gradient.input + 2;

  step->refresh = step->in[weights].value->variable ? stage_refresh : NULL;
  return conv_stage_init (&state->stage, step, weights, step->node->params, &turned, conv_choose (&turned), error);
}

/* Floats of a band's rows of dy, and of x, that are made in the scratch. */
static void
prepare_scratch (Step *step, WeightState *state)
{
  gsize row = (gsize) state->shape.w * KERNEL_BLOCK, rows = window_most (&state->shape.window, 0, state->shape.h, state->band);

  if (state->gradient.input)
    state->norm_at = (state->depthwise ? 1 : state->out_blocks) * rows * row;
  step->scratch_size = (state->norm_at + (state->norm.input ? (state->depthwise ? 1 : state->in_blocks) * rows * row : 0)) * sizeof (float);
}

gboolean
conv_prepare_weight_gradient (Step *step, const ConvShape *shape, GError **error)
{
  const ConvParams *params = step->node->params;
  WeightState      *state = g_new0 (WeightState, 1);

  step->state = state;
  step->free_state = state_free;
  state->norm = params->norm;
  state->gradient = params->gradient;
  describe (state, shape, step->in[0].layout == LAYOUT_PLAIN);
  cut (state, shape);
  if (!g_size_checked_mul (&step->workspace_size, state->n_parts * state->n_pairs, state->pair_size * sizeof (float)))
    return node_error (step->node, error, FOVEA_ERROR_MEMORY, "its weights are too large.");
  if (state->gradient.input && !prepare_both (step, state, error))
    return FALSE;
  if (state->is_winograd)
    step->scratch_size = (winograd_sums (state)
                          + kernel_winograd_size (4) * (kernel_winograd_step (state->in_blocks, state->band)
                                                        + kernel_winograd_step (state->task_blocks, state->band)))
                         * sizeof (float);
  else
    prepare_scratch (step, state);
  step_set_run (step, state->depthwise ? "depthwise" : state->is_winograd ? "winograd" : "outer products", sum_run, state->n_parts * state->n_cuts, 1);
  step->n_phases = 2;
  step->phase[1].run = gather_run;
  step->phase[1].n_tasks = state->out_blocks;
  step->phase[1].grain = 1;
  return TRUE;
}
