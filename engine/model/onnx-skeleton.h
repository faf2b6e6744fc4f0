/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * onnx-skeleton.h: an ONNX file without its weights, small and safe enough to be unpacked by protobuf-c.
 */
#pragma once

#include <glib.h>

/* The model as a serialized ModelProto of onnx.proto, in which each tensor's elements are Spans that say where in `data` they lie.
 * NULL with FOVEA_ERROR_MODEL that names the place of the damage. */
GByteArray *onnx_skeleton (const guint8 *data, gsize size, GError **error);

/* Reads a base-128 varint at *offset of data[size] and moves *offset behind it; FALSE where the data end too early or it is too long. */
gboolean    wire_read_varint (const guint8 *data, gsize size, gsize *offset, guint64 *value);
