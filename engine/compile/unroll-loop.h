/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * unroll-loop.h: a Loop whose number of rounds is known while compiling becomes that many copies of its body.
 */
#pragma once

#include "model/graph.h"

typedef struct _LoopState LoopState; /* of one Loop that is being unrolled */

/* NULL with FOVEA_ERROR_MODEL when the body doesn't fit the node. */
LoopState *loop_state_new  (const Node *node, GError **error);
void       loop_state_free (LoopState *state);

/* The next round of the Loop, which stands in `graph`: its body goes in front of it, and its inputs are what that round made; or, when there have been
 * `rounds` or `more` (what the condition says now) is FALSE, plain nodes take its place: *done is TRUE then, and the node is no more. */
gboolean   unroll_loop     (Graph *graph, Node *node, LoopState *state, gint64 rounds, gboolean more, gboolean *done, GError **error);
