#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a user's own models are worth that are trained in real GIMP, on what no built-in model has seen (models/README.md), judged by photos that weren't used.

  kinds     twelve kinds of Caltech 101, ten examples each, as layers of label groups and as a folder of folders
  trashnet  six kinds of rubbish, ten examples each
  boxes     jellyfish and fish of the aquarium, 20 photos each, painted on label layers of XCF files; average precision at an overlap of half, on 20 other photos

    bench/own-models.py --plugin BUILD/plugin/fovea --fovea BUILD/cli/fovea --photos PHOTOS [kinds|trashnet|boxes …] [--json FILE]
"""

import argparse
import json
import pathlib
import random
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path += [str(ROOT / 'tests/gimp'), str(ROOT / 'models')]

from classify_batch import answers_of, scene
from isolated_gimp import IsolatedGimp
from label_batch import TOOLS, call as label
from locate_batch import run
from train_batch import answer

CALTECH = 'bonsai brain buddha chandelier ewer hawksbill kangaroo ketch menorah revolver scorpion starfish'.split()
N_EXAMPLES, N_JUDGED = 10, 25
N_BOX_PHOTOS = 20


def rows_of(photos):
    with open(photos / 'manifest.jsonl', encoding='utf-8') as manifest:
        return [json.loads(line) for line in manifest]


def choose(rows, source, kinds):
    """{kind: (files to learn from, files to be judged by)}."""
    found = {}
    for row in rows:
        kind = row['labels'].split(';')[0]
        if row['src'] == source and (kinds is None or kind in kinds):
            found.setdefault(kind, []).append(row['file'])
    for kind, files in found.items():
        files.sort()
        random.Random(kind).shuffle(files)
        judged = min(N_JUDGED, len(files) - N_EXAMPLES)
        found[kind] = files[judged:judged + N_EXAMPLES], files[:judged]
    return found


def link(folder, photos, kinds, which):
    for kind, files in kinds.items():
        (folder / kind).mkdir(parents=True)
        for file in files[which]:
            (folder / kind / pathlib.Path(file).name).symlink_to(photos / file)


def evaluate(given, gimp, name, data):
    model = gimp.folder / f'home/.local/share/fovea/models/{name}.onnx'
    done = subprocess.run([given.fovea, 'evaluate', model, data, '--split', 'train', '--json'], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


def measure_classes(given, gimp, folder, name, kinds, as_layers):
    photo = given.photos / next(iter(kinds.values()))[0][0]
    link(folder / 'learn', given.photos, kinds, 0)
    link(folder / 'judge', given.photos, kinds, 1)
    body = answer('own', f'#:name "{name}" #:source "folder" #:folder "{folder}/learn" #:validation-share 0')
    if as_layers:
        names = ' '.join(f'"{kind}"' for kind in kinds)
        body = label(f'#:task "classify" #:classes (list {names})') + ''.join(
            f'(gimp-image-insert-layer image (gimp-file-load-layer RUN-NONINTERACTIVE image "{given.photos / file}") (class-layer image {index}) 0)'
            for index, (files, _) in enumerate(kinds.values()) for file in files) + answer('own', f'#:name "{name}" #:validation-share 0')
    started = time.monotonic()
    found = answers_of(run(gimp, TOOLS + scene(photo, '', body)))['own']
    seconds = time.monotonic() - started
    result = evaluate(given, gimp, name, folder / 'judge')
    print(f'{name}: {100 * result["accuracy"]:.1f} % right of {result["images"]} photos; {found["photos"]} examples of {len(kinds)} kinds, GIMP and training {seconds:.0f} s', flush=True)
    return {'name': name, 'accuracy': result['accuracy'], 'images': result['images'], 'examples': found['photos'], 'seconds': seconds}


def measure_boxes(given, gimp, folder, kind, rows):
    """The kind's photos with its boxes only."""
    mine = sorted((row for row in rows if row['src'] == 'aquarium' and any(box[0] == kind for box in row['boxes'])), key=lambda row: row['file'])
    random.Random(kind).shuffle(mine)
    learned, judged = mine[:N_BOX_PHOTOS], mine[N_BOX_PHOTOS:2 * N_BOX_PHOTOS]
    (folder / 'xcf').mkdir()
    script = TOOLS
    for row in learned:
        layers = label(f'#:task "detect" #:classes (list "{kind}")')
        boxes = [box for box in row['boxes'] if box[0] == kind]
        for index, (_, x, y, w, h) in enumerate(boxes):
            corners = [round(value) for value in (x * row['w'], y * row['h'], (x + w) * row['w'], (y + h) * row['h'])]
            layers += f'''(let ((path (gimp-path-new image "{kind}"))) (gimp-image-insert-path image path 0 0)
              (gimp-path-stroke-new-from-points path PATH-STROKE-TYPE-BEZIER (vector {' '.join(f'{corners[i]} {corners[j]}' for i, j in ((0, 1), (2, 1), (2, 3), (0, 3)) for _ in range(3))}) #t))'''
        script += scene(given.photos / row['file'], '', f'''{layers} (gimp-file-save RUN-NONINTERACTIVE image "{folder}/xcf/{pathlib.Path(row['file']).stem}.xcf")''')
    run(gimp, script)
    (folder / 'judge').mkdir()
    with open(folder / 'judge.jsonl', 'w', encoding='utf-8') as manifest:
        for row in judged:
            place = folder / 'judge' / pathlib.Path(row['file']).name
            place.symlink_to(given.photos / row['file'])
            manifest.write(json.dumps({'file': f'judge/{place.name}', 'split': 'train', 'boxes': [box for box in row['boxes'] if box[0] == kind]}) + '\n')
    started = time.monotonic()
    path = gimp.folder / 'train.scm'
    path.write_text('(script-fu-use-v3)\n' + scene(given.photos / learned[0]['file'], '', answer('own', f'#:name "{kind}" #:source "folder" #:folder "{folder}/xcf" #:validation-share 0')))
    status, output = gimp.evaluate('plug-in-script-fu-eval', f'(load "{path}")', given.limit)
    assert status == 0, output[-2000:]
    seconds = time.monotonic() - started
    result = evaluate(given, gimp, kind, folder / 'judge.jsonl')
    print(f'{kind}: AP50 {result["ap50"]:.3f} on {result["images"]} photos with {sum(item["n"] for item in result["per_class"])} boxes; learned from {len(learned)} photos within {seconds:.0f} s',
          flush=True)
    return {'name': kind, 'ap50': result['ap50'], 'images': result['images'], 'seconds': seconds}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n', maxsplit=1)[0])
    parser.add_argument('--plugin', required=True, help='the folder plugin/fovea of a build')
    parser.add_argument('--fovea', required=True, help='the command')
    parser.add_argument('--photos', type=pathlib.Path, required=True, help='folder with manifest.jsonl')
    parser.add_argument('--limit', type=int, default=3600, help='seconds that a training of boxes may take')
    parser.add_argument('--json', type=pathlib.Path)
    parser.add_argument('what', nargs='*', default=['kinds', 'trashnet', 'boxes'])
    given = parser.parse_args()
    given.photos = given.photos.resolve()
    rows, results = rows_of(given.photos), []
    with tempfile.TemporaryDirectory() as temporary, IsolatedGimp(given.plugin) as gimp:
        folder = pathlib.Path(temporary)
        for model in ('tagger', 'cutout', 'objects'):
            if (ROOT / 'models' / model / 'model.onnx').exists():
                (gimp.folder / 'models' / model).symlink_to(ROOT / 'models' / model)
        for name, source, kinds, as_layers in (('kinds as layers', 'caltech101', CALTECH, True), ('kinds in folders', 'caltech101', CALTECH, False), ('trashnet', 'trashnet', None, False)):
            if name.split()[0] in given.what:
                (folder / name).mkdir()
                results.append(measure_classes(given, gimp, folder / name, name, choose(rows, source, kinds), as_layers))
        for kind in ('jellyfish', 'fish') if 'boxes' in given.what else ():
            (folder / kind).mkdir()
            results.append(measure_boxes(given, gimp, folder / kind, kind, rows))
    if given.json:
        given.json.write_text(json.dumps(results, indent=1))


if __name__ == '__main__':
    main()
