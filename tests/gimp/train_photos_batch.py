#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""plug-in-fovea-train on whole images and objects in real GIMP, without windows: example layers, folders of photos, painted blobs, results, boxes and masks of other programs become
models that Classify and Locate find by their names; what can't be learned is refused in words; a training that was killed goes on; nothing is lost by any of it.

    train_photos_batch.py BUILD/plugin/fovea FOVEA
"""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from isolated_gimp import IsolatedGimp, find_program, reference, skip

try:
    import numpy as np
    from PIL import Image
except ImportError as missing:
    skip(missing)

from classify_batch import answer as classify_answer, answers_of, scene
from label_batch import TOOLS, answer as label_answer, by_name, call as label
from locate_batch import answer as locate_answer, run
from segment_batch import answer as segment_answer
from train_batch import ROOT, answer, scribble, train

KINDS = ('bonsai', 'ewer', 'starfish')  # of Caltech: no built-in model knows them
N_EXAMPLES = 8
ODD_NAME = 'étoile/de mer, 海星'  # a class may be called anything


def rows_of(photos):
    with open(photos / 'manifest.jsonl', encoding='utf-8') as manifest:
        return [json.loads(line) for line in manifest]


def list_kinds(photos):
    """{kind: files}, N_EXAMPLES to learn from and as many others."""
    kinds = {kind: [] for kind in KINDS}
    for row in rows_of(photos):
        if row['src'] == 'caltech101' and row['labels'].split(';')[0] in kinds:
            kinds[row['labels'].split(';')[0]].append(photos / row['file'])
    return {kind: sorted(files)[:2 * N_EXAMPLES] for kind, files in kinds.items()}


def load_examples(names, kinds):
    """Scheme that puts photos as layers into the groups of their classes."""
    lines = [label('#:task "classify" #:classes (list ' + ' '.join(f'"{name}"' for name in names) + ')')]
    for index, files in enumerate(kinds.values()):
        lines += [f'(gimp-image-insert-layer image (gimp-file-load-layer RUN-NONINTERACTIVE image "{file}") (class-layer image {index}) 0)' for file in files[:N_EXAMPLES]]
    return '\n'.join(lines)


def names_right(found, kinds, names):
    return sum(found[f'{index} {k}']['classes'][0]['label'] == names[index] for index in range(len(names)) for k in range(N_EXAMPLES)) / (len(names) * N_EXAMPLES)


def judge(gimp, model, kinds):
    """What the model says in Classify of photos that weren't learned."""
    script = ''.join(scene(file, '', classify_answer(f'{index} {k}', f'#:model "{model}"')) for index, files in enumerate(kinds.values())
                     for k, file in enumerate(files[N_EXAMPLES:]))
    return answers_of(run(gimp, script))


def check_layers(gimp, kinds, folder):
    """Whole images from label groups; the same from XCF files, by layers alone; again the same bytes."""
    names = [ODD_NAME if kind == 'starfish' else kind for kind in KINDS]
    photo = kinds[KINDS[0]][0]
    started = time.monotonic()
    found = answers_of(run(gimp, TOOLS + scene(photo, '', f'''{load_examples(names, kinds)} {answer('first', '#:name "Kinds"')}
      {answer('again', '#:name "Again"')}
      (gimp-file-save RUN-NONINTERACTIVE image "{folder}/kinds.xcf") {answer('folder', f'#:name "Xcf" #:source "folder" #:folder "{folder}"')}''')))
    seconds = time.monotonic() - started
    models = gimp.folder / 'home/.local/share/fovea/models'
    first = found['first']
    assert first['task'] == 'classify' and first['base'] == 'tagger' and first['photos'] == len(KINDS) * N_EXAMPLES and first['model'] == str(models / 'Kinds.onnx'), first
    assert 'Too few photos' in first['score'] and first['kept-out'] == 3 and not first['warnings'], first
    assert (models / 'Kinds.onnx').read_bytes() == (models / 'Again.onnx').read_bytes(), 'the same seed gave another model'
    assert found['folder']['photos'] == first['photos'], found['folder']
    assert not list((gimp.folder / 'home/.cache/fovea/training').iterdir()), 'a training that is done left something'
    for kind in KINDS[:2]:
        (folder / kind).mkdir()
        for k in range(3):
            (folder / kind / f'beside {k}.jpg').symlink_to(kinds[kind][N_EXAMPLES + k])
    mixed = answers_of(run(gimp, scene(photo, '', answer('mixed', f'#:name "Mixed" #:source "folder" #:folder "{folder}" #:epochs 1'))))['mixed']
    assert mixed['photos'] == first['photos'] + 6 and not mixed['warnings'], mixed
    for kind in KINDS[:2]:
        shutil.rmtree(folder / kind)
    share = names_right(judge(gimp, 'Kinds', kinds), kinds, names)
    assert share >= 0.5, share  # a third by chance
    print(f'ok whole images from layers: {100 * share:.0f} % of {len(KINDS) * N_EXAMPLES} other photos; three trainings within {seconds:.0f} s')


def check_folders(gimp, kinds, folder):
    """A folder of folders, without any label in GIMP."""
    for kind, files in kinds.items():
        (folder / kind).mkdir()
        for file in files[:N_EXAMPLES]:
            (folder / kind / file.name).symlink_to(file)
    photo = kinds[KINDS[0]][0]
    found = answers_of(run(gimp, scene(photo, '', answer('folder', f'#:name "Folders" #:source "folder" #:folder "{folder}" #:validation-share 0.5'))))['folder']
    assert found['photos'] == 24 and found['kept-out'] == 12 and found['accuracy'] >= 0.6 and 'kept out' in found['score'], found
    more = answers_of(run(gimp, scene(photo, '', answer('found', f'''#:name "Found" #:source "folder" #:folder "{folder}" #:epochs 4 #:find-rate #t #:balance #f
      #:augment-crop 1 #:augment-flip 0 #:augment-rotate 45 #:augment-grayscale 1'''))))['found']
    assert more['learning-rate'] != found['learning-rate'] and 0.001 < more['learning-rate'] < 3, (more, found)
    assert len(found['confusion']) == 3 and sum(map(sum, found['confusion'])) == 12, found
    own = answers_of(run(gimp, scene(photo, '', answer('own', f'#:name "Own" #:base-model "Folders" #:source "folder" #:folder "{folder}" #:epochs 4 #:validation-share 0.5'))))['own']
    assert own['base'] == 'Folders' and own['accuracy'] >= 0.6, own
    print(f'ok a folder of folders: {found["score"]}; on a model of the user\'s own: {own["score"]}')


def paint_boxes(boxes, width, height):
    return '\n'.join(f'(paint (class-layer image 0) image {round(x * width)} {round(y * height)} {max(round(w * width), 2)} {max(round(h * height), 2)})' for _, x, y, w, h in boxes)


def check_objects(gimp, photos, folder):
    """Blobs on XCF files, and the same boxes as COCO; a few steps only, since detectors take their time."""
    rows = [row for row in rows_of(photos) if row['src'] == 'aquarium' and row['split'] == 'train' and {box[0] for box in row['boxes']} == {'jellyfish'} and len(row['boxes']) < 4][:6]
    for row in rows:
        run(gimp, TOOLS + scene(photos / row['file'], '', f'''{label('#:task "detect" #:classes (list "jelly fish")')} {paint_boxes(row['boxes'], row['w'], row['h'])}
          (gimp-file-save RUN-NONINTERACTIVE image "{folder}/{pathlib.Path(row['file']).stem}.xcf")'''))
    photo = photos / rows[0]['file']
    found = answers_of(run(gimp, scene(photo, '', f'''{answer('boxes', f'#:name "Jelly" #:source "folder" #:folder "{folder}" #:epochs 2')}
      {locate_answer('located', '#:model "Jelly" #:threshold 0.0')}
      (plug-in-fovea-export-labels #:run-mode RUN-NONINTERACTIVE #:image image #:drawables (gimp-image-get-layers image) #:source "folder" #:from "{folder}" #:folder "{folder}/coco")
      {answer('coco', f'#:name "Jelly 2" #:source "folder" #:folder "{folder}/coco" #:epochs 1')}''')))
    assert found['boxes']['task'] == 'detect' and found['boxes']['photos'] == len(rows) and found['boxes']['base'] == 'tagger', found['boxes']
    assert all(thing['label'] == 'jelly fish' for thing in found['located']['objects']), found['located']
    assert found['coco']['task'] == 'detect' and found['coco']['photos'] == len(rows), found['coco']
    shutil.copy(folder / 'coco/annotations.json', folder)
    (folder / 'images').symlink_to(folder / 'coco/images')
    both = answers_of(run(gimp, scene(photo, '', answer('both', f'#:name "Jelly 4" #:source "folder" #:folder "{folder}" #:epochs 1'))))['both']
    assert both['task'] == 'detect' and both['photos'] == 2 * len(rows) and not any('left out' in text for text in both['warnings']), both
    print(f'ok objects from blobs, from boxes of another program, and from both; {found["boxes"]["score"]}')
    check_judged_objects(gimp, photos, folder / 'judged')
    return photo


def check_judged_objects(gimp, photos, folder):
    """With enough boxes kept out: what objects are taken for, a row and a column more for nothing."""
    rows = [{name: row[name] for name in ('file', 'labels', 'boxes')} for row in rows_of(photos) if row['src'] == 'aquarium' and row['boxes']][:24]
    folder.mkdir()
    (folder / 'img').symlink_to(photos / 'img')
    (folder / 'manifest.jsonl').write_text(''.join(json.dumps(row) + '\n' for row in rows))
    found = answers_of(run(gimp, scene(photos / rows[0]['file'], '', answer('judged', f'#:name "Judged" #:source "folder" #:folder "{folder}" #:epochs 1 #:validation-share 0.5'))))['judged']
    confusion, classes = found['confusion'], found['classes']
    assert found['kept-out'] >= 10 and len(confusion) == len(classes) + 1 and confusion[-1][-1] == 0, found
    assert [sum(row) for row in confusion[:-1]] == [item['n'] for item in classes], found
    print(f'ok objects kept out are told apart: {found["score"]}')


def check_result(gimp, photo):
    """What a model finds becomes labels, which another learns from."""
    found = answers_of(run(gimp, TOOLS + scene(photo, '', f'''(plug-in-fovea-locate #:run-mode RUN-NONINTERACTIVE #:image image #:drawables (gimp-image-get-layers image)
        #:model "Jelly" #:threshold 0.0 #:max-objects 3 #:output "paths")
      {label('#:from "result" #:task "detect"')} {label_answer('labels')} {answer('learned', '#:name "Jelly 3" #:epochs 1')}''')))
    assert by_name(found['labels'])['jelly fish']['objects'] == 3, found['labels']
    assert found['learned']['task'] == 'detect' and found['learned']['photos'] == 1, found['learned']
    print('ok what Locate found is labels to learn from')


def check_masks(gimp, photos, folder):
    """A folder of photos with masks of another program, whose classes the base doesn't know."""
    (gimp.folder / 'models' / 'cutout').symlink_to(ROOT / 'models' / 'cutout')
    (folder / 'classes.txt').write_text('pet\n')
    for name in ('images', 'masks'):
        (folder / name).mkdir()
    for mask in sorted((photos / 'mask/pets').glob('*.png'))[:24]:
        Image.open(photos / f'img/pets/{mask.stem}.jpg').convert('RGB').save(folder / f'images/{mask.stem}.png')
        Image.fromarray((np.asarray(Image.open(mask)) == 1).astype(np.uint8)).save(folder / f'masks/{mask.stem}.png')
    photo = next((folder / 'images').iterdir())
    found = answers_of(run(gimp, scene(photo, '', f'''{answer('masks', f'#:name "Masks" #:source "folder" #:folder "{folder}" #:epochs 1 #:validation-share 0.5')}
      {segment_answer('found', '#:model "Masks" #:output "channels"')}''')))
    assert found['masks']['task'] == 'segment' and found['masks']['photos'] == 24, found['masks']
    rows = [sum(row) for row in found['masks']['confusion']]
    assert len(rows) == 2 and sum(rows) <= 12 * 320 * 320 and 0.1 < rows[0] / sum(rows) < 0.7, found['masks']
    assert [mask['label'] for mask in found['found']['masks']] == ['pet'], found['found']
    print('ok a folder of photos and masks becomes a model of Segment')
    check_both(gimp, photos, folder)


def check_both(gimp, photos, folder):
    """Strokes on an XCF file and masks of other photos beside it are learned together; folders of classes there are for something else."""
    both = folder / 'both'
    for name in ('images', 'masks', 'kind'):
        (both / name).mkdir(parents=True)
    names = sorted(path.name for path in (folder / 'images').iterdir())
    for name in names[:3]:
        for inner in ('images', 'masks'):
            shutil.copy(folder / inner / name, both / inner)
    (both / 'classes.txt').write_text('pet\n')
    photo = folder / 'images' / names[4]
    truth = np.asarray(Image.open(folder / 'masks' / names[4])) == 1
    found = answers_of(run(gimp, TOOLS + scene(photo, '', f'''{scribble(truth).replace("Pet", "pet")} {answer('strokes', '#:name "Strokes"')}
      (gimp-file-save RUN-NONINTERACTIVE image "{both}/strokes.xcf")''') + scene(photo, '', answer('both', f'#:name "Both" #:source "folder" #:folder "{both}"'))))
    strokes, all_of_it = ({item['name']: item['cells'] for item in found[name]['classes']} for name in ('strokes', 'both'))
    assert found['both']['photos'] == 4 and list(all_of_it) == ['Background', 'pet'] and found['both']['base'] == 'cutout', found['both']
    assert all(all_of_it[name] > 5 * strokes[name] for name in all_of_it), (strokes, all_of_it)
    shutil.rmtree(both / 'masks')
    shutil.copy(folder / 'images' / names[0], both / 'kind')
    left = answers_of(run(gimp, scene(photo, '', answer('left', f'#:name "Left" #:source "folder" #:folder "{both}"'))))['left']
    assert left['photos'] == 1 and any('labelled photos beside the XCF files are for something else' in text for text in left['warnings']), left
    print('ok strokes and masks of one folder are learned together')


def main():
    photos = reference() / 'data/photos'
    if not (photos / 'manifest.jsonl').exists():
        skip('the reference photos are missing')
    with tempfile.TemporaryDirectory() as temporary, IsolatedGimp(sys.argv[1]) as gimp:
        folder = pathlib.Path(temporary)
        (gimp.folder / 'models' / 'tagger').symlink_to(ROOT / 'models' / 'tagger')
        kinds = list_kinds(photos)
        for name in ('xcf', 'folders', 'objects', 'masks'):
            (folder / name).mkdir()
        check_layers(gimp, kinds, folder / 'xcf')
        check_folders(gimp, kinds, folder / 'folders')
        photo = check_objects(gimp, photos, folder / 'objects')
        check_result(gimp, photo)
        check_masks(gimp, photos, folder / 'masks')


if __name__ == '__main__':
    main()
