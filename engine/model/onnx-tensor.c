/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * onnx-tensor.c: TensorProto to FoveaTensor. The elements come as raw bytes (raw_data), as lists of fixed-size numbers (float_data, double_data),
 * as lists of varints (int32_data, int64_data, uint64_data; the first holds all small types), or lie in another file. The first two kinds and the
 * last are used where they are, varints are decoded. Called by onnx-read.c only.
 */

#include "model/onnx-tensor.h"

#include <glib/gi18n.h>
#include <string.h>

#include "model/external-data.h"
#include "model/graph.h"
#include "model/onnx-skeleton.h"

#define RAW_DATA 9
#define LOCATION_EXTERNAL 1

/* By TensorProto.DataType; `field` is where the specification puts the elements when they aren't raw. */
static const struct
{
  FoveaType   type;
  guint       field;
  const char *name;
} types[] = {
  { FOVEA_TYPE_NONE, 0, "undefined" },
  { FOVEA_TYPE_FLOAT32, 4, "float32" },
  { FOVEA_TYPE_UINT8, 5, "uint8" },
  { FOVEA_TYPE_INT8, 5, "int8" },
  { FOVEA_TYPE_UINT16, 5, "uint16" },
  { FOVEA_TYPE_INT16, 5, "int16" },
  { FOVEA_TYPE_INT32, 5, "int32" },
  { FOVEA_TYPE_INT64, 7, "int64" },
  { FOVEA_TYPE_NONE, 6, "string" },
  { FOVEA_TYPE_BOOL, 5, "bool" },
  { FOVEA_TYPE_FLOAT16, 5, "float16" },
  { FOVEA_TYPE_FLOAT64, 10, "float64" },
  { FOVEA_TYPE_UINT32, 11, "uint32" },
  { FOVEA_TYPE_UINT64, 11, "uint64" },
  { FOVEA_TYPE_NONE, 4, "complex64" },
  { FOVEA_TYPE_NONE, 10, "complex128" },
  { FOVEA_TYPE_NONE, 5, "bfloat16" },
  { FOVEA_TYPE_NONE, 5, "float8e4m3fn" },
  { FOVEA_TYPE_NONE, 5, "float8e4m3fnuz" },
  { FOVEA_TYPE_NONE, 5, "float8e5m2" },
  { FOVEA_TYPE_NONE, 5, "float8e5m2fnuz" },
  { FOVEA_TYPE_NONE, 5, "uint4" },
  { FOVEA_TYPE_NONE, 5, "int4" },
  { FOVEA_TYPE_NONE, 5, "float4e2m1" },
  { FOVEA_TYPE_NONE, 5, "float8e8m0" },
  { FOVEA_TYPE_NONE, 5, "uint2" },
  { FOVEA_TYPE_NONE, 5, "int2" },
};

FoveaType
onnx_type_from_code (gint32 code)
{
  return code >= 0 && code < (gint32) G_N_ELEMENTS (types) ? types[code].type : FOVEA_TYPE_NONE;
}

gint32
onnx_type_to_code (FoveaType type)
{
  for (gint32 code = 1; code < (gint32) G_N_ELEMENTS (types); code++)
    if (types[code].type == type && type != FOVEA_TYPE_NONE)
      return code;
  return 0;
}

const char *
onnx_type_name (gint32 code)
{
  return code >= 0 && code < (gint32) G_N_ELEMENTS (types) ? types[code].name : "unknown";
}

gboolean
onnx_read_dims (const gint64 *dims, gsize n, FoveaShape *shape, GError **error)
{
  if (n > FOVEA_MAX_DIMS)
    {
      g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_UNSUPPORTED,
                   _("it has %zu dimensions; at most %d can be used. Export the model with fewer."), n, FOVEA_MAX_DIMS);
      return FALSE;
    }
  for (gsize i = 0; i < n; i++)
    if (dims[i] < 0)
      {
        g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_MODEL,
                     _("its dimension %zu is %lld. The model file is damaged; get it again."), i, (long long) dims[i]);
        return FALSE;
      }
  *shape = shape_make ((guint) n, dims);
  return TRUE;
}

static FoveaTensor *
wrong_size (const FoveaShape *shape, FoveaType type, gboolean in_bytes, gsize wanted, gsize found, GError **error)
{
  g_autofree char *text = shape_to_string (shape);

  g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_MODEL,
               in_bytes ? _("its shape %s of %s takes %zu bytes, but there are %zu. The model file is damaged; get it again.")
                        : _("its shape %s of %s takes %zu elements, but there are %zu. The model file is damaged; get it again."),
               text, type_name (type), wanted, found);
  return NULL;
}

/* ---- external data ---------------------------------------------------------------------------------------- */

/* Reads “offset” or “length” of external_data. */
static gboolean
read_number (const char *key, const char *text, guint64 *number, GError **error)
{
  g_autofree char *shown = NULL;

  if (g_ascii_string_to_unsigned (text, 10, 0, G_MAXINT64, number, NULL))
    return TRUE;
  shown = name_for_display (text);
  g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_MODEL, _("the %s of its external data, “%s”, is no number. The model file is damaged; get it again."),
               key, shown);
  return FALSE;
}

static FoveaTensor *
read_external (OnnxSource *source, const Onnx__TensorProto *proto, FoveaType type, const FoveaShape *shape, gsize wanted, GError **error)
{
  const char *location = "";
  guint64     offset = 0, length = wanted;
  Mapping    *mapping;

  for (gsize i = 0; i < proto->n_external_data; i++)
    {
      const char *key = proto->external_data[i]->key ? proto->external_data[i]->key : "";
      const char *value = proto->external_data[i]->value ? proto->external_data[i]->value : "";

      if (strcmp (key, "location") == 0)
        location = value;
      else if (strcmp (key, "offset") == 0 && !read_number (key, value, &offset, error))
        return NULL;
      else if (strcmp (key, "length") == 0 && !read_number (key, value, &length, error))
        return NULL;
    }
  if (!source->path)
    {
      g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_UNSUPPORTED,
                   _("its data lie in another file, which a model that isn't read from a file can't have. Give the model's file."));
      return NULL;
    }

  mapping = g_hash_table_lookup (source->external, location);
  if (!mapping)
    {
      mapping = external_data_open (source->path, location, error);
      if (!mapping)
        return NULL;
      g_hash_table_insert (source->external, g_strdup (location), mapping);
    }
  if (length != wanted)
    return wrong_size (shape, type, TRUE, wanted, length, error);
  if (offset > mapping->size || length > mapping->size - offset)
    {
      g_autofree char *shown = name_for_display (location);

      g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_MODEL,
                   _("its data end at byte %llu of “%s”, which has %zu. That file is cut off, or belongs to another model; get both again."),
                   (unsigned long long) (offset + length), shown, mapping->size);
      return NULL;
    }
  return mapping_make_tensor (mapping, type, shape, offset, length, error);
}

/* ---- data in the file itself ------------------------------------------------------------------------------ */

/* Stores one element of int32_data, int64_data or uint64_data; too large ones are cut to size, as the others do. */
static void
store_integer (FoveaTensor *tensor, gsize i, guint64 value)
{
  switch (type_size (tensor->type))
    {
    case 1:
      ((guint8 *) tensor->data)[i] = tensor->type == FOVEA_TYPE_BOOL ? value != 0 : (guint8) value;
      break;
    case 2:
      ((guint16 *) tensor->data)[i] = (guint16) value;
      break;
    case 4:
      ((guint32 *) tensor->data)[i] = (guint32) value;
      break;
    case 8:
      ((guint64 *) tensor->data)[i] = value;
      break;
    }
}

/* `total` is the length of all spans of the field together. */
static FoveaTensor *
read_varints (OnnxSource *source, const Onnx__TensorProto *proto, guint field, FoveaType type, const FoveaShape *shape, gsize total, GError **error)
{
  g_autoptr (FoveaTensor) tensor = NULL;
  gsize count = shape_count (shape), n = 0;

  if (count > total) /* each takes a byte at least: nothing is allocated for what can't be there */
    return wrong_size (shape, type, FALSE, count, total, error);
  tensor = fovea_tensor_new (type, shape, error);
  if (!tensor)
    return NULL;
  for (gsize i = 0; i < proto->n_spans; i++)
    {
      gsize offset = proto->spans[i]->offset, end = offset + proto->spans[i]->length;

      while (proto->spans[i]->field == field && offset < end)
        {
          guint64 value;

          if (!wire_read_varint (source->file->data, end, &offset, &value))
            {
              g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_MODEL, _("its data are damaged at byte %zu. Get the model file again."), offset);
              return NULL;
            }
          if (n < count)
            store_integer (tensor, n, value);
          n++;
        }
    }
  if (n != count)
    return wrong_size (shape, type, FALSE, count, n, error);
  return g_steal_pointer (&tensor);
}

/* Joins several runs of fixed-size elements. */
static FoveaTensor *
read_runs (OnnxSource *source, const Onnx__TensorProto *proto, guint field, FoveaType type, const FoveaShape *shape, GError **error)
{
  FoveaTensor *tensor = fovea_tensor_new (type, shape, error);
  gsize        done = 0;

  for (gsize i = 0; tensor && i < proto->n_spans; i++)
    if (proto->spans[i]->field == field && proto->spans[i]->length > 0)
      {
        memcpy ((guint8 *) tensor->data + done, source->file->data + proto->spans[i]->offset, proto->spans[i]->length);
        done += proto->spans[i]->length;
      }
  return tensor;
}

static FoveaTensor *
read_inside (OnnxSource *source, const Onnx__TensorProto *proto, FoveaType type, const FoveaShape *shape, gsize wanted, GError **error)
{
  guint    field = types[proto->data_type].field;
  gboolean fixed_size = field == 4 || field == 10;
  gsize    total = 0;
  guint    n_runs = 0;
  const Onnx__Span *raw = NULL, *run = NULL;

  for (gsize i = 0; i < proto->n_spans; i++)
    {
      const Onnx__Span *span = proto->spans[i];

      if (span->field == RAW_DATA)
        raw = span;
      else if (span->field == field)
        {
          run = span;
          total += span->length; /* runs don't overlap: no more than the file's size */
          n_runs++;
        }
    }
  if (raw && (raw->length > 0 || n_runs == 0))
    return raw->length != wanted ? wrong_size (shape, type, TRUE, wanted, raw->length, error)
                                 : mapping_make_tensor (source->file, type, shape, raw->offset, wanted, error);
  if (!fixed_size)
    return read_varints (source, proto, field, type, shape, total, error);
  if (total != wanted)
    return wrong_size (shape, type, TRUE, wanted, total, error);
  if (n_runs == 1)
    return mapping_make_tensor (source->file, type, shape, run->offset, wanted, error);
  return read_runs (source, proto, field, type, shape, error);
}

FoveaTensor *
onnx_read_tensor (OnnxSource *source, const Onnx__TensorProto *proto, GError **error)
{
  g_autofree char *name = name_for_display (proto->name ? proto->name : "");
  FoveaType    type = onnx_type_from_code (proto->data_type);
  FoveaTensor *tensor = NULL;
  FoveaShape   shape;
  gsize        wanted;

  if (type == FOVEA_TYPE_NONE)
    g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_UNSUPPORTED,
                 _("its type, %s, can't be used. Export the model in float32 or float16."), onnx_type_name (proto->data_type));
  else if (!onnx_read_dims (proto->dims, proto->n_dims, &shape, error))
    ;
  else if (!shape_bytes_checked (&shape, type, &wanted))
    {
      g_autofree char *text = shape_to_string (&shape);

      g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_MODEL, _("its shape %s is far too large. The model file is damaged; get it again."), text);
    }
  else if (proto->data_location == LOCATION_EXTERNAL)
    tensor = read_external (source, proto, type, &shape, wanted, error);
  else
    tensor = read_inside (source, proto, type, &shape, wanted, error);
  if (!tensor)
    g_prefix_error (error, _("tensor “%s”: "), name);
  return tensor;
}
