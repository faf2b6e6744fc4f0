/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * confusion.c: see confusion.h.
 */

#include "confusion.h"

Confusion *
confusion_new (char *const *names, guint n, const gsize *counts)
{
  Confusion *confusion = g_new0 (Confusion, 1);

  confusion->n = n;
  confusion->names = g_new0 (char *, n + 1);
  for (guint i = 0; i < n; i++)
    confusion->names[i] = g_strdup (names[i]);
  confusion->counts = g_memdup2 (counts, (gsize) n * n * sizeof *counts);
  return confusion;
}

void
confusion_free (Confusion *confusion)
{
  if (!confusion)
    return;
  g_strfreev (confusion->names);
  g_free (confusion->counts);
  g_free (confusion);
}

Confusion *
confusion_copy (const Confusion *confusion)
{
  return confusion_new (confusion->names, confusion->n, confusion->counts);
}

gsize
confusion_count (const Confusion *confusion, guint index)
{
  gsize sum = 0;

  for (guint i = 0; i < confusion->n; i++)
    sum += confusion->counts[index * confusion->n + i];
  return sum;
}

void
confusion_write (const Confusion *confusion, JsonBuilder *json)
{
  json_builder_set_member_name (json, "confusion");
  json_builder_begin_array (json);
  for (guint i = 0; i < confusion->n; i++)
    {
      json_builder_begin_array (json);
      for (guint k = 0; k < confusion->n; k++)
        json_builder_add_int_value (json, (gint64) confusion->counts[i * confusion->n + k]);
      json_builder_end_array (json);
    }
  json_builder_end_array (json);
}
