/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * train-run.h: a training from the labels to the model, for the procedure and for the window: opens the images, copies what is labelled, learns in a thread of its
 * own. On the main thread.
 */
#pragma once

#include <libgimp/gimp.h>

#include "photo-training.h"

/* What a training is at. */
typedef enum { TRAIN_STAGE_READING, TRAIN_STAGE_LOOKING, TRAIN_STAGE_RATES, TRAIN_STAGE_LEARNING, TRAIN_STAGE_JUDGING } TrainStage;

typedef struct _TrainRun TrainRun;

struct _TrainRun
{
  GimpProcedureConfig *config;
  GimpImage           *image;
  const char          *left;        /* goes on with the interrupted training of that model; NULL: a new one */
  const FoveaPhoto    *photo;       /* that its model is asked about meanwhile and in the end; NULL: none */
  GCancellable        *cancellable; /* NULL: it can't be cancelled */

  /* Called many times a second, also while a thread works: shows how far it is (0 to 1; negative: not known), lets the window live. */
  void               (*show) (TrainRun *run, double fraction, gpointer user_data);
  gpointer             user_data;

  /* Set by the run. */
  TrainStage           stage;
  PhotoTraining       *training;    /* while whole photos are learned: to watch; NULL otherwise */
  GCancellable        *halt;        /* while strokes are learned: ends that; NULL otherwise */
  TrainingReport      *report;
  char                *file, *json, *score; /* of the model; in words */
  Confusion           *confusion;   /* NULL: too few were kept out to say */
  char               **warnings;
  gint                 thousandths; /* atomic */
  gint                 is_paused;   /* while strokes are learned; atomic */
};

/* FALSE with an error in words, or with G_IO_ERROR_CANCELLED. */
gboolean train_run       (TrainRun *run, GError **error);
void     train_run_clear (TrainRun *run);

/* From `show`. It waits until it goes on, is stopped or cancelled; it ends well, with what was best or learned so far. */
void     train_run_pause (TrainRun *run, gboolean pause);
void     train_run_stop  (TrainRun *run);

gboolean train_run_can_pause (const TrainRun *run);
gboolean train_run_can_stop  (const TrainRun *run);

/* In a worker: returns when that, which is atomic, is FALSE, or the training is to end. */
void     train_run_wait_while (const gint *is_paused, GCancellable *halt);

/* What cancels `cancellable` (may be NULL) cancels `halt`, which also ends a training well. For g_cancellable_disconnect. */
gulong   train_run_couple (GCancellable *cancellable, GCancellable *halt);

/* What the settings ask of a training on whole photos. */
PhotoOrder *train_run_read_order (GimpProcedureConfig *config, FoveaTask task);

/* The same of one on strokes, and where these are. */
PhotoOrder *train_run_read_strokes (GimpProcedureConfig *config);

/* The task that the settings ask for: UNKNOWN for “auto” and for words that are none. */
FoveaTask train_run_get_task (GimpProcedureConfig *config);
