#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long the Train window takes in real GIMP on a photo of 12 megapixels: to its first result after Train is pressed, and to the next one after each stroke that
is painted with the mouse in GIMP's own window while Live is on; and how much memory the plug-in took.

    bench/live.py BUILD/plugin/fovea FOLDER

Wants what the tests of windows want, and FOVEA_REFERENCE_DIR. A picture of the end lies in FOLDER.
"""

import pathlib
import re
import statistics
import subprocess
import sys
import time

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / 'tests/gimp'))

from gimp_window import GimpWindow, main, plug_ins, run_session, shoot, wait, walk
from isolated_gimp import IsolatedGimp, reference
from label_batch import TOOLS, call as label
from locate_batch import run, scene
from train_batch import ROOT
from PIL import Image

SIZE = (4000, 3000)
STROKES = 7
FIRST = ((0, 200, 200, 500, 60), (0, 3200, 2600, 500, 60), (1, 1900, 1400, 60, 400), (1, 2200, 1500, 60, 400))  # class, x, y, width, height


def xdo(*arguments):
    return subprocess.run(['xdotool', *map(str, arguments)], check=True, capture_output=True, text=True).stdout.split()


def find_text(window, pattern):
    return next(node for node in walk(window.dialog) if node.getRoleName() == 'label' and re.search(pattern, node.name))


def peak_memory(process):
    return int(re.search(r'VmHWM:\s*(\d+)', (process / 'status').read_text()).group(1)) / 1024


def inside(_, folder):
    window = GimpWindow()
    opened = window.open(('Filters', 'Fovea', 'Train…'))
    xdo('search', '--sync', '--onlyvisible', '--name', '^Train$', 'windowmove', 1500, 40)
    wait(lambda: window.button('Train').getState().contains(window.pyatspi.STATE_SENSITIVE), 'the button')
    view = wait(lambda: next(node for node in walk(window.dialog) if node.name == 'The photo with its classes'), 'the view')
    started = time.monotonic()
    window.press('Train')
    wait(lambda: view.description == 'Trained', 'a result')
    first = time.monotonic() - started
    score = wait(lambda: find_text(window, 'strokes'), 'the score')
    times = []
    for number in range(STROKES):
        x, y = 420 + 40 * number, 380 + 20 * number
        xdo('mousemove', x, y, 'mousedown', 1, 'mousemove', x + 25, y + 10, 'mousemove', x + 50, y, 'mouseup', 1)
        started = time.monotonic()
        wait(lambda: not score.name, f'what stroke {number + 1} taught', 20)
        times.append(time.monotonic() - started)
        wait(lambda: score.name, 'the score', 30)
    shoot(folder / 'live.png')
    print(f'opened in {opened:.2f} s; first result {first:.2f} s after Train; after a stroke {statistics.median(times):.2f} s ({" ".join(f"{t:.2f}" for t in times)}); '
          f'at most {peak_memory(next(plug_ins())):.0f} MB', flush=True)
    window.press('Close')
    window.press('Close without saving')
    window.ended()


def run_scene(name, plugin, folder):
    with IsolatedGimp(plugin) as gimp:
        for model in ('cutout', 'tagger'):
            (gimp.folder / 'models' / model).symlink_to(ROOT / 'models' / model)
        photo = gimp.folder / 'photo.png'
        Image.open(reference() / 'data/large/oakland-zoo-otters.jpg').convert('RGB').resize(SIZE).save(photo, compress_level=1)
        paint = ' '.join(f'(paint (class-layer image {kind}) image {x} {y} {width} {height})' for kind, x, y, width, height in FIRST)
        run(gimp, TOOLS + scene(photo, '', f'''{label('#:task "segment" #:classes (list "Background" "Otter")')} {paint}
          (gimp-image-set-selected-layers image (vector (class-layer image 0))) (gimp-file-save RUN-NONINTERACTIVE image "{gimp.folder}/labels.xcf")'''))
        run_session(gimp, name, folder, f'"{gimp.folder}/labels.xcf"', screen='2600x1200x24')


if __name__ == '__main__':
    sys.exit(main(('live',), inside, run_scene, needs=('xdotool',)))
