/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * label-dialog.h: the window of Filters ▸ Fovea ▸ Label Layers…: what the labels are for and begin with, the classes with what they have, and what is missing.
 */
#pragma once

#include <libgimp/gimp.h>

/* Changes labels as the user says until the window is closed. */
void label_dialog_run (GimpProcedureConfig *config, GimpImage *image);
