/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * train-forms.h: the window in which the user says how training changes photos, and sees at once what comes of it.
 */
#pragma once

#include <libgimp/gimp.h>
#include <libgimp/gimpui.h>

#include "fovea.h"

/* Opens it before `parent`, for the labels that the settings say. It closes by itself. */
void train_forms_open (GimpProcedureConfig *config, GimpImage *image, FoveaTask task, GtkWindow *parent);
