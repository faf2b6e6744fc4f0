/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * decode-masks.c: see decode-masks.h. The table says how each family's numbers become shares.
 */

#include "vision/decode-masks.h"

#include <glib/gi18n.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/tensor.h"

#define LEAST_AREA 0.0005 /* share of the pixels that a class must win to be worth a mask */

typedef enum
{
  MAP_SHARES,  /* 0 to 1 as they are */
  MAP_SIGMOID, /* of logits */
  MAP_RANGE,   /* stretched so that the least is 0 and the greatest 1: what the family's own code does */
  MAP_SOFTMAX, /* over the classes */
  MAP_INDICES, /* a class number for each pixel */
} MapKind;

static const struct
{
  const char *family;
  MapKind     kind;
  gsize       background; /* classes 0 … background - 1 are none */
  gboolean    last;       /* of several outputs the last is the finest; FALSE: the first */
} kinds[] = {
  { "selfie", MAP_SHARES, 0, FALSE },     { "u2net", MAP_RANGE, 0, FALSE },     { "isnet", MAP_RANGE, 0, FALSE },   { "birefnet", MAP_SIGMOID, 0, TRUE },
  { "modnet", MAP_SHARES, 0, FALSE },     { "saliency", MAP_RANGE, 0, FALSE },  { "human-seg", MAP_SOFTMAX, 1, FALSE }, { "cloth", MAP_SOFTMAX, 1, FALSE },
  { "semantic-indices", MAP_INDICES, 0, FALSE }, { "semantic", MAP_SOFTMAX, 0, FALSE },
};

static int
find_kind (const char *family)
{
  for (gsize i = 0; family && i < G_N_ELEMENTS (kinds); i++)
    if (strcmp (kinds[i].family, family) == 0)
      return (int) i;
  return -1;
}

gboolean
decode_masks_knows (const char *family)
{
  return find_kind (family) >= 0;
}

void
mask_stack_free (MaskStack *stack)
{
  if (!stack)
    return;
  memory_free (stack->shares);
  g_free (stack->classes);
  g_free (stack);
}

/* (1, C, H, W), (1, H, W, C) where the last dimension is the smallest, (1, H, W) or (H, W). */
gboolean
decode_masks_read (const FoveaSettings *settings, FoveaTensor *const *outputs, guint n_outputs, MaskMaps *maps, GError **error)
{
  int                row = find_kind (settings->family);
  const FoveaTensor *out = outputs[row >= 0 && kinds[row].last ? n_outputs - 1 : 0];
  const FoveaShape  *shape = &out->shape;
  const gint64      *dims = shape->dims;
  guint              n = shape->n_dims;
  gboolean           last = n == 4 && dims[3] < dims[1] && dims[3] < dims[2];
  gsize              count = shape_count (shape);

  if (n < 2 || n > 4 || (n > 2 && dims[0] != 1) || count == 0 || dims[n - 1] > G_MAXINT || dims[n - 2] > G_MAXINT)
    {
      g_set_error_literal (error, FOVEA_ERROR, FOVEA_ERROR_UNSUPPORTED,
                           _("The model's output isn't maps of one photo. Name the model's family in its settings, or choose another model."));
      return FALSE;
    }
  maps->n = n == 4 ? (gsize) (last ? dims[3] : dims[1]) : 1;
  maps->height = (int) (n == 4 ? (last ? dims[1] : dims[2]) : dims[n - 2]);
  maps->width = (int) (n == 4 ? (last ? dims[2] : dims[3]) : dims[n - 1]);
  maps->class_stride = last ? 1 : (gsize) maps->width * maps->height;
  maps->pixel_stride = last ? maps->n : 1;
  maps->values = memory_alloc_n (count, sizeof (float), "the masks", error);
  if (!maps->values)
    return FALSE;
  tensor_read_float (out, 0, count, maps->values);
  return TRUE;
}

static MaskStack *
new_stack (const MaskMaps *maps, gsize n, GError **error)
{
  MaskStack *stack = g_new0 (MaskStack, 1);

  stack->n = n;
  stack->width = maps->width;
  stack->height = maps->height;
  stack->classes = g_new0 (gsize, n + 1);
  stack->shares = memory_alloc_n (MAX (n, 1), (gsize) maps->width * (gsize) maps->height * sizeof (float), "the masks", error);
  if (!stack->shares)
    g_clear_pointer (&stack, mask_stack_free);
  return stack;
}

static float
squash (float x)
{
  return 1.0f / (1.0f + expf (-x));
}

/* One mask of one map. NaN counts as 0. */
static MaskStack *
decode_one (const MaskMaps *maps, MapKind kind, GError **error)
{
  MaskStack *stack = new_stack (maps, 1, error);
  gsize      n = (gsize) maps->width * (gsize) maps->height;
  float      low = INFINITY, high = -INFINITY;

  for (gsize i = 0; stack && i < n; i++)
    {
      float x = maps->values[i * maps->pixel_stride];

      low = MIN (low, x);
      high = MAX (high, x);
    }
  for (gsize i = 0; stack && i < n; i++)
    {
      float x = maps->values[i * maps->pixel_stride];

      if (kind == MAP_SIGMOID)
        x = squash (x);
      else if (kind == MAP_RANGE)
        x = high > low ? (x - low) / (high - low) : 0.0f;
      stack->shares[i] = x >= 0.0f ? MIN (x, 1.0f) : 0.0f;
    }
  return stack;
}

/* The class that wins each pixel, and how many pixels each wins. */
static gsize *
count_wins (const MaskMaps *maps)
{
  gsize *wins = g_new0 (gsize, maps->n + 1), n = (gsize) maps->width * (gsize) maps->height;

  for (gsize i = 0; i < n; i++)
    {
      const float *pixel = maps->values + i * maps->pixel_stride;
      gsize        best = 0;

      for (gsize c = 1; c < maps->n; c++)
        if (pixel[c * maps->class_stride] > pixel[best * maps->class_stride])
          best = c;
      wins[best]++;
    }
  return wins;
}

static MaskStack *
decode_several (const MaskMaps *maps, MapKind kind, gsize background, GError **error)
{
  gsize             n = (gsize) maps->width * (gsize) maps->height, n_kept = 0;
  g_autofree gsize *wins = count_wins (maps), *kept = g_new (gsize, maps->n + 1);
  MaskStack        *stack;

  for (gsize c = background; c < maps->n; c++)
    if ((double) wins[c] >= LEAST_AREA * (double) n)
      kept[n_kept++] = c;
  stack = new_stack (maps, n_kept, error);
  for (gsize i = 0; stack && i < n; i++)
    {
      const float *pixel = maps->values + i * maps->pixel_stride;
      float        greatest = -INFINITY, sum = 0.0f;

      for (gsize c = 0; c < maps->n; c++)
        greatest = MAX (greatest, pixel[c * maps->class_stride]);
      for (gsize c = 0; c < maps->n && kind == MAP_SOFTMAX; c++)
        sum += expf (pixel[c * maps->class_stride] - greatest);
      for (gsize k = 0; k < n_kept; k++)
        {
          float x = pixel[kept[k] * maps->class_stride];
          float share = kind == MAP_SOFTMAX ? expf (x - greatest) / sum : kind == MAP_SIGMOID ? squash (x) : x;

          stack->shares[k * n + i] = share >= 0.0f ? MIN (share, 1.0f) : 0.0f;
        }
    }
  if (stack)
    memcpy (stack->classes, kept, n_kept * sizeof *kept);
  return stack;
}

static MaskStack *
decode_indices (const MaskMaps *maps, gsize background, GError **error)
{
  gsize              n = (gsize) maps->width * (gsize) maps->height, n_kept = 0;
  g_autofree guint32 *counts = g_new0 (guint32, 65536);
  MaskStack         *stack;

  for (gsize i = 0; i < n; i++)
    if (maps->values[i] >= 0.0f && maps->values[i] < 65536.0f)
      counts[(gsize) maps->values[i]]++;
  for (gsize c = background; c < 65536; c++)
    n_kept += counts[c] > 0 && counts[c] >= LEAST_AREA * (double) n;
  stack = new_stack (maps, n_kept, error);
  n_kept = 0;
  for (gsize c = background; stack && c < 65536; c++)
    if (counts[c] > 0 && counts[c] >= LEAST_AREA * (double) n)
      {
        for (gsize i = 0; i < n; i++)
          stack->shares[n_kept * n + i] = maps->values[i] == (float) c ? 1.0f : 0.0f;
        stack->classes[n_kept++] = c;
      }
  return stack;
}

static gboolean
is_background (const char *label)
{
  g_autofree char *small = g_utf8_casefold (label, -1);

  return strstr (small, "background") != NULL;
}

gboolean
decode_masks_are_indices (const FoveaSettings *settings)
{
  int row = find_kind (settings->family);

  return row >= 0 && kinds[row].kind == MAP_INDICES && settings->activation != FOVEA_ACTIVATION_SIGMOID && settings->activation != FOVEA_ACTIVATION_SOFTMAX;
}

MaskStack *
decode_masks_of (const FoveaSettings *settings, const MaskMaps *maps, GError **error)
{
  int     row = find_kind (settings->family);
  MapKind kind = row >= 0 ? kinds[row].kind : MAP_RANGE;
  gsize   background = row >= 0 ? kinds[row].background : 0;

  if (settings->n_labels > 1 && is_background (settings->labels[0]))
    background = 1;
  if (settings->activation == FOVEA_ACTIVATION_SIGMOID)
    kind = MAP_SIGMOID;
  else if (settings->activation == FOVEA_ACTIVATION_SOFTMAX && maps->n > 1)
    kind = MAP_SOFTMAX;
  else if (settings->activation == FOVEA_ACTIVATION_NONE && kind != MAP_INDICES)
    kind = MAP_SHARES;
  if (kind == MAP_INDICES)
    return decode_indices (maps, background, error);
  if (maps->n == 1)
    return decode_one (maps, kind == MAP_SOFTMAX ? MAP_SIGMOID : kind, error);
  return decode_several (maps, kind == MAP_RANGE ? MAP_SOFTMAX : kind, background, error);
}

MaskStack *
decode_masks (const FoveaSettings *settings, FoveaTensor *const *outputs, guint n_outputs, GError **error)
{
  MaskMaps   maps = { 0 };
  MaskStack *stack;

  g_assert (n_outputs > 0);
  if (!decode_masks_read (settings, outputs, n_outputs, &maps, error))
    return NULL;
  stack = decode_masks_of (settings, &maps, error);
  memory_free (maps.values);
  return stack;
}
