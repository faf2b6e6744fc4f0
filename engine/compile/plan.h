/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * plan.h: a network made ready for given shapes: steps in the order they run, and where each tensor lies in one arena.
 *
 * compile.c makes it from a copy of the model's graph, run/session.c allocates the arena and runs it.
 */
#pragma once

#include "model/graph.h"
#include "ops/step.h"

typedef struct _Plan           Plan;
typedef struct _PlanTensor     PlanTensor;
typedef struct _CompileOptions CompileOptions;

/* What fovea_session_options say, resolved. */
struct _CompileOptions
{
  guint         n_threads;
  gboolean      reference;
  guint64       memory_limit; /* 0: the machine's memory */
  GCancellable *cancellable;  /* or NULL */
  GHashTable   *shapes;       /* input name -> FoveaShape* */
  GHashTable   *bound;        /* input name -> FoveaTensor* */
  const struct _Training *training; /* NULL: the network only answers */
};

/* A value that lives in the arena: from the step that writes it to the last that reads it. */
struct _PlanTensor
{
  Value *value;
  gsize  bytes;
  gsize  offset;      /* in the arena */
  gint   first, last; /* steps; inputs of the model begin at -1, its outputs end at n_steps */
  gint   root;        /* the tensor whose memory this one shares: its own index, or that of another (views, in place, parts of a whole) */
  gsize  shift;       /* bytes from the beginning of that one's memory */
};

struct _Plan
{
  Graph      *graph;
  Step       *steps;
  double     *work;       /* how long each step takes, roughly: in no unit, for progress */
  guint       n_steps;
  GArray     *tensors;    /* of PlanTensor */
  GHashTable *places;     /* Value* -> index in tensors + 1 */
  gsize       arena_bytes, weight_bytes; /* the latter: what steps keep of packed and widened constants */
  GPtrArray  *inputs;     /* Value* of each input of the model; bound ones too */
  GPtrArray  *outputs;    /* Value* of each output of the model */
  gboolean   *are_halves; /* for each output: it is float16 in the model, declared or not */
  GHashTable *bound;      /* input name -> FoveaTensor*: the values that shapes were made from */
  gint        loss_step;  /* where the trainer steps in; -1: nowhere */
};

/* Errors: _UNSUPPORTED, _SHAPE, _MODEL, _MEMORY, naming the layer. */
Plan *plan_new  (const Graph *graph, const CompileOptions *options, GError **error);
void  plan_free (Plan *plan);

/* The first part of it only: a copy of the graph with every type and shape known, before any pass. */
Graph *plan_infer (const Graph *graph, const CompileOptions *options, GError **error);

/* The bytes that a tensor of that value takes in its layout; FALSE on overflow. */
gboolean plan_value_bytes (const Value *value, gsize *bytes);

/* The plan as people read it; free with g_free. */
char *plan_print (const Plan *plan);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Plan, plan_free)
