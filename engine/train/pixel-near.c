/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * pixel-near.c: see pixel-near.h. It is a trainer of its own whose features are some of the other's and whose photos are the other's photos.
 */

#include "train/pixel-near.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "train/pixel-course.h"

#define FIRST_STEPS 200
#define MORE_STEPS  80
#define USUAL_SHARE 0.5  /* of its logits that counts beside those of a head that tells as many of the cells apart that were kept out; */
#define WORSE       2.0  /* less by so much for what it tells apart less, */
#define LEAST_SHARE 0.2
#define PROOF       0.12 /* and where it tells apart more than this beyond that head, */
#define BETTER      30.0 /* … more by so much: colour is what matters there */
#define MOST_SHARE  5.0
#define NEARLY_ALL  0.95 /* where it nears all of them from here, this much at least: */
#define ALL_SHARE   2.0

struct _PixelNear
{
  PixelFeatures     features; /* its taps are borrowed */
  guint            *taps;     /* features.n of them: numbers among the other's */
  FoveaPixelTrainer trainer;
  FoveaModel       *head;     /* that has learned */
  FoveaSession     *answer;
  double            accuracy; /* on strokes that were kept from it, when it was judged last; negative: too little is painted */
  double            ahead;    /* what that is more than the other head's, a running mean: of few strokes single ones say little; NAN: not known */
};

/* ---- the part of the features ------------------------------------------------------------------------------------------------------------ */

static gboolean
is_near (const PixelFeatures *features, const PixelTap *tap)
{
  return !tap->general && 2 * tap->size >= features->grid;
}

static void
choose_taps (PixelNear *near, const PixelFeatures *all)
{
  near->features = (PixelFeatures) { .model = all->model, .taps = g_new (PixelTap, all->n), .side = all->side, .grid = all->grid };
  near->taps = g_new (guint, all->n);
  for (guint i = 0; i < all->n; i++)
    {
      if (!is_near (all, &all->taps[i]))
        continue;
      near->taps[near->features.n] = i;
      near->features.taps[near->features.n] = all->taps[i];
      near->features.taps[near->features.n++].general = TRUE; /* to itself nothing is special */
      near->features.n_features += (gsize) all->taps[i].channels;
    }
  near->features.n_mapped = near->features.n_features;
}

/* Of a row of all features those that are near. */
static void
take_near (const PixelNear *near, const PixelFeatures *all, const float *from, float *to)
{
  for (guint i = 0; i < all->n; from += all->taps[i++].channels)
    if (is_near (all, &all->taps[i]))
      {
        memcpy (to, from, (gsize) all->taps[i].channels * sizeof *to);
        to += all->taps[i].channels;
      }
}

/* Its samples as they are now, with fewer features; nothing else of a photo is looked at. */
static PixelPhoto *
copy_photo (const PixelNear *near, const PixelFeatures *all, const PixelPhoto *photo, GError **error)
{
  PixelPhoto *copy = g_new0 (PixelPhoto, 1);
  gsize       n = near->features.n_features;

  copy->samples = g_array_copy (photo->samples);
  copy->features = memory_alloc_n (MAX (photo->samples->len, 1), n * sizeof (float), "the colours of painted pixels", error);
  for (gsize i = 0; copy->features && i < photo->samples->len; i++)
    take_near (near, all, photo->features + i * all->n_features, copy->features + i * n);
  if (!copy->features)
    g_clear_pointer (&copy, pixel_photo_free);
  return copy;
}

/* ---- learning ---------------------------------------------------------------------------------------------------------------------------- */

static gboolean
begin (PixelNear *near, const FoveaPixelTrainer *all, GError **error)
{
  FoveaPixelTrainer *own = &near->trainer;
  gsize              n;

  choose_taps (near, all->features);
  n = near->features.n_features;
  *own = (FoveaPixelTrainer) { .settings = all->settings, .input = all->input, .features = &near->features, .loss = -1, .score = -1 };
  own->settings.n_threads = 1; /* its steps are too small to share */
  own->photos = g_ptr_array_new_with_free_func ((GDestroyNotify) pixel_photo_free);
  own->mean = g_new (float, n);
  own->scale = g_new (float, n);
  take_near (near, all->features, all->mean, own->mean);
  take_near (near, all->features, all->scale, own->scale);
  for (guint i = 0; i < all->photos->len; i++)
    {
      PixelPhoto *photo = copy_photo (near, all->features, g_ptr_array_index (all->photos, i), error);

      if (!photo)
        return FALSE;
      g_ptr_array_add (own->photos, photo);
    }
  return TRUE;
}

gboolean
pixel_near_judge (PixelNear *near, double accuracy, GCancellable *cancellable, GError **error)
{
  g_autoptr (FoveaPixelScore) score = fovea_pixel_trainer_judge (&near->trainer, cancellable, error);

  near->accuracy = score && score->enough ? score->accuracy : -1.0;
  if (near->accuracy >= 0.0 && accuracy >= 0.0)
    near->ahead = isnan (near->ahead) ? near->accuracy - accuracy : (near->ahead + near->accuracy - accuracy) / 2;
  return score != NULL;
}

typedef struct
{
  PixelNear    *near;
  GCancellable *cancellable;
  GError       *error;
} JudgeWork;

static gpointer
judge_in_thread (gpointer data)
{
  JudgeWork *work = data;

  pixel_near_judge (work->near, -1.0, work->cancellable, &work->error);
  return NULL;
}

/* Judged meanwhile are heads of its own: users wait for this. */
static gboolean
learn_and_judge (PixelNear *near, GCancellable *cancellable, GError **error)
{
  JudgeWork work = { near, cancellable, NULL };
  GThread  *thread = g_thread_new ("judge", judge_in_thread, &work);

  near->head = pixel_course_learn (&near->trainer, NULL, NULL, FIRST_STEPS, cancellable, error);
  g_thread_join (thread);
  if (work.error && near->head)
    {
      g_propagate_error (error, work.error);
      return FALSE;
    }
  g_clear_error (&work.error);
  return near->head != NULL;
}

static gboolean
learn (PixelNear *near, const PixelNear *before, GCancellable *cancellable, GError **error)
{
  near->ahead = before ? before->ahead : NAN;
  if (!before)
    return learn_and_judge (near, cancellable, error);
  near->accuracy = before->accuracy;
  near->head = pixel_course_learn (&near->trainer, before->head, NULL, MORE_STEPS, cancellable, error);
  return near->head != NULL;
}

static gboolean
make_answer (PixelNear *near, guint n_threads, GError **error)
{
  g_autoptr (FoveaSessionOptions) options = fovea_session_options_new ();
  const PixelScale                scale = { near->trainer.mean, near->trainer.scale };
  g_autoptr (FoveaModel)          model = pixel_head_join (&near->features, near->head, &scale, PIXEL_JOIN_MAPS, error);

  if (!model)
    return FALSE;
  fovea_session_options_set_threads (options, n_threads);
  near->answer = fovea_session_new (model, options, error);
  return near->answer != NULL;
}

PixelNear *
pixel_near_new (const FoveaPixelTrainer *trainer, GCancellable *cancellable, GError **error)
{
  PixelNear *near = g_new0 (PixelNear, 1);

  if (!begin (near, trainer, error) || !learn (near, trainer->near, cancellable, error) || !make_answer (near, trainer->settings.n_threads, error))
    g_clear_pointer (&near, pixel_near_free);
  return near;
}

void
pixel_near_free (PixelNear *near)
{
  if (!near)
    return;
  g_clear_pointer (&near->answer, fovea_session_free);
  g_clear_pointer (&near->head, fovea_model_unref);
  g_clear_pointer (&near->trainer.head, fovea_model_unref);
  g_clear_pointer (&near->trainer.photos, g_ptr_array_unref);
  g_free (near->trainer.mean);
  g_free (near->trainer.scale);
  g_free (near->features.taps);
  g_free (near->taps);
  g_free (near);
}

/* ---- answering --------------------------------------------------------------------------------------------------------------------------- */

/* The other head is taken for a good one where it isn't known. */
static float
choose_share (const PixelNear *near)
{
  double ahead = isnan (near->ahead) ? near->accuracy - NEARLY_ALL : near->ahead;
  double share = USUAL_SHARE + WORSE * MIN (ahead, 0.0) + BETTER * MAX (ahead - PROOF, 0.0);
  double all = LEAST_SHARE + (ALL_SHARE - LEAST_SHARE) * CLAMP ((near->accuracy - NEARLY_ALL) / (1.0 - NEARLY_ALL), 0.0, 1.0);

  return (float) MAX (CLAMP (share, LEAST_SHARE, MOST_SHARE), all);
}

gboolean
pixel_near_add (PixelNear *near, float *const *maps, float *logits, GCancellable *cancellable, GError **error)
{
  const float        share = choose_share (near);
  const FoveaTensor *out;

  for (guint i = 0; i < near->features.n; i++)
    {
      FoveaTensor *in = fovea_session_get_input (near->answer, i);

      memcpy (in->data, maps[near->taps[i]], in->size);
    }
  if (!fovea_session_run (near->answer, cancellable, NULL, NULL, error))
    return FALSE;
  out = fovea_session_get_output (near->answer, 0);
  for (gsize i = 0; i < out->size / sizeof (float); i++)
    logits[i] += share * ((const float *) out->data)[i];
  return TRUE;
}
