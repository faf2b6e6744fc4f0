/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * yolo.c: labels as YOLO keeps them: class names in classes.txt or data.yaml, and for each photo a text file of lines “class x y width height [score]”, the box's
 * middle and size in shares of the photo's sides; or “class x y x y x y … [score]”, a polygon: where one object of a photo has that, all are written so, since others
 * take a file's lines for one or the other. images.txt lists the photos, since labels/NAME.txt doesn't say their suffix.
 */

#include "labels/label-files.h"

#include <glib/gi18n.h>
#include <json-glib/json-glib.h>
#include <math.h>
#include <string.h>

#define LAST_DIGIT 1e-10 /* of what label_files_number writes */

static const char *const photo_suffixes[] = { ".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".JPG", ".JPEG", ".PNG" };

/* ---- class names ----------------------------------------------------------------------------------------------------------------------- */

/* A name as YAML writes it: plain, in single quotes (doubled inside) or in double ones, which are JSON's. Free with g_free. */
static char *
read_yaml_text (const char *text)
{
  g_autofree char    *plain = g_strstrip (g_strdup (text));
  gsize               length = strlen (plain);
  g_autoptr (GString) single = NULL;

  if (length >= 2 && plain[0] == '"' && plain[length - 1] == '"')
    {
      g_autoptr (JsonNode) node = json_from_string (plain, NULL);

      return g_strdup (node && JSON_NODE_HOLDS_VALUE (node) && json_node_get_string (node) ? json_node_get_string (node) : plain);
    }
  if (length < 2 || plain[0] != '\'' || plain[length - 1] != '\'')
    return g_steal_pointer (&plain);
  single = g_string_new_len (plain + 1, (gssize) length - 2);
  g_string_replace (single, "''", "'", 0);
  return g_strdup (single->str);
}

/* [a, 'b, c', "d"] */
static void
read_yaml_list (GPtrArray *classes, const char *text)
{
  char        quote = 0;
  const char *start = text + 1;

  for (const char *at = start; *at; at++)
    {
      if (quote)
        {
          if (quote == '"' && *at == '\\' && at[1])
            at++;
          else if (*at == quote)
            quote = 0;
        }
      else if ((*at == '"' || *at == '\''))
        quote = *at;
      else if (*at == ',' || *at == ']')
        {
          g_autofree char *part = g_strndup (start, (gsize) (at - start)), *name = read_yaml_text (part);

          if (*name)
            g_ptr_array_add (classes, g_steal_pointer (&name));
          start = at + 1;
          if (*at == ']')
            return;
        }
    }
}

/* What follows “names:” in data.yaml: a list in brackets, lines “- name”, or lines “0: name” in order. */
static void
read_yaml (GPtrArray *classes, const char *text)
{
  const char    *names = g_str_has_prefix (text, "names:") ? text : strstr (text, "\nnames:");
  g_auto (GStrv) lines = NULL;

  if (!names)
    return;
  names = strchr (names, ':') + 1;
  names += strspn (names, " \t\r\n");
  if (*names == '[')
    {
      read_yaml_list (classes, names);
      return;
    }
  lines = g_strsplit (names, "\n", -1);
  for (guint i = 0; lines[i]; i++)
    {
      const char *line = lines[i] + strspn (lines[i], " \t"), *after = line + strspn (line, "0123456789");

      if (line[0] == '-')
        g_ptr_array_add (classes, read_yaml_text (line + 1));
      else if (after != line && *after == ':')
        g_ptr_array_add (classes, read_yaml_text (after + 1));
      else if (*line && *line != '#' && *line != '\r')
        return;
    }
}

static gboolean
read_classes (FoveaLabels *labels, const char *folder, GError **error)
{
  g_autofree char *list = g_build_filename (folder, "classes.txt", NULL), *yaml = g_build_filename (folder, "data.yaml", NULL);
  gboolean         is_list = g_file_test (list, G_FILE_TEST_EXISTS);
  g_autofree char *text = NULL;

  if (!is_list && !g_file_test (yaml, G_FILE_TEST_EXISTS))
    return label_files_fail (error, _("“%s” has neither classes.txt nor data.yaml, so that classes have no names. Choose the folder with one of them."), folder);
  text = label_files_load (is_list ? list : yaml, error);
  if (!text)
    return FALSE;
  if (is_list)
    {
      g_auto (GStrv) lines = g_strsplit (text, "\n", -1);

      for (guint i = 0; lines[i]; i++)
        {
          g_strdelimit (lines[i], "\r", '\0');
          if (*lines[i] || lines[i + 1])
            g_ptr_array_add (labels->classes, g_strdup (lines[i]));
        }
    }
  else
    read_yaml (labels->classes, text);
  if (labels->classes->len == 0)
    return label_files_fail (error, _("“%s” names no classes. Write them into it."), is_list ? list : yaml);
  return TRUE;
}

/* ---- boxes ----------------------------------------------------------------------------------------------------------------------------- */

/* A share of the side as pixels: whole ones where ten digits can't tell it from them. */
static double
to_pixels (double share, int side)
{
  double pixels = share * side;

  return fabs (pixels - round (pixels)) <= LAST_DIGIT * side ? round (pixels) : pixels;
}

/* numbers: n shares, x y x y …; *box gets the polygon, and what it reaches. */
static void
read_polygon (FoveaLabelBox *box, const FoveaLabelPhoto *photo, const double *numbers, guint n)
{
  g_autoptr (GPtrArray) polygons = g_ptr_array_new_with_free_func ((GDestroyNotify) g_array_unref);
  GArray               *points = g_array_new (FALSE, FALSE, sizeof (double));

  g_ptr_array_add (polygons, points);
  for (guint i = 0; i < n; i++)
    {
      double place = to_pixels (numbers[i], i % 2 ? photo->height : photo->width);

      g_array_append_val (points, place);
    }
  box->segmentation = fovea_segmentation_redraw (NULL, polygons, photo->width, photo->height);
  segmentation_get_box (box->segmentation, &box->x, &box->y, &box->width, &box->height);
}

static void
add_box (FoveaLabels *labels, FoveaLabelPhoto *photo, const char *label, const double *numbers, guint n)
{
  double left = to_pixels (numbers[0] - numbers[2] / 2, photo->width), right = to_pixels (numbers[0] + numbers[2] / 2, photo->width);
  double top = to_pixels (numbers[1] - numbers[3] / 2, photo->height), bottom = to_pixels (numbers[1] + numbers[3] / 2, photo->height);

  if (n > 5)
    read_polygon (fovea_labels_add_box (labels, photo, label, n % 2 ? numbers[n - 1] : -1, 0, 0, 0, 0), photo, numbers, n - n % 2);
  else
    fovea_labels_add_box (labels, photo, label, n == 5 ? numbers[4] : -1, left, top, right - left, bottom - top);
}

static gboolean
read_line (FoveaLabels *labels, FoveaLabelPhoto *photo, const char *line, const char *path, guint place, GError **error)
{
  g_auto (GStrv)    words = g_strsplit_set (line, " \t\r", -1);
  g_autoptr (GArray) numbers = g_array_new (FALSE, FALSE, sizeof (double));
  double            class = 0;
  guint             n;

  for (guint i = 0; words[i]; i++)
    {
      double number;

      if (!*words[i])
        continue;
      if (!label_files_parse (words[i], &number))
        return label_files_fail (error, _("“%s”, line %u: “%s” is no number. Correct the file."), path, place, words[i]);
      g_array_append_val (numbers, number);
    }
  if (numbers->len == 0)
    return TRUE;
  n = numbers->len - 1;
  class = g_array_index (numbers, double, 0);
  if (n < 4)
    return label_files_fail (error, _("“%s”, line %u: a class and four numbers are wanted, or a polygon's pairs. Correct the file."), path, place);
  if (!(class >= 0 && class < labels->classes->len) || floor (class) != class)
    return label_files_fail (error, _("“%s”, line %u: there is no class %g; the names are %u. Correct the file or the names."), path, place, class,
                             labels->classes->len);
  add_box (labels, photo, g_ptr_array_index (labels->classes, (guint) class), &g_array_index (numbers, double, 1), n);
  return TRUE;
}

/* ---- photos ---------------------------------------------------------------------------------------------------------------------------- */

/* The photo's name for a label file: that of the list, of the file in images/, or else without suffix. Free with g_free. */
static char *
find_photo (const char *folder, const char *name, GHashTable *listed)
{
  g_autofree char *stem = label_files_exchange_suffix (name, "");
  const char      *known = g_hash_table_lookup (listed, stem);

  if (known)
    return g_strdup (known);
  for (guint i = 0; i < G_N_ELEMENTS (photo_suffixes); i++)
    {
      g_autofree char *photo = g_strconcat (stem, photo_suffixes[i], NULL), *path = g_build_filename (folder, "images", photo, NULL);
      g_autofree char *beside = g_build_filename (folder, photo, NULL);

      if (g_file_test (path, G_FILE_TEST_EXISTS) || g_file_test (beside, G_FILE_TEST_EXISTS))
        return g_steal_pointer (&photo);
    }
  return g_steal_pointer (&stem);
}

static gboolean
read_photo (FoveaLabels *labels, const char *folder, const char *path, const char *file, FoveaReadSize read_size, gpointer user_data, GError **error)
{
  g_autofree char *text = label_files_load (path, error), *image = g_build_filename (folder, "images", file, NULL);
  g_auto (GStrv)   lines = NULL;
  FoveaLabelPhoto *photo;
  int              width = 0, height = 0;

  if (!text)
    return FALSE;
  if (!read_size)
    return label_files_fail (error, _("“%s”: YOLO's files don't say how large photos are. Open the photo."), path);
  if (!read_size (image, &width, &height, user_data, error))
    return FALSE;
  photo = fovea_labels_add_photo (labels, file, width, height);
  lines = g_strsplit (text, "\n", -1);
  for (guint i = 0; lines[i]; i++)
    if (!read_line (labels, photo, lines[i], path, i + 1, error))
      return FALSE;
  return TRUE;
}

/* Photos by their names without suffix, from images.txt; *order gets those in the list's order. */
static gboolean
read_list (const char *folder, GHashTable *listed, GPtrArray *order, GError **error)
{
  g_autofree char *path = g_build_filename (folder, "images.txt", NULL), *text = NULL;
  g_auto (GStrv)   lines = NULL;

  if (!g_file_test (path, G_FILE_TEST_EXISTS))
    return TRUE;
  text = label_files_load (path, error);
  if (!text)
    return FALSE;
  lines = g_strsplit (text, "\n", -1);
  for (guint i = 0; lines[i]; i++)
    {
      const char *file = g_strdelimit (lines[i], "\r", '\0');

      file += g_str_has_prefix (file, "./") ? 2 : 0;
      file += g_str_has_prefix (file, "images/") ? strlen ("images/") : 0;
      if (*file)
        {
          g_hash_table_insert (listed, label_files_exchange_suffix (file, ""), g_strdup (file));
          g_ptr_array_add (order, label_files_exchange_suffix (file, ".txt"));
        }
    }
  return TRUE;
}

gboolean
yolo_read (FoveaLabels *labels, const char *path, FoveaReadSize read_size, gpointer user_data, GError **error)
{
  g_autofree char       *folder = g_file_test (path, G_FILE_TEST_IS_DIR) ? g_strdup (path) : g_path_get_dirname (path);
  g_autofree char       *inner = g_build_filename (folder, "labels", NULL);
  const char            *texts = g_file_test (inner, G_FILE_TEST_IS_DIR) ? inner : folder;
  g_autoptr (GHashTable) listed = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  g_autoptr (GPtrArray)  names = g_ptr_array_new_with_free_func (g_free), files = NULL;

  if (!read_classes (labels, folder, error) || !read_list (folder, listed, names, error) || !(files = label_files_list (texts, ".txt", error)))
    return FALSE;
  for (guint i = names->len; i-- > 0;)
    if (!g_ptr_array_find_with_equal_func (files, g_ptr_array_index (names, i), g_str_equal, NULL))
      g_ptr_array_remove_index (names, i); /* listed only */
  for (guint i = 0; i < files->len; i++)
    {
      const char      *name = g_ptr_array_index (files, i);
      g_autofree char *stem = label_files_exchange_suffix (name, "");

      if (!g_hash_table_contains (listed, stem) && (texts == inner || (strcmp (name, "classes.txt") != 0 && strcmp (name, "images.txt") != 0)))
        g_ptr_array_add (names, g_strdup (name));
    }
  for (guint i = 0; i < names->len; i++)
    {
      g_autofree char *text = g_build_filename (texts, g_ptr_array_index (names, i), NULL), *file = find_photo (folder, g_ptr_array_index (names, i), listed);

      if (!read_photo (labels, folder, text, file, read_size, user_data, error))
        return FALSE;
    }
  return TRUE;
}

/* ---- writing --------------------------------------------------------------------------------------------------------------------------- */

/* In shares of the photo; the parts of an outline that has several are joined by lines there and back. Free with g_array_unref; empty: it has none. */
static GArray *
list_outline (const FoveaLabelBox *box, const FoveaLabelPhoto *photo)
{
  GArray               *numbers = g_array_new (FALSE, FALSE, sizeof (double));
  g_autoptr (GPtrArray) polygons = box->segmentation ? fovea_segmentation_get_polygons (box->segmentation) : NULL;

  for (guint i = 0; polygons && i < polygons->len; i++)
    {
      const GArray *points = polygons->pdata[i];

      g_array_append_vals (numbers, points->data, points->len);
      if (polygons->len > 1)
        g_array_append_vals (numbers, points->data, 2);
    }
  for (guint i = 1; polygons && i < polygons->len; i++)
    g_array_append_vals (numbers, ((const GArray *) polygons->pdata[polygons->len - 1 - i])->data, 2);
  for (guint i = 0; i < numbers->len; i++)
    g_array_index (numbers, double, i) /= i % 2 ? photo->height : photo->width;
  return g_array_set_size (numbers, numbers->len < 6 ? 0 : numbers->len);
}

/* The numbers of a line. Free with g_array_unref. */
static GArray *
list_numbers (const FoveaLabelBox *box, const FoveaLabelPhoto *photo, gboolean as_outline)
{
  const double left = box->x / photo->width, right = (box->x + box->width) / photo->width, top = box->y / photo->height, bottom = (box->y + box->height) / photo->height;
  const double corners[] = { left, top, right, top, right, bottom, left, bottom };
  const double middle[] = { (box->x + box->width / 2) / photo->width, (box->y + box->height / 2) / photo->height, box->width / photo->width, box->height / photo->height };
  GArray      *numbers = list_outline (box, photo);

  if (numbers->len == 0 && as_outline)
    g_array_append_vals (numbers, corners, G_N_ELEMENTS (corners));
  else if (numbers->len == 0)
    g_array_append_vals (numbers, middle, G_N_ELEMENTS (middle));
  if (box->score >= 0)
    g_array_append_val (numbers, box->score);
  return numbers;
}

static gboolean
write_photo (const FoveaLabels *labels, const FoveaLabelPhoto *photo, const char *folder, GError **error)
{
  g_autofree char    *name = label_files_exchange_suffix (photo->file, ".txt"), *path = g_build_filename (folder, "labels", name, NULL);
  g_autoptr (GString) text = g_string_new (NULL);
  gboolean            as_outlines = FALSE;

  for (guint k = 0; k < photo->boxes->len && !as_outlines; k++)
    {
      g_autoptr (GArray) numbers = list_outline (&g_array_index (photo->boxes, FoveaLabelBox, k), photo);

      as_outlines = numbers->len > 0;
    }
  for (guint k = 0; k < photo->boxes->len; k++)
    {
      const FoveaLabelBox *box = &g_array_index (photo->boxes, FoveaLabelBox, k);
      g_autoptr (GArray)   numbers = list_numbers (box, photo, as_outlines);

      g_string_append_printf (text, "%d", fovea_labels_find_class (labels, box->label));
      for (guint i = 0; i < numbers->len; i++)
        {
          g_autofree char *number = label_files_number (g_array_index (numbers, double, i));

          g_string_append_printf (text, " %s", number);
        }
      g_string_append_c (text, '\n');
    }
  return label_files_save (path, text->str, error);
}

gboolean
yolo_write (const FoveaLabels *labels, const char *folder, GError **error)
{
  g_autofree char    *list = g_build_filename (folder, "classes.txt", NULL), *data = g_build_filename (folder, "data.yaml", NULL);
  g_autofree char    *photos = g_build_filename (folder, "images.txt", NULL);
  g_autoptr (GString) names = g_string_new (NULL), yaml = g_string_new ("path: .\ntrain: images.txt\nval: images.txt\nnames:\n"), files = g_string_new (NULL);

  for (guint i = 0; i < labels->classes->len; i++)
    {
      const char          *name = g_ptr_array_index (labels->classes, i);
      g_autoptr (JsonNode) node = json_node_init_string (json_node_alloc (), name);
      g_autofree char     *quoted = json_to_string (node, FALSE);

      if (strpbrk (name, "\n\r"))
        return label_files_fail (error, _("The class “%s” has a line break in its name, which YOLO's files can't keep. Rename it."), name);
      g_string_append_printf (names, "%s\n", name);
      g_string_append_printf (yaml, "  %u: %s\n", i, quoted);
    }
  for (guint i = 0; i < labels->photos->len; i++)
    {
      const FoveaLabelPhoto *photo = g_ptr_array_index (labels->photos, i);

      g_string_append_printf (files, "./images/%s\n", photo->file);
      if (!write_photo (labels, photo, folder, error))
        return FALSE;
    }
  return label_files_save (list, names->str, error) && label_files_save (data, yaml->str, error) && label_files_save (photos, files->str, error);
}
