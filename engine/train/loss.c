/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * loss.c: see loss.h.
 */

#include "train/loss.h"

#include <math.h>

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
