/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * label-results.h: what a model has found becomes labels, so that the user corrects it instead of starting from nothing. On the main thread.
 */
#pragma once

#include "label-layers.h"

/* Coloured layers of Segment become label layers, frames and paths of Locate become paths of classes, in the image's label group; the results go. One undo step.
 * *n gets how many there were. FALSE with an error. */
gboolean label_results_take (GimpImage *image, guint *n, GError **error);

/* The same with what the model (a name or a file) finds now. */
gboolean label_results_find (GimpImage *image, const char *model, guint *n, GError **error);
