/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * mask-output.h: masks as things of the image: a layer mask, a selection, channels, coloured layers, or a cut-out.
 */
#pragma once

#include <libgimp/gimp.h>

#include "fovea.h"
#include "pixels.h"

#define MASK_OUTPUT_PARASITE "fovea-segment" /* on coloured layers: the label as text */

typedef enum { MASK_LAYER_MASK, MASK_SELECTION, MASK_CHANNELS, MASK_LAYERS, MASK_PATHS, MASK_CUT_OUT, MASK_NONE } MaskOutputKind;

/* The words of the procedure, in the order of the values; NULL-terminated. */
extern const char *const mask_output_kinds[], *const mask_output_operations[], *const mask_output_backgrounds[];

/* What lies behind a cut-out. */
typedef enum { MASK_BACKGROUND_NONE, MASK_BACKGROUND_COLOUR, MASK_BACKGROUND_BLUR } MaskBackground;

typedef struct
{
  MaskOutputKind   kind;
  GimpChannelOps   operation;     /* of a layer mask or selection that is there */
  FoveaMaskOptions options;
  gboolean         hide_original; /* cut-out, likewise: */
  MaskBackground   background;
} MaskOutput;

/* What was looked at, and what was found. `photo` reads the reader's pixels. */
typedef struct
{
  GimpImage        *image;
  GimpDrawable    **drawables;
  PixelReader      *reader;
  const FoveaPhoto *photo;
  const FoveaMasks *masks;
  const gsize      *which; /* n of the masks that are wanted */
  gsize             n;
} MaskSource;

/* Is it possible for that image, and is it still open, the layer that masks and cut-outs are for still there? FALSE with an error in words for the user. */
gboolean mask_output_check (const MaskOutput *output, GimpImage *image, GimpDrawable **drawables, GError **error);

/* Writes the masks to the image as one undo step. areas[0 … n - 1] get the share of the region that each covers. FALSE with an error, also
 * where what was looked at is no more (pixel_reader_check). */
gboolean mask_output_apply (const MaskOutput *output, const MaskSource *source, double *areas, GError **error);
