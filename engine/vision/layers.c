/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * layers.c: a model's layers as people count them: shapes, parameters, multiply-adds, receptive field. Nothing runs here; `fovea info` asks.
 *
 * The receptive field follows the usual recurrence along both sides of the photo: a value sees `field` pixels, and its neighbour lies `jump` pixels
 * farther. A window of k values with dilation d and stride s makes field += (k - 1) d jump and jump *= s.
 */

#include <math.h>
#include <string.h>

#include "ops/macs.h"
#include "ops/operator.h"
#include "run/session.h"

/* What one value of a tensor sees of the photo, by height and width. */
typedef struct
{
  double field[2]; /* pixels; 0: all of it, or unknown */
  double jump[2];
} Sight;

typedef struct
{
  GHashTable *sights;  /* Value* -> Sight* */
  GHashTable *counted; /* constants whose parameters have been counted: a set of FoveaTensor* */
} Walk;

static gboolean
is_one_of (const char *word, const char *const *words)
{
  return g_strv_contains (words, word);
}

/* Weights that are kept as float16 come through a Cast: they are constants all the same. */
static const FoveaTensor *
get_constant (const Value *value)
{
  const Attribute *attribute;

  while (value && !value->constant && value->producer && strcmp (value->producer->type, "Cast") == 0)
    value = node_input (value->producer, 0);
  if (!value || value->constant)
    return value ? value->constant : NULL;
  if (!value->producer || strcmp (value->producer->type, "Constant") != 0)
    return NULL;
  attribute = node_attribute (value->producer, "value");
  return attribute ? attribute->tensor : NULL;
}

/* ---- windows ---------------------------------------------------------------------------------------------------------------------------- */

static const char *const window_operators[] = { "AveragePool", "Conv", "ConvTranspose", "LpPool", "MaxPool", NULL };

/* What "same" padding comes to. */
static void
fill_same_padding (FoveaLayer *layer, gboolean upper, guint first)
{
  for (guint i = 0; i < 2; i++)
    {
      gint64 in = layer->in.dims[first + i], out = layer->out.dims[first + i];
      gint64 total = MAX ((out - 1) * layer->stride[i] + (layer->kernel[i] - 1) * layer->dilation[i] + 1 - in, 0);

      layer->padding[i] = (int) (upper ? total / 2 : total - total / 2);
      layer->padding[2 + i] = (int) (total - layer->padding[i]);
    }
}

/* Kernel, stride, padding and dilation of a window over two sides. A window over one is taken to be one high. */
static void
fill_window (const Node *node, FoveaLayer *layer)
{
  const FoveaTensor *weights = get_constant (node_input (node, 1));
  const char        *auto_pad = node_string (node, "auto_pad", "NOTSET");
  const gint64      *kernel, *stride, *padding, *dilation;
  gsize              n_sides = layer->in.n_dims - 2, n_kernel = node_ints (node, "kernel_shape", &kernel);
  gsize              n_stride = node_ints (node, "strides", &stride), n_padding = node_ints (node, "pads", &padding);
  gsize              n_dilation = node_ints (node, "dilations", &dilation);

  if (layer->in.n_dims < 3 || layer->in.n_dims > 4 || layer->out.n_dims != layer->in.n_dims || !is_one_of (node->type, window_operators))
    return;
  if (n_kernel != n_sides && weights && weights->shape.n_dims == layer->in.n_dims)
    {
      kernel = weights->shape.dims + 2;
      n_kernel = n_sides;
    }
  if (n_kernel != n_sides)
    return;
  layer->has_window = TRUE;
  for (guint i = 0; i < 2; i++)
    {
      guint side = i + n_sides - 2; /* wraps for the side that isn't there */

      layer->kernel[i] = side < n_sides ? (int) kernel[side] : 1;
      layer->stride[i] = side < n_stride ? (int) stride[side] : 1;
      layer->dilation[i] = side < n_dilation ? (int) dilation[side] : 1;
      layer->padding[i] = side < n_sides && n_padding == 2 * n_sides ? (int) padding[side] : 0;
      layer->padding[2 + i] = side < n_sides && n_padding == 2 * n_sides ? (int) padding[n_sides + side] : 0;
    }
  if (g_str_has_prefix (auto_pad, "SAME") && n_sides == 2 && strcmp (node->type, "ConvTranspose") != 0)
    fill_same_padding (layer, strcmp (auto_pad, "SAME_UPPER") == 0, 2);
}

/* ---- arithmetic and parameters ---------------------------------------------------------------------------------------------------------- */

static guint64
count (const FoveaShape *shape, guint first, guint last)
{
  guint64 n = 1;

  for (guint i = first; i < last; i++)
    n *= (guint64) MAX (shape->dims[i], 0);
  return n;
}

/* Constants of these are settings, not something learned; so are single numbers anywhere. */
static const char *const without_parameters[] = { "Clip", "Pad", "Resize", "Upsample", "Slice", NULL };

static guint64
count_parameters (Walk *walk, const Node *node)
{
  guint64 n = 0;

  if (is_one_of (node->type, without_parameters))
    return 0;
  for (guint i = 0; i < node->inputs->len; i++)
    {
      const FoveaTensor *tensor = get_constant (node_input (node, i));

      if (tensor && type_is_float (tensor->type) && tensor->shape.n_dims > 0 && g_hash_table_add (walk->counted, (gpointer) tensor))
        n += count (&tensor->shape, 0, tensor->shape.n_dims);
    }
  return n;
}

/* ---- receptive field -------------------------------------------------------------------------------------------------------------------- */

/* Every value of what these give depends on all places. */
static const char *const whole_operators[] = {
  "Gemm", "GlobalAveragePool", "GlobalLpPool", "GlobalMaxPool", "GroupNormalization", "InstanceNormalization", "LayerNormalization", "MatMul",
  "MeanVarianceNormalization", NULL,
};
static const char *const scaling_operators[] = { "DepthToSpace", "Resize", "SpaceToDepth", "Upsample", NULL };

/* The farthest of what the inputs see; FALSE if one of them sees all. */
static gboolean
join_sights (const Walk *walk, const Node *node, Sight *sight)
{
  *sight = (Sight) { { 0, 0 }, { 1, 1 } };
  for (guint i = 0; i < node->inputs->len; i++)
    {
      const Value *value = node_input (node, i);
      const Sight *other = value && !get_constant (value) ? g_hash_table_lookup (walk->sights, value) : NULL;

      if (!value || get_constant (value))
        continue;
      if (!other || other->field[0] <= 0)
        return FALSE;
      for (guint side = 0; side < 2; side++)
        {
          sight->field[side] = MAX (sight->field[side], other->field[side]);
          sight->jump[side] = MAX (sight->jump[side], other->jump[side]);
        }
    }
  return sight->field[0] > 0;
}

/* The step of a Slice along a side; 1 where it isn't known. */
static double
get_slice_step (const Node *node, guint side)
{
  const FoveaTensor *axes = get_constant (node_input (node, 3)), *steps = get_constant (node_input (node, 4));
  gsize              n = axes ? shape_count (&axes->shape) : 0;

  if (!steps || n > FOVEA_MAX_DIMS || shape_count (&steps->shape) != n)
    return 1;
  for (gsize i = 0; i < n; i++)
    {
      gint64 axis, step;

      tensor_read_int64 (axes, i, 1, &axis);
      tensor_read_int64 (steps, i, 1, &step);
      if (axis == 2 + (gint64) side || axis == (gint64) side - 2)
        return MAX (fabs ((double) step), 1);
    }
  return 1;
}

static void
move_sight (const Node *node, const FoveaLayer *layer, Sight *sight)
{
  gboolean transposed = strcmp (node->type, "ConvTranspose") == 0, scales = is_one_of (node->type, scaling_operators);
  gboolean slices = strcmp (node->type, "Slice") == 0;

  for (guint i = 0; i < 2; i++)
    {
      double stride = layer->has_window ? layer->stride[i] : 1, reach = layer->has_window ? (layer->kernel[i] - 1) * (double) layer->dilation[i] : 0;

      if (scales && layer->out.dims[2 + i] > 0)
        stride = (double) layer->in.dims[2 + i] / layer->out.dims[2 + i];
      else if (slices)
        stride = get_slice_step (node, i);
      if (strcmp (node->type, "SpaceToDepth") == 0)
        reach = stride - 1;
      sight->field[i] += (transposed ? floor (reach / stride) : reach) * sight->jump[i];
      sight->jump[i] *= transposed ? 1 / stride : stride;
    }
}

static gboolean
keeps_places (const Node *node, const FoveaLayer *layer)
{
  const gint64 *order;

  if (is_one_of (node->type, whole_operators) || g_str_has_prefix (node->type, "Reduce") || layer->in.n_dims != 4 || layer->out.n_dims != 4)
    return FALSE;
  if (strcmp (node->type, "Transpose") == 0) /* between NCHW and NHWC */
    return node_ints (node, "perm", &order) == 4 && order[0] == 0 && ((order[1] == 3 && order[2] == 1) || (order[1] == 2 && order[2] == 3));
  return strcmp (node->type, "Reshape") != 0;
}

static int
find_field (Walk *walk, const Node *node, const FoveaLayer *layer)
{
  Sight  sight = { { 0, 0 }, { 1, 1 } };
  double field;

  if (!keeps_places (node, layer) || !join_sights (walk, node, &sight))
    sight.field[0] = sight.field[1] = 0;
  else
    move_sight (node, layer, &sight);
  for (guint i = 0; i < node->outputs->len; i++)
    if (node_output (node, i))
      g_hash_table_insert (walk->sights, node_output (node, i), g_memdup2 (&sight, sizeof sight));
  field = MAX (sight.field[0], sight.field[1]);
  return field < G_MAXINT ? (int) ceil (field) : 0;
}

/* ---- public ----------------------------------------------------------------------------------------------------------------------------- */

static void
fill_layer (Walk *walk, const Node *node, FoveaLayer *layer)
{
  const Value *in = node_input (node, 0), *out = node_output (node, 0);

  for (guint i = 1; i < node->inputs->len && get_constant (in); i++)
    if (node_input (node, i) && !get_constant (node_input (node, i)))
      in = node_input (node, i);
  layer->name = g_strdup (node->name);
  layer->operator_type = g_strdup (node->type);
  layer->in = in ? in->shape : (FoveaShape) { 0 };
  layer->out = out ? out->shape : (FoveaShape) { 0 };
  fill_window (node, layer);
  layer->parameters = count_parameters (walk, node);
  layer->macs = node_count_macs (node);
  layer->receptive_field = find_field (walk, node, layer);
}

FoveaLayer *
fovea_model_list_layers (FoveaModel *model, const FoveaSessionOptions *options, gsize *n, GError **error)
{
  g_autoptr (Graph) graph = session_infer (model, options, error);
  g_autoptr (GHashTable) sights = g_hash_table_new_full (NULL, NULL, NULL, g_free);
  g_autoptr (GHashTable) counted = g_hash_table_new (NULL, NULL);
  Walk        walk = { sights, counted };
  FoveaLayer *layers;

  *n = 0;
  if (!graph)
    return NULL;
  for (guint i = 0; i < graph->inputs->len; i++)
    {
      Sight pixel = { { 1, 1 }, { 1, 1 } };

      g_hash_table_insert (sights, g_ptr_array_index (graph->inputs, i), g_memdup2 (&pixel, sizeof pixel));
    }
  layers = g_new0 (FoveaLayer, graph->nodes->len + 1);
  for (guint i = 0; i < graph->nodes->len; i++)
    {
      const Node *node = g_ptr_array_index (graph->nodes, i);

      if (strcmp (node->type, "Constant") != 0 && !(strcmp (node->type, "Cast") == 0 && get_constant (node_input (node, 0))))
        fill_layer (&walk, node, &layers[(*n)++]);
    }
  return layers;
}

void
fovea_layers_free (FoveaLayer *layers, gsize n)
{
  for (gsize i = 0; i < n; i++)
    {
      g_free (layers[i].name);
      g_free (layers[i].operator_type);
    }
  g_free (layers);
}

char **
fovea_list_operators (void)
{
  gsize                  n;
  const Operator *const *operators = operator_list (&n);
  GPtrArray             *names = g_ptr_array_new ();

  for (gsize i = 0; i < n; i++)
    if (!*operators[i]->domain)
      g_ptr_array_add (names, g_strdup (operators[i]->type));
  g_ptr_array_add (names, NULL);
  return (char **) g_ptr_array_free (names, FALSE);
}
