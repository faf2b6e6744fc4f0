/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * fuse-rows.c: a depthwise convolution, the pointwise one (or the first layer) before it and the pointwise one after it become one node, which computes
 * them by bands of rows (ops/conv-rows.c), where what lies between them is too large to stay in the cache otherwise. Runs when layouts are settled.
 *
 *     expand ═▶ depthwise ═▶ project ═▶        the inverted residual of MobileNet; with squeeze-and-excitation before project: the first two
 */

#include <string.h>

#include "compile/passes.h"
#include "ops/conv-rows.h"
#include "ops/operator.h"

#define LEAST_BYTES  (512 * 1024) /* between the convolutions: less stays in the second-level cache anyway */
#define WEIGHT_BYTES (64 * 1024)  /* at most: each band reads them again */

/* Convolutions in a row. */
typedef struct
{
  Node     *nodes[CONV_ROWS_MOST];
  ConvShape shapes[CONV_ROWS_MOST];
  ConvKind  kinds[CONV_ROWS_MOST];
  guint     n;
} Chain;

/* Whether the node is a convolution whose blocked form the chain can take; its kind and shape. */
static gboolean
is_able (const Node *node, ConvShape *shape, ConvKind *kind)
{
  const Value *weights, *bias;

  if (!node || !conv_is (node) || strcmp (node->type, "Conv") != 0 || node_output (node, 0)->layout != LAYOUT_BLOCKED)
    return FALSE;
  weights = node_input (node, 1);
  bias = node_input (node, 2);
  if (!weights->constant || (bias && !bias->constant) || !conv_blocked_shape (node, shape))
    return FALSE;
  *kind = conv_choose (shape);
  return shape->n > 0 && shape->window.pad_begin[0] < (shape->window.kernel[0] - 1) * shape->window.dilation[0] + 1;
}

static gboolean
has_residual (const Node *node)
{
  return ((const ConvParams *) node->params)->residual;
}

static gsize
bytes_between (const Chain *chain)
{
  gsize bytes = 0;

  for (guint i = 0; i + 1 < chain->n; i++)
    bytes += (gsize) (chain->shapes[i].outputs * chain->shapes[i].out_h * chain->shapes[i].out_w) * sizeof (float);
  return bytes;
}

static gsize
weight_bytes (const Chain *chain)
{
  gsize bytes = 0;

  for (guint i = 0; i < chain->n; i++)
    bytes += shape_count (&node_input (chain->nodes[i], 1)->shape) * sizeof (float);
  return bytes;
}

/* Measured (Zen 3, one thread), time of the convolutions one by one divided by that of the chain: 16 to 96 channels at 112 x 112 1.15, at 160 x 160 1.22;
 * 24 to 144 at 56 1.05; 32 to 192 at 28 1.02; the first layer, depthwise and project 1.05, without project 0.9. With 150 kB of weights 0.97, with 600 0.65. */
static gboolean
pays (const Chain *chain)
{
  return chain->n > 1 && (chain->kinds[0] != CONV_FIRST || chain->n == CONV_ROWS_MOST) && bytes_between (chain) >= LEAST_BYTES
         && weight_bytes (chain) <= WEIGHT_BYTES;
}

/* The chain around a depthwise convolution: FALSE where it had better stay alone. */
static gboolean
find_chain (const Graph *graph, Node *depthwise, Chain *chain)
{
  Node *before, *after;
  guint n = 0;

  if (!is_able (depthwise, &chain->shapes[1], &chain->kinds[1]) || chain->kinds[1] != CONV_DEPTHWISE)
    return FALSE;
  before = node_input (depthwise, 0)->producer;
  if (is_able (before, &chain->shapes[0], &chain->kinds[0]) && (chain->kinds[0] == CONV_POINTWISE || chain->kinds[0] == CONV_FIRST)
      && !has_residual (before) && graph_only_consumer (graph, node_output (before, 0)) == depthwise)
    chain->nodes[n++] = before;
  else
    {
      chain->shapes[0] = chain->shapes[1];
      chain->kinds[0] = chain->kinds[1];
    }
  chain->nodes[n++] = depthwise;
  after = has_residual (depthwise) ? NULL : graph_only_consumer (graph, node_output (depthwise, 0));
  if (is_able (after, &chain->shapes[n], &chain->kinds[n]) && chain->kinds[n] == CONV_POINTWISE && node_input (after, 0) == node_output (depthwise, 0))
    chain->nodes[n++] = after;
  chain->n = n;
  return pays (chain);
}

/* Puts one node in the place of the last one. */
static gboolean
join_chain (Graph *graph, const Chain *chain, guint index, GError **error)
{
  const Node      *last = chain->nodes[chain->n - 1];
  Value           *out = node_output (last, 0);
  g_autofree char *name = g_strdup_printf ("%s … %s", chain->nodes[0]->name, last->name);
  Node            *joined = graph_add_node (graph, "fovea", "ConvRows", name, (gint) index);
  ConvRowsParams  *params;

  if (!operator_parse_node (joined, error))
    return FALSE;
  params = joined->params;
  params->n = chain->n;
  params->depthwise = chain->kinds[0] == CONV_DEPTHWISE ? 0 : 1;
  node_add_input (joined, node_input (chain->nodes[0], 0));
  for (guint i = 0; i < chain->n; i++)
    {
      params->convs[i] = *(const ConvParams *) chain->nodes[i]->params;
      params->shapes[i] = chain->shapes[i];
      params->kinds[i] = chain->kinds[i];
      node_add_input (joined, node_input (chain->nodes[i], 1));
      node_add_input (joined, node_input (chain->nodes[i], 2));
    }
  if (has_residual (last))
    node_add_input (joined, node_input (last, CONV_RESIDUAL_INPUT));
  for (guint i = 0; i < chain->n; i++)
    graph_remove_node (graph, chain->nodes[i]);
  node_add_output (joined, out);
  return TRUE;
}

gboolean
fuse_rows (Graph *graph, GError **error)
{
  for (guint i = 0; i < graph->nodes->len; i++)
    {
      Chain chain = { .n = 0 };
      guint last;

      if (!find_chain (graph, g_ptr_array_index (graph->nodes, i), &chain) || !g_ptr_array_find (graph->nodes, chain.nodes[chain.n - 1], &last))
        continue;
      if (!join_chain (graph, &chain, last, error))
        return FALSE;
      i = last - chain.n + 1; /* where the joined node is now */
    }
  return TRUE;
}
