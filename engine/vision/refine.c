/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * refine.c: see refine.h.
 *
 *   guide, mask ── box means ──> covariances ──> a, b of each window ── box means ──> fields (height, width, 6): a_r a_g a_b b, band, mask
 *
 * out = band (a . colour + b) + (1 - band) mask, fields between pixels by linear interpolation. Only blocks in or beside which the mask varies are fitted: elsewhere
 * it stays as it is.
 */

#include "vision/refine.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/pool.h"
#include "vision/plane.h"
#include "vision/symmetric.h"

#define EDGE_EPSILON 3e-4f /* of colours 0 to 1: smaller variances count as flat */
#define N_MEANS      13    /* I (3), p, I p (3), I I' (6) */
#define N_FIELDS     6
#define N_ROUNDS     4
#define BLOCK        64    /* pixels of the guide along a side, or */
#define BLOCK_RADII  8     /* times the windows' radius */
#define ROWS         16    /* that a thread takes at a time */
#define FLAT         4e-3f /* a mask nearer to 0 or 1 has no border: a step of 8 bits */

enum { FIELD_B = 3, FIELD_BAND, FIELD_MASK };

struct _Refinement
{
  int    width, height;
  float *fields; /* (height, width, N_FIELDS) */
};

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

/* ---- blocks --------------------------------------------------------------------------------------------------------------------- */

typedef struct
{
  int x0, y0, x1, y1; /* of the guide; x1, y1 not in it */
} Block;

enum { PLANE_FITTED, PLANE_SHARE, PLANE_MASK, PLANE_ADDED, N_PLANES };

typedef struct
{
  const guint8 *guide;
  int           width, height;
  const float  *mask;
  int           mask_width, mask_height, radius, side; /* of a block */
  Steps         columns, rows;
  GArray       *blocks;        /* of Block, in rows: those that are fitted */
  guint        *first_of_row;  /* (rows of blocks + 1): in `blocks` */
  float        *fields;        /* (height, width, N_FIELDS) */
  float        *planes;        /* (N_PLANES, height, width): what keep_means works on, in the blocks */
  float        *scratch;       /* (threads, N_MEANS + 1, …): of a block with what its windows reach */
  gsize         scratch_size;  /* of a thread's */
  float        *differences;   /* (mask_height, mask_width) */
} Fit;

/* Row y of the guide from x0 on to x1, between the pixels of a mask. */
static void
sample_row (const Fit *fit, int y, int x0, int x1, const float *mask, float *out)
{
  const float *above = mask + (gsize) fit->rows.first[y] * (gsize) fit->mask_width, *below = mask + (gsize) fit->rows.second[y] * (gsize) fit->mask_width;
  float        fy = fit->rows.share[y];

  for (int x = x0; x < x1; x++)
    {
      int   first = fit->columns.first[x], second = fit->columns.second[x];
      float fx = fit->columns.share[x];

      out[x - x0] = (above[first] * (1 - fx) + above[second] * fx) * (1 - fy) + (below[first] * (1 - fx) + below[second] * fx) * fy;
    }
}

static Block
clip_block (const Fit *fit, int x0, int y0, int x1, int y1)
{
  return (Block) { MAX (x0, 0), MAX (y0, 0), MIN (x1, fit->width), MIN (y1, fit->height) };
}

/* Whether the mask has a border among the pixels that those of the block depend on. */
static gboolean
has_border (const Fit *fit, const Block *block)
{
  int   halo = 2 * fit->radius;
  Block around = clip_block (fit, block->x0 - halo, block->y0 - halo, block->x1 + halo, block->y1 + halo);
  float least = 1.0f, most = 0.0f;

  for (int y = fit->rows.first[around.y0]; y <= fit->rows.second[around.y1 - 1]; y++)
    for (int x = fit->columns.first[around.x0]; x <= fit->columns.second[around.x1 - 1]; x++)
      {
        least = MIN (least, fit->mask[(gsize) y * (gsize) fit->mask_width + (gsize) x]);
        most = MAX (most, fit->mask[(gsize) y * (gsize) fit->mask_width + (gsize) x]);
      }
  return least < 1.0f - FLAT && most > FLAT;
}

static void
find_blocks (Fit *fit)
{
  guint row = 0;

  for (int y = 0; y < fit->height; y += fit->side)
    {
      fit->first_of_row[row++] = fit->blocks->len;
      for (int x = 0; x < fit->width; x += fit->side)
        {
          Block block = clip_block (fit, x, y, x + fit->side, y + fit->side);

          if (has_border (fit, &block))
            g_array_append_val (fit->blocks, block);
        }
    }
  fit->first_of_row[row] = fit->blocks->len;
}

static void
multiply (const float *a, const float *b, int n, float *out)
{
  for (int i = 0; i < n; i++)
    out[i] = a[i] * b[i];
}

/* The 13 planes that a block's covariances come from. */
static void
fill_planes (const Fit *fit, const Block *block, float *planes)
{
  int   width = block->x1 - block->x0;
  gsize n = (gsize) width * (gsize) (block->y1 - block->y0);

  for (int y = block->y0; y < block->y1; y++, planes += width)
    {
      const guint8 *guide = fit->guide + 3 * ((gsize) y * (gsize) fit->width + (gsize) block->x0);
      float        *red = planes, *green = planes + n, *blue = planes + 2 * n, *given = planes + 3 * n, *product = planes + 7 * n;

      for (int x = 0; x < width; x++)
        {
          red[x] = guide[3 * x] / 255.0f;
          green[x] = guide[3 * x + 1] / 255.0f;
          blue[x] = guide[3 * x + 2] / 255.0f;
        }
      sample_row (fit, y, block->x0, block->x1, fit->mask, given);
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

/* The mask of a pixel: within the band what was fitted to the colours, else what was given. */
static inline float
mix (float fitted, float share, float plain)
{
  float mixed = share * fitted + (1.0f - share) * plain;

  return CLAMP (mixed, 0.0f, 1.0f);
}

/* Of a pixel's field. */
static inline float
get_share (const float *field)
{
  float share = 2.0f * field[FIELD_BAND];

  return CLAMP (share, 0.0f, 1.0f);
}

static inline float
fit_colour (const float *field, const guint8 *rgb)
{
  return (field[0] * rgb[0] + field[1] * rgb[1] + field[2] * rgb[2]) / 255.0f + field[FIELD_B];
}

/* The fields of a block, whose windows reach twice the radius beyond it. */
static void
fit_block (const Fit *fit, const Block *block, float *planes)
{
  int    halo = 2 * fit->radius;
  Block  around = clip_block (fit, block->x0 - halo, block->y0 - halo, block->x1 + halo, block->y1 + halo);
  int    width = around.x1 - around.x0, height = around.y1 - around.y0;
  gsize  n = (gsize) width * (gsize) height, n_all = (gsize) fit->width * (gsize) fit->height;
  float *scratch = planes + N_MEANS * n;

  fill_planes (fit, &around, planes);
  for (int k = 0; k < N_MEANS; k++)
    plane_mean (planes + k * n, width, height, 1, fit->radius, scratch);
  fit_windows (planes, n);
  for (int k = 0; k <= FIELD_BAND; k++)
    plane_mean (planes + k * n, width, height, 1, fit->radius, scratch);
  for (int y = block->y0; y < block->y1; y++)
    for (int x = block->x0; x < block->x1; x++)
      {
        gsize  from = (gsize) (y - around.y0) * (gsize) width + (gsize) (x - around.x0), at = (gsize) y * (gsize) fit->width + (gsize) x;
        float *field = fit->fields + at * N_FIELDS;

        for (int k = 0; k <= FIELD_BAND; k++)
          field[k] = planes[k * n + from];
        fit->planes[PLANE_FITTED * n_all + at] = fit_colour (field, fit->guide + 3 * at);
        fit->planes[PLANE_SHARE * n_all + at] = get_share (field);
        fit->planes[PLANE_MASK * n_all + at] = field[FIELD_MASK];
      }
}

static void
fit_blocks (gconstpointer data, gsize first, gsize last, guint thread)
{
  const Fit *fit = data;

  for (gsize k = first; k < last; k++)
    fit_block (fit, &g_array_index (fit->blocks, Block, k), fit->scratch + thread * fit->scratch_size);
}

/* Rows of the guide, everywhere the mask as it was given. */
static void
fill_fields (gconstpointer data, gsize first, gsize last, guint thread)
{
  const Fit *fit = data;
  float     *row = fit->scratch + thread * fit->scratch_size;

  for (gsize y = first; y < last; y++)
    {
      float *field = fit->fields + y * (gsize) fit->width * N_FIELDS;

      sample_row (fit, (int) y, 0, fit->width, fit->mask, row);
      for (int x = 0; x < fit->width; x++, field += N_FIELDS)
        field[FIELD_B] = field[FIELD_MASK] = row[x];
    }
}

/* ---- means ---------------------------------------------------------------------------------------------------------------------- */

/* The blocks that have a part of a row of the guide. */
static const Block *
get_blocks (const Fit *fit, int y, guint *n)
{
  guint row = (guint) (y / fit->side), first = fit->first_of_row[row];

  *n = fit->first_of_row[row + 1] - first;
  return *n ? &g_array_index (fit->blocks, Block, first) : NULL;
}

/* The refined mask of a row of the guide, summed within the pixels of the mask that was given. */
static void
sum_row (const Fit *fit, int y, float *sums, guint *counts)
{
  gsize        n = (gsize) fit->width * (gsize) fit->height;
  guint        n_blocks;
  const Block *block = get_blocks (fit, y, &n_blocks);

  for (guint k = 0; k < n_blocks; k++, block++)
    for (int x0 = block->x0; x0 < block->x1; x0 += BLOCK)
      {
        const float *planes = fit->planes + (gsize) y * (gsize) fit->width + (gsize) x0;
        int          width = MIN (block->x1 - x0, BLOCK);
        float        mixed[BLOCK];

        for (int x = 0; x < width; x++)
          mixed[x] = mix (planes[x] + planes[PLANE_ADDED * n + (gsize) x], planes[PLANE_SHARE * n + (gsize) x], planes[PLANE_MASK * n + (gsize) x]);
        for (int x = 0; x < width; x++)
          {
            sums[fit->columns.cell[x0 + x]] += mixed[x];
            counts[fit->columns.cell[x0 + x]]++;
          }
      }
}

/* How much more the given mask says on average than the refined one, within each of its pixels that a block has a part of: rows of the mask. */
static void
compare_means (gconstpointer data, gsize first, gsize last, guint thread)
{
  const Fit        *fit = data;
  g_autofree guint *counts = g_new (guint, fit->mask_width);

  for (gsize row = first; row < last; row++)
    {
      const float *mask = fit->mask + row * (gsize) fit->mask_width;
      float       *sums = fit->differences + row * (gsize) fit->mask_width;

      memset (counts, 0, (gsize) fit->mask_width * sizeof *counts);
      memset (sums, 0, (gsize) fit->mask_width * sizeof *sums);
      for (int y = (int) ((row * (gsize) fit->height + (gsize) fit->mask_height - 1) / (gsize) fit->mask_height); y < fit->height && fit->rows.cell[y] == (int) row; y++)
        sum_row (fit, y, sums, counts);
      for (int x = 0; x < fit->mask_width; x++)
        sums[x] = counts[x] ? mask[x] - sums[x] / (float) counts[x] : 0.0f;
    }
}

/* Rows of the guide. */
static void
add_differences (gconstpointer data, gsize first, gsize last, guint thread)
{
  const Fit *fit = data;
  float     *row = fit->scratch + thread * fit->scratch_size, *added = fit->planes + PLANE_ADDED * (gsize) fit->width * (gsize) fit->height;

  for (gsize y = first; y < last; y++)
    {
      guint        n_blocks;
      const Block *block = get_blocks (fit, (int) y, &n_blocks);

      for (guint k = 0; k < n_blocks; k++, block++)
        {
          sample_row (fit, (int) y, block->x0, block->x1, fit->differences, row);
          for (int x = block->x0; x < block->x1; x++)
            added[y * (gsize) fit->width + (gsize) x] += row[x - block->x0];
        }
    }
}

static void
add_to_fields (gconstpointer data, gsize first, gsize last, guint thread)
{
  const Fit   *fit = data;
  const float *added = fit->planes + PLANE_ADDED * (gsize) fit->width * (gsize) fit->height;

  for (gsize at = first * (gsize) fit->width; at < last * (gsize) fit->width; at++)
    fit->fields[at * N_FIELDS + FIELD_B] += added[at];
}

/* What the refined mask says on average within each pixel of the mask that was given, it must still say: the difference goes into b (iterative back-projection,
 * Irani & Peleg 1991). */
static void
keep_means (const Fit *fit, Pool *pool)
{
  for (int round = 0; round < N_ROUNDS; round++)
    {
      pool_run (pool, (gsize) fit->mask_height, ROWS, compare_means, fit, NULL);
      pool_run (pool, (gsize) fit->height, ROWS, add_differences, fit, NULL);
    }
  pool_run (pool, (gsize) fit->height, ROWS, add_to_fields, fit, NULL);
}

/* ---- the refinement --------------------------------------------------------------------------------------------------------------- */

static gboolean
fit_all (Fit *fit, guint n_threads, GError **error)
{
  g_autoptr (Pool) pool = pool_new (n_threads, error);
  gsize            side = (gsize) fit->side + 4 * (gsize) fit->radius, n = (gsize) fit->width * (gsize) fit->height;

  fit->scratch_size = MAX (MIN (side * side, n) * (N_MEANS + 1), (gsize) fit->width);
  if (!pool || !(fit->scratch = memory_alloc_n (fit->scratch_size * pool_get_threads (pool), sizeof (float), "the mask's edges", error))
      || !(fit->planes = memory_alloc_n (n, N_PLANES * sizeof (float), "the mask's edges", error))
      || !(fit->differences = memory_alloc_n ((gsize) fit->mask_width * (gsize) fit->mask_height, sizeof (float), "the mask's edges", error)))
    return FALSE;
  find_blocks (fit);
  pool_run (pool, (gsize) fit->height, ROWS, fill_fields, fit, NULL);
  pool_run (pool, fit->blocks->len, 1, fit_blocks, fit, NULL);
  keep_means (fit, pool);
  return TRUE;
}

static void
fit_clear (Fit *fit)
{
  clear_steps (&fit->columns);
  clear_steps (&fit->rows);
  g_array_unref (fit->blocks);
  g_free (fit->first_of_row);
  memory_free (fit->planes);
  memory_free (fit->scratch);
  memory_free (fit->differences);
}

Refinement *
refinement_new (const guint8 *guide, int width, int height, const float *mask, int mask_width, int mask_height, int radius, guint n_threads, GError **error)
{
  g_autoptr (Refinement) refinement = g_new0 (Refinement, 1);
  Fit                    fit = { guide, width, height, mask, mask_width, mask_height, radius };
  gboolean               done;

  refinement->width = width;
  refinement->height = height;
  refinement->fields = memory_alloc_n ((gsize) width * (gsize) height, N_FIELDS * sizeof (float), "the mask's edges", error);
  if (!refinement->fields)
    return NULL;
  if (radius <= 0)
    fit.radius = MAX (2, (int) ceil (MAX ((double) width / mask_width, (double) height / mask_height)));
  fit.side = MAX (BLOCK, BLOCK_RADII * fit.radius);
  fit.columns = make_steps (width, mask_width);
  fit.rows = make_steps (height, mask_height);
  fit.blocks = g_array_new (FALSE, FALSE, sizeof (Block));
  fit.first_of_row = g_new (guint, height / fit.side + 2);
  fit.fields = refinement->fields;
  done = fit_all (&fit, n_threads, error);
  fit_clear (&fit);
  return done ? g_steal_pointer (&refinement) : NULL;
}

void
refinement_free (Refinement *refinement)
{
  if (!refinement)
    return;
  memory_free (refinement->fields);
  g_free (refinement);
}

static inline float
mix_field (const float *field, const guint8 *rgb)
{
  return mix (fit_colour (field, rgb), get_share (field), field[FIELD_MASK]);
}

void
refinement_fill (const Refinement *refinement, const guint8 *guide, float *out)
{
  for (gsize at = 0; at < (gsize) refinement->width * (gsize) refinement->height; at++)
    out[at] = mix_field (refinement->fields + at * N_FIELDS, guide + 3 * at);
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
      out[i] = mix_field (field, rgb + 3 * i);
    }
}
