/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * dataset-boxes.c: boxes of photos in the files of other programs: COCO, YOLO and VOC, as labels/label-files.h reads them. Photos lie in images/ or beside the
 * files; train/ and val/ (or valid/) above them are taken as the split.
 */

#include <glib/gi18n.h>
#include <string.h>

#include "train/dataset-private.h"

#define NO_FORMAT ((gint) -1)

static gboolean
has_file (const char *folder, const char *name)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);

  return g_file_test (path, G_FILE_TEST_EXISTS);
}

static gboolean
has_suffix (const char *folder, const char *suffix)
{
  g_auto (GStrv) names = list_folder (folder, NULL);

  for (guint i = 0; names && names[i]; i++)
    if (g_str_has_suffix (names[i], suffix))
      return TRUE;
  return FALSE;
}

/* The FoveaLabelFormat that a folder's labels have, or NO_FORMAT. */
static gint
find_format (const char *folder)
{
  if (has_file (folder, "classes.txt") || has_file (folder, "data.yaml"))
    return has_file (folder, "labels") || has_suffix (folder, ".txt") ? FOVEA_LABELS_YOLO : NO_FORMAT;
  if (has_file (folder, "Annotations") || has_suffix (folder, ".xml"))
    return FOVEA_LABELS_VOC;
  return has_suffix (folder, ".json") ? FOVEA_LABELS_COCO : NO_FORMAT;
}

/* The folder's part for a split; NULL: it has none. Free with g_free. */
static char *
find_split (const char *folder, Split split)
{
  static const char *const names[][2] = { [SPLIT_TRAIN] = { "train", "train" }, [SPLIT_VAL] = { "val", "valid" } };

  for (guint i = 0; i < 2; i++)
    {
      g_autofree char *path = g_build_filename (folder, names[split][i], NULL);

      if (find_format (path) != NO_FORMAT)
        return g_steal_pointer (&path);
    }
  return NULL;
}

gboolean
dataset_has_boxes (const char *path)
{
  g_autofree char *train = find_split (path, SPLIT_TRAIN);

  return train || find_format (path) != NO_FORMAT;
}

/* Boxes are shares of the photo there already. */
static gboolean
read_unit_size (const char *path, int *width, int *height, gpointer unused, GError **error)
{
  *width = *height = 1;
  return TRUE;
}

static void
add_boxes (DraftSample *sample, const FoveaLabelPhoto *photo)
{
  for (guint i = 0; i < photo->boxes->len; i++)
    {
      const FoveaLabelBox *from = &g_array_index (photo->boxes, FoveaLabelBox, i);
      double               left = CLAMP (from->x / photo->width, 0.0, 1.0), right = CLAMP ((from->x + from->width) / photo->width, 0.0, 1.0);
      double               top = CLAMP (from->y / photo->height, 0.0, 1.0), bottom = CLAMP ((from->y + from->height) / photo->height, 0.0, 1.0);
      DraftBox             box = { g_strdup (from->label), (float) left, (float) top, (float) (right - left), (float) (bottom - top), from->is_crowd };

      g_array_append_val (sample->boxes, box);
    }
}

static gboolean
read_folder (Draft *draft, const char *folder, gint split, GError **error)
{
  g_autoptr (FoveaLabels) labels = fovea_labels_read (folder, (FoveaLabelFormat) find_format (folder), read_unit_size, NULL, error);

  if (!labels)
    return FALSE;
  for (guint i = 0; i < labels->photos->len; i++)
    {
      const FoveaLabelPhoto *photo = g_ptr_array_index (labels->photos, i);
      g_autofree char       *inner = g_build_filename (folder, "images", photo->file, NULL), *beside = g_build_filename (folder, photo->file, NULL);
      const char            *file = g_file_test (inner, G_FILE_TEST_EXISTS) ? inner : g_file_test (beside, G_FILE_TEST_EXISTS) ? beside : NULL;

      if (file)
        add_boxes (draft_add (draft, g_strdup (file), NULL, NULL, split), photo);
      else
        draft_warn (draft, _("The photo “%s”, which the labels in “%s” name, isn't there; it is left out."), photo->file, folder);
    }
  return TRUE;
}

gboolean
dataset_read_boxes (Draft *draft, const char *path, GError **error)
{
  g_autofree char *train = find_split (path, SPLIT_TRAIN), *val = find_split (path, SPLIT_VAL);

  if (train)
    return read_folder (draft, train, val ? SPLIT_TRAIN : -1, error) && (!val || read_folder (draft, val, SPLIT_VAL, error));
  return read_folder (draft, path, -1, error);
}
