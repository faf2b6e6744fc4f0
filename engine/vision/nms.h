/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * nms.h: of boxes that overlap much only the best stays (non-maximum suppression).
 */
#pragma once

#include "vision/decode-boxes.h"

/* Intersection over union, 0 to 1; 0 for empty boxes. */
double nms_overlap  (const Box *a, const Box *b);

/* Looks at the n boxes, best first, and writes those that stay to `kept` (room for n), best first; at most `most`. Boxes with scores under `threshold` go;
 * then those that overlap a better one of their class (FOVEA_SUPPRESS_ALL: of any class) by more than `overlap`. With FOVEA_SUPPRESS_SOFT they stay with
 * a lower score, lower the more they overlap (Bodla et al. 2017, arXiv:1704.04503), and go only when that falls under the threshold. Returns how many
 * stay. Allocates nothing but bytes in proportion to n. */
gsize  nms_suppress (const Box *boxes, gsize n, FoveaSuppression method, double overlap, double threshold, gsize most, Box *kept);
