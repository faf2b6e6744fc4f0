/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * training-estimate.h: how long a training will take, before it begins. A pass of the network is timed on this machine; the rest is counted. No GIMP.
 */
#pragma once

#include "photo-order.h"
#include "pixel-training.h"

/* Seconds; negative: the base can't be found, or isn't one to learn on. Any thread; takes some tenths of a second itself. */
double training_estimate (const PhotoOrder *order, guint n_photos);

/* The same for strokes on n images, the longest side of which is so many pixels. `training` has its settings, and is used up. */
double training_estimate_strokes (PixelTraining *training, const char *base, guint n_photos, int longest);
