/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * train-run.h: a training from the labels to the model, for the procedure and for the window: opens the images, copies what is labelled, learns in a thread of its
 * own. On the main thread.
 */
#pragma once

#include <libgimp/gimp.h>

#include "photo-training.h"

typedef struct _TrainRun TrainRun;

struct _TrainRun
{
  GimpProcedureConfig *config;
  GimpImage           *image;
  const char          *left;        /* goes on with the interrupted training of that model; NULL: a new one */
  const FoveaPhoto    *photo;       /* that whole photos' training answers about, see photo-training.h; NULL: none */
  GCancellable        *cancellable; /* NULL: it can't be cancelled */

  /* Called many times a second, also while a thread works: shows how far it is (0 to 1; negative: not known), lets the window live. */
  void               (*show) (TrainRun *run, double fraction, gpointer user_data);
  gpointer             user_data;

  /* Set by the run. */
  PhotoTraining       *training;    /* while whole photos are learned: to watch, pause and stop; NULL otherwise */
  char                *file, *json, *score; /* of the model; in words */
  Confusion           *confusion;   /* NULL: too few were kept out to say */
  char               **warnings;
  gint                 thousandths; /* atomic */
};

/* FALSE with an error in words, or with G_IO_ERROR_CANCELLED. */
gboolean train_run       (TrainRun *run, GError **error);
void     train_run_clear (TrainRun *run);

/* What the settings ask of a training on whole photos. */
PhotoOrder *train_run_read_order (GimpProcedureConfig *config, FoveaTask task);

/* What the task “auto” would mean for these settings: UNKNOWN where only opening the files would tell. */
FoveaTask train_run_guess (GimpProcedureConfig *config, GimpImage *image);
