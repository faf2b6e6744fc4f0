/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * decode-boxes-lists.c: networks that give finished lists of boxes, or one box for each of a few hundred queries.
 *
 *   DETR        logits (1, N, classes) and boxes (1, N, 4): centre and size from 0 to 1 (Carion et al. 2020). The first kind takes softmax and has "no
 *               object" as its last class, later ones take the logistic function.
 *   RT-DETR     class numbers, boxes in pixels of the size that it was told, scores
 *   R-CNN …     the same three for torchvision, Detectron and SSD-ResNet34, class numbers from 1
 *   YOLOv3      boxes (1, N, 4) as top, left, bottom, right, scores (1, classes, N), and what the graph's own suppression leaves of them; that isn't
 *               taken, so that overlap can be chosen later
 */

#include "base/tensor.h"
#include "vision/decode-boxes.h"

#define FIRST_DETR_QUERIES 100

/* ---- queries ---------------------------------------------------------------------------------------------------------------------------- */

/* Softmax with "no object" last, unless the settings say something else: what has as many queries as the first network, or one class more than names. */
static gboolean
takes_softmax (const BoxOptions *options, const BoxTensor *scores)
{
  if (options->activation != FOVEA_ACTIVATION_AUTO)
    return options->activation == FOVEA_ACTIVATION_SOFTMAX;
  if (options->n_labels)
    return scores->shape.dims[2] == (gint64) options->n_labels + 1;
  return scores->shape.dims[1] <= FIRST_DETR_QUERIES;
}

static float
soften (const float *logits, gsize n, float best)
{
  double sum = 0;
  float  most = best;

  for (gsize i = 0; i < n; i++)
    most = MAX (most, logits[i]);
  for (gsize i = 0; i < n; i++)
    sum += exp (logits[i] - most);
  return (float) (exp (best - most) / sum);
}

static gboolean
decode_queries (const BoxOptions *options, const BoxTensor *tensors, guint n_tensors, BoxList *list, GError **error)
{
  guint            of_boxes = n_tensors == 2 && tensors[1].shape.n_dims == 3 && tensors[1].shape.dims[2] == 4;
  const BoxTensor *boxes = &tensors[of_boxes], *scores = &tensors[n_tensors == 2 ? !of_boxes : 0];
  gboolean         softmax;
  gint64           n_values, n_classes;

  if (boxes->shape.n_dims != 3 || boxes->shape.dims[0] != 1 || boxes->shape.dims[2] != 4)
    return box_wrong_shape (boxes, "1 × boxes × 4", error);
  softmax = scores->shape.n_dims == 3 && takes_softmax (options, scores);
  n_values = scores->shape.n_dims == 3 ? scores->shape.dims[2] : 0;
  n_classes = n_values - softmax;
  if (n_tensors != 2 || n_classes < 1 || scores->shape.dims[0] != 1 || scores->shape.dims[1] != boxes->shape.dims[1])
    return box_wrong_shape (scores, "1 × boxes × (a score for each class)", error);
  for (gint64 i = 0; i < scores->shape.dims[1]; i++)
    {
      const float *logits = scores->values + i * n_values, *box = boxes->values + 4 * i;
      float        best, score;
      gsize        label = box_best_class (logits, n_classes, 1, &best);

      if (isnan (logits[n_values - 1]))
        best = NAN;
      score = softmax ? soften (logits, n_values, best) : options->activation == FOVEA_ACTIVATION_NONE ? best : box_sigmoid (best);
      box_list_add_centred (list, box[0] * options->width, box[1] * options->height, box[2] * options->width, box[3] * options->height, score, label, i);
    }
  return TRUE;
}

/* ---- numbered classes ------------------------------------------------------------------------------------------------------------------- */

/* Boxes (…, 4), class numbers, scores, in any order. */
static gboolean
find_three (const BoxTensor *tensors, guint n_tensors, const BoxTensor **boxes, const BoxTensor **labels, const BoxTensor **scores, GError **error)
{
  *boxes = *labels = *scores = NULL;
  for (guint i = 0; i < MIN (n_tensors, 3); i++)
    {
      const FoveaShape *shape = &tensors[i].shape;

      if (tensors[i].type != FOVEA_TYPE_FLOAT32 && tensors[i].type != FOVEA_TYPE_FLOAT16 && tensors[i].type != FOVEA_TYPE_FLOAT64)
        *labels = &tensors[i];
      else if (shape->n_dims >= 2 && shape->dims[shape->n_dims - 1] == 4 && !*boxes)
        *boxes = &tensors[i];
      else
        *scores = &tensors[i];
    }
  if (!*boxes || !*labels || !*scores)
    return box_wrong_shape (tensors, "one of three: boxes × 4, and as many class numbers and scores", error);
  if (shape_count (&(*labels)->shape) != shape_count (&(*scores)->shape) || shape_count (&(*boxes)->shape) != 4 * shape_count (&(*scores)->shape))
    return box_wrong_shape (*boxes, "boxes × 4, with as many class numbers and scores", error);
  return TRUE;
}

/* Shares of the input become pixels: boxes of which no side lies beyond 1.5 would be smaller than a pixel otherwise. */
static gboolean
are_shares (const float *values, gsize n)
{
  for (gsize i = 0; i < n; i++)
    if (values[i] > 1.5f)
      return FALSE;
  return n > 0;
}

static gboolean
add_numbered (const BoxOptions *options, const BoxTensor *tensors, guint n_tensors, gint32 first_id, BoxList *list, GError **error)
{
  const BoxTensor *boxes, *labels, *scores;
  gsize            n;
  float            scale[2] = { 1, 1 };

  if (!find_three (tensors, n_tensors, &boxes, &labels, &scores, error))
    return FALSE;
  n = shape_count (&scores->shape);
  if (are_shares (boxes->values, 4 * n))
    {
      scale[0] = (float) options->width;
      scale[1] = (float) options->height;
    }
  for (gsize i = 0; i < n; i++)
    {
      const float *box = boxes->values + 4 * i;
      gint64       label = int64_from_double (labels->values[i]) - first_id;

      if (label >= 0)
        box_list_add (list, box[0] * scale[0], box[1] * scale[1], box[2] * scale[0], box[3] * scale[1], scores->values[i], label, i);
    }
  return TRUE;
}

static gboolean
decode_numbered (const BoxOptions *options, const BoxTensor *tensors, guint n_tensors, BoxList *list, GError **error)
{
  return add_numbered (options, tensors, n_tensors, options->first_id, list, error);
}

static gboolean
decode_rt_detr (const BoxOptions *options, const BoxTensor *tensors, guint n_tensors, BoxList *list, GError **error)
{
  return add_numbered (options, tensors, n_tensors, 0, list, error);
}

/* ---- YOLOv3 with its own suppression ---------------------------------------------------------------------------------------------------- */

static gboolean
decode_v3 (const BoxOptions *options, const BoxTensor *tensors, guint n_tensors, BoxList *list, GError **error)
{
  const BoxTensor *boxes = &tensors[0], *scores = &tensors[n_tensors > 1];
  gsize            n, n_classes;

  if (boxes->shape.n_dims != 3 || boxes->shape.dims[0] != 1 || boxes->shape.dims[2] != 4)
    return box_wrong_shape (boxes, "1 × boxes × 4", error);
  if (n_tensors < 2 || scores->shape.n_dims != 3 || scores->shape.dims[0] != 1 || scores->shape.dims[1] < 1 || scores->shape.dims[2] != boxes->shape.dims[1])
    return box_wrong_shape (scores, "1 × classes × boxes", error);
  n_classes = scores->shape.dims[1];
  n = scores->shape.dims[2];
  for (gsize i = 0; i < n; i++)
    {
      const float *box = boxes->values + 4 * i;
      float        score;
      gsize        label = box_best_class (scores->values + i, n_classes, n, &score);

      box_list_add (list, box[1], box[0], box[3], box[2], score, label, i);
    }
  return TRUE;
}

const BoxDecoder decode_boxes_detr = decode_queries, decode_boxes_numbered = decode_numbered, decode_boxes_rt_detr = decode_rt_detr,
                 decode_boxes_yolov3 = decode_v3;
