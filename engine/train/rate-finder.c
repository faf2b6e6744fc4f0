/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * rate-finder.c: the learning rate that a training can stand: some steps at rates that grow from next to nothing until the loss leaves its bounds (Smith 2017,
 * arXiv:1506.01186). What was learned by them is taken back. Where the loss is lowest the rate is about to be too high: a tenth of that is taken.
 */

#include "train/rate-finder.h"

#include <math.h>

#define LOWEST   1e-4
#define HIGHEST  3.0
#define N_STEPS  60
#define LEAST    8    /* steps that say something */
#define KEEP     0.8  /* share that the moving mean of the loss keeps */
#define TOO_HIGH 4.0  /* times the lowest loss */
#define SHARE    0.1  /* of the rate at which the loss was lowest */

static double
rate_of (guint step)
{
  return LOWEST * pow (HIGHEST / LOWEST, (double) step / (N_STEPS - 1));
}

static guint
find_lowest (const double *losses, guint n)
{
  guint lowest = 0;

  for (guint i = 1; i < n; i++)
    if (losses[i] < losses[lowest])
      lowest = i;
  return lowest;
}

/* Steps until the loss leaves its bounds; their number, or -1 with an error. losses: (N_STEPS), a moving mean */
static gint
climb (FoveaTrainer *trainer, double *losses, GCancellable *cancellable, RateFinderShow show, gpointer user_data, GError **error)
{
  double mean = 0.0, lowest = G_MAXDOUBLE;
  gint   n = 0;

  for (guint64 epoch = 0; n < N_STEPS; epoch++, trainer->mark.step = 0)
    {
      g_autoptr (GArray) order = trainer_begin_epoch (trainer, epoch);
      gsize              n_steps = order->len / trainer->settings.batch;

      for (; trainer->mark.step < n_steps && n < N_STEPS; trainer->mark.step++)
        {
          gboolean finite;
          double   loss;

          if (!trainer_learn_batch (trainer, (const guint *) (gconstpointer) order->data, rate_of ((guint) n), &loss, &finite, cancellable, error))
            return -1;
          if (trainer_is_stopped (trainer) || !finite || !isfinite (loss))
            return n;
          mean = KEEP * mean + (1.0 - KEEP) * loss;
          losses[n] = mean / (1.0 - pow (KEEP, n + 1));
          lowest = MIN (lowest, losses[n]);
          n++;
          show ((double) n / N_STEPS, user_data);
          if (n > LEAST && losses[n - 1] > TOO_HIGH * lowest)
            return n;
        }
    }
  return n;
}

gboolean
rate_finder_run (FoveaTrainer *trainer, double *rate, GCancellable *cancellable, RateFinderShow show, gpointer user_data, GError **error)
{
  const Mark            mark = trainer->mark;
  g_autoptr (GPtrArray) state = learner_copy_state (trainer->learner, error);
  guint64               steps = learner_get_steps (trainer->learner);
  double                losses[N_STEPS];
  gint                  n;
  guint                 lowest;

  if (!state)
    return FALSE;
  n = climb (trainer, losses, cancellable, show, user_data, error);
  learner_restore_state (trainer->learner, state, steps);
  trainer->mark = mark;
  lowest = find_lowest (losses, (guint) MAX (n, 0));
  *rate = lowest >= LEAST ? SHARE * rate_of (lowest) : trainer->settings.learning_rate;
  return n >= 0;
}
