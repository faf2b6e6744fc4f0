/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * mix.c: see mix.h.
 */

#include "train/mix.h"

gboolean
mix_is_wanted (const FoveaAugmentation *settings, const Dataset *dataset)
{
  return dataset->task == FOVEA_TASK_CLASSIFY && (settings->mixup > 0.0 || settings->cutmix > 0.0);
}

/* Of each that share, of the other one the rest. */
static void
blend (float *a, float *b, gsize n, float share)
{
  for (gsize i = 0; i < n; i++)
    {
      float first = a[i], second = b[i];

      a[i] = share * first + (1.0f - share) * second;
      b[i] = share * second + (1.0f - share) * first;
    }
}

/* Exchanges a rectangle of any place and area, clipped at the sides; what remains of each, a share. */
static float
exchange (Random *random, float *a, float *b, gsize n_planes, gsize side)
{
  double length = (double) side * sqrt (random_between (random, 0.0, 1.0));
  double x = random_between (random, 0.0, (double) side), y = random_between (random, 0.0, (double) side);
  gsize  left = (gsize) MAX (x - length / 2.0, 0.0), top = (gsize) MAX (y - length / 2.0, 0.0);
  gsize  right = (gsize) MIN (x + length / 2.0, (double) side), bottom = (gsize) MIN (y + length / 2.0, (double) side);

  for (gsize plane = 0; plane < n_planes; plane++)
    for (gsize row = top; row < bottom; row++)
      for (gsize i = (plane * side + row) * side + left; i < (plane * side + row) * side + right; i++)
        {
          float kept = a[i];

          a[i] = b[i];
          b[i] = kept;
        }
  return (float) (1.0 - (double) (right - left) * (double) (bottom - top) / (double) (side * side));
}

void
mix_batch (const FoveaAugmentation *settings, Random *random, float *input, gsize n, gsize size, gsize side, float *targets, float *known, gsize classes)
{
  gboolean mixes = random_chance (random, settings->mixup), cuts = !mixes && side > 0 && random_chance (random, settings->cutmix);
  float    share = mixes ? (float) random_between (random, 0.6, 1.0) : 1.0f;

  for (gsize i = 0; i + 1 < n && (mixes || cuts); i += 2)
    {
      if (mixes)
        blend (input + i * size, input + (i + 1) * size, size, share);
      else
        share = exchange (random, input + i * size, input + (i + 1) * size, size / (side * side), side);
      blend (targets + i * classes, targets + (i + 1) * classes, classes, share);
      for (gsize c = i * classes; known && c < (i + 1) * classes; c++)
        known[c] = known[c + classes] = MIN (known[c], known[c + classes]);
    }
}
