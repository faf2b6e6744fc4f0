/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * teacher.c: see teacher.h.
 */

#include "train/teacher.h"

#include "train/feature-cache.h"
#include "train/head.h"
#include "vision/sidecar.h"

#define N_MEASURED 512 /* photos that the features are standardized by */

struct _Teacher
{
  FoveaSettings *settings;        /* the teacher's, at the size of the network that learns */
  FoveaSession  *session;
  guint          batch;
  gsize          n_features;
  int            from[3];         /* plane of the learning network's input for each of the teacher's */
  float          factor[3], shift[3];
  float         *mean, *scale;
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

Teacher *
teacher_new (FoveaModel *model, const LoaderSettings *plain, const guint *order, gsize n, GCancellable *cancellable, GError **error)
{
  Teacher               *teacher = g_new0 (Teacher, 1);
  FoveaShape             shape = { .n_dims = 4, .dims = { plain->batch, 3, plain->settings->height, plain->settings->width } };
  g_autofree char       *name = NULL;
  g_autoptr (FoveaModel) open = head_open (model), cut = NULL, features = NULL;

  teacher->batch = plain->batch;
  teacher->settings = fovea_settings_read (model, error);
  if (teacher->settings && (teacher->settings->channels != 3 || teacher->settings->nhwc))
    g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_UNSUPPORTED, "“%s” doesn't take RGB in planes, so that it can't teach here. Choose another teacher.",
                 fovea_model_get_name (model));
  else if (teacher->settings)
    cut = head_replace (open, &shape, 1, 0, &name, error);
  features = cut ? head_cut (cut, name, error) : NULL;
  if (features)
    {
      teacher->settings->width = plain->settings->width;
      teacher->settings->height = plain->settings->height;
      match_planes (teacher, plain->settings);
      if (open_session (teacher, features, plain->n_threads, error) && measure (teacher, features, plain, order, n, cancellable, error))
        return teacher;
    }
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
  g_free (teacher);
}

gsize
teacher_count (const Teacher *teacher)
{
  return teacher->n_features;
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
  for (gsize i = 0; i < teacher->batch * teacher->n_features; i++)
    features[i] = (features[i] - teacher->mean[i % teacher->n_features]) * teacher->scale[i % teacher->n_features];
  return features;
}
