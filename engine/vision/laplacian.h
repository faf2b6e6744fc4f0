/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * laplacian.h: the matting Laplacian L of a picture, which is never written down: a product with it is what is left after the best linear function of the colours in
 * each window of 3 × 3 pixels (Levin, Lischinski & Weiss 2008; He, Sun & Tang 2010).
 */
#pragma once

#include <glib.h>

typedef struct _Laplacian Laplacian;

/* Places of pixels side by side in a row: first … end - 1. */
typedef struct
{
  gsize first, end;
} Run;

/* rgb: (height, width, 3), whose outermost pixels are a frame that no window has; band: (height, width): not 0 where products are wanted, never in the frame. NULL with
 * FOVEA_ERROR_MEMORY. */
Laplacian *laplacian_new  (const guint8 *rgb, const guint8 *band, int width, int height, GError **error);
void       laplacian_free (Laplacian *laplacian);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Laplacian, laplacian_free)

/* The band, row by row. */
const Run *laplacian_get_band (const Laplacian *laplacian, guint *n);

/* out = L p in the band; p: (height, width). Uses the Laplacian's own scratch: one thread at a time. */
void       laplacian_apply    (Laplacian *laplacian, const float *p, float *out);

/* out = the diagonal of L in the band; what it has elsewhere means nothing. */
void       laplacian_diagonal (const Laplacian *laplacian, float *out);
