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
    from PIL import Image
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


def check_plain_ground(tool, model, work):
    """A click into a lawn, which is no thing, takes a patch of it or all of it, not the point alone, nor the dog and the frisbee that lie there."""
    photo = Image.open(pathlib.Path(__file__).resolve().parent.parent / 'samples/dog-with-frisbee.jpg').convert('RGB')
    (work / 'lawn').write_bytes(np.asarray(photo).tobytes())
    subprocess.run([tool, model], input=f'{work}/lawn {photo.width} {photo.height} {work}/lawn.mask points 30 150 1\n', capture_output=True, text=True, check=True)
    mask = np.fromfile(f'{work}/lawn.mask', np.float32).reshape(photo.height, photo.width)
    share = float((mask > 0.5).mean())
    print(f'of a lawn: {share:.4f}')
    assert 0.01 < share < 0.8, share
    assert mask[150, 30] > 0.5 and mask[180, 200] < 0.5 and mask[390, 480] < 0.5, mask[[150, 180, 390], [30, 200, 480]]


def main():
    tool, model = os.path.abspath(sys.argv[1]), sys.argv[2]
    folder = pathlib.Path(os.environ.get('FOVEA_REFERENCE_DIR', '')) / 'data/photos'
    if not (folder / 'manifest.jsonl').exists():
        print('the reference photos are missing: skipped')
        return 77
    with tempfile.TemporaryDirectory() as temporary:
        work, cases, lines = pathlib.Path(temporary), [], []
        check_plain_ground(tool, model, work)
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
