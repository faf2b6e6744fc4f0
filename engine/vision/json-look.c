/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * json-look.c: see json-look.h.
 */

#include "vision/json-look.h"

#include <math.h>

static JsonNode *
get_member (JsonObject *object, const char *key)
{
  return object ? json_object_get_member (object, key) : NULL;
}

static JsonNode *
get_element (JsonArray *array, guint i)
{
  return array && i < json_array_get_length (array) ? json_array_get_element (array, i) : NULL;
}

static GType
value_type (JsonNode *node)
{
  return node && JSON_NODE_HOLDS_VALUE (node) ? json_node_get_value_type (node) : G_TYPE_INVALID;
}

static double
as_number (JsonNode *node)
{
  GType type = value_type (node);

  return type == G_TYPE_INT64 || type == G_TYPE_DOUBLE ? json_node_get_double (node) : NAN;
}

static const char *
as_string (JsonNode *node)
{
  return value_type (node) == G_TYPE_STRING ? json_node_get_string (node) : NULL;
}

JsonObject *
look_object (JsonObject *object, const char *key)
{
  JsonNode *node = get_member (object, key);

  return node && JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
}

JsonArray *
look_array (JsonObject *object, const char *key)
{
  JsonNode *node = get_member (object, key);

  return node && JSON_NODE_HOLDS_ARRAY (node) ? json_node_get_array (node) : NULL;
}

const char *
look_string (JsonObject *object, const char *key)
{
  return as_string (get_member (object, key));
}

double
look_number (JsonObject *object, const char *key)
{
  return as_number (get_member (object, key));
}

gboolean
look_boolean (JsonObject *object, const char *key, gboolean otherwise)
{
  JsonNode *node = get_member (object, key);

  return value_type (node) == G_TYPE_BOOLEAN ? json_node_get_boolean (node) : otherwise;
}

double
look_element (JsonArray *array, guint i)
{
  return as_number (get_element (array, i));
}

JsonObject *
look_element_object (JsonArray *array, guint i)
{
  JsonNode *node = get_element (array, i);

  return node && JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
}

const char *
look_element_string (JsonArray *array, guint i)
{
  return as_string (get_element (array, i));
}
