/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * label-watch.h: notices what is painted on label layers without reading them: GIMP makes thumbnails from reduced copies of layers that it keeps up to date for
 * itself, so that comparing these takes some milliseconds where reading the layers takes tenths of a second. On the main thread.
 */
#pragma once

#include "label-layers.h"

typedef struct _LabelWatch LabelWatch;

LabelWatch *label_watch_new  (void);
void        label_watch_free (LabelWatch *watch);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LabelWatch, label_watch_free)

/* FALSE: nothing is other than at the last call. TRUE: *area gets the part of the canvas in which it is, somewhat too large rather than too small: the whole canvas
 * at the first call and where layers or classes came, went, moved or got other names. Of palettes' colours a single pixel may be overlooked. */
gboolean    label_watch_look (LabelWatch *watch, const LabelLayers *labels, GeglRectangle *area);
