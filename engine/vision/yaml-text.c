/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * yaml-text.c: libyaml's events to a tree of JsonNode. The text may come from anywhere.
 */

#include "vision/yaml-text.h"

#include <glib/gi18n.h>
#include <string.h>
#include <yaml.h>

#include "fovea.h"

#define MAX_DEPTH 32
#define MAX_NODES 200000

typedef struct
{
  yaml_parser_t parser;
  guint         n_nodes;
} Reader;

static JsonNode *read_node (Reader *reader, const yaml_event_t *event, guint depth, GError **error);

static gpointer
refuse (const Reader *reader, gsize line, const char *why, GError **error)
{
  g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_MODEL, _("line %zu: %s"), line + 1, why);
  return NULL;
}

static gboolean
next_event (Reader *reader, yaml_event_t *event, GError **error)
{
  if (yaml_parser_parse (&reader->parser, event))
    return TRUE;
  refuse (reader, reader->parser.problem_mark.line, reader->parser.problem ? reader->parser.problem : _("this isn't YAML"), error);
  return FALSE;
}

/* ---- scalars ---------------------------------------------------------------------------------------------------------------------------- */

static gboolean
is_one_of (const char *text, const char *const *words)
{
  return g_strv_contains (words, text);
}

static JsonNode *
make_scalar (const yaml_event_t *event)
{
  static const char *const nothing[] = { "", "~", "null", "Null", "NULL", NULL };
  static const char *const yes[] = { "true", "True", "TRUE", NULL }, *const no[] = { "false", "False", "FALSE", NULL };
  g_autofree char *text = g_utf8_make_valid ((const char *) event->data.scalar.value, (gssize) event->data.scalar.length);
  JsonNode        *node = json_node_alloc ();
  gint64           whole;
  char            *end;
  double           number;

  if (event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE)
    {
      if (is_one_of (text, nothing))
        return json_node_init_null (node);
      if (is_one_of (text, yes) || is_one_of (text, no))
        return json_node_init_boolean (node, is_one_of (text, yes));
      if (g_ascii_string_to_signed (text + (*text == '+'), 10, G_MININT64, G_MAXINT64, &whole, NULL))
        return json_node_init_int (node, whole);
      number = g_ascii_strtod (text, &end);
      if (end > text && !*end && strspn (text, "+-.0123456789eE") == strlen (text))
        return json_node_init_double (node, number);
    }
  return json_node_init_string (node, text);
}

/* ---- collections ------------------------------------------------------------------------------------------------------------------------ */

static JsonNode *
read_sequence (Reader *reader, guint depth, GError **error)
{
  g_autoptr (JsonArray) array = json_array_new ();

  for (;;)
    {
      yaml_event_t event;
      JsonNode    *node;

      if (!next_event (reader, &event, error))
        return NULL;
      if (event.type == YAML_SEQUENCE_END_EVENT)
        {
          yaml_event_delete (&event);
          return json_node_init_array (json_node_alloc (), array);
        }
      node = read_node (reader, &event, depth, error);
      yaml_event_delete (&event);
      if (!node)
        return NULL;
      json_array_add_element (array, node);
    }
}

static JsonNode *
read_mapping (Reader *reader, guint depth, GError **error)
{
  g_autoptr (JsonObject) object = json_object_new ();

  for (;;)
    {
      g_autofree char *key = NULL;
      yaml_event_t     event;
      JsonNode        *node;

      if (!next_event (reader, &event, error))
        return NULL;
      if (event.type == YAML_MAPPING_END_EVENT)
        {
          yaml_event_delete (&event);
          return json_node_init_object (json_node_alloc (), object);
        }
      if (event.type != YAML_SCALAR_EVENT)
        {
          refuse (reader, event.start_mark.line, _("a key must be a word"), error);
          yaml_event_delete (&event);
          return NULL;
        }
      key = g_utf8_make_valid ((const char *) event.data.scalar.value, (gssize) event.data.scalar.length);
      yaml_event_delete (&event);
      if (!next_event (reader, &event, error))
        return NULL;
      node = read_node (reader, &event, depth, error);
      yaml_event_delete (&event);
      if (!node)
        return NULL;
      json_object_set_member (object, key, node);
    }
}

static JsonNode *
read_node (Reader *reader, const yaml_event_t *event, guint depth, GError **error)
{
  const yaml_char_t *anchor = event->type == YAML_SCALAR_EVENT           ? event->data.scalar.anchor
                              : event->type == YAML_SEQUENCE_START_EVENT ? event->data.sequence_start.anchor
                              : event->type == YAML_MAPPING_START_EVENT  ? event->data.mapping_start.anchor
                                                                         : NULL;

  if (anchor || event->type == YAML_ALIAS_EVENT)
    return refuse (reader, event->start_mark.line, _("anchors and aliases (& and *) aren't taken here"), error);
  if (depth >= MAX_DEPTH || ++reader->n_nodes > MAX_NODES)
    return refuse (reader, event->start_mark.line, _("it is nested too deeply, or too long"), error);
  switch (event->type)
    {
    case YAML_SCALAR_EVENT:         return make_scalar (event);
    case YAML_SEQUENCE_START_EVENT: return read_sequence (reader, depth + 1, error);
    case YAML_MAPPING_START_EVENT:  return read_mapping (reader, depth + 1, error);
    default:                        return refuse (reader, event->start_mark.line, _("there is nothing here"), error);
    }
}

JsonNode *
yaml_text_parse (const char *text, gsize length, GError **error)
{
  Reader       reader = { .n_nodes = 0 };
  JsonNode    *node = NULL;
  yaml_event_t event;

  if (!yaml_parser_initialize (&reader.parser))
    return refuse (&reader, 0, _("there is no memory for it"), error);
  yaml_parser_set_input_string (&reader.parser, (const unsigned char *) text, length);
  for (gboolean begun = FALSE; !begun && next_event (&reader, &event, error);)
    {
      begun = event.type != YAML_STREAM_START_EVENT && event.type != YAML_DOCUMENT_START_EVENT;
      if (begun)
        node = read_node (&reader, &event, 0, error);
      yaml_event_delete (&event);
    }
  yaml_parser_delete (&reader.parser);
  return node;
}
