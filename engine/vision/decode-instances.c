/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * decode-instances.c: boxes by their own decoder (decode-boxes.c), and the mask that belongs to each.
 *
 *   prototypes   (1, 32, h, w): a box's mask is their sum by its own 32 coefficients, squashed, and nothing outside of the box (Bolya et al. 2019, arXiv:1904.02689).
 *                The coefficients are the last of a box's values, where those lie.
 *   masks        (n, 1, 28, 28): each stretched over its box; or as large as the network's input, over all of it (He et al. 2017, arXiv:1703.06870).
 */

#include "vision/decode-instances.h"

#include <glib/gi18n.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/tensor.h"
#include "vision/decode-boxes.h"
#include "vision/nms.h"

#define SMALLER 4 /* times smaller than the input are masks that were given for boxes */

typedef enum
{
  VALUES_FIRST, /* prototypes; a box's values lie in a column */
  VALUES_LAST,  /* prototypes; in a row */
  MASK_EACH,
} InstanceKind;

static const struct
{
  const char  *family;
  InstanceKind kind;
} kinds[] = { { "yolov8-seg", VALUES_FIRST }, { "yolov5-seg", VALUES_LAST }, { "yolo-end2end-seg", VALUES_LAST }, { "mask-rcnn", MASK_EACH } };

static int
find_kind (const char *family)
{
  for (gsize i = 0; family && i < G_N_ELEMENTS (kinds); i++)
    if (strcmp (kinds[i].family, family) == 0)
      return (int) i;
  return -1;
}

gboolean
decode_instances_knows (const char *family)
{
  return find_kind (family) >= 0;
}

static gboolean
refuse (GError **error)
{
  g_set_error_literal (error, FOVEA_ERROR, FOVEA_ERROR_MODEL,
                       _("The network's outputs aren't boxes with masks. The model is of another family: correct “family” in its settings."));
  return FALSE;
}

/* The first output of so many dimensions; NULL with an error: none. */
static const FoveaTensor *
find_output (FoveaTensor *const *outputs, guint n_outputs, guint n_dims, GError **error)
{
  for (guint i = 0; i < n_outputs; i++)
    if (outputs[i]->shape.n_dims == n_dims)
      return outputs[i];
  refuse (error);
  return NULL;
}

static float *
read_values (const FoveaTensor *tensor, GError **error)
{
  gsize  n = shape_count (&tensor->shape);
  float *values = memory_alloc_n (MAX (n, 1), sizeof *values, "the network's answer", error);

  if (values)
    tensor_read_float (tensor, 0, n, values);
  return values;
}

static MaskStack *
new_stack (gsize n, int width, int height, GError **error)
{
  MaskStack *stack = g_new0 (MaskStack, 1);

  *stack = (MaskStack) { .n = n, .width = width, .height = height, .classes = g_new0 (gsize, n + 1) };
  stack->shares = memory_alloc_n (MAX (n, 1), (gsize) width * (gsize) height * sizeof (float), "the masks", error);
  if (!stack->shares)
    g_clear_pointer (&stack, mask_stack_free);
  return stack;
}

/* ---- prototypes ------------------------------------------------------------------------------------------------------------------------- */

/* Pixels whose corner lies in the box, as the networks' own code crops. */
static void
mix (const float *prototypes, gsize n, const float *coefficients, gsize step, const Box *box, const FoveaSettings *settings, MaskStack *stack, float *shares)
{
  gsize size = (gsize) stack->width * (gsize) stack->height;
  float across = (float) stack->width / (float) settings->width, down = (float) stack->height / (float) settings->height;

  for (int y = 0; y < stack->height; y++)
    for (int x = 0; x < stack->width; x++)
      if ((float) x >= box->left * across && (float) x < box->right * across && (float) y >= box->top * down && (float) y < box->bottom * down)
        {
          float sum = 0.0f, share;

          for (gsize c = 0; c < n; c++)
            sum += coefficients[c * step] * prototypes[c * size + (gsize) y * (gsize) stack->width + (gsize) x];
          share = box_sigmoid (sum);
          shares[(gsize) y * (gsize) stack->width + (gsize) x] = share >= 0.0f ? share : 0.0f;
        }
}

static MaskStack *
decode_prototypes (const FoveaSettings *settings, InstanceKind kind, const Box *boxes, gsize n, FoveaTensor *const *outputs, guint n_outputs, GError **error)
{
  const FoveaTensor *maps = find_output (outputs, n_outputs, 4, error), *table = maps ? find_output (outputs, n_outputs, 3, error) : NULL;
  gsize              n_maps, n_boxes, n_values;
  float             *prototypes, *values;
  MaskStack         *stack;

  if (!table)
    return NULL;
  n_maps = (gsize) maps->shape.dims[1];
  n_boxes = (gsize) table->shape.dims[kind == VALUES_FIRST ? 2 : 1];
  n_values = (gsize) table->shape.dims[kind == VALUES_FIRST ? 1 : 2];
  if (maps->shape.dims[0] != 1 || n_maps > n_values)
    {
      refuse (error);
      return NULL;
    }
  prototypes = read_values (maps, error);
  values = prototypes ? read_values (table, error) : NULL;
  stack = values ? new_stack (n, (int) maps->shape.dims[3], (int) maps->shape.dims[2], error) : NULL;
  for (gsize k = 0; stack && k < n; k++)
    {
      gsize        row = (gsize) boxes[k].row, first = n_values - n_maps;
      const float *coefficients = values + (kind == VALUES_FIRST ? first * n_boxes + row : row * n_values + first);

      stack->classes[k] = (gsize) boxes[k].label;
      mix (prototypes, n_maps, coefficients, kind == VALUES_FIRST ? n_boxes : 1, &boxes[k], settings, stack,
           stack->shares + k * (gsize) stack->width * (gsize) stack->height);
    }
  memory_free (values);
  memory_free (prototypes);
  return stack;
}

/* ---- a mask each ------------------------------------------------------------------------------------------------------------------------ */

/* Between the four nearest numbers of (height, width); places beyond the middle of those at the border repeat them. */
static float
sample (const float *mask, int width, int height, double x, double y)
{
  double px = CLAMP (x - 0.5, 0.0, width - 1.0), py = CLAMP (y - 0.5, 0.0, height - 1.0);
  int    x0 = (int) px, y0 = (int) py, x1 = MIN (x0 + 1, width - 1), y1 = MIN (y0 + 1, height - 1);
  float  fx = (float) (px - x0), fy = (float) (py - y0);
  float  upper = mask[(gsize) y0 * width + x0] * (1 - fx) + mask[(gsize) y0 * width + x1] * fx;
  float  lower = mask[(gsize) y1 * width + x0] * (1 - fx) + mask[(gsize) y1 * width + x1] * fx;

  return upper * (1 - fy) + lower * fy;
}

static gboolean
are_masks_of (const FoveaTensor *tensor, const Box *boxes, gsize n)
{
  for (gsize k = 0; k < n; k++)
    if (boxes[k].row >= tensor->shape.dims[0])
      return FALSE;
  return tensor->shape.dims[1] == 1;
}

static MaskStack *
decode_each (const FoveaSettings *settings, const Box *boxes, gsize n, FoveaTensor *const *outputs, guint n_outputs, GError **error)
{
  const FoveaTensor *tensor = find_output (outputs, n_outputs, 4, error);
  float             *masks = tensor && (are_masks_of (tensor, boxes, n) || refuse (error)) ? read_values (tensor, error) : NULL;
  MaskStack         *stack = masks ? new_stack (n, (settings->width + SMALLER - 1) / SMALLER, (settings->height + SMALLER - 1) / SMALLER, error) : NULL;
  int                width = stack ? (int) tensor->shape.dims[3] : 0, height = stack ? (int) tensor->shape.dims[2] : 0;
  gboolean           is_whole = width == settings->width && height == settings->height;

  for (gsize k = 0; stack && k < n; k++)
    {
      Box          place = is_whole ? (Box) { .right = (float) width, .bottom = (float) height } : boxes[k];
      gsize        row = (gsize) boxes[k].row, size = (gsize) width * (gsize) height;
      float       *shares = stack->shares + k * (gsize) stack->width * (gsize) stack->height;
      const float *mask = masks + row * size;

      stack->classes[k] = (gsize) boxes[k].label;
      for (int y = 0; y < stack->height; y++)
        for (int x = 0; x < stack->width; x++)
          {
            double across = ((x + 0.5) * settings->width / stack->width - place.left) / (place.right - place.left);
            double down = ((y + 0.5) * settings->height / stack->height - place.top) / (place.bottom - place.top);

            if (across >= 0 && across < 1 && down >= 0 && down < 1)
              shares[(gsize) y * (gsize) stack->width + (gsize) x] = CLAMP (sample (mask, width, height, across * width, down * height), 0.0f, 1.0f);
          }
    }
  memory_free (masks);
  return stack;
}

/* ---- all ------------------------------------------------------------------------------------------------------------------------------- */

MaskStack *
decode_instances (const FoveaSettings *settings, const char *const *names, FoveaTensor *const *outputs, guint n_outputs, GError **error)
{
  InstanceKind      kind = kinds[find_kind (settings->family)].kind;
  BoxOptions        options = box_options_of (settings, (float) settings->threshold);
  g_autoptr (GArray) boxes = decode_boxes (settings->family, &options, names, outputs, n_outputs, error);
  g_autofree Box   *kept = NULL;
  gsize             n;

  if (!boxes)
    return NULL;
  kept = g_new (Box, boxes->len + 1);
  n = nms_suppress ((const Box *) boxes->data, boxes->len, FOVEA_SUPPRESS_CLASS, settings->overlap, settings->threshold, INSTANCES_MAX, kept);
  return kind == MASK_EACH ? decode_each (settings, kept, n, outputs, n_outputs, error) : decode_prototypes (settings, kind, kept, n, outputs, n_outputs, error);
}

MaskStack *
instances_unite (const MaskStack *objects, GError **error)
{
  MaskStack *classes = new_stack (objects->n, objects->width, objects->height, error);
  gsize      size = (gsize) objects->width * (gsize) objects->height, n = 0;

  for (gsize k = 0; classes && k < objects->n; k++)
    {
      const float *from = objects->shares + k * size;
      gsize        c = 0;
      float       *to;

      while (c < n && classes->classes[c] != objects->classes[k])
        c++;
      n = MAX (n, c + 1);
      classes->classes[c] = objects->classes[k];
      to = classes->shares + c * size;
      for (gsize i = 0; i < size; i++)
        to[i] = MAX (to[i], from[i]);
    }
  if (classes)
    classes->n = n;
  return classes;
}
