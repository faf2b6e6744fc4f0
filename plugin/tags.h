/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * tags.h: names as keywords in the image's metadata.
 */
#pragma once

#include <libgimp/gimp.h>

/* The image's metadata with labels (NULL-terminated) in XMP dc:subject and IPTC keywords: added to those there, each once, or in their place. The image is not
 * touched: give the result to gimp_image_set_metadata, then unref it. NULL with an error. */
GimpMetadata *tags_prepare (GimpImage *image, const char *const *labels, gboolean replace, GError **error);
