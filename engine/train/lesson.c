/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * lesson.c: see lesson.h.
 */

#include "train/lesson.h"

#include <math.h>
#include <string.h>

#include "base/tensor.h"
#include "train/loss-boxes.h"
#include "train/loss.h"

#define FOCUS 2.0 /* of the focal loss */

struct _Lesson
{
  const Dataset *dataset;
  guint          batch;
  int            size;
  LessonSettings settings;
  float         *weights; /* with class weights, or a teacher's answers: of a batch's photos or tags */
  const Batch   *photos;
  const float   *taught;
  float         *apart;   /* with a teacher: the answers for the labels, and their gradients; or the teacher's answers where it has some */
  CellTarget    *targets; /* detect: (photos, n_cells) */
  gsize          n_cells;
  double         loss;
};

Lesson *
lesson_new (const Dataset *dataset, guint batch, int size, const LessonSettings *settings)
{
  Lesson *lesson = g_new0 (Lesson, 1);

  lesson->dataset = dataset;
  lesson->batch = batch;
  lesson->size = size;
  lesson->settings = *settings;
  lesson->weights = settings->class_weights || settings->distill > 0.0 ? g_new (float, (gsize) batch * dataset->n_classes) : NULL;
  return lesson;
}

void
lesson_free (Lesson *lesson)
{
  if (!lesson)
    return;
  g_free (lesson->settings.class_weights);
  g_free (lesson->weights);
  g_free (lesson->apart);
  g_free (lesson->targets);
  g_free (lesson);
}

void
lesson_begin (Lesson *lesson, const Batch *batch, const float *taught)
{
  lesson->photos = batch;
  lesson->taught = taught;
  lesson->loss = 0.0;
  if (taught && !lesson->apart)
    lesson->apart = g_new (float, 2 * (gsize) lesson->batch * lesson->dataset->n_classes);
}

double
lesson_get_loss (const Lesson *lesson)
{
  return lesson->loss;
}

/* ---- by task ---------------------------------------------------------------------------------------------------------------------------------------- */

static double
sum (const float *weights, gsize n)
{
  double total = 0.0;

  for (gsize i = 0; i < n; i++)
    total += weights[i];
  return total;
}

/* What a batch's photos, or a photo's tags, weigh. */
static const float *
weigh (Lesson *lesson, gsize rows, gsize columns)
{
  const Batch *batch = lesson->photos;

  if (!lesson->settings.class_weights)
    return batch->weights;
  for (gsize row = 0; row < rows; row++)
    {
      double weight = 0.0;

      for (gsize c = 0; c < columns; c++)
        {
          double target = batch->targets[row * columns + c];

          weight += target * lesson->settings.class_weights[c];
          if (!lesson->dataset->exclusive)
            lesson->weights[row * columns + c] = batch->weights[row * columns + c] * (float) (1.0 + target * (lesson->settings.class_weights[c] - 1.0));
        }
      if (lesson->dataset->exclusive)
        lesson->weights[row] = batch->weights[row] * (float) weight;
    }
  return lesson->weights;
}

static void
lose_labels (Lesson *lesson, const float *answers, gsize rows, gsize columns, gsize pixels, float *gradient)
{
  const Dataset *dataset = lesson->dataset;
  const Batch   *batch = lesson->photos;
  gboolean       is_lovasz = lesson->settings.loss == FOVEA_LOSS_LOVASZ, is_l1 = lesson->settings.loss == FOVEA_LOSS_L1;
  double         focus = lesson->settings.loss == FOVEA_LOSS_FOCAL ? FOCUS : 0.0;

  if (dataset->task == FOVEA_TASK_SEGMENT && dataset->n_classes == 1)
    {
      lesson->loss = loss_sigmoid (answers, batch->targets, batch->weights, rows * pixels, focus, gradient);
      lesson->loss += is_lovasz ? loss_lovasz (answers, batch->targets, batch->weights, rows, 1, pixels, 1.0, gradient)
                      : is_l1   ? loss_l1 (answers, batch->targets, batch->weights, rows * pixels, 1.0, gradient)
                                : loss_dice (answers, batch->targets, batch->weights, rows, pixels, 1.0, gradient);
    }
  else if (dataset->task == FOVEA_TASK_SEGMENT)
    {
      lesson->loss = loss_softmax (answers, batch->targets, batch->weights, rows * pixels, columns, pixels, lesson->settings.smoothing, gradient);
      if (is_lovasz)
        lesson->loss += loss_lovasz (answers, batch->targets, batch->weights, rows, columns, pixels, 1.0, gradient);
    }
  else if (dataset->exclusive)
    lesson->loss = loss_softmax (answers, batch->targets, weigh (lesson, rows, columns), rows, columns, 1, lesson->settings.smoothing, gradient);
  else
    {
      /* The sum over a photo's tags, not their mean: else many tags would make each of them learn slowly. */
      const float *weights = weigh (lesson, rows, columns);
      double       scale = sum (weights, rows * columns) / (double) rows;

      lesson->loss = scale * loss_sigmoid (answers, batch->targets, weights, rows * columns, focus, gradient);
      for (gsize i = 0; i < rows * columns; i++)
        gradient[i] *= (float) scale;
    }
}

/* The first of each photo's answers are for its labels, the others follow the teacher's features: half the sum of the squared errors, mean over the photos. */
static void
lose_both (Lesson *lesson, const float *answers, gsize rows, gsize columns, float *gradient)
{
  gsize  n = lesson->dataset->n_classes;
  float *labels = lesson->apart, *labels_gradient = labels + rows * n;
  double loss = 0.0;

  for (gsize row = 0; row < rows; row++)
    memcpy (labels + row * n, answers + row * columns, n * sizeof (float));
  lose_labels (lesson, labels, rows, n, 1, labels_gradient);
  for (gsize row = 0; row < rows; row++)
    {
      memcpy (gradient + row * columns, labels_gradient + row * n, n * sizeof (float));
      for (gsize k = n; k < columns; k++)
        {
          float away = answers[row * columns + k] - lesson->taught[row * (columns - n) + k - n];

          loss += 0.5 * away * away / (double) rows;
          gradient[row * columns + k] = away / (float) rows;
        }
    }
  lesson->loss += loss;
}

/* The labels' loss and the teacher's, in shares. Where tags are several a photo, the teacher also has a say on those that the photo's source doesn't know. */
static void
lose_distilled (Lesson *lesson, const float *answers, gsize rows, gsize columns, float *gradient)
{
  double share = lesson->settings.distill, temperature = lesson->settings.temperature, known = 0.0;
  float *taught = lesson->apart;

  lose_labels (lesson, answers, rows, columns, 1, gradient);
  lesson->loss *= 1.0 - share;
  for (gsize i = 0; i < rows * columns; i++)
    gradient[i] *= (float) (1.0 - share);
  if (lesson->dataset->exclusive)
    {
      lesson->loss += loss_teacher_softmax (answers, lesson->taught, lesson->photos->weights, rows, columns, temperature, share, gradient);
      return;
    }
  for (gsize i = 0; i < rows * columns; i++)
    {
      lesson->weights[i] = isnan (lesson->taught[i]) ? 0.0f : 1.0f;
      taught[i] = isnan (lesson->taught[i]) ? 0.0f : lesson->taught[i];
      known += lesson->weights[i];
    }
  lesson->loss += loss_teacher_sigmoid (answers, taught, lesson->weights, rows * columns, temperature, share * known / (double) rows, gradient);
}

static BoxLoss
choose_box_loss (FoveaLoss loss)
{
  return loss == FOVEA_LOSS_CIOU ? BOX_LOSS_CIOU : loss == FOVEA_LOSS_SMOOTH_L1 ? BOX_LOSS_SMOOTH_L1 : BOX_LOSS_GIOU;
}

static void
lose_boxes (Lesson *lesson, const TensorView *outputs, const TensorView *gradients, guint n)
{
  g_autofree BoxGrid *grids = g_new0 (BoxGrid, n);
  gsize               rows = (gsize) outputs[0].shape.dims[0], n_classes = lesson->dataset->n_classes, n_cells;

  for (guint g = 0; g < n; g++)
    grids[g] = (BoxGrid) { outputs[g].data, gradients[g].data, (int) outputs[g].shape.dims[3], (int) outputs[g].shape.dims[2],
                           (double) lesson->size / (double) outputs[g].shape.dims[3] };
  n_cells = box_grids_count (grids, n);
  if (n_cells != lesson->n_cells)
    {
      g_free (lesson->targets);
      lesson->targets = g_new (CellTarget, rows * n_cells);
      lesson->n_cells = n_cells;
    }
  for (gsize photo = 0; photo < rows; photo++)
    box_grids_assign (grids, n, photo, n_classes, lesson->photos->targets + photo * SCENE_BOXES * SCENE_NUMBERS, lesson->targets + photo * n_cells);
  lesson->loss = loss_boxes (grids, n, rows, n_classes, lesson->targets, lesson->photos->targets, lesson->photos->weights,
                             choose_box_loss (lesson->settings.loss));
}

void
lesson_lose (const TensorView *outputs, const TensorView *gradients, guint n, gpointer user_data)
{
  Lesson *lesson = user_data;
  gsize   rows = (gsize) outputs[0].shape.dims[0], columns = (gsize) outputs[0].shape.dims[1], pixels = 1;

  if (lesson->dataset->task == FOVEA_TASK_DETECT)
    {
      lose_boxes (lesson, outputs, gradients, n);
      return;
    }
  for (guint i = 1; i < n; i++) /* other outputs learn nothing of their own */
    memset (gradients[i].data, 0, shape_count (&gradients[i].shape) * sizeof (float));
  for (guint d = 2; d < outputs[0].shape.n_dims; d++)
    pixels *= (gsize) outputs[0].shape.dims[d];
  if (lesson->taught && lesson->settings.distill > 0.0)
    lose_distilled (lesson, outputs[0].data, rows, columns, gradients[0].data);
  else if (lesson->taught)
    lose_both (lesson, outputs[0].data, rows, columns, gradients[0].data);
  else
    lose_labels (lesson, outputs[0].data, rows, columns, pixels, gradients[0].data);
}
