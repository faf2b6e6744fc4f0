/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * smaller.h: a small copy of a photo for the screen, made as the rows of the photo come: means of squares of pixels, which cost next to nothing.
 */
#pragma once

#include <gdk-pixbuf/gdk-pixbuf.h>

typedef struct _Smaller Smaller;

/* At most `side` pixels along the longer side and more than half as many; more of a photo of more than 256 times as many. NULL where the photo has no more than
 * that already, or memory is short. */
Smaller   *smaller_new  (int width, int height, int side);
void       smaller_free (Smaller *smaller);

/* The next rows of the photo, top to bottom. */
void       smaller_push (Smaller *smaller, const guint8 *rgb /* (n_rows, width, 3) */, int n_rows);

/* When all rows have been pushed. Borrowed. */
GdkPixbuf *smaller_get  (const Smaller *smaller);
