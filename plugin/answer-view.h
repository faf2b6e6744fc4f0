/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * answer-view.h: a photo with what a model says of it (model-answer.h): its boxes, its mask in colour, or names with bars beside it.
 */
#pragma once

#include <gtk/gtk.h>

#include "model-answer.h"

/* At least so large. */
GtkWidget *answer_view_new       (int width, int height);

/* As photo_view_set_photo has it. */
void       answer_view_set_photo (GtkWidget *view, GdkPixbuf *photo, GdkPixbuf *small);

/* Borrowed until another is set; NULL: none. */
void       answer_view_set       (GtkWidget *view, const ModelAnswer *answer);
