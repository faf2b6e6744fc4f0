/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * label-output.c: see label-output.h. The engine writes the files (engine/labels) into a folder that nobody looks into; then they get their places one by one,
 * so that whenever the program ends each is the old one or the new one.
 */

#include "label-output.h"

#include <errno.h>
#include <glib/gi18n.h>
#include <glib/gstdio.h>
#include <string.h>

#include "formats.h"

struct _LabelOutput
{
  guint        wanted;
  FoveaLabels *coco;   /* NULL: not wanted */
  FoveaLabels *others; /* of YOLO and VOC; NULL: not wanted */
  GHashTable  *stems;  /* names of photos without their endings */
};

static FoveaLabels *
make_labels (const char *const *labels)
{
  FoveaLabels *made = fovea_labels_new ();

  for (; labels && *labels; labels++)
    fovea_labels_add_class (made, *labels);
  return made;
}

LabelOutput *
label_output_new (guint wanted, const char *const *labels)
{
  LabelOutput *output = g_new0 (LabelOutput, 1);

  output->wanted = wanted;
  output->coco = wanted & FORMAT_COCO ? make_labels (labels) : NULL;
  output->others = wanted & (FORMAT_YOLO | FORMAT_VOC) ? make_labels (labels) : NULL;
  output->stems = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  return output;
}

void
label_output_free (LabelOutput *output)
{
  if (!output)
    return;
  g_clear_pointer (&output->coco, fovea_labels_free);
  g_clear_pointer (&output->others, fovea_labels_free);
  g_hash_table_unref (output->stems);
  g_free (output);
}

static void
add_photo (FoveaLabels *labels, const char *file, JsonObject *answer)
{
  JsonArray       *objects = json_object_get_array_member (answer, "objects");
  FoveaLabelPhoto *photo = fovea_labels_add_photo (labels, file, (int) json_object_get_int_member (answer, "width"), (int) json_object_get_int_member (answer, "height"));

  for (guint i = 0; i < json_array_get_length (objects); i++)
    {
      JsonObject *object = json_array_get_object_element (objects, i);
      JsonArray  *box = json_object_get_array_member (object, "box");

      fovea_labels_add_box (labels, photo, json_object_get_string_member (object, "label"), json_object_get_double_member (object, "score"),
                            json_array_get_double_element (box, 0), json_array_get_double_element (box, 1), json_array_get_double_element (box, 2),
                            json_array_get_double_element (box, 3));
    }
}

/* YOLO and VOC keep the labels of “sub/photo.jpg” in a file “sub/photo.…”. NULL with an error. */
static char *
name_file (LabelOutput *output, const JournalPhoto *photo, GError **error)
{
  const char      *slash = strrchr (photo->shown, '/'), *dot = strrchr (photo->shown, '.');
  gsize            length = dot && dot > (slash ? slash + 1 : photo->shown) ? (gsize) (dot - photo->shown) : strlen (photo->shown);
  g_autofree char *stem = g_strndup (photo->shown, length);
  g_auto (GStrv)   parts = g_strsplit (photo->shown, "/", -1);
  gboolean         ok = TRUE;

  for (guint i = 0; parts[i] && ok; i++)
    ok = *parts[i] && *parts[i] != '.' && !strpbrk (parts[i], "\n\r\\");
  if (!ok)
    g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_FILE, _("“%s” has a name that no file of YOLO or VOC can have: these leave it out. Rename it, and give its folder."), photo->shown);
  else if (!g_hash_table_add (output->stems, g_steal_pointer (&stem)))
    {
      g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_FILE, _("“%s” has the name of another photo but for what follows the point; YOLO and VOC have one file for both: they leave it out. Rename it."), photo->shown);
      ok = FALSE;
    }
  return ok ? g_strdup (photo->shown) : NULL;
}

gboolean
label_output_add (LabelOutput *output, const JournalPhoto *photo, JsonObject *answer, GError **error)
{
  g_autofree char *file = NULL;

  if (output->coco)
    add_photo (output->coco, photo->shown, answer);
  if (!output->others)
    return TRUE;
  file = name_file (output, photo, error);
  if (file)
    add_photo (output->others, file, answer);
  return file != NULL;
}

/* ---- writing ------------------------------------------------------------------------------------------------------------------------------- */

static gboolean
fail (const char *path, GError **error)
{
  g_autofree char *shown = g_filename_display_name (path);
  int              reason = errno;

  g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_FILE, _("“%s” can't be written: %s. Choose another folder, or make room."), shown, g_strerror (reason));
  return FALSE;
}

/* Gives the files of a folder that has been written their places. */
static gboolean
move_files (const char *from, const char *to, GError **error)
{
  g_autoptr (GDir) folder = g_dir_open (from, 0, error);
  const char      *name;

  if (!folder)
    return FALSE;
  if (g_mkdir_with_parents (to, 0777) != 0)
    return fail (to, error);
  while ((name = g_dir_read_name (folder)))
    {
      g_autofree char *source = g_build_filename (from, name, NULL), *target = g_build_filename (to, name, NULL);

      if (g_file_test (source, G_FILE_TEST_IS_DIR))
        {
          if (!move_files (source, target, error))
            return FALSE;
        }
      else if (g_rename (source, target) != 0)
        return fail (target, error);
    }
  return TRUE;
}

gboolean
label_output_write (LabelOutput *output, const char *folder, const char *suffix, const char *part, JsonObject *files, GError **error)
{
  const struct
  {
    guint             flag;
    FoveaLabelFormat  format;
    const char       *name;
    const FoveaLabels *labels;
  } rows[] = {
    { FORMAT_COCO, FOVEA_LABELS_COCO, "coco", output->coco },
    { FORMAT_YOLO, FOVEA_LABELS_YOLO, "yolo", output->others },
    { FORMAT_VOC, FOVEA_LABELS_VOC, "voc", output->others },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autofree char *name = g_strconcat (rows[i].name, suffix, NULL), *source = g_build_filename (part, name, NULL), *target = g_build_filename (folder, name, NULL);
      g_autofree char *valid = g_utf8_make_valid (target, -1);

      if (!(output->wanted & rows[i].flag))
        continue;
      json_object_set_string_member (files, rows[i].name, valid);
      if (g_mkdir_with_parents (source, 0777) != 0) /* of no photos VOC makes none */
        return fail (source, error);
      if (!fovea_labels_write (rows[i].labels, rows[i].format, source, error) || !move_files (source, target, error))
        return FALSE;
    }
  return TRUE;
}
