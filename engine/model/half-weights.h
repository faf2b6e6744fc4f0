/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * half-weights.h: models whose weights are stored as float16: half the file. ONNX says that with a Cast behind each such constant, which this engine and ONNX
 * Runtime fold while loading: the network still computes in float32.
 */
#pragma once

#include "model/model.h"

/* A copy whose large float32 constants are float16, each with a Cast. NULL with FOVEA_ERROR_MEMORY. */
FoveaModel *model_halve (FoveaModel *model, GError **error);

/* A copy with float32 constants in the place of Casts of constants: what can be trained on. NULL with FOVEA_ERROR_MEMORY. */
FoveaModel *model_widen (FoveaModel *model, GError **error);
