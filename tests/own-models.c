/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * own-models.c: the user's own models get other names, go, come back; nothing outside of their folder is touched. And what the list and the catalogue tell.
 */

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>
#include <utime.h>

#include "fovea.h"
#include "store/own-models.h"

static char *
place (const char *name)
{
  g_autofree char *folder = fovea_get_user_model_folder ();

  return g_build_filename (folder, name, NULL);
}

static void
write_file (const char *name, const char *text)
{
  g_autofree char *path = place (name), *folder = g_path_get_dirname (path);

  g_assert_cmpint (g_mkdir_with_parents (folder, 0700), ==, 0);
  g_assert_true (g_file_set_contents (path, text, -1, NULL));
}

static gboolean
is_there (const char *name)
{
  g_autofree char *path = place (name);
  GStatBuf         status;

  return g_lstat (path, &status) == 0;
}

static char *
read_file (const char *name)
{
  g_autofree char *path = place (name);
  char            *text = NULL;

  g_file_get_contents (path, &text, NULL, NULL);
  return text;
}

static void
assert_refused (gboolean done, GError **error, int code, const char *words)
{
  g_assert_false (done);
  g_assert_error (*error, FOVEA_ERROR, code);
  g_assert_nonnull (strstr ((*error)->message, words));
  g_clear_error (error);
}

static void
test_rename (void)
{
  g_autoptr (GError) error = NULL;
  g_autofree char   *chosen = NULL, *text = NULL;

  write_file ("old.onnx", "network");
  write_file ("old.json", "{}");
  write_file ("old.labels.txt", "a\n");
  write_file ("taken/model.onnx", "other");
  g_assert_true (fovea_set_default_model (FOVEA_TASK_DETECT, "old", &error));
  assert_refused (fovea_rename_model ("old", "taken", &error), &error, FOVEA_ERROR_ARGUMENT, "already");
  for (const char *const *wrong = (const char *const[]) { "", ".hidden", "a/b", "../up", "default", "x.onnx", "two\nlines", NULL }; *wrong; wrong++)
    assert_refused (fovea_rename_model ("old", *wrong, &error), &error, FOVEA_ERROR_ARGUMENT, "can't be the name");
  assert_refused (fovea_rename_model ("absent", "new", &error), &error, FOVEA_ERROR_ARGUMENT, "isn't one of your own");
  assert_refused (fovea_rename_model ("../models/old", "new", &error), &error, FOVEA_ERROR_ARGUMENT, "can't be the name");
  g_assert_true (is_there ("old.onnx") && is_there ("old.json"));

  g_assert_true (fovea_rename_model ("old", "a new one", &error));
  g_assert_no_error (error);
  g_assert_true (is_there ("a new one.onnx") && is_there ("a new one.json") && is_there ("a new one.labels.txt"));
  g_assert_false (is_there ("old.onnx") || is_there ("old.json") || is_there ("old.labels.txt"));
  chosen = fovea_get_default_model (FOVEA_TASK_DETECT);
  g_assert_cmpstr (chosen, ==, "a new one");

  /* A file in the way of one of them: nothing moves. */
  write_file ("way.labels.txt", "others");
  assert_refused (fovea_rename_model ("a new one", "way", &error), &error, FOVEA_ERROR_FILE, "way.labels.txt");
  g_assert_true (is_there ("a new one.onnx") && is_there ("a new one.json") && is_there ("a new one.labels.txt"));
  text = read_file ("way.labels.txt");
  g_assert_cmpstr (text, ==, "others");
}

static void
test_delete (void)
{
  g_autoptr (GError) error = NULL;
  g_autofree char   *aside = NULL, *folder_aside = NULL, *target = g_build_filename (g_get_user_data_dir (), "target", NULL), *link = place ("link.onnx"), *text = NULL;
  g_auto (GStrv)     names = NULL;

  write_file ("gone.onnx", "network");
  write_file ("gone.json", "{}");
  write_file ("folder/model.onnx", "network");
  write_file ("folder/card.md", "# card");
  aside = fovea_set_model_aside ("gone", &error);
  g_assert_nonnull (aside);
  folder_aside = fovea_set_model_aside ("folder", &error);
  g_assert_nonnull (folder_aside);
  g_assert_false (is_there ("gone.onnx") || is_there ("gone.json") || is_there ("folder"));
  names = fovea_list_models ();
  g_assert_false (g_strv_contains ((const char *const *) names, "gone"));

  g_assert_true (fovea_bring_model_back (folder_aside, &error));
  g_assert_true (is_there ("folder/card.md"));
  write_file ("gone.onnx", "another");
  assert_refused (fovea_bring_model_back (aside, &error), &error, FOVEA_ERROR_ARGUMENT, "another model");
  g_assert_true (fovea_rename_model ("gone", "another", &error));
  g_assert_true (fovea_bring_model_back (aside, &error));
  text = read_file ("gone.onnx");
  g_assert_cmpstr (text, ==, "network");
  g_assert_true (is_there ("gone.json"));
  assert_refused (fovea_bring_model_back (aside, &error), &error, FOVEA_ERROR_FILE, "any more");

  /* A link goes, what it points to stays. */
  g_assert_true (g_file_set_contents (target, "far", -1, NULL));
  g_assert_cmpint (symlink (target, link), ==, 0);
  g_free (aside);
  aside = fovea_set_model_aside ("link", &error);
  g_assert_nonnull (aside);
  fovea_throw_model_away (aside);
  g_assert_false (g_file_test (aside, G_FILE_TEST_EXISTS));
  g_assert_true (g_file_test (target, G_FILE_TEST_EXISTS));

  /* What a program that was killed has left behind goes after a day. */
  write_file ("old.onnx", "network");
  write_file ("young.onnx", "network");
  write_file (".import-abcdef/model.onnx", "half");
  write_file (".other/model.onnx", "somebody's");
  g_free (aside);
  aside = fovea_set_model_aside ("old", &error);
  for (const char *const *name = (const char *const[]) { strrchr (aside, '/') + 1, ".import-abcdef", ".other", NULL }; *name; name++)
    {
      g_autofree char *path = place (*name);

      g_assert_no_errno (g_utime (path, &(struct utimbuf) { 1000, 1000 }));
    }
  g_free (folder_aside);
  folder_aside = fovea_set_model_aside ("young", &error);
  fovea_throw_leftovers_away ();
  g_assert_true (!g_file_test (aside, G_FILE_TEST_EXISTS) && !is_there (".import-abcdef") && is_there (".other"));
  g_assert_true (fovea_bring_model_back (folder_aside, &error));

  /* Nothing but what was set aside is ever thrown away. */
  fovea_throw_model_away (target);
  fovea_throw_model_away (g_get_user_data_dir ());
  g_assert_true (g_file_test (target, G_FILE_TEST_EXISTS) && is_there ("gone.onnx"));
}

static void
test_facts (void)
{
  g_autoptr (FoveaModelFacts) facts = NULL;

  write_file ("broken.onnx", "no network");
  facts = fovea_model_facts_new ("broken");
  g_assert_cmpstr (facts->name, ==, "broken");
  g_assert_true (facts->is_own);
  g_assert_nonnull (facts->fault);
  g_assert_cmpuint (facts->size, ==, strlen ("no network"));
}

/* However it is written, what a licence forbids is said, all of it; so is one that nobody knows. */
static void
test_licences (void)
{
  static const struct
  {
    const char *licence, *said, *also; /* NULL: nothing */
  } cases[] = {
    { "MIT", NULL, NULL },
    { "Apache-2.0", NULL, NULL },
    { "apache license 2.0", NULL, NULL },
    { "BSD 3-Clause", NULL, NULL },
    { "CC-BY-4.0", NULL, NULL },
    { "CC0", NULL, NULL },
    { "University of Illinois/NCSA", NULL, NULL },
    { "AGPL-3.0 License (https://ultralytics.com/license)", "AGPL.", NULL },
    { "GNU Affero General Public License v3", "AGPL.", NULL },
    { "GPL-3.0-or-later", "same licence, with the source", NULL },
    { "GNU General Public License", "same licence, with the source", NULL },
    { "cc-by-nc-4.0", "commercial use", NULL },
    { "CC BY NC 4.0", "commercial use", NULL },
    { "CC_BY_NC", "commercial use", NULL },
    { "Creative Commons Attribution-NonCommercial-ShareAlike 4.0", "commercial use", "same licence" },
    { "CC-BY-NC-ND-4.0", "commercial use", "changed versions" },
    { "for non commercial purposes", "commercial use", NULL },
    { "For research purposes only", "research only", NULL },
    { "creativeml-openrail-m", "some uses", NULL },
    { "Llama 3.1 Community License", "some uses", NULL },
    { "Copyright 2024 Somebody. All rights reserved.", "leave", NULL },
    { "Teapot licence 1", "doesn't know it", "Teapot licence 1" },
    { NULL, "says nothing", NULL },
    { "", "says nothing", NULL },
    { "other", "says nothing", NULL },
    { "N/A", "says nothing", NULL },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *text = fovea_licence_warn (cases[i].licence);

      if (cases[i].said)
        g_assert_true (text && strstr (text, cases[i].said) && (!cases[i].also || strstr (text, cases[i].also)));
      else
        g_assert_cmpstr (text, ==, NULL);
    }
}

/* Whole, and every setting one that the engine takes. */
static void
test_catalogue (void)
{
  gsize                      n;
  const FoveaCatalogueEntry *entries = fovea_list_catalogue (&n);

  g_assert_cmpuint (n, >, 8);
  for (gsize i = 0; i < n; i++)
    {
      g_autoptr (GHashTable) settings = fovea_catalogue_entry_get_settings (&entries[i]);
      GHashTableIter         iter;
      gpointer               key, words;

      g_assert_true (fovea_check_model_name (entries[i].name, NULL));
      g_assert_true (g_str_has_prefix (entries[i].address, "https://") && g_str_has_suffix (entries[i].address, ".onnx"));
      g_assert_cmpuint (strlen (entries[i].sha256), ==, 64);
      g_assert_cmpuint (strspn (entries[i].sha256, "0123456789abcdef"), ==, 64);
      g_assert_cmpuint (entries[i].size, >, 1000);
      g_assert_true (*entries[i].licence && *entries[i].about && entries[i].task != FOVEA_TASK_UNKNOWN);
      if (entries[i].task == FOVEA_TASK_CLASSIFY) /* the files have no names, and numbers aren't an answer */
        {
          g_auto (GStrv) names = g_strsplit (g_strchomp (g_hash_table_lookup (settings, "labels")), "\n", -1);

          g_assert_cmpuint (g_strv_length (names), ==, 1000);
          g_assert_cmpstr (names[207], ==, "golden retriever");
        }
      for (gsize k = 0; k < i; k++)
        g_assert_true (strcmp (entries[i].name, entries[k].name) != 0 && strcmp (entries[i].sha256, entries[k].sha256) != 0);
      g_hash_table_iter_init (&iter, settings);
      while (g_hash_table_iter_next (&iter, &key, &words))
        {
          g_auto (GStrv) choices = fovea_settings_list_words (key);

          g_assert_true (g_strv_contains (fovea_settings_list_keys (), key));
          g_assert_true (!choices || g_strv_contains ((const char *const *) choices, words));
        }
    }
}

/* Every operator of the engine has its sentence. */
static void
test_layers (void)
{
  g_auto (GStrv) operators = fovea_list_operators ();

  for (char **name = operators; *name; name++)
    if (!fovea_layer_explain (*name))
      g_error ("%s has no sentence", *name);
  g_assert_nonnull (strstr (fovea_layer_explain ("Conv"), "filter"));
  g_assert_null (fovea_layer_explain ("Con"));
  g_assert_null (fovea_layer_explain ("NoSuchOperator"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  g_test_add_func ("/own-models/rename", test_rename);
  g_test_add_func ("/own-models/delete", test_delete);
  g_test_add_func ("/own-models/facts", test_facts);
  g_test_add_func ("/own-models/licences", test_licences);
  g_test_add_func ("/own-models/catalogue", test_catalogue);
  g_test_add_func ("/own-models/layers", test_layers);
  return g_test_run ();
}
