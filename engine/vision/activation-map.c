/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * activation-map.c: finds the feature map from which a network computes its scores by averaging and at most one linear layer.
 *
 * The chains that are known, read from the end:
 *   ResNet, DenseNet, MobileNet …:  Gemm (or MatMul, Add, or 1×1 Conv) <- Flatten <- GlobalAveragePool <- features
 *   SqueezeNet, NiN:                Softmax <- Reshape <- AveragePool over the whole map <- features, one channel a class
 */

#include "vision/activation-map.h"

#include <math.h>
#include <string.h>

#define FINER 4 /* times as many places along a side, for boxes */

/* Operators that keep the order of a vector's values, or each value's rank among them. */
static const char *const passed[] = {
  "Cast", "Dropout", "Flatten", "Identity", "LogSoftmax", "Reshape", "Sigmoid", "Softmax", "Squeeze", "Unsqueeze", NULL,
};

/* A value's constant, also where it is widened from half precision; NULL if it has none. */
static FoveaTensor *
find_constant (const Value *value)
{
  if (value && value->producer && !*value->producer->domain && strcmp (value->producer->type, "Cast") == 0)
    value = node_input (value->producer, 0);
  return value ? value->constant : NULL;
}

static gboolean
is_constant (const Value *value)
{
  return find_constant (value) != NULL;
}

/* Averages over the last two of four axes? */
static gboolean
reduces_places (const Node *node)
{
  gint64        axes[2];
  const gint64 *ints;
  gsize         n = node_ints (node, "axes", &ints);
  FoveaTensor  *input = find_constant (node_input (node, 1));

  if (n == 2)
    memcpy (axes, ints, sizeof axes);
  else if (n == 0 && input && shape_count (&input->shape) == 2)
    tensor_read_int64 (input, 0, 2, axes);
  else
    return FALSE;
  return ((axes[0] == 2 || axes[0] == -2) && (axes[1] == 3 || axes[1] == -1)) || ((axes[0] == 3 || axes[0] == -1) && (axes[1] == 2 || axes[1] == -2));
}

/* Is it pooling over all places? kernel[] gets the size that the map must have then. */
static gboolean
is_global_pool (const Node *node, gint64 kernel[2])
{
  const gint64 *ints;

  kernel[0] = kernel[1] = 0;
  if (strcmp (node->type, "GlobalAveragePool") == 0)
    return TRUE;
  if (strcmp (node->type, "ReduceMean") == 0)
    return reduces_places (node);
  if (strcmp (node->type, "AveragePool") != 0 || node_ints (node, "kernel_shape", &ints) != 2)
    return FALSE;
  kernel[0] = ints[0];
  kernel[1] = ints[1];
  return TRUE;
}

/* Is it a linear layer on a vector, with constant weights? Sets map->weights. */
static gboolean
take_linear (const Node *node, ActivationMap *map)
{
  FoveaTensor *weights = find_constant (node_input (node, 1));
  FoveaShape  *shape = weights ? &weights->shape : NULL;
  gboolean     conv = strcmp (node->type, "Conv") == 0, gemm = strcmp (node->type, "Gemm") == 0;

  if (!shape || map->weights || !(conv || gemm || strcmp (node->type, "MatMul") == 0))
    return FALSE;
  if (conv ? shape->n_dims != 4 || shape->dims[2] != 1 || shape->dims[3] != 1 || node_int (node, "group", 1) != 1 : shape->n_dims != 2)
    return FALSE;
  if (gemm && node_int (node, "transA", 0))
    return FALSE;
  map->transposed = !conv && !(gemm && node_int (node, "transB", 0));
  map->weights = fovea_tensor_ref (weights);
  return TRUE;
}

/* The input from which the vector comes on; NULL if the node breaks the chain. */
static Value *
step_back (const Node *node, ActivationMap *map)
{
  if (*node->domain)
    return NULL;
  if (g_strv_contains (passed, node->type))
    return map->weights && strstr (node->type, "oftmax") ? NULL : node_input (node, 0);
  if (strcmp (node->type, "Add") == 0) /* a bias */
    return is_constant (node_input (node, 1)) ? node_input (node, 0) : is_constant (node_input (node, 0)) ? node_input (node, 1) : NULL;
  return take_linear (node, map) ? node_input (node, 0) : NULL;
}

ActivationMap *
activation_map_find (Value *scores)
{
  ActivationMap *map = g_new0 (ActivationMap, 1);
  Value         *value = scores;

  while (value && value->producer)
    {
      if (!*value->producer->domain && is_global_pool (value->producer, map->kernel))
        {
          map->features = node_input (value->producer, 0);
          break;
        }
      value = step_back (value->producer, map);
    }
  if (!map->features || !map->features->producer)
    g_clear_pointer (&map, activation_map_free);
  return map;
}

void
activation_map_free (ActivationMap *map)
{
  g_clear_pointer (&map->weights, fovea_tensor_unref);
  g_free (map);
}

gboolean
activation_map_fits (const ActivationMap *map, const FoveaShape *shape, gsize n_classes)
{
  const FoveaShape *weights = map->weights ? &map->weights->shape : NULL;
  gint64            n_channels = shape->n_dims == 4 ? shape->dims[1] : 0;

  if (shape->n_dims != 4 || shape->dims[0] != 1 || shape->dims[2] * shape->dims[3] <= 1)
    return FALSE;
  if ((map->kernel[0] && map->kernel[0] != shape->dims[2]) || (map->kernel[1] && map->kernel[1] != shape->dims[3]))
    return FALSE;
  if (!weights)
    return n_channels == (gint64) n_classes;
  return weights->dims[map->transposed ? 0 : 1] == n_channels && weights->dims[map->transposed ? 1 : 0] == (gint64) n_classes;
}

void
activation_map_compute (const ActivationMap *map, const FoveaTensor *features, gsize index, float *out)
{
  gsize             n_channels = features->shape.dims[1], n_places = shape_count_range (&features->shape, 2, 4);
  gsize             n_classes = map->weights ? (gsize) map->weights->shape.dims[map->transposed ? 1 : 0] : n_channels;
  g_autofree float *channel = g_new (float, n_places);

  if (!map->weights)
    {
      tensor_read_float (features, index * n_places, n_places, out);
      return;
    }
  memset (out, 0, n_places * sizeof *out);
  for (gsize c = 0; c < n_channels; c++)
    {
      float weight;

      tensor_read_float (map->weights, map->transposed ? c * n_classes + index : index * n_channels + c, 1, &weight);
      tensor_read_float (features, c * n_places, n_places, channel);
      for (gsize i = 0; i < n_places; i++)
        out[i] += weight * channel[i];
    }
}

void
activation_map_enlarge (const float *in, int in_width, int in_height, float *out, int width, int height)
{
  for (int y = 0; y < height; y++)
    {
      double at_y = CLAMP ((y + 0.5) * in_height / height - 0.5, 0, in_height - 1);
      int    top = (int) at_y, bottom = MIN (top + 1, in_height - 1);
      double down = at_y - top;

      for (int x = 0; x < width; x++)
        {
          double at_x = CLAMP ((x + 0.5) * in_width / width - 0.5, 0, in_width - 1);
          int    left = (int) at_x, right = MIN (left + 1, in_width - 1);
          double along = at_x - left;
          double above = in[top * in_width + left] * (1 - along) + in[top * in_width + right] * along;
          double below = in[bottom * in_width + left] * (1 - along) + in[bottom * in_width + right] * along;

          out[(gsize) y * width + x] = (float) (above * (1 - down) + below * down);
        }
    }
}

/* Marks all places joined to `start` by sides whose value is at least `least`, and widens the bounds (left, top, right, bottom; the last two are beyond). */
static void
flood (const float *map, int width, int height, int start, float least, int bounds[4])
{
  g_autofree gboolean *seen = g_new0 (gboolean, (gsize) width * height);
  g_autofree int      *waiting = g_new (int, (gsize) width * height);
  int                  n_waiting = 0;

  waiting[n_waiting++] = start;
  seen[start] = TRUE;
  while (n_waiting > 0)
    {
      int       at = waiting[--n_waiting], x = at % width, y = at / width;
      const int around[4][2] = { { x - 1, y }, { x + 1, y }, { x, y - 1 }, { x, y + 1 } };

      bounds[0] = MIN (bounds[0], x);
      bounds[1] = MIN (bounds[1], y);
      bounds[2] = MAX (bounds[2], x + 1);
      bounds[3] = MAX (bounds[3], y + 1);
      for (int i = 0; i < 4; i++)
        {
          int next = around[i][1] * width + around[i][0];

          if (around[i][0] < 0 || around[i][1] < 0 || around[i][0] >= width || around[i][1] >= height || seen[next] || !(map[next] >= least))
            continue;
          seen[next] = TRUE;
          waiting[n_waiting++] = next;
        }
    }
}

gboolean
activation_map_find_box (const float *map, int map_width, int map_height, double share, int width, int height, float box[4])
{
  const int         fine_width = map_width * FINER, fine_height = map_height * FINER, n = fine_width * fine_height;
  g_autofree float *fine = g_new (float, n);
  int               best = 0, bounds[4];

  activation_map_enlarge (map, map_width, map_height, fine, fine_width, fine_height);
  for (int i = 1; i < n; i++)
    if (fine[i] > fine[best])
      best = i;
  if (!(fine[best] > 0) || !isfinite (fine[best]))
    return FALSE;
  bounds[0] = bounds[2] = best % fine_width;
  bounds[1] = bounds[3] = best / fine_width;
  flood (fine, fine_width, fine_height, best, (float) (share * fine[best]), bounds);
  for (int i = 0; i < 4; i++)
    box[i] = (float) bounds[i] / (i % 2 ? fine_height : fine_width) * (i % 2 ? height : width);
  return TRUE;
}
