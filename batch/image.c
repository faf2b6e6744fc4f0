/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * image.c: photos from files, through GdkPixbuf: JPEG, PNG, TIFF, GIF and more; WebP with the package webp-pixbuf-loader. Deeper samples come as
 * 8 bits, gray as RGB; of animations the first picture is taken. Colour profiles are not applied.
 */

#include "image.h"

#include <glib/gi18n.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>

#include "photo-check.h"

#define CHUNK_BYTES 65536

static gboolean
copy_standard_input (FILE *to)
{
  g_autofree guint8 *chunk = g_malloc (CHUNK_BYTES);
  gsize              n;

  while ((n = fread (chunk, 1, CHUNK_BYTES, stdin)) > 0)
    if (fwrite (chunk, 1, n, to) != n)
      return FALSE;
  return !ferror (stdin) && fflush (to) == 0;
}

/* *is_large: see image_load_small; NULL: large ones are loaded, too. */
static GdkPixbuf *
load_file (const char *path, gboolean *is_large, GError **error)
{
  guint64 n_pixels;

  if (!photo_check_size (path, &n_pixels, error))
    return NULL;
  if (is_large && (*is_large = n_pixels > PHOTO_LARGE_PIXELS))
    return NULL;
  return photo_check_end (path, error) ? gdk_pixbuf_new_from_file (path, error) : NULL;
}

/* By way of a file: what GdkPixbuf reads piece by piece it takes for whole, also when the end is missing. */
static GdkPixbuf *
load_standard_input (GError **error)
{
  g_autofree char *path = NULL;
  int              descriptor = g_file_open_tmp ("fovea-XXXXXX", &path, error);
  FILE            *file = descriptor < 0 ? NULL : fdopen (descriptor, "wb");
  GdkPixbuf       *photo = NULL;

  if (!file)
    return NULL;
  if (copy_standard_input (file))
    photo = load_file (path, NULL, error);
  else
    g_set_error_literal (error, FOVEA_ERROR, FOVEA_ERROR_FILE, _("it ends in an error, or there is no room for a temporary file."));
  fclose (file);
  g_unlink (path);
  return photo;
}

static GdkPixbuf *
load (const char *file, gboolean *is_large, GError **error)
{
  gboolean              from_standard_input = strcmp (file, "-") == 0;
  g_autofree char      *name = from_standard_input ? g_strdup ("standard input") : g_filename_display_name (file);
  g_autoptr (GError)    local = NULL;
  g_autoptr (GdkPixbuf) photo = from_standard_input ? load_standard_input (&local) : load_file (file, is_large, &local);
  GdkPixbuf            *upright = photo ? gdk_pixbuf_apply_embedded_orientation (photo) : NULL;

  if (local)
    g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_FILE, _("“%s” can't be read as a photo: %s"), name, local->message);
  else if (photo && !upright)
    g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_MEMORY, _("Not enough memory to turn “%s” upright. Save it smaller."), name);
  return upright;
}

GdkPixbuf *
image_load (const char *file, GError **error)
{
  return load (file, NULL, error);
}

GdkPixbuf *
image_load_small (const char *file, gboolean *is_large, GError **error)
{
  *is_large = FALSE;
  return load (file, is_large, error);
}

/* One row over white. */
static void
flatten_row (const guint8 *rgba, guint8 *rgb, int width)
{
  for (int x = 0; x < width; x++, rgba += 4, rgb += 3)
    for (int c = 0; c < 3; c++)
      rgb[c] = (guint8) ((rgba[c] * rgba[3] + 255 * (255 - rgba[3]) + 127) / 255);
}

void
image_push (const GdkPixbuf *photo, FoveaInput *input)
{
  gsize         stride = gdk_pixbuf_get_rowstride (photo);
  int           n_channels = gdk_pixbuf_get_n_channels (photo), x, y, width, height;
  const guint8 *pixels = gdk_pixbuf_read_pixels (photo);
  g_autofree guint8 *row = NULL;

  fovea_input_get_region (input, &x, &y, &width, &height);
  pixels += y * stride + (gsize) x * n_channels;
  if (!gdk_pixbuf_get_has_alpha (photo))
    {
      fovea_input_push (input, pixels, stride, height);
      return;
    }
  row = g_new (guint8, (gsize) width * 3);
  for (int i = 0; i < height; i++, pixels += stride)
    {
      flatten_row (pixels, row, width);
      fovea_input_push (input, row, 0, 1);
    }
}

gboolean
image_read (gpointer photo, int x, int y, int width, int height, guint8 *rgb, gsize row_stride, GError **error)
{
  gsize         stride = gdk_pixbuf_get_rowstride (photo);
  int           n_channels = gdk_pixbuf_get_n_channels (photo);
  const guint8 *pixels = gdk_pixbuf_read_pixels (photo) + y * stride + (gsize) x * n_channels;

  for (int i = 0; i < height; i++, pixels += stride, rgb += row_stride)
    if (gdk_pixbuf_get_has_alpha (photo))
      flatten_row (pixels, rgb, width);
    else
      memcpy (rgb, pixels, (gsize) width * 3);
  return TRUE;
}

guint8 *
image_read_file (const char *file, int channels, int *width, int *height, gpointer user_data, GError **error)
{
  g_autoptr (GdkPixbuf) photo = image_load (file, error);
  guint8               *pixels, *rgb;
  gsize                 n;

  if (!photo)
    return NULL;
  *width = gdk_pixbuf_get_width (photo);
  *height = gdk_pixbuf_get_height (photo);
  n = (gsize) *width * (gsize) *height;
  pixels = rgb = g_try_malloc_n (n, 3);
  if (!pixels)
    {
      g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_MEMORY, _("Not enough memory for “%s”."), file);
      return NULL;
    }
  image_read (photo, 0, 0, *width, *height, rgb, (gsize) *width * 3, NULL);
  for (gsize i = 0; channels == 1 && i < n; i++)
    pixels[i] = rgb[3 * i];
  return pixels;
}
