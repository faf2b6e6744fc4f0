/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * pixel-trainer.h: what pixel-trainer.c, pixel-course.c, pixel-score.c, pixel-near.c and pixel-result.c share.
 */
#pragma once

#include "train/pixel-head.h"
#include "train/pixel-photo.h"

typedef struct _PixelCourse PixelCourse;
typedef struct _PixelNear   PixelNear;

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
  PixelCourse       *course;    /* during a run; NULL otherwise */
  double             loss;      /* of the last run's steps; negative: none yet */
  double             score;     /* … on what is kept out; NAN: too little is; negative: it wasn't judged meanwhile */
  FoveaSession      *answer;    /* of the head over the maps; NULL: the head has changed */
  gboolean           answer_has_places;
  PixelNear         *near;      /* of the last run, on the only painted photo; NULL: none */
  guint64            n_runs, n_steps;
  char              *base_name, *base_licence; /* the latter NULL: not known */
};

/* Painted photos. */
guint       pixel_trainer_count_painted (const FoveaPixelTrainer *trainer);

/* Measures the features and makes a first head where there is none. */
gboolean    pixel_trainer_begin (FoveaPixelTrainer *trainer, GCancellable *cancellable, GError **error);

/* What has been learned by now, also within a run. NULL with an error where nothing has. Free with fovea_model_unref. */
FoveaModel *pixel_trainer_take_head (const FoveaPixelTrainer *trainer, GError **error);

/* ---- a part of what is painted, kept out ---- */

/* A part of the photos, or, where there are few, of the strokes of each class. */
typedef struct
{
  guint    n_folds, fold;
  gboolean by_photo;
} PixelFold;

/* photo: its number among the painted ones. fold NULL: nothing is kept out. */
gboolean         pixel_fold_holds         (const PixelFold *fold, guint photo, const PixelSample *sample);

/* The first of the parts in turn; FALSE: too little is painted. */
gboolean         pixel_score_choose_folds (const FoveaPixelTrainer *trainer, PixelFold *fold);

/* What a head says of that part, of about `most` of its samples at most, spread over all. NULL with an error. */
FoveaPixelScore *pixel_score_fold         (const FoveaPixelTrainer *trainer, FoveaModel *head, const PixelFold *fold, gsize most, GCancellable *cancellable,
                                           GError **error);
