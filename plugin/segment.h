/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * segment.h: the procedures plug-in-fovea-segment and plug-in-fovea-cut-out.
 */
#pragma once

#include <libgimp/gimp.h>

#include "fovea.h"
#include "mask-output.h"

#define SEGMENT_PROCEDURE "plug-in-fovea-segment"
#define CUT_OUT_PROCEDURE "plug-in-fovea-cut-out"

/* An answer and what it was made of. */
typedef struct
{
  FoveaModel     *model;
  FoveaSegmenter *segmenter;
  PixelReader    *reader;
  FoveaPhoto      photo;
  FoveaMasks     *masks;
  gsize          *which; /* n: those of the wanted classes */
  gsize           n;
  double         *areas; /* n */
} Segmentation;

/* Loads the model that the setting names ("": the built-in one, else the first installed that makes masks, else the first whose rough masks have to do). Takes no
 * GIMP call: may run in any thread. */
gboolean       segment_load (const char *name, Segmentation *segmentation, GError **error);

/* How the settings shape a mask. */
void           segment_read_options (GimpProcedureConfig *config, FoveaMaskOptions *options);

/* Shows the window. TRUE with masks, those that are ticked and the reader when the user pressed OK; FALSE when it was cancelled. */
gboolean       segment_dialog_run (GimpProcedure *procedure, GimpProcedureConfig *config, GimpImage *image, GimpDrawable **drawables, Segmentation *segmentation);

GimpProcedure *segment_create_procedure (GimpPlugIn *plug_in);
GimpProcedure *cut_out_create_procedure (GimpPlugIn *plug_in);
