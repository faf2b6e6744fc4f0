/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * photo-copy.h: a region of an image as a picture that is written to a file. On the main thread.
 */
#pragma once

#include <gdk-pixbuf/gdk-pixbuf.h>

#include "pixels.h"

/* most_side: pixels of the longer side; a larger region is made smaller; 0: it isn't. NULL with an error in words. */
GdkPixbuf *photo_copy_read (PixelReader *reader, int most_side, GError **error);
