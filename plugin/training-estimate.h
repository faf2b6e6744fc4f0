/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * training-estimate.h: how long a training on whole photos will take, before it begins. A pass of the network is timed on this machine; the rest is counted. No GIMP.
 */
#pragma once

#include "photo-order.h"

/* Seconds; negative: the base can't be found, or isn't one to learn on. Any thread; takes some tenths of a second itself. */
double training_estimate (const PhotoOrder *order, guint n_photos);
