/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * smaller.c: see smaller.h.
 */

#include "smaller.h"

#include <string.h>

#define MOST 256 /* pixels along a square's side: their sum has 16 bits */

struct _Smaller
{
  int        width, height, step; /* of the photo; along a square's side */
  int        next_row;            /* of the photo */
  guint16   *sums;                /* (width, 3): of the rows of the squares that are being filled */
  GdkPixbuf *pixels;
};

Smaller *
smaller_new (int width, int height, int side)
{
  int        step = MIN ((MAX (width, height) + side - 1) / side, MOST);
  GdkPixbuf *pixels = step > 1 ? gdk_pixbuf_new (GDK_COLORSPACE_RGB, FALSE, 8, (width + step - 1) / step, (height + step - 1) / step) : NULL;
  Smaller   *smaller;

  if (!pixels)
    return NULL;
  smaller = g_new0 (Smaller, 1);
  *smaller = (Smaller) { width, height, step, 0, g_new0 (guint16, 3 * (gsize) width), pixels };
  return smaller;
}

void
smaller_free (Smaller *smaller)
{
  if (!smaller)
    return;
  g_object_unref (smaller->pixels);
  g_free (smaller->sums);
  g_free (smaller);
}

/* The sums of `rows` rows become a row of the small copy. */
static void
take_means (Smaller *smaller, int rows)
{
  const guint16 *sums = smaller->sums;
  int            y = (smaller->next_row - 1) / smaller->step;
  guint8        *out = gdk_pixbuf_get_pixels (smaller->pixels) + (gsize) y * (gsize) gdk_pixbuf_get_rowstride (smaller->pixels);

  for (int x = 0; x < smaller->width; x += smaller->step, out += 3)
    {
      int     columns = MIN (smaller->step, smaller->width - x);
      guint32 sum[3] = { 0 }, n = (guint32) (rows * columns);

      for (int k = 0; k < columns; k++, sums += 3)
        for (int c = 0; c < 3; c++)
          sum[c] += sums[c];
      for (int c = 0; c < 3; c++)
        out[c] = (guint8) ((sum[c] + n / 2) / n);
    }
  memset (smaller->sums, 0, 3 * (gsize) smaller->width * sizeof *smaller->sums);
}

void
smaller_push (Smaller *smaller, const guint8 *rgb, int n_rows)
{
  gsize n = 3 * (gsize) smaller->width;

  for (int row = 0; row < n_rows; row++, rgb += n)
    {
      for (gsize i = 0; i < n; i++)
        smaller->sums[i] = (guint16) (smaller->sums[i] + rgb[i]);
      smaller->next_row++;
      if (smaller->next_row % smaller->step == 0)
        take_means (smaller, smaller->step);
      else if (smaller->next_row == smaller->height)
        take_means (smaller, smaller->height % smaller->step);
    }
}

GdkPixbuf *
smaller_get (const Smaller *smaller)
{
  return smaller->pixels;
}
