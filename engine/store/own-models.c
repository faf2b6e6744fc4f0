/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * own-models.c: the user's own models get other names, go, and come back. A model is a folder NAME with model.onnx in it, or NAME.onnx with NAME.json,
 * NAME.labels.txt and NAME.partner; only these are touched, and only in the user's models folder. Everything is a rename within that folder, so that it happens at once or not at all,
 * and a link's target is left alone.
 */

#include <glib/gi18n.h>
#include <glib/gstdio.h>
#include <string.h>

#include "store/own-models.h"

#include "fovea.h"

#define ASIDE_PREFIX     ".deleted-"
#define IMPORT_PREFIX    ".import-" /* import-model.c's */
#define LEFTOVER_SECONDS (24 * 60 * 60)

static const char *const suffixes[] = { ".json", ".labels.txt", ".partner", "", ".onnx" }; /* the model last: without the others it may be misread */

gboolean
fovea_check_model_name (const char *name, GError **error)
{
  gboolean right = *name && *name != '.' && *name != '-' && strlen (name) <= OWN_MODEL_NAME_BYTES && g_utf8_validate (name, -1, NULL) && !strchr (name, '/') &&
                   !strchr (name, '\\') && !g_str_has_suffix (name, ".onnx") && strcmp (name, "default") != 0;

  for (const char *c = name; right && *c; c = g_utf8_next_char (c))
    right = !g_unichar_iscntrl (g_utf8_get_char (c));
  if (!right)
    g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_ARGUMENT,
                 _("“%s” can't be the name of a model. Take one of at most %d bytes that begins with a letter or digit, without slashes and “.onnx”."), name,
                 OWN_MODEL_NAME_BYTES);
  return right;
}

gboolean
own_model_is_taken (const char *name)
{
  g_autofree char *path = fovea_find_model (name, NULL), *folder = fovea_get_user_model_folder (), *file = g_strconcat (name, ".onnx", NULL);
  g_autofree char *own = g_build_filename (folder, file, NULL);
  GStatBuf         status;

  return path != NULL || g_lstat (own, &status) == 0; /* a link whose file is gone, too */
}

/* The user's folder, if the model lies there. Free with g_free. */
static char *
find_folder (const char *name, GError **error)
{
  g_autofree char *folder = fovea_get_user_model_folder (), *file = g_strconcat (name, ".onnx", NULL), *plain = g_build_filename (folder, file, NULL);
  g_autofree char *within = g_build_filename (folder, name, "model.onnx", NULL);
  GStatBuf         status;

  if (fovea_check_model_name (name, error) && (g_lstat (plain, &status) == 0 || g_lstat (within, &status) == 0))
    return g_steal_pointer (&folder);
  if (!error || !*error)
    g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_ARGUMENT,
                 _("Model “%s” isn't one of your own: those lie in %s. Others can be neither renamed nor deleted from here."), name, folder);
  return NULL;
}

static gboolean
is_model_folder (const char *path)
{
  g_autofree char *within = g_build_filename (path, "model.onnx", NULL);

  return g_file_test (within, G_FILE_TEST_EXISTS);
}

/* Moves the files of a model from one folder and name to another; what was moved goes back when one can't be. */
static gboolean
move_files (const char *from_folder, const char *from, const char *to_folder, const char *to, GError **error)
{
  for (gsize i = 0; i < G_N_ELEMENTS (suffixes); i++)
    {
      g_autofree char *old_name = g_strconcat (from, suffixes[i], NULL), *new_name = g_strconcat (to, suffixes[i], NULL);
      g_autofree char *old_path = g_build_filename (from_folder, old_name, NULL), *new_path = g_build_filename (to_folder, new_name, NULL);
      GStatBuf         status;

      if (g_lstat (old_path, &status) != 0 || (!*suffixes[i] && !is_model_folder (old_path)))
        continue;
      if (g_lstat (new_path, &status) != 0 && g_rename (old_path, new_path) == 0)
        continue;
      g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_FILE, _("“%s” can't become “%s”: there is a file of that name already, or the folder isn't yours."), old_path, new_path);
      for (gsize k = 0; k < i; k++)
        {
          g_autofree char *back_from = g_strconcat (to_folder, G_DIR_SEPARATOR_S, to, suffixes[k], NULL);
          g_autofree char *back_to = g_strconcat (from_folder, G_DIR_SEPARATOR_S, from, suffixes[k], NULL);

          g_rename (back_from, back_to);
        }
      return FALSE;
    }
  return TRUE;
}

gboolean
fovea_rename_model (const char *name, const char *new_name, GError **error)
{
  static const FoveaTask tasks[] = { FOVEA_TASK_CLASSIFY, FOVEA_TASK_DETECT, FOVEA_TASK_SEGMENT };
  g_autofree char       *folder = find_folder (name, error);
  gboolean               is_default[G_N_ELEMENTS (tasks)];

  if (!folder || !fovea_check_model_name (new_name, error))
    return FALSE;
  if (strcmp (name, new_name) == 0)
    return TRUE;
  if (own_model_is_taken (new_name))
    {
      g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_ARGUMENT, _("There is a model “%s” already. Give another name, or delete that one first."), new_name);
      return FALSE;
    }
  for (gsize i = 0; i < G_N_ELEMENTS (tasks); i++)
    {
      g_autofree char *chosen = fovea_get_default_model (tasks[i]);

      is_default[i] = g_strcmp0 (chosen, name) == 0;
    }
  if (!move_files (folder, name, folder, new_name, error))
    return FALSE;
  for (gsize i = 0; i < G_N_ELEMENTS (tasks); i++)
    if (is_default[i] && !fovea_set_default_model (tasks[i], new_name, error))
      return FALSE;
  return TRUE;
}

/* ---- away and back ---------------------------------------------------------------------------------------------------------------------- */

/* The hidden folder's own note of the name: it may have blanks and dots. */
#define NOTE "name"

char *
fovea_set_model_aside (const char *name, GError **error)
{
  g_autofree char *folder = find_folder (name, error), *aside = folder ? g_build_filename (folder, ASIDE_PREFIX "XXXXXX", NULL) : NULL;
  g_autofree char *note = NULL;

  if (!folder)
    return NULL;
  if (!g_mkdtemp (aside))
    {
      g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_FILE, _("The folder “%s” can't be written to. Is the disk full, or the folder not yours?"), folder);
      return NULL;
    }
  note = g_build_filename (aside, NOTE, NULL);
  if (g_file_set_contents (note, name, -1, error) && move_files (folder, name, aside, "model", error))
    return g_steal_pointer (&aside);
  g_remove (note);
  g_rmdir (aside);
  return NULL;
}

/* A folder that fovea_set_model_aside has made, and no other. */
static gboolean
is_aside (const char *aside)
{
  g_autofree char *folder = fovea_get_user_model_folder (), *parent = g_path_get_dirname (aside), *base = g_path_get_basename (aside);

  return strcmp (folder, parent) == 0 && g_str_has_prefix (base, ASIDE_PREFIX);
}

gboolean
fovea_bring_model_back (const char *aside, GError **error)
{
  g_autofree char *folder = fovea_get_user_model_folder (), *note = g_build_filename (aside, NOTE, NULL), *name = NULL;

  if (!is_aside (aside) || !g_file_get_contents (note, &name, NULL, NULL) || !fovea_check_model_name (name, NULL))
    {
      g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_FILE, _("“%s” isn't there any more: the model can't be brought back."), aside);
      return FALSE;
    }
  if (own_model_is_taken (name))
    {
      g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_ARGUMENT, _("There is another model “%s” now. Rename that one first."), name);
      return FALSE;
    }
  if (!move_files (aside, "model", folder, name, error))
    return FALSE;
  g_remove (note);
  g_rmdir (aside);
  return TRUE;
}

/* Files and folders, links not followed. Models are as deep as a folder of files. */
static void
remove_all (const char *path)
{
  g_autoptr (GDir) dir = g_file_test (path, G_FILE_TEST_IS_SYMLINK) ? NULL : g_dir_open (path, 0, NULL);
  const char      *entry;

  while (dir && (entry = g_dir_read_name (dir)))
    {
      g_autofree char *inner = g_build_filename (path, entry, NULL);

      remove_all (inner);
    }
  g_remove (path);
}

void
fovea_throw_model_away (const char *aside)
{
  if (is_aside (aside))
    remove_all (aside);
}

/* A window that is still open may want its own back: only what is older than a day counts. */
void
fovea_throw_leftovers_away (void)
{
  g_autofree char *folder = fovea_get_user_model_folder ();
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char      *entry;

  while (dir && (entry = g_dir_read_name (dir)))
    {
      g_autofree char *path = g_build_filename (folder, entry, NULL);
      GStatBuf         status;

      if ((g_str_has_prefix (entry, ASIDE_PREFIX) || g_str_has_prefix (entry, IMPORT_PREFIX)) && g_lstat (path, &status) == 0 && S_ISDIR (status.st_mode)
          && g_get_real_time () / G_USEC_PER_SEC - status.st_mtime > LEFTOVER_SECONDS)
        remove_all (path);
    }
}
