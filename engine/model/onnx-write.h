/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * onnx-write.h: a Graph becomes an ONNX file.
 */
#pragma once

#include "model/graph.h"

/* Writes beside `path` first and renames then, so that `path` is the old file or the new one, never half of it. Graphs with operators of the
 * engine's own can't be written. */
gboolean onnx_write (const Graph *graph, const char *path, GError **error);
