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

/* The mask of a pixel: within the band what was fitted to the colours, else what was given. */
static inline float
mix (float fitted, float band, float plain)
{
  float share = CLAMP (2.0f * band, 0.0f, 1.0f), mixed = share * fitted + (1.0f - share) * plain;

  return CLAMP (mixed, 0.0f, 1.0f);
}

static float
mix_pixel (const float *field, const guint8 *rgb)
{
  return mix ((field[0] * rgb[0] + field[1] * rgb[1] + field[2] * rgb[2]) / 255.0f + field[3], field[4], field[5]);
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

static void
multiply (const float *a, const float *b, int n, float *out)
{
  for (int i = 0; i < n; i++)
    out[i] = a[i] * b[i];
}

/* The 13 planes that the covariances come from. */
static void
fill_planes (const guint8 *guide, int width, int height, const float *mask, int mask_width, const Steps *columns, const Steps *rows, float *planes)
{
  gsize n = (gsize) width * (gsize) height;

  for (int y = 0; y < height; y++, planes += width, guide += 3 * (gsize) width)
    {
      float *red = planes, *green = planes + n, *blue = planes + 2 * n, *given = planes + 3 * n, *product = planes + 7 * n;

      for (int x = 0; x < width; x++)
        {
          red[x] = guide[3 * x] / 255.0f;
          green[x] = guide[3 * x + 1] / 255.0f;
          blue[x] = guide[3 * x + 2] / 255.0f;
        }
      sample_row (mask, mask_width, columns, rows, y, width, given);
      for (int i = 0; i < 3; i++)
        {
          multiply (planes + i * n, given, width, planes + (4 + i) * n);
          for (int j = i; j < 3; j++, product += n)
            multiply (planes + i * n, planes + j * n, width, product);
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

/* One over the number of the guide's pixels in each of the mask's. */
static float *
weigh_cells (int width, int height, int mask_width, int mask_height, const Steps *columns, const Steps *rows)
{
  float           *weights = g_new (float, (gsize) mask_width * (gsize) mask_height);
  g_autofree int  *across = g_new0 (int, mask_width), *down = g_new0 (int, mask_height);

  for (int x = 0; x < width; x++)
    across[columns->cell[x]]++;
  for (int y = 0; y < height; y++)
    down[rows->cell[y]]++;
  for (int y = 0; y < mask_height; y++)
    for (int x = 0; x < mask_width; x++)
      weights[(gsize) y * (gsize) mask_width + (gsize) x] = across[x] && down[y] ? 1.0f / ((float) across[x] * (float) down[y]) : 0.0f;
  return weights;
}

/* What the refined mask says on average within each pixel of the mask that was given, it must still say: the difference goes into b (iterative back-projection,
 * Irani & Peleg 1991). fields: the planes of the six; fitted: a plane of a . colour + b. */
static void
keep_means (float *fields, float *fitted, int width, int height, const float *mask, int mask_width, int mask_height, const Steps *columns, const Steps *rows)
{
  gsize             n = (gsize) width * (gsize) height, n_cells = (gsize) mask_width * (gsize) mask_height;
  float            *b = fields + 3 * n;
  const float      *band = fields + 4 * n, *plain = fields + 5 * n;
  g_autofree float *weights = weigh_cells (width, height, mask_width, mask_height, columns, rows), *sums = g_new (float, n_cells), *row = g_new (float, width);

  for (int round = 0; round < N_ROUNDS; round++)
    {
      memset (sums, 0, n_cells * sizeof *sums);
      for (int y = 0; y < height; y++)
        {
          gsize  at = (gsize) y * (gsize) width;
          float *cells = sums + (gsize) rows->cell[y] * (gsize) mask_width;

          for (int x = 0; x < width; x++)
            row[x] = mix (fitted[at + (gsize) x], band[at + (gsize) x], plain[at + (gsize) x]);
          for (int x = 0; x < width; x++)
            cells[columns->cell[x]] += row[x];
        }
      for (gsize i = 0; i < n_cells; i++)
        sums[i] = weights[i] > 0.0f ? mask[i] - sums[i] * weights[i] : 0.0f;
      for (int y = 0; y < height; y++)
        {
          gsize at = (gsize) y * (gsize) width;

          sample_row (sums, mask_width, columns, rows, y, width, row);
          for (int x = 0; x < width; x++)
            {
              b[at + (gsize) x] += row[x];
              fitted[at + (gsize) x] += row[x];
            }
        }
    }
}

/* a . colour + b of each of the guide's pixels. */
static void
fit_pixels (const float *fields, const guint8 *guide, gsize n, float *fitted)
{
  for (gsize at = 0; at < n; at++)
    fitted[at] = (fields[at] * guide[3 * at] + fields[n + at] * guide[3 * at + 1] + fields[2 * n + at] * guide[3 * at + 2]) / 255.0f + fields[3 * n + at];
}

/* planes: N_MEANS + 1. The first six become the fields. */
static void
fill_fields (float *planes, const guint8 *guide, int width, int height, const float *mask, int mask_width, int mask_height, int radius)
{
  gsize n = (gsize) width * (gsize) height;
  float *scratch = planes + N_MEANS * n;
  Steps columns = make_steps (width, mask_width), rows = make_steps (height, mask_height);

  fill_planes (guide, width, height, mask, mask_width, &columns, &rows, planes);
  for (int k = 0; k < N_MEANS; k++)
    plane_mean (planes + k * n, width, height, 1, radius, scratch);
  fit_windows (planes, n);
  for (int k = 0; k < 5; k++)
    plane_mean (planes + k * n, width, height, 1, radius, scratch);
  for (int y = 0; y < height; y++)
    sample_row (mask, mask_width, &columns, &rows, y, width, planes + 5 * n + (gsize) y * (gsize) width);
  fit_pixels (planes, guide, n, scratch);
  keep_means (planes, scratch, width, height, mask, mask_width, mask_height, &columns, &rows);
  clear_steps (&columns);
  clear_steps (&rows);
}

Refinement *
refinement_new (const guint8 *guide, int width, int height, const float *mask, int mask_width, int mask_height, int radius, GError **error)
{
  g_autoptr (Refinement) refinement = g_new0 (Refinement, 1);
  gsize                  n = (gsize) width * (gsize) height;
  float                 *planes = memory_alloc_n (n, (N_MEANS + 1) * sizeof (float), "the mask's edges", error);

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
  fill_fields (planes, guide, width, height, mask, mask_width, mask_height, radius);
  for (gsize at = 0; at < n; at++)
    for (int k = 0; k < N_FIELDS; k++)
      refinement->fields[at * N_FIELDS + k] = planes[k * n + at];
  memory_free (planes);
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
    out[at] = mix_pixel (refinement->fields + at * N_FIELDS, guide + 3 * at);
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
      out[i] = mix_pixel (field, rgb + 3 * i);
    }
}
