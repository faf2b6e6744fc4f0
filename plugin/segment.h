/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * segment.h: the procedures plug-in-fovea-segment and plug-in-fovea-cut-out.
 */
#pragma once

#include <libgimp/gimp.h>

#define SEGMENT_PROCEDURE "plug-in-fovea-segment"
#define CUT_OUT_PROCEDURE "plug-in-fovea-cut-out"

GimpProcedure *segment_create_procedure (GimpPlugIn *plug_in);
GimpProcedure *cut_out_create_procedure (GimpPlugIn *plug_in);
