/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * metrics.c: see metrics.h.
 */

#include "train/metrics.h"

#include <math.h>
#include <stdlib.h>

typedef struct
{
  float    score;
  gboolean positive;
} Ranked;

static int
compare_ranked (const void *a, const void *b)
{
  float x = ((const Ranked *) a)->score, y = ((const Ranked *) b)->score;

  return x < y ? 1 : x > y ? -1 : 0;
}

double
metric_average_precision (const float *scores, const float *positive, const float *known, gsize n, gsize stride)
{
  g_autofree Ranked *ranked = g_new (Ranked, n + 1);
  gsize              n_ranked = 0, n_seen = 0, n_found = 0;
  double             sum = 0.0;

  for (gsize i = 0; i < n; i++)
    if (!known || known[i * stride] > 0.0f)
      ranked[n_ranked++] = (Ranked) { scores[i * stride], positive[i * stride] > 0.5f };
  qsort (ranked, n_ranked, sizeof *ranked, compare_ranked);
  while (n_seen < n_ranked)
    {
      float score = ranked[n_seen].score;
      gsize n_new = 0;

      for (; n_seen < n_ranked && ranked[n_seen].score == score; n_seen++)
        n_new += ranked[n_seen].positive;
      n_found += n_new;
      sum += (double) n_new * (double) n_found / (double) n_seen;
    }
  return n_found > 0 ? sum / (double) n_found : NAN;
}

gsize
metric_count_top (const float *scores, const float *targets, gsize n, gsize classes, gsize top)
{
  gsize right = 0;

  for (gsize i = 0; i < n; i++, scores += classes, targets += classes)
    {
      gsize truth = 0, before = 0;

      for (gsize c = 1; c < classes; c++)
        if (targets[c] > targets[truth])
          truth = c;
      for (gsize c = 0; c < classes; c++)
        before += scores[c] > scores[truth] || (scores[c] == scores[truth] && c < truth);
      right += before < top;
    }
  return right;
}

double
metric_iou (const float *mask, const float *truth, const float *known, gsize n, double threshold)
{
  gsize both = 0, either = 0;

  for (gsize i = 0; i < n; i++)
    if (known[i] > 0.0f)
      {
        gboolean a = mask[i] > threshold, b = truth[i] > 0.5f;

        both += a && b;
        either += a || b;
      }
  return either > 0 ? (double) both / (double) either : 1.0;
}

double
metric_mean_error (const float *mask, const float *truth, const float *known, gsize n)
{
  double sum = 0.0, count = 0.0;

  for (gsize i = 0; i < n; i++)
    if (known[i] > 0.0f)
      {
        sum += fabs ((double) mask[i] - truth[i]);
        count += 1.0;
      }
  return count > 0.0 ? sum / count : 0.0;
}
