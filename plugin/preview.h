/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * preview.h: the two pictures of the Classify dialog: what the network sees, and names with bars.
 */
#pragma once

#include <gtk/gtk.h>

#include "fovea.h"

/* Draws pixels (8-bit RGB, kept by the widget as a copy) as large as fits, or nothing where there are none. */
GtkWidget *preview_new        (void);
void       preview_set_pixels (GtkWidget *preview, const guint8 *rgb, int width, int height);
void       preview_clear      (GtkWidget *preview);

/* Draws the best `top` classes whose score is at least `threshold`; the accessible description says the same in words. A message
 * may stand there instead. */
GtkWidget *bars_new           (void);
void       bars_set_classes   (GtkWidget *bars, const FoveaClasses *classes, int top, double threshold);
void       bars_set_message   (GtkWidget *bars, const char *message);
