/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * onnx-read-nodes.c: nodes, their attributes, and the functions that a model brings along. Called by onnx-read.c.
 *
 * Nodes are read in two rounds: first all outputs are made, so that the order in the file doesn't matter, then inputs are looked up and attributes
 * read, whose sub-graphs may use any value of the graph. Calls of functions are replaced by the functions' nodes at last: a body is read
 * anew for each call, with the call's attributes put in, so that nothing after the reader knows of functions.
 */

#include "model/onnx-read.h"

#include <glib/gi18n.h>
#include <string.h>

#define MAX_NODES 65536
#define MAX_ATTRIBUTES 64       /* of one node */
#define MAX_CALL_DEPTH 16

/* AttributeProto.AttributeType */
enum { TYPE_FLOAT = 1, TYPE_INT, TYPE_STRING, TYPE_TENSOR, TYPE_GRAPH, TYPE_FLOATS, TYPE_INTS, TYPE_STRINGS };

static const Onnx__FunctionProto *
find_function (const OnnxReader *reader, const Onnx__NodeProto *node)
{
  for (gsize i = 0; i < reader->model->n_functions; i++)
    {
      const Onnx__FunctionProto *function = reader->model->functions[i];

      if (g_strcmp0 (function->name, node->op_type) == 0
          && strcmp (function->domain ? function->domain : "", node->domain ? node->domain : "") == 0
          && strcmp (function->overload ? function->overload : "", node->overload ? node->overload : "") == 0)
        return function;
    }
  return NULL;
}

/* ---- attributes ------------------------------------------------------------------------------------------- */

/* The type, where an old exporter left it out, from what is there. */
static gint32
attribute_type (const Onnx__AttributeProto *proto)
{
  if (proto->type != 0)
    return proto->type;
  return proto->has_f ? TYPE_FLOAT : proto->has_i ? TYPE_INT : proto->has_s ? TYPE_STRING : proto->t ? TYPE_TENSOR : proto->g ? TYPE_GRAPH
         : proto->n_floats ? TYPE_FLOATS : proto->n_ints ? TYPE_INTS : proto->n_strings ? TYPE_STRINGS : 0;
}

static gsize
attribute_cost (const Onnx__AttributeProto *proto)
{
  gsize cost = proto->n_floats + proto->n_ints + proto->n_strings + proto->s.len;

  for (gsize i = 0; i < proto->n_strings; i++)
    cost += proto->strings[i].len;
  return cost;
}

/* protobuf-c has no data for an empty one. */
static char *
copy_bytes (const ProtobufCBinaryData *bytes)
{
  return bytes->len > 0 ? g_strndup ((const char *) bytes->data, bytes->len) : g_strdup ("");
}

static void
set_strings (Node *node, const char *name, const ProtobufCBinaryData *texts, gsize n)
{
  g_auto (GStrv) strings = g_new0 (char *, n + 1);

  for (gsize i = 0; i < n; i++)
    strings[i] = copy_bytes (&texts[i]);
  node_set_strings (node, name, (const char *const *) strings, n);
}

static gboolean
set_tensor (OnnxReader *reader, const OnnxScope *scope, Node *node, const char *name, const Onnx__TensorProto *proto, GError **error)
{
  g_autoptr (FoveaTensor) tensor = onnx_read_tensor (&reader->source, proto, error);

  if (!tensor || (scope->call && !onnx_reader_charge (reader, tensor->size, error)))
    return FALSE;
  node_set_tensor (node, name, tensor);
  return TRUE;
}

static gboolean
set_graph (OnnxReader *reader, const OnnxScope *scope, Node *node, const char *name, const Onnx__GraphProto *proto, GError **error)
{
  Graph *graph = onnx_read_graph (reader, proto, scope, error);

  if (!graph)
    return FALSE;
  node_set_graph (node, name, graph);
  return TRUE;
}

static gboolean
set_attribute (OnnxReader *reader, const OnnxScope *scope, Node *node, const char *name, const Onnx__AttributeProto *proto, GError **error)
{
  g_autofree char *shown = name_for_display (name);
  g_autofree char *text = NULL;
  gint32           type = attribute_type (proto);
  GError          *inner = NULL;

  if (!onnx_reader_charge (reader, attribute_cost (proto), error))
    return FALSE;
  switch (type)
    {
    case TYPE_FLOAT:
      node_set_float (node, name, proto->f);
      return TRUE;
    case TYPE_INT:
      node_set_int (node, name, proto->i);
      return TRUE;
    case TYPE_STRING:
      text = copy_bytes (&proto->s);
      node_set_string (node, name, text);
      return TRUE;
    case TYPE_FLOATS:
      node_set_floats (node, name, proto->floats, proto->n_floats);
      return TRUE;
    case TYPE_INTS:
      node_set_ints (node, name, proto->ints, proto->n_ints);
      return TRUE;
    case TYPE_STRINGS:
      set_strings (node, name, proto->strings, proto->n_strings);
      return TRUE;
    case TYPE_TENSOR:
    case TYPE_GRAPH:
      if (type == TYPE_TENSOR ? !proto->t : !proto->g)
        return node_error (node, error, FOVEA_ERROR_MODEL, "its attribute “%s” is empty. The model file is damaged; get it again.", shown);
      if (type == TYPE_TENSOR ? set_tensor (reader, scope, node, name, proto->t, &inner) : set_graph (reader, scope, node, name, proto->g, &inner))
        return TRUE;
      node_error (node, error, inner->code, "attribute “%s”: %s", shown, inner->message);
      g_error_free (inner);
      return FALSE;
    default:
      return node_error (node, error, FOVEA_ERROR_UNSUPPORTED,
                         "its attribute “%s” is of a kind (%d) that can't be used. Export the model without this operator.", shown, type);
    }
}

/* In a function: the attribute is the call's one of another name, or its default, or isn't there. */
static gboolean
set_referenced_attribute (OnnxReader *reader, const OnnxScope *scope, Node *node, const char *name, const char *reference, GError **error)
{
  const Attribute *given = scope->call ? node_attribute (scope->call, reference) : NULL;

  if (!scope->call)
    return node_error (node, error, FOVEA_ERROR_MODEL, "it refers to an argument, but isn't part of a function. Export the model again.");
  if (given && given->kind == ATTRIBUTE_GRAPH)
    return node_error (node, error, FOVEA_ERROR_UNSUPPORTED, "it is given a graph as a function's argument. Export the model without functions.");
  if (given)
    {
      node_copy_attribute (node, name, given);
      return onnx_reader_charge (reader, given->n + (given->s ? strlen (given->s) : 0), error);
    }
  for (gsize i = 0; i < scope->function->n_attribute_proto; i++)
    if (g_strcmp0 (scope->function->attribute_proto[i]->name, reference) == 0)
      return set_attribute (reader, scope, node, name, scope->function->attribute_proto[i], error);
  return TRUE;
}

static gboolean
read_attributes (OnnxReader *reader, const OnnxScope *scope, Node *node, const Onnx__NodeProto *proto, GError **error)
{
  if (proto->n_attribute > MAX_ATTRIBUTES)
    return node_error (node, error, FOVEA_ERROR_MODEL, "it has %" G_GSIZE_FORMAT " attributes. The model file is damaged; get it again.",
                       proto->n_attribute);
  for (gsize i = 0; i < proto->n_attribute; i++)
    {
      const Onnx__AttributeProto *attribute = proto->attribute[i];
      g_autofree char *name = onnx_clean_text (attribute->name);
      gboolean         refers = attribute->ref_attr_name && *attribute->ref_attr_name;

      if (!(refers ? set_referenced_attribute (reader, scope, node, name, attribute->ref_attr_name, error)
                   : set_attribute (reader, scope, node, name, attribute, error)))
        return FALSE;
    }
  return TRUE;
}

/* ---- nodes ------------------------------------------------------------------------------------------------ */

static gboolean
check_domain (const OnnxScope *scope, const Node *node, const Onnx__FunctionProto *function, GError **error)
{
  if (strcmp (node->domain, "fovea") == 0)
    return node_error (node, error, FOVEA_ERROR_MODEL, "it is of the domain “fovea”, which is never found in files. Use the original model.");
  if (!function && !*node->domain && !g_hash_table_contains (scope->graph->opsets, ""))
    return node_error (node, error, FOVEA_ERROR_MODEL,
                       "the model doesn't say which version of ONNX's operators it uses. It is cut off or damaged; get it again.");
  return TRUE;
}

/* The node with its outputs, inputs and attributes still missing. */
static gboolean
make_node (OnnxReader *reader, OnnxScope *scope, const Onnx__NodeProto *proto, gsize number, GError **error)
{
  g_autofree char *type = onnx_clean_text (proto->op_type);
  g_autofree char *domain = onnx_clean_text (proto->domain);
  g_autofree char *given = onnx_clean_text (proto->name);
  g_autofree char *name = *given ? g_steal_pointer (&given) : g_strdup_printf ("%s_%" G_GSIZE_FORMAT, type, number);
  const Onnx__FunctionProto *function = find_function (reader, proto);
  Node *node;

  if (strcmp (domain, "ai.onnx") == 0)
    *domain = '\0';
  if (++reader->n_nodes > MAX_NODES)
    {
      g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_MODEL, _("it has more than %d layers: it is damaged, or no network for images."), MAX_NODES);
      return FALSE;
    }
  node = graph_add_node (scope->graph, domain, type, name, -1);
  if (!*type)
    return node_error (node, error, FOVEA_ERROR_MODEL, "it has no operator. The model file is damaged; get it again.");
  if (!check_domain (scope, node, function, error)
      || !onnx_reader_charge (reader, strlen (name) + proto->n_input + proto->n_output, error))
    return FALSE;

  for (gsize i = 0; i < proto->n_output; i++)
    {
      g_autofree char *output = onnx_clean_text (proto->output[i]);
      Value *value = NULL;

      if (*output && !onnx_scope_define (scope, output, &value, error))
        return FALSE;
      node_add_output (node, value);
    }
  if (function)
    {
      g_ptr_array_add (scope->calls, node);
      g_ptr_array_add (scope->called, (gpointer) function);
    }
  return TRUE;
}

static gboolean
read_node_inputs (const OnnxScope *scope, Node *node, const Onnx__NodeProto *proto, GError **error)
{
  for (gsize i = 0; i < proto->n_input; i++)
    {
      g_autofree char *name = onnx_clean_text (proto->input[i]);
      Value *value = *name ? onnx_scope_resolve (scope, name) : NULL;

      if (*name && !value)
        {
          g_autofree char *shown = name_for_display (name);

          return node_error (node, error, FOVEA_ERROR_MODEL,
                             "its input “%s” is made by no layer. The model file is damaged; export it again.", shown);
        }
      node_add_input (node, value);
    }
  return TRUE;
}

gboolean
onnx_read_nodes (OnnxReader *reader, OnnxScope *scope, Onnx__NodeProto **protos, gsize n, GError **error)
{
  for (gsize i = 0; i < n; i++)
    if (!make_node (reader, scope, protos[i], i, error))
      return FALSE;
  for (gsize i = 0; i < n; i++)
    {
      Node *node = g_ptr_array_index (scope->graph->nodes, i);

      if (!read_node_inputs (scope, node, protos[i], error) || !read_attributes (reader, scope, node, protos[i], error))
        return FALSE;
    }
  return TRUE;
}

/* ---- functions -------------------------------------------------------------------------------------------- */

static gboolean
read_function_into (OnnxReader *reader, OnnxScope *scope, GError **error)
{
  const Onnx__FunctionProto *function = scope->function;

  if (!onnx_read_opsets (scope->graph->opsets, function->opset_import, function->n_opset_import, error)
      || !onnx_reader_charge (reader, function->n_input + function->n_output, error))
    return FALSE;
  for (gsize i = 0; i < function->n_input; i++)
    {
      g_autofree char *name = onnx_clean_text (function->input[i]);
      Value *value;

      if (!onnx_scope_define (scope, name, &value, error))
        return FALSE;
      g_ptr_array_add (scope->graph->inputs, value);
    }
  if (!onnx_read_nodes (reader, scope, function->node, function->n_node, error))
    return FALSE;
  for (gsize i = 0; i < function->n_output; i++)
    {
      g_autofree char *name = onnx_clean_text (function->output[i]);
      Value *value = graph_find_value (scope->graph, name);

      if (!value)
        return node_error (scope->call, error, FOVEA_ERROR_MODEL, "the function that it calls makes no output %" G_GSIZE_FORMAT
                           ". The model file is damaged; export it again.", i);
      g_ptr_array_add (scope->graph->outputs, value);
    }
  return onnx_inline_calls (reader, scope, error) && graph_sort (scope->graph, error);
}

/* Domains that only functions import are imported by the graph from now on. */
static gboolean
merge_opsets (Graph *graph, const Graph *body, const Node *call, GError **error)
{
  GHashTableIter iter;
  gpointer       domain, version;

  g_hash_table_iter_init (&iter, body->opsets);
  while (g_hash_table_iter_next (&iter, &domain, &version))
    {
      gpointer present = g_hash_table_lookup (graph->opsets, domain);

      if (!present)
        g_hash_table_insert (graph->opsets, g_strdup (domain), version);
      else if (present != version)
        return node_error (call, error, FOVEA_ERROR_UNSUPPORTED,
                           "the function that it calls uses version %d of an operator set that the model uses in version %d. Export the model with one opset.",
                           GPOINTER_TO_INT (version), GPOINTER_TO_INT (present));
    }
  return TRUE;
}

static gboolean
inline_call (OnnxReader *reader, const OnnxScope *scope, Node *call, const Onnx__FunctionProto *function, GError **error)
{
  g_autoptr (Graph) body = graph_new ();
  g_autoptr (GPtrArray) calls = g_ptr_array_new ();
  g_autoptr (GPtrArray) called = g_ptr_array_new ();
  OnnxScope inner = { body, NULL, call, function, scope->depth + 1, calls, called };

  if (inner.depth > MAX_CALL_DEPTH)
    return node_error (call, error, FOVEA_ERROR_MODEL, "the function that it calls calls itself. Export the model without functions.");
  return read_function_into (reader, &inner, error) && merge_opsets (scope->graph, body, call, error)
         && graph_inline (scope->graph, call, body, error);
}

gboolean
onnx_inline_calls (OnnxReader *reader, const OnnxScope *scope, GError **error)
{
  for (guint i = 0; i < scope->calls->len; i++)
    if (!inline_call (reader, scope, g_ptr_array_index (scope->calls, i), g_ptr_array_index (scope->called, i), error))
      return FALSE;
  return TRUE;
}
