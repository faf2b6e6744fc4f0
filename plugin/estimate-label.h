/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * estimate-label.h: a line that says how long a training on whole photos will take (training-estimate.h), for the settings as they are. It is found in a thread, when the
 * settings have come to rest.
 */
#pragma once

#include <libgimp/gimp.h>
#include <libgimp/gimpui.h>

GtkWidget *estimate_label_new (GimpProcedureConfig *config, GimpImage *image);

/* The photos that there are to learn from; 0: nothing is said. */
void       estimate_label_set (GtkWidget *label, guint n_photos);
