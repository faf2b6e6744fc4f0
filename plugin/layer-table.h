/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * layer-table.h: a model's layers as a table that can be sorted, with a sentence on what the chosen one does, for people who learn.
 */
#pragma once

#include <gtk/gtk.h>

GtkWidget *layer_table_new  (void);

/* Shows the layers of an installed model, or of a file; NULL: none. They are read in a worker: the table follows in a moment. */
void       layer_table_show (GtkWidget *table, const char *model);

/* A number with separators as the locale has them: 1,234,567. Free with g_free. */
char      *layer_table_print_count (guint64 count);
