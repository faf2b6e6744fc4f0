/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * decode-boxes-ssd.c: single-shot detectors (Liu et al. 2016) in the forms in which they are exported.
 *
 *   ssd               scores (1, N, classes with background first) and boxes (1, N, 4), finished or as offsets from prior boxes
 *   ssd-tf            TensorFlow's lists: boxes (1, N, 4) as top, left, bottom, right from 0 to 1, classes from 1, scores
 *   detection-output  Caffe's and OpenVINO's one list (1, 1, N, 7): photo, class, score, left, top, right, bottom from 0 to 1
 */

#include <string.h>

#include "base/tensor.h"
#include "vision/decode-boxes.h"

/* ---- prior boxes ------------------------------------------------------------------------------------------------------------------------ */

#define MAX_MAPS 6

/* The layouts that are common, told by how many boxes they make. On each map a cell has a square of `sizes`, one between it and the next size, and
 * for each ratio 2 (and 3) a wide and a tall one. */
typedef struct
{
  gint64 n_boxes;
  double side;               /* of the input that the sizes are given for */
  int    maps[MAX_MAPS];     /* cells along a side */
  double steps[MAX_MAPS];    /* pixels from cell to cell; 0: side / cells */
  int    ratios[MAX_MAPS];   /* 1: two to one; 2: three to one too */
  double sizes[MAX_MAPS + 1], coco_sizes[MAX_MAPS + 1];
} Priors;

static const Priors layouts[] = {
  { 8732, 300, { 38, 19, 10, 5, 3, 1 }, { 8, 16, 32, 64, 100, 300 }, { 1, 2, 2, 2, 1, 1 },
    { 30, 60, 111, 162, 213, 264, 315 }, { 21, 45, 99, 153, 207, 261, 315 } },                    /* SSD300 on VGG16 */
  { 3000, 300, { 19, 10, 5, 3, 2, 1 }, { 16, 32, 64, 100, 150, 300 }, { 2, 2, 2, 2, 2, 2 },
    { 60, 105, 150, 195, 240, 285, 330 }, { 60, 105, 150, 195, 240, 285, 330 } },                 /* SSD on MobileNet */
  { 3234, 320, { 20, 10, 5, 3, 2, 1 }, { 0, 0, 0, 0, 0, 0 }, { 2, 2, 2, 2, 2, 2 },
    { 64, 112, 160, 208, 256, 304, 320 }, { 64, 112, 160, 208, 256, 304, 320 } },                 /* SSDLite320 */
};

/* One prior after the other, as shares of the input: centre and size. */
typedef struct
{
  const Priors *layout;
  const double *sizes;
  int           map, cell, box;
} PriorWalk;

static void
next_prior (PriorWalk *walk, float prior[4])
{
  const Priors *layout = walk->layout;
  int           cells = layout->maps[walk->map], ratio = (walk->box - 2) / 2 + 2;
  double        step = layout->steps[walk->map] > 0 ? layout->steps[walk->map] : layout->side / cells, size = walk->sizes[walk->map];
  double        stretch = walk->box < 2 ? 1 : walk->box % 2 ? 1 / sqrt (ratio) : sqrt (ratio);

  if (walk->box == 1)
    size = sqrt (size * walk->sizes[walk->map + 1]);
  prior[0] = (float) ((walk->cell % cells + 0.5) * step / layout->side);
  prior[1] = (float) ((walk->cell / cells + 0.5) * step / layout->side);
  prior[2] = (float) (size * stretch / layout->side);
  prior[3] = (float) (size / stretch / layout->side);
  if (++walk->box < 2 + 2 * layout->ratios[walk->map])
    return;
  walk->box = 0;
  if (++walk->cell < cells * cells)
    return;
  walk->cell = 0;
  walk->map++;
}

static const Priors *
find_layout (gint64 n)
{
  for (gsize i = 0; i < G_N_ELEMENTS (layouts); i++)
    if (layouts[i].n_boxes == n)
      return &layouts[i];
  return NULL;
}

/* ---- raw or finished scores and boxes --------------------------------------------------------------------------------------------------- */

/* The best class but the background, which is first. */
static gsize
best_class (const float *scores, gsize n_classes, gboolean logits, float *score)
{
  gsize  label = box_best_class (scores + 1, n_classes - 1, 1, score);
  double sum = 0;
  float  most = MAX (*score, scores[0]);

  if (isnan (scores[0]))
    *score = NAN;
  if (!logits)
    return label;
  for (gsize i = 0; i < n_classes; i++)
    sum += exp (scores[i] - most);
  *score = (float) (exp (*score - most) / sum);
  return label;
}

static gboolean
find_pair (const BoxTensor *tensors, guint n_tensors, const BoxTensor **scores, const BoxTensor **boxes, GError **error)
{
  for (guint i = 0; i < 2 && n_tensors == 2; i++)
    {
      const FoveaShape *a = &tensors[i].shape, *b = &tensors[1 - i].shape;

      if (a->n_dims != 3 || b->n_dims != 3 || a->dims[0] != 1 || b->dims[0] != 1 || b->dims[2] != 4 || a->dims[1] != b->dims[1] || a->dims[2] < 2 ||
          (a->dims[2] == 4 && strstr (tensors[i].name, "box")))
        continue;
      *scores = &tensors[i];
      *boxes = &tensors[1 - i];
      return TRUE;
    }
  return box_wrong_shape (tensors, "one of two: 1 × boxes × classes with the background, and 1 × boxes × 4", error);
}

static gboolean
decode_pair (const BoxOptions *options, const BoxTensor *tensors, guint n_tensors, BoxList *list, GError **error)
{
  const BoxTensor *scores = NULL, *boxes = NULL;
  const Priors    *layout;
  PriorWalk        walk;
  gsize            n, n_classes;
  gboolean         logits, corners;
  float            scale[2] = { 1, 1 };

  if (!find_pair (tensors, n_tensors, &scores, &boxes, error))
    return FALSE;
  n = scores->shape.dims[1];
  n_classes = scores->shape.dims[2];
  corners = box_are_corners (boxes->values, n);
  layout = find_layout (n);
  if (!corners && !layout)
    return box_wrong_shape (boxes, "finished boxes, or offsets from the 8732, 3000 or 3234 prior boxes of the usual networks", error);
  walk = (PriorWalk) { layout, layout ? n_classes > 80 ? layout->coco_sizes : layout->sizes : NULL, 0, 0, 0 };
  logits = box_are_logits (scores->values, n * n_classes);
  for (gsize i = 0; i < 4 * n && corners; i++)
    if (boxes->values[i] > 4) /* pixels already */
      scale[0] = scale[1] = 0;
  scale[0] = scale[0] > 0 ? options->width : 1;
  scale[1] = scale[1] > 0 ? options->height : 1;
  for (gsize i = 0; i < n; i++)
    {
      const float *box = boxes->values + 4 * i;
      float        score, prior[4];
      gsize        label = best_class (scores->values + i * n_classes, n_classes, logits, &score);

      if (corners)
        {
          box_list_add (list, box[0] * scale[0], box[1] * scale[1], box[2] * scale[0], box[3] * scale[1], score, label, i);
          continue;
        }
      next_prior (&walk, prior); /* offsets are in tenths and fifths of the prior's size */
      box_list_add_centred (list, (prior[0] + box[0] * 0.1f * prior[2]) * options->width, (prior[1] + box[1] * 0.1f * prior[3]) * options->height,
                            prior[2] * expf (box[2] * 0.2f) * options->width, prior[3] * expf (box[3] * 0.2f) * options->height, score, label, i);
    }
  return TRUE;
}

/* ---- TensorFlow's four outputs ---------------------------------------------------------------------------------------------------------- */

static const BoxTensor *
find_prefixed (const BoxTensor *tensors, guint n_tensors, const char *prefix)
{
  for (guint i = 0; i < n_tensors; i++)
    if (g_str_has_prefix (tensors[i].name, prefix))
      return &tensors[i];
  return NULL;
}

static gsize
count (const BoxTensor *tensor)
{
  return shape_count (&tensor->shape);
}

/* By name; without names by shape: of the two lists, the classes are the one of whole numbers from 1 on. */
static gboolean
find_lists (const BoxTensor *tensors, guint n_tensors, const BoxTensor **boxes, const BoxTensor **classes, const BoxTensor **scores)
{
  *boxes = find_prefixed (tensors, n_tensors, "detection_boxes");
  *classes = find_prefixed (tensors, n_tensors, "detection_classes");
  *scores = find_prefixed (tensors, n_tensors, "detection_scores");
  for (guint i = 0; i < n_tensors && !*boxes; i++)
    if (tensors[i].shape.n_dims == 3 && tensors[i].shape.dims[2] == 4)
      *boxes = &tensors[i];
  for (guint i = 0; i < n_tensors && *boxes; i++)
    {
      const BoxTensor *list = &tensors[i];

      if (list->shape.n_dims != 2 || count (list) * 4 != count (*boxes) || count (list) == 0)
        continue;
      if (!*scores && list->values[0] < 1)
        *scores = list;
      else if (!*classes && list->values[0] >= 1)
        *classes = list;
    }
  return *boxes && *classes && *scores && count (*classes) == count (*scores) && count (*boxes) == 4 * count (*scores);
}

static gboolean
decode_lists (const BoxOptions *options, const BoxTensor *tensors, guint n_tensors, BoxList *list, GError **error)
{
  const BoxTensor *boxes, *classes, *scores, *number = find_prefixed (tensors, n_tensors, "num_detections");
  gsize            n;

  if (!find_lists (tensors, n_tensors, &boxes, &classes, &scores))
    {
      for (guint i = 0; i < n_tensors; i++)
        if (count (&tensors[i]) == 0)
          return TRUE; /* nothing was found */
      return box_wrong_shape (tensors, "one of TensorFlow's: 1 × boxes × 4, and as many classes and scores", error);
    }
  n = count (scores);
  if (number && count (number) == 1 && number->values[0] >= 0)
    n = MIN (n, (gsize) int64_from_double (number->values[0]));
  for (gsize i = 0; i < n; i++)
    {
      const float *box = boxes->values + 4 * i;
      gint64       label = int64_from_double (classes->values[i]) - options->first_id;

      if (label >= 0)
        box_list_add (list, box[1] * options->width, box[0] * options->height, box[3] * options->width, box[2] * options->height, scores->values[i], label,
                      i);
    }
  return TRUE;
}

/* ---- Caffe's list ----------------------------------------------------------------------------------------------------------------------- */

static gboolean
decode_rows_of_seven (const BoxOptions *options, const BoxTensor *tensors, guint n_tensors, BoxList *list, GError **error)
{
  const FoveaShape *shape = &tensors->shape;

  if (shape->n_dims != 4 || shape->dims[0] != 1 || shape->dims[1] != 1 || shape->dims[3] != 7)
    return box_wrong_shape (tensors, "1 × 1 × boxes × 7", error);
  for (gint64 i = 0; i < shape->dims[2]; i++)
    {
      const float *row = tensors->values + 7 * i;
      gint64       label = int64_from_double (row[1]) - options->first_id;

      if (row[0] < 0) /* the list ends early */
        break;
      if (label >= 0)
        box_list_add (list, row[3] * options->width, row[4] * options->height, row[5] * options->width, row[6] * options->height, row[2], label, i);
    }
  return TRUE;
}

const BoxDecoder decode_boxes_ssd = decode_pair, decode_boxes_ssd_tf = decode_lists, decode_boxes_detection_output = decode_rows_of_seven;
