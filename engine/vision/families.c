/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * families.c: the table of network families: the first row that fits a model's inputs and outputs wins; the reason stands beside it. Rows that ask for
 * more come before rows that ask for less. A family is only a name for how to read the outputs (decode-boxes.c, decode-masks.c, decode-classes.c) with what such networks
 * expect of their input; whatever the model's own settings say stays as it is.
 *
 * The numbers come from the papers and the exporters of each family. In shapes below, C is 4 + classes (+ more), N a number of boxes, S the side of the
 * input, and A the number of cells in grids of strides 8, 16 and 32.
 */

#include "vision/families.h"

#include <glib/gi18n.h>
#include <string.h>

#define MAX_QUERIES 1000 /* networks without suppression give a few hundred boxes; grids at any usual size give more */

/* ---- looking at ports ------------------------------------------------------------------------------------------------------------------- */

/* Does the dimension have that value, or none yet? */
static gboolean
may_be (const FoveaPort *port, guint i, gint64 value)
{
  return port->shape.dims[i] == value || port->shape.dims[i] < 0;
}

static gboolean
has_rank (const FoveaPort *port, guint n_dims)
{
  return port->has_rank && port->shape.n_dims == n_dims;
}

static gboolean
is_integer (const FoveaPort *port)
{
  return port->type == FOVEA_TYPE_INT64 || port->type == FOVEA_TYPE_INT32 || port->type == FOVEA_TYPE_UINT8 || port->type == FOVEA_TYPE_INT8;
}

static const FoveaPort *
find_port (const FoveaPort *ports, guint n, const char *name)
{
  for (guint i = 0; i < n; i++)
    if (strcmp (ports[i].name, name) == 0)
      return &ports[i];
  return NULL;
}

static gboolean
has_output (const Signature *signature, const char *name)
{
  return find_port (signature->outputs, signature->n_outputs, name) != NULL;
}

static gboolean
has_input (const Signature *signature, const char *name)
{
  return find_port (signature->inputs, signature->n_inputs, name) != NULL;
}

/* The word that Ultralytics' exports have under `key`. */
static gboolean
metadata_is (const Signature *signature, const char *key, const char *value)
{
  return signature->model && g_strcmp0 (fovea_model_get_metadata (signature->model, key), value) == 0;
}

gint64
family_count_places (int width, int height, int first_stride, int last_stride)
{
  gint64 n = 0;

  for (int stride = first_stride; stride <= last_stride; stride *= 2)
    n += (gint64) ((width + stride - 1) / stride) * ((height + stride - 1) / stride);
  return n;
}

/* ---- detectors with one output ---------------------------------------------------------------------------------------------------------- */

/* (1, 32, h, w): masks that are mixed for each box. */
static gboolean
has_prototypes (const Signature *signature)
{
  return signature->n_outputs == 2 && has_rank (&signature->outputs[1], 4) && may_be (&signature->outputs[1], 1, 32) &&
         has_rank (&signature->outputs[0], 3);
}

static gboolean
is_end_to_end (const Signature *signature)
{
  const FoveaPort *out = &signature->outputs[0];
  gint64           last = has_rank (out, 3) ? out->shape.dims[2] : 0;

  if (!has_rank (out, 3) || out->shape.dims[1] > MAX_QUERIES || out->shape.dims[1] == 0)
    return FALSE;
  return metadata_is (signature, "end2end", "True") || (out->shape.dims[1] > 0 && (last == 6 || last == 38 || last == 57));
}

static gboolean
is_yolo_end_to_end (const Signature *signature)
{
  return signature->n_outputs == 1 && is_end_to_end (signature);
}

static gboolean
is_yolo_end_to_end_masks (const Signature *signature)
{
  return has_prototypes (signature) && is_end_to_end (signature);
}

/* The smaller of the last two dimensions holds a box's values: (1, C, N) in v8 and later, (1, N, C) before. */
static gboolean
values_come_first (const FoveaPort *out)
{
  gint64 first = out->shape.dims[1], second = out->shape.dims[2];

  return has_rank (out, 3) && first >= 5 && (second < 0 || first < second);
}

static gboolean
values_come_last (const FoveaPort *out)
{
  gint64 first = out->shape.dims[1], second = out->shape.dims[2];

  return has_rank (out, 3) && second >= 6 && (first < 0 || second < first);
}

static gboolean
is_yolov8 (const Signature *signature)
{
  return signature->n_outputs == 1 && values_come_first (&signature->outputs[0]);
}

static gboolean
is_yolov8_turned (const Signature *signature)
{
  return is_yolov8 (signature) && metadata_is (signature, "task", "obb");
}

static gboolean
is_yolov8_pose (const Signature *signature)
{
  return is_yolov8 (signature) &&
         (metadata_is (signature, "task", "pose") || (signature->outputs[0].shape.dims[1] == 56 && signature->n_labels != 52));
}

static gboolean
is_yolov8_masks (const Signature *signature)
{
  return has_prototypes (signature) && values_come_first (&signature->outputs[0]);
}

static gboolean
is_yolov5_masks (const Signature *signature)
{
  return has_prototypes (signature) && values_come_last (&signature->outputs[0]);
}

/* One box for each cell of strides first … last, whose values come last. */
static gboolean
is_grid (const Signature *signature, int n_boxes, int last_stride)
{
  const FoveaPort *out = &signature->outputs[0];

  return signature->n_outputs == 1 && values_come_last (out) && signature->width > 0 &&
         out->shape.dims[1] == n_boxes * family_count_places (signature->width, signature->height, 8, last_stride);
}

static gboolean
is_yolox (const Signature *signature)
{
  return is_grid (signature, 1, 32);
}

static gboolean
is_nanodet_plus (const Signature *signature)
{
  return is_grid (signature, 1, 64) && signature->outputs[0].shape.dims[2] > 32;
}

static gboolean
is_yolov5 (const Signature *signature)
{
  return is_grid (signature, 3, 32) || is_grid (signature, 3, 64);
}

/* The number of boxes isn't known: v5 is the commonest by far. */
static gboolean
is_open_yolov5 (const Signature *signature)
{
  return signature->n_outputs == 1 && values_come_last (&signature->outputs[0]) && signature->outputs[0].shape.dims[1] < 0;
}

static gboolean
is_yolov2 (const Signature *signature)
{
  const FoveaPort *out = &signature->outputs[0];

  return signature->n_outputs == 1 && has_rank (out, 4) && out->shape.dims[1] >= 30 && out->shape.dims[1] % 5 == 0 && out->shape.dims[2] > 1 &&
         signature->height > 0 && out->shape.dims[2] == signature->height / 32 && out->shape.dims[3] == signature->width / 32 &&
         (out->shape.dims[1] == 125 || out->shape.dims[1] == 425 || out->shape.dims[1] == 5 * (5 + (gint64) signature->n_labels));
}

static gboolean
is_detection_output (const Signature *signature)
{
  return has_rank (&signature->outputs[0], 4) && signature->outputs[0].shape.dims[3] == 7 && signature->outputs[0].shape.dims[1] == 1 &&
         signature->outputs[0].shape.dims[0] == 1 && signature->n_outputs == 1;
}

/* ---- detectors with several outputs ----------------------------------------------------------------------------------------------------- */

/* Two or three maps (1, 3, g, g, C), or (1, g, g, 3, C) where anchors come after the places. */
static gboolean
are_five_dim_grids (const Signature *signature, guint anchors)
{
  if (signature->n_outputs < 2 || signature->n_outputs > 4)
    return FALSE;
  for (guint i = 0; i < signature->n_outputs; i++)
    if (!has_rank (&signature->outputs[i], 5) || signature->outputs[i].shape.dims[anchors] != 3 || signature->outputs[i].shape.dims[4] < 6)
      return FALSE;
  return TRUE;
}

static gboolean
is_yolov4 (const Signature *signature)
{
  return are_five_dim_grids (signature, 3);
}

static gboolean
is_yolov5_grids (const Signature *signature)
{
  return are_five_dim_grids (signature, 1);
}

/* Two or three maps (1, 3 C, g, g) with the same number of channels. */
static gboolean
is_yolov3_grids (const Signature *signature)
{
  const FoveaPort *out = signature->outputs;

  if (signature->n_outputs < 2 || signature->n_outputs > 3)
    return FALSE;
  for (guint i = 0; i < signature->n_outputs; i++)
    if (!has_rank (&out[i], 4) || out[i].shape.dims[1] != out[0].shape.dims[1] || out[i].shape.dims[1] < 18 || out[i].shape.dims[1] % 3 ||
        (i > 0 && out[i].shape.dims[2] > 0 && out[i].shape.dims[2] == out[0].shape.dims[2]))
      return FALSE;
  return TRUE;
}

/* Boxes (1, N, 4), scores (1, classes, N), and indices of the boxes that are left. */
static gboolean
is_yolov3 (const Signature *signature)
{
  const FoveaPort *out = signature->outputs;

  return signature->n_outputs == 3 && signature->n_inputs == 2 && has_rank (&out[0], 3) && may_be (&out[0], 2, 4) && has_rank (&out[1], 3) &&
         is_integer (&out[2]);
}

static gboolean
is_ssd_tf (const Signature *signature)
{
  const FoveaPort *in = &signature->inputs[0];

  if (has_output (signature, "detection_boxes") || has_output (signature, "detection_boxes:0"))
    return TRUE;
  return signature->n_outputs == 4 && in->type == FOVEA_TYPE_UINT8 && has_rank (in, 4) && may_be (in, 3, 3);
}

static gboolean
is_rt_detr (const Signature *signature)
{
  return signature->n_inputs == 2 && signature->n_outputs == 3 && is_integer (&signature->inputs[1]) && has_rank (&signature->inputs[1], 2) &&
         may_be (&signature->inputs[1], 1, 2);
}

/* The output (1, N, 4), and the other (1, N, C); FALSE if there aren't two such. */
static gboolean
find_boxes_and_scores (const Signature *signature, gint64 *n, gint64 *n_classes)
{
  for (guint i = 0; i < 2 && signature->n_outputs == 2; i++)
    {
      const FoveaPort *boxes = &signature->outputs[i], *scores = &signature->outputs[1 - i];

      if (!has_rank (boxes, 3) || !has_rank (scores, 3) || boxes->shape.dims[2] != 4 || boxes->shape.dims[1] != scores->shape.dims[1] ||
          (scores->shape.dims[2] == 4 && strstr (boxes->name, "box") == NULL))
        continue;
      *n = boxes->shape.dims[1];
      *n_classes = scores->shape.dims[2];
      return *n_classes != 0;
    }
  return FALSE;
}

static gboolean
is_detr (const Signature *signature)
{
  gint64 n, n_classes;

  return find_boxes_and_scores (signature, &n, &n_classes) && (n < 0 ? has_output (signature, "pred_boxes") : n <= MAX_QUERIES);
}

/* The number of UltraFace's boxes: 3, 2, 2 and 3 sizes on grids of strides 8 to 64. */
static gint64
count_ultraface_places (int width, int height)
{
  return 3 * family_count_places (width, height, 8, 8) + 2 * family_count_places (width, height, 16, 32) + 3 * family_count_places (width, height, 64, 64);
}

static gboolean
is_ultraface (const Signature *signature)
{
  gint64 n, n_classes;

  return find_boxes_and_scores (signature, &n, &n_classes) && n_classes == 2 &&
         (n == count_ultraface_places (signature->width, signature->height) || (n < 0 && has_output (signature, "scores")));
}

static gboolean
is_ssd (const Signature *signature)
{
  gint64 n, n_classes;

  return find_boxes_and_scores (signature, &n, &n_classes) && (n < 0 || n > MAX_QUERIES) && n_classes >= 2;
}

/* Boxes (…, 4), whole numbers and scores, in any order. */
static gboolean
has_boxes_labels_scores (const Signature *signature, guint n_outputs)
{
  gboolean boxes = FALSE, labels = FALSE, scores = FALSE;

  if (signature->n_outputs != n_outputs)
    return FALSE;
  for (guint i = 0; i < 3; i++)
    {
      const FoveaPort *out = &signature->outputs[i];
      gboolean         wide = out->has_rank && (out->shape.n_dims == 2 || out->shape.n_dims == 3) && out->shape.dims[out->shape.n_dims - 1] == 4;

      labels |= is_integer (out);
      boxes |= wide && !is_integer (out);
      scores |= !wide && !is_integer (out) && (!out->has_rank || out->shape.n_dims <= 2);
    }
  return boxes && labels && scores;
}

/* The zoo's networks take one photo without a batch, and name it. */
static gboolean
is_caffe2_input (const Signature *signature)
{
  return has_rank (&signature->inputs[0], 3) && strcmp (signature->inputs[0].name, "image") == 0;
}

static gboolean
is_faster_rcnn (const Signature *signature)
{
  return has_boxes_labels_scores (signature, 3) && is_caffe2_input (signature);
}

static gboolean
is_mask_rcnn (const Signature *signature)
{
  return has_boxes_labels_scores (signature, 4) && is_caffe2_input (signature);
}

static gboolean
is_torchvision (const Signature *signature)
{
  return has_boxes_labels_scores (signature, 3);
}

static gboolean
is_torchvision_masks (const Signature *signature)
{
  return has_boxes_labels_scores (signature, 4) && has_rank (&signature->outputs[3], 4);
}

static gboolean
is_ssd_resnet (const Signature *signature)
{
  return has_boxes_labels_scores (signature, 3) && signature->width == 1200 && signature->height == 1200;
}

/* Three or four grids, each with scores (1, n, classes) and distances (1, n, 4 bins). */
static gboolean
is_nanodet (const Signature *signature)
{
  guint n_distances = 0;

  if (signature->n_outputs != 6 && signature->n_outputs != 8)
    return FALSE;
  for (guint i = 0; i < signature->n_outputs; i++)
    {
      if (!has_rank (&signature->outputs[i], 3))
        return FALSE;
      n_distances += signature->outputs[i].shape.dims[2] == 32;
    }
  return n_distances >= signature->n_outputs / 2;
}

static gboolean
is_yunet (const Signature *signature)
{
  return has_output (signature, "cls_8") && has_output (signature, "obj_8") && has_output (signature, "bbox_8");
}

/* Five maps of 9 anchors' scores, and five of their boxes. */
static gboolean
is_retinanet (const Signature *signature)
{
  guint n_boxes = 0;

  if (signature->n_outputs != 10)
    return FALSE;
  for (guint i = 0; i < 10; i++)
    {
      if (!has_rank (&signature->outputs[i], 4) || signature->outputs[i].shape.dims[1] % 9)
        return FALSE;
      n_boxes += signature->outputs[i].shape.dims[1] == 36;
    }
  return n_boxes >= 5;
}

/* ---- masks ------------------------------------------------------------------------------------------------------------------------------ */

static gboolean
is_sam_decoder (const Signature *signature)
{
  return has_input (signature, "point_coords") && (has_input (signature, "image_embeddings") || has_input (signature, "image_embed"));
}

static gboolean
is_sam_encoder (const Signature *signature)
{
  return has_output (signature, "image_embeddings") || has_output (signature, "image_embed");
}

/* A map of one channel as large as the photo's input, channels first or last. */
static gboolean
is_map (const Signature *signature, const FoveaPort *out)
{
  gboolean first = has_rank (out, 4) && out->shape.dims[1] == 1, last = has_rank (out, 4) && out->shape.dims[3] == 1;

  if (!has_rank (out, 4) || !(first || last) || is_integer (out) || (out->shape.dims[2] == 1 && out->shape.dims[3] == 1))
    return FALSE;
  return may_be (out, first ? 2 : 1, signature->height) && may_be (out, first ? 3 : 2, signature->width);
}

static gboolean
is_one_map (const Signature *signature)
{
  return is_map (signature, &signature->outputs[0]);
}

static gboolean
is_u2net (const Signature *signature)
{
  return is_one_map (signature) && signature->n_outputs >= 4 && signature->width == 320;
}

static gboolean
is_isnet (const Signature *signature)
{
  return is_one_map (signature) && signature->width == 1024 && signature->n_outputs >= 1 && signature->n_outputs != 4 &&
         !has_output (signature, "logits") && !has_input (signature, "input_image");
}

/* Some exports have the coarser maps, too, before the finest. */
static gboolean
is_birefnet (const Signature *signature)
{
  return is_map (signature, &signature->outputs[signature->n_outputs - 1]) && signature->width == 1024;
}

static gboolean
is_selfie (const Signature *signature)
{
  const FoveaPort *in = &signature->inputs[0];

  return is_one_map (signature) && has_rank (in, 4) && in->shape.dims[3] == 3 && signature->width <= 256 && signature->width > 0;
}

static gboolean
is_modnet (const Signature *signature)
{
  const FoveaPort *in = &signature->inputs[0];

  return is_one_map (signature) && signature->n_outputs == 1 && has_rank (in, 4) && in->shape.dims[2] < 0;
}

static gboolean
is_map_of (const Signature *signature, gint64 n_channels, int size)
{
  return has_rank (&signature->outputs[0], 4) && signature->outputs[0].shape.dims[1] == n_channels && signature->width == size &&
         signature->outputs[0].shape.dims[2] > 1;
}

static gboolean
is_human_seg (const Signature *signature)
{
  return is_map_of (signature, 2, 192);
}

static gboolean
is_cloth (const Signature *signature)
{
  return is_map_of (signature, 4, 768);
}

/* Whole numbers, one for each pixel. */
static gboolean
is_index_map (const Signature *signature)
{
  const FoveaPort *out = &signature->outputs[0];

  if (!is_integer (out) || !out->has_rank)
    return FALSE;
  return (out->shape.n_dims == 3 && out->shape.dims[1] != 1 && out->shape.dims[2] != 1) ||
         (out->shape.n_dims == 4 && (out->shape.dims[1] == 1 || out->shape.dims[3] == 1) && out->shape.dims[2] != 1);
}

static gboolean
is_semantic (const Signature *signature)
{
  const FoveaPort *out = &signature->outputs[0];

  return has_rank (out, 4) && signature->n_outputs <= 2 && !is_integer (out) && out->shape.dims[1] != 1 && out->shape.dims[2] != 1 &&
         out->shape.dims[2] != 0;
}

/* ---- classes ---------------------------------------------------------------------------------------------------------------------------- */

static gboolean
is_classifier (const Signature *signature)
{
  const FoveaPort *out = &signature->outputs[0];

  return signature->n_outputs == 1 && out->type != FOVEA_TYPE_INT64 && out->type != FOVEA_TYPE_INT32 &&
         (has_rank (out, 2) || (has_rank (out, 4) && out->shape.dims[2] == 1 && out->shape.dims[3] == 1));
}

/* ---- the table -------------------------------------------------------------------------------------------------------------------------- */

#define DETECT   FOVEA_TASK_DETECT
#define SEGMENT  FOVEA_TASK_SEGMENT
#define CLASSIFY FOVEA_TASK_CLASSIFY

#define ULTRALYTICS "{'input': {'range': 1, 'resize': 'letterbox', 'pad': 114}, 'output': {'threshold': 0.25, 'overlap': 0.45}}"
#define DETECTRON   "{'input': {'colour': 'bgr', 'range': 255, 'mean': [122.7717, 115.9465, 102.9801], 'resize': 'letterbox-corner', 'pad': 0}," \
                    " 'output': {'threshold': 0.7, 'overlap': 0.5}}"
#define UNIT        "{'input': {'range': 1, 'resize': 'stretch'}, 'output': {'threshold': 0.5, 'overlap': 0.5}}"

static const Family families[] = {
  /* By name: nobody else uses these words. */
  { "yunet", DETECT, is_yunet, N_("outputs named cls_8, obj_8 and bbox_8"), 320,
    "{'input': {'colour': 'bgr', 'range': 255, 'resize': 'letterbox-corner', 'pad': 0}, 'output': {'threshold': 0.6, 'overlap': 0.3}}", "face" },
  { "sam-decoder", SEGMENT, is_sam_decoder, N_("an input named point_coords beside the photo's features"), 1024, NULL, NULL },
  { "sam-encoder", SEGMENT, is_sam_encoder, N_("an output named image_embeddings or image_embed"), 1024,
    "{'input': {'range': 255, 'mean': [123.675, 116.28, 103.53], 'std': [58.395, 57.12, 57.375], 'resize': 'letterbox-corner', 'pad': 0}}", "subject" },
  { "ssd-tf", DETECT, is_ssd_tf, N_("an output named detection_boxes, or bytes in and four outputs"), 300,
    "{'input': {'range': 255, 'resize': 'stretch'}, 'output': {'threshold': 0.5, 'overlap': 0.6}}", "coco-91" },

  /* By the numbers and types of inputs and outputs. */
  { "rt-detr", DETECT, is_rt_detr, N_("a second input of two whole numbers (the photo's size), and three outputs"), 640,
    "{'input': {'range': 1, 'resize': 'stretch'}, 'output': {'threshold': 0.6, 'overlap': 1}}", "coco" },
  { "yolov3", DETECT, is_yolov3, N_("two inputs, boxes, scores, and the numbers of the boxes that are left"), 416,
    "{'input': {'range': 1, 'resize': 'letterbox', 'filter': 'bicubic', 'pad': 128}, 'output': {'threshold': 0.3, 'overlap': 0.45}}", "coco" },
  { "retinanet", DETECT, is_retinanet, N_("five maps of scores and five of boxes, with nine anchors each"), 640,
    "{'output': {'threshold': 0.4, 'overlap': 0.5}, 'input': {'resize': 'letterbox-corner', 'range': 1, 'mean': [0.485, 0.456, 0.406],"
    " 'std': [0.229, 0.224, 0.225], 'pad': 0}}", "coco" },
  { "nanodet", DETECT, is_nanodet, N_("three or four grids, each with scores and 4 × 8 distances"), 416,
    "{'input': {'colour': 'bgr', 'range': 255, 'mean': [123.675, 116.28, 103.53], 'std': [58.395, 57.12, 57.375], 'resize': 'letterbox'},"
    " 'output': {'threshold': 0.35, 'overlap': 0.6}}", "coco" },
  { "yolov4", DETECT, is_yolov4, N_("grids of three anchors, the anchors after the places"), 416,
    "{'input': {'range': 1, 'resize': 'letterbox', 'pad': 128}, 'output': {'threshold': 0.25, 'overlap': 0.213}}", "coco" },
  { "yolov5-grids", DETECT, is_yolov5_grids, N_("grids of three anchors, the anchors before the places"), 640, ULTRALYTICS, "coco" },
  { "yolov3-grids", DETECT, is_yolov3_grids, N_("two or three grids of different sizes with three anchors' values in the channels"), 416,
    "{'input': {'range': 1, 'resize': 'letterbox', 'pad': 128}, 'output': {'threshold': 0.25, 'overlap': 0.45}}", "coco" },
  { "ultraface", DETECT, is_ultraface, N_("two outputs, of two scores and of four sides, for each of UltraFace's places"), 320,
    "{'input': {'range': 255, 'mean': 127, 'std': 128, 'resize': 'stretch'}, 'output': {'threshold': 0.7, 'overlap': 0.3}}", "face" },
  { "mask-rcnn", SEGMENT, is_mask_rcnn, N_("boxes, class numbers, scores and masks for one photo without a batch"), 800, DETECTRON, "coco" },
  { "faster-rcnn", DETECT, is_faster_rcnn, N_("boxes, class numbers and scores for one photo without a batch"), 800, DETECTRON, "coco" },
  { "ssd-resnet", DETECT, is_ssd_resnet, N_("boxes, class numbers and scores, from 1200 × 1200 pixels"), 1200,
    "{'input': {'range': 1, 'mean': [0.485, 0.456, 0.406], 'std': [0.229, 0.224, 0.225], 'resize': 'stretch'},"
    " 'output': {'threshold': 0.5, 'overlap': 0.5}}", "coco" },
  { "mask-rcnn", SEGMENT, is_torchvision_masks, N_("boxes, class numbers, scores and masks"), 800, UNIT, "coco-91" },
  { "torchvision", DETECT, is_torchvision, N_("boxes, class numbers and scores"), 640, UNIT, "coco-91" },
  { "detr", DETECT, is_detr, N_("scores and boxes of at most 1000 places"), 640,
    "{'input': {'range': 1, 'mean': [0.485, 0.456, 0.406], 'std': [0.229, 0.224, 0.225], 'resize': 'stretch'},"
    " 'output': {'threshold': 0.5, 'overlap': 1}}", NULL },
  { "ssd", DETECT, is_ssd, N_("scores and boxes of more than 1000 places"), 300,
    "{'input': {'range': 255, 'mean': 127.5, 'std': 127.5, 'resize': 'stretch'}, 'output': {'threshold': 0.5, 'overlap': 0.45}}", NULL },

  /* By the shape of the first output. */
  { "yolo-end2end-seg", SEGMENT, is_yolo_end_to_end_masks, N_("a list of finished boxes, and 32 prototypes of masks"), 640, ULTRALYTICS, "coco" },
  { "yolo-end2end", DETECT, is_yolo_end_to_end, N_("a list of finished boxes with score and class"), 640, ULTRALYTICS, "coco" },
  { "yolov8-seg", SEGMENT, is_yolov8_masks, N_("more boxes than values of a box, the values first, and 32 prototypes of masks"), 640, ULTRALYTICS, "coco" },
  { "yolov5-seg", SEGMENT, is_yolov5_masks, N_("more boxes than values of a box, the values last, and 32 prototypes of masks"), 640, ULTRALYTICS, "coco" },
  { "yolov8-obb", DETECT, is_yolov8_turned, N_("the values of a box first, and the word obb in the model's metadata"), 1024, ULTRALYTICS, NULL },
  { "yolov8-pose", DETECT, is_yolov8_pose, N_("the values of a box first: 4 sides, a score, 17 points"), 640, ULTRALYTICS, "person" },
  { "yolov8", DETECT, is_yolov8, N_("more boxes than values of a box, the values first"), 640, ULTRALYTICS, "coco" },
  { "yolov5", DETECT, is_yolov5, N_("three boxes for each cell of the grids"), 640, ULTRALYTICS, "coco" },
  { "nanodet", DETECT, is_nanodet_plus, N_("one box for each cell of four grids, with 4 × 8 distances"), 416,
    "{'input': {'colour': 'bgr', 'range': 255, 'mean': [123.675, 116.28, 103.53], 'std': [58.395, 57.12, 57.375], 'resize': 'letterbox'},"
    " 'output': {'threshold': 0.35, 'overlap': 0.6}}", "coco" },
  { "yolox", DETECT, is_yolox, N_("one box for each cell of three grids"), 640,
    "{'input': {'colour': 'bgr', 'range': 255, 'resize': 'letterbox-corner', 'pad': 114}, 'output': {'threshold': 0.3, 'overlap': 0.45}}", "coco" },
  { "yolov5", DETECT, is_open_yolov5, N_("the values of a box last; how many boxes isn't told"), 640, ULTRALYTICS, "coco" },
  { "detection-output", DETECT, is_detection_output, N_("seven values for each box"), 300,
    "{'input': {'colour': 'bgr', 'range': 255, 'mean': [123, 117, 104], 'resize': 'stretch'}, 'output': {'threshold': 0.5, 'overlap': 1}}", NULL },
  { "yolov2", DETECT, is_yolov2, N_("five anchors' values in the channels of a grid of 32 pixels"), 416,
    "{'input': {'range': 255, 'resize': 'stretch'}, 'output': {'threshold': 0.3, 'overlap': 0.45}}", NULL },

  /* Masks by shape: the commonest network of each size. */
  { "selfie", SEGMENT, is_selfie, N_("one map, channels last, from at most 256 pixels"), 256, "{'input': {'range': 1, 'resize': 'stretch'}}", "person" },
  { "u2net", SEGMENT, is_u2net, N_("four or more maps of one channel from 320 pixels"), 320,
    "{'input': {'range': 1, 'normalize': 'greatest', 'mean': [0.485, 0.456, 0.406], 'std': [0.229, 0.224, 0.225], 'resize': 'stretch', 'filter': 'lanczos'}}", "subject" },
  { "isnet", SEGMENT, is_isnet, N_("maps of one channel from 1024 pixels"), 1024,
    "{'input': {'range': 1, 'mean': 0.5, 'resize': 'stretch', 'filter': 'lanczos'}}", "subject" },
  { "birefnet", SEGMENT, is_birefnet, N_("a map of logits from 1024 pixels, as the last output"), 1024,
    "{'input': {'range': 1, 'mean': [0.485, 0.456, 0.406], 'std': [0.229, 0.224, 0.225], 'resize': 'stretch', 'filter': 'lanczos'}}", "subject" },
  { "modnet", SEGMENT, is_modnet, N_("one map of one channel, of any size"), 512,
    "{'input': {'range': 255, 'mean': 127.5, 'std': 127.5, 'resize': 'stretch'}}", "subject" },
  { "human-seg", SEGMENT, is_human_seg, N_("two channels from 192 pixels"), 192, "{'input': {'range': 1, 'mean': 0.5, 'std': 0.5, 'resize': 'stretch'}}", NULL },
  { "cloth", SEGMENT, is_cloth, N_("four channels from 768 pixels"), 768,
    "{'input': {'range': 1, 'mean': [0.485, 0.456, 0.406], 'std': [0.229, 0.224, 0.225], 'resize': 'stretch'}}", NULL },
  { "saliency", SEGMENT, is_one_map, N_("one map of one channel"), 320, "{'input': {'resize': 'stretch'}}", "subject" },
  { "semantic-indices", SEGMENT, is_index_map, N_("a whole number for each pixel"), 512, "{'input': {'resize': 'stretch'}}", NULL },
  { "semantic", SEGMENT, is_semantic, N_("a map for each class"), 512, "{'input': {'resize': 'stretch'}}", NULL },

  { "classifier", CLASSIFY, is_classifier, N_("a score for each class"), 0, NULL, NULL },
};

const Family *
family_guess (const Signature *signature)
{
  if (signature->n_inputs == 0 || signature->n_outputs == 0)
    return NULL;
  for (gsize i = 0; i < G_N_ELEMENTS (families); i++)
    if ((signature->task == FOVEA_TASK_UNKNOWN || signature->task == families[i].task) && families[i].matches (signature))
      return &families[i];
  /* Networks that give boxes with masks are called either. */
  for (gsize i = 0; i < G_N_ELEMENTS (families) && signature->task == FOVEA_TASK_DETECT; i++)
    if (families[i].task == SEGMENT && families[i].matches (signature))
      return &families[i];
  return NULL;
}

const Family *
family_find (const char *name)
{
  for (gsize i = 0; i < G_N_ELEMENTS (families); i++)
    if (strcmp (families[i].name, name) == 0)
      return &families[i];
  return NULL;
}

char **
family_list (void)
{
  g_autoptr (GStrvBuilder) names = g_strv_builder_new ();

  for (gsize i = 0; i < G_N_ELEMENTS (families); i++)
    if (family_find (families[i].name) == &families[i])
      g_strv_builder_add (names, families[i].name);
  return g_strv_builder_end (names);
}
