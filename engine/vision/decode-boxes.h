/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * decode-boxes.h: a detector's outputs as boxes. One decoder a family (families.h), a pure function from tensors to boxes; what overlaps is left to
 * nms.h.
 */
#pragma once

#include <math.h>

#include "fovea.h"

/* In pixels of the network's input; may reach beyond it. */
typedef struct
{
  float  left, top, right, bottom;
  float  score; /* 0 to 1 */
  gint32 label; /* number of the class, from 0 */
  gint32 row;   /* which of the network's own boxes it is, for what else the network says of it (a mask's coefficients); -1: unknown */
} Box;

/* One output of the network. */
typedef struct
{
  const char  *name;
  FoveaType    type;   /* as the network gave it */
  FoveaShape   shape;
  const float *values; /* converted, dense */
} BoxTensor;

typedef struct
{
  int             width, height; /* of the network's input, pixels */
  float           least;         /* boxes with lower scores are left out */
  gsize           n_labels;      /* that the settings know; 0: none */
  gint32          first_id;      /* the class number that counted classes begin with, where the network gives numbers: 1 if the labels leave the
                                    background out */
  FoveaActivation activation;
  const double   *anchors;       /* (n_anchors, 2) width, height, pixels of the input; NULL: the family's own */
  gsize           n_anchors;
} BoxOptions;

typedef struct
{
  GArray  *boxes;   /* of Box */
  float    least;
  gboolean damaged; /* a number that isn't one was met */
} BoxList;

/* What the settings say of a model's boxes. */
BoxOptions box_options_of (const FoveaSettings *settings, float least);

typedef gboolean (*BoxDecoder) (const BoxOptions *options, const BoxTensor *tensors, guint n_tensors, BoxList *list, GError **error);

/* The decoder of a family; NULL where the family has no boxes or isn't known. */
BoxDecoder decode_boxes_find (const char *family);

/* Decodes the session's outputs (names as the model has them). Best first, at most BOXES_MAX; a GArray of Box. NULL with FOVEA_ERROR_MODEL when shapes
 * aren't the family's or numbers aren't numbers, with FOVEA_ERROR_MEMORY. */
GArray    *decode_boxes      (const char *family, const BoxOptions *options, const char *const *names, FoveaTensor *const *tensors, guint n_tensors,
                              GError **error);

#define BOXES_MAX 10000

/* ---- for the decoders ------------------------------------------------------------------------------------------------------------------- */

extern const BoxDecoder decode_boxes_yolov5, decode_boxes_yolov8, decode_boxes_yolov8_pose, decode_boxes_yolov8_turned, decode_boxes_end_to_end,
  decode_boxes_yolox, decode_boxes_yolov2, decode_boxes_yolov3_grids, decode_boxes_yolov4, decode_boxes_yolov5_grids, decode_boxes_yolov3,
  decode_boxes_ssd, decode_boxes_ssd_tf, decode_boxes_detection_output, decode_boxes_ultraface, decode_boxes_yunet, decode_boxes_nanodet,
  decode_boxes_retinanet, decode_boxes_detr, decode_boxes_rt_detr, decode_boxes_numbered;

/* Adds a box, unless its score is too low. */
void       box_list_add      (BoxList *list, float left, float top, float right, float bottom, float score, gsize label, gsize row);

/* The same from centre and size. */
void       box_list_add_centred (BoxList *list, float x, float y, float width, float height, float score, gsize label, gsize row);

/* The greatest of n values `step` apart: its place, and in *value itself, NaN if any of them is. n >= 1. */
gsize      box_best_class    (const float *values, gsize n, gsize step, float *value);

/* "The model's output “x” is 1x3, but a … gives …": FALSE. `expected` reads on after "but it must be ". */
gboolean   box_wrong_shape   (const BoxTensor *tensor, const char *expected, GError **error);

/* TRUE if any of n values lies outside 0 … 1 by more than rounding: they are logits, not probabilities. */
gboolean   box_are_logits    (const float *values, gsize n);

/* TRUE if n boxes are finished ones, left, top, right, bottom: their sides are in order. Of offsets from prior boxes half would not be. */
gboolean   box_are_corners   (const float *boxes, gsize n);

const BoxTensor *box_find_tensor (const BoxTensor *tensors, guint n_tensors, const char *name);

static inline float
box_sigmoid (float x)
{
  return 1 / (1 + expf (-x));
}
