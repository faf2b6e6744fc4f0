/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * smaller.c: the small copy of a photo is the means of its squares, those cut off at the right and below among them, in whatever bands the rows come.
 */

#include "smaller.h"

static guint8
mean (const guint8 *rgb, int width, int height, int step, int x, int y, int channel)
{
  int right = MIN ((x + 1) * step, width), bottom = MIN ((y + 1) * step, height), n = (right - x * step) * (bottom - y * step), sum = n / 2;

  for (int v = y * step; v < bottom; v++)
    for (int u = x * step; u < right; u++)
      sum += rgb[(v * width + u) * 3 + channel];
  return (guint8) (sum / n);
}

static void
check (int width, int height, int side, int step, int band)
{
  g_autofree guint8 *rgb = g_new (guint8, width * height * 3);
  Smaller           *smaller = smaller_new (width, height, side);
  GdkPixbuf         *pixels = smaller_get (smaller);

  for (int i = 0; i < width * height * 3; i++)
    rgb[i] = (guint8) g_test_rand_int_range (0, 256);
  for (int y = 0; y < height; y += band)
    smaller_push (smaller, rgb + y * width * 3, MIN (band, height - y));
  g_assert_cmpint (gdk_pixbuf_get_width (pixels), ==, (width + step - 1) / step);
  g_assert_cmpint (gdk_pixbuf_get_height (pixels), ==, (height + step - 1) / step);
  for (int y = 0; y < gdk_pixbuf_get_height (pixels); y++)
    for (int x = 0; x < gdk_pixbuf_get_width (pixels) * 3; x++)
      g_assert_cmpuint (gdk_pixbuf_get_pixels (pixels)[y * gdk_pixbuf_get_rowstride (pixels) + x], ==, mean (rgb, width, height, step, x / 3, y, x % 3));
  smaller_free (smaller);
}

static void
test_means (void)
{
  check (100, 60, 50, 2, 60);
  check (101, 67, 30, 4, 7);
  check (31, 207, 42, 5, 1);
  check (1025, 3, 4, 256, 2);
}

static void
test_small_already (void)
{
  g_assert_null (smaller_new (100, 60, 100));
  g_assert_null (smaller_new (100, 60, 101));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/smaller/means", test_means);
  g_test_add_func ("/smaller/small-already", test_small_already);
  return g_test_run ();
}
