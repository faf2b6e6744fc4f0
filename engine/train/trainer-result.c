/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * trainer-result.c: what a training has come to, as a model with labels, settings and card inside.
 */

#include <json-glib/json-glib.h>
#include <math.h>

#include "model/half-weights.h"
#include "train/detector.h"
#include "train/head.h"
#include "train/trainer-private.h"
#include "vision/sidecar.h"

FoveaModel *
trainer_join_head (FoveaTrainer *trainer, FoveaModel *head, GError **error)
{
  g_autoptr (FoveaModel) folded = trainer->mean ? head_fold_scale (head, trainer->mean, trainer->scale, error) : fovea_model_ref (head);

  return folded ? head_take_weights (trainer->model, folded, NULL) : NULL;
}

FoveaModel *
trainer_make_trained (FoveaTrainer *trainer, GCancellable *cancellable, GError **error)
{
  g_autoptr (FoveaModel) learned = NULL, narrow = NULL, mixed = NULL;

  if (trainer->best && (trainer_is_stopped (trainer) || (trainer->is_over && trainer_has_patience (trainer))))
    return fovea_model_ref (trainer->best);
  learned = learner_make_model (trainer->learner, cancellable, error);
  narrow = learned && trainer->teacher && teacher_count (trainer->teacher) > 0 ? head_narrow (learned, trainer->dataset->n_classes, error) : g_steal_pointer (&learned);
  mixed = narrow && trainer->keep ? keep_base_mix (trainer->keep, narrow, error) : g_steal_pointer (&narrow);
  return mixed && trainer->dataset->task == FOVEA_TASK_DETECT ? detector_finish (mixed, trainer->input->width, trainer->input->height, error)
                                                              : g_steal_pointer (&mixed);
}

/* How many photos of each class were learned from. */
static JsonObject *
count_classes (const FoveaTrainer *trainer)
{
  JsonObject *counts = json_object_new ();

  for (guint c = 0; c < trainer->dataset->n_classes; c++)
    json_object_set_int_member (counts, trainer->dataset->classes[c], dataset_count (trainer->dataset, SPLIT_TRAIN, c));
  return counts;
}

static JsonObject *
make_card (const FoveaTrainer *trainer, const FoveaEvaluation *evaluation)
{
  JsonObject      *card = json_object_new (), *training = json_object_new ();
  GDateTime       *now = g_date_time_new_now_utc ();
  g_autofree char *date = g_date_time_format (now, "%Y-%m-%d");

  g_date_time_unref (now);
  json_object_set_string_member (card, "date", date);
  if (trainer->base_name)
    json_object_set_string_member (card, "base", trainer->base_name);
  if (trainer->base_licence)
    json_object_set_string_member (card, "base_licence", trainer->base_licence);
  json_object_set_int_member (training, "photos", trainer->train->len);
  json_object_set_object_member (training, "classes", count_classes (trainer));
  json_object_set_int_member (training, "epochs", (gint64) trainer->mark.epoch);
  json_object_set_double_member (training, "minutes", round (trainer->mark.elapsed / 6.0) / 10.0);
  json_object_set_int_member (training, "seed", (gint64) trainer->settings.seed);
  if (trainer->keep)
    json_object_set_double_member (training, "keep_base", trainer->settings.keep_base);
  json_object_set_object_member (card, "training", training);
  if (evaluation)
    {
      JsonObject *metrics = json_object_new ();

      for (gsize i = 0; i < evaluation->n_metrics; i++)
        json_object_set_double_member (metrics, evaluation->metrics[i].name, round (evaluation->metrics[i].value * 1e4) / 1e4);
      json_object_set_int_member (metrics, "images", (gint64) evaluation->n_images);
      json_object_set_object_member (card, "metrics", metrics);
    }
  return card;
}

FoveaModel *
fovea_trainer_make_model (FoveaTrainer *trainer, const FoveaEvaluation *evaluation, GError **error)
{
  g_autoptr (FoveaModel)    trained = trainer_make_trained (trainer, NULL, error), result = NULL;
  g_autoptr (FoveaSettings) settings = NULL;
  Graph                    *graph;

  if (!trained)
    return NULL;
  if (trainer->on_features)
    {
      g_autoptr (FoveaModel) head = g_steal_pointer (&trained);

      trained = trainer_join_head (trainer, head, error);
      if (!trained)
        return NULL;
    }
  settings = fovea_settings_copy (trainer->input);
  settings->task = trainer->settings.task;
  settings->activation = trainer->settings.task == FOVEA_TASK_CLASSIFY && trainer->dataset->exclusive ? FOVEA_ACTIVATION_SOFTMAX
                         : trainer->settings.task == FOVEA_TASK_SEGMENT && trainer->dataset->n_classes > 1 ? FOVEA_ACTIVATION_SOFTMAX : FOVEA_ACTIVATION_SIGMOID;
  trainer_set_labels (settings, trainer->dataset);
  graph = graph_copy (model_get_graph (trained));
  g_hash_table_replace (graph->metadata, g_strdup ("task"), g_strdup (sidecar_task_word (settings->task)));
  g_hash_table_replace (graph->metadata, g_strdup ("names"), sidecar_write_names (settings));
  g_hash_table_replace (graph->metadata, g_strdup ("imgsz"), g_strdup_printf ("%d", settings->width));
  g_hash_table_replace (graph->metadata, g_strdup ("fovea"), sidecar_write_settings (settings, make_card (trainer, evaluation)));
  result = model_new_for_graph (graph, fovea_model_get_name (trainer->model));
  return trainer->settings.half_weights ? model_halve (result, error) : g_steal_pointer (&result);
}
