/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * training-report.h: what a training that is at work tells those who watch: its curve and, now and then, what its model says of a photo. The thread that trains
 * writes it, another reads it. No GIMP.
 */
#pragma once

#include "model-answer.h"

typedef struct
{
  double fraction; /* of the training */
  double loss;
  double score;    /* 0 to 1, on what is kept out; NAN: too little is, or nothing; negative: it isn't judged meanwhile */
} TrainingPoint;

typedef struct _TrainingReport TrainingReport;

/* photo: that the model is asked about, borrowed; NULL: none. */
TrainingReport *training_report_new          (const FoveaPhoto *photo);
void            training_report_free         (TrainingReport *report);

/* ---- for the thread that trains ---- */

void            training_report_add_point    (TrainingReport *report, const TrainingPoint *point);

/* The same after each of many steps, of which some become points. */
void            training_report_add_step     (TrainingReport *report, const TrainingPoint *point);

/* Whether it is time to ask the model again: a tenth of the time goes into that at most. The first time begins the clock. */
gboolean        training_report_is_due       (TrainingReport *report);

/* Asks the model, NULL: does nothing. What goes wrong here does so in the training or where the model is used, too, which say it. */
void            training_report_ask          (TrainingReport *report, FoveaModel *model, GCancellable *cancellable);

/* When to ask the next time, of a question that was begun then and is answered now: a tenth of the time goes into them at most. Monotonic microseconds. */
gint64          training_report_rest         (gint64 began);

/* ---- for those who watch ---- */

guint           training_report_count_points (TrainingReport *report);
GArray         *training_report_get_curve    (TrainingReport *report); /* of TrainingPoint; free with g_array_unref */
ModelAnswer    *training_report_take_answer  (TrainingReport *report); /* NULL: nothing new. Free with model_answer_free */
