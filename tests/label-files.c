/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * label-files.c: labels that are written and read again are the same, and written once more the same text, whatever the classes are called; broken files are refused
 * in words.
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

static FoveaLabels *
make_labels (void)
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
  fovea_labels_add_photo (labels, "写真.webp", 4001, 2999);
  return labels;
}

static void
check_same (const FoveaLabels *found, const FoveaLabels *expected)
{
  g_assert_cmpuint (found->classes->len, ==, expected->classes->len);
  for (guint i = 0; i < found->classes->len; i++)
    g_assert_cmpstr (found->classes->pdata[i], ==, expected->classes->pdata[i]);
  g_assert_cmpuint (found->photos->len, ==, expected->photos->len);
  for (guint i = 0; i < found->photos->len; i++)
    {
      const FoveaLabelPhoto *photo = found->photos->pdata[i], *other = expected->photos->pdata[i];

      g_assert_cmpstr (photo->file, ==, other->file);
      g_assert_cmpint (photo->width, ==, other->width);
      g_assert_cmpint (photo->height, ==, other->height);
      g_assert_cmpuint (photo->boxes->len, ==, other->boxes->len);
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
  g_autoptr (FoveaLabels)  labels = make_labels (), found = NULL, again = NULL;
  g_autoptr (GError)       error = NULL;
  guint                    n = 0;

  g_assert_true (fovea_labels_write (labels, format, one, &error));
  found = fovea_labels_read (one, format, read_size, NULL, &error);
  g_assert_no_error (error);
  check_same (found, labels);
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
      check_same (again, labels);
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
#define VOC(inside) "<annotation><filename>a.jpg</filename><size><width>100</width><height>200</height></size>" inside "</annotation>"
#define BOX "<bndbox><xmin>11</xmin><ymin>21</ymin><xmax>40</xmax><ymax>60</ymax></bndbox>"

static const Case cases[] = {
  { FOVEA_LABELS_COCO, "a.json", COCO (IMAGE, CATEGORY, "{\"image_id\": 7, \"category_id\": 0, \"segmentation\": [[10, 20, 40, 30], [15, 60, 12, 50]]}"), NULL },
  { FOVEA_LABELS_COCO, "a.json", COCO (IMAGE, CATEGORY, "{\"image_id\": 7, \"category_id\": 0, \"bbox\": [10, 20, 30, 40]}"), NULL },
  { FOVEA_LABELS_COCO, "a.json", COCO (IMAGE, CATEGORY, "{\"image_id\": 7, \"category_id\": 0, \"bbox\": [10, 20, -30, 40]}"), "can't be" },
  { FOVEA_LABELS_COCO, "a.json", COCO (IMAGE, CATEGORY, "{\"image_id\": 7, \"category_id\": 0, \"bbox\": [10, \"20\", 30, 40]}"), "neither a bbox" },
  { FOVEA_LABELS_COCO, "a.json", COCO (IMAGE, CATEGORY, "{\"image_id\": 7, \"category_id\": 0, \"bbox\": null, \"segmentation\": {\"counts\": 3}}"), "nor polygons" },
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
  return g_test_run ();
}
