/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * tags.c: see tags.h.
 */

#include "tags.h"

#include "keywords.h"

GimpMetadata *
tags_prepare (GimpImage *image, const char *const *labels, gboolean replace, GError **error)
{
  GimpMetadata *metadata = gimp_image_get_metadata (image);

  if (!metadata)
    metadata = gimp_metadata_new ();
  if (!keywords_set (GEXIV2_METADATA (metadata), labels, replace, error))
    g_clear_object (&metadata);
  return metadata;
}
