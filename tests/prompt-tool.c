/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * prompt-tool.c: MODEL, then from standard input lines "RGB WIDTH HEIGHT OUT none | box X Y W H | points X Y INSIDE …": masks of photos (raw bytes) as raw float32,
 * of everything, of what lies in the box, of what the points say. Prints the seconds of each.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fovea.h"

typedef struct
{
  char *rgb;
  int   width;
} Pixels;

static gboolean
read_pixels (gpointer user_data, int x, int y, int width, int height, guint8 *rgb, gsize stride, GError **error)
{
  const Pixels *pixels = user_data;

  for (int row = 0; row < height; row++)
    memcpy (rgb + (gsize) row * stride, pixels->rgb + ((gsize) (y + row) * (gsize) pixels->width + (gsize) x) * 3, (gsize) width * 3);
  return TRUE;
}

static FoveaMasks *
look (FoveaSegmenter *segmenter, const FoveaPhoto *photo, char **words, GError **error)
{
  FoveaPromptPoint  points[16];
  FoveaPrompt       prompt = { .points = points };
  g_autofree float *region = NULL;

  if (g_str_equal (words[0], "none"))
    return fovea_segmenter_run (segmenter, photo, 1, NULL, NULL, NULL, error);
  if (g_str_equal (words[0], "box"))
    {
      prompt.region = region = g_new0 (float, (gsize) photo->width * photo->height);
      prompt.region_width = photo->width;
      prompt.region_height = photo->height;
      for (int y = atoi (words[2]); y < MIN (atoi (words[2]) + atoi (words[4]), photo->height); y++)
        for (int x = atoi (words[1]); x < MIN (atoi (words[1]) + atoi (words[3]), photo->width); x++)
          region[y * photo->width + x] = 1.0f;
    }
  else
    for (guint i = 1; words[i] && words[i + 1] && words[i + 2]; i += 3)
      points[prompt.n_points++] = (FoveaPromptPoint) { atof (words[i]), atof (words[i + 1]), atoi (words[i + 2]) };
  return fovea_segmenter_run_prompt (segmenter, photo, &prompt, NULL, NULL, NULL, error);
}

int
main (int argc, char **argv)
{
  g_autoptr (GError)         error = NULL;
  g_autoptr (FoveaModel)     model = fovea_model_load (argv[1], &error);
  g_autoptr (FoveaSegmenter) segmenter = model ? fovea_segmenter_new (model, NULL, 2, &error) : NULL;
  char                       line[4096];

  while (segmenter && fgets (line, sizeof line, stdin))
    {
      g_auto (GStrv)         words = g_strsplit (g_strstrip (line), " ", -1);
      Pixels                 pixels = { NULL, atoi (words[1]) };
      g_autofree char       *bytes = NULL;
      FoveaPhoto             photo = { atoi (words[1]), atoi (words[2]), read_pixels, &pixels };
      FoveaMaskOptions       options = { .threshold = 0.5, .softness = 1, .refine = TRUE };
      g_autoptr (FoveaMasks) masks = NULL;
      g_autoptr (FoveaMask)  mask = NULL;
      g_autofree float      *out = g_new (float, (gsize) photo.width * photo.height);
      gint64                 before;

      if (!g_file_get_contents (words[0], &bytes, NULL, &error))
        break;
      pixels.rgb = bytes;
      before = g_get_monotonic_time ();
      masks = look (segmenter, &photo, words + 4, &error);
      mask = masks ? fovea_mask_new (masks, NULL, 0, &options, &error) : NULL;
      if (!mask || !fovea_mask_read (mask, &photo, 0, 0, photo.width, photo.height, out, &error)
          || !g_file_set_contents (words[3], (const char *) out, (gssize) ((gsize) photo.width * photo.height * sizeof *out), &error))
        break;
      g_print ("%.4f\n", (g_get_monotonic_time () - before) / 1e6);
    }
  if (error)
    g_printerr ("%s\n", error->message);
  return error != NULL;
}
