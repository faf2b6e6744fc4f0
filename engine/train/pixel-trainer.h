/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * pixel-trainer.h: what pixel-trainer.c and pixel-score.c share.
 */
#pragma once

#include "train/learner.h"
#include "train/pixel-head.h"
#include "train/pixel-photo.h"

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
