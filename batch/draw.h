/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * draw.h: frames and names on a copy of a photo.
 */
#pragma once

#include <gdk-pixbuf/gdk-pixbuf.h>

#include "fovea.h"

/* A copy of the photo with a frame and a name for each object. NULL with FOVEA_ERROR_MEMORY. */
GdkPixbuf *draw_objects (const GdkPixbuf *photo, const FoveaObjects *objects, GError **error);
