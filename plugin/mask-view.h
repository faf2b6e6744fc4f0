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

GtkWidget *mask_view_new      (void);

void       mask_view_set_kind (GtkWidget *view, MaskViewKind kind);

/* The mask of the photo that is shown, borrowed until another is set; NULL: none. To be called again when its options have changed. */
void       mask_view_set_mask (GtkWidget *view, FoveaMask *mask);
