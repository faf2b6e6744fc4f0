/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * conv.h: the settings of a convolution, also in the fused form that passes of compile/ make: y = activation (conv (x) + bias + residual).
 *
 * A fused node is still a Conv (or ConvTranspose) node. Its inputs are x, W, B (may be NULL) and, where params->residual, the residual as
 * input 3, of the same shape as the output.
 */
#pragma once

#include "kernels/activation.h"
#include "model/graph.h"

#define CONV_MAX_SPATIAL 3

typedef enum
{
  PAD_EXPLICIT,
  PAD_VALID,
  PAD_SAME_UPPER,
  PAD_SAME_LOWER,
} AutoPad;

/* A window that moves over the spatial dimensions: convolutions and pools. */
typedef struct
{
  guint    n_spatial;                    /* 1 to 3; 0 until it is known */
  gboolean has_kernel;                   /* FALSE: kernel comes from the weights' shape */
  gint64   kernel[CONV_MAX_SPATIAL];
  gint64   stride[CONV_MAX_SPATIAL];
  gint64   dilation[CONV_MAX_SPATIAL];
  gint64   pad_begin[CONV_MAX_SPATIAL], pad_end[CONV_MAX_SPATIAL]; /* as given; see window_output for auto_pad */
  AutoPad  auto_pad;
} Window;

typedef struct
{
  Window     window;
  gint64     group;
  gboolean   has_output_shape;           /* ConvTranspose only, as output_padding */
  gint64     output_shape[CONV_MAX_SPATIAL];
  gint64     output_padding[CONV_MAX_SPATIAL];
  Activation activation;                 /* applied last */
  gboolean   residual;                   /* input 3 is added before the activation */
} ConvParams;

/* Whether the node is a Conv or ConvTranspose. Node must be parsed (node->params). */
gboolean conv_is               (const Node *node);

/* Whether each output channel can be scaled and shifted within the node: weights and bias are constants, nothing is fused yet. */
gboolean conv_can_fold         (const Node *node);

/* Makes y = conv (x) * scale[k] + shift[k] of the node: new constants for weights (float32, float64 stays) and bias; n = output channels.
 * The old constants stay as they are, for their other users. */
gboolean conv_fold             (Graph *graph, Node *node, const double *scale, const double *shift, gsize n, GError **error);

/* The number of output channels, or 0 where it isn't known. */
gsize    conv_out_channels     (const Node *node);

/* An activation after the node can go into it: there is none yet. */
gboolean conv_can_activate     (const Node *node);
void     conv_set_activation   (Node *node, const Activation *activation);

/* An addition of a tensor of the output's shape can go into the node: neither residual nor activation yet. */
gboolean conv_can_add_residual (const Node *node);
void     conv_add_residual     (Node *node, Value *residual);

/* ConvTranspose takes no residual: conv_can_add_residual is FALSE for it. */
