/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * decode-classes.h: a classifier's output as classes with scores.
 */
#pragma once

#include "fovea.h"

/* How many classes an output of that shape scores: (1, n), (1, n, 1, 1), (1, 1, 1, n) or (n). 0 if it isn't the output of a classifier. */
gsize         decode_classes_count  (const FoveaShape *shape);

/* Makes the labels fit n classes: 1001 classes with 1000 labels have “background” first (TensorFlow); labels of any other number are dropped, as they
 * must be those of another model. */
void          decode_classes_fit_labels (FoveaSettings *settings, gsize n_classes);

/* Turns the network's numbers into scores, as settings->activation says. FALSE with FOVEA_ERROR_MODEL if they aren't numbers. */
gboolean      decode_classes_activate (FoveaActivation activation, float *values, gsize n, GError **error);

/* All classes, best first; equal ones in the order of their index. `values` become scores on the way. */
FoveaClasses *decode_classes        (const FoveaSettings *settings, float *values /* (n) */, gsize n, GError **error);
