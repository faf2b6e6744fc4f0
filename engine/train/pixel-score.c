/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * pixel-score.c: how sure a FoveaPixelTrainer is of its pixels, where the next stroke would help most, and what it is worth on strokes that it hasn't seen.
 */

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "train/pixel-course.h"
#include "train/pixel-near.h"

#define FOLDS       3
#define JUDGE_STEPS 100
#define JUDGED_AT_ONCE 64 /* cells */
#define LEAST_CELLS 4     /* of a class that a fold is judged by */
#define AROUND      0.03  /* radius of the square whose doubt is summed, share of the grid */
#define NEAR_STROKE 0.015 /* a stroke's own surroundings don't need another */

/* ---- doubt ------------------------------------------------------------------------------------------------------------------------------- */

/* Sums over squares of (2 radius + 1)² cells of a (side, side) map, by a table of sums. */
static float *
sum_squares (const float *map, int side, int radius, GError **error)
{
  gsize   row = (gsize) side + 1;
  double *table = memory_alloc_n (row, row * sizeof (double), "the uncertainty", error);
  float  *sums = table ? memory_alloc_n ((gsize) side, (gsize) side * sizeof (float), "the uncertainty", error) : NULL;

  for (gsize y = 0; sums && y < (gsize) side; y++)
    for (gsize x = 0; x < (gsize) side; x++)
      table[(y + 1) * row + x + 1] = map[y * (gsize) side + x] + table[y * row + x + 1] + table[(y + 1) * row + x] - table[y * row + x];
  for (int y = 0; sums && y < side; y++)
    for (int x = 0; x < side; x++)
      {
        gsize top = (gsize) MAX (y - radius, 0), bottom = (gsize) MIN (y + radius + 1, side), left = (gsize) MAX (x - radius, 0), right = (gsize) MIN (x + radius + 1, side);

        sums[(gsize) y * side + x] = (float) (table[bottom * row + right] - table[top * row + right] - table[bottom * row + left] + table[top * row + left]);
      }
  memory_free (table);
  return sums;
}

/* The cell with most doubt around it that has no stroke near. */
static gboolean
find_place (const float *doubt, const guint8 *labels, int side, int *x, int *y, GError **error)
{
  gsize  n = (gsize) side * (gsize) side;
  float *painted = memory_alloc_n (n, sizeof (float), "the uncertainty", error), *near_by = NULL, *around = NULL;
  float  most = -1.0f;

  for (gsize i = 0; painted && i < n; i++)
    painted[i] = labels[i] != FOVEA_PIXEL_UNKNOWN;
  near_by = painted ? sum_squares (painted, side, MAX (1, (int) (NEAR_STROKE * side)), error) : NULL;
  around = near_by ? sum_squares (doubt, side, MAX (1, (int) (AROUND * side)), error) : NULL;
  for (gsize i = 0; around && i < n; i++)
    if (near_by[i] < 0.5f && around[i] * (0.2f + doubt[i]) > most)
      {
        most = around[i] * (0.2f + doubt[i]);
        *x = (int) (i % (gsize) side);
        *y = (int) (i / (gsize) side);
      }
  memory_free (painted);
  memory_free (near_by);
  memory_free (around);
  return around != NULL;
}

FoveaTensor *
fovea_pixel_trainer_doubt (FoveaPixelTrainer *trainer, int index, const FoveaMasks *masks, int *x, int *y, GError **error)
{
  const MaskStack  *stack = masks->stack;
  gsize             n = (gsize) stack->width * (gsize) stack->height;
  const FoveaShape  shape = { .n_dims = 2, .dims = { stack->height, stack->width } };
  FoveaTensor      *doubt = fovea_tensor_new (FOVEA_TYPE_FLOAT32, &shape, error);
  int               place[2] = { stack->width / 2, stack->height / 2 };
  const PixelPhoto *photo = g_ptr_array_index (trainer->photos, index);

  for (gsize i = 0; doubt && i < n; i++)
    {
      float first = 0.0f, second = 0.0f; /* one minus the margin between the best two */

      for (gsize c = 0; c < stack->n; c++)
        {
          float share = stack->shares[c * n + i];

          if (share > first)
            {
              second = first;
              first = share;
            }
          else
            second = MAX (second, share);
        }
      ((float *) doubt->data)[i] = 1.0f - (first - second);
    }
  if (doubt && !find_place (doubt->data, photo->labels, stack->width, &place[0], &place[1], error))
    g_clear_pointer (&doubt, fovea_tensor_unref);
  if (x)
    *x = place[0];
  if (y)
    *y = place[1];
  return doubt;
}

/* ---- an honest score --------------------------------------------------------------------------------------------------------------------- */

void
fovea_pixel_score_free (FoveaPixelScore *score)
{
  if (!score)
    return;
  g_free (score->iou);
  g_free (score->confusion);
  g_free (score);
}

static FoveaPixelScore *
new_score (const FoveaPixelTrainer *trainer)
{
  FoveaPixelScore *score = g_new0 (FoveaPixelScore, 1);

  score->n_classes = (guint) trainer->input->n_labels;
  score->iou = g_new0 (double, score->n_classes);
  score->confusion = g_new0 (gsize, (gsize) score->n_classes * score->n_classes);
  return score;
}

guint
pixel_trainer_count_painted (const FoveaPixelTrainer *trainer)
{
  guint n = 0;

  for (guint i = 0; i < trainer->photos->len; i++)
    n += ((PixelPhoto *) g_ptr_array_index (trainer->photos, i))->samples->len > 0;
  return n;
}

gboolean
pixel_fold_holds (const PixelFold *fold, guint photo, const PixelSample *sample)
{
  return fold && (fold->by_photo ? photo : photo + sample->stroke) % fold->n_folds == fold->fold;
}

/* By photos where three are painted at least; else by strokes, of which each class needs two. */
gboolean
pixel_score_choose_folds (const FoveaPixelTrainer *trainer, PixelFold *fold)
{
  guint             n_classes = (guint) trainer->input->n_labels, n_photos = pixel_trainer_count_painted (trainer);
  g_autofree guint *strokes = g_new0 (guint, n_classes);

  for (guint i = 0; i < trainer->photos->len; i++)
    {
      const PixelPhoto *photo = g_ptr_array_index (trainer->photos, i);
      g_autoptr (GHashTable) seen = g_hash_table_new (NULL, NULL);

      for (guint k = 0; k < photo->samples->len; k++)
        {
          const PixelSample *sample = &g_array_index (photo->samples, PixelSample, k);

          strokes[sample->label] += g_hash_table_add (seen, GUINT_TO_POINTER (sample->stroke * 256 + sample->label + 1));
        }
    }
  *fold = (PixelFold) { .n_folds = n_photos >= FOLDS ? FOLDS : 2, .by_photo = n_photos >= FOLDS };
  for (guint c = 0; c < n_classes && !fold->by_photo; c++)
    if (strokes[c] < 2)
      return FALSE;
  return TRUE;
}

/* The features of samples that are judged at once, and what they were painted as. */
typedef struct
{
  float *input; /* (JUDGED_AT_ONCE, n_features), of the session */
  guint  labels[JUDGED_AT_ONCE], n;
} Judged;

static gboolean
judge_at_once (FoveaSession *session, Judged *judged, FoveaPixelScore *score, GCancellable *cancellable, GError **error)
{
  const float *out = fovea_session_get_output (session, 0)->data;

  if (!fovea_session_run (session, cancellable, NULL, NULL, error))
    return FALSE;
  for (guint i = 0; i < judged->n; i++, out += score->n_classes)
    {
      guint best = 0;

      for (guint c = 1; c < score->n_classes; c++)
        best = out[c] > out[best] ? c : best;
      score->confusion[judged->labels[i] * score->n_classes + best]++;
    }
  judged->n = 0;
  return TRUE;
}

static gsize
count_fold (const FoveaPixelTrainer *trainer, const PixelFold *fold)
{
  gsize n = 0;

  for (guint i = 0, painted = 0; i < trainer->photos->len; i++)
    {
      const GArray *samples = ((PixelPhoto *) g_ptr_array_index (trainer->photos, i))->samples;

      for (guint k = 0; k < samples->len; k++)
        n += pixel_fold_holds (fold, painted, &g_array_index (samples, PixelSample, k));
      painted += samples->len > 0;
    }
  return n;
}

/* Every so-manieth sample of the fold into the confusion. */
static gboolean
judge_fold (const FoveaPixelTrainer *trainer, FoveaModel *head, const PixelFold *fold, gsize every, FoveaPixelScore *score, GCancellable *cancellable, GError **error)
{
  const gsize                     n_features = trainer->features->n_features;
  g_autoptr (FoveaSessionOptions) options = fovea_session_options_new ();
  const FoveaShape                shape = { .n_dims = 2, .dims = { JUDGED_AT_ONCE, (gint64) n_features } };
  g_autoptr (FoveaSession)        session = NULL;
  Judged                          judged = { .n = 0 };

  fovea_session_options_set_threads (options, 1);
  fovea_session_options_set_shape (options, "features", &shape);
  session = fovea_session_new (head, options, error);
  if (!session)
    return FALSE;
  judged.input = fovea_session_get_input (session, 0)->data;
  memset (judged.input, 0, JUDGED_AT_ONCE * n_features * sizeof (float));
  for (guint i = 0, painted = 0, n = 0; i < trainer->photos->len; i++)
    {
      const PixelPhoto *photo = g_ptr_array_index (trainer->photos, i);

      for (guint k = 0; k < photo->samples->len; k++)
        {
          const PixelSample *sample = &g_array_index (photo->samples, PixelSample, k);
          float             *in = judged.input + judged.n * n_features;

          if (!pixel_fold_holds (fold, painted, sample) || n++ % every != 0)
            continue;
          for (gsize c = 0; c < n_features; c++)
            in[c] = (photo->features[k * n_features + c] - trainer->mean[c]) * trainer->scale[c];
          judged.labels[judged.n++] = sample->label;
          if (judged.n == JUDGED_AT_ONCE && !judge_at_once (session, &judged, score, cancellable, error))
            return FALSE;
        }
      painted += photo->samples->len > 0;
    }
  return judged.n == 0 || judge_at_once (session, &judged, score, cancellable, error);
}

static void
sum_up (FoveaPixelScore *score)
{
  guint n = score->n_classes, n_judged = 0;

  for (guint c = 0; c < n; c++)
    {
      gsize row = 0, column = 0, right = score->confusion[c * n + c];

      for (guint k = 0; k < n; k++)
        {
          row += score->confusion[c * n + k];
          column += score->confusion[k * n + c];
        }
      score->iou[c] = row + column > right ? (double) right / (double) (row + column - right) : NAN;
      if (row < LEAST_CELLS)
        continue;
      n_judged++;
      score->accuracy += (double) right / (double) row;
      score->mean_iou += score->iou[c];
    }
  score->enough = n_judged >= 2;
  score->accuracy = n_judged ? score->accuracy / n_judged : 0.0;
  score->mean_iou = n_judged ? score->mean_iou / n_judged : 0.0;
}

FoveaPixelScore *
pixel_score_fold (const FoveaPixelTrainer *trainer, FoveaModel *head, const PixelFold *fold, gsize most, GCancellable *cancellable, GError **error)
{
  g_autoptr (FoveaPixelScore) score = new_score (trainer);

  if (!judge_fold (trainer, head, fold, count_fold (trainer, fold) / most + 1, score, cancellable, error))
    return NULL;
  sum_up (score);
  return g_steal_pointer (&score);
}

FoveaPixelScore *
fovea_pixel_trainer_judge (FoveaPixelTrainer *trainer, GCancellable *cancellable, GError **error)
{
  g_autoptr (FoveaPixelScore) score = new_score (trainer);
  PixelFold                   fold;

  if (!pixel_score_choose_folds (trainer, &fold))
    return g_steal_pointer (&score);
  if (!pixel_trainer_begin (trainer, cancellable, error))
    return NULL;
  for (; fold.fold < fold.n_folds; fold.fold++)
    {
      g_autoptr (FoveaModel) head = pixel_course_learn (trainer, NULL, &fold, JUDGE_STEPS, cancellable, error);

      if (!head || !judge_fold (trainer, head, &fold, 1, score, cancellable, error))
        return NULL;
    }
  sum_up (score);
  if (trainer->near && !pixel_near_judge (trainer->near, score->enough ? score->accuracy : -1.0, cancellable, error))
    return NULL;
  return g_steal_pointer (&score);
}
