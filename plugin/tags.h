/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * tags.h: names as keywords in the image's metadata.
 */
#pragma once

#include <libgimp/gimp.h>

/* Writes labels (NULL-terminated) to XMP dc:subject and IPTC keywords: added to those there, each once, or in their place. */
gboolean tags_write (GimpImage *image, const char *const *labels, gboolean replace, GError **error);
