/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * optimizer.c: steps of SGD and AdamW against their definitions, in double: Nesterov momentum, weight decay of weights alone, rates of single parameters, a clipped
 * norm, the moving average; nothing moves where a gradient isn't a number; and the learning rate over a training.
 */

#include <math.h>
#include <string.h>

#include "train/optimizer.h"
#include "train/random.h"
#include "train/schedule.h"

#define N       70000 /* numbers of a parameter: more than a task has */
#define N_STEPS 12
#define RATE    0.05

typedef struct
{
  float     weights[N], bias[N], statistic[N], gradients[2][N];
  double    wanted[2][N], first[2][N], second[2][N], average[2][N]; /* of weights and bias */
  Parameter parameters[3];
} Case;

static void
run_tasks (gpointer runner, gsize n_tasks, void (*func) (gconstpointer data, gsize first, gsize last, guint thread), gconstpointer data)
{
  for (gsize i = n_tasks; i-- > 0;)
    func (data, i, i + 1, 0);
}

static Case *
make_case (void)
{
  Case  *one = g_new0 (Case, 1);
  Random random = random_stream (3, 0, 0);

  for (gsize i = 0; i < N; i++)
    {
      one->weights[i] = (float) random_normal (&random);
      one->bias[i] = (float) random_normal (&random);
      one->average[0][i] = one->wanted[0][i] = one->weights[i];
      one->average[1][i] = one->wanted[1][i] = one->bias[i];
    }
  one->parameters[0] = (Parameter) { "weights", one->weights, one->gradients[0], N, TRUE, 1.0 };
  one->parameters[1] = (Parameter) { "bias", one->bias, one->gradients[1], N, FALSE, 0.1 };
  one->parameters[2] = (Parameter) { "statistic", one->statistic, NULL, N, FALSE, 1.0 };
  return one;
}

static void
draw_gradients (Case *one, guint step)
{
  Random random = random_stream (4, step, 0);

  for (guint p = 0; p < 2; p++)
    for (gsize i = 0; i < N; i++)
      one->gradients[p][i] = (float) random_normal (&random);
}

/* The definitions: Sutskever et al. 2013 as PyTorch writes it; Loshchilov & Hutter 2019, algorithm 2. */
static void
move (Case *one, const OptimizerSettings *settings, guint step)
{
  double squares = 0.0, scale = 1.0, keep = MIN (settings->average, (1.0 + step) / (10.0 + step));

  for (guint p = 0; p < 2; p++)
    for (gsize i = 0; i < N; i++)
      squares += (double) one->gradients[p][i] * one->gradients[p][i];
  if (settings->clip > 0.0 && sqrt (squares) > settings->clip)
    scale = settings->clip / sqrt (squares);
  for (guint p = 0; p < 2; p++)
    for (gsize i = 0; i < N; i++)
      {
        double g = one->gradients[p][i] * scale, rate = RATE * one->parameters[p].rate, decay = one->parameters[p].decays ? settings->weight_decay : 0.0;
        double *x = &one->wanted[p][i], *m = &one->first[p][i], *v = &one->second[p][i];

        if (settings->kind == FOVEA_OPTIMIZER_SGD)
          {
            g += decay * *x;
            *m = settings->momentum * *m + g;
            *x -= rate * (g + settings->momentum * *m);
          }
        else
          {
            *m = settings->momentum * *m + (1.0 - settings->momentum) * g;
            *v = settings->second * *v + (1.0 - settings->second) * g * g;
            *x -= rate * (*m / (1.0 - pow (settings->momentum, step + 1.0)) / (sqrt (*v / (1.0 - pow (settings->second, step + 1.0))) + 1e-8) + decay * *x);
          }
        one->average[p][i] = keep * one->average[p][i] + (1.0 - keep) * *x;
      }
}

static void
check_close (const float *numbers, const double *wanted)
{
  for (gsize i = 0; i < N; i++)
    g_assert_cmpfloat_with_epsilon (numbers[i], wanted[i], 2e-5);
}

static void
check (const OptimizerSettings *settings)
{
  Case      *one = make_case ();
  Optimizer *optimizer = optimizer_new (settings, one->parameters, 3, run_tasks, NULL, NULL);
  double     norm;

  for (guint step = 0; step < N_STEPS; step++)
    {
      draw_gradients (one, step);
      g_assert_true (optimizer_step (optimizer, RATE, &norm));
      g_assert_cmpfloat_with_epsilon (norm, sqrt (2.0 * N), 5.0);
      move (one, settings, step);
    }
  check_close (one->weights, one->wanted[0]);
  check_close (one->bias, one->wanted[1]);
  check_close (optimizer_get_average (optimizer, one->weights), settings->average > 0.0 ? one->average[0] : one->wanted[0]);
  optimizer_free (optimizer);
  g_free (one);
}

static const OptimizerSettings settings[] = {
  { FOVEA_OPTIMIZER_SGD, .momentum = 0.9, .weight_decay = 0.01, .average = 0.9 },
  { FOVEA_OPTIMIZER_SGD, .momentum = 0.5, .clip = 2.0 },
  { FOVEA_OPTIMIZER_ADAMW, .momentum = 0.9, .second = 0.999, .weight_decay = 0.02, .average = 0.5 },
  { FOVEA_OPTIMIZER_ADAMW, .momentum = 0.8, .second = 0.99, .clip = 1.0 },
};

static void
test_steps (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (settings); i++)
    check (&settings[i]);
}

/* Neither parameters nor the optimizer's state: the next step is as if that one hadn't been. */
static void
test_not_finite (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (settings); i++)
    {
      Case      *one = make_case ();
      Optimizer *optimizer = optimizer_new (&settings[i], one->parameters, 3, run_tasks, NULL, NULL);

      for (guint step = 0; step < 2; step++)
        {
          draw_gradients (one, 9);
          one->gradients[1][N - 1] = step ? (float) NAN : (float) INFINITY;
          g_assert_false (optimizer_step (optimizer, RATE, NULL));
          check_close (one->weights, one->wanted[0]);
          draw_gradients (one, step);
          g_assert_true (optimizer_step (optimizer, RATE, NULL));
          move (one, &settings[i], step);
          check_close (one->weights, one->wanted[0]);
        }
      g_assert_cmpuint (optimizer_get_steps (optimizer), ==, 2);
      optimizer_free (optimizer);
      g_free (one);
    }
}

/* The default: up over the first tenth, then down to nearly nothing, never up again. */
static void
test_schedule (void)
{
  double before = 2.0;

  g_assert_cmpfloat_with_epsilon (schedule_rate (FOVEA_SCHEDULE_COSINE, 0.0, 0.1), 0.02, 1e-9);
  g_assert_cmpfloat_with_epsilon (schedule_rate (FOVEA_SCHEDULE_COSINE, 0.05, 0.1), 0.51, 1e-9);
  g_assert_cmpfloat_with_epsilon (schedule_rate (FOVEA_SCHEDULE_COSINE, 0.1, 0.1), 1.0, 1e-9);
  g_assert_cmpfloat_with_epsilon (schedule_rate (FOVEA_SCHEDULE_COSINE, 0.55, 0.1), 0.501, 1e-9);
  g_assert_cmpfloat_with_epsilon (schedule_rate (FOVEA_SCHEDULE_COSINE, 1.0, 0.1), 0.002, 1e-9);
  for (double fraction = 0.1; fraction <= 1.2; fraction += 0.01)
    {
      g_assert_cmpfloat (schedule_rate (FOVEA_SCHEDULE_COSINE, fraction, 0.1), <=, before);
      before = schedule_rate (FOVEA_SCHEDULE_COSINE, fraction, 0.1);
    }
  g_assert_cmpfloat_with_epsilon (schedule_rate (FOVEA_SCHEDULE_COSINE, 0.0, 0.0), 1.0, 1e-9);
}

/* The rates at parts of the training; those of one cycle as PyTorch's OneCycleLR has them by default. */
static void
test_schedules (void)
{
  static const double cases[][3] = {
    { FOVEA_SCHEDULE_STEP, 0.05, 0.51 },        { FOVEA_SCHEDULE_STEP, 0.1, 1.0 },          { FOVEA_SCHEDULE_STEP, 0.59, 1.0 },
    { FOVEA_SCHEDULE_STEP, 0.61, 0.1 },         { FOVEA_SCHEDULE_STEP, 0.84, 0.1 },         { FOVEA_SCHEDULE_STEP, 0.86, 0.01 },
    { FOVEA_SCHEDULE_STEP, 1.0, 0.01 },         { FOVEA_SCHEDULE_CONSTANT, 0.05, 0.51 },    { FOVEA_SCHEDULE_CONSTANT, 0.1, 1.0 },
    { FOVEA_SCHEDULE_CONSTANT, 1.0, 1.0 },      { FOVEA_SCHEDULE_ONE_CYCLE, 0.0, 0.04 },    { FOVEA_SCHEDULE_ONE_CYCLE, 0.15, 0.52 },
    { FOVEA_SCHEDULE_ONE_CYCLE, 0.3, 1.0 },     { FOVEA_SCHEDULE_ONE_CYCLE, 0.65, 0.500002 }, { FOVEA_SCHEDULE_ONE_CYCLE, 1.0, 4e-6 },
    { FOVEA_SCHEDULE_ONE_CYCLE, 1.1, 4e-6 },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    g_assert_cmpfloat_with_epsilon (schedule_rate ((FoveaSchedule) cases[i][0], cases[i][1], 0.1), cases[i][2], 1e-9);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/optimizer/steps", test_steps);
  g_test_add_func ("/optimizer/not-finite", test_not_finite);
  g_test_add_func ("/optimizer/schedule", test_schedule);
  g_test_add_func ("/optimizer/schedules", test_schedules);
  return g_test_run ();
}
