/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * confusion-view.h: a confusion matrix as a picture: a row for what each class is, a column for what was said, the darker the more of the row. Pointing at a field
 * says it in words.
 */
#pragma once

#include <gtk/gtk.h>

#include "confusion.h"

GtkWidget *confusion_view_new (void);

/* Copied; NULL: there is none, and the widget hides. */
void       confusion_view_set (GtkWidget *view, const Confusion *confusion);
