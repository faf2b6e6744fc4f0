/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * pixel-features.c: see pixel-features.h.
 */

#include "train/pixel-features.h"

#include <glib/gi18n.h>
#include <math.h>
#include <string.h>

#include "run/session.h"
#include "train/head.h"

#define BASE_SIDE      320 /* at which the base network looks: half of all detectors' size, enough to tell what a thing is */
#define LEAST_CHANNELS 8
#define MOST_CHANNELS  256 /* more cost time and learn slowly from few strokes */
#define MOST_TAPS      16
#define PLACES_ACROSS  8
#define ANSWER_EMPHASIS 3.0f
#define COLOUR_EMPHASIS 2.0f /* nine numbers beside hundreds */
#define FIRST_STRIDES  2   /* the first layers, at two strides, look at the photo itself too */

typedef struct
{
  Graph    *graph;
  GArray   *taps; /* of PixelTap */
  int       side, factor;
} Builder;

int
pixel_features_choose_side (int longest)
{
  return longest <= 3 * BASE_SIDE ? 2 * BASE_SIDE : 3 * BASE_SIDE;
}

/* ---- finding the base's maps ------------------------------------------------------------------------------------------------------------- */

/* A layer whose output is worth to be looked at: what carries features on, not what reorders them. */
static gboolean
carries_features (const Node *node)
{
  static const char *const types[] = { "Conv", "BatchNormalization", "Relu", "LeakyRelu", "Clip", "HardSwish", "Add", "Mul", "PRelu", "Elu" };

  for (gsize i = 0; i < G_N_ELEMENTS (types); i++)
    if (!*node->domain && strcmp (node->type, types[i]) == 0)
      return TRUE;
  return FALSE;
}

static gboolean
is_square_map (const Value *value)
{
  return value && value->has_rank && value->shape.n_dims == 4 && value->shape.dims[2] == value->shape.dims[3] && value->shape.dims[2] > 4
         && value->shape.dims[2] < BASE_SIDE && value->shape.dims[1] <= MOST_CHANNELS;
}

/* Nodes in order make runs of one size: down through the encoder, up through the decoder. The narrowest map of each run, the last of equals, is its tap: in
 * inverted residuals that is the block's own result, not the wide middle. */
static void
add_base_taps (Builder *builder, const Graph *inferred)
{
  PixelTap best = { 0 };

  for (guint i = 0; i <= inferred->nodes->len; i++)
    {
      const Node  *node = i < inferred->nodes->len ? g_ptr_array_index (inferred->nodes, i) : NULL;
      const Value *value = node && carries_features (node) ? node_output (node, 0) : NULL;
      gboolean     usable = is_square_map (value) && value->shape.dims[1] >= LEAST_CHANNELS;

      if (best.name && (!node || (usable && (int) value->shape.dims[2] != best.size)))
        {
          best.name = g_strdup (best.name);
          g_array_append_val (builder->taps, best);
          best.name = NULL;
        }
      if (usable && (!best.name || value->shape.dims[1] <= best.channels))
        best = (PixelTap) { (char *) value->name, value->shape.dims[1], (int) value->shape.dims[2], TRUE, 1.0f };
    }
  while (builder->taps->len > MOST_TAPS) /* networks with many branches: the last ones know most */
    {
      g_free (g_array_index (builder->taps, PixelTap, 0).name);
      g_array_remove_index (builder->taps, 0);
    }
}

/* What a segmenter of its own says is a feature too. */
static void
add_answer_tap (Builder *builder, const Graph *inferred)
{
  for (guint i = inferred->nodes->len; i-- > 0;)
    {
      const Node  *node = g_ptr_array_index (inferred->nodes, i);
      const Value *value = node_output (node, 0);
      PixelTap     tap;

      if (strcmp (node->type, "Conv") != 0)
        continue;
      if (is_square_map (value) && value->shape.dims[1] < LEAST_CHANNELS && value->shape.dims[2] >= 20)
        {
          tap = (PixelTap) { g_strdup (value->name), value->shape.dims[1], (int) value->shape.dims[2], TRUE, ANSWER_EMPHASIS };
          g_array_append_val (builder->taps, tap);
        }
      return;
    }
}

/* ---- building ---------------------------------------------------------------------------------------------------------------------------- */

static Value *
append_mean (Graph *graph, const char *name, Value *x, int kernel, int stride)
{
  Value       *out = graph_append (graph, "AveragePool", name, x, NULL);
  const gint64 kernels[2] = { kernel, kernel }, strides[2] = { stride, stride }, pad = (kernel - stride) / 2, pads[4] = { pad, pad, pad, pad };

  node_set_ints (out->producer, "kernel_shape", kernels, 2);
  node_set_ints (out->producer, "strides", strides, 2);
  node_set_ints (out->producer, "pads", pads, 4);
  return out;
}

static void
add_tap (Builder *builder, const Value *value, gint64 channels, int size)
{
  gboolean colour = g_str_has_prefix (value->name, "colour");
  PixelTap tap = { g_strdup (value->name), channels, size, !colour && !g_str_has_prefix (value->name, "fine."), colour && size == builder->side / 2 ? COLOUR_EMPHASIS : 1.0f };

  g_array_append_val (builder->taps, tap);
}

/* A copy of `value` and all that leads to it, from the photo itself instead of its smaller form. */
static Value *
copy_onto (Graph *graph, Value *value, Value *small, Value *photo, GHashTable *copies)
{
  g_autoptr (GPtrArray) inputs = g_ptr_array_new ();
  g_autofree char      *name = NULL;
  Value                *copy = g_hash_table_lookup (copies, value);
  Node                 *node;

  if (copy || value == small)
    return copy ? copy : photo;
  if (!value->producer)
    return value;
  for (guint i = 0; i < value->producer->inputs->len; i++)
    g_ptr_array_add (inputs, node_input (value->producer, i) ? copy_onto (graph, node_input (value->producer, i), small, photo, copies) : NULL);
  name = g_strconcat ("fine.", value->producer->name, NULL);
  node = graph_add_node (graph, value->producer->domain, value->producer->type, name, -1);
  for (guint i = 0; i < value->producer->attributes->len; i++)
    {
      const Attribute *attribute = g_ptr_array_index (value->producer->attributes, i);

      node_copy_attribute (node, attribute->name, attribute);
    }
  for (guint i = 0; i < inputs->len; i++)
    node_add_input (node, g_ptr_array_index (inputs, i));
  for (guint i = 0; i < value->producer->outputs->len; i++)
    {
      g_autofree char *out_name = g_strconcat ("fine.", node_output (value->producer, i)->name, NULL);
      Value           *out = graph_add_value (graph, out_name);

      node_add_output (node, out);
      g_hash_table_insert (copies, node_output (value->producer, i), out);
    }
  return g_hash_table_lookup (copies, value);
}

static void
add_fine_taps (Builder *builder, guint n_base, Value *small, Value *photo)
{
  g_autoptr (GHashTable) copies = g_hash_table_new (NULL, NULL);
  guint                  n = 0;

  if (builder->factor == 1)
    return;
  for (guint i = 0; i < n_base && n < FIRST_STRIDES; i++)
    {
      PixelTap tap = g_array_index (builder->taps, PixelTap, i);

      if (tap.size != BASE_SIDE >> (n + 1))
        break;
      add_tap (builder, copy_onto (builder->graph, graph_find_value (builder->graph, tap.name), small, photo, copies), tap.channels, tap.size * builder->factor);
      n++;
    }
}

/* Means of colour, and how much brightness and colour vary around a pixel: the root of E[x²] - E[x]². */
static void
add_colour_taps (Builder *builder, Value *photo)
{
  Graph *graph = builder->graph;
  int    grid = builder->side / 2;
  Value *colour = append_mean (graph, "colour", photo, 2, 2), *mean = append_mean (graph, "colour.mean", colour, 5, 1);
  Value *squares = append_mean (graph, "colour.squares", graph_append (graph, "Mul", "colour.square", colour, colour), 5, 1);
  Value *variance = graph_append (graph, "Sub", "colour.variance", squares, graph_append (graph, "Mul", "colour.mean-square", mean, mean));

  add_tap (builder, append_mean (graph, "colour.wide", photo, builder->side / 80, builder->side / 80), 3, 80);
  add_tap (builder, append_mean (graph, "colour.around", photo, builder->side / 160, builder->side / 160), 3, 160);
  add_tap (builder, colour, 3, grid);
  add_tap (builder, mean, 3, grid);
  add_tap (builder, graph_append (graph, "Sqrt", "colour.contrast", graph_append (graph, "Relu", "colour.positive", variance, NULL), NULL), 3, grid);
}

static int
compare_taps (gconstpointer a, gconstpointer b)
{
  const PixelTap *x = a, *y = b;

  return x->size != y->size ? (x->size > y->size) - (x->size < y->size) : strcmp (x->name, y->name);
}

static void
free_taps (GArray *taps)
{
  for (guint i = 0; i < taps->len; i++)
    g_free (g_array_index (taps, PixelTap, i).name);
  g_array_unref (taps);
}

/* Takes taps and graph over. */
static PixelFeatures *
finish (Builder *builder, const char *name)
{
  PixelFeatures *features = g_new0 (PixelFeatures, 1);
  Graph         *graph = builder->graph;

  g_array_sort (builder->taps, compare_taps);
  features->n = builder->taps->len;
  features->side = builder->side;
  features->grid = builder->side / 2;
  features->taps = (PixelTap *) (gpointer) g_array_free (builder->taps, FALSE);
  g_ptr_array_set_size (graph->outputs, 0);
  for (guint i = 0; i < features->n; i++)
    {
      Value *value = graph_find_value (graph, features->taps[i].name);

      value->type = FOVEA_TYPE_FLOAT32;
      g_ptr_array_add (graph->outputs, value);
      features->n_mapped += (gsize) features->taps[i].channels;
    }
  features->n_features = features->n_mapped + PIXEL_PLACES;
  graph_remove_unused (graph);
  features->model = model_new_for_graph (graph, name);
  return features;
}

static Graph *
infer (FoveaModel *model, int side, GError **error)
{
  g_autoptr (FoveaSessionOptions) options = fovea_session_options_new ();
  const FoveaShape                shape = { .n_dims = 4, .dims = { 1, 3, side, side } };

  fovea_session_options_set_shape (options, fovea_model_get_input (model, 0)->name, &shape);
  return session_infer (model, options, error);
}

PixelFeatures *
pixel_features_new (FoveaModel *base, int side, GError **error)
{
  g_autoptr (FoveaModel) open = head_open (base);
  g_autoptr (Graph)      inferred = infer (open, BASE_SIDE, error);
  Builder                builder = { .side = side, .factor = side / BASE_SIDE };
  Value                 *photo, *small;
  guint                  n_base;

  if (!inferred)
    {
      g_prefix_error (error, _("“%s” doesn't take photos of %d pixels, which training on pixels needs. Choose another base model. "), fovea_model_get_name (base), BASE_SIDE);
      return NULL;
    }
  builder.taps = g_array_new (FALSE, FALSE, sizeof (PixelTap));
  add_base_taps (&builder, inferred);
  n_base = builder.taps->len;
  add_answer_tap (&builder, inferred);
  if (n_base == 0)
    {
      free_taps (builder.taps);
      g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_UNSUPPORTED, _("“%s” has no maps of its photo to learn pixels on. Choose a convolutional network as the base model."),
                   fovea_model_get_name (base));
      return NULL;
    }
  builder.graph = graph_copy (model_get_graph (open));
  photo = g_ptr_array_index (builder.graph->inputs, 0);
  small = photo;
  if (builder.factor > 1)
    {
      Node *pool;

      small = graph_add_value (builder.graph, "smaller");
      graph_replace_value (builder.graph, photo, small);
      pool = graph_add_node (builder.graph, "", "AveragePool", "smaller", 0);
      node_add_input (pool, photo);
      node_add_output (pool, small);
      node_set_ints (pool, "kernel_shape", (const gint64[]) { builder.factor, builder.factor }, 2);
      node_set_ints (pool, "strides", (const gint64[]) { builder.factor, builder.factor }, 2);
    }
  add_fine_taps (&builder, n_base, small, photo);
  add_colour_taps (&builder, photo);
  return finish (&builder, fovea_model_get_name (base));
}

PixelFeatures *
pixel_features_find (FoveaModel *model, int side, GError **error)
{
  g_autoptr (Graph) inferred = NULL;
  const Graph      *graph = model_get_graph (model);
  Builder           builder = { .side = side, .factor = side / BASE_SIDE };
  gboolean          found = FALSE;

  for (guint i = 0; i < graph->nodes->len && !found; i++)
    found = g_str_has_prefix (((const Node *) g_ptr_array_index (graph->nodes, i))->name, "pixels.hidden.");
  if (!found || !(inferred = infer (model, side, error)))
    return NULL;
  builder.taps = g_array_new (FALSE, FALSE, sizeof (PixelTap));
  builder.graph = graph_copy (graph);
  for (guint i = 0; i < graph->nodes->len; i++)
    {
      const Node  *node = g_ptr_array_index (graph->nodes, i);
      const Node  *joined = g_str_has_prefix (node->name, "pixels.hidden.") ? node_input (node, 0)->producer : NULL;
      gboolean     several = joined && strcmp (joined->type, "Concat") == 0 && g_str_has_prefix (joined->name, "pixels.");

      for (guint k = 0; joined && k < (several ? joined->inputs->len : 1); k++)
        {
          const Value *value = graph_find_value (inferred, several ? node_input (joined, k)->name : node_input (node, 0)->name);

          add_tap (&builder, value, value->shape.dims[1], (int) value->shape.dims[2]);
        }
    }
  return finish (&builder, fovea_model_get_name (model));
}

void
pixel_features_free (PixelFeatures *features)
{
  if (!features)
    return;
  g_clear_pointer (&features->model, fovea_model_unref);
  for (guint i = 0; i < features->n; i++)
    g_free (features->taps[i].name);
  g_free (features->taps);
  g_free (features);
}

/* ---- reading ----------------------------------------------------------------------------------------------------------------------------- */

void
pixel_features_place (double x, double y, float places[PIXEL_PLACES])
{
  for (int i = 0; i < PIXEL_PLACES; i++)
    {
      double dx = x * PLACES_ACROSS - (i % PLACES_ACROSS + 0.5), dy = y * PLACES_ACROSS - (i / PLACES_ACROSS + 0.5);

      places[i] = (float) exp (-0.5 * (dx * dx + dy * dy));
    }
}

void
pixel_features_read (const PixelFeatures *features, const float *const *maps, int x, int y, float *out)
{
  for (guint i = 0; i < features->n; i++)
    {
      int          size = features->taps[i].size;
      double       px = CLAMP ((x + 0.5) * size / features->grid - 0.5, 0.0, size - 1.0), py = CLAMP ((y + 0.5) * size / features->grid - 0.5, 0.0, size - 1.0);
      gsize        x0 = (gsize) px, y0 = (gsize) py, x1 = MIN (x0 + 1, (gsize) size - 1), y1 = MIN (y0 + 1, (gsize) size - 1), row = (gsize) size;
      float        fx = (float) (px - (double) x0), fy = (float) (py - (double) y0);
      const float *map = maps[i];

      for (gint64 c = 0; c < features->taps[i].channels; c++, map += row * row)
        {
          float above = map[y0 * row + x0] * (1 - fx) + map[y0 * row + x1] * fx, below = map[y1 * row + x0] * (1 - fx) + map[y1 * row + x1] * fx;

          *out++ = above * (1 - fy) + below * fy;
        }
    }
  pixel_features_place ((x + 0.5) / features->grid, (y + 0.5) / features->grid, out);
}
