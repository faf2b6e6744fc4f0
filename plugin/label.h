/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * label.h: the procedure plug-in-fovea-label-layers.
 */
#pragma once

#include "label-layers.h"

#define LABEL_PROCEDURE "plug-in-fovea-label-layers"

#define LABEL_FROM_RESULT "result" /* of the argument “from”: what Segment or Locate has left in the image */

/* The label group as the arguments ask for it. NULL with an error in words. */
LabelLayers   *label_make (GimpProcedureConfig *config, GimpImage *image, GError **error);

GimpProcedure *label_create_procedure (GimpPlugIn *plug_in);
