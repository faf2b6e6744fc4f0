/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * image.h: photos from files, for the verbs.
 */
#pragma once

#include <gdk-pixbuf/gdk-pixbuf.h>

#include "fovea.h"

/* Reads a photo in any format that GdkPixbuf knows, turned upright as its EXIF orientation says. "-" is standard input. NULL with
 * FOVEA_ERROR_FILE that names the file. */
GdkPixbuf *image_load (const char *file, GError **error);

/* Gives the photo to a network's input; what is transparent is white. */
void       image_push (const GdkPixbuf *photo, FoveaInput *input);

/* A FoveaReadPixels for a GdkPixbuf; transparent parts count as white. */
gboolean   image_read (gpointer photo, int x, int y, int width, int height, guint8 *rgb, gsize row_stride, GError **error);

/* A FoveaReadFile: decodes a photo, or with 1 channel a mask. */
guint8    *image_read_file (const char *file, int channels, int *width, int *height, gpointer user_data, GError **error);
