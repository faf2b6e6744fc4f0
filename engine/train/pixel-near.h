/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * pixel-near.h: what a pixel's own colour and the finest maps say, without what is around it. The head on all features learns sooner where a thing is and what it
 * belongs to than how it is coloured, and loses what is narrower than a map's pixel: a cable, bars and the gaps between them. A head on the narrow features alone
 * tells these apart, but knows nothing else; how much it counts is found on strokes that are kept from it. It is for the photo alone that was painted: the next one
 * has another light.
 */
#pragma once

#include "train/pixel-trainer.h"

/* Learns from what is painted on the only photo that is; goes on from the trainer's own, where it has one. NULL with an error, or G_IO_ERROR_CANCELLED. */
PixelNear *pixel_near_new   (const FoveaPixelTrainer *trainer, GCancellable *cancellable, GError **error);
void       pixel_near_free  (PixelNear *near);

/* Finds how much it counts, by strokes that are kept from it. accuracy: of the head on all features on such; negative: not known. */
gboolean   pixel_near_judge (PixelNear *near, double accuracy, GCancellable *cancellable, GError **error);

/* Adds what it says to the logits (n_classes, grid, grid) that the head on all features has for the photo with these maps. */
gboolean   pixel_near_add   (PixelNear *near, float *const *maps, float *logits, GCancellable *cancellable, GError **error);
