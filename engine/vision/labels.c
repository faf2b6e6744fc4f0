/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * labels.c: the names of classes from a model's settings or from a text file. The files may come from anywhere and the names end up in dialogs, on
 * terminals and in photos' tags: here they are cleaned. Markup is left alone: whoever shows a name as markup escapes it.
 */

#include "vision/labels.h"

#include <glib/gi18n.h>
#include <string.h>

#include "fovea.h"

#define MAX_LABEL_CHARACTERS 200

char *
labels_make_up (gsize index)
{
  return g_strdup_printf ("class %" G_GSIZE_FORMAT, index);
}

/* Controls, line breaks, and the marks that turn the direction of the text around them. */
static gboolean
is_unwanted (gunichar c)
{
  return g_unichar_iscntrl (c) || c == 0x2028 || c == 0x2029 || c == 0x200e || c == 0x200f || (c >= 0x202a && c <= 0x202e) ||
         (c >= 0x2066 && c <= 0x2069) || c == 0xfeff;
}

/* The label for class `index`, or what stands in for it when nothing is left. */
static char *
clean (const char *text, gssize length, gsize index)
{
  g_autofree char *valid = g_utf8_make_valid (text, length);
  g_autoptr (GString) string = g_string_new (NULL);
  guint n = 0;

  for (const char *c = valid; *c && n < MAX_LABEL_CHARACTERS; c = g_utf8_next_char (c), n++)
    {
      gunichar character = g_utf8_get_char (c);

      g_string_append_unichar (string, is_unwanted (character) ? ' ' : character);
    }
  g_strstrip (string->str);
  return *string->str ? g_strdup (string->str) : labels_make_up (index);
}

static gboolean
check_number (gsize n, GError **error)
{
  if (n >= 1 && n <= LABELS_MAX)
    return TRUE;
  g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_MODEL, n ? _("there are more than %d names") : _("there are no names"), LABELS_MAX);
  return FALSE;
}

/* ---- from JSON -------------------------------------------------------------------------------------------------------------------------- */

static char **
from_array (JsonArray *array, gsize *n_labels, GError **error)
{
  gsize  n = json_array_get_length (array);
  char **labels;

  if (!check_number (n, error))
    return NULL;
  labels = g_new0 (char *, n + 1);
  for (gsize i = 0; i < n; i++)
    {
      JsonNode *node = json_array_get_element (array, i);

      labels[i] = JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_STRING ? clean (json_node_get_string (node), -1, i)
                                                                                                    : labels_make_up (i);
    }
  *n_labels = n;
  return labels;
}

static char **
from_object (JsonObject *object, gsize *n_labels, GError **error)
{
  g_autoptr (GList) keys = json_object_get_members (object);
  gsize  n = 0;
  char **labels;

  for (GList *l = keys; l; l = l->next)
    {
      guint64 index;

      if (!g_ascii_string_to_unsigned (l->data, 10, 0, G_MAXINT, &index, NULL))
        {
          g_set_error_literal (error, FOVEA_ERROR, FOVEA_ERROR_MODEL, _("the names must be listed by class number: {\"0\": \"cat\", …}"));
          return NULL;
        }
      n = MAX (n, index + 1);
    }
  if (!check_number (n, error))
    return NULL;
  labels = g_new0 (char *, n + 1);
  for (GList *l = keys; l; l = l->next)
    {
      JsonNode *node = json_object_get_member (object, l->data);
      gsize     index = g_ascii_strtoull (l->data, NULL, 10);

      if (!labels[index] && JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_STRING)
        labels[index] = clean (json_node_get_string (node), -1, index);
    }
  for (gsize i = 0; i < n; i++)
    if (!labels[i])
      labels[i] = labels_make_up (i);
  *n_labels = n;
  return labels;
}

char **
labels_from_json (JsonNode *node, gsize *n_labels, GError **error)
{
  if (JSON_NODE_HOLDS_ARRAY (node))
    return from_array (json_node_get_array (node), n_labels, error);
  if (JSON_NODE_HOLDS_OBJECT (node))
    return from_object (json_node_get_object (node), n_labels, error);
  g_set_error_literal (error, FOVEA_ERROR, FOVEA_ERROR_MODEL, _("the names must be a list or an object"));
  return NULL;
}

/* ---- from text -------------------------------------------------------------------------------------------------------------------------- */

/* The number at the start of a line, which a blank, colon, comma or tabulator ends; *rest gets what follows. -1 if there is none. */
static gint64
read_index (const char *line, const char **rest)
{
  gsize digits = strspn (line, "0123456789");

  if (digits == 0 || digits > 6 || !line[digits] || !strchr (" \t:,", line[digits]))
    return -1;
  *rest = line + digits + strspn (line + digits, " \t:,");
  return g_ascii_strtoll (line, NULL, 10);
}

/* TRUE if the lines are counted, from 0 or from 1. */
static gboolean
lines_are_counted (char **lines, gsize n)
{
  const char *rest;
  gint64      first = read_index (lines[0], &rest);

  if (first != 0 && first != 1)
    return FALSE;
  for (gsize i = 0; i < n; i++)
    if (read_index (lines[i], &rest) != first + (gint64) i)
      return FALSE;
  return TRUE;
}

char **
labels_from_text (const char *text, gsize length, gsize *n_labels, GError **error)
{
  g_autofree char *valid = g_utf8_make_valid (text, length);
  g_auto (GStrv) lines = g_strsplit (g_str_has_prefix (valid, "\xef\xbb\xbf") ? valid + 3 : valid, "\n", LABELS_MAX + 2);
  gsize    n = g_strv_length (lines);
  gboolean counted;
  char   **labels;

  while (n > 0 && !*g_strstrip (lines[n - 1]))
    n--;
  if (!check_number (n, error))
    return NULL;
  counted = lines_are_counted (lines, n);
  labels = g_new0 (char *, n + 1);
  for (gsize i = 0; i < n; i++)
    {
      const char *label = lines[i];

      if (counted)
        read_index (lines[i], &label);
      labels[i] = clean (label, -1, i);
    }
  *n_labels = n;
  return labels;
}
