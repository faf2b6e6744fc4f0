/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * dataset-folders.c: layouts made of folders: a folder of folders, and images/ with masks/.
 */

#include <glib/gi18n.h>
#include <string.h>

#include "train/dataset-private.h"

static gboolean
read_class (Draft *draft, const char *path, const char *label, gint split, GError **error)
{
  g_auto (GStrv) names = list_folder (path, error);

  if (!names)
    return FALSE;
  for (guint i = 0; names[i]; i++)
    if (is_photo_name (names[i]))
      {
        const char *const labels[] = { label, NULL };

        draft_add (draft, g_build_filename (path, names[i], NULL), NULL, g_strdupv ((char **) labels), split);
      }
  return TRUE;
}

static gboolean
read_classes (Draft *draft, const char *path, gint split, GError **error)
{
  g_auto (GStrv) names = list_folder (path, error);

  if (!names)
    return FALSE;
  for (guint i = 0; names[i]; i++)
    {
      g_autofree char *folder = g_build_filename (path, names[i], NULL), *shown = NULL, *label = NULL;

      if (!g_file_test (folder, G_FILE_TEST_IS_DIR))
        continue;
      shown = g_filename_display_name (names[i]);
      label = fovea_folder_to_label (shown);
      if (!read_class (draft, folder, label, split, error))
        return FALSE;
    }
  return TRUE;
}

gboolean
dataset_read_folders (Draft *draft, const char *path, GError **error)
{
  g_autofree char *train = g_build_filename (path, "train", NULL), *val = g_build_filename (path, "val", NULL);

  if (g_file_test (train, G_FILE_TEST_IS_DIR) && g_file_test (val, G_FILE_TEST_IS_DIR))
    return read_classes (draft, train, SPLIT_TRAIN, error) && read_classes (draft, val, SPLIT_VAL, error);
  return read_classes (draft, path, -1, error);
}

/* The file in `folder` that is called like `name` but for the ending; NULL: none. */
static char *
find_mask (const char *folder, const char *name)
{
  const char      *dot = strrchr (name, '.');
  g_autofree char *stem = g_strndup (name, (gsize) (dot - name)), *file = g_strconcat (stem, ".png", NULL);
  char            *path = g_build_filename (folder, file, NULL);

  if (!g_file_test (path, G_FILE_TEST_EXISTS))
    g_clear_pointer (&path, g_free);
  return path;
}

gboolean
dataset_read_masks (Draft *draft, const char *path, GError **error)
{
  g_autofree char *images = g_build_filename (path, "images", NULL), *masks = g_build_filename (path, "masks", NULL);
  g_autofree char *list = g_build_filename (path, "classes.txt", NULL), *text = NULL;
  g_auto (GStrv)   names = list_folder (images, error);

  if (!names)
    return FALSE;
  if (g_file_get_contents (list, &text, NULL, NULL))
    draft->classes = g_strsplit (g_strchomp (text), "\n", -1);
  else
    draft->classes = g_strsplit ("subject", "\n", -1);
  for (guint i = 0; names[i]; i++)
    if (is_photo_name (names[i]))
      {
        char *mask = find_mask (masks, names[i]);

        if (mask)
          draft_add (draft, g_build_filename (images, names[i], NULL), NULL, NULL, -1)->mask = mask;
        else
          draft_warn (draft, _("“%s” has no mask of its name; it is left out."), names[i]);
      }
  return TRUE;
}
