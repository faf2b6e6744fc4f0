/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * loss.c: the losses of classes and masks: what they are where that can be said otherwise, their gradients as differences show them, and that what isn't known
 * counts nowhere; and what classes weigh.
 */

#include <math.h>
#include <string.h>

#include "train/lesson.h"
#include "train/loss.h"
#include "train/random.h"

#define N       6
#define CLASSES 4
#define PIXELS  3
#define MOST    (N * CLASSES)
#define STEP    (1.0f / 64.0f)

typedef struct
{
  float    logits[MOST], targets[MOST], weights[MOST], gradient[MOST];
  double   smoothing, focus, temperature;
  gboolean has_weights;
} Case;

typedef double (*Loss) (Case *one);

static double
softmax (Case *one)
{
  return loss_softmax (one->logits, one->targets, one->has_weights ? one->weights : NULL, N, CLASSES, 1, one->smoothing, one->gradient);
}

/* Two images of three pixels. */
static double
softmax_of_images (Case *one)
{
  return loss_softmax (one->logits, one->targets, one->has_weights ? one->weights : NULL, N, CLASSES, PIXELS, one->smoothing, one->gradient);
}

static double
sigmoid (Case *one)
{
  return loss_sigmoid (one->logits, one->targets, one->has_weights ? one->weights : NULL, MOST, one->focus, one->gradient);
}

/* Its gradient is added to. */
static double
dice (Case *one)
{
  memset (one->gradient, 0, sizeof one->gradient);
  return loss_dice (one->logits, one->targets, one->has_weights ? one->weights : NULL, N, CLASSES, 0.7, one->gradient);
}

static double
l1 (Case *one)
{
  memset (one->gradient, 0, sizeof one->gradient);
  return loss_l1 (one->logits, one->targets, one->has_weights ? one->weights : NULL, MOST, 0.7, one->gradient);
}

/* Two images of three pixels with four classes, and, below, six of four pixels with one. These gradients are added to, too. */
static double
lovasz (Case *one)
{
  memset (one->gradient, 0, sizeof one->gradient);
  return loss_lovasz (one->logits, one->targets, one->has_weights ? one->weights : NULL, N / PIXELS, CLASSES, PIXELS, 0.7, one->gradient);
}

static double
lovasz_alone (Case *one)
{
  memset (one->gradient, 0, sizeof one->gradient);
  return loss_lovasz (one->logits, one->targets, one->has_weights ? one->weights : NULL, N, 1, CLASSES, 0.7, one->gradient);
}

/* The targets are what the teacher says. These gradients are added to, too. */
static double
teacher_softmax (Case *one)
{
  memset (one->gradient, 0, sizeof one->gradient);
  return loss_teacher_softmax (one->logits, one->targets, one->has_weights ? one->weights : NULL, N, CLASSES, one->temperature, 0.7, one->gradient);
}

static double
teacher_sigmoid (Case *one)
{
  memset (one->gradient, 0, sizeof one->gradient);
  return loss_teacher_sigmoid (one->logits, one->targets, one->has_weights ? one->weights : NULL, MOST, one->temperature, 0.7, one->gradient);
}

static void
fill (Case *one, gboolean has_weights)
{
  Random random = random_stream (11, 0, 0);

  *one = (Case) { .has_weights = has_weights, .temperature = 2.0 };
  for (guint i = 0; i < MOST; i++)
    {
      one->logits[i] = (float) (1.5 * random_normal (&random));
      one->targets[i] = (float) random_between (&random, 0.0, 1.0);
      one->weights[i] = i % 3 == 1 ? 0.0f : (float) random_between (&random, 0.5, 2.0);
    }
}

static void
check_gradient (Case *one, Loss loss)
{
  float gradient[MOST];

  loss (one);
  memcpy (gradient, one->gradient, sizeof gradient);
  for (guint i = 0; i < MOST; i++)
    {
      float  before = one->logits[i];
      double at[4];

      for (guint k = 0; k < 4; k++) /* the central difference of fourth order */
        {
          static const float steps[] = { 2, 1, -1, -2 };

          one->logits[i] = before + steps[k] * STEP;
          at[k] = loss (one);
        }
      one->logits[i] = before;
      g_assert_cmpfloat_with_epsilon ((8.0 * (at[1] - at[2]) - (at[0] - at[3])) / (12.0 * STEP), gradient[i], 2e-6);
    }
}

static void
test_gradients (void)
{
  Case one;

  for (guint weights = 0; weights < 2; weights++)
    {
      fill (&one, weights != 0);
      check_gradient (&one, sigmoid);
      check_gradient (&one, dice);
      check_gradient (&one, l1);
      check_gradient (&one, softmax);
      check_gradient (&one, softmax_of_images);
      one.smoothing = 0.1;
      check_gradient (&one, softmax);
      check_gradient (&one, softmax_of_images);
      for (one.focus = 2.0; one.focus <= 4.0; one.focus += 1.0)
        check_gradient (&one, sigmoid);
      check_gradient (&one, lovasz);
      check_gradient (&one, lovasz_alone);
      for (one.temperature = 0.5; one.temperature <= 8.0; one.temperature *= 4.0)
        {
          check_gradient (&one, teacher_softmax);
          check_gradient (&one, teacher_sigmoid);
        }
    }
}

/* -log of what a softmax gives the right class; of smoothed labels, that share of the mean over all. */
static void
test_softmax (void)
{
  const float  logits[CLASSES] = { 1.0f, 2.0f, 0.0f, -1.0f }, target[CLASSES] = { 0, 1, 0, 0 };
  float        gradient[CLASSES];
  const double log_sum = log (exp (1.0) + exp (2.0) + 1.0 + exp (-1.0));

  g_assert_cmpfloat_with_epsilon (loss_softmax (logits, target, NULL, 1, CLASSES, 1, 0.0, gradient), log_sum - 2.0, 1e-6);
  g_assert_cmpfloat_with_epsilon (loss_softmax (logits, target, NULL, 1, CLASSES, 1, 0.2, gradient), 0.8 * (log_sum - 2.0) + 0.2 * (log_sum - 0.5), 1e-6);
}

static void
test_sigmoid (void)
{
  const float  logits[2] = { 0.5f, -2.0f }, targets[2] = { 1, 0 };
  float        gradient[2];
  const double p = 1.0 / (1.0 + exp (-0.5)), q = 1.0 / (1.0 + exp (2.0));

  g_assert_cmpfloat_with_epsilon (loss_sigmoid (logits, targets, NULL, 2, 0.0, gradient), -0.5 * (log (p) + log (1.0 - q)), 1e-6);
  g_assert_cmpfloat_with_epsilon (loss_sigmoid (logits, targets, NULL, 2, 2.0, gradient), -0.5 * ((1.0 - p) * (1.0 - p) * log (p) + q * q * log (1.0 - q)), 1e-6);
}

/* Nothing where both say the same; else the divergence of what both make of their logits. */
static void
test_teacher (void)
{
  const float logits[3] = { 1.0f, 3.0f, -2.0f }, taught[3] = { 2.0f, 0.0f, 4.0f }, moved[3] = { 4.0f, 6.0f, 1.0f };
  float       gradient[3] = { 0 };
  double      p[3], q[3], sums[2] = { 0.0, 0.0 }, wanted = 0.0;

  for (guint c = 0; c < 3; c++)
    {
      sums[0] += p[c] = exp (taught[c] / 2.0);
      sums[1] += q[c] = exp (logits[c] / 2.0);
    }
  for (guint c = 0; c < 3; c++)
    wanted += p[c] / sums[0] * log (p[c] / sums[0] / (q[c] / sums[1]));
  g_assert_cmpfloat_with_epsilon (loss_teacher_softmax (logits, taught, NULL, 1, 3, 2.0, 0.5, gradient), 0.5 * 4.0 * wanted, 1e-6);
  memset (gradient, 0, sizeof gradient);
  g_assert_cmpfloat_with_epsilon (loss_teacher_softmax (logits, moved, NULL, 1, 3, 2.0, 1.0, gradient), 0.0, 1e-6);
  g_assert_cmpfloat_with_epsilon (gradient[1], 0.0, 1e-6);
  g_assert_cmpfloat_with_epsilon (loss_teacher_sigmoid (logits, logits, NULL, 3, 2.0, 1.0, gradient), 0.0, 1e-6);
  wanted = 0.0;
  for (guint c = 0; c < 3; c++)
    {
      double a = 1.0 / (1.0 + exp (-taught[c] / 2.0)), b = 1.0 / (1.0 + exp (-logits[c] / 2.0));

      wanted += (a * log (a / b) + (1.0 - a) * log ((1.0 - a) / (1.0 - b))) / 3.0;
    }
  g_assert_cmpfloat_with_epsilon (loss_teacher_sigmoid (logits, taught, NULL, 3, 2.0, 1.0, gradient), 4.0 * wanted, 1e-6);
}

/* A mask that is right costs next to nothing, one that is wrong nearly the whole scale. */
static void
test_dice (void)
{
  float logits[64], targets[64], gradient[64] = { 0 };

  for (guint i = 0; i < 64; i++)
    {
      targets[i] = i < 20;
      logits[i] = i < 20 ? 20.0f : -20.0f;
    }
  g_assert_cmpfloat (loss_dice (logits, targets, NULL, 1, 64, 3.0, gradient), <, 1e-6);
  for (guint i = 0; i < 64; i++)
    logits[i] = -logits[i];
  g_assert_cmpfloat_with_epsilon (loss_dice (logits, targets, NULL, 1, 64, 3.0, gradient), 3.0 * (1.0 - 1.0 / 65.0), 1e-6);
}

/* Where the shares are 0 or 1, it is 1 - intersection over union; of classes that an image doesn't show nothing. */
static void
test_lovasz (void)
{
  float       logits[2 * 3 * 8], targets[2 * 3 * 8], gradient[2 * 3 * 8] = { 0 };
  const guint truth[2][8] = { { 0, 0, 0, 0, 1, 1, 1, 1 }, { 0, 0, 0, 1, 1, 2, 2, 2 } }, said[2][8] = { { 0, 0, 0, 1, 1, 1, 1, 1 }, { 0, 0, 1, 1, 2, 2, 2, 2 } };

  for (guint image = 0; image < 2; image++)
    for (guint c = 0; c < 3; c++)
      for (guint i = 0; i < 8; i++)
        {
          logits[(image * 3 + c) * 8 + i] = said[image][i] == c ? 60.0f : -60.0f;
          targets[(image * 3 + c) * 8 + i] = truth[image][i] == c ? 0.6f : 0.2f; /* as at a mask's border */
        }
  g_assert_cmpfloat_with_epsilon (loss_lovasz (logits, targets, NULL, 2, 3, 8, 1.0, gradient),
                                  1.0 - ((3.0 / 4 + 4.0 / 5) / 2 + (2.0 / 3 + 1.0 / 3 + 3.0 / 4) / 3) / 2, 1e-6);
  g_assert_cmpfloat_with_epsilon (loss_lovasz (logits + 8, targets + 8, NULL, 1, 1, 8, 1.0, gradient), 1.0 - 4.0 / 5, 1e-6);
}

static void
test_smooth_l1 (void)
{
  double derivative;

  g_assert_cmpfloat_with_epsilon (loss_smooth_l1_one (0.5, &derivative), 0.125, 1e-12);
  g_assert_cmpfloat_with_epsilon (derivative, 0.5, 1e-12);
  g_assert_cmpfloat_with_epsilon (loss_smooth_l1_one (-3.0, &derivative), 2.5, 1e-12);
  g_assert_cmpfloat_with_epsilon (derivative, -1.0, 1e-12);
}

/* Whatever is said where nothing is known: the loss is the same, and nothing is learned there. */
static void
check_unknown (Loss loss, guint size, guint n_weights)
{
  Case   one, other;
  double known;

  fill (&one, TRUE);
  known = loss (&one);
  other = one;
  for (guint i = 0; i < MOST; i++)
    if (one.weights[i / size % n_weights] == 0.0f)
      {
        other.logits[i] += 3.0f;
        other.targets[i] = 1.0f - other.targets[i];
        g_assert_cmpfloat (one.gradient[i], ==, 0.0f);
      }
  g_assert_cmpfloat_with_epsilon (loss (&other), known, 1e-9);
}

static void
test_unknown (void)
{
  check_unknown (sigmoid, 1, MOST);
  check_unknown (dice, 1, MOST);
  check_unknown (l1, 1, MOST);
  check_unknown (lovasz_alone, 1, MOST);
  check_unknown (softmax, CLASSES, N);
  check_unknown (teacher_softmax, CLASSES, N);
  check_unknown (teacher_sigmoid, 1, MOST);
}

/* A lesson in which classes weigh unequally is the loss with the photos' weights, or the tags', times those: of a mixed photo as much as it shows of them, of tags
 * that aren't shown not at all. */
static void
check_class_weights (gboolean exclusive)
{
  static const double  class_weights[CLASSES] = { 1.0, 2.0, 4.0, 1.5 };
  Dataset              dataset = { .task = FOVEA_TASK_CLASSIFY, .n_classes = CLASSES, .exclusive = exclusive };
  const LessonSettings settings = { .smoothing = 0.1, .class_weights = g_memdup2 (class_weights, sizeof class_weights) };
  Lesson              *lesson = lesson_new (&dataset, N, 16, &settings);
  g_autofree Case     *one = g_new (Case, 1);
  float                gradient[MOST], sum = 0.0f;
  const TensorView     output = { .data = one->logits, .shape = { .n_dims = 2, .dims = { N, CLASSES } } };
  const TensorView     towards = { .data = gradient, .shape = output.shape };
  Batch                batch = { .targets = one->targets, .weights = one->weights };
  double               loss;

  fill (one, TRUE);
  for (gsize i = 0; i < MOST; i++)
    one->targets[i] = i % CLASSES == i / CLASSES % CLASSES ? 0.75f : (i + 1) % CLASSES == i / CLASSES % CLASSES ? 0.25f : 0.0f;
  lesson_begin (lesson, &batch, NULL);
  lesson_lose (&output, &towards, 1, lesson);
  for (gsize row = 0; row < N; row++)
    {
      double weight = 0.0;

      for (gsize c = 0; c < CLASSES; c++)
        weight += class_weights[c] * one->targets[row * CLASSES + c];
      for (gsize c = 0; c < CLASSES && !exclusive; c++)
        one->weights[row * CLASSES + c] *= (float) (1.0 + one->targets[row * CLASSES + c] * (class_weights[c] - 1.0));
      if (exclusive)
        one->weights[row] *= (float) weight;
    }
  for (gsize i = 0; i < MOST; i++)
    sum += one->weights[i];
  one->smoothing = exclusive ? 0.1 : 0.0;
  loss = exclusive ? softmax (one) : sigmoid (one) * sum / N;
  g_assert_cmpfloat_with_epsilon (lesson_get_loss (lesson), loss, 1e-5);
  for (gsize i = 0; i < MOST; i++)
    g_assert_cmpfloat_with_epsilon (gradient[i], exclusive ? one->gradient[i] : one->gradient[i] * sum / N, 1e-5);
  lesson_free (lesson);
}

static void
test_class_weights (void)
{
  check_class_weights (TRUE);
  check_class_weights (FALSE);
}

/* A share of the labels' loss and one of the teacher's; of tags, those that the teacher doesn't know are learned from labels alone, and only them with less weight. */
static void
check_distilled (gboolean exclusive)
{
  const LessonSettings settings = { .distill = 0.3, .temperature = 2.0 };
  Dataset              dataset = { .task = FOVEA_TASK_CLASSIFY, .n_classes = CLASSES, .exclusive = exclusive };
  Lesson              *lesson = lesson_new (&dataset, N, 16, &settings);
  g_autofree Case     *one = g_new (Case, 1);
  float                gradient[MOST], wanted[MOST], taught[MOST], known[MOST], sum = 0.0f, n_known = 0.0f;
  const TensorView     output = { .data = one->logits, .shape = { .n_dims = 2, .dims = { N, CLASSES } } };
  const TensorView     towards = { .data = gradient, .shape = output.shape };
  Batch                batch = { .targets = one->targets, .weights = one->weights };
  double               loss;

  fill (one, TRUE);
  for (gsize i = 0; i < MOST; i++)
    {
      gboolean is_known = exclusive || i % CLASSES != 2;

      taught[i] = is_known ? 2.0f * one->targets[(i * 7) % MOST] - 1.0f : NAN;
      known[i] = is_known ? 1.0f : 0.0f;
      n_known += known[i];
      sum += one->weights[i];
    }
  lesson_begin (lesson, &batch, taught);
  lesson_lose (&output, &towards, 1, lesson);
  loss = 0.7 * (exclusive ? softmax (one) : sigmoid (one) * sum / N);
  for (gsize i = 0; i < MOST; i++)
    {
      wanted[i] = (float) (0.7 * one->gradient[i] * (exclusive ? 1.0f : sum / N));
      taught[i] = known[i] > 0.0f ? taught[i] : 0.0f;
    }
  loss += exclusive ? loss_teacher_softmax (one->logits, taught, one->weights, N, CLASSES, 2.0, 0.3, wanted)
                    : loss_teacher_sigmoid (one->logits, taught, known, MOST, 2.0, 0.3 * n_known / N, wanted);
  g_assert_cmpfloat_with_epsilon (lesson_get_loss (lesson), loss, 1e-5);
  for (gsize i = 0; i < MOST; i++)
    g_assert_cmpfloat_with_epsilon (gradient[i], wanted[i], 1e-5);
  lesson_free (lesson);
}

static void
test_distilled (void)
{
  check_distilled (TRUE);
  check_distilled (FALSE);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/loss/gradients", test_gradients);
  g_test_add_func ("/loss/softmax", test_softmax);
  g_test_add_func ("/loss/sigmoid", test_sigmoid);
  g_test_add_func ("/loss/teacher", test_teacher);
  g_test_add_func ("/loss/dice", test_dice);
  g_test_add_func ("/loss/lovasz", test_lovasz);
  g_test_add_func ("/loss/smooth-l1", test_smooth_l1);
  g_test_add_func ("/loss/unknown", test_unknown);
  g_test_add_func ("/loss/class-weights", test_class_weights);
  g_test_add_func ("/loss/distilled", test_distilled);
  return g_test_run ();
}
