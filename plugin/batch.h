/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * batch.h: the procedure plug-in-fovea-batch: a folder of photos.
 */
#pragma once

#include <libgimp/gimp.h>

#define BATCH_PROCEDURE "plug-in-fovea-batch"

GimpProcedure *batch_create_procedure (GimpPlugIn *plug_in);
