/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * keywords.c: see keywords.h.
 */

#include "keywords.h"

#include <errno.h>
#include <gdk-pixbuf/gdk-pixbuf.h>
#include <glib/gi18n.h>
#include <glib/gstdio.h>
#include <string.h>

#include "fovea.h"
#include "operation.h"
#include "output-file.h"

#define LEAST_SCORE 0.01 /* tables may tell what is hardly probable; a photo's keywords don't */

/* gexiv2 0.16 calls these functions deprecated in favour of others, which mean something else in 0.14. */
G_GNUC_BEGIN_IGNORE_DEPRECATIONS

static const char *const tags[] = { "Xmp.dc.subject", "Iptc.Application2.Keywords" };

gboolean
keywords_set (GExiv2Metadata *metadata, const char *const *names, gboolean replace, GError **error)
{
  for (gsize i = 0; i < G_N_ELEMENTS (tags); i++)
    {
      g_autoptr (GPtrArray) all = g_ptr_array_new ();
      g_auto (GStrv)        before = replace ? NULL : gexiv2_metadata_try_get_tag_multiple (metadata, tags[i], NULL);

      for (guint k = 0; before && before[k]; k++)
        g_ptr_array_add (all, before[k]);
      for (guint k = 0; names[k]; k++)
        if (!before || !g_strv_contains ((const char *const *) before, names[k]))
          g_ptr_array_add (all, (gpointer) names[k]);
      g_ptr_array_add (all, NULL);
      gexiv2_metadata_try_clear_tag (metadata, tags[i], NULL);
      if (all->len > 1 && !gexiv2_metadata_try_set_tag_multiple (metadata, tags[i], (const char **) all->pdata, error))
        return FALSE;
    }
  return TRUE;
}

char **
keywords_of_answer (JsonObject *answer)
{
  static const char *const lists[] = { "classes", "objects", "masks" };
  g_autoptr (GPtrArray)    names = g_ptr_array_new ();

  for (gsize i = 0; i < G_N_ELEMENTS (lists); i++)
    {
      JsonArray *list = json_object_has_member (answer, lists[i]) ? json_object_get_array_member (answer, lists[i]) : NULL;

      for (guint k = 0; list && k < json_array_get_length (list); k++)
        {
          JsonObject *item = json_array_get_object_element (list, k);
          const char *label = json_object_get_string_member (item, "label");

          if (json_object_get_double_member_with_default (item, "area", 1) >= OPERATION_LEAST_AREA
              && json_object_get_double_member_with_default (item, "score", 1) >= LEAST_SCORE && !g_ptr_array_find_with_equal_func (names, label, g_str_equal, NULL))
            g_ptr_array_add (names, g_strdup (label));
        }
    }
  g_ptr_array_add (names, NULL);
  return (char **) g_ptr_array_steal (names, NULL);
}

/* gexiv2 has metadata only of some picture. */
static GExiv2Metadata *
make_metadata (GError **error)
{
  g_autoptr (GdkPixbuf)      dot = gdk_pixbuf_new (GDK_COLORSPACE_RGB, FALSE, 8, 1, 1);
  g_autoptr (GExiv2Metadata) metadata = gexiv2_metadata_new ();
  g_autofree char           *data = NULL;
  gsize                      size;

  gdk_pixbuf_fill (dot, 0);
  return gdk_pixbuf_save_to_buffer (dot, &data, &size, "jpeg", error, NULL) && gexiv2_metadata_open_buf (metadata, (const guint8 *) data, (glong) size, error)
           ? g_steal_pointer (&metadata)
           : NULL;
}

static gboolean
fail (GError **error, const char *photo, const char *what, const char *reason)
{
  g_autofree char *shown = g_filename_display_name (photo), *valid = g_utf8_make_valid (reason, -1);

  g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_FILE, _("“%s” can't have %s: %s. Save it as JPEG, PNG or TIFF, or use a sidecar (xmp)."), shown, what, valid);
  return FALSE;
}

gboolean
keywords_write_sidecar (const char *photo, const char *sidecar, const char *const *names, GError **error)
{
  g_autoptr (GExiv2Metadata) metadata = make_metadata (error), of_photo = gexiv2_metadata_new ();
  g_auto (GStrv)             before = NULL;
  g_autoptr (GError)         local = NULL;
  g_autofree char           *packet = NULL;

  if (!metadata)
    return FALSE;
  if (gexiv2_metadata_open_path (of_photo, photo, NULL))
    before = gexiv2_metadata_try_get_tag_multiple (of_photo, tags[0], NULL);
  if ((before && *before && !keywords_set (metadata, (const char *const *) before, TRUE, &local)) || !keywords_set (metadata, names, FALSE, &local))
    return fail (error, photo, _("a sidecar"), local->message);
  packet = gexiv2_metadata_try_generate_xmp_packet (metadata, GEXIV2_OMIT_PACKET_WRAPPER, 0, &local);
  return packet ? output_file_write (sidecar, packet, strlen (packet), error) : fail (error, photo, _("a sidecar"), local->message);
}

gboolean
keywords_write_copy (const char *photo, const char *copy, const char *part, const char *const *names, GError **error)
{
  g_autoptr (GExiv2Metadata) metadata = gexiv2_metadata_new ();
  g_autoptr (GMappedFile)    content = g_mapped_file_new (photo, FALSE, error);
  g_autofree char           *folder = g_path_get_dirname (copy);
  g_autoptr (GError)         local = NULL;

  if (!content || !output_file_write (part, g_mapped_file_get_contents (content), g_mapped_file_get_length (content), error))
    return FALSE;
  if (!gexiv2_metadata_open_path (metadata, part, &local) || !keywords_set (metadata, names, FALSE, &local) || !gexiv2_metadata_save_file (metadata, part, &local))
    {
      g_unlink (part);
      return fail (error, photo, _("keywords inside"), local->message);
    }
  if (g_mkdir_with_parents (folder, 0777) == 0 && g_rename (part, copy) == 0)
    return TRUE;
  g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_FILE, _("“%s” can't be written: %s. Choose another folder, or make room."), copy, g_strerror (errno));
  g_unlink (part);
  return FALSE;
}

G_GNUC_END_IGNORE_DEPRECATIONS
