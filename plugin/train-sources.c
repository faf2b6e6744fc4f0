/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * train-sources.c: see train-sources.h.
 */

#include "train-sources.h"

#include <glib/gi18n.h>

#include "pixels.h"

void
train_sources_close (TrainSources *sources)
{
  g_ptr_array_set_size (sources->labels, 0);
  g_ptr_array_set_size (sources->images, 0);
  for (guint i = 0; i < sources->opened->len; i++)
    if (gimp_image_is_valid (sources->opened->pdata[i]))
      gimp_image_delete (sources->opened->pdata[i]);
  g_ptr_array_set_size (sources->opened, 0);
}

void
train_sources_free (TrainSources *sources)
{
  if (!sources)
    return;
  train_sources_close (sources);
  g_ptr_array_unref (sources->labels);
  g_ptr_array_unref (sources->opened);
  g_ptr_array_unref (sources->files);
  g_ptr_array_unref (sources->images);
  g_free (sources);
}

static gboolean
add_image (TrainSources *sources, GimpImage *image, GError **error)
{
  LabelLayers *labels = label_layers_read (image, error);

  if (!labels)
    return FALSE;
  g_ptr_array_add (sources->images, image);
  g_ptr_array_add (sources->labels, labels);
  sources->longest = MAX (sources->longest, MAX (gimp_image_get_width (image), gimp_image_get_height (image)));
  return TRUE;
}

static void
add_open_images (TrainSources *sources)
{
  g_autofree GimpImage **images = pixels_list_images ();

  for (guint i = 0; images && images[i]; i++)
    if (label_layers_find (images[i]))
      add_image (sources, images[i], NULL);
}

static gint
compare_names (gconstpointer a, gconstpointer b)
{
  return g_strcmp0 (*(const char *const *) a, *(const char *const *) b);
}

static gboolean
list_folder (TrainSources *sources, const char *folder, GError **error)
{
  g_autoptr (GDir) dir = g_dir_open (folder && *folder ? folder : ".", 0, error);

  if (!dir)
    return FALSE;
  for (const char *name; (name = g_dir_read_name (dir));)
    {
      g_autofree char *small = g_ascii_strdown (name, -1);

      if (g_str_has_suffix (small, ".xcf") || g_str_has_suffix (small, ".xcf.gz"))
        g_ptr_array_add (sources->files, g_build_filename (folder, name, NULL));
    }
  g_ptr_array_sort (sources->files, compare_names);
  sources->n_files = sources->files->len;
  return TRUE;
}

TrainSources *
train_sources_new (const char *source, GimpImage *image, const char *folder, GError **error)
{
  g_autoptr (TrainSources) sources = g_new0 (TrainSources, 1);

  sources->images = g_ptr_array_new ();
  sources->labels = g_ptr_array_new_with_free_func ((GDestroyNotify) label_layers_free);
  sources->opened = g_ptr_array_new ();
  sources->files = g_ptr_array_new_with_free_func (g_free);
  if (g_strcmp0 (source, "image") == 0 && !add_image (sources, image, error))
    return NULL;
  if (g_strcmp0 (source, "open-images") == 0)
    add_open_images (sources);
  else if (g_strcmp0 (source, "folder") == 0 && !list_folder (sources, folder, error))
    return NULL;
  return g_steal_pointer (&sources);
}

gboolean
train_sources_step (TrainSources *sources)
{
  g_autofree char  *path = sources->files->len > 0 ? g_ptr_array_steal_index (sources->files, 0) : NULL;
  g_autoptr (GFile) file = path ? g_file_new_for_path (path) : NULL;
  GimpImage        *image = file ? gimp_file_load (GIMP_RUN_NONINTERACTIVE, file) : NULL;

  if (image)
    {
      g_ptr_array_add (sources->opened, image);
      gimp_image_set_file (image, file); /* loading alone leaves it nameless */
      if (label_layers_find (image))
        add_image (sources, image, NULL);
    }
  return path != NULL;
}

gboolean
train_sources_check (const TrainSources *sources, GError **error)
{
  if (sources->images->len > 0)
    return TRUE;
  g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_ARGUMENT,
               sources->n_files > 0 ? _("No XCF file in that folder has labels. Make some with Filters ▸ Fovea ▸ Label Layers, and save the images there.")
                                    : _("No open image has labels. Make some with Filters ▸ Fovea ▸ Label Layers."));
  return FALSE;
}

guint
train_sources_keep (TrainSources *sources, FoveaTask task)
{
  guint n = 0;

  for (guint i = sources->labels->len; i-- > 0;)
    if (((LabelLayers *) sources->labels->pdata[i])->task != task)
      {
        g_ptr_array_remove_index (sources->labels, i);
        g_ptr_array_remove_index (sources->images, i);
        n++;
      }
  return n;
}

TrainSources *
train_sources_open (const char *source, GimpImage *image, const char *folder, GError **error)
{
  g_autoptr (TrainSources) sources = train_sources_new (source, image, folder, error);

  while (sources && train_sources_step (sources))
    continue;
  return sources && train_sources_check (sources, error) ? g_steal_pointer (&sources) : NULL;
}

FoveaLabelled *
train_sources_find_others (const char *folder, FoveaTask task)
{
  return fovea_guess_task (folder) == task ? fovea_labelled_new (folder, task, TRUE, NULL) : NULL;
}

char *
train_sources_tell_others (const char *folder, FoveaTask task)
{
  g_autoptr (FoveaLabelled) others = fovea_guess_task (folder) == task ? NULL : fovea_labelled_new (folder, FOVEA_TASK_UNKNOWN, TRUE, NULL);

  return others ? g_strdup_printf (ngettext ("%u labelled photo beside the XCF files is for something else and left out: put it into a folder of its own, and train on that.",
                                             "%u labelled photos beside the XCF files are for something else and left out: put them into a folder of their own, and train on that.",
                                             others->n_photos), others->n_photos)
                : NULL;
}
