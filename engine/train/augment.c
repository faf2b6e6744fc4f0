/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * augment.c: see augment.h.
 */

#include "train/augment.h"

#include <string.h>

#include "base/memory.h"
#include "train/jpeg-loss.h"

#define LEAST_QUALITY 10 /* of JPEG: blocks are seen at once */
#define MOST_QUALITY  91 /* … and hardly ever */

/* ---- places ------------------------------------------------------------------------------------------------------------------------------ */

static Placement
multiply (const Placement *a, const Placement *b)
{
  Placement c = { { 0 } };

  for (int i = 0; i < 3; i++)
    for (int k = 0; k < 3; k++)
      for (int j = 0; j < 3; j++)
        c.m[3 * i + j] += a->m[3 * i + k] * b->m[3 * k + j];
  return c;
}

/* Where a point of the result lies in the photo. */
static void
map_point (const Placement *placement, double u, double v, double *x, double *y)
{
  const double *m = placement->m, w = m[6] * u + m[7] * v + m[8];

  *x = (m[0] * u + m[1] * v + m[2]) / w;
  *y = (m[3] * u + m[4] * v + m[5]) / w;
}

gboolean
augmentation_changes (const FoveaAugmentation *settings)
{
  return settings->crop < 1.0 || settings->stretch > 0.0 || settings->scale > 0.0 || settings->translate > 0.0 || settings->rotate > 0.0 || settings->perspective > 0.0
         || settings->flip_horizontal || settings->flip_vertical || settings->colour > 0.0 || settings->hue > 0.0 || settings->grayscale > 0.0 || settings->blur > 0.0
         || settings->cutout > 0.0 || settings->noise > 0.0 || settings->jpeg > 0.0;
}

Placement
augment_place (const FoveaAugmentation *settings, const Photo *photo, Random *random)
{
  double    area = random_between (random, MIN (settings->crop, 1.0), 1.0), ratio = exp (random_between (random, -1.0, 1.0) * log1p (settings->stretch));
  double    zoom = exp (random_between (random, -1.0, 1.0) * log1p (settings->scale));
  double    width = sqrt (area * ratio) * zoom, height = sqrt (area / ratio) * zoom;
  double    angle = random_between (random, -1.0, 1.0) * settings->rotate * G_PI / 180.0, aspect = (double) photo->width / photo->height;
  double    free_x = MAX (1.0 - width, 0.0) / 2.0, free_y = MAX (1.0 - height, 0.0) / 2.0;
  double    x = 0.5 + random_between (random, -1.0, 1.0) * MAX (free_x, settings->translate);
  double    y = 0.5 + random_between (random, -1.0, 1.0) * MAX (free_y, settings->translate);
  gboolean  mirror = random_chance (random, 0.5) && settings->flip_horizontal, turn = random_chance (random, 0.5) && settings->flip_vertical;
  Placement to_centre = { { mirror ? -1 : 1, 0, mirror ? 0.5 : -0.5, 0, turn ? -1 : 1, turn ? 0.5 : -0.5, 0, 0, 1 } };
  Placement tilt = { { 1, 0, 0, 0, 1, 0, random_between (random, -1, 1) * settings->perspective, random_between (random, -1, 1) * settings->perspective, 1 } };
  /* The angle is the photo's own, so that its sides' ratio comes in. */
  Placement shape = { { width * cos (angle), -height * sin (angle) / aspect, 0, width * sin (angle) * aspect, height * cos (angle), 0, 0, 0, 1 } };
  Placement move = { { 1, 0, x, 0, 1, y, 0, 0, 1 } };

  shape = multiply (&shape, &tilt);
  shape = multiply (&shape, &to_centre);
  return multiply (&move, &shape);
}

/* ---- pixels -------------------------------------------------------------------------------------------------------------------------------- */

/* Half the size: means of two by two (an odd last row or column goes in with its neighbour). */
static guint8 *
halve (const guint8 *rgb, int *width, int *height, GError **error)
{
  int     w = *width / 2, h = *height / 2, last_x = *width - 1, last_y = *height - 1;
  guint8 *half = memory_alloc_n ((gsize) w * h, 3, "a photo made smaller", error);

  for (int y = 0; half && y < h; y++)
    {
      const guint8 *above = rgb + (gsize) (2 * y) * *width * 3, *below = rgb + (gsize) MIN (2 * y + 1, last_y) * *width * 3;

      for (int x = 0; x < w; x++)
        {
          int left = 2 * x * 3, right = MIN (2 * x + 1, last_x) * 3;

          for (int c = 0; c < 3; c++)
            half[((gsize) y * w + x) * 3 + c] = (guint8) ((above[left + c] + above[right + c] + below[left + c] + below[right + c] + 2) / 4);
        }
    }
  *width = w;
  *height = h;
  return half;
}

/* Mirrored into 0 … n - 1. */
static int
mirror_index (int i, int n)
{
  int period = 2 * n;

  i = ((i % period) + period) % period;
  return i < n ? i : period - 1 - i;
}

/* Between pixels, 8 bits of fraction. */
static void
sample_pixel (const guint8 *rgb, int width, int height, double x, double y, guint8 *out)
{
  double        fx = floor (x - 0.5), fy = floor (y - 0.5);
  int           wx = (int) ((x - 0.5 - fx) * 256.0), wy = (int) ((y - 0.5 - fy) * 256.0), x0 = (int) fx, y0 = (int) fy, x1 = x0 + 1, y1 = y0 + 1;
  const guint8 *above, *below;

  if (x0 < 0 || y0 < 0 || x1 >= width || y1 >= height)
    {
      x0 = mirror_index (x0, width);
      x1 = mirror_index (x1, width);
      y0 = mirror_index (y0, height);
      y1 = mirror_index (y1, height);
    }
  above = rgb + (gsize) y0 * width * 3;
  below = rgb + (gsize) y1 * width * 3;
  for (int c = 0; c < 3; c++)
    {
      int top = above[x0 * 3 + c] * (256 - wx) + above[x1 * 3 + c] * wx, bottom = below[x0 * 3 + c] * (256 - wx) + below[x1 * 3 + c] * wx;

      out[c] = (guint8) ((top * (256 - wy) + bottom * wy + 32768) >> 16);
    }
}

gboolean
augment_resample (const Photo *photo, const Placement *placement, int size, int beyond, guint8 *rgb, GError **error)
{
  int           width = photo->width, height = photo->height;
  const guint8 *pixels = photo->rgb;
  guint8       *half = NULL;
  double        shrink, x[3], y[3];

  map_point (placement, 0.5, 0.5, &x[0], &y[0]);
  map_point (placement, 0.5 + 1.0 / size, 0.5, &x[1], &y[1]);
  map_point (placement, 0.5, 0.5 + 1.0 / size, &x[2], &y[2]);
  shrink = MIN (hypot ((x[1] - x[0]) * width, (y[1] - y[0]) * height), hypot ((x[2] - x[0]) * width, (y[2] - y[0]) * height));
  for (; shrink >= 1.6 && width > 2 && height > 2; shrink /= 2.0)
    {
      guint8 *next = halve (pixels, &width, &height, error);

      memory_free (half);
      if (!next)
        return FALSE;
      pixels = half = next;
    }
  for (int v = 0; v < size; v++)
    for (int u = 0; u < size; u++)
      {
        guint8 *pixel = rgb + ((gsize) v * size + u) * 3;

        map_point (placement, (u + 0.5) / size, (v + 0.5) / size, &x[0], &y[0]);
        if (beyond >= 0 && !(x[0] >= 0.0 && y[0] >= 0.0 && x[0] < 1.0 && y[0] < 1.0))
          memset (pixel, beyond, 3);
        else
          sample_pixel (pixels, width, height, CLAMP (x[0], -4.0, 5.0) * width, CLAMP (y[0], -4.0, 5.0) * height, pixel);
      }
  memory_free (half);
  return TRUE;
}

void
augment_mask (const Photo *photo, const Placement *placement, int size, guint8 value, float *shares, float *known)
{
  int width = photo->mask_width, height = photo->mask_height;

  for (int v = 0; v < size; v++)
    for (int u = 0; u < size; u++)
      {
        gsize  at = (gsize) v * size + u;
        double x, y, fx, fy, share = 0.0;
        gboolean is_known = TRUE;

        map_point (placement, (u + 0.5) / size, (v + 0.5) / size, &x, &y);
        is_known = x >= 0.0 && y >= 0.0 && x < 1.0 && y < 1.0;
        x = CLAMP (x * width - 0.5, 0.0, width - 1.0);
        y = CLAMP (y * height - 0.5, 0.0, height - 1.0);
        fx = x - floor (x);
        fy = y - floor (y);
        for (int k = 0; k < 4; k++)
          {
            int    px = MIN ((int) x + (k & 1), width - 1), py = MIN ((int) y + (k >> 1), height - 1);
            guint8 here = photo->mask[(gsize) py * width + px];

            is_known = is_known && here != 255;
            share += here == value ? (k & 1 ? fx : 1.0 - fx) * (k >> 1 ? fy : 1.0 - fy) : 0.0;
          }
        shares[at] = (float) share;
        known[at] = is_known ? 1.0f : 0.0f;
      }
}

/* The inverse, by the adjugate; placements are never singular. */
static Placement
invert (const Placement *p)
{
  const double *m = p->m;
  Placement     out = { { m[4] * m[8] - m[5] * m[7], m[2] * m[7] - m[1] * m[8], m[1] * m[5] - m[2] * m[4],
                          m[5] * m[6] - m[3] * m[8], m[0] * m[8] - m[2] * m[6], m[2] * m[3] - m[0] * m[5],
                          m[3] * m[7] - m[4] * m[6], m[1] * m[6] - m[0] * m[7], m[0] * m[4] - m[1] * m[3] } };

  return out;
}

gboolean
augment_box (const Placement *placement, const SampleBox *box, SampleBox *out)
{
  Placement inverse = invert (placement);
  double    low_x = INFINITY, low_y = INFINITY, high_x = -INFINITY, high_y = -INFINITY, area, left;

  for (int k = 0; k < 4; k++)
    {
      double u, v;

      map_point (&inverse, box->x + (k & 1 ? box->width : 0.0f), box->y + (k & 2 ? box->height : 0.0f), &u, &v);
      low_x = MIN (low_x, u);
      high_x = MAX (high_x, u);
      low_y = MIN (low_y, v);
      high_y = MAX (high_y, v);
    }
  area = (high_x - low_x) * (high_y - low_y);
  low_x = CLAMP (low_x, 0.0, 1.0);
  high_x = CLAMP (high_x, 0.0, 1.0);
  low_y = CLAMP (low_y, 0.0, 1.0);
  high_y = CLAMP (high_y, 0.0, 1.0);
  left = (high_x - low_x) * (high_y - low_y);
  *out = (SampleBox) { box->index, (float) low_x, (float) low_y, (float) (high_x - low_x), (float) (high_y - low_y), box->ignored };
  return left > 0.0 && left >= 0.25 * area;
}

/* ---- colours -------------------------------------------------------------------------------------------------------------------------------- */

/* Brightness, contrast, saturation and hue as one affine map of R G B. */
static void
draw_colours (const FoveaAugmentation *settings, const guint8 *rgb, gsize n, Random *random, float map[3][4])
{
  static const double luma[3] = { 0.299, 0.587, 0.114 };
  double   jitter = settings->colour, bright = 1.0 + random_between (random, -jitter, jitter), contrast = 1.0 + random_between (random, -jitter, jitter);
  double   colourful = 1.0 + random_between (random, -jitter, jitter), turn = random_between (random, -1.0, 1.0) * settings->hue * 2.0 * G_PI, mean = 0.0;
  double   c = cos (turn), s = sin (turn) / sqrt (3.0);
  gboolean gray = random_chance (random, settings->grayscale);
  /* a rotation around the gray axis (Rodrigues' formula) */
  double   hue[3][3] = { { c + (1 - c) / 3, (1 - c) / 3 - s, (1 - c) / 3 + s },
                         { (1 - c) / 3 + s, c + (1 - c) / 3, (1 - c) / 3 - s },
                         { (1 - c) / 3 - s, (1 - c) / 3 + s, c + (1 - c) / 3 } };

  if (gray)
    colourful = 0.0;
  for (gsize i = 0; i < n; i += 16)
    mean += (luma[0] * rgb[3 * i] + luma[1] * rgb[3 * i + 1] + luma[2] * rgb[3 * i + 2]);
  mean /= (double) ((n + 15) / 16);
  for (int i = 0; i < 3; i++)
    {
      for (int k = 0; k < 3; k++)
        map[i][k] = (float) (bright * contrast * (colourful * hue[i][k] + (1.0 - colourful) * luma[k]));
      map[i][3] = (float) (bright * (1.0 - contrast) * mean);
    }
}

static void
blur (guint8 *rgb, int size)
{
  /* 1 2 1 across, then down, in place with one row kept */
  g_autofree guint8 *row = g_malloc ((gsize) size * 3), *above = g_malloc ((gsize) size * 3);

  for (int y = 0; y < size; y++)
    {
      guint8 *here = rgb + (gsize) y * size * 3;

      memcpy (row, here, (gsize) size * 3);
      for (int x = 1; x + 1 < size; x++)
        for (int c = 0; c < 3; c++)
          here[3 * x + c] = (guint8) ((row[3 * (x - 1) + c] + 2 * row[3 * x + c] + row[3 * (x + 1) + c] + 2) / 4);
    }
  memcpy (above, rgb, (gsize) size * 3);
  for (int y = 1; y + 1 < size; y++)
    {
      guint8 *here = rgb + (gsize) y * size * 3;

      memcpy (row, here, (gsize) size * 3);
      for (int i = 0; i < 3 * size; i++)
        here[i] = (guint8) ((above[i] + 2 * row[i] + here[3 * size + i] + 2) / 4);
      memcpy (above, row, (gsize) size * 3);
    }
}

static void
cover (guint8 *rgb, int size, Random *random)
{
  int side = (int) (size * random_between (random, 0.15, 0.45)), x0 = (int) random_below (random, (guint64) (size - side + 1));
  int y0 = (int) random_below (random, (guint64) (size - side + 1));

  for (int y = y0; y < y0 + side; y++)
    memset (rgb + ((gsize) y * size + x0) * 3, 124, (gsize) side * 3);
}

void
augment_colour (const FoveaAugmentation *settings, int size, guint8 *rgb, Random *random)
{
  gsize    n = (gsize) size * size;
  float    map[3][4], noise = 0.0f;
  gboolean blurs = random_chance (random, settings->blur), covers = random_chance (random, settings->cutout);

  draw_colours (settings, rgb, n, random, map);
  if (settings->noise > 0.0)
    noise = (float) random_between (random, 0.0, settings->noise * 255.0);
  for (gsize i = 0; i < n; i++)
    {
      guint8 *pixel = rgb + 3 * i;
      float   r = pixel[0], g = pixel[1], b = pixel[2], extra = noise > 0.0f ? noise * (float) random_between (random, -1.7, 1.7) : 0.0f;

      for (int c = 0; c < 3; c++)
        {
          float value = map[c][0] * r + map[c][1] * g + map[c][2] * b + map[c][3] + extra + 0.5f;

          pixel[c] = (guint8) CLAMP (value, 0.0f, 255.0f);
        }
    }
  if (blurs)
    blur (rgb, size);
  if (settings->jpeg > 0.0 && random_chance (random, settings->jpeg))
    jpeg_loss (rgb, size, (int) random_between (random, LEAST_QUALITY, MOST_QUALITY));
  if (covers)
    cover (rgb, size, random);
}
