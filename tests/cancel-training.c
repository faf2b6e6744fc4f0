/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * cancel-training.c: a training that is cancelled ends within moments, whatever it does then: making photos ready, a step forward or backward, looking at the photos it
 * is judged by, or features of a frozen network. Measured in processor time, so that a busy machine changes nothing.
 */

#include <glib/gstdio.h>

#include "base/sanitizer.h"
#include "canceller.h"
#include "fovea.h"

#define N_KINDS  2
#define N_PHOTOS 20  /* of a kind */
#define MOMENTS  (UNDER_ADDRESS_SANITIZER ? 3 : 6)
#define MOST     (UNDER_ADDRESS_SANITIZER ? 2.0 : 0.2) /* seconds */

/* Noise that takes a while to read. */
static guint8 *
read_file (const char *file, int channels, int *width, int *height, gpointer user_data, GError **error)
{
  gsize   n = (gsize) (*width = 1200) * (gsize) (*height = 900) * (gsize) channels;
  guint8 *pixels = g_malloc (n);
  guint32 state = g_str_hash (file);

  for (gsize i = 0; i < n; i++)
    pixels[i] = (guint8) ((state = state * 1664525u + 1013904223u) >> 24);
  return pixels;
}

static char *
make_folder (void)
{
  char *folder = g_dir_make_tmp ("fovea-cancel-XXXXXX", NULL);

  for (guint kind = 0; kind < N_KINDS; kind++)
    {
      g_autofree char *name = g_strdup_printf ("%s/kind%u", folder, kind);

      g_mkdir (name, 0700);
      for (guint i = 0; i < N_PHOTOS; i++)
        {
          g_autofree char *file = g_strdup_printf ("%s/%u.png", name, i);

          g_file_set_contents (file, "", 0, NULL);
        }
    }
  return folder;
}

static void
remove_folder (const char *folder)
{
  for (guint kind = 0; kind < N_KINDS; kind++)
    {
      g_autofree char *name = g_strdup_printf ("%s/kind%u", folder, kind);

      for (guint i = 0; i < N_PHOTOS; i++)
        {
          g_autofree char *file = g_strdup_printf ("%s/%u.png", name, i);

          g_remove (file);
        }
      g_rmdir (name);
    }
  g_rmdir (folder);
}

static FoveaTrainer *
make_trainer (FoveaModel *base, const char *architecture, const char *folder, const FoveaTrainSettings *settings)
{
  g_autoptr (GError) error = NULL;
  FoveaTrainer      *trainer = fovea_trainer_new (base, architecture, folder, settings, read_file, NULL, &error);

  g_assert_no_error (error);
  return trainer;
}

/* Seconds from cancelling, after a share of `whole`, to the end; 0 where it was done before. */
static double
cancel_at (FoveaModel *base, const char *architecture, const char *folder, const FoveaTrainSettings *settings, double after)
{
  g_autoptr (GError)       error = NULL;
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (FoveaTrainer) trainer = make_trainer (base, architecture, folder, settings);
  Canceller                canceller = { .cancellable = cancellable, .when = processor_time () + after };
  GThread                 *thread = g_thread_new ("cancel", cancel_later, &canceller);
  gboolean                 done = fovea_trainer_run (trainer, cancellable, NULL, NULL, &error);
  double                   ended = processor_time ();

  g_atomic_int_set (&canceller.done, TRUE);
  g_thread_join (thread);
  if (done)
    return 0.0;
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  return ended - canceller.cancelled;
}

static void
check (FoveaModel *base, const char *architecture, FoveaTrainSettings *settings)
{
  g_autofree char         *folder = make_folder ();
  g_autoptr (FoveaTrainer) trainer = make_trainer (base, architecture, folder, settings);
  double                   began = processor_time (), whole, worst = 0.0;
  guint                    n_cancelled = 0;

  g_assert_true (fovea_trainer_run (trainer, NULL, NULL, NULL, NULL));
  whole = processor_time () - began;
  for (guint i = 0; i < MOMENTS; i++)
    {
      double took = cancel_at (base, architecture, folder, settings, whole * (i + 0.5) / MOMENTS);

      g_test_message ("after %.2f of %.2f s: %.3f s", whole * (i + 0.5) / MOMENTS, whole, took);
      worst = MAX (worst, took);
      n_cancelled += took > 0.0;
    }
  g_assert_cmpuint (n_cancelled, >, MOMENTS / 2);
  g_assert_cmpfloat (worst, <, MOST);
  remove_folder (folder);
}

static FoveaTrainSettings
choose_settings (void)
{
  FoveaTrainSettings settings;

  fovea_train_settings_init (&settings, FOVEA_TASK_CLASSIFY);
  settings.size = 160;
  settings.epochs = 1;
  settings.batch = 16;
  settings.n_threads = 1;
  settings.validation_share = 0.5;
  return settings;
}

static void
test_whole (void)
{
  FoveaTrainSettings settings = choose_settings ();

  check (NULL, "resnet18", &settings);
}

static void
test_head (void)
{
  FoveaTrainSettings     settings = choose_settings ();
  g_autoptr (GError)     error = NULL;
  g_autoptr (FoveaModel) base = fovea_model_new_untrained ("resnet18", 3, 5, 1, &error);

  g_assert_no_error (error);
  settings.trainable = FOVEA_TRAIN_HEAD;
  settings.augmentation = (FoveaAugmentation) { .crop = 1.0 }; /* one form of each photo */
  check (base, NULL, &settings);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/cancel-training/whole", test_whole);
  g_test_add_func ("/cancel-training/head", test_head);
  return g_test_run ();
}
