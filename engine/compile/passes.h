/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * passes.h: the passes that make a graph faster without changing what it computes, in the order they run. Each is in a file of its own.
 *
 * A pass gets a graph whose nodes are parsed and whose values have types and shapes, and leaves it so. It unlinks nodes, it frees nothing. The environment
 * variable FOVEA_PASSES switches passes off: "-fold-batch-norm,-fuse-activation", or "-all". One that takes long looks at g_cancellable_get_current.
 */
#pragma once

#include <gio/gio.h>

#include "model/graph.h"

gboolean fold_constants  (Graph *graph, GError **error);
gboolean remove_noops    (Graph *graph, GError **error);
gboolean join_gates      (Graph *graph, GError **error);
gboolean fold_shuffles   (Graph *graph, GError **error);
gboolean fold_batch_norm (Graph *graph, GError **error);
gboolean fuse_activation (Graph *graph, GError **error);
gboolean fuse_padding    (Graph *graph, GError **error);
gboolean remove_dead     (Graph *graph, GError **error);
gboolean block_layout    (Graph *graph, GError **error);
gboolean fuse_rows       (Graph *graph, GError **error);
gboolean fuse_norm       (Graph *graph, GError **error);

/* Whether FOVEA_PASSES leaves that one on; for what works like a pass, but not on the graph: "share-parts" (compile.c). */
gboolean pass_is_on      (const char *name);

/* All passes in order, less those switched off; for `reference` only those that no meaning hangs on. */
gboolean run_passes      (Graph *graph, gboolean reference, GCancellable *cancellable, GError **error);
