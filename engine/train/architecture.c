/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * architecture.c: see architecture.h. Weights begin as He et al. 2015 (arXiv:1502.01852) have it: normal, of variance 2 / fan-in; the last normalization of
 * a residual branch begins at zero, so that the block begins as nothing (Goyal et al. 2017, arXiv:1706.02677).
 */

#include "train/architecture.h"

#include <string.h>

#include "model/model.h"
#include "train/detector.h"
#include "train/random.h"

#define MOST_CHANNELS 16384

typedef struct
{
  const ArchitectureSettings *settings;
  Graph      *graph;
  Value      *x;
  gint64      channels;
  gboolean    flat;       /* x is (N, channels) */
  const char *activation;
  Random      random;
  char      **words;      /* of this line */
  guint       n_words;
  guint       n_nodes;    /* for names */
  GHashTable *channels_of; /* name -> GSIZE channels */
} Builder;

/* ---- reading a line ---------------------------------------------------------------------------------------------------------- */

/* Word i as a number from 1 to `most`; `otherwise` where the line has no such word (0: it must). */
static gboolean
read_count (Builder *builder, guint i, gint64 most, gint64 otherwise, gint64 *number, GError **error)
{
  *number = otherwise;
  if (i >= builder->n_words)
    {
      if (otherwise > 0)
        return TRUE;
      g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_ARGUMENT, "a number is missing after “%s”.", builder->words[i - 1]);
      return FALSE;
    }
  if (strcmp (builder->words[i], "classes") == 0)
    {
      *number = builder->settings->n_classes;
      return TRUE;
    }
  return g_ascii_string_to_signed (builder->words[i], 10, 1, most, number, error);
}

/* ---- nodes and weights -------------------------------------------------------------------------------------------------------- */

static Node *
begin (Builder *builder, const char *type, Value *input)
{
  g_autofree char *name = g_strdup_printf ("%s_%u", type, builder->n_nodes++);
  Node            *node = graph_add_node (builder->graph, "", type, name, -1);

  node_add_input (node, input);
  return node;
}

static Value *
end (Builder *builder, Node *node)
{
  Value *out = graph_add_value (builder->graph, node->name);

  node_add_output (node, out);
  return out;
}

/* A new constant of `dims`: normal with that deviation around `mean`. */
static void
add_weights (Builder *builder, Node *node, const char *role, guint n_dims, const gint64 *dims, double mean, double deviation)
{
  g_autofree char *name = g_strdup_printf ("%s.%s", node->name, role);
  FoveaShape       shape = { .n_dims = n_dims };
  FoveaTensor     *tensor;
  float           *data;
  gsize            n = 1;

  for (guint i = 0; i < n_dims; i++)
    n *= (gsize) (shape.dims[i] = dims[i]);
  tensor = fovea_tensor_new (FOVEA_TYPE_FLOAT32, &shape, NULL);
  g_assert (tensor != NULL); /* MOST_CHANNELS bounds it */
  data = tensor->data;
  for (gsize i = 0; i < n; i++)
    data[i] = (float) (deviation > 0.0 ? mean + deviation * random_normal (&builder->random) : mean);
  node_add_input (node, graph_add_constant (builder->graph, name, tensor));
  fovea_tensor_unref (tensor);
}

static Value *
convolve (Builder *builder, Value *x, gint64 in, gint64 out, gint64 kernel, gint64 stride, gint64 groups, gboolean bias)
{
  const gint64 window[2] = { kernel, kernel }, strides[2] = { stride, stride }, before = (kernel - 1) / 2, after = kernel / 2;
  const gint64 pads[4] = { before, before, after, after }, dims[4] = { out, in / groups, kernel, kernel };
  Node        *conv = begin (builder, "Conv", x);

  node_set_ints (conv, "kernel_shape", window, 2);
  node_set_ints (conv, "strides", strides, 2);
  node_set_ints (conv, "pads", pads, 4);
  node_set_int (conv, "group", groups);
  add_weights (builder, conv, "weight", 4, dims, 0.0, sqrt (2.0 / (double) (in / groups * kernel * kernel)));
  if (bias)
    add_weights (builder, conv, "bias", 1, dims, 0.0, 0.0);
  return end (builder, conv);
}

static Value *
normalize (Builder *builder, Value *x, gint64 channels, double scale)
{
  Node *norm = begin (builder, "BatchNormalization", x);

  add_weights (builder, norm, "scale", 1, &channels, scale, 0.0);
  add_weights (builder, norm, "bias", 1, &channels, 0.0, 0.0);
  add_weights (builder, norm, "mean", 1, &channels, 0.0, 0.0);
  add_weights (builder, norm, "variance", 1, &channels, 1.0, 0.0);
  return end (builder, norm);
}

static Value *
activate (Builder *builder, Value *x, const char *kind)
{
  Node *node;

  if (strcmp (kind, "none") == 0)
    return x;
  if (strcmp (kind, "silu") == 0)
    {
      Value *gate = end (builder, begin (builder, "Sigmoid", x));

      node = begin (builder, "Mul", x);
      node_add_input (node, gate);
      return end (builder, node);
    }
  if (strcmp (kind, "relu6") == 0)
    {
      node = begin (builder, "Clip", x);
      add_weights (builder, node, "min", 0, NULL, 0.0, 0.0);
      add_weights (builder, node, "max", 0, NULL, 6.0, 0.0);
      return end (builder, node);
    }
  node = begin (builder, strcmp (kind, "leaky") == 0 ? "LeakyRelu" : strcmp (kind, "hardswish") == 0 ? "HardSwish" : "Relu", x);
  if (strcmp (kind, "leaky") == 0)
    node_set_float (node, "alpha", 0.1f);
  return end (builder, node);
}

static Value *
add (Builder *builder, Value *a, Value *b)
{
  Node *node = begin (builder, "Add", a);

  node_add_input (node, b);
  return end (builder, node);
}

/* What is known of an output. */
static void
set_type (Value *x, guint n_dims, gint64 channels)
{
  x->type = FOVEA_TYPE_FLOAT32;
  x->has_rank = TRUE;
  x->shape = (FoveaShape) { .n_dims = n_dims, .dims = { -1, channels, -1, -1 } };
  x->dim_names[0] = g_strdup ("batch");
}

/* ---- blocks ---------------------------------------------------------------------------------------------------------------------- */

static gboolean
conv_block (Builder *builder, GError **error)
{
  gint64 out, kernel, stride;

  if (!read_count (builder, 1, MOST_CHANNELS, 0, &out, error) || !read_count (builder, 2, 31, 3, &kernel, error)
      || !read_count (builder, 3, 16, 1, &stride, error))
    return FALSE;
  builder->x = convolve (builder, builder->x, builder->channels, out, kernel, stride, 1, FALSE);
  builder->x = activate (builder, normalize (builder, builder->x, out, 1.0), builder->activation);
  builder->channels = out;
  return TRUE;
}

static gboolean
depthwise_block (Builder *builder, GError **error)
{
  gint64 kernel, stride;

  if (!read_count (builder, 1, 31, 3, &kernel, error) || !read_count (builder, 2, 16, 1, &stride, error))
    return FALSE;
  builder->x = convolve (builder, builder->x, builder->channels, builder->channels, kernel, stride, builder->channels, FALSE);
  builder->x = activate (builder, normalize (builder, builder->x, builder->channels, 1.0), builder->activation);
  return TRUE;
}

static gboolean
basic_block (Builder *builder, GError **error)
{
  Value *way = builder->x, *x;
  gint64 out, stride;

  if (!read_count (builder, 1, MOST_CHANNELS, 0, &out, error) || !read_count (builder, 2, 16, 1, &stride, error))
    return FALSE;
  x = convolve (builder, builder->x, builder->channels, out, 3, stride, 1, FALSE);
  x = activate (builder, normalize (builder, x, out, 1.0), builder->activation);
  x = normalize (builder, convolve (builder, x, out, out, 3, 1, 1, FALSE), out, 0.0);
  if (stride != 1 || out != builder->channels)
    way = normalize (builder, convolve (builder, way, builder->channels, out, 1, stride, 1, FALSE), out, 1.0);
  builder->x = activate (builder, add (builder, x, way), builder->activation);
  builder->channels = out;
  return TRUE;
}

static Value *
squeeze (Builder *builder, Value *x, gint64 channels)
{
  gint64 inner = MAX (16, channels / 4 / 16 * 16);
  Value *gate = end (builder, begin (builder, "GlobalAveragePool", x));
  Node  *node;

  gate = activate (builder, convolve (builder, gate, channels, inner, 1, 1, 1, TRUE), "relu");
  gate = convolve (builder, gate, inner, channels, 1, 1, 1, TRUE);
  gate = end (builder, begin (builder, "HardSigmoid", gate));
  node = begin (builder, "Mul", x);
  node_add_input (node, gate);
  return end (builder, node);
}

static gboolean
inverted_block (Builder *builder, GError **error)
{
  gboolean with_squeeze = builder->n_words > 4 && strcmp (builder->words[builder->n_words - 1], "squeeze") == 0;
  gint64   out, stride, expand, kernel, inner;
  Value   *x = builder->x;

  builder->n_words -= with_squeeze ? 1 : 0;
  if (!read_count (builder, 1, MOST_CHANNELS, 0, &out, error) || !read_count (builder, 2, 16, 0, &stride, error)
      || !read_count (builder, 3, 16, 0, &expand, error) || !read_count (builder, 4, 31, 3, &kernel, error))
    return FALSE;
  inner = builder->channels * expand;
  if (inner > MOST_CHANNELS)
    {
      g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_ARGUMENT, "%" G_GINT64_FORMAT " channels inside are too many.", inner);
      return FALSE;
    }
  if (expand > 1)
    x = activate (builder, normalize (builder, convolve (builder, x, builder->channels, inner, 1, 1, 1, FALSE), inner, 1.0), builder->activation);
  x = convolve (builder, x, inner, inner, kernel, stride, inner, FALSE);
  x = activate (builder, normalize (builder, x, inner, 1.0), builder->activation);
  if (with_squeeze)
    x = squeeze (builder, x, inner);
  x = convolve (builder, x, inner, out, 1, 1, 1, FALSE);
  if (stride == 1 && out == builder->channels)
    builder->x = add (builder, normalize (builder, x, out, 0.0), builder->x);
  else
    builder->x = normalize (builder, x, out, 1.0);
  builder->channels = out;
  return TRUE;
}

static gboolean
pool_block (Builder *builder, GError **error)
{
  gint64 kernel, stride;
  Node  *node;

  if (!read_count (builder, 1, 31, 2, &kernel, error) || !read_count (builder, 2, 16, 2, &stride, error))
    return FALSE;
  node = begin (builder, strcmp (builder->words[0], "max") == 0 ? "MaxPool" : "AveragePool", builder->x);
  node_set_ints (node, "kernel_shape", (const gint64[]) { kernel, kernel }, 2);
  node_set_ints (node, "strides", (const gint64[]) { stride, stride }, 2);
  if (kernel % 2)
    node_set_ints (node, "pads", (const gint64[]) { kernel / 2, kernel / 2, kernel / 2, kernel / 2 }, 4);
  builder->x = end (builder, node);
  return TRUE;
}

static gboolean
up_block (Builder *builder, GError **error)
{
  static const float scales[4] = { 1.0f, 1.0f, 2.0f, 2.0f };
  const FoveaShape   shape = { .n_dims = 1, .dims = { 4 } };
  FoveaTensor       *tensor = fovea_tensor_new (FOVEA_TYPE_FLOAT32, &shape, error);
  Node              *node;

  if (!tensor)
    return FALSE;
  memcpy (tensor->data, scales, sizeof scales);
  node = begin (builder, "Resize", builder->x);
  node_add_input (node, NULL);
  node_add_input (node, graph_add_constant (builder->graph, "scales", tensor));
  fovea_tensor_unref (tensor);
  node_set_string (node, "mode", "linear");
  node_set_string (node, "coordinate_transformation_mode", "half_pixel");
  builder->x = end (builder, node);
  return TRUE;
}

static gboolean
name_block (Builder *builder, GError **error)
{
  Value *named;
  Node  *node;

  if (builder->n_words < 2 || g_hash_table_contains (builder->channels_of, builder->words[1]) || graph_find_value (builder->graph, builder->words[1]))
    {
      g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_ARGUMENT, "give it a name that isn't taken.");
      return FALSE;
    }
  node = builder->x->producer;
  if (!node)
    return TRUE;
  named = graph_add_value (builder->graph, builder->words[1]);
  graph_replace_value (builder->graph, builder->x, named);
  g_ptr_array_set_size (node->outputs, 0);
  builder->x->producer = NULL;
  node_add_output (node, named);
  builder->x = named;
  g_hash_table_insert (builder->channels_of, named->name, GSIZE_TO_POINTER (builder->channels));
  return TRUE;
}

static gboolean
join_block (Builder *builder, GError **error)
{
  gboolean is_sum = strcmp (builder->words[0], "add") == 0;
  gint64   channels = builder->n_words > 1 ? (gint64) GPOINTER_TO_SIZE (g_hash_table_lookup (builder->channels_of, builder->words[1])) : 0;
  Node    *node;

  if (channels == 0 || (is_sum && channels != builder->channels))
    {
      g_set_error (error, FOVEA_ERROR, FOVEA_ERROR_ARGUMENT, "%s", channels ? "the channels differ." : "name a tensor from above.");
      return FALSE;
    }
  node = begin (builder, is_sum ? "Add" : "Concat", builder->x);
  node_add_input (node, graph_find_value (builder->graph, builder->words[1]));
  if (!is_sum)
    {
      node_set_int (node, "axis", 1);
      builder->channels += channels;
    }
  builder->x = end (builder, node);
  return TRUE;
}

static gboolean
global_block (Builder *builder, GError **error)
{
  (void) error;
  builder->x = end (builder, begin (builder, "GlobalAveragePool", builder->x));
  builder->x = end (builder, begin (builder, "Flatten", builder->x));
  builder->flat = TRUE;
  return TRUE;
}

static gboolean
dropout_block (Builder *builder, GError **error)
{
  double share = builder->n_words > 1 ? g_ascii_strtod (builder->words[1], NULL) : 0.5;
  Node  *node;

  if (!(share >= 0.0 && share < 1.0))
    {
      g_set_error_literal (error, FOVEA_ERROR, FOVEA_ERROR_ARGUMENT, "give a share of 0 or more, below 1.");
      return FALSE;
    }
  node = begin (builder, "Dropout", builder->x);
  add_weights (builder, node, "ratio", 0, NULL, share, 0.0);
  builder->x = end (builder, node);
  return TRUE;
}

static gboolean
linear_block (Builder *builder, GError **error)
{
  gint64 out;
  Node  *node;

  if (!read_count (builder, 1, MOST_CHANNELS, 0, &out, error))
    return FALSE;
  if (!builder->flat)
    builder->x = end (builder, begin (builder, "Flatten", builder->x));
  builder->flat = TRUE;
  node = begin (builder, "Gemm", builder->x);
  node_set_int (node, "transB", 1);
  add_weights (builder, node, "weight", 2, (const gint64[]) { out, builder->channels }, 0.0, 0.01);
  add_weights (builder, node, "bias", 1, &out, 0.0, 0.0);
  builder->x = end (builder, node);
  builder->channels = out;
  return TRUE;
}

static gboolean
project_block (Builder *builder, GError **error)
{
  gint64 out, kernel;

  if (!read_count (builder, 1, MOST_CHANNELS, 0, &out, error) || !read_count (builder, 2, 31, 1, &kernel, error))
    return FALSE;
  builder->x = convolve (builder, builder->x, builder->channels, out, kernel, 1, 1, TRUE);
  builder->channels = out;
  return TRUE;
}

/* Scores begin low: nearly all cells show nothing, and would drown the others at first (Lin et al. 2017, arXiv:1708.02002). */
static gboolean
detect_block (Builder *builder, GError **error)
{
  gint64       out = 4 + (gint64) builder->settings->n_classes;
  FoveaTensor *bias;
  Value       *cells;

  if (builder->n_words < 2)
    {
      g_set_error_literal (error, FOVEA_ERROR, FOVEA_ERROR_ARGUMENT, "give the output a name.");
      return FALSE;
    }
  cells = convolve (builder, builder->x, builder->channels, out, 1, 1, 1, TRUE);
  detector_reset_rows (node_input (cells->producer, 1)->constant, 0, &builder->random);
  bias = node_input (cells->producer, 2)->constant;
  for (gint64 c = 4; c < out; c++)
    ((float *) bias->data)[c] = DETECTOR_PRIOR;
  builder->x = cells;
  builder->channels = out;
  if (!name_block (builder, error))
    return FALSE;
  set_type (builder->x, 4, builder->channels);
  g_ptr_array_add (builder->graph->outputs, builder->x);
  return TRUE;
}

static gboolean
from_block (Builder *builder, GError **error)
{
  gint64 channels = builder->n_words > 1 ? (gint64) GPOINTER_TO_SIZE (g_hash_table_lookup (builder->channels_of, builder->words[1])) : 0;

  if (channels == 0)
    {
      g_set_error_literal (error, FOVEA_ERROR, FOVEA_ERROR_ARGUMENT, "name a tensor from above.");
      return FALSE;
    }
  builder->x = graph_find_value (builder->graph, builder->words[1]);
  builder->channels = channels;
  return TRUE;
}

static gboolean
activation_block (Builder *builder, GError **error)
{
  static const char *const kinds[] = { "relu", "relu6", "leaky", "silu", "hardswish", "none" };

  for (gsize i = 0; i < G_N_ELEMENTS (kinds); i++)
    if (builder->n_words > 1 && strcmp (builder->words[1], kinds[i]) == 0)
      {
        builder->activation = kinds[i];
        return TRUE;
      }
  g_set_error_literal (error, FOVEA_ERROR, FOVEA_ERROR_ARGUMENT, "say relu, relu6, leaky, silu, hardswish or none.");
  return FALSE;
}

static gboolean
output_block (Builder *builder, GError **error)
{
  Node *node = begin (builder, strcmp (builder->words[0], "sigmoid") == 0 ? "Sigmoid" : "Softmax", builder->x);

  (void) error;
  if (strcmp (node->type, "Softmax") == 0)
    node_set_int (node, "axis", 1);
  builder->x = end (builder, node);
  return TRUE;
}

/* ---- the whole --------------------------------------------------------------------------------------------------------------------- */

static const struct
{
  const char *word;
  gboolean    photo; /* works on photos only, not behind `global` */
  gboolean  (*build) (Builder *builder, GError **error);
} blocks[] = {
  { "activation", FALSE, activation_block }, { "conv", TRUE, conv_block },      { "depthwise", TRUE, depthwise_block }, { "basic", TRUE, basic_block },
  { "inverted", TRUE, inverted_block },      { "max", TRUE, pool_block },       { "average", TRUE, pool_block },        { "up", TRUE, up_block },
  { "name", FALSE, name_block },             { "join", TRUE, join_block },      { "add", TRUE, join_block },            { "global", TRUE, global_block },
  { "dropout", FALSE, dropout_block },       { "linear", FALSE, linear_block }, { "project", TRUE, project_block },     { "sigmoid", FALSE, output_block },
  { "softmax", FALSE, output_block },        { "detect", TRUE, detect_block },    { "from", TRUE, from_block },
};

static gboolean
build_line (Builder *builder, GError **error)
{
  for (gsize i = 0; i < G_N_ELEMENTS (blocks); i++)
    if (strcmp (builder->words[0], blocks[i].word) == 0)
      {
        if (!builder->flat || !blocks[i].photo)
          return blocks[i].build (builder, error);
        g_set_error_literal (error, FOVEA_ERROR, FOVEA_ERROR_ARGUMENT, "it needs pixels; put it before “global”.");
        return FALSE;
      }
  g_set_error_literal (error, FOVEA_ERROR, FOVEA_ERROR_ARGUMENT, "there is no such block.");
  return FALSE;
}

/* The words of a line; none for an empty one. */
static char **
split_line (const char *line, guint *n)
{
  g_autofree char *text = g_strdup (line);
  g_auto (GStrv) parts = NULL;
  g_autoptr (GStrvBuilder) words = g_strv_builder_new ();

  *strchrnul (text, '#') = '\0';
  parts = g_strsplit_set (text, " \t\r", -1);
  *n = 0;
  for (guint i = 0; parts[i]; i++)
    if (*parts[i])
      {
        g_strv_builder_add (words, parts[i]);
        (*n)++;
      }
  return g_strv_builder_end (words);
}

static gboolean
build_lines (Builder *builder, const char *text, GError **error)
{
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);

  for (guint i = 0; lines[i]; i++)
    {
      g_auto (GStrv) words = split_line (lines[i], &builder->n_words);

      builder->words = words;
      if (builder->n_words > 0 && !build_line (builder, error))
        {
          g_prefix_error (error, "Line %u of the network's description, “%s”: ", i + 1, g_strstrip (lines[i]));
          return FALSE;
        }
    }
  if (builder->x->producer)
    return TRUE;
  g_set_error_literal (error, FOVEA_ERROR, FOVEA_ERROR_ARGUMENT, "The network's description has no blocks. Give at least one line.");
  return FALSE;
}

static void
begin_graph (Builder *builder)
{
  static const char *const names[] = { "batch", NULL, "height", "width" };

  builder->x = graph_add_value (builder->graph, "image");
  builder->x->type = FOVEA_TYPE_FLOAT32;
  builder->x->has_rank = TRUE;
  builder->x->shape = (FoveaShape) { .n_dims = 4, .dims = { -1, builder->settings->channels, -1, -1 } };
  for (guint d = 0; d < 4; d++)
    builder->x->dim_names[d] = g_strdup (names[d]);
  g_ptr_array_add (builder->graph->inputs, builder->x);
}

FoveaModel *
architecture_build (const char *text, const char *name, const ArchitectureSettings *settings, GError **error)
{
  Builder builder = { .settings = settings, .graph = graph_new (), .channels = settings->channels, .activation = "relu",
                      .random = random_stream (settings->seed, 0, 0), .channels_of = g_hash_table_new (g_str_hash, g_str_equal) };
  gboolean ok;

  begin_graph (&builder);
  ok = build_lines (&builder, text, error);
  g_hash_table_unref (builder.channels_of);
  if (!ok)
    {
      graph_free (builder.graph);
      return NULL;
    }
  if (builder.graph->outputs->len == 0)
    {
      set_type (builder.x, builder.flat ? 2 : 4, builder.channels);
      g_ptr_array_add (builder.graph->outputs, builder.x);
    }
  return model_new_for_graph (builder.graph, name);
}
