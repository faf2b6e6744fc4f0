/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * conv-weight-gradient.h: the gradient of a blocked two-dimensional convolution by its weights and bias.
 */
#pragma once

#include "kernels/kernels.h"
#include "ops/conv.h"

/* What the gradients' kernels read of the forward convolution; images and sums are set by who runs them. */
KernelWeightGradient conv_describe_gradient       (const ConvShape *shape);

/* The forward convolution of a node that is such a gradient, with a blocked form; FALSE: it is none. */
gboolean             conv_weight_gradient_shape   (const Node *node, ConvShape *shape);

/* The convolution, or transposed convolution, from dy to dx. */
ConvShape            conv_turn_shape              (const ConvShape *forward);

/* The convolution that a node computes that is a data gradient of stride 1, with a blocked form; FALSE: it is none. */
gboolean             conv_input_gradient_shape    (const Node *node, ConvShape *shape);

/* Whether one pass over x and dy can make both gradients of that convolution; *n_bands are those that the pass is cut into, all images together. */
gboolean             conv_can_join_gradients      (const ConvShape *shape, gsize *n_bands);

/* Inputs and outputs of the weight gradient that makes both, after what it had: */
#define CONV_GRADIENT_IMAGE 2 /* output: dx; then, where the step before it wants them, sums (NormSums) of it by bands */

/* Fills a step with the inputs x, dy and the outputs dW and, where it is asked for, db: dy is blocked, and x too unless it has few channels. `shape` is that
 * of the forward convolution. */
gboolean             conv_prepare_weight_gradient (Step *step, const ConvShape *shape, GError **error);
