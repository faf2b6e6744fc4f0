#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The examples of docs/scripts.html in real GIMP, as they are printed there but for the folder /home/me: the manual is where they are kept.

    manual_batch.py BUILD/plugin/fovea
"""

import html
import json
import pathlib
import re
import sys

from isolated_gimp import IsolatedGimp, skip

try:
    from PIL import Image
except ImportError as missing:
    skip(missing)

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
OPERATIONS = ('classify', 'locate', 'segment', 'cut-out')


def examples(page, home):
    """The page's examples by name."""
    text = (ROOT / 'docs' / page).read_text(encoding='utf-8')
    found = {name: html.unescape(body) for name, body in re.findall(r'<pre id="([^"]+)">(.*?)</pre>', text, re.DOTALL)}
    return {name: body.replace('/home/me', str(home)) for name, body in found.items()}


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
        wanted = {f'{language}-{operation}{end}' for language in ('scheme', 'python') for operation in OPERATIONS for end in ('', '-folder')} | {'python'}
        assert set(blocks) == wanted, set(blocks) ^ wanted
        status, output = gimp.batch('\n'.join(blocks[f'scheme-{operation}{end}'] for operation in OPERATIONS for end in ('', '-folder'))
                                    + '\n(display "\\nNAMES ") (write answer)')
        names = re.search(r'^NAMES \(\("([^"]+)"', output, re.MULTILINE)
        assert status == 0 and names, output[-3000:]
        check_results(home, '')
        print(f'ok Script-Fu: {names[1]}')
        program = gimp.folder / 'manual.py'
        program.write_text('\n'.join([blocks['python'], *(blocks[f'python-{operation}{end}'] for operation in OPERATIONS for end in ('', '-folder')),
                                      'import json', f'open({str(home / "told.json")!r}, "w").write(json.dumps([names, count, json.loads(text)["count"]]))']))
        status, output = gimp.python(program)
        assert status == 0, output[-3000:]
        check_results(home, '-2')
        told = json.loads((home / 'told.json').read_text())
        assert told[0][0] == names[1] and told[1:] == [2, 2], told
        print('ok Python-Fu')


if __name__ == '__main__':
    main()
