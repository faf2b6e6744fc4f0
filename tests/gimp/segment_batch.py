#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""plug-in-fovea-segment and plug-in-fovea-cut-out in real GIMP, without windows: every output on every image kind, pixel for pixel the command's mask,
every refusal.

    segment_batch.py BUILD/plugin/fovea FOVEA
"""

import json
import pathlib
import subprocess
import sys
import tempfile

from isolated_gimp import IsolatedGimp, reference, skip

try:
    import numpy as np
    from PIL import Image
except ImportError as missing:
    skip(missing)

from classify_batch import KINDS, POORER, answers_of, scene, tiny_model
from locate_batch import run, show, shown

MODEL = 'selfie_segmentation'
PHOTO = 'large/coco-000000257896.jpg'
SIZE = (240, 320)


def call(more='', procedure='segment', output='none'):
    wanted = f'#:output "{output}"' if procedure == 'segment' else ''
    return f'''(plug-in-fovea-{procedure} #:run-mode RUN-NONINTERACTIVE #:image image #:drawables (gimp-image-get-layers image) #:model "{MODEL}" {wanted} {more})'''


def answer(name, more='', **how):
    return f'(display (string-append "\\nANSWER {name}|" (list-ref {call(more, **how)} 2) "\\n"))'


def export(item, path):
    """Scheme that writes a mask, a channel or the selection as a gray PNG of its own numbers."""
    return f'''(let* ((saved {item}) (other (gimp-image-new {SIZE[0]} {SIZE[1]} GRAY))
          (layer (gimp-layer-new-from-drawable saved other)))
      (gimp-image-insert-layer other layer 0 0) (gimp-layer-set-offsets layer 0 0)
      (file-png-export #:run-mode RUN-NONINTERACTIVE #:image other #:file "{path}") (gimp-image-delete other))'''


def read(path):
    return np.asarray(Image.open(path).convert('L'), np.float64)


def read_shares(path):
    """Of a mask or selection, whose numbers are linear: the PNG has them as sRGB's curve."""
    curved = read(path) / 255
    return 255 * np.where(curved <= 0.04045, curved / 12.92, ((curved + 0.055) / 1.055) ** 2.4)


def export_fine(item, path, base='GRAY'):
    """The same with 16 bits; of a layer with its colours where `base` is RGB."""
    return f'''(let* ((saved {item}) (other (gimp-image-new-with-precision {SIZE[0]} {SIZE[1]} {base} PRECISION-U16-NON-LINEAR))
          (layer (gimp-layer-new-from-drawable saved other)))
      (gimp-image-insert-layer other layer 0 0) (gimp-layer-set-offsets layer 0 0)
      (file-png-export #:run-mode RUN-NONINTERACTIVE #:image other #:file "{path}") (gimp-image-delete other))'''


def read_fine(path):
    curved = np.asarray(Image.open(path), np.float64) / 65535
    return 255 * np.where(curved <= 0.04045, curved / 12.92, ((curved + 0.055) / 1.055) ** 2.4)


def by_command(fovea, photo, folder, *more):
    subprocess.run([fovea, 'segment', reference() / f'models/{MODEL}.onnx', photo, '--mask-dir', folder, *more], capture_output=True, check=True)
    return read(folder / (pathlib.Path(photo).stem + '.png'))


def check_selection_and_channels(gimp, photo, truth, folder):
    run(gimp, scene(photo, '', f'''{call(output='selection')} {export('(gimp-image-get-selection image)', folder / 'selection.png')}
      {call('#:operation "subtract"', output='selection')} {export('(gimp-image-get-selection image)', folder / 'nothing.png')}
      {call(output='channels')} {export('(vector-ref (gimp-image-get-channels image) 0)', folder / 'channel.png')}'''))
    assert np.abs(read_shares(folder / 'selection.png') - truth).max() <= 2 and np.abs(read(folder / 'channel.png') - truth).max() <= 2
    assert read_shares(folder / 'nothing.png').max() <= 2
    print('ok selection, operations and channels are the same mask')


def moved(truth, right, down):
    """What of a mask lies in the image when its layer is moved."""
    there = np.zeros_like(truth)
    there[max(down, 0):, max(right, 0):][:truth.shape[0] - abs(down), :truth.shape[1] - abs(right)] = \
        truth[max(-down, 0):, max(-right, 0):][:truth.shape[0] - abs(down), :truth.shape[1] - abs(right)]
    return there


def check_outputs_on_kinds(gimp, fovea, photo, folder):
    """Every output on every kind of image that can have it: the numbers of the command's mask, fine ones where the image has more than 8 bits."""
    kinds = {name: prepare for name, prepare in (KINDS | POORER).items() if not name.startswith('one ')}
    selected, top = '(gimp-image-get-selection image)', '(vector-ref (gimp-image-get-layers image) 0)'
    script, n = '', 0
    for name, prepare in kinds.items():
        at = lambda output: folder / f'{name}-{output}.png'
        body = f'''(file-png-export #:run-mode RUN-NONINTERACTIVE #:image image #:file "{folder / f'{name}.png'}")
          {call(output='selection')} {export_fine(selected, at('selection'))} (gimp-selection-none image)
          {call(output='channels')} {export_fine('(vector-ref (gimp-image-get-channels image) 0)', at('channels'))}
          {call(output='paths')} (gimp-image-select-item image CHANNEL-OP-REPLACE (vector-ref (gimp-image-get-paths image) 0))
          {export_fine(selected, at('paths'))} (gimp-selection-none image)'''
        if not name.startswith('indexed'):
            body += f'''{call(output='layers')}
              (gimp-image-select-item image CHANNEL-OP-REPLACE (vector-ref (gimp-item-get-children {top}) 0)) {export_fine(selected, at('layers'))}
              (gimp-selection-none image) (gimp-image-remove-layer image {top})
              {call(output='cut-out')} (gimp-image-select-item image CHANNEL-OP-REPLACE {top}) {export_fine(selected, at('cut-out'))}
              (gimp-selection-none image) {export_fine(top, folder / f'{name}-colours.png', 'RGB')} (gimp-image-remove-layer image {top})'''
        body += f'''{call(output='layer-mask')} {export_fine(f'(gimp-layer-get-mask {top})', at('layer-mask'))}'''
        script += scene(photo, prepare, body)
    run(gimp, script)
    for name in kinds:
        saved = folder / f'{name.removesuffix(' 16 bit')}.png' if name in POORER else photo  # decoders disagree on linear files, but not on what they show
        truth = by_command(fovea, saved, folder / 'command' / name, '--cutout-dir', folder / 'cut-outs' / name)
        right, down = (-40, 25) if name == 'offset' else (0, 0)
        fine = any(word in name for word in ('16 bit', '32 bit', 'half', 'float', 'double'))
        for output in ('layer-mask', 'selection', 'channels', 'paths', 'layers', 'cut-out'):
            if name.startswith('indexed') and output in ('layers', 'cut-out'):
                continue
            found, n = read_fine(folder / f'{name}-{output}.png'), n + 1
            if output == 'channels' and not fine:  # their numbers are perceptual
                found = np.asarray(Image.open(folder / f'{name}-{output}.png'), np.float64) / 257
            expected = moved(truth, right, down) if output != 'layer-mask' else truth
            if output == 'paths':
                assert ((found > 127) != (expected > 127)).mean() < 0.01, (name, output, ((found > 127) != (expected > 127)).mean())
                continue
            assert np.abs(found - expected).max() <= 3, (name, output, np.abs(found - expected).max(), np.abs(found - expected).mean())
            assert not fine or output == 'layers' or len(np.unique(found.round(3))) > 512, (name, output, len(np.unique(found.round(3))))
        if not name.startswith('indexed'):
            colours = np.asarray(Image.open(folder / f'{name}-colours.png').convert('RGBA'), np.float64)
            command = np.asarray(Image.open(folder / 'cut-outs' / name / f'{pathlib.Path(saved).stem}.png').convert('RGBA'), np.float64)
            seen = (truth > 8)[..., None] & np.ones(3, bool)
            assert np.abs(colours[..., :3] - command[..., :3])[seen].max() <= 3, (name, np.abs(colours[..., :3] - command[..., :3])[seen].max())
    print(f'ok {n} pairs of output and image kind have the command\'s numbers, and cut-outs its colours')


def check_operations(gimp, photo, truth, folder):
    run(gimp, scene(photo, '', f'''(let* ((layer (vector-ref (gimp-image-get-layers image) 0)))
      {call(output='layer-mask')} {call('#:operation "intersect" #:invert #t', output='layer-mask')} {export('(gimp-layer-get-mask layer)', folder / 'both.png')}
      {call('#:operation "add"', output='layer-mask')} {export('(gimp-layer-get-mask layer)', folder / 'added.png')}
      {call('#:operation "replace" #:softness 0', output='layer-mask')} {export('(gimp-layer-get-mask layer)', folder / 'hard.png')}
      {call('#:grow 12', output='layer-mask')} {export('(gimp-layer-get-mask layer)', folder / 'grown.png')})'''))
    both = np.minimum(truth, 255 - truth)
    assert np.abs(read_shares(folder / 'both.png') - both).max() <= 4, np.abs(read_shares(folder / 'both.png') - both).max()
    assert np.abs(read_shares(folder / 'added.png') - np.minimum(both + truth, 255)).max() <= 5
    hard = read_shares(folder / 'hard.png')
    assert ((hard < 3) | (hard > 252)).mean() > 0.97 and ((hard > 127) == (truth > 127)).mean() > 0.99
    assert (read_shares(folder / 'grown.png') > 127).sum() > 1.05 * (truth > 127).sum()
    print('ok replace, intersect, add, invert, hard borders and growing')


def check_layers(gimp, photo, truth):
    found = shown(run(gimp, scene(photo, '', f'''(let* ((before (vector-ref (gimp-image-get-layers image) 0))) {call(output='cut-out')}
      (let ((layer (vector-ref (gimp-image-get-layers image) 0)))
        {show('hidden', '(gimp-item-get-visible before)')} {show('name', '(gimp-item-get-name layer)')}
        {show('corner', '(gimp-drawable-get-pixel layer 3 3)')} {show('alpha', '(gimp-drawable-has-alpha layer)')})
      {call(output='layers')} {show('group', '(gimp-item-get-name (vector-ref (gimp-image-get-layers image) 0))')}
      {show('inside', '(gimp-item-get-name (vector-ref (gimp-item-get-children (vector-ref (gimp-image-get-layers image) 0)) 0))')})''')))
    assert found['hidden'] in ('#f', '0', 'FALSE') and found['name'] == '"Cut-out"' and found['alpha'] in ('#t', '1', 'TRUE'), found
    assert found['group'] == '"Segments"' and found['inside'].startswith('"person ('), found
    print('ok cut-out and coloured layers')


def check_paths(gimp, photo, truth, folder):
    """An outline encloses what the mask does; each part by itself; what lies behind a cut-out."""
    found = shown(run(gimp, scene(photo, '', f'''{call(output='paths')}
      (gimp-image-select-item image CHANNEL-OP-REPLACE (vector-ref (gimp-image-get-paths image) 0)) {export('(gimp-image-get-selection image)', folder / 'path.png')}
      {show('name', '(gimp-item-get-name (vector-ref (gimp-image-get-paths image) 0))')}
      {call('#:background "blur"', output='cut-out')} {show('behind', '(gimp-item-get-name (vector-ref (gimp-image-get-layers image) 1))')}
      {show('layers', '(vector-length (gimp-image-get-layers image))')}''')))
    outlined = read_shares(folder / 'path.png') > 127
    assert (outlined != (truth > 127)).mean() < 0.005, (outlined != (truth > 127)).mean()
    assert found['name'] == '"person"' and found['behind'] == '"Behind the cut-out"' and found['layers'] == '3', found
    parts = answers_of(run(gimp, scene(photo, '', answer('parts', '#:per-object #t'))))['parts']['masks']
    areas = [mask['area'] for mask in parts]
    assert parts and areas == sorted(areas, reverse=True) and areas[0] <= truth.mean() / 255 + 0.01, parts
    print('ok paths, parts and a background')


def check_prompts(gimp, photo, truth):
    """The selection, a path, sample points and points in words all mean the same person."""
    rows, columns = np.where((truth > 127).any(1))[0], np.where((truth > 127).any(0))[0]
    left, top, width, height = columns[0], rows[0], columns[-1] - columns[0] + 1, rows[-1] - rows[0] + 1
    y, x = (int(v) for v in np.argwhere(truth > 250).mean(0))
    corners = ' '.join(f'{px} {py} {px} {py} {px} {py}' for px, py in ((left, top), (left + width, top), (left + width, top + height), (left, top + height)))
    found = answers_of(run(gimp, scene(photo, '', f'''(gimp-image-select-rectangle image CHANNEL-OP-REPLACE {left} {top} {width} {height})
      {answer('selection', '#:prompt "selection"')} (gimp-selection-none image)
      (let* ((path (gimp-path-new image "box"))) (gimp-image-insert-path image path -1 0)
        (gimp-path-stroke-new-from-points path PATH-STROKE-TYPE-BEZIER #({corners}) TRUE) {answer('path', '#:prompt "path"')})
      {answer('points', f'#:prompt "points" #:points "{x},{y}"')}
      (gimp-image-add-sample-point image {x} {y}) {answer('samples', '#:prompt "points"')}''')))
    areas = {name: found[name]['masks'][0]['area'] for name in ('selection', 'path', 'points', 'samples')}
    assert all(abs(area - truth.mean() / 255) < 0.12 for area in areas.values()), (areas, truth.mean() / 255)
    assert abs(areas['selection'] - areas['path']) < 0.02 and areas['points'] == areas['samples'], areas
    cases = {'#:prompt "selection"': 'Nothing is selected', '#:prompt "path"': 'has no path', '#:prompt "points"': 'No point', '#:prompt "points" #:points "3;4"': "isn't a point",
             '#:prompt "guess"': 'none, selection'}
    for (more, words), message in zip(cases.items(), gimp.refuse([scene(photo, '', call(more)) for more in cases])):
        assert words in message, (more, message[-800:])
    print('ok prompts:', areas)


def check_cut_out(gimp, photo, truth, folder):
    found = answers_of(run(gimp, scene(photo, '', f'''{answer('cut', procedure='cut-out')}
      {export("(gimp-layer-get-mask (vector-ref (gimp-image-get-layers image) 0))", folder / 'cut.png')}''')))
    assert abs(found['cut']['masks'][0]['area'] - truth.mean() / 255) < 0.01 and np.abs(read_shares(folder / 'cut.png') - truth).max() <= 2, found
    print('ok cut out subject')


def check_selection(gimp, photo):
    """Looking at a part: the mask lies where it belongs, and nothing of it elsewhere."""
    found = answers_of(run(gimp, scene(photo, '', f'''(gimp-image-select-rectangle image CHANNEL-OP-REPLACE 60 20 160 200)
      {answer('part', '#:region "selection"')}''')))
    assert 0.1 < found['part']['masks'][0]['area'] < 0.95, found
    print('ok region selection')


def check_objects(gimp, photo):
    """A network that tells objects apart: a mask a class, or of each object, also of two that touch."""
    (gimp.folder / 'models' / 'three.onnx').write_bytes(tiny_model.three_objects())
    found = answers_of(run(gimp, scene(photo, '', (answer('classes') + answer('objects', '#:per-object #t')).replace(MODEL, 'three'))))
    labels = {name: [mask['label'] for mask in found[name]['masks']] for name in found}
    assert labels == {'classes': ['dog', 'cat'], 'objects': ['dog', 'dog', 'cat']}, labels
    areas = [mask['area'] for mask in found['objects']['masks']]
    assert abs(areas[0] / areas[1] - 24 / 16) < 0.1, areas
    print('ok objects that touch, each by itself')


def check_refusals(gimp, photo):
    cases = {'#:output "boxes"': 'layer-mask, selection', '#:operation "mix"': 'replace, add', '#:region "moon"': 'layer, image', '#:classes "unicorn"': 'unicorn'}
    cases = {scene(photo, '', call(more) if 'output' not in more else call(more).replace('#:output "none"', '', 1)): words for more, words in cases.items()}
    cases[scene(photo, '(gimp-image-convert-indexed image CONVERT-DITHER-NONE CONVERT-PALETTE-GENERATE 32 FALSE FALSE "")', call(output='cut-out'))] = 'Convert it to RGB'
    for (text, words), message in zip(cases.items(), gimp.refuse(list(cases))):
        assert words in message, (text, message[-800:])
    print(f'ok {len(cases)} refusals in words')


def main():
    source = reference() / 'data' / PHOTO
    if not source.exists():
        skip('the reference photos are missing')
    with tempfile.TemporaryDirectory() as temporary, IsolatedGimp(sys.argv[1], models=(MODEL,)) as gimp:
        folder = pathlib.Path(temporary)
        photo = folder / 'photo.png'
        Image.open(source).convert('RGB').resize(SIZE).save(photo)
        (folder / 'command').mkdir()
        truth = by_command(sys.argv[2], photo, folder / 'command')
        assert 0.2 < truth.mean() / 255 < 0.8
        check_cut_out(gimp, photo, truth, folder)
        check_selection_and_channels(gimp, photo, truth, folder)
        check_outputs_on_kinds(gimp, sys.argv[2], photo, folder)
        check_operations(gimp, photo, truth, folder)
        check_layers(gimp, photo, truth)
        check_paths(gimp, photo, truth, folder)
        check_prompts(gimp, photo, truth)
        check_selection(gimp, photo)
        check_objects(gimp, photo)
        check_refusals(gimp, photo)


if __name__ == '__main__':
    main()
