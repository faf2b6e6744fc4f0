/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * label-files.c: the boxes of photos in files that other programs read, whatever the format; and what the formats share.
 */

#include "labels/label-files.h"

#include <glib/gi18n.h>
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

#define DEEPEST_FOLDER 16
#define LARGEST_FILE   (G_GUINT64_CONSTANT (1) << 30) /* bytes */

/* ---- labels ---------------------------------------------------------------------------------------------------------------------------- */

void
fovea_label_box_clear (FoveaLabelBox *box)
{
  g_clear_pointer (&box->label, g_free);
  g_clear_pointer (&box->segmentation, g_free);
  g_clear_pointer (&box->pose, g_free);
  g_clear_pointer (&box->more, g_free);
}

static void
photo_free (gpointer data)
{
  FoveaLabelPhoto *photo = data;

  g_free (photo->file);
  g_free (photo->more);
  g_array_unref (photo->boxes);
  g_free (photo);
}

FoveaLabels *
fovea_labels_new (void)
{
  FoveaLabels *labels = g_new0 (FoveaLabels, 1);

  labels->classes = g_ptr_array_new_with_free_func (g_free);
  labels->photos = g_ptr_array_new_with_free_func (photo_free);
  labels->class_more = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  return labels;
}

void
fovea_labels_free (FoveaLabels *labels)
{
  if (!labels)
    return;
  g_ptr_array_unref (labels->classes);
  g_ptr_array_unref (labels->photos);
  g_hash_table_unref (labels->class_more);
  g_free (labels->more);
  g_free (labels);
}

gint
fovea_labels_find_class (const FoveaLabels *labels, const char *label)
{
  guint place;

  return g_ptr_array_find_with_equal_func (labels->classes, label, g_str_equal, &place) ? (gint) place : -1;
}

void
fovea_labels_add_class (FoveaLabels *labels, const char *label)
{
  if (fovea_labels_find_class (labels, label) < 0)
    g_ptr_array_add (labels->classes, g_strdup (label));
}

FoveaLabelPhoto *
fovea_labels_add_photo (FoveaLabels *labels, const char *file, int width, int height)
{
  FoveaLabelPhoto *photo = g_new0 (FoveaLabelPhoto, 1);

  photo->file = g_strdup (file);
  photo->width = width;
  photo->height = height;
  photo->boxes = g_array_new (FALSE, FALSE, sizeof (FoveaLabelBox));
  g_array_set_clear_func (photo->boxes, (GDestroyNotify) fovea_label_box_clear);
  g_ptr_array_add (labels->photos, photo);
  return photo;
}

FoveaLabelBox *
fovea_labels_add_box (FoveaLabels *labels, FoveaLabelPhoto *photo, const char *label, double score, double x, double y, double width, double height)
{
  const FoveaLabelBox box = { .label = g_strdup (label), .score = score, .x = x, .y = y, .width = width, .height = height, .area = -1 };

  fovea_labels_add_class (labels, label);
  g_array_append_val (photo->boxes, box);
  return &g_array_index (photo->boxes, FoveaLabelBox, photo->boxes->len - 1);
}

/* ---- what is sound --------------------------------------------------------------------------------------------------------------------- */

static gboolean
check_box (const FoveaLabelPhoto *photo, const FoveaLabelBox *box, const char *where, GError **error)
{
  if (!box->label || !*box->label)
    return label_files_fail (error, _("“%s”: a box of the photo “%s” has no class. Give it a name."), where, photo->file);
  if (!isfinite (box->x) || !isfinite (box->y) || !isfinite (box->width) || !isfinite (box->height) || !isfinite (box->score)
      || fabs (box->x) > FOVEA_LABELS_LARGEST || fabs (box->y) > FOVEA_LABELS_LARGEST || box->width < 0 || box->height < 0
      || box->width > FOVEA_LABELS_LARGEST || box->height > FOVEA_LABELS_LARGEST)
    return label_files_fail (error, _("“%s”: a box of class “%s” in the photo “%s” has a place or size that can't be. Correct or remove it."), where, box->label,
                             photo->file);
  if (box->segmentation && !fovea_segmentation_is_sound (box->segmentation, photo->width, photo->height))
    return label_files_fail (error, _("“%s”: an object of class “%s” in the photo “%s” has polygons or a mask that can't be. Correct or remove it."), where, box->label,
                             photo->file);
  return TRUE;
}

/* The same rules for what is read and for what is written: what was read can always be written again. */
static gboolean
check (const FoveaLabels *labels, const char *where, GError **error)
{
  for (guint i = 0; i < labels->photos->len; i++)
    {
      const FoveaLabelPhoto *photo = g_ptr_array_index (labels->photos, i);

      if (!*photo->file)
        return label_files_fail (error, _("“%s”: a photo has no file name. Give it one."), where);
      if (photo->width < 1 || photo->height < 1 || photo->width > FOVEA_LABELS_LARGEST || photo->height > FOVEA_LABELS_LARGEST)
        return label_files_fail (error, _("“%s”: the size of the photo “%s” can't be %d × %d. Correct it."), where, photo->file, photo->width, photo->height);
      for (guint k = 0; k < photo->boxes->len; k++)
        if (!check_box (photo, &g_array_index (photo->boxes, FoveaLabelBox, k), where, error))
          return FALSE;
    }
  return TRUE;
}

/* ---- reading and writing --------------------------------------------------------------------------------------------------------------- */

FoveaLabels *
fovea_labels_read (const char *path, FoveaLabelFormat format, FoveaReadSize read_size, gpointer user_data, GError **error)
{
  g_autoptr (FoveaLabels) labels = fovea_labels_new ();
  gboolean                done;

  switch (format)
    {
    case FOVEA_LABELS_COCO:
      done = coco_read (labels, path, error);
      break;
    case FOVEA_LABELS_YOLO:
      done = yolo_read (labels, path, read_size, user_data, error);
      break;
    default:
      done = voc_read (labels, path, error);
    }
  return done && check (labels, path, error) ? g_steal_pointer (&labels) : NULL;
}

gboolean
fovea_labels_write (const FoveaLabels *labels, FoveaLabelFormat format, const char *folder, GError **error)
{
  if (!check (labels, folder, error))
    return FALSE;
  if (format == FOVEA_LABELS_COCO)
    return coco_write (labels, folder, error);
  if (!label_files_check_names (labels, error))
    return FALSE;
  return format == FOVEA_LABELS_YOLO ? yolo_write (labels, folder, error) : voc_write (labels, folder, error);
}

/* ---- what the formats share ------------------------------------------------------------------------------------------------------------ */

gboolean
label_files_fail (GError **error, const char *format, ...)
{
  g_autofree char *message = NULL;
  va_list          arguments;

  va_start (arguments, format);
  message = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_set_error_literal (error, FOVEA_ERROR, FOVEA_ERROR_FILE, message);
  return FALSE;
}

char *
label_files_load (const char *path, GError **error)
{
  g_autofree char   *text = NULL;
  g_autoptr (GError) local = NULL;
  GStatBuf           status;
  gsize              size;

  if (g_stat (path, &status) == 0 && (!S_ISREG (status.st_mode) || (guint64) status.st_size > LARGEST_FILE))
    label_files_fail (error, _("“%s” is no file of labels: it is no plain file, or larger than 1 GiB. Choose another."), path);
  else if (!g_file_get_contents (path, &text, &size, &local))
    label_files_fail (error, _("“%s” can't be read: %s. Choose another file or folder."), path, local->message);
  else if (!g_utf8_validate_len (text, size, NULL))
    label_files_fail (error, _("“%s” is not text in UTF-8. Save it as UTF-8, or choose another file."), path);
  else
    return g_strdup (g_str_has_prefix (text, "\xef\xbb\xbf") ? text + 3 : text);
  return NULL;
}

gboolean
label_files_save (const char *path, const char *text, GError **error)
{
  g_autofree char   *folder = g_path_get_dirname (path);
  g_autoptr (GError) local = NULL;

  if (g_mkdir_with_parents (folder, 0777) != 0)
    return label_files_fail (error, _("The folder “%s” can't be made: %s. Choose another."), folder, g_strerror (errno));
  if (!g_file_set_contents_full (path, text, -1, G_FILE_SET_CONTENTS_CONSISTENT, 0666, &local))
    return label_files_fail (error, _("“%s” can't be written: %s. Choose another folder."), path, local->message);
  return TRUE;
}

static gboolean
list_below (GPtrArray *files, const char *folder, const char *below, const char *suffix, guint depth, GError **error)
{
  g_autofree char   *path = g_build_filename (folder, below, NULL);
  g_autoptr (GError) local = NULL;
  g_autoptr (GDir)   dir = g_dir_open (path, 0, &local);
  const char        *name;

  if (!dir)
    return label_files_fail (error, _("The folder “%s” can't be read: %s. Choose another."), path, local->message);
  while ((name = g_dir_read_name (dir)))
    {
      g_autofree char *relative = *below ? g_build_filename (below, name, NULL) : g_strdup (name), *full = g_build_filename (folder, relative, NULL);

      if (name[0] == '.' || !g_utf8_validate (name, -1, NULL))
        continue;
      if (g_file_test (full, G_FILE_TEST_IS_DIR))
        {
          if (depth < DEEPEST_FOLDER && !g_file_test (full, G_FILE_TEST_IS_SYMLINK) && !list_below (files, folder, relative, suffix, depth + 1, error))
            return FALSE;
        }
      else if (g_str_has_suffix (name, suffix))
        g_ptr_array_add (files, g_steal_pointer (&relative));
    }
  return TRUE;
}

GPtrArray *
label_files_list (const char *folder, const char *suffix, GError **error)
{
  g_autoptr (GPtrArray) files = g_ptr_array_new_with_free_func (g_free);

  if (!list_below (files, folder, "", suffix, 0, error))
    return NULL;
  g_ptr_array_sort_values (files, (GCompareFunc) strcmp);
  return g_steal_pointer (&files);
}

char *
label_files_number (double number)
{
  char  text[G_ASCII_DTOSTR_BUF_SIZE];
  gsize length;

  g_ascii_formatd (text, sizeof text, "%.10f", number);
  for (length = strlen (text); text[length - 1] == '0'; length--)
    ;
  if (text[length - 1] == '.')
    length--;
  text[length] = '\0';
  return g_strdup (strcmp (text, "-0") == 0 ? "0" : text);
}

gboolean
label_files_read_number (JsonNode *node, double least, double most, double *number)
{
  GType type = node && JSON_NODE_HOLDS_VALUE (node) ? json_node_get_value_type (node) : G_TYPE_INVALID;

  if (type != G_TYPE_INT64 && type != G_TYPE_DOUBLE)
    return FALSE;
  *number = json_node_get_double (node);
  return *number >= least && *number <= most;
}

gboolean
label_files_parse (const char *text, double *number)
{
  char *end;

  *number = g_ascii_strtod (text, &end);
  while (g_ascii_isspace (*end))
    end++;
  return end != text && !*end && isfinite (*number);
}

char *
label_files_exchange_suffix (const char *file, const char *suffix)
{
  const char *slash = strrchr (file, '/'), *point = strrchr (slash ? slash : file, '.');
  gsize       length = point && point != (slash ? slash + 1 : file) ? (gsize) (point - file) : strlen (file);

  return g_strdup_printf ("%.*s%s", (int) length, file, suffix);
}

gboolean
label_files_check_names (const FoveaLabels *labels, GError **error)
{
  g_autoptr (GHashTable) taken = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  for (guint i = 0; i < labels->photos->len; i++)
    {
      const char      *file = ((FoveaLabelPhoto *) g_ptr_array_index (labels->photos, i))->file;
      g_auto (GStrv)   parts = g_strsplit (file, "/", -1);
      g_autofree char *stem = label_files_exchange_suffix (file, "");

      for (guint k = 0; parts[k]; k++)
        if (!*parts[k] || parts[k][0] == '.' || strpbrk (parts[k], "\n\r\\"))
          return label_files_fail (error, _("The photo “%s” has a name that no label file can have. Give it a name inside of the folder, without leading points."), file);
      if (!g_hash_table_add (taken, g_steal_pointer (&stem)))
        return label_files_fail (error, _("Two photos are named “%s” but for what follows the point; this format has one file for both. Rename one."), file);
    }
  return TRUE;
}
