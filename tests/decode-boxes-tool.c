/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * decode-boxes-tool.c FAMILY WIDTH HEIGHT FIRST_ID N_LABELS ANCHORS NAME=FILE.pb …: decodes tensors from files and prints a line a box: left, top, right,
 * bottom, score, class, row. ANCHORS is a list with commas, or "-". For tests/decode_boxes.py.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tensor-arguments.h"
#include "vision/decode-boxes.h"

#define FIXED 7 /* arguments before the tensors */

static double *
read_anchors (const char *text, gsize *n)
{
  g_auto (GStrv) words = g_strsplit (text, ",", -1);
  double *anchors = g_new (double, g_strv_length (words) + 1);

  *n = strcmp (text, "-") == 0 ? 0 : g_strv_length (words) / 2;
  for (gsize i = 0; i < 2 * *n; i++)
    anchors[i] = g_ascii_strtod (words[i], NULL);
  return anchors;
}

int
main (int argc, char **argv)
{
  guint                    n = argc > FIXED ? argc - FIXED : 0;
  g_autofree const char  **names = g_new0 (const char *, n + 1);
  g_autofree FoveaTensor **tensors = g_new0 (FoveaTensor *, n + 1);
  g_autofree double       *anchors = NULL;
  g_autoptr (GArray) boxes = NULL;
  g_autoptr (GError) error = NULL;
  BoxOptions options;

  if (argc < FIXED)
    return 2;
  options = (BoxOptions) { atoi (argv[2]), atoi (argv[3]), 0.01f, strtoul (argv[5], NULL, 10), atoi (argv[4]), FOVEA_ACTIVATION_AUTO, NULL, 0 };
  anchors = read_anchors (argv[6], &options.n_anchors);
  options.anchors = options.n_anchors ? anchors : NULL;
  if (!load_tensor_arguments (argv + FIXED, n, names, tensors))
    return 2;
  boxes = decode_boxes (argv[1], &options, names, tensors, n, &error);
  for (guint i = 0; i < n; i++)
    fovea_tensor_unref (tensors[i]);
  if (!boxes)
    {
      fprintf (stderr, "%s\n", error->message);
      return 1;
    }
  for (guint i = 0; i < boxes->len; i++)
    {
      const Box *box = &g_array_index (boxes, Box, i);

      printf ("%.9g %.9g %.9g %.9g %.9g %d %d\n", box->left, box->top, box->right, box->bottom, box->score, box->label, box->row);
    }
  return 0;
}
