/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * decode-boxes-faces.c: small networks for faces.
 *
 *   UltraFace   scores (1, N, 2), the second for a face; boxes (1, N, 4): left, top, right, bottom from 0 to 1, or offsets from prior boxes
 *   YuNet       for strides 8, 16, 32: cls, obj (1, n, 1) and bbox (1, n, 4), a row a cell
 */

#include <glib/gi18n.h>

#include "base/tensor.h"
#include "vision/decode-boxes.h"
#include "vision/families.h"

/* Two or three squares around each cell of strides 8 to 64; sides in pixels. */
static const struct
{
  int   stride, n;
  float sides[3];
} ultraface_priors[] = {
  { 8, 3, { 10, 16, 24 } },
  { 16, 2, { 32, 48, 0 } },
  { 32, 2, { 64, 96, 0 } },
  { 64, 3, { 128, 192, 256 } },
};

/* Offsets are in tenths and fifths of the prior's size. */
static gboolean
decode_offsets (const BoxOptions *options, const BoxTensor *scores, const BoxTensor *boxes, BoxList *list, GError **error)
{
  gint64 n = 0, row = 0;

  for (guint k = 0; k < G_N_ELEMENTS (ultraface_priors); k++)
    n += ultraface_priors[k].n * family_count_places (options->width, options->height, ultraface_priors[k].stride, ultraface_priors[k].stride);
  if (scores->shape.dims[1] != n)
    return box_wrong_shape (scores, "1 × (as many boxes as the input's size makes) × 2", error);
  for (guint k = 0; k < G_N_ELEMENTS (ultraface_priors); k++)
    {
      int    stride = ultraface_priors[k].stride, columns = (options->width + stride - 1) / stride;
      gint64 n_cells = family_count_places (options->width, options->height, stride, stride);

      for (gint64 i = 0; i < n_cells * ultraface_priors[k].n; i++, row++)
        {
          const float *box = boxes->values + 4 * row;
          gint64       cell = i / ultraface_priors[k].n;
          float        side = ultraface_priors[k].sides[i % ultraface_priors[k].n];

          box_list_add_centred (list, ((float) (cell % columns) + 0.5f) * stride + box[0] * 0.1f * side,
                                ((float) (cell / columns) + 0.5f) * stride + box[1] * 0.1f * side, expf (box[2] * 0.2f) * side,
                                expf (box[3] * 0.2f) * side, scores->values[2 * row + 1], 0, row);
        }
    }
  return TRUE;
}

static gboolean
decode_ultraface (const BoxOptions *options, const BoxTensor *tensors, guint n_tensors, BoxList *list, GError **error)
{
  guint            of_scores = n_tensors == 2 && tensors[1].shape.n_dims == 3 && tensors[1].shape.dims[2] == 2;
  const BoxTensor *scores = &tensors[of_scores], *boxes = &tensors[n_tensors == 2 ? !of_scores : 0];

  if (scores->shape.n_dims != 3 || scores->shape.dims[0] != 1 || scores->shape.dims[2] != 2)
    return box_wrong_shape (scores, "1 × boxes × 2", error);
  if (boxes->shape.n_dims != 3 || boxes->shape.dims[0] != 1 || boxes->shape.dims[1] != scores->shape.dims[1] || boxes->shape.dims[2] != 4)
    return box_wrong_shape (boxes, "1 × boxes × 4", error);
  if (!box_are_corners (boxes->values, boxes->shape.dims[1]))
    return decode_offsets (options, scores, boxes, list, error);
  for (gint64 i = 0; i < scores->shape.dims[1]; i++)
    {
      const float *box = boxes->values + 4 * i;

      box_list_add (list, box[0] * options->width, box[1] * options->height, box[2] * options->width, box[3] * options->height,
                    scores->values[2 * i + 1], 0, i);
    }
  return TRUE;
}

/* The output `what` of a stride; NULL with an error when it isn't there or doesn't fit the grid. */
static const BoxTensor *
find_map (const BoxTensor *tensors, guint n_tensors, const char *what, int stride, gint64 n_cells, gint64 n_values, GError **error)
{
  g_autofree char *name = g_strdup_printf ("%s_%d", what, stride), *expected = NULL;
  const BoxTensor *tensor = box_find_tensor (tensors, n_tensors, name);

  if (!tensor)
    {
      g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_MODEL, _("The network has no output “%s”. The model is of another family: correct “family” in its settings."),
                   name);
      return NULL;
    }
  if (tensor->shape.n_dims == 3 && tensor->shape.dims[0] == 1 && tensor->shape.dims[1] == n_cells && tensor->shape.dims[2] == n_values)
    return tensor;
  expected = g_strdup_printf ("1 × %" G_GINT64_FORMAT " × %" G_GINT64_FORMAT, n_cells, n_values);
  box_wrong_shape (tensor, expected, error);
  return NULL;
}

static gboolean
decode_yunet (const BoxOptions *options, const BoxTensor *tensors, guint n_tensors, BoxList *list, GError **error)
{
  gsize row = 0;

  for (int stride = 8; stride <= 32; stride *= 2)
    {
      gint64           columns = options->width / stride, n = columns * (options->height / stride);
      const BoxTensor *classes = find_map (tensors, n_tensors, "cls", stride, n, 1, error);
      const BoxTensor *objects = classes ? find_map (tensors, n_tensors, "obj", stride, n, 1, error) : NULL;
      const BoxTensor *boxes = objects ? find_map (tensors, n_tensors, "bbox", stride, n, 4, error) : NULL;

      if (!boxes)
        return FALSE;
      for (gint64 i = 0; i < n; i++, row++)
        {
          const float *box = boxes->values + 4 * i;
          float        product = CLAMP (classes->values[i], 0, 1) * CLAMP (objects->values[i], 0, 1);

          if (isnan (classes->values[i]) || isnan (objects->values[i]))
            list->damaged = TRUE;
          box_list_add_centred (list, (i % columns + box[0]) * stride, (i / columns + box[1]) * stride, expf (box[2]) * stride, expf (box[3]) * stride,
                                sqrtf (product), 0, row);
        }
    }
  return TRUE;
}

const BoxDecoder decode_boxes_ultraface = decode_ultraface, decode_boxes_yunet = decode_yunet;
