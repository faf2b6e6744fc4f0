/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * region-grow.c: see region-grow.h. The distance of each pixel from the given ones is that of the way with the least sum of squared steps in colour, which follows a sky
 * from blue to white but not over its edge (geodesic segmentation: Bai & Sapiro, "A geodesic framework", 2007). Texture is averaged away before. Two kinds of distances,
 * near and far, are told apart as Otsu does gray levels ("A threshold selection method from gray-level histograms", 1979).
 */

#include "vision/region-grow.h"

#include <math.h>

#include "base/memory.h"
#include "vision/plane.h"

#define TEXTURE  2    /* pixels: finer than that is texture */
#define LENGTH   0.2f /* of a step between pixels of one colour, in squared gray levels */
#define N_LEVELS 256

static float
step_between (const float *colours, gsize a, gsize b)
{
  float sum = LENGTH;

  for (gsize c = 0; c < 3; c++)
    sum += (colours[3 * a + c] - colours[3 * b + c]) * (colours[3 * a + c] - colours[3 * b + c]);
  return sum;
}

static gboolean
shorten (const float *colours, float *distances, gsize at, gsize from)
{
  float way;

  if (distances[from] >= distances[at])
    return FALSE;
  way = distances[from] + step_between (colours, at, from);
  if (way >= distances[at])
    return FALSE;
  distances[at] = way;
  return TRUE;
}

/* Sweeps over the photo, to and fro, until no way is shorter. */
static void
find_distances (const float *colours, int width, int height, const guint8 *known, guint8 from, float *distances)
{
  gsize    n = (gsize) width * (gsize) height, row = (gsize) width;
  gboolean changed = TRUE;

  for (gsize i = 0; i < n; i++)
    distances[i] = known[i] == from ? 0.0f : G_MAXFLOAT;
  while (changed)
    {
      changed = FALSE;
      for (gsize i = 0; i < n; i++)
        {
          changed |= i % row > 0 && shorten (colours, distances, i, i - 1);
          changed |= i >= row && shorten (colours, distances, i, i - row);
        }
      for (gsize i = n; i-- > 0;)
        {
          changed |= i % row < row - 1 && shorten (colours, distances, i, i + 1);
          changed |= i < n - row && shorten (colours, distances, i, i + row);
        }
    }
}

/* The distance that parts near from far: between the two kinds they differ most. */
static float
find_limit (const float *distances, gsize n)
{
  double counts[N_LEVELS] = { 0 }, total = 0.0, below = 0.0, sum_below = 0.0, best = -1.0;
  float  greatest = 0.0f;
  int    limit = N_LEVELS - 1;

  for (gsize i = 0; i < n; i++)
    greatest = MAX (greatest, distances[i]);
  if (!(greatest > 0.0f))
    return G_MAXFLOAT;
  for (gsize i = 0; i < n; i++)
    counts[MIN ((int) (distances[i] / greatest * N_LEVELS), N_LEVELS - 1)]++;
  for (int level = 0; level < N_LEVELS; level++)
    total += counts[level] * level;
  for (int level = 0; level < N_LEVELS - 1; level++)
    {
      double above, between;

      below += counts[level];
      sum_below += counts[level] * level;
      above = (double) n - below;
      between = below > 0.0 && above > 0.0 ? below * above * pow (sum_below / below - (total - sum_below) / above, 2.0) : 0.0;
      if (between > best)
        {
          best = between;
          limit = level + 1;
        }
    }
  return greatest * (float) limit / N_LEVELS;
}

gboolean
region_grow (const guint8 *rgb, int width, int height, const guint8 *known, float *guess, GError **error)
{
  gsize    n = (gsize) width * (gsize) height;
  gboolean others = FALSE;
  float   *colours = memory_alloc_n (n, 3 * sizeof (float), "the cut-out", error), *outside = NULL, limit;

  outside = colours ? memory_alloc_n (n, 3 * sizeof (float), "the cut-out", error) : NULL;
  if (outside)
    {
      for (gsize i = 0; i < 3 * n; i++)
        colours[i] = rgb[i];
      for (int pass = 0; pass < 2; pass++)
        plane_mean (colours, width, height, 3, TEXTURE, outside);
      find_distances (colours, width, height, known, REGION_INSIDE, guess);
      limit = find_limit (guess, n);
      for (gsize i = 0; i < n; i++)
        others |= known[i] == REGION_OUTSIDE;
      if (others)
        find_distances (colours, width, height, known, REGION_OUTSIDE, outside);
      for (gsize i = 0; i < n; i++)
        guess[i] = guess[i] < limit && !(others && outside[i] < guess[i]) ? 1.0f : 0.0f;
    }
  memory_free (colours);
  memory_free (outside);
  return outside != NULL;
}
