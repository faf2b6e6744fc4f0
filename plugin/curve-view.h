/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * curve-view.h: how a training goes: loss and score after each epoch, drawn as two lines.
 */
#pragma once

#include <gtk/gtk.h>

#include "photo-training.h"

GtkWidget *curve_view_new       (void);

/* curve: of TrainingPoint; taken over; NULL: none yet. */
void       curve_view_set_curve (GtkWidget *view, GArray *curve);
