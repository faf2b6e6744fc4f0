/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * detector.h: a network of cells (loss-boxes.h) as people use it: with the cells turned into boxes inside the graph, and back to what is trained.
 *
 * The finished network has one output, “objects” (batch, 4 + classes, boxes): centre x, centre y, width, height in pixels of the input, a score 0 to 1 for
 * each class: the layout of YOLOv8, which everything reads that reads ONNX detectors.
 */
#pragma once

#include "model/model.h"
#include "train/random.h"

#define DETECTOR_FAMILY    "yolov8"
#define DETECTOR_THRESHOLD 0.3 /* of scores, and of overlaps below: objects misses and invents least between 0.25 and 0.35 (its card) */
#define DETECTOR_OVERLAP   0.45
#define DETECTOR_PRIOR     (-4.6f) /* the score's logit that classes begin with: one in a hundred */

/* The network with its cells decoded, for photos of that size. */
FoveaModel *detector_finish (FoveaModel *cells, int width, int height, GError **error);

/* A finished network's cells again, any size; NULL without an error where it isn't one of detector_finish. */
FoveaModel *detector_open   (FoveaModel *finished);

/* The cells of a network with classes `from` get the classes `to`: what both have is kept, new ones begin anew. NULL with FOVEA_ERROR_MEMORY. */
FoveaModel *detector_adapt  (FoveaModel *cells, const char *const *from, const char *const *to, guint64 seed, GError **error);

/* The rows of a layer's weights from `first` on begin anew, small. */
void        detector_reset_rows (FoveaTensor *weight, gint64 first, Random *random);
