/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * onnx-read.c: ONNX to Graph. The file is thinned to its skeleton (onnx-skeleton.c), unpacked by protobuf-c, and turned into a Graph here; nodes and
 * their attributes are read in onnx-read-nodes.c, weights in onnx-tensor.c. A file from anywhere gets an error at worst: names are looked up,
 * counts limited, nothing is taken for granted. Called by model.c.
 */

#include "model/onnx-read.h"

#include <glib/gi18n.h>
#include <string.h>

#include "model/onnx-skeleton.h"
#include "model/other-format.h"

#define OLDEST_OPSET 7
#define NEWEST_OPSET 25 /* 23 to 25 gave operators that were there more types, and no other meaning */
#define OLDEST_IR 3
#define NEWEST_IR 13
#define MAX_COST (32 << 20)
#define MAX_FUNCTIONS 4096

gboolean
onnx_reader_charge (OnnxReader *reader, gsize cost, GError **error)
{
  reader->cost += MIN (cost, MAX_COST);
  if (reader->cost <= MAX_COST)
    return TRUE;
  g_set_error_literal (error, FOVEA_ERROR, FOVEA_ERROR_MODEL, _("its functions unfold to more than any real model has. The file is damaged, or made to do harm."));
  return FALSE;
}

char *
onnx_clean_text (const char *text)
{
  return g_utf8_make_valid (text ? text : "", -1);
}

/* ---- values ----------------------------------------------------------------------------------------------- */

Value *
onnx_scope_resolve (const OnnxScope *scope, const char *name)
{
  Value *value = graph_find_value (scope->graph, name);

  if (!value && scope->around && onnx_scope_resolve (scope->around, name))
    {
      value = graph_add_value (scope->graph, name);
      value->outer = TRUE;
    }
  return value;
}

gboolean
onnx_scope_define (const OnnxScope *scope, const char *name, Value **value, GError **error)
{
  g_autofree char *shown = name_for_display (name);

  if (!*name)
    g_set_error_literal (error, FOVEA_ERROR, FOVEA_ERROR_MODEL, _("an input or tensor has no name. The model file is damaged; get it again."));
  else if (graph_find_value (scope->graph, name))
    g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_MODEL, _("“%s” is made twice. The model file is damaged; export it again."), shown);
  else
    {
      *value = graph_add_value (scope->graph, name);
      return TRUE;
    }
  return FALSE;
}

static gboolean
read_initializers (OnnxReader *reader, const OnnxScope *scope, const Onnx__GraphProto *proto, GError **error)
{
  if (proto->n_sparse_initializer > 0)
    {
      g_set_error_literal (error, FOVEA_ERROR, FOVEA_ERROR_UNSUPPORTED, _("it has sparse weights, which can't be used. Export it with dense ones."));
      return FALSE;
    }
  for (gsize i = 0; i < proto->n_initializer; i++)
    {
      g_autofree char *name = onnx_clean_text (proto->initializer[i]->name);
      g_autoptr (FoveaTensor) tensor = onnx_read_tensor (&reader->source, proto->initializer[i], error);
      Value *value;

      if (!tensor || !onnx_scope_define (scope, name, &value, error))
        return FALSE;
      value->type = tensor->type;
      value->has_rank = TRUE;
      value->shape = tensor->shape;
      value->constant = g_steal_pointer (&tensor);
    }
  return TRUE;
}

/* ---- inputs and outputs ----------------------------------------------------------------------------------- */

/* Type and shape as far as the file gives them. -1 is how some exporters write an unknown dimension. */
static gboolean
read_type (const Onnx__TypeProto *proto, Value *value, GError **error)
{
  const Onnx__TensorTypeProto *tensor = proto ? proto->tensor_type : NULL;
  gint64 dims[FOVEA_MAX_DIMS];

  if (!proto)
    return TRUE;
  if (!tensor)
    {
      g_set_error_literal (error, FOVEA_ERROR, FOVEA_ERROR_UNSUPPORTED,
                           _("it is not a tensor, but a sequence, a map or an optional value, which can't be used. Export the model with plain tensors."));
      return FALSE;
    }
  value->type = onnx_type_from_code (tensor->elem_type);
  if (value->type == FOVEA_TYPE_NONE && tensor->elem_type != 0)
    {
      g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_UNSUPPORTED, _("its type, %s, can't be used. Export the model in float32 or float16."),
                   onnx_type_name (tensor->elem_type));
      return FALSE;
    }
  if (!tensor->shape)
    return TRUE;

  for (gsize i = 0; i < MIN (tensor->shape->n_dim, FOVEA_MAX_DIMS); i++)
    {
      const Onnx__DimensionProto *dim = tensor->shape->dim[i];

      dims[i] = dim->has_dim_value && dim->dim_value != -1 ? dim->dim_value : 0;
    }
  if (!onnx_read_dims (dims, tensor->shape->n_dim, &value->shape, error))
    return FALSE;
  value->has_rank = TRUE;
  for (gsize i = 0; i < tensor->shape->n_dim; i++)
    {
      const Onnx__DimensionProto *dim = tensor->shape->dim[i];

      if (!dim->has_dim_value || dim->dim_value == -1)
        value->shape.dims[i] = -1;
      g_free (value->dim_names[i]);
      value->dim_names[i] = value->shape.dims[i] < 0 && dim->dim_param && *dim->dim_param ? onnx_clean_text (dim->dim_param) : NULL;
    }
  return TRUE;
}

static gboolean
read_port (const Onnx__ValueInfoProto *proto, gboolean is_input, Value *value, GError **error)
{
  g_autofree char *shown = name_for_display (value->name);

  if (read_type (proto->type, value, error))
    return TRUE;
  g_prefix_error (error, is_input ? _("input “%s”: ") : _("output “%s”: "), shown);
  return FALSE;
}

static gboolean
read_inputs (const OnnxScope *scope, const Onnx__GraphProto *proto, GError **error)
{
  for (gsize i = 0; i < proto->n_input; i++)
    {
      g_autofree char *name = onnx_clean_text (proto->input[i]->name);
      g_autofree char *shown = name_for_display (name);
      Value *value = graph_find_value (scope->graph, name);

      if (value && value->constant) /* a weight that may be overridden, which nobody does */
        continue;
      if (!onnx_scope_define (scope, name, &value, error) || !read_port (proto->input[i], TRUE, value, error))
        return FALSE;
      if (value->type == FOVEA_TYPE_NONE && !scope->around)
        {
          g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_MODEL, _("input “%s” has no type. The model file is damaged; export it again."), shown);
          return FALSE;
        }
      g_ptr_array_add (scope->graph->inputs, value);
    }
  return TRUE;
}

static gboolean
read_outputs (const OnnxScope *scope, const Onnx__GraphProto *proto, GError **error)
{
  g_autoptr (GHashTable) seen = g_hash_table_new (NULL, NULL);

  for (gsize i = 0; i < proto->n_output; i++)
    {
      g_autofree char *name = onnx_clean_text (proto->output[i]->name);
      g_autofree char *shown = name_for_display (name);
      Value *value = onnx_scope_resolve (scope, name);

      if (!value || !g_hash_table_add (seen, value))
        {
          g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_MODEL, value ? _("output “%s” is listed twice. The model file is damaged; export it again.")
                             : _("output “%s” is made by no layer. The model file is damaged; export it again."), shown);
          return FALSE;
        }
      if (value->type == FOVEA_TYPE_NONE && !read_port (proto->output[i], FALSE, value, error))
        return FALSE;
      g_ptr_array_add (scope->graph->outputs, value);
    }
  return TRUE;
}

/* ---- graphs ----------------------------------------------------------------------------------------------- */

static void
copy_opsets (GHashTable *to, GHashTable *from)
{
  GHashTableIter iter;
  gpointer       domain, version;

  g_hash_table_remove_all (to);
  g_hash_table_iter_init (&iter, from);
  while (g_hash_table_iter_next (&iter, &domain, &version))
    g_hash_table_insert (to, g_strdup (domain), version);
}

static gboolean
read_graph_into (OnnxReader *reader, OnnxScope *scope, const Onnx__GraphProto *proto, GError **error)
{
  g_free (scope->graph->name);
  scope->graph->name = onnx_clean_text (proto->name);
  return read_initializers (reader, scope, proto, error) && read_inputs (scope, proto, error)
         && onnx_read_nodes (reader, scope, proto->node, proto->n_node, error) && read_outputs (scope, proto, error)
         && onnx_inline_calls (reader, scope, error) && graph_sort (scope->graph, error);
}

Graph *
onnx_read_graph (OnnxReader *reader, const Onnx__GraphProto *proto, const OnnxScope *around, GError **error)
{
  g_autoptr (Graph) graph = graph_new ();
  g_autoptr (GPtrArray) calls = g_ptr_array_new ();
  g_autoptr (GPtrArray) called = g_ptr_array_new ();
  OnnxScope scope = { graph, around, NULL, NULL, 0, calls, called };

  if (around)
    {
      copy_opsets (graph->opsets, around->graph->opsets);
      scope.call = around->call;
      scope.function = around->function;
      scope.depth = around->depth;
    }
  else if (!onnx_read_opsets (graph->opsets, reader->model->opset_import, reader->model->n_opset_import, error))
    return NULL;
  return read_graph_into (reader, &scope, proto, error) ? g_steal_pointer (&graph) : NULL;
}

gboolean
onnx_read_opsets (GHashTable *opsets, Onnx__OperatorSetIdProto **protos, gsize n, GError **error)
{
  g_hash_table_remove_all (opsets);
  for (gsize i = 0; i < n; i++)
    {
      g_autofree char *domain = onnx_clean_text (protos[i]->domain);
      g_autofree char *shown = name_for_display (domain);
      gint64           version = protos[i]->version;

      if (version < 1 || version > G_MAXINT)
        {
          g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_MODEL, _("its operator set “%s” has the version %lld. The model file is damaged; get it again."), shown,
                       (long long) version);
          return FALSE;
        }
      if (strcmp (domain, "ai.onnx") == 0)
        *domain = '\0';
      if (!*domain && (version < OLDEST_OPSET || version > NEWEST_OPSET))
        {
          g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_UNSUPPORTED,
                       _("it uses ONNX's operators of version (opset) %lld, but %d to %d can be read. Export it with opset 17."),
                       (long long) version, OLDEST_OPSET, NEWEST_OPSET);
          return FALSE;
        }
      g_hash_table_insert (opsets, g_steal_pointer (&domain), GINT_TO_POINTER ((gint) version));
    }
  return TRUE;
}

/* ---- the model -------------------------------------------------------------------------------------------- */

static gboolean
check_model (const Onnx__ModelProto *model, GError **error)
{
  if (!model->has_ir_version || !model->graph)
    g_set_error_literal (error, FOVEA_ERROR, FOVEA_ERROR_MODEL,
                         _("it holds no ONNX model, or is cut off before its end. If it was downloaded or copied, do that again."));
  else if (model->ir_version < OLDEST_IR || model->ir_version > NEWEST_IR)
    g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_UNSUPPORTED,
                 _("it is of version %lld of the ONNX format, but %d to %d can be read. Export it with another version of ONNX."),
                 (long long) model->ir_version, OLDEST_IR, NEWEST_IR);
  else if (model->n_functions > MAX_FUNCTIONS)
    g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_MODEL, _("it brings more than %d functions: it is damaged, or made to do harm."), MAX_FUNCTIONS);
  else
    return TRUE;
  return FALSE;
}

static void
read_properties (Graph *graph, const Onnx__ModelProto *model)
{
  graph->ir_version = model->ir_version;
  graph->producer_name = onnx_clean_text (model->producer_name);
  graph->producer_version = onnx_clean_text (model->producer_version);
  graph->doc_string = onnx_clean_text (model->doc_string);
  for (gsize i = 0; i < model->n_metadata_props; i++)
    g_hash_table_insert (graph->metadata, onnx_clean_text (model->metadata_props[i]->key), onnx_clean_text (model->metadata_props[i]->value));
}

static void *
try_alloc (void *failed, size_t size)
{
  void *block = g_try_malloc (MAX (size, 1));

  if (!block)
    *(gboolean *) failed = TRUE;
  return block;
}

static void
free_block (void *failed, void *block)
{
  g_free (block);
}

static Graph *
read_skeleton (OnnxReader *reader, const GByteArray *skeleton, GError **error)
{
  gboolean           failed = FALSE;
  ProtobufCAllocator allocator = { try_alloc, free_block, &failed };
  Onnx__ModelProto  *model = onnx__model_proto__unpack (&allocator, skeleton->len, skeleton->data);
  Graph             *graph = NULL;

  if (failed)
    g_set_error_literal (error, FOVEA_ERROR, FOVEA_ERROR_MEMORY, _("there isn't enough memory to read it. Close other programs."));
  else if (!model)
    g_set_error_literal (error, FOVEA_ERROR, FOVEA_ERROR_MODEL, _("it is damaged: a part of it is of the wrong kind. Get the model file again."));
  else if (check_model (model, error))
    {
      reader->model = model;
      graph = onnx_read_graph (reader, model->graph, NULL, error);
      if (graph)
        read_properties (graph, model);
    }
  if (model)
    onnx__model_proto__free_unpacked (model, &allocator);
  return graph;
}

static void
unref_mapping (gpointer mapping)
{
  mapping_unref (mapping);
}

Graph *
onnx_read (Mapping *file, const char *path, GError **error)
{
  g_autoptr (GByteArray) skeleton = onnx_skeleton (file->data, file->size, error);
  OnnxReader reader = { { file, g_strdup (path), g_hash_table_new_full (g_str_hash, g_str_equal, g_free, unref_mapping) }, NULL, 0, 0 };
  Graph     *graph = NULL;

  if (skeleton)
    graph = read_skeleton (&reader, skeleton, error);
  if (!graph)
    other_format_tell (file, error);
  g_free (reader.source.path);
  g_hash_table_unref (reader.source.external);
  return graph;
}
