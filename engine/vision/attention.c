/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * attention.c: where a classifier looked.
 *
 * Networks that end in pooling tell it themselves (activation-map.h). Others are asked: a gray patch covers one part of the photo after the other,
 * and where the score falls, there the network looked (Zeiler & Fergus 2014). That costs CELLS² runs, so it can be watched and cancelled.
 */

#include "vision/classifier.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "vision/decode-classes.h"
#include "vision/input.h"

#define CELLS 8   /* places along a side that are tried */
#define PATCH 4   /* the patch is a PATCH-th of a side */
#define GRAY  124 /* near the mean of photos, so that the patch itself says little */

/* To 0 … 1; all 0 where there is nothing to tell apart. */
static void
normalize (float *values, gsize n)
{
  float lowest = INFINITY, highest = -INFINITY, scale;

  for (gsize i = 0; i < n; i++)
    {
      lowest = MIN (lowest, values[i]);
      highest = MAX (highest, values[i]);
    }
  scale = highest - lowest > 1e-9f && isfinite (highest - lowest) ? 1 / (highest - lowest) : 0;
  for (gsize i = 0; i < n; i++)
    values[i] = scale ? (values[i] - lowest) * scale : 0;
}

/* ---- occlusion -------------------------------------------------------------------------------------------------------------------------- */

static void
cover (guint8 *pixels, int width, int height, int cell_x, int cell_y)
{
  int centre_x = (2 * cell_x + 1) * width / (2 * CELLS), centre_y = (2 * cell_y + 1) * height / (2 * CELLS);
  int half_width = MAX (width / (2 * PATCH), 1), half_height = MAX (height / (2 * PATCH), 1);
  int left = MAX (centre_x - half_width, 0), right = MIN (centre_x + half_width, width);

  for (int y = MAX (centre_y - half_height, 0); y < MIN (centre_y + half_height, height); y++)
    memset (pixels + ((gsize) y * width + left) * 3, GRAY, (gsize) (right - left) * 3);
}

static gboolean
run_score (FoveaClassifier *classifier, const guint8 *pixels, gsize index, GCancellable *cancellable, float *score, GError **error)
{
  input_write_pixels (classifier->settings, pixels, pixels, (gsize) classifier->settings->width * (gsize) classifier->settings->height,
                      fovea_session_get_input (classifier->session, 0));
  if (!classifier_run_session (classifier, cancellable, error) ||
      !decode_classes_activate (classifier->settings->activation, classifier->values, classifier->n_classes, error))
    return FALSE;
  *score = classifier->values[index];
  return TRUE;
}

/* How much the score falls when a cell and what is around it is covered. */
static gboolean
occlude (FoveaClassifier *classifier, FoveaInput *input, gsize index, GCancellable *cancellable, FoveaProgress progress, gpointer user_data,
         float *falls /* (CELLS, CELLS) */, GError **error)
{
  int           width, height;
  const guint8 *pixels = fovea_input_get_pixels (input, &width, &height);
  gsize         n_bytes = (gsize) width * height * 3;
  guint8       *covered = memory_alloc (n_bytes, "the attention map", error);
  gboolean      done = covered != NULL;
  float         whole = 0, score = 0;

  done = done && run_score (classifier, pixels, index, cancellable, &whole, error);
  for (int i = 0; i < CELLS * CELLS && done; i++)
    {
      memcpy (covered, pixels, n_bytes);
      cover (covered, width, height, i % CELLS, i / CELLS);
      done = run_score (classifier, covered, index, cancellable, &score, error);
      falls[i] = whole - score;
      if (progress)
        progress ((i + 1.0) / (CELLS * CELLS), user_data);
    }
  memory_free (covered);
  return done;
}

/* ---- public ----------------------------------------------------------------------------------------------------------------------------- */

static gboolean
compute_map (FoveaClassifier *classifier, FoveaInput *input, gsize index, GCancellable *cancellable, FoveaProgress progress, gpointer user_data,
             FoveaTensor *attention, GError **error)
{
  const FoveaTensor *features = fovea_session_get_output (classifier->session, classifier->map_output);
  int                width = (int) features->shape.dims[3], height = (int) features->shape.dims[2];
  float             *small = memory_alloc_n ((gsize) width * height, sizeof *small, "the attention map", error);
  gboolean           done = small && classifier_write_input (classifier, input, error) && classifier_run_session (classifier, cancellable, error);

  if (done)
    {
      activation_map_compute (classifier->map, features, index, small);
      activation_map_enlarge (small, width, height, attention->data, classifier->settings->width, classifier->settings->height);
      if (progress)
        progress (1, user_data);
    }
  memory_free (small);
  return done;
}

FoveaTensor *
fovea_classifier_attend (FoveaClassifier *classifier, FoveaInput *input, gsize index, const char **method, GCancellable *cancellable,
                         FoveaProgress progress, gpointer user_data, GError **error)
{
  const FoveaSettings *settings = classifier->settings;
  FoveaShape           shape = { 2, { settings->height, settings->width } };
  g_autoptr (FoveaTensor) attention = NULL;
  float falls[CELLS * CELLS];

  if (method)
    *method = classifier->map ? "class activation" : "occlusion";
  if (index >= classifier->n_classes)
    {
      g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_ARGUMENT, "There is no class %" G_GSIZE_FORMAT "; the model has %" G_GSIZE_FORMAT " classes.",
                   index, classifier->n_classes);
      return NULL;
    }
  attention = fovea_tensor_new (FOVEA_TYPE_FLOAT32, &shape, error);
  if (!attention)
    return NULL;
  if (classifier->map)
    {
      if (!compute_map (classifier, input, index, cancellable, progress, user_data, attention, error))
        return NULL;
    }
  else
    {
      if (!classifier_write_input (classifier, input, error) ||
          !occlude (classifier, input, index, cancellable, progress, user_data, falls, error))
        return NULL;
      activation_map_enlarge (falls, CELLS, CELLS, attention->data, settings->width, settings->height);
    }
  normalize (attention->data, (gsize) settings->width * settings->height);
  return g_steal_pointer (&attention);
}
