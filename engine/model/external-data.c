/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * external-data.c: opens a model's external data, and nothing else: a model file comes from anywhere, and must not make us read what
 * doesn't belong to it.
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

Mapping *
external_data_open (const char *folder, const char *location, GError **error)
{
  g_autofree char *path = NULL;
  char    *resolved_folder, *resolved;
  Mapping *mapping = NULL;

  if (!*location)
    return refuse (location, "is no name of a file", error);
  if (g_path_is_absolute (location))
    return refuse (location, "is an absolute path", error);
  if (has_parent_component (location))
    return refuse (location, "leaves the model's folder", error);

  path = g_build_filename (folder, location, NULL);
  resolved_folder = realpath (folder, NULL);
  resolved = realpath (path, NULL);
  if (!resolved_folder || !resolved)
    {
      g_autofree char *why = g_strdup_printf ("can't be found beside it (%s)", g_strerror (errno));

      refuse (location, why, error);
    }
  else if (!lies_below (resolved, resolved_folder))
    refuse (location, "is a link that leaves the model's folder", error);
  else
    mapping = mapping_new_for_file (resolved, error);
  free (resolved);
  free (resolved_folder);
  return mapping;
}
