#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""plug-in-fovea-label-layers in real GIMP, without windows: what is painted is counted, on every image kind; labels stay through saving, renaming, scaling,
cropping, turning and another language; what is contradictory, outside or missing is said; the network never sees them.

    label_batch.py BUILD/plugin/fovea BUILD/tests/watch-tool
"""

import json
import pathlib
import sys
import tempfile

from isolated_gimp import IsolatedGimp, reference, skip

try:
    from PIL import Image
except ImportError as missing:
    skip(missing)

from classify_batch import KINDS, POORER, answer as classify, answers_of, scene
from gimp_window import speak
from locate_batch import run, show, shown

PHOTO = 'large/coco-000000257896.jpg'
SIZE = (240, 320)

# What scripts of these tests use: the layer of a class by its number from the top, and painting a rectangle on a layer.
TOOLS = '''(define (group-of image) (vector-ref (gimp-image-get-layers image) 0))
(define (class-layer image n) (vector-ref (gimp-item-get-children (group-of image)) n))
(define (paint layer image x y width height)
  (gimp-image-select-rectangle image CHANNEL-OP-REPLACE x y width height)
  (gimp-drawable-edit-fill layer FILL-FOREGROUND)
  (gimp-selection-none image))
'''


def call(more=''):
    return f'(plug-in-fovea-label-layers #:run-mode RUN-NONINTERACTIVE #:image image #:drawables (gimp-image-get-layers image) {more})'


def answer(name, more=''):
    return f'(display (string-append "\\nANSWER {name}|" (cadr {call(more)}) "\\n"))'


def ask(gimp, photo, body, prepare=''):
    output = run(gimp, TOOLS + scene(photo, prepare, body))
    return answers_of(output), shown(output)


def by_name(found):
    return {item['name']: item for item in found['classes']}


def check_kinds(gimp, photo):
    """Two rectangles in every kind of image."""
    body = f'''{call('#:task "segment"')} (paint (class-layer image 0) image 10 20 30 5) (paint (class-layer image 1) image 100 200 7 9)'''
    output = run(gimp, TOOLS + ''.join(scene(photo, prepare, f'''(begin {body} {answer(name)})''') for name, prepare in (KINDS | POORER).items()))
    found = answers_of(output)
    for name in (*KINDS, 'gray', 'gray 16 bit', 'indexed'):
        classes = found[name]['classes']
        assert [item['name'] for item in classes] == ['Background', 'Object'] and [item['background'] for item in classes] == [True, False], found[name]
        assert [item['pixels'] for item in classes] == [150, 63] and [item['objects'] for item in classes] == [1, 1], (name, found[name])
        assert not found[name]['missing'] and found[name]['contradictions'] == 0, (name, found[name])
    assert all(not found[name]['classes'][0]['pixels'] for name in ('one pixel', 'one row')), found
    print(f'ok {len(found)} kinds of images: each rectangle is counted')


def check_stays(gimp, photo, folder):
    """Names in several scripts, a file between, the image scaled, cropped and turned."""
    names = ['Katze, grau', 'a/b', '小さい猫', 'قطة', 'x  y']
    wanted = '(list ' + ' '.join(f'"{name}"' for name in names) + ')'
    found, seen = ask(gimp, photo, f'''{call(f'#:task "detect" #:classes {wanted}')}
      (paint (class-layer image 0) image 10 20 30 40) (paint (class-layer image 2) image 100 50 20 20) (paint (class-layer image 2) image 140 50 20 20)
      {answer('made')}
      (gimp-file-save RUN-NONINTERACTIVE image "{folder}/labels.xcf")
      (let ((image (gimp-file-load RUN-NONINTERACTIVE "{folder}/labels.xcf")))
        {answer('loaded')}
        (gimp-image-scale image {2 * SIZE[0]} {2 * SIZE[1]}) {answer('scaled')}
        (gimp-image-crop image 300 300 20 20) {answer('cropped')}
        (gimp-image-rotate image ROTATE-DEGREES90) {answer('turned')}
        (gimp-item-set-name (class-layer image 0) "Hund") {answer('renamed')}
        (gimp-image-insert-layer image (gimp-layer-new image "Hund" 10 10 RGBA-IMAGE 100 LAYER-MODE-NORMAL) -1 0)
        (gimp-image-insert-layer image (gimp-layer-copy (vector-ref (gimp-item-get-children (vector-ref (gimp-image-get-layers image) 1)) 0))
                                 (vector-ref (gimp-image-get-layers image) 1) 0)
        {answer('duplicated')} {show('copy', '(gimp-item-get-name (vector-ref (gimp-item-get-children (vector-ref (gimp-image-get-layers image) 1)) 0))')}
        (gimp-image-delete image))''')
    assert [item['name'] for item in found['made']['classes']] == names, found['made']
    assert found['loaded'] == found['made'] and found['made']['task'] == 'detect', found['loaded']
    made, scaled, cropped, turned = (by_name(found[name]) for name in ('made', 'scaled', 'cropped', 'turned'))
    assert made['Katze, grau']['boxes'] == [[10, 20, 30, 40]] and made['小さい猫']['boxes'] == [[100, 50, 20, 20], [140, 50, 20, 20]], made
    assert all(abs(a - 2 * b) <= 2 for a, b in zip(scaled['Katze, grau']['boxes'][0], [10, 20, 30, 40])), scaled
    assert cropped['Katze, grau']['boxes'] == [[0, 20, 60, 80]] and cropped['小さい猫']['boxes'] == [[180, 80, 40, 40], [260, 80, 40, 40]], cropped
    assert [item['name'] for item in found['turned']['classes']] == names and turned['Katze, grau']['boxes'] == [[200, 0, 80, 60]], turned
    assert [item['name'] for item in found['renamed']['classes']] == ['Hund', *names[1:]], found['renamed']
    assert [item['name'] for item in found['duplicated']['classes']] == ['Hund', *names[1:]], (found['duplicated'], seen)
    assert found['duplicated']['classes'][0]['layers'] == 2, found['duplicated']
    print('ok five names stay through a file, scaling, cropping and turning; a renamed layer renames its class, a copy does not')


def check_turned(gimp, photo):
    found, _ = ask(gimp, photo, f'''{call('#:task "detect" #:classes (list "dog")')} (paint (class-layer image 0) image 10 20 30 40)
      (gimp-image-rotate image ROTATE-DEGREES90) {answer('turned')} (gimp-image-flip image ORIENTATION-HORIZONTAL) {answer('flipped')}
      (gimp-image-crop image 50 50 0 5) {answer('cropped')}''')
    width = SIZE[1]  # after a quarter turn
    assert found['turned']['classes'][0]['boxes'] == [[width - 20 - 40, 10, 40, 30]], found
    assert found['flipped']['classes'][0]['boxes'] == [[20, 10, 40, 30]], found
    assert found['cropped']['classes'][0]['boxes'] == [[20, 5, 30, 30]], found
    print('ok boxes turn, flip and are cut with the image')


def check_blobs(gimp, photo):
    """Objects that touch get a layer each, a path is one, a painted mask hides, half-opaque is the border."""
    found, _ = ask(gimp, photo, f'''{call('#:task "detect" #:classes (list "dog" "cat")')}
      (let ((dog (class-layer image 0)) (cat (class-layer image 1)))
        (paint dog image 10 10 20 20) (paint dog image 30 30 5 5) (paint dog image 60 60 4 4)
        (gimp-image-insert-layer image (gimp-layer-copy dog) (group-of image) 0)
        (gimp-drawable-edit-clear (class-layer image 0)) (paint (class-layer image 0) image 12 12 20 20)
        (gimp-context-set-opacity 49) (paint cat image 100 100 10 10) (gimp-context-set-opacity 51) (paint cat image 150 150 10 10) (gimp-context-set-opacity 100)
        (paint cat image 200 100 10 10)
        (gimp-layer-add-mask cat (gimp-layer-create-mask cat ADD-MASK-WHITE))
        (gimp-image-select-rectangle image CHANNEL-OP-REPLACE 200 100 10 8)
        (gimp-context-set-foreground '(0 0 0)) (gimp-drawable-edit-fill (gimp-layer-get-mask cat) FILL-FOREGROUND) (gimp-selection-none image)
        (let ((path (gimp-path-new image "cat #3")))
          (gimp-image-insert-path image path -1 0)
          (gimp-path-stroke-new-from-points path PATH-STROKE-TYPE-BEZIER #(20 300 20 300 20 300 60 300 60 300 60 300 60 330 60 330 60 330 20 330 20 330 20 330) TRUE)))
      {answer('blobs')}''')
    classes = by_name(found['blobs'])
    assert sorted(classes['dog']['boxes']) == [[10, 10, 25, 25], [12, 12, 20, 20], [60, 60, 4, 4]], classes
    assert sorted(classes['cat']['boxes']) == [[20, 300, 40, 20], [150, 150, 10, 10], [200, 108, 10, 2]], classes
    assert found['blobs']['missing'] == [] and classes['dog']['layers'] == 2, found
    print('ok blobs of each layer, a path, half-opaque pixels and a layer mask')


def check_trouble(gimp, photo):
    found, _ = ask(gimp, photo, f'''
      {call('#:classes (list "Background" "dog" "cat")')}
      {answer('empty')}
      (paint (class-layer image 0) image 0 0 20 20) (paint (class-layer image 1) image 10 10 20 20) (paint (class-layer image 2) image 50 50 1 1) {answer('both')}
      (gimp-layer-set-offsets (class-layer image 2) -200 -300) (gimp-layer-set-offsets (class-layer image 1) {SIZE[0] - 20} 0) {answer('off')}
      (gimp-image-remove-layer image (class-layer image 0)) (gimp-image-remove-layer image (class-layer image 0)) {answer('one')}
      (gimp-image-remove-layer image (class-layer image 0)) {answer('none')}
      {answer('classify', '#:task "classify" #:classes (list "dog")')}''')
    assert len(found['empty']['missing']) == 3 and all('no examples yet' in text for text in found['empty']['missing']), found['empty']
    both = by_name(found['both'])
    assert found['both']['contradictions'] == 100 and both['Background']['pixels'] == 300 and both['dog']['pixels'] == 300 and both['cat']['pixels'] == 1
    assert any('100 pixels are painted in two classes' in text for text in found['both']['missing']), found['both']
    assert any('“cat” has only 1 painted pixel' in text for text in found['both']['missing']), found['both']
    off = by_name(found['off'])
    assert off['cat'] | {'outside': 1, 'pixels': 0} == off['cat'] and off['dog']['outside'] == 200 and off['dog']['pixels'] == 200, off
    assert any('outside of the image only' in text for text in found['off']['missing']), found['off']
    assert any('one class only' in text for text in found['one']['missing']) and any('no classes yet' in text for text in found['none']['missing']), found
    assert 'put layers with photos' in found['classify']['missing'][1], found['classify']
    many = ' '.join(f'"c{i}"' for i in range(50))
    found, _ = ask(gimp, photo, f'''{call(f'#:classes (list {many})')} (paint (class-layer image 49) image 5 5 9 9) {answer('many')}''')
    assert len(found['many']['classes']) == 50 and found['many']['classes'][49] | {'name': 'c49', 'pixels': 81} == found['many']['classes'][49]
    too_many = ' '.join(f'"c{i}"' for i in range(251))
    wrong_word, number = gimp.refuse([scene(photo, '', call('#:task "guess"')), scene(photo, '', call(f'#:classes (list {too_many})'))])
    assert 'segment, detect' in wrong_word and 'at most 250' in number, (wrong_word, number)
    print('ok nothing, one class, 50, too many, a pixel, contradictions and labels off the canvas: each in words')


def check_specks(gimp, folder):
    """Single pixels in a layer of more than 8,192 pixels that lies off the canvas by odd numbers: none is overlooked, and nothing else is counted."""
    photo, width, height = folder / 'wide.png', 8301, 205
    Image.new('RGB', (width, height), 'gray').save(photo)
    specks = [(0, 0), (63, 63), (64, 63), (127, 128), (700, 1), (701, 202), (4095, 100), (8188, 64), (8194, 64), (8195, 191), (8250, 5), (8300, 204)]
    paint = ' '.join(f'(paint (class-layer image 0) image {x} {y} 1 1)' for x, y in specks)
    kinds = {name: (KINDS | POORER)[name] for name in ('rgb 8 bit', '16 bit linear', 'half', 'float', 'gray', 'gray 16 bit', 'indexed')}
    body = f"""(begin {call('#:task "detect" #:classes (list "speck")')} (gimp-layer-resize (class-layer image 0) {width + 5} {height + 3} 3 2) {paint} """
    found = answers_of(run(gimp, TOOLS + ''.join(scene(photo, prepare, f'{body} {answer(name)})') for name, prepare in kinds.items())))
    for name in kinds:
        speck = found[name]['classes'][0]
        assert sorted(speck['boxes']) == sorted([[x, y, 1, 1] for x, y in specks[:1] + specks[3:]] + [[63, 63, 2, 1]]), (name, speck)
        assert speck['pixels'] == len(specks) and not speck.get('outside'), (name, speck)
    print(f'ok {len(specks)} single pixels on {len(kinds)} kinds of wide images are all seen')


def check_undo_and_sight(gimp, photo):
    """The network's input is the photo's, also for a layer that the user put into the group; the group is one undo step."""
    names = lambda layer: f'(gimp-drawable-get-pixel {layer} 15 15)'
    found, seen = ask(gimp, photo, f'''{classify('before', '#:region "image"')} {call()} (paint (class-layer image 0) image 0 0 {SIZE[0]} {SIZE[1]})
      (gimp-image-insert-layer image (gimp-layer-new image "mine" {SIZE[0]} {SIZE[1]} RGBA-IMAGE 100 LAYER-MODE-NORMAL) (group-of image) 0)
      (paint (class-layer image 0) image 0 0 {SIZE[0]} {SIZE[1]})
      {classify('after', '#:region "image"')} {answer('mine')} {show('opacity', '(gimp-layer-get-opacity (group-of image))')}
      {show('pixel', names('(class-layer image 1)'))} {answer('opaque', '#:opacity 70')} {show('new opacity', '(gimp-layer-get-opacity (group-of image))')}''')
    assert found['before']['classes'] == found['after']['classes'], found
    assert [item['name'] for item in found['mine']['classes']] == ['mine', 'Background', 'Object'], found['mine']
    assert len({item['colour'] for item in found['mine']['classes']}) == 3 and seen['opacity'].startswith('50') and seen['new opacity'].startswith('70'), seen
    status, output = gimp.batch(TOOLS + scene(photo, '', f'''{call()}
      (plug-in-fovea-classify #:run-mode RUN-NONINTERACTIVE #:image image #:drawables (vector (class-layer image 0)))'''))
    assert status != 0 and 'Fovea made' in output, output[-500:]
    print('ok labels are never looked at')


def check_language(gimp, photo, folder):
    """Labels that were made in one language are the same under another, in which GIMP speaks otherwise."""
    file = f'{folder}/language.xcf'
    made, _ = ask(gimp, photo, f'''{call('#:task "segment"')} (paint (class-layer image 0) image 10 20 30 5) {answer('made')}
      (gimp-file-save RUN-NONINTERACTIVE image "{file}")''')
    english, gimp.environment = gimp.environment, gimp.environment | speak(gimp, 'de_DE.UTF-8')
    found = answers_of(run(gimp, TOOLS + f'''(let ((image (gimp-file-load RUN-NONINTERACTIVE "{file}"))) {answer('loaded')} {call()} {answer('again')})'''))
    gimp.environment = english
    assert found['loaded']['missing'] != made['made']['missing'], 'GIMP speaks no German here'
    for name in ('loaded', 'again'):
        assert found[name] | {'missing': 0} == made['made'] | {'missing': 0}, (name, found[name])
    print('ok labels made in English are the same under German')


def check_watch(gimp):
    """One pixel is noticed wherever it is painted, in images of any size."""
    sizes = ((64, 48), (61, 43), (5, 3), (1000, 1), (403, 1030), (4001, 2999), (8200, 30))
    script = ''.join(f'''(display (string-append "\\nANSWER {width}x{height}|" (number->string (fovea-test-watch #:width {width} #:height {height} #:n 90)) "\\n"))'''
                     for width, height in sizes)
    found = answers_of(run(gimp, script))
    assert len(found) == len(sizes) and not any(found.values()), found
    print(f'ok one pixel after the other, in {len(found)} sizes of images: none is overlooked')


def main():
    source = reference() / 'data' / PHOTO
    if not source.exists():
        skip('the reference photos are missing')
    with tempfile.TemporaryDirectory() as temporary, IsolatedGimp(sys.argv[1]) as gimp:
        folder = pathlib.Path(temporary)
        photo = folder / 'photo.png'
        Image.open(source).convert('RGB').resize(SIZE).save(photo)
        (gimp.folder / 'plug-ins/watch-tool').mkdir()
        (gimp.folder / 'plug-ins/watch-tool/watch-tool').symlink_to(pathlib.Path(sys.argv[2]).resolve())
        check_watch(gimp)
        check_kinds(gimp, photo)
        check_stays(gimp, photo, folder)
        check_turned(gimp, photo)
        check_blobs(gimp, photo)
        check_trouble(gimp, photo)
        check_specks(gimp, folder)
        check_undo_and_sight(gimp, photo)
        check_language(gimp, photo, folder)


if __name__ == '__main__':
    main()
