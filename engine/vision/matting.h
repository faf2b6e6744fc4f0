/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * matting.h: hair and fur: within a band around a mask's border each pixel gets its share of the foreground, such that in every 3 × 3 window the shares are a linear
 * function of the colours (closed-form matting: Levin, Lischinski & Weiss 2008).
 */
#pragma once

#include "fovea.h"

/* mask: (height, width), 0 to 1, changed in place within `radius` pixels of where it passes one half; beyond that it counts as right. Takes a good part of a second
 * for a photo's guide. FALSE with FOVEA_ERROR_MEMORY, or cancelled, soon after it is asked for: then the mask is half done. cancellable, progress may be NULL. */
gboolean matting_solve (const guint8 *guide /* (height, width, 3) */, int width, int height, float *mask, int radius, GCancellable *cancellable,
                        FoveaProgress progress, gpointer user_data, GError **error);
