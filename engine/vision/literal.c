/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * literal.c: JSON and Python literals, by recursive descent into json-glib's nodes.
 *
 * A superset of both: strings in either quote with the escapes of both languages, true and True, null and None, lists and tuples, a comma too many.
 * It is fed by files from anywhere: depth is limited, numbers must be finite, and no text makes it abort.
 */

#include "vision/literal.h"

#include <glib/gi18n.h>
#include <math.h>
#include <string.h>

#include "fovea.h"

#define MAX_DEPTH 32

typedef struct
{
  const char *start, *at, *end; /* *end is 0 */
  guint       depth;
  GError    **error;
} Reader;

static JsonNode *read_value (Reader *reader);

static gpointer
fail (Reader *reader, const char *what)
{
  guint line = 1;

  for (const char *c = reader->start; c < reader->at; c++)
    line += *c == '\n';
  if (reader->error && !*reader->error)
    g_set_error (reader->error, FOVEA_ERROR, FOVEA_ERROR_MODEL, _("line %u: %s"), line, what);
  return NULL;
}

static void
skip_space (Reader *reader)
{
  while (g_ascii_isspace (*reader->at))
    reader->at++;
}

static gboolean
take (Reader *reader, char c)
{
  skip_space (reader);
  if (*reader->at != c)
    return FALSE;
  reader->at++;
  return TRUE;
}

/* ---- strings ---------------------------------------------------------------------------------------------------------------------------- */

/* n hexadecimal digits; -1 if they aren't there. */
static gint64
read_hex (Reader *reader, guint n)
{
  gint64 value = 0;

  for (guint i = 0; i < n; i++)
    {
      int digit = g_ascii_xdigit_value (*reader->at);

      if (digit < 0)
        return -1;
      value = value * 16 + digit;
      reader->at++;
    }
  return value;
}

/* The character after \x, \u or \U; two \u escapes may make one character (UTF-16 in JSON). -1 if it isn't well formed. */
static gint64
read_code_point (Reader *reader, guint n_digits)
{
  gint64 code = read_hex (reader, n_digits);

  if (code >= 0xd800 && code < 0xdc00 && reader->at[0] == '\\' && reader->at[1] == 'u')
    {
      const char *back = reader->at;
      gint64      low;

      reader->at += 2;
      low = read_hex (reader, 4);
      if (low >= 0xdc00 && low < 0xe000)
        return 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
      reader->at = back;
    }
  if (code < 0)
    return -1;
  return code != 0 && code <= 0x10ffff && g_unichar_validate ((gunichar) code) ? code : 0xfffd;
}

static gboolean
read_escape (Reader *reader, GString *string)
{
  static const char from[] = "abfnrtv", to[] = "\a\b\f\n\r\t\v";
  char        c = *reader->at;
  const char *known = c ? strchr (from, c) : NULL;
  gint64      code;

  if (c == 0)
    return FALSE;
  reader->at++;

  if (c == 'x' || c == 'u' || c == 'U')
    {
      code = read_code_point (reader, c == 'x' ? 2 : c == 'u' ? 4 : 8);
      if (code < 0)
        return FALSE;
      g_string_append_unichar (string, (gunichar) code);
      return TRUE;
    }
  g_string_append_c (string, known ? to[known - from] : c);
  return TRUE;
}

static char *
read_string (Reader *reader)
{
  g_autoptr (GString) string = g_string_new (NULL);
  char quote = *reader->at++;

  while (*reader->at != quote)
    {
      if (reader->at >= reader->end)
        return fail (reader, _("a string has no end"));
      if (*reader->at != '\\')
        {
          g_string_append_c (string, *reader->at++);
          continue;
        }
      reader->at++;
      if (!read_escape (reader, string))
        return fail (reader, _("a “\\” in a string isn't followed by what belongs there"));
    }
  reader->at++;
  return g_string_free (g_steal_pointer (&string), FALSE);
}

/* ---- values ----------------------------------------------------------------------------------------------------------------------------- */

static JsonNode *
read_number (Reader *reader)
{
  char    *end;
  double   value = g_ascii_strtod (reader->at, &end);
  gboolean whole = strspn (reader->at, "+-0123456789") == (gsize) (end - reader->at);

  if (end == reader->at)
    return fail (reader, _("a value was expected"));
  if (!isfinite (value))
    return fail (reader, _("a number is too large"));
  reader->at = end;
  return whole && fabs (value) < 9e15 ? json_node_init_int (json_node_alloc (), (gint64) value) : json_node_init_double (json_node_alloc (), value);
}

static JsonNode *
read_word (Reader *reader)
{
  static const struct { const char *word; int kind; } words[] = {
    { "true", 1 }, { "True", 1 }, { "false", 0 }, { "False", 0 }, { "null", -1 }, { "None", -1 },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (words); i++)
    if (g_str_has_prefix (reader->at, words[i].word))
      {
        reader->at += strlen (words[i].word);
        return words[i].kind < 0 ? json_node_init_null (json_node_alloc ()) : json_node_init_boolean (json_node_alloc (), words[i].kind);
      }
  return fail (reader, _("a value was expected"));
}

static JsonNode *
read_list (Reader *reader, char close)
{
  g_autoptr (JsonArray) array = json_array_new ();

  while (!take (reader, close))
    {
      JsonNode *value = read_value (reader);

      if (!value)
        return NULL;
      json_array_add_element (array, value);
      if (!take (reader, ',') && *reader->at != close)
        return fail (reader, _("a comma or the end of a list was expected"));
    }
  return json_node_init_array (json_node_alloc (), array);
}

/* A string, or a number as it is written. */
static char *
read_key (Reader *reader)
{
  const char *start;

  skip_space (reader);
  if (*reader->at == '"' || *reader->at == '\'')
    return read_string (reader);
  start = reader->at;
  reader->at += strspn (reader->at, "-0123456789");
  if (reader->at == start)
    return fail (reader, _("a name or the end of an object was expected"));
  return g_strndup (start, reader->at - start);
}

static JsonNode *
read_object (Reader *reader)
{
  g_autoptr (JsonObject) object = json_object_new ();

  while (!take (reader, '}'))
    {
      g_autofree char *key = read_key (reader);
      JsonNode        *value;

      if (!key)
        return NULL;
      if (!take (reader, ':'))
        return fail (reader, _("a colon was expected"));
      value = read_value (reader);
      if (!value)
        return NULL;
      json_object_set_member (object, key, value);
      if (!take (reader, ',') && *reader->at != '}')
        return fail (reader, _("a comma or the end of an object was expected"));
    }
  return json_node_init_object (json_node_alloc (), object);
}

static JsonNode *
read_nested (Reader *reader)
{
  char      open = *reader->at++;
  JsonNode *node;

  if (reader->depth == MAX_DEPTH)
    return fail (reader, _("it is nested too deeply"));
  reader->depth++;
  node = open == '{' ? read_object (reader) : read_list (reader, open == '[' ? ']' : ')');
  reader->depth--;
  return node;
}

static JsonNode *
read_value (Reader *reader)
{
  skip_space (reader);
  switch (*reader->at)
    {
    case '{':
    case '[':
    case '(':
      return read_nested (reader);
    case '"':
    case '\'':
      {
        g_autofree char *string = read_string (reader);

        return string ? json_node_init_string (json_node_alloc (), string) : NULL;
      }
    case '-':
    case '0': case '1': case '2': case '3': case '4': case '5': case '6': case '7': case '8': case '9':
      return read_number (reader);
    default:
      return read_word (reader);
    }
}

JsonNode *
literal_parse (const char *text, gsize length, GError **error)
{
  g_autofree char *valid = g_utf8_make_valid (text, length);
  g_autoptr (GError) local = NULL;
  Reader    reader = { valid, valid, valid + strlen (valid), 0, &local };
  JsonNode *node;

  if (g_str_has_prefix (valid, "\xef\xbb\xbf")) /* a byte order mark */
    reader.at += 3;
  node = read_value (&reader);
  skip_space (&reader);
  if (node && reader.at < reader.end)
    {
      g_clear_pointer (&node, json_node_unref);
      fail (&reader, _("there is more text after the end"));
    }
  if (!node)
    g_propagate_error (error, g_steal_pointer (&local));
  return node;
}
