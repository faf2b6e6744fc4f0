/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * batch-choice.h: of the Batch window, what of all that is found is told: the settings “threshold”, “top” and “classes”.
 */
#pragma once

#include <libgimp/gimp.h>
#include <libgimp/gimpui.h>

/* One row of the grid: there are many. What the setting “operation” has no use for can't be changed. */
void batch_choice_attach (GimpProcedureConfig *config, GtkGrid *grid, int row);
