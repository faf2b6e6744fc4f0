#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes wrong in a training in real GIMP, without windows: each gets the right words, and labels, image and earlier models are whole afterwards.

    train_trouble.py BUILD/plugin/fovea
"""

import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time

from isolated_gimp import IsolatedGimp, find_program, skip

try:
    import numpy as np
    from PIL import Image
except ImportError as missing:
    skip(missing)

from classify_batch import answers_of, scene
from label_batch import TOOLS, answer as label_answer, by_name, call as label
from labels_batch import fetch
from locate_batch import run
from train_batch import ROOT, answer, train

LONG = 10000  # epochs that nobody waits for


def make_photos(folder, n_classes, n):
    """Folders of small photos: a colour for each class, noise over it."""
    random = np.random.default_rng(1)
    for c in range(n_classes):
        (folder / f'kind {c}').mkdir(parents=True)
        colour = random.integers(0, 256, 3)
        for i in range(n):
            pixels = np.clip(colour + random.normal(0, 20, (48, 64, 3)), 0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(folder / f'kind {c}' / f'{i}.png')
    return folder


def from_folder(folder, name, more=''):
    return f'#:name "{name}" #:source "folder" #:folder "{folder}" {more}'


def models_of(gimp):
    return {path.name: path.read_bytes() for path in (gimp.folder / 'home/.local/share/fovea/models').iterdir()}


class Beside:
    """GIMP at work in another process, until it is killed."""

    def __init__(self, gimp, name, script):
        path = gimp.folder / f'{name}.scm'
        path.write_text('(script-fu-use-v3)\n' + TOOLS + script)
        self.process = subprocess.Popen([find_program('gimp-console'), '-idf', '--quit', '--batch-interpreter=plug-in-script-fu-eval', '-b', f'(load "{path}")'],
                                        env=gimp.environment | {'FOVEA_CHECKPOINT_SECONDS': '0'}, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL, start_new_session=True)

    def kill(self):
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def wait_for(path, seconds=240):
    end = time.monotonic() + seconds
    while not path.exists():
        assert time.monotonic() < end, f'{path} never came'
        time.sleep(0.1)


def check_crash(gimp, photo, folder):
    """Killed at work: the earlier model of the name is whole, nobody else can train it meanwhile, and the same call goes on."""
    run(gimp, scene(photo, '', answer('before', from_folder(folder, 'Mine', '#:epochs 1'))))
    before = models_of(gimp)
    call = from_folder(folder, 'Mine', f'#:epochs {LONG} #:augment-rotate 30 #:balance #f')
    checkpoint = gimp.folder / 'home/.cache/fovea/training/Mine/checkpoint'
    at_work = Beside(gimp, 'crash', scene(photo, '', train(call)))
    try:
        wait_for(checkpoint)
        status, output = gimp.batch(scene(photo, '', train(call)))
        assert status != 0 and 'being trained just now' in output, output[-800:]
        found = answers_of(run(gimp, scene(photo, '', answer('other', from_folder(folder, 'Other', '#:epochs 1')))))
        assert found['other']['model'].endswith('/Other.onnx'), found
    finally:
        at_work.kill()
    assert {name: data for name, data in models_of(gimp).items() if name != 'Other.onnx'} == before and checkpoint.exists()
    order = json.loads((checkpoint.parent / 'training.json').read_text())
    assert order['epochs'] == LONG and order['name'] == 'Mine' and order['task'] == 'classify', order
    assert order['augment-rotate'] == 30 and order['unbalanced'] == 1 and 'augment-hue' not in order, order
    at_work = Beside(gimp, 'again', scene(photo, '', train(call)))
    try:
        first = checkpoint.stat().st_mtime_ns
        end = time.monotonic() + 240
        while checkpoint.stat().st_mtime_ns == first and time.monotonic() < end:
            time.sleep(0.1)
        assert checkpoint.stat().st_mtime_ns != first, 'it did not go on'
    finally:
        at_work.kill()
    found = answers_of(run(gimp, scene(photo, '', answer('new', from_folder(folder, 'Mine', '#:epochs 2')))))['new']
    assert not found['resumed'] and not checkpoint.exists() and models_of(gimp)['Mine.onnx'] != before['Mine.onnx'], found
    print('ok killed at work: the earlier model is whole, a second training of the name is refused, the same one goes on, another begins anew')


def check_plug_in_killed(gimp, photo):
    """The plug-in alone dies at work: GIMP and the labels go on. What it was learning is what is labelled: crowds of another program are regions that teach nothing."""
    (gimp.folder / 'crowd').mkdir()
    (gimp.folder / 'crowd/annotations.json').write_text(json.dumps({
        'images': [{'id': 1, 'file_name': 'photo.png', 'width': 640, 'height': 480}], 'categories': [{'id': 1, 'name': 'b'}],
        'annotations': [{'image_id': 1, 'category_id': 1, 'bbox': [320, y, 160, 60], 'iscrowd': crowd} for crowd, y in enumerate((120, 300))]}))

    def die():
        wait_for(gimp.folder / 'home/.cache/fovea/training/Dies/checkpoint')
        for process in pathlib.Path('/proc').glob('[0-9]*'):
            try:
                if (process / 'exe').readlink().name == 'fovea' and str(gimp.folder).encode() in (process / 'environ').read_bytes():
                    os.kill(int(process.name), signal.SIGKILL)
            except OSError:
                continue
    killer = threading.Thread(target=die)
    killer.start()
    gimp.environment['FOVEA_CHECKPOINT_SECONDS'] = '0'
    status, output = gimp.batch(TOOLS + scene(photo, '', f'''{label('#:task "detect" #:classes (list "a" "b")')} (paint (class-layer image 0) image 96 120 80 60)
      {fetch(gimp.folder / 'crowd', 'coco')} {label_answer('before')} (catch #f {train(f'#:name "Dies" #:epochs {LONG}')}) {label_answer('after')}'''))
    del gimp.environment['FOVEA_CHECKPOINT_SECONDS']
    killer.join()
    found = answers_of(output)
    assert status == 0 and 'crashed' in output and found['before'] == found['after'], output[-800:]
    assert [by_name(found['after'])[name]['objects'] for name in 'ab'] == [1, 1], found
    row = json.loads((gimp.folder / 'home/.cache/fovea/training/Dies/manifest.jsonl').read_text())
    assert row['boxes'] == [['a', 0.15, 0.25, 0.125, 0.125], ['b', 0.5, 0.25, 0.25, 0.125]] and row['crowd'] == [['b', 0.5, 0.625, 0.25, 0.125]], row
    print('ok the plug-in is killed: the labels are as they were, crowds among them')


def check_resumed(gimp, photo, folder):
    """A short one that is killed after its first epochs says that it went on."""
    call = from_folder(folder, 'Short', '#:epochs 300')
    checkpoint = gimp.folder / 'home/.cache/fovea/training/Short/checkpoint'
    at_work = Beside(gimp, 'short', scene(photo, '', train(call)))
    try:
        wait_for(checkpoint)
    finally:
        at_work.kill()
    if not checkpoint.exists():
        print('ok it was done before it could be killed')
        return
    found = answers_of(run(gimp, scene(photo, '', answer('short', call))))['short']
    assert found['resumed'] and found['model'].endswith('/Short.onnx'), found
    print('ok an interrupted training goes on to its end')


def check_strokes(gimp, photo):
    """A long training on strokes that is killed goes on with the same labels, begins anew with others, and is refused while it is at work."""
    def body(call, more=''):
        return f'''{label('#:task "segment" #:classes (list "sky" "sea")')} (paint (class-layer image 0) image 50 50 90 90) (paint (class-layer image 1) image 300 200 90 80) {more} {call}'''
    call = '#:name "Strokes" #:epochs 400 #:validation-share 0'
    model, checkpoint = gimp.folder / 'home/.local/share/fovea/models/Strokes.onnx', gimp.folder / 'home/.cache/fovea/training/Strokes/checkpoint'
    whole = answers_of(run(gimp, TOOLS + scene(photo, '', body(answer('whole', call)))))['whole']
    assert not whole['resumed'] and not checkpoint.parent.exists(), whole
    before = model.read_bytes()

    def leave():
        model.unlink()
        at_work = Beside(gimp, 'strokes', scene(photo, '', body(train(call))))
        try:
            wait_for(checkpoint)
            status, output = gimp.batch(TOOLS + scene(photo, '', body(train(call))))
            assert model.exists() or (status != 0 and 'being trained just now' in output), output[-800:]
        finally:
            at_work.kill()
        return checkpoint.exists() and not model.exists()
    assert leave(), 'it was done before it could be killed'
    found = answers_of(run(gimp, TOOLS + scene(photo, '', body(answer('again', call)))))['again']
    assert found['resumed'] and model.read_bytes() == before and not checkpoint.parent.exists(), found
    assert leave(), 'it was done before it could be killed'
    found = answers_of(run(gimp, TOOLS + scene(photo, '', body(answer('other', call), '(paint (class-layer image 1) image 400 300 20 20)'))))['other']
    assert not found['resumed'] and model.read_bytes() != before, found
    print('ok strokes: what was killed goes on to the same model; other labels begin anew')


def check_disk(gimp, photo, folder):
    """No room: for the copies of photos, for the model. A file system of its own where that is allowed."""
    small = gimp.folder / 'small'
    small.mkdir()
    if subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=600k', 'tmpfs', small], capture_output=True).returncode != 0:
        print('ok (a full disk needs the right to mount one: left out)')
        return
    try:
        (small / 'fovea/models').mkdir(parents=True)
        (small / 'fovea/models/Old.onnx').write_bytes(b'old')
        gimp.environment['XDG_DATA_HOME'] = str(small)
        status, output = gimp.batch(scene(photo, '', train(from_folder(folder, 'Old', '#:epochs 1'))))
        assert status != 0 and 'Old.onnx' in output and ('space' in output or 'room' in output), output[-800:]
        assert {path.name: path.read_bytes() for path in (small / 'fovea/models').iterdir()} == {'Old.onnx': b'old'}
        del gimp.environment['XDG_DATA_HOME']
        gimp.environment['XDG_CACHE_HOME'] = str(small)
        big = gimp.folder / 'noise.png'
        Image.fromarray(np.random.default_rng(2).integers(0, 256, (600, 800, 3), np.uint8)).save(big)
        status, output = gimp.batch(TOOLS + scene(big, '', f'''{label('#:task "detect" #:classes (list "thing")')} (paint (class-layer image 0) image 50 50 90 90) {train('#:name "full"')}'''))
        assert status != 0 and 'make room there' in output, output[-800:]
    finally:
        gimp.environment.pop('XDG_DATA_HOME', None)
        gimp.environment.pop('XDG_CACHE_HOME', None)
        subprocess.run(['umount', small], check=True)
    print('ok a full disk: words, and the earlier model is whole')


def check_labels(gimp, photo):
    """Labels that teach nothing, or less than it seems."""
    def examples(counts):
        names = ' '.join(f'"{name}"' for name in counts)
        return label(f'#:task "classify" #:classes (list {names})') + ' '.join(
            f'''(gimp-image-insert-layer image (gimp-layer-new image "x" 32 32 RGB-IMAGE 100 LAYER-MODE-NORMAL) (class-layer image {i}) 0)
                (gimp-drawable-fill (vector-ref (gimp-item-get-children (class-layer image {i})) 0) FILL-WHITE)''' for i, n in enumerate(counts.values()) for _ in range(n))
    objects = label('#:task "detect" #:classes (list "a" "b")')
    outside = '''(let ((layer (class-layer image 0))) (gimp-layer-set-offsets layer 2000 0) (gimp-drawable-fill layer FILL-FOREGROUND))'''
    for name, body, words in (
            ('no labels', train('#:task "detect"'), 'Filters ▸ Fovea ▸ Label Layers'),
            ('no objects', objects + train(), 'No object is labelled yet'),
            ('no examples', examples({'a': 0, 'b': 0}) + train(), 'no examples yet'),
            ('one class', examples({'a': 2, 'b': 0}) + train(), 'One class only has examples'),
            ('outside', objects + outside + train(), 'outside of the image only'),
            ('a pixel', objects + '(paint (class-layer image 0) image 5 5 1 1)' + train(), 'too small to be seen')):
        status, output = gimp.batch(TOOLS + scene(photo, '', body))
        assert status != 0 and words in output and not re.search(r'\(fovea:.*CRITICAL', output), (name, output[-800:])
    found = answers_of(run(gimp, TOOLS + scene(photo, '', f'''{objects} (paint (class-layer image 0) image 5 5 1 1) (paint (class-layer image 0) image 300 200 90 80)
      (paint (class-layer image 1) image 300 200 90 80) {answer('tiny', '#:epochs 1 #:name "tiny"')} {label_answer('after')}''')
                           + scene(photo, '', f'''{examples({f"kind {i}": 1 for i in range(50)})} {answer('fifty', '#:epochs 2 #:name "fifty"')}''')))
    assert any('“a” and “b” at once' in text for text in found['tiny']['warnings']), found['tiny']
    assert any('the same photo is an example of' in text for text in found['fifty']['warnings']), found['fifty']
    assert any('too small' in text for text in found['tiny']['warnings']) and by_name(found['after'])['a']['objects'] == 2, found
    assert found['fifty']['photos'] == 50 and sum('only 1 example' in text for text in found['fifty']['warnings']) == 50, found['fifty']
    print('ok labels: none, one class, outside, one pixel, an object in two classes, fifty classes')


def main():
    with tempfile.TemporaryDirectory() as temporary, IsolatedGimp(sys.argv[1]) as gimp:
        folder = pathlib.Path(temporary)
        photo = folder / 'photo.png'
        Image.fromarray(np.random.default_rng(1).integers(0, 256, (480, 640, 3), np.uint8)).save(photo)
        (gimp.folder / 'models' / 'tagger').symlink_to(ROOT / 'models' / 'tagger')
        two = make_photos(folder / 'two', 2, 6)
        check_crash(gimp, photo, two)
        check_resumed(gimp, photo, two)
        check_strokes(gimp, photo)
        check_plug_in_killed(gimp, photo)
        check_disk(gimp, photo, two)
        check_labels(gimp, photo)


if __name__ == '__main__':
    main()
