/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * half-weights.c: see half-weights.h.
 */

#include "model/half-weights.h"

#include <string.h>

#include "base/half.h"
/* TensorProto.DataType.FLOAT of onnx.proto, as Cast has it. */
#define ONNX_FLOAT 1

#define FEWEST 256 /* elements: smaller constants stay exact */

static FoveaTensor *
halve_tensor (const FoveaTensor *tensor, GError **error)
{
  FoveaTensor      *half = fovea_tensor_new (FOVEA_TYPE_FLOAT16, &tensor->shape, error);
  gsize             n = shape_count (&tensor->shape);
  g_autofree float *values = half ? g_try_new (float, n) : NULL;

  if (!values)
    {
      if (half)
        g_set_error_literal (error, FOVEA_ERROR, FOVEA_ERROR_MEMORY, "Not enough memory to write weights as float16.");
      g_clear_pointer (&half, fovea_tensor_unref);
      return NULL;
    }
  tensor_read_float (tensor, 0, n, values);
  for (gsize i = 0; i < n; i++)
    ((guint16 *) half->data)[i] = half_from_float (values[i]);
  return half;
}

/* The constants that nodes use, each once: a Cast is put before what uses them. */
static gboolean
halve_values (Graph *graph, GError **error)
{
  g_autoptr (GPtrArray) values = g_ptr_array_new ();

  for (guint i = 0; i < graph->nodes->len; i++)
    {
      const Node *node = g_ptr_array_index (graph->nodes, i);

      for (guint k = 0; k < node->inputs->len; k++)
        {
          Value *value = node_input (node, k);

          if (value && value->constant && value->constant->type == FOVEA_TYPE_FLOAT32 && shape_count (&value->constant->shape) >= FEWEST
              && !g_ptr_array_find (values, value, NULL))
            g_ptr_array_add (values, value);
        }
    }
  for (guint i = values->len; i-- > 0;)
    {
      Value           *value = g_ptr_array_index (values, i);
      g_autofree char *name = g_strconcat (value->name, ".half", NULL), *cast_name = g_strconcat (value->name, ".widen", NULL);
      FoveaTensor     *half = halve_tensor (value->constant, error);
      Node            *cast;

      if (!half)
        return FALSE;
      cast = graph_add_node (graph, "", "Cast", cast_name, 0);
      node_set_int (cast, "to", ONNX_FLOAT);
      node_add_input (cast, graph_add_constant (graph, name, half));
      fovea_tensor_unref (half);
      g_clear_pointer (&value->constant, fovea_tensor_unref);
      node_add_output (cast, value);
    }
  return TRUE;
}

FoveaModel *
model_halve (FoveaModel *model, GError **error)
{
  Graph *graph = graph_copy (model_get_graph (model));

  if (halve_values (graph, error))
    return model_new_for_graph (graph, fovea_model_get_name (model));
  graph_free (graph);
  return NULL;
}

FoveaModel *
model_widen (FoveaModel *model, GError **error)
{
  Graph *graph = graph_copy (model_get_graph (model));

  for (guint i = graph->nodes->len; i-- > 0;)
    {
      Node        *node = g_ptr_array_index (graph->nodes, i);
      const Value *half = node_input (node, 0);
      Value       *value = node_output (node, 0);
      FoveaTensor *wide;

      if (strcmp (node->type, "Cast") != 0 || *node->domain || !half->constant || half->constant->type != FOVEA_TYPE_FLOAT16
          || node_int (node, "to", 0) != ONNX_FLOAT || graph_is_output (graph, value))
        continue;
      wide = fovea_tensor_new (FOVEA_TYPE_FLOAT32, &half->constant->shape, error);
      if (!wide)
        {
          graph_free (graph);
          return NULL;
        }
      tensor_read_float (half->constant, 0, shape_count (&wide->shape), wide->data);
      graph_remove_node (graph, node);
      value->constant = wide;
      value->type = FOVEA_TYPE_FLOAT32;
      value->has_rank = TRUE;
      value->shape = wide->shape;
    }
  return model_new_for_graph (graph, fovea_model_get_name (model));
}
