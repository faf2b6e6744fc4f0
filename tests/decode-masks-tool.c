/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * decode-masks-tool.c FAMILY WIDTH HEIGHT N_LABELS OUT NAME=FILE.pb …: decodes tensors from files as masks, writes their shares as floats to OUT and prints their
 * width and height, then the class of each. For tests/decode_masks.py.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tensor-arguments.h"
#include "vision/decode-instances.h"

#define FIXED 6 /* arguments before the tensors */

int
main (int argc, char **argv)
{
  guint                    n = argc > FIXED ? argc - FIXED : 0;
  g_autofree const char  **names = g_new0 (const char *, n + 1);
  g_autofree FoveaTensor **tensors = g_new0 (FoveaTensor *, n + 1);
  g_autoptr (MaskStack)    stack = NULL;
  g_autoptr (GError)       error = NULL;
  FoveaSettings            settings = { 0 };

  if (argc < FIXED)
    return 2;
  settings.family = argv[1];
  settings.width = atoi (argv[2]);
  settings.height = atoi (argv[3]);
  settings.activation = FOVEA_ACTIVATION_AUTO;
  settings.threshold = 0.25;
  settings.overlap = 0.45;
  settings.labels = g_new0 (char *, strtoul (argv[4], NULL, 10) + 1);
  settings.n_labels = strtoul (argv[4], NULL, 10);
  for (gsize i = 0; i < settings.n_labels; i++)
    settings.labels[i] = g_strdup_printf ("label %" G_GSIZE_FORMAT, i);
  if (!load_tensor_arguments (argv + FIXED, n, names, tensors))
    return 2;
  stack = decode_instances_knows (argv[1]) ? decode_instances (&settings, names, tensors, n, &error) : decode_masks (&settings, tensors, n, &error);
  for (guint i = 0; i < n; i++)
    fovea_tensor_unref (tensors[i]);
  g_strfreev (settings.labels);
  if (!stack || !g_file_set_contents (argv[5], (const char *) stack->shares, (gssize) (stack->n * (gsize) stack->width * (gsize) stack->height * sizeof (float)), &error))
    {
      fprintf (stderr, "%s\n", error->message);
      return 1;
    }
  printf ("%d %d", stack->width, stack->height);
  for (gsize k = 0; k < stack->n; k++)
    printf (" %" G_GSIZE_FORMAT, stack->classes[k]);
  printf ("\n");
  return 0;
}
