/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * external-data.c: opens a model's external data, and nothing else: a model file comes from anywhere, and must not make us read what
 * doesn't belong to it. The model may itself be a link, and what belongs to it may lie where that leads to: Hugging Face's cache is made so,
 * and so is a model that was imported as a link.
 */

#include "model/external-data.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/graph.h"

static Mapping *
refuse (const char *location, const char *why, GError **error)
{
  g_autofree char *name = name_for_display (location);

  g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_MODEL,
               "its weights are said to lie in “%s”, which %s. Put the file into the model's own folder, and give its plain name.", name, why);
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

/* Where the model's file itself lies, when its path is a link. Free with g_free; NULL: it is gone. */
static char *
find_home (const char *model)
{
  char *resolved = realpath (model, NULL), *home = resolved ? g_path_get_dirname (resolved) : NULL;

  free (resolved);
  return home;
}

gboolean
external_data_belongs (const char *path, const char *model)
{
  g_autofree char *folder = g_path_get_dirname (path), *home = find_home (model), *lies_in = NULL;
  char            *resolved_folder = realpath (folder, NULL), *resolved = realpath (path, NULL);
  gboolean         belongs = resolved && resolved_folder && lies_below (resolved, resolved_folder);

  lies_in = resolved ? g_path_get_dirname (resolved) : NULL;
  belongs |= lies_in && g_strcmp0 (lies_in, home) == 0;
  free (resolved);
  free (resolved_folder);
  return belongs;
}

/* FALSE: there is no such file, and errno says why. */
static gboolean
resolve (const char *folder, const char *location, char **resolved)
{
  g_autofree char *path = folder ? g_build_filename (folder, location, NULL) : NULL;

  *resolved = path ? realpath (path, NULL) : NULL;
  return *resolved != NULL;
}

Mapping *
external_data_open (const char *model, const char *location, GError **error)
{
  g_autofree char *folder = g_path_get_dirname (model), *home = find_home (model), *lies_in = NULL;
  char    *resolved_folder, *resolved;
  Mapping *mapping = NULL;

  if (!*location)
    return refuse (location, "is no name of a file", error);
  if (g_path_is_absolute (location))
    return refuse (location, "is an absolute path", error);
  if (has_parent_component (location))
    return refuse (location, "leaves the model's folder", error);

  resolved_folder = realpath (folder, NULL);
  if (!resolved_folder || (!resolve (folder, location, &resolved) && !resolve (home, location, &resolved)))
    {
      g_autofree char *why = g_strdup_printf ("can't be found beside it (%s)", g_strerror (errno));

      free (resolved_folder);
      return refuse (location, why, error);
    }
  lies_in = g_path_get_dirname (resolved);
  if (lies_below (resolved, resolved_folder) || g_strcmp0 (lies_in, home) == 0)
    mapping = mapping_new_for_file (resolved, error);
  else
    refuse (location, "is a link that leaves the model's folder", error);
  free (resolved);
  free (resolved_folder);
  return mapping;
}
