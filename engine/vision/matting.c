/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * matting.c: see matting.h.
 *
 * The shares a of the band minimize a' L a + sum of weight (a - guess)², L being the matting Laplacian, by conjugate gradients with the diagonal as the preconditioner.
 * L is never written down: in a window, L times p is what is left of p after the best linear function of the colours (He, Sun & Tang 2010), so that a product takes two
 * looks at the window's nine pixels. The guess is where a colour lies between the means of what is surely inside and surely outside nearby, and weighs as much as these
 * differ and the colour lies between them (Wang & Cohen 2007); where it says nothing, the mask that was given counts a little.
 */

#include "vision/matting.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "vision/plane.h"
#include "vision/symmetric.h"

#define EPSILON    1e-5f /* of colours 0 to 1: smaller variances count as flat */
#define PRIOR      1e-3f /* weight of the given mask */
#define GUESS      0.03f /* weight of the best guess */
#define NOISE      0.05f /* of colours: how far from the line between two means one of them may lie, and how far apart they must */
#define REACH      2     /* radii: how far means reach */
#define ENOUGH     1e-3  /* of the first residual */
#define MOST_STEPS 120
#define N_WINDOW   9

/* A window around pixel `centre`: the mean of its colours, and the inverse of their covariance. */
typedef struct
{
  gsize centre;
  float mean[3], inverse[6];
} Window;

typedef struct
{
  const guint8 *guide;
  int           width;
  gsize         offsets[N_WINDOW]; /* from the centre to each pixel, modulo the word's size */
  Window       *windows;
  gsize         n_windows;
  gsize        *band;  /* places of the pixels that are looked for */
  gsize         n;
  const float  *guess, *weight; /* (height, width), read in the band */
} Matting;

static void
read_colour (const Matting *matting, gsize at, const float mean[3], float colour[3])
{
  for (int c = 0; c < 3; c++)
    colour[c] = matting->guide[3 * at + c] / 255.0f - mean[c];
}

/* `diagonal` gets what the window adds to L's. */
static void
fill_window (const Matting *matting, Window *window, gsize centre, float *diagonal)
{
  const float zero[3] = { 0 };
  float       covariance[6] = { 0 }, colour[3], weighted[3];

  *window = (Window) { .centre = centre };
  for (int k = 0; k < N_WINDOW; k++)
    {
      read_colour (matting, centre + matting->offsets[k], zero, colour);
      for (int c = 0; c < 3; c++)
        window->mean[c] += colour[c] / N_WINDOW;
    }
  for (int k = 0; k < N_WINDOW; k++)
    {
      read_colour (matting, centre + matting->offsets[k], window->mean, colour);
      for (int i = 0, at = 0; i < 3; i++)
        for (int j = i; j < 3; j++, at++)
          covariance[at] += colour[i] * colour[j] / N_WINDOW;
    }
  symmetric_invert (covariance, EPSILON / N_WINDOW, window->inverse);
  for (int k = 0; k < N_WINDOW; k++)
    {
      read_colour (matting, centre + matting->offsets[k], window->mean, colour);
      symmetric_multiply (window->inverse, colour, weighted);
      diagonal[centre + matting->offsets[k]] += 1.0f - (1.0f + colour[0] * weighted[0] + colour[1] * weighted[1] + colour[2] * weighted[2]) / N_WINDOW;
    }
}

/* out = (L + weight) p; only the band's places of `out` mean anything. */
static void
apply (const Matting *matting, const float *p, float *out)
{
  for (gsize i = 0; i < matting->n; i++)
    out[matting->band[i]] = 0.0f;
  for (gsize w = 0; w < matting->n_windows; w++)
    {
      const Window *window = &matting->windows[w];
      float         mean = 0.0f, with[3] = { 0 }, slope[3], colours[N_WINDOW][3];

      for (int k = 0; k < N_WINDOW; k++)
        {
          float value = p[window->centre + matting->offsets[k]] / N_WINDOW;

          read_colour (matting, window->centre + matting->offsets[k], window->mean, colours[k]);
          mean += value;
          for (int c = 0; c < 3; c++)
            with[c] += colours[k][c] * value;
        }
      symmetric_multiply (window->inverse, with, slope);
      for (int k = 0; k < N_WINDOW; k++)
        {
          gsize at = window->centre + matting->offsets[k];

          out[at] += p[at] - mean - colours[k][0] * slope[0] - colours[k][1] * slope[1] - colours[k][2] * slope[2];
        }
    }
  for (gsize i = 0; i < matting->n; i++)
    out[matting->band[i]] += matting->weight[matting->band[i]] * p[matting->band[i]];
}

static double
product (const Matting *matting, const float *a, const float *b)
{
  double sum = 0.0;

  for (gsize i = 0; i < matting->n; i++)
    sum += (double) a[matting->band[i]] * b[matting->band[i]];
  return sum;
}

/* Planes: the direction, its product, the residual, the preconditioned residual, the diagonal; `scratch` has them one after the other, the diagonal filled. */
static void
descend (const Matting *matting, gsize n_pixels, float *mask, float *scratch)
{
  float *direction = scratch, *image = scratch + n_pixels, *residual = scratch + 2 * n_pixels, *better = scratch + 3 * n_pixels, *diagonal = scratch + 4 * n_pixels;
  double now, first;

  apply (matting, mask, residual);
  for (gsize i = 0; i < matting->n; i++)
    {
      gsize at = matting->band[i];

      residual[at] = matting->weight[at] * matting->guess[at] - residual[at];
      better[at] = direction[at] = residual[at] / diagonal[at];
    }
  first = now = product (matting, residual, better);
  for (guint step = 0; step < MOST_STEPS && now > ENOUGH * ENOUGH * first; step++)
    {
      double along, last = now;

      apply (matting, direction, image);
      along = now / product (matting, direction, image);
      for (gsize i = 0; i < matting->n; i++)
        {
          gsize at = matting->band[i];

          mask[at] += (float) along * direction[at];
          residual[at] -= (float) along * image[at];
          better[at] = residual[at] / diagonal[at];
        }
      now = product (matting, residual, better);
      for (gsize i = 0; i < matting->n; i++)
        direction[matting->band[i]] = better[matting->band[i]] + (float) (now / last) * direction[matting->band[i]];
    }
  for (gsize i = 0; i < matting->n; i++)
    mask[matting->band[i]] = CLAMP (mask[matting->band[i]], 0.0f, 1.0f);
}

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

/* guess, weight: planes to fill, the mask and PRIOR in them. */
static gboolean
guess_shares (Matting *matting, int height, const float *wide, const float *narrow, int radius, float *guess, float *weight, GError **error)
{
  gsize  n = (gsize) matting->width * (gsize) height;
  float *sums = memory_alloc_n (n, 16 * sizeof *sums, "the colours around a mask", error);

  for (gsize at = 0; sums && at < n; at++)
    if (narrow[at] > 0.5f || wide[at] < 0.5f)
      {
        float *to = sums + 8 * at + (narrow[at] > 0.5f ? 0 : 4);

        read_colour (matting, at, (const float[3]) { 0 }, to);
        to[3] = 1.0f;
      }
  if (sums)
    plane_mean (sums, matting->width, height, 8, REACH * radius, sums + 8 * n);
  for (gsize i = 0; sums && i < matting->n; i++)
    {
      gsize at = matting->band[i];

      guess_share (matting->guide + 3 * at, sums + 8 * at, &guess[at], &weight[at]);
    }
  memory_free (sums);
  matting->guess = guess;
  matting->weight = weight;
  return sums != NULL;
}

/* wide, narrow: (height, width): the mask's inside with the band and without. The band's places, and the windows that see it. */
static gboolean
find_band (Matting *matting, int height, const float *wide, const float *narrow, float *diagonal, GError **error)
{
  gsize  width = matting->width, n_windows = 0;
  guint8 *sees = memory_alloc_n (width, (gsize) height, "the band of a mask", error); /* 1: the window around it has a pixel of the band */

  for (int y = 0; sees && y < height; y++)
    for (gsize x = 0; x < width; x++)
      {
        gsize at = (gsize) y * width + x;

        if (!(wide[at] > 0.5f && narrow[at] < 0.5f))
          continue;
        matting->n++;
        for (int dy = MAX (1, y - 1); dy <= MIN (height - 2, y + 1); dy++)
          for (gsize dx = MAX (2, x) - 1; dx <= MIN (width - 2, x + 1); dx++)
            {
              n_windows += !sees[(gsize) dy * width + dx];
              sees[(gsize) dy * width + dx] = 1;
            }
      }
  matting->band = sees ? memory_alloc_n (matting->n, sizeof *matting->band, "the band of a mask", error) : NULL;
  matting->windows = matting->band ? memory_alloc_n (n_windows, sizeof *matting->windows, "the band of a mask", error) : NULL;
  matting->n = 0;
  for (gsize at = 0; matting->windows && at < width * (gsize) height; at++)
    {
      if (wide[at] > 0.5f && narrow[at] < 0.5f)
        matting->band[matting->n++] = at;
      if (sees[at])
        fill_window (matting, &matting->windows[matting->n_windows++], at, diagonal);
    }
  memory_free (sees);
  return matting->windows != NULL;
}

gboolean
matting_solve (const guint8 *guide, int width, int height, float *mask, int radius, GError **error)
{
  Matting  matting = { .guide = guide, .width = width };
  gsize    n = (gsize) width * (gsize) height;
  float   *scratch;
  gboolean ok;

  if (width < 3 || height < 3 || radius < 1)
    return TRUE;
  scratch = memory_alloc_n (n, 7 * sizeof *scratch, "the band of a mask", error);
  if (!scratch)
    return FALSE;
  for (int k = 0; k < N_WINDOW; k++)
    matting.offsets[k] = (gsize) ((gssize) (k / 3 - 1) * width + k % 3 - 1);
  for (gsize at = 0; at < n; at++)
    {
      scratch[at] = scratch[n + at] = mask[at] > 0.5f ? 1.0f : 0.0f;
      scratch[5 * n + at] = mask[at];
      scratch[6 * n + at] = PRIOR;
    }
  ok = plane_spread (scratch, width, height, radius, error) && plane_spread (scratch + n, width, height, -radius, error)
       && find_band (&matting, height, scratch, scratch + n, scratch + 4 * n, error)
       && guess_shares (&matting, height, scratch, scratch + n, radius, scratch + 5 * n, scratch + 6 * n, error);
  if (ok)
    {
      memset (scratch, 0, 4 * n * sizeof *scratch);
      for (gsize i = 0; i < matting.n; i++)
        scratch[4 * n + matting.band[i]] += matting.weight[matting.band[i]];
      descend (&matting, n, mask, scratch);
    }
  memory_free (matting.band);
  memory_free (matting.windows);
  memory_free (scratch);
  return ok;
}
