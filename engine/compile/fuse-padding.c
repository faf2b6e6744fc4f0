/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * fuse-padding.c: zeros that a Pad puts around an image become the padding of the convolution that reads it.
 */

#include <string.h>

#include "compile/passes.h"
#include "ops/conv.h"
#include "ops/pad.h"

/* Whether the node pads nothing but the spatial dimensions, with zeros, by no negative amount. */
static gboolean
pads_zeros (const Node *node)
{
  const PadParams *params = node->params;
  const Value     *value = node_input (node, 2);
  double           number = node->opset < 11 ? node_float (node, "value", 0) : 0;

  if (*node->domain || strcmp (node->type, "Pad") != 0 || params->mode != PAD_CONSTANT)
    return FALSE;
  if (value && !value->constant)
    return FALSE;
  if (value)
    tensor_read_double (value->constant, 0, 1, &number);
  for (guint i = 0; i < node_input (node, 0)->shape.n_dims; i++)
    if (params->begin[i] < 0 || params->end[i] < 0 || (i < 2 && (params->begin[i] || params->end[i])))
      return FALSE;
  return number == 0;
}

gboolean
fuse_padding (Graph *graph, GError **error)
{
  for (guint i = 0; i < graph->nodes->len; i++)
    {
      Node            *conv = g_ptr_array_index (graph->nodes, i), *pad;
      ConvParams      *params = conv->params;
      const PadParams *padding;

      if (!conv_is (conv) || strcmp (conv->type, "Conv") != 0 || params->window.auto_pad != PAD_EXPLICIT)
        continue;
      pad = node_input (conv, 0)->producer;
      if (!pad || !pads_zeros (pad))
        continue;
      padding = pad->params;
      params->window.n_spatial = node_input (pad, 0)->shape.n_dims - 2; /* 0 where no attribute says */
      for (guint d = 0; d < params->window.n_spatial; d++)
        {
          params->window.pad_begin[d] += padding->begin[d + 2];
          params->window.pad_end[d] += padding->end[d + 2];
        }
      conv->inputs->pdata[0] = node_input (pad, 0);
    }
  return TRUE;
}
