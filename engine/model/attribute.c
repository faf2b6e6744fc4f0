/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * attribute.c: reading, checking and setting the attributes of nodes.
 */

#include "model/graph.h"

#include <string.h>

static const char *const kind_names[] = {
  [ATTRIBUTE_INT]    = "an integer",
  [ATTRIBUTE_FLOAT]  = "a number",
  [ATTRIBUTE_STRING] = "a text",
  [ATTRIBUTE_TENSOR] = "a tensor",
  [ATTRIBUTE_GRAPH]  = "a graph",
  [ATTRIBUTE_INTS]   = "a list of integers",
  [ATTRIBUTE_FLOATS] = "a list of numbers",
  [ATTRIBUTE_STRINGS] = "a list of texts",
};

/* ---- reading ---------------------------------------------------------------------------------------------- */

const Attribute *
node_attribute (const Node *node, const char *name)
{
  for (guint i = 0; i < node->attributes->len; i++)
    {
      const Attribute *attribute = g_ptr_array_index (node->attributes, i);

      if (strcmp (attribute->name, name) == 0)
        return attribute;
    }
  return NULL;
}

static const Attribute *
attribute_of_kind (const Node *node, const char *name, AttributeKind kind)
{
  const Attribute *attribute = node_attribute (node, name);

  return attribute && attribute->kind == kind ? attribute : NULL;
}

gint64
node_int (const Node *node, const char *name, gint64 otherwise)
{
  const Attribute *attribute = attribute_of_kind (node, name, ATTRIBUTE_INT);

  return attribute ? attribute->i : otherwise;
}

float
node_float (const Node *node, const char *name, float otherwise)
{
  const Attribute *attribute = attribute_of_kind (node, name, ATTRIBUTE_FLOAT);

  return attribute ? attribute->f : otherwise;
}

const char *
node_string (const Node *node, const char *name, const char *otherwise)
{
  const Attribute *attribute = attribute_of_kind (node, name, ATTRIBUTE_STRING);

  return attribute ? attribute->s : otherwise;
}

gsize
node_ints (const Node *node, const char *name, const gint64 **ints)
{
  const Attribute *attribute = attribute_of_kind (node, name, ATTRIBUTE_INTS);

  *ints = attribute ? attribute->ints : NULL;
  return attribute ? attribute->n : 0;
}

gboolean
node_check_attributes (const Node *node, const AttributeSpec *known, GError **error)
{
  for (guint i = 0; i < node->attributes->len; i++)
    {
      const Attribute     *attribute = g_ptr_array_index (node->attributes, i);
      const AttributeSpec *spec = known;
      g_autofree char     *name = name_for_display (attribute->name);

      while (spec && spec->name && strcmp (spec->name, attribute->name) != 0)
        spec++;
      if (!spec || !spec->name)
        return node_error (node, error, FOVEA_ERROR_UNSUPPORTED,
                           "its attribute “%s” isn't known. Export the model with a lower opset, or without that option.", name);
      if (spec->kind != attribute->kind)
        return node_error (node, error, FOVEA_ERROR_MODEL,
                           "its attribute “%s” is %s, but should be %s. Export the model again, with another version of the exporter.",
                           name, kind_names[attribute->kind], kind_names[spec->kind]);
    }
  return TRUE;
}

/* ---- setting ---------------------------------------------------------------------------------------------- */

/* The attribute of that name, emptied, or a new one. */
static Attribute *
attribute_renew (Node *node, const char *name, AttributeKind kind)
{
  Attribute *attribute = g_new0 (Attribute, 1);

  attribute->name = g_strdup (name);
  attribute->kind = kind;
  for (guint i = 0; i < node->attributes->len; i++)
    if (strcmp (((Attribute *) g_ptr_array_index (node->attributes, i))->name, name) == 0)
      {
        g_ptr_array_remove_index (node->attributes, i);
        break;
      }
  g_ptr_array_add (node->attributes, attribute);
  return attribute;
}

void
node_set_int (Node *node, const char *name, gint64 value)
{
  attribute_renew (node, name, ATTRIBUTE_INT)->i = value;
}

void
node_set_float (Node *node, const char *name, float value)
{
  attribute_renew (node, name, ATTRIBUTE_FLOAT)->f = value;
}

void
node_set_string (Node *node, const char *name, const char *value)
{
  char *copy = g_strdup (value);

  attribute_renew (node, name, ATTRIBUTE_STRING)->s = copy;
}

void
node_set_ints (Node *node, const char *name, const gint64 *values, gsize n)
{
  gint64    *copy = g_memdup2 (values, n * sizeof *values);
  Attribute *attribute = attribute_renew (node, name, ATTRIBUTE_INTS);

  attribute->ints = copy;
  attribute->n = n;
}

void
node_set_floats (Node *node, const char *name, const float *values, gsize n)
{
  float     *copy = g_memdup2 (values, n * sizeof *values);
  Attribute *attribute = attribute_renew (node, name, ATTRIBUTE_FLOATS);

  attribute->floats = copy;
  attribute->n = n;
}

void
node_set_strings (Node *node, const char *name, const char *const *values, gsize n)
{
  char     **copy = g_new0 (char *, n + 1);
  Attribute *attribute;

  for (gsize i = 0; i < n; i++)
    copy[i] = g_strdup (values[i]);
  attribute = attribute_renew (node, name, ATTRIBUTE_STRINGS);
  attribute->strings = copy;
  attribute->n = n;
}

void
node_set_tensor (Node *node, const char *name, FoveaTensor *tensor)
{
  FoveaTensor *held = fovea_tensor_ref (tensor);

  attribute_renew (node, name, ATTRIBUTE_TENSOR)->tensor = held;
}

void
node_set_graph (Node *node, const char *name, Graph *graph)
{
  attribute_renew (node, name, ATTRIBUTE_GRAPH)->graph = graph;
}

void
node_copy_attribute (Node *node, const char *name, const Attribute *from)
{
  switch (from->kind)
    {
    case ATTRIBUTE_INT:     node_set_int (node, name, from->i); break;
    case ATTRIBUTE_FLOAT:   node_set_float (node, name, from->f); break;
    case ATTRIBUTE_STRING:  node_set_string (node, name, from->s); break;
    case ATTRIBUTE_TENSOR:  node_set_tensor (node, name, from->tensor); break;
    case ATTRIBUTE_INTS:    node_set_ints (node, name, from->ints, from->n); break;
    case ATTRIBUTE_FLOATS:  node_set_floats (node, name, from->floats, from->n); break;
    case ATTRIBUTE_STRINGS: node_set_strings (node, name, (const char *const *) from->strings, from->n); break;
    case ATTRIBUTE_GRAPH:   g_assert_not_reached ();
    }
}
