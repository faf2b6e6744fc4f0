#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""plug-in-fovea-classify in real GIMP, without windows: every image kind, every refusal, tags, the attention layer.

    classify_batch.py BUILD/plugin/fovea
"""

import json
import pathlib
import subprocess
import sys

from isolated_gimp import IsolatedGimp, reference

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

import tiny_model  # noqa: E402

CALL = '(plug-in-fovea-classify #:run-mode RUN-NONINTERACTIVE #:image {image} #:drawables {drawables} {more})'

# How the photo becomes an image of each kind; `image` is it. All must get the same first name.
KINDS = {
    'rgb 8 bit': '',
    'alpha': '(gimp-layer-add-alpha (vector-ref (gimp-image-get-layers image) 0))',
    '16 bit': '(gimp-image-convert-precision image PRECISION-U16-NON-LINEAR)',
    '16 bit linear': '(gimp-image-convert-precision image PRECISION-U16-LINEAR)',
    '32 bit integer': '(gimp-image-convert-precision image PRECISION-U32-NON-LINEAR)',
    'half': '(gimp-image-convert-precision image PRECISION-HALF-LINEAR)',
    'float': '(gimp-image-convert-precision image PRECISION-FLOAT-NON-LINEAR)',
    'float linear': '(gimp-image-convert-precision image PRECISION-FLOAT-LINEAR)',
    'double': '(gimp-image-convert-precision image PRECISION-DOUBLE-LINEAR)',
    'offset': '(gimp-layer-set-offsets (vector-ref (gimp-image-get-layers image) 0) -40 25)',
    'group': '''(let ((group (gimp-group-layer-new image "group")) (layer (vector-ref (gimp-image-get-layers image) 0)))
                  (gimp-image-insert-layer image group -1 0) (gimp-image-reorder-item image layer group 0))''',
    'several layers': '(gimp-image-insert-layer image (gimp-layer-copy (vector-ref (gimp-image-get-layers image) 0)) -1 0)',
}

# Kinds that lose colour: they must answer, with names of their own.
POORER = {
    'gray': '(gimp-image-convert-grayscale image)',
    'gray alpha': '(gimp-image-convert-grayscale image) (gimp-layer-add-alpha (vector-ref (gimp-image-get-layers image) 0))',
    'gray 16 bit': '(gimp-image-convert-grayscale image) (gimp-image-convert-precision image PRECISION-U16-LINEAR)',
    'indexed': '(gimp-image-convert-indexed image CONVERT-DITHER-NONE CONVERT-PALETTE-GENERATE 255 FALSE FALSE "")',
    'indexed alpha': '''(gimp-layer-add-alpha (vector-ref (gimp-image-get-layers image) 0))
                        (gimp-image-convert-indexed image CONVERT-DITHER-NONE CONVERT-PALETTE-GENERATE 255 FALSE FALSE "")''',
    'one pixel': '(gimp-image-scale image 1 1)',
    'one row': '(gimp-image-scale image 500 1)',
}

# What must be refused: how the image is made, the arguments, a part of the message.
REFUSED = {
    'wrong region': ('', '#:region "photo"', 'layer, image, selection'),
    'wrong tag mode': ('', '#:tag-mode "maybe"', 'add, replace'),
    'no such model': ('', '#:model "no-such-model"', 'no-such-model'),
    'nothing selected': ('', '#:region "selection"', 'Nothing is selected'),
    'empty layer': ('''(let ((layer (vector-ref (gimp-image-get-layers image) 0)))
                         (gimp-layer-add-alpha layer) (gimp-drawable-edit-clear layer))''', '', 'transparency'),
    'attention on indexed': ('(gimp-image-convert-indexed image CONVERT-DITHER-NONE CONVERT-PALETTE-GENERATE 16 FALSE FALSE "")',
                             '#:attention-layer #t', 'indexed image'),
}


def scene(photo, prepare, body):
    return f'''(let ((image (gimp-file-load RUN-NONINTERACTIVE "{photo}")))
  {prepare}
  {body}
  (gimp-image-delete image))
'''


def call(more='', drawables='(gimp-image-get-layers image)', image='image'):
    return CALL.format(image=image, drawables=drawables, more=more)


def answer(name, more=''):
    """Prints "ANSWER name json"."""
    return f'(display (string-append "\\nANSWER {name}|" (caddr {call(more)}) "\\n"))'


def answers_of(output):
    found = {}
    for line in output.splitlines():
        if line.startswith('ANSWER '):
            name, text = line[7:].split('|', 1)
            found[name] = json.loads(text)
    return found


def check_kinds(gimp, photo):
    script = ''.join(scene(photo, prepare, answer(name, '#:top 3')) for name, prepare in (KINDS | POORER).items())
    status, output = gimp.batch(script)
    found = answers_of(output)
    assert status == 0, output[-3000:]
    first = found['rgb 8 bit']['classes'][0]['label']
    for name in KINDS:
        assert found[name]['classes'][0]['label'] == first, f'{name}: {found[name]}, not {first}'
    for name in POORER:
        scores = [entry['score'] for entry in found[name]['classes']]
        assert scores and scores == sorted(scores, reverse=True) and 0 < scores[0] <= 1, f'{name}: {found[name]}'
    print(f'ok {len(KINDS)} kinds of images are named alike: {first}; {len(POORER)} poorer ones are named')


def check_regions(gimp, photo):
    script = scene(photo, '', f'''
      {answer('image', '#:region "image"')}
      {answer('none', '#:threshold 1.0')}
      (gimp-image-select-rectangle image CHANNEL-OP-REPLACE 100 80 200 150)
      {answer('selection', '#:region "selection"')}
      (gimp-selection-none image)
      {call('#:attention-layer #t')}
      {answer('image again', '#:region "image"')}''')
    status, output = gimp.batch(script)
    found = answers_of(output)
    assert status == 0, output[-3000:]
    assert found['none']['classes'] == []
    assert found['image']['region'] == 'image' and found['selection']['classes'] != found['image']['classes']
    assert found['image again']['classes'] == found['image']['classes'], 'the attention layer got into its own input'
    print('ok regions, and Fovea\'s own layers stay out of them')


def check_refusals(gimp, photo):
    told = gimp.refuse([scene(photo, prepare, call(more)) for prepare, more, _ in REFUSED.values()])
    for (name, (_, _, words)), message in zip(REFUSED.items(), told):
        assert words in message, f'{name}: {message[-3000:]}'
    print(f'ok {len(REFUSED)} refusals in words')


def check_changes(gimp, photo):
    """Tags reach the file; the attention layer is added above, of the size that the network saw."""
    exported = gimp.folder / 'exported.jpg'
    script = scene(photo, '', f'''
      (let* ((before (vector-length (gimp-image-get-layers image)))
             (names (car {call('#:write-tags #t #:attention-layer #t #:top 2 #:threshold 0.0')}))
             (layers (gimp-image-get-layers image))
             (heat (vector-ref layers 0)))
        (display (string-append "\\nLAYERS " (number->string before) " " (number->string (vector-length layers)) "\\n"))
        (display "\\nHEAT ") (display (gimp-drawable-get-width heat)) (display " ") (display (gimp-drawable-get-height heat)) (display " ")
        (display (gimp-drawable-get-offsets heat)) (newline)
        (display "\\nNAMES ") (write names) (newline)
        (gimp-item-set-visible heat FALSE)
        (file-jpeg-export #:run-mode RUN-NONINTERACTIVE #:image image #:file "{exported}" #:include-xmp #t #:include-iptc #t #:include-exif #t))''')
    status, output = gimp.batch(script)
    assert status == 0, output[-3000:]
    lines = {line.split(' ', 1)[0]: line.split(' ', 1)[1] for line in output.splitlines() if line[:5] in ('LAYER', 'HEAT ', 'NAMES')}
    before, after = map(int, lines['LAYERS'].split())
    assert after == before + 1, output[-2000:]
    tags = subprocess.run(['exiftool', '-s', '-s', '-s', '-XMP-dc:Subject', '-IPTC:Keywords', str(exported)], capture_output=True, text=True,
                          check=True).stdout.splitlines()
    assert len(tags) == 2 and tags[0] == tags[1] and len(tags[0].split(', ')) >= 2, tags
    print(f'ok tags ({tags[0]}) reach the file, the attention layer lies at {lines["HEAT"]}')


def check_licences(gimp, photo):
    """What a model forbids that nobody imported is said, be it named or Automatic's; not again to who repeats the filter."""
    for name, model in (('strict', tiny_model.corner_colour(license='AGPL-3.0')), ('free', tiny_model.corner_colour(license='MIT'))):
        (gimp.folder / f'home/{name}.onnx').write_bytes(model)
    own, settings = gimp.folder / 'home/.local/share/fovea/models', gimp.folder / 'home/.config/fovea'  # the default is strict, too
    own.mkdir(parents=True)
    (own / 'ours.onnx').write_bytes(tiny_model.corner_colour(license='AGPL-3.0'))
    settings.mkdir(parents=True)
    (settings / 'models.ini').write_text('[defaults]\nclassify=ours\n')
    strict = f'#:model "{gimp.folder}/home/strict.onnx"'
    batch = f"""(plug-in-fovea-batch #:run-mode RUN-NONINTERACTIVE #:input-folder "{gimp.folder}/home/few" #:output-folder "{gimp.folder}/home/results"
                                     #:again #t {{}})"""
    (gimp.folder / 'home/few').mkdir()
    (gimp.folder / 'home/few/photo.jpg').write_bytes(photo.read_bytes())
    calls = {'strict': (call(strict), 1), 'free': (call(f'#:model "{gimp.folder}/home/free.onnx"'), 0), 'automatic': (call(''), 1),
             'repeated': (call(strict).replace('RUN-NONINTERACTIVE', 'RUN-WITH-LAST-VALS'), 0), 'batch': (batch.format(strict), 1),
             'automatic batch': (batch.format(''), 1)}
    for name, (text, expected) in calls.items():
        status, output = gimp.batch(scene(photo, '', text))
        assert status == 0 and output.count('under the AGPL') == output.count('licence') == expected, f'{name}: {output[-3000:]}'
    print('ok a licence that forbids is said before use')


def main():
    photo = reference() / 'data/large/coco-000000257896.jpg'
    with IsolatedGimp(sys.argv[1]) as gimp:
        check_kinds(gimp, photo)
        check_regions(gimp, photo)
        check_changes(gimp, photo)
        check_refusals(gimp, photo)
        check_licences(gimp, photo)
    return 0


if __name__ == '__main__':
    sys.exit(main())
