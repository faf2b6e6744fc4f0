/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * form-sheet.h: a contact sheet of what training shows a network: a row for each photo, first as it is, then in other forms, boxes and masks drawn in.
 */
#pragma once

#include <gdk-pixbuf/gdk-pixbuf.h>

#include "fovea.h"

/* Arguments as for fovea_train_show_forms. NULL with an error. */
GdkPixbuf *form_sheet_draw (const char *data, const FoveaTrainSettings *settings, guint n_photos, guint n_forms, FoveaReadFile read, gpointer read_data,
                            GCancellable *cancellable, GError **error);
