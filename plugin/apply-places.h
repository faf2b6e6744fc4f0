/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * apply-places.h: where a model that was just trained is used at once: this image, all open ones, a folder; and its export as a plain file. For the pages of the
 * Train window.
 */
#pragma once

#include <libgimp/gimp.h>
#include <libgimp/gimpui.h>

#include "fovea.h"

/* The choice of the place; “This image” at first. */
GtkWidget *apply_places_new (void);

/* TRUE: the open image alone is meant. */
gboolean   apply_places_is_one (GtkWidget *places);

/* Uses the model there; for a folder the Batch window opens, and returns when that is closed. What came of it, in words; NULL with an error. Free with g_free. */
char      *apply_places_run (GtkWidget *places, GimpProcedureConfig *config, GimpImage *image, const char *model, FoveaTask task, GError **error);

/* Asks for a file and writes the model there for other programs. What came of it, in words; NULL with an error, or without one where nobody wants it. */
char      *apply_places_export (GtkWindow *parent, const char *model, GError **error);
