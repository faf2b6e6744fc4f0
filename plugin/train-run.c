/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * train-run.c: see train-run.h.
 */

#include "train-run.h"

#include <glib/gi18n.h>

#include "arguments.h"
#include "train-photos.h"
#include "train-run-private.h"

#define TICK 33    /* milliseconds between two looks at how far it is */
#define REST 20000 /* microseconds between two looks whether it goes on */

static const char *const tasks[] = { "auto", "segment", "classify", "detect", NULL };
static const FoveaTask   task_values[] = { FOVEA_TASK_UNKNOWN, FOVEA_TASK_SEGMENT, FOVEA_TASK_CLASSIFY, FOVEA_TASK_DETECT };
static const char *const trainables[] = { "auto", "head", "last", "all", NULL };
static const char *const places[] = { "image", "open-images", "folder", NULL };

/* ---- a thread beside ------------------------------------------------------------------------------------------------- */

typedef struct
{
  TrainWork work;
  gpointer  data;
  gint      is_done; /* atomic */
  gboolean  is_due;  /* to show how far it is */
  gboolean  ok;
  GError   *error;
} Beside;

static gpointer
run_thread (gpointer data)
{
  Beside *beside = data;

  beside->ok = beside->work (beside->data, &beside->error);
  g_atomic_int_set (&beside->is_done, TRUE);
  g_main_context_wakeup (NULL);
  return NULL;
}

static gboolean
on_tick (gpointer data)
{
  ((Beside *) data)->is_due = TRUE;
  return G_SOURCE_CONTINUE;
}

/* How far it is. */
static double
watch (TrainRun *run)
{
  PhotoState state;

  if (!run->training)
    return g_atomic_int_get (&run->thousandths) / 1000.0;
  state = photo_training_get_state (run->training);
  run->stage = state.finds_rate ? TRAIN_STAGE_RATES : state.is_learning ? TRAIN_STAGE_LEARNING : TRAIN_STAGE_LOOKING;
  return g_atomic_int_get (photo_training_watch (run->training)) / 1000.0;
}

gboolean
train_run_beside (TrainRun *run, TrainWork work, gpointer data, GError **error)
{
  Beside   beside = { .work = work, .data = data };
  guint    tick = g_timeout_add (TICK, on_tick, &beside);
  GThread *thread;

  g_atomic_int_set (&run->thousandths, 0);
  thread = g_thread_new ("train", run_thread, &beside);
  while (!g_atomic_int_get (&beside.is_done))
    {
      g_main_context_iteration (NULL, TRUE);
      if (beside.is_due)
        run->show (run, watch (run), run->user_data);
      beside.is_due = FALSE;
    }
  g_thread_join (thread);
  g_source_remove (tick);
  if (beside.error)
    g_propagate_error (error, beside.error);
  return beside.ok;
}

/* ---- meanwhile ------------------------------------------------------------------------------------------------------- */

void
train_run_pause (TrainRun *run, gboolean pause)
{
  if (run->training)
    photo_training_pause (run->training, pause);
  else
    g_atomic_int_set (&run->is_paused, pause);
}

void
train_run_wait_while (const gint *is_paused, GCancellable *halt)
{
  while (g_atomic_int_get (is_paused) && !g_cancellable_is_cancelled (halt))
    g_usleep (REST);
}

void
train_run_stop (TrainRun *run)
{
  if (run->training)
    photo_training_stop (run->training);
  else if (run->halt)
    g_cancellable_cancel (run->halt);
}

gboolean
train_run_can_pause (const TrainRun *run)
{
  return run->training || (run->halt && run->stage != TRAIN_STAGE_JUDGING);
}

gboolean
train_run_can_stop (const TrainRun *run)
{
  return run->training ? run->stage == TRAIN_STAGE_LEARNING : run->halt && run->stage >= TRAIN_STAGE_LEARNING;
}

/* ---- whole photos ---------------------------------------------------------------------------------------------------- */

typedef struct
{
  PhotoTraining *training;
  GCancellable  *cancellable;
} PhotoWork;

static gboolean
learn_photos (gpointer data, GError **error)
{
  const PhotoWork *work = data;

  return photo_training_run (work->training, work->cancellable, error);
}

PhotoOrder *
train_run_read_order (GimpProcedureConfig *config, FoveaTask task)
{
  PhotoOrder *order = photo_order_new (task);
  gboolean    balance;

  g_object_get (config, "name", &order->name, "base-model", &order->base, "trainable", &order->trainable, "epochs", &order->epochs, "batch", &order->batch,
                "learning-rate", &order->learning_rate, "validation-share", &order->validation_share, "seed", &order->seed, "minutes", &order->minutes, "find-rate",
                &order->find_rate, "balance", &balance, NULL);
  order->is_unbalanced = !balance;
  for (const Augmentation *one = augmentations; one->argument; one++)
    g_object_get (config, one->argument, &order->augmentations[one - augmentations], NULL);
  return order;
}

static void
on_cancelled (GCancellable *cancellable, gpointer halt)
{
  g_cancellable_cancel (halt);
}

gulong
train_run_couple (GCancellable *cancellable, GCancellable *halt)
{
  return cancellable ? g_cancellable_connect (cancellable, G_CALLBACK (on_cancelled), halt, NULL) : 0;
}

PhotoOrder *
train_run_read_strokes (GimpProcedureConfig *config)
{
  PhotoOrder *order = train_run_read_order (config, FOVEA_TASK_SEGMENT);

  g_object_get (config, "source", &order->source, "folder", &order->data, NULL);
  return order;
}

/* Copies the labelled photos to where the training finds them. */
static gboolean
copy_photos (TrainRun *run, PhotoTraining *training, const TrainSources *sources, const FoveaLabelled *others, GError **error)
{
  g_autoptr (TrainPhotos) photos = train_photos_new (sources, photo_training_get_order (training)->task, photo_training_get_folder (training));
  GError                 *local = NULL;
  double                  fraction = 0;

  while (!g_cancellable_set_error_if_cancelled (run->cancellable, &local) && train_photos_step (photos, &fraction, &local))
    run->show (run, fraction, run->user_data);
  if (!local && others)
    train_photos_add (photos, others);
  if (!local)
    train_photos_finish (photos, &local);
  if (local)
    {
      g_propagate_error (error, local);
      return FALSE;
    }
  for (guint i = 0; i < train_photos_get_warnings (photos)->len; i++)
    photo_training_warn (training, train_photos_get_warnings (photos)->pdata[i]);
  photo_training_set_digest (training, train_photos_get_digest (photos));
  return TRUE;
}

static gboolean
learn (TrainRun *run, PhotoTraining *training, GError **error)
{
  PhotoWork                work = { training, run->cancellable };
  g_autoptr (GStrvBuilder) warnings = g_strv_builder_new ();
  gboolean                 ok;

  photo_training_set_report (training, run->report);
  run->training = training;
  ok = train_run_beside (run, learn_photos, &work, error);
  run->training = NULL;
  for (guint i = 0; i < photo_training_get_warnings (training)->len; i++)
    g_strv_builder_add (warnings, photo_training_get_warnings (training)->pdata[i]);
  run->warnings = g_strv_builder_end (warnings);
  if (!ok)
    return FALSE;
  run->file = g_strdup (photo_training_get_file (training));
  run->score = photo_training_tell_score (training);
  run->confusion = photo_training_get_confusion (training);
  run->json = photo_training_make_json (training);
  return TRUE;
}

/* sources NULL: the photos of the folder. others: labelled photos that come to them; NULL: none. left_out: in words; NULL: nothing was. */
static gboolean
train_photos (TrainRun *run, FoveaTask task, const TrainSources *sources, const FoveaLabelled *others, const char *folder, char *const *left_out, GError **error)
{
  PhotoOrder               *order = train_run_read_order (run->config, task);
  g_autoptr (PhotoTraining) training = NULL;

  order->data = sources ? NULL : g_strdup (folder);
  training = photo_training_new (order, error);
  if (!training || (sources && !copy_photos (run, training, sources, others, error)))
    return FALSE;
  for (guint i = 0; left_out && left_out[i]; i++)
    photo_training_warn (training, left_out[i]);
  return learn (run, training, error);
}

/* ---- what is learned --------------------------------------------------------------------------------------------------- */

static gboolean
train_folder (TrainRun *run, FoveaTask task, const char *folder, GError **error)
{
  task = task == FOVEA_TASK_UNKNOWN ? fovea_guess_task (folder) : task;
  if (task != FOVEA_TASK_UNKNOWN)
    return train_photos (run, task, NULL, NULL, folder, NULL, error);
  g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_ARGUMENT,
               _("In %s are neither XCF files with labels nor labelled photos. Save images with label layers there, or put photos of each class into a folder of its name."), folder);
  return FALSE;
}

/* strokes: what is asked for where it is strokes that are learned. */
static gboolean
train_images (TrainRun *run, FoveaTask task, TrainSources *sources, const char *folder, PhotoOrder *strokes, GError **error)
{
  g_autoptr (GStrvBuilder) others = g_strv_builder_new ();
  g_autoptr (FoveaLabelled) beside = NULL;
  g_auto (GStrv)           left_out = NULL;
  char                    *unused;

  while (!g_cancellable_set_error_if_cancelled (run->cancellable, error) && train_sources_step (sources))
    run->show (run, -1, run->user_data);
  if (g_cancellable_is_cancelled (run->cancellable))
    return FALSE;
  if (sources->images->len == 0 && sources->n_files > 0 && fovea_guess_task (folder) != FOVEA_TASK_UNKNOWN)
    return train_folder (run, task, folder, error);
  if (!train_sources_check (sources, error))
    return FALSE;
  if (task == FOVEA_TASK_UNKNOWN || run->left)
    {
      task = run->left ? task : ((LabelLayers *) sources->labels->pdata[0])->task;
      if (train_sources_keep (sources, task) > 0)
        g_strv_builder_add (others, _("Images whose labels are for something else were left out."));
    }
  if (sources->n_files > 0 && (unused = train_sources_tell_others (folder, task)))
    g_strv_builder_take (others, unused);
  beside = sources->n_files > 0 ? train_sources_find_others (folder, task) : NULL;
  left_out = g_strv_builder_end (others);
  return task == FOVEA_TASK_SEGMENT ? train_run_pixels (run, sources, beside, left_out, strokes, error) : train_photos (run, task, sources, beside, NULL, left_out, error);
}

static gboolean
go_on (TrainRun *run, GError **error)
{
  g_autoptr (PhotoOrder)    order = photo_training_read_left (run->left, error);
  g_autoptr (PhotoTraining) training = NULL;
  g_autoptr (TrainSources)  sources = NULL;

  if (!order)
    return FALSE;
  if (order->source)
    {
      sources = train_sources_new (order->source, run->image, order->data, error);
      return sources && train_images (run, FOVEA_TASK_SEGMENT, sources, order->data, order, error);
    }
  training = photo_training_new (g_steal_pointer (&order), error);
  return training && learn (run, training, error);
}

gboolean
train_run (TrainRun *run, GError **error)
{
  g_autofree char         *folder = NULL;
  g_autoptr (TrainSources) sources = NULL;
  g_autoptr (PhotoOrder)   strokes = NULL;
  guint                    task, place, trainable;

  run->report = training_report_new (run->photo);
  if (run->left)
    return go_on (run, error);
  if (!argument_read_word (run->config, "task", tasks, &task, error) || !argument_read_word (run->config, "source", places, &place, error)
      || !argument_read_word (run->config, "trainable", trainables, &trainable, error))
    return FALSE;
  g_object_get (run->config, "folder", &folder, NULL);
  sources = train_sources_new (places[place], run->image, folder, error);
  if (!sources)
    return FALSE;
  if (g_strcmp0 (places[place], "folder") == 0 && sources->n_files == 0)
    return train_folder (run, task_values[task], folder, error);
  strokes = train_run_read_strokes (run->config);
  return train_images (run, task_values[task], sources, folder, strokes, error);
}

FoveaTask
train_run_get_task (GimpProcedureConfig *config)
{
  guint task;

  return argument_read_word (config, "task", tasks, &task, NULL) ? task_values[task] : FOVEA_TASK_UNKNOWN;
}

void
train_run_clear (TrainRun *run)
{
  g_clear_pointer (&run->file, g_free);
  g_clear_pointer (&run->json, g_free);
  g_clear_pointer (&run->score, g_free);
  g_clear_pointer (&run->confusion, confusion_free);
  g_clear_pointer (&run->report, training_report_free);
  g_clear_pointer (&run->warnings, g_strfreev);
}
