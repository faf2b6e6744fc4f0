#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""How good masks are, as `fovea segment` writes them: on photos with true masks that no model has learned from, with and without following the photo's edges.

    masks.py FOVEA PHOTOS MODEL [SOURCE…]     PHOTOS: a folder with manifest.jsonl; a row of the table for each SOURCE of it (all with masks)
"""

import json
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
from PIL import Image


LEAST = 0.05  # share of a photo that what is to be found covers


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
    """Intersection over union, F-score of the border (within 0.4 % of the diagonal), mean absolute error."""
    mask, radius = share > 0.5, max(1, round(0.004 * np.hypot(*share.shape)))
    ours, theirs = boundary(mask) & known, boundary(truth) & known
    precision, recall = (ours & grow(theirs, radius)).sum() / max(ours.sum(), 1), (theirs & grow(ours, radius)).sum() / max(theirs.sum(), 1)
    is_open = known.mean() < 0.99  # the true mask doesn't say where its border is
    return ((mask & truth & known).sum() / max(((mask | truth) & known).sum(), 1), np.nan if is_open else 2 * precision * recall / max(precision + recall, 1e-9),
            np.abs(share - truth)[known].mean())


def measure(fovea, photos, model, rows, *more):
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([fovea, 'segment', model, *[photos / row['file'] for row in rows], '--mask-dir', folder, *more], capture_output=True, check=True)
        scores = []
        for row in rows:
            truth = np.asarray(Image.open(photos / row['mask']))
            written = pathlib.Path(folder) / (pathlib.Path(row['file']).stem + '.png')
            share = np.asarray(Image.open(written).convert('L').resize(truth.shape[::-1]), np.float64) / 255 if written.exists() else np.zeros(truth.shape)
            scores.append(score(share, truth == 1, truth != 255))
        return np.mean(scores, axis=0)


def main():
    fovea, photos, model, *sources = sys.argv[1:]
    photos = pathlib.Path(photos)
    rows = [row for row in map(json.loads, open(photos / 'manifest.jsonl')) if row['mask'] and row['split'] == 'val' and float(row['fg']) >= LEAST]
    print('| photos | | IoU | border F | error | IoU, edges followed | border F | error |\n|---|---|---|---|---|---|---|---|')
    for source in sources or sorted({row['src'] for row in rows}):
        own = [row for row in rows if row['src'] == source]
        numbers = [*measure(fovea, photos, model, own, '--no-refine'), *measure(fovea, photos, model, own)]
        print(f'| {source} | {len(own)} | ' + ' | '.join('' if np.isnan(number) else f'{number:.3f}' for number in numbers) + ' |', flush=True)


if __name__ == '__main__':
    main()
