/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * import-model.h: the procedure plug-in-fovea-import-model.
 */
#pragma once

#include <libgimp/gimp.h>

#define IMPORT_MODEL_PROCEDURE "plug-in-fovea-import-model"

GimpProcedure *import_model_create_procedure (GimpPlugIn *plug_in);
