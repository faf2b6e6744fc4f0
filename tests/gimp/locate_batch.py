#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""plug-in-fovea-locate in real GIMP, without windows: the command's boxes on every image kind, every output, one undo step, every refusal.

    locate_batch.py BUILD/plugin/fovea FOVEA
"""

import json
import subprocess
import sys

from isolated_gimp import IsolatedGimp, reference, skip

try:
    from PIL import Image
except ImportError as missing:
    skip(missing)

from classify_batch import KINDS, POORER, answers_of, scene

MODEL = 'yolox_nano'
SURE = 0.75  # such objects are the same whichever decoder of JPEG reads the photo


def call(more='', model=MODEL):
    return f'''(plug-in-fovea-locate #:run-mode RUN-NONINTERACTIVE #:image image #:drawables (gimp-image-get-layers image) #:model "{model}"
  {'' if '#:output' in more else '#:output "none"'} {more})'''


def answer(name, more=''):
    return f'(display (string-append "\\nANSWER {name}|" (list-ref {call(more)} 3) "\\n"))'


def show(name, what):
    return f'(display "\\nSHOW {name}|") (write {what}) (newline)'


def shown(output):
    return dict(line[5:].split('|', 1) for line in output.splitlines() if line.startswith('SHOW '))


def run(gimp, script, fonts=False):
    status, output = gimp.batch(script, fonts=fonts)
    assert status == 0, output[-3000:]
    return output


def overlap(a, b):
    width, height = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0]), min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    return max(width, 0) * max(height, 0) / (a[2] * a[3] + b[2] * b[3] - max(width, 0) * max(height, 0))


def same(found, expected, near=0.5):
    """The same objects, their boxes within `near` pixels."""
    return (len(found) == len(expected) and all(a['label'] == b['label'] and abs(a['score'] - b['score']) < 0.02 and
                                                 all(abs(p - q) <= near for p, q in zip(a['box'], b['box'])) for a, b in zip(found, expected)))


def by_command(fovea, photo):
    done = subprocess.run([fovea, 'locate', reference() / f'models/{MODEL}.onnx', photo, '--json'], capture_output=True, check=True)
    return json.loads(done.stdout)['images'][0]['objects']


def check_kinds(gimp, photo, expected):
    """The photo in every kind: the command's boxes, moved by the layer's offset."""
    found = answers_of(run(gimp, ''.join(scene(photo, prepare, answer(name)) for name, prepare in (KINDS | POORER).items())))
    for name in KINDS:
        objects = found[name]['objects']
        if name == 'offset':
            for item in objects:
                item['box'][0] += 40
                item['box'][1] -= 25
        exact = name in ('rgb 8 bit', 'alpha', 'offset', 'group', 'several layers')
        assert same(objects, expected, 0.02 if exact else 2), f'{name}: {objects}\n{expected}'
    for name in POORER:
        assert all(item['box'][2] > 0 for item in found[name]['objects']), name
    assert found['gray']['objects'][0]['label'] == expected[0]['label'], found['gray']
    print(f'ok {len(KINDS)} kinds of images give the command\'s {len(expected)} boxes; {len(POORER)} poorer ones answer')


def check_choice(gimp, photo, expected):
    label = expected[0]['label']
    found = answers_of(run(gimp, scene(photo, '', f'''
      {answer('sure', '#:threshold 0.6')} {answer('one', '#:max-objects 1')} {answer('class', f'#:classes " {label.upper()} ,"')}
      {answer('tiles', '#:tiles 3')} {answer('image', '#:region "image"')}
      (gimp-image-select-rectangle image CHANNEL-OP-REPLACE 100 80 250 200) {answer('selection', '#:region "selection"')}''')))
    assert found['sure']['objects'] == [item for item in found['image']['objects'] if item['score'] >= 0.6]
    assert same(found['image']['objects'], expected)
    assert len(found['one']['objects']) == 1
    assert [item['label'] for item in found['class']['objects']] == [item['label'] for item in expected if item['label'] == label]
    assert len(found['tiles']['objects']) >= 1
    for item in found['selection']['objects']:
        x, y, width, height = item['box']
        assert x >= 99 and y >= 79 and x + width <= 351 and y + height <= 281, item
    print('ok threshold, number, classes, tiles, image and selection')


def add_fonts(gimp, n=800):
    """So many that GIMP still loads them when the filter begins."""
    font = subprocess.run(['fc-match', '--format=%{file}'], capture_output=True, text=True, check=True).stdout
    folder = gimp.folder / 'profile' / 'fonts'
    folder.mkdir(exist_ok=True)
    for i in range(n):
        (folder / f'{i}.ttf').symlink_to(font)


def check_overlay(gimp, photo, expected):
    add_fonts(gimp)
    for fonts in (False, True):
        found = shown(run(gimp, scene(photo, '', f'''
          (let* ((answer {call('#:output "overlay"')}) (group (vector-ref (gimp-image-get-layers image) 0)) (items (gimp-item-get-children group))
                 (frame (vector-ref items (if (= TRUE {'TRUE' if fonts else 'FALSE'}) 1 0))))
            {show('group', '(gimp-item-is-group group)')} {show('items', '(vector-length items)')}
            {show('name', '(gimp-item-get-name frame)')}
            {show('place', '(append (gimp-drawable-get-offsets frame) (list (gimp-drawable-get-width frame) (gimp-drawable-get-height frame)))')}
            {show('parasite', '(list-ref (gimp-item-get-parasite frame "fovea-object") 2)')}
            {show('text', '(gimp-item-id-is-text-layer (vector-ref items 0))')}
            {answer('again', '#:region "image"')}
            (gimp-image-remove-layer image group))'''), fonts))
        n = len(expected) * (2 if fonts else 1)
        assert int(found['items']) == n and (found['text'] in ('#t', '1', 'TRUE')) == fonts, found
        assert found['name'].strip('"').startswith(expected[0]['label'] + ' 1 ('), found
        place, box = [float(word) for word in found['place'].strip('()').split()], expected[0]['box']
        if fonts:  # the name's strip is part of it
            assert place[0] <= box[0] and place[1] <= box[1] and place[1] + place[3] >= box[1] + box[3] - 1, (place, box)
        else:
            assert all(abs(a - b) <= 2 for a, b in zip(place, box)), (place, box)
        assert expected[0]['label'] in found['parasite'], found
    print(f'ok overlay: {len(expected)} frames, with names where there are fonts')


def check_overlay_stays_out(gimp, photo):
    found = answers_of(run(gimp, scene(photo, '', f'''{answer('before', '#:region "image"')} {call('#:output "overlay"')} {answer('after', '#:region "image"')}''')))
    assert found['before']['objects'] == found['after']['objects']
    print('ok frames are never looked at')


def check_paths_and_guides(gimp, photo, expected):
    found = shown(run(gimp, scene(photo, '', f'''
      {call('#:output "paths"')} {call('#:output "guides"')}
      (let* ((paths (gimp-image-get-paths image)) (first (vector-ref paths 0)) (stroke (vector-ref (gimp-path-get-strokes first) 0)))
        {show('paths', '(vector-length paths)')} {show('name', '(gimp-item-get-name first)')}
        {show('points', '(cadr (gimp-path-stroke-get-points first stroke))')} {show('closed', '(caddr (gimp-path-stroke-get-points first stroke))')})
      (let loop ((guide (gimp-image-find-next-guide image 0)) (n 0))
        (if (= guide 0) (begin {show('guides', 'n')}) (loop (gimp-image-find-next-guide image guide) (+ n 1))))''')))
    assert int(found['paths']) == len(expected) and int(found['guides']) == 4 * len(expected), found
    points = [float(word) for word in found['points'].strip('#()').split()]
    x, y, width, height = expected[0]['box']
    assert points[:2] == points[2:4] and abs(points[0] - x) < 0.1 and abs(points[12] - x - width) < 0.1 and abs(points[13] - y - height) < 0.1, (points, expected[0])
    print('ok a closed path for each box, and four guides')


def check_selection(gimp, photo, expected):
    """Each operation against the same rectangles, pixel for pixel."""
    inside = lambda x, y, boxes: any(int(b[0]) <= x < -int(-(b[0] + b[2]) // 1) and int(b[1]) <= y < -int(-(b[1] + b[3]) // 1) for b in boxes)
    boxes = [item['box'] for item in expected]
    before = (60, 50, 200, 150)
    points = [(int(b[0] + b[2] / 2), int(b[1] + b[3] / 2)) for b in boxes[:4]] + [(2, 2), (70, 60), (255, 195), (120, 100)]
    script = ''
    for operation in ('replace', 'add', 'subtract', 'intersect'):
        script += f'''(gimp-image-select-rectangle image CHANNEL-OP-REPLACE {before[0]} {before[1]} {before[2]} {before[3]})
          {call(f'#:output "selection" #:operation "{operation}"')}'''
        script += ''.join(show(f'{operation} {x} {y}', f'(gimp-selection-value image {x} {y})') for x, y in points)
    found = shown(run(gimp, scene(photo, '', script)))
    for x, y in points:
        one, other = inside(x, y, boxes), before[0] <= x < before[0] + before[2] and before[1] <= y < before[1] + before[3]
        wanted = {'replace': one, 'add': one or other, 'subtract': other and not one, 'intersect': one and other}
        for operation, value in wanted.items():
            assert int(found[f'{operation} {x} {y}']) == 255 * value, (operation, x, y, found)
    print(f'ok four ways to change the selection, at {len(points)} places')


def check_crops_and_hiding(gimp, photo, expected):
    x, y, width, height = expected[0]['box']
    cx, cy = int(x + width / 2), int(y + height / 2)
    script = f'''
      (define (pixel layer x y) (let ((offsets (gimp-drawable-get-offsets layer)))
        (car (list (gimp-color-get-bytes (gimp-drawable-get-pixel layer (- x (car offsets)) (- y (cadr offsets))))))))
      {call('#:output "crops" #:margin 0.1 #:max-objects 3')}
      (let* ((group (vector-ref (gimp-image-get-layers image) 0)) (items (gimp-item-get-children group)) (crop (vector-ref items 0)))
        {show('crops', '(vector-length items)')}
        {show('crop', '(append (gimp-drawable-get-offsets crop) (list (gimp-drawable-get-width crop) (gimp-drawable-get-height crop)))')}
        (gimp-image-remove-layer image group))'''
    for style in ('blur', 'pixelate', 'fill'):
        script += f'''{call(f'#:output "hide" #:hide-style "{style}"')}
      (let* ((group (vector-ref (gimp-image-get-layers image) 0)) (items (gimp-item-get-children group)))
        {show(style, '(vector-length items)')}
        {answer('hidden ' + style, '#:region "image"')}
        (gimp-image-remove-layer image group))'''
    output = run(gimp, scene(photo, '', script))
    found, again = shown(output), answers_of(output)
    assert int(found['crops']) == min(3, len(expected)), found
    place = [float(word) for word in found['crop'].strip('()').split()]
    for style in ('blur', 'pixelate', 'fill'):
        assert int(found[style]) == len(expected), found
        others = [item for item in again['hidden ' + style]['objects'] if item['label'] == expected[0]['label'] and overlap(item['box'], expected[0]['box']) > 0.6]
        assert not others, (style, others)
    assert place[2] > width * 1.05 or place[0] <= 0, (place, expected[0])
    print('ok crops; what is hidden isn\'t found again, by any style')


def check_untouched(gimp, photo):
    """Looking without an output, and finding nothing, leave the image as it was."""
    found = shown(run(gimp, scene(photo, '', f'''
      {show('before', '(gimp-image-is-dirty image)')}
      {call('#:output "none"')}
      {show('after', '(gimp-image-is-dirty image)')}
      {call('#:output "overlay" #:classes "toothbrush" #:threshold 0.99')}
      {show('nothing', '(vector-length (gimp-image-get-layers image))')}''')))
    assert found['before'] == found['after'] and found['nothing'] == '1', found
    print('ok looking alone changes nothing')


REFUSED = {
    'wrong region': ('', '#:region "photo"', 'layer, image, selection'),
    'wrong output': ('', '#:output "masks"', 'overlay, paths, selection'),
    'wrong operation': ('', '#:operation "xor"', 'replace, add, subtract, intersect'),
    'wrong style': ('', '#:hide-style "smudge"', 'blur, pixelate, fill'),
    'unknown class': ('', '#:classes "person,unicorn"', 'unicorn'),
    'nothing selected': ('', '#:region "selection"', 'Nothing is selected'),
    'overlay on indexed': ('(gimp-image-convert-indexed image CONVERT-DITHER-NONE CONVERT-PALETTE-GENERATE 16 FALSE FALSE "")', '#:output "overlay"', 'indexed image'),
    'hide on indexed': ('(gimp-image-convert-indexed image CONVERT-DITHER-NONE CONVERT-PALETTE-GENERATE 16 FALSE FALSE "")', '#:output "hide"', 'indexed image'),
    'empty layer': ('''(let ((layer (vector-ref (gimp-image-get-layers image) 0)))
                         (gimp-layer-add-alpha layer) (gimp-drawable-edit-clear layer))''', '', 'transparency'),
}


def check_memory(gimp, photo):
    """Layers of a small photo take little: babl's own tables would take 350 MiB."""
    plain, gimp.environment = gimp.environment, gimp.environment | gimp.measuring()
    run(gimp, scene(photo, '', '\n'.join(call(f'#:output "{output}"') for output in ('none', 'overlay', 'crops', 'hide'))), fonts=True)
    gimp.environment = plain
    peaks = gimp.peaks()
    assert len(peaks) == 4 and max(peaks) < peaks[0] + 50, f'{peaks} MiB'
    print(f'ok the plug-in takes {peaks[0]:.0f} MiB without an output, {max(peaks):.0f} at most with one')


def check_refusals(gimp, photo):
    cases = [(scene(photo, prepare, call(more)), words) for prepare, more, words in REFUSED.values()]
    cases += [(scene(photo, '', call(model='no-such-model')), 'no-such-model'), (scene(photo, '', call(model='selfie_segmentation')), 'use Segment')]
    for (text, words), message in zip(cases, gimp.refuse([text for text, _ in cases])):
        assert words in message, f'{text}: {message[-3000:]}'
    print(f'ok {len(cases)} refusals in words')


def numbers(text):
    return [float(word) for word in text.replace('#', ' ').replace('(', ' ').replace(')', ' ').split()]


def rectangle(item):
    """Scheme: where an item of the image lies: left, top, width, height."""
    return f'(append (gimp-drawable-get-offsets {item}) (list (gimp-drawable-get-width {item}) (gimp-drawable-get-height {item})))'


def each(vector, what):
    """Scheme: a list of what holds for every `item` of a vector."""
    return f'(map (lambda (item) {what}) (vector->list {vector}))'


def within(found, expected, size, near, what):
    """The same rectangles of left, top, width and height, each side within `near` pixels where the image (width, height) doesn't end."""
    assert len(found) == 4 * len(expected), (what, found, expected)
    for k, (x, y, width, height) in enumerate(expected):
        left, top, wide, high = found[4 * k:4 * k + 4]
        for got, wanted, end in ((left, x, size[0]), (top, y, size[1]), (left + wide, x + width, size[0]), (top + high, y + height, size[1])):
            assert abs(min(max(got, 0), end) - min(max(wanted, 0), end)) <= near, (what, (left, top, wide, high), (x, y, width, height))


def check_outputs_on_kinds(gimp, fovea, photo):
    """Every output on every kind of image that can have it: the command's boxes, where the layer lies."""
    kinds = {name: prepare for name, prepare in (KINDS | POORER).items() if not name.startswith('one ')}
    folder, size = gimp.folder, Image.open(photo).size
    top, script, n = '(vector-ref (gimp-image-get-layers image) 0)', '', 0
    for kind, prepare in kinds.items():
        place = lambda output: show(f'{kind} {output}', each(f'(gimp-item-get-children {top})', rectangle('item'))) + f'(gimp-image-remove-layer image {top})'
        body = f"""(file-png-export #:run-mode RUN-NONINTERACTIVE #:image image #:file "{folder / f'{kind}.png'}")
          {call('#:output "paths"')}
          {show(f'{kind} paths', each('(gimp-image-get-paths image)', '(cadr (gimp-path-stroke-get-points item (vector-ref (gimp-path-get-strokes item) 0)))'))}
          {call('#:output "selection" #:max-objects 1')} {show(f'{kind} selection', '(cdr (gimp-selection-bounds image))')} (gimp-selection-none image)
          {call('#:output "guides" #:max-objects 1')}
          (let loop ((guide (gimp-image-find-next-guide image 0)) (places '()))
            (if (= guide 0) (begin {show(f'{kind} guides', 'places')})
              (loop (gimp-image-find-next-guide image guide) (cons (gimp-image-get-guide-position image guide) places))))
          {call('#:output "crops" #:margin 0')} {place('crops')}"""
        if not kind.startswith('indexed'):
            body += f"""{call('#:output "overlay"')} {place('overlay')} {call('#:output "hide"')} {place('hide')}"""
        script += scene(photo, prepare, body)
    found = shown(run(gimp, script))
    for kind in kinds:
        saved = folder / f"{kind.removesuffix(' 16 bit')}.png" if kind in POORER else photo
        right, down = (-40, 25) if kind == 'offset' else (0, 0)
        boxes = [[x + right, y + down, width, height] for x, y, width, height in (item['box'] for item in by_command(fovea, saved))]
        assert len(boxes) > 2, kind
        points = numbers(found[f'{kind} paths'])
        corners = [(points[24 * k], points[24 * k + 1], points[24 * k + 12] - points[24 * k], points[24 * k + 13] - points[24 * k + 1]) for k in range(len(points) // 24)]
        within([value for corner in corners for value in corner], boxes, size, 1.5, (kind, 'paths'))
        left, above, right_end, below = numbers(found[f'{kind} selection'])[-4:]
        within([left, above, right_end - left, below - above], boxes[:1], size, 2, (kind, 'selection'))
        x, y, width, height = boxes[0]
        lines = sorted(min(max(value, 0), end) for value, end in ((x, size[0]), (x + width, size[0]), (y, size[1]), (y + height, size[1])))
        assert all(abs(a - b) <= 2 for a, b in zip(sorted(numbers(found[f'{kind} guides'])), lines, strict=True)), (kind, found[f'{kind} guides'], lines)
        n += 3
        for output in ('crops', 'overlay', 'hide'):
            if f'{kind} {output}' in found:
                within(numbers(found[f'{kind} {output}']), boxes, size, 3, (kind, output))
                n += 1
    print(f'ok {n} pairs of output and image kind have the command\'s boxes')


def check_turned(gimp, fovea, photo):
    """A camera held upright: GIMP turns the photo as its Exif says, as it does for a user, the command does, too, and both have the same boxes."""
    turned, exif = gimp.folder / 'turned.jpg', Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise
    with Image.open(photo) as upright:
        upright.transpose(Image.Transpose.ROTATE_90).save(turned, quality=97, exif=exif)
        size = upright.size
    output = run(gimp, scene(turned, '(gimp-image-policy-rotate image FALSE)', show('size', '(list (gimp-image-get-width image) (gimp-image-get-height image))') + answer('turned', f'#:threshold {SURE}')))
    objects, expected = answers_of(output)['turned']['objects'], [item for item in by_command(fovea, turned) if item['score'] > SURE]
    assert numbers(shown(output)['size']) == [*size], shown(output)
    assert len(expected) > 2 and same(objects, expected, 2), (objects, expected)
    print('ok a photo that Exif turns has the command\'s boxes')


def check_rough(gimp, photo):
    found = answers_of(run(gimp, scene(photo, '', f'''(display (string-append "\\nANSWER rough|" (list-ref {call('#:threshold 0.05', 'squeezenet11_fp32')} 3) "\\n"))''')))
    assert found['rough']['objects'] and all(item['rough'] for item in found['rough']['objects']), found
    print(f'ok a classifier gives rough boxes: {found["rough"]["objects"][0]["label"]}')


def main():
    with IsolatedGimp(sys.argv[1], models=(MODEL, 'selfie_segmentation')) as gimp:
        photo = gimp.folder / 'photo.png'  # JPEG readers differ by a rounding
        Image.open(reference() / 'data/large/coco-000000275198.jpg').convert('RGB').save(photo)
        expected = by_command(sys.argv[2], photo)
        assert len(expected) > 5, expected
        check_kinds(gimp, photo, expected)
        check_choice(gimp, photo, expected)
        check_overlay(gimp, photo, expected)
        check_overlay_stays_out(gimp, photo)
        check_paths_and_guides(gimp, photo, expected)
        check_selection(gimp, photo, expected)
        check_crops_and_hiding(gimp, photo, expected)
        check_memory(gimp, photo)
        check_untouched(gimp, photo)
        check_rough(gimp, photo)
        check_turned(gimp, sys.argv[2], photo)
        check_refusals(gimp, photo)
        check_outputs_on_kinds(gimp, sys.argv[2], photo)
    return 0


if __name__ == '__main__':
    sys.exit(main())
