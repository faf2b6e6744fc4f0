/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * voc.c: labels as Pascal VOC keeps them: an XML file for each photo, in the folder Annotations. The first pixel is 1 there, and xmax and ymax are the box's last
 * pixels, so that a box is (xmax - xmin + 1) wide. Files come sorted by name.
 */

#include "labels/label-files.h"

#include <glib/gi18n.h>
#include <math.h>
#include <string.h>

#define NO_POSE "Unspecified"

enum { XMIN, YMIN, XMAX, YMAX, WIDTH, HEIGHT, SCORE, TRUNCATED, DIFFICULT, OCCLUDED, N_NUMBERS };

/* The elements that are read, by the way to them. */
static const char *const number_paths[N_NUMBERS] = {
  "annotation/object/bndbox/xmin", "annotation/object/bndbox/ymin", "annotation/object/bndbox/xmax", "annotation/object/bndbox/ymax",
  "annotation/size/width",         "annotation/size/height",        "annotation/object/score",
  "annotation/object/truncated",   "annotation/object/difficult",   "annotation/object/occluded",
};

typedef struct
{
  FoveaLabels     *labels;
  const char      *path;  /* of the file, for messages */
  GString         *place; /* “annotation/object” */
  GString         *text;  /* of the element that is open */
  char            *name;  /* of the object's class */
  char            *pose;  /* the object's; NULL: none */
  char            *file;  /* of the photo */
  double           numbers[N_NUMBERS]; /* NAN: not there */
  FoveaLabelPhoto *photo;
} Reader;

/* ---- reading --------------------------------------------------------------------------------------------------------------------------- */

static void
start_element (GMarkupParseContext *context, const char *element, const char **names, const char **values, gpointer data, GError **error)
{
  Reader *reader = data;

  g_string_append_printf (reader->place, "%s%s", reader->place->len ? "/" : "", element);
  g_string_truncate (reader->text, 0);
  if (strcmp (reader->place->str, "annotation/object") == 0)
    {
      g_clear_pointer (&reader->name, g_free);
      g_clear_pointer (&reader->pose, g_free);
      for (guint i = 0; i < N_NUMBERS; i++)
        if (i != WIDTH && i != HEIGHT)
          reader->numbers[i] = NAN;
    }
}

static gboolean
end_object (Reader *reader, GError **error)
{
  const double  *numbers = reader->numbers;
  FoveaLabelBox *box;

  if (!reader->name || !isfinite (numbers[XMIN] + numbers[YMIN] + numbers[XMAX] + numbers[YMAX]))
    return label_files_fail (error, _("“%s”: an object has no name, or no bndbox with xmin, ymin, xmax and ymax. Correct the file."), reader->path);
  box = fovea_labels_add_box (reader->labels, reader->photo, reader->name, isnan (numbers[SCORE]) ? -1 : numbers[SCORE], numbers[XMIN] - 1, numbers[YMIN] - 1,
                              numbers[XMAX] - numbers[XMIN] + 1, numbers[YMAX] - numbers[YMIN] + 1);
  box->pose = g_steal_pointer (&reader->pose);
  box->is_truncated = numbers[TRUNCATED] > 0;
  box->is_difficult = numbers[DIFFICULT] > 0;
  box->is_occluded = numbers[OCCLUDED] > 0;
  return TRUE;
}

static void
end_element (GMarkupParseContext *context, const char *element, gpointer data, GError **error)
{
  Reader     *reader = data;
  const char *place = reader->place->str;

  if (strcmp (place, "annotation/filename") == 0)
    {
      g_free (reader->file);
      reader->file = g_strdup (g_strstrip (reader->text->str));
    }
  else if (strcmp (place, "annotation/object/name") == 0)
    {
      g_free (reader->name);
      reader->name = g_strdup (reader->text->str);
    }
  else if (strcmp (place, "annotation/object/pose") == 0)
    {
      g_free (reader->pose);
      reader->pose = strcmp (g_strstrip (reader->text->str), NO_POSE) == 0 || !*reader->text->str ? NULL : g_strdup (reader->text->str);
    }
  else if (strcmp (place, "annotation/object") == 0)
    {
      if (!end_object (reader, error))
        return;
    }
  for (guint i = 0; i < N_NUMBERS; i++)
    if (strcmp (place, number_paths[i]) == 0 && !label_files_parse (reader->text->str, &reader->numbers[i]))
      {
        label_files_fail (error, _("“%s”: “%s” in <%s> is no number. Correct the file."), reader->path, reader->text->str, element);
        return;
      }
  g_string_truncate (reader->text, 0);
  g_string_truncate (reader->place, reader->place->len - MIN (reader->place->len, strlen (element) + 1));
}

static void
add_text (GMarkupParseContext *context, const char *text, gsize length, gpointer data, GError **error)
{
  g_string_append_len (((Reader *) data)->text, text, (gssize) length);
}

static gboolean
finish_photo (Reader *reader, const char *name, GError **error)
{
  double width = reader->numbers[WIDTH], height = reader->numbers[HEIGHT];

  if (!(width >= 1 && width <= FOVEA_LABELS_LARGEST && height >= 1 && height <= FOVEA_LABELS_LARGEST))
    return label_files_fail (error, _("“%s” doesn't say how large the photo is, or it can't be. Correct its <size>."), reader->path);
  g_free (reader->photo->file);
  reader->photo->file = reader->file && *reader->file ? g_strdup (reader->file) : label_files_exchange_suffix (name, "");
  reader->photo->width = (int) width;
  reader->photo->height = (int) height;
  return TRUE;
}

static gboolean
read_file (FoveaLabels *labels, const char *path, const char *name, GError **error)
{
  static const GMarkupParser     parser = { start_element, end_element, add_text, NULL, NULL };
  g_autofree char               *text = label_files_load (path, error);
  g_autoptr (GString)            place = g_string_new (NULL), content = g_string_new (NULL);
  Reader                         reader = { .labels = labels, .path = path, .place = place, .text = content };
  g_autoptr (GMarkupParseContext) context = g_markup_parse_context_new (&parser, G_MARKUP_TREAT_CDATA_AS_TEXT, &reader, NULL);
  g_autoptr (GError)             local = NULL;
  gboolean                       done = FALSE;

  if (!text)
    return FALSE;
  for (guint i = 0; i < N_NUMBERS; i++)
    reader.numbers[i] = NAN;
  reader.photo = fovea_labels_add_photo (labels, "", 1, 1);
  if (g_markup_parse_context_parse (context, text, -1, &local) && g_markup_parse_context_end_parse (context, &local))
    done = finish_photo (&reader, name, error);
  else if (local->domain == FOVEA_ERROR)
    g_propagate_error (error, g_steal_pointer (&local));
  else
    label_files_fail (error, _("“%s” is no sound XML: %s. Correct the file."), path, local->message);
  g_free (reader.name);
  g_free (reader.pose);
  g_free (reader.file);
  return done;
}

gboolean
voc_read (FoveaLabels *labels, const char *path, GError **error)
{
  g_autofree char      *inner = g_build_filename (path, "Annotations", NULL);
  const char           *folder = g_file_test (inner, G_FILE_TEST_IS_DIR) ? inner : path;
  g_autoptr (GPtrArray) files = NULL;

  if (!g_file_test (path, G_FILE_TEST_IS_DIR))
    {
      g_autofree char *name = g_path_get_basename (path);

      return read_file (labels, path, name, error);
    }
  files = label_files_list (folder, ".xml", error);
  if (!files)
    return FALSE;
  if (files->len == 0)
    return label_files_fail (error, _("The folder “%s” has no XML files. Choose the one that Annotations lies in."), path);
  for (guint i = 0; i < files->len; i++)
    {
      const char      *name = g_ptr_array_index (files, i);
      g_autofree char *file = g_build_filename (folder, name, NULL);

      if (!read_file (labels, file, name, error))
        return FALSE;
    }
  return TRUE;
}

/* ---- writing --------------------------------------------------------------------------------------------------------------------------- */

static void
write_number (GString *xml, const char *indent, const char *element, double number)
{
  g_autofree char *text = label_files_number (number);

  g_string_append_printf (xml, "%s<%s>%s</%s>\n", indent, element, text, element);
}

static void
write_box (GString *xml, const FoveaLabelBox *box)
{
  g_autofree char *name = g_markup_escape_text (box->label, -1), *pose = g_markup_escape_text (box->pose ? box->pose : NO_POSE, -1);

  g_string_append_printf (xml, "  <object>\n    <name>%s</name>\n    <pose>%s</pose>\n    <truncated>%d</truncated>\n    <difficult>%d</difficult>\n", name, pose,
                          box->is_truncated, box->is_difficult);
  if (box->is_occluded)
    g_string_append (xml, "    <occluded>1</occluded>\n");
  if (box->score >= 0)
    write_number (xml, "    ", "score", box->score);
  g_string_append (xml, "    <bndbox>\n");
  write_number (xml, "      ", "xmin", box->x + 1);
  write_number (xml, "      ", "ymin", box->y + 1);
  write_number (xml, "      ", "xmax", box->x + box->width);
  write_number (xml, "      ", "ymax", box->y + box->height);
  g_string_append (xml, "    </bndbox>\n  </object>\n");
}

gboolean
voc_write (const FoveaLabels *labels, const char *folder, GError **error)
{
  for (guint i = 0; i < labels->photos->len; i++)
    {
      const FoveaLabelPhoto *photo = g_ptr_array_index (labels->photos, i);
      g_autofree char       *name = label_files_exchange_suffix (photo->file, ".xml"), *path = g_build_filename (folder, "Annotations", name, NULL);
      g_autofree char       *file = g_markup_escape_text (photo->file, -1);
      g_autoptr (GString)    xml = g_string_new (NULL);

      g_string_printf (xml, "<annotation>\n  <filename>%s</filename>\n  <size>\n    <width>%d</width>\n    <height>%d</height>\n    <depth>3</depth>\n  </size>\n",
                       file, photo->width, photo->height);
      for (guint k = 0; k < photo->boxes->len; k++)
        write_box (xml, &g_array_index (photo->boxes, FoveaLabelBox, k));
      g_string_append (xml, "</annotation>\n");
      if (!label_files_save (path, xml->str, error))
        return FALSE;
    }
  return TRUE;
}
