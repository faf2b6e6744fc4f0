/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * plane.c: see plane.h. Columns are worked on a row at a time: each step takes whole rows, which lie together in memory.
 */

#include "vision/plane.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"

void
plane_sample (const float *plane, int width, int height, int fields, double x, double y, float *out)
{
  double px = CLAMP (x * width - 0.5, 0.0, width - 1.0), py = CLAMP (y * height - 0.5, 0.0, height - 1.0);
  gsize  x0 = (gsize) px, y0 = (gsize) py, x1 = MIN (x0 + 1, (gsize) width - 1), y1 = MIN (y0 + 1, (gsize) height - 1), row = (gsize) width;
  float  fx = (float) (px - (double) x0), fy = (float) (py - (double) y0);

  for (int k = 0; k < fields; k++)
    {
      float above = plane[(y0 * row + x0) * fields + k] * (1 - fx) + plane[(y0 * row + x1) * fields + k] * fx;
      float below = plane[(y1 * row + x0) * fields + k] * (1 - fx) + plane[(y1 * row + x1) * fields + k] * fx;

      out[k] = above * (1 - fy) + below * fy;
    }
}

/* Means along n items of `size` floats each, from `in` to `out`, by running sums. */
static void
mean_along (const float *in, float *out, int n, gsize size, int radius, double *sums)
{
  memset (sums, 0, size * sizeof *sums);
  for (int i = 0; i < MIN (radius, n); i++)
    for (gsize k = 0; k < size; k++)
      sums[k] += in[(gsize) i * size + k];
  for (int i = 0; i < n; i++)
    {
      int    coming = i + radius, going = i - radius - 1;
      double share = 1.0 / (MIN (i + radius, n - 1) - MAX (i - radius, 0) + 1);

      for (gsize k = 0; k < size && coming < n; k++)
        sums[k] += in[(gsize) coming * size + k];
      for (gsize k = 0; k < size && going >= 0; k++)
        sums[k] -= in[(gsize) going * size + k];
      for (gsize k = 0; k < size; k++)
        out[(gsize) i * size + k] = (float) (sums[k] * share);
    }
}

/* The same of single floats: the sum stays in a register. */
static void
mean_row (const float *in, float *out, int n, int radius)
{
  double sum = 0.0, share = 1.0 / (2 * radius + 1);
  int    i = 0;

  for (int k = 0; k < MIN (radius, n); k++)
    sum += in[k];
  for (; i < n && (i <= radius || i + radius >= n); i++)
    {
      sum += i + radius < n ? in[i + radius] : 0.0f;
      sum -= i - radius - 1 >= 0 ? in[i - radius - 1] : 0.0f;
      out[i] = (float) (sum * (1.0 / (MIN (i + radius, n - 1) - MAX (i - radius, 0) + 1)));
    }
  for (; i + radius < n; i++)
    {
      sum = sum + in[i + radius] - in[i - radius - 1];
      out[i] = (float) (sum * share);
    }
  for (; i < n; i++)
    {
      sum -= in[i - radius - 1];
      out[i] = (float) (sum * (1.0 / (n - 1 - (i - radius) + 1)));
    }
}

void
plane_mean (float *plane, int width, int height, int fields, int radius, float *scratch)
{
  gsize              row = (gsize) width * (gsize) fields;
  g_autofree double *sums = g_new (double, row);

  for (int y = 0; y < height; y++)
    if (fields == 1)
      mean_row (plane + (gsize) y * row, scratch + (gsize) y * row, width, radius);
    else
      mean_along (plane + (gsize) y * row, scratch + (gsize) y * row, width, (gsize) fields, radius, sums);
  mean_along (scratch, plane, height, row, radius, sums);
}

/* The greatest of 2 radius + 1 items along n of `size` floats each, negated where `sign` is -1: windows of 1, 2, 4 … items from those of half their length, then
 * two of the longest that fit. padded: (n + 2 radius, size). */
static void
spread_along (float *line, int n, gsize size, int radius, float sign, float *padded)
{
  gsize window = 2 * (gsize) radius + 1, length = 1, total = ((gsize) n + 2 * (gsize) radius) * size;

  for (gsize k = 0; k < total; k++)
    padded[k] = -INFINITY;
  for (gsize k = 0; k < (gsize) n * size; k++)
    padded[(gsize) radius * size + k] = sign * line[k];
  for (; 2 * length <= window; length *= 2)
    for (gsize k = 0; k + length * size < total; k++)
      padded[k] = MAX (padded[k], padded[k + length * size]);
  for (gsize k = 0; k < (gsize) n * size; k++)
    line[k] = sign * MAX (padded[k], padded[k + (window - length) * size]);
}

gboolean
plane_spread (float *plane, int width, int height, int radius, GError **error)
{
  int    reach = ABS (radius);
  float  sign = radius < 0 ? -1.0f : 1.0f;
  float *padded = memory_alloc_n ((gsize) MAX (width, 1) + 2 * (gsize) reach, ((gsize) height + 2 * (gsize) reach) * sizeof *padded, "the mask", error);

  if (!padded)
    return FALSE;
  for (int y = 0; y < height; y++)
    spread_along (plane + (gsize) y * width, width, 1, reach, sign, padded);
  spread_along (plane, height, (gsize) width, reach, sign, padded);
  memory_free (padded);
  return TRUE;
}
