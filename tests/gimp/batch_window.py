#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Batch window in real GIMP under Xvfb, driven through the accessibility bus: a folder is done, with a broken photo; a run is stopped and gone on with. Screenshots
stay in the folder given.

    batch_window.py BUILD/plugin/fovea SCREENSHOTS [SCENE…]
"""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

from classify_window import act, shoot, wait, walk
from isolated_gimp import IsolatedGimp, find_program, reference, skip

try:
    from PIL import Image
except ImportError as missing:
    skip(missing)

SCENES = {'light': 'C.UTF-8', 'dark': 'C.UTF-8', 'german': 'de_DE.UTF-8'}
N_PHOTOS = 24


class Window:
    """Photos and results are set by the call that opens the window: choosers of folders are windows of the desktop's own."""

    def __init__(self):
        import pyatspi

        self.pyatspi = pyatspi
        self.dialog = wait(lambda: self.application('fovea')[0], 'the dialog')

    def application(self, name):
        return next(app for app in self.pyatspi.Registry.getDesktop(0) if app and app.name.startswith(name) and app.childCount)

    def find(self, role, name):
        return next(node for node in walk(self.dialog) if node.getRoleName() in role and re.search(name, node.name))

    def press(self, name):
        button = wait(lambda: self.find(('button', 'push button'), name), name)
        wait(lambda: button.getState().contains(self.pyatspi.STATE_SENSITIVE), f'{name} to be possible', 120)
        act(button)

    def words(self, part):
        return next(node.name for node in walk(self.dialog) if node.getRoleName() == 'label' and re.search(part, node.name))

    def ended(self):
        wait(lambda: not any(app and app.name.startswith('fovea') for app in self.pyatspi.Registry.getDesktop(0)), 'the end of the plug-in')


def inside(scene, folder):
    window = Window()
    if scene == 'german':
        wait(lambda: window.find(('button', 'push button'), '^Start'), 'the buttons')
        time.sleep(1)
        shoot(folder / 'batch-german.png')
        window.press('^(Schließen|Close)')
        window.ended()
        return
    wait(lambda: window.words(f'^{N_PHOTOS + 1} photos$'), 'the number of photos', 60)
    shoot(folder / f'batch-{scene}-open.png')
    window.press('^Start')
    wait(lambda: window.find(('progress bar',), '.').queryValue().currentValue > 0, 'progress', 120)
    shoot(folder / f'batch-{scene}-running.png')
    window.press('^Stop')
    wait(lambda: window.words('Stopped'), 'the end of the run', 30)
    window.press('^Start')
    told = wait(lambda: window.words('photos are done'), 'the end', 240)
    shoot(folder / f'batch-{scene}-done.png')
    skipped = int(re.search(r'(\d+) of them before', told)[1])
    assert skipped > 0 and '1 failed' in told and f'{N_PHOTOS} photos' in told, told
    window.press('^Close')
    window.ended()
    print(f'ok {scene}: {told}', flush=True)


def run_scene(name, plugin, folder):
    with IsolatedGimp(plugin, models=('selfie_segmentation',)) as gimp:
        photos, results = gimp.folder / 'Photos', gimp.folder / 'Results'
        photos.mkdir()
        picture = Image.open(reference() / 'data/large/coco-000000257896.jpg').convert('RGB').resize((640, 480))
        for i in range(N_PHOTOS):
            picture.save(photos / f'{i:02}.jpg')
        (photos / 'broken.jpg').write_bytes((photos / '00.jpg').read_bytes()[:300])
        environment = gimp.environment | {'LANG': SCENES[name], 'LC_ALL': SCENES[name], 'GTK_A11Y': 'atspi', 'NO_AT_BRIDGE': '0', 'GDK_BACKEND': 'x11',
                                          'XDG_RUNTIME_DIR': str(gimp.folder / 'home'), 'LIBGL_ALWAYS_SOFTWARE': '1'}
        os.chmod(gimp.folder / 'home', 0o700)
        with open(gimp.folder / 'profile' / 'gimprc', 'a', encoding='utf-8') as file:
            file.write(f'(theme-color-scheme {"dark" if name == "dark" else "light"})\n')
        call = gimp.folder / 'call.scm'
        call.write_text(f'''(script-fu-use-v3)
(plug-in-fovea-batch #:run-mode RUN-INTERACTIVE #:operation "segment" #:model "selfie_segmentation" #:input-folder "{photos}" #:output-folder "{results}"
  #:formats "csv,json,masks")''')
        reader, writer = os.pipe()
        display = subprocess.Popen(['Xvfb', '-displayfd', str(writer), '-screen', '0', '1280x1000x24', '-nolisten', 'tcp'], pass_fds=[writer],
                                   stderr=subprocess.DEVNULL)
        os.close(writer)
        try:
            environment['DISPLAY'] = ':' + os.read(reader, 16).decode().strip()
            log = gimp.folder / 'gimp.log'
            script = f'''openbox --sm-disable >/dev/null 2>&1 &
/usr/libexec/at-spi-bus-launcher --launch-immediately >/dev/null 2>&1 &
{find_program('gimp')} -n --no-splash -c --batch-interpreter=plug-in-script-fu-eval -b '(load "{call}")' >"{log}" 2>&1 & gimp=$!
"{sys.executable}" "{__file__}" --inside {name} "{folder}"; status=$?
import -window root "{folder}/batch-{name}-end.png"; kill $gimp 2>/dev/null; exit $status'''
            done = subprocess.run(['dbus-run-session', '--', 'sh', '-c', script], env=environment, timeout=400)
            text = log.read_text(errors='replace')
            trouble = [line for line in text.splitlines() if re.search(r'\(fovea:.*(CRITICAL|WARNING.*assert)|Plug-in crashed|duplicate mnemonic', line)]
            assert done.returncode == 0, f'{name} failed:\n{text[-3000:]}'
            assert not trouble, '\n'.join(trouble)
            if name != 'german':
                images = json.loads((results / 'fovea-batch.json').read_text())['images']
                assert len(images) == N_PHOTOS and all((results / image['masks'][0]['file']).is_file() for image in images)
        finally:
            display.kill()
            display.wait()
            os.close(reader)


def main():
    if sys.argv[1] == '--inside':
        inside(sys.argv[2], pathlib.Path(sys.argv[3]))
        return 0
    for program in ('Xvfb', 'dbus-run-session', 'openbox', 'import'):
        if not shutil.which(program):
            skip(f'there is no {program}')
    if not (reference() / 'data/large').exists():
        skip('the reference photos are missing')
    folder = pathlib.Path(sys.argv[2]).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    for scene_name in sys.argv[3:] or SCENES:
        run_scene(scene_name, sys.argv[1], folder)
    return 0


if __name__ == '__main__':
    sys.exit(main())
