/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * decode-boxes-dense.c: detectors with a prediction for every place of a feature pyramid.
 *
 *   NanoDet    for each stride scores (1, n, classes) and distances (1, n, 4 bins); or all strides in one (1, N, classes + 4 bins), "Plus".
 *              A distance is the mean of its bins' numbers under softmax, times the stride (Li et al. 2020, arXiv:2006.04388).
 *   RetinaNet  five maps (1, 9 classes, h, w) and five (1, 36, h, w): offsets from nine anchors a place (Lin et al. 2017, arXiv:1708.02002).
 */

#include "base/tensor.h"
#include "vision/decode-boxes.h"
#include "vision/families.h"

/* ---- NanoDet ---------------------------------------------------------------------------------------------------------------------------- */

#define N_BINS      8 /* of each of the four distances; the number that all published networks have */
#define N_DISTANCES (4 * N_BINS)

static float
expect_distance (const float *bins)
{
  double sum = 0, weighted = 0;
  float  most = bins[0];

  for (int i = 1; i < N_BINS; i++)
    most = MAX (most, bins[i]);
  for (int i = 0; i < N_BINS; i++)
    {
      double e = exp (bins[i] - most);

      sum += e;
      weighted += e * i;
    }
  return (float) (weighted / sum);
}

/* One grid: scores and distances of a cell lie `scores_step` and `distances_step` floats behind those of the last; `shift` of a cell is its centre. */
typedef struct
{
  const float *scores, *distances;
  gsize        scores_step, distances_step, n_classes;
  int          stride;
  float        shift;
  gboolean     logits;
} DenseGrid;

static gsize
decode_dense_grid (const BoxOptions *options, const DenseGrid *grid, gsize row, BoxList *list)
{
  int columns = (options->width + grid->stride - 1) / grid->stride, rows = (options->height + grid->stride - 1) / grid->stride;

  for (gsize i = 0; i < (gsize) columns * rows; i++, row++)
    {
      const float *bins = grid->distances + i * grid->distances_step;
      float        score, x = ((float) (i % columns) + grid->shift) * grid->stride, y = ((float) (i / columns) + grid->shift) * grid->stride;
      gsize        label = box_best_class (grid->scores + i * grid->scores_step, grid->n_classes, 1, &score);

      if (grid->logits)
        score = box_sigmoid (score);
      if (score < list->least)
        continue;
      box_list_add (list, x - expect_distance (bins) * grid->stride, y - expect_distance (bins + N_BINS) * grid->stride,
                    x + expect_distance (bins + 2 * N_BINS) * grid->stride, y + expect_distance (bins + 3 * N_BINS) * grid->stride, score, label, row);
    }
  return row;
}

/* NanoDet-Plus: its centres are the cells' corners. */
static gboolean
decode_joined (const BoxOptions *options, const BoxTensor *tensor, BoxList *list, GError **error)
{
  gint64    n_values = tensor->shape.n_dims == 3 && tensor->shape.dims[0] == 1 ? tensor->shape.dims[2] : 0, n_classes = n_values - N_DISTANCES, n;
  DenseGrid grid = { .scores = tensor->values, .scores_step = n_values, .distances_step = n_values, .n_classes = n_classes };
  gsize     row = 0;

  if (n_classes < 1 || tensor->shape.dims[1] != family_count_places (options->width, options->height, 8, 64))
    return box_wrong_shape (tensor, "1 × cells of strides 8 to 64 × (a score for each class, 32 distances)", error);
  n = tensor->shape.dims[1];
  for (gint64 i = 0; i < n && !grid.logits; i++)
    grid.logits = box_are_logits (tensor->values + i * n_values, n_classes);
  for (grid.stride = 8; grid.stride <= 64; grid.stride *= 2)
    {
      grid.scores = tensor->values + row * n_values;
      grid.distances = grid.scores + n_classes;
      row = decode_dense_grid (options, &grid, row, list);
    }
  return TRUE;
}

/* The scores and distances of a grid of n cells. With 32 classes both look alike: then the first is the scores. */
static gboolean
find_grid (const BoxTensor *tensors, guint n_tensors, gint64 n, const BoxTensor **scores, const BoxTensor **distances)
{
  *scores = *distances = NULL;
  for (guint i = 0; i < n_tensors; i++)
    if (tensors[i].shape.n_dims == 3 && tensors[i].shape.dims[0] == 1 && tensors[i].shape.dims[1] == n)
      {
        if (tensors[i].shape.dims[2] == N_DISTANCES && (*scores || n_tensors < 2 || tensors[(i + n_tensors / 2) % n_tensors].shape.dims[2] != N_DISTANCES))
          *distances = &tensors[i];
        else
          *scores = &tensors[i];
      }
  return *scores && *distances && (*scores)->shape.dims[2] >= 1;
}

static gboolean
decode_nanodet (const BoxOptions *options, const BoxTensor *tensors, guint n_tensors, BoxList *list, GError **error)
{
  gsize row = 0;

  if (n_tensors == 1)
    return decode_joined (options, tensors, list, error);
  if (n_tensors != 6 && n_tensors != 8)
    return box_wrong_shape (tensors, "one of six or eight: scores and distances of three or four grids", error);
  for (int stride = 8; stride <= (n_tensors == 6 ? 32 : 64); stride *= 2)
    {
      const BoxTensor *scores, *distances;
      DenseGrid        grid = { .stride = stride, .shift = 0.5f, .distances_step = N_DISTANCES };

      if (!find_grid (tensors, n_tensors, family_count_places (options->width, options->height, stride, stride), &scores, &distances))
        return box_wrong_shape (tensors, "one of pairs of scores and 32 distances, for each cell of strides 8, 16, 32 …", error);
      grid.scores = scores->values;
      grid.distances = distances->values;
      grid.scores_step = grid.n_classes = scores->shape.dims[2];
      grid.logits = box_are_logits (scores->values, shape_count (&scores->shape));
      row = decode_dense_grid (options, &grid, row, list);
    }
  return TRUE;
}

/* ---- RetinaNet -------------------------------------------------------------------------------------------------------------------------- */

#define N_ANCHORS 9

/* Left, top, right, bottom of anchor a, around a cell of `stride`: three sizes, each in three shapes. */
static void
make_anchor (int stride, guint a, float anchor[4])
{
  static const double ratios[] = { 1, 2, 0.5 }; /* height to width */
  double scale = 4 * pow (2, a / 3 / 3.0), width = sqrt (stride * stride / ratios[a % 3]) * scale, height = width * ratios[a % 3];

  anchor[0] = (float) ((stride - width) / 2);
  anchor[1] = (float) ((stride - height) / 2);
  anchor[2] = (float) ((stride + width) / 2);
  anchor[3] = (float) ((stride + height) / 2);
}

/* The box whose side lengths count the last pixel, as the network was trained. */
static void
add_offset_box (const float anchor[4], const float offsets[4], float left, float top, float score, gsize label, gsize row, BoxList *list)
{
  float width = anchor[2] - anchor[0] + 1, height = anchor[3] - anchor[1] + 1;
  float x = offsets[0] * width + left + anchor[0] + width / 2, y = offsets[1] * height + top + anchor[1] + height / 2;
  float box_width = expf (offsets[2]) * width, box_height = expf (offsets[3]) * height;

  box_list_add (list, x - box_width / 2, y - box_height / 2, x + box_width / 2 - 1, y + box_height / 2 - 1, score, label, row);
}

static gsize
decode_level (const BoxOptions *options, const BoxTensor *scores, const BoxTensor *boxes, gboolean logits, gsize row, BoxList *list)
{
  gint64 height = scores->shape.dims[2], width = scores->shape.dims[3], n_classes = scores->shape.dims[1] / N_ANCHORS, n = height * width;
  int    stride = 1;

  while (stride * width < options->width) /* strides are powers of two; the last cells may reach beyond the input */
    stride *= 2;
  for (guint a = 0; a < N_ANCHORS; a++)
    {
      float anchor[4];

      make_anchor (stride, a, anchor);
      for (gint64 i = 0; i < n; i++, row++)
        {
          const float *offsets = boxes->values + a * 4 * n + i;
          float        score;
          gsize        label = box_best_class (scores->values + a * n_classes * n + i, n_classes, n, &score);

          if (logits)
            score = box_sigmoid (score);
          add_offset_box (anchor, (float[]) { offsets[0], offsets[n], offsets[2 * n], offsets[3 * n] }, (float) (i % width * stride),
                          (float) (i / width * stride), score, label, row, list);
        }
    }
  return row;
}

static gboolean
decode_retinanet (const BoxOptions *options, const BoxTensor *tensors, guint n_tensors, BoxList *list, GError **error)
{
  guint    half = n_tensors / 2;
  gsize    row = 0;
  gboolean logits = FALSE;

  if (n_tensors < 2 || n_tensors % 2)
    return box_wrong_shape (tensors, "one of pairs: maps of scores, then as many of boxes", error);
  for (guint i = 0; i < half; i++)
    {
      const FoveaShape *scores = &tensors[i].shape, *boxes = &tensors[half + i].shape;

      if (scores->n_dims != 4 || scores->dims[0] != 1 || scores->dims[1] < N_ANCHORS || scores->dims[1] % N_ANCHORS || scores->dims[3] < 1)
        return box_wrong_shape (&tensors[i], "1 × 9 anchors × (a score for each class) × height × width", error);
      if (boxes->n_dims != 4 || boxes->dims[0] != 1 || boxes->dims[1] != 4 * N_ANCHORS || boxes->dims[2] != scores->dims[2] || boxes->dims[3] != scores->dims[3])
        return box_wrong_shape (&tensors[half + i], "1 × 36 × height × width, like its scores", error);
      logits |= box_are_logits (tensors[i].values, shape_count (scores));
    }
  for (guint i = 0; i < half; i++)
    row = decode_level (options, &tensors[i], &tensors[half + i], logits, row, list);
  return TRUE;
}

const BoxDecoder decode_boxes_nanodet = decode_nanodet, decode_boxes_retinanet = decode_retinanet;
