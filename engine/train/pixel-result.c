/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * pixel-result.c: what FoveaPixelTrainer has learned as a model: labels, settings and card inside, and what training goes on with.
 */

#include "train/pixel-trainer.h"

#include <json-glib/json-glib.h>
#include <math.h>

#include "vision/sidecar.h"

static JsonObject *
make_card (const FoveaPixelTrainer *trainer, const FoveaPixelScore *score)
{
  JsonObject           *card = json_object_new (), *training = json_object_new (), *painted = json_object_new ();
  g_autoptr (GDateTime) now = g_date_time_new_now_utc ();
  g_autofree char      *date = g_date_time_format (now, "%Y-%m-%d");

  json_object_set_string_member (card, "date", date);
  if (trainer->base_name)
    json_object_set_string_member (card, "base", trainer->base_name);
  if (trainer->base_licence)
    json_object_set_string_member (card, "base_licence", trainer->base_licence);
  json_object_set_int_member (training, "photos", trainer->photos->len);
  json_object_set_int_member (training, "steps", (gint64) trainer->n_steps);
  json_object_set_int_member (training, "seed", (gint64) trainer->settings.seed);
  for (guint c = 0; c < trainer->input->n_labels; c++)
    json_object_set_int_member (painted, trainer->input->labels[c], (gint64) fovea_pixel_trainer_count (trainer, c));
  json_object_set_object_member (training, "cells", painted);
  json_object_set_object_member (card, "training", training);
  if (score && score->enough)
    {
      JsonObject *metrics = json_object_new ();

      json_object_set_double_member (metrics, "accuracy", round (score->accuracy * 1e4) / 1e4);
      json_object_set_double_member (metrics, "iou", round (score->mean_iou * 1e4) / 1e4);
      json_object_set_object_member (card, "metrics", metrics);
    }
  return card;
}

/* What the features were measured to be: training goes on with these. */
static char *
write_scale (const FoveaPixelTrainer *trainer)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autoptr (JsonNode)    root = NULL;
  const struct { const char *name; const float *numbers; } lists[] = { { "mean", trainer->mean }, { "scale", trainer->scale } };

  json_builder_begin_object (builder);
  for (gsize i = 0; i < G_N_ELEMENTS (lists); i++)
    {
      json_builder_set_member_name (builder, lists[i].name);
      json_builder_begin_array (builder);
      for (gsize k = 0; k < trainer->features->n_features; k++)
        json_builder_add_double_value (builder, lists[i].numbers[k]);
      json_builder_end_array (builder);
    }
  json_builder_end_object (builder);
  root = json_builder_get_root (builder);
  return json_to_string (root, FALSE);
}

FoveaModel *
fovea_pixel_trainer_make_model (FoveaPixelTrainer *trainer, const FoveaPixelScore *score, GError **error)
{
  const PixelScale       scale = { trainer->mean, trainer->scale };
  g_autoptr (FoveaModel) head = pixel_trainer_take_head (trainer, error), joined = head ? pixel_head_join (trainer->features, head, &scale, PIXEL_JOIN_WHOLE, error) : NULL;
  Graph                 *graph;

  if (!joined)
    return NULL;
  graph = graph_copy (model_get_graph (joined));
  g_hash_table_replace (graph->metadata, g_strdup ("task"), g_strdup (sidecar_task_word (FOVEA_TASK_SEGMENT)));
  g_hash_table_replace (graph->metadata, g_strdup ("names"), sidecar_write_names (trainer->input));
  g_hash_table_replace (graph->metadata, g_strdup ("imgsz"), g_strdup_printf ("%d", trainer->input->width));
  g_hash_table_replace (graph->metadata, g_strdup ("fovea"), sidecar_write_settings (trainer->input, make_card (trainer, score)));
  g_hash_table_replace (graph->metadata, g_strdup (PIXEL_METADATA), write_scale (trainer));
  return model_new_for_graph (graph, fovea_model_get_name (joined));
}
