/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * attention-layer.c: a heat layer: the more the network looked, the brighter and the more opaque. See attention-layer.h.
 */

#include "attention-layer.h"

#include <glib/gi18n.h>
#include <math.h>

#include "pixels.h"

#define BAND_ROWS 64

/* From dark violet over orange to pale yellow: readable by colour-blind people, since it grows lighter all the way. */
static const float colours[][3] = {
  { 0.10f, 0.04f, 0.25f }, { 0.47f, 0.11f, 0.43f }, { 0.84f, 0.29f, 0.24f }, { 0.98f, 0.65f, 0.04f }, { 0.99f, 1.00f, 0.64f },
};

static void
heat (float value, float *rgba)
{
  float at = CLAMP (value, 0.0f, 1.0f) * (G_N_ELEMENTS (colours) - 1);
  gsize i = MIN ((gsize) at, G_N_ELEMENTS (colours) - 2);

  for (guint c = 0; c < 3; c++)
    rgba[c] = colours[i][c] + (colours[i + 1][c] - colours[i][c]) * (at - (float) i);
  rgba[3] = CLAMP (value, 0.0f, 1.0f);
}

/* Bilinear, pixel centres at .5. */
static float
sample (const FoveaTensor *map, double x, double y)
{
  gint64       width = map->shape.dims[1], height = map->shape.dims[0], x0, y0, x1, y1;
  const float *data = map->data;
  float        dx, dy;

  x = CLAMP (x - 0.5, 0, (double) (width - 1));
  y = CLAMP (y - 0.5, 0, (double) (height - 1));
  x0 = (gint64) x;
  y0 = (gint64) y;
  x1 = MIN (x0 + 1, width - 1);
  y1 = MIN (y0 + 1, height - 1);
  dx = (float) (x - (double) x0);
  dy = (float) (y - (double) y0);
  return (1 - dy) * ((1 - dx) * data[y0 * width + x0] + dx * data[y0 * width + x1])
         + dy * ((1 - dx) * data[y1 * width + x0] + dx * data[y1 * width + x1]);
}

static void
paint (GimpLayer *layer, const FoveaTensor *map, gint width, gint height)
{
  GeglBuffer       *buffer = gimp_drawable_get_buffer (GIMP_DRAWABLE (layer));
  g_autofree float *band = g_new (float, (gsize) width * BAND_ROWS * 4);

  for (gint first = 0; first < height; first += BAND_ROWS)
    {
      gint rows = MIN (BAND_ROWS, height - first);

      for (gint y = 0; y < rows; y++)
        for (gint x = 0; x < width; x++)
          heat (sample (map, (x + 0.5) * (double) map->shape.dims[1] / width, (first + y + 0.5) * (double) map->shape.dims[0] / height),
                band + 4 * ((gsize) y * (gsize) width + (gsize) x));
      gegl_buffer_set (buffer, GEGL_RECTANGLE (0, first, width, rows), 0, babl_format ("R'G'B'A float"), band, GEGL_AUTO_ROWSTRIDE);
    }
  g_object_unref (buffer);
  gimp_drawable_update (GIMP_DRAWABLE (layer), 0, 0, width, height);
}

GimpLayer *
attention_layer_add (GimpImage *image, const FoveaTensor *attention, const GeglRectangle *seen, const char *label, GError **error)
{
  GimpImageBaseType base = gimp_image_get_base_type (image);
  g_autofree char  *name = g_strdup_printf (_("Attention: %s"), label);
  GimpLayer        *layer;

  layer = gimp_layer_new (image, name, seen->width, seen->height, base == GIMP_GRAY ? GIMP_GRAYA_IMAGE : GIMP_RGBA_IMAGE, 70,
                          GIMP_LAYER_MODE_NORMAL);
  if (!layer || !gimp_image_insert_layer (image, layer, NULL, 0))
    {
      g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_MEMORY, _("The attention layer can't be made. Free some memory and try again."));
      return NULL;
    }
  gimp_layer_set_offsets (layer, seen->x, seen->y);
  pixels_mark_layer (GIMP_ITEM (layer));
  paint (layer, attention, seen->width, seen->height);
  return layer;
}
