/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * pixel-trainer.h: what pixel-trainer.c, pixel-score.c and pixel-result.c share.
 */
#pragma once

#include "train/learner.h"
#include "train/pixel-head.h"
#include "train/pixel-photo.h"

#define PIXEL_METADATA "fovea-pixels" /* of a model that goes on: what its features were measured to be */

struct _FoveaPixelTrainer
{
  FoveaPixelSettings settings;
  FoveaSettings     *input;     /* of the model to be: square, labels */
  PixelFeatures     *features;
  FoveaSession      *session;   /* of features->model */
  GPtrArray         *photos;    /* of PixelPhoto */
  float             *mean, *scale; /* n_features each; NULL: not measured yet */
  FoveaModel        *head;      /* NULL: not trained yet */
  FoveaModel        *before;    /* the model to go on from, until the first run; NULL: none */
  Learner           *learner;   /* during a run; NULL otherwise */
  double             loss;      /* of the last run's steps; negative: none yet */
  FoveaSession      *answer;    /* of the head over the maps; NULL: the head has changed */
  gboolean           answer_has_places;
  guint64            n_runs, n_steps;
  char              *base_name, *base_licence; /* the latter NULL: not known */
};

/* Which samples a head learns on: those for which (photo or stroke) % n_folds != fold; n_folds 0: all. */
typedef struct
{
  guint    n_folds, fold;
  gboolean by_photo;
} PixelFold;

gboolean    pixel_fold_holds (const PixelFold *fold, guint photo, const PixelSample *sample);

/* A head that has learned `n_steps` more than `head`, on scaled features. NULL with an error, or G_IO_ERROR_CANCELLED; then *reached (may be NULL) gets what was
 * learned until then, or NULL. */
FoveaModel *pixel_trainer_learn (FoveaPixelTrainer *trainer, FoveaModel *head, const PixelFold *fold, guint n_steps, guint64 seed, GCancellable *cancellable,
                                 FoveaProgress progress, gpointer user_data, FoveaModel **reached, GError **error);

/* Measures the features and makes a first head where there is none. */
gboolean    pixel_trainer_begin (FoveaPixelTrainer *trainer, GCancellable *cancellable, GError **error);

/* What has been learned by now, also within a run. NULL with an error where nothing has. Free with fovea_model_unref. */
FoveaModel *pixel_trainer_take_head (const FoveaPixelTrainer *trainer, GError **error);
