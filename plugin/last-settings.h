/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * last-settings.h: what a window was closed with, for procedures that aren't about an image: GIMP keeps that for the others.
 */
#pragma once

#include <libgimp/gimp.h>

/* Settings that have their default value get the one that they had last; what the caller has asked for stays. */
void last_settings_restore (GimpProcedureConfig *config);

/* In the user's GIMP folder. A window isn't kept open because that fails: what goes wrong is told to the error console. */
void last_settings_save    (GimpProcedureConfig *config);
