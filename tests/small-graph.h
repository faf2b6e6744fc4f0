/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * small-graph.h: builds small networks for tests, a line a layer.
 */
#pragma once

#include <string.h>

#include "model/model.h"

/* An empty graph of opset 17. */
static inline Graph *
small_graph_new (void)
{
  Graph *graph = graph_new ();

  g_hash_table_insert (graph->opsets, g_strdup (""), GINT_TO_POINTER (17));
  graph->ir_version = 8;
  return graph;
}

static inline void
small_graph_set_shape (Value *value, FoveaType type, const FoveaShape *shape)
{
  value->type = type;
  value->has_rank = TRUE;
  value->shape = *shape;
}

static inline Value *
small_graph_add_input (Graph *graph, const char *name, const FoveaShape *shape)
{
  Value *value = graph_add_value (graph, name);

  small_graph_set_shape (value, FOVEA_TYPE_FLOAT32, shape);
  g_ptr_array_add (graph->inputs, value);
  return value;
}

/* A float32 constant; values NULL: zeros. */
static inline Value *
small_graph_add_floats (Graph *graph, const char *name, const FoveaShape *shape, const float *values)
{
  g_autoptr (FoveaTensor) tensor = fovea_tensor_new (FOVEA_TYPE_FLOAT32, shape, NULL);

  g_assert_nonnull (tensor);
  if (values)
    memcpy (tensor->data, values, tensor->size);
  return graph_add_constant (graph, name, tensor);
}

/* A node on one or two values (b may be NULL) and its output. */
static inline Value *
small_graph_add_node (Graph *graph, const char *type, Value *a, Value *b)
{
  return graph_append (graph, type, NULL, a, b);
}

/* Makes `value` an output of the graph; its shape as the file would say it, or NULL. Returns the graph. */
static inline Graph *
small_graph_finish (Graph *graph, Value *value, const FoveaShape *shape)
{
  if (shape)
    small_graph_set_shape (value, FOVEA_TYPE_FLOAT32, shape);
  g_ptr_array_add (graph->outputs, value);
  return graph;
}
