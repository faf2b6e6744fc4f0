/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * label-files.c: labels that are written and read again are the same, and written once more the same text, whatever the classes are called; broken files are refused
 * in words. Polygons and masks of objects, too.
 */

#include <glib/gstdio.h>
#include <string.h>

#include "fovea.h"

static const char *const names[] = { "dog", "Hund, groß/klein", "犬 と 猫", "a \"quoted\" <b> & 'c'", " كلب: # [x]", "\\n -" };
static const FoveaLabelFormat formats[] = { FOVEA_LABELS_COCO, FOVEA_LABELS_YOLO, FOVEA_LABELS_VOC };

/* All photos of these tests are of one size. */
static gboolean
read_size (const char *path, int *width, int *height, gpointer unused, GError **error)
{
  *width = 4001;
  *height = 2999;
  return TRUE;
}

/* What COCO, YOLO and VOC say of an object beside its box. */
static void
add_objects (FoveaLabels *labels, FoveaLabelPhoto *photo, FoveaLabelFormat format)
{
  FoveaLabelBox *box = fovea_labels_add_box (labels, photo, names[1], -1, 10, 20, 390, 80);

  if (format == FOVEA_LABELS_VOC)
    {
      box->pose = g_strdup ("<Left> & \"up\"");
      box->is_truncated = box->is_occluded = TRUE;
      box->more = g_strdup ("{\"voc\":\"<object id=\\\"1 &lt; 2\\\">\\n<part>\\n  <name>a &amp; b</name></part>\\n<empty></empty>\"}");
      photo->more = g_strdup ("{\"voc\":\"<annotation>\\n<source><database>犬</database></source>\",\"voc_depth\":1.0}");
      fovea_labels_add_box (labels, photo, names[1], 0.5, 1, 2, 3, 4)->is_difficult = TRUE;
      return;
    }
  box->segmentation = g_strdup ("[[10, 20, 400, 30, 200, 100]]");
  if (format == FOVEA_LABELS_YOLO)
    return;
  box->area = 13.5;
  box = fovea_labels_add_box (labels, photo, names[0], -1, 0, 0, 1, 1);
  box->segmentation = g_strdup ("{\"size\": [2999, 4001], \"counts\": [2999, 10, 11995990]}");
  box->area = 10;
  box->is_crowd = TRUE;
  box = fovea_labels_add_box (labels, photo, names[0], 0.25, 1, 0, 1, 1);
  box->segmentation = g_strdup ("[[0, 0, 9, 0, 9, 9], [20.0625, 20, 20, 29.5, 29, 20.3333333333]]");
  box->area = 83.25;
  box->more = g_strdup ("{\"id\":2,\"keypoints\":[1,2.5,2],\"attributes\":{\"a, b\":null}}");
  photo->more = g_strdup ("{\"id\":-7,\"license\":1}");
  labels->more = g_strdup ("{\"info\":{\"year\":2026}}");
  g_hash_table_insert (labels->class_more, g_strdup (names[1]), g_strdup ("{\"id\":1,\"supercategory\":\"x\"}"));
}

static FoveaLabels *
make_labels (FoveaLabelFormat format)
{
  FoveaLabels     *labels = fovea_labels_new ();
  FoveaLabelPhoto *photo = fovea_labels_add_photo (labels, "a photo, one.jpg", 4001, 2999);

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      fovea_labels_add_box (labels, photo, names[i], i % 2 ? 0.125 * i : -1, 3 + 7 * i, 1 + i, 333 + i, 17 + 2 * i);
      fovea_labels_add_box (labels, photo, names[i], -1, 3.25 + 7.1 * i, 1 / 3.0, 333.3, 17.123456789);
    }
  photo = fovea_labels_add_photo (labels, "sub/b.c.png", 4001, 2999);
  fovea_labels_add_box (labels, photo, names[0], -1, 0, 0, 4001, 2999);
  add_objects (labels, fovea_labels_add_photo (labels, "写真.webp", 4001, 2999), format);
  return labels;
}

static void
check_same (const FoveaLabels *found, const FoveaLabels *expected, FoveaLabelFormat format)
{
  g_assert_cmpuint (found->classes->len, ==, expected->classes->len);
  for (guint i = 0; i < found->classes->len; i++)
    g_assert_cmpstr (found->classes->pdata[i], ==, expected->classes->pdata[i]);
  g_assert_cmpstr (found->more, ==, expected->more);
  if (format == FOVEA_LABELS_COCO) /* each class has a number, and no two the same */
    for (guint i = 0; i < found->classes->len; i++)
      for (guint k = 0; k < i; k++)
        g_assert_cmpstr (g_hash_table_lookup (found->class_more, found->classes->pdata[i]), !=, g_hash_table_lookup (found->class_more, found->classes->pdata[k]));
  g_assert_cmpuint (found->photos->len, ==, expected->photos->len);
  for (guint i = 0; i < found->photos->len; i++)
    {
      const FoveaLabelPhoto *photo = found->photos->pdata[i], *other = expected->photos->pdata[i];

      g_assert_cmpstr (photo->file, ==, other->file);
      g_assert_cmpint (photo->width, ==, other->width);
      g_assert_cmpint (photo->height, ==, other->height);
      g_assert_cmpuint (photo->boxes->len, ==, other->boxes->len);
      if (other->more)
        g_assert_cmpstr (photo->more, ==, other->more);
      for (guint k = 0; k < photo->boxes->len; k++)
        {
          const FoveaLabelBox *a = &g_array_index (photo->boxes, FoveaLabelBox, k), *b = &g_array_index (other->boxes, FoveaLabelBox, k);
          double               near = k % 2 ? 1e-6 : 0; /* whole pixels stay what they are */

          g_assert_cmpstr (a->label, ==, b->label);
          g_assert_cmpfloat_with_epsilon (a->score, b->score, 1e-9);
          g_assert_cmpfloat (ABS (a->x - b->x), <=, near);
          g_assert_cmpfloat (ABS (a->y - b->y), <=, near);
          g_assert_cmpfloat (ABS (a->width - b->width), <=, near);
          g_assert_cmpfloat (ABS (a->height - b->height), <=, near);
          g_assert_cmpstr (a->segmentation, ==, b->segmentation);
          g_assert_cmpstr (a->pose, ==, b->pose);
          if (b->more)
            g_assert_cmpstr (a->more, ==, b->more);
          g_assert_cmpint (a->is_crowd, ==, b->is_crowd);
          g_assert_cmpint (a->is_truncated + 2 * a->is_difficult + 4 * a->is_occluded, ==, b->is_truncated + 2 * b->is_difficult + 4 * b->is_occluded);
          if (format == FOVEA_LABELS_COCO)
            g_assert_cmpfloat_with_epsilon (a->area, b->area >= 0 ? b->area : b->width * b->height, 1e-9);
        }
    }
}

static char *
load (const char *folder, const char *name)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);
  char            *text = NULL;

  g_file_get_contents (path, &text, NULL, NULL);
  return text;
}

static void
test_round_trip (gconstpointer data)
{
  static const char *const files[] = { "annotations.json", "classes.txt", "data.yaml", "images.txt", "labels/a photo, one.txt", "labels/sub/b.c.txt", "labels/写真.txt",
                                       "Annotations/a photo, one.xml", "Annotations/sub/b.c.xml", "Annotations/写真.xml" };
  FoveaLabelFormat         format = *(const FoveaLabelFormat *) data;
  g_autofree char         *one = g_dir_make_tmp ("labels-XXXXXX", NULL), *two = g_dir_make_tmp ("labels-XXXXXX", NULL), *list = g_build_filename (one, "classes.txt", NULL);
  g_autoptr (FoveaLabels)  labels = make_labels (format), found = NULL, again = NULL;
  g_autoptr (GError)       error = NULL;
  guint                    n = 0;

  g_assert_true (fovea_labels_write (labels, format, one, &error));
  found = fovea_labels_read (one, format, read_size, NULL, &error);
  g_assert_no_error (error);
  check_same (found, labels, format);
  g_assert_true (fovea_labels_write (found, format, two, &error));
  for (guint i = 0; i < G_N_ELEMENTS (files); i++)
    {
      g_autofree char *first = load (one, files[i]), *second = load (two, files[i]);

      g_assert_cmpstr (first, ==, second);
      n += first != NULL;
    }
  g_assert_cmpuint (n, ==, format == FOVEA_LABELS_COCO ? 1 : format == FOVEA_LABELS_YOLO ? 6 : 3);
  if (format == FOVEA_LABELS_YOLO) /* the names of data.yaml are the same */
    {
      g_assert_cmpint (g_remove (list), ==, 0);
      again = fovea_labels_read (one, format, read_size, NULL, &error);
      g_assert_no_error (error);
      check_same (again, labels, format);
    }
}

/* ---- others' files ---------------------------------------------------------------------------------------------------------------------- */

typedef struct
{
  FoveaLabelFormat format;
  const char      *name, *text, *words; /* the message has these; NULL: it is read, and has one box: (10, 20), 30 × 40, of a “dog” */
} Case;

#define COCO(images, categories, annotations) "{\"images\": [" images "], \"categories\": [" categories "], \"annotations\": [" annotations "]}"
#define IMAGE    "{\"id\": 7, \"file_name\": \"a.jpg\", \"width\": 100, \"height\": 200}"
#define CATEGORY "{\"id\": 0, \"name\": \"dog\"}"
#define RUNS(size, counts) "{\"size\": " size ", \"counts\": " counts "}"
#define VOC(inside) "<annotation><filename>a.jpg</filename><size><width>100</width><height>200</height></size>" inside "</annotation>"
#define BOX "<bndbox><xmin>11</xmin><ymin>21</ymin><xmax>40</xmax><ymax>60</ymax></bndbox>"

static const Case cases[] = {
  { FOVEA_LABELS_COCO, "a.json", COCO (IMAGE, CATEGORY, "{\"image_id\": 7, \"category_id\": 0, \"segmentation\": [[10, 20, 40, 30], [15, 60, 12, 50]]}"), NULL },
  { FOVEA_LABELS_COCO, "a.json", COCO (IMAGE, CATEGORY, "{\"image_id\": 7, \"category_id\": 0, \"bbox\": [10, 20, 30, 40]}"), NULL },
  { FOVEA_LABELS_COCO, "a.json", COCO (IMAGE, CATEGORY, "{\"image_id\": 7, \"category_id\": 0, \"bbox\": [10, 20, -30, 40]}"), "can't be" },
  { FOVEA_LABELS_COCO, "a.json", COCO (IMAGE, CATEGORY, "{\"image_id\": 7, \"category_id\": 0, \"bbox\": [10, \"20\", 30, 40]}"), "neither a bbox" },
  { FOVEA_LABELS_COCO, "a.json", COCO (IMAGE, CATEGORY, "{\"image_id\": 7, \"category_id\": 0, \"bbox\": null, \"segmentation\": {\"counts\": 3}}"), "neither polygons" },
  { FOVEA_LABELS_COCO, "a.json", COCO (IMAGE, CATEGORY, "{\"image_id\": 7, \"category_id\": 0, \"bbox\": [10, 20, 30, 40], \"segmentation\": [[1, 2, 3]]}"), "neither polygons" },
  { FOVEA_LABELS_COCO, "a.json", COCO (IMAGE, CATEGORY, "{\"image_id\": 7, \"category_id\": 0, \"bbox\": [10, 20, 30, 40], \"area\": -1}"), "below 0" },
  { FOVEA_LABELS_COCO, "a.json", COCO (IMAGE, CATEGORY, "{\"image_id\": 7, \"category_id\": 0, \"bbox\": null, \"segmentation\": [[]]}"), "nor polygons" },
  { FOVEA_LABELS_COCO, "a.json", COCO (IMAGE, CATEGORY, "{\"image_id\": 7, \"category_id\": 0, \"segmentation\": " RUNS ("[200, 100]", "[2020, 40, 5760, 40, 12140]") "}"), NULL },
  { FOVEA_LABELS_COCO, "a.json", COCO (IMAGE, CATEGORY, "{\"image_id\": 7, \"category_id\": 0, \"segmentation\": " RUNS ("[200, 100]", "[2020, 40]") "}"), "neither polygons" },
  { FOVEA_LABELS_COCO, "a.json", COCO (IMAGE, CATEGORY, "{\"image_id\": 7, \"category_id\": 0, \"segmentation\": " RUNS ("[200, 100]", "[30000, -10000]") "}"), "neither polygons" },
  { FOVEA_LABELS_COCO, "a.json", COCO (IMAGE, CATEGORY, "{\"image_id\": 7, \"category_id\": 0, \"segmentation\": " RUNS ("[100, 200]", "[20000]") "}"), "neither polygons" },
  { FOVEA_LABELS_COCO, "a.json", COCO (IMAGE, CATEGORY, "{\"image_id\": 7, \"category_id\": 0, \"segmentation\": " RUNS ("[200, 100]", "\"P\"") "}"), "neither polygons" },
  { FOVEA_LABELS_COCO, "a.json", COCO (IMAGE, CATEGORY, "{\"image_id\": 8, \"category_id\": 0, \"bbox\": [10, 20, 30, 40]}"), "names no image" },
  { FOVEA_LABELS_COCO, "a.json", COCO (IMAGE, CATEGORY, "{\"image_id\": 7, \"category_id\": 1e300, \"bbox\": [10, 20, 30, 40]}"), "names no category" },
  { FOVEA_LABELS_COCO, "a.json", COCO ("{\"id\": 7, \"file_name\": \"a.jpg\", \"width\": 0, \"height\": 200}", CATEGORY, ""), "has no file_name" },
  { FOVEA_LABELS_COCO, "a.json", COCO (IMAGE, "3", ""), "category 1" },
  { FOVEA_LABELS_COCO, "a.json", "[1, 2]", "no COCO file" },
  { FOVEA_LABELS_COCO, "a.json", "{\"images\": [", "no JSON" },
  { FOVEA_LABELS_COCO, "a.json", "", "no COCO file" },
  { FOVEA_LABELS_COCO, "a.json", "\xff\xfe{", "UTF-8" },
  { FOVEA_LABELS_YOLO, "labels/a.txt", "1 0.25 0.2 0.3 0.2\r\n", NULL },
  { FOVEA_LABELS_YOLO, "labels/a.txt", "1 0.1 0.1 0.4 0.15 0.2 0.3\n\n", NULL },
  { FOVEA_LABELS_YOLO, "labels/a.txt", "2 0.25 0.2 0.3 0.2\n", "no class 2" },
  { FOVEA_LABELS_YOLO, "labels/a.txt", "0.5 0.25 0.2 0.3 0.2\n", "no class 0.5" },
  { FOVEA_LABELS_YOLO, "labels/a.txt", "1 0.25 0.2 0.3\n", "four numbers" },
  { FOVEA_LABELS_YOLO, "labels/a.txt", "1 0.25 0.2 nan 0.2\n", "no number" },
  { FOVEA_LABELS_YOLO, "labels/a.txt", "1 0.25 0.2 1e99 0.2\n", "can't be" },
  { FOVEA_LABELS_VOC, "Annotations/a.xml", VOC ("<object><name>dog</name>" BOX "</object>"), NULL },
  { FOVEA_LABELS_VOC, "Annotations/a.xml", VOC ("<object><name>dog</name><part><name>leg</name></part>" BOX "</object>"), NULL },
  { FOVEA_LABELS_VOC, "Annotations/a.xml", VOC ("<object>" BOX "</object>"), "no name" },
  { FOVEA_LABELS_VOC, "Annotations/a.xml", VOC ("<object><name></name>" BOX "</object>"), "no class" },
  { FOVEA_LABELS_VOC, "Annotations/a.xml", VOC ("<object><name>dog</name></object>"), "no bndbox" },
  { FOVEA_LABELS_VOC, "Annotations/a.xml", VOC ("<object><name>dog</name><bndbox><xmin>ten</xmin></bndbox></object>"), "“ten”" },
  { FOVEA_LABELS_VOC, "Annotations/a.xml", "<annotation><filename>a.jpg</filename></annotation>", "how large" },
  { FOVEA_LABELS_VOC, "Annotations/a.xml", "<annotation><filename>a.jpg</annotation>", "no sound XML" },
  { FOVEA_LABELS_VOC, "Annotations/a.xml", "", "no sound XML" },
};

static gboolean
read_small_size (const char *path, int *width, int *height, gpointer unused, GError **error)
{
  *width = 100;
  *height = 200;
  return TRUE;
}

static void
test_case (gconstpointer data)
{
  const Case             *one = data;
  g_autofree char        *folder = g_dir_make_tmp ("labels-XXXXXX", NULL), *path = g_build_filename (folder, one->name, NULL), *parent = g_path_get_dirname (path);
  g_autofree char        *yaml = g_build_filename (folder, "data.yaml", NULL);
  g_autoptr (GError)      error = NULL;
  g_autoptr (FoveaLabels) labels = NULL;
  const FoveaLabelPhoto  *photo;
  const FoveaLabelBox    *box;

  g_assert_cmpint (g_mkdir_with_parents (parent, 0777), ==, 0);
  g_assert_true (g_file_set_contents (path, one->text, -1, NULL));
  g_assert_true (g_file_set_contents (yaml, "nc: 2\nnames: ['cat, it''s', dog]\n", -1, NULL));
  labels = fovea_labels_read (folder, one->format, read_small_size, NULL, &error);
  if (one->words)
    {
      g_assert_null (labels);
      g_assert_error (error, FOVEA_ERROR, FOVEA_ERROR_FILE);
      g_assert_nonnull (strstr (error->message, one->words));
      return;
    }
  g_assert_no_error (error);
  g_assert_cmpuint (labels->photos->len, ==, 1);
  photo = labels->photos->pdata[0];
  g_assert_cmpuint (photo->boxes->len, ==, 1);
  box = &g_array_index (photo->boxes, FoveaLabelBox, 0);
  g_assert_cmpstr (box->label, ==, "dog");
  g_assert_cmpfloat_with_epsilon (box->x, 10, 1e-9);
  g_assert_cmpfloat_with_epsilon (box->y, 20, 1e-9);
  g_assert_cmpfloat_with_epsilon (box->width, 30, 1e-9);
  g_assert_cmpfloat_with_epsilon (box->height, 40, 1e-9);
}

static void
test_refused (void)
{
  static const char *const wrong[] = { "../a.jpg", "/a.jpg", "a\nb.jpg", "a//b.jpg", ".hidden.jpg" };
  g_autofree char         *folder = g_dir_make_tmp ("labels-XXXXXX", NULL), *deep = g_strnfill (200000, '['), *path = g_build_filename (folder, "deep.json", NULL);
  g_autoptr (GError)       error = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++)
    for (guint f = 1; f < G_N_ELEMENTS (formats); f++)
      {
        g_autoptr (FoveaLabels) labels = fovea_labels_new ();

        fovea_labels_add_photo (labels, wrong[i], 10, 10);
        g_assert_false (fovea_labels_write (labels, formats[f], folder, &error));
        g_assert_error (error, FOVEA_ERROR, FOVEA_ERROR_FILE);
        g_clear_error (&error);
      }
  g_assert_true (g_file_set_contents (path, deep, -1, NULL));
  for (guint f = 0; f < G_N_ELEMENTS (formats); f++)
    {
      g_assert_null (fovea_labels_read (folder, formats[f], read_size, NULL, &error));
      g_assert_error (error, FOVEA_ERROR, FOVEA_ERROR_FILE);
      g_clear_error (&error);
    }
}

/* ---- segmentations ---------------------------------------------------------------------------------------------------------------------- */

static char *
list_polygons (const char *segmentation)
{
  g_autoptr (GPtrArray) polygons = fovea_segmentation_get_polygons (segmentation);

  g_assert_nonnull (polygons);
  return fovea_segmentation_redraw (NULL, polygons, 1, 1);
}

/* What pycocotools makes of these lengths. */
static void
test_packed (void)
{
  static const struct { int height, width; const char *runs, *packed; } rows[] = {
    { 9, 10, "[6, 1, 40, 4, 5, 4, 5, 4, 21]", "\"61X13mN000`0\"" },
    { 4, 4, "[5, 2, 2, 2, 5]", "\"52203\"" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autofree char *plain = g_strdup_printf (RUNS ("[%d, %d]", "%s"), rows[i].height, rows[i].width, rows[i].runs);
      g_autofree char *packed = g_strdup_printf (RUNS ("[%d, %d]", "%s"), rows[i].height, rows[i].width, rows[i].packed);
      g_autofree char *one = list_polygons (plain), *other = list_polygons (packed), *plain_again = NULL, *packed_again = NULL;
      g_autoptr (GPtrArray) polygons = fovea_segmentation_get_polygons (packed);

      g_assert_true (fovea_segmentation_is_sound (packed, rows[i].width, rows[i].height));
      g_assert_false (fovea_segmentation_is_sound (packed, rows[i].width, rows[i].height + 1));
      g_assert_cmpstr (one, ==, other);
      plain_again = fovea_segmentation_redraw (plain, polygons, rows[i].width, rows[i].height);
      packed_again = fovea_segmentation_redraw (packed, polygons, rows[i].width, rows[i].height);
      g_assert_cmpstr (plain_again, ==, plain);
      g_assert_cmpstr (packed_again, ==, packed);
    }
}

/* A ring and a pixel that touches it with a corner, beside one alone; then noise: what surrounds a mask is that mask again. */
static void
test_masks (void)
{
  const char      *ring = RUNS ("[4, 6]", "[0, 3, 1, 1, 1, 1, 1, 3, 4, 1, 6, 1, 1]"); /* columns XXX., X.X., XXX., ...X, ...., ..X. */
  g_autofree char *around = list_polygons (ring);
  g_autoptr (GRand) random = g_rand_new_with_seed (1);

  g_assert_cmpstr (around, ==, "[[0, 0, 3, 0, 3, 3, 4, 3, 4, 4, 3, 4, 3, 3, 0, 3], [1, 2, 2, 2, 2, 1, 1, 1], [5, 2, 6, 2, 6, 3, 5, 3]]");
  for (int turn = 0; turn < 50; turn++)
    {
      int                   width = g_rand_int_range (random, 1, 20), height = g_rand_int_range (random, 1, 20), left = width * height;
      g_autoptr (GString)   runs = g_string_new (NULL);
      g_autofree char      *mask = NULL, *again = NULL;
      g_autoptr (GPtrArray) polygons = NULL;

      for (int run; left > 0; left -= run)
        {
          run = g_rand_int_range (random, 1, MIN (left, 5) + 1);
          g_string_append_printf (runs, "%s%d", runs->len ? ", " : "[", run);
        }
      mask = g_strdup_printf (RUNS ("[%d, %d]", "%s]"), height, width, runs->str);
      polygons = fovea_segmentation_get_polygons (mask);
      again = fovea_segmentation_redraw (mask, polygons, width, height);
      g_assert_cmpstr (again, ==, mask);
    }
}

/* An object of two parts is one polygon there: a line leads from part to part and back. */
static void
test_parts (void)
{
  g_autofree char        *folder = g_dir_make_tmp ("labels-XXXXXX", NULL), *text = NULL;
  g_autoptr (FoveaLabels) labels = fovea_labels_new ();
  g_autoptr (GError)      error = NULL;
  FoveaLabelPhoto        *photo = fovea_labels_add_photo (labels, "a.png", 10, 20);

  fovea_labels_add_box (labels, photo, "a", -1, 0, 0, 9, 9)->segmentation = g_strdup ("[[0, 0, 1, 0, 1, 2], [5, 10, 6, 10, 6, 12], [8, 0, 9, 0, 9, 2]]");
  g_assert_true (fovea_labels_write (labels, FOVEA_LABELS_YOLO, folder, &error));
  text = load (folder, "labels/a.txt");
  g_assert_cmpstr (text, ==, "0 0 0 0.1 0 0.1 0.1 0 0 0.5 0.5 0.6 0.5 0.6 0.6 0.5 0.5 0.8 0 0.9 0 0.9 0.1 0.8 0 0.5 0.5 0 0\n");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_data_func ("/label-files/round-trip/coco", &formats[0], test_round_trip);
  g_test_add_data_func ("/label-files/round-trip/yolo", &formats[1], test_round_trip);
  g_test_add_data_func ("/label-files/round-trip/voc", &formats[2], test_round_trip);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *path = g_strdup_printf ("/label-files/others/%u", i);

      g_test_add_data_func (path, &cases[i], test_case);
    }
  g_test_add_func ("/label-files/refused", test_refused);
  g_test_add_func ("/label-files/segmentations/packed", test_packed);
  g_test_add_func ("/label-files/segmentations/masks", test_masks);
  g_test_add_func ("/label-files/segmentations/parts", test_parts);
  return g_test_run ();
}
