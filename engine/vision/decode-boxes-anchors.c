/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * decode-boxes-anchors.c: YOLO networks that give raw grids with anchors, v2 to v5 (Redmon & Farhadi 2016, 2018; Bochkovskiy et al. 2020).
 *
 * Each cell of a grid has a few anchors (widths and heights), each with the values x, y, width, height, objectness and a score a class. With s the
 * stride and σ the logistic function, the centre of a box is
 *   v2, v3:  (σ(x) + column) s        v4: (k σ(x) − (k − 1) / 2 + column) s with k near 1        v5: (2 σ(x) − 1/2 + column) s, which is k = 2
 * and its width that of the anchor times e^w (v5: (2 σ(w))²).
 */

#include "vision/decode-boxes.h"

#include <glib/gi18n.h>

/* One grid, whatever the order of its dimensions: the value c of anchor a at (y, x) is at a * anchor + y * row + x * column + c * value. */
typedef struct
{
  const BoxTensor *tensor;
  gint64           width, height, n_anchors, n_values;
  gsize            anchor, row, column, value;
} Grid;

/* How a version makes boxes of values. */
typedef struct
{
  const double *anchors;   /* all grids', from the finest grid to the coarsest */
  const float  *spread;    /* k for each grid, from the finest; NULL: 1 */
  gboolean      square;    /* sizes are (2σ)² instead of e^x */
  gboolean      softmax;   /* scores are a distribution instead of independent */
} Version;

#define MAX_GRIDS 4

static const double anchors_v3[] = { 10, 13, 16, 30, 33, 23, 30, 61, 62, 45, 59, 119, 116, 90, 156, 198, 373, 326 };
static const double anchors_v3_tiny[] = { 10, 14, 23, 27, 37, 58, 81, 82, 135, 169, 344, 319 };
static const double anchors_v4[] = { 12, 16, 19, 36, 40, 28, 36, 75, 76, 55, 72, 146, 142, 110, 192, 243, 459, 401 };
static const double anchors_v5_p6[] = { 19, 27, 44, 40, 38, 94, 96, 68, 86, 152, 180, 137, 140, 301, 303, 264, 238, 542, 436, 615, 739, 380, 925, 792 };
static const double anchors_v2_voc[] = { 34.56, 38.08, 109.44, 141.12, 212.16, 364.16, 301.44, 163.52, 531.84, 336.64 };
static const double anchors_v2_coco[] = { 18.32736, 21.67632, 59.98272, 66.00096, 106.82976, 175.17888, 252.25024, 112.80896, 312.65664, 293.38496 };
static const float  spread_v4[] = { 1.2f, 1.1f, 1.05f, 1.05f }, spread_v5[] = { 2, 2, 2, 2 };

/* ---- values ----------------------------------------------------------------------------------------------------------------------------- */

/* The best class's probability under softmax. */
static float
soften (const float *values, gsize n, gsize step, float best)
{
  double sum = 0;

  for (gsize i = 0; i < n; i++)
    sum += exp (values[i * step] - best);
  return (float) (1 / sum);
}

static void
decode_cell (const Grid *grid, const Version *version, const double *anchor, float k, gint64 y, gint64 x, const float *values, const float stride[2], gsize row,
             BoxList *list)
{
  gsize step = grid->value, n_classes = grid->n_values - 5, label;
  float objectness = box_sigmoid (values[4 * step]), score, width, height;

  if (objectness < list->least)
    return;
  label = box_best_class (values + 5 * step, n_classes, step, &score);
  score = version->softmax ? soften (values + 5 * step, n_classes, step, score) : box_sigmoid (score);
  width = version->square ? powf (2 * box_sigmoid (values[2 * step]), 2) : expf (values[2 * step]);
  height = version->square ? powf (2 * box_sigmoid (values[3 * step]), 2) : expf (values[3 * step]);
  box_list_add_centred (list, (k * box_sigmoid (values[0]) - (k - 1) / 2 + x) * stride[0], (k * box_sigmoid (values[step]) - (k - 1) / 2 + y) * stride[1],
                        width * (float) anchor[0], height * (float) anchor[1], objectness * score, label, row);
}

static gsize
decode_grid (const BoxOptions *options, const Grid *grid, const Version *version, const double *anchors, float k, gsize row, BoxList *list)
{
  const float stride[2] = { (float) options->width / grid->width, (float) options->height / grid->height };

  for (gint64 a = 0; a < grid->n_anchors; a++)
    for (gint64 y = 0; y < grid->height; y++)
      for (gint64 x = 0; x < grid->width; x++)
        decode_cell (grid, version, anchors + 2 * a, k, y, x, grid->tensor->values + a * grid->anchor + y * grid->row + x * grid->column, stride, row++, list);
  return row;
}

/* Objectness that isn't a number would only be skipped above. */
static gboolean
has_nan (const BoxTensor *tensor)
{
  gsize n = 1;

  for (guint i = 0; i < tensor->shape.n_dims; i++)
    n *= tensor->shape.dims[i];
  for (gsize i = 0; i < n; i++)
    if (isnan (tensor->values[i]))
      return TRUE;
  return FALSE;
}

static int
compare_grids (gconstpointer a, gconstpointer b, gpointer unused)
{
  const Grid *first = a, *second = b;

  return (first->width < second->width) - (first->width > second->width);
}

/* All grids, from the finest to the coarsest, with the anchors of the settings or the version's own. */
static gboolean
decode_grids (const BoxOptions *options, Grid *grids, guint n, const Version *version, BoxList *list, GError **error)
{
  const double *anchors = options->anchors ? options->anchors : version->anchors;
  gsize         n_needed = 0, row = 0;

  for (guint i = 0; i < n; i++)
    n_needed += grids[i].n_anchors;
  if (options->anchors && options->n_anchors != n_needed)
    {
      g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_MODEL, _("The settings have %zu anchors, but the network has %zu. Correct “anchors” in the model's settings."),
                   options->n_anchors, n_needed);
      return FALSE;
    }
  g_sort_array (grids, n, sizeof *grids, compare_grids, NULL);
  for (guint i = 0; i < n; i++)
    {
      list->damaged |= has_nan (grids[i].tensor);
      row = decode_grid (options, &grids[i], version, anchors, version->spread ? version->spread[i] : 1, row, list);
      anchors += 2 * grids[i].n_anchors;
    }
  return TRUE;
}

/* ---- shapes ----------------------------------------------------------------------------------------------------------------------------- */

/* (1, anchors × values, h, w) */
static gboolean
read_channels (const BoxTensor *tensor, gint64 n_anchors, Grid *grid, GError **error)
{
  const gint64 *dims = tensor->shape.dims;

  if (tensor->shape.n_dims != 4 || dims[0] != 1 || dims[1] % n_anchors || dims[1] / n_anchors < 6 || dims[2] < 1 || dims[3] < 1)
    return box_wrong_shape (tensor, "1 × anchors × (4 sides, objectness, a score for each class) × height × width", error);
  *grid = (Grid) { tensor, dims[3], dims[2], n_anchors, dims[1] / n_anchors, dims[1] / n_anchors * dims[2] * dims[3], dims[3], 1, dims[2] * dims[3] };
  return TRUE;
}

/* (1, anchors, h, w, values), or (1, h, w, anchors, values) */
static gboolean
read_five_dims (const BoxTensor *tensor, gboolean anchors_last, Grid *grid, GError **error)
{
  const gint64 *dims = tensor->shape.dims;

  if (tensor->shape.n_dims != 5 || dims[0] != 1 || dims[anchors_last ? 3 : 1] != 3 || dims[4] < 6 || dims[2] < 1 || dims[1] < 1 || dims[3] < 1)
    return box_wrong_shape (tensor, anchors_last ? "1 × height × width × 3 × (4 sides, objectness, a score for each class)"
                                                 : "1 × 3 × height × width × (4 sides, objectness, a score for each class)", error);
  if (anchors_last)
    *grid = (Grid) { tensor, dims[2], dims[1], 3, dims[4], dims[4], dims[2] * 3 * dims[4], 3 * dims[4], 1 };
  else
    *grid = (Grid) { tensor, dims[3], dims[2], 3, dims[4], dims[2] * dims[3] * dims[4], dims[3] * dims[4], dims[4], 1 };
  return TRUE;
}

static gboolean
check_number (const BoxTensor *tensors, guint n, guint least, guint most, GError **error)
{
  if (n >= least && n <= most)
    return TRUE;
  return box_wrong_shape (tensors, least == most ? "the only one" : "one of two to four grids", error);
}

/* ---- versions --------------------------------------------------------------------------------------------------------------------------- */

static gboolean
decode_v2 (const BoxOptions *options, const BoxTensor *tensors, guint n_tensors, BoxList *list, GError **error)
{
  Version version = { anchors_v2_voc, NULL, FALSE, TRUE };
  Grid    grid;

  if (!check_number (tensors, n_tensors, 1, 1, error) || !read_channels (tensors, options->anchors ? (gint64) options->n_anchors : 5, &grid, error))
    return FALSE;
  if (grid.n_values == 85)
    version.anchors = anchors_v2_coco;
  return decode_grids (options, &grid, 1, &version, list, error);
}

static gboolean
decode_v3 (const BoxOptions *options, const BoxTensor *tensors, guint n_tensors, BoxList *list, GError **error)
{
  Version version = { n_tensors == 2 ? anchors_v3_tiny : anchors_v3, NULL, FALSE, FALSE };
  Grid    grids[MAX_GRIDS];

  if (!check_number (tensors, n_tensors, 2, 3, error))
    return FALSE;
  for (guint i = 0; i < n_tensors; i++)
    if (!read_channels (&tensors[i], 3, &grids[i], error))
      return FALSE;
  return decode_grids (options, grids, n_tensors, &version, list, error);
}

static gboolean
decode_five_dims (const BoxOptions *options, const BoxTensor *tensors, guint n_tensors, gboolean anchors_last, guint most, const Version *version,
                  BoxList *list, GError **error)
{
  Grid grids[MAX_GRIDS];

  if (!check_number (tensors, n_tensors, 2, most, error))
    return FALSE;
  for (guint i = 0; i < n_tensors; i++)
    if (!read_five_dims (&tensors[i], anchors_last, &grids[i], error))
      return FALSE;
  return decode_grids (options, grids, n_tensors, version, list, error);
}

static gboolean
decode_v4 (const BoxOptions *options, const BoxTensor *tensors, guint n_tensors, BoxList *list, GError **error)
{
  Version version = { n_tensors == 2 ? anchors_v3_tiny : anchors_v4, n_tensors == 2 ? spread_v4 + 2 : spread_v4, FALSE, FALSE };

  return decode_five_dims (options, tensors, n_tensors, TRUE, 3, &version, list, error);
}

static gboolean
decode_v5 (const BoxOptions *options, const BoxTensor *tensors, guint n_tensors, BoxList *list, GError **error)
{
  return decode_five_dims (options, tensors, n_tensors, FALSE, 4, &(Version) { n_tensors == 4 ? anchors_v5_p6 : anchors_v3, spread_v5, TRUE, FALSE }, list,
                           error);
}

const BoxDecoder decode_boxes_yolov2 = decode_v2, decode_boxes_yolov3_grids = decode_v3, decode_boxes_yolov4 = decode_v4,
                 decode_boxes_yolov5_grids = decode_v5;
