/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * laplacian.c: see laplacian.h. Everything lies in planes of the picture's size, so that a row's windows are computed side by side:
 *
 *   p ── windows' slope and offset of p over the colours ──> planes ── sums over the nine windows of a pixel ──> 9 p - colour . slopes - offsets
 */

#include "vision/laplacian.h"

#include "base/memory.h"
#include "vision/symmetric.h"

#define EPSILON  1e-5f /* of colours 0 to 1: smaller variances count as flat */
#define N_WINDOW 9

enum { COLOUR, MEAN = 3, INVERSE = 6, SLOPE = 12, OFFSET = 15, COUNT, N_PLANES }; /* the planes, one for each channel or number */

struct _Laplacian
{
  gsize   width, n;
  float  *planes;   /* (N_PLANES, n); SLOPE and OFFSET are 0 where no window is; COUNT: windows that have the pixel */
  GArray *windows;  /* of Run: centres of windows with a pixel of the band */
  GArray *band;     /* of Run */
};

static GArray *
find_runs (const guint8 *marks, gsize n)
{
  GArray *runs = g_array_new (FALSE, FALSE, sizeof (Run));

  for (gsize at = 0; at < n;)
    {
      Run run = { at, at };

      while (run.end < n && marks[run.end])
        run.end++;
      if (run.end > run.first)
        g_array_append_val (runs, run);
      at = run.end + 1;
    }
  return runs;
}

/* Mean and inverse covariance of the window around `at`. */
static void
fill_window (Laplacian *laplacian, gsize at)
{
  float *planes = laplacian->planes, covariance[6] = { 0 }, inverse[6];
  gsize  n = laplacian->n;

  for (int pass = 0; pass < 2; pass++)
    for (int k = 0; k < N_WINDOW; k++)
      {
        gsize pixel = at + (gsize) (k / 3) * laplacian->width - laplacian->width + (gsize) (k % 3) - 1;
        float colour[3];

        for (int c = 0; c < 3; c++)
          if (pass == 0)
            planes[(MEAN + c) * n + at] += planes[(COLOUR + c) * n + pixel] / N_WINDOW;
          else
            colour[c] = planes[(COLOUR + c) * n + pixel] - planes[(MEAN + c) * n + at];
        if (pass == 0)
          planes[COUNT * n + pixel] += 1.0f;
        for (int i = 0, to = 0; i < 3 && pass == 1; i++)
          for (int j = i; j < 3; j++, to++)
            covariance[to] += colour[i] * colour[j] / N_WINDOW;
      }
  symmetric_invert (covariance, EPSILON / N_WINDOW, inverse);
  for (int k = 0; k < 6; k++)
    planes[(INVERSE + k) * n + at] = inverse[k];
}

/* The windows that have a pixel of the band and none of the frame. */
static void
find_windows (Laplacian *laplacian, const guint8 *band, int height, guint8 *marks)
{
  gsize width = laplacian->width;

  for (gsize y = 2; y + 2 < (gsize) height; y++)
    for (gsize x = 2; x + 2 < width; x++)
      {
        const guint8 *here = band + y * width + x;

        for (int k = 0; k < N_WINDOW && !marks[y * width + x]; k++)
          marks[y * width + x] = here[(gssize) (k / 3 - 1) * (gssize) width + k % 3 - 1];
      }
  laplacian->windows = find_runs (marks, laplacian->n);
  for (guint i = 0; i < laplacian->windows->len; i++)
    {
      Run run = g_array_index (laplacian->windows, Run, i);

      for (gsize at = run.first; at < run.end; at++)
        fill_window (laplacian, at);
    }
}

Laplacian *
laplacian_new (const guint8 *rgb, const guint8 *band, int width, int height, GError **error)
{
  g_autoptr (Laplacian) laplacian = g_new0 (Laplacian, 1);
  guint8               *marks;

  laplacian->width = (gsize) width;
  laplacian->n = (gsize) width * (gsize) height;
  laplacian->planes = memory_alloc_n (laplacian->n, N_PLANES * sizeof (float), "the band of a mask", error);
  marks = laplacian->planes ? memory_alloc_n (laplacian->n, 1, "the band of a mask", error) : NULL;
  if (!marks)
    return NULL;
  for (gsize at = 0; at < laplacian->n; at++)
    for (gsize c = 0; c < 3; c++)
      laplacian->planes[c * laplacian->n + at] = rgb[3 * at + c] / 255.0f - 0.5f; /* around 0: sums keep more digits */
  laplacian->band = find_runs (band, laplacian->n);
  find_windows (laplacian, band, height, marks);
  memory_free (marks);
  return g_steal_pointer (&laplacian);
}

void
laplacian_free (Laplacian *laplacian)
{
  if (!laplacian)
    return;
  g_clear_pointer (&laplacian->windows, g_array_unref);
  g_clear_pointer (&laplacian->band, g_array_unref);
  memory_free (laplacian->planes);
  g_free (laplacian);
}

const Run *
laplacian_get_band (const Laplacian *laplacian, guint *n)
{
  *n = laplacian->band->len;
  return &g_array_index (laplacian->band, Run, 0);
}

/* What a row of windows says of p: in each its best linear function of the colours. Pointers are to the first window's centre; `apart`: from plane to plane. */
static void
fit_windows (const float *colour, const float *p, gsize width, gsize apart, gsize n, float *restrict slope, float *restrict offset)
{
  const float *mean = colour + MEAN * apart, *inverse = colour + INVERSE * apart;

  for (gsize i = 0; i < n; i++)
    {
      float r = mean[i], g = mean[apart + i], b = mean[2 * apart + i], sum = 0.0f, with_r = 0.0f, with_g = 0.0f, with_b = 0.0f, a_r, a_g, a_b;

      for (int dy = -1; dy <= 1; dy++)
        for (int dx = -1; dx <= 1; dx++)
          {
            gssize to = (gssize) i + dy * (gssize) width + dx;

            sum += p[to];
            with_r += (colour[to] - r) * p[to];
            with_g += (colour[(gssize) apart + to] - g) * p[to];
            with_b += (colour[2 * (gssize) apart + to] - b) * p[to];
          }
      a_r = (inverse[i] * with_r + inverse[apart + i] * with_g + inverse[2 * apart + i] * with_b) / N_WINDOW;
      a_g = (inverse[apart + i] * with_r + inverse[3 * apart + i] * with_g + inverse[4 * apart + i] * with_b) / N_WINDOW;
      a_b = (inverse[2 * apart + i] * with_r + inverse[4 * apart + i] * with_g + inverse[5 * apart + i] * with_b) / N_WINDOW;
      slope[i] = a_r;
      slope[apart + i] = a_g;
      slope[2 * apart + i] = a_b;
      offset[i] = sum / N_WINDOW - r * a_r - g * a_g - b * a_b;
    }
}

/* What all windows of each pixel leave of p. */
static void
leave_rest (const float *colour, const float *p, gsize width, gsize apart, gsize n, float *restrict out)
{
  const float *slope = colour + SLOPE * apart, *offset = colour + OFFSET * apart, *count = colour + COUNT * apart;

  for (gsize i = 0; i < n; i++)
    {
      float r = 0.0f, g = 0.0f, b = 0.0f, sum = 0.0f;

      for (int dy = -1; dy <= 1; dy++)
        for (int dx = -1; dx <= 1; dx++)
          {
            gssize to = (gssize) i + dy * (gssize) width + dx;

            r += slope[to];
            g += slope[(gssize) apart + to];
            b += slope[2 * (gssize) apart + to];
            sum += offset[to];
          }
      out[i] = count[i] * p[i] - sum - colour[i] * r - colour[apart + i] * g - colour[2 * apart + i] * b;
    }
}

void
laplacian_apply (Laplacian *laplacian, const float *p, float *out)
{
  float *planes = laplacian->planes;
  gsize  apart = laplacian->n;

  for (guint i = 0; i < laplacian->windows->len; i++)
    {
      Run run = g_array_index (laplacian->windows, Run, i);

      fit_windows (planes + run.first, p + run.first, laplacian->width, apart, run.end - run.first, planes + SLOPE * apart + run.first,
                   planes + OFFSET * apart + run.first);
    }
  for (guint i = 0; i < laplacian->band->len; i++)
    {
      Run run = g_array_index (laplacian->band, Run, i);

      leave_rest (planes + run.first, p + run.first, laplacian->width, apart, run.end - run.first, out + run.first);
    }
}

/* Of a window's own: 1 - (1 + d' inverse d) / 9, d the colour's difference from the mean. */
static float
get_share (const Laplacian *laplacian, gsize at, gsize pixel)
{
  const float *planes = laplacian->planes;
  float        colour[3], inverse[6], weighted[3];

  for (int c = 0; c < 3; c++)
    colour[c] = planes[(COLOUR + c) * laplacian->n + pixel] - planes[(MEAN + c) * laplacian->n + at];
  for (int k = 0; k < 6; k++)
    inverse[k] = planes[(INVERSE + k) * laplacian->n + at];
  symmetric_multiply (inverse, colour, weighted);
  return 1.0f - (1.0f + colour[0] * weighted[0] + colour[1] * weighted[1] + colour[2] * weighted[2]) / N_WINDOW;
}

void
laplacian_diagonal (const Laplacian *laplacian, float *out)
{
  for (guint i = 0; i < laplacian->band->len; i++)
    {
      Run run = g_array_index (laplacian->band, Run, i);

      for (gsize at = run.first; at < run.end; at++)
        out[at] = 0.0f;
    }
  for (guint i = 0; i < laplacian->windows->len; i++)
    {
      Run run = g_array_index (laplacian->windows, Run, i);

      for (gsize at = run.first; at < run.end; at++)
        for (int k = 0; k < N_WINDOW; k++)
          {
            gsize pixel = at + (gsize) (k / 3) * laplacian->width - laplacian->width + (gsize) (k % 3) - 1;

            out[pixel] += get_share (laplacian, at, pixel);
          }
    }
}
