/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * model-answer.c: see model-answer.h.
 */

#include "model-answer.h"

#include <glib/gi18n.h>

#define MOST_NAMES 5
#define BAND_ROWS  64

void
model_answer_free (ModelAnswer *answer)
{
  if (!answer)
    return;
  g_clear_pointer (&answer->classes, fovea_classes_free);
  g_clear_pointer (&answer->objects, fovea_objects_free);
  g_clear_pointer (&answer->mask, fovea_mask_free);
  g_clear_pointer (&answer->masks, fovea_masks_free);
  g_free (answer);
}

FoveaInput *
model_answer_read (const FoveaSettings *settings, const FoveaPhoto *photo, GError **error)
{
  g_autoptr (FoveaInput) input = fovea_input_new (settings, photo->width, photo->height, error);
  int                    x, y, width, height;
  g_autofree guint8     *rows = NULL;

  if (!input)
    return NULL;
  fovea_input_get_region (input, &x, &y, &width, &height);
  rows = g_malloc_n ((gsize) width * BAND_ROWS, 3);
  for (int row = 0; row < height; row += BAND_ROWS)
    {
      const int n = MIN (BAND_ROWS, height - row);

      if (!photo->read (photo->user_data, x, y + row, width, n, rows, (gsize) width * 3, error))
        return NULL;
      fovea_input_push (input, rows, (gsize) width * 3, n);
    }
  return g_steal_pointer (&input);
}

/* ---- by task -------------------------------------------------------------------------------------------------------- */

static FoveaClasses *
find_classes (FoveaModel *model, const FoveaSettings *settings, const FoveaPhoto *photo, GCancellable *cancellable, GError **error)
{
  g_autoptr (FoveaClassifier) classifier = fovea_classifier_new (model, settings, 0, error);
  g_autoptr (FoveaInput)      input = classifier ? model_answer_read (settings, photo, error) : NULL;

  return input ? fovea_classifier_run (classifier, input, cancellable, error) : NULL;
}

static FoveaObjects *
find_objects (FoveaModel *model, const FoveaSettings *settings, const FoveaPhoto *photo, GCancellable *cancellable, FoveaProgress progress, gpointer progress_data,
              GError **error)
{
  g_autoptr (FoveaLocator)    locator = fovea_locator_new (model, settings, 0, error);
  g_autoptr (FoveaCandidates) candidates = locator ? fovea_locator_run (locator, photo, 1, FALSE, cancellable, progress, progress_data, error) : NULL;

  return candidates ? fovea_candidates_select (candidates, NULL, error) : NULL;
}

static FoveaMasks *
find_masks (FoveaModel *model, const FoveaSettings *settings, const FoveaPhoto *photo, GCancellable *cancellable, FoveaProgress progress, gpointer progress_data,
            GError **error)
{
  const FoveaPromptPoint     middle = { photo->width / 2.0, photo->height / 2.0, TRUE };
  const FoveaPrompt          prompt = { .points = &middle, .n_points = 1 };
  g_autofree char           *partner = fovea_model_find_partner (model, settings, NULL);
  g_autoptr (FoveaSegmenter) segmenter = fovea_segmenter_new (model, settings, 0, error);

  if (!segmenter)
    return NULL;
  return partner ? fovea_segmenter_run_prompt (segmenter, photo, &prompt, cancellable, progress, progress_data, error)
                 : fovea_segmenter_run (segmenter, photo, 1, cancellable, progress, progress_data, error);
}

static gboolean
find (ModelAnswer *answer, FoveaModel *model, const FoveaSettings *settings, const FoveaPhoto *photo, GCancellable *cancellable, FoveaProgress progress,
      gpointer progress_data, GError **error)
{
  const FoveaMaskOptions plain = { .threshold = 0.5, .softness = 1 };

  switch (answer->task)
    {
    case FOVEA_TASK_CLASSIFY:
      answer->classes = find_classes (model, settings, photo, cancellable, error);
      return answer->classes != NULL;
    case FOVEA_TASK_DETECT:
      answer->objects = find_objects (model, settings, photo, cancellable, progress, progress_data, error);
      return answer->objects != NULL;
    case FOVEA_TASK_SEGMENT:
      answer->masks = find_masks (model, settings, photo, cancellable, progress, progress_data, error);
      answer->mask = answer->masks && fovea_masks_count (answer->masks) ? fovea_mask_new (answer->masks, NULL, 0, &plain, error) : NULL;
      return answer->masks && (answer->mask || fovea_masks_count (answer->masks) == 0);
    default:
      return TRUE;
    }
}

ModelAnswer *
model_answer_new (FoveaModel *model, const FoveaSettings *settings, const FoveaPhoto *photo, GCancellable *cancellable, FoveaProgress progress, gpointer progress_data,
                  GError **error)
{
  g_autoptr (FoveaSettings) own = settings ? NULL : fovea_settings_read (model, error);
  g_autoptr (ModelAnswer)   answer = g_new0 (ModelAnswer, 1);

  settings = settings ? settings : own;
  if (!settings)
    return NULL;
  answer->task = settings->task;
  return find (answer, model, settings, photo, cancellable, progress, progress_data, error) ? g_steal_pointer (&answer) : NULL;
}

/* ---- in words --------------------------------------------------------------------------------------------------------- */

char *
model_answer_tell (const ModelAnswer *answer)
{
  g_autoptr (GString) text = g_string_new (NULL);

  for (gsize i = 0; answer->classes && i < MIN (answer->classes->n, MOST_NAMES); i++)
    g_string_append_printf (text, "%s%s %.0f %%", i ? ", " : "", answer->classes->classes[i].label, 100 * answer->classes->classes[i].score);
  for (gsize i = 0; answer->objects && i < MIN (answer->objects->n, MOST_NAMES); i++)
    g_string_append_printf (text, "%s%s %.0f %%", i ? ", " : "", answer->objects->objects[i].label, 100 * answer->objects->objects[i].score);
  for (gsize i = 0; answer->masks && i < MIN (fovea_masks_count (answer->masks), MOST_NAMES); i++)
    g_string_append_printf (text, "%s%s", i ? ", " : "", fovea_masks_get_label (answer->masks, i));
  if (answer->mask)
    g_string_append_printf (text, _(": %.0f %% of the photo"), 100 * fovea_mask_get_area (answer->mask));
  return g_string_free (g_steal_pointer (&text), FALSE);
}
