/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * evaluate-boxes.h: what a detector is worth on photos with boxes: average precision, at an overlap of a half ("ap50") and as the mean over overlaps from 0.5 to
 * 0.95 ("map"), as COCO counts them (101 recalls, regions to ignore).
 */
#pragma once

#include "train/loader.h"

/* Any detector that Locate knows, by the families' decoders; its classes are matched with the data's by name. A class counts only in photos whose source knows
 * it. Parameters and errors as for evaluate_samples; _UNSUPPORTED for networks with other inputs than a photo in planes. */
FoveaEvaluation *evaluate_boxes (FoveaModel *model, const LoaderSettings *settings, const guint *order, gsize n, GPtrArray *warnings, GCancellable *cancellable,
                                 FoveaProgress progress, gpointer user_data, GError **error);
