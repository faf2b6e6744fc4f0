#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""`fovea evaluate` takes what is found in a region of many objects neither for right nor for wrong, and doesn't ask for that region: a photo whose surest
animal isn't labelled, then lies in a crowd.

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
        manifest, judged = pathlib.Path(folder, 'manifest.jsonl'), []
        for crowd in ([], [animal]):
            rows = {'file': str(horse), 'boxes': [person], 'crowd': crowd}, {'file': str(otters), 'boxes': [other]}
            manifest.write_text(''.join(json.dumps(row) + '\n' for row in rows), encoding='utf-8')
            judged.append({item['label']: item for item in fovea('evaluate', OBJECTS, manifest, '--split', 'train')['per_class']})
    assert [found['animal']['n'] for found in judged] == [1, 1], judged
    assert judged[0]['animal']['ap50'] <= 0.51 and judged[1]['animal']['ap50'] > 0.99, judged
    print('ok 1 - what lies in a crowd counts neither way\n1..1')


if __name__ == '__main__':
    main()
