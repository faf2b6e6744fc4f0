#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""`fovea evaluate` takes what is found in a region of many objects of its class neither for right nor for wrong, by COCO's rule, and doesn't ask for that region: a
photo whose surest animal isn't labelled, then lies in a crowd of animals, of persons, or with a part.

    judged_crowds.py FOVEA
"""

import json
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
OBJECTS = ROOT / 'models/objects/model.onnx'


def fovea(*arguments):
    return json.loads(subprocess.run([sys.argv[1], *map(str, arguments), '--json'], check=True, stdout=subprocess.PIPE).stdout)


def find(photo, label):
    """Its surest object of that class, as shares of the photo; how sure."""
    image = fovea('locate', OBJECTS, photo, '--threshold', '0.2')['images'][0]
    found = max((item for item in image['objects'] if item['label'] == label), key=lambda item: item['score'])
    return [label, *(value / image[side] for value, side in zip(found['box'], ('width', 'height') * 2))], found['score']


def main():
    horse, otters = (ROOT / f'samples/{name}.jpg' for name in ('horse', 'otters'))
    (animal, surest), (person, _), (other, score) = find(horse, 'animal'), find(horse, 'person'), find(otters, 'animal')
    assert surest > score, 'what is wrong must come first to cost something'
    with tempfile.TemporaryDirectory() as folder:
        manifest = pathlib.Path(folder, 'manifest.jsonl')

        def judge(*crowd):
            """What animals are worth with these crowds: at half of overlap; the mean over ten overlaps, and over both classes."""
            rows = {'file': str(horse), 'boxes': [person], 'crowd': crowd}, {'file': str(otters), 'boxes': [other]}
            manifest.write_text(''.join(json.dumps(row) + '\n' for row in rows), encoding='utf-8')
            found = fovea('evaluate', OBJECTS, manifest, '--split', 'train')
            animals = next(item for item in found['per_class'] if item['label'] == 'animal')
            assert animals['n'] == 1, found
            return animals['ap50'], found['map']

        label, x, y, width, height = animal
        none, own, others, part = judge(), judge(animal), judge(['person', x, y, width, height]), judge([label, x, y, 0.58 * width, height])
    assert none[0] <= 0.51 and own[0] > 0.99, (none, own)
    assert others == none, (others, none)
    assert part[0] > 0.99 and abs((part[1] - none[1]) / (own[1] - none[1]) - 0.2) < 0.01, ('two of ten overlaps', none, part, own)
    print("ok 1 - what lies in a crowd of its class counts neither way, as far as it lies there\n1..1")


if __name__ == '__main__':
    main()
