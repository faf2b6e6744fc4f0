/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * refine.c: see refine.h.
 *
 *   guide, mask ── box means ──> covariances ──> a, b of each window ── box means ──> coefficients (height, width, 6): a_r a_g a_b b, band, mask
 *
 * out = band (a . colour + b) + (1 - band) mask, coefficients between pixels by linear interpolation.
 */

#include "vision/refine.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"

#define EDGE_EPSILON 3e-4f /* of colours 0 to 1: smaller variances count as flat */
#define N_MEANS      13    /* I (3), p, I p (3), I I' (6) */
#define N_FIELDS     6
#define N_ROUNDS     4

struct _Refinement
{
  int    width, height;
  float *fields; /* (height, width, N_FIELDS) */
};

/* The mask of a pixel. */
static float
mix (const float *field, const guint8 *rgb)
{
  float fitted = (field[0] * rgb[0] + field[1] * rgb[1] + field[2] * rgb[2]) / 255.0f + field[3], band = CLAMP (2.0f * field[4], 0.0f, 1.0f);

  fitted = band * fitted + (1.0f - band) * field[5];
  return CLAMP (fitted, 0.0f, 1.0f);
}

/* Means over (2 radius + 1)² windows, cut off at the border, in place: rows, then columns, by running sums. */
static void
box_mean (float *plane, int width, int height, int radius, float *line)
{
  for (int y = 0; y < height; y++)
    {
      float *row = plane + (gsize) y * width;
      double sum = 0.0;

      for (int x = 0; x < MIN (radius, width); x++)
        sum += row[x];
      for (int x = 0; x < width; x++)
        {
          if (x + radius < width)
            sum += row[x + radius];
          if (x - radius - 1 >= 0)
            sum -= row[x - radius - 1];
          line[x] = (float) (sum / (MIN (x + radius, width - 1) - MAX (x - radius, 0) + 1));
        }
      memcpy (row, line, (gsize) width * sizeof (float));
    }
  for (int x = 0; x < width; x++)
    {
      double sum = 0.0;

      for (int y = 0; y < MIN (radius, height); y++)
        sum += plane[(gsize) y * width + x];
      for (int y = 0; y < height; y++)
        {
          if (y + radius < height)
            sum += plane[(gsize) (y + radius) * width + x];
          if (y - radius - 1 >= 0)
            sum -= plane[(gsize) (y - radius - 1) * width + x];
          line[y] = (float) (sum / (MIN (y + radius, height - 1) - MAX (y - radius, 0) + 1));
        }
      for (int y = 0; y < height; y++)
        plane[(gsize) y * width + x] = line[y];
    }
}

/* Solves the symmetric 3 x 3 system (c + epsilon) a = v by its adjugate. */
static void
solve (const float c[6], const float v[3], float a[3])
{
  float r = c[0] + EDGE_EPSILON, g = c[3] + EDGE_EPSILON, b = c[5] + EDGE_EPSILON, rg = c[1], rb = c[2], gb = c[4];
  float i00 = g * b - gb * gb, i01 = rb * gb - rg * b, i02 = rg * gb - rb * g, i11 = r * b - rb * rb, i12 = rg * rb - r * gb, i22 = r * g - rg * rg;
  float determinant = r * i00 + rg * i01 + rb * i02, factor = determinant > 1e-20f ? 1.0f / determinant : 0.0f;

  a[0] = factor * (i00 * v[0] + i01 * v[1] + i02 * v[2]);
  a[1] = factor * (i01 * v[0] + i11 * v[1] + i12 * v[2]);
  a[2] = factor * (i02 * v[0] + i12 * v[1] + i22 * v[2]);
}

/* Between the mask's pixels. */
static float
sample_mask (const float *mask, int mask_width, int mask_height, double x, double y)
{
  double px = CLAMP (x * mask_width - 0.5, 0.0, mask_width - 1.0), py = CLAMP (y * mask_height - 0.5, 0.0, mask_height - 1.0);
  int    x0 = (int) px, y0 = (int) py, x1 = MIN (x0 + 1, mask_width - 1), y1 = MIN (y0 + 1, mask_height - 1);
  double fx = px - x0, fy = py - y0;

  return (float) ((mask[(gsize) y0 * mask_width + x0] * (1 - fx) + mask[(gsize) y0 * mask_width + x1] * fx) * (1 - fy)
                  + (mask[(gsize) y1 * mask_width + x0] * (1 - fx) + mask[(gsize) y1 * mask_width + x1] * fx) * fy);
}

/* The 13 planes that the covariances come from; the mask goes to its field, too. */
static void
fill_planes (Refinement *refinement, const guint8 *guide, const float *mask, int mask_width, int mask_height, float *planes)
{
  int   width = refinement->width, height = refinement->height;
  gsize n = (gsize) width * height;

  for (int y = 0; y < height; y++)
    for (int x = 0; x < width; x++)
      {
        gsize at = (gsize) y * width + x;
        float colour[3] = { guide[3 * at] / 255.0f, guide[3 * at + 1] / 255.0f, guide[3 * at + 2] / 255.0f };
        float p = sample_mask (mask, mask_width, mask_height, (x + 0.5) / width, (y + 0.5) / height);
        int   k = 7;

        refinement->fields[at * N_FIELDS + 5] = p;
        planes[3 * n + at] = p;
        for (int i = 0; i < 3; i++)
          {
            planes[i * n + at] = colour[i];
            planes[(4 + i) * n + at] = colour[i] * p;
            for (int j = i; j < 3; j++)
              planes[k++ * n + at] = colour[i] * colour[j];
          }
      }
}

/* Planes 0 … 3 become a and b of the window around each pixel; plane 4 how much the mask varies there, 0 to 1. */
static void
fit_windows (float *planes, gsize n)
{
  for (gsize at = 0; at < n; at++)
    {
      float mean[3] = { planes[at], planes[n + at], planes[2 * n + at] }, p = planes[3 * n + at], covariance[6], with_mask[3], a[3];
      int   k = 0;

      for (int i = 0; i < 3; i++)
        {
          with_mask[i] = planes[(4 + i) * n + at] - mean[i] * p;
          for (int j = i; j < 3; j++, k++)
            covariance[k] = planes[(7 + k) * n + at] - mean[i] * mean[j];
        }
      solve (covariance, with_mask, a);
      for (int i = 0; i < 3; i++)
        planes[i * n + at] = a[i];
      planes[3 * n + at] = p - a[0] * mean[0] - a[1] * mean[1] - a[2] * mean[2];
      planes[4 * n + at] = CLAMP (16.0f * p * (1.0f - p), 0.0f, 1.0f);
    }
}

/* What the refined mask says on average within each pixel of the mask that was given, it must still say: the difference goes into b (iterative back-projection,
 * Irani & Peleg 1991). */
static void
keep_means (Refinement *refinement, const guint8 *guide, const float *mask, int mask_width, int mask_height)
{
  int               width = refinement->width, height = refinement->height;
  gsize             n = (gsize) mask_width * mask_height;
  g_autofree float *sums = g_new (float, n), *counts = g_new (float, n);

  for (int round = 0; round < N_ROUNDS; round++)
    {
      memset (sums, 0, n * sizeof *sums);
      memset (counts, 0, n * sizeof *counts);
      for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++)
          {
            gsize at = (gsize) y * width + x, to = (gsize) (y * (gsize) mask_height / height) * mask_width + x * (gsize) mask_width / width;

            sums[to] += mix (refinement->fields + at * N_FIELDS, guide + 3 * at);
            counts[to] += 1.0f;
          }
      for (gsize i = 0; i < n; i++)
        sums[i] = counts[i] > 0.0f ? mask[i] - sums[i] / counts[i] : 0.0f;
      for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++)
          refinement->fields[((gsize) y * width + x) * N_FIELDS + 3] += sample_mask (sums, mask_width, mask_height, (x + 0.5) / width, (y + 0.5) / height);
    }
}

Refinement *
refinement_new (const guint8 *guide, int width, int height, const float *mask, int mask_width, int mask_height, int radius, GError **error)
{
  g_autoptr (Refinement) refinement = g_new0 (Refinement, 1);
  gsize                  n = (gsize) width * (gsize) height;
  float                 *planes = memory_alloc_n (n, N_MEANS * sizeof (float), "the mask's edges", error);
  g_autofree float      *line = g_new (float, MAX (width, height));

  refinement->width = width;
  refinement->height = height;
  refinement->fields = planes ? memory_alloc_n (n, N_FIELDS * sizeof (float), "the mask's edges", error) : NULL;
  if (!refinement->fields)
    {
      memory_free (planes);
      return NULL;
    }
  if (radius <= 0)
    radius = MAX (2, (int) ceil (1.0 * MAX ((double) width / mask_width, (double) height / mask_height)));
  fill_planes (refinement, guide, mask, mask_width, mask_height, planes);
  for (int k = 0; k < N_MEANS; k++)
    box_mean (planes + k * n, width, height, radius, line);
  fit_windows (planes, n);
  for (int k = 0; k < 5; k++)
    {
      box_mean (planes + k * n, width, height, radius, line);
      for (gsize at = 0; at < n; at++)
        refinement->fields[at * N_FIELDS + k] = planes[k * n + at];
    }
  memory_free (planes);
  keep_means (refinement, guide, mask, mask_width, mask_height);
  return g_steal_pointer (&refinement);
}

void
refinement_free (Refinement *refinement)
{
  if (!refinement)
    return;
  memory_free (refinement->fields);
  g_free (refinement);
}

void
refinement_apply (const Refinement *refinement, double x, double y, double step, const guint8 *rgb, gsize n, float *out)
{
  int          width = refinement->width, height = refinement->height;
  double       py = CLAMP (y * height - 0.5, 0.0, height - 1.0);
  int          y0 = (int) py, y1 = MIN (y0 + 1, height - 1);
  float        fy = (float) (py - y0);
  const float *above = refinement->fields + (gsize) y0 * width * N_FIELDS, *below = refinement->fields + (gsize) y1 * width * N_FIELDS;

  for (gsize i = 0; i < n; i++)
    {
      double px = CLAMP ((x + (double) i * step) * width - 0.5, 0.0, width - 1.0);
      int    x0 = (int) px, x1 = MIN (x0 + 1, width - 1);
      float  fx = (float) (px - x0), field[N_FIELDS];

      for (int k = 0; k < N_FIELDS; k++)
        {
          float top = above[x0 * N_FIELDS + k] * (1.0f - fx) + above[x1 * N_FIELDS + k] * fx;
          float bottom = below[x0 * N_FIELDS + k] * (1.0f - fx) + below[x1 * N_FIELDS + k] * fx;

          field[k] = top * (1.0f - fy) + bottom * fy;
        }
      out[i] = mix (field, rgb + 3 * i);
    }
}
