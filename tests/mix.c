/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * mix.c: photos that are mixed two by two: labels go along in the shares of the pixels.
 */

#include "train/mix.h"

#define N     5
#define SIDE  9
#define SIZE  (3 * SIDE * SIDE)

typedef struct
{
  float input[N * SIZE], targets[N * N];
} Photos;

/* Each photo is all of its own number, and of its own class. */
static void
fill (Photos *photos)
{
  for (gsize i = 0; i < N * SIZE; i++)
    photos->input[i] = (float) (i / SIZE);
  for (gsize i = 0; i < N * N; i++)
    photos->targets[i] = i / N == i % N;
}

/* How much each photo shows of itself and of its neighbour is what its label says. */
static void
check (const Photos *photos, gboolean *mixed)
{
  for (gsize i = 0; i < N; i++)
    {
      gsize  neighbour = i + 1 == N && N % 2 ? i : i ^ 1;
      double sum = 0.0, own = photos->targets[i * N + i], other = neighbour == i ? 0.0 : photos->targets[i * N + neighbour];

      for (gsize k = 0; k < SIZE; k++)
        sum += photos->input[i * SIZE + k];
      g_assert_cmpfloat_with_epsilon (own + other, 1.0, 1e-6);
      g_assert_cmpfloat_with_epsilon (sum / SIZE, own * (double) i + other * (double) neighbour, 1e-5);
      *mixed = *mixed || other > 0.0;
    }
}

static void
run (const FoveaAugmentation *settings, gsize side, gboolean wanted)
{
  g_autofree Photos *photos = g_new (Photos, 1);
  gboolean           mixed = FALSE;

  for (guint64 seed = 0; seed < 50; seed++)
    {
      Random random = random_stream (seed, 0, 0);

      fill (photos);
      mix_batch (settings, &random, photos->input, N, SIZE, side, photos->targets, NULL, N);
      check (photos, &mixed);
    }
  g_assert_true (mixed == wanted);
}

static void
test_shares (void)
{
  run (&(FoveaAugmentation) { .mixup = 1.0 }, SIDE, TRUE);
  run (&(FoveaAugmentation) { .cutmix = 1.0 }, SIDE, TRUE);
  run (&(FoveaAugmentation) { .mixup = 0.5, .cutmix = 0.5 }, SIDE, TRUE);
  run (&(FoveaAugmentation) { .mixup = 1.0 }, 0, TRUE);
  run (&(FoveaAugmentation) { .cutmix = 1.0 }, 0, FALSE); /* features have no rectangles */
  run (&(FoveaAugmentation) { .crop = 0.5 }, SIDE, FALSE);
}

/* What isn't known of one photo isn't known of a mixture with it. */
static void
test_known (void)
{
  g_autofree Photos *photos = g_new (Photos, 1);
  float              known[N * N];
  Random             random = random_stream (1, 0, 0);

  fill (photos);
  for (gsize i = 0; i < N * N; i++)
    known[i] = (float) (i != 1 && i != 2 * N + 2);
  mix_batch (&(FoveaAugmentation) { .mixup = 1.0 }, &random, photos->input, N, SIZE, SIDE, photos->targets, known, N);
  for (gsize i = 0; i < N * N; i++)
    g_assert_cmpfloat (known[i], ==, i == 1 || i == N + 1 || i == 2 * N + 2 || i == 3 * N + 2 ? 0.0f : 1.0f);
}

static void
test_wanted (void)
{
  const FoveaAugmentation mixup = { .mixup = 0.1 }, cutmix = { .cutmix = 0.1 }, none = { .crop = 0.5 };
  Dataset                 kinds = { .task = FOVEA_TASK_CLASSIFY, .exclusive = TRUE }, tags = { .task = FOVEA_TASK_CLASSIFY }, masks = { .task = FOVEA_TASK_SEGMENT, .exclusive = TRUE };

  g_assert_true (mix_is_wanted (&mixup, &kinds) && mix_is_wanted (&cutmix, &kinds) && mix_is_wanted (&mixup, &tags));
  g_assert_false (mix_is_wanted (&none, &kinds) || mix_is_wanted (&cutmix, &masks));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/mix/shares", test_shares);
  g_test_add_func ("/mix/known", test_known);
  g_test_add_func ("/mix/wanted", test_wanted);
  return g_test_run ();
}
