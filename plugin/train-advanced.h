/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * train-advanced.h: what the Train window hides at first: base model, what learns, epochs or minutes, rate, batch, photos kept out, seed, and how photos are changed.
 */
#pragma once

#include <libgimp/gimp.h>
#include <libgimp/gimpui.h>

#include "fovea.h"

GtkWidget *train_advanced_new      (GimpProcedureConfig *config, GimpImage *image, GtkWidget *window);

/* What is learned: strokes have fewer settings than whole photos. n_photos 0: not known. Advice is by both. */
void       train_advanced_set_task (GtkWidget *advanced, gboolean are_strokes, FoveaTask task, guint n_photos);
