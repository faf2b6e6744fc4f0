/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * model-list.h: the first page of Filters ▸ Fovea ▸ Models…: the installed models, what may be done with them, the card and the layers of the chosen one.
 */
#pragma once

#include <gtk/gtk.h>

typedef struct _ModelList ModelList;

/* `window` is what questions stand before. */
ModelList *model_list_new        (GtkWindow *window);

/* After the window is gone. Models that were deleted go for good. */
void       model_list_free       (ModelList *list);

GtkWidget *model_list_get_widget (const ModelList *list);

/* Reads the folders anew, in a worker; chooses the model of that name (NULL: the one that is chosen). */
void       model_list_reload     (ModelList *list, const char *name);
