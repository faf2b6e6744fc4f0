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

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / 'tests'))
from mask_scores import score  # noqa: E402

LEAST = 0.05  # share of a photo that what is to be found covers


def measure(fovea, photos, model, rows, *more):
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([fovea, 'segment', model, *[photos / row['file'] for row in rows], '--mask-dir', folder, *more], capture_output=True, check=True)
        scores = []
        for row in rows:
            truth = np.asarray(Image.open(photos / row['mask']))
            written = pathlib.Path(folder) / (pathlib.Path(row['file']).stem + '.png')
            share = np.asarray(Image.open(written).convert('L').resize(truth.shape[::-1]), np.float64) / 255 if written.exists() else np.zeros(truth.shape)
            iou, border, error = score(share, truth == 1, truth != 255)
            is_open = (truth != 255).mean() < 0.99  # the true mask doesn't say where its border is
            scores.append((iou, np.nan if is_open else border, error))
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
