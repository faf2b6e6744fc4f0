# SPDX-License-Identifier: GPL-3.0-or-later
"""How well a mask agrees with the true one."""

import numpy as np


def boundary(mask):
    edge = np.zeros_like(mask)
    edge[1:] |= mask[1:] != mask[:-1]
    edge[:, 1:] |= mask[:, 1:] != mask[:, :-1]
    return edge


def grow(mask, radius):
    sums = np.pad(np.cumsum(np.cumsum(np.pad(mask.astype(np.int32), radius), 0), 1), ((1, 0), (1, 0)))
    k = 2 * radius + 1
    return sums[k:, k:] - sums[:-k, k:] - sums[k:, :-k] + sums[:-k, :-k] > 0


def score(share, truth, known):
    """Intersection over union, F-score of the border (within 0.4 % of the diagonal), mean absolute error, where the truth is known. share: 0 to 1; the others: booleans."""
    mask, radius = share > 0.5, max(1, round(0.004 * np.hypot(*share.shape)))
    ours, theirs = boundary(mask) & known, boundary(truth) & known
    precision = (ours & grow(theirs, radius)).sum() / max(ours.sum(), 1)
    recall = (theirs & grow(ours, radius)).sum() / max(theirs.sum(), 1)
    iou = (mask & truth & known).sum() / max(((mask | truth) & known).sum(), 1)
    return iou, 2 * precision * recall / max(precision + recall, 1e-9), np.abs(share - truth)[known].mean()
