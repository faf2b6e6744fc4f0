#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long Classify, Locate and Segment take in real GIMP, and how much memory their process, for photos of 1, 24 and 100 megapixels: from the menu to the first answer,
from a setting's move to what it changes, both as the accessibility bus tells (a few milliseconds late), and the most memory that the plug-in had (VmHWM).

    sizes.py BUILD/plugin/fovea FOLDER [SCENE…]   measures: FOLDER/sizes.json, screenshots beside it; scenes: classify-1 … segment-100
    sizes.py --page FOLDER/sizes.json PAGE.html   puts the table between <!-- sizes --> and <!-- /sizes -->

The built-in models; the photo is one of FOVEA_REFERENCE_DIR made smaller or larger. Nothing else should run meanwhile.
"""

import datetime
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / 'tests' / 'gimp'))

from classify_window import Window as NamesWindow  # noqa: E402
from gimp_window import act, main, run_session, shoot, wait, walk  # noqa: E402
from isolated_gimp import IsolatedGimp, reference  # noqa: E402
from locate_window import Window  # noqa: E402
from segment_window import MENU as SEGMENT_MENU, MaskWindow  # noqa: E402

PHOTO = 'large/singaporean-cityscape.jpg'
SIZES = {1: (1224, 816), 24: (6000, 4000), 100: (12248, 8165)}
SCENES = {f'{verb}-{megapixels}': (verb, megapixels) for verb in ('classify', 'locate', 'segment') for megapixels in SIZES}
OPENS = {'classify': lambda: NamesWindow('C.UTF-8'), 'locate': lambda: Window('C.UTF-8', True), 'segment': lambda: MaskWindow('C.UTF-8', False, SEGMENT_MENU)}
# A setting; values of it, each of which changes what is shown; what it has while the answer is applied.
MOVES = {'classify': ('spin button', 'Names', (1, 3, 2, 4, 1), 5), 'locate': ('slider', 'Threshold', (0.02, 0.9, 0.02, 0.85, 0.02), 0.2), 'segment': ('slider', 'Grow', (20, -20, 40, -40, 60), 0)}
RESULTS = 'sizes.json'
BEGIN, END = '<!-- sizes -->\n', '<!-- /sizes -->\n'


# ---- inside the session ---------------------------------------------------------------------------------------------

def plug_in_memory():
    """The most megabytes that the plug-in on this display has had."""
    display = f'DISPLAY={os.environ["DISPLAY"]}'.encode()
    for process in pathlib.Path('/proc').glob('[0-9]*'):
        try:
            if os.readlink(process / 'exe').endswith('/fovea') and display in (process / 'environ').read_bytes().split(b'\0'):
                line = next(line for line in (process / 'status').read_text().splitlines() if line.startswith('VmHWM'))
                return int(line.split()[1]) / 1024
        except OSError:
            continue
    raise SystemExit('no plug-in runs')


def move(view, setting, value):
    """Milliseconds until what is shown has changed."""
    before, started = view.description, time.monotonic()
    setting.queryValue().currentValue = value
    while view.description == before:
        if time.monotonic() - started > 20:
            raise SystemExit(f'nothing changed at {value}')
        time.sleep(0.001)
    return 1000 * (time.monotonic() - started)


def inside(scene, folder):
    verb, megapixels = SCENES[scene]
    window = OPENS[verb]()
    if verb == 'classify':
        window.look()
    role, name, values, last = MOVES[verb]
    setting = wait(lambda: next(node for node in walk(window.dialog) if node.getRoleName() == role and node.name == name), name)
    view = wait(lambda: window.names() if verb == 'classify' else next(node for node in walk(window.dialog) if node.getRoleName() == 'drawing area'), 'the answer')
    moves = [move(view, setting, value) for value in values]
    row = {'verb': verb, 'megapixels': megapixels, 'opened_s': round(window.opened, 2), 'answered_s': round(window.answered, 2),
           'setting_ms': round(statistics.median(moves), 1), 'window_mb': round(plug_in_memory())}
    shoot(folder / f'sizes-{scene}.png')
    setting.queryValue().currentValue = last
    if verb == 'classify':
        act(window.find('check box', 'Attention layer'))
    started = time.monotonic()
    window.press('Apply')
    while True:
        try:
            row['peak_mb'] = round(plug_in_memory())
        except SystemExit:
            break
        time.sleep(0.05)
    row['applied_s'] = round(time.monotonic() - started, 2)
    path = folder / RESULTS
    rows = [other for other in (json.loads(path.read_text()) if path.exists() else []) if (other['verb'], other['megapixels']) != (verb, megapixels)]
    rows.append(row | {'date': datetime.date.today().isoformat(), 'processor': processor(), 'processors': os.cpu_count()})
    path.write_text(json.dumps(rows, indent=1))
    print(f'ok {row}', flush=True)


def processor():
    lines = pathlib.Path('/proc/cpuinfo').read_text().splitlines()
    return next((line.split(':')[1].strip() for line in lines if line.startswith('model name')), 'an unknown processor')


# ---- outside ----------------------------------------------------------------------------------------------------------

def run_scene(scene, plugin, folder):
    width, height = SIZES[SCENES[scene][1]]
    photo = folder / f'photo-{SCENES[scene][1]}.jpg'
    if not photo.exists():
        subprocess.run(['convert', reference() / 'data' / PHOTO, '-resize', f'{width}x{height}!', '-quality', '85', photo], check=True)
    built_in = [name for name in ('tagger', 'cutout', 'objects') if (ROOT / 'models' / name / 'model.onnx').exists()]
    with IsolatedGimp(plugin, models=() if 'objects' in built_in else ('yolox_nano',)) as gimp:
        for name in built_in:
            (gimp.folder / 'models' / name).symlink_to(ROOT / 'models' / name)
        run_session(gimp, scene, folder, f'"{photo}"')


def write_page(rows, page):
    rows = sorted(rows, key=lambda row: (row['verb'], row['megapixels']))
    lines = ['<table>', '<tr><th></th><th>megapixels</th><th>window</th><th>first answer</th><th>a setting</th><th>memory</th><th>memory with Apply</th></tr>']
    lines += [f'<tr><td>{row["verb"].capitalize()}</td><td>{row["megapixels"]}</td><td>{row["opened_s"]:.1f} s</td><td>{row["answered_s"]:.1f} s</td>'
              f'<td>{row["setting_ms"]:.0f} ms</td><td>{row["window_mb"]} MB</td><td>{row["peak_mb"]} MB</td></tr>' for row in rows]
    lines += ['</table>', f'<p>{rows[0]["processor"]}, {rows[0]["processors"]} processors, {max(row["date"] for row in rows)}.</p>']
    text = page.read_text(encoding='utf-8')
    head, rest = text.split(BEGIN)
    page.write_text(head + BEGIN + '\n'.join(lines) + '\n' + END + rest.split(END)[1], encoding='utf-8')


if __name__ == '__main__':
    if sys.argv[1] == '--page':
        write_page(json.loads(pathlib.Path(sys.argv[2]).read_text()), pathlib.Path(sys.argv[3]))
        sys.exit(0)
    sys.exit(main(SCENES, inside, run_scene))
