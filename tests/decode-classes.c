/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * decode-classes.c: which outputs are a classifier's, what becomes of its numbers, and which label goes with which class.
 */

#include <math.h>

#include "vision/decode-classes.h"
#include "vision/settings.h"

static gsize
count (guint n_dims, gint64 a, gint64 b, gint64 c, gint64 d)
{
  FoveaShape shape = { n_dims, { a, b, c, d } };

  return decode_classes_count (&shape);
}

static void
test_count (void)
{
  g_assert_cmpuint (count (2, 1, 1000, 0, 0), ==, 1000);
  g_assert_cmpuint (count (4, 1, 1000, 1, 1), ==, 1000);
  g_assert_cmpuint (count (4, 1, 1, 1, 7), ==, 7);
  g_assert_cmpuint (count (1, 10, 0, 0, 0), ==, 10);
  g_assert_cmpuint (count (2, 1, 1, 0, 0), ==, 1);
  g_assert_cmpuint (count (3, 1, 3549, 85, 0), ==, 0);
  g_assert_cmpuint (count (3, 1, 1600, 1, 0), ==, 0); /* one value of each box */
  g_assert_cmpuint (count (4, 1, 21, 64, 64), ==, 0);
  g_assert_cmpuint (count (4, 1, 1, 64, 64), ==, 0);
  g_assert_cmpuint (count (2, 4, 1000, 0, 0), ==, 0);
  g_assert_cmpuint (count (2, 4, 1, 0, 0), ==, 0);
  g_assert_cmpuint (count (0, 0, 0, 0, 0), ==, 0);
  g_assert_cmpuint (count (2, 1, 0, 0, 0), ==, 0);
}

static void
check_scores (FoveaActivation activation, const float *values, const double *expected, gsize n)
{
  g_autoptr (GError) error = NULL;
  float copy[4];

  for (gsize i = 0; i < n; i++)
    copy[i] = values[i];
  g_assert_true (decode_classes_activate (activation, copy, n, &error));
  g_assert_no_error (error);
  for (gsize i = 0; i < n; i++)
    g_assert_cmpfloat_with_epsilon (copy[i], expected[i], 1e-6);
}

static void
test_activations (void)
{
  const float  logits[3] = { 1, 2, 3 }, huge[3] = { 1e30f, 0, -1e30f }, distribution[3] = { 0.25f, 0.25f, 0.5f }, positive[3] = { 0.25f, 0.25f, 0.6f };
  const double softmax[3] = { 0.09003057, 0.24472847, 0.66524096 }, sigmoid[3] = { 0.73105858, 0.88079708, 0.95257413 };
  const double first[3] = { 1, 0, 0 }, kept[3] = { 0.25, 0.25, 0.5 }, clamped[3] = { 1, 1, 1 };
  const double of_positive[3] = { 0.29248, 0.29248, 0.41504 };
  const float  probability = 0.7f, logit = -2;
  const double same = 0.7, squashed = 0.11920292;
  float        values[3];

  check_scores (FOVEA_ACTIVATION_AUTO, logits, softmax, 3);
  check_scores (FOVEA_ACTIVATION_SOFTMAX, logits, softmax, 3);
  check_scores (FOVEA_ACTIVATION_SIGMOID, logits, sigmoid, 3);
  check_scores (FOVEA_ACTIVATION_NONE, logits, clamped, 3);
  check_scores (FOVEA_ACTIVATION_AUTO, huge, first, 3);
  check_scores (FOVEA_ACTIVATION_AUTO, distribution, kept, 3);
  check_scores (FOVEA_ACTIVATION_AUTO, &probability, &same, 1);
  check_scores (FOVEA_ACTIVATION_AUTO, &logit, &squashed, 1);

  /* All positive, but the sum is 1.1: logits. */
  for (int i = 0; i < 3; i++)
    values[i] = positive[i];
  g_assert_true (decode_classes_activate (FOVEA_ACTIVATION_AUTO, values, 3, NULL));
  for (int i = 0; i < 3; i++)
    g_assert_cmpfloat_with_epsilon (values[i], of_positive[i], 1e-4);
}

static void
test_not_numbers (void)
{
  const float bad[] = { NAN, INFINITY, -INFINITY };

  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (GError) error = NULL;
      float values[2] = { 0, bad[i] };

      g_assert_false (decode_classes_activate (FOVEA_ACTIVATION_AUTO, values, 2, &error));
      g_assert_error (error, FOVEA_ERROR, FOVEA_ERROR_MODEL);
    }
}

static void
set_labels (FoveaSettings *settings, gsize n)
{
  char **labels = g_new0 (char *, n + 1);

  for (gsize i = 0; i < n; i++)
    labels[i] = g_strdup_printf ("label %" G_GSIZE_FORMAT, i);
  settings_take_labels (settings, labels, n);
}

static void
test_labels (void)
{
  g_autoptr (FoveaSettings) settings = g_new0 (FoveaSettings, 1);
  g_autofree char *first = NULL, *second = NULL, *beyond = NULL;

  /* TensorFlow's background */
  set_labels (settings, 1000);
  decode_classes_fit_labels (settings, 1001);
  g_assert_cmpuint (settings->n_labels, ==, 1001);
  first = fovea_settings_get_label (settings, 0);
  second = fovea_settings_get_label (settings, 1);
  g_assert_cmpstr (first, ==, "background");
  g_assert_cmpstr (second, ==, "label 0");

  /* Never a wrong name: labels of another model go. */
  set_labels (settings, 80);
  decode_classes_fit_labels (settings, 1000);
  g_assert_cmpuint (settings->n_labels, ==, 0);
  beyond = fovea_settings_get_label (settings, 207);
  g_assert_cmpstr (beyond, ==, "class 207");
}

static void
test_order (void)
{
  g_autoptr (FoveaSettings) settings = g_new0 (FoveaSettings, 1);
  g_autoptr (FoveaClasses) classes = NULL;
  float values[4] = { 0.1f, 0.4f, 0.1f, 0.4f };
  const gsize expected[4] = { 1, 3, 0, 2 };

  settings->activation = FOVEA_ACTIVATION_AUTO;
  set_labels (settings, 4);
  classes = decode_classes (settings, values, 4, NULL);
  g_assert_nonnull (classes);
  g_assert_cmpuint (classes->n, ==, 4);
  for (gsize i = 0; i < 4; i++)
    g_assert_cmpuint (classes->classes[i].index, ==, expected[i]);
  g_assert_cmpstr (classes->classes[1].label, ==, "label 3");
  g_assert_cmpfloat_with_epsilon (classes->classes[0].score, 0.4, 1e-6);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/decode-classes/count", test_count);
  g_test_add_func ("/decode-classes/activations", test_activations);
  g_test_add_func ("/decode-classes/not-numbers", test_not_numbers);
  g_test_add_func ("/decode-classes/labels", test_labels);
  g_test_add_func ("/decode-classes/order", test_order);
  return g_test_run ();
}
