/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * pixel-course.c: see pixel-course.h. Batches of painted cells are drawn by chance, the classes equally often. In each some cells see only a part of their
 * features: a head that leans on the colours of one photo alone would fail on the next.
 */

#include "train/pixel-course.h"

#include <glib/gi18n.h>
#include <string.h>

#include "train/learner.h"
#include "train/loss.h"
#include "train/random.h"
#include "train/schedule.h"

#define BATCH        256
#define SMOOTHING    0.05
#define LOSS_SHARE   0.1  /* of a step in the moving mean */
#define WEIGHT_DECAY 0.02
#define HIDE_COLOUR  0.35 /* share of the cells that see general features only */
#define HIDE_GENERAL 0.10 /* … that see colour and fine maps only */
#define HIDE_PLACES  0.35 /* … that don't see where in the photo they are: the head is for others, too */

/* Where it stands, beside what the learner keeps; goes into a file as it is. */
typedef struct
{
  Random  random;
  guint64 step, n_steps;
  double  loss; /* a moving mean; negative: none yet */
} Mark;

struct _PixelCourse
{
  const FoveaPixelTrainer *trainer;
  Learner    *learner;
  GPtrArray **pools;    /* n_classes of float*: the samples of each class, their features */
  guint       n_classes;
  guint      *filled;   /* n_filled classes that have some */
  guint       n_filled;
  gboolean    places;   /* where in the photo a cell lies says something, as all lie in one */
  float      *targets;  /* (BATCH, n_classes) */
  Mark        mark;
};

static void
gather (PixelCourse *course, const PixelFold *fold)
{
  const FoveaPixelTrainer *trainer = course->trainer;

  course->n_classes = (guint) trainer->input->n_labels;
  course->pools = g_new (GPtrArray *, course->n_classes);
  course->filled = g_new (guint, course->n_classes);
  for (guint c = 0; c < course->n_classes; c++)
    course->pools[c] = g_ptr_array_new ();
  for (guint i = 0, painted = 0; i < trainer->photos->len; i++)
    {
      const PixelPhoto *photo = g_ptr_array_index (trainer->photos, i);

      for (guint k = 0; k < photo->samples->len; k++)
        {
          const PixelSample *sample = &g_array_index (photo->samples, PixelSample, k);

          if (!pixel_fold_holds (fold, painted, sample))
            g_ptr_array_add (course->pools[sample->label], photo->features + k * trainer->features->n_features);
        }
      painted += photo->samples->len > 0;
    }
  course->places = pixel_trainer_count_painted (trainer) == 1;
  for (guint c = 0; c < course->n_classes; c++)
    if (course->pools[c]->len > 0)
      course->filled[course->n_filled++] = c;
}

PixelCourse *
pixel_course_new (const FoveaPixelTrainer *trainer, FoveaModel *head, const PixelFold *fold, guint n_steps, guint64 seed, GError **error)
{
  const FoveaShape        shape = { .n_dims = 2, .dims = { BATCH, (gint64) trainer->features->n_features } };
  LearnerSettings         settings = { .n_threads = trainer->settings.n_threads, .seed = trainer->settings.seed, .momentum = 0.1 };
  g_autoptr (PixelCourse) course = g_new0 (PixelCourse, 1);

  settings.optimizer = (OptimizerSettings) { .kind = FOVEA_OPTIMIZER_ADAMW, .momentum = 0.9, .second = 0.999, .weight_decay = WEIGHT_DECAY, .clip = 5.0, .average = 0.95 };
  course->trainer = trainer;
  course->mark = (Mark) { random_stream (seed, 0xba7c, 0), 0, n_steps, -1 };
  gather (course, fold);
  course->targets = g_new (float, (gsize) BATCH * course->n_classes);
  course->learner = learner_new (head, &shape, &settings, error);
  return course->learner ? g_steal_pointer (&course) : NULL;
}

void
pixel_course_free (PixelCourse *course)
{
  if (!course)
    return;
  for (guint c = 0; c < course->n_classes; c++)
    g_ptr_array_unref (course->pools[c]);
  g_free (course->pools);
  g_free (course->filled);
  g_free (course->targets);
  g_clear_pointer (&course->learner, learner_free);
  g_free (course);
}

guint
pixel_course_count (const PixelCourse *course)
{
  return (guint) course->mark.n_steps;
}

guint
pixel_course_get_step (const PixelCourse *course)
{
  return (guint) course->mark.step;
}

double
pixel_course_get_loss (const PixelCourse *course)
{
  return course->mark.loss;
}

FoveaModel *
pixel_course_make_head (const PixelCourse *course, GError **error)
{
  return learner_make_model (course->learner, NULL, error);
}

static void
fill_batch (PixelCourse *course)
{
  const FoveaPixelTrainer *trainer = course->trainer;
  const PixelFeatures     *features = trainer->features;
  float                   *input = learner_get_input (course->learner), *targets = course->targets;
  Random                  *random = &course->mark.random;

  memset (targets, 0, (gsize) BATCH * course->n_classes * sizeof (float));
  for (guint i = 0; i < BATCH; i++, targets += course->n_classes)
    {
      guint        label = course->filled[random_below (random, course->n_filled)];
      const float *from = g_ptr_array_index (course->pools[label], random_below (random, course->pools[label]->len));
      double       chance = random_between (random, 0.0, 1.0);
      gsize        at = 0;

      targets[label] = 1.0f;
      for (guint t = 0; t < features->n; t++)
        {
          gboolean hidden = features->taps[t].general ? chance >= 1.0 - HIDE_GENERAL : chance < HIDE_COLOUR;

          for (gint64 c = 0; c < features->taps[t].channels; c++, at++)
            *input++ = hidden ? 0.0f : (from[at] - trainer->mean[at]) * trainer->scale[at];
        }
      chance = course->places ? random_between (random, 0.0, 1.0) : 0.0;
      for (; at < features->n_features; at++)
        *input++ = chance < HIDE_PLACES ? 0.0f : (from[at] - trainer->mean[at]) * trainer->scale[at];
    }
}

static void
lose (const TensorView *outputs, const TensorView *gradients, guint n, gpointer user_data)
{
  PixelCourse *course = user_data;
  double       loss;

  loss = loss_softmax (outputs[0].data, course->targets, NULL, (gsize) outputs[0].shape.dims[0], (gsize) outputs[0].shape.dims[1], 1, SMOOTHING, gradients[0].data);
  course->mark.loss = course->mark.loss < 0 ? loss : course->mark.loss + LOSS_SHARE * (loss - course->mark.loss);
}

gboolean
pixel_course_step (PixelCourse *course, GCancellable *cancellable, GError **error)
{
  double   rate = course->trainer->settings.learning_rate * schedule_rate (FOVEA_SCHEDULE_COSINE, (double) course->mark.step / (double) course->mark.n_steps, 0.1);
  gboolean finite = TRUE;

  fill_batch (course);
  if (g_cancellable_set_error_if_cancelled (cancellable, error) || !learner_step (course->learner, lose, course, rate, NULL, &finite, cancellable, error))
    return FALSE;
  course->mark.step++;
  return TRUE;
}

FoveaModel *
pixel_course_learn (const FoveaPixelTrainer *trainer, FoveaModel *head, const PixelFold *fold, guint n_steps, GCancellable *cancellable,
                    GError **error)
{
  g_autoptr (FoveaModel)  from = head ? fovea_model_ref (head) : pixel_head_new (trainer->features->n_features, (guint) trainer->input->n_labels, trainer->settings.seed, error);
  g_autoptr (PixelCourse) course = from ? pixel_course_new (trainer, from, fold, n_steps, trainer->settings.seed, error) : NULL;

  for (guint step = 0; course && step < n_steps; step++)
    if (!pixel_course_step (course, cancellable, error))
      return NULL;
  return course ? pixel_course_make_head (course, error) : NULL;
}

/* ---- checkpoints ------------------------------------------------------------------------------------------------------------------------- */

gboolean
pixel_course_save (const PixelCourse *course, const char *path, GError **error)
{
  g_autoptr (GBytes) mark = g_bytes_new (&course->mark, sizeof course->mark);

  if (learner_save (course->learner, path, mark, error))
    return TRUE;
  g_prefix_error (error, _("The training can't be kept in “%s”; the last state that was kept is whole. "), path);
  return FALSE;
}

gboolean
pixel_course_load (PixelCourse *course, const char *path, GError **error)
{
  g_autoptr (GBytes) bytes = learner_load (course->learner, path, error);
  const Mark        *mark = bytes && g_bytes_get_size (bytes) == sizeof *mark ? g_bytes_get_data (bytes, NULL) : NULL;

  if (!bytes)
    return FALSE;
  if (!mark || mark->n_steps != course->mark.n_steps || mark->step > mark->n_steps)
    {
      g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_ARGUMENT, _("“%s” belongs to a training with other settings or data. Train with those, or delete it to begin anew."), path);
      return FALSE;
    }
  course->mark = *mark;
  return TRUE;
}
