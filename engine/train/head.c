/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * head.c: see head.h.
 */

#include "train/head.h"

#include <glib/gi18n.h>
#include <math.h>
#include <string.h>

#include "base/tensor.h"
#include "run/session.h"
#include "train/random.h"

Node *
head_find_last_layer (const Graph *graph, guint output)
{
  Value *value = output < graph->outputs->len ? g_ptr_array_index (graph->outputs, output) : NULL;

  while (value && value->producer)
    {
      Node       *node = value->producer;
      const char *type = node->type;

      if (strcmp (type, "Gemm") == 0 || strcmp (type, "Conv") == 0 || strcmp (type, "MatMul") == 0)
        return node;
      if (strcmp (type, "Concat") == 0)
        return NULL;
      value = node_input (node, 0);
      if (value && value->constant)
        value = node_input (node, 1);
    }
  return NULL;
}

gboolean
head_has_rows (const Node *layer)
{
  return strcmp (layer->type, "Conv") == 0 || (strcmp (layer->type, "Gemm") == 0 && node_int (layer, "transB", 0));
}

static Node *
find_by_name (const Graph *graph, const char *name)
{
  for (guint i = 0; i < graph->nodes->len; i++)
    if (strcmp (((Node *) g_ptr_array_index (graph->nodes, i))->name, name) == 0)
      return g_ptr_array_index (graph->nodes, i);
  return NULL;
}

static Node *
append (Graph *graph, const char *type, Value **x)
{
  Node *node = graph_add_node (graph, "", type, type, -1);

  node_add_input (node, *x);
  *x = graph_add_value (graph, type);
  node_add_output (node, *x);
  return node;
}

static gboolean
add_linear (Graph *graph, Value **x, gint64 in, guint n_classes, guint64 seed, char **name, GError **error)
{
  const FoveaShape shapes[2] = { { .n_dims = 2, .dims = { n_classes, in } }, { .n_dims = 1, .dims = { n_classes } } };
  FoveaTensor     *weight = fovea_tensor_new (FOVEA_TYPE_FLOAT32, &shapes[0], error);
  FoveaTensor     *bias = weight ? fovea_tensor_new (FOVEA_TYPE_FLOAT32, &shapes[1], error) : NULL;
  Random           random = random_stream (seed, 0x4ead, 0);
  Node            *node;

  if (!bias)
    {
      fovea_tensor_unref (weight);
      return FALSE;
    }
  for (gint64 i = 0; i < in * (gint64) n_classes; i++)
    ((float *) weight->data)[i] = (float) (0.01 * random_normal (&random));
  graph_free_name (graph, "head.weight"); /* the base's own last layer may be one of ours */
  graph_free_name (graph, "head.bias");
  node = append (graph, "Gemm", x);
  node_set_int (node, "transB", 1);
  node_add_input (node, graph_add_constant (graph, "head.weight", weight));
  node_add_input (node, graph_add_constant (graph, "head.bias", bias));
  fovea_tensor_unref (weight);
  fovea_tensor_unref (bias);
  if (name)
    *name = g_strdup (node->name);
  return TRUE;
}

static void
set_output (Graph *graph, Value *value, guint n_dims, const gint64 *dims)
{
  value->type = FOVEA_TYPE_FLOAT32;
  value->has_rank = TRUE;
  value->shape = (FoveaShape) { .n_dims = n_dims };
  memcpy (value->shape.dims, dims, n_dims * sizeof *dims);
  g_ptr_array_set_size (graph->outputs, 0);
  g_ptr_array_add (graph->outputs, value);
  graph_remove_unused (graph);
}

/* A dimension of the first input is open, whatever it was; shapes behind it are to be found anew. */
static void
open_dimension (Graph *graph, guint dimension, const char *name)
{
  Value *input = g_ptr_array_index (graph->inputs, 0);

  if (input->has_rank && input->shape.n_dims > dimension && input->shape.dims[dimension] >= 0)
    {
      input->shape.dims[dimension] = -1;
      g_free (input->dim_names[dimension]);
      input->dim_names[dimension] = g_strdup (name);
    }
  for (guint i = 0; i < graph->all_values->len; i++)
    {
      Value *value = g_ptr_array_index (graph->all_values, i);

      if (value->producer)
        value->has_rank = FALSE;
    }
}

static void
refuse_name (FoveaModel *model, const char *name, GError **error)
{
  g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_ARGUMENT, "There is no layer “%s” in “%s”. Take a name from the table that “fovea info” prints.", name,
               fovea_model_get_name (model));
}

FoveaModel *
head_replace (FoveaModel *base, const char *last_layer, const FoveaShape *input, guint n_classes, guint64 seed, char **name, GError **error)
{
  g_autoptr (FoveaSessionOptions) options = fovea_session_options_new ();
  g_autoptr (Graph)               inferred = NULL;
  Graph                          *graph;
  const Node                     *last;
  const Value                    *known;
  Value                          *x;

  fovea_session_options_set_shape (options, fovea_model_get_input (base, 0)->name, input);
  inferred = session_infer (base, options, error);
  if (!inferred)
    return NULL;
  last = last_layer ? find_by_name (model_get_graph (base), last_layer) : head_find_last_layer (model_get_graph (base), 0);
  if (last_layer && !last)
    {
      refuse_name (base, last_layer, error);
      return NULL;
    }
  known = last ? graph_find_value (inferred, node_input (last, 0)->name) : NULL;
  if (!known || (known->shape.n_dims != 2 && known->shape.n_dims != 4))
    {
      g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_UNSUPPORTED,
                   _("No last layer that could be exchanged is found in “%s”. Choose a classifier that ends in a fully connected layer or a convolution."),
                   fovea_model_get_name (base));
      return NULL;
    }
  graph = graph_copy (model_get_graph (base));
  open_dimension (graph, 0, "batch");
  x = graph_find_value (graph, known->name);
  if (known->shape.n_dims == 4)
    {
      append (graph, "GlobalAveragePool", &x);
      append (graph, "Flatten", &x);
    }
  if (!add_linear (graph, &x, known->shape.dims[1], n_classes, seed, name, error))
    {
      graph_free (graph);
      return NULL;
    }
  set_output (graph, x, 2, (const gint64[]) { -1, n_classes });
  return model_new_for_graph (graph, fovea_model_get_name (base));
}

void
head_keep_classes (FoveaModel *model, FoveaModel *base, const char *last_layer, const char *const *before, const char *const *classes)
{
  const Graph *graph = model_get_graph (model);
  const Node  *last = last_layer ? find_by_name (model_get_graph (base), last_layer) : head_find_last_layer (model_get_graph (base), 0);
  Value       *to[2] = { graph_find_value (graph, "head.weight"), graph_find_value (graph, "head.bias") };
  gsize        n_before = g_strv_length ((char **) before), size = (gsize) to[0]->constant->shape.dims[1];

  if (!head_has_rows (last))
    return;
  for (guint i = 0; i < 2; i++)
    {
      const Value *from = node_input (last, 1 + i);
      gsize        row = i ? 1 : size;

      if (!from || !from->constant || shape_count (&from->constant->shape) != n_before * row)
        return;
      for (gsize c = 0; classes[c]; c++)
        for (gsize b = 0; b < n_before; b++)
          if (strcmp (before[b], classes[c]) == 0)
            tensor_read_float (from->constant, b * row, row, (float *) to[i]->constant->data + c * row);
    }
}

FoveaModel *
head_open (FoveaModel *model)
{
  Graph *graph = graph_copy (model_get_graph (model));

  open_dimension (graph, 0, "batch");
  open_dimension (graph, 2, "height");
  open_dimension (graph, 3, "width");
  return model_new_for_graph (graph, fovea_model_get_name (model));
}

/* The first `n` rows of a constant. */
static gboolean
keep_rows (Value *value, gint64 n, GError **error)
{
  FoveaShape   shape = value->constant->shape;
  FoveaTensor *part;

  shape.dims[0] = n;
  part = fovea_tensor_new (FOVEA_TYPE_FLOAT32, &shape, error);
  if (!part)
    return FALSE;
  memcpy (part->data, value->constant->data, part->size);
  fovea_tensor_unref (value->constant);
  value->constant = part;
  value->shape = shape;
  return TRUE;
}

FoveaModel *
head_narrow (FoveaModel *model, guint n, GError **error)
{
  Graph *graph = graph_copy (model_get_graph (model));
  Node  *last = head_find_last_layer (graph, 0);
  Value *output = g_ptr_array_index (graph->outputs, 0);

  if (last && strcmp (last->type, "Gemm") == 0 && node_int (last, "transB", 0) && node_input (last, 1)->constant
      && node_input (last, 1)->constant->shape.dims[0] >= n && keep_rows (node_input (last, 1), n, error)
      && (!node_input (last, 2) || keep_rows (node_input (last, 2), n, error)))
    {
      set_output (graph, output, 2, (const gint64[]) { -1, n });
      return model_new_for_graph (graph, fovea_model_get_name (model));
    }
  graph_free (graph);
  if (error && !*error)
    g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_UNSUPPORTED, "“%s” doesn't end in a fully connected layer, so that a teacher can't be followed. "
                 "Choose another architecture.", fovea_model_get_name (model));
  return NULL;
}

FoveaModel *
head_cut (FoveaModel *model, const char *name, GError **error)
{
  Graph *graph = graph_copy (model_get_graph (model));
  Node  *node = find_by_name (graph, name);

  if (node)
    {
      set_output (graph, node_input (node, 0), 2, (const gint64[]) { -1, -1 });
      return model_new_for_graph (graph, fovea_model_get_name (model));
    }
  graph_free (graph);
  refuse_name (model, name, error);
  return NULL;
}

FoveaModel *
head_only (FoveaModel *model, const char *name, gint64 n_features)
{
  Graph *graph = graph_copy (model_get_graph (model));
  Value *features = graph_add_value (graph, "features");
  Node  *head = find_by_name (graph, name);

  g_assert (head != NULL);
  features->type = FOVEA_TYPE_FLOAT32;
  features->has_rank = TRUE;
  features->shape = (FoveaShape) { .n_dims = 2, .dims = { -1, n_features } };
  features->dim_names[0] = g_strdup ("batch");
  g_ptr_array_index (head->inputs, 0) = features;
  graph_remove_unused (graph);
  g_ptr_array_set_size (graph->inputs, 0);
  g_ptr_array_add (graph->inputs, features);
  return model_new_for_graph (graph, name);
}

FoveaModel *
head_take_weights (FoveaModel *model, FoveaModel *from, guint *n)
{
  Graph         *graph = graph_copy (model_get_graph (model));
  const Graph   *source = model_get_graph (from);
  GHashTableIter iter;
  gpointer       data;
  guint          taken = 0;

  g_hash_table_iter_init (&iter, graph->values);
  while (g_hash_table_iter_next (&iter, NULL, &data))
    {
      Value       *value = data;
      const Value *other = graph_find_value (source, value->name);

      if (!value->constant || !other || !other->constant || value->constant->type != other->constant->type
          || !shape_equal (&value->constant->shape, &other->constant->shape))
        continue;
      fovea_tensor_unref (value->constant);
      value->constant = fovea_tensor_ref (other->constant);
      taken++;
    }
  if (n)
    *n = taken;
  return model_new_for_graph (graph, fovea_model_get_name (model));
}

FoveaModel *
head_fold_scale (FoveaModel *head, const float *mean, const float *scale, GError **error)
{
  Graph       *graph = graph_copy (model_get_graph (head));
  Value       *values[2] = { graph_find_value (graph, "head.weight"), graph_find_value (graph, "head.bias") };
  FoveaTensor *weight = fovea_tensor_new (FOVEA_TYPE_FLOAT32, &values[0]->constant->shape, error);
  FoveaTensor *bias = weight ? fovea_tensor_new (FOVEA_TYPE_FLOAT32, &values[1]->constant->shape, error) : NULL;

  if (!bias)
    {
      g_clear_pointer (&weight, fovea_tensor_unref);
      graph_free (graph);
      return NULL;
    }
  for (gint64 row = 0; row < weight->shape.dims[0]; row++)
    {
      gsize        size = (gsize) weight->shape.dims[1];
      const float *from = (const float *) values[0]->constant->data + (gsize) row * size;
      float       *to = (float *) weight->data + (gsize) row * size;
      double       moved = ((const float *) values[1]->constant->data)[row];

      for (gsize k = 0; k < size; k++)
        {
          to[k] = from[k] * scale[k];
          moved -= (double) to[k] * mean[k];
        }
      ((float *) bias->data)[row] = (float) moved;
    }
  fovea_tensor_unref (values[0]->constant);
  fovea_tensor_unref (values[1]->constant);
  values[0]->constant = weight;
  values[1]->constant = bias;
  return model_new_for_graph (graph, fovea_model_get_name (head));
}
