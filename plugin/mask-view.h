/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * mask-view.h: a photo (photo-view.h) with a mask: as gray, in colour over the photo, as what is cut out, or as an outline. Each point of the screen is asked of
 * the mask, so that zooming in shows the mask of the photo's own pixels.
 */
#pragma once

#include <gtk/gtk.h>

#include "fovea.h"
#include "photo-view.h"

typedef enum { MASK_VIEW_MASK, MASK_VIEW_PHOTO, MASK_VIEW_CUT_OUT, MASK_VIEW_OUTLINE } MaskViewKind;

/* clicked (may be NULL): called with the place of a click, in the photo's pixels; outside: with Ctrl held. */
GtkWidget *mask_view_new      (void (*clicked) (double x, double y, gboolean outside, gpointer user_data), gpointer user_data);

void       mask_view_set_kind (GtkWidget *view, MaskViewKind kind);

/* Points that are drawn over the photo, copied. */
void       mask_view_set_points (GtkWidget *view, const FoveaPromptPoint *points, gsize n);

/* The mask of the photo that is shown, borrowed until another is set; NULL: none. To be called again when its options have changed. */
void       mask_view_set_mask (GtkWidget *view, FoveaMask *mask);
