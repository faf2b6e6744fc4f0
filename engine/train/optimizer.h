/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * optimizer.h: moves parameters against their gradients: SGD with Nesterov momentum (Sutskever et al. 2013), AdamW (Loshchilov & Hutter 2019,
 * arXiv:1711.05101), clipping of the gradient's norm, and a moving average of the parameters, which usually answers better than they do.
 *
 * The same for any number of threads: work is cut into chunks of a fixed size, and sums go chunk by chunk.
 */
#pragma once

#include "fovea.h"

typedef struct _Optimizer Optimizer;

/* One tensor of n numbers. */
typedef struct
{
  const char  *name;     /* borrowed */
  float       *data;
  const float *gradient; /* NULL: a statistic, which is averaged but not moved */
  gsize        n;
  gboolean     decays;   /* weight decay is for weights: not for biases and normalization */
  double       rate;     /* times the learning rate */
} Parameter;

typedef struct
{
  FoveaOptimizer kind;
  double         momentum;     /* SGD: 0.9;  AdamW: beta 1, 0.9 */
  double         second;       /* AdamW: beta 2, 0.999 */
  double         weight_decay;
  double         clip;         /* largest norm of all gradients together; 0: any */
  double         average;      /* share that the average keeps at each step, 0.999; 0: no average */
} OptimizerSettings;

/* Runs tasks [0, n) on whatever threads there are. */
typedef void (*OptimizerRun) (gpointer runner, gsize n_tasks, void (*func) (gconstpointer data, gsize first, gsize last, guint thread), gconstpointer data);

/* NULL with FOVEA_ERROR_MEMORY. The parameters' data and gradients must stay where they are. */
Optimizer *optimizer_new  (const OptimizerSettings *settings, const Parameter *parameters, guint n, OptimizerRun run, gpointer runner, GError **error);
void       optimizer_free (Optimizer *optimizer);

/* One step. FALSE, and nothing is moved, if a gradient isn't a finite number. norm (may be NULL) gets the gradients' norm before clipping. */
gboolean   optimizer_step (Optimizer *optimizer, double learning_rate, double *norm);

/* The average of the parameter whose data these are; `data` themselves without an average. Borrowed. */
const float *optimizer_get_average (const Optimizer *optimizer, const float *data);

/* All that a checkpoint must keep beside the parameters: blocks of floats, one after the other; *n gets a block's size. NULL past the last. */
float     *optimizer_get_state (Optimizer *optimizer, guint i, gsize *n);
guint64    optimizer_get_steps (const Optimizer *optimizer);
void       optimizer_set_steps (Optimizer *optimizer, guint64 steps);
