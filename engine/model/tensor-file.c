/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * tensor-file.c: a tensor that lies in a file of its own, as ONNX's test data do (a serialized TensorProto). It is given to the model's reader as the
 * only initializer of a model made up around it: one reader for all tensors, with all of its checks.
 */

#include <string.h>

#include "model/onnx-read.h"

#define DEFAULT_NAME "tensor"

/* Tag and length of a field that is bytes, at the front of the array. */
static void
prepend_field (GByteArray *array, guint field)
{
  guint8 head[12];
  guint  n = 0;
  gsize  length = array->len;

  head[n++] = (guint8) (field << 3 | 2);
  do
    {
      head[n++] = (guint8) ((length & 0x7f) | (length > 0x7f ? 0x80 : 0));
      length >>= 7;
    }
  while (length > 0);
  g_byte_array_prepend (array, head, n);
}

/* ModelProto { ir_version 8, opset_import { version 13 }, graph { initializer { name, … } } } */
static Mapping *
wrap_tensor (const char *data, gsize size)
{
  static const guint8    name[] = "\x42\x06" DEFAULT_NAME, version[] = "\x08\x08\x42\x02\x10\x0d";
  GByteArray            *array = g_byte_array_sized_new ((guint) size + 64);
  g_autoptr (GBytes)     bytes = NULL;

  g_byte_array_append (array, name, sizeof name - 1); /* a name in the file comes later and wins */
  g_byte_array_append (array, (const guint8 *) data, (guint) size);
  prepend_field (array, 5);
  prepend_field (array, 7);
  g_byte_array_prepend (array, version, sizeof version - 1);
  bytes = g_byte_array_free_to_bytes (array);
  return mapping_new_for_bytes (bytes);
}

static FoveaTensor *
find_tensor (const Graph *graph, char **name)
{
  GHashTableIter iter;
  gpointer       value;

  g_hash_table_iter_init (&iter, graph->values);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    if (((Value *) value)->constant)
      {
        if (name)
          *name = g_strdup (((Value *) value)->name);
        return fovea_tensor_ref (((Value *) value)->constant);
      }
  return NULL;
}

FoveaTensor *
fovea_tensor_load_pb (const char *path, char **name, GError **error)
{
  g_autofree char    *data = NULL;
  g_autofree char    *shown = g_filename_display_name (path);
  g_autoptr (Mapping) file = NULL;
  g_autoptr (Graph)   graph = NULL;
  g_autoptr (GError)  cause = NULL;
  FoveaTensor        *tensor, *aligned;
  gsize               size;

  if (!g_file_get_contents (path, &data, &size, &cause))
    {
      g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_FILE, "Tensor “%s” can't be read: %s", shown, cause->message);
      return NULL;
    }
  if (size > G_MAXINT32)
    {
      g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_UNSUPPORTED, "Tensor “%s” is larger than 2 GB. Give a smaller one.", shown);
      return NULL;
    }
  file = wrap_tensor (data, size);
  graph = onnx_read (file, NULL, error);
  if (!graph)
    {
      g_prefix_error (error, "Tensor file “%s”: ", shown);
      return NULL;
    }
  tensor = find_tensor (graph, name);
  if (!tensor)
    {
      g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_MODEL, "“%s” holds no tensor. Give a serialized TensorProto.", shown);
      return NULL;
    }
  aligned = tensor_aligned (tensor, error);
  fovea_tensor_unref (tensor);
  return aligned;
}
