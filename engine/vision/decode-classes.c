/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * decode-classes.c: a classifier's output as classes with scores.
 */

#include "vision/decode-classes.h"

#include <glib/gi18n.h>
#include <math.h>
#include <stdlib.h>

#include "vision/settings.h"

gsize
decode_classes_count (const FoveaShape *shape)
{
  gsize n = 1;

  if (shape->n_dims < 1 || shape->n_dims > 4 || shape->n_dims == 3) /* three: values of boxes */
    return 0;
  for (guint i = 0; i < shape->n_dims; i++)
    {
      if (shape->dims[i] < 1 || (shape->dims[i] > 1 && n > 1))
        return 0; /* a second dimension that counts: boxes, maps or a batch */
      n *= shape->dims[i];
    }
  return n > 1 && shape->n_dims > 1 && shape->dims[0] > 1 ? 0 : n;
}

void
decode_classes_fit_labels (FoveaSettings *settings, gsize n_classes)
{
  char **labels = NULL;

  if (settings->n_labels == n_classes)
    return;
  if (settings->n_labels == 1000 && n_classes == 1001)
    {
      labels = g_new0 (char *, n_classes + 1);
      labels[0] = g_strdup ("background");
      for (gsize i = 1; i < n_classes; i++)
        labels[i] = g_strdup (settings->labels[i - 1]);
    }
  settings_take_labels (settings, labels, labels ? n_classes : 0);
}

/* ---- scores ----------------------------------------------------------------------------------------------------------------------------- */

static gboolean
is_distribution (const float *values, gsize n)
{
  double sum = 0;

  for (gsize i = 0; i < n; i++)
    {
      if (values[i] < 0)
        return FALSE;
      sum += values[i];
    }
  return fabs (sum - 1) < 1e-3;
}

static void
softmax (float *values, gsize n)
{
  double largest = values[0], sum = 0;

  for (gsize i = 1; i < n; i++)
    largest = MAX (largest, values[i]);
  for (gsize i = 0; i < n; i++)
    sum += exp (values[i] - largest);
  for (gsize i = 0; i < n; i++)
    values[i] = (float) (exp (values[i] - largest) / sum);
}

static void
sigmoid (float *values, gsize n)
{
  for (gsize i = 0; i < n; i++)
    values[i] = (float) (1 / (1 + exp (-(double) values[i])));
}

static void
limit (float *values, gsize n)
{
  for (gsize i = 0; i < n; i++)
    values[i] = CLAMP (values[i], 0, 1);
}

/* One value alone can't be a distribution over classes: it is a probability, or the logit of one. */
static FoveaActivation
choose_activation (const float *values, gsize n)
{
  if (n == 1)
    return values[0] >= 0 && values[0] <= 1 ? FOVEA_ACTIVATION_NONE : FOVEA_ACTIVATION_SIGMOID;
  return is_distribution (values, n) ? FOVEA_ACTIVATION_NONE : FOVEA_ACTIVATION_SOFTMAX;
}

gboolean
decode_classes_activate (FoveaActivation activation, float *values, gsize n, GError **error)
{
  for (gsize i = 0; i < n; i++)
    if (!isfinite (values[i]))
      {
        g_set_error_literal (error, FOVEA_ERROR, FOVEA_ERROR_MODEL,
                             _("The network's answer holds values that aren't numbers: its weights or the input's range, mean and std are wrong."));
        return FALSE;
      }
  if (activation == FOVEA_ACTIVATION_AUTO)
    activation = choose_activation (values, n);
  if (activation == FOVEA_ACTIVATION_SOFTMAX)
    softmax (values, n);
  else if (activation == FOVEA_ACTIVATION_SIGMOID)
    sigmoid (values, n);
  limit (values, n);
  return TRUE;
}

/* ---- classes ---------------------------------------------------------------------------------------------------------------------------- */

static int
compare_classes (const void *a, const void *b)
{
  const FoveaClass *left = a, *right = b;

  if (left->score != right->score)
    return left->score < right->score ? 1 : -1;
  return left->index < right->index ? -1 : left->index > right->index;
}

FoveaClasses *
decode_classes (const FoveaSettings *settings, float *values, gsize n, GError **error)
{
  FoveaClasses *classes;

  if (!decode_classes_activate (settings->activation, values, n, error))
    return NULL;
  classes = g_new0 (FoveaClasses, 1);
  classes->n = n;
  classes->classes = g_new0 (FoveaClass, n);
  for (gsize i = 0; i < n; i++)
    classes->classes[i] = (FoveaClass) { i, fovea_settings_get_label (settings, i), values[i] };
  qsort (classes->classes, n, sizeof *classes->classes, compare_classes);
  return classes;
}

void
fovea_classes_free (FoveaClasses *classes)
{
  if (!classes)
    return;
  for (gsize i = 0; i < classes->n; i++)
    g_free (classes->classes[i].label);
  g_free (classes->classes);
  g_free (classes);
}
