/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * wire.h: writes protobuf by hand, so that tests can make ONNX files that no exporter would. Messages are GByteArrays; wire_message takes
 * its child over, so that a model is one nested expression.
 */
#pragma once

#include <glib.h>
#include <string.h>

typedef GByteArray Wire;

static inline Wire *
wire_raw_varint (Wire *wire, guint64 value)
{
  do
    {
      guint8 byte = (value & 0x7f) | (value > 0x7f ? 0x80 : 0);

      g_byte_array_append (wire, &byte, 1);
      value >>= 7;
    }
  while (value > 0);
  return wire;
}

static inline Wire *
wire_int (Wire *wire, guint field, gint64 value)
{
  return wire_raw_varint (wire_raw_varint (wire, (guint64) field << 3), (guint64) value);
}

static inline Wire *
wire_bytes (Wire *wire, guint field, gconstpointer data, gsize size)
{
  wire_raw_varint (wire_raw_varint (wire, (guint64) field << 3 | 2), size);
  return size > 0 ? g_byte_array_append (wire, data, (guint) size) : wire;
}

static inline Wire *
wire_text (Wire *wire, guint field, const char *text)
{
  return wire_bytes (wire, field, text, strlen (text));
}

static inline Wire *
wire_message (Wire *wire, guint field, Wire *child)
{
  wire_bytes (wire, field, child->data, child->len);
  g_byte_array_unref (child);
  return wire;
}

static inline Wire *
wire_new (void)
{
  return g_byte_array_new ();
}

/* ---- ONNX ------------------------------------------------------------------------------------------------- */

enum { ONNX_FLOAT = 1, ONNX_UINT8, ONNX_INT8, ONNX_UINT16, ONNX_INT16, ONNX_INT32, ONNX_INT64, ONNX_STRING, ONNX_BOOL, ONNX_FLOAT16,
       ONNX_DOUBLE, ONNX_UINT32, ONNX_UINT64, ONNX_COMPLEX64, ONNX_COMPLEX128, ONNX_BFLOAT16 };

/* A ValueInfoProto; dims end with -2, -1 is left unknown. */
static inline Wire *
wire_port (const char *name, int type, const gint64 *dims)
{
  Wire *shape = wire_new ();

  for (; *dims != -2; dims++)
    wire_message (shape, 1, *dims == -1 ? wire_new () : wire_int (wire_new (), 1, *dims));
  return wire_message (wire_text (wire_new (), 1, name), 2, wire_message (wire_new (), 1, wire_message (wire_int (wire_new (), 1, type), 2, shape)));
}

/* A NodeProto; inputs and outputs separated by spaces, "-" for one that is left out. */
static inline Wire *
wire_node (const char *type, const char *inputs, const char *outputs)
{
  Wire *node = wire_new ();

  for (guint field = 1; field <= 2; field++)
    {
      g_auto (GStrv) names = g_strsplit (field == 1 ? inputs : outputs, " ", -1);

      for (guint i = 0; names[i]; i++)
        if (*names[i])
          wire_text (node, field, strcmp (names[i], "-") == 0 ? "" : names[i]);
    }
  return wire_text (node, 4, type);
}

/* A TensorProto without data; dims end with -2. */
static inline Wire *
wire_tensor (const char *name, int type, const gint64 *dims)
{
  Wire *tensor = wire_new ();

  for (; *dims != -2; dims++)
    wire_int (tensor, 1, *dims);
  return wire_text (wire_int (tensor, 2, type), 8, name);
}

static inline Wire *
wire_opset (const char *domain, gint64 version)
{
  return wire_int (wire_text (wire_new (), 1, domain), 2, version);
}

/* A ModelProto of IR version 8 and opset 17 around the graph. */
static inline Wire *
wire_model (Wire *graph)
{
  return wire_message (wire_message (wire_int (wire_new (), 1, 8), 7, graph), 8, wire_opset ("", 17));
}
