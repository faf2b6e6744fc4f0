/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * loss.c: see loss.h.
 */

#include "train/loss.h"

#include <math.h>
#include <stdlib.h>

static double
sum_weights (const float *weights, gsize n)
{
  double sum = 0.0;

  for (gsize i = 0; i < n; i++)
    sum += weights ? weights[i] : 1.0;
  return MAX (sum, 1e-12);
}

double
loss_softmax (const float *logits, const float *targets, const float *weights, gsize n, gsize classes, gsize stride, double smoothing, float *gradient)
{
  double total = 0.0, mean = 1.0 / sum_weights (weights, n);

  for (gsize i = 0; i < n; i++)
    {
      gsize  first = i / stride * classes * stride + i % stride;
      double weight = weights ? weights[i] : 1.0, greatest = -INFINITY, sum = 0.0, log_sum, mass = 0.0, loss = 0.0;

      for (gsize c = 0; c < classes; c++)
        greatest = MAX (greatest, (double) logits[first + c * stride]);
      for (gsize c = 0; c < classes; c++)
        {
          sum += exp (logits[first + c * stride] - greatest);
          mass += targets[first + c * stride];
        }
      log_sum = greatest + log (sum);
      for (gsize c = 0; c < classes; c++)
        {
          gsize  at = first + c * stride;
          double target = targets[at] * (1.0 - smoothing) + smoothing * mass / (double) classes, log_share = logits[at] - log_sum;

          if (target > 0.0)
            loss -= target * log_share;
          gradient[at] = (float) (weight * mean * (exp (log_share) * mass - target));
        }
      if (weight > 0.0)
        total += weight * loss;
    }
  return total * mean;
}

double
loss_sigmoid_one (double x, double target, double focus, double *derivative)
{
  double p = 1.0 / (1.0 + exp (-x)), loss = MAX (x, 0.0) - x * target + log1p (exp (-fabs (x)));
  double away, factor;

  *derivative = p - target;
  if (focus <= 0.0)
    return loss;
  away = fabs (target - p);
  factor = pow (away, focus);
  *derivative = *derivative * factor + loss * focus * pow (MAX (away, 1e-12), focus - 1.0) * (p > target ? 1.0 : -1.0) * p * (1.0 - p);
  return loss * factor;
}

double
loss_sigmoid (const float *logits, const float *targets, const float *weights, gsize n, double focus, float *gradient)
{
  double total = 0.0, mean = 1.0 / sum_weights (weights, n);

  for (gsize i = 0; i < n; i++)
    {
      double weight = weights ? weights[i] : 1.0, derivative, loss = loss_sigmoid_one (logits[i], targets[i], focus, &derivative);

      gradient[i] = weight > 0.0 ? (float) (weight * mean * derivative) : 0.0f;
      if (weight > 0.0)
        total += weight * loss;
    }
  return total * mean;
}

/* The logarithm of the sum of exp (logits / temperature). */
static double
log_sum_exp (const float *logits, gsize n, double temperature)
{
  double greatest = -INFINITY, sum = 0.0;

  for (gsize i = 0; i < n; i++)
    greatest = MAX (greatest, logits[i] / temperature);
  for (gsize i = 0; i < n; i++)
    sum += exp (logits[i] / temperature - greatest);
  return greatest + log (sum);
}

double
loss_teacher_softmax (const float *logits, const float *taught, const float *weights, gsize n, gsize classes, double temperature, double scale, float *gradient)
{
  double total = 0.0, mean = scale / sum_weights (weights, n);

  for (gsize i = 0; i < n; i++, logits += classes, taught += classes, gradient += classes)
    {
      double weight = weights ? weights[i] : 1.0, log_sum, taught_log_sum;

      if (weight <= 0.0)
        continue;
      log_sum = log_sum_exp (logits, classes, temperature);
      taught_log_sum = log_sum_exp (taught, classes, temperature);
      for (gsize c = 0; c < classes; c++)
        {
          double log_share = logits[c] / temperature - log_sum, log_target = taught[c] / temperature - taught_log_sum, target = exp (log_target);

          total += weight * temperature * temperature * target * (log_target - log_share);
          gradient[c] += (float) (mean * weight * temperature * (exp (log_share) - target));
        }
    }
  return total * mean;
}

/* -log of the sigmoid of x */
static double
softplus (double x)
{
  return MAX (-x, 0.0) + log1p (exp (-fabs (x)));
}

double
loss_teacher_sigmoid (const float *logits, const float *taught, const float *weights, gsize n, double temperature, double scale, float *gradient)
{
  double total = 0.0, mean = scale / sum_weights (weights, n);

  for (gsize i = 0; i < n; i++)
    {
      double weight = weights ? weights[i] : 1.0, x = logits[i] / temperature, y = taught[i] / temperature, target = 1.0 / (1.0 + exp (-y));

      if (weight <= 0.0)
        continue;
      total += weight * temperature * temperature * (target * (softplus (x) - softplus (y)) + (1.0 - target) * (softplus (-x) - softplus (-y)));
      gradient[i] += (float) (mean * weight * temperature * (1.0 / (1.0 + exp (-x)) - target));
    }
  return total * mean;
}

double
loss_l1 (const float *logits, const float *targets, const float *weights, gsize n, double scale, float *gradient)
{
  double total = 0.0, mean = scale / sum_weights (weights, n);

  for (gsize i = 0; i < n; i++)
    {
      double weight = weights ? weights[i] : 1.0, share = 1.0 / (1.0 + exp (-logits[i])), away = share - targets[i];

      if (weight <= 0.0)
        continue;
      total += weight * fabs (away);
      gradient[i] += (float) (weight * mean * ((away > 0.0) - (away < 0.0)) * share * (1.0 - share));
    }
  return total * mean;
}

double
loss_dice (const float *logits, const float *targets, const float *weights, gsize n, gsize size, double scale, float *gradient)
{
  double total = 0.0;

  for (gsize mask = 0; mask < n; mask++)
    {
      double both = 0.0, sum = 0.0, dice, above, below;

      for (gsize i = mask * size; i < (mask + 1) * size; i++)
        {
          double p = 1.0 / (1.0 + exp (-logits[i])), weight = weights ? weights[i] : 1.0;

          both += weight * p * targets[i];
          sum += weight * (p + targets[i]);
        }
      above = 2.0 * both + 1.0;
      below = sum + 1.0;
      dice = above / below;
      total += 1.0 - dice;
      for (gsize i = mask * size; i < (mask + 1) * size; i++)
        {
          double p = 1.0 / (1.0 + exp (-logits[i])), weight = weights ? weights[i] : 1.0;

          gradient[i] -= (float) (scale / (double) n * weight * (2.0 * targets[i] - dice) / below * p * (1.0 - p));
        }
    }
  return scale * total / (double) MAX (n, 1);
}

/* ---- Lovász ---------------------------------------------------------------------------------------------------------------------------------- */

/* How far a pixel's share of a class is from what it should be. */
typedef struct
{
  float    error;
  guint32  pixel;
  gboolean is_class;
} PixelError;

/* Largest first; equal ones in their order, so that any sorting gives the same. */
static int
compare_errors (const void *a, const void *b)
{
  const PixelError *left = a, *right = b;

  if (left->error != right->error)
    return left->error < right->error ? 1 : -1;
  return left->pixel < right->pixel ? -1 : 1;
}

/* Shares of the classes at each pixel of an image. */
static void
find_shares (const float *logits, gsize classes, gsize pixels, float *shares)
{
  for (gsize i = 0; i < pixels; i++)
    {
      double greatest = classes == 1 ? 0.0 : -INFINITY, sum; /* a sigmoid is a softmax beside a 0 */

      for (gsize c = 0; c < classes; c++)
        greatest = MAX (greatest, (double) logits[c * pixels + i]);
      sum = classes == 1 ? exp (-greatest) : 0.0;
      for (gsize c = 0; c < classes; c++)
        sum += exp (logits[c * pixels + i] - greatest);
      for (gsize c = 0; c < classes; c++)
        shares[c * pixels + i] = (float) (exp (logits[c * pixels + i] - greatest) / sum);
    }
}

/* The loss of one class, and its derivatives by the shares: each error counts as much as the union loses with it, the larger ones taken before. FALSE where the
 * image doesn't show the class. */
static gboolean
lose_overlap (const float *shares, const float *targets, const float *weights, gsize pixels, PixelError *errors, float *by_share, double *loss)
{
  gsize  n = 0, size = 0, missed = 0, wrong = 0;
  double before = 0.0;

  for (gsize i = 0; i < pixels; i++)
    {
      gboolean is_class = targets[i] >= 0.5f;

      by_share[i] = 0.0f;
      if (weights && weights[i] <= 0.0f)
        continue;
      errors[n++] = (PixelError) { is_class ? 1.0f - shares[i] : shares[i], (guint32) i, is_class };
      size += is_class;
    }
  *loss = 0.0;
  if (size == 0)
    return FALSE;
  qsort (errors, n, sizeof *errors, compare_errors);
  for (gsize i = 0; i < n; i++)
    {
      double now;

      missed += errors[i].is_class;
      wrong += !errors[i].is_class;
      now = 1.0 - (double) (size - missed) / (double) (size + wrong);
      *loss += errors[i].error * (now - before);
      by_share[errors[i].pixel] = (float) ((errors[i].is_class ? -1.0 : 1.0) * (now - before));
      before = now;
    }
  return TRUE;
}

double
loss_lovasz (const float *logits, const float *targets, const float *weights, gsize n, gsize classes, gsize pixels, double scale, float *gradient)
{
  g_autofree float      *shares = g_new (float, classes * pixels), *by_share = g_new (float, classes * pixels);
  g_autofree PixelError *errors = g_new (PixelError, pixels);
  double                 total = 0.0;

  for (gsize image = 0; image < n; image++)
    {
      gsize  first = image * classes * pixels, n_shown = 0;
      double sum = 0.0, factor;

      find_shares (logits + first, classes, pixels, shares);
      for (gsize c = 0; c < classes; c++)
        {
          double loss;

          n_shown += lose_overlap (shares + c * pixels, targets + first + c * pixels, weights ? weights + image * pixels : NULL, pixels, errors,
                                   by_share + c * pixels, &loss);
          sum += loss;
        }
      if (n_shown == 0)
        continue;
      factor = scale / (double) (n * n_shown);
      total += factor * sum;
      for (gsize i = 0; i < pixels; i++)
        {
          double mean = 0.0;

          for (gsize c = 0; c < classes; c++)
            mean += (double) by_share[c * pixels + i] * shares[c * pixels + i];
          for (gsize c = 0; c < classes; c++)
            gradient[first + c * pixels + i] += (float) (factor * shares[c * pixels + i] * (by_share[c * pixels + i] - mean));
        }
    }
  return total;
}

double
loss_smooth_l1_one (double x, double *derivative)
{
  *derivative = CLAMP (x, -1.0, 1.0);
  return fabs (x) < 1.0 ? 0.5 * x * x : fabs (x) - 0.5;
}
