/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * model-manager.h: the procedure plug-in-fovea-models.
 */
#pragma once

#include <libgimp/gimp.h>

#define MODELS_PROCEDURE "plug-in-fovea-models"

GimpProcedure *model_manager_create_procedure (GimpPlugIn *plug_in);
