/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * matting.c: hair drawn over a background with known shares: from a mask that knows only the head, most of it is found; where colours say nothing, and beyond the
 * band, the mask stays as it was. It tells how far it is, and stops where it is told to.
 */

#include <math.h>
#include <string.h>

#include <glib.h>

#include "vision/matting.h"
#include "vision/plane.h"

#define WIDTH   200
#define HEIGHT  160
#define RADIUS  40  /* of the head */
#define LENGTH  24  /* of hair */
#define N_HAIRS 30
#define BAND    28

/* How far (x, y) lies from the hair that grows from the head's middle at `angle`. */
static double
hair_distance (double x, double y, double angle)
{
  double along = x * cos (angle) + y * sin (angle), across = fabs (y * cos (angle) - x * sin (angle));

  return along < 0 ? INFINITY : hypot (across, MAX (0.0, along - RADIUS - LENGTH));
}

/* truth, mask: (HEIGHT, WIDTH); guide: the photo. */
static void
draw (float *truth, float *mask, guint8 *guide)
{
  const double head[3] = { 0.45, 0.27, 0.12 }, behind[3] = { 0.55, 0.7, 0.85 };
  float        scratch[WIDTH * HEIGHT];

  for (int i = 0; i < WIDTH * HEIGHT; i++)
    {
      double x = i % WIDTH - WIDTH / 2, y = i / WIDTH - HEIGHT / 2, away = hypot (x, y), share = CLAMP (RADIUS + 0.5 - away, 0.0, 1.0);

      mask[i] = (float) share;
      for (int h = 0; h < N_HAIRS; h++)
        share = MAX (share, 0.8 * CLAMP (1.5 - hair_distance (x, y, 2 * G_PI * h / N_HAIRS), 0.0, 1.0));
      truth[i] = (float) share;
      for (int c = 0; c < 3; c++)
        guide[3 * i + c] = (guint8) (255 * (share * (head[c] + 0.04 * sin (0.3 * x)) + (1 - share) * (behind[c] + 0.001 * y)) + 0.5);
    }
  plane_mean (mask, WIDTH, HEIGHT, 1, 3, scratch);
}

static double
mean_error (const float *mask, const float *truth)
{
  double sum = 0;

  for (int i = 0; i < WIDTH * HEIGHT; i++)
    sum += fabsf (mask[i] - truth[i]);
  return sum / (WIDTH * HEIGHT);
}

static void
test_hair (void)
{
  g_autofree float  *truth = g_new (float, WIDTH * HEIGHT), *mask = g_new (float, WIDTH * HEIGHT), *given = NULL;
  g_autofree guint8 *guide = g_new (guint8, 3 * WIDTH * HEIGHT);
  double             before, after;

  draw (truth, mask, guide);
  given = g_memdup2 (mask, WIDTH * HEIGHT * sizeof *mask);
  before = mean_error (mask, truth);
  g_assert_true (matting_solve (guide, WIDTH, HEIGHT, mask, BAND, NULL, NULL, NULL, NULL));
  after = mean_error (mask, truth);
  g_test_message ("mean error %.4f -> %.4f", before, after);
  g_assert_cmpfloat (after, <, 0.35 * before);
  for (int i = 0; i < WIDTH * HEIGHT; i++)
    {
      double away = hypot (i % WIDTH - WIDTH / 2, i / WIDTH - HEIGHT / 2);

      g_assert_true (mask[i] >= 0 && mask[i] <= 1);
      if (away < RADIUS - 1.5 * BAND || away > RADIUS + 1.5 * BAND)
        g_assert_cmpfloat (mask[i], ==, given[i]);
    }
}

/* A photo of one colour says nothing: the mask stays. */
static void
test_no_colours (void)
{
  g_autofree float  *truth = g_new (float, WIDTH * HEIGHT), *mask = g_new (float, WIDTH * HEIGHT), *given = NULL;
  g_autofree guint8 *guide = g_new (guint8, 3 * WIDTH * HEIGHT);

  draw (truth, mask, guide);
  given = g_memdup2 (mask, WIDTH * HEIGHT * sizeof *mask);
  memset (guide, 100, 3 * WIDTH * HEIGHT);
  g_assert_true (matting_solve (guide, WIDTH, HEIGHT, mask, 4, NULL, NULL, NULL, NULL));
  g_assert_cmpfloat (mean_error (mask, given), <, 0.01);
}

static void
test_small (void)
{
  const guint8 guide[3 * 2 * 9] = { 0 };
  float        mask[2 * 9] = { 0, 1 };

  g_assert_true (matting_solve (guide, 2, 9, mask, 5, NULL, NULL, NULL, NULL)); /* no window fits */
  g_assert_cmpfloat (mask[1], ==, 1);
  g_assert_true (matting_solve (guide, 6, 3, mask, 5, NULL, NULL, NULL, NULL));
}

typedef struct
{
  GCancellable *cancellable;
  double        stop, last; /* shares of the work */
  guint         reports;
} Watch;

static void
on_progress (double fraction, gpointer data)
{
  Watch *watch = data;

  g_assert_cmpfloat (fraction, >=, watch->last);
  g_assert_cmpfloat (fraction, <=, 1);
  watch->last = fraction;
  watch->reports++;
  if (fraction >= watch->stop)
    {
      g_assert_false (g_cancellable_is_cancelled (watch->cancellable)); /* not a step more */
      g_cancellable_cancel (watch->cancellable);
    }
}

static void
test_cancel (void)
{
  g_autofree float  *truth = g_new (float, WIDTH * HEIGHT), *mask = g_new (float, WIDTH * HEIGHT);
  g_autofree guint8 *guide = g_new (guint8, 3 * WIDTH * HEIGHT);

  for (int i = 0; i <= 5; i++)
    {
      g_autoptr (GCancellable) cancellable = g_cancellable_new ();
      g_autoptr (GError)       error = NULL;
      Watch                    watch = { cancellable, i / 4.0, 0, 0 }; /* the last but one stops at the end, the last never */
      gboolean                 done;

      draw (truth, mask, guide);
      done = matting_solve (guide, WIDTH, HEIGHT, mask, BAND, cancellable, on_progress, &watch, &error);
      if (i < 4)
        g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
      g_assert_true (done == !error);
      g_assert_cmpuint (watch.reports, >, i == 5 ? 20 : 0);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/matting/hair", test_hair);
  g_test_add_func ("/matting/no-colours", test_no_colours);
  g_test_add_func ("/matting/small", test_small);
  g_test_add_func ("/matting/cancel", test_cancel);
  return g_test_run ();
}
