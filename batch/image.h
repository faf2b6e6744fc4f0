/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * image.h: photos from files, for the verbs.
 */
#pragma once

#include <gdk-pixbuf/gdk-pixbuf.h>

#include "fovea.h"

/* Reads a photo in any format that GdkPixbuf knows, turned upright as its EXIF orientation says. "-" is standard input. NULL with
 * FOVEA_ERROR_FILE that names the file: it is no photo, is cut off, or has more pixels than there is room for. */
GdkPixbuf *image_load (const char *file, GError **error);

/* The same, but of a photo that is large (see photo-check.h) nothing is decoded: NULL without an error, and *is_large is TRUE. */
GdkPixbuf *image_load_small (const char *file, gboolean *is_large, GError **error);

/* Gives the photo to a network's input; what is transparent is white. */
void       image_push (const GdkPixbuf *photo, FoveaInput *input);

/* A FoveaReadPixels for a GdkPixbuf; transparent parts count as white. */
gboolean   image_read (gpointer photo, int x, int y, int width, int height, guint8 *rgb, gsize row_stride, GError **error);

/* A FoveaReadFile: decodes a photo, or with 1 channel a mask. */
guint8    *image_read_file (const char *file, int channels, int *width, int *height, gpointer user_data, GError **error);
