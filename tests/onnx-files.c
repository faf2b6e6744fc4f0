/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * onnx-files.c: weights in files beside the model: they are found inside its folder and nowhere else; and the pages of mapped files.
 */

#include <errno.h>
#include <glib/gstdio.h>
#include <unistd.h>

#include "model/mapping.h"
#include "small-onnx.h"

typedef struct
{
  char *folder, *outside;
} Folders;

static void
folders_set_up (Folders *folders, gconstpointer data)
{
  g_autofree char *within = NULL;

  folders->folder = g_dir_make_tmp ("fovea-XXXXXX", NULL);
  folders->outside = g_dir_make_tmp ("fovea-XXXXXX", NULL);
  within = g_build_filename (folders->folder, "data", NULL);
  g_assert_no_errno (g_mkdir (within, 0700));
}

static void
remove_folder (char *folder)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *name;

  while ((name = g_dir_read_name (dir)))
    {
      g_autofree char *path = g_build_filename (folder, name, NULL);

      if (g_file_test (path, G_FILE_TEST_IS_DIR) && !g_file_test (path, G_FILE_TEST_IS_SYMLINK))
        remove_folder (g_steal_pointer (&path));
      else
        g_unlink (path);
    }
  g_rmdir (folder);
  g_free (folder);
}

static void
folders_tear_down (Folders *folders, gconstpointer data)
{
  remove_folder (folders->folder);
  remove_folder (folders->outside);
}

static char *
put_file (const char *folder, const char *name, gconstpointer data, gsize size)
{
  char *path = g_build_filename (folder, name, NULL);
  g_autoptr (GError) error = NULL;

  g_file_set_contents (path, data, (gssize) size, &error);
  g_assert_no_error (error);
  return path;
}

/* A model with w (2 float32) in file `location`, loaded from folder; offset and length may be NULL. */
static FoveaModel *
load_external (const Folders *folders, const char *location, const char *offset, const char *length, GError **error)
{
  Wire *tensor = wire_int (wire_tensor ("w", ONNX_FLOAT, DIMS (2)), 14, 1), *wire;
  g_autofree char *path = NULL;

  wire_message (tensor, 13, wire_text (wire_text (wire_new (), 1, "location"), 2, location));
  if (offset)
    wire_message (tensor, 13, wire_text (wire_text (wire_new (), 1, "offset"), 2, offset));
  if (length)
    wire_message (tensor, 13, wire_text (wire_text (wire_new (), 1, "length"), 2, length));
  wire = with_tensor (tensor);
  path = put_file (folders->folder, "my model.onnx", wire->data, wire->len);
  g_byte_array_unref (wire);
  return fovea_model_load (path, error);
}

static void
assert_external_refused (const Folders *folders, const char *location, const char *offset, const char *length, const char *words)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (FoveaModel) model = load_external (folders, location, offset, length, &error);

  g_assert_null (model);
  if (!strstr (error->message, words))
    g_error ("“%s” isn't in “%s”", words, error->message);
  g_assert_nonnull (strstr (error->message, "Model “my model.onnx”: tensor “w”: "));
}

static void
test_external (Folders *folders, gconstpointer data)
{
  static const float values[4] = { 1, 2, 3, 4 };
  g_autofree char *good = put_file (folders->folder, "w.bin", values, sizeof values);
  g_autofree char *deep = put_file (folders->folder, "data/w.bin", values, sizeof values);
  g_autofree char *secret = put_file (folders->outside, "secret", values, sizeof values);
  g_autofree char *link = g_build_filename (folders->folder, "link", NULL);
  g_autofree char *inner_link = g_build_filename (folders->folder, "inner", NULL);
  g_autofree char *folder_link = g_build_filename (folders->folder, "elsewhere", NULL);
  g_autofree char *pipe = g_build_filename (folders->folder, "pipe", NULL);
  g_autofree char *sibling = g_strconcat ("../", strrchr (folders->outside, '/') + 1, "/secret", NULL);
  static const struct { const char *location, *offset, *length; float first; } sound[] = {
    { "w.bin", NULL, NULL, 1 }, { "w.bin", "4", "8", 2 }, { "w.bin", "8", NULL, 3 }, { "data/w.bin", "0", "8", 1 }, { "./w.bin", "8", "8", 3 },
    { "inner", "4", "8", 2 },
  };

  g_assert_no_errno (symlink (secret, link));
  g_assert_no_errno (symlink ("data/w.bin", inner_link));
  g_assert_no_errno (symlink (folders->outside, folder_link));
  g_assert_no_errno (mkfifo (pipe, 0600));
  for (gsize i = 0; i < G_N_ELEMENTS (sound); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (FoveaModel) model = load_external (folders, sound[i].location, sound[i].offset, sound[i].length, &error);
      float first;

      g_assert_no_error (error);
      memcpy (&first, graph_find_value (model_get_graph (model), "w")->constant->data, sizeof first);
      g_assert_cmpfloat (first, ==, sound[i].first);
      g_assert_cmpstr (fovea_model_get_name (model), ==, "my model");
      g_assert_true (g_str_has_suffix (fovea_model_get_path (model), "/my model.onnx"));
    }

  assert_external_refused (folders, secret, NULL, NULL, "is an absolute path");
  assert_external_refused (folders, sibling, NULL, NULL, "leaves the model's folder");
  assert_external_refused (folders, "data/../../x", NULL, NULL, "leaves the model's folder");
  assert_external_refused (folders, "link", NULL, NULL, "a link that leaves");
  assert_external_refused (folders, "elsewhere/secret", NULL, NULL, "a link that leaves");
  assert_external_refused (folders, "", NULL, NULL, "is no name");
  assert_external_refused (folders, ".", NULL, NULL, "a link that leaves");
  assert_external_refused (folders, "data", NULL, NULL, "is a folder");
  assert_external_refused (folders, "pipe", NULL, NULL, "not a regular file");
  assert_external_refused (folders, "none.bin", NULL, NULL, "can't be found");
  assert_external_refused (folders, "w.bin", "9", NULL, "end at byte 17 of “w.bin”, which has 16");
  assert_external_refused (folders, "w.bin", "9223372036854775807", "8", "of “w.bin”, which has 16");
  assert_external_refused (folders, "w.bin", "0", "16", "takes 8 bytes, but there are 16");
  assert_external_refused (folders, "w.bin", "-4", NULL, "is no number");
  assert_external_refused (folders, "w.bin", "0x4", NULL, "is no number");
  assert_external_refused (folders, "w.bin", "99999999999999999999999", NULL, "is no number");
}

static void
test_files (Folders *folders, gconstpointer data)
{
  g_autofree char *empty = put_file (folders->folder, "empty.onnx", "", 0);
  g_autofree char *none = g_build_filename (folders->folder, "none.onnx", NULL);
  const struct { const char *path, *words; } cases[] = {
    { empty, "empty.onnx” is empty" }, { none, "none.onnx” can't be opened: No such file" }, { folders->folder, "is a folder" }, { "", "can't be opened" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_null (fovea_model_load (cases[i].path, &error));
      g_assert_error (error, FOVEA_ERROR, FOVEA_ERROR_FILE);
      g_assert_nonnull (strstr (error->message, cases[i].words));
    }
}

/* The pages of weights that are packed can be given back, and come back. */
static void
test_release (Folders *folders, gconstpointer data)
{
  enum { N = 100000 };
  g_autofree float *values = g_new (float, N);
  Wire *wire;
  g_autofree char *path = NULL;
  g_autoptr (FoveaModel) model = NULL;
  FoveaTensor *tensor;

  for (guint i = 0; i < N; i++)
    values[i] = (float) i;
  wire = with_tensor (wire_bytes (wire_tensor ("w", ONNX_FLOAT, DIMS (N)), 9, values, N * sizeof *values));
  path = put_file (folders->folder, "large.onnx", wire->data, wire->len);
  g_byte_array_unref (wire);
  model = fovea_model_load (path, NULL);
  tensor = graph_find_value (model_get_graph (model), "w")->constant;
  mapping_release_pages (tensor);
  g_assert_cmpmem (tensor->data, tensor->size, values, N * sizeof *values);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/onnx-files/external", Folders, NULL, folders_set_up, test_external, folders_tear_down);
  g_test_add ("/onnx-files/files", Folders, NULL, folders_set_up, test_files, folders_tear_down);
  g_test_add ("/onnx-files/release", Folders, NULL, folders_set_up, test_release, folders_tear_down);
  return g_test_run ();
}
