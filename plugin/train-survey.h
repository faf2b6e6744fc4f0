/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * train-survey.h: what the Train window has to learn from: the labels of one image, of all open ones, or of a folder's XCF files, of which one after the other is
 * opened, counted and closed again; and the folder's labelled photos. All of it a little at a time, while the window lives. On the main thread.
 */
#pragma once

#include <libgimp/gimp.h>

#include "fovea.h"

typedef struct
{
  FoveaTask task;        /* that is wanted, or what the labels are for; UNKNOWN: it isn't known yet */
  gboolean  are_strokes; /* painted pixels of images: light layers learn on them, not a network on photos */
  guint     n_photos;    /* to learn from, as far as it is known */
  int       longest;     /* side of the images, likewise; pixels */
  char     *text;        /* a line for each class: what it has; NULL: not known yet */
  char    **advice;      /* what is missing, and what is doubtful; NULL: not known yet */
  char     *trouble;     /* why there is nothing to learn from; NULL: there is something, or it isn't known yet */
} TrainFindings;

typedef struct _TrainSurvey TrainSurvey;

/* `changed` is called whenever something more has been found. */
TrainSurvey         *train_survey_new   (GimpProcedureConfig *config, GimpImage *image, void (*changed) (gpointer user_data), gpointer user_data);
void                 train_survey_free  (TrainSurvey *survey);

/* Finds out what can be said at once of what the settings say now; counting stops. */
void                 train_survey_look  (TrainSurvey *survey);

/* Counts, when the main loop has nothing else to do. What was found before stays until there is something new. */
void                 train_survey_count (TrainSurvey *survey);

/* Closes what it has opened. */
void                 train_survey_stop  (TrainSurvey *survey);

const TrainFindings *train_survey_get   (const TrainSurvey *survey);
