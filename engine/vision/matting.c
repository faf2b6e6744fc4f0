/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * matting.c: see matting.h.
 *
 * The shares a of the band minimize a' L a + sum of weight (a - guess)², L being the matting Laplacian (laplacian.h), by conjugate gradients with the diagonal as the
 * preconditioner. The guess is where a colour lies between the means of what is surely inside and surely outside nearby, and weighs as much as these differ and the
 * colour lies between them (Wang & Cohen 2007); where it says nothing, the mask that was given counts a little.
 *
 *   photo ── part around the border ──> finest level ── halved ──> … ── halved ──> coarsest level
 *                                         start <── what has changed ── … <── solved
 *
 * Conjugate gradients carry what they know one pixel further each step: what is far away comes from the coarser level.
 */

#include "vision/matting.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "vision/laplacian.h"
#include "vision/plane.h"

#define PRIOR        1e-3f /* weight of the given mask */
#define GUESS        0.03f /* weight of the best guess */
#define NOISE        0.05f /* of colours: how far from the line between two means one of them may lie, and how far apart they must */
#define REACH        2     /* radii: how far means reach */
#define ENOUGH       1e-3  /* of the first residual */
#define MOST_STEPS   90 /* with the coarser levels before them as near to the least as 120 without */
#define LEAST_RADIUS 6     /* a level with a narrower band isn't halved: there is nothing far away */
#define COARSE_SHARE 0.25  /* of the time that a level takes, in the coarser ones */
#define READY_SHARE  0.4   /* of the time that a level takes, before the first step */

/* A picture with a frame of one pixel around it, which repeats the border and isn't looked for. */
typedef struct
{
  int     width, height; /* with the frame, likewise: */
  guint8 *rgb;           /* (height, width, 3) */
  float  *mask;          /* (height, width) */
  guint8 *band;          /* (height, width): 1: looked for */
  float  *scratch;       /* (8, height, width): guess, weight, and what a step needs */
} Level;

typedef struct
{
  GCancellable *cancellable;
  FoveaProgress progress;
  gpointer      user_data;
  double        first, span; /* of the level that is worked on, in the whole */
} Work;

/* FALSE: cancelled. share: of the level that is done. */
static gboolean
go_on (const Work *work, double share, GError **error)
{
  if (work->progress)
    work->progress (work->first + work->span * share, work->user_data);
  return !g_cancellable_set_error_if_cancelled (work->cancellable, error);
}

/* ---- levels ----------------------------------------------------------------------------------------------------------- */

static void
level_free (Level *level)
{
  if (!level)
    return;
  memory_free (level->rgb);
  memory_free (level->mask);
  memory_free (level->band);
  memory_free (level->scratch);
  g_free (level);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Level, level_free)

static Level *
level_new (int width, int height, GError **error)
{
  g_autoptr (Level) level = g_new0 (Level, 1);
  gsize             n = (gsize) width * (gsize) height;

  level->width = width;
  level->height = height;
  if (!(level->rgb = memory_alloc_n (n, 3, "the band of a mask", error)) || !(level->mask = memory_alloc_n (n, sizeof (float), "the band of a mask", error))
      || !(level->band = memory_alloc_n (n, 1, "the band of a mask", error)) || !(level->scratch = memory_alloc_n (n, 8 * sizeof (float), "the band of a mask", error)))
    return NULL;
  return g_steal_pointer (&level);
}

/* The part of a photo from (left, top) on. */
static void
level_cut (Level *level, const guint8 *guide, const float *mask, int photo_width, int left, int top)
{
  for (int y = 0; y < level->height; y++)
    for (int x = 0; x < level->width; x++)
      {
        gsize to = (gsize) y * level->width + x;
        gsize from = (gsize) (top + CLAMP (y, 1, level->height - 2) - 1) * photo_width + left + CLAMP (x, 1, level->width - 2) - 1;

        memcpy (level->rgb + 3 * to, guide + 3 * from, 3);
        level->mask[to] = mask[from];
      }
}

/* Each pixel the mean of four; where a side is odd, the last are made of two of them. */
static Level *
level_halve (const Level *fine, GError **error)
{
  Level *level = level_new ((fine->width - 1) / 2 + 2, (fine->height - 1) / 2 + 2, error);

  for (int y = 0; level && y < level->height; y++)
    for (int x = 0; x < level->width; x++)
      {
        gsize  to = (gsize) y * level->width + x;
        int    left = 2 * CLAMP (x, 1, level->width - 2) - 1, upper = 2 * CLAMP (y, 1, level->height - 2) - 1, sums[3] = { 0 };
        float  share = 0.0f;

        for (int k = 0; k < 4; k++)
          {
            gsize from = (gsize) MIN (upper + k / 2, fine->height - 2) * fine->width + MIN (left + k % 2, fine->width - 2);

            for (int c = 0; c < 3; c++)
              sums[c] += fine->rgb[3 * from + c];
            share += fine->mask[from] / 4;
          }
        for (int c = 0; c < 3; c++)
          level->rgb[3 * to + c] = (guint8) ((sums[c] + 2) / 4);
        level->mask[to] = share;
      }
  return level;
}

/* What the coarser level has changed, in the band. given: (coarse): its mask before. */
static void
level_take_changes (Level *level, Level *coarse, const float *given)
{
  gsize n = (gsize) coarse->width * coarse->height;

  for (gsize at = 0; at < n; at++)
    coarse->mask[at] -= given[at];
  for (int y = 1; y + 1 < level->height; y++)
    for (int x = 1; x + 1 < level->width; x++)
      {
        gsize at = (gsize) y * level->width + x;
        float change;

        if (!level->band[at])
          continue;
        plane_sample (coarse->mask, coarse->width, coarse->height, 1, ((x - 0.5) / 2 + 1) / coarse->width, ((y - 0.5) / 2 + 1) / coarse->height, &change);
        level->mask[at] = CLAMP (level->mask[at] + change, 0.0f, 1.0f);
      }
}

/* ---- what is looked for, and what colours say of it ----------------------------------------------------------------------- */

/* sums: (8): of colours inside, their number, of colours outside, their number. */
static void
guess_share (const guint8 *rgb, const float *sums, float *guess, float *weight)
{
  float apart = 0.0f, along = 0.0f, off = 0.0f, inside[3], outside[3], share;

  if (sums[3] <= 0.0f || sums[7] <= 0.0f)
    return;
  for (int c = 0; c < 3; c++)
    {
      inside[c] = sums[c] / sums[3];
      outside[c] = sums[4 + c] / sums[7];
      apart += (inside[c] - outside[c]) * (inside[c] - outside[c]);
      along += (rgb[c] / 255.0f - outside[c]) * (inside[c] - outside[c]);
    }
  share = CLAMP (along / MAX (apart, 1e-6f), 0.0f, 1.0f);
  for (int c = 0; c < 3; c++)
    {
      float rest = rgb[c] / 255.0f - outside[c] - share * (inside[c] - outside[c]);

      off += rest * rest;
    }
  *guess = share;
  *weight = PRIOR + GUESS * expf (-off / (NOISE * NOISE)) * apart / (apart + NOISE * NOISE);
}

/* The band lies where the mask's inside, widened (`wide`), has more than narrowed. */
static void
mark_band (Level *level, const float *wide, const float *narrow)
{
  for (int y = 1; y + 1 < level->height; y++)
    for (int x = 1; x + 1 < level->width; x++)
      {
        gsize at = (gsize) y * level->width + x;

        level->band[at] = wide[at] > 0.5f && narrow[at] < 0.5f;
      }
}

/* The band, and in the first two planes of the scratch guesses and their weights. begun, share: of the level that is done before and after. */
static gboolean
find_band (Level *level, int radius, const Work *work, double begun, double share, GError **error)
{
  gsize    n = (gsize) level->width * level->height;
  float   *guess = level->scratch, *weight = level->scratch + n, *wide = level->scratch + 2 * n, *narrow = level->scratch + 3 * n, *sums;
  gboolean done;

  for (gsize at = 0; at < n; at++)
    {
      wide[at] = narrow[at] = level->mask[at] > 0.5f ? 1.0f : 0.0f;
      guess[at] = level->mask[at];
      weight[at] = PRIOR;
    }
  if (!plane_spread (wide, level->width, level->height, radius, error) || !go_on (work, begun + (share - begun) / 4, error)
      || !plane_spread (narrow, level->width, level->height, -radius, error) || !go_on (work, begun + (share - begun) / 2, error))
    return FALSE;
  mark_band (level, wide, narrow);
  sums = memory_alloc_n (n, 16 * sizeof *sums, "the colours around a mask", error);
  for (gsize at = 0; sums && at < n; at++)
    if (narrow[at] > 0.5f || wide[at] < 0.5f)
      {
        float *to = sums + 8 * at + (narrow[at] > 0.5f ? 0 : 4);

        for (int c = 0; c < 3; c++)
          to[c] = level->rgb[3 * at + c] / 255.0f;
        to[3] = 1.0f;
      }
  if (sums)
    plane_mean (sums, level->width, level->height, 8, REACH * radius, sums + 8 * n);
  for (gsize at = 0; sums && at < n; at++)
    if (level->band[at])
      guess_share (level->rgb + 3 * at, sums + 8 * at, &guess[at], &weight[at]);
  done = sums && go_on (work, share, error);
  memory_free (sums);
  return done;
}

/* ---- shares ---------------------------------------------------------------------------------------------------------------- */

/* What a level's shares are found with: planes of its scratch, of which only the band is used. */
typedef struct
{
  Laplacian   *laplacian;
  const Run   *runs;   /* (n_runs): the band */
  guint        n_runs;
  const float *guess, *weight;
  float       *mask, *direction, *image, *residual, *better, *diagonal;
} Descent;

static double
product (const Descent *descent, const float *a, const float *b)
{
  double sum = 0.0;

  for (guint i = 0; i < descent->n_runs; i++)
    for (gsize at = descent->runs[i].first; at < descent->runs[i].end; at++)
      sum += (double) a[at] * b[at];
  return sum;
}

/* The residual of `mask`, and the preconditioned one; what they multiply to. */
static double
find_residual (const Descent *descent, const float *mask)
{
  laplacian_apply (descent->laplacian, mask, descent->image);
  for (guint i = 0; i < descent->n_runs; i++)
    for (gsize at = descent->runs[i].first; at < descent->runs[i].end; at++)
      {
        descent->residual[at] = descent->weight[at] * (descent->guess[at] - mask[at]) - descent->image[at];
        descent->better[at] = descent->residual[at] / descent->diagonal[at];
      }
  return product (descent, descent->residual, descent->better);
}

/* direction = better + turn * direction */
static void
turn_direction (const Descent *descent, float turn)
{
  for (guint i = 0; i < descent->n_runs; i++)
    for (gsize at = descent->runs[i].first; at < descent->runs[i].end; at++)
      descent->direction[at] = descent->better[at] + turn * descent->direction[at];
}

/* One step along the direction; what the new residuals multiply to. */
static double
step_along (const Descent *descent, double now)
{
  float  along;
  double next;

  laplacian_apply (descent->laplacian, descent->direction, descent->image);
  for (guint i = 0; i < descent->n_runs; i++)
    for (gsize at = descent->runs[i].first; at < descent->runs[i].end; at++)
      descent->image[at] += descent->weight[at] * descent->direction[at];
  along = (float) (now / product (descent, descent->direction, descent->image));
  for (guint i = 0; i < descent->n_runs; i++)
    for (gsize at = descent->runs[i].first; at < descent->runs[i].end; at++)
      {
        descent->mask[at] += along * descent->direction[at];
        descent->residual[at] -= along * descent->image[at];
        descent->better[at] = descent->residual[at] / descent->diagonal[at];
      }
  next = product (descent, descent->residual, descent->better);
  turn_direction (descent, (float) (next / now));
  return next;
}

/* given: (height, width): the mask before the coarser level, whose residuals say what is enough. share: of the level that is done. */
static gboolean
descend (Level *level, Laplacian *laplacian, const float *given, const Work *work, double share, GError **error)
{
  gsize   n = (gsize) level->width * level->height;
  float  *scratch = level->scratch;
  Descent descent = { laplacian, NULL, 0, scratch, scratch + n, level->mask, scratch + 2 * n, scratch + 3 * n, scratch + 4 * n, scratch + 5 * n, scratch + 6 * n };
  double  first, now, enough, told = share;

  descent.runs = laplacian_get_band (laplacian, &descent.n_runs);
  memset (descent.direction, 0, n * sizeof (float)); /* windows see it beyond the band, too */
  laplacian_diagonal (laplacian, descent.diagonal);
  for (gsize at = 0; at < n; at++)
    descent.diagonal[at] += descent.weight[at];
  first = find_residual (&descent, given);
  now = find_residual (&descent, level->mask);
  enough = ENOUGH * ENOUGH * first;
  turn_direction (&descent, 0.0f);
  for (guint step = 0; step < MOST_STEPS && now > enough; step++)
    {
      double left = log (now / enough) / log (MAX (first, now) / enough);

      told = MAX (told, share + (1.0 - share) * MAX (1.0 - left, (double) step / MOST_STEPS)); /* the residual falls, but not at each step */
      if (!go_on (work, told, error))
        return FALSE;
      now = step_along (&descent, now);
    }
  for (gsize at = 0; at < n; at++)
    if (level->band[at])
      level->mask[at] = CLAMP (level->mask[at], 0.0f, 1.0f);
  return TRUE;
}

static gboolean
solve_level (Level *level, int radius, const Work *work, GError **error)
{
  gsize                 n = (gsize) level->width * level->height;
  gboolean              is_coarsest = radius < 2 * LEAST_RADIUS;
  double                below = is_coarsest ? 0.0 : COARSE_SHARE;
  Work                  coarser = { work->cancellable, work->progress, work->user_data, work->first, work->span * below };
  g_autoptr (Level)     coarse = is_coarsest ? NULL : level_halve (level, error);
  g_autoptr (Laplacian) laplacian = NULL;
  g_autofree float     *coarse_given = coarse ? g_memdup2 (coarse->mask, (gsize) coarse->width * coarse->height * sizeof (float)) : NULL;
  float                *given = level->scratch + 7 * n;

  memcpy (given, level->mask, n * sizeof (float));
  if ((!coarse && !is_coarsest) || (coarse && !solve_level (coarse, (radius + 1) / 2, &coarser, error))
      || !find_band (level, radius, work, below, below + (READY_SHARE - below) / 2, error))
    return FALSE;
  if (coarse)
    level_take_changes (level, coarse, coarse_given);
  g_clear_pointer (&coarse, level_free);
  laplacian = laplacian_new (level->rgb, level->band, level->width, level->height, error);
  return laplacian && go_on (work, READY_SHARE, error) && descend (level, laplacian, given, work, READY_SHARE, error);
}

/* ---- the photo --------------------------------------------------------------------------------------------------------------- */

/* The border of the mask lies in columns *left … *right - 1 and rows *top … *bottom - 1; FALSE: it has none. */
static gboolean
find_border (const float *mask, int width, int height, int *left, int *top, int *right, int *bottom)
{
  *left = width;
  *top = height;
  *right = *bottom = 0;
  for (int y = 0; y < height; y++)
    for (int x = 0; x < width; x++)
      {
        const float *here = mask + (gsize) y * width + x;
        gboolean     inside = *here > 0.5f;

        if ((x && (here[-1] > 0.5f) != inside) || (y && (here[-width] > 0.5f) != inside))
          {
            *left = MIN (*left, MAX (x - 1, 0));
            *right = MAX (*right, x + 1);
            *top = MIN (*top, MAX (y - 1, 0));
            *bottom = MAX (*bottom, y + 1);
          }
      }
  return *right > *left;
}

gboolean
matting_solve (const guint8 *guide, int width, int height, float *mask, int radius, GCancellable *cancellable, FoveaProgress progress, gpointer user_data,
               GError **error)
{
  const Work        work = { cancellable, progress, user_data, 0.0, 1.0 };
  g_autoptr (Level) level = NULL;
  int               left, top, right, bottom, margin = (REACH + 1) * radius + 3;

  if (width < 3 || height < 3 || radius < 1 || !find_border (mask, width, height, &left, &top, &right, &bottom))
    return TRUE;
  left = MAX (left - margin, 0);
  top = MAX (top - margin, 0);
  right = MIN (right + margin, width);
  bottom = MIN (bottom + margin, height);
  level = level_new (right - left + 2, bottom - top + 2, error);
  if (!level)
    return FALSE;
  level_cut (level, guide, mask, width, left, top);
  if (!solve_level (level, radius, &work, error))
    return FALSE;
  for (int y = top; y < bottom; y++)
    memcpy (mask + (gsize) y * width + left, level->mask + (gsize) (y - top + 1) * level->width + 1, (gsize) (right - left) * sizeof *mask);
  return TRUE;
}
