#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What strokes are worth: a script plays the user, who knows the true mask, in real GIMP. Two strokes a class, Train, Segment; then rounds of corrections, each of
them strokes where Train says that the next one would help most. Ten photos each of pets, persons and things, and for each of them a second photo of its kind that
the model has never seen, beside a random forest on colour and Gaussian features (200 trees, two features a node: the default of Trainable Weka Segmentation).

    bench/strokes.py --plugin BUILD/plugin/fovea --photos PHOTOS [pets|persons|things …] [--rounds 2] [--strokes 3] [--json FILE]

Wants NumPy, SciPy, Pillow and scikit-learn.
"""

import argparse
import json
import pathlib
import random
import sys
import tempfile

import numpy as np
from PIL import Image
from scipy import ndimage
from sklearn.ensemble import RandomForestClassifier

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.append(str(ROOT / 'tests/gimp'))

from classify_batch import answers_of, scene
from isolated_gimp import IsolatedGimp
from label_batch import TOOLS, call as label
from train_batch import answer, segment

N_PHOTOS = 10
LEAST, MOST = 0.05, 0.7  # of the photo that the object covers
SCALES = (1, 2, 4, 8, 16)  # of the forest's Gaussian features, pixels
IGNORED = 255

# A stroke is what a round, hard brush leaves.
PENCIL = '''(gimp-context-set-brush (let ((brush (gimp-brush-new "stroke"))) (gimp-brush-set-hardness brush 1) brush))
(define (stroke layer size x0 y0 x1 y1) (gimp-context-set-brush-size size) (gimp-pencil layer (vector x0 y0 x1 y1)))
'''


# ---- photos

def pairs_of(rows, which):
    """[(photo, another of its kind)], the same ones each time."""
    kinds = {}
    for row in rows:
        source, masked = row['src'], row['mask'] and LEAST <= row['fg'] <= MOST
        if masked and (which, source) in (('pets', 'pets'), ('persons', 'coco'), ('things', 'caltech101')):
            kind = {'pets': row['labels'], 'persons': 'person', 'things': row['labels']}[which]
            kinds.setdefault(kind, []).append(row)
    found = []
    for kind in sorted(kinds):
        random.Random(kind).shuffle(kinds[kind])
    for turn in range(N_PHOTOS):
        for kind in random.Random(turn).sample(sorted(kinds), len(kinds)):
            if len(found) < N_PHOTOS and len(kinds[kind]) >= 2:
                found.append((kinds[kind].pop(), kinds[kind].pop()))
    return found


class Photo:
    def __init__(self, photos, row):
        self.path = photos / row['file']
        self.rgb = np.asarray(Image.open(self.path).convert('RGB'))
        mask = np.asarray(Image.open(photos / row['mask']).resize(self.rgb.shape[1::-1], Image.NEAREST))
        self.truth, self.counts = mask == 1, mask != IGNORED
        self.strokes = []  # (class, brush size, x0, y0, x1, y1)

    def overlap(self, found):
        found = found & self.counts
        return (found & self.truth).sum() / max((found | self.truth).sum(), 1)


# ---- the user

def draw_stroke(photo, name, y, x):
    """The longest straight stroke through a place that stays well within what it is there; at most a sixth of the photo long."""
    inside = photo.counts & (photo.truth if name else ~photo.truth)
    depth = ndimage.distance_transform_edt(np.pad(inside, 1))[1:-1, 1:-1]
    size = max(1, min(int(2 * depth[y, x] * 0.8), round(max(inside.shape) / 32)))
    best = (0, x, y, x, y)
    for angle in np.arange(12) * np.pi / 12:
        ends = []
        for sign in (-1, 1):
            reach = 0
            while reach < max(inside.shape) / 12:
                v, u = round(y + sign * (reach + 1) * np.sin(angle)), round(x + sign * (reach + 1) * np.cos(angle))
                if not (0 <= v < inside.shape[0] and 0 <= u < inside.shape[1]) or depth[v, u] < size / 2 + 1:
                    break
                reach += 1
            ends.append((round(x + sign * reach * np.cos(angle)), round(y + sign * reach * np.sin(angle)), reach))
        best = max(best, (ends[0][2] + ends[1][2], *ends[0][:2], *ends[1][:2]))
    photo.strokes.append((int(name), size, *best[1:]))


def draw_first(photo, n=2):
    """Strokes far from each other, where there is room."""
    for name in (False, True):
        inside = photo.counts & (photo.truth if name else ~photo.truth)
        depth = ndimage.distance_transform_edt(np.pad(inside, 1))[1:-1, 1:-1]
        rows, columns = np.nonzero(depth >= max(depth.max() / 3, 1))
        apart = depth[rows, columns].astype(float)
        for turn in range(n):
            y, x = rows[apart.argmax()], columns[apart.argmax()]
            draw_stroke(photo, name, y, x)
            distance = np.hypot(rows - y, columns - x)
            apart = distance if turn == 0 else np.minimum(apart, distance)


def draw_next(photo, place):
    """A stroke where Train asks for one; where the truth is unknown there, the nearest place where it is."""
    height, width = photo.truth.shape
    y, x = min(int(place[1] * height), height - 1), min(int(place[0] * width), width - 1)
    if not photo.counts[y, x]:
        y, x = (axis[y, x] for axis in ndimage.distance_transform_edt(~photo.counts, return_distances=False, return_indices=True))
    draw_stroke(photo, bool(photo.truth[y, x]), y, x)


# ---- GIMP

def train_all(given, gimp, pairs, folder, name):
    """Trains on the strokes of each first photo; with a name also writes both photos' masks, as NAME-number-0 and -1. Returns Train's answers."""
    script = TOOLS + PENCIL
    for number, (first, second) in enumerate(pairs):
        strokes = ' '.join(f'(stroke (class-layer image {kind}) {size} {x0 + .5} {y0 + .5} {x1 + .5} {y1 + .5})' for kind, size, x0, y0, x1, y1 in first.strokes)
        masks = [segment(f'strokes {number}', folder / f'{name}-{number}-{k}.png') if name else '' for k in (0, 1)]
        script += scene(first.path, '', f'''{label('#:task "segment" #:classes (list "Background" "Object")')} {strokes}
          {answer(number, f'#:name "strokes {number}" #:validation-share 0')} {masks[0]}''')
        script += scene(second.path, '', masks[1]) if name else ''
    path = gimp.folder / 'strokes.scm'
    path.write_text('(script-fu-use-v3)\n' + script)
    status, output = gimp.evaluate('plug-in-script-fu-eval', f'(load "{path}")', given.limit)
    assert status == 0, output[-2000:]
    return answers_of(output)


def read_masks(pairs, folder, name):
    return [[np.asarray(Image.open(folder / f'{name}-{number}-{k}.png').convert('L')) > 127 for k in (0, 1)] for number in range(len(pairs))]


# ---- the forest

def features_of(rgb):
    colour = rgb.astype(np.float32) / 255
    return np.concatenate([colour] + [ndimage.gaussian_filter(colour, (scale, scale, 0)) for scale in SCALES], axis=2)


def ask_forest(first, second):
    """Its masks of both photos, from the same strokes."""
    painted = np.full(first.truth.shape, 2, np.uint8)
    y, x = np.mgrid[:painted.shape[0], :painted.shape[1]]
    for kind, size, x0, y0, x1, y1 in first.strokes:
        along = np.clip(((x - x0) * (x1 - x0) + (y - y0) * (y1 - y0)) / max((x1 - x0) ** 2 + (y1 - y0) ** 2, 1), 0, 1)
        painted[np.hypot(x - x0 - along * (x1 - x0), y - y0 - along * (y1 - y0)) <= size / 2] = kind
    forest = RandomForestClassifier(200, max_features=2, class_weight='balanced', random_state=0, n_jobs=2)
    forest.fit(features_of(first.rgb)[painted < 2], painted[painted < 2])
    return [forest.predict(features_of(photo.rgb).reshape(-1, 3 + 3 * len(SCALES))).reshape(photo.truth.shape) == 1 for photo in (first, second)]


# ---- the measurement

def measure(given, gimp, which, rows, folder):
    pairs = [tuple(Photo(given.photos, row) for row in pair) for pair in pairs_of(rows, which)]
    result = {'name': which, 'photos': len(pairs), 'first': []}
    for first, _ in pairs:
        draw_first(first)
    for turn in range(given.rounds + 1):
        train_all(given, gimp, pairs, folder, f'{which}-{turn}')
        masks = read_masks(pairs, folder, f'{which}-{turn}')
        result['first'].append([first.overlap(mask[0]) for (first, _), mask in zip(pairs, masks)])
        for _ in range(given.strokes if turn < given.rounds else 0):
            for number, found in train_all(given, gimp, pairs, folder, '').items():
                draw_next(pairs[int(number)][0], found['next'])
    result['second'] = [second.overlap(mask[1]) for (_, second), mask in zip(pairs, masks)]
    forests = [ask_forest(*pair) for pair in pairs]
    result['forest'] = [[photo.overlap(mask) for photo, mask in zip(pair, forest)] for pair, forest in zip(pairs, forests)]
    print(f'{which}: IoU on the photo with strokes ' + ', '.join(f'{np.mean(values):.3f}' for values in result['first']) +
          f' after 0 to {given.rounds} rounds ({" ".join(f"{value:.2f}" for value in result["first"][-1])}); forest {np.mean([pair[0] for pair in result["forest"]]):.3f}. '
          f'On the second photo {np.mean(result["second"]):.3f} ({" ".join(f"{value:.2f}" for value in result["second"])}); forest {np.mean([pair[1] for pair in result["forest"]]):.3f}', flush=True)
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('which', nargs='*', default=['pets', 'persons', 'things'])
    for name in ('plugin', 'photos', 'json'):
        parser.add_argument(f'--{name}', type=pathlib.Path, required=name != 'json')
    parser.add_argument('--rounds', type=int, default=2)
    parser.add_argument('--strokes', type=int, default=3, help='corrections a round')
    parser.add_argument('--limit', type=int, default=3600, help='seconds for a run of GIMP')
    given = parser.parse_args()
    given.photos = given.photos.resolve()
    rows = [json.loads(line) for line in (given.photos / 'manifest.jsonl').read_text(encoding='utf-8').splitlines()]
    with IsolatedGimp(given.plugin) as gimp, tempfile.TemporaryDirectory() as temporary:
        for name in ('cutout', 'tagger'):
            (gimp.folder / 'models' / name).symlink_to(ROOT / 'models' / name)
        results = [measure(given, gimp, which, rows, pathlib.Path(temporary)) for which in given.which]
    means = [np.mean(result['first'][-1]) for result in results]
    print(f'mean over {", ".join(given.which)}: {np.mean(means):.3f}')
    if given.json:
        given.json.write_text(json.dumps(results, indent=1) + '\n', encoding='utf-8')


if __name__ == '__main__':
    main()
