/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * detector.c: see detector.h.
 */

#include "train/detector.h"

#include <string.h>

#include "run/session.h"
#include "train/head.h"

#define FARTHEST 6.0f /* as in loss-boxes.c */

/* ---- nodes ---------------------------------------------------------------------------------------------------------------------------------- */

static Value *
add_integers (Graph *graph, const char *name, const gint64 *numbers, gint64 n)
{
  const FoveaShape shape = { .n_dims = 1, .dims = { n } };
  FoveaTensor     *tensor = fovea_tensor_new (FOVEA_TYPE_INT64, &shape, NULL);
  Value           *value;

  g_assert (tensor != NULL); /* a handful of bytes */
  memcpy (tensor->data, numbers, (gsize) n * sizeof *numbers);
  value = graph_add_constant (graph, name, tensor);
  fovea_tensor_unref (tensor);
  return value;
}

/* A constant (1, rows, columns), or a single number where rows is 0. */
static Value *
add_floats (Graph *graph, const char *name, const float *numbers, gint64 rows, gint64 columns, GError **error)
{
  const FoveaShape shape = { .n_dims = rows ? 3 : 0, .dims = { 1, rows, columns } };
  FoveaTensor     *tensor = fovea_tensor_new (FOVEA_TYPE_FLOAT32, &shape, error);
  Value           *value;

  if (!tensor)
    return NULL;
  memcpy (tensor->data, numbers, tensor->size);
  value = graph_add_constant (graph, name, tensor);
  fovea_tensor_unref (tensor);
  return value;
}

/* The channels from `first` to before `last`. */
static Value *
slice (Graph *graph, const char *name, Value *x, gint64 first, gint64 last)
{
  const gint64     axis = 1;
  g_autofree char *starts = g_strconcat (name, ".first", NULL), *ends = g_strconcat (name, ".last", NULL), *axes = g_strconcat (name, ".axis", NULL);
  Value           *out = graph_append (graph, "Slice", name, x, add_integers (graph, starts, &first, 1));

  node_add_input (out->producer, add_integers (graph, ends, &last, 1));
  node_add_input (out->producer, add_integers (graph, axes, &axis, 1));
  return out;
}

/* ---- finishing -------------------------------------------------------------------------------------------------------------------------------- */

/* Centres (2, n) and reaches (n) of all cells, pixels. */
typedef struct
{
  gint64 n;
  float *centres, *reaches;
} CellPlaces;

static void
cell_places_clear (CellPlaces *places)
{
  g_free (places->centres);
  g_free (places->reaches);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (CellPlaces, cell_places_clear)

static void
find_places (const Graph *inferred, int width, CellPlaces *places)
{
  gint64 at = 0;

  for (guint g = 0; g < inferred->outputs->len; g++)
    {
      const FoveaShape *shape = &((const Value *) g_ptr_array_index (inferred->outputs, g))->shape;

      places->n += shape->dims[2] * shape->dims[3];
    }
  places->centres = g_new (float, 2 * places->n);
  places->reaches = g_new (float, places->n);
  for (guint g = 0; g < inferred->outputs->len; g++)
    {
      const FoveaShape *shape = &((const Value *) g_ptr_array_index (inferred->outputs, g))->shape;
      double            stride = (double) width / (double) shape->dims[3];

      for (gint64 i = 0; i < shape->dims[2] * shape->dims[3]; i++, at++)
        {
          places->centres[at] = (float) (((double) (i % shape->dims[3]) + 0.5) * stride);
          places->centres[places->n + at] = (float) (((double) (i / shape->dims[3]) + 0.5) * stride);
          places->reaches[at] = (float) (2.0 * stride);
        }
    }
}

/* All grids as one table (batch, 4 + classes, cells). */
static Value *
join_grids (Graph *graph, gint64 channels)
{
  const gint64 dims[3] = { 0, channels, -1 };
  Value       *shape = add_integers (graph, "decode.shape", dims, 3), *joined;
  guint        n = graph->outputs->len;
  g_autofree Value **flat = g_new (Value *, n);

  for (guint g = 0; g < n; g++)
    {
      g_autofree char *name = g_strdup_printf ("decode%u", g);

      flat[g] = graph_append (graph, "Reshape", name, g_ptr_array_index (graph->outputs, g), shape);
    }
  joined = graph_append (graph, "Concat", "decode.cells", flat[0], NULL);
  for (guint g = 1; g < n; g++)
    node_add_input (joined->producer, flat[g]);
  node_set_int (joined->producer, "axis", 2);
  return joined;
}

/* FALSE with FOVEA_ERROR_MEMORY. */
static gboolean
decode (Graph *graph, const CellPlaces *places, gint64 channels, GError **error)
{
  const float least = -FARTHEST, most = FARTHEST, half = 0.5f;
  Value      *cells = join_grids (graph, channels), *low, *high, *reach, *centre, *scale, *distances, *near, *far, *size, *moved, *scores, *out;

  low = add_floats (graph, "decode.least", &least, 0, 0, error);
  high = low ? add_floats (graph, "decode.most", &most, 0, 0, error) : NULL;
  scale = high ? add_floats (graph, "decode.half", &half, 0, 0, error) : NULL;
  reach = scale ? add_floats (graph, "decode.reaches", places->reaches, 1, places->n, error) : NULL;
  centre = reach ? add_floats (graph, "decode.centres", places->centres, 2, places->n, error) : NULL;
  if (!centre)
    return FALSE;
  distances = graph_append (graph, "Clip", "decode.bounded", slice (graph, "decode.sides", cells, 0, 4), low);
  node_add_input (distances->producer, high);
  distances = graph_append (graph, "Mul", "decode.distances", graph_append (graph, "Exp", "decode.exp", distances, NULL), reach);
  near = slice (graph, "decode.near", distances, 0, 2);
  far = slice (graph, "decode.far", distances, 2, 4);
  size = graph_append (graph, "Add", "decode.size", near, far);
  moved = graph_append (graph, "Mul", "decode.shift", graph_append (graph, "Sub", "decode.difference", far, near), scale);
  scores = graph_append (graph, "Sigmoid", "decode.scores", slice (graph, "decode.logits", cells, 4, channels), NULL);
  out = graph_append (graph, "Concat", "objects", graph_append (graph, "Add", "decode.place", centre, moved), size);
  node_add_input (out->producer, scores);
  node_set_int (out->producer, "axis", 1);
  out->type = FOVEA_TYPE_FLOAT32;
  out->has_rank = TRUE;
  out->shape = (FoveaShape) { .n_dims = 3, .dims = { -1, channels, places->n } };
  out->dim_names[0] = g_strdup ("batch");
  g_ptr_array_set_size (graph->outputs, 0);
  g_ptr_array_add (graph->outputs, out);
  return TRUE;
}

FoveaModel *
detector_finish (FoveaModel *cells, int width, int height, GError **error)
{
  g_autoptr (FoveaSessionOptions) options = fovea_session_options_new ();
  const FoveaShape                shape = { .n_dims = 4, .dims = { 1, 3, height, width } };
  g_autoptr (Graph)               inferred = NULL;
  g_auto (CellPlaces)             places = { 0 };
  Graph                          *graph;
  Value                          *input;
  gint64                          channels;

  fovea_session_options_set_shape (options, fovea_model_get_input (cells, 0)->name, &shape);
  inferred = session_infer (cells, options, error);
  if (!inferred)
    return NULL;
  channels = ((const Value *) g_ptr_array_index (inferred->outputs, 0))->shape.dims[1];
  find_places (inferred, width, &places);
  graph = graph_copy (model_get_graph (cells));
  input = g_ptr_array_index (graph->inputs, 0);
  input->shape.dims[2] = height;
  input->shape.dims[3] = width;
  if (decode (graph, &places, channels, error))
    return model_new_for_graph (graph, fovea_model_get_name (cells));
  graph_free (graph);
  return NULL;
}

/* ---- and back ------------------------------------------------------------------------------------------------------------------------------------ */

static Node *
find_node (const Graph *graph, const char *name, const char *type)
{
  for (guint i = 0; i < graph->nodes->len; i++)
    {
      Node *node = g_ptr_array_index (graph->nodes, i);

      if (strcmp (node->name, name) == 0 && strcmp (node->type, type) == 0)
        return node;
    }
  return NULL;
}

FoveaModel *
detector_open (FoveaModel *finished)
{
  Graph                 *graph = graph_copy (model_get_graph (finished));
  g_autoptr (GPtrArray)  grids = g_ptr_array_new ();
  g_autoptr (FoveaModel) cells = NULL;

  for (guint g = 0;; g++)
    {
      g_autofree char *name = g_strdup_printf ("decode%u", g);
      Node            *node = find_node (graph, name, "Reshape");

      if (!node || !node_input (node, 0))
        break;
      g_ptr_array_add (grids, node_input (node, 0));
    }
  if (grids->len == 0)
    {
      graph_free (graph);
      return NULL;
    }
  g_ptr_array_set_size (graph->outputs, 0);
  for (guint g = 0; g < grids->len; g++)
    g_ptr_array_add (graph->outputs, g_ptr_array_index (grids, g));
  graph_remove_unused (graph);
  cells = model_new_for_graph (graph, fovea_model_get_name (finished));
  return head_open (cells);
}

void
detector_reset_rows (FoveaTensor *weight, gint64 first, Random *random)
{
  gsize  size = shape_count (&weight->shape) / (gsize) weight->shape.dims[0];
  float *data = weight->data;

  for (gsize i = (gsize) first * size; i < (gsize) weight->shape.dims[0] * size; i++)
    data[i] = (float) (0.01 * random_normal (random));
}

/* The row of the old layer for row `i` of the new one: a side, or the class of that name; -1: it's new. */
static gint64
find_row (const char *const *from, const char *const *to, gint64 i)
{
  if (i < 4)
    return i;
  for (gint64 c = 0; from[c]; c++)
    if (strcmp (from[c], to[i - 4]) == 0)
      return c + 4;
  return -1;
}

/* Weights (rows, …) or biases (rows) with the new classes' rows. */
static gboolean
change_rows (Value *value, const char *const *from, const char *const *to, Random *random, GError **error)
{
  FoveaShape   shape = value->constant->shape;
  gsize        size = shape_count (&shape) / (gsize) shape.dims[0];
  FoveaTensor *changed;

  shape.dims[0] = 4 + (gint64) g_strv_length ((char **) to);
  changed = fovea_tensor_new (FOVEA_TYPE_FLOAT32, &shape, error);
  if (!changed)
    return FALSE;
  if (shape.n_dims > 1)
    detector_reset_rows (changed, 0, random);
  for (gint64 i = 0; i < shape.dims[0]; i++)
    {
      gint64 row = find_row (from, to, i);

      if (row >= 0)
        memcpy ((float *) changed->data + (gsize) i * size, (const float *) value->constant->data + (gsize) row * size, size * sizeof (float));
      else if (shape.n_dims == 1)
        ((float *) changed->data)[i] = DETECTOR_PRIOR;
    }
  fovea_tensor_unref (value->constant);
  value->constant = changed;
  value->shape = shape;
  return TRUE;
}

FoveaModel *
detector_adapt (FoveaModel *cells, const char *const *from, const char *const *to, guint64 seed, GError **error)
{
  Graph   *graph = graph_copy (model_get_graph (cells));
  Random   random = random_stream (seed, 0xce11, 0);
  gboolean ok = TRUE;

  for (guint g = 0; g < graph->outputs->len && ok; g++)
    {
      Value *output = g_ptr_array_index (graph->outputs, g);
      Node  *layer = output->producer;

      for (guint k = 1; layer && k < layer->inputs->len && ok; k++)
        ok = change_rows (node_input (layer, k), from, to, &random, error);
      output->has_rank = FALSE;
    }
  if (ok)
    return model_new_for_graph (graph, fovea_model_get_name (cells));
  graph_free (graph);
  return NULL;
}
