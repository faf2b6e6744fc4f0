/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * training-report.c: see training-report.h.
 */

#include "training-report.h"

#define N_POINTS       100 /* that steps become */
#define ANSWER_SECONDS 1   /* between two answers about the photo, at least, and */
#define ANSWER_REST    9   /* times as long as one takes */

struct _TrainingReport
{
  const FoveaPhoto *photo;       /* NULL: none is to be answered about */
  gint64            next_answer; /* 0: the clock hasn't begun */
  GMutex            mutex;       /* of what follows */
  GArray           *curve;
  ModelAnswer      *answer;      /* NULL: nothing new */
};

TrainingReport *
training_report_new (const FoveaPhoto *photo)
{
  TrainingReport *report = g_new0 (TrainingReport, 1);

  report->photo = photo;
  report->curve = g_array_new (FALSE, FALSE, sizeof (TrainingPoint));
  g_mutex_init (&report->mutex);
  return report;
}

void
training_report_free (TrainingReport *report)
{
  g_clear_pointer (&report->answer, model_answer_free);
  g_array_unref (report->curve);
  g_mutex_clear (&report->mutex);
  g_free (report);
}

void
training_report_add_point (TrainingReport *report, const TrainingPoint *point)
{
  g_mutex_lock (&report->mutex);
  g_array_append_val (report->curve, *point);
  g_mutex_unlock (&report->mutex);
}

void
training_report_add_step (TrainingReport *report, const TrainingPoint *point)
{
  if (point->fraction * N_POINTS >= training_report_count_points (report))
    training_report_add_point (report, point);
}

gint64
training_report_rest (gint64 began)
{
  gint64 now = g_get_monotonic_time ();

  return now + MAX (ANSWER_REST * (now - began), ANSWER_SECONDS * G_USEC_PER_SEC);
}

gboolean
training_report_is_due (TrainingReport *report)
{
  if (report->next_answer == 0)
    report->next_answer = training_report_rest (g_get_monotonic_time ());
  return report->photo && g_get_monotonic_time () >= report->next_answer;
}

void
training_report_ask (TrainingReport *report, FoveaModel *model, GCancellable *cancellable)
{
  gint64       began = g_get_monotonic_time ();
  ModelAnswer *answer = model && report->photo ? model_answer_new (model, NULL, report->photo, cancellable, NULL, NULL, NULL) : NULL;

  report->next_answer = training_report_rest (began);
  if (!answer)
    return;
  g_mutex_lock (&report->mutex);
  g_clear_pointer (&report->answer, model_answer_free);
  report->answer = answer;
  g_mutex_unlock (&report->mutex);
}

guint
training_report_count_points (TrainingReport *report)
{
  guint n;

  g_mutex_lock (&report->mutex);
  n = report->curve->len;
  g_mutex_unlock (&report->mutex);
  return n;
}

GArray *
training_report_get_curve (TrainingReport *report)
{
  GArray *curve;

  g_mutex_lock (&report->mutex);
  curve = g_array_copy (report->curve);
  g_mutex_unlock (&report->mutex);
  return curve;
}

ModelAnswer *
training_report_take_answer (TrainingReport *report)
{
  ModelAnswer *answer;

  g_mutex_lock (&report->mutex);
  answer = g_steal_pointer (&report->answer);
  g_mutex_unlock (&report->mutex);
  return answer;
}
