/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * models.c: see models.h. What the user has answered about licences is in the file fovea/licences.ini of the user's configuration folder: of each accepted model a
 * checksum of its path and time, and the path.
 */

#include "models.h"

#include <errno.h>
#include <glib/gi18n.h>
#include <glib/gstdio.h>
#include <string.h>

void
models_warn (const FoveaModel *model, GimpRunMode run_mode)
{
  g_autofree char *warning = run_mode == GIMP_RUN_WITH_LAST_VALS ? NULL : fovea_model_warn (model);

  if (warning)
    gimp_message (warning);
}

/* ---- what the user has answered ---------------------------------------------------------------------------------- */

#define GROUP "accepted"

static char *
answers_path (void)
{
  return g_build_filename (g_get_user_config_dir (), "fovea", "licences.ini", NULL);
}

/* Another file in the model's place is another model. */
static char *
make_key (const char *path)
{
  GStatBuf         status;
  gint64           changed = g_stat (path, &status) == 0 ? (gint64) status.st_mtime : 0;
  g_autofree char *text = g_strdup_printf ("%s\n%" G_GINT64_FORMAT, path, changed);

  return g_compute_checksum_for_string (G_CHECKSUM_SHA256, text, -1);
}

char *
models_find_question (const char *name)
{
  g_autoptr (GKeyFile)   answers = g_key_file_new ();
  g_autofree char       *file = answers_path (), *path = name && *name ? fovea_find_model (name, NULL) : NULL, *key = path ? make_key (path) : NULL;
  g_autoptr (FoveaModel) model = NULL;

  g_key_file_load_from_file (answers, file, G_KEY_FILE_NONE, NULL);
  if (!path || g_key_file_has_key (answers, GROUP, key, NULL))
    return NULL;
  model = fovea_model_load (path, NULL);
  return model ? fovea_model_warn (model) : NULL;
}

void
models_accept (const char *name)
{
  g_autoptr (GKeyFile) answers = g_key_file_new ();
  g_autoptr (GError)   error = NULL;
  g_autofree char     *file = answers_path (), *folder = g_path_get_dirname (file), *path = fovea_find_model (name, NULL), *key = path ? make_key (path) : NULL;

  if (!path)
    return;
  g_key_file_load_from_file (answers, file, G_KEY_FILE_KEEP_COMMENTS, NULL);
  g_key_file_set_string (answers, GROUP, key, path);
  g_mkdir_with_parents (folder, 0700);
  if (!g_key_file_save_to_file (answers, file, &error))
    gimp_message (error->message); /* and the question comes again */
}

/* ---- which are tried ---------------------------------------------------------------------------------------------- */

/* Fovea's own, in the order of FoveaTask. */
static const char *const built_in[] = { NULL, "tagger", "objects", "cutout" };

/* Puts the name that is in the list first. */
static void
move_first (char **names, const char *name)
{
  for (guint i = 0; name && names[i]; i++)
    if (strcmp (names[i], name) == 0)
      {
        char *first = names[i];

        memmove (names + 1, names, i * sizeof *names);
        names[0] = first;
        return;
      }
}

char **
models_to_try (FoveaTask task)
{
  char           **installed = fovea_list_models ();
  g_autofree char *chosen = fovea_get_default_model (task);

  move_first (installed, built_in[task]);
  move_first (installed, chosen);
  return installed;
}

char *
models_find_chosen (const char *name, FoveaTask task)
{
  return name && !*name ? fovea_get_default_model (task) : g_strdup (name);
}

char *
models_find_other (FoveaTask task)
{
  g_auto (GStrv)   names = models_to_try (task);
  g_autofree char *chosen = fovea_get_default_model (task);
  char           **other = names + (chosen ? 1 : 0);

  return g_strdup (*names && *other ? *other : "");
}

/* ---- the user's own ---------------------------------------------------------------------------------------------- */

/* A model of the user's of that name is replaced; one that came along isn't. */
static gboolean
check_name (const char *name, const char *folder, GError **error)
{
  g_autofree char *found = NULL, *place = NULL;

  if (!fovea_check_model_name (name, error))
    return FALSE;
  found = fovea_find_model (name, NULL);
  place = found ? g_path_get_dirname (found) : NULL;
  if (!place || strcmp (place, folder) == 0)
    return TRUE;
  g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_ARGUMENT, _("There is a model “%s” in %s already. Choose another name."), name, place);
  return FALSE;
}

static char *
choose_name (void)
{
  for (int i = 1;; i++)
    {
      g_autofree char *name = i == 1 ? g_strdup (_("My model")) : g_strdup_printf ("%s %d", _("My model"), i), *found = fovea_find_model (name, NULL);

      if (!found)
        return g_steal_pointer (&name);
    }
}

char *
models_make_path (const char *name, GError **error)
{
  g_autofree char *folder = g_build_filename (g_get_user_data_dir (), "fovea", "models", NULL);
  g_autofree char *wanted = g_strstrip (g_strdup (name ? name : "")), *file = NULL;

  if (!*wanted)
    {
      g_free (wanted);
      wanted = choose_name ();
    }
  if (!check_name (wanted, folder, error))
    return NULL;
  if (g_mkdir_with_parents (folder, 0777) != 0)
    {
      g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_FILE, _("The folder %s can't be made: %s. Make room, or allow it, and try again."), folder, g_strerror (errno));
      return NULL;
    }
  file = g_strconcat (wanted, ".onnx", NULL);
  return g_build_filename (folder, file, NULL);
}
