/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * conv-stage.h: a convolution on blocked tensors made ready for the kernels: how its work is cut isn't said here. conv-blocked.c runs one of them,
 * conv-rows.c several by bands of rows.
 */
#pragma once

#include "kernels/kernels.h"
#include "ops/conv.h"

typedef struct
{
  const Kernels *kernels;
  KernelConv     conv;          /* of image 0, without data; a pointwise one is a single row of all pixels that it looks at */
  ConvKind       kind;
  ConvShape      shape;
  int            winograd_m;    /* outputs along a side of a Winograd tile */
  guint          input;         /* of the step: the weights; the bias follows */
  float         *weights, *bias;
  gboolean       is_turned;     /* the weights are those (in, out/group, …) of the convolution whose data gradient this is */
  float         *turned;        /* a place to turn them in; NULL: it isn't needed */
  gsize          in_image, out_image; /* floats from image to image */
} ConvStage;

/* `stage` is zeroed. Weights and bias are inputs `input` and `input` + 1 of the step: constants are packed now, variables by conv_stage_refresh. On
 * an error conv_stage_clear is still the caller's to call. */
gboolean conv_stage_init    (ConvStage *stage, Step *step, guint input, const ConvParams *params, const ConvShape *shape, ConvKind kind, GError **error);
void     conv_stage_refresh (ConvStage *stage, const Step *step);
void     conv_stage_clear   (ConvStage *stage);
