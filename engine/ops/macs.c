/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * macs.c: how many multiply-adds a node stands for, as its definition has them: Winograd does fewer.
 */

#include "ops/macs.h"

#include <string.h>

#include "ops/conv-rows.h"

static guint64
count (const FoveaShape *shape, guint first, guint last)
{
  guint64 n = 1;

  for (guint i = first; i < last; i++)
    n *= (guint64) MAX (shape->dims[i], 0);
  return n;
}

static guint64
count_rows_macs (const ConvRowsParams *params)
{
  guint64 n = 0;

  for (guint i = 0; i < params->n; i++)
    n += conv_count_macs (&params->shapes[i]);
  return n;
}

guint64
node_count_macs (const Node *node)
{
  const Value      *first = node_input (node, 0), *second = node_input (node, 1), *result = node_output (node, 0);
  const FoveaShape *in, *out, *weights;

  if (!first || !second || !result || second->shape.n_dims < 1)
    return 0;
  if (strcmp (node->type, "ConvRows") == 0 && node->params)
    return count_rows_macs (node->params);
  in = &first->shape;
  weights = &second->shape;
  out = &result->shape;
  if (strcmp (node->type, "Conv") == 0)
    return count (out, 0, out->n_dims) * count (weights, 1, weights->n_dims);
  if (strcmp (node->type, "ConvTranspose") == 0)
    return count (in, 0, in->n_dims) * count (weights, 1, weights->n_dims);
  if (strcmp (node->type, "MatMul") == 0 && in->n_dims > 0)
    return count (out, 0, out->n_dims) * count (in, in->n_dims - 1, in->n_dims);
  if (strcmp (node->type, "Gemm") == 0 && weights->n_dims == 2)
    return count (out, 0, out->n_dims) * (guint64) MAX (weights->dims[node_int (node, "transB", 0) ? 1 : 0], 0);
  return 0;
}

guint64
node_count_elements (const Node *node)
{
  guint64 n = 0;

  for (guint i = 0; i < node->inputs->len; i++)
    if (node_input (node, i) && !node_input (node, i)->constant)
      n += count (&node_input (node, i)->shape, 0, node_input (node, i)->shape.n_dims);
  for (guint i = 0; i < node->outputs->len; i++)
    if (node_output (node, i))
      n += count (&node_output (node, i)->shape, 0, node_output (node, i)->shape.n_dims);
  return n;
}
