/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * images-json.c: see images-json.h.
 */

#include "images-json.h"

void
images_json_add (FILE *stream, gsize i, JsonNode *answer)
{
  g_autofree char *text = json_to_string (answer, TRUE);
  g_auto (GStrv)   lines = g_strsplit (text, "\n", -1);

  fputs (i ? "," : "", stream);
  for (guint k = 0; lines[k]; k++)
    fprintf (stream, "\n    %s", lines[k]);
}

void
images_json_end (FILE *stream, gsize n)
{
  fputs (n ? "\n  ]" : "]", stream);
}
