/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * pixel-head.c: see pixel-head.h. Over maps, the first layer is cut into a 1 x 1 convolution for the maps of each size; their sums go up from the smallest to the
 * largest:
 *
 *   maps of 20 ─ conv ─ up ─┐
 *   maps of 40 ─ conv ───── + ─ up ─┐
 *   …                               + … ─ up ─┐
 *   maps of the grid ─ conv ───────────────── + ─ ReLU ─ conv ─▶ classes
 */

#include "train/pixel-head.h"

#include <glib/gi18n.h>
#include <math.h>
#include <string.h>

#include "train/random.h"

#define PLACES_SIZE  40 /* of the maps, at least, that places are added to */
#define NEW_CLASS_BIAS -4.0f /* a class that comes later wins nowhere until it has learned */
#define OLDEST_OPSET 11 /* that has Resize as it is used here */

/* ---- constants --------------------------------------------------------------------------------------------------------------------------- */

static Value *
add_constant (Graph *graph, const char *name, guint n_dims, const gint64 *dims, GError **error)
{
  FoveaShape   shape = { .n_dims = n_dims };
  FoveaTensor *tensor;
  Value       *value;

  memcpy (shape.dims, dims, n_dims * sizeof *dims);
  tensor = fovea_tensor_new (FOVEA_TYPE_FLOAT32, &shape, error);
  if (!tensor)
    return NULL;
  value = graph_add_constant (graph, name, tensor);
  fovea_tensor_unref (tensor);
  return value;
}

/* Of a model that was made here: its constants lie in memory, aligned. */
static float *
numbers (FoveaModel *model, const char *name)
{
  Value *value = graph_find_value (model_get_graph (model), name);

  return value && value->constant && value->constant->type == FOVEA_TYPE_FLOAT32 ? value->constant->data : NULL;
}

static gsize
count_classes (FoveaModel *head)
{
  return (gsize) graph_find_value (model_get_graph (head), "answer.bias")->constant->shape.dims[0];
}

/* ---- vectors ----------------------------------------------------------------------------------------------------------------------------- */

static Value *
append_linear (Graph *graph, const char *name, Value *x, gsize in, gsize out, double deviation, Random *random, GError **error)
{
  g_autofree char *weight_name = g_strconcat (name, ".weight", NULL), *bias_name = g_strconcat (name, ".bias", NULL);
  const gint64     dims[2] = { (gint64) out, (gint64) in };
  Value           *weight = add_constant (graph, weight_name, 2, dims, error), *bias = weight ? add_constant (graph, bias_name, 1, dims, error) : NULL;
  Node            *node;
  Value           *y;

  if (!bias)
    return NULL;
  for (gsize i = 0; i < in * out; i++)
    ((float *) weight->constant->data)[i] = (float) (deviation * random_normal (random));
  node = graph_add_node (graph, "", "Gemm", name, -1);
  node_set_int (node, "transB", 1);
  node_add_input (node, x);
  node_add_input (node, weight);
  node_add_input (node, bias);
  y = graph_add_value (graph, name);
  node_add_output (node, y);
  return y;
}

static Value *
append_relu (Graph *graph, Value *x)
{
  Node  *node = graph_add_node (graph, "", "Relu", "pixels.relu", -1);
  Value *y = graph_add_value (graph, "pixels.relu");

  node_add_input (node, x);
  node_add_output (node, y);
  return y;
}

static Value *
add_port (Graph *graph, GPtrArray *list, Value *value, const char *name, guint n_dims, const gint64 *dims)
{
  value = value ? value : graph_add_value (graph, name);
  value->type = FOVEA_TYPE_FLOAT32;
  value->has_rank = TRUE;
  value->shape = (FoveaShape) { .n_dims = n_dims };
  memcpy (value->shape.dims, dims, n_dims * sizeof *dims);
  g_ptr_array_add (list, value);
  return value;
}

FoveaModel *
pixel_head_new (gsize n_features, guint n_classes, guint64 seed, GError **error)
{
  g_autoptr (Graph) graph = graph_new ();
  Random            random = random_stream (seed, 0x91c5, 0);
  Value            *x = add_port (graph, graph->inputs, NULL, "features", 2, (const gint64[]) { -1, (gint64) n_features });

  x->dim_names[0] = g_strdup ("batch");
  x = append_linear (graph, "hidden", x, n_features, PIXEL_HIDDEN, 1.0 / sqrt ((double) n_features), &random, error);
  x = x ? append_linear (graph, "answer", append_relu (graph, x), PIXEL_HIDDEN, n_classes, 0.5 / sqrt (PIXEL_HIDDEN), &random, error) : NULL;
  if (!x)
    return NULL;
  add_port (graph, graph->outputs, x, NULL, 2, (const gint64[]) { -1, n_classes });
  return model_new_for_graph (g_steal_pointer (&graph), "pixels");
}

FoveaModel *
pixel_head_change_classes (FoveaModel *head, const int *rows, guint n_classes, GError **error)
{
  gsize       n_features = (gsize) graph_find_value (model_get_graph (head), "hidden.weight")->constant->shape.dims[1];
  FoveaModel *changed = pixel_head_new (n_features, n_classes, 0, error);

  if (!changed)
    return NULL;
  memcpy (numbers (changed, "hidden.weight"), numbers (head, "hidden.weight"), PIXEL_HIDDEN * n_features * sizeof (float));
  memcpy (numbers (changed, "hidden.bias"), numbers (head, "hidden.bias"), PIXEL_HIDDEN * sizeof (float));
  for (guint i = 0; i < n_classes; i++)
    {
      float *weight = numbers (changed, "answer.weight") + i * PIXEL_HIDDEN, *bias = numbers (changed, "answer.bias") + i;

      if (rows[i] >= 0)
        {
          memcpy (weight, numbers (head, "answer.weight") + rows[i] * PIXEL_HIDDEN, PIXEL_HIDDEN * sizeof (float));
          *bias = numbers (head, "answer.bias")[rows[i]];
        }
      else
        {
          memset (weight, 0, PIXEL_HIDDEN * sizeof (float));
          *bias = NEW_CLASS_BIAS;
        }
    }
  return changed;
}

/* ---- maps -------------------------------------------------------------------------------------------------------------------------------- */

typedef struct
{
  Graph               *graph;
  const PixelFeatures *features;
  FoveaModel          *head;
  const PixelScale    *scale;
  gboolean             places;
} Joiner;

static Value *
append_conv (Graph *graph, const char *name, Value *x, Value *weight, Value *bias)
{
  Node  *node = graph_add_node (graph, "", "Conv", name, -1);
  Value *y = graph_add_value (graph, name);

  node_set_ints (node, "kernel_shape", (const gint64[]) { 1, 1 }, 2);
  node_add_input (node, x);
  node_add_input (node, weight);
  if (bias)
    node_add_input (node, bias);
  node_add_output (node, y);
  return y;
}

/* Taps first … last - 1, of one size, through their share of the first layer: what they were scaled by goes into the weights. The smallest brings the bias. */
static Value *
append_level (Joiner *joiner, guint first, guint last, gsize offset, GError **error)
{
  const PixelTap  *taps = joiner->features->taps;
  g_autofree char *name = g_strdup_printf ("pixels.hidden.%d", taps[first].size), *weight_name = g_strconcat (name, ".weight", NULL);
  const float     *from = numbers (joiner->head, "hidden.weight");
  Value           *x = graph_find_value (joiner->graph, taps[first].name), *weight;
  gsize            channels = 0;
  float           *to;

  for (guint i = first; i < last; i++)
    channels += (gsize) taps[i].channels;
  weight = add_constant (joiner->graph, weight_name, 4, (const gint64[]) { PIXEL_HIDDEN, (gint64) channels, 1, 1 }, error);
  if (!weight)
    return NULL;
  to = weight->constant->data;
  for (gsize h = 0; h < PIXEL_HIDDEN; h++)
    for (gsize c = 0; c < channels; c++)
      to[h * channels + c] = from[h * joiner->features->n_features + offset + c] * joiner->scale->scale[offset + c];
  if (last > first + 1)
    {
      g_autofree char *joined = g_strdup_printf ("pixels.maps.%d", taps[first].size);
      Node            *node = graph_add_node (joiner->graph, "", "Concat", joined, -1);

      node_set_int (node, "axis", 1);
      for (guint i = first; i < last; i++)
        node_add_input (node, graph_find_value (joiner->graph, taps[i].name));
      x = graph_add_value (joiner->graph, joined);
      node_add_output (node, x);
    }
  return append_conv (joiner->graph, name, x, weight, NULL);
}

static Value *
append_enlarged (Joiner *joiner, Value *x, int from, int to, GError **error)
{
  g_autofree char *name = g_strdup_printf ("pixels.up.%d", to), *scales_name = g_strconcat (name, ".scales", NULL);
  const gint64     four = 4;
  Value           *scales = add_constant (joiner->graph, scales_name, 1, &four, error), *y;
  Node            *node;

  if (!scales)
    return NULL;
  for (int i = 0; i < 4; i++)
    ((float *) scales->constant->data)[i] = i < 2 ? 1.0f : (float) to / (float) from;
  node = graph_add_node (joiner->graph, "", "Resize", name, -1);
  node_set_string (node, "mode", "linear");
  node_set_string (node, "coordinate_transformation_mode", "half_pixel");
  node_add_input (node, x);
  node_add_input (node, NULL);
  node_add_input (node, scales);
  y = graph_add_value (joiner->graph, name);
  node_add_output (node, y);
  return y;
}

static Value *
append_sum (Graph *graph, Value *a, Value *b, int size)
{
  g_autofree char *name = g_strdup_printf ("pixels.sum.%d", size);
  Node            *node = graph_add_node (graph, "", "Add", name, -1);
  Value           *y = graph_add_value (graph, name);

  node_add_input (node, a);
  node_add_input (node, b);
  node_add_output (node, y);
  return y;
}

/* bias - weight * mean * scale, on the smallest maps. */
static gboolean
add_bias (Joiner *joiner, Value *first_level, GError **error)
{
  const gint64 hidden = PIXEL_HIDDEN;
  const float *weight = numbers (joiner->head, "hidden.weight"), *bias = numbers (joiner->head, "hidden.bias");
  Value       *value = add_constant (joiner->graph, "pixels.hidden.bias", 1, &hidden, error);
  gsize        n = joiner->features->n_features, n_mapped = joiner->features->n_mapped; /* places that don't count are as on the mean */

  for (gsize h = 0; value && h < PIXEL_HIDDEN; h++)
    {
      double sum = bias[h];

      for (gsize k = 0; k < n_mapped; k++)
        sum -= (double) weight[h * n + k] * joiner->scale->mean[k] * joiner->scale->scale[k];
      ((float *) value->constant->data)[h] = (float) sum;
    }
  if (value)
    node_add_input (first_level->producer, value);
  return value != NULL;
}

static Value *
append_answer (Joiner *joiner, Value *x, GError **error)
{
  gint64 n_classes = (gint64) count_classes (joiner->head);
  Value *weight = add_constant (joiner->graph, "pixels.answer.weight", 4, (const gint64[]) { n_classes, PIXEL_HIDDEN, 1, 1 }, error);
  Value *bias = weight ? add_constant (joiner->graph, "pixels.answer.bias", 1, &n_classes, error) : NULL;

  if (!bias)
    return NULL;
  memcpy (weight->constant->data, numbers (joiner->head, "answer.weight"), weight->constant->size);
  memcpy (bias->constant->data, numbers (joiner->head, "answer.bias"), bias->constant->size);
  return append_conv (joiner->graph, "pixels.answer", append_relu (joiner->graph, x), weight, bias);
}

/* What the places say at each pixel of maps of this size is known: it is added as it is. */
static Value *
append_places (Joiner *joiner, Value *x, int size, GError **error)
{
  const float *weight = numbers (joiner->head, "hidden.weight");
  Value       *known = add_constant (joiner->graph, "pixels.places", 4, (const gint64[]) { 1, PIXEL_HIDDEN, size, size }, error);
  gsize        n = joiner->features->n_features, first = joiner->features->n_mapped;
  float        places[PIXEL_PLACES];

  for (int cell = 0; known && cell < size * size; cell++)
    {
      pixel_features_place ((cell % size + 0.5) / size, (cell / size + 0.5) / size, places);
      for (gsize k = 0; k < PIXEL_PLACES; k++)
        places[k] = (places[k] - joiner->scale->mean[first + k]) * joiner->scale->scale[first + k];
      for (gsize h = 0; h < PIXEL_HIDDEN; h++)
        {
          float sum = 0.0f;

          for (gsize k = 0; k < PIXEL_PLACES; k++)
            sum += weight[h * n + first + k] * places[k];
          ((float *) known->constant->data)[h * (gsize) (size * size) + (gsize) cell] = sum;
        }
    }
  return known ? append_sum (joiner->graph, x, known, size) : NULL;
}

static Value *
append_head (Joiner *joiner, GError **error)
{
  const PixelFeatures *features = joiner->features;
  Value               *sum = NULL;
  gsize                offset = 0;
  int                  size = 0;

  for (guint first = 0, last; first < features->n; first = last)
    {
      Value *level;

      for (last = first + 1; last < features->n && features->taps[last].size == features->taps[first].size;)
        last++;
      level = append_level (joiner, first, last, offset, error);
      if (!level || (!sum && !add_bias (joiner, level, error)) || (sum && !(sum = append_enlarged (joiner, sum, size, features->taps[first].size, error))))
        return NULL;
      size = features->taps[first].size;
      sum = sum ? append_sum (joiner->graph, level, sum, size) : level;
      if (joiner->places && (size >= PLACES_SIZE || last == features->n))
        {
          sum = append_places (joiner, sum, size, error);
          joiner->places = FALSE;
          if (!sum)
            return NULL;
        }
      for (guint i = first; i < last; i++)
        offset += (gsize) features->taps[i].channels;
    }
  return append_answer (joiner, sum, error);
}

FoveaModel *
pixel_head_join (const PixelFeatures *features, FoveaModel *head, const PixelScale *scale, PixelJoin how, GError **error)
{
  gboolean          whole = how == PIXEL_JOIN_WHOLE;
  g_autoptr (Graph) graph = whole ? graph_copy (model_get_graph (features->model)) : graph_new ();
  Joiner            joiner = { graph, features, head, scale, how == PIXEL_JOIN_PLACES };
  const gint64      dims[4] = { 1, (gint64) count_classes (head), features->grid, features->grid };
  Value            *answer;

  if (GPOINTER_TO_INT (g_hash_table_lookup (graph->opsets, "")) < OLDEST_OPSET)
    {
      g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_UNSUPPORTED, _("“%s” is of ONNX operator set %d; training on pixels needs %d or newer. Choose another base model."),
                   fovea_model_get_name (features->model), GPOINTER_TO_INT (g_hash_table_lookup (graph->opsets, "")), OLDEST_OPSET);
      return NULL;
    }
  for (guint i = 0; i < features->n && !whole; i++)
    add_port (graph, graph->inputs, NULL, features->taps[i].name, 4,
              (const gint64[]) { 1, features->taps[i].channels, features->taps[i].size, features->taps[i].size });
  answer = append_head (&joiner, error);
  if (!answer)
    return NULL;
  g_ptr_array_set_size (graph->outputs, 0);
  add_port (graph, graph->outputs, answer, NULL, 4, dims);
  graph_remove_unused (graph);
  return model_new_for_graph (g_steal_pointer (&graph), fovea_model_get_name (features->model));
}

/* Of a model from a file. NULL where it isn't there, or hasn't that many. Free with g_free. */
static float *
read_numbers (FoveaModel *model, const char *name, gsize n)
{
  const Value *value = graph_find_value (model_get_graph (model), name);
  float       *read;

  if (!value || !value->constant || !type_is_float (value->constant->type) || shape_count (&value->constant->shape) != n)
    return NULL;
  read = g_new (float, n);
  tensor_read_float (value->constant, 0, n, read);
  return read;
}

/* The first layer, map by map: what it was scaled by is taken out again. */
static gboolean
find_first_layer (const PixelFeatures *features, FoveaModel *model, const PixelScale *scale, float *weight)
{
  gsize offset = 0, channels;

  for (guint first = 0, last; first < features->n; first = last, offset += channels)
    {
      g_autofree char  *name = g_strdup_printf ("pixels.hidden.%d.weight", features->taps[first].size);
      g_autofree float *from = NULL;

      channels = 0;
      for (last = first; last < features->n && features->taps[last].size == features->taps[first].size; last++)
        channels += (gsize) features->taps[last].channels;
      from = read_numbers (model, name, PIXEL_HIDDEN * channels);
      for (gsize h = 0; from && h < PIXEL_HIDDEN; h++)
        for (gsize c = 0; c < channels; c++)
          weight[h * features->n_features + offset + c] = from[h * channels + c] / scale->scale[offset + c];
      if (!from)
        return FALSE;
    }
  return TRUE;
}

FoveaModel *
pixel_head_find (const PixelFeatures *features, FoveaModel *model, const PixelScale *scale, GError **error)
{
  const Value           *last = graph_find_value (model_get_graph (model), "pixels.answer.bias");
  gsize                  n_classes = last && last->constant ? shape_count (&last->constant->shape) : 0, n = features->n_features;
  g_autofree float      *answer = read_numbers (model, "pixels.answer.weight", n_classes * PIXEL_HIDDEN), *answer_bias = read_numbers (model, "pixels.answer.bias", n_classes);
  g_autofree float      *bias = read_numbers (model, "pixels.hidden.bias", PIXEL_HIDDEN);
  g_autoptr (FoveaModel) head = n_classes > 0 && answer && answer_bias && bias ? pixel_head_new (n, (guint) n_classes, 0, error) : NULL;

  if (!head || !find_first_layer (features, model, scale, numbers (head, "hidden.weight")))
    {
      if (error && !*error)
        g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_MODEL, _("“%s” was changed after its training, so that it can't go on. Train a new model."), fovea_model_get_name (model));
      return NULL;
    }
  for (gsize h = 0; h < PIXEL_HIDDEN; h++)
    {
      float *weight = numbers (head, "hidden.weight") + h * n;
      double sum = bias[h];

      memset (weight + features->n_mapped, 0, PIXEL_PLACES * sizeof (float)); /* another photo, other places */
      for (gsize k = 0; k < features->n_mapped; k++)
        sum += (double) weight[k] * scale->mean[k] * scale->scale[k];
      numbers (head, "hidden.bias")[h] = (float) sum;
    }
  memcpy (numbers (head, "answer.weight"), answer, n_classes * PIXEL_HIDDEN * sizeof (float));
  memcpy (numbers (head, "answer.bias"), answer_bias, n_classes * sizeof (float));
  return g_steal_pointer (&head);
}
