/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * feature-cache.c: a last layer that is trained alone learns the same where the features of its photos don't fit into the memory that is meant for them, and lie on disk;
 * where they don't fit there either it sees fewer forms of each photo.
 */

#include <glib/gstdio.h>
#include <string.h>

#include "fovea.h"

#define N_KINDS    2
#define N_PHOTOS   12  /* of a kind, half of them to learn from */
#define N_FEATURES 192 /* of the network's last layer */
#define FORM       (N_KINDS * N_PHOTOS / 2 * N_FEATURES * sizeof (float))

/* Noise, brighter in one kind. */
static guint8 *
read_file (const char *file, int channels, int *width, int *height, gpointer user_data, GError **error)
{
  gsize   n = (gsize) (*width = 48) * (gsize) (*height = 40) * (gsize) channels;
  guint8 *pixels = g_malloc (n);
  GRand  *random = g_rand_new_with_seed (g_str_hash (strrchr (file, '/')));
  int     least = strstr (file, "kind1") ? 60 : 0;

  for (gsize i = 0; i < n; i++)
    pixels[i] = (guint8) g_rand_int_range (random, least, least + 160);
  g_rand_free (random);
  return pixels;
}

static char *
name_file (const char *folder, guint kind, guint i)
{
  return g_strdup_printf ("%s/kind%u/%u.png", folder, kind, i);
}

static void
note_loss (const FoveaTrainState *state, gpointer loss)
{
  *(double *) loss = state->loss;
}

/* The loss in the end. */
static double
train (FoveaModel *base, const char *folder, guint64 cache)
{
  FoveaTrainSettings       settings;
  g_autoptr (GError)       error = NULL;
  g_autoptr (FoveaTrainer) trainer = NULL;
  double                   loss = 0.0;

  fovea_train_settings_init (&settings, FOVEA_TASK_CLASSIFY);
  settings.size = 32;
  settings.epochs = 4;
  settings.batch = 4;
  settings.n_threads = 2;
  settings.validation_share = 0.5;
  settings.trainable = FOVEA_TRAIN_HEAD;
  settings.cache = cache;
  trainer = fovea_trainer_new (base, NULL, folder, &settings, read_file, NULL, &error);
  g_assert_no_error (error);
  g_assert_true (fovea_trainer_run (trainer, NULL, note_loss, &loss, &error));
  return loss;
}

static void
test_on_disk (void)
{
  g_autofree char       *folder = g_dir_make_tmp ("fovea-features-XXXXXX", NULL);
  g_autoptr (FoveaModel) base = fovea_model_new_untrained ("tiny", 3, 5, 1, NULL);
  double                 in_memory;

  for (guint kind = 0; kind < N_KINDS; kind++)
    for (guint i = 0; i < N_PHOTOS; i++)
      {
        g_autofree char *file = name_file (folder, kind, i), *parent = g_path_get_dirname (file);

        g_mkdir (parent, 0700);
        g_file_set_contents (file, "", 0, NULL);
      }
  in_memory = train (base, folder, 1 << 20);
  g_assert_cmpfloat (train (base, folder, FORM + FORM / 2), ==, in_memory);
  g_assert_cmpfloat (train (base, folder, FORM / 16), !=, in_memory);
  g_assert_cmpfloat (train (base, folder, 0), ==, train (base, folder, FORM / 16));
  for (guint kind = 0; kind < N_KINDS; kind++)
    for (guint i = 0; i < N_PHOTOS; i++)
      {
        g_autofree char *file = name_file (folder, kind, i), *parent = g_path_get_dirname (file);

        g_remove (file);
        g_rmdir (parent);
      }
  g_rmdir (folder);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  g_test_add_func ("/feature-cache/on-disk", test_on_disk);
  return g_test_run ();
}
