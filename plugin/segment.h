/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * segment.h: the procedures plug-in-fovea-segment and plug-in-fovea-cut-out.
 */
#pragma once

#include <libgimp/gimp.h>

#include "fovea.h"
#include "mask-output.h"
#include "prompt.h"

#define SEGMENT_PROCEDURE "plug-in-fovea-segment"
#define CUT_OUT_PROCEDURE "plug-in-fovea-cut-out"

/* An answer and what it was made of. */
typedef struct
{
  FoveaModel     *model;
  FoveaSegmenter *segmenter;
  PixelReader    *reader;
  FoveaPhoto      photo;
  FoveaMasks     *found; /* as the network has them */
  FoveaMasks     *parts; /* taken apart; NULL: not wanted */
  FoveaMasks     *masks; /* the one or the other */
  gsize          *which; /* n: those of the wanted classes */
  gsize           n;
  double         *areas; /* n */
} Segmentation;

/* Loads the model that the setting names ("": the built-in one, else the first installed that makes masks, else the first whose rough masks have to do). Takes no
 * GIMP call: may run in any thread. */
gboolean       segment_load (const char *name, Segmentation *segmentation, GError **error);

/* What the settings say of where to look. `region`: the photo's place in the image. */
gboolean       segment_read_prompt (GimpProcedureConfig *config, GimpImage *image, const GeglRectangle *region, PromptKind *kind, PromptText *prompt, GError **error);

/* Sets `masks` from `found` as the settings want them: whole, or a mask of each part. Forgets the parts that were there. FALSE with FOVEA_ERROR_MEMORY. */
gboolean       segment_choose_parts (GimpProcedureConfig *config, Segmentation *segmentation, GError **error);

/* How the settings shape a mask. */
void           segment_read_options (GimpProcedureConfig *config, FoveaMaskOptions *options);

/* Shows the window. TRUE with masks, those that are ticked and the reader when the user pressed OK; FALSE when it was cancelled. */
gboolean       segment_dialog_run (GimpProcedure *procedure, GimpProcedureConfig *config, GimpImage *image, GimpDrawable **drawables, Segmentation *segmentation);

GimpProcedure *segment_create_procedure (GimpPlugIn *plug_in);
GimpProcedure *cut_out_create_procedure (GimpPlugIn *plug_in);
