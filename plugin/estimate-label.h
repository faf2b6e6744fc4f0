/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * estimate-label.h: a line that says how long a training on photos, or on strokes of several, will take (training-estimate.h), for the settings as they are. It is found in a thread, when the
 * settings have come to rest.
 */
#pragma once

#include <libgimp/gimp.h>
#include <libgimp/gimpui.h>

#include "train-survey.h"

GtkWidget *estimate_label_new (GimpProcedureConfig *config);

/* What there is to learn from; NULL: nothing is said. */
void       estimate_label_set (GtkWidget *label, const TrainFindings *found);
