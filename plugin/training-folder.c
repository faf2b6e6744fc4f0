/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * training-folder.c: see training-folder.h.
 */

#include "training-folder.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n.h>
#include <glib/gstdio.h>
#include <sys/file.h>
#include <unistd.h>

#define ORDER "training.json"
#define LOCK  "lock"

struct _TrainingFolder
{
  char *path, *checkpoint, *order;
  int   lock;
};

/* Free with g_free. */
static char *
get_base_folder (void)
{
  return g_build_filename (g_get_user_cache_dir (), "fovea", "training", NULL);
}

TrainingFolder *
training_folder_open (const char *name, GError **error)
{
  g_autoptr (TrainingFolder) folder = g_new0 (TrainingFolder, 1);
  g_autofree char           *base = get_base_folder (), *lock = NULL;

  folder->path = g_build_filename (base, name, NULL);
  folder->checkpoint = g_build_filename (folder->path, "checkpoint", NULL);
  folder->order = g_build_filename (folder->path, ORDER, NULL);
  lock = g_build_filename (folder->path, LOCK, NULL);
  folder->lock = g_mkdir_with_parents (folder->path, 0700) == 0 ? open (lock, O_CREAT | O_RDWR | O_CLOEXEC, 0600) : -1;
  if (folder->lock < 0)
    g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_FILE, _("The folder %s can't be made: %s. Make room, or allow it, and try again."), folder->path, g_strerror (errno));
  else if (flock (folder->lock, LOCK_EX | LOCK_NB) != 0)
    g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_ARGUMENT, _("A model “%s” is being trained just now. Wait for its end, or choose another name."), name);
  else
    return g_steal_pointer (&folder);
  return NULL;
}

void
training_folder_free (TrainingFolder *folder)
{
  if (!folder)
    return;
  if (folder->lock >= 0)
    close (folder->lock);
  g_free (folder->path);
  g_free (folder->checkpoint);
  g_free (folder->order);
  g_free (folder);
}

const char *
training_folder_get_path (const TrainingFolder *folder)
{
  return folder->path;
}

const char *
training_folder_get_checkpoint (const TrainingFolder *folder)
{
  return folder->checkpoint;
}

char *
training_folder_get_order (const TrainingFolder *folder)
{
  char *text = NULL;

  return g_file_get_contents (folder->order, &text, NULL, NULL) ? text : NULL;
}

gboolean
training_folder_begin (TrainingFolder *folder, const char *order, GError **error)
{
  g_autofree char *before = training_folder_get_order (folder);

  if (g_strcmp0 (before, order) == 0)
    return TRUE;
  g_unlink (folder->checkpoint);
  return g_file_set_contents (folder->order, order, -1, error);
}

void
training_folder_remove_tree (const char *path)
{
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);

  for (const char *name; dir && (name = g_dir_read_name (dir));)
    {
      g_autofree char *inner = g_build_filename (path, name, NULL);

      if (g_file_test (inner, G_FILE_TEST_IS_DIR) && !g_file_test (inner, G_FILE_TEST_IS_SYMLINK))
        training_folder_remove_tree (inner);
      g_remove (inner);
    }
  g_rmdir (path);
}

void
training_folder_remove (TrainingFolder *folder)
{
  g_unlink (folder->order); /* first: without it nothing is left to go on with */
  training_folder_remove_tree (folder->path);
}

char *
training_folder_find_left (void)
{
  g_autofree char *base = get_base_folder ();
  g_autoptr (GDir) dir = g_dir_open (base, 0, NULL);

  for (const char *name; dir && (name = g_dir_read_name (dir));)
    {
      g_autofree char           *order = g_build_filename (base, name, ORDER, NULL);
      g_autoptr (TrainingFolder) folder = g_file_test (order, G_FILE_TEST_EXISTS) ? training_folder_open (name, NULL) : NULL;

      if (folder && g_file_test (folder->checkpoint, G_FILE_TEST_EXISTS))
        return g_strdup (name);
    }
  return NULL;
}
