/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * models.c: see models.h.
 */

#include "models.h"

#include <string.h>

/* Puts the name that is in the list first. */
static void
move_first (char **names, const char *name)
{
  for (guint i = 0; name && names[i]; i++)
    if (strcmp (names[i], name) == 0)
      {
        char *first = names[i];

        memmove (names + 1, names, i * sizeof *names);
        names[0] = first;
        return;
      }
}

char **
models_to_try (FoveaTask task, const char *builtin)
{
  char           **installed = fovea_list_models ();
  g_autofree char *chosen = fovea_get_default_model (task);

  move_first (installed, builtin);
  move_first (installed, chosen);
  return installed;
}
