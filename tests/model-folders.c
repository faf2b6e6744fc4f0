/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * model-folders.c: which folders are searched, what counts as an installed model, and how names and files become paths.
 */

#include <glib/gstdio.h>
#include <string.h>

#include "fovea.h"

/* Makes folder/file with its folders; the path is the caller's. */
static char *
put (const char *folder, const char *file)
{
  char *path = g_build_filename (folder, file, NULL);
  g_autofree char *parent = g_path_get_dirname (path);

  g_assert_no_errno (g_mkdir_with_parents (parent, 0700));
  g_assert_true (g_file_set_contents (path, "x", 1, NULL));
  return path;
}

static char *
user_folder (void)
{
  return g_build_filename (g_get_user_data_dir (), "fovea", "models", NULL);
}

static void
test_folders (void)
{
  g_autofree char *user = user_folder ();
  g_autofree char *system = g_build_filename (g_get_system_data_dirs ()[0], "fovea", "models", NULL);
  g_auto (GStrv) plain = NULL, forced = NULL;

  g_unsetenv ("FOVEA_MODELS_PATH");
  plain = fovea_list_model_folders ();
  g_assert_cmpstr (plain[0], ==, user);
  g_assert_cmpstr (plain[1], ==, system);

  g_setenv ("FOVEA_MODELS_PATH", "/first::/second:/first", TRUE);
  forced = fovea_list_model_folders ();
  g_assert_cmpstr (forced[0], ==, "/first");
  g_assert_cmpstr (forced[1], ==, "/second");
  g_assert_cmpstr (forced[2], ==, user);
  g_unsetenv ("FOVEA_MODELS_PATH");
}

static void
test_list_and_find (void)
{
  g_autofree char *user = user_folder ();
  g_autofree char *other = g_build_filename (g_get_user_data_dir (), "other", NULL);
  g_autofree char *beta = put (user, "beta/model.onnx"), *alpha = put (user, "alpha.onnx"), *hidden = put (user, ".hidden.onnx");
  g_autofree char *text = put (user, "alpha.json"), *nothing = put (user, "folder/other.onnx");
  g_autofree char *first_beta = put (other, "beta.onnx"), *gamma = put (other, "gamma v1.2.onnx");
  static const char *const expected[] = { "alpha", "beta", "gamma v1.2", NULL };
  const struct { const char *name, *path; } cases[] = {
    { "alpha", alpha }, { "beta", first_beta }, { "gamma v1.2", gamma }, { beta, beta }, { text, text },
  };
  g_auto (GStrv) list = NULL;
  g_autofree char *beta_folder = g_path_get_dirname (beta), *by_folder = NULL;

  g_setenv ("FOVEA_MODELS_PATH", other, TRUE);
  list = fovea_list_models ();
  g_assert_cmpstrv (list, expected);
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autofree char *found = fovea_find_model (cases[i].name, &error);

      g_assert_no_error (error);
      g_assert_cmpstr (found, ==, cases[i].path);
    }
  by_folder = fovea_find_model (beta_folder, NULL);
  g_assert_cmpstr (by_folder, ==, beta);
  g_unsetenv ("FOVEA_MODELS_PATH");
}

static void
test_not_found (void)
{
  g_autofree char *user = user_folder ();
  g_autofree char *alpha = NULL;
  static const char *const names[] = { "none", "", "../alpha", ".hidden", "/no/such/file.onnx" };

  g_unsetenv ("FOVEA_MODELS_PATH");
  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_null (fovea_find_model (names[i], &error));
      g_assert_error (error, FOVEA_ERROR, FOVEA_ERROR_FILE);
      g_assert_nonnull (strstr (error->message, names[i]));
      g_assert_nonnull (strstr (error->message, user));
      g_assert_nonnull (strstr (error->message, "No models are installed"));
    }
  alpha = put (user, "alpha.onnx");
  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_null (fovea_find_model (names[i], &error));
      g_assert_nonnull (strstr (error->message, "Installed are: alpha"));
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  g_test_add_func ("/model-folders/folders", test_folders);
  g_test_add_func ("/model-folders/list-and-find", test_list_and_find);
  g_test_add_func ("/model-folders/not-found", test_not_found);
  return g_test_run ();
}
