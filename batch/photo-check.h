/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * photo-check.h: what is looked at in a photo's file before it is decoded: files are data from strangers.
 */
#pragma once

#include <glib.h>

#define PHOTO_LARGE_PIXELS (64 << 20) /* photos of more are decoded one at a time; no usual camera makes such */

/* How many pixels its head says it has, of a GIF its canvas or its largest picture; 0: that can't be told. FALSE with FOVEA_ERROR_FILE where it has more than this
 * machine can keep, as a few bytes can say of themselves; nothing of that size is allocated. */
gboolean photo_check_size (const char *path, guint64 *n_pixels, GError **error);

/* FALSE with FOVEA_ERROR_FILE for a JPEG file that stops before its last pixel; its end marker may be missing. GdkPixbuf shows what is there and gray below it, without
 * a word; of other formats it says so itself. */
gboolean photo_check_end  (const char *path, GError **error);
