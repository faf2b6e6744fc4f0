/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * class-folder.c: names of classes as names of folders: what these can't have (a slash, a leading point) is written as %2F, %2E.
 */

#include "fovea.h"

#include <string.h>

char *
fovea_label_to_folder (const char *label)
{
  GString *name = g_string_new (NULL);

  for (const char *at = label; *at; at++)
    if (strchr ("/\\%", *at) || (guchar) *at < ' ' || (*at == '.' && at == label))
      g_string_append_printf (name, "%%%02X", (guchar) *at);
    else
      g_string_append_c (name, *at);
  return g_string_free (name, FALSE);
}

char *
fovea_folder_to_label (const char *name)
{
  char            *label = g_uri_unescape_string (name, NULL);
  g_autofree char *again = label ? fovea_label_to_folder (label) : NULL;

  if (g_strcmp0 (again, name) == 0)
    return label;
  g_free (label);
  return g_strdup (name);
}
