/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * model.h: what the engine sees of a FoveaModel beyond fovea.h.
 */
#pragma once

#include "model/graph.h"

/* The model's graph, as it was read: copy it before changing anything. Valid as long as the model. */
const Graph *model_get_graph     (const FoveaModel *model);

/* A model of a graph, which is taken over; for tests and builders. */
FoveaModel  *model_new_for_graph (Graph *graph, const char *name);
