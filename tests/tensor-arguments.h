/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * tensor-arguments.h: NAME=FILE.pb, as the tests of decoders give their tools tensors (random_tensors.py).
 */
#pragma once

#include <stdio.h>
#include <string.h>

#include "fovea.h"

/* Names lie in the arguments, which are cut for that; tensors are the caller's, also of what was read before a failure. FALSE: it is said on standard error. */
static inline gboolean
load_tensor_arguments (char **arguments, guint n, const char **names, FoveaTensor **tensors)
{
  for (guint i = 0; i < n; i++)
    {
      g_autoptr (GError) error = NULL;
      char              *equals = strchr (arguments[i], '=');

      *equals = '\0';
      names[i] = arguments[i];
      tensors[i] = fovea_tensor_load_pb (equals + 1, NULL, &error);
      if (!tensors[i])
        {
          fprintf (stderr, "%s\n", error->message);
          return FALSE;
        }
    }
  return TRUE;
}
