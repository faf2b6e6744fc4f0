/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * plain-model.c: a model for other programs: what Fovea does with a photo's samples before the network, and with its numbers behind it, becomes layers of the
 * network. What comes out is read by Fovea, too, to the same answers; training doesn't go on with it.
 */

#include <json-glib/json-glib.h>

#include "model/model.h"
#include "vision/sidecar.h"

#define SOFTMAX_OPSET 13 /* before, the axis meant something else */

static gboolean
refuse (FoveaModel *model, const char *why, GError **error)
{
  g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_UNSUPPORTED, "“%s” %s, so that it can't be exported. Copy its file instead.", fovea_model_get_name (model), why);
  return FALSE;
}

static FoveaTensor *
make_numbers (const FoveaSettings *settings, gboolean scales, GError **error)
{
  int          n = settings->channels;
  FoveaShape   shape = { .n_dims = 4, .dims = { 1, settings->nhwc ? 1 : n, 1, settings->nhwc ? n : 1 } };
  FoveaTensor *tensor = fovea_tensor_new (FOVEA_TYPE_FLOAT32, &shape, error);

  for (int c = 0; tensor && c < n; c++)
    {
      int own = settings->bgr ? n - 1 - c : c; /* means are in the order R G B */

      ((float *) tensor->data)[c] = (float) (scales ? settings->range / 255.0 / settings->std[own] : -settings->mean[own] / settings->std[own]);
    }
  return tensor;
}

/* A layer before all others; its result. */
static Value *
prepend (Graph *graph, const char *type, const char *name, Value *x, FoveaTensor *numbers, gint place)
{
  Node  *node = graph_add_node (graph, "", type, name, place);
  Value *out = graph_add_value (graph, name);

  node_add_input (node, x);
  node_add_input (node, graph_add_constant (graph, name, numbers));
  node_add_output (node, out);
  out->type = FOVEA_TYPE_FLOAT32;
  return out;
}

/* Samples of 0 to 255 come in. */
static gboolean
take_bytes (Graph *graph, FoveaSettings *settings, GError **error)
{
  Value       *input = g_ptr_array_index (graph->inputs, 0), *pixels = graph_add_value (graph, "pixels"), *x;
  FoveaTensor *scale = make_numbers (settings, TRUE, error), *shift = scale ? make_numbers (settings, FALSE, error) : NULL;

  if (shift)
    {
      pixels->type = FOVEA_TYPE_FLOAT32;
      pixels->has_rank = input->has_rank;
      pixels->shape = input->shape;
      for (gsize i = 0; i < G_N_ELEMENTS (input->dim_names); i++)
        pixels->dim_names[i] = g_strdup (input->dim_names[i]);
      x = prepend (graph, "Mul", "pixels.scaled", pixels, scale, 0);
      x = prepend (graph, "Add", "pixels.normalized", x, shift, 1);
      graph_replace_value (graph, input, x);
      graph->inputs->pdata[0] = pixels;
      settings->range = 255.0;
      for (int c = 0; c < 3; c++)
        settings->mean[c] = 0.0, settings->std[c] = 1.0;
    }
  fovea_tensor_unref (scale);
  fovea_tensor_unref (shift);
  return shift != NULL;
}

/* Shares of 1 come out. Boxes are decoded as they are. */
static void
give_shares (Graph *graph, FoveaSettings *settings)
{
  Value      *before = g_ptr_array_index (graph->outputs, 0), *after;
  Node       *node;
  gboolean    is_softmax = settings->activation == FOVEA_ACTIVATION_SOFTMAX;
  const char *type = is_softmax ? "Softmax" : "Sigmoid";

  if (settings->task == FOVEA_TASK_DETECT || graph->outputs->len != 1 || (!is_softmax && settings->activation != FOVEA_ACTIVATION_SIGMOID)
      || (is_softmax && GPOINTER_TO_INT (g_hash_table_lookup (graph->opsets, "")) < SOFTMAX_OPSET))
    return;
  after = graph_add_value (graph, "shares");
  after->type = before->type;
  after->has_rank = before->has_rank;
  after->shape = before->shape;
  graph_replace_value (graph, before, after);
  node = graph_add_node (graph, "", type, type, -1);
  if (is_softmax)
    node_set_int (node, "axis", 1);
  node_add_input (node, before);
  node_add_output (node, after);
  settings->activation = FOVEA_ACTIVATION_NONE;
}

/* What is written about the model, again; free with json_object_unref. NULL: nothing is. */
static JsonObject *
copy_card (FoveaModel *model)
{
  const char          *text = fovea_model_get_metadata (model, "fovea");
  g_autoptr (JsonNode) root = text ? json_from_string (text, NULL) : NULL;
  JsonNode            *card = root && JSON_NODE_HOLDS_OBJECT (root) ? json_object_get_member (json_node_get_object (root), "card") : NULL;

  return card && JSON_NODE_HOLDS_OBJECT (card) ? json_object_ref (json_node_get_object (card)) : NULL;
}

FoveaModel *
fovea_model_make_plain (FoveaModel *model, GError **error)
{
  g_autoptr (FoveaSettings) settings = fovea_settings_read (model, error);
  const Graph              *from = model_get_graph (model);
  const Value              *input = from->inputs->len == 1 ? g_ptr_array_index (from->inputs, 0) : NULL;
  g_autoptr (Graph)         graph = NULL;

  if (!settings)
    return NULL;
  if (!input || from->outputs->len == 0 || !type_is_float (input->type))
    {
      refuse (model, "has several inputs, or one that isn't of fractions", error);
      return NULL;
    }
  if (settings->normalize != 0)
    {
      refuse (model, "takes each photo's own brightness into account", error);
      return NULL;
    }
  graph = graph_copy (from);
  if (!take_bytes (graph, settings, error))
    return NULL;
  give_shares (graph, settings);
  g_hash_table_remove_all (graph->metadata);
  g_hash_table_replace (graph->metadata, g_strdup ("task"), g_strdup (sidecar_task_word (settings->task)));
  g_hash_table_replace (graph->metadata, g_strdup ("names"), sidecar_write_names (settings));
  g_hash_table_replace (graph->metadata, g_strdup ("imgsz"), g_strdup_printf ("%d", settings->width));
  g_hash_table_replace (graph->metadata, g_strdup ("fovea"), sidecar_write_settings (settings, copy_card (model)));
  return model_new_for_graph (g_steal_pointer (&graph), fovea_model_get_name (model));
}
