/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * voc.c: labels as Pascal VOC keeps them: an XML file for each photo, in the folder Annotations. The first pixel is 1 there, and xmax and ymax are the box's last
 * pixels, so that a box is (xmax - xmin + 1) wide. Files come sorted by name. What they say besides is kept in the photo's or box's `more`, as the member “voc”: the
 * element's start tag and its other elements, as they are; and “voc_depth”, where that isn't 3.
 */

#include "labels/label-files.h"

#include <glib/gi18n.h>
#include <math.h>
#include <string.h>

#define NO_POSE     "Unspecified"
#define REST        "voc"       /* members of `more` */
#define DEPTH       "voc_depth"
#define USUAL_DEPTH 3

enum { XMIN, YMIN, XMAX, YMAX, WIDTH, HEIGHT, PLANES, SCORE, TRUNCATED, DIFFICULT, OCCLUDED, N_NUMBERS };

/* The elements that are read, by the way to them. */
static const char *const number_paths[N_NUMBERS] = {
  "annotation/object/bndbox/xmin", "annotation/object/bndbox/ymin", "annotation/object/bndbox/xmax", "annotation/object/bndbox/ymax",
  "annotation/size/width",         "annotation/size/height",        "annotation/size/depth",       "annotation/object/score",
  "annotation/object/truncated",   "annotation/object/difficult",   "annotation/object/occluded",
};

/* What is read and written by itself. */
static const char *const known_of_photo[] = { "filename", "size", "object", NULL };
static const char *const known_of_object[] = { "occluded", "name", "pose", "truncated", "difficult", "score", "bndbox", NULL };
static const char *const *const written_of_object = known_of_object + 1; /* the first: 1 only */

/* What an element has besides, as text: its start tag, and each of its other elements on a line. */
typedef struct
{
  const char *const *known;
  const char        *indent;
  GString           *text;
  guint              depth;    /* of what is open in it; 0: it isn't open itself */
  gboolean           is_known; /* the element that is open */
} Rest;

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
  Rest             photo_rest, object_rest;
} Reader;

/* ---- what is said besides -------------------------------------------------------------------------------------------------------------- */

static void
rest_open (Rest *rest, const char *element, const char **names, const char **values)
{
  if (rest->depth == 0)
    g_string_truncate (rest->text, 0);
  if (rest->depth == 1)
    rest->is_known = g_strv_contains (rest->known, element);
  if (rest->depth == 0 || !rest->is_known)
    {
      if (rest->depth == 1)
        g_string_append_printf (rest->text, "\n%s", rest->indent);
      g_string_append_printf (rest->text, "<%s", element);
      for (guint i = 0; names[i]; i++)
        {
          g_autofree char *value = g_markup_escape_text (values[i], -1);

          g_string_append_printf (rest->text, " %s=\"%s\"", names[i], value);
        }
      g_string_append_c (rest->text, '>');
    }
  rest->depth++;
}

static void
rest_close (Rest *rest, const char *element)
{
  if (--rest->depth > 0 && !rest->is_known)
    g_string_append_printf (rest->text, "</%s>", element);
}

static void
rest_add_text (Rest *rest, const char *text, gsize length)
{
  g_autofree char *escaped = rest->depth > 1 && !rest->is_known ? g_markup_escape_text (text, (gssize) length) : NULL;

  if (escaped)
    g_string_append (rest->text, escaped);
}

static void
open_again (GMarkupParseContext *context, const char *element, const char **names, const char **values, gpointer rest, GError **error)
{
  rest_open (rest, element, names, values);
}

static void
close_again (GMarkupParseContext *context, const char *element, gpointer rest, GError **error)
{
  rest_close (rest, element);
}

static void
add_again (GMarkupParseContext *context, const char *text, gsize length, gpointer rest, GError **error)
{
  rest_add_text (rest, text, length);
}

/* That text without some of its elements. NULL: it is none of such an element. Free with g_free. */
static char *
reduce_rest (const char *text, const char *element, const char *const *without, const char *indent)
{
  static const GMarkupParser      parser = { open_again, close_again, add_again, NULL, NULL };
  g_autoptr (GString)             kept = g_string_new (NULL);
  Rest                            rest = { .known = without, .indent = indent, .text = kept };
  g_autoptr (GMarkupParseContext) context = g_markup_parse_context_new (&parser, (GMarkupParseFlags) 0, &rest, NULL);
  g_autofree char                *whole = g_strdup_printf ("%s</%s>", text, element);
  gsize                           length = strlen (element);

  if (text[0] != '<' || strncmp (text + 1, element, length) != 0 || !strchr (" >", text[1 + length]) || !g_markup_parse_context_parse (context, whole, -1, NULL)
      || !g_markup_parse_context_end_parse (context, NULL))
    return NULL;
  return g_strdup (kept->str);
}

char *
voc_rest_moved (const char *text)
{
  static const char *const places[] = { "part", "point", "polygon", NULL };

  return reduce_rest (text, "object", places, "");
}

/* As `more` has it. NULL: there is nothing. Free with g_free. */
static char *
make_more (const char *rest, const char *element, double depth)
{
  g_autoptr (JsonObject) object = json_object_new ();
  g_autoptr (JsonNode)   node = json_node_init_object (json_node_alloc (), object);

  if (strlen (rest) > strlen (element) + strlen ("<>"))
    json_object_set_string_member (object, REST, rest);
  if (isfinite (depth) && depth != USUAL_DEPTH)
    json_object_set_double_member (object, DEPTH, depth);
  return json_object_get_size (object) > 0 ? json_to_string (node, FALSE) : NULL;
}

/* Back: its start tag, and what follows that. Free both with g_free. */
static char *
read_more (const char *more, const char *element, const char *const *known, const char *indent, char **others, double *depth)
{
  g_autoptr (JsonNode) node = more ? json_from_string (more, NULL) : NULL;
  JsonObject          *object = node && JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
  const char          *text = object ? json_object_get_string_member_with_default (object, REST, NULL) : NULL;
  char                *rest = text ? reduce_rest (text, element, known, indent) : NULL, *end;

  if (!rest)
    rest = g_strdup_printf ("<%s>", element);
  if (depth && !(object && label_files_read_number (json_object_get_member (object, DEPTH), 1, G_MAXDOUBLE, depth)))
    *depth = USUAL_DEPTH;
  end = strchr (rest, '>') + 1;
  *others = g_strdup (end);
  *end = '\0';
  return rest;
}

/* ---- reading --------------------------------------------------------------------------------------------------------------------------- */

static void
start_element (GMarkupParseContext *context, const char *element, const char **names, const char **values, gpointer data, GError **error)
{
  Reader *reader = data;

  g_string_append_printf (reader->place, "%s%s", reader->place->len ? "/" : "", element);
  g_string_truncate (reader->text, 0);
  rest_open (&reader->photo_rest, element, names, values);
  if (reader->object_rest.depth > 0 || strcmp (reader->place->str, "annotation/object") == 0)
    rest_open (&reader->object_rest, element, names, values);
  if (strcmp (reader->place->str, "annotation/object") == 0)
    {
      g_clear_pointer (&reader->name, g_free);
      g_clear_pointer (&reader->pose, g_free);
      for (guint i = 0; i < N_NUMBERS; i++)
        if (i < WIDTH || i > PLANES)
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
  if (numbers[OCCLUDED] <= 0) /* most files don't say it */
    g_string_append (reader->object_rest.text, "\n<occluded>0</occluded>");
  box->more = make_more (reader->object_rest.text->str, "object", NAN);
  return TRUE;
}

static void
end_element (GMarkupParseContext *context, const char *element, gpointer data, GError **error)
{
  Reader     *reader = data;
  const char *place = reader->place->str;

  rest_close (&reader->photo_rest, element);
  if (reader->object_rest.depth > 0)
    rest_close (&reader->object_rest, element);
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
  Reader *reader = data;

  g_string_append_len (reader->text, text, (gssize) length);
  rest_add_text (&reader->photo_rest, text, length);
  rest_add_text (&reader->object_rest, text, length);
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
  reader->photo->more = make_more (reader->photo_rest.text->str, "annotation", reader->numbers[PLANES]);
  return TRUE;
}

static gboolean
read_file (FoveaLabels *labels, const char *path, const char *name, GError **error)
{
  static const GMarkupParser     parser = { start_element, end_element, add_text, NULL, NULL };
  g_autofree char               *text = label_files_load (path, error);
  g_autoptr (GString)            place = g_string_new (NULL), content = g_string_new (NULL), of_photo = g_string_new (NULL), of_object = g_string_new (NULL);
  Reader                         reader = { .labels = labels, .path = path, .place = place, .text = content, .photo_rest = { .known = known_of_photo, .indent = "", .text = of_photo },
                                            .object_rest = { .known = known_of_object, .indent = "", .text = of_object } };
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
  g_autofree char *name = g_markup_escape_text (box->label, -1), *pose = g_markup_escape_text (box->pose ? box->pose : NO_POSE, -1), *others = NULL;
  g_autofree char *start = read_more (box->more, "object", written_of_object, "    ", &others, NULL);

  g_string_append_printf (xml, "  %s\n    <name>%s</name>\n    <pose>%s</pose>\n    <truncated>%d</truncated>\n    <difficult>%d</difficult>\n", start, name, pose,
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
  g_string_append_printf (xml, "    </bndbox>%s\n  </object>\n", others);
}

gboolean
voc_write (const FoveaLabels *labels, const char *folder, GError **error)
{
  for (guint i = 0; i < labels->photos->len; i++)
    {
      const FoveaLabelPhoto *photo = g_ptr_array_index (labels->photos, i);
      g_autofree char       *name = label_files_exchange_suffix (photo->file, ".xml"), *path = g_build_filename (folder, "Annotations", name, NULL);
      g_autofree char       *file = g_markup_escape_text (photo->file, -1), *others = NULL;
      g_autoptr (GString)    xml = g_string_new (NULL);
      double                 depth;
      g_autofree char       *start = read_more (photo->more, "annotation", known_of_photo, "  ", &others, &depth);

      g_string_printf (xml, "%s\n  <filename>%s</filename>\n  <size>\n    <width>%d</width>\n    <height>%d</height>\n    <depth>%.0f</depth>\n  </size>%s\n", start,
                       file, photo->width, photo->height, depth, others);
      for (guint k = 0; k < photo->boxes->len; k++)
        write_box (xml, &g_array_index (photo->boxes, FoveaLabelBox, k));
      g_string_append (xml, "</annotation>\n");
      if (!label_files_save (path, xml->str, error))
        return FALSE;
    }
  return TRUE;
}
