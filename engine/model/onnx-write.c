/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * onnx-write.c: Graph to ONNX. Builds protobuf-c's messages around the texts and weights of the graph, which stay where they are, and streams them
 * to a temporary file. Called by model.c, and by whoever makes models.
 */

#include "model/onnx-write.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "model/onnx-tensor.h"

#define MAX_BYTES G_MAXINT32 /* what protobuf takes for one message */
#define OLDEST_IR 4          /* initializers need not be inputs */

/* Everything made for the messages, freed together. */
typedef struct
{
  GPtrArray *blocks;
} Writer;

static gpointer
writer_alloc (Writer *writer, gsize n, gsize size)
{
  gpointer block = g_malloc0_n (MAX (n, 1), size);

  g_ptr_array_add (writer->blocks, block);
  return block;
}

static gboolean write_graph (Writer *writer, const Graph *graph, Onnx__GraphProto *proto, GError **error);

/* ---- tensors and types ------------------------------------------------------------------------------------ */

static Onnx__TensorProto *
write_tensor (Writer *writer, FoveaTensor *tensor, char *name)
{
  Onnx__TensorProto *proto = writer_alloc (writer, 1, sizeof *proto);

  onnx__tensor_proto__init (proto);
  proto->name = name;
  proto->has_data_type = TRUE;
  proto->data_type = onnx_type_to_code (tensor->type);
  proto->n_dims = tensor->shape.n_dims;
  proto->dims = tensor->shape.dims;
  proto->has_raw_data = TRUE;
  proto->raw_data.data = tensor->data;
  proto->raw_data.len = tensor->size;
  return proto;
}

static void
write_shape (Writer *writer, const Value *value, Onnx__TensorShapeProto *proto)
{
  onnx__tensor_shape_proto__init (proto);
  proto->n_dim = value->shape.n_dims;
  proto->dim = writer_alloc (writer, proto->n_dim, sizeof *proto->dim);
  for (guint i = 0; i < value->shape.n_dims; i++)
    {
      Onnx__DimensionProto *dim = proto->dim[i] = writer_alloc (writer, 1, sizeof *dim);

      onnx__dimension_proto__init (dim);
      dim->has_dim_value = value->shape.dims[i] >= 0;
      dim->dim_value = value->shape.dims[i];
      if (!dim->has_dim_value)
        dim->dim_param = value->dim_names[i];
    }
}

static void
write_ports (Writer *writer, const GPtrArray *values, size_t *n, Onnx__ValueInfoProto ***protos)
{
  *n = values->len;
  *protos = writer_alloc (writer, values->len, sizeof **protos);
  for (guint i = 0; i < values->len; i++)
    {
      const Value          *value = g_ptr_array_index (values, i);
      Onnx__ValueInfoProto *proto = (*protos)[i] = writer_alloc (writer, 1, sizeof *proto);

      onnx__value_info_proto__init (proto);
      proto->name = value->name;
      if (value->type == FOVEA_TYPE_NONE)
        continue;
      proto->type = writer_alloc (writer, 1, sizeof *proto->type);
      onnx__type_proto__init (proto->type);
      proto->type->tensor_type = writer_alloc (writer, 1, sizeof *proto->type->tensor_type);
      onnx__tensor_type_proto__init (proto->type->tensor_type);
      proto->type->tensor_type->has_elem_type = TRUE;
      proto->type->tensor_type->elem_type = onnx_type_to_code (value->type);
      if (value->has_rank)
        {
          proto->type->tensor_type->shape = writer_alloc (writer, 1, sizeof *proto->type->tensor_type->shape);
          write_shape (writer, value, proto->type->tensor_type->shape);
        }
    }
}

/* ---- nodes ------------------------------------------------------------------------------------------------ */

static gboolean
write_attribute (Writer *writer, const Attribute *attribute, Onnx__AttributeProto *proto, GError **error)
{
  onnx__attribute_proto__init (proto);
  proto->name = attribute->name;
  proto->has_type = TRUE;
  switch (attribute->kind)
    {
    case ATTRIBUTE_FLOAT:
      proto->type = 1;
      proto->has_f = TRUE;
      proto->f = attribute->f;
      break;
    case ATTRIBUTE_INT:
      proto->type = 2;
      proto->has_i = TRUE;
      proto->i = attribute->i;
      break;
    case ATTRIBUTE_STRING:
      proto->type = 3;
      proto->has_s = TRUE;
      proto->s.data = (guint8 *) attribute->s;
      proto->s.len = strlen (attribute->s);
      break;
    case ATTRIBUTE_TENSOR:
      proto->type = 4;
      proto->t = write_tensor (writer, attribute->tensor, NULL);
      break;
    case ATTRIBUTE_GRAPH:
      proto->type = 5;
      proto->g = writer_alloc (writer, 1, sizeof *proto->g);
      return write_graph (writer, attribute->graph, proto->g, error);
    case ATTRIBUTE_FLOATS:
      proto->type = 6;
      proto->floats = attribute->floats;
      proto->n_floats = attribute->n;
      break;
    case ATTRIBUTE_INTS:
      proto->type = 7;
      proto->ints = attribute->ints;
      proto->n_ints = attribute->n;
      break;
    case ATTRIBUTE_STRINGS:
      proto->type = 8;
      proto->n_strings = attribute->n;
      proto->strings = writer_alloc (writer, attribute->n, sizeof *proto->strings);
      for (gsize i = 0; i < attribute->n; i++)
        {
          proto->strings[i].data = (guint8 *) attribute->strings[i];
          proto->strings[i].len = strlen (attribute->strings[i]);
        }
      break;
    }
  return TRUE;
}

/* Left-out values have an empty name. */
static void
write_names (Writer *writer, const GPtrArray *values, size_t *n, char ***names)
{
  static char empty[] = "";

  *n = values->len;
  *names = writer_alloc (writer, values->len, sizeof **names);
  for (guint i = 0; i < values->len; i++)
    {
      Value *value = g_ptr_array_index (values, i);

      (*names)[i] = value ? value->name : empty;
    }
}

static gboolean
write_node (Writer *writer, const Node *node, Onnx__NodeProto *proto, GError **error)
{
  onnx__node_proto__init (proto);
  if (strcmp (node->domain, "fovea") == 0)
    return node_error (node, error, FOVEA_ERROR_ARGUMENT, "it is an operator of this engine's own, which a file can't have. Save the model before it is compiled.");
  proto->name = node->name;
  proto->op_type = node->type;
  proto->domain = *node->domain ? node->domain : NULL;
  write_names (writer, node->inputs, &proto->n_input, &proto->input);
  write_names (writer, node->outputs, &proto->n_output, &proto->output);
  proto->n_attribute = node->attributes->len;
  proto->attribute = writer_alloc (writer, proto->n_attribute, sizeof *proto->attribute);
  for (guint i = 0; i < node->attributes->len; i++)
    {
      proto->attribute[i] = writer_alloc (writer, 1, sizeof *proto->attribute[i]);
      if (!write_attribute (writer, g_ptr_array_index (node->attributes, i), proto->attribute[i], error))
        return FALSE;
    }
  return TRUE;
}

/* ---- graphs ----------------------------------------------------------------------------------------------- */

/* The values of the graph that something uses, sub-graphs included. */
static GHashTable *
find_used (const Graph *graph)
{
  GHashTable *used = g_hash_table_new (NULL, NULL);

  for (guint i = 0; i < graph->outputs->len; i++)
    g_hash_table_add (used, g_ptr_array_index (graph->outputs, i));
  for (guint i = 0; i < graph->nodes->len; i++)
    {
      const Node *node = g_ptr_array_index (graph->nodes, i);

      for (guint j = 0; j < node->inputs->len; j++)
        g_hash_table_add (used, node_input (node, j));
      for (guint j = 0; j < node->attributes->len; j++)
        {
          const Graph *inner = ((const Attribute *) g_ptr_array_index (node->attributes, j))->graph;

          for (guint k = 0; inner && k < inner->all_values->len; k++)
            {
              const Value *value = g_ptr_array_index (inner->all_values, k);

              if (value->outer)
                g_hash_table_add (used, graph_find_value (graph, value->name));
            }
        }
    }
  return used;
}

static gboolean
write_graph (Writer *writer, const Graph *graph, Onnx__GraphProto *proto, GError **error)
{
  static char unnamed[] = "graph"; /* ONNX asks for a name */
  g_autoptr (GHashTable) used = find_used (graph);

  onnx__graph_proto__init (proto);
  proto->name = *graph->name ? graph->name : unnamed;
  write_ports (writer, graph->inputs, &proto->n_input, &proto->input);
  write_ports (writer, graph->outputs, &proto->n_output, &proto->output);

  proto->initializer = writer_alloc (writer, graph->all_values->len, sizeof *proto->initializer);
  for (guint i = 0; i < graph->all_values->len; i++)
    {
      Value *value = g_ptr_array_index (graph->all_values, i);

      if (value->constant && g_hash_table_contains (used, value))
        proto->initializer[proto->n_initializer++] = write_tensor (writer, value->constant, value->name);
    }

  proto->n_node = graph->nodes->len;
  proto->node = writer_alloc (writer, proto->n_node, sizeof *proto->node);
  for (guint i = 0; i < graph->nodes->len; i++)
    {
      proto->node[i] = writer_alloc (writer, 1, sizeof *proto->node[i]);
      if (!write_node (writer, g_ptr_array_index (graph->nodes, i), proto->node[i], error))
        return FALSE;
    }
  return TRUE;
}

static int
compare_texts (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

/* Sorted, so that the same graph makes the same file. */
static GPtrArray *
sorted_keys (GHashTable *table)
{
  GPtrArray     *keys = g_ptr_array_new ();
  GHashTableIter iter;
  gpointer       key;

  g_hash_table_iter_init (&iter, table);
  while (g_hash_table_iter_next (&iter, &key, NULL))
    g_ptr_array_add (keys, key);
  g_ptr_array_sort (keys, compare_texts);
  return keys;
}

static gboolean
write_model (Writer *writer, const Graph *graph, Onnx__ModelProto *proto, GError **error)
{
  g_autoptr (GPtrArray) domains = sorted_keys (graph->opsets);
  g_autoptr (GPtrArray) keys = sorted_keys (graph->metadata);

  onnx__model_proto__init (proto);
  proto->has_ir_version = TRUE;
  proto->ir_version = MAX (graph->ir_version, OLDEST_IR);
  proto->producer_name = graph->producer_name;
  proto->producer_version = graph->producer_version;
  proto->doc_string = graph->doc_string;

  proto->n_opset_import = domains->len;
  proto->opset_import = writer_alloc (writer, domains->len, sizeof *proto->opset_import);
  for (guint i = 0; i < domains->len; i++)
    {
      Onnx__OperatorSetIdProto *opset = proto->opset_import[i] = writer_alloc (writer, 1, sizeof *opset);

      onnx__operator_set_id_proto__init (opset);
      opset->domain = g_ptr_array_index (domains, i);
      opset->has_version = TRUE;
      opset->version = GPOINTER_TO_INT (g_hash_table_lookup (graph->opsets, opset->domain));
    }

  proto->n_metadata_props = keys->len;
  proto->metadata_props = writer_alloc (writer, keys->len, sizeof *proto->metadata_props);
  for (guint i = 0; i < keys->len; i++)
    {
      Onnx__StringStringEntryProto *entry = proto->metadata_props[i] = writer_alloc (writer, 1, sizeof *entry);

      onnx__string_string_entry_proto__init (entry);
      entry->key = g_ptr_array_index (keys, i);
      entry->value = g_hash_table_lookup (graph->metadata, entry->key);
    }

  proto->graph = writer_alloc (writer, 1, sizeof *proto->graph);
  return write_graph (writer, graph, proto->graph, error);
}

/* ---- the file --------------------------------------------------------------------------------------------- */

typedef struct
{
  ProtobufCBuffer base; /* first: protobuf-c knows only this */
  FILE           *stream;
  int             failed; /* errno of the first failure */
} StreamBuffer;

static void
stream_append (ProtobufCBuffer *base, size_t size, const guint8 *data)
{
  StreamBuffer *buffer = (StreamBuffer *) base;

  if (!buffer->failed && size > 0 && fwrite (data, 1, size, buffer->stream) != size)
    buffer->failed = errno ? errno : EIO;
}

/* Writes all to the descriptor, which is closed, down to the disk. 0 or an errno. */
static int
write_stream (const ProtobufCMessage *message, int fd)
{
  StreamBuffer buffer = { { stream_append }, fdopen (fd, "wb"), 0 };

  if (!buffer.stream)
    {
      int failed = errno;

      close (fd);
      return failed;
    }
  protobuf_c_message_pack_to_buffer (message, &buffer.base);
  if (!buffer.failed && (fflush (buffer.stream) != 0 || fsync (fd) != 0))
    buffer.failed = errno;
  if (fclose (buffer.stream) != 0 && !buffer.failed)
    buffer.failed = errno;
  return buffer.failed;
}

static gboolean
write_file (const ProtobufCMessage *message, const char *path, GError **error)
{
  g_autofree char *temporary = g_strconcat (path, ".XXXXXX", NULL);
  g_autofree char *shown = g_filename_display_name (path);
  int fd = g_mkstemp_full (temporary, O_WRONLY | O_CLOEXEC, 0666);
  int failed = fd < 0 ? errno : write_stream (message, fd);

  if (!failed && g_rename (temporary, path) != 0)
    failed = errno;
  if (!failed)
    return TRUE;
  if (fd >= 0)
    g_unlink (temporary);
  g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_FILE, "File “%s” can't be written: %s. What was there before is untouched.", shown,
               g_strerror (failed));
  return FALSE;
}

gboolean
onnx_write (const Graph *graph, const char *path, GError **error)
{
  g_autoptr (GPtrArray) blocks = g_ptr_array_new_with_free_func (g_free);
  Writer           writer = { blocks };
  Onnx__ModelProto model;

  if (!write_model (&writer, graph, &model, error))
    return FALSE;
  if (protobuf_c_message_get_packed_size (&model.base) > MAX_BYTES)
    {
      g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_UNSUPPORTED,
                   "The model takes more than 2 GB, which doesn't fit into one ONNX file. Use a smaller model, or float16 weights.");
      return FALSE;
    }
  return write_file (&model.base, path, error);
}
