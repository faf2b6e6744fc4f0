/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * box-view.h: a photo (photo-view.h) with boxes and names on it. Pointing at a box says its name and score; a click selects it.
 */
#pragma once

#include <gtk/gtk.h>

#include "fovea.h"
#include "photo-view.h"

/* `selected` is called with the object's number, or -1, when the user clicks. */
GtkWidget *box_view_new         (void (*selected) (gint object, gpointer user_data), gpointer user_data);

/* The objects in the photo's pixels, borrowed until others are set (NULL: none). `ticked` (a byte each, borrowed; NULL: all): those that are left out are drawn
 * faintly. */
void       box_view_set_objects (GtkWidget *view, const FoveaObjects *objects, const guint8 *ticked);

/* Marks an object; -1: none. */
void       box_view_select      (GtkWidget *view, gint object);
