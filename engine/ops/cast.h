/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * cast.h: ONNX's numbers for types (TensorProto.DataType), as attributes carry them.
 */
#pragma once

#include "base/tensor.h"

/* FOVEA_TYPE_NONE for those that the engine hasn't got. */
FoveaType cast_type_of_onnx (gint64 type);
