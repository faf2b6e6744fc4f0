/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * rate-finder.h: the learning rate that a training's network and photos can stand, found by trying.
 */
#pragma once

#include "train/trainer-private.h"

typedef void (*RateFinderShow) (double fraction, gpointer user_data);

/* Before the first step; the trainer is as it was afterwards. *rate is the settings' own where nothing could be found. FALSE with an error, or with
 * G_IO_ERROR_CANCELLED. */
gboolean rate_finder_run (FoveaTrainer *trainer, double *rate, GCancellable *cancellable, RateFinderShow show, gpointer user_data, GError **error);
