/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * csv.c: see csv.h.
 */

#include "csv.h"

#include <string.h>

/* Of each operation: the array in its answers, and the columns after “file” and “label”. */
static const struct
{
  const char *items, *columns, *number;
} tables[] = {
  [OPERATION_CLASSIFY] = { "classes", "score", "score" },
  [OPERATION_LOCATE] = { "objects", "score,x,y,width,height", "score" },
  [OPERATION_SEGMENT] = { "masks", "area", "area" },
};

/* What a spreadsheet would compute gets an apostrophe before it (OWASP, “CSV Injection”). */
static void
add_text (GString *text, const char *value)
{
  g_string_append_c (text, '"');
  if (*value && strchr ("=+-@\t\r", *value))
    g_string_append_c (text, '\'');
  for (; *value; value++)
    {
      if (*value == '"')
        g_string_append_c (text, '"');
      g_string_append_c (text, *value);
    }
  g_string_append_c (text, '"');
}

/* With a point, whatever the language. */
static void
add_number (GString *text, double value)
{
  char digits[G_ASCII_DTOSTR_BUF_SIZE];

  g_string_append_c (text, ',');
  g_string_append (text, g_ascii_formatd (digits, sizeof digits, "%.6g", value));
}

void
csv_add_head (OperationKind kind, GString *text)
{
  g_string_append_printf (text, "file,label,%s\r\n", tables[kind].columns);
}

void
csv_add_rows (OperationKind kind, JsonObject *answer, GString *text)
{
  JsonArray *items = json_object_get_array_member (answer, tables[kind].items);

  for (guint i = 0; i < json_array_get_length (items); i++)
    {
      JsonObject *item = json_array_get_object_element (items, i);

      add_text (text, json_object_get_string_member (answer, "file"));
      g_string_append_c (text, ',');
      add_text (text, json_object_get_string_member (item, "label"));
      add_number (text, json_object_get_double_member (item, tables[kind].number));
      for (guint k = 0; k < 4 && kind == OPERATION_LOCATE; k++)
        add_number (text, json_array_get_double_element (json_object_get_array_member (item, "box"), k));
      g_string_append (text, "\r\n");
    }
}
