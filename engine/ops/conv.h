/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * conv.h: the settings of a convolution, also in the fused form that passes of compile/ make: y = activation (conv (x) + bias + residual).
 *
 * A fused node is still a Conv (or ConvTranspose) node. Its inputs are x, W, B (may be NULL) and, where params->residual, the residual as
 * input 3, of the same shape as the output; in training the numbers that x is normalized with may follow.
 */
#pragma once

#include "kernels/activation.h"
#include "ops/batch-norm-parts.h"
#include "ops/step.h"
#include "ops/window.h"

#define CONV_RESIDUAL_INPUT 3

typedef struct
{
  Window     window;
  gint64     group;
  gboolean   has_output_shape;           /* ConvTranspose only, as output_padding */
  gint64     output_shape[WINDOW_MAX_SPATIAL];
  gint64     output_padding[WINDOW_MAX_SPATIAL];
  Activation activation;                 /* applied last */
  gboolean   residual;                   /* input 3 is added before the activation */
  InputNorm  norm;                       /* of x, in training: compile/fuse-norm.c */
  InputNorm  summed;                     /* a data gradient is that of this one's answer, and summed for it; its x is the input before */
  InputNorm  gradient;                   /* a weight gradient's dy is that of this one's answer; the input is its x, then come its coefficients */
  gboolean   turned;                     /* the weights are those (in, out/group, …) of the convolution whose data gradient this is */
} ConvParams;

/* ---- for passes (conv-fuse.c); nodes must be parsed ---------------------------------------------------- */

/* Whether the node is a Conv or ConvTranspose. */
gboolean conv_is               (const Node *node);

/* Whether each output channel can be scaled and shifted within the node: weights and bias are constants, nothing is fused yet. */
gboolean conv_can_fold         (const Node *node);

/* Makes y = conv (x) * scale[k] + shift[k] of the node: new constants for weights (float32; float64 stays) and bias; n = output channels.
 * The old constants stay as they are, for their other users. */
gboolean conv_fold             (Graph *graph, Node *node, const double *scale, const double *shift, gsize n, GError **error);

/* The number of output channels, or 0 where it isn't known. */
gsize    conv_out_channels     (const Node *node);

/* An activation after the node can go into it: there is none yet. */
gboolean conv_can_activate     (const Node *node);
void     conv_set_activation   (Node *node, const Activation *activation);

/* An addition of a tensor of the output's shape can go into the node: neither residual nor activation yet. FALSE for ConvTranspose. */
gboolean conv_can_add_residual (const Node *node);
void     conv_add_residual     (Node *node, Value *residual);

/* The node, a blocked convolution or the weight gradient of one, can take its image as it is before a batch normalization, and normalize it a band at a
 * time: pointwise and depthwise ones, which are bound by memory. `numbers`: gamma, beta, mean and 1 / sigma. */
gboolean conv_can_normalize    (const Node *node);
void     conv_set_norm         (Node *node, Value *image, const Activation *activation, Value *const numbers[4]);

/* Has the node, a blocked convolution or the data gradient of one, sum its output for a batch normalization as it writes it: a new output 1, (parts, C/16,
 * 2, 16) in double (NormSums). A data gradient's is that of the normalization of x by `numbers`, as above; a convolution's needs none of them. NULL where
 * it can't. */
Value   *conv_add_sums         (Graph *graph, Node *node, Value *x, const Activation *activation, Value *const numbers[4]);

/* Puts both gradients of a convolution and what its output's batch normalization has to do with dy into one node, where `norm`, a BatchNormGradient, gives
 * its dx to nothing else. */
void     conv_join_gradients   (Graph *graph, Node *norm, const Activation *activation);

/* ---- for convolutions in other numbers (integer-conv.c) ------------------------------------------------- */

/* Everything as three dimensions: the missing ones in front have size 1. */
typedef struct
{
  gsize  channels, outputs;          /* of one group */
  gsize  group;
  gint64 in[3], out[3], kernel[3], stride[3], dilation[3], pad[3];
  gsize  n_strips;                   /* that an output row is cut into, each a task */
} ConvLoops;

/* Reads Conv's attributes into ConvParams. */
gboolean conv_parse            (Node *node, GError **error);
extern const AttributeSpec conv_attributes[]; /* that conv_parse reads */

/* Checks image, weights and bias (may be NULL) against each other and finds the sizes of the output; n_dims 3 to 5. */
gboolean conv_check_sizes      (const Node *node, const Value *in, const Value *weights, const Value *bias, Window *window, FoveaShape *out,
                                GError **error);
void     conv_loops_init   (ConvLoops *conv, gint64 group, const FoveaShape *in, const FoveaShape *out, const Window *window);

/* ---- for conv.c ---------------------------------------------------------------------------------------- */

/* The sizes of a two-dimensional convolution, and what takes it on (conv-choose.c). */
typedef enum
{
  CONV_PLAIN,      /* no blocked form: conv.c's own loops */
  CONV_DEPTHWISE,
  CONV_FIRST,      /* plain input of few channels, blocked output */
  CONV_POINTWISE,
  CONV_THINNED,    /* pointwise with a stride: the pixels that it looks at are put side by side first, the rest is pointwise */
  CONV_WINOGRAD,
  CONV_DIRECT,
  CONV_DIAGONAL,   /* groups of fewer than 16 channels, as groups of 16 with zero weights between */
} ConvKind;

typedef struct
{
  gint64 n, channels, outputs, group, h, w, out_h, out_w;
  Window window;   /* resolved, paddings too */
  gint64 first_tap[2], all_taps[2]; /* of the weights as they are given, where conv_crop has left some out; all_taps 0: none */
} ConvShape;

/* The sizes for conv_choose; FALSE unless the node is a two-dimensional float convolution with weights that can be packed. */
gboolean conv_blocked_shape    (const Node *node, ConvShape *shape);

/* Multiply-adds of all images. */
guint64  conv_count_macs       (const ConvShape *shape);

/* The first row of the table that accepts. */
ConvKind conv_choose           (const ConvShape *shape);

/* Leaves those rows and columns of the kernel out of shape->window that lie beside the image for every output: with dilations as large as the image
 * a single tap is left. */
void     conv_crop             (ConvShape *shape);

/* Outputs along a side of the Winograd tile that suits the shape: 4, or 2 for few pixels. */
int      conv_winograd_m       (const ConvShape *shape);

/* Whether sizes, strides and paddings are within what kernels count in int. */
gboolean conv_fits_kernels     (const ConvShape *shape);

/* Whether each channel is a group of its own. */
gboolean conv_is_depthwise     (const ConvShape *shape);

/* Whether groups, if any, are of whole blocks of channels. */
gboolean conv_has_whole_blocks (const ConvShape *shape);

/* The bands that an image's output is cut into (conv-blocked.c) so that their input stays in the second-level cache, and where it is `summed` the output
 * too. Not for Winograd. */
gsize    conv_count_bands      (const ConvShape *shape, ConvKind kind, gboolean summed);

/* Fills a blocked step (conv-blocked.c): in and out have their layouts, `kind` isn't CONV_PLAIN. */
gboolean conv_prepare_blocked  (Step *step, const ConvShape *shape, ConvKind kind, GError **error);

/* Whether weights and bias, if there is one, are constants or variables, as blocked forms need it. */
gboolean conv_is_packable      (const Value *weights, const Value *bias);

/* The same for ConvTranspose (conv-transpose-blocked.c). */
gboolean conv_transpose_accepts         (const ConvShape *shape);
gboolean conv_transpose_prepare_blocked (Step *step, const ConvShape *shape, GError **error);
