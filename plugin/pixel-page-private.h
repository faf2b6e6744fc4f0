/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * pixel-page-private.h: what the files of the strokes' page share: pixel-page.c is the page, pixel-page-learn.c learns, pixel-page-uses.c uses what was learned.
 */
#pragma once

#include "label-watch.h"
#include "look.h"
#include "pixel-keeping.h"
#include "pixel-page.h"
#include "training-report.h"
#include "train-view.h"

struct _PixelPage
{
  GimpProcedureConfig *config;
  GimpImage           *image;
  TrainSurvey         *survey;
  GtkWidget           *widget, *view, *bars, *advice, *scroll, *curve, *score, *confusion, *next, *train, *estimate, *pause, *stop, *cancel, *live, *apply,
                      *places, *save, *export;
  Look                *look;
  PixelTraining       *training;
  LabelLayers         *labels;      /* as they were read last; NULL: none */
  LabelWatch          *watch;
  GeglRectangle        stale;       /* what was painted on since `painted` was drawn */
  guint8              *painted;     /* as label-examples.h draws it; NULL: to be drawn */
  guint8              *cells;       /* the same as the trainer takes it; NULL: not known yet */
  guint8              *colours;     /* of the training's classes */
  FoveaMasks          *masks, *new_masks;   /* shown; made by the worker */
  gboolean            *are_background; /* of the masks' classes: the training may know others since */
  TrainAnswer         *answer, *new_answer;
  TrainAnswer         *present;     /* what a long learning says meanwhile: shown instead of `answer`; NULL: nothing yet */
  TrainAnswer         *new_present; /* made by the worker; atomic */
  gint64               next_present; /* when it makes another, monotonic */
  gboolean             has_photo;   /* the trainer has looked at it */
  gboolean             are_new;     /* the classes are others than the trainer's */
  gboolean             is_other;    /* … the settings are: it begins anew */
  double               look_seconds, learn_seconds; /* that those took; 0: not known */
  TrainingReport      *report;      /* of the last learning; NULL: there was none */
  guint                n_points;    /* of its curve that is shown */
  guint                n_steps;     /* of the learning that took so long; 0: there was none */
  gboolean             wants;       /* the user wants to learn, not only to have the photo looked at */
  gboolean             is_live;     /* … because something was painted: where that is too little, nothing is said */
  gboolean             learns;      /* the worker is to */
  GCancellable        *halt;        /* ends the learning well, with what was learned by then */
  gint                 is_paused;   /* atomic */
  gint                 takes_steps; /* the worker is at that; atomic */
  gboolean             keeps;       /* the learning takes long: it is kept meanwhile, and the model is saved when it is done */
  PhotoOrder          *order;       /* … and what it was asked for; NULL: it doesn't */
  PixelKeeping        *keeping;     /* of the last long learning, until its model is saved or something else is learned; NULL: there is none */
  gboolean             judge;       /* what it is worth is to be found */
  FoveaPixelScore     *new_score;   /* made by the worker */
  gboolean             is_unsaved;
  char                *saved;       /* file of the model; NULL: none was saved here */
  gint64               next_poll;
  char                *trouble; /* that the last poll met: it is said once */
  guint                poll, acting; /* sources; acting 0: none */
  gboolean             is_shown;
};

/* Before the worker learns, on the main thread, while no worker is at work. FALSE with an error in words. */
gboolean pixel_page_begin_learning (PixelPage *page, GError **error);

/* What the worker does: `run` of LookSteps. */
gboolean pixel_page_run            (const FoveaPhoto *photo, GCancellable *cancellable, FoveaProgress progress, gpointer progress_data, gpointer page, GError **error);

/* … once more, with what was learned: new_masks, new_answer. */
gboolean pixel_page_look_again     (PixelPage *page, GCancellable *cancellable, GError **error);

/* After it, on the main thread. Not done: what was there before a long learning is there again. */
void     pixel_page_end_learning   (PixelPage *page, gboolean done);

/* The trainer has learned something. */
gboolean pixel_page_has_run        (const PixelPage *page);

/* Lets go of what is kept, and removes it where its training isn't to go on. */
void     pixel_page_forget_kept    (PixelPage *page, gboolean remove);

/* The model, which may have no score yet. */
void     pixel_page_save_as        (PixelPage *page, const char *name);

/* Callbacks of buttons. */
void pixel_page_on_save   (GtkButton *button, PixelPage *page);
void pixel_page_on_apply  (GtkButton *button, PixelPage *page);
void pixel_page_on_export (GtkButton *button, PixelPage *page);
