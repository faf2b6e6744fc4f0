/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * conv-weight-gradient.h: the gradient of a blocked two-dimensional convolution by its weights and bias.
 */
#pragma once

#include "kernels/kernels.h"
#include "ops/conv.h"

/* What the gradients' kernels read of the forward convolution; images and sums are set by who runs them. */
KernelWeightGradient conv_describe_gradient       (const ConvShape *shape);

/* Fills a step with the inputs x, dy and the outputs dW and, where it is asked for, db: dy is blocked, and x too unless it has few channels. `shape` is that
 * of the forward convolution. */
gboolean             conv_prepare_weight_gradient (Step *step, const ConvShape *shape, GError **error);
