/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * train-advanced.h: what the Train window hides at first: base model, what learns, epochs, rate, batch, photos kept out, seed.
 */
#pragma once

#include <libgimp/gimp.h>
#include <libgimp/gimpui.h>

GtkWidget *train_advanced_new      (GimpProcedureConfig *config, GtkWidget *window);

/* Painted pixels have fewer settings than whole photos. */
void       train_advanced_set_task (GtkWidget *advanced, gboolean on_pixels);
