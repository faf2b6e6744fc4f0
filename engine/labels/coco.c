/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * coco.c: labels as COCO keeps them: one JSON file with images, categories and annotations that name both by number. cocodataset.org/#format-data
 */

#include "labels/label-files.h"

#include <glib/gi18n.h>
#include <json-glib/json-glib.h>
#include <math.h>
#include <string.h>

#define FILE_NAME  "annotations.json"
#define LARGEST_ID 1e15

/* What is read and written by itself; all else is kept as it is. */
static const char *const file_members[] = { "images", "categories", "annotations", NULL }, *const image_members[] = { "file_name", "width", "height", NULL },
                  *const category_members[] = { "name", NULL },
                  *const annotation_members[] = { "image_id", "category_id", "bbox", "area", "iscrowd", "segmentation", "score", NULL };

/* ---- reading --------------------------------------------------------------------------------------------------------------------------- */

static gboolean
read_member (JsonObject *object, const char *name, double lowest, double highest, gint64 *integer)
{
  double number;

  if (!label_files_read_number (json_object_get_member (object, name), lowest, highest, &number) || floor (number) != number)
    return FALSE;
  *integer = (gint64) number;
  return TRUE;
}

/* NULL: there is none. Borrowed. */
static const char *
read_text (JsonObject *object, const char *name)
{
  JsonNode *node = json_object_get_member (object, name);

  return node && JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_STRING ? json_node_get_string (node) : NULL;
}

static JsonArray *
read_array (JsonObject *object, const char *name)
{
  JsonNode *node = json_object_get_member (object, name);

  return node && JSON_NODE_HOLDS_ARRAY (node) ? json_node_get_array (node) : NULL;
}

static JsonObject *
nth_object (JsonArray *array, guint i)
{
  JsonNode *node = json_array_get_element (array, i);

  return JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
}

/* The object without the members that are known, as text. NULL: nothing is left. Free with g_free. */
static char *
read_more (JsonObject *object, const char *const *known)
{
  g_autoptr (JsonObject) more = json_object_new ();
  g_autoptr (JsonNode)   node = json_node_init_object (json_node_alloc (), more);
  g_autoptr (GList)      names = json_object_get_members (object);

  for (const GList *name = names; name; name = name->next)
    if (!g_strv_contains (known, name->data))
      json_object_set_member (more, name->data, json_node_copy (json_object_get_member (object, name->data)));
  return json_object_get_size (more) > 0 ? json_to_string (node, FALSE) : NULL;
}

/* What stands there of the object; FALSE: neither a box nor what surrounds it. */
static gboolean
read_place (JsonObject *annotation, FoveaLabelBox *box)
{
  JsonArray *numbers = read_array (annotation, "bbox");
  double    *to[4] = { &box->x, &box->y, &box->width, &box->height };

  if (!numbers || json_array_get_length (numbers) != G_N_ELEMENTS (to))
    return box->segmentation && segmentation_get_box (box->segmentation, &box->x, &box->y, &box->width, &box->height);
  for (guint k = 0; k < G_N_ELEMENTS (to); k++)
    if (!label_files_read_number (json_array_get_element (numbers, k), -G_MAXDOUBLE, G_MAXDOUBLE, to[k]))
      return FALSE;
  return TRUE;
}

/* FALSE: it can't be. */
static gboolean
read_shape (JsonObject *annotation, const FoveaLabelPhoto *photo, FoveaLabelBox *box)
{
  JsonNode *node = json_object_get_member (annotation, "segmentation");
  gboolean  is_sound = TRUE;
  gint64    is_crowd = 0;

  if (node && !JSON_NODE_HOLDS_NULL (node))
    box->segmentation = segmentation_read (node, photo->width, photo->height, &is_sound);
  if (label_files_read_number (json_object_get_member (annotation, "area"), -G_MAXDOUBLE, G_MAXDOUBLE, &box->area) && box->area < 0)
    return FALSE;
  box->is_crowd = read_member (annotation, "iscrowd", 0, 1, &is_crowd) && is_crowd;
  return is_sound;
}

static gboolean
read_categories (FoveaLabels *labels, JsonArray *categories, GHashTable *names, const char *path, GError **error)
{
  for (guint i = 0; i < json_array_get_length (categories); i++)
    {
      JsonObject *category = nth_object (categories, i);
      const char *name = category ? read_text (category, "name") : NULL;
      gint64      id;

      if (!name || !read_member (category, "id", -G_MAXINT32, G_MAXINT32, &id))
        return label_files_fail (error, _("“%s”: category %u has no name or no id. Correct the file."), path, i + 1);
      g_hash_table_insert (names, GINT_TO_POINTER ((int) id), g_strdup (name));
      if (fovea_labels_find_class (labels, name) < 0)
        g_hash_table_insert (labels->class_more, g_strdup (name), read_more (category, category_members));
      fovea_labels_add_class (labels, name);
    }
  return TRUE;
}

static gboolean
read_images (FoveaLabels *labels, JsonArray *images, GHashTable *photos, const char *path, GError **error)
{
  for (guint i = 0; i < json_array_get_length (images); i++)
    {
      JsonObject *image = nth_object (images, i);
      const char *file = image ? read_text (image, "file_name") : NULL;
      gint64      id, width, height;
      gint64     *key;
      FoveaLabelPhoto *photo;

      if (!file || !read_member (image, "id", -LARGEST_ID, LARGEST_ID, &id) || !read_member (image, "width", 1, FOVEA_LABELS_LARGEST, &width)
          || !read_member (image, "height", 1, FOVEA_LABELS_LARGEST, &height))
        return label_files_fail (error, _("“%s”: image %u has no file_name, id, width or height. Correct the file."), path, i + 1);
      key = g_memdup2 (&id, sizeof id);
      photo = fovea_labels_add_photo (labels, file, (int) width, (int) height);
      photo->more = read_more (image, image_members);
      g_hash_table_insert (photos, key, photo);
    }
  return TRUE;
}

static gboolean
read_annotations (FoveaLabels *labels, JsonArray *annotations, GHashTable *names, GHashTable *photos, const char *path, GError **error)
{
  for (guint i = 0; i < json_array_get_length (annotations); i++)
    {
      JsonObject      *annotation = nth_object (annotations, i);
      gint64           image, category;
      FoveaLabelPhoto *photo;
      const char      *name;
      FoveaLabelBox   *box;

      if (!annotation || !read_member (annotation, "image_id", -LARGEST_ID, LARGEST_ID, &image) || !(photo = g_hash_table_lookup (photos, &image)))
        return label_files_fail (error, _("“%s”: annotation %u names no image that the file lists. Correct the file."), path, i + 1);
      if (!read_member (annotation, "category_id", -G_MAXINT32, G_MAXINT32, &category) || !(name = g_hash_table_lookup (names, GINT_TO_POINTER ((int) category))))
        return label_files_fail (error, _("“%s”: annotation %u names no category that the file lists. Correct the file."), path, i + 1);
      box = fovea_labels_add_box (labels, photo, name, -1, 0, 0, 0, 0);
      if (!read_shape (annotation, photo, box))
        return label_files_fail (error, _("“%s”: annotation %u has a segmentation that is neither polygons nor the runs of a mask of the image's size, or an area below 0. "
                                   "Correct the file."), path, i + 1);
      if (!read_place (annotation, box))
        return label_files_fail (error, _("“%s”: annotation %u has neither a bbox of four numbers nor polygons. Correct the file."), path, i + 1);
      label_files_read_number (json_object_get_member (annotation, "score"), -G_MAXDOUBLE, G_MAXDOUBLE, &box->score);
      box->more = read_more (annotation, annotation_members);
    }
  return TRUE;
}

/* The file that a folder keeps its labels in. Free with g_free; NULL with an error. */
static char *
find_file (const char *folder, GError **error)
{
  g_autofree char      *usual = g_build_filename (folder, FILE_NAME, NULL);
  g_autoptr (GPtrArray) files = NULL;

  if (g_file_test (usual, G_FILE_TEST_EXISTS))
    return g_steal_pointer (&usual);
  files = label_files_list (folder, ".json", error);
  if (files && files->len != 1)
    label_files_fail (error, _("The folder “%s” has %u JSON files, none of them named %s. Choose the file itself."), folder, files->len, FILE_NAME);
  return files && files->len == 1 ? g_build_filename (folder, g_ptr_array_index (files, 0), NULL) : NULL;
}

gboolean
coco_read (FoveaLabels *labels, const char *path, GError **error)
{
  g_autofree char       *file = g_file_test (path, G_FILE_TEST_IS_DIR) ? find_file (path, error) : g_strdup (path);
  g_autofree char       *text = file ? label_files_load (file, error) : NULL;
  g_autoptr (JsonParser) parser = json_parser_new ();
  g_autoptr (GHashTable) names = g_hash_table_new_full (NULL, NULL, NULL, g_free);
  g_autoptr (GHashTable) photos = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
  g_autoptr (GError)     local = NULL;
  JsonNode              *root;
  JsonArray             *images, *categories, *annotations;

  if (!text)
    return FALSE;
  if (!json_parser_load_from_data (parser, text, -1, &local))
    return label_files_fail (error, _("“%s” is no JSON: %s. Correct the file."), file, local->message);
  root = json_parser_get_root (parser);
  images = root && JSON_NODE_HOLDS_OBJECT (root) ? read_array (json_node_get_object (root), "images") : NULL;
  categories = images ? read_array (json_node_get_object (root), "categories") : NULL;
  annotations = images ? read_array (json_node_get_object (root), "annotations") : NULL;
  if (!images || !categories || !annotations)
    return label_files_fail (error, _("“%s” is no COCO file: it has no lists of images, categories and annotations. Choose another."), file);
  labels->more = read_more (json_node_get_object (root), file_members);
  return read_categories (labels, categories, names, file, error) && read_images (labels, images, photos, file, error)
         && read_annotations (labels, annotations, names, photos, file, error);
}

/* ---- writing: by hand, since numbers must be as label_files_number has them ------------------------------------------------------------- */

static char *
quote (const char *text)
{
  g_autoptr (JsonNode) node = json_node_init_string (json_node_alloc (), text);

  return json_to_string (node, FALSE);
}

static gboolean
read_id (const char *more, gint64 *id)
{
  g_autoptr (JsonNode) node = more ? json_from_string (more, NULL) : NULL;

  return node && JSON_NODE_HOLDS_OBJECT (node) && read_member (json_node_get_object (node), "id", -LARGEST_ID, LARGEST_ID, id);
}

/* Each gets the id that it had, unless another has it already; the others, those from 1 that nobody has. mores: of char*. Free with g_free. */
static gint64 *
choose_ids (const GPtrArray *mores)
{
  g_autoptr (GHashTable) taken = g_hash_table_new (g_int64_hash, g_int64_equal);
  g_autofree gboolean   *has = g_new0 (gboolean, mores->len);
  gint64                *ids = g_new0 (gint64, mores->len), next = 1;

  for (guint i = 0; i < mores->len; i++)
    has[i] = read_id (mores->pdata[i], &ids[i]) && g_hash_table_add (taken, &ids[i]);
  for (guint i = 0; i < mores->len; i++)
    if (!has[i])
      {
        while (g_hash_table_contains (taken, &next))
          next++;
        ids[i] = next++;
      }
  return ids;
}

/* Its members but for the id, each after a comma. */
static void
write_more (GString *json, const char *more)
{
  g_autoptr (JsonNode) node = more ? json_from_string (more, NULL) : NULL;
  JsonObject          *object = node && JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
  g_autoptr (GList)    names = object ? json_object_get_members (object) : NULL;

  for (const GList *name = names; name; name = name->next)
    {
      g_autofree char *key = quote (name->data), *value = json_to_string (json_object_get_member (object, name->data), FALSE);

      if (strcmp (name->data, "id") != 0)
        g_string_append_printf (json, ", %s: %s", key, value);
    }
}

static void
write_annotation (GString *json, const FoveaLabelBox *box, gint64 image, gint64 category, gint64 id)
{
  double           whole = box->area >= 0 ? box->area : box->segmentation ? segmentation_get_area (box->segmentation) : box->width * box->height;
  g_autofree char *x = label_files_number (box->x), *y = label_files_number (box->y), *width = label_files_number (box->width),
                  *height = label_files_number (box->height), *area = label_files_number (whole);

  g_string_append_printf (json, "    {\"id\": %" G_GINT64_FORMAT ", \"image_id\": %" G_GINT64_FORMAT ", \"category_id\": %" G_GINT64_FORMAT
                          ", \"bbox\": [%s, %s, %s, %s], \"area\": %s, \"iscrowd\": %d, \"segmentation\": %s", id, image, category, x, y, width, height, area,
                          box->is_crowd, box->segmentation ? box->segmentation : "[]");
  if (box->score >= 0)
    {
      g_autofree char *score = label_files_number (box->score);

      g_string_append_printf (json, ", \"score\": %s", score);
    }
  write_more (json, box->more);
  g_string_append_c (json, '}');
}

static void
write_images (GString *json, const FoveaLabels *labels, const gint64 *ids)
{
  for (guint i = 0; i < labels->photos->len; i++)
    {
      const FoveaLabelPhoto *photo = g_ptr_array_index (labels->photos, i);
      g_autofree char       *file = quote (photo->file);

      g_string_append_printf (json, "%s\n    {\"id\": %" G_GINT64_FORMAT ", \"file_name\": %s, \"width\": %d, \"height\": %d", i ? "," : "", ids[i], file,
                              photo->width, photo->height);
      write_more (json, photo->more);
      g_string_append_c (json, '}');
    }
}

static void
write_categories (GString *json, const FoveaLabels *labels, const gint64 *ids)
{
  for (guint i = 0; i < labels->classes->len; i++)
    {
      g_autofree char *name = quote (g_ptr_array_index (labels->classes, i));

      g_string_append_printf (json, "%s\n    {\"id\": %" G_GINT64_FORMAT ", \"name\": %s", i ? "," : "", ids[i], name);
      write_more (json, g_hash_table_lookup (labels->class_more, g_ptr_array_index (labels->classes, i)));
      g_string_append_c (json, '}');
    }
}

/* Of char*: what else is known of each class, photo and box. */
static void
list_mores (const FoveaLabels *labels, GPtrArray *classes, GPtrArray *photos, GPtrArray *boxes)
{
  for (guint i = 0; i < labels->classes->len; i++)
    g_ptr_array_add (classes, g_hash_table_lookup (labels->class_more, labels->classes->pdata[i]));
  for (guint i = 0; i < labels->photos->len; i++)
    {
      const FoveaLabelPhoto *photo = labels->photos->pdata[i];

      g_ptr_array_add (photos, photo->more);
      for (guint k = 0; k < photo->boxes->len; k++)
        g_ptr_array_add (boxes, g_array_index (photo->boxes, FoveaLabelBox, k).more);
    }
}

gboolean
coco_write (const FoveaLabels *labels, const char *folder, GError **error)
{
  g_autofree char      *path = g_build_filename (folder, FILE_NAME, NULL);
  g_autoptr (GString)   json = g_string_new ("{\n  \"images\": [");
  g_autoptr (GPtrArray) classes = g_ptr_array_new (), photos = g_ptr_array_new (), boxes = g_ptr_array_new ();
  g_autofree gint64    *categories = NULL, *images = NULL, *ids = NULL;
  guint                 n = 0;

  list_mores (labels, classes, photos, boxes);
  categories = choose_ids (classes);
  images = choose_ids (photos);
  ids = choose_ids (boxes);
  write_images (json, labels, images);
  g_string_append (json, "\n  ],\n  \"categories\": [");
  write_categories (json, labels, categories);
  g_string_append (json, "\n  ],\n  \"annotations\": [");
  for (guint i = 0; i < labels->photos->len; i++)
    {
      const FoveaLabelPhoto *photo = g_ptr_array_index (labels->photos, i);

      for (guint k = 0; k < photo->boxes->len; k++, n++)
        {
          const FoveaLabelBox *box = &g_array_index (photo->boxes, FoveaLabelBox, k);

          g_string_append (json, n ? ",\n" : "\n");
          write_annotation (json, box, images[i], categories[fovea_labels_find_class (labels, box->label)], ids[n]);
        }
    }
  g_string_append (json, "\n  ]");
  write_more (json, labels->more);
  g_string_append (json, "\n}\n");
  return label_files_save (path, json->str, error);
}

char *
fovea_label_more_moved (const char *more)
{
  static const char *const places[] = { "keypoints", "num_keypoints", NULL };
  g_autoptr (JsonNode)     node = more ? json_from_string (more, NULL) : NULL;
  JsonObject              *object = node && JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
  const char              *voc = object ? read_text (object, "voc") : NULL;
  g_autofree char         *moved = voc ? voc_rest_moved (voc) : NULL;

  if (moved)
    json_object_set_string_member (object, "voc", moved);
  return object ? read_more (object, places) : NULL;
}
