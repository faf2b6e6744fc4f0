/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * external-data.c: opens a model's external data, and nothing else: a model file comes from anywhere, and must not make us read what
 * doesn't belong to it. The model may itself be a link, and what belongs to it may lie where that leads to, or on the way there: Hugging Face's
 * cache is made of links, and so is a model of it that was imported as a link:
 *
 *   models/net.onnx ─→ snapshots/1/net.onnx ─→ blobs/1a
 *                      snapshots/1/net.data ─→ blobs/2b
 */

#include "model/external-data.h"

#include <errno.h>
#include <glib/gi18n.h>
#include <stdlib.h>
#include <string.h>

#include "model/graph.h"

#define MOST_LINKS 40 /* the system follows as many */

static Mapping *
refuse (const char *location, const char *why, GError **error)
{
  g_autofree char *name = name_for_display (location);

  g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_MODEL,
               _("its weights are said to lie in “%s”, which %s. Put the file into the model's own folder, and give its plain name."), name, why);
  return NULL;
}

static gboolean
has_parent_component (const char *location)
{
  g_auto (GStrv) components = g_strsplit (location, "/", -1);

  return g_strv_contains ((const char *const *) components, "..");
}

/* Both are resolved: is `path` below `folder`? */
static gboolean
lies_below (const char *path, const char *folder)
{
  gsize length = strlen (folder);

  while (length > 0 && folder[length - 1] == '/')
    length--;
  return strncmp (path, folder, length) == 0 && path[length] == '/';
}

/* The folders that the model's path leads through: its own, those of the links after it, and last the one where the file itself lies. Resolved. */
static char **
list_homes (const char *model)
{
  g_autoptr (GStrvBuilder) homes = g_strv_builder_new ();
  g_autofree char         *path = g_strdup (model);

  for (int i = 0; i < MOST_LINKS && path; i++)
    {
      g_autofree char *folder = g_path_get_dirname (path), *link = g_file_read_link (path, NULL);
      char            *resolved = realpath (folder, NULL);

      if (resolved)
        g_strv_builder_add (homes, resolved);
      g_free (path);
      path = !link || !resolved ? NULL : g_path_is_absolute (link) ? g_strdup (link) : g_build_filename (resolved, link, NULL);
      free (resolved);
    }
  return g_strv_builder_end (homes);
}

/* Both are resolved: is `path` below the folder, or where the model itself lies? */
static gboolean
belongs (const char *path, const char *folder, const char *home)
{
  g_autofree char *lies_in = g_path_get_dirname (path);

  return lies_below (path, folder) || g_strcmp0 (lies_in, home) == 0;
}

static const char *
get_last (char **strings)
{
  return *strings ? strings[g_strv_length (strings) - 1] : NULL;
}

gboolean
external_data_belongs (const char *path, const char *model)
{
  g_autofree char *folder = g_path_get_dirname (path);
  g_auto (GStrv)   homes = list_homes (model);
  char            *resolved_folder = realpath (folder, NULL), *resolved = realpath (path, NULL);
  gboolean         does = resolved && resolved_folder && belongs (resolved, resolved_folder, get_last (homes));

  free (resolved);
  free (resolved_folder);
  return does;
}

Mapping *
external_data_open (const char *model, const char *location, GError **error)
{
  g_auto (GStrv)   homes = list_homes (model);
  g_autofree char *why = NULL;

  if (!*location)
    return refuse (location, _("is no name of a file"), error);
  if (g_path_is_absolute (location))
    return refuse (location, _("is an absolute path"), error);
  if (has_parent_component (location))
    return refuse (location, _("leaves the model's folder"), error);

  errno = ENOENT;
  for (guint i = 0; homes[i]; i++)
    {
      g_autofree char *path = g_build_filename (homes[i], location, NULL);
      char            *resolved = realpath (path, NULL);
      gboolean         is_there = resolved != NULL, does = is_there && belongs (resolved, homes[i], get_last (homes));
      Mapping         *mapping = does ? mapping_new_for_file (resolved, error) : NULL;

      free (resolved);
      if (is_there)
        return does ? mapping : refuse (location, _("is a link that leaves the model's folder"), error);
    }
  why = g_strdup_printf (_("can't be found beside it (%s)"), g_strerror (errno));
  return refuse (location, why, error);
}
