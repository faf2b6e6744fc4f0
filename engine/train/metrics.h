/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * metrics.h: what answers are worth, one number each.
 */
#pragma once

#include <glib.h>

/* Average precision of n scores: the mean of the precision at each positive, in order of falling scores (area under the precision-recall curve without
 * interpolation); equal scores count together. known[i] 0: not counted. Strides are in elements. NAN without a positive. */
double metric_average_precision (const float *scores, const float *positive, const float *known, gsize n, gsize stride);

/* How many of n rows of `classes` scores have the row's target (its greatest) among their `top` best. */
gsize  metric_count_top         (const float *scores, const float *targets, gsize n, gsize classes, gsize top);

/* Intersection over union of two masks of n shares, where `known`; 1 where both are empty. */
double metric_iou               (const float *mask, const float *truth, const float *known, gsize n, double threshold);

/* Mean absolute difference where `known`. */
double metric_mean_error        (const float *mask, const float *truth, const float *known, gsize n);
