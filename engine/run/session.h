/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * session.h: what the engine asks of sessions beyond fovea.h.
 */
#pragma once

#include "model/graph.h"

/* A copy of the model's graph with every type and shape known for these options (NULL: the model's own shapes), before any pass. */
Graph *session_infer (const FoveaModel *model, const FoveaSessionOptions *options, GError **error);
