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
#include "vision/plane.h"
#include "vision/symmetric.h"

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

/* Where the guide's pixels along one side lie between the mask's. */
typedef struct
{
  int   *first, *second, *cell; /* (n): the mask's pixels beside each, and the one that it lies in */
  float *share;                 /* (n): of the second */
} Steps;

static Steps
make_steps (int n, int n_mask)
{
  Steps steps = { g_new (int, n), g_new (int, n), g_new (int, n), g_new (float, n) };

  for (int i = 0; i < n; i++)
    {
      double at = CLAMP ((i + 0.5) * n_mask / n - 0.5, 0.0, n_mask - 1.0);

      steps.first[i] = (int) at;
      steps.second[i] = MIN (steps.first[i] + 1, n_mask - 1);
      steps.share[i] = (float) (at - steps.first[i]);
      steps.cell[i] = (int) ((gint64) i * n_mask / n);
    }
  return steps;
}

static void
clear_steps (Steps *steps)
{
  g_free (steps->first);
  g_free (steps->second);
  g_free (steps->cell);
  g_free (steps->share);
}

/* Row y of the guide, between the mask's pixels. */
static void
sample_row (const float *mask, int mask_width, const Steps *columns, const Steps *rows, int y, int width, float *out)
{
  const float *above = mask + (gsize) rows->first[y] * mask_width, *below = mask + (gsize) rows->second[y] * mask_width;
  float        fy = rows->share[y];

  for (int x = 0; x < width; x++)
    {
      int   first = columns->first[x], second = columns->second[x];
      float fx = columns->share[x];

      out[x] = (above[first] * (1 - fx) + above[second] * fx) * (1 - fy) + (below[first] * (1 - fx) + below[second] * fx) * fy;
    }
}

/* The 13 planes that the covariances come from; the mask goes to its field, too. */
static void
fill_planes (Refinement *refinement, const guint8 *guide, const float *mask, int mask_width, const Steps *columns, const Steps *rows, float *planes)
{
  int               width = refinement->width, height = refinement->height;
  gsize             n = (gsize) width * height;
  g_autofree float *row = g_new (float, width);

  for (int y = 0; y < height; y++)
    {
      sample_row (mask, mask_width, columns, rows, y, width, row);
      for (int x = 0; x < width; x++)
        {
          gsize at = (gsize) y * width + x;
          float colour[3] = { guide[3 * at] / 255.0f, guide[3 * at + 1] / 255.0f, guide[3 * at + 2] / 255.0f };
          int   k = 7;

          refinement->fields[at * N_FIELDS + 5] = row[x];
          planes[3 * n + at] = row[x];
          for (int i = 0; i < 3; i++)
            {
              planes[i * n + at] = colour[i];
              planes[(4 + i) * n + at] = colour[i] * row[x];
              for (int j = i; j < 3; j++)
                planes[k++ * n + at] = colour[i] * colour[j];
            }
        }
    }
}

/* Planes 0 … 3 become a and b of the window around each pixel; plane 4 how much the mask varies there, 0 to 1. */
static void
fit_windows (float *planes, gsize n)
{
  for (gsize at = 0; at < n; at++)
    {
      float mean[3] = { planes[at], planes[n + at], planes[2 * n + at] }, p = planes[3 * n + at], covariance[6], inverse[6], with_mask[3], a[3];
      int   k = 0;

      for (int i = 0; i < 3; i++)
        {
          with_mask[i] = planes[(4 + i) * n + at] - mean[i] * p;
          for (int j = i; j < 3; j++, k++)
            covariance[k] = planes[(7 + k) * n + at] - mean[i] * mean[j];
        }
      symmetric_invert (covariance, EDGE_EPSILON, inverse);
      symmetric_multiply (inverse, with_mask, a);
      for (int i = 0; i < 3; i++)
        planes[i * n + at] = a[i];
      planes[3 * n + at] = p - a[0] * mean[0] - a[1] * mean[1] - a[2] * mean[2];
      planes[4 * n + at] = CLAMP (16.0f * p * (1.0f - p), 0.0f, 1.0f);
    }
}

/* What the refined mask says on average within each pixel of the mask that was given, it must still say: the difference goes into b (iterative back-projection,
 * Irani & Peleg 1991). */
static void
keep_means (Refinement *refinement, const guint8 *guide, const float *mask, int mask_width, int mask_height, const Steps *columns, const Steps *rows)
{
  int               width = refinement->width, height = refinement->height;
  gsize             n = (gsize) mask_width * mask_height;
  g_autofree float *sums = g_new (float, n), *counts = g_new (float, n), *row = g_new (float, width);

  for (int round = 0; round < N_ROUNDS; round++)
    {
      memset (sums, 0, n * sizeof *sums);
      memset (counts, 0, n * sizeof *counts);
      for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++)
          {
            gsize at = (gsize) y * width + x, to = (gsize) rows->cell[y] * mask_width + columns->cell[x];

            sums[to] += mix (refinement->fields + at * N_FIELDS, guide + 3 * at);
            counts[to] += 1.0f;
          }
      for (gsize i = 0; i < n; i++)
        sums[i] = counts[i] > 0.0f ? mask[i] - sums[i] / counts[i] : 0.0f;
      for (int y = 0; y < height; y++)
        {
          sample_row (sums, mask_width, columns, rows, y, width, row);
          for (int x = 0; x < width; x++)
            refinement->fields[((gsize) y * width + x) * N_FIELDS + 3] += row[x];
        }
    }
}

Refinement *
refinement_new (const guint8 *guide, int width, int height, const float *mask, int mask_width, int mask_height, int radius, GError **error)
{
  g_autoptr (Refinement) refinement = g_new0 (Refinement, 1);
  gsize                  n = (gsize) width * (gsize) height;
  float                 *planes = memory_alloc_n (n, (N_MEANS + 1) * sizeof (float), "the mask's edges", error);
  Steps                  columns, rows;

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
  columns = make_steps (width, mask_width);
  rows = make_steps (height, mask_height);
  fill_planes (refinement, guide, mask, mask_width, &columns, &rows, planes);
  for (int k = 0; k < N_MEANS; k++)
    plane_mean (planes + k * n, width, height, 1, radius, planes + N_MEANS * n);
  fit_windows (planes, n);
  for (int k = 0; k < 5; k++)
    {
      plane_mean (planes + k * n, width, height, 1, radius, planes + N_MEANS * n);
      for (gsize at = 0; at < n; at++)
        refinement->fields[at * N_FIELDS + k] = planes[k * n + at];
    }
  memory_free (planes);
  keep_means (refinement, guide, mask, mask_width, mask_height, &columns, &rows);
  clear_steps (&columns);
  clear_steps (&rows);
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
refinement_fill (const Refinement *refinement, const guint8 *guide, float *out)
{
  for (gsize at = 0; at < (gsize) refinement->width * (gsize) refinement->height; at++)
    out[at] = mix (refinement->fields + at * N_FIELDS, guide + 3 * at);
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
