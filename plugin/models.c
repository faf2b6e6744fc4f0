/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * models.c: see models.h.
 */

#include "models.h"

#include <string.h>

#include "fovea.h"

char **
models_to_try (const char *builtin)
{
  char **installed = fovea_list_models ();

  for (guint i = 0; installed[i]; i++)
    if (strcmp (installed[i], builtin) == 0)
      {
        char *first = installed[i];

        memmove (installed + 1, installed, i * sizeof *installed);
        installed[0] = first;
      }
  return installed;
}
