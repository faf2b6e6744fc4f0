#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plug-in under valgrind in real GIMP: it reads nothing that wasn't written, writes nowhere that isn't its own, and leaks nothing. One filter in short
(each starts the plug-in anew, which takes valgrind half a minute), all of them with FOVEA_TEST_ALL.

    valgrind_batch.py BUILD/plugin/fovea [FILTER…]
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys

from isolated_gimp import IsolatedGimp, reference, skip

GLIB = pathlib.Path('/usr/share/glib-2.0/valgrind/glib.supp')  # what GLib keeps on purpose, as GLib has it
OWN = pathlib.Path(__file__).resolve().parent / 'valgrind.supp'

# What is called, on a small photo. Classify has it all: a model, its sidecar, pixels, the worker threads, tags, a layer.
FILTERS = {
    'classify': '(plug-in-fovea-classify #:image image #:drawables (gimp-image-get-layers image) #:write-tags #t #:attention-layer #t)',
    'locate': '(plug-in-fovea-locate #:image image #:drawables (gimp-image-get-layers image) #:model "yolox_nano" #:output "overlay")',
    'segment': '(plug-in-fovea-segment #:image image #:drawables (gimp-image-get-layers image) #:model "selfie_segmentation" #:output "cut-out")',
    'cut-out': '(plug-in-fovea-cut-out #:image image #:drawables (gimp-image-get-layers image) #:model "selfie_segmentation")',
    'refused': '(catch #f (plug-in-fovea-classify #:image image #:drawables (gimp-image-get-layers image) #:model "no-such-model"))',
}
SHORT = ('classify',)


def errors_of(log):
    """The errors that valgrind wrote, one text each."""
    text = re.sub(r'^==\d+== ?', '', log.read_text(errors='replace'), flags=re.MULTILINE)
    summary = re.search(r'ERROR SUMMARY: (\d+) errors', text)
    assert summary, f'valgrind did not finish:\n{text[-2000:]}'
    return [part for part in text.split('\n\n') if int(summary[1]) and re.search(r'^   (at|by) 0x', part, re.MULTILINE)], int(summary[1])


def check(gimp, name, photo):
    logs = gimp.folder / f'valgrind-{name}'
    logs.mkdir()
    options = ['valgrind', f'--log-file={logs}/%p', '--leak-check=full', '--show-leak-kinds=definite', '--errors-for-leak-kinds=definite', '--num-callers=40',
               f'--suppressions={OWN}'] + ([f'--suppressions={GLIB}'] if GLIB.exists() else [])
    gimp.environment |= {'GIMP_PLUGIN_DEBUG_WRAP': 'fovea,run', 'GIMP_PLUGIN_DEBUG_WRAPPER': ' '.join(options), 'GEGL_THREADS': '1'}
    status, output = gimp.batch(f'''(let ((image (gimp-file-load RUN-NONINTERACTIVE "{photo}"))) {FILTERS[name]} (gimp-image-delete image))''', timeout=1500)
    assert status == 0 and 'crashed' not in output, output[-3000:]
    found = [log for log in logs.iterdir() if log.read_text(errors='replace').strip()]
    assert len(found) == 1, f'{name}: {len(found)} logs, not one'
    errors, n = errors_of(found[0])
    assert n == 0, f'{name}: {n} errors\n' + '\n\n'.join(errors)
    print(f'ok {name}: no error, no leak', flush=True)


def main():
    if not shutil.which('valgrind'):
        skip('there is no valgrind')
    names = sys.argv[2:] or (FILTERS if os.environ.get('FOVEA_TEST_ALL') else SHORT)
    with IsolatedGimp(sys.argv[1], models=('yolox_nano', 'selfie_segmentation')) as gimp:
        photo = gimp.folder / 'photo.png'
        subprocess.run(['convert', reference() / 'data/large/coco-000000257896.jpg', '-resize', '200x', photo], check=True)
        for name in names:
            check(gimp, name, photo)
    return 0


if __name__ == '__main__':
    sys.exit(main())
