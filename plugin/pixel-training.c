/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * pixel-training.c: see pixel-training.h.
 */

#include "pixel-training.h"

#include <glib/gi18n.h>
#include <json-glib/json-glib.h>
#include <math.h>
#include <string.h>

#include "models.h"
#include "photo-order.h"

#define BEST_BASE  "cutout"
#define OTHER_BASE "tagger"
#define STEPS      10 /* of the optimizer in what the settings call an epoch */
#define LONG_RUN   1000 /* steps: that is watched, and may take twice the time for a score meanwhile; with fewer the score comes soon enough */

PixelTraining *
pixel_training_new (void)
{
  PixelTraining *training = g_new0 (PixelTraining, 1);

  fovea_pixel_settings_init (&training->settings);
  training->classes = g_ptr_array_new_with_free_func (g_free);
  return training;
}

void
pixel_training_free (PixelTraining *training)
{
  if (!training)
    return;
  pixel_training_forget (training);
  pixel_training_let_go (training);
  g_clear_pointer (&training->base, fovea_model_unref);
  g_ptr_array_unref (training->classes);
  g_free (training->background);
  g_free (training->base_name);
  g_free (training);
}

gboolean
pixel_training_read_order (PixelTraining *training, const PhotoOrder *order)
{
  const FoveaPixelSettings before = training->settings;
  FoveaPixelSettings      *now = &training->settings;

  fovea_pixel_settings_init (now);
  now->seed = (guint64) order->seed;
  now->first_steps = order->epochs > 0 ? STEPS * (guint) order->epochs : now->first_steps;
  now->more_steps = MIN (now->more_steps, now->first_steps);
  now->learning_rate = order->learning_rate > 0 ? order->learning_rate : now->learning_rate;
  training->judges = order->validation_share > 0;
  training->is_long = now->first_steps >= LONG_RUN;
  now->judged_steps = training->judges && training->is_long ? LONG_RUN : 0;
  return now->seed != before.seed || now->first_steps != before.first_steps || now->learning_rate != before.learning_rate || now->judged_steps != before.judged_steps;
}

gboolean
pixel_training_read_settings (PixelTraining *training, GimpProcedureConfig *config)
{
  PhotoOrder order = { 0 };

  g_object_get (config, "epochs", &order.epochs, "learning-rate", &order.learning_rate, "validation-share", &order.validation_share, "seed", &order.seed, NULL);
  return pixel_training_read_order (training, &order);
}

guint
pixel_training_count_steps (const PixelTraining *training, gboolean first)
{
  const FoveaPixelSettings *settings = &training->settings;
  guint                     n = first ? settings->first_steps : settings->more_steps;

  return settings->judged_steps > 0 && n >= settings->judged_steps ? 2 * n : n;
}

void
pixel_training_forget (PixelTraining *training)
{
  g_clear_pointer (&training->score, fovea_pixel_score_free);
  g_clear_pointer (&training->trainer, fovea_pixel_trainer_free);
}

void
pixel_training_set_aside (PixelTraining *training)
{
  if (!training->aside)
    {
      training->aside = g_steal_pointer (&training->trainer);
      training->aside_score = g_steal_pointer (&training->score);
    }
  pixel_training_forget (training);
}

gboolean
pixel_training_bring_back (PixelTraining *training)
{
  if (!training->aside)
    return FALSE;
  pixel_training_forget (training);
  training->trainer = g_steal_pointer (&training->aside);
  training->score = g_steal_pointer (&training->aside_score);
  return TRUE;
}

void
pixel_training_let_go (PixelTraining *training)
{
  g_clear_pointer (&training->aside_score, fovea_pixel_score_free);
  g_clear_pointer (&training->aside, fovea_pixel_trainer_free);
}

gboolean
pixel_training_load_base (PixelTraining *training, const char *name, GError **error)
{
  gboolean         is_fresh = g_strcmp0 (name, PHOTO_ORDER_NO_BASE) == 0;
  g_autofree char *path = NULL;

  if (name && *name && !is_fresh)
    path = fovea_find_model (name, error);
  else if (!is_fresh && !(path = fovea_find_model (BEST_BASE, NULL)))
    path = fovea_find_model (OTHER_BASE, error);
  if (!path && !is_fresh)
    return FALSE;
  pixel_training_forget (training);
  pixel_training_let_go (training);
  g_clear_pointer (&training->base, fovea_model_unref);
  training->base = is_fresh ? NULL : fovea_model_load (path, error);
  g_free (training->base_name);
  training->base_name = is_fresh ? g_strdup (PHOTO_ORDER_NO_BASE) : training->base ? g_strdup (fovea_model_get_name (training->base)) : NULL;
  return is_fresh || training->base;
}

/* ---- classes ------------------------------------------------------------------------------------------------------ */

static gint
find_class (const PixelTraining *training, const char *name)
{
  for (guint i = 0; i < training->classes->len; i++)
    if (g_strcmp0 (training->classes->pdata[i], name) == 0)
      return (gint) i;
  return -1;
}

void
pixel_training_add_classes (PixelTraining *training, const LabelLayers *labels)
{
  training->background = g_renew (gboolean, training->background, training->classes->len + labels->n + 1);
  for (guint i = 0; i < labels->n; i++)
    {
      const LabelClass *class = &labels->classes[i];
      gboolean          first = class->background && !(training->classes->len && training->background[0]);
      guint             n = training->classes->len;

      if (find_class (training, class->name) >= 0)
        continue;
      g_ptr_array_insert (training->classes, first ? 0 : (gint) n, g_strdup (class->name));
      for (guint k = n; first && k > 0; k--)
        training->background[k] = training->background[k - 1];
      training->background[first ? 0 : n] = first;
    }
}

/* The first, where it is what is left, has the name that models give it in every language: it makes no mask. */
static char **
list_classes (const PixelTraining *training)
{
  guint  n = training->classes->len;
  char **names = g_new0 (char *, n + 1);

  for (guint i = 0; i < n; i++)
    names[i] = g_strdup (training->background[i] ? "background" : training->classes->pdata[i]);
  return names;
}

gboolean
pixel_training_begin (PixelTraining *training, int longest, GError **error)
{
  g_auto (GStrv) classes = NULL;

  if (training->classes->len < 2)
    {
      g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_ARGUMENT,
                   training->classes->len == 0 ? _("There are no classes to tell apart. Add two at least with Filters ▸ Fovea ▸ Label Layers.")
                                               : _("There is one class only. Add another for what it isn't, for example “Background”, with Filters ▸ Fovea ▸ Label Layers."));
      return FALSE;
    }
  classes = list_classes (training);
  if (training->trainer)
    return fovea_pixel_trainer_set_classes (training->trainer, (const char *const *) classes, error);
  training->trainer = fovea_pixel_trainer_new (training->base, (const char *const *) classes, longest, &training->settings, error);
  return training->trainer != NULL;
}

guint8 *
pixel_training_take_labels (const PixelTraining *training, const LabelLayers *labels, const guint8 *raster)
{
  gsize   n = (gsize) fovea_pixel_trainer_get_grid (training->trainer);
  guint8 *cells = g_new (guint8, n * n), classes[256];

  memset (classes, FOVEA_PIXEL_UNKNOWN, sizeof classes);
  for (guint i = 0; i < MIN (labels->n, LABEL_LAYERS_MOST); i++)
    classes[i + 1] = (guint8) find_class (training, labels->classes[i].name);
  for (gsize i = 0; i < n * n; i++)
    cells[i] = classes[raster[i]];
  return cells;
}

/* ---- what came of it ------------------------------------------------------------------------------------------------ */

char *
pixel_training_tell_score (const PixelTraining *training)
{
  if (training->score && training->score->enough)
    return g_strdup_printf (_("Accuracy %.0f %% on strokes kept out"), 100.0 * training->score->accuracy);
  if (!training->judges)
    return g_strdup (_("Not judged: no strokes are kept out"));
  return g_strdup (_("Too few strokes to say how good it is: two or more of each class are needed"));
}

Confusion *
pixel_training_get_confusion (const PixelTraining *training)
{
  const FoveaPixelScore *score = training->score;

  return score && score->enough ? confusion_new ((char *const *) training->classes->pdata, score->n_classes, score->confusion) : NULL;
}

static void
add_string (JsonBuilder *json, const char *name, const char *value)
{
  json_builder_set_member_name (json, name);
  json_builder_add_string_value (json, value);
}

static void
add_number (JsonBuilder *json, const char *name, double value)
{
  json_builder_set_member_name (json, name);
  json_builder_add_double_value (json, value);
}

static void
add_class (JsonBuilder *json, const PixelTraining *training, guint index)
{
  const FoveaPixelScore *score = training->score;

  json_builder_begin_object (json);
  add_string (json, "name", training->classes->pdata[index]);
  json_builder_set_member_name (json, "cells");
  json_builder_add_int_value (json, (gint64) fovea_pixel_trainer_count (training->trainer, index));
  if (score && score->enough && index < score->n_classes && isfinite (score->iou[index]))
    add_number (json, "iou", score->iou[index]);
  json_builder_end_object (json);
}

char *
pixel_training_make_json (const PixelTraining *training, const char *file, guint n_photos, const char *const *warnings)
{
  g_autoptr (JsonBuilder) json = json_builder_new ();
  g_autoptr (JsonNode)    root = NULL;
  g_autofree char        *words = pixel_training_tell_score (training);
  g_autoptr (Confusion)   confusion = pixel_training_get_confusion (training);

  json_builder_begin_object (json);
  add_string (json, "task", "segment");
  if (file)
    add_string (json, "model", file);
  add_string (json, "base", training->base_name);
  json_builder_set_member_name (json, "photos");
  json_builder_add_int_value (json, n_photos);
  json_builder_set_member_name (json, "classes");
  json_builder_begin_array (json);
  for (guint i = 0; i < training->classes->len; i++)
    add_class (json, training, i);
  json_builder_end_array (json);
  json_builder_set_member_name (json, "resumed");
  json_builder_add_boolean_value (json, training->is_resumed);
  add_string (json, "score", words);
  if (training->score && training->score->enough)
    {
      add_number (json, "accuracy", training->score->accuracy);
      add_number (json, "iou", training->score->mean_iou);
      confusion_write (confusion, json);
    }
  if (training->next_x > 0)
    {
      json_builder_set_member_name (json, "next");
      json_builder_begin_array (json);
      json_builder_add_double_value (json, training->next_x);
      json_builder_add_double_value (json, training->next_y);
      json_builder_end_array (json);
    }
  json_builder_set_member_name (json, "warnings");
  json_builder_begin_array (json);
  for (guint i = 0; warnings && warnings[i]; i++)
    json_builder_add_string_value (json, warnings[i]);
  json_builder_end_array (json);
  json_builder_end_object (json);
  root = json_builder_get_root (json);
  return json_to_string (root, FALSE);
}

char *
pixel_training_save (PixelTraining *training, const char *name, GError **error)
{
  g_autofree char       *path = models_make_path (name, error);
  g_autoptr (FoveaModel) model = path ? fovea_pixel_trainer_make_model (training->trainer, training->score, error) : NULL;

  return model && fovea_model_save (model, path, error) ? g_steal_pointer (&path) : NULL;
}
