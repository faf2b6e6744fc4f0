#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""plug-in-fovea-train in real GIMP, without windows: strokes on label layers become a model that Segment finds by its name, on the same photo and on another;
what can't be learned is refused in words, and nothing is lost by it.

    train_batch.py BUILD/plugin/fovea
"""

import pathlib
import re
import sys
import tempfile

from isolated_gimp import IsolatedGimp, reference, skip

try:
    import numpy as np
    from PIL import Image
except ImportError as missing:
    skip(missing)

from classify_batch import answers_of, scene
from label_batch import TOOLS, answer as label_answer, by_name, call as label
from locate_batch import run

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PETS = ('Abyssinian_106', 'Abyssinian_102', 'Abyssinian_107')
LEAST_IOU = 0.65  # on the photo with the strokes: five of each class and no correction


def train(more=''):
    return f'(plug-in-fovea-train #:run-mode RUN-NONINTERACTIVE #:image image #:drawables (gimp-image-get-layers image) {more})'


def answer(name, more=''):
    return f'(display (string-append "\\nANSWER {name}|" (cadr {train(more)}) "\\n"))'


def depth_of(mask):
    """How many erosions each pixel survives."""
    depth, left = np.zeros(mask.shape, int), np.pad(mask, 1)
    while left.any():
        depth += left[1:-1, 1:-1]
        inner = left.copy()
        for axis in (0, 1):
            for step in (-1, 1):
                inner &= np.roll(left, step, axis)
        left = inner
    return depth


def strokes(mask, n):
    """Rectangles in the mask, far from each other: x, y, width, height."""
    depth = depth_of(mask)
    rows, columns = np.nonzero(depth >= max(depth.max() / 3, 2))
    apart = depth[rows, columns].astype(float)
    found = []
    for _ in range(n):
        y, x = rows[apart.argmax()], columns[apart.argmax()]
        reach = min(int(depth[y, x]), 16)
        found.append((x - reach // 2, y - reach // 2, reach, reach))
        distance = np.hypot(rows - y, columns - x)
        apart = distance if len(found) == 1 else np.minimum(apart, distance)
    return found


def scribble(truth, n=5):
    """Scheme that makes label layers and paints on them as someone would who knows the mask."""
    lines = [label('#:task "segment" #:classes (list "Background" "Pet")')]
    for index, mask in enumerate((~truth, truth)):
        lines += [f'(paint (class-layer image {index}) image {x} {y} {w} {h})' for x, y, w, h in strokes(mask, n)]
    return '\n'.join(lines)


def photo_layer():
    return '(let ((layers (gimp-image-get-layers image))) (vector-ref layers (- (vector-length layers) 1)))'


def segment(model, path):
    """Scheme that makes the model's mask of the photo and writes it."""
    return f'''(plug-in-fovea-segment #:run-mode RUN-NONINTERACTIVE #:image image #:drawables (vector {photo_layer()}) #:model "{model}" #:output "channels")
      (let* ((channel (vector-ref (gimp-image-get-channels image) 0))
             (other (gimp-image-new (gimp-image-get-width image) (gimp-image-get-height image) GRAY))
             (layer (gimp-layer-new-from-drawable channel other)))
        (gimp-image-insert-layer other layer 0 0)
        (file-png-export #:run-mode RUN-NONINTERACTIVE #:image other #:file "{path}") (gimp-image-delete other))'''


def overlap(path, truth):
    found = np.asarray(Image.open(path).convert('L')) > 127
    return (found & truth).sum() / (found | truth).sum()


def check_pets(gimp, folder):
    """Strokes on the first photo; its mask and the others'."""
    photos = [reference() / f'data/photos/img/pets/{name}.jpg' for name in PETS]
    truths = [np.asarray(Image.open(reference() / f'data/photos/mask/pets/{name}.png')) == 1 for name in PETS]
    script = scene(photos[0], '', f'''{scribble(truths[0])} {answer('pets', '#:name "Pets of mine"')} {segment('Pets of mine', folder / '0.png')}''')
    for n in (1, 2):
        script += scene(photos[n], '', segment('Pets of mine', folder / f'{n}.png'))
    found = answers_of(run(gimp, TOOLS + script))['pets']
    model = pathlib.Path(found['model'])
    assert model == gimp.folder / 'home/.local/share/fovea/models/Pets of mine.onnx' and model.exists(), found
    assert [item['name'] for item in found['classes']] == ['Background', 'Pet'] and all(item['cells'] > 20 for item in found['classes']), found
    assert all(0 < place < 1 for place in found['next']), found
    assert found['task'] == 'segment' and found['base'] in ('cutout', 'tagger', 'model') and not found['warnings'], found
    assert len(found['confusion']) == 2 and all(sum(row) > 20 for row in found['confusion']), found
    assert 0.4 < found['accuracy'] <= 1 and 'kept out' in found['score'], found
    ious = [overlap(folder / f'{n}.png', truths[n]) for n in range(3)]
    assert ious[0] >= LEAST_IOU, ious
    print(f'ok five strokes a class: IoU {ious[0]:.3f} on the photo, {ious[1]:.3f} and {ious[2]:.3f} on others; {found["score"]}')
    return photos[0], truths[0], model


def check_again(gimp, photo, truth, model, folder):
    """The same seed gives the same model; a copy of the image as XCF in a folder teaches the same; all open images count."""
    before = model.read_bytes()
    found = answers_of(run(gimp, TOOLS + scene(photo, '', f'''{scribble(truth)} {answer('again', '#:name "Pets of mine"')} {answer('unnamed')}
      (gimp-file-save RUN-NONINTERACTIVE image "{folder}/labels.xcf")
      {answer('folder', f'#:name "f" #:source "folder" #:folder "{folder}"')}
      (let ((other (gimp-image-duplicate image))) {answer('open', '#:name "o" #:source "open-images"')} (gimp-image-delete other))''')))
    assert model.read_bytes() == before
    assert found['unnamed']['model'].endswith('/My model.onnx'), found['unnamed']
    assert found['folder']['classes'] == found['again']['classes'] and found['folder']['photos'] == 1, found['folder']
    assert found['open']['photos'] == 2 and found['open']['classes'][0]['cells'] == 2 * found['again']['classes'][0]['cells'], found['open']
    print('ok the same again, from a folder, and from all open images')


def check_result(gimp, photo):
    """What the model says, corrected by a stroke, teaches another."""
    found = answers_of(run(gimp, TOOLS + scene(photo, '', f'''(plug-in-fovea-segment #:run-mode RUN-NONINTERACTIVE #:image image
        #:drawables (gimp-image-get-layers image) #:model "Pets of mine" #:output "layers")
      {label('#:from "result" #:classes (list "Pet" "Background")')} {label_answer('labels')}
      (paint (class-layer image 1) image 0 0 20 20) {answer('learned', '#:name "Pets 2"')}''')))
    labels = by_name(found['labels'])
    assert list(labels) == ['Pet', 'Background'] and labels['Pet']['pixels'] > 1000, labels
    assert found['learned']['model'].endswith('/Pets 2.onnx') and [item['name'] for item in found['learned']['classes']] == ['Background', 'Pet'], found['learned']
    print('ok what Segment found is labels to learn from')


def check_bases(gimp, photo, truth, folder):
    """On an untrained network, and on what the user has trained before, which keeps its classes and gets another."""
    found = answers_of(run(gimp, TOOLS + scene(photo, '', f'''{scribble(truth)} {answer('bare', '#:name "Bare" #:base-model "none"')} {segment('Bare', folder / 'bare.png')}''')
                           + scene(photo, '', f'''{label('#:classes (list "Background" "Pet" "Nose")')} (paint (class-layer image 0) image 0 0 30 30)
      (paint (class-layer image 1) image 150 150 30 30) (paint (class-layer image 2) image 60 60 12 12) {answer('own', '#:name "Own" #:base-model "Bare"')}''')))
    assert found['bare']['base'] == 'none' and found['own']['base'] == 'Bare', found
    cards = [re.findall(rb'"base":"([^"]*)"', pathlib.Path(found[name]['model']).read_bytes()) for name in ('bare', 'own')]
    assert cards == [[], [b'Bare']], cards  # an untrained network is nobody's work
    assert [item['name'] for item in found['own']['classes']] == ['Background', 'Pet', 'Nose'], found['own']
    iou = overlap(folder / 'bare.png', truth)
    assert iou >= LEAST_IOU, iou
    print(f'ok no base model: IoU {iou:.3f} on the photo; a model of the user\'s own as the base')


def check_fifty(gimp, photo, folder):
    """A stroke for each of fifty classes."""
    names = [f'kind {i}' for i in range(50)]
    body = label('#:task "segment" #:classes (list ' + ' '.join(f'"{name}"' for name in names) + ')') + ''.join(
        f'(paint (class-layer image {i}) image {15 * (i % 10)} {15 * (i // 10)} 12 12)' for i in range(50))
    found = answers_of(run(gimp, TOOLS + scene(photo, '', f'''{body} {answer('fifty', '#:name "Fifty" #:validation-share 0')}
      (plug-in-fovea-segment #:run-mode RUN-NONINTERACTIVE #:image image #:drawables (vector {photo_layer()}) #:model "Fifty" #:output "channels")
      (display (string-append "\\nANSWER masks|[" (number->string (vector-length (gimp-image-get-channels image))) "]\\n"))''')))
    assert [item['name'] for item in found['fifty']['classes']] == names and all(item['cells'] > 20 for item in found['fifty']['classes']), found['fifty']
    assert not found['fifty']['warnings'] and found['masks'][0] > 25, found
    print(f'ok fifty classes of strokes, of which {found["masks"][0]} are found again')


def check_few(gimp, photo):
    """One stroke a class teaches, but says nothing of its worth; contradictions are said."""
    found = answers_of(run(gimp, TOOLS + scene(photo, '', f'''{label('#:classes (list "Background" "Pet")')}
      (paint (class-layer image 0) image 0 0 12 12) (paint (class-layer image 1) image 60 60 12 12) {answer('few', '#:name "few"')} {answer('unjudged', '#:name "few" #:validation-share 0')}
      (paint (class-layer image 1) image 0 0 6 6) {answer('both', '#:name "few"')}''')))
    assert 'accuracy' not in found['few'] and 'confusion' not in found['few'] and 'Too few strokes' in found['few']['score'], found['few']
    assert any('two classes' in text for text in found['both']['warnings']), found['both']
    assert 'no strokes are kept out' in found['unjudged']['score'], found['unjudged']
    print('ok too few strokes to judge, and contradictions, are said')


def check_refusals(gimp, photo, folder):
    paint = '(paint (class-layer image 0) image 0 0 12 12)'
    both = paint + '(paint (class-layer image 1) image 60 60 12 12)'
    two = label('#:classes (list "Background" "Pet")')
    (folder / 'empty').mkdir()
    cases = (
            ('no labels', train(), 'Filters ▸ Fovea ▸ Label Layers'),
            ('nothing painted', two + train(), 'Nothing is painted yet'),
            ('one painted', two + paint + train(), 'One class only is painted'),
            ('one class', two + '(gimp-image-remove-layer image (class-layer image 1))' + paint + train(), 'one class only'),
            ('contradictory', two + paint + '(paint (class-layer image 1) image 0 0 12 12)' + train(), 'painted in two classes'),
            ('a wrong word', train('#:task "guess"'), 'auto, segment, classify, detect'),
            ('a wrong base', two + both + train('#:base-model "nothing"'), 'nothing'),
            ('a wrong name', two + both + train('#:name "a/b"'), 'can\'t be the name'),
            ('a name with a meaning of its own', two + both + train('#:name "default"'), 'can\'t be the name'),
            ('a taken name', two + both + train('#:name "tagger"'), 'Choose another name'),
            ('an empty folder', train(f'#:source "folder" #:folder "{folder}/empty"'), 'neither XCF files'),
            ('no folder', train('#:source "folder" #:folder "/nowhere"'), 'nowhere'))
    for (name, _, words), message in zip(cases, gimp.refuse([scene(photo, '', body) for _, body, _ in cases], TOOLS)):
        assert words in message, (name, message[-800:])
    print('ok eleven refusals in words')


def check_no_room(gimp, photo, model, folder):
    """The folder of models can't be made: words before any work, and the earlier model stays."""
    before = model.read_bytes()
    (folder / 'file').write_text('')
    gimp.environment['XDG_DATA_HOME'] = str(folder / 'file')
    status, output = gimp.batch(TOOLS + scene(photo, '', f'''{label('#:classes (list "Background" "Pet")')}
      (paint (class-layer image 0) image 0 0 12 12) (paint (class-layer image 1) image 60 60 12 12) {train('#:name "Pets of mine"')}'''))
    del gimp.environment['XDG_DATA_HOME']
    assert status != 0 and "can't be made" in output, output[-800:]
    assert model.read_bytes() == before and not [path for path in model.parent.iterdir() if path.suffix != '.onnx'], list(model.parent.iterdir())
    print('ok no room for a model: the earlier one is whole')


def main():
    if not (reference() / 'data/photos/mask/pets').exists():
        skip('the reference photos are missing')
    with tempfile.TemporaryDirectory() as temporary, IsolatedGimp(sys.argv[1]) as gimp:
        folder = pathlib.Path(temporary)
        for name in ('cutout', 'tagger'):
            (gimp.folder / 'models' / name).symlink_to(ROOT / 'models' / name)
        photo, truth, model = check_pets(gimp, folder)
        check_again(gimp, photo, truth, model, folder)
        check_result(gimp, photo)
        check_bases(gimp, photo, truth, folder)
        check_fifty(gimp, photo, folder)
        check_few(gimp, photo)
        check_refusals(gimp, photo, folder)
        check_no_room(gimp, photo, model, folder)


if __name__ == '__main__':
    main()
