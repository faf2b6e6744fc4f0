/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * label.h: the procedure plug-in-fovea-label-layers.
 */
#pragma once

#include <libgimp/gimp.h>

#define LABEL_PROCEDURE "plug-in-fovea-label-layers"

GimpProcedure *label_create_procedure (GimpPlugIn *plug_in);
