/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * photo-training.c: see photo-training.h.
 */

#include "photo-training.h"

#include <glib/gi18n.h>
#include <json-glib/json-glib.h>
#include <math.h>
#include <string.h>

#include "image.h"
#include "models.h"
#include "photo-order.h"
#include "training-folder.h"

#define PREPARING    0.5 /* of the progress that is shown where photos are looked at first */
#define FEW_TO_JUDGE 10  /* photos */

struct _PhotoTraining
{
  PhotoOrder      *order;
  TrainingFolder  *folder;
  char            *path, *base_name;
  GPtrArray       *warnings;
  FoveaEvaluation *score;
  guint            n_photos;
  gboolean         is_resumed; /* an interrupted training went on */
  gint             thousandths;
  TrainingReport  *report;
  GCancellable    *cancellable; /* of the run */
  double           rate;     /* the learning rate at its highest */
  GMutex           mutex;    /* of what follows */
  FoveaTrainer    *trainer;  /* while it runs */
  gboolean         is_paused, is_stopped;
  PhotoState       state;
};

/* ---- its life ------------------------------------------------------------------------------------------------------ */

static PhotoTraining *
make (PhotoOrder *order, GError **error)
{
  g_autoptr (PhotoOrder) own = order;
  g_autofree char       *path = models_make_path (order->name, error);
  TrainingFolder        *folder;
  PhotoTraining         *training;

  if (!path)
    return NULL;
  photo_order_take_name (order, path);
  folder = training_folder_open (order->name, error);
  if (!folder)
    return NULL;
  training = g_new0 (PhotoTraining, 1);
  training->order = g_steal_pointer (&own);
  training->folder = folder;
  training->path = g_steal_pointer (&path);
  training->warnings = g_ptr_array_new_with_free_func (g_free);
  training->state.seconds_left = -1;
  g_mutex_init (&training->mutex);
  return training;
}

PhotoTraining *
photo_training_new (PhotoOrder *order, GError **error)
{
  return make (order, error);
}

PhotoOrder *
photo_training_read_left (const char *name, GError **error)
{
  TrainingFolder  *folder = training_folder_open (name, error);
  g_autofree char *text = folder ? training_folder_get_order (folder) : NULL;
  PhotoOrder      *order = text ? photo_order_read (text) : NULL;

  training_folder_free (folder);
  if (!order && folder)
    g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_FILE, _("Of the training of “%s” too little is left to go on with. Train it anew."), name);
  return order;
}

void
photo_training_free (PhotoTraining *training)
{
  if (!training)
    return;
  g_clear_pointer (&training->order, photo_order_free);
  g_clear_pointer (&training->folder, training_folder_free);
  g_clear_pointer (&training->score, fovea_evaluation_free);
  g_ptr_array_unref (training->warnings);
  g_mutex_clear (&training->mutex);
  g_free (training->path);
  g_free (training->base_name);
  g_free (training);
}

const PhotoOrder *
photo_training_get_order (const PhotoTraining *training)
{
  return training->order;
}

const char *
photo_training_get_folder (const PhotoTraining *training)
{
  return training_folder_get_path (training->folder);
}

void
photo_training_set_digest (PhotoTraining *training, const char *digest)
{
  g_free (training->order->digest);
  training->order->digest = g_strdup (digest);
}

void
photo_training_set_report (PhotoTraining *training, TrainingReport *report)
{
  training->report = report;
}

void
photo_training_warn (PhotoTraining *training, const char *text)
{
  g_ptr_array_add (training->warnings, g_strdup (text));
}

/* ---- meanwhile ------------------------------------------------------------------------------------------------------ */

PhotoState
photo_training_get_state (PhotoTraining *training)
{
  PhotoState state;

  g_mutex_lock (&training->mutex);
  state = training->state;
  g_mutex_unlock (&training->mutex);
  return state;
}

const gint *
photo_training_watch (PhotoTraining *training)
{
  return &training->thousandths;
}

/* The trainer may not be there yet, or no longer. */
static void
set_trainer (PhotoTraining *training, FoveaTrainer *trainer)
{
  g_mutex_lock (&training->mutex);
  training->trainer = trainer;
  if (trainer && training->is_stopped)
    fovea_trainer_stop (trainer);
  if (trainer)
    fovea_trainer_pause (trainer, training->is_paused);
  g_mutex_unlock (&training->mutex);
}

void
photo_training_pause (PhotoTraining *training, gboolean pause)
{
  g_mutex_lock (&training->mutex);
  training->is_paused = pause;
  if (training->trainer)
    fovea_trainer_pause (training->trainer, pause);
  g_mutex_unlock (&training->mutex);
}

void
photo_training_stop (PhotoTraining *training)
{
  g_mutex_lock (&training->mutex);
  training->is_stopped = TRUE;
  if (training->trainer)
    fovea_trainer_stop (training->trainer);
  g_mutex_unlock (&training->mutex);
}

/* Between two steps. */
static void
ask_if_due (PhotoTraining *training)
{
  g_autoptr (FoveaModel) model = training_report_is_due (training->report) ? fovea_trainer_make_model (training->trainer, NULL, NULL) : NULL;

  if (model)
    training_report_ask (training->report, model, training->cancellable);
}

static gboolean
is_enough (const FoveaEvaluation *score)
{
  return score && score->n_metrics > 0 && score->n_images >= FEW_TO_JUDGE;
}

static void
note (const FoveaTrainState *state, gpointer data)
{
  PhotoTraining *training = data;
  gboolean       is_learning = state->prepared >= 1.0;
  double         fraction = is_learning ? state->fraction : state->prepared;

  g_mutex_lock (&training->mutex);
  training->state = (PhotoState) { state->finds_rate, is_learning, fraction, state->seconds_left };
  g_mutex_unlock (&training->mutex);
  if (state->score || (is_learning && state->step == state->n_steps))
    {
      const TrainingPoint point = { state->fraction, state->loss, is_enough (state->score) ? state->score->metrics[0].value : NAN };

      training_report_add_point (training->report, &point);
    }
  if (training->order->task == FOVEA_TASK_CLASSIFY)
    fraction = is_learning ? PREPARING + (1 - PREPARING) * fraction : PREPARING * fraction;
  g_atomic_int_set (&training->thousandths, (gint) (1000 * fraction));
  if (is_learning)
    ask_if_due (training);
}

/* ---- the work -------------------------------------------------------------------------------------------------------- */

static FoveaModel *
load_base (PhotoTraining *training, GError **error)
{
  g_autofree char *path = photo_order_find_base (training->order, error);
  FoveaModel      *base = path ? fovea_model_load (path, error) : NULL;

  if (base)
    training->base_name = g_strdup (fovea_model_get_name (base));
  return base;
}

static gboolean
learn (PhotoTraining *training, FoveaModel *base, GCancellable *cancellable, GError **error)
{
  const PhotoOrder        *order = training->order;
  const char              *data = order->data ? order->data : training_folder_get_path (training->folder);
  FoveaTrainSettings       settings;
  const char              *architecture = photo_order_choose (order, base, &settings);
  g_autoptr (FoveaTrainer) trainer = NULL;
  g_autoptr (FoveaModel)   model = NULL;
  GError                  *local = NULL;
  gboolean                 ok;

  settings.checkpoint = training_folder_get_checkpoint (training->folder);
  training->is_resumed = g_file_test (settings.checkpoint, G_FILE_TEST_EXISTS);
  trainer = fovea_trainer_new (base, architecture, data, &settings, image_read_file, NULL, error);
  if (!trainer)
    return FALSE;
  training->n_photos = fovea_trainer_count_photos (trainer);
  training->cancellable = cancellable;
  set_trainer (training, trainer);
  ok = fovea_trainer_run (trainer, cancellable, note, training, error);
  set_trainer (training, NULL);
  training->rate = fovea_trainer_get_rate (trainer);
  for (const char *const *warning = fovea_trainer_get_warnings (trainer); *warning; warning++)
    photo_training_warn (training, *warning);
  if (!ok)
    return FALSE;
  training->score = fovea_trainer_evaluate (trainer, cancellable, &local);
  if (local)
    {
      g_propagate_error (error, local);
      return FALSE;
    }
  model = fovea_trainer_make_model (trainer, training->score, error);
  training_report_ask (training->report, model, cancellable);
  return model && fovea_model_save (model, training->path, error);
}

gboolean
photo_training_run (PhotoTraining *training, GCancellable *cancellable, GError **error)
{
  gboolean               wants_base = g_strcmp0 (training->order->base, PHOTO_ORDER_NO_BASE) != 0;
  g_autoptr (FoveaModel) base = wants_base ? load_base (training, error) : NULL;
  g_autofree char       *text = photo_order_write (training->order);

  if ((wants_base && !base) || !training_folder_begin (training->folder, text, error))
    return FALSE;
  if (!learn (training, base, cancellable, error))
    return FALSE;
  training_folder_remove (training->folder);
  return TRUE;
}

/* ---- afterwards ------------------------------------------------------------------------------------------------------ */

const char *
photo_training_get_file (const PhotoTraining *training)
{
  return training->path;
}

const GPtrArray *
photo_training_get_warnings (const PhotoTraining *training)
{
  return training->warnings;
}

char *
photo_training_tell_score (const PhotoTraining *training)
{
  const FoveaEvaluation *score = training->score;
  double                 value;
  guint                  n;

  if (!is_enough (training->score))
    return g_strdup_printf (_("Too few photos to say how good it is: %d must be kept out for that"), FEW_TO_JUDGE);
  value = score->metrics[0].value;
  n = (guint) score->n_images;
  if (training->order->task == FOVEA_TASK_DETECT)
    return g_strdup_printf (ngettext ("Mean average precision %.2f on %u photo kept out", "Mean average precision %.2f on %u photos kept out", n), value, n);
  if (training->order->task == FOVEA_TASK_SEGMENT)
    return g_strdup_printf (ngettext ("Intersection over union %.2f on %u photo kept out", "Intersection over union %.2f on %u photos kept out", n), value, n);
  return g_strdup_printf (ngettext ("Right on %.0f %% of %u photo kept out", "Right on %.0f %% of %u photos kept out", n), 100 * value, n);
}

Confusion *
photo_training_get_confusion (const PhotoTraining *training)
{
  const FoveaEvaluation *score = training->score;
  g_autofree char      **names = NULL;
  guint                  n;

  if (!is_enough (training->score) || !score->confusion)
    return NULL;
  n = g_strv_length (score->confused);
  names = g_new (char *, n + 1);
  for (guint i = 0; i < n; i++)
    names[i] = *score->confused[i] ? score->confused[i] : training->order->task == FOVEA_TASK_DETECT ? _("Nothing") : _("Background");
  return confusion_new (names, n, score->confusion);
}

static void
add_string (JsonBuilder *json, const char *name, const char *value)
{
  json_builder_set_member_name (json, name);
  json_builder_add_string_value (json, value);
}

static void
add_score (JsonBuilder *json, const FoveaEvaluation *score)
{
  for (gsize i = 0; i < score->n_metrics; i++)
    if (isfinite (score->metrics[i].value))
      {
        json_builder_set_member_name (json, score->metrics[i].name);
        json_builder_add_double_value (json, score->metrics[i].value);
      }
  json_builder_set_member_name (json, "classes");
  json_builder_begin_array (json);
  for (gsize i = 0; i < score->n_classes; i++)
    {
      json_builder_begin_object (json);
      add_string (json, "name", score->classes[i].label);
      json_builder_set_member_name (json, "n");
      json_builder_add_int_value (json, (gint64) score->classes[i].n);
      json_builder_set_member_name (json, "value");
      json_builder_add_double_value (json, isfinite (score->classes[i].value) ? score->classes[i].value : 0);
      json_builder_end_object (json);
    }
  json_builder_end_array (json);
}

char *
photo_training_make_json (const PhotoTraining *training)
{
  g_autoptr (JsonBuilder) json = json_builder_new ();
  g_autoptr (JsonNode)    root = NULL;
  g_autofree char        *words = photo_training_tell_score (training);
  g_autoptr (Confusion)   confusion = photo_training_get_confusion (training);

  json_builder_begin_object (json);
  add_string (json, "task", photo_order_name_task (training->order->task));
  add_string (json, "model", training->path);
  add_string (json, "base", training->base_name ? training->base_name : PHOTO_ORDER_NO_BASE);
  json_builder_set_member_name (json, "photos");
  json_builder_add_int_value (json, training->n_photos);
  json_builder_set_member_name (json, "resumed");
  json_builder_add_boolean_value (json, training->is_resumed);
  json_builder_set_member_name (json, "learning-rate");
  json_builder_add_double_value (json, training->rate);
  add_string (json, "score", words);
  json_builder_set_member_name (json, "kept-out");
  json_builder_add_int_value (json, training->score ? (gint64) training->score->n_images : 0);
  if (is_enough (training->score))
    add_score (json, training->score);
  if (confusion)
    confusion_write (confusion, json);
  json_builder_set_member_name (json, "warnings");
  json_builder_begin_array (json);
  for (guint i = 0; i < training->warnings->len; i++)
    json_builder_add_string_value (json, training->warnings->pdata[i]);
  json_builder_end_array (json);
  json_builder_end_object (json);
  root = json_builder_get_root (json);
  return json_to_string (root, FALSE);
}
