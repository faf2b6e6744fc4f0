#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The examples of docs/scripts.html, and those in Scheme of other pages, in real GIMP, as they are printed there but for the folder /home/me: the manual is where they
are kept.

    manual_batch.py BUILD/plugin/fovea
"""

import html
import json
import pathlib
import re
import sys

from isolated_gimp import IsolatedGimp, reference, skip

try:
    from PIL import Image
except ImportError as missing:
    skip(missing)

from label_batch import TOOLS, call as label  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
OPERATIONS = ('classify', 'locate', 'segment', 'cut-out')
MORE = {'models.html': ['scheme-import', 'scheme-about'], 'labels.html': ['scheme-label-layers', 'scheme-labels'], 'train-in-gimp.html': ['scheme-train', 'scheme-train-folder']}
ALL = [f'{operation}{end}' for operation in OPERATIONS for end in ('', '-folder')]


def examples(page, home):
    """The page's examples by name."""
    text = (ROOT / 'docs' / page).read_text(encoding='utf-8')
    found = {name: html.unescape(body) for name, body in re.findall(r'<pre id="([^"]+)">(.*?)</pre>', text, re.DOTALL)}
    return {name: body.replace('/home/me', str(home)) for name, body in found.items()}


def prepare(gimp, home):
    """Scheme that makes the labelled image that the examples open, and a folder of such images."""
    for name in ('onnx', 'labels.txt'):
        (home / {'onnx': 'squeezenet.onnx', 'labels.txt': 'names.txt'}[name]).symlink_to(reference() / f'models/squeezenet11_fp32.{name}')
    (home / 'Labelled').mkdir()
    paint = '\n'.join(f'(paint (class-layer image {i}) image {x} {y} 40 40)' for i, x, y in ((0, 10, 10), (0, 400, 20), (1, 180, 150), (1, 240, 200)))
    save = '\n'.join(f'(gimp-file-save RUN-NONINTERACTIVE image "{home}/{name}.xcf")' for name in ('labelled', 'Labelled/a', 'Labelled/b'))
    return f'''{TOOLS}(let ((image (gimp-file-load RUN-NONINTERACTIVE "{home}/photo.jpg")))
{label('#:task "segment" #:classes (list "Background" "Pet")')}
{paint}
{save}
(gimp-image-delete image))'''


def check_more(home, models, names):
    """What the other pages' examples, or Python's, have made."""
    for name in names:
        assert (models / f'{name}.onnx').is_file(), sorted(models.iterdir())
    assert (models / 'squeezenet.onnx').is_symlink() and '"bgr"' in (models / 'squeezenet.json').read_text()


def check_results(home, suffix):
    for name, kind in (('located', 'xcf'), ('segmented', 'xcf')):
        assert (home / f'{name}{suffix}.{kind}').read_bytes().startswith(b'gimp xcf'), name
    alpha = Image.open(home / f'cut-out{suffix}.png').getchannel('A').getextrema()
    assert alpha[0] < 32 and alpha[1] > 223, alpha
    for folder, files in {'Named': ['fovea-batch.csv', 'xmp/a.jpg.xmp'], 'Located': ['fovea-batch.csv', 'coco/annotations.json', 'pictures/a.png'],
                          'Segmented': ['fovea-batch.json', 'masks/b.png'], 'Cut': ['fovea-batch.csv', 'cut-outs/b.png']}.items():
        for file in [*files, 'fovea-batch.html']:
            assert (home / (folder + suffix) / file).is_file(), (folder, file)


def main():
    with IsolatedGimp(sys.argv[1]) as gimp:
        home = gimp.folder / 'me'
        (home / 'Pictures').mkdir(parents=True)
        for name in ('tagger', 'cutout'):
            (gimp.folder / 'models' / name).symlink_to(ROOT / 'models' / name)
        Image.open(ROOT / 'samples/dog-with-frisbee.jpg').resize((480, 360)).save(home / 'photo.jpg')
        for name in ('a', 'b'):
            Image.open(home / 'photo.jpg').resize((320, 240)).save(home / f'Pictures/{name}.jpg')
        blocks = examples('scripts.html', home)
        python = [*(f'python-{name}' for name in ALL), 'python-import', 'python-label-layers', 'python-import-labels', 'python-train', 'python-train-folder', 'python-about']
        wanted = {f'scheme-{name}' for name in ALL} | {'python', *python}
        assert set(blocks) == wanted, set(blocks) ^ wanted
        more = {name: body for page in MORE for name, body in examples(page, home).items()}
        assert sorted(more) == sorted(name for names in MORE.values() for name in names), list(more)
        models = gimp.folder / 'home/.local/share/fovea/models'
        status, output = gimp.batch('\n'.join(blocks[f'scheme-{name}'] for name in ALL) + '\n(display "\\nNAMES ") (write answer)\n'
                                    + prepare(gimp, home) + '\n' + '\n'.join(body for body in more.values()) + '\n(display "\\nEND\\n")')
        names = re.search(r'^NAMES \(\("([^"]+)"', output, re.MULTILINE)
        assert status == 0 and names and '\nEND\n' in output, output[-3000:]
        check_results(home, '')
        check_more(home, models, ('squeezenet', 'Pets of mine', 'Pets of a folder'))
        assert (home / 'labels/annotations.json').is_file(), sorted((home / 'labels').iterdir())
        for name in ('squeezenet.onnx', 'squeezenet.json', 'Pets of a folder.onnx'):
            (models / name).unlink()
        print(f'ok Script-Fu: {names[1]}')
        program = gimp.folder / 'manual.py'
        program.write_text('\n'.join([blocks['python'], *(blocks[name] for name in python),
                                      'import json', f'open({str(home / "told.json")!r}, "w").write(json.dumps([names, count, name, n_exported, n_imported, passed, report]))']))
        status, output = gimp.python(program)
        assert status == 0, output[-3000:]
        check_results(home, '-2')
        told = json.loads((home / 'told.json').read_text())
        assert told[0][0] == names[1] and told[1:3] == [2, 'squeezenet'], told
        assert told[3] == told[4] == len(json.loads((home / 'boxes/annotations.json').read_text())['annotations']) > 1 and told[5] is True and 'GIMP  ' in told[6], told
        for name in ('begun', 'begun-2', 'boxes'):
            assert (home / f'{name}.xcf').read_bytes().startswith(b'gimp xcf'), name
        check_more(home, models, ('squeezenet', 'Pets of Python', 'Pets of a folder'))
        assert (home / 'masks/classes.txt').is_file()
        print('ok Python-Fu')


if __name__ == '__main__':
    main()
