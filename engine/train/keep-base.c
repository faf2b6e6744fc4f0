/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * keep-base.c: see keep-base.h.
 */

#include "train/keep-base.h"

#include <string.h>

#include "base/tensor.h"
#include "train/head.h"

struct _KeepBase
{
  FoveaModel *base;
  double      share;
  gsize       n_before, n_classes;
  gssize     *from;      /* (classes): the base's class of that name; -1: it has none */
  gboolean    is_same;   /* the same classes in the same order: last layers are like all others */
  guint       n_outputs;
};

KeepBase *
keep_base_new (FoveaModel *base, double share, const char *const *before, const char *const *classes, guint n_outputs)
{
  KeepBase *keep = g_new0 (KeepBase, 1);

  keep->base = fovea_model_ref (base);
  keep->share = share;
  keep->n_before = before ? g_strv_length ((char **) before) : 0;
  keep->n_classes = g_strv_length ((char **) classes);
  keep->from = g_new (gssize, keep->n_classes + 1);
  keep->is_same = keep->n_before == keep->n_classes;
  keep->n_outputs = n_outputs;
  for (gsize c = 0; c < keep->n_classes; c++)
    {
      keep->from[c] = -1;
      for (gsize b = 0; b < keep->n_before; b++)
        if (strcmp (before[b], classes[c]) == 0)
          keep->from[c] = (gssize) b;
      keep->is_same = keep->is_same && keep->from[c] == (gssize) c;
    }
  return keep;
}

void
keep_base_free (KeepBase *keep)
{
  if (!keep)
    return;
  fovea_model_unref (keep->base);
  g_free (keep->from);
  g_free (keep);
}

/* The base's n numbers may lie in its file as they come, at any address. */
static void
mix (const KeepBase *keep, const guint8 *base, float *trained, gsize n)
{
  for (gsize i = 0; i < n; i++)
    {
      float before;

      memcpy (&before, base + i * sizeof before, sizeof before);
      trained[i] += (float) (keep->share * ((double) before - trained[i]));
    }
}

/* A constant's numbers become its own, so that they can be changed. */
static float *
own (Value *value, GError **error)
{
  FoveaTensor *copy = fovea_tensor_new (FOVEA_TYPE_FLOAT32, &value->constant->shape, error);

  if (!copy)
    return NULL;
  memcpy (copy->data, value->constant->data, copy->size);
  fovea_tensor_unref (value->constant);
  value->constant = copy;
  return copy->data;
}

static gboolean
is_float (const Value *value)
{
  return value && value->constant && value->constant->type == FOVEA_TYPE_FLOAT32;
}

/* Weights (rows, …) or biases (rows) of a last layer: first the rows that aren't of classes, such as a box's sides, then one for each class. */
static gboolean
mix_rows (const KeepBase *keep, const Value *before, Value *value, GError **error)
{
  gsize  rows = (gsize) value->constant->shape.dims[0], old_rows = (gsize) before->constant->shape.dims[0], size = shape_count (&value->constant->shape) / rows;
  gsize  others = rows - keep->n_classes;
  float *numbers;

  if (rows < keep->n_classes || old_rows != others + keep->n_before || shape_count (&before->constant->shape) != old_rows * size)
    return TRUE;
  numbers = own (value, error);
  for (gsize row = 0; numbers && row < rows; row++)
    {
      gssize from = row < others ? (gssize) row : keep->from[row - others];

      if (from >= 0)
        mix (keep, (const guint8 *) before->constant->data + (row < others ? row : others + (gsize) from) * size * sizeof (float), numbers + row * size, size);
    }
  return numbers != NULL;
}

/* Those of last layers are noted in `done`. */
static gboolean
mix_last_layers (const KeepBase *keep, Graph *graph, GHashTable *done, GError **error)
{
  const Graph *base = model_get_graph (keep->base);

  for (guint output = 0; output < MIN (keep->n_outputs, graph->outputs->len); output++)
    {
      Node       *layer = head_find_last_layer (graph, output);
      const Node *before = output < base->outputs->len ? head_find_last_layer (base, output) : NULL;

      for (guint k = 1; layer && k < layer->inputs->len; k++)
        {
          Value       *value = node_input (layer, k);
          const Value *old = before ? node_input (before, k) : NULL;

          if (value)
            g_hash_table_add (done, value);
          if (head_has_rows (layer) && before && head_has_rows (before) && is_float (value) && is_float (old) && !mix_rows (keep, old, value, error))
            return FALSE;
        }
    }
  return TRUE;
}

FoveaModel *
keep_base_mix (const KeepBase *keep, FoveaModel *trained, GError **error)
{
  Graph                 *graph = graph_copy (model_get_graph (trained));
  g_autoptr (GHashTable) done = g_hash_table_new (NULL, NULL);
  GHashTableIter         iter;
  gpointer               data;
  gboolean               ok = keep->is_same || mix_last_layers (keep, graph, done, error);

  g_hash_table_iter_init (&iter, graph->values);
  while (ok && g_hash_table_iter_next (&iter, NULL, &data))
    {
      Value       *value = data;
      const Value *before = graph_find_value (model_get_graph (keep->base), value->name);
      float       *numbers;

      if (!is_float (value) || !is_float (before) || g_hash_table_contains (done, value) || !shape_equal (&value->constant->shape, &before->constant->shape)
          || memcmp (value->constant->data, before->constant->data, value->constant->size) == 0)
        continue;
      numbers = own (value, error);
      ok = numbers != NULL;
      if (ok)
        mix (keep, before->constant->data, numbers, shape_count (&value->constant->shape));
    }
  if (ok)
    return model_new_for_graph (graph, fovea_model_get_name (trained));
  graph_free (graph);
  return NULL;
}
