/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * locate.h: the procedure plug-in-fovea-locate, and what its dialog shares with it.
 */
#pragma once

#include <libgimp/gimp.h>

#include "fovea.h"
#include "object-output.h"

#define LOCATE_PROCEDURE "plug-in-fovea-locate"

/* An answer and what it was made of. */
typedef struct
{
  FoveaModel      *model;
  FoveaLocator    *locator;
  PixelReader     *reader;
  FoveaCandidates *candidates; /* in the region's pixels */
  FoveaObjects    *objects;    /* chosen, in the image's pixels */
} Location;

void           location_clear (Location *location);

GimpProcedure *locate_create_procedure (GimpPlugIn *plug_in);

/* Shows the window. TRUE with the ticked objects when the user pressed OK; FALSE when it was cancelled. */
gboolean       locate_dialog_run (GimpProcedure *procedure, GimpProcedureConfig *config, GimpImage *image, GimpDrawable **drawables, Location *location);

/* Loads the model that the setting names ("": the first one installed that gives boxes, else the first whose rough boxes have to do). Takes no GIMP call:
 * may run in any thread. */
gboolean       locate_load     (const char *name, Location *location, GError **error);

/* What the settings choose of the candidates, in the region's pixels. */
FoveaObjects  *locate_choose   (GimpProcedureConfig *config, const FoveaCandidates *candidates, GError **error);

/* Moves boxes from the region's pixels to the image's. */
void           locate_to_image (FoveaObjects *objects, const PixelReader *reader);
