/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * about.h: the procedure plug-in-fovea-about.
 */
#pragma once

#include <libgimp/gimp.h>

#define ABOUT_PROCEDURE "plug-in-fovea-about"

GimpProcedure *about_create_procedure (GimpPlugIn *plug_in);
