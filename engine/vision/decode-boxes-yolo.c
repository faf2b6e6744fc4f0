/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * decode-boxes-yolo.c: YOLO networks that give one table of boxes.
 *
 *   v5, v7     (1, N, 5 + classes)   centre x, centre y, width, height, objectness, scores       decoded in the graph, pixels
 *   v8 … 11    (1, 4 + classes, N)   the same without objectness, turned
 *   10, 26     (1, N, 6)             left, top, right, bottom, score, class                      nothing left to suppress
 *   YOLOX      (1, N, 5 + classes)   offsets in cells of grids of strides 8, 16 and 32, logarithms of sizes
 *
 * With masks, the coefficients of as many prototypes as the second output has come after the scores; with poses, the points; with turned boxes, the
 * angle in radians.
 */

#include "base/tensor.h"
#include "vision/decode-boxes.h"
#include "vision/families.h"

/* How many coefficients of masks a box has: the channels of the second output. */
static gint64
count_coefficients (const BoxTensor *tensors, guint n_tensors)
{
  return n_tensors > 1 && tensors[1].shape.n_dims == 4 ? tensors[1].shape.dims[1] : 0;
}

static gboolean
is_table (const BoxTensor *tensor)
{
  return tensor->shape.n_dims == 3 && tensor->shape.dims[0] == 1;
}

static gboolean
decode_v5 (const BoxOptions *options, const BoxTensor *tensors, guint n_tensors, BoxList *list, GError **error)
{
  gint64 n_classes = is_table (tensors) ? tensors->shape.dims[2] - 5 - count_coefficients (tensors, n_tensors) : 0;
  gsize  n, n_values;

  if (n_classes < 1)
    return box_wrong_shape (tensors, "1 × boxes × (4 sides, objectness, a score for each class)", error);
  n = tensors->shape.dims[1];
  n_values = tensors->shape.dims[2];
  for (gsize i = 0; i < n; i++)
    {
      const float *row = tensors->values + i * n_values;
      float        score;
      gsize        label = box_best_class (row + 5, n_classes, 1, &score);

      box_list_add_centred (list, row[0], row[1], row[2], row[3], score * row[4], label, i);
    }
  return TRUE;
}

/* A turned box's own sides become those of the upright box around it. */
static void
stand_up (float *width, float *height, float angle)
{
  float c = fabsf (cosf (angle)), s = fabsf (sinf (angle)), w = *width, h = *height;

  *width = w * c + h * s;
  *height = w * s + h * c;
}

static gboolean
decode_turned_table (const BoxTensor *tensor, gint64 n_classes, gboolean turned, BoxList *list, GError **error)
{
  gsize n, n_values;

  if (!is_table (tensor) || n_classes < 1 || 4 + n_classes + turned > tensor->shape.dims[1])
    return box_wrong_shape (tensor, "1 × (4 sides, a score for each class) × boxes", error);
  n_values = tensor->shape.dims[1];
  n = tensor->shape.dims[2];
  for (gsize i = 0; i < n; i++)
    {
      const float *column = tensor->values + i;
      float        score, width = column[2 * n], height = column[3 * n];
      gsize        label = box_best_class (column + 4 * n, n_classes, n, &score);

      if (turned)
        stand_up (&width, &height, column[(n_values - 1) * n]);
      box_list_add_centred (list, column[0], column[n], width, height, score, label, i);
    }
  return TRUE;
}

static gboolean
decode_v8 (const BoxOptions *options, const BoxTensor *tensors, guint n_tensors, BoxList *list, GError **error)
{
  return decode_turned_table (tensors, is_table (tensors) ? tensors->shape.dims[1] - 4 - count_coefficients (tensors, n_tensors) : 0, FALSE, list, error);
}

static gboolean
decode_v8_turned (const BoxOptions *options, const BoxTensor *tensors, guint n_tensors, BoxList *list, GError **error)
{
  return decode_turned_table (tensors, is_table (tensors) ? tensors->shape.dims[1] - 5 : 0, TRUE, list, error);
}

/* Points come after the scores, two or three values each: the labels say how many scores there are; usually one. */
static gboolean
decode_v8_pose (const BoxOptions *options, const BoxTensor *tensors, guint n_tensors, BoxList *list, GError **error)
{
  return decode_turned_table (tensors, MAX (options->n_labels, 1), FALSE, list, error);
}

static gboolean
decode_end_to_end (const BoxOptions *options, const BoxTensor *tensors, guint n_tensors, BoxList *list, GError **error)
{
  gsize n, n_values;

  if (!is_table (tensors) || tensors->shape.dims[2] < 6)
    return box_wrong_shape (tensors, "1 × boxes × (4 sides, score, class, …)", error);
  n = tensors->shape.dims[1];
  n_values = tensors->shape.dims[2];
  for (gsize i = 0; i < n; i++)
    {
      const float *row = tensors->values + i * n_values;
      gint64       label = int64_from_double (row[5]);
      float        width = row[2], height = row[3];

      if (isnan (row[5]))
        list->damaged = TRUE;
      if (label < 0 || label > G_MAXINT32)
        continue;
      if (n_values == 7) /* with an angle the sides are centre and size */
        {
          stand_up (&width, &height, row[6]);
          box_list_add_centred (list, row[0], row[1], width, height, row[4], label, i);
        }
      else
        box_list_add (list, row[0], row[1], row[2], row[3], row[4], label, i);
    }
  return TRUE;
}

/* ---- YOLOX ------------------------------------------------------------------------------------------------------------------------------ */

/* Some exports decode in the graph. Then the centres are pixels, and the last column's lie near the right edge; offsets within cells stay small. */
static gboolean
is_decoded (const BoxOptions *options, const BoxTensor *tensor)
{
  for (gint64 i = 0; i < tensor->shape.dims[1]; i++)
    if (tensor->values[i * tensor->shape.dims[2]] > 0.5f * options->width)
      return TRUE;
  return FALSE;
}

static gboolean
decode_x (const BoxOptions *options, const BoxTensor *tensors, guint n_tensors, BoxList *list, GError **error)
{
  gint64   n_values = is_table (tensors) ? tensors->shape.dims[2] : 0, row = 0, expected = family_count_places (options->width, options->height, 8, 32);
  gboolean decoded;

  if (n_values < 6 || tensors->shape.dims[1] != expected)
    return box_wrong_shape (tensors, "1 × cells of strides 8, 16 and 32 × (4 sides, objectness, a score for each class)", error);
  decoded = is_decoded (options, tensors);
  for (int stride = 8; stride <= 32; stride *= 2)
    for (int y = 0; y < (options->height + stride - 1) / stride; y++)
      for (int x = 0; x < (options->width + stride - 1) / stride; x++, row++)
        {
          const float *values = tensors->values + row * n_values;
          float        score;
          gsize        label = box_best_class (values + 5, n_values - 5, 1, &score);

          score *= values[4];
          if (decoded)
            box_list_add_centred (list, values[0], values[1], values[2], values[3], score, label, row);
          else
            box_list_add_centred (list, (values[0] + x) * stride, (values[1] + y) * stride, expf (values[2]) * stride, expf (values[3]) * stride, score,
                                  label, row);
        }
  return TRUE;
}

const BoxDecoder decode_boxes_yolov5 = decode_v5, decode_boxes_yolov8 = decode_v8, decode_boxes_yolov8_pose = decode_v8_pose,
                 decode_boxes_yolov8_turned = decode_v8_turned, decode_boxes_end_to_end = decode_end_to_end, decode_boxes_yolox = decode_x;
