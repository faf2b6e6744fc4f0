/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * default-model.c: which model a task takes where nobody says: the file fovea/models.ini in the user's configuration folder,
 *
 *   [defaults]
 *   classify=tagger
 */

#include "fovea.h"

#include <glib/gstdio.h>

static const char *const task_words[] = { NULL, "classify", "detect", "segment" };

#define GROUP "defaults"

static char *
settings_path (void)
{
  return g_build_filename (g_get_user_config_dir (), "fovea", "models.ini", NULL);
}

char *
fovea_get_default_model (FoveaTask task)
{
  g_autoptr (GKeyFile) file = g_key_file_new ();
  g_autofree char     *path = settings_path (), *name = NULL, *found = NULL;

  if (task == FOVEA_TASK_UNKNOWN || !g_key_file_load_from_file (file, path, G_KEY_FILE_NONE, NULL))
    return NULL;
  name = g_key_file_get_string (file, GROUP, task_words[task], NULL);
  found = name && *name ? fovea_find_model (name, NULL) : NULL; /* it may have been removed since */
  return found ? g_steal_pointer (&name) : NULL;
}

gboolean
fovea_set_default_model (FoveaTask task, const char *name, GError **error)
{
  g_autoptr (GKeyFile) file = g_key_file_new ();
  g_autofree char     *path = settings_path (), *folder = g_path_get_dirname (path), *found = NULL;

  g_return_val_if_fail (task != FOVEA_TASK_UNKNOWN, FALSE);
  if (name && !(found = fovea_find_model (name, error)))
    return FALSE;
  g_key_file_load_from_file (file, path, G_KEY_FILE_KEEP_COMMENTS, NULL);
  if (name)
    g_key_file_set_string (file, GROUP, task_words[task], name);
  else
    g_key_file_remove_key (file, GROUP, task_words[task], NULL);
  g_mkdir_with_parents (folder, 0700);
  return g_key_file_save_to_file (file, path, error);
}
