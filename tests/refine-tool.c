/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * refine-tool.c: RGB WIDTH HEIGHT MASK MASK_WIDTH MASK_HEIGHT GUIDE_SIDE OUT: refines a small mask (raw float32) along a photo (raw bytes) whose copy of at most
 * GUIDE_SIDE pixels is the guide, and writes the mask of the photo's size (raw float32).
 */

#include <stdio.h>
#include <stdlib.h>

#include "fovea.h"
#include "vision/refine.h"

int
main (int argc, char **argv)
{
  int                     width = atoi (argv[2]), height = atoi (argv[3]), side = atoi (argv[7]), guide_width, guide_height;
  double                  scale = MIN (1.0, side / (double) MAX (width, height));
  FoveaSettings           settings = { .width = MAX (1, (int) (width * scale + 0.5)), .height = MAX (1, (int) (height * scale + 0.5)), .filter = FOVEA_FILTER_BILINEAR,
                                       .resize = FOVEA_RESIZE_STRETCH, .crop_scale = 1.0, .channels = 3, .range = 1.0, .std = { 1.0, 1.0, 1.0 } };
  g_autofree char        *rgb = NULL, *mask = NULL;
  g_autofree float       *out = g_new (float, (gsize) width * height);
  g_autoptr (FoveaInput)  input = NULL;
  g_autoptr (Refinement)  refinement = NULL;
  g_autoptr (GError)      error = NULL;
  const guint8           *guide;

  if (argc != 9 || !g_file_get_contents (argv[1], &rgb, NULL, &error) || !g_file_get_contents (argv[4], &mask, NULL, &error))
    g_error ("%s", error ? error->message : "nine arguments");
  input = fovea_input_new (&settings, width, height, &error);
  fovea_input_push (input, (const guint8 *) rgb, (gsize) width * 3, height);
  guide = fovea_input_get_pixels (input, &guide_width, &guide_height);
  refinement = refinement_new (guide, guide_width, guide_height, (const float *) (gpointer) mask, atoi (argv[5]), atoi (argv[6]), 0, 0, &error);
  for (int y = 0; y < height; y++)
    refinement_apply (refinement, 0.5 / width, (y + 0.5) / height, 1.0 / width, (const guint8 *) rgb + (gsize) y * width * 3, (gsize) width, out + (gsize) y * width);
  return g_file_set_contents (argv[8], (const char *) out, (gssize) ((gsize) width * height * sizeof *out), NULL) ? 0 : 1;
}
