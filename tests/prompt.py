#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the user points at, on photos with true masks: with a box around the thing, or a click on it, the mask is nearer to the true one than without. Needs
FOVEA_REFERENCE_DIR. Arguments: prompt-tool, the cut-out model."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

try:
    import numpy as np
    from PIL import Image, ImageDraw
except ImportError as missing:
    print(f'{missing}: skipped')
    sys.exit(77)

import reduced


def choose(folder, source, n):
    """Photos to be judged by whose masks cover 5 to 60 % of them."""
    rows = [json.loads(line) for line in open(folder / 'manifest.jsonl')]
    rows = [row for row in rows if row['src'] == source and row['split'] == 'val' and row.get('mask') and 0.05 <= row.get('fg', 0.2) <= 0.6]
    return rows[:None if reduced.ALL else n]


def innermost(mask):
    """The pixel of the mask that is farthest from its border: where a user would click."""
    left, depth, last = mask.copy(), 0, np.argwhere(mask)[0]
    while left.any() and depth < 500:
        last, depth = np.argwhere(left)[len(np.argwhere(left)) // 2], depth + 1
        padded = np.pad(left, 1)
        left = padded[1:-1, 1:-1] & padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    return last


def prompts(truth):
    rows, columns = np.where(truth.any(1))[0], np.where(truth.any(0))[0]
    y, x = innermost(truth)
    margin = 2
    left, top = max(0, columns[0] - margin), max(0, rows[0] - margin)
    return {'none': 'none', 'box': f'box {left} {top} {columns[-1] - left + 1 + margin} {rows[-1] - top + 1 + margin}', 'click': f'points {x} {y} 1'}


# Regions that are no things: sample, the click, what belongs to the region and what doesn't, in shares of the photo's sides.
LAKE_SHORE = [(0, 0.17), (0.07, 0.21), (0.11, 0.28), (0.2, 0.35), (0.26, 0.25), (0.31, 0.22), (0.36, 0.26), (0.44, 0.37), (0.49, 0.35), (0.57, 0.37), (0.61, 0.35), (0.69, 0.45),
              (0.77, 0.49), (0.85, 0.47), (1, 0.56), (1, 1), (0, 1)]
DOG = [(0.11, 0.11), (0.15, 0.07), (0.22, 0.11), (0.24, 0.21), (0.37, 0.28), (0.4, 0.22), (0.44, 0.19), (0.53, 0.24), (0.56, 0.37), (0.52, 0.41), (0.61, 0.49), (0.75, 0.62),
       (0.73, 0.63), (0.54, 0.49), (0.48, 0.52), (0.56, 0.8), (0.55, 0.86), (0.52, 0.86), (0.44, 0.58), (0.37, 0.49), (0.24, 0.35), (0.21, 0.24), (0.16, 0.15)]
REGIONS = {
    'sky': ('mountain-lake.jpg', (0.4, 0.11), [LAKE_SHORE], 0.8),
    'lawn': ('dog-with-frisbee.jpg', (0.08, 0.28), [DOG, [(0, 0.41), (0.11, 0.47), (0.15, 0.6), (0.13, 0.82), (0.11, 1), (0, 1)], [(0.32, 0), (1, 0), (1, 0.17), (0.66, 0.07)],
                                                    [(0.64, 0.8), (0.75, 0.66), (0.86, 0.8), (0.75, 0.94)]], 0.75),
}


def check_regions(tool, model, work):
    """A click into a sky or a lawn, which is no thing, takes all of it, and not the mountains, nor the dog and the frisbee that lie there."""
    for name, (sample, click, others, least) in REGIONS.items():
        photo = Image.open(pathlib.Path(__file__).resolve().parent.parent / 'samples' / sample).convert('RGB')
        truth = Image.new('L', photo.size, 1)
        for polygon in others:
            ImageDraw.Draw(truth).polygon([(x * photo.width, y * photo.height) for x, y in polygon], fill=0)
        truth = np.asarray(truth) > 0
        (work / name).write_bytes(np.asarray(photo).tobytes())
        line = f'{work / name} {photo.width} {photo.height} {work / name}.mask points {click[0] * photo.width:.0f} {click[1] * photo.height:.0f} 1\n'
        subprocess.run([tool, model], input=line, capture_output=True, text=True, check=True)
        mask = np.fromfile(f'{work / name}.mask', np.float32).reshape(truth.shape) > 0.5
        iou = (mask & truth).sum() / (mask | truth).sum()
        print(f'{name}: {mask.mean():.3f} of the photo, IoU {iou:.3f}')
        assert iou >= least, (name, iou)


def main():
    tool, model = os.path.abspath(sys.argv[1]), sys.argv[2]
    folder = pathlib.Path(os.environ.get('FOVEA_REFERENCE_DIR', '')) / 'data/photos'
    if not (folder / 'manifest.jsonl').exists():
        print('the reference photos are missing: skipped')
        return 77
    with tempfile.TemporaryDirectory() as temporary:
        work, cases, lines = pathlib.Path(temporary), [], []
        check_regions(tool, model, work)
        brief = reduced.is_brief(tool)
        for source, n in (('pets', 12), ('coco', 8), ('caltech101', 8)):
            for row in choose(folder, source, 2 if brief else n):
                photo = Image.open(folder / row['file']).convert('RGB')
                labels = np.asarray(Image.open(folder / row['mask']).resize(photo.size, Image.NEAREST))
                name = f'{len(cases)}'
                (work / name).write_bytes(np.asarray(photo).tobytes())
                for kind, prompt in prompts(labels == 1).items():
                    lines.append(f'{work / name} {photo.width} {photo.height} {work / name}.{kind} {prompt}')
                cases.append((source, name, labels))
        done = subprocess.run([tool, model], input='\n'.join(lines) + '\n', capture_output=True, text=True, check=True)
        seconds = np.array([float(line) for line in done.stdout.split()]).reshape(-1, 3)
        scores = {}
        for source, name, labels in cases:
            known, truth = labels != 255, labels == 1
            for kind in ('none', 'box', 'click'):
                mask = np.fromfile(f'{work / name}.{kind}', np.float32).reshape(labels.shape) > 0.5
                scores.setdefault((source, kind), []).append((mask & truth & known).sum() / max(((mask | truth) & known).sum(), 1))
        means = {key: np.mean(values) for key, values in scores.items()}
        for key, value in means.items():
            print(f'{key[0]:12} {key[1]:6} IoU {value:.3f} on {len(scores[key])}')
        print('median seconds without, box, click:', np.median(seconds, 0).round(3))
        if brief:
            return 0 # too few to say how good the masks are
        for source in {key[0] for key in means}:
            assert means[source, 'box'] > means[source, 'none'] - 0.02, source
        total = {kind: np.mean([v for key, values in scores.items() if key[1] == kind for v in values]) for kind in ('none', 'box', 'click')}
        print({kind: round(float(value), 3) for kind, value in total.items()})
        assert total['box'] >= max(0.75, total['none'] + 0.05) and total['click'] >= total['none'] - 0.02, total
    return 0


if __name__ == '__main__':
    sys.exit(main())
