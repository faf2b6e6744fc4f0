#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Labels that go to files of other programs and come back, in real GIMP without windows: boxes of COCO, YOLO and VOC, masks, folders of classes; what comes back is
the same to the last byte. Files with broken labels are refused in words, in German too.

    labels_batch.py BUILD/plugin/fovea
"""

import json
import pathlib
import re
import sys
import tempfile

from isolated_gimp import IsolatedGimp, skip

try:
    import numpy as np
    from PIL import Image
except ImportError as missing:
    skip(missing)

from classify_batch import answers_of, scene as plain_scene
from gimp_window import speak
from label_batch import TOOLS, answer as label_answer, by_name, call as label
from locate_batch import run

SIZE = (240, 160)
NAMES = ['Katze, grau', ' a/b', '小さい猫', 'قطة', '.x  y %2F "z"  ']


def scene(photo, prepare, body):
    """GIMP knows the file of what is opened by hand; scripts say it."""
    return plain_scene(photo, f'(gimp-image-set-file image "{photo.with_suffix(".xcf")}") {prepare}', body)


def send(folder, name, more=''):
    return f'''(plug-in-fovea-export-labels #:run-mode RUN-NONINTERACTIVE #:image image #:drawables (gimp-image-get-layers image) #:format "{name}" #:folder "{folder}" {more})'''


def fetch(folder, name, more=''):
    return f'''(plug-in-fovea-import-labels #:run-mode RUN-NONINTERACTIVE #:image image #:drawables (gimp-image-get-layers image) #:format "{name}" #:folder "{folder}" {more})'''


def scheme(text):
    return '"' + text.replace('\\', '\\\\').replace('"', '\\"') + '"'


def classes(names):
    return '(list ' + ' '.join(map(scheme, names)) + ')'


def files_of(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob('*')) if path.is_file()}


def check_boxes(gimp, photo, folder):
    """Blobs and paths of five classes; each format there, back to another copy of the photo, and there again: the same bytes."""
    paint = '\n'.join(f'(paint (class-layer image {i}) image {10 + 40 * i} {5 + 20 * i} {20 + i} 15) (paint (class-layer image {i}) image {12 + 40 * i} 130 7 {9 + i})'
                      for i in range(len(NAMES)))
    made = f'{label(f"""#:task "detect" #:classes {classes(NAMES)}""")} {paint}'
    for name, files in (('coco', 2), ('yolo', 5), ('voc', 2)):
        one, two, three = (folder / f'{name}-{i}' for i in range(3))
        found = answers_of(run(gimp, TOOLS + scene(photo, '', f'''{made} {send(one, name)}''')
                               + scene(photo, '', f'''{fetch(one, name)} {label_answer(name)} {send(two, name)} {fetch(two, name)} {send(three, name, '#:photos #f')}
                                 (gimp-file-save RUN-NONINTERACTIVE image "{folder}/{name}.xcf")
                                 (let ((image (gimp-file-load RUN-NONINTERACTIVE "{folder}/{name}.xcf"))) (gimp-image-set-file image "{photo.with_suffix('.xcf')}") {send(folder / f'{name}-xcf', name)})''')))[name]
        assert len(files_of(one)) == files and files_of(one) == files_of(two), (name, list(files_of(one)), list(files_of(two)))
        if name == 'coco':
            text = json.loads((one / 'annotations.json').read_text())
            assert [item['name'] for item in text['categories']] == NAMES and len(text['annotations']) == 10, text
            assert text['annotations'][0]['bbox'] == [10, 5, 20, 15] and text['images'] == [{'id': 1, 'file_name': 'photo.png', 'width': SIZE[0], 'height': SIZE[1]}], text
            assert (folder / 'coco-xcf/annotations.json').read_text() == (one / 'annotations.json').read_text()
        assert sum(item['objects'] for item in found['classes']) == 10 and set(by_name(found)) == set(NAMES), found
        assert not (three / 'images').exists()
    print('ok boxes of five classes, in COCO, YOLO and VOC: there, back and there again without a change; nothing twice')


def check_fractions(gimp, photo, folder):
    """Boxes of another program: with fractions, scores, over the edge, in an order of its own."""
    boxes = [(1, [10.25, 20.125, 30.3333333333, 11.7]), (0, [-3.5, 100, 20, 80.25]), (1, [10.25, 20.125, 30.3333333333, 11.8]), (0, [200, 5, 39.99, 10])]
    text = {'images': [{'id': 1, 'file_name': 'photo.png', 'width': SIZE[0], 'height': SIZE[1]}], 'categories': [{'id': 1, 'name': 'b'}, {'id': 2, 'name': 'a'}],
            'annotations': [{'id': i + 1, 'image_id': 1, 'category_id': c + 1, 'bbox': box, 'score': 0.5} for i, (c, box) in enumerate(boxes)]}
    (folder / 'others').mkdir()
    (folder / 'others/annotations.json').write_text(json.dumps(text))
    run(gimp, TOOLS + scene(photo, '', f'''{fetch(folder / 'others', 'coco')} (gimp-file-save RUN-NONINTERACTIVE image "{folder}/photo.xcf")
      (let ((image (gimp-file-load RUN-NONINTERACTIVE "{folder}/photo.xcf"))) (gimp-image-set-file image "{folder}/photo.xcf") {send(folder / 'again', 'coco')})'''))
    again = json.loads((folder / 'again/annotations.json').read_text())
    assert [(item['category_id'] - 1, item['bbox'], item.get('score')) for item in again['annotations']] == [(c, box, 0.5) for c, box in boxes], again
    assert again['categories'] == text['categories'], again
    print('ok boxes with fractions and scores come back to the last digit, through an XCF file')


def annotations():
    """Objects with polygons and masks of another program: boxes and areas of its own, a hole, a part of one point, a first point that is the last, too, a crowd, masks as numbers and packed."""
    width, height = SIZE
    column = [30, 20, height - 50]  # the object's rows in a column of photo pixels
    runs = [30 + 40 * height, 20, height - 20, 5, 5, 10, height - 20, 20, height - 50 + (width - 43) * height]
    assert sum(runs) == width * height and sum(column) == height
    shapes = ([[10.25, 20.5, 60, 20.5, 60.3333333333, 50, 10, 49.75]], [[100, 100, 120, 100, 110, 120.125], [130, 100, 140, 100, 140, 110], [7, 7]],
              {'size': [height, width], 'counts': runs}, {'size': [height, width], 'counts': packed(runs)}, [], [[-5.5, 3, 30, 3, 30, 30, -5.5, 3]])
    boxes = ([10, 20.5, 50.3333333333, 29.5], [100, 100, 40, 20], [40, 30, 3, 20], [40, 30, 3, 20.5], [50, 60, 17.25, 30], [0, 3, 30, 27])
    areas = (1475.0625, 298.5, 55, 50, 17, 400)
    return [{'id': i + 1, 'image_id': 1, 'category_id': 1 + i % 2, 'bbox': box, 'area': area, 'iscrowd': int(i == 2), 'segmentation': shape}
            for i, (shape, box, area) in enumerate(zip(shapes, boxes, areas))]


def packed(runs):
    """As pycocotools packs them."""
    text = ''
    for i, run in enumerate(runs):
        left, more = run - (runs[i - 2] if i > 2 else 0), True
        while more:
            bits, left = left & 31, left >> 5
            more = left != -1 if bits & 16 else left != 0
            text += chr(48 + (bits | 32 if more else bits))
    return text


def others(folder, name, items, size=SIZE):
    """A COCO file of another program."""
    (folder / name).mkdir()
    (folder / name / 'annotations.json').write_text(json.dumps({
        'images': [{'id': 1, 'file_name': 'photo.png', 'width': size[0], 'height': size[1]}], 'categories': [{'id': i + 1, 'name': name} for i, name in enumerate(('b', 'a/1'))],
        'annotations': items}))


def annotations_of(folder):
    return json.loads((folder / 'annotations.json').read_text())['annotations']


def check_shapes(gimp, photo, folder):
    """Polygons and masks of objects come back as they were, through an XCF file; when the image is scaled or cut they follow, and what the file said of the old no longer counts."""
    given = annotations()
    others(folder, 'shapes', given)
    move = '(gimp-image-scale image 480 480) (gimp-image-crop image 400 400 20 0)'
    again = f'(let ((image (gimp-file-load RUN-NONINTERACTIVE "{folder}/shapes.xcf"))) (gimp-image-set-file image "{photo.with_suffix(".xcf")}")'
    found = answers_of(run(gimp, TOOLS + scene(photo, '', f'''{fetch(folder / 'shapes', 'coco')} {fetch(folder / 'shapes', 'coco')} {label_answer('shapes')} {send(folder / 'shapes-2', 'coco')}
      {send(folder / 'shapes-yolo', 'yolo')} (gimp-file-save RUN-NONINTERACTIVE image "{folder}/shapes.xcf")
      {again} {send(folder / 'shapes-3', 'coco')} {move} {send(folder / 'shapes-moved', 'coco')})''')))['shapes']
    assert annotations_of(folder / 'shapes-2') == annotations_of(folder / 'shapes-3') == given, (annotations_of(folder / 'shapes-2'), given)
    assert sum(item['objects'] for item in found['classes']) == len(given) - 1, found  # a crowd is no object
    moved = annotations_of(folder / 'shapes-moved')
    shape = [[round(number, 3) for number in polygon] for polygon in moved[0]['segmentation']]
    assert shape == [[0.5, 61.5, 100, 61.5, 100.667, 150, 0, 149.25]] and abs(moved[0]['area'] - area(shape[0])) < 0.1, moved[0]
    assert moved[2]['iscrowd'] == 1 and moved[2]['segmentation']['size'] == [400, 400] and moved[2]['bbox'] == [60, 90, 6, 60], moved[2]
    assert moved[2]['area'] == sum(moved[2]['segmentation']['counts'][1::2]) == 55 * 2 * 3, moved[2]
    assert moved[3]['segmentation']['counts'] == packed(moved[2]['segmentation']['counts']), moved[3]
    line = (folder / 'shapes-yolo/labels/photo.txt').read_text().splitlines()
    assert [len(item.split()) for item in line[:2]] == [9, 25] and len(line[4].split()) == 9, line  # a box among polygons is one, too
    others(folder, 'half', [dict(given[2], segmentation={'size': [160, 120], 'counts': [16000, 80, 3120]}, bbox=[100, 0, 1, 80])], (120, 160))
    run(gimp, TOOLS + scene(photo, '', f"{fetch(folder / 'half', 'coco')} {send(folder / 'half-2', 'coco')}"))
    half = annotations_of(folder / 'half-2')[0]
    assert half['segmentation'] == {'size': [160, 240], 'counts': [32000, 80, 80, 80, 6160]} and half['bbox'] == [200, 0, 2, 80], half
    print('ok polygons, masks and crowds come back to the last digit, and follow the image when it is scaled and cut')


def area(polygon):
    points = list(zip(polygon[::2], polygon[1::2]))
    return abs(sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(points, points[1:] + points[:1]))) / 2


def check_marks(gimp, photo, folder):
    """What VOC says of an object beside its box, and of the photo, through an XCF file, too; parts of an object that was moved are no longer said. Polygons of YOLO."""
    first = '\n    <part><name>Kopf &amp; Hals</name><bndbox><xmin>4</xmin></bndbox></part>\n    <actions><jumping>1</jumping></actions>\n    <occluded>0</occluded>'
    (folder / 'marks/Annotations').mkdir(parents=True)
    (folder / 'marks/Annotations/photo.xml').write_text(f'''<annotation verified="yes">
  <filename>photo.png</filename>
  <size>
    <width>{SIZE[0]}</width>
    <height>{SIZE[1]}</height>
    <depth>1</depth>
  </size>
  <folder>VOC2012, „eins“</folder>
  <source><database>Ours</database></source>
  <segmented>1</segmented>
''' + ''.join(f'''  <object>
    <name>{name}</name>
    <pose>{pose}</pose>
    <truncated>{truncated}</truncated>
    <difficult>{difficult}</difficult>
{more}    <bndbox>
      <xmin>{left}</xmin>
      <ymin>2</ymin>
      <xmax>{left + 20}</xmax>
      <ymax>40</ymax>
    </bndbox>{rest}
  </object>
''' for name, pose, truncated, difficult, more, left, rest in (('a, b/c', 'Left', 1, 0, '', 3, first), ('犬', 'Unspecified', 0, 1, '    <occluded>1</occluded>\n', 60.5, ''),
                                                                (' 犬', 'Rear', 0, 0, '', 80, ''))) + '</annotation>\n')
    (folder / 'rows/labels').mkdir(parents=True)
    (folder / 'rows/classes.txt').write_text('a, b/c\n犬\n')
    (folder / 'rows/labels/photo.txt').write_text('1 0.1 0.2 0.55 0.2 0.333 0.6666666667\n1 0.1 0.1 0.2 0.1 0.2 0.5 0.1 0.5 0.75\n')
    again = f'(let ((image (gimp-file-load RUN-NONINTERACTIVE "{folder}/marks.xcf"))) (gimp-image-set-file image "{photo.with_suffix(".xcf")}")'
    run(gimp, TOOLS + scene(photo, '', f"""{fetch(folder / 'marks', 'voc')} (gimp-file-save RUN-NONINTERACTIVE image "{folder}/marks.xcf")
        {again} {send(folder / 'marks-2', 'voc')} {send(folder / 'marks-coco', 'coco')}
        (gimp-image-scale image {2 * SIZE[0]} {2 * SIZE[1]}) {send(folder / 'marks-moved', 'voc')})""")
        + scene(photo, '', f"{fetch(folder / 'marks-coco', 'coco')} {send(folder / 'marks-3', 'voc')}")
        + scene(photo, '', f"{fetch(folder / 'rows', 'yolo')} {send(folder / 'rows-2', 'yolo')}"))
    for one, two, name in (('marks', 'marks-2', 'Annotations/photo.xml'), ('rows', 'rows-2', 'labels/photo.txt')):
        assert (folder / one / name).read_text() == (folder / two / name).read_text(), ((folder / one / name).read_text(), (folder / two / name).read_text())
    given, moved, by_coco = ((folder / name / 'Annotations/photo.xml').read_text() for name in ('marks', 'marks-moved', 'marks-3'))
    assert '<part>' not in moved and all(words in moved for words in ('<actions><jumping>1</jumping></actions>', '<database>Ours', '<width>480<', 'verified="yes"')), moved
    assert first in by_coco and '<segmented>1' in by_coco, by_coco
    assert [item['iscrowd'] for item in annotations_of(folder / 'marks-coco')] == [0, 0, 0] and given.count('<part>') == 1
    print("ok VOC's marks, parts and sources and YOLO's polygons come back as they were")


def check_drawn(gimp, photo, folder):
    """Paths that were drawn by hand: what surrounds an object is its outline, straight, bent or open; a rectangle is a box, and what surrounds nothing is what it reaches."""
    def path(name, *corners, closed='TRUE', bent=0):
        handles = ' '.join(f'{x - bent} {y} {x} {y} {x + bent} {y}' for x, y in corners)
        return f"""(let ((path (gimp-path-new image "{name}"))) (gimp-image-insert-path image path -1 99)
          (gimp-path-stroke-new-from-points path PATH-STROKE-TYPE-BEZIER #({handles}) {closed}))"""

    drawn = (path('dog', (10, 20), (60, 20), (40, 70)) + path('dog #1', (100, 20), (140, 20), (140, 50), (100, 50)) + path('dog #2', (20, 90), (60, 90), (60, 130), closed='FALSE')
             + path('dog #3', (160, 40), (200, 40), bent=0) + path('dog #4', (120, 100), (160, 100), (140, 140), bent=10) + path('dog #5', (200, 100), (230, 130), (230, 100), (200, 130)))
    run(gimp, TOOLS + scene(photo, '', f"""{label('#:task "detect" #:classes (list "dog")')} {drawn} {send(folder / 'drawn', 'coco')} {send(folder / 'drawn-yolo', 'yolo')}""")
        + scene(photo, '', f"{fetch(folder / 'drawn', 'coco')} {send(folder / 'drawn-2', 'coco')}"))
    found = annotations_of(folder / 'drawn')
    assert [item['segmentation'] for item in found[:4]] == [[[10, 20, 60, 20, 40, 70]], [], [[20, 90, 60, 90, 60, 130]], []], found
    assert found[0]['area'] == 1250 and found[1]['bbox'] == [100, 20, 40, 30] and found[3]['bbox'] == [160, 40, 40, 0], found
    assert len(found[4]['segmentation'][0]) > 20 and 700 < found[4]['area'] < 1600 and len(found[5]['segmentation'][0]) == 8, found[4:]
    again = annotations_of(folder / 'drawn-2')
    assert again == found, [(one, other) for one, other in zip(found, again) if one != other]
    lines = [[float(word) for word in line.split()] for line in (folder / 'drawn-yolo/labels/photo.txt').read_text().splitlines()]
    assert len(lines[1]) == 9 and np.allclose(np.reshape(lines[1][1:], (4, 2)) * SIZE, [[100, 20], [140, 20], [140, 50], [100, 50]]), lines
    print('ok paths drawn by hand are outlines, rectangles boxes')


def check_more(gimp, photo, folder):
    """Ids, keypoints, attributes, licences: what COCO's file says beside the labels comes back, through an XCF file, too, and of classes that were renamed; a new object gets an id that nobody
    has, and keypoints of one that was moved, or of a photo of another size, are no longer said."""
    shape = [[10, 20, 60, 20, 40, 70]]
    text = {'info': {'year': 2026, 'description': 'ours'}, 'licenses': [{'id': 3, 'name': 'CC0'}],
            'images': [{'id': 4711, 'file_name': 'photo.png', 'width': SIZE[0], 'height': SIZE[1], 'license': 3, 'coco_url': 'http://x/"y"'}],
            'categories': [{'id': 18, 'name': 'dog', 'supercategory': 'animal', 'keypoints': ['nose', 'tail']}, {'id': 1, 'name': ' 人, a/b', 'supercategory': None}],
            'annotations': [{'id': 900, 'image_id': 4711, 'category_id': 18, 'bbox': [10, 20, 50, 50], 'area': 1250, 'iscrowd': 0, 'segmentation': shape,
                             'keypoints': [12, 22, 2, 0, 0, 0], 'num_keypoints': 1, 'attributes': {'occluded': True, 'weight': 0.1}},
                            {'id': 2, 'image_id': 4711, 'category_id': 1, 'bbox': [100, 90, 30, 20.5], 'area': 615, 'iscrowd': 0, 'segmentation': [], 'track': 'β'}]}
    (folder / 'more').mkdir()
    (folder / 'more/annotations.json').write_text(json.dumps(text))
    again = f'(let ((image (gimp-file-load RUN-NONINTERACTIVE "{folder}/more.xcf"))) (gimp-image-set-file image "{photo.with_suffix(".xcf")}")'
    small = folder / 'small/photo.png'
    small.parent.mkdir()
    Image.open(photo).resize((SIZE[0] // 2, SIZE[1] // 2)).save(small)
    run(gimp, TOOLS + scene(photo, '', f"""{fetch(folder / 'more', 'coco')} {fetch(folder / 'more', 'coco')} {send(folder / 'more-2', 'coco')}
      (gimp-file-save RUN-NONINTERACTIVE image "{folder}/more.xcf")
      {again} (gimp-item-set-name (class-layer image 0) "hound") (gimp-item-set-name (class-layer image 1) "dog of old") {label()} {send(folder / 'more-renamed', 'coco')})
      {again} {send(folder / 'more-3', 'coco')} (paint (class-layer image 0) image 200 100 20 20)
        (gimp-image-scale image {2 * SIZE[0]} {2 * SIZE[1]}) {send(folder / 'more-moved', 'coco')})""")
        + scene(small, '', f"{fetch(folder / 'more', 'coco')} {send(folder / 'more-small', 'coco')}"))
    for name in ('more-2', 'more-3'):
        found = json.loads((folder / name / 'annotations.json').read_text())
        assert found == text, (name, found)
    renamed = json.loads((folder / 'more-renamed/annotations.json').read_text())
    assert renamed['annotations'] == text['annotations'], renamed
    assert renamed['categories'] == [item | {'name': name} for item, name in zip(text['categories'], ('hound', 'dog of old'))], renamed
    for name, ids in (('more-moved', [1, 900, 2]), ('more-small', [900, 2])):
        found = json.loads((folder / name / 'annotations.json').read_text())
        assert [item['id'] for item in found['annotations']] == ids and found['images'][0]['id'] == 4711, found
        dog = found['annotations'][-2]
        assert 'keypoints' not in dog and 'num_keypoints' not in dog and dog['attributes'] == text['annotations'][0]['attributes'], dog
    print('ok what COCO says beside the labels comes back')


def check_masks(gimp, photo, folder):
    """Painted pixels: what is in two classes, and what isn't painted, is unknown."""
    made = f'''{label(f"""#:task "segment" #:classes {classes(["Background", *NAMES])}""")}
      (paint (class-layer image 0) image 0 0 50 50) (paint (class-layer image 1) image 60 10 9 90) (paint (class-layer image 3) image 100 100 30 40)
      (paint (class-layer image 5) image 110 110 10 10)'''
    run(gimp, TOOLS + scene(photo, '', f'{made} {send(folder / "masks-1", "masks")}')
        + scene(photo, '', f'{fetch(folder / "masks-1", "masks")} {send(folder / "masks-2", "masks")} {fetch(folder / "masks-2", "masks")} {send(folder / "masks-3", "masks")}'))
    one = files_of(folder / 'masks-1')
    mask = np.asarray(Image.open(folder / 'masks-1/masks/photo.png').convert('L'))
    truth = np.full(mask.shape, 255)
    truth[0:50, 0:50], truth[10:100, 60:69], truth[100:140, 100:130], truth[110:120, 110:120] = 0, 1, 3, 255
    assert (mask == truth).all() and one['classes.txt'].decode().splitlines() == NAMES, one['classes.txt']
    assert one == files_of(folder / 'masks-2') == files_of(folder / 'masks-3')
    print('ok masks: there and back twice without a change')


def check_folders(gimp, photo, folder):
    """Example layers of whole images."""
    names = NAMES[:3]
    insert = ' '.join(f'''(gimp-image-insert-layer image (gimp-layer-new image "photo {k}/{i}" {20 + i} {30 + k} RGBA-IMAGE 100 LAYER-MODE-NORMAL) (class-layer image {i}) {k})
      (gimp-drawable-fill (vector-ref (gimp-item-get-children (class-layer image {i})) {k}) FILL-FOREGROUND)''' for i in range(3) for k in range(2))
    found = answers_of(run(gimp, TOOLS + scene(photo, '', f'''{label(f"""#:task "classify" #:classes {classes(names)}""")} {insert} {send(folder / "folders-1", "folders")}''')
                           + scene(photo, '', f'''{fetch(folder / "folders-1", "folders")} {label_answer('folders')} {send(folder / "folders-2", "folders")}''')))['folders']
    assert {name: item['layers'] for name, item in by_name(found).items()} == {name: 2 for name in names}, found
    one = files_of(folder / 'folders-1')
    assert len(one) == 6 and one == files_of(folder / 'folders-2'), list(one)
    print('ok folders of classes of any name: there and back without a change')


def check_refusals(gimp, photo, folder):
    for name, text in (('broken', '{"images": ['), ('other', json.dumps({'images': [{'id': 1, 'file_name': 'x.png', 'width': 9, 'height': 9}, {'id': 2, 'file_name': 'y.png', 'width': 9, 'height': 9}],
                                                                        'categories': [], 'annotations': []}))):
        (folder / name).mkdir()
        (folder / name / 'annotations.json').write_text(text)
    for name, value, size in (('large', 0, (9, 9)), ('value', 7, SIZE)):
        (folder / name / 'masks').mkdir(parents=True)
        Image.new('L', size, value).save(folder / name / 'masks/photo.png')
    (folder / 'file').write_text('')
    cases = (
            ('no labels', send(folder / 'x', 'coco'), 'Label Layers'),
            ('a wrong word', fetch(folder, 'csv'), 'coco, yolo, voc, masks, folders'),
            ('no folder', label() + send('', 'coco'), 'Say the folder'),
            ('folders of pixels', label() + send(folder / 'x', 'folders'), 'whole images'),
            ('a folder that cannot be', label() + send(folder / 'file/x', 'coco'), 'file/x'),
            ('broken', fetch(folder / 'broken', 'coco'), 'no JSON'),
            ('another photo', fetch(folder / 'other', 'coco'), 'no labels of a photo with this image'),
            ('a mask of another size', fetch(folder / 'large', 'masks'), '9 × 9'),
            ('a nameless value', fetch(folder / 'value', 'masks'), 'value 7'),
            ('nothing there', fetch(folder / 'nowhere', 'yolo'), 'classes.txt'))
    for (name, _, words), message in zip(cases, gimp.refuse([scene(photo, '', body) for _, body, _ in cases], TOOLS)):
        assert words in message and not re.search(r'\(fovea:.*CRITICAL', message), (name, message[-800:])
    print('ok ten refusals in words')


def check_german(gimp, photo, folder):
    """What is wrong with a file of labels is said in the user's language, whichever the format."""
    coco = {'images': [{'id': 1, 'file_name': 'photo.png', 'width': SIZE[0], 'height': SIZE[1]}], 'categories': [{'id': 1, 'name': 'a'}]}
    item = {'image_id': 1, 'category_id': 1, 'bbox': [1, 2, 3, 4]}
    for name, file, text in (('de-area', 'annotations.json', json.dumps(coco | {'annotations': [item | {'area': -1}]})),
                             ('de-image', 'annotations.json', json.dumps(coco | {'annotations': [item | {'image_id': 2}]})),
                             ('de-rows', 'photo.txt', '3 0.1 0.2 0.3 0.4\n'),
                             ('de-marks', 'Annotations/photo.xml', '<annotation><object><bndbox><xmin>ten</xmin></bndbox></object></annotation>')):
        (folder / name / file).parent.mkdir(parents=True)
        (folder / name / file).write_text(text)
    (folder / 'de-rows/classes.txt').write_text('a\nb\n')
    cases = ((fetch(folder / 'de-area', 'coco'), 'Die Annotation 1 hat eine segmentation, die weder aus Polygonen'),
             (fetch(folder / 'de-image', 'coco'), 'Die Annotation 1 nennt kein Bild'),
             (fetch(folder / 'de-rows', 'yolo'), 'Zeile 1: Es gibt keine Klasse 3; die Zahl der Namen ist 2. Berichtigen Sie'),
             (fetch(folder / 'de-marks', 'voc'), '„ten“ in <xmin> ist keine Zahl'),
             (fetch(folder / 'nowhere', 'voc'), 'Wählen Sie eine andere Datei oder einen anderen Ordner'))
    english, gimp.environment = gimp.environment, gimp.environment | speak(gimp, 'de_DE.UTF-8')
    for (body, words), message in zip(cases, gimp.refuse([scene(photo, '', body) for body, _ in cases], TOOLS)):
        assert words in message, (body, words, message[-800:])
    gimp.environment = english
    print('ok what is wrong with files is said in German')


def main():
    with tempfile.TemporaryDirectory() as temporary, IsolatedGimp(sys.argv[1]) as gimp:
        folder = pathlib.Path(temporary)
        photo = folder / 'photo.png'
        Image.fromarray(np.random.default_rng(1).integers(0, 256, (SIZE[1], SIZE[0], 3), np.uint8)).save(photo)
        check_boxes(gimp, photo, folder)
        check_fractions(gimp, photo, folder)
        check_shapes(gimp, photo, folder)
        check_marks(gimp, photo, folder)
        check_drawn(gimp, photo, folder)
        check_more(gimp, photo, folder)
        check_masks(gimp, photo, folder)
        check_folders(gimp, photo, folder)
        check_refusals(gimp, photo, folder)
        check_german(gimp, photo, folder)


if __name__ == '__main__':
    main()
