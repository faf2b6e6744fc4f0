/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * train.h: the procedure plug-in-fovea-train.
 */
#pragma once

#include <libgimp/gimp.h>

#define TRAIN_PROCEDURE "plug-in-fovea-train"

/* Shows the window until it is closed. */
void           train_dialog_run (GimpProcedureConfig *config, GimpImage *image);

GimpProcedure *train_create_procedure (GimpPlugIn *plug_in);
