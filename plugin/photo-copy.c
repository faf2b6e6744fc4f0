/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * photo-copy.c: see photo-copy.h.
 */

#include "photo-copy.h"

#include <glib/gi18n.h>

#define BAND_ROWS 256

GdkPixbuf *
photo_copy_read (PixelReader *reader, int most_side, GError **error)
{
  g_autoptr (GdkPixbuf) photo = NULL;
  int                   width, height;
  double                share;

  pixel_reader_get_size (reader, &width, &height);
  photo = gdk_pixbuf_new (GDK_COLORSPACE_RGB, FALSE, 8, width, height);
  if (!photo)
    {
      g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_MEMORY, _("There isn't memory enough for a copy of the photo. Make the image smaller."));
      return NULL;
    }
  for (int y = 0; y < height; y += BAND_ROWS)
    {
      gsize stride = (gsize) gdk_pixbuf_get_rowstride (photo);

      if (!pixel_reader_read (reader, 0, y, width, MIN (BAND_ROWS, height - y), gdk_pixbuf_get_pixels (photo) + (gsize) y * stride, stride, error))
        return NULL;
    }
  if (!pixel_reader_check_opaque (reader, error))
    return NULL;
  share = most_side > 0 ? (double) most_side / MAX (width, height) : 1;
  return share >= 1 ? g_steal_pointer (&photo)
                    : gdk_pixbuf_scale_simple (photo, MAX ((int) (width * share + 0.5), 1), MAX ((int) (height * share + 0.5), 1), GDK_INTERP_BILINEAR);
}
