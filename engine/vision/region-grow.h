/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * region-grow.h: a first guess of the even region that some pixels lie in, as sky, water or a lawn, of colours alone: what can be reached from them without a step in
 * colour, and where the steps begin is the photo's own matter.
 */
#pragma once

#include <glib.h>

enum { REGION_FREE, REGION_OUTSIDE, REGION_INSIDE };

/* rgb: (height, width, 3). known: (height, width), of which at least one is REGION_INSIDE; REGION_OUTSIDE are in other regions. guess: (height, width), 1 or 0. FALSE with
 * FOVEA_ERROR_MEMORY. */
gboolean region_grow (const guint8 *rgb, int width, int height, const guint8 *known, float *guess, GError **error);
