/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * training-estimate.c: see training-estimate.h. Where the last layer alone learns nearly all the time goes into looking at the photos once, in a few forms; else into
 * steps, of which each costs about as much as three looks at its photos.
 */

#include "training-estimate.h"

#include <math.h>
#include <string.h>

#define FORMS      5.0  /* in which photos are looked at for the last layer, trainer-run.c has it */
#define PASSES     4     /* the quickest counts: the first touches the memory, and the machine may be busy with other things */
#define READ       0.004 /* seconds: a photo is decoded and changed, beside the network */
#define LEARN      3.5  /* looks that a photo's part in a step costs: forward, backward, weights */
#define HEAD_STEP  1e-4  /* seconds: of the last layer, per photo */
#define STROKE_STEP 0.004 /* looks at a photo that a step on strokes costs */
#define JUDGE      2    /* … how often the steps are taken, those to judge by meanwhile among them, */
#define JUDGE_END  300  /* … and how many more, to judge in the end */
#define BEGIN      0.5  /* seconds: models are loaded and compiled, and the result is judged and written */

static double
time_pass (FoveaModel *model, int size, GError **error)
{
  g_autoptr (FoveaSessionOptions) options = fovea_session_options_new ();
  const FoveaShape                shape = { .n_dims = 4, .dims = { 1, 3, size, size } };
  g_autoptr (FoveaSession)        session = NULL;
  double                          best = -1;

  if (size > 0)
    fovea_session_options_set_shape (options, fovea_model_get_input (model, 0)->name, &shape);
  session = fovea_session_new (model, options, error);
  for (int i = 0; session && i < PASSES; i++)
    {
      gint64 began = g_get_monotonic_time ();
      double seconds;

      if (!fovea_session_run (session, NULL, NULL, NULL, error))
        return -1;
      seconds = (double) (g_get_monotonic_time () - began) / G_USEC_PER_SEC;
      best = best < 0 ? seconds : MIN (best, seconds);
    }
  return best;
}

double
training_estimate (const PhotoOrder *order, guint n_photos)
{
  gboolean               wants_base = g_strcmp0 (order->base, PHOTO_ORDER_NO_BASE) != 0;
  g_autofree char       *path = wants_base ? photo_order_find_base (order, NULL) : NULL;
  g_autoptr (FoveaModel) base = path ? fovea_model_load (path, NULL) : NULL, fresh = NULL;
  FoveaTrainSettings     settings;
  const char            *architecture;
  double                 pass, learned, steps, epochs;

  if (wants_base && !base)
    return -1;
  architecture = photo_order_choose (order, base, &settings);
  fresh = architecture ? fovea_model_new_untrained (architecture, 3, 2, 1, NULL) : NULL;
  if (architecture && !fresh)
    return -1;
  pass = time_pass (architecture ? fresh : base, settings.size, NULL);
  if (pass < 0)
    return -1;
  learned = MAX (n_photos * (1 - settings.validation_share), 1);
  steps = MAX (floor (learned / settings.batch), 1);
  epochs = MAX (settings.epochs, ceil (settings.least_steps / steps));
  if (settings.trainable == FOVEA_TRAIN_HEAD)
    return BEGIN + (FORMS * learned + n_photos - learned) * (pass + READ) + epochs * steps * settings.batch * HEAD_STEP;
  if (settings.minutes > 0)
    return BEGIN + 60 * settings.minutes;
  return BEGIN + epochs * (steps * settings.batch * LEARN * pass + (n_photos - learned) * (pass + READ));
}

/* A FoveaReadPixels: gray. */
static gboolean
read_gray (gpointer unused, int x, int y, int width, int height, guint8 *rgb, gsize row_stride, GError **error)
{
  for (int row = 0; row < height; row++)
    memset (rgb + (gsize) row * row_stride, 128, (gsize) width * 3);
  return TRUE;
}

double
training_estimate_strokes (PixelTraining *training, const char *base, guint n_photos, int longest)
{
  static const char *const classes[] = { "background", "object", NULL };
  const FoveaPhoto         photo = { longest, longest, read_gray, NULL };
  gint64                   began;
  double                   look;

  if (!pixel_training_load_base (training, base, NULL))
    return -1;
  training->trainer = fovea_pixel_trainer_new (training->base, classes, longest, &training->settings, NULL);
  began = g_get_monotonic_time ();
  if (!training->trainer || fovea_pixel_trainer_add_photo (training->trainer, &photo, NULL, NULL) < 0)
    return -1;
  look = (double) (g_get_monotonic_time () - began) / G_USEC_PER_SEC;
  return BEGIN + look * (n_photos + STROKE_STEP * ((training->judges ? JUDGE : 1) * training->settings.first_steps + (training->judges ? JUDGE_END : 0)));
}
