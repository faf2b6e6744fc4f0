/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * tags.c: see tags.h.
 */

#include "tags.h"

#include <gexiv2/gexiv2.h>

static const char *const names[] = { "Xmp.dc.subject", "Iptc.Application2.Keywords" };

GimpMetadata *
tags_prepare (GimpImage *image, const char *const *labels, gboolean replace, GError **error)
{
  GimpMetadata *metadata = gimp_image_get_metadata (image);
  gboolean      ok = TRUE;

  if (!metadata)
    metadata = gimp_metadata_new ();
  for (gsize i = 0; ok && i < G_N_ELEMENTS (names); i++)
    {
      g_autoptr (GPtrArray) tags = g_ptr_array_new ();
      g_auto (GStrv)        before = replace ? NULL : gexiv2_metadata_try_get_tag_multiple (GEXIV2_METADATA (metadata), names[i], NULL);

      for (guint k = 0; before && before[k]; k++)
        g_ptr_array_add (tags, before[k]);
      for (guint k = 0; labels[k]; k++)
        if (!before || !g_strv_contains ((const char *const *) before, labels[k]))
          g_ptr_array_add (tags, (gpointer) labels[k]);
      g_ptr_array_add (tags, NULL);
      gexiv2_metadata_try_clear_tag (GEXIV2_METADATA (metadata), names[i], NULL);
      ok = gexiv2_metadata_try_set_tag_multiple (GEXIV2_METADATA (metadata), names[i], (const char **) tags->pdata, error);
    }
  if (!ok)
    g_clear_object (&metadata);
  return metadata;
}
