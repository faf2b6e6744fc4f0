/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * teacher.c: see teacher.h.
 */

#include "train/teacher.h"

#include <math.h>
#include <string.h>

#include "train/feature-cache.h"
#include "train/head.h"
#include "vision/decode-classes.h"
#include "vision/sidecar.h"

#define N_MEASURED 512 /* photos that the features are standardized by */
#define LEAST      1e-30 /* share of a class among others, and … */
#define LEAST_TAG  1e-6  /* … alone: what is less counts as that */

struct _Teacher
{
  FoveaSettings *settings;        /* the teacher's, at the size of the network that learns */
  FoveaSession  *session;
  guint          batch;
  gsize          n_features;      /* or classes of the teacher */
  int            from[3];         /* plane of the learning network's input for each of the teacher's */
  float          factor[3], shift[3];
  float         *mean, *scale;    /* NULL: it is asked for answers */
  gsize          n_classes;       /* of the data: */
  gssize        *classes;         /* the teacher's for each; -1: it doesn't know it */
  gboolean       is_exclusive;    /* the data's photos are of one class each */
  float         *answers;         /* (batch, n_classes) */
};

/* From one network's normalized planes to another's. */
static void
match_planes (Teacher *teacher, const FoveaSettings *learner)
{
  const FoveaSettings *own = teacher->settings;

  for (int plane = 0; plane < 3; plane++)
    {
      int    channel = own->bgr ? 2 - plane : plane;
      double to_unit = learner->std[channel] / learner->range, unit_mean = learner->mean[channel] / learner->range;

      teacher->from[plane] = learner->bgr ? 2 - channel : channel;
      teacher->factor[plane] = (float) (to_unit * own->range / own->std[channel]);
      teacher->shift[plane] = (float) ((unit_mean * own->range - own->mean[channel]) / own->std[channel]);
    }
}

static gboolean
open_session (Teacher *teacher, FoveaModel *features, guint n_threads, GError **error)
{
  g_autoptr (FoveaSessionOptions) options = fovea_session_options_new ();
  const FoveaShape                shape = { .n_dims = 4, .dims = { teacher->batch, 3, teacher->settings->height, teacher->settings->width } };

  fovea_session_options_set_threads (options, n_threads);
  fovea_session_options_set_shape (options, fovea_model_get_input (features, 0)->name, &shape);
  teacher->session = fovea_session_new (features, options, error);
  if (!teacher->session)
    return FALSE;
  teacher->n_features = shape_count (&fovea_session_get_output (teacher->session, 0)->shape) / teacher->batch;
  return TRUE;
}

static gboolean
measure (Teacher *teacher, FoveaModel *features, const LoaderSettings *plain, const guint *order, gsize n, GCancellable *cancellable, GError **error)
{
  LoaderSettings          settings = *plain;
  g_autoptr (GPtrArray)   warnings = g_ptr_array_new_with_free_func (g_free);
  g_autofree guint       *some = g_new (guint, N_MEASURED);
  gsize                   count = MIN (n, N_MEASURED);
  g_autoptr (FeatureCache) cache = NULL;

  for (gsize i = 0; i < count; i++)
    some[i] = order[i * n / count];
  settings.settings = teacher->settings;
  cache = feature_cache_new (features, &settings, some, count, 1, G_MAXUINT64, warnings, cancellable, NULL, NULL, error);
  if (!cache)
    return FALSE;
  feature_cache_measure (cache, &teacher->mean, &teacher->scale);
  return TRUE;
}

/* One that sees what the learning network sees; it has no session yet. */
static Teacher *
invite (FoveaModel *model, const LoaderSettings *plain, GError **error)
{
  Teacher *teacher = g_new0 (Teacher, 1);

  teacher->batch = plain->batch;
  teacher->settings = fovea_settings_read (model, error);
  if (teacher->settings && teacher->settings->channels == 3 && !teacher->settings->nhwc)
    {
      teacher->settings->width = plain->settings->width;
      teacher->settings->height = plain->settings->height;
      match_planes (teacher, plain->settings);
      return teacher;
    }
  if (teacher->settings)
    g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_UNSUPPORTED, "“%s” doesn't take RGB in planes, so that it can't teach here. Choose another teacher.",
                 fovea_model_get_name (model));
  teacher_free (teacher);
  return NULL;
}

Teacher *
teacher_new (FoveaModel *model, const LoaderSettings *plain, const guint *order, gsize n, GCancellable *cancellable, GError **error)
{
  Teacher               *teacher = invite (model, plain, error);
  FoveaShape             shape = { .n_dims = 4, .dims = { plain->batch, 3, plain->settings->height, plain->settings->width } };
  g_autofree char       *name = NULL;
  g_autoptr (FoveaModel) open = head_open (model), cut = teacher ? head_replace (open, NULL, &shape, 1, 0, &name, error) : NULL;
  g_autoptr (FoveaModel) features = cut ? head_cut (cut, name, error) : NULL;

  if (features && open_session (teacher, features, plain->n_threads, error) && measure (teacher, features, plain, order, n, cancellable, error))
    return teacher;
  teacher_free (teacher);
  return NULL;
}

/* Which of the teacher's classes are the data's. */
static gboolean
match_classes (Teacher *teacher, const Dataset *dataset, const char *name, GError **error)
{
  const char *unknown = NULL;
  guint       n_known = 0;

  teacher->n_classes = dataset->n_classes;
  teacher->is_exclusive = dataset->exclusive;
  teacher->classes = g_new (gssize, dataset->n_classes);
  teacher->answers = g_new (float, (gsize) teacher->batch * dataset->n_classes);
  decode_classes_fit_labels (teacher->settings, teacher->n_features);
  for (guint c = 0; c < dataset->n_classes; c++)
    {
      teacher->classes[c] = -1;
      for (guint t = 0; t < teacher->settings->n_labels; t++)
        if (strcmp (teacher->settings->labels[t], dataset->classes[c]) == 0)
          teacher->classes[c] = (gssize) t;
      n_known += teacher->classes[c] >= 0;
      unknown = teacher->classes[c] < 0 ? dataset->classes[c] : unknown;
    }
  if (n_known == 0 || (unknown && dataset->exclusive))
    g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_ARGUMENT, "The teacher “%s” doesn't know “%s”, so that it can't answer for all classes. Choose another teacher, or "
                 "learn its features instead.", name, unknown);
  return n_known > 0 && !(unknown && dataset->exclusive);
}

Teacher *
teacher_new_answers (FoveaModel *model, const LoaderSettings *plain, GError **error)
{
  Teacher               *teacher = invite (model, plain, error);
  g_autoptr (FoveaModel) open = head_open (model);

  if (teacher && open_session (teacher, open, plain->n_threads, error) && match_classes (teacher, plain->dataset, fovea_model_get_name (model), error))
    return teacher;
  teacher_free (teacher);
  return NULL;
}

void
teacher_free (Teacher *teacher)
{
  if (!teacher)
    return;
  g_clear_pointer (&teacher->session, fovea_session_free);
  fovea_settings_free (teacher->settings);
  g_free (teacher->mean);
  g_free (teacher->scale);
  g_free (teacher->classes);
  g_free (teacher->answers);
  g_free (teacher);
}

gsize
teacher_count (const Teacher *teacher)
{
  return teacher->classes ? 0 : teacher->n_features;
}

/* The logit of what a class got: of a sigmoid it is there already; of shares it is found again. */
static double
find_logit (const Teacher *teacher, double value)
{
  double share = CLAMP (value, LEAST_TAG, 1.0 - LEAST_TAG);

  if (teacher->settings->activation == FOVEA_ACTIVATION_SIGMOID)
    return value;
  return teacher->is_exclusive ? log (MAX (value, LEAST)) : log (share / (1.0 - share));
}

static const float *
answer (Teacher *teacher, float *values, GError **error)
{
  FoveaActivation activation = teacher->settings->activation;
  float          *out = teacher->answers;

  for (guint photo = 0; photo < teacher->batch; photo++, values += teacher->n_features)
    {
      if (activation != FOVEA_ACTIVATION_SIGMOID && !decode_classes_activate (activation, values, teacher->n_features, error))
        return NULL;
      for (gsize c = 0; c < teacher->n_classes; c++)
        *out++ = teacher->classes[c] < 0 ? NAN : (float) find_logit (teacher, values[teacher->classes[c]]);
    }
  return teacher->answers;
}

const float *
teacher_run (Teacher *teacher, const float *input, GCancellable *cancellable, GError **error)
{
  gsize  n = (gsize) teacher->settings->width * teacher->settings->height;
  float *own = fovea_session_get_input (teacher->session, 0)->data, *features;

  for (gsize photo = 0; photo < teacher->batch; photo++)
    for (int plane = 0; plane < 3; plane++)
      {
        const float *from = input + (3 * photo + (gsize) teacher->from[plane]) * n;
        float       *to = own + (3 * photo + (gsize) plane) * n;

        for (gsize i = 0; i < n; i++)
          to[i] = from[i] * teacher->factor[plane] + teacher->shift[plane];
      }
  if (!fovea_session_run (teacher->session, cancellable, NULL, NULL, error))
    return NULL;
  features = fovea_session_get_output (teacher->session, 0)->data;
  if (teacher->classes)
    return answer (teacher, features, error);
  for (gsize i = 0; i < teacher->batch * teacher->n_features; i++)
    features[i] = (features[i] - teacher->mean[i % teacher->n_features]) * teacher->scale[i % teacher->n_features];
  return features;
}
