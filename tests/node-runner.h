/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * node-runner.h: runs a single node for the tests of operators that have a blocked form: parse, infer, prepare and run, plain or in the
 * form that the operator declares, its tasks cut as a pool of several threads would.
 */
#pragma once

#include "ops/operator.h"

#define RUNNER_MAX_VALUES 6

typedef struct
{
  Graph   *graph;
  Node    *node;
  Value   *in[RUNNER_MAX_VALUES], *out[2];
  gpointer data[RUNNER_MAX_VALUES];       /* of in, plain; NULL for constants */
} Runner;

/* A graph with one node and nothing else yet. */
Runner *runner_new       (const char *type);
void    runner_free      (Runner *runner);

/* The next input: numbers from -1 to 1, in float32 or float64; a constant or a value that comes while running. Returns the plain data. */
gpointer runner_add      (Runner *runner, FoveaType type, guint n_dims, const gint64 *dims, gboolean constant);
void     runner_skip     (Runner *runner);

/* Parses, makes the outputs and infers their shapes. */
gboolean runner_infer    (Runner *runner, guint n_outputs, GError **error);

/* Runs the node and returns output `output`, plain; free with g_free. blocked: in the form that the operator declares, NULL where it
 * declares none. *kernel gets the name of the choice (may be NULL). */
gpointer runner_run      (Runner *runner, gboolean blocked, guint n_threads, guint output, const char **kernel);

/* Numbers from -1 to 1. */
double   runner_random   (void);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Runner, runner_free)
