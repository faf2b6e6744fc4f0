/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * trainer-private.h: a training as its parts see it: trainer.c makes it, trainer-run.c runs it, trainer-result.c turns it into a model.
 */
#pragma once

#include "train/feature-cache.h"
#include "train/keep-base.h"
#include "train/learner.h"
#include "train/lesson.h"
#include "train/teacher.h"

/* Where a training stands; goes into the checkpoint as it is. */
typedef struct
{
  guint64 version;
  guint64 epoch, step;
  guint64 best_epoch, n_recoveries;
  double  elapsed;      /* seconds */
  double  best;         /* score; NAN: none */
  double  rate_scale;   /* falls by half with each recovery */
  double  loss;         /* moving mean */
  guint64 key;          /* of what must not change meanwhile */
} Mark;

struct _FoveaTrainer
{
  FoveaTrainSettings settings;
  FoveaSettings     *input;
  Dataset           *dataset;
  GArray            *train, *monitor, *val;   /* of guint */
  FoveaModel        *model;
  char              *head;                    /* name of the new layer; NULL: none was exchanged */
  gboolean           on_features;             /* only the new layer learns: the learner has it alone */
  gint64             n_features;
  float             *mean, *scale;            /* that the features are standardized with */
  FeatureCache      *features, *judged;       /* of the training photos, and of those that are looked at after an epoch; NULL: not yet */
  Batch              batch;                   /* on_features: our own */
  Learner           *learner;
  Loader            *loader;
  Teacher           *teacher;                 /* NULL: none */
  Lesson            *lesson;
  FoveaReadFile      read;
  gpointer           read_data;
  GPtrArray         *warnings;
  char              *base_name, *base_licence; /* NULL: there is no base, or it says none */
  guint              n_copied;
  KeepBase          *keep;                    /* NULL: nothing is */
  Mark               mark;
  GMutex             mutex;                   /* of the next two, which other threads set */
  GCond              changed;
  gboolean           is_stopped, is_paused;
  FoveaModel        *best;                    /* the network after the best epoch of this run; NULL: none has been judged */
  double             best_score;
  gboolean           is_over;                 /* the run has come to its end */
};

LoaderSettings trainer_loader_settings (FoveaTrainer *trainer, gboolean augmented);

/* What the trained network's answers will mean. */
void           trainer_set_labels      (FoveaSettings *settings, const Dataset *dataset);

/* What photos of each class count where rare ones count more: (classes), 1 to 4. Free with g_free. */
double        *trainer_weigh_classes   (const FoveaTrainer *trainer);

/* The photos that are looked at after each epoch. */
const GArray  *trainer_look_at         (const FoveaTrainer *trainer);

/* Whether it ends where nothing gets better on the photos kept out for that, and what was best is its result. */
gboolean       trainer_has_patience    (const FoveaTrainer *trainer);

/* FALSE until fovea_trainer_stop. */
gboolean       trainer_is_stopped      (FoveaTrainer *trainer);

/* The samples of an epoch in their order, whole batches of them; what comes next are its batches. Free with g_array_unref. */
GArray        *trainer_begin_epoch     (FoveaTrainer *trainer, guint64 epoch);

/* A step at this rate on batch mark.step of that order. *finite FALSE: the numbers left all bounds, and nothing was moved. */
gboolean       trainer_learn_batch     (FoveaTrainer *trainer, const guint *order, double rate, double *loss, gboolean *finite, GCancellable *cancellable,
                                        GError **error);

/* The network as it is now, without what it says to its teacher: where only the new layer learns, that alone. After a stop, and after a run
 * with patience: as it was at its best. */
FoveaModel    *trainer_make_trained    (FoveaTrainer *trainer, GCancellable *cancellable, GError **error);

/* The whole network with the layer that learned. */
FoveaModel    *trainer_join_head       (FoveaTrainer *trainer, FoveaModel *head, GError **error);
