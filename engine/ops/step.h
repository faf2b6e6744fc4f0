/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * step.h: one step of a plan: a node, made ready to run. Compile makes it from a node, the operator's prepare fills it, the memory planner
 * gives its tensors their places, the session runs it.
 */
#pragma once

#include "model/graph.h"

#define STEP_MAX_PHASES 4

typedef struct _Step       Step;
typedef struct _TensorView TensorView;

struct _TensorView
{
  FoveaType   type;
  Layout      layout;
  FoveaShape  shape;    /* ONNX's shape, also when blocked: (N, C, H, W) */
  void       *data;     /* set when the session is made; not before (constants: already in prepare) */
  Value      *value;    /* where it comes from; NULL for an optional input or output that is left out */
  gboolean    packed;   /* prepare sets it on a constant that it has packed: run won't read data, it may be dropped */
  FoveaShape *actual;   /* dynamic outputs: run writes the true shape here */
};

/* Computes tasks [first, last) of one phase. `thread` chooses the scratch block. */
typedef void (*StepRun) (const Step *step, gsize first, gsize last, guint thread);

struct _Step
{
  const Node *node;
  const char *kernel;          /* the choice made, for people: "direct 3x3 avx2"; static text */
  guint       n_inputs, n_outputs;
  TensorView *in;              /* n_inputs; .value NULL where left out */
  TensorView *out;             /* n_outputs */
  gsize       may_hold;        /* the most that it may keep of them */
  gboolean    reference;       /* prepare must choose the plain reference path */
  guint       n_threads;       /* of the pool it will run on: for choices of task size only, never of results */

  /* filled by prepare */
  guint       n_phases;        /* phases run one after the other, each over all threads */
  struct
  {
    StepRun   run;
    gsize     n_tasks;
    gsize     grain;           /* tasks handed out at a time; n_tasks to stay on the caller */
  } phase[STEP_MAX_PHASES];
  gsize       scratch_size;    /* bytes that each thread needs while the step runs; contents are rubbish at first */
  gsize       workspace_size;  /* bytes shared by all threads while the step runs, kept from phase to phase */
  gint        in_place;        /* -1, or the input whose memory output 0 may take over (same size in bytes, each element read before written) */
  gint        view;            /* -1, or the input that output 0 is another shape of: memory is shared, n_phases is 0 */
  gboolean    joins;           /* the inputs, one after the other, are output 0, byte by byte: those that were made in its place needn't be copied. The
                                * others still are: run sees by the addresses which */
  gboolean    splits;          /* the outputs, one after the other, are input 0; as above */
  void      (*refresh) (const Step *step); /* packs the variables among the inputs anew, after their values have changed; NULL: nothing to do */
  gsize       held;            /* bytes of weights that the step keeps (step_hold) */
  gpointer    state;           /* packed weights and settings; freed by free_state */
  GDestroyNotify free_state;

  /* filled by the session */
  guint8     *scratch;         /* n_threads * scratch_size */
  guint8     *workspace;
};

static inline gpointer
step_scratch (const Step *step, guint thread)
{
  return step->scratch + thread * step->scratch_size;
}

/* Sets up a step of a single phase. */
static inline void
step_set_run (Step *step, const char *kernel, StepRun run, gsize n_tasks, gsize grain)
{
  step->kernel = kernel;
  step->n_phases = 1;
  step->phase[0].run = run;
  step->phase[0].n_tasks = n_tasks;
  step->phase[0].grain = MAX (grain, 1);
}

/* Arithmetic of a task of plain loops, at most where it can be cut: between tasks a run can be cancelled. */
#define STEP_TASK_WORK ((gsize) 1 << 22)

/* Into how many pieces `n` items of `work` each are cut for that: 1 to n. */
static inline gsize
step_pieces (gsize n, gsize work)
{
  gsize items = CLAMP (STEP_TASK_WORK / MAX (work, 1), 1, MAX (n, 1));

  return (MAX (n, 1) + items - 1) / items;
}

/* A block for weights that lives as long as the step, zeroed; free with memory_free. It is said before it is taken: NULL with FOVEA_ERROR_MEMORY where
 * more than the plan's limit would be held. step_hold only counts. */
gpointer step_alloc (Step *step, gsize n_items, gsize item_size, GError **error);
gboolean step_hold  (Step *step, gsize bytes, GError **error);

/* A constant input as float32, n = shape_count elements, from float32 or float16 data; free with memory_free. NULL with an error. */
float *step_constant_floats (const Step *step, guint input, GError **error);
