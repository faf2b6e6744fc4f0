/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * catalogue-page.h: the third page of Filters ▸ Fovea ▸ Models…: well-known public files that the engine runs, to be fetched by who wants them. Nothing goes over
 * the network until the user says so.
 */
#pragma once

#include <gtk/gtk.h>

typedef struct _CataloguePage CataloguePage;

/* `fetched` is called with the name of each model that has come. */
CataloguePage *catalogue_page_new        (void (*fetched) (const char *name, gpointer user_data), gpointer user_data);

/* Before the window goes: stops what is under way, and waits for it. */
void           catalogue_page_free       (CataloguePage *page);

GtkWidget     *catalogue_page_get_widget (const CataloguePage *page);

/* Looks which of its models are here now. */
void           catalogue_page_update     (CataloguePage *page);
