/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * resample-tool.c: for resample.py: prepares photos as it is told, many in a row.
 *
 * A request on standard input: a line "filter resize crop_scale pad gray photo_width photo_height width height rows_at_once" of numbers, then the
 * photo's bytes. The answer on standard output: a line "x y width height" of the region, then the bytes of what the network sees.
 */

#include <stdio.h>
#include <stdlib.h>

#include "fovea.h"

static int
prepare (FoveaSettings *settings, int photo_width, int photo_height, int rows_at_once)
{
  gsize                n = (gsize) photo_width * photo_height * 3, stride = (gsize) photo_width * 3;
  g_autofree guint8   *photo = g_malloc (n);
  g_autoptr (GError)   error = NULL;
  g_autoptr (FoveaInput) input = fovea_input_new (settings, photo_width, photo_height, &error);
  const guint8        *pixels;
  int                  x, y, width, height;

  if (!input || fread (photo, 1, n, stdin) != n)
    {
      g_printerr ("%s\n", error ? error->message : "the photo is too short");
      return 1;
    }
  fovea_input_get_region (input, &x, &y, &width, &height);
  for (int row = 0; row < height; row += rows_at_once)
    fovea_input_push (input, photo + (y + row) * stride + (gsize) x * 3, stride, MIN (rows_at_once, height - row));
  printf ("%d %d %d %d\n", x, y, width, height);
  pixels = fovea_input_get_pixels (input, &width, &height);
  fwrite (pixels, 3, (gsize) width * height, stdout);
  fflush (stdout);
  return 0;
}

int
main (void)
{
  FoveaSettings settings = { .range = 1, .std = { 1, 1, 1 } };
  int           filter, resize, gray, photo_width, photo_height, rows_at_once;

  while (scanf ("%d %d %lf %d %d %d %d %d %d %d", &filter, &resize, &settings.crop_scale, &settings.pad, &gray, &photo_width, &photo_height,
                &settings.width, &settings.height, &rows_at_once) == 10)
    {
      getchar (); /* the end of the line */
      settings.filter = filter;
      settings.resize = resize;
      settings.channels = gray ? 1 : 3;
      if (prepare (&settings, photo_width, photo_height, rows_at_once) != 0)
        return 1;
    }
  return 0;
}
