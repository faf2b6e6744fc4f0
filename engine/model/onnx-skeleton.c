/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * onnx-skeleton.c: copies the structure of a serialized ModelProto and leaves its weights where they are.
 *
 * protobuf-c copies whatever it unpacks, recurses as deep as the file says and makes a struct for every two bytes of an empty message. So the
 * file is walked here first, over the wire format alone (https://protobuf.dev/programming-guides/encoding): only fields that onnx.proto
 * knows are copied, elements of tensors become Spans (field, offset, length), and depth, number of messages and size are limited. What
 * comes out is a serialized ModelProto again, some kilobytes for a model of any size. A nested message's length is known only when its copy is
 * done: LENGTH_BYTES are kept free before it, and filled with a padded varint, which the format allows.
 */

#include "model/onnx-skeleton.h"

#include <glib/gi18n.h>

#include "base/memory.h"
#include "fovea.h"

#define LENGTH_BYTES 5
#define SPAN_FIELD 536870911
#define MAX_DEPTH 64               /* messages within messages: a graph within a graph takes three */
#define MAX_MESSAGES 1000000
#define MAX_FIELDS 4000000
#define MAX_SKELETON (32 << 20)    /* bytes */

enum { WIRE_VARINT, WIRE_64, WIRE_BYTES, WIRE_START_GROUP, WIRE_END_GROUP, WIRE_32 };

typedef enum
{
  LEAF, /* not a message: copied as it is */
  SPAN, /* elements of a tensor */
  MODEL,
  OPSET,
  ENTRY,
  FUNCTION,
  GRAPH,
  NODE,
  ATTRIBUTE,
  TENSOR,
  SPARSE,
  VALUE_INFO,
  TYPE,
  TENSOR_TYPE,
  SHAPE,
  DIMENSION,
} Kind;

/* What is kept, as in onnx.proto: the rest of the file doesn't come through. */
static const struct
{
  Kind  message;
  guint field;
  Kind  kind;
} kept[] = {
  { MODEL, 1, LEAF },      { MODEL, 2, LEAF },      { MODEL, 3, LEAF },        { MODEL, 6, LEAF },         { MODEL, 7, GRAPH },
  { MODEL, 8, OPSET },     { MODEL, 14, ENTRY },    { MODEL, 25, FUNCTION },
  { OPSET, 1, LEAF },      { OPSET, 2, LEAF },
  { ENTRY, 1, LEAF },      { ENTRY, 2, LEAF },
  { FUNCTION, 1, LEAF },   { FUNCTION, 4, LEAF },   { FUNCTION, 5, LEAF },     { FUNCTION, 6, LEAF },      { FUNCTION, 7, NODE },
  { FUNCTION, 9, OPSET },  { FUNCTION, 10, LEAF },  { FUNCTION, 11, ATTRIBUTE }, { FUNCTION, 13, LEAF },
  { GRAPH, 1, NODE },      { GRAPH, 2, LEAF },      { GRAPH, 5, TENSOR },      { GRAPH, 11, VALUE_INFO },  { GRAPH, 12, VALUE_INFO },
  { GRAPH, 15, SPARSE },
  { NODE, 1, LEAF },       { NODE, 2, LEAF },       { NODE, 3, LEAF },         { NODE, 4, LEAF },          { NODE, 5, ATTRIBUTE },
  { NODE, 7, LEAF },       { NODE, 8, LEAF },
  { ATTRIBUTE, 1, LEAF },  { ATTRIBUTE, 2, LEAF },  { ATTRIBUTE, 3, LEAF },    { ATTRIBUTE, 4, LEAF },     { ATTRIBUTE, 5, TENSOR },
  { ATTRIBUTE, 6, GRAPH }, { ATTRIBUTE, 7, LEAF },  { ATTRIBUTE, 8, LEAF },    { ATTRIBUTE, 9, LEAF },     { ATTRIBUTE, 20, LEAF },
  { ATTRIBUTE, 21, LEAF },
  { TENSOR, 1, LEAF },     { TENSOR, 2, LEAF },     { TENSOR, 4, SPAN },       { TENSOR, 5, SPAN },        { TENSOR, 7, SPAN },
  { TENSOR, 8, LEAF },     { TENSOR, 9, SPAN },     { TENSOR, 10, SPAN },      { TENSOR, 11, SPAN },       { TENSOR, 13, ENTRY },
  { TENSOR, 14, LEAF },
  { VALUE_INFO, 1, LEAF }, { VALUE_INFO, 2, TYPE },
  { TYPE, 1, TENSOR_TYPE },
  { TENSOR_TYPE, 1, LEAF }, { TENSOR_TYPE, 2, SHAPE },
  { SHAPE, 1, DIMENSION },
  { DIMENSION, 1, LEAF },  { DIMENSION, 2, LEAF },
};

static const char *const names[] = {
  [MODEL] = N_("the model"),          [OPSET] = N_("an operator set"),  [ENTRY] = N_("a property"),      [FUNCTION] = N_("a function"),
  [GRAPH] = N_("a graph"),            [NODE] = N_("a layer"),           [ATTRIBUTE] = N_("an attribute"), [TENSOR] = N_("a tensor"),
  [SPARSE] = N_("a sparse tensor"),   [VALUE_INFO] = N_("an input or output"), [TYPE] = N_("a type"),    [TENSOR_TYPE] = N_("a type"),
  [SHAPE] = N_("a shape"),            [DIMENSION] = N_("a dimension"),
};

typedef struct
{
  const guint8 *data;
  GByteArray   *out;
  guint         n_messages, n_fields;
} Walk;

/* A field as it lies in the file. */
typedef struct
{
  guint   number;
  guint   wire;
  gsize   start;           /* of the tag */
  gsize   content, length; /* the payload, without a length before it */
} Field;

gboolean
wire_read_varint (const guint8 *data, gsize size, gsize *offset, guint64 *value)
{
  *value = 0;
  for (guint shift = 0; shift < 70 && *offset < size; shift += 7)
    {
      guint8 byte = data[(*offset)++];

      if (shift < 64)
        *value |= (guint64) (byte & 0x7f) << shift;
      if (!(byte & 0x80))
        return TRUE;
    }
  return FALSE;
}

static gboolean
damaged (gsize offset, Kind message, const char *what, GError **error)
{
  g_autofree char *place = g_strdup_printf ("%" G_GSIZE_FORMAT, offset);

  g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_MODEL,
               _("it is damaged at byte %s, in %s: %s. If it was downloaded or copied, do that again; if it was exported, make sure that it is an ONNX file."), place,
               _(names[message]), what);
  return FALSE;
}

/* Reads the field at `offset`; it ends at content + length <= end. */
static gboolean
read_field (const guint8 *data, gsize offset, gsize end, Kind message, Field *field, GError **error)
{
  guint64 tag, value;

  field->start = offset;
  if (!wire_read_varint (data, end, &offset, &tag) || tag >> 3 == 0 || tag >> 3 > SPAN_FIELD)
    return damaged (field->start, message, _("there should be a field, but there is none"), error);
  field->number = (guint) (tag >> 3);
  field->wire = tag & 7;
  field->content = offset;
  switch (field->wire)
    {
    case WIRE_VARINT:
      if (!wire_read_varint (data, end, &offset, &value))
        return damaged (field->start, message, _("it ends in the middle of a number"), error);
      field->length = offset - field->content;
      return TRUE;
    case WIRE_64:
    case WIRE_32:
      field->length = field->wire == WIRE_64 ? 8 : 4;
      break;
    case WIRE_BYTES:
      if (!wire_read_varint (data, end, &offset, &value))
        return damaged (field->start, message, _("it ends in the middle of a length"), error);
      field->content = offset;
      field->length = value > G_MAXSIZE ? G_MAXSIZE : (gsize) value;
      break;
    default:
      return damaged (field->start, message, _("there is a kind of field that ONNX hasn't got"), error);
    }
  if (field->length > end - field->content)
    return damaged (field->start, message, _("it ends too early, or a length in it is wrong"), error);
  return TRUE;
}

static Kind
find_kind (Kind message, guint number, gboolean *known)
{
  for (gsize i = 0; i < G_N_ELEMENTS (kept); i++)
    if (kept[i].message == message && kept[i].field == number)
      {
        *known = TRUE;
        return kept[i].kind;
      }
  *known = FALSE;
  return LEAF;
}

/* Writes a varint of at least `width` bytes. */
static guint
put_varint (guint8 *out, guint64 value, guint width)
{
  guint n = 0;

  do
    {
      out[n] = (value & 0x7f) | (value > 0x7f || n + 1 < width ? 0x80 : 0);
      value >>= 7;
      n++;
    }
  while (value > 0 || n < width);
  return n;
}

static void
append_span (GByteArray *out, const Field *field)
{
  guint8 body[48], head[16];
  guint  n = 0, m = 0;

  body[n++] = 1 << 3 | WIRE_VARINT;
  n += put_varint (body + n, field->number, 1);
  body[n++] = 2 << 3 | WIRE_VARINT;
  n += put_varint (body + n, field->content, 1);
  body[n++] = 3 << 3 | WIRE_VARINT;
  n += put_varint (body + n, field->length, 1);
  m += put_varint (head, (guint64) SPAN_FIELD << 3 | WIRE_BYTES, 1);
  m += put_varint (head + m, n, 1);
  g_byte_array_append (out, head, m);
  g_byte_array_append (out, body, n);
}

static gboolean
too_large (const Walk *walk, gsize offset, GError **error)
{
  if (walk->n_messages <= MAX_MESSAGES && walk->n_fields <= MAX_FIELDS && walk->out->len <= MAX_SKELETON)
    return FALSE;
  g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_MODEL,
               "its description is too large (more than %d parts, %d entries or %d MB without the weights, at byte %" G_GSIZE_FORMAT
               "): it is damaged, or not a neural network.", MAX_MESSAGES, MAX_FIELDS, MAX_SKELETON >> 20, offset);
  return TRUE;
}

static gboolean walk_message (Walk *walk, Kind message, gsize offset, gsize end, guint depth, GError **error);

static gboolean
copy_message (Walk *walk, const Field *field, Kind kind, guint depth, GError **error)
{
  static const guint8 room[LENGTH_BYTES] = { 0 };
  guint8 tag[LENGTH_BYTES];
  guint  before;

  g_byte_array_append (walk->out, tag, put_varint (tag, (guint64) field->number << 3 | WIRE_BYTES, 1));
  g_byte_array_append (walk->out, room, sizeof room);
  before = walk->out->len;
  if (!walk_message (walk, kind, field->content, field->content + field->length, depth + 1, error))
    return FALSE;
  put_varint (walk->out->data + before - LENGTH_BYTES, walk->out->len - before, LENGTH_BYTES);
  return TRUE;
}

static gboolean
walk_message (Walk *walk, Kind message, gsize offset, gsize end, guint depth, GError **error)
{
  if (depth > MAX_DEPTH)
    return damaged (offset, message, _("its graphs lie too deep within each other"), error);
  walk->n_messages++;

  while (offset < end)
    {
      Field    field;
      gboolean known;
      Kind     kind;

      if (!read_field (walk->data, offset, end, message, &field, error))
        return FALSE;
      offset = field.content + field.length;
      kind = find_kind (message, field.number, &known);
      if (!known)
        continue;
      walk->n_fields++;
      if (too_large (walk, field.start, error))
        return FALSE;
      if (kind == SPAN)
        {
          append_span (walk->out, &field);
          walk->n_messages++;
        }
      else if (kind == LEAF)
        {
          if (field.length > MAX_SKELETON)
            return damaged (field.start, message, _("a text or list in it is far too long"), error);
          g_byte_array_append (walk->out, walk->data + field.start, (guint) (offset - field.start));
        }
      else if (field.wire != WIRE_BYTES)
        return damaged (field.start, message, _("there is a number where a part should be"), error);
      else if (!copy_message (walk, &field, kind, depth, error))
        return FALSE;
    }
  return !too_large (walk, offset, error);
}

GByteArray *
onnx_skeleton (const guint8 *data, gsize size, GError **error)
{
  g_autoptr (GByteArray) out = g_byte_array_new ();
  Walk walk = { data, out, 0, 0 };

  if (!walk_message (&walk, MODEL, 0, size, 0, error))
    return NULL;
  return g_steal_pointer (&out);
}
