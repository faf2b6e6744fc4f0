/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * beside.c: see beside.h.
 */

#include "vision/beside.h"

#include <glib/gi18n.h>
#include <glib/gstdio.h>
#include <string.h>

#include "model/external-data.h"

#define MAX_BYTES (16 << 20)

char *
beside_path (const FoveaModel *model, const char *suffix)
{
  const char *path = fovea_model_get_path (model);
  gsize       length = path ? strlen (path) : 0;

  if (!path)
    return NULL;
  if (g_str_has_suffix (path, ".onnx"))
    length -= strlen (".onnx");
  return g_strdup_printf ("%.*s%s", (int) length, path, suffix);
}

char **
beside_list_folders (const FoveaModel *model)
{
  const char              *path = fovea_model_get_path (model);
  g_autoptr (GStrvBuilder) folders = g_strv_builder_new ();
  g_autofree char         *folder = path ? g_path_get_dirname (path) : NULL, *name = folder ? g_path_get_basename (folder) : NULL;

  if (folder)
    g_strv_builder_add (folders, folder);
  if (g_strcmp0 (name, "onnx") == 0)
    {
      g_autofree char *above = g_path_get_dirname (folder);

      g_strv_builder_add (folders, above);
    }
  return g_strv_builder_end (folders);
}

gboolean
beside_read (const FoveaModel *model, const char *path, char **text, gsize *length, GError **error)
{
  g_autoptr (GError) local = NULL;
  GStatBuf status;

  if (!path || g_stat (path, &status) != 0)
    return FALSE;
  if (!S_ISREG (status.st_mode) || status.st_size > MAX_BYTES)
    {
      g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_FILE, S_ISREG (status.st_mode) ? _("“%s” can't hold settings: it is larger than 16 MiB. Remove it.")
                                            : _("“%s” can't hold settings: it isn't a file. Remove it."), path);
      return FALSE;
    }
  if (!external_data_belongs (path, fovea_model_get_path (model)))
    {
      g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_FILE, _("“%s” is a link to a file that lies elsewhere, and may not belong to the model. Put the file itself there, or remove the link."),
                   path);
      return FALSE;
    }
  if (!g_file_get_contents (path, text, length, &local))
    {
      g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_FILE, "%s", local->message);
      return FALSE;
    }
  return TRUE;
}
