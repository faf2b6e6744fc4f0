/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * session.h: what the engine asks of sessions beyond fovea.h: shapes, and sessions that train.
 */
#pragma once

#include "compile/gradients.h"
#include "ops/step.h"

/* A copy of the model's graph with every type and shape known for these options (NULL: the model's own shapes), before any pass. */
Graph *session_infer (const FoveaModel *model, const FoveaSessionOptions *options, GError **error);

/* Making a session with these options, which packs the weights, can be cancelled: G_IO_ERROR_CANCELLED. Borrowed; NULL: it can't be. */
void   session_options_set_cancellable (FoveaSessionOptions *options, GCancellable *cancellable);

/* A session whose run goes forward, calls the loss, and goes backward. `training` (NULL: an ordinary session) is read now; its variables are referenced
 * and read, and running statistics written, by each run. After they have changed call session_refresh:
 * the next run packs them anew. */
FoveaSession *session_new_training (FoveaModel *model, const FoveaSessionOptions *options, const Training *training, GError **error);

/* Called by run, on its thread, between forward and backward: reads the n outputs of the model, writes the gradients of the loss by them, each of the
 * output's shape; all plain. */
typedef void (*SessionLoss) (const TensorView *outputs, const TensorView *gradients, guint n, gpointer user_data);

void   session_set_loss           (FoveaSession *session, SessionLoss loss, gpointer user_data);
void   session_refresh            (FoveaSession *session);

/* Data of a plan's output (Training.gradients has the names); valid after a run, until the next. NULL: there is none. */
float *session_get_output_by_name (FoveaSession *session, const char *name);

/* Step i of the plan. */
const Step   *session_get_step   (const FoveaSession *session, guint i);

/* Runs tasks on the session's threads, between runs. */
void   session_parallel           (FoveaSession *session, gsize n_tasks, void (*func) (gconstpointer data, gsize first, gsize last, guint thread),
                                   gconstpointer data);
