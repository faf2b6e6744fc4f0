/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * learner.h: a network that learns: the model's constants that are trained, as variables; a session forward and backward; the optimizer. It knows nothing of
 * photos, epochs or tasks: those are the trainer's.
 */
#pragma once

#include "run/session.h"
#include "train/optimizer.h"

typedef struct _Learner Learner;

/* Says of each constant of the model whether it is trained (weights, biases, and the four of a batch normalization go together with its layer). */
typedef gboolean (*LearnerChoice) (const Node *node, gpointer user_data);

/* Share of the learning rate at which a variable learns that begins as `start`. */
typedef double (*LearnerRate) (const char *name, const FoveaTensor *start, gpointer user_data);

typedef struct
{
  OptimizerSettings optimizer;
  guint             n_threads;  /* 0: one per processor */
  guint64           seed;
  gdouble           momentum;   /* of running statistics: 0.1 */
  LearnerChoice     choice;     /* NULL: all layers that have weights */
  gpointer          choice_data;
  LearnerRate       rate;       /* NULL: all of it */
  gpointer          rate_data;
} LearnerSettings;

/* Compiles the model, whose first input gets `shape` (batch first), for training. Errors: as for sessions; _ARGUMENT where nothing is left to train. */
Learner     *learner_new         (FoveaModel *model, const FoveaShape *shape, const LearnerSettings *settings, GError **error);
void         learner_free        (Learner *learner);

/* The network's input, to be filled before each step. */
float       *learner_get_input   (Learner *learner);

/* The session, for its plan and memory. */
FoveaSession *learner_get_session (Learner *learner);

/* One step: forward, `loss`, backward, optimizer. *finite FALSE: a gradient wasn't a finite number. Nothing was moved then, and nothing where the step fails or is
 * cancelled: the next one is as if this one hadn't been. */
gboolean     learner_step        (Learner *learner, SessionLoss loss, gpointer user_data, double learning_rate, double *norm, gboolean *finite,
                                  GCancellable *cancellable, GError **error);

guint64      learner_get_steps   (Learner *learner);

/* What the session's arena takes, the weights, and what the optimizer keeps of them. */
guint64      learner_count_bytes (Learner *learner);

/* A copy of all that steps change, and back to it with the number of steps that it is from. NULL with FOVEA_ERROR_MEMORY. */
GPtrArray   *learner_copy_state    (Learner *learner, GError **error);
void         learner_restore_state (Learner *learner, const GPtrArray *state, guint64 steps);

/* A model like the one it was made of, with the weights as they are now (their average, where there is one). NULL with FOVEA_ERROR_MEMORY or when cancelled. */
FoveaModel  *learner_make_model  (Learner *learner, GCancellable *cancellable, GError **error);

/* Everything that the next step depends on, to a file written beside and renamed; and back. `extra` is the trainer's own (bytes, kept as they are).
 * Reading refuses files of another network. */
gboolean     learner_save        (Learner *learner, const char *path, GBytes *extra, GError **error);
GBytes      *learner_load        (Learner *learner, const char *path, GError **error);

/* Whether it is time to save again: *saved, of the monotonic clock, is when it was last; TRUE makes it now. */
gboolean     learner_is_save_due (gint64 *saved);
