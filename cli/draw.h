/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * draw.h: frames and names on a copy of a photo.
 */
#pragma once

#include <gdk-pixbuf/gdk-pixbuf.h>

#include "fovea.h"

/* A copy of the photo with a frame and a name for each object. NULL with FOVEA_ERROR_MEMORY. */
GdkPixbuf *draw_objects (const GdkPixbuf *photo, const FoveaObjects *objects, GError **error);

/* Writes a PNG named after `file` into `folder`, which is made where it is missing; *path gets where it lies, to be freed with g_free. A file of that name that
 * an earlier photo of `taken` (a set of paths) has got stays: the next gets a number. */
gboolean   draw_save    (GdkPixbuf *picture, const char *folder, const char *file, GHashTable *taken, char **path, GError **error);
