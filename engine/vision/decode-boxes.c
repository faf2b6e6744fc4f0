/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * decode-boxes.c: from a detector's outputs to boxes, whatever the family: finds the decoder, gives it the tensors as floats, and brings the boxes into
 * order. Sizes come from files that anyone may have made: each decoder checks all shapes before it reads, and nothing here trusts a number.
 */

#include "vision/decode-boxes.h"

#include <glib/gi18n.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/tensor.h"

#define FAR 1e7f /* pixels; no box needs more */

static const struct
{
  const char       *family;
  const BoxDecoder *decode;
} decoders[] = {
  { "yolov5", &decode_boxes_yolov5 },
  { "yolov5-seg", &decode_boxes_yolov5 },
  { "yolov8", &decode_boxes_yolov8 },
  { "yolov8-seg", &decode_boxes_yolov8 },
  { "yolov8-pose", &decode_boxes_yolov8_pose },
  { "yolov8-obb", &decode_boxes_yolov8_turned },
  { "yolo-end2end", &decode_boxes_end_to_end },
  { "yolo-end2end-seg", &decode_boxes_end_to_end },
  { "yolox", &decode_boxes_yolox },
  { "yolov2", &decode_boxes_yolov2 },
  { "yolov3-grids", &decode_boxes_yolov3_grids },
  { "yolov4", &decode_boxes_yolov4 },
  { "yolov5-grids", &decode_boxes_yolov5_grids },
  { "yolov3", &decode_boxes_yolov3 },
  { "ssd", &decode_boxes_ssd },
  { "ssd-tf", &decode_boxes_ssd_tf },
  { "detection-output", &decode_boxes_detection_output },
  { "ultraface", &decode_boxes_ultraface },
  { "yunet", &decode_boxes_yunet },
  { "nanodet", &decode_boxes_nanodet },
  { "retinanet", &decode_boxes_retinanet },
  { "detr", &decode_boxes_detr },
  { "rt-detr", &decode_boxes_rt_detr },
  { "ssd-resnet", &decode_boxes_numbered },
  { "torchvision", &decode_boxes_numbered },
  { "faster-rcnn", &decode_boxes_numbered },
  { "mask-rcnn", &decode_boxes_numbered },
};

BoxDecoder
decode_boxes_find (const char *family)
{
  for (gsize i = 0; i < G_N_ELEMENTS (decoders); i++)
    if (g_strcmp0 (family, decoders[i].family) == 0)
      return *decoders[i].decode;
  return NULL;
}

/* ---- for the decoders ------------------------------------------------------------------------------------------------------------------- */

void
box_list_add (BoxList *list, float left, float top, float right, float bottom, float score, gsize label, gsize row)
{
  Box box;

  if (isnan (score))
    list->damaged = TRUE;
  if (!(score >= list->least) || label > G_MAXINT32 || row > G_MAXINT32)
    return;
  if (isnan (left) || isnan (top) || isnan (right) || isnan (bottom))
    {
      list->damaged = TRUE;
      return;
    }
  box.left = CLAMP (MIN (left, right), -FAR, FAR);
  box.top = CLAMP (MIN (top, bottom), -FAR, FAR);
  box.right = CLAMP (MAX (left, right), -FAR, FAR);
  box.bottom = CLAMP (MAX (top, bottom), -FAR, FAR);
  box.score = MIN (score, 1);
  box.label = (gint32) label;
  box.row = (gint32) row;
  g_array_append_val (list->boxes, box);
}

void
box_list_add_centred (BoxList *list, float x, float y, float width, float height, float score, gsize label, gsize row)
{
  box_list_add (list, x - width / 2, y - height / 2, x + width / 2, y + height / 2, score, label, row);
}

gsize
box_best_class (const float *values, gsize n, gsize step, float *value)
{
  gsize    best = 0;
  gboolean damaged = isnan (values[0]);

  for (gsize i = 1; i < n; i++)
    {
      damaged |= isnan (values[i * step]);
      if (values[i * step] > values[best * step])
        best = i;
    }
  *value = damaged ? NAN : values[best * step];
  return best;
}

gboolean
box_wrong_shape (const BoxTensor *tensor, const char *expected, GError **error)
{
  g_autofree char *text = shape_to_string (&tensor->shape);

  g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_MODEL,
               _("The network's output “%s” is of shape %s, but it must be %s. The model is of another family: correct “family” in its settings."),
               tensor->name, text, expected);
  return FALSE;
}

gboolean
box_are_logits (const float *values, gsize n)
{
  for (gsize i = 0; i < n; i++)
    if (values[i] < -1e-3f || values[i] > 1.001f)
      return TRUE;
  return FALSE;
}

gboolean
box_are_corners (const float *boxes, gsize n)
{
  gsize in_order = 0;

  for (gsize i = 0; i < n; i++)
    in_order += boxes[4 * i + 2] >= boxes[4 * i] && boxes[4 * i + 3] >= boxes[4 * i + 1];
  return in_order >= n - n / 50;
}

const BoxTensor *
box_find_tensor (const BoxTensor *tensors, guint n_tensors, const char *name)
{
  for (guint i = 0; i < n_tensors; i++)
    if (strcmp (tensors[i].name, name) == 0)
      return &tensors[i];
  return NULL;
}

/* Labels that say what the first class is tell whether classes are counted from the background on. */
static gint32
find_first_id (const FoveaSettings *settings)
{
  g_autofree char *first = settings->n_labels ? g_utf8_casefold (settings->labels[0], -1) : g_strdup ("");

  return strstr (first, "background") || strcmp (first, "n/a") == 0 ? 0 : 1;
}

BoxOptions
box_options_of (const FoveaSettings *settings, float least)
{
  return (BoxOptions) { settings->width, settings->height, least, settings->n_labels, find_first_id (settings), settings->activation, settings->anchors,
                        settings->n_anchors };
}

/* ---- decoding --------------------------------------------------------------------------------------------------------------------------- */

/* Best first; equal ones stay as the network gave them. */
static int
compare_boxes (gconstpointer a, gconstpointer b)
{
  const Box *first = a, *second = b;

  if (first->score != second->score)
    return first->score > second->score ? -1 : 1;
  return first->row != second->row ? (first->row > second->row) - (first->row < second->row) : first->label - second->label;
}

/* The tensors as floats: the network's own memory where they are. `owned` frees what was made. */
static gboolean
convert (FoveaTensor *const *tensors, const char *const *names, guint n, BoxTensor *out, GPtrArray *owned, GError **error)
{
  for (guint i = 0; i < n; i++)
    {
      gsize  count;
      float *values = tensors[i]->data;

      if (!shape_count_checked (&tensors[i]->shape, &count))
        {
          g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_MODEL, _("The shape of the network's output “%s” isn't known after running. Export the model anew."),
                       names[i]);
          return FALSE;
        }
      if (tensors[i]->type != FOVEA_TYPE_FLOAT32)
        {
          values = memory_alloc_n (MAX (count, 1), sizeof *values, "the network's answer", error);
          if (!values)
            return FALSE;
          g_ptr_array_add (owned, values);
          tensor_read_float (tensors[i], 0, count, values);
        }
      out[i] = (BoxTensor) { names[i], tensors[i]->type, tensors[i]->shape, values };
    }
  return TRUE;
}

GArray *
decode_boxes (const char *family, const BoxOptions *options, const char *const *names, FoveaTensor *const *tensors, guint n_tensors, GError **error)
{
  BoxDecoder            decode = decode_boxes_find (family);
  g_autofree BoxTensor *converted = g_new0 (BoxTensor, n_tensors + 1);
  g_autoptr (GPtrArray) owned = g_ptr_array_new_with_free_func (memory_free);
  g_autoptr (GArray) boxes = g_array_new (FALSE, FALSE, sizeof (Box));
  BoxList list = { boxes, MAX (options->least, 1e-6f), FALSE };

  if (!decode)
    {
      g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_UNSUPPORTED, _("There are no boxes in what networks of the family “%s” give. Choose a detector."),
                   family ? family : "unknown");
      return NULL;
    }
  if (n_tensors == 0 || !convert (tensors, names, n_tensors, converted, owned, error) || !decode (options, converted, n_tensors, &list, error))
    return NULL;
  if (list.damaged)
    {
      g_set_error_literal (error, FOVEA_ERROR, FOVEA_ERROR_MODEL,
                           _("The network gave values that aren't numbers. The model is damaged, or its input settings are far from right."));
      return NULL;
    }
  g_array_sort (boxes, compare_boxes);
  if (boxes->len > BOXES_MAX)
    g_array_set_size (boxes, BOXES_MAX);
  return g_steal_pointer (&boxes);
}
