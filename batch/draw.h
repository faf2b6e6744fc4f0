/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * draw.h: frames and names on a copy of a photo; sheets of pictures.
 */
#pragma once

#include <gdk-pixbuf/gdk-pixbuf.h>

#include "fovea.h"

/* A copy of the photo with a frame and a name for each object. NULL with FOVEA_ERROR_MEMORY. */
GdkPixbuf *draw_objects (const GdkPixbuf *photo, const FoveaObjects *objects, GError **error);

/* A sheet of rows of pictures on white, each with words below it. Its letters are as large as a screen's. */
typedef struct _DrawnSheet DrawnSheet;

/* Room for rows × columns pictures of at most side × side pixels, `gap` between. NULL with FOVEA_ERROR_MEMORY. */
DrawnSheet *drawn_sheet_new    (guint n_rows, guint n_columns, int side, int gap, GError **error);
void        drawn_sheet_free   (DrawnSheet *sheet);

/* Above a row. */
void        drawn_sheet_title  (DrawnSheet *sheet, guint row, const char *title);

/* Larger pictures are made smaller; of words there is room for two paragraphs of two lines each. FALSE with FOVEA_ERROR_MEMORY. */
gboolean    drawn_sheet_put    (DrawnSheet *sheet, guint row, guint column, const GdkPixbuf *picture, const char *words, GError **error);

/* The sheet as a picture; frees it. NULL with FOVEA_ERROR_MEMORY. */
GdkPixbuf  *drawn_sheet_finish (DrawnSheet *sheet, GError **error);
