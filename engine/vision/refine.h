/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * refine.h: a mask of a few hundred pixels brought to the photo's own edges: within a band around its border it becomes a linear function of the photo's colours,
 * different from place to place (guided filter: He, Sun & Tang 2013; computed small and applied large: He & Sun 2015, arXiv:1505.00996). Only means and sums:
 * nothing that would eat hair.
 */
#pragma once

#include <glib.h>

typedef struct _Refinement Refinement;

/* The mask (mask_height, mask_width) lies over the whole guide, a smaller copy of the photo. radius: of the windows, in pixels of the guide; 0: of the mask's pixels'
 * size. n_threads 0: one per processor. NULL with FOVEA_ERROR_MEMORY. */
Refinement *refinement_new  (const guint8 *guide /* (height, width, 3) */, int width, int height, const float *mask, int mask_width, int mask_height, int radius,
                             guint n_threads, GError **error);
void        refinement_free (Refinement *refinement);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Refinement, refinement_free)

/* The mask of `n` pixels of a photo's row, whose first centre lies at (x, y), 0 to 1 of the photo, and whose centres are `step` apart. */
void        refinement_apply (const Refinement *refinement, double x, double y, double step, const guint8 *rgb /* (n, 3) */, gsize n, float *out);

/* The mask of the guide's own pixels. out: (height, width). */
void        refinement_fill  (const Refinement *refinement, const guint8 *guide, float *out);
