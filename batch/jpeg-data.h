/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * jpeg-data.h: whether the data of a JPEG file suffices for all of its pixels. Many cameras and programs leave the marker at the end out.
 */
#pragma once

#include <glib.h>

/* Decodes the whole file, which nobody else does that tells what was missing. TRUE where it holds each pixel in full; FALSE where it is cut off, also where the rest is
 * filled with zeros as a download leaves it, or can't be decoded. */
gboolean jpeg_data_is_complete (const char *path);
