/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * jpeg-loss.h: what storing a photo as JPEG does to its pixels (ITU-T T.81), without making a file: colours at half the size, blocks of 8 x 8 as cosine waves, each
 * wave's strength in whole steps. All that comes after that loses nothing.
 */
#pragma once

#include <glib.h>

/* In place. quality: 1 to 100, as libjpeg counts. */
void jpeg_loss (guint8 *rgb /* (size, size, 3) */, int size, int quality);
