/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * arguments.c: see arguments.h.
 */

#include "arguments.h"

#include <glib/gi18n.h>

#include "fovea.h"

gboolean
argument_read_word (GimpProcedureConfig *config, const char *property, const char *const *words, guint *place, GError **error)
{
  g_autofree char *word = NULL, *list = NULL;

  g_object_get (config, property, &word, NULL);
  for (*place = 0; words[*place] && word; (*place)++)
    if (g_strcmp0 (words[*place], word) == 0)
      return TRUE;
  list = g_strjoinv (", ", (char **) words);
  g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_ARGUMENT, _("“%s” isn't a value of %s. Right ones are: %s."), word ? word : "", property, list);
  return FALSE;
}
