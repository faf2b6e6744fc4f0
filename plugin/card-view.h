/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * card-view.h: a model's card as people read it: paragraphs that fit the window, headings that stand out. Only the little of Markdown that cards use is understood;
 * nothing in a card is ever taken as markup of the toolkit.
 */
#pragma once

#include <gtk/gtk.h>

/* A GtkTextView. */
GtkWidget *card_view_new      (void);

void       card_view_set_text (GtkWidget *view, const char *text);
