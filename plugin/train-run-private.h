/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * train-run-private.h: what the tasks of train-run.c share.
 */
#pragma once

#include "train-run.h"
#include "train-sources.h"

typedef gboolean (*TrainWork) (gpointer data, GError **error);

/* Does the work in a thread of its own, while the caller's `show` is called on this one. Returns what the work does. */
gboolean train_run_beside (TrainRun *run, TrainWork work, gpointer data, GError **error);

/* others: photos with masks, which are learned, too; NULL: none. left_out: in words, goes into the warnings. order: what is asked for; where run->left is set,
 * that of the interrupted training. It gets the digest of photos and labels. */
gboolean train_run_pixels (TrainRun *run, const TrainSources *sources, const FoveaLabelled *others, char *const *left_out, PhotoOrder *order, GError **error);
