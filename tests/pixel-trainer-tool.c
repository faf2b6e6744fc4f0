/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * pixel-trainer-tool.c: FoveaPixelTrainer behind a line of commands, for tests/pixel_trainer.py. Each command is answered by one line, "ok …" or "error …".
 *
 *   new BASE LONGEST THREADS CLASS…     ok GRID
 *   photo FILE WIDTH HEIGHT             FILE: (height, width, 3) bytes; ok NUMBER
 *   labels NUMBER FILE                  FILE: (grid, grid) bytes
 *   classes CLASS…
 *   judged STEPS                        runs of so many steps are judged meanwhile
 *   checkpoint FILE                     of the runs from now on
 *   run                                 ok SECONDS of processor time, STEPS, and the scores that were said meanwhile
 *   look NUMBER FILE                    writes (classes, grid, grid) float32; ok SECONDS X Y: where a stroke would help most
 *   mask NUMBER CLASS FILE              writes (height, width) float32: the class's mask at the photo's size, refined
 *   judge                               ok ENOUGH ACCURACY IOU SECONDS
 *   save FILE
 *   cancel MILLISECONDS                 a run that is cancelled after so long; ok SECONDS that it went on; both of processor time
 */

#include <stdio.h>
#include <string.h>

#include "canceller.h"
#include "fovea.h"
#include "train/pixel-trainer.h"

typedef struct
{
  int     width, height;
  guint8 *rgb;
} Pixels;

typedef struct
{
  FoveaPixelTrainer *trainer;
  GPtrArray         *photos; /* of Pixels */
  char              *checkpoint; /* NULL: none */
} Tool;

static gboolean
read_pixels (gpointer user_data, int x, int y, int width, int height, guint8 *rgb, gsize row_stride, GError **error)
{
  const Pixels *pixels = user_data;

  for (int row = 0; row < height; row++)
    memcpy (rgb + (gsize) row * row_stride, pixels->rgb + ((gsize) (y + row) * pixels->width + x) * 3, (gsize) width * 3);
  return TRUE;
}

static double
now (void)
{
  return (double) g_get_monotonic_time () / 1e6;
}

static guint8 *
read_bytes (const char *path, gsize size)
{
  char *data = NULL;
  gsize length = 0;

  if (!g_file_get_contents (path, &data, &length, NULL) || length != size)
    g_error ("%s hasn't %" G_GSIZE_FORMAT " bytes", path, size);
  return (guint8 *) data;
}

static char *
make_new (Tool *tool, char **words, GError **error)
{
  g_autoptr (FoveaModel) base = fovea_model_load (words[1], error);
  FoveaPixelSettings     settings;

  fovea_pixel_settings_init (&settings);
  settings.n_threads = (guint) atoi (words[3]);
  g_clear_pointer (&tool->trainer, fovea_pixel_trainer_free);
  g_ptr_array_set_size (tool->photos, 0);
  tool->trainer = base ? fovea_pixel_trainer_new (base, (const char *const *) words + 4, atoi (words[2]), &settings, error) : NULL;
  return tool->trainer ? g_strdup_printf ("%d", fovea_pixel_trainer_get_grid (tool->trainer)) : NULL;
}

static char *
add_photo (Tool *tool, char **words, GError **error)
{
  Pixels    *pixels = g_new0 (Pixels, 1);
  FoveaPhoto photo = { atoi (words[2]), atoi (words[3]), read_pixels, pixels };
  double     began = now ();
  int        index;

  pixels->width = photo.width;
  pixels->height = photo.height;
  pixels->rgb = read_bytes (words[1], (gsize) photo.width * photo.height * 3);
  g_ptr_array_add (tool->photos, pixels);
  index = fovea_pixel_trainer_add_photo (tool->trainer, &photo, NULL, error);
  return index >= 0 ? g_strdup_printf ("%d %.3f", index, now () - began) : NULL;
}

static char *
set_labels (Tool *tool, char **words, GError **error)
{
  gsize              grid = (gsize) fovea_pixel_trainer_get_grid (tool->trainer);
  g_autofree guint8 *labels = read_bytes (words[2], grid * grid);
  double             began = now ();

  return fovea_pixel_trainer_set_labels (tool->trainer, atoi (words[1]), labels, error) ? g_strdup_printf ("%.3f", now () - began) : NULL;
}

static char *
look (Tool *tool, char **words, GError **error)
{
  double                  began = now ();
  g_autoptr (FoveaMasks)  masks = fovea_pixel_trainer_look (tool->trainer, atoi (words[1]), NULL, error);
  double                  seconds = now () - began;
  int                     x, y;
  g_autoptr (FoveaTensor) doubt = masks ? fovea_pixel_trainer_doubt (tool->trainer, atoi (words[1]), masks, &x, &y, error) : NULL;

  if (!doubt || !g_file_set_contents (words[2], (const char *) masks->stack->shares,
                                      (gssize) (masks->stack->n * masks->stack->width * masks->stack->height * sizeof (float)), error))
    return NULL;
  return g_strdup_printf ("%.3f %d %d", seconds, x, y);
}

static char *
write_mask (Tool *tool, char **words, GError **error)
{
  int                    index = atoi (words[1]);
  g_autoptr (FoveaMasks) masks = fovea_pixel_trainer_look (tool->trainer, index, NULL, error);
  const FoveaMaskOptions options = { .threshold = 0.5, .softness = 1.0, .refine = TRUE };
  const gsize            which = (gsize) atoi (words[2]);
  g_autoptr (FoveaMask)  mask = masks ? fovea_mask_new (masks, &which, 1, &options, error) : NULL;
  Pixels                *pixels = g_ptr_array_index (tool->photos, index);
  const FoveaPhoto       photo = { pixels->width, pixels->height, read_pixels, pixels };
  g_autofree float      *out = g_new (float, (gsize) pixels->width * pixels->height);

  if (!mask || !fovea_mask_read (mask, &photo, 0, 0, photo.width, photo.height, out, error)
      || !g_file_set_contents (words[3], (const char *) out, (gssize) photo.width * photo.height * (gssize) sizeof (float), error))
    return NULL;
  return g_strdup ("");
}

static char *
judge (Tool *tool, GError **error)
{
  double                      began = now ();
  g_autoptr (FoveaPixelScore) score = fovea_pixel_trainer_judge (tool->trainer, NULL, error);

  return score ? g_strdup_printf ("%d %.4f %.4f %.3f", score->enough, score->accuracy, score->mean_iou, now () - began) : NULL;
}

static char *
save (Tool *tool, char **words, GError **error)
{
  g_autoptr (FoveaModel) model = fovea_pixel_trainer_make_model (tool->trainer, NULL, error);

  return model && fovea_model_save (model, words[1], error) ? g_strdup ("") : NULL;
}

typedef struct
{
  FoveaPixelTrainer *trainer;
  guint              n_steps;
  GString           *scores;
} Noted;

static void
note_step (double fraction, gpointer data)
{
  Noted           *noted = data;
  g_autofree char *score = g_strdup_printf (" %.4f", fovea_pixel_trainer_get_score (noted->trainer));

  noted->n_steps++;
  if (!g_str_has_suffix (noted->scores->str, score))
    g_string_append (noted->scores, score);
}

static char *
run (Tool *tool, GError **error)
{
  g_autoptr (GString) scores = g_string_new (NULL);
  Noted               noted = { tool->trainer, 0, scores };
  double              began = processor_time ();

  return fovea_pixel_trainer_run (tool->trainer, tool->checkpoint, NULL, note_step, &noted, error) ? g_strdup_printf ("%.3f %u%s", processor_time () - began, noted.n_steps, scores->str) : NULL;
}

static char *
run_cancelled (Tool *tool, char **words, GError **error)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  Canceller                canceller = { .cancellable = cancellable, .when = processor_time () + atoi (words[1]) / 1000.0 };
  GThread                 *thread = g_thread_new ("cancel", cancel_later, &canceller);
  gboolean                 done = fovea_pixel_trainer_run (tool->trainer, tool->checkpoint, cancellable, NULL, NULL, error);
  double                   ended = processor_time ();

  g_atomic_int_set (&canceller.done, TRUE);
  g_thread_join (thread);
  if (!done && error && g_error_matches (*error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    {
      g_clear_error (error);
      return g_strdup_printf ("%.3f", ended - canceller.cancelled);
    }
  return done ? g_strdup ("done") : NULL;
}

static char *
obey (Tool *tool, char **words, GError **error)
{
  if (strcmp (words[0], "new") == 0)
    return make_new (tool, words, error);
  if (strcmp (words[0], "photo") == 0)
    return add_photo (tool, words, error);
  if (strcmp (words[0], "labels") == 0)
    return set_labels (tool, words, error);
  if (strcmp (words[0], "classes") == 0)
    return fovea_pixel_trainer_set_classes (tool->trainer, (const char *const *) words + 1, error) ? g_strdup ("") : NULL;
  if (strcmp (words[0], "judged") == 0)
    {
      tool->trainer->settings.judged_steps = (guint) atoi (words[1]);
      return g_strdup ("");
    }
  if (strcmp (words[0], "checkpoint") == 0)
    {
      g_free (tool->checkpoint);
      tool->checkpoint = g_strdup (words[1]);
      return g_strdup ("");
    }
  if (strcmp (words[0], "run") == 0)
    return run (tool, error);
  if (strcmp (words[0], "look") == 0)
    return look (tool, words, error);
  if (strcmp (words[0], "mask") == 0)
    return write_mask (tool, words, error);
  if (strcmp (words[0], "judge") == 0)
    return judge (tool, error);
  if (strcmp (words[0], "save") == 0)
    return save (tool, words, error);
  if (strcmp (words[0], "cancel") == 0)
    return run_cancelled (tool, words, error);
  g_error ("no command %s", words[0]);
}

static void
free_pixels (gpointer data)
{
  Pixels *pixels = data;

  g_free (pixels->rgb);
  g_free (pixels);
}

int
main (void)
{
  Tool tool = { .photos = g_ptr_array_new_with_free_func (free_pixels) };
  char line[8192];

  while (fgets (line, sizeof line, stdin))
    {
      g_autoptr (GError) error = NULL;
      g_auto (GStrv)     words = g_strsplit (g_strchomp (line), " ", -1);
      g_autofree char   *answer = obey (&tool, words, &error);

      if (answer)
        g_print ("ok %s\n", answer);
      else
        g_print ("error %s\n", error->message);
      fflush (stdout);
    }
  g_clear_pointer (&tool.trainer, fovea_pixel_trainer_free);
  g_ptr_array_unref (tool.photos);
  g_free (tool.checkpoint);
  return 0;
}
