/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * import-labels.h: the procedure plug-in-fovea-import-labels.
 */
#pragma once

#include <libgimp/gimp.h>

#define IMPORT_LABELS_PROCEDURE "plug-in-fovea-import-labels"

GimpProcedure *import_labels_create_procedure (GimpPlugIn *plug_in);
