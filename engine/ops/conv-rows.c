/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * conv-rows.c: expand, depthwise and project of an inverted-residual block by bands of rows; expand or project may be missing, and the first layer may
 * stand for expand.
 *
 *   x ──expand──▶ wide ──depthwise──▶ filtered ──project──▶ out
 *
 * For a band of rows of `filtered`, a few blocks of channels after the other: the rows of `wide` that the band's windows see, then the depthwise sums of
 * these blocks, which find them in the nearest caches still. When all blocks are there, project reads them from the second-level cache. Rows of `wide`
 * that two bands see are moved to the beginning instead of being computed again. `wide` and `filtered` are scratch of the thread, (C/16, rows, W, 16).
 * Every number is the sum that the convolution alone would make, in the same order.
 */

#include "ops/conv-rows.h"

#include <string.h>

#include "ops/conv-stage.h"
#include "ops/operator.h"

#define AT_ONCE        2            /* blocks of channels: kernels like pairs */
#define WIDE_BYTES     (64 * 1024)  /* of these blocks of `wide`; half of it takes longer */
#define FILTERED_BYTES (128 * 1024)
#define TASK_ROWS      7            /* least rows of a task: each computes anew what its first windows see of the task before … */
#define TASK_MACS      (1 << 26)    /* … and most of its work, so that a run can be cancelled */

typedef struct
{
  guint      n;
  ConvStage  stages[CONV_ROWS_MOST];
  ConvStage *expand, *depthwise, *project; /* of them; NULL where missing */
  gsize      wide_plane, filtered_plane;   /* floats of a block */
  gsize      filtered_at;                  /* floats from the beginning of the scratch; `wide` is there */
  gsize      n_images, n_tasks, n_rows;    /* tasks and rows of an image */
  gsize      band;                         /* rows */
} RowsState;

/* What a thread is at. */
typedef struct
{
  const RowsState *state;
  const float     *in, *residual; /* of the image */
  float           *out, *wide, *filtered;
  gsize            first, last;   /* rows of the depthwise convolution's input that `wide` holds */
} RowsJob;

static void
state_free (gpointer data)
{
  RowsState *state = data;

  for (guint i = 0; i < state->n; i++)
    conv_stage_clear (&state->stages[i]);
  g_free (state);
}

static gsize
row_floats (gint64 width)
{
  return (gsize) width * KERNEL_BLOCK;
}

/* Rows [first, last) of output blocks [block, last_block) to `out`. The input holds rows [in_first, in_last). */
static void
run_stage (const ConvStage *stage, const KernelConv *place, gsize block, gsize last_block, gsize first, gsize last, gsize in_first, gsize in_last)
{
  KernelConv conv = *place;
  gsize      n = last - first;

  if (stage->kind == CONV_POINTWISE)
    {
      conv.in += (first - in_first) * row_floats (stage->shape.w);
      conv.in_w = conv.out_w = (int) (n * (gsize) stage->shape.w);
      stage->kernels->conv (&conv, block, last_block, 0, (gsize) conv.out_w);
      return;
    }
  conv.in_h = (int) (in_last - in_first);
  conv.pad_top += (int) ((gint64) in_first - (gint64) first * conv.stride_h);
  conv.out_h = (int) n;
  if (stage->kind == CONV_DEPTHWISE)
    stage->kernels->depthwise (&conv, block, last_block, 0, n);
  else
    stage->kernels->conv (&conv, block, last_block, 0, n * (gsize) conv.out_w);
}

/* Rows [first, last) of blocks [block, last_block) of `wide`, whose rows were [job->first, job->last) until now. */
static void
expand_rows (const RowsJob *job, gsize block, gsize last_block, gsize first, gsize last)
{
  const RowsState *state = job->state;
  const ConvStage *expand = state->expand;
  KernelConv       conv = expand->conv;
  gsize            row = row_floats (expand->shape.out_w), n_kept = job->last > first ? job->last - first : 0;

  for (gsize i = block; i < last_block && n_kept > 0; i++)
    memmove (job->wide + i * state->wide_plane, job->wide + i * state->wide_plane + (first - job->first) * row, n_kept * row * sizeof (float));
  if (first + n_kept == last)
    return;
  conv.in = job->in;
  conv.out = job->wide + n_kept * row;
  conv.out_plane = state->wide_plane;
  run_stage (expand, &conv, block, last_block, first + n_kept, last, 0, (gsize) expand->shape.h);
}

/* Rows [first, last) of the output. */
static void
run_band (RowsJob *job, gsize first, gsize last)
{
  const RowsState *state = job->state;
  const ConvStage *depthwise = state->depthwise, *project = state->project;
  KernelConv       conv = depthwise->conv;
  gsize            in_first, in_last, row = first * row_floats (depthwise->shape.out_w), n_blocks = kernel_blocks (conv.out_channels), end;

  window_seen (&depthwise->shape.window, 0, depthwise->shape.h, first, last, &in_first, &in_last);
  conv.in = state->expand ? job->wide : job->in;
  conv.in_plane = state->expand ? state->wide_plane : conv.in_plane;
  conv.out = project ? job->filtered : job->out + row;
  conv.out_plane = project ? state->filtered_plane : conv.out_plane;
  for (gsize block = 0; block < n_blocks; block = end)
    {
      end = MIN (block + AT_ONCE, n_blocks);
      if (state->expand)
        expand_rows (job, block, end, in_first, in_last);
      run_stage (depthwise, &conv, block, end, first, last, state->expand ? in_first : 0, state->expand ? in_last : (gsize) depthwise->shape.h);
    }
  job->first = in_first;
  job->last = in_last;
  if (!project)
    return;

  conv = project->conv;
  conv.in = job->filtered;
  conv.in_plane = state->filtered_plane;
  conv.out = job->out + row;
  conv.residual = job->residual ? job->residual + row : NULL;
  run_stage (project, &conv, 0, kernel_blocks (conv.out_channels), first, last, first, last);
}

static void
rows_run (const Step *step, gsize first, gsize last, guint thread)
{
  const RowsState      *state = step->state;
  const ConvRowsParams *params = step->node->params;
  gsize                 out_image = state->stages[state->n - 1].out_image;

  for (gsize task = first; task < last; task++)
    {
      gsize   image = task / state->n_tasks, i = task % state->n_tasks, end = state->n_rows * (i + 1) / state->n_tasks;
      RowsJob job = {
        .state = state,
        .in = (const float *) step->in[0].data + image * state->stages[0].in_image,
        .out = (float *) step->out[0].data + image * out_image,
        .wide = step_scratch (step, thread),
      };

      job.filtered = job.wide + state->filtered_at;
      if (params->convs[state->n - 1].residual)
        job.residual = (const float *) step->in[conv_rows_weights (state->n)].data + image * out_image;
      for (gsize row = state->n_rows * i / state->n_tasks; row < end; row += state->band)
        run_band (&job, row, MIN (row + state->band, end));
    }
}

/* ---- preparing -------------------------------------------------------------------------------------------- */

static gboolean
fits (const RowsState *state, gsize band)
{
  const ConvStage *depthwise = state->depthwise;
  gsize            wide = window_most (&depthwise->shape.window, 0, depthwise->shape.h, band) * row_floats (depthwise->shape.w) * AT_ONCE * sizeof (float);
  gsize            filtered = kernel_blocks (depthwise->conv.out_channels) * band * row_floats (depthwise->shape.out_w) * sizeof (float);

  return (!state->expand || wide <= WIDE_BYTES) && (!state->project || filtered <= FILTERED_BYTES);
}

/* As many of a task's n rows at a time as the caches have room for, evenly; room for them in the scratch. */
static void
choose_band (Step *step, RowsState *state, gsize n)
{
  const ConvStage *depthwise = state->depthwise;
  gsize            most = 1, n_bands, n_blocks = kernel_blocks (depthwise->conv.out_channels);

  while (most < n && fits (state, most + 1))
    most++;
  n_bands = (n + most - 1) / most;
  state->band = (n + n_bands - 1) / n_bands;
  state->wide_plane = state->expand ? window_most (&depthwise->shape.window, 0, depthwise->shape.h, state->band) * row_floats (depthwise->shape.w) : 0;
  state->filtered_plane = state->project ? state->band * row_floats (depthwise->shape.out_w) : 0;
  state->filtered_at = n_blocks * state->wide_plane;
  step->scratch_size = n_blocks * (state->wide_plane + state->filtered_plane) * sizeof (float);
}

static gboolean
rows_prepare (Step *step, GError **error)
{
  const ConvRowsParams *params = step->node->params;
  RowsState            *state = g_new0 (RowsState, 1);
  gsize                 macs = 0;

  step->state = state;
  step->free_state = state_free;
  state->n = params->n;
  for (guint i = 0; i < params->n; i++)
    {
      if (!conv_stage_init (&state->stages[i], step, conv_rows_weights (i), &params->convs[i], &params->shapes[i], params->kinds[i], error))
        return FALSE;
      macs += conv_count_macs (&params->shapes[i]) / (gsize) params->shapes[i].n;
    }
  state->depthwise = &state->stages[params->depthwise];
  state->expand = params->depthwise > 0 ? state->depthwise - 1 : NULL;
  state->project = params->depthwise + 1 < params->n ? state->depthwise + 1 : NULL;
  state->n_images = (gsize) params->shapes[0].n;
  state->n_rows = (gsize) state->depthwise->shape.out_h;
  state->n_tasks = MAX (MIN (state->n_rows / TASK_ROWS, step->n_threads > 1 ? 2 * step->n_threads : 1), MIN (macs / TASK_MACS + 1, state->n_rows));
  choose_band (step, state, (state->n_rows + state->n_tasks - 1) / state->n_tasks);
  step_set_run (step, "by rows", rows_run, state->n_images * state->n_tasks, 1);
  return TRUE;
}

static gboolean
rows_infer (const Node *node, InferContext *context, GError **error)
{
  return node_error (node, error, FOVEA_ERROR_UNSUPPORTED, "only the engine itself makes this operator. Export the model with the convolutions one by one.");
}

const Operator conv_rows_operators[] = {
  { "ConvRows", "fovea", sizeof (ConvRowsParams), NULL, rows_infer, NULL, rows_prepare, NULL },
  { NULL },
};
