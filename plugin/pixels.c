/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * pixels.c: every image kind becomes 8-bit R'G'B' in sRGB by babl; transparent parts count as white. See pixels.h.
 */

#include "pixels.h"

#include <libgimp/gimp.h>

#include <glib/gi18n.h>

#define PARASITE   "fovea-made"
#define BAND_BYTES (4 << 20)

struct _PixelReader
{
  GimpImage    *copy;    /* without Fovea's layers; NULL where there are none */
  GimpLayer    *visible; /* never inserted; NULL for region "layer" */
  GeglBuffer   *buffer;
  gint          offset_x, offset_y; /* of the buffer in the image */
  GeglRectangle region;             /* in the buffer */
  gboolean      has_alpha, is_opaque_somewhere;
  FoveaInput   *input;
  GeglRectangle seen;               /* in the buffer */
  gint          next_row;
  guint8       *rgba, *rgb;
};

void
pixels_mark_layer (GimpItem *layer)
{
  GimpParasite *parasite = gimp_parasite_new (PARASITE, GIMP_PARASITE_PERSISTENT | GIMP_PARASITE_UNDOABLE, 2, "1");

  gimp_item_attach_parasite (layer, parasite);
  gimp_parasite_free (parasite);
}

static gboolean
is_marked (GimpItem *layer)
{
  GimpParasite *parasite = gimp_item_get_parasite (layer, PARASITE);

  if (parasite)
    gimp_parasite_free (parasite);
  return parasite != NULL;
}

/* Whether there are layers that Fovea made among these (NULL-terminated), in groups too; with `remove` they are taken out of the image. */
static gboolean
find_marked (GimpImage *image, GimpItem **items, gboolean remove)
{
  gboolean found = FALSE;

  for (guint i = 0; items[i]; i++)
    if (is_marked (items[i]))
      {
        found = TRUE;
        if (remove)
          gimp_image_remove_layer (image, GIMP_LAYER (items[i]));
      }
    else if (gimp_item_is_group (items[i]))
      {
        GimpItem **children = gimp_item_get_children (items[i]);

        found |= find_marked (image, children, remove);
        g_free (children);
      }
  return found;
}

static gboolean
image_has_marked (GimpImage *image, gboolean remove)
{
  GimpLayer **layers = gimp_image_get_layers (image);
  gboolean    found = find_marked (image, (GimpItem **) layers, remove);

  g_free (layers);
  return found;
}

static gboolean
open_visible (PixelReader *reader, GimpImage *image)
{
  if (image_has_marked (image, FALSE))
    {
      reader->copy = gimp_image_duplicate (image);
      if (!reader->copy)
        return FALSE;
      image_has_marked (reader->copy, TRUE);
      image = reader->copy;
    }
  reader->visible = gimp_layer_new_from_visible (image, image, "Fovea");
  if (!reader->visible)
    return FALSE;
  reader->buffer = gimp_drawable_get_buffer (GIMP_DRAWABLE (reader->visible));
  return TRUE;
}

PixelReader *
pixel_reader_new (GimpImage *image, GimpDrawable *drawable, const char *region, GError **error)
{
  g_autoptr (PixelReader) reader = g_new0 (PixelReader, 1);
  gboolean                is_layer = g_strcmp0 (region, "layer") == 0;

  if (is_layer)
    {
      reader->buffer = gimp_drawable_get_buffer (drawable);
      gimp_drawable_get_offsets (drawable, &reader->offset_x, &reader->offset_y);
      reader->has_alpha = gimp_drawable_has_alpha (drawable);
    }
  else
    {
      if (!open_visible (reader, image))
        {
          g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_ARGUMENT, _("There is nothing to see in this image. Add a layer or make one visible."));
          return NULL;
        }
      reader->has_alpha = TRUE;
    }
  reader->region = *gegl_buffer_get_extent (reader->buffer);
  if (g_strcmp0 (region, "selection") == 0)
    {
      gboolean non_empty;
      gint     x1, y1, x2, y2;

      if (!gimp_selection_bounds (image, &non_empty, &x1, &y1, &x2, &y2) || !non_empty)
        {
          g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_ARGUMENT, _("Nothing is selected. Select a part of the image, or choose the layer or the image."));
          return NULL;
        }
      gegl_rectangle_intersect (&reader->region, &reader->region, GEGL_RECTANGLE (x1, y1, x2 - x1, y2 - y1));
    }
  reader->is_opaque_somewhere = !reader->has_alpha;
  if (reader->region.width < 1 || reader->region.height < 1)
    {
      g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_ARGUMENT, _("There is nothing to see there. Choose another part of the image."));
      return NULL;
    }
  return g_steal_pointer (&reader);
}

void
pixel_reader_free (PixelReader *reader)
{
  if (!reader)
    return;
  g_clear_object (&reader->buffer);
  if (reader->visible)
    gimp_item_delete (GIMP_ITEM (reader->visible));
  if (reader->copy)
    gimp_image_delete (reader->copy);
  g_free (reader->rgba);
  g_free (reader->rgb);
  g_free (reader);
}

void
pixel_reader_get_size (const PixelReader *reader, int *width, int *height)
{
  *width = reader->region.width;
  *height = reader->region.height;
}

void
pixel_reader_start (PixelReader *reader, FoveaInput *input)
{
  int x, y, width, height;

  fovea_input_get_region (input, &x, &y, &width, &height);
  reader->input = input;
  reader->seen = *GEGL_RECTANGLE (reader->region.x + x, reader->region.y + y, width, height);
  reader->next_row = 0;
  reader->is_opaque_somewhere = !reader->has_alpha;
}

/* Over white; notes whether anything is there at all. */
static void
composite (PixelReader *reader, gsize n, guint8 *rgb)
{
  for (gsize i = 0; i < n; i++)
    {
      const guint8 *from = reader->rgba + 4 * i;
      guint         alpha = from[3];

      reader->is_opaque_somewhere |= alpha != 0;
      for (guint c = 0; c < 3; c++)
        rgb[3 * i + c] = (guint8) ((from[c] * alpha + 255 * (255 - alpha) + 127) / 255);
    }
}

gboolean
pixel_reader_check_opaque (const PixelReader *reader, GError **error)
{
  if (!reader->is_opaque_somewhere)
    g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_ARGUMENT, _("There is nothing but transparency there. Choose another layer or part of the image."));
  return reader->is_opaque_somewhere;
}

gboolean
pixel_reader_step (PixelReader *reader, double *progress, GError **error)
{
  gint width = reader->seen.width, rows = MAX (1, MIN (BAND_BYTES / (width * 4), reader->seen.height - reader->next_row));
  gsize n = (gsize) width * (gsize) rows;
  const GeglRectangle *band = GEGL_RECTANGLE (reader->seen.x, reader->seen.y + reader->next_row, width, rows);

  if (reader->next_row >= reader->seen.height)
    {
      pixel_reader_check_opaque (reader, error);
      return FALSE;
    }
  reader->rgb = g_realloc (reader->rgb, n * 3);
  if (reader->has_alpha)
    {
      reader->rgba = g_realloc (reader->rgba, n * 4);
      gegl_buffer_get (reader->buffer, band, 1.0, babl_format ("R'G'B'A u8"), reader->rgba, GEGL_AUTO_ROWSTRIDE, GEGL_ABYSS_NONE);
      composite (reader, n, reader->rgb);
    }
  else
    gegl_buffer_get (reader->buffer, band, 1.0, babl_format ("R'G'B' u8"), reader->rgb, GEGL_AUTO_ROWSTRIDE, GEGL_ABYSS_CLAMP);
  fovea_input_push (reader->input, reader->rgb, (gsize) width * 3, rows);
  reader->next_row += rows;
  *progress = reader->next_row / (double) reader->seen.height;
  return TRUE;
}

GeglRectangle
pixel_reader_get_seen (const PixelReader *reader)
{
  GeglRectangle seen = reader->seen;

  seen.x += reader->offset_x;
  seen.y += reader->offset_y;
  return seen;
}

GeglRectangle
pixel_reader_get_region (const PixelReader *reader)
{
  GeglRectangle region = reader->region;

  region.x += reader->offset_x;
  region.y += reader->offset_y;
  return region;
}

GeglBuffer *
pixel_reader_get_buffer (const PixelReader *reader, gint *offset_x, gint *offset_y)
{
  *offset_x = reader->offset_x;
  *offset_y = reader->offset_y;
  return reader->buffer;
}

gboolean
pixel_reader_read (gpointer user_data, int x, int y, int width, int height, guint8 *rgb, gsize row_stride, GError **error)
{
  PixelReader         *reader = user_data;
  const GeglRectangle *part = GEGL_RECTANGLE (reader->region.x + x, reader->region.y + y, width, height);

  if (!reader->has_alpha)
    {
      gegl_buffer_get (reader->buffer, part, 1.0, babl_format ("R'G'B' u8"), rgb, (gint) row_stride, GEGL_ABYSS_CLAMP);
      return TRUE;
    }
  reader->rgba = g_realloc (reader->rgba, (gsize) width * 4);
  for (int row = 0; row < height; row++)
    {
      gegl_buffer_get (reader->buffer, GEGL_RECTANGLE (part->x, part->y + row, width, 1), 1.0, babl_format ("R'G'B'A u8"), reader->rgba,
                       GEGL_AUTO_ROWSTRIDE, GEGL_ABYSS_NONE);
      composite (reader, (gsize) width, rgb + (gsize) row * row_stride);
    }
  return TRUE;
}
