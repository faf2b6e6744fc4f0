/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * model-folders.c: where installed models lie, and how a name becomes a path. A model is installed as NAME/model.onnx or NAME.onnx in one of the
 * folders; the first folder that has it wins.
 */

#include "fovea.h"

#include <glib/gi18n.h>
#include <string.h>

char **
fovea_list_model_folders (void)
{
  GPtrArray  *folders = g_ptr_array_new ();
  const char *forced = g_getenv ("FOVEA_MODELS_PATH");
  g_auto (GStrv) parts = g_strsplit (forced ? forced : "", G_SEARCHPATH_SEPARATOR_S, -1);
  const char *const *system_folders = g_get_system_data_dirs ();
  GPtrArray  *unique = g_ptr_array_new ();

  for (guint i = 0; parts[i]; i++)
    if (*parts[i])
      g_ptr_array_add (folders, g_strdup (parts[i]));
  g_ptr_array_add (folders, g_build_filename (g_get_user_data_dir (), "fovea", "models", NULL));
  for (guint i = 0; system_folders[i]; i++)
    g_ptr_array_add (folders, g_build_filename (system_folders[i], "fovea", "models", NULL));
  g_ptr_array_add (folders, g_strdup (FOVEA_MODELS_DIR));

  for (guint i = 0; i < folders->len; i++)
    {
      char *folder = g_ptr_array_index (folders, i);

      if (g_ptr_array_find_with_equal_func (unique, folder, g_str_equal, NULL))
        g_free (folder);
      else
        g_ptr_array_add (unique, folder);
    }
  g_ptr_array_unref (folders);
  g_ptr_array_add (unique, NULL);
  return (char **) g_ptr_array_free (unique, FALSE);
}

/* The path of the model that a folder has under that name, or NULL. */
static char *
find_in_folder (const char *folder, const char *name)
{
  g_autofree char *file = g_strconcat (name, ".onnx", NULL);
  g_autofree char *within = g_build_filename (folder, name, "model.onnx", NULL);
  g_autofree char *plain = g_build_filename (folder, file, NULL);

  if (g_file_test (within, G_FILE_TEST_IS_REGULAR))
    return g_steal_pointer (&within);
  if (g_file_test (plain, G_FILE_TEST_IS_REGULAR))
    return g_steal_pointer (&plain);
  return NULL;
}

/* The installed name that a folder's entry stands for, or NULL if it is no model. */
static char *
entry_name (const char *folder, const char *entry)
{
  g_autofree char *name = g_str_has_suffix (entry, ".onnx") ? g_strndup (entry, strlen (entry) - strlen (".onnx")) : g_strdup (entry);
  g_autofree char *path = *name && *name != '.' ? find_in_folder (folder, name) : NULL;

  return path ? g_steal_pointer (&name) : NULL;
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

char **
fovea_list_models (void)
{
  g_auto (GStrv) folders = fovea_list_model_folders ();
  g_autoptr (GHashTable) names = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  GPtrArray     *list = g_ptr_array_new ();
  GHashTableIter iter;
  gpointer       name;

  for (guint i = 0; folders[i]; i++)
    {
      g_autoptr (GDir) dir = g_dir_open (folders[i], 0, NULL);
      const char      *entry;

      while (dir && (entry = g_dir_read_name (dir)))
        {
          char *found = entry_name (folders[i], entry);

          if (found)
            g_hash_table_add (names, found);
        }
    }

  g_hash_table_iter_init (&iter, names);
  while (g_hash_table_iter_next (&iter, &name, NULL))
    g_ptr_array_add (list, g_strdup (name));
  g_ptr_array_sort (list, compare_names);
  g_ptr_array_add (list, NULL);
  return (char **) g_ptr_array_free (list, FALSE);
}

static void
set_not_found (const char *name, char **folders, GError **error)
{
  g_auto (GStrv) models = fovea_list_models ();
  g_autofree char *shown = g_filename_display_name (name);
  g_autofree char *searched = g_strjoinv (", ", folders);
  g_autofree char *searched_shown = g_filename_display_name (searched);
  g_autofree char *listed = g_strjoinv (", ", models);
  g_autofree char *listed_shown = g_filename_display_name (listed);

  g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_FILE, _("There is no model file “%s”, and no installed model of that name in %s. %s%s"), shown,
               searched_shown, *models ? _("Installed are: ") : _("No models are installed: give the path of an .onnx file."), listed_shown);
}

char *
fovea_find_model (const char *file_or_name, GError **error)
{
  g_auto (GStrv) folders = fovea_list_model_folders ();
  gboolean is_name = *file_or_name && *file_or_name != '.' && !strchr (file_or_name, G_DIR_SEPARATOR);

  if (g_file_test (file_or_name, G_FILE_TEST_EXISTS) && !g_file_test (file_or_name, G_FILE_TEST_IS_DIR))
    return g_strdup (file_or_name);
  for (guint i = 0; is_name && folders[i]; i++)
    {
      char *path = find_in_folder (folders[i], file_or_name);

      if (path)
        return path;
    }
  if (g_file_test (file_or_name, G_FILE_TEST_IS_DIR))
    {
      g_autofree char *within = g_build_filename (file_or_name, "model.onnx", NULL);

      if (g_file_test (within, G_FILE_TEST_IS_REGULAR))
        return g_steal_pointer (&within);
    }
  set_not_found (file_or_name, folders, error);
  return NULL;
}
