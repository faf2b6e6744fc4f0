/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * conv-rows.h: a depthwise convolution with the one before it, the pointwise one after it, or both, as one node, “ConvRows”, which the pass fuse-rows
 * makes: what lies between them exists a few rows at a time only, and never leaves the cache.
 */
#pragma once

#include "ops/conv.h"

#define CONV_ROWS_MOST 3

typedef struct
{
  guint      n;                      /* 2 to CONV_ROWS_MOST */
  guint      depthwise;              /* which one that is: 0 or 1 */
  ConvParams convs[CONV_ROWS_MOST];
  ConvShape  shapes[CONV_ROWS_MOST];
  ConvKind   kinds[CONV_ROWS_MOST];  /* before the depthwise one CONV_POINTWISE or CONV_FIRST, after it CONV_POINTWISE */
} ConvRowsParams;

/* Inputs of the node: x, weights and bias (may be NULL) of each, then, where the last one has it, the residual. */
static inline guint
conv_rows_weights (guint i)
{
  return 1 + 2 * i;
}
