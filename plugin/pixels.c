/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * pixels.c: every image kind becomes 8-bit R'G'B' in sRGB, by babl or (colour-space.h) by tables; transparent parts count as white. See pixels.h.
 */

#include "pixels.h"

#include <libgimp/gimp.h>

#include <glib/gi18n.h>

#include "colour-space.h"
#include "items.h"

#define PARASITE   "fovea-made"
#define COPY_PARASITE "fovea-copy" /* of an image that a reader has made */
#define BAND_BYTES (4 << 20)
#define MAX_CACHE  ((guint64) 16 << 20) /* bytes of tiles that GEGL keeps here: each is read once, and memory that is used again costs less than new */

struct _PixelReader
{
  GimpImage    *image;
  GimpDrawable *own;     /* whose own pixels are read; NULL: a copy's */
  GimpImage    *copy;    /* without what isn't to be seen; NULL where nothing had to go */
  GimpLayer    *visible; /* a copy, never inserted; NULL where a layer's own pixels are read */
  GeglBuffer   *buffer;
  gint          offset_x, offset_y; /* of the buffer in the image */
  GeglRectangle region;             /* in the buffer */
  gboolean      has_alpha, is_opaque_somewhere;
  FoveaInput   *input;
  GeglRectangle seen;               /* in the buffer */
  gint          next_row;
  ColourSpace  *space;              /* of the buffer; NULL: babl's way is taken */
  guint8       *own_space, *rgba, *rgb;
};

void
pixels_mark_layer (GimpItem *layer)
{
  GimpParasite *parasite = gimp_parasite_new (PARASITE, GIMP_PARASITE_PERSISTENT | GIMP_PARASITE_UNDOABLE, 2, "1");

  gimp_item_attach_parasite (layer, parasite);
  gimp_parasite_free (parasite);
}

gboolean
pixels_check_image (GimpImage *image, GError **error)
{
  if (gimp_image_is_valid (image))
    return TRUE;
  g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_ARGUMENT, _("The image has been closed. Open it again and start anew."));
  return FALSE;
}

gboolean
pixels_check_layer (GimpDrawable *layer, GError **error)
{
  if (gimp_item_is_valid (GIMP_ITEM (layer)))
    return TRUE;
  g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_ARGUMENT, _("The layer has been deleted. Take that back (Edit ▸ Undo), or choose another one, and start anew."));
  return FALSE;
}

char *
pixels_get_file_name (GimpImage *image)
{
  GFile *file = gimp_image_get_file (image);
  char  *name;

  file = file ? file : gimp_image_get_imported_file (image);
  name = file ? g_file_get_basename (file) : gimp_image_get_name (image);
  g_clear_object (&file);
  return name;
}

/* Whether Fovea made it, or the group that it lies in: what the user puts into a label group is a label, too. */
static gboolean
is_marked (GimpItem *layer)
{
  for (; layer; layer = gimp_item_get_parent (layer))
    {
      GimpParasite *parasite = gimp_item_get_parasite (layer, PARASITE);

      if (parasite)
        {
          gimp_parasite_free (parasite);
          return TRUE;
        }
    }
  return FALSE;
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
        g_autofree GimpItem **children = items_in_group (items[i]);

        found |= find_marked (image, children, remove);
      }
  return found;
}

static gboolean
image_has_marked (GimpImage *image, gboolean remove)
{
  g_autofree GimpItem **layers = items_in_image (image);

  return find_marked (image, layers, remove);
}

/* All that the image shows, as one layer; its pixel 0, 0 is the image's. */
static gboolean
open_visible (PixelReader *reader, GimpImage *image)
{
  reader->visible = gimp_layer_new_from_visible (image, image, "Fovea");
  if (!reader->visible)
    return FALSE;
  reader->buffer = gimp_drawable_get_buffer (GIMP_DRAWABLE (reader->visible));
  reader->has_alpha = TRUE;
  return TRUE;
}

/* ---- copies ------------------------------------------------------------------------------------------------------ */

/* GIMP lists it among the open images, until the reader is freed. */
static GimpImage *
duplicate (GimpImage *image)
{
  GimpImage    *copy = gimp_image_duplicate (image);
  GimpParasite *mark = copy ? gimp_parasite_new (COPY_PARASITE, 0, 1, "") : NULL;

  if (mark)
    {
      gimp_image_attach_parasite (copy, mark);
      gimp_parasite_free (mark);
    }
  return copy;
}

GimpImage **
pixels_list_images (void)
{
  GimpImage **images = gimp_get_images ();
  guint       n = 0;

  for (guint i = 0; images && images[i]; i++)
    {
      GimpParasite *mark = gimp_image_get_parasite (images[i], COPY_PARASITE);

      if (!mark)
        images[n++] = images[i];
      else
        gimp_parasite_free (mark);
    }
  if (images)
    images[n] = NULL;
  return images;
}

/* ---- region "image" and "selection" --------------------------------------------------------------------------- */

/* Whether the canvas, where it shows this layer alone, shows the layer's own pixels. */
static gboolean
fills_canvas (GimpImage *image, GimpItem *item)
{
  GimpLayer                       *layer = GIMP_LAYER (item);
  GimpDrawable                    *drawable = GIMP_DRAWABLE (item);
  g_autofree GimpDrawableFilter  **filters = NULL;
  gint                             x, y;

  if (gimp_item_is_group (item) || gimp_layer_get_mask (layer) || gimp_layer_get_mode (layer) != GIMP_LAYER_MODE_NORMAL || gimp_layer_get_opacity (layer) < 100 ||
      !gimp_drawable_get_offsets (drawable, &x, &y) || x != 0 || y != 0 || gimp_drawable_get_width (drawable) != gimp_image_get_width (image) ||
      gimp_drawable_get_height (drawable) != gimp_image_get_height (image))
    return FALSE;
  filters = gimp_drawable_get_filters (drawable);
  return !filters || !filters[0];
}

/* The layer that is all that the image shows without what Fovea made: a photo with labels on it. NULL: there is more, or less. */
static GimpLayer *
find_photo (GimpImage *image)
{
  g_autofree GimpItem **layers = items_in_image (image);
  GimpItem             *photo = NULL;

  for (guint i = 0; layers[i]; i++)
    if (gimp_item_get_visible (layers[i]) && !is_marked (layers[i]))
      {
        if (photo)
          return NULL;
        photo = layers[i];
      }
  return photo && fills_canvas (image, photo) ? GIMP_LAYER (photo) : NULL;
}

/* A copy of one layer costs a part of what a copy of all of them does, and of showing them together. */
static gboolean
open_photo (PixelReader *reader, GimpImage *image)
{
  GimpLayer *photo = find_photo (image);

  reader->visible = photo ? gimp_layer_copy (photo) : NULL;
  if (!reader->visible)
    return FALSE;
  reader->buffer = gimp_drawable_get_buffer (GIMP_DRAWABLE (reader->visible));
  reader->has_alpha = gimp_drawable_has_alpha (GIMP_DRAWABLE (reader->visible));
  return TRUE;
}

static gboolean
open_image (PixelReader *reader, GimpImage *image, GError **error)
{
  if (open_photo (reader, image))
    return TRUE;
  if (image_has_marked (image, FALSE))
    {
      reader->copy = duplicate (image);
      if (reader->copy)
        image_has_marked (reader->copy, TRUE);
      image = reader->copy;
    }
  if (image && open_visible (reader, image))
    return TRUE;
  g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_ARGUMENT, _("There is nothing to see in this image. Add a layer or make one visible."));
  return FALSE;
}

/* ---- region "layer" --------------------------------------------------------------------------------------------- */

/* Whether the layer, or anything in the group, is the user's own. */
static gboolean
is_users (GimpItem *item)
{
  g_autofree GimpItem **children = NULL;
  gboolean              found = FALSE;

  if (is_marked (item))
    return FALSE;
  if (!gimp_item_is_group (item))
    return TRUE;
  children = items_in_group (item);
  for (guint i = 0; children[i] && !found; i++)
    found = is_users (children[i]);
  return found || !children[0];
}

/* The chosen layers without those that Fovea made; a mask stands for its layer. */
static GPtrArray *
list_chosen (GimpDrawable **drawables, GError **error)
{
  g_autoptr (GPtrArray) chosen = g_ptr_array_new ();

  for (guint i = 0; drawables && drawables[i]; i++)
    {
      GimpItem *item = GIMP_ITEM (drawables[i]);

      if (gimp_item_is_layer_mask (item))
        item = GIMP_ITEM (gimp_layer_from_mask (GIMP_LAYER_MASK (item)));
      if (is_users (item) && !g_ptr_array_find (chosen, item, NULL))
        g_ptr_array_add (chosen, item);
    }
  if (chosen->len > 0)
    return g_steal_pointer (&chosen);
  if (drawables && drawables[0])
    g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_ARGUMENT, _("Only a layer that Fovea made is chosen. Choose a layer of the photo, or the whole image."));
  else
    g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_ARGUMENT, _("No layer is chosen. Choose one, or the whole image."));
  return NULL;
}

/* A layer without a mask, and a group with nothing of Fovea's in it, are their own pixels. So is a channel. */
static gboolean
is_plain (GimpItem *item, gboolean unmasked)
{
  g_autofree GimpItem **children = NULL;

  if (!gimp_item_is_layer (item))
    return TRUE;
  if (gimp_layer_get_mask (GIMP_LAYER (item)) && !unmasked)
    return FALSE;
  if (!gimp_item_is_group (item))
    return TRUE;
  children = items_in_group (item);
  return !find_marked (NULL, children, FALSE);
}

static void
extend (GeglRectangle *extent, GimpDrawable *drawable)
{
  GeglRectangle own = { 0, 0, gimp_drawable_get_width (drawable), gimp_drawable_get_height (drawable) };

  gimp_drawable_get_offsets (drawable, &own.x, &own.y);
  gegl_rectangle_bounding_box (extent, extent, &own);
}

/* Makes the copy show the chosen layers only: `items` and `copies` are the same part of the layer tree in the image and in its copy. TRUE where
 * something of it is shown; `extent` grows by that. */
static gboolean
show_chosen (GimpImage *copy, GimpItem **items, GimpItem **copies, GPtrArray *chosen, GeglRectangle *extent)
{
  gboolean any = FALSE;

  for (guint i = 0; items[i] && copies[i]; i++)
    {
      gboolean              show = g_ptr_array_find (chosen, items[i], NULL), is_group = gimp_item_is_group (items[i]);
      g_autofree GimpItem **children = is_group ? items_in_group (items[i]) : NULL;
      g_autofree GimpItem **copied_children = is_group ? items_in_group (copies[i]) : NULL;

      if (is_marked (items[i]))
        {
          gimp_image_remove_layer (copy, GIMP_LAYER (copies[i]));
          continue;
        }
      if (show)
        {
          if (is_group)
            find_marked (copy, copied_children, TRUE);
          extend (extent, GIMP_DRAWABLE (copies[i]));
          if (chosen->len == 1)
            {
              gimp_layer_set_mode (GIMP_LAYER (copies[i]), GIMP_LAYER_MODE_NORMAL);
              gimp_layer_set_opacity (GIMP_LAYER (copies[i]), 100);
            }
        }
      else if (is_group)
        show = show_chosen (copy, children, copied_children, chosen, extent);
      gimp_item_set_visible (copies[i], show);
      any |= show;
    }
  return any;
}

/* What the chosen layers show together, within the smallest rectangle that holds them, on the canvas or off it. */
static gboolean
open_together (PixelReader *reader, GimpImage *image, GPtrArray *chosen)
{
  g_autofree GimpItem **layers = items_in_image (image), **copies = NULL;
  GeglRectangle         extent = { 0, 0, 0, 0 };

  reader->copy = duplicate (image);
  if (!reader->copy)
    return FALSE;
  copies = items_in_image (reader->copy);
  if (!show_chosen (reader->copy, layers, copies, chosen, &extent) || extent.width < 1 || extent.height < 1)
    return FALSE;
  reader->offset_x = extent.x;
  reader->offset_y = extent.y;
  return gimp_image_resize (reader->copy, extent.width, extent.height, -extent.x, -extent.y) && open_visible (reader, reader->copy);
}

static gboolean
open_own (PixelReader *reader, GimpDrawable *layer)
{
  reader->own = layer;
  reader->buffer = gimp_drawable_get_buffer (layer);
  gimp_drawable_get_offsets (layer, &reader->offset_x, &reader->offset_y);
  reader->has_alpha = gimp_drawable_has_alpha (layer);
  return TRUE;
}

static gboolean
open_layers (PixelReader *reader, GimpImage *image, GimpDrawable **drawables, gboolean unmasked, GError **error)
{
  g_autoptr (GPtrArray) chosen = list_chosen (drawables, error);
  GimpDrawable         *first;

  if (!chosen)
    return FALSE;
  first = chosen->pdata[0];
  if (chosen->len > 1 || !is_plain (GIMP_ITEM (first), unmasked))
    {
      if (open_together (reader, image, chosen))
        return TRUE;
      g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_ARGUMENT, _("There is nothing to see there. Choose another part of the image."));
      return FALSE;
    }
  return open_own (reader, first);
}

static gboolean
open_region (PixelReader *reader, GimpImage *image, GimpDrawable **drawables, const char *region, GError **error)
{
  gboolean unmasked = g_strcmp0 (region, "layer-unmasked") == 0, is_own = g_strcmp0 (region, "own") == 0;

  if (!unmasked && !is_own && g_strcmp0 (region, "layer") != 0)
    return open_image (reader, image, error);
  for (guint i = 0; drawables && drawables[i]; i++)
    if (!pixels_check_layer (drawables[i], error))
      return FALSE;
  return is_own ? open_own (reader, drawables[0]) : open_layers (reader, image, drawables, unmasked, error);
}

/* ---- the reader ------------------------------------------------------------------------------------------------- */

/* GIMP ends a plug-in that asks for pixels of what is no more. */
gboolean
pixel_reader_check (const PixelReader *reader, GError **error)
{
  return pixels_check_image (reader->image, error) && (!reader->own || pixels_check_layer (reader->own, error));
}

/* Cuts the region down to the selection's bounds. */
static gboolean
cut_to_selection (PixelReader *reader, GimpImage *image, GError **error)
{
  gboolean non_empty;
  gint     x1, y1, x2, y2;

  if (!gimp_selection_bounds (image, &non_empty, &x1, &y1, &x2, &y2) || !non_empty)
    {
      g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_ARGUMENT, _("Nothing is selected. Select a part of the image, or choose the layer or the image."));
      return FALSE;
    }
  gegl_rectangle_intersect (&reader->region, &reader->region, GEGL_RECTANGLE (x1, y1, x2 - x1, y2 - y1));
  return TRUE;
}

/* GIMP gives its plug-ins a cache as large as its own, half of the machine's memory. */
static void
bound_cache (void)
{
  guint64 size;

  g_object_get (gegl_config (), "tile-cache-size", &size, NULL);
  if (size > MAX_CACHE)
    g_object_set (gegl_config (), "tile-cache-size", MAX_CACHE, NULL);
}

int
pixels_count_band_rows (int width)
{
  int tile = (int) gimp_tile_height ();

  return MAX (BAND_BYTES / 4 / MAX (width, 1) / tile, 1) * tile;
}

PixelReader *
pixel_reader_new (GimpImage *image, GimpDrawable **drawables, const char *region, GError **error)
{
  g_autoptr (PixelReader) reader = g_new0 (PixelReader, 1);

  bound_cache ();
  reader->image = image;
  if (!pixels_check_image (image, error) || !open_region (reader, image, drawables, region, error))
    return NULL;
  reader->region = *gegl_buffer_get_extent (reader->buffer);
  reader->space = colour_space_new (gegl_buffer_get_format (reader->buffer));
  if (g_strcmp0 (region, "selection") == 0 && !cut_to_selection (reader, image, error))
    return NULL;
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
  if (reader->visible && gimp_item_is_valid (GIMP_ITEM (reader->visible)))
    gimp_item_delete (GIMP_ITEM (reader->visible));
  if (reader->copy)
    gimp_image_delete (reader->copy);
  colour_space_free (reader->space);
  g_free (reader->own_space);
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
composite (PixelReader *reader, const guint8 *rgba, gsize n, guint8 *rgb)
{
  for (gsize i = 0; i < n; i++)
    {
      const guint8 *from = rgba + 4 * i;
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

/* A part of the buffer as 8-bit R'G'B' of sRGB, with alpha where it has some. */
static void
get_part (PixelReader *reader, const GeglRectangle *part, guint8 *pixels, gint row_stride)
{
  gboolean    has_alpha = reader->has_alpha;
  const Babl *format = reader->space ? colour_space_get_format (reader->space, has_alpha) : babl_format (has_alpha ? "R'G'B'A u8" : "R'G'B' u8");
  gsize       n_bytes = (gsize) part->width * (gsize) babl_format_get_bytes_per_pixel (format);

  if (!reader->space)
    {
      gegl_buffer_get (reader->buffer, part, 1.0, format, pixels, row_stride, has_alpha ? GEGL_ABYSS_NONE : GEGL_ABYSS_CLAMP);
      return;
    }
  reader->own_space = g_realloc (reader->own_space, n_bytes * (gsize) part->height);
  gegl_buffer_get (reader->buffer, part, 1.0, format, reader->own_space, GEGL_AUTO_ROWSTRIDE, has_alpha ? GEGL_ABYSS_NONE : GEGL_ABYSS_CLAMP);
  for (gint row = 0; row < part->height; row++)
    colour_space_convert (reader->space, reader->own_space + (gsize) row * n_bytes, (gsize) part->width, has_alpha, pixels + (gsize) row * (gsize) row_stride);
}

gboolean
pixel_reader_step (PixelReader *reader, double *progress, GError **error)
{
  gint width = reader->seen.width, rows = MIN (pixels_count_band_rows (width), reader->seen.height - reader->next_row);
  gsize n = (gsize) width * (gsize) rows;
  const GeglRectangle *band = GEGL_RECTANGLE (reader->seen.x, reader->seen.y + reader->next_row, width, rows);

  if (rows < 1)
    {
      pixel_reader_check_opaque (reader, error);
      return FALSE;
    }
  if (!pixel_reader_check (reader, error))
    return FALSE;
  reader->rgb = g_realloc (reader->rgb, n * 3);
  if (reader->has_alpha)
    {
      reader->rgba = g_realloc (reader->rgba, n * 4);
      get_part (reader, band, reader->rgba, 4 * width);
      composite (reader, reader->rgba, n, reader->rgb);
    }
  else
    get_part (reader, band, reader->rgb, 3 * width);
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

  if (!pixel_reader_check (reader, error))
    return FALSE;
  if (!reader->has_alpha)
    {
      get_part (reader, part, rgb, (gint) row_stride);
      return TRUE;
    }
  reader->rgba = g_realloc (reader->rgba, (gsize) width * (gsize) height * 4);
  get_part (reader, part, reader->rgba, 4 * width);
  for (int row = 0; row < height; row++)
    composite (reader, reader->rgba + (gsize) row * (gsize) width * 4, (gsize) width, rgb + (gsize) row * row_stride);
  return TRUE;
}
