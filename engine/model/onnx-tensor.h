/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * onnx-tensor.h: ONNX's tensors and types.
 */
#pragma once

#include "model/mapping.h"
#include "model/onnx.pb-c.h"

/* Where tensors get their elements from. */
typedef struct
{
  Mapping    *file;
  char       *path;     /* the model's, for external data; NULL: they are refused */
  GHashTable *external; /* location -> Mapping, those opened so far */
} OnnxSource;

/* The engine's type for TensorProto.DataType `code`, or FOVEA_TYPE_NONE; and back. */
FoveaType    onnx_type_from_code (gint32 code);
gint32       onnx_type_to_code   (FoveaType type);

/* ONNX's name of the type ("bfloat16"), for messages about those that the engine hasn't got. */
const char  *onnx_type_name      (gint32 code);

/* The tensor, where it lies in the file if possible. Errors begin with "tensor “…”: ". */
FoveaTensor *onnx_read_tensor    (OnnxSource *source, const Onnx__TensorProto *proto, GError **error);

/* The shape of `n` dimensions; FALSE where there are too many, or one is negative. */
gboolean     onnx_read_dims      (const gint64 *dims, gsize n, FoveaShape *shape, GError **error);
