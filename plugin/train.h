/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * train.h: the procedure plug-in-fovea-train.
 */
#pragma once

#include <libgimp/gimp.h>

#define TRAIN_PROCEDURE "plug-in-fovea-train"

GimpProcedure *train_create_procedure (GimpPlugIn *plug_in);
