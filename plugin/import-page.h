/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * import-page.h: the second page of Filters ▸ Fovea ▸ Models…: a model file becomes one of the user's models, with settings that are guessed, shown with where
 * each came from, and may be corrected.
 */
#pragma once

#include <libgimp/gimp.h>
#include <libgimp/gimpui.h>

typedef struct _ImportPage ImportPage;

/* `imported` is called with the name of each model that was imported. The config's setting “file” is the page's: where it names a file, that is opened. */
ImportPage *import_page_new        (GimpProcedureConfig *config, GtkWindow *window, void (*imported) (const char *name, gpointer user_data), gpointer user_data);

/* Before the window goes: waits for what is under way. */
void        import_page_free       (ImportPage *page);

GtkWidget  *import_page_get_widget (const ImportPage *page);
