/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * pictures.c: see pictures.h.
 */

#include "pictures.h"

#include <cairo.h>
#include <glib/gi18n.h>
#include <string.h>

#include "draw.h"
#include "image.h"
#include "output-file.h"

#define TINT 0.55f /* of a full mask's colour */

static GdkPixbuf *
make_picture (gboolean alpha, const FoveaPhoto *photo, GError **error)
{
  GdkPixbuf *picture = gdk_pixbuf_new (GDK_COLORSPACE_RGB, alpha, 8, photo->width, photo->height);

  if (!picture)
    g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_MEMORY, _("Not enough memory for a picture of %d×%d pixels. Scale the photo down."), photo->width, photo->height);
  return picture;
}

/* n_channels times the same. */
static gboolean
read_mask (FoveaMask *mask, const FoveaPhoto *photo, guint8 *pixels, gsize stride, gsize n_channels, GError **error)
{
  g_autofree float *row = g_new (float, photo->width);

  for (int y = 0; y < photo->height; y++, pixels += stride)
    {
      if (!fovea_mask_read (mask, photo, 0, y, photo->width, 1, row, error))
        return FALSE;
      for (int x = 0; x < photo->width; x++)
        memset (pixels + n_channels * (gsize) x, (int) (row[x] * 255.0f + 0.5f), n_channels);
    }
  return TRUE;
}

static GdkPixbuf *
make_cutout_picture (FoveaMask *mask, const FoveaPhoto *photo, GError **error)
{
  GdkPixbuf         *picture = make_picture (TRUE, photo, error);
  g_autofree float  *row = g_new (float, (gsize) photo->width * 4);

  for (int y = 0; picture && y < photo->height; y++)
    {
      guint8 *to = gdk_pixbuf_get_pixels (picture) + (gsize) y * (gsize) gdk_pixbuf_get_rowstride (picture);

      if (!fovea_mask_read_cutout (mask, photo, 0, y, photo->width, 1, row, error))
        g_clear_object (&picture);
      for (int i = 0; picture && i < 4 * photo->width; i++)
        to[i] = (guint8) (row[i] * 255.0f + 0.5f);
    }
  return picture;
}

/* Where the picture is smaller than the photo, of each of its pixels one of the photo's is asked. */
static gboolean
tint (GdkPixbuf *picture, FoveaMask *mask, gsize class, const FoveaPhoto *photo, GError **error)
{
  int               n = gdk_pixbuf_get_n_channels (picture), width = gdk_pixbuf_get_width (picture), height = gdk_pixbuf_get_height (picture);
  g_autofree float *row = g_new (float, photo->width);
  guint8            colour[3];

  fovea_get_class_colour (class, colour);
  for (int y = 0; y < height; y++)
    {
      guint8 *to = gdk_pixbuf_get_pixels (picture) + (gsize) y * (gsize) gdk_pixbuf_get_rowstride (picture);

      if (!fovea_mask_read (mask, photo, 0, (int) ((gint64) y * photo->height / height), photo->width, 1, row, error))
        return FALSE;
      for (int x = 0; x < width; x++)
        for (int c = 0; c < 3; c++)
          to[n * x + c] = (guint8) (to[n * x + c] + TINT * row[(gint64) x * photo->width / width] * (colour[c] - to[n * x + c]) + 0.5f);
    }
  return TRUE;
}

static FoveaPhoto
view (GdkPixbuf *photo)
{
  return (FoveaPhoto) { gdk_pixbuf_get_width (photo), gdk_pixbuf_get_height (photo), image_read, photo };
}

gboolean
pictures_tint (GdkPixbuf *picture, GdkPixbuf *photo, const Finding *finding, GError **error)
{
  FoveaPhoto pixels = view (photo);

  for (gsize i = 0; i < finding->n; i++)
    if (!tint (picture, finding->mask[i], fovea_masks_get_class (finding->masks, finding->which[i]), &pixels, error))
      return FALSE;
  return TRUE;
}

/* Takes the picture, which may be NULL: then *error is set. */
static gboolean
save (GdkPixbuf *picture, const char *folder, const char *name, char **path, GError **error)
{
  g_autofree char *file = g_strconcat (name, ".png", NULL);
  gboolean         ok;

  *path = g_build_filename (folder, file, NULL);
  ok = picture && output_file_write_png (*path, picture, error);
  if (!ok)
    g_clear_pointer (path, g_free);
  g_clear_object (&picture);
  return ok;
}

static gboolean
save_gray (FoveaMask *mask, const FoveaPhoto *photo, const char *path, GError **error)
{
  int                stride = cairo_format_stride_for_width (CAIRO_FORMAT_A8, photo->width);
  g_autofree guint8 *gray = g_try_malloc0_n ((gsize) photo->height, (gsize) stride);

  if (gray)
    return read_mask (mask, photo, gray, (gsize) stride, 1, error) && output_file_write_gray (path, gray, photo->width, photo->height, stride, error);
  g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_MEMORY, _("Not enough memory for a mask of %d×%d pixels. Scale the photo down."), photo->width, photo->height);
  return FALSE;
}

/* Gray, but for photos so large that only coloured pictures can be. */
static gboolean
save_mask (FoveaMask *mask, const FoveaPhoto *photo, const char *folder, const char *name, char **path, GError **error)
{
  g_autofree char *file = g_strconcat (name, ".png", NULL);
  GdkPixbuf       *picture;

  if (MAX (photo->width, photo->height) > OUTPUT_GRAY_SIDE)
    {
      picture = make_picture (FALSE, photo, error);
      if (picture && !read_mask (mask, photo, gdk_pixbuf_get_pixels (picture), (gsize) gdk_pixbuf_get_rowstride (picture), 3, error))
        g_clear_object (&picture);
      return save (picture, folder, name, path, error);
    }
  *path = g_build_filename (folder, file, NULL);
  if (save_gray (mask, photo, *path, error))
    return TRUE;
  g_clear_pointer (path, g_free);
  return FALSE;
}

/* Labels are words of strangers: nothing in them may end up as a path, and they may be long. */
static char *
name_mask (const char *name, const Finding *finding, gsize i)
{
  g_autofree char *label = g_strdup (fovea_masks_get_label (finding->masks, finding->which[i]));
  g_autofree char *number = NULL;

  if (fovea_masks_count (finding->masks) == 1)
    return g_strdup (name);
  for (char *at = label; *at; at++)
    if ((guchar) *at < ' ' || *at == 127 || strchr ("/\\:*?\"<>|", *at))
      *at = '_';
  if (g_utf8_strlen (label, -1) > 60)
    *g_utf8_offset_to_pointer (label, 60) = '\0';
  for (gsize k = 0; k < finding->n && !number; k++)
    if (k != i && g_strcmp0 (fovea_masks_get_label (finding->masks, finding->which[k]), fovea_masks_get_label (finding->masks, finding->which[i])) == 0)
      number = g_strdup_printf ("-%" G_GSIZE_FORMAT, finding->which[i]);
  return g_strdup_printf ("%s.%s%s", name, label, number ? number : "");
}

gboolean
pictures_write (const PictureFolders *folders, const char *name, GdkPixbuf *photo, Finding *finding, GError **error)
{
  FoveaPhoto pixels = view (photo);

  for (gsize i = 0; i < finding->n; i++)
    {
      g_autofree char *own_name = name_mask (name, finding, i);

      if (folders->masks && !save_mask (finding->mask[i], &pixels, folders->masks, own_name, &finding->mask_files[i], error))
        return FALSE;
      if (folders->cutouts && !save (make_cutout_picture (finding->mask[i], &pixels, error), folders->cutouts, own_name, &finding->cutout_files[i], error))
        return FALSE;
    }
  if (folders->drawn && finding->objects)
    return save (draw_objects (photo, finding->objects, error), folders->drawn, name, &finding->picture, error);
  if (folders->drawn && finding->masks)
    {
      g_autoptr (GdkPixbuf) copy = gdk_pixbuf_copy (photo);

      return copy && pictures_tint (copy, photo, finding, error) && save (g_steal_pointer (&copy), folders->drawn, name, &finding->picture, error);
    }
  return TRUE;
}
