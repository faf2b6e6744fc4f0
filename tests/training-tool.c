/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * training-tool.c: MODEL IMAGES TARGETS BATCH STEPS RATE [THREADS [RESULT [CHECKPOINT AT]]]: trains a classifier with SGD (Nesterov 0.9, decay 1e-4) on one
 * fixed batch: raw float32 images (BATCH, C, H, W) and targets (BATCH, classes). Prints the loss of each step, and on standard error the median
 * milliseconds of one. RESULT: the trained model. CHECKPOINT: written after step AT; where it exists, training goes on from it.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/tensor.h"
#include "train/learner.h"
#include "train/loss.h"

typedef struct
{
  const float *targets;
  double       loss;
} Target;

static void
loss (const TensorView *outputs, const TensorView *gradients, guint n, gpointer user_data)
{
  Target *target = user_data;

  target->loss = loss_softmax (outputs[0].data, target->targets, NULL, (gsize) outputs[0].shape.dims[0], (gsize) outputs[0].shape.dims[1], 1, 0.0,
                               gradients[0].data);
}

static int
compare (const void *a, const void *b)
{
  double x = *(const double *) a, y = *(const double *) b;

  return x < y ? -1 : x > y;
}

int
main (int argc, char **argv)
{
  g_autoptr (GError)     error = NULL;
  g_autoptr (FoveaModel) model = fovea_model_load (argv[1], &error), result = NULL;
  LearnerSettings        settings = { .optimizer = { .kind = FOVEA_OPTIMIZER_SGD, .momentum = 0.9, .weight_decay = 1e-4 }, .momentum = 0.1, .seed = 1 };
  guint                  n_steps = (guint) atoi (argv[5]), first = 0;
  g_autofree double     *times = g_new0 (double, n_steps + 1);
  g_autofree char       *images = NULL, *targets = NULL;
  gsize                  n_images, n_targets;
  FoveaShape             shape;
  Learner               *learner;
  Target                 target = { 0 };

  if (!model || !g_file_get_contents (argv[2], &images, &n_images, &error) || !g_file_get_contents (argv[3], &targets, &n_targets, &error))
    g_error ("%s", error->message);
  shape = fovea_model_get_input (model, 0)->shape;
  shape.dims[0] = atoi (argv[4]);
  if (n_images != sizeof (float) * shape_count (&shape))
    g_error ("%s has images of another size than %s wants", argv[2], argv[1]);
  settings.n_threads = argc > 7 ? (guint) atoi (argv[7]) : 1;
  learner = learner_new (model, &shape, &settings, &error);
  if (!learner)
    g_error ("%s", error->message);
  if (g_getenv ("TIME_STEPS"))
    fovea_session_time_steps (learner_get_session (learner));
  if (g_getenv ("PRINT_PLAN"))
    puts (fovea_session_print_plan (learner_get_session (learner)));
  target.targets = (const float *) targets;
  if (argc > 10 && g_file_test (argv[9], G_FILE_TEST_EXISTS))
    {
      GBytes *extra = learner_load (learner, argv[9], &error);

      if (!extra)
        g_error ("%s", error->message);
      memcpy (&first, g_bytes_get_data (extra, NULL), sizeof first);
      g_bytes_unref (extra);
    }
  for (guint i = first; i < n_steps; i++)
    {
      gboolean finite;
      gint64   begin = g_get_monotonic_time ();

      memcpy (learner_get_input (learner), images, n_images);
      if (!learner_step (learner, loss, &target, atof (argv[6]), NULL, &finite, NULL, &error))
        g_error ("%s", error->message);
      times[i - first] = (double) (g_get_monotonic_time () - begin) / 1000.0;
      printf ("%.9g%s\n", target.loss, finite ? "" : " not finite");
      if (argc > 10 && i + 1 == (guint) atoi (argv[10]))
        {
          guint    next = i + 1;
          g_autoptr (GBytes) extra = g_bytes_new (&next, sizeof next);

          if (!learner_save (learner, argv[9], extra, &error))
            g_error ("%s", error->message);
        }
    }
  qsort (times, n_steps - first, sizeof *times, compare);
  fprintf (stderr, "median %.2f ms, arena %.1f MB\n", times[(n_steps - first) / 2],
           (double) fovea_session_get_arena_bytes (learner_get_session (learner)) / 1e6);
  if (g_getenv ("TIME_STEPS"))
    for (guint i = 0; i < fovea_session_get_n_steps (learner_get_session (learner)); i++)
      {
        const Step *step = session_get_step (learner_get_session (learner), i);

        printf ("%8.3f %s.%s %s\n", fovea_session_time_steps (learner_get_session (learner))[i], step->node->domain, step->node->type, step->kernel);
      }
  if (argc > 8)
    {
      result = learner_make_model (learner, NULL, &error);
      if (!result || !fovea_model_save (result, argv[8], &error))
        g_error ("%s", error->message);
    }
  learner_free (learner);
  return 0;
}
