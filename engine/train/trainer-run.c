/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * trainer-run.c: epochs of batches through a Learner, a score after each, checkpoints.
 *
 * What the next step will do depends on the settings, the data, the seed and the mark (epoch, step, …) in the checkpoint only: a training that was killed goes
 * on to the same model to the bit, as long as its end is set by epochs and not by minutes.
 */

#include <glib/gi18n.h>
#include <math.h>
#include <string.h>

#include "train/evaluate.h"
#include "train/head.h"
#include "train/mix.h"
#include "train/rate-finder.h"
#include "train/schedule.h"
#include "train/trainer-private.h"

#define FORMS              5   /* augmented forms whose features are kept, where only the last layer learns */
#define MOST_WEIGHT        4.0 /* of a rare class's photos, or repeats within an epoch */
#define MOST_RECOVERIES    6
#define ALMOST             0.999 /* what is prepared before the first step */
#define PAUSE_TICK         (G_TIME_SPAN_SECOND / 20)

/* ---- an epoch's order -------------------------------------------------------------------------------------------------------------------------- */

/* The square root of how much rarer a class is than the mean (Gupta et al. 2019, arXiv:1908.03195). */
double *
trainer_weigh_classes (const FoveaTrainer *trainer)
{
  guint   n_classes = trainer->dataset->n_classes;
  double *weights = g_new0 (double, n_classes + 1), mean = 0.0;

  for (guint i = 0; i < trainer->train->len; i++)
    {
      const Sample *sample = &g_array_index (trainer->dataset->samples, Sample, g_array_index (trainer->train, guint, i));

      for (guint l = 0; l < sample->n_labels; l++)
        weights[sample->labels[l]] += 1.0;
    }
  for (guint c = 0; c < n_classes; c++)
    mean += weights[c] / n_classes;
  for (guint c = 0; c < n_classes; c++)
    weights[c] = weights[c] > 0.0 ? CLAMP (sqrt (mean / weights[c]), 1.0, MOST_WEIGHT) : 1.0;
  return weights;
}

/* How often a sample comes in an epoch: as its rarest class says. */
static double
count_repeats (const FoveaTrainer *trainer, const Sample *sample, const double *weights)
{
  double repeats = 1.0;

  for (guint l = 0; l < sample->n_labels && trainer->settings.balance && !trainer->settings.balance_by_weight; l++)
    repeats = MAX (repeats, weights[sample->labels[l]]);
  return repeats;
}

/* The samples of an epoch in their order: a whole number of batches, at least one. */
static GArray *
make_order (const FoveaTrainer *trainer, guint64 epoch)
{
  guint              n_full;
  g_autofree double *weights = trainer_weigh_classes (trainer);
  GArray            *order = g_array_new (FALSE, FALSE, sizeof (guint));
  Random             random = random_stream (trainer->settings.seed, 0x0bde, epoch);

  while (order->len < trainer->settings.batch)
    for (guint i = 0; i < trainer->train->len; i++)
      {
        guint  index = g_array_index (trainer->train, guint, i);
        double repeats = count_repeats (trainer, &g_array_index (trainer->dataset->samples, Sample, index), weights) + random_between (&random, 0.0, 1.0);

        for (guint k = 1; k <= (guint) repeats; k++)
          g_array_append_val (order, index);
      }
  random_shuffle (&random, (guint *) (gpointer) order->data, order->len);
  n_full = order->len / trainer->settings.batch * trainer->settings.batch;
  g_array_set_size (order, n_full);
  return order;
}

/* ---- checkpoints ----------------------------------------------------------------------------------------------------------------------------------- */

static gboolean
save_checkpoint (FoveaTrainer *trainer, GError **error)
{
  g_autoptr (GBytes) mark = g_bytes_new (&trainer->mark, sizeof trainer->mark);

  if (!trainer->settings.checkpoint || learner_save (trainer->learner, trainer->settings.checkpoint, mark, error))
    return TRUE;
  g_prefix_error (error, _("The training can't be kept in “%s”; the last state that was kept is whole. "), trainer->settings.checkpoint);
  return FALSE;
}

gboolean
trainer_has_patience (const FoveaTrainer *trainer)
{
  return trainer->settings.patience > 0 && trainer->monitor->len > 0;
}

/* The best network lies beside the checkpoint, or comes from there: so that a training which goes on has it, too. */
static gboolean
save_best (FoveaTrainer *trainer, GError **error)
{
  g_autofree char *path = trainer->settings.checkpoint ? g_strconcat (trainer->settings.checkpoint, ".best", NULL) : NULL;

  return !path || !trainer_has_patience (trainer) || fovea_model_save (trainer->best, path, error);
}

static gboolean
load_best (FoveaTrainer *trainer, GError **error)
{
  g_autofree char *path = g_strconcat (trainer->settings.checkpoint, ".best", NULL);

  if (!trainer_has_patience (trainer) || isnan (trainer->mark.best))
    return TRUE;
  g_clear_pointer (&trainer->best, fovea_model_unref);
  trainer->best = fovea_model_load (path, error);
  trainer->best_score = trainer->mark.best;
  return trainer->best != NULL;
}

static gboolean
load_checkpoint (FoveaTrainer *trainer, GError **error)
{
  g_autoptr (GBytes) bytes = learner_load (trainer->learner, trainer->settings.checkpoint, error);
  const Mark        *mark = bytes && g_bytes_get_size (bytes) == sizeof *mark ? g_bytes_get_data (bytes, NULL) : NULL;

  if (!bytes)
    return FALSE;
  if (!mark || mark->version != 1 || mark->key != trainer->mark.key)
    {
      g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_ARGUMENT, _("“%s” belongs to a training with other settings or data. Train with those, or delete it to begin anew."),
                   trainer->settings.checkpoint);
      return FALSE;
    }
  trainer->mark = *mark;
  return load_best (trainer, error);
}

/* After a number that isn't finite: back to the last good state, at half the rate. */
static gboolean
recover (FoveaTrainer *trainer, GError **error)
{
  guint64 n = trainer->mark.n_recoveries + 1;
  double  scale = trainer->mark.rate_scale / 2.0;

  if (n > MOST_RECOVERIES)
    {
      g_set_error_literal (error, FOVEA_ERROR, FOVEA_ERROR_ARGUMENT,
                           _("The training fell apart again and again: its numbers left all bounds. Try a tenth of the learning rate, and look whether some photos or labels are damaged."));
      return FALSE;
    }
  if (trainer->settings.checkpoint && !load_checkpoint (trainer, error))
    return FALSE;
  trainer->mark.n_recoveries = n;
  trainer->mark.rate_scale = scale;
  g_ptr_array_add (loader_get_warnings (trainer->loader), g_strdup (_("The loss left all bounds; training goes on from the last good state at half the rate.")));
  return save_checkpoint (trainer, error);
}

/* ---- running ------------------------------------------------------------------------------------------------------------------------------------------ */

typedef struct
{
  FoveaTrainProgress progress;
  gpointer           user_data;
  GCancellable      *cancellable;
  gint64             began;      /* minus what had elapsed before */
  gint64             saved;
  gsize              n_images;   /* since this run began */
  gint64             run_began;
  const guint       *order;      /* of this epoch */
  FoveaTrainer      *trainer;
  gboolean           finds_rate; /* it tries learning rates */
  double             rate;       /* of the last step */
} Run;

static double
find_fraction (const FoveaTrainer *trainer, gsize n_steps)
{
  if (trainer->settings.minutes > 0.0)
    return MIN (trainer->mark.elapsed / (trainer->settings.minutes * 60.0), 1.0);
  return ((double) trainer->mark.epoch + (double) trainer->mark.step / (double) n_steps) / trainer->settings.epochs;
}

static void
report (FoveaTrainer *trainer, const Run *run, gsize n_steps, const FoveaEvaluation *score)
{
  double          fraction = find_fraction (trainer, n_steps), seconds = (double) (g_get_monotonic_time () - run->run_began) / 1e6;
  FoveaTrainState state = { .epoch = (guint) trainer->mark.epoch, .n_epochs = trainer->settings.minutes > 0.0 ? 0 : trainer->settings.epochs,
                            .step = trainer->mark.step, .n_steps = n_steps, .fraction = fraction, .loss = trainer->mark.loss, .learning_rate = run->rate,
                            .images_per_second = (double) run->n_images / MAX (seconds, 1e-6), .score = score, .best = trainer->mark.best,
                            .prepared = 1.0 };

  state.seconds_left = trainer->settings.minutes > 0.0 ? trainer->settings.minutes * 60.0 - trainer->mark.elapsed
                       : fraction > 0.0                ? trainer->mark.elapsed / fraction * (1.0 - fraction)
                                                       : -1.0;
  if (run->progress)
    run->progress (&state, run->user_data);
}

/* ---- from other threads ---------------------------------------------------------------------------------------------------------------------------- */

void
fovea_trainer_pause (FoveaTrainer *trainer, gboolean pause)
{
  g_mutex_lock (&trainer->mutex);
  trainer->is_paused = pause;
  g_cond_signal (&trainer->changed);
  g_mutex_unlock (&trainer->mutex);
}

void
fovea_trainer_stop (FoveaTrainer *trainer)
{
  g_mutex_lock (&trainer->mutex);
  trainer->is_stopped = TRUE;
  g_cond_signal (&trainer->changed);
  g_mutex_unlock (&trainer->mutex);
}

gboolean
trainer_is_stopped (FoveaTrainer *trainer)
{
  gboolean is_stopped;

  g_mutex_lock (&trainer->mutex);
  is_stopped = trainer->is_stopped;
  g_mutex_unlock (&trainer->mutex);
  return is_stopped;
}

/* The time that is waited doesn't count. */
static void
wait_while_paused (FoveaTrainer *trainer, Run *run)
{
  gint64 began = g_get_monotonic_time (), waited;

  g_mutex_lock (&trainer->mutex);
  while (trainer->is_paused && !trainer->is_stopped && !g_cancellable_is_cancelled (run->cancellable))
    g_cond_wait_until (&trainer->changed, &trainer->mutex, g_get_monotonic_time () + PAUSE_TICK);
  g_mutex_unlock (&trainer->mutex);
  waited = g_get_monotonic_time () - began;
  run->began += waited;
  run->run_began += waited;
}

/* ---- a step ---------------------------------------------------------------------------------------------------------------------------------------- */

/* FALSE with G_IO_ERROR_CANCELLED, and where the loader fails. */
static const Batch *
next_batch (FoveaTrainer *trainer, const guint *order, GCancellable *cancellable, GError **error)
{
  gsize n = trainer->settings.batch, first = trainer->mark.step * n;

  if (!trainer->on_features)
    return loader_next (trainer->loader, cancellable, error);
  if (g_cancellable_set_error_if_cancelled (cancellable, error))
    return NULL;
  feature_cache_fill (trainer->features, order + first, n, trainer->settings.seed, trainer->mark.epoch, first, &trainer->batch);
  return &trainer->batch;
}

gboolean
trainer_learn_batch (FoveaTrainer *trainer, const guint *order, double rate, double *loss, gboolean *finite, GCancellable *cancellable, GError **error)
{
  const Batch *batch = next_batch (trainer, order, cancellable, error);
  const float *taught = NULL;
  double       norm;
  gsize        n_floats = shape_count (&fovea_session_get_input (learner_get_session (trainer->learner), 0)->shape);
  gsize        n = trainer->settings.batch, side = trainer->on_features ? 0 : (gsize) trainer->input->width;
  float       *input = learner_get_input (trainer->learner);
  Random       random = random_stream (trainer->settings.seed, MIX_STREAM + trainer->mark.epoch, trainer->mark.step);

  *finite = TRUE;
  if (!batch)
    return FALSE;
  memcpy (input, batch->input, n_floats * sizeof (float));
  if (mix_is_wanted (&trainer->settings.augmentation, trainer->dataset))
    mix_batch (&trainer->settings.augmentation, &random, input, n, n_floats / n, side, batch->targets, trainer->dataset->exclusive ? NULL : batch->weights,
               trainer->dataset->n_classes);
  if (trainer->teacher && !(taught = teacher_run (trainer->teacher, input, cancellable, error)))
    return FALSE;
  lesson_begin (trainer->lesson, batch, taught);
  if (!learner_step (trainer->learner, lesson_lose, trainer->lesson, rate, &norm, finite, cancellable, error))
    return FALSE;
  *loss = lesson_get_loss (trainer->lesson);
  return TRUE;
}

/* One step. *done FALSE: the state went back, the epoch begins at another place. */
static gboolean
take_step (FoveaTrainer *trainer, Run *run, gsize n_steps, gboolean *done, GError **error)
{
  double   share = schedule_rate (trainer->settings.schedule, find_fraction (trainer, n_steps), trainer->settings.warm_up), loss;
  gboolean finite;

  *done = TRUE;
  run->rate = share * trainer->settings.learning_rate * trainer->mark.rate_scale;
  wait_while_paused (trainer, run);
  if (!trainer_learn_batch (trainer, run->order, run->rate, &loss, &finite, run->cancellable, error))
    return FALSE;
  if (!finite || !isfinite (loss))
    {
      *done = FALSE;
      return recover (trainer, error);
    }
  trainer->mark.step++;
  trainer->mark.elapsed = (double) (g_get_monotonic_time () - run->began) / 1e6;
  trainer->mark.loss = isnan (trainer->mark.loss) ? loss : 0.98 * trainer->mark.loss + 0.02 * loss;
  run->n_images += trainer->settings.batch;
  report (trainer, run, n_steps, NULL);
  return !learner_is_save_due (&run->saved) || save_checkpoint (trainer, error);
}

const GArray *
trainer_look_at (const FoveaTrainer *trainer)
{
  return trainer->monitor->len > 0 ? trainer->monitor : trainer->val;
}

/* With the backbone before the layer that learned. */
static FoveaEvaluation *
look_whole (FoveaTrainer *trainer, FoveaModel *head, const LoaderSettings *settings, const GArray *samples, GCancellable *cancellable, GError **error)
{
  g_autoptr (FoveaModel) whole = trainer_join_head (trainer, head, error);

  return !whole ? NULL : evaluate_samples (whole, settings, (const guint *) (gconstpointer) samples->data, samples->len, NULL, cancellable, NULL, NULL, error);
}

/* What the network is worth now, on the photos kept out for that; NULL without an error: there are none. */
static FoveaEvaluation *
look (FoveaTrainer *trainer, const GArray *samples, GCancellable *cancellable, GError **error)
{
  LoaderSettings         settings = trainer_loader_settings (trainer, FALSE);
  g_autoptr (FoveaModel) model = samples->len > 0 ? trainer_make_trained (trainer, cancellable, error) : NULL;

  if (model && trainer->on_features)
    return samples == trainer_look_at (trainer) && trainer->judged ? evaluate_features (model, trainer->judged, trainer->dataset, error)
                                                           : look_whole (trainer, model, &settings, samples, cancellable, error);
  return model ? evaluate_samples (model, &settings, (const guint *) (gconstpointer) samples->data, samples->len, NULL, cancellable, NULL, NULL, error) : NULL;
}

/* What fovea_trainer_stop will keep. */
static gboolean
keep_best (FoveaTrainer *trainer, double score, GCancellable *cancellable, GError **error)
{
  FoveaModel *model;

  if (trainer->best && score <= trainer->best_score)
    return TRUE;
  model = trainer_make_trained (trainer, cancellable, error);
  if (!model)
    return FALSE;
  g_clear_pointer (&trainer->best, fovea_model_unref);
  trainer->best = model;
  trainer->best_score = score;
  return save_best (trainer, error);
}

/* By time, by epochs, or because nothing has got better for long. */
static gboolean
has_ended (const FoveaTrainer *trainer)
{
  if (trainer_has_patience (trainer) && trainer->mark.epoch > trainer->mark.best_epoch + trainer->settings.patience)
    return TRUE;
  return trainer->settings.minutes > 0.0 ? trainer->mark.elapsed >= trainer->settings.minutes * 60.0 : trainer->mark.epoch >= trainer->settings.epochs;
}

static gboolean
end_epoch (FoveaTrainer *trainer, Run *run, gsize n_steps, gboolean *stop, GError **error)
{
  GError                     *local = NULL;
  g_autoptr (FoveaEvaluation) score = look (trainer, trainer_look_at (trainer), run->cancellable, &local);

  if (local)
    {
      g_propagate_error (error, local);
      return FALSE;
    }
  if (score && !keep_best (trainer, score->metrics[0].value, run->cancellable, error))
    return FALSE;
  if (score && (isnan (trainer->mark.best) || score->metrics[0].value > trainer->mark.best))
    {
      trainer->mark.best = score->metrics[0].value;
      trainer->mark.best_epoch = trainer->mark.epoch;
    }
  report (trainer, run, n_steps, score);
  trainer->mark.epoch++;
  trainer->mark.step = 0;
  *stop = has_ended (trainer) || trainer_is_stopped (trainer);
  run->saved = g_get_monotonic_time ();
  return save_checkpoint (trainer, error);
}

GArray *
trainer_begin_epoch (FoveaTrainer *trainer, guint64 epoch)
{
  GArray *order = make_order (trainer, epoch);

  trainer->mark.epoch = epoch;
  if (!trainer->on_features)
    loader_start (trainer->loader, (const guint *) (gconstpointer) order->data, order->len, epoch, trainer->mark.step);
  return order;
}

static gboolean
run_epoch (FoveaTrainer *trainer, Run *run, gboolean *stop, GError **error)
{
  g_autoptr (GArray) order = trainer_begin_epoch (trainer, trainer->mark.epoch);
  gsize              n_steps = order->len / trainer->settings.batch;
  gboolean           done, late = FALSE;

  run->order = (const guint *) (gconstpointer) order->data;
  while (trainer->mark.step < n_steps && !late)
    {
      if (!take_step (trainer, run, n_steps, &done, error))
        return FALSE;
      if (!done)
        return TRUE; /* again, from where the checkpoint stands */
      late = (trainer->settings.minutes > 0.0 && trainer->mark.elapsed >= trainer->settings.minutes * 60.0) || trainer_is_stopped (trainer);
    }
  return end_epoch (trainer, run, n_steps, stop, error);
}

static void
report_preparation (double fraction, gpointer data)
{
  Run            *run = data;
  double          seconds = (double) (g_get_monotonic_time () - run->run_began) / 1e6;
  FoveaTrainState state = { .prepared = MIN (fraction, ALMOST), .finds_rate = run->finds_rate, .best = NAN, .loss = NAN, .seconds_left = fraction > 0.0 ? seconds / fraction * (1.0 - fraction) : -1.0 };

  wait_while_paused (run->trainer, run);
  if (run->progress)
    run->progress (&state, run->user_data);
}

/* Once: the features of all photos that this training looks at. */
static gboolean
compute_features (FoveaTrainer *trainer, Run *run, GError **error)
{
  g_autoptr (FoveaModel) backbone = head_cut (trainer->model, trainer->head, error);
  LoaderSettings         augmented = trainer_loader_settings (trainer, TRUE), plain = trainer_loader_settings (trainer, FALSE);
  const GArray          *judged = trainer_look_at (trainer);
  GPtrArray             *warnings = loader_get_warnings (trainer->loader);
  gboolean               changes = augmentation_changes (&trainer->settings.augmentation);

  if (!backbone)
    return FALSE;
  trainer->features = feature_cache_new (backbone, &augmented, (const guint *) (gpointer) trainer->train->data, trainer->train->len, changes ? FORMS : 1,
                                         trainer->settings.cache, warnings, run->cancellable, report_preparation, run, error);
  if (trainer->features && judged->len > 0)
    trainer->judged = feature_cache_new (backbone, &plain, (const guint *) (gconstpointer) judged->data, judged->len, 1, trainer->settings.cache, warnings,
                                         run->cancellable, NULL, NULL, error);
  if (!trainer->features || (judged->len > 0 && !trainer->judged))
    return FALSE;
  feature_cache_measure (trainer->features, &trainer->mean, &trainer->scale);
  feature_cache_standardize (trainer->features, trainer->mean, trainer->scale);
  if (trainer->judged)
    feature_cache_standardize (trainer->judged, trainer->mean, trainer->scale);
  return TRUE;
}

/* Kept as what the settings' rate is multiplied by, so that a training that goes on knows it. */
static gboolean
find_rate (FoveaTrainer *trainer, Run *run, GError **error)
{
  double   rate;
  gboolean found;

  run->finds_rate = TRUE;
  run->run_began = g_get_monotonic_time ();
  found = rate_finder_run (trainer, &rate, run->cancellable, report_preparation, run, error);
  run->finds_rate = FALSE;
  if (!found)
    return FALSE;
  trainer->mark.rate_scale = rate / trainer->settings.learning_rate;
  return save_checkpoint (trainer, error);
}

double
fovea_trainer_get_rate (const FoveaTrainer *trainer)
{
  return trainer->settings.learning_rate * trainer->mark.rate_scale;
}

gboolean
fovea_trainer_run (FoveaTrainer *trainer, GCancellable *cancellable, FoveaTrainProgress progress, gpointer user_data, GError **error)
{
  Run      run = { progress, user_data, cancellable, 0, 0, 0, g_get_monotonic_time (), NULL, trainer, FALSE, 0.0 };
  gboolean goes_on = trainer->settings.checkpoint && g_file_test (trainer->settings.checkpoint, G_FILE_TEST_EXISTS), stop;

  trainer->is_over = FALSE;
  if (goes_on && !load_checkpoint (trainer, error))
    return FALSE;
  if (trainer->on_features && !trainer->features && !compute_features (trainer, &run, error))
    return FALSE;
  if (!goes_on && !(trainer->settings.find_rate ? find_rate (trainer, &run, error) : save_checkpoint (trainer, error))) /* the first state to go back to */
    return FALSE;
  run.run_began = run.saved = g_get_monotonic_time ();
  run.began = run.run_began - (gint64) (trainer->mark.elapsed * 1e6);
  stop = has_ended (trainer);
  while (!stop)
    if (!run_epoch (trainer, &run, &stop, error))
      {
        if (error && g_error_matches (*error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
          save_checkpoint (trainer, NULL);
        return FALSE;
      }
  trainer->is_over = TRUE;
  return TRUE;
}

FoveaEvaluation *
fovea_trainer_evaluate (FoveaTrainer *trainer, GCancellable *cancellable, GError **error)
{
  return look (trainer, trainer->val, cancellable, error);
}
