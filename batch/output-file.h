/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * output-file.h: files that are there whole or not at all, whenever the program ends: they have no name until they are complete (O_TMPFILE; where the file
 * system hasn't got that, a hidden one beside their own).
 */
#pragma once

#include <gdk-pixbuf/gdk-pixbuf.h>
#include <stdio.h>

typedef struct _OutputFile OutputFile;

/* Begins a file that takes the place of one of that name. Folders are made where they are missing. NULL with FOVEA_ERROR_FILE, as all below. */
OutputFile *output_file_open   (const char *path, GError **error);

/* To write to; what goes wrong is told by output_file_close. */
FILE       *output_file_stream (OutputFile *file);

/* The file gets its name, unless something couldn't be written. Frees it. */
gboolean    output_file_close  (OutputFile *file, GError **error);

/* Ends it without a trace. */
void        output_file_drop   (OutputFile *file);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (OutputFile, output_file_drop)

gboolean    output_file_write  (const char *path, gconstpointer data, gsize size, GError **error);
gboolean    output_file_write_png (const char *path, GdkPixbuf *picture, GError **error);

/* A gray picture; both sides OUTPUT_GRAY_SIDE at most. The stride is that of Cairo's format A8. */
#define OUTPUT_GRAY_SIDE 32767
gboolean    output_file_write_gray (const char *path, guint8 *gray, int width, int height, int stride, GError **error);
