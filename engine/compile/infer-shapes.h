/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * infer-shapes.h: parses every node and gives every value its type and shape.
 */
#pragma once

#include "compile/plan.h"

/* The graph's inputs must have known shapes. Values that shapes depend on are computed on the way; inputs of `options->bound` count as constants when one
 * is needed for that, and are then noted in *used (name -> FoveaTensor*, both borrowed from options). float16 values become float32. */
gboolean infer_shapes (Graph *graph, const CompileOptions *options, GHashTable *used, GError **error);
