/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * plane.h: planes of floats, (height, width, fields): sampling between pixels, means and extremes of windows. Cost doesn't depend on the windows' size.
 */
#pragma once

#include <glib.h>

/* Between the pixels; x, y 0 to 1 of the plane. out: (fields). */
void plane_sample (const float *plane, int width, int height, int fields, double x, double y, float *out);

/* Means over (2 radius + 1)² windows, cut off at the border, in place. scratch: as large as the plane. */
void plane_mean   (float *plane, int width, int height, int fields, int radius, float *scratch);

/* The greatest of each (2 radius + 1)² window of a plane of one field, radius below 0: the least; in place. FALSE with FOVEA_ERROR_MEMORY. */
gboolean plane_spread (float *plane, int width, int height, int radius, GError **error);
