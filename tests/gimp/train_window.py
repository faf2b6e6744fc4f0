#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Train window in real GIMP under Xvfb, driven through the accessibility bus: an image with strokes is trained on, the result applied and saved; an image
without labels is told what to do; example layers become a classifier; a detector's training is paused, cancelled at once, and stopped with what is best.
Screenshots stay in the folder given.

    train_window.py BUILD/plugin/fovea SCREENSHOTS [SCENE…]
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

from classify_window import act, shoot, wait, walk
from isolated_gimp import IsolatedGimp, find_program, reference, skip
from label_batch import TOOLS, call as label
from locate_batch import run
from train_batch import PETS, ROOT, scene, scribble

try:
    import numpy as np
    from PIL import Image
except ImportError as missing:
    skip(missing)

SCENES = ('strokes', 'none', 'photos', 'objects')
SIZE = (960, 1280)


class Window:
    def __init__(self):
        import pyatspi

        self.pyatspi = pyatspi
        gimp = wait(lambda: self.application('gimp'), 'GIMP')
        wait(lambda: any(re.search(r'\d+x\d+', window.name) for window in gimp), 'the open image')
        node = wait(lambda: next(node for node in walk(gimp) if node.getRoleName() == 'menu bar' and node.childCount > 5), 'the menu bar')
        for name in ('Filters', 'Fovea', 'Train…'):
            menu = node
            node = wait(lambda: next(child for child in menu if child.name.startswith(name)), f'the menu {name}')
            act(node)
        started = time.monotonic()
        self.dialog = wait(lambda: self.application('fovea')[0], 'the dialog')
        self.opened = time.monotonic() - started

    def application(self, name):
        return next(app for app in self.pyatspi.Registry.getDesktop(0) if app and app.name.startswith(name) and app.childCount)

    def button(self, name):
        return next(node for window in self.application('fovea') for node in walk(window) if node.getRoleName() in ('button', 'push button', 'toggle button', 'radio button')
                    and node.name == name and node.getState().contains(self.pyatspi.STATE_SHOWING))

    def press(self, name):
        wait(lambda: self.button(name).getState().contains(self.pyatspi.STATE_SENSITIVE), f'{name} to be possible', 60)
        act(self.button(name))

    def words(self, part):
        """The text in the window that has these words."""
        return next(node.name for node in walk(self.dialog) if node.getRoleName() == 'label' and part in node.name)

    def ended(self):
        wait(lambda: not any(app and app.name.startswith('fovea') for app in self.pyatspi.Registry.getDesktop(0)), 'the end of the plug-in')


def learn_photos(window, folder):
    """Layers of two kinds."""
    wait(lambda: window.words('ewer: 5 photos'), 'what there is to learn from', 30)
    shoot(folder / 'train-photos-begin.png')
    started = time.monotonic()
    window.press('Train')
    saved = wait(lambda: window.words('is saved; Classify'), 'the model', 240)
    took = time.monotonic() - started
    window.press('Apply now')
    names = wait(lambda: next(node.name for node in walk(window.dialog) if re.search(r'(bonsai|ewer) \d+ %', node.name)), 'names', 60)
    shoot(folder / 'train-photos-end.png')
    window.press('Close')
    window.ended()
    print(f'ok photos: {saved} After {took:.1f} s; {names}', flush=True)


def learn_objects(window, folder):
    window.press('Train')
    wait(lambda: window.words('Learning'), 'the first step', 240)
    wait(lambda: window.button('Stop and keep the best').getState().contains(window.pyatspi.STATE_SENSITIVE), 'steps', 240)
    time.sleep(5)
    shoot(folder / 'train-objects-learning.png')
    window.press('Pause')
    time.sleep(1)
    shoot(folder / 'train-objects-paused.png')
    window.press('Pause')
    started = time.monotonic()
    window.press('Cancel')
    wait(lambda: window.words('Cancelled. Nothing was changed'), 'the end of cancelling', 30)
    took = time.monotonic() - started
    window.press('Train')
    wait(lambda: window.button('Stop and keep the best').getState().contains(window.pyatspi.STATE_SENSITIVE), 'steps', 240)
    window.press('Close')
    wait(lambda: window.button('Abandon it'), 'the question', 30)
    shoot(folder / 'train-objects-question.png')
    window.press('Go on')
    time.sleep(1)
    window.press('Stop and keep the best')
    saved = wait(lambda: window.words('is saved; Locate'), 'the model', 120)
    shoot(folder / 'train-objects-stopped.png')
    window.press('Close')
    window.ended()
    print(f'ok objects: cancelled within {took:.2f} s of asking; closing asks; {saved}', flush=True)


def inside(scene, folder):
    window = Window()
    if scene in ('photos', 'objects'):
        (learn_photos if scene == 'photos' else learn_objects)(window, folder)
        return
    if scene == 'none':
        wait(lambda: window.words('Label Layers'), 'what to do without labels', 60)
        shoot(folder / 'train-none.png')
        window.press('Close')
        window.ended()
        print(f'ok none: opened in {window.opened:.2f} s; says what to do', flush=True)
        return
    started = time.monotonic()
    window.press('Train')
    wait(lambda: next(node for node in walk(window.dialog) if node.name == 'The photo with its classes').description == 'Trained' or None, 'a result', 90)
    first = time.monotonic() - started
    score = wait(lambda: window.words('strokes'), 'the score', 60)
    window.press('Label here next')
    wait(lambda: window.words('paint what it is there'), 'a place', 10)
    shoot(folder / 'train-classes.png')
    window.press('Uncertainty')
    time.sleep(1)
    shoot(folder / 'train-uncertainty.png')
    window.press('Classes')
    window.press('Apply now')
    wait(lambda: window.words('Applied'), 'the end of applying', 60)
    window.press('Save model')
    saved = wait(lambda: window.words('Saved as'), 'the model', 60)
    shoot(folder / 'train-applied.png')
    window.press('Close')
    window.ended()
    print(f'ok strokes: opened in {window.opened:.2f} s, first result {first:.2f} s after Train, {score}; {saved}', flush=True)


def prepare_layers(gimp, photo):
    """Five photos of each of two kinds, as layers of their groups."""
    kinds = {kind: sorted((reference() / 'data/photos/img/caltech101').glob(f'*{kind}*'))[:5] for kind in ('bonsai', 'ewer')}
    run(gimp, TOOLS + scene(photo, '', label('#:task "classify" #:classes (list "bonsai" "ewer")') + ''.join(
        f'(gimp-image-insert-layer image (gimp-file-load-layer RUN-NONINTERACTIVE image "{file}") (class-layer image {index}) 0)'
        for index, files in enumerate(kinds.values()) for file in files) + f'(gimp-file-save RUN-NONINTERACTIVE image "{gimp.folder}/labels.xcf")'))


def prepare(gimp, scene_name):
    """An XCF with labels, or a photo without."""
    photo = gimp.folder / 'photo.png'
    Image.open(reference() / f'data/photos/img/pets/{PETS[0]}.jpg').convert('RGB').resize(SIZE).save(photo)
    if scene_name == 'none':
        return photo
    if scene_name == 'photos':
        prepare_layers(gimp, photo)
        return gimp.folder / 'labels.xcf'
    if scene_name == 'objects':
        run(gimp, TOOLS + scene(photo, '', f'''{label('#:task "detect" #:classes (list "pet")')} (paint (class-layer image 0) image 100 200 600 700)
          (gimp-file-save RUN-NONINTERACTIVE image "{gimp.folder}/labels.xcf")'''))
        return gimp.folder / 'labels.xcf'
    truth = np.asarray(Image.open(reference() / f'data/photos/mask/pets/{PETS[0]}.png').resize(SIZE, Image.Resampling.NEAREST)) == 1
    run(gimp, TOOLS + scene(photo, '', f'''{scribble(truth)} (gimp-file-save RUN-NONINTERACTIVE image "{gimp.folder}/labels.xcf")'''))
    return gimp.folder / 'labels.xcf'


def run_scene(name, plugin, folder):
    with IsolatedGimp(plugin) as gimp:
        (gimp.folder / 'models' / 'tagger').symlink_to(ROOT / 'models' / 'tagger')
        photo = prepare(gimp, name)
        environment = gimp.environment | {'LANG': 'C.UTF-8', 'GTK_A11Y': 'atspi', 'NO_AT_BRIDGE': '0', 'GDK_BACKEND': 'x11', 'XDG_RUNTIME_DIR': str(gimp.folder / 'home'),
                                          'LIBGL_ALWAYS_SOFTWARE': '1'}
        os.chmod(gimp.folder / 'home', 0o700)
        with open(gimp.folder / 'profile' / 'gimprc', 'a', encoding='utf-8') as file:
            file.write('(theme-color-scheme light)\n(image-title-format "%D*%f-%p.%i (%t, %L) %wx%h")\n')
        reader, writer = os.pipe()
        display = subprocess.Popen(['Xvfb', '-displayfd', str(writer), '-screen', '0', '1280x900x24', '-nolisten', 'tcp'], pass_fds=[writer],
                                   stderr=subprocess.DEVNULL)
        os.close(writer)
        try:
            environment['DISPLAY'] = ':' + os.read(reader, 16).decode().strip()
            log = gimp.folder / 'gimp.log'
            script = f'''openbox --sm-disable >/dev/null 2>&1 &
/usr/libexec/at-spi-bus-launcher --launch-immediately >/dev/null 2>&1 &
{find_program('gimp')} -n --no-splash -c "{photo}" >"{log}" 2>&1 & gimp=$!
"{sys.executable}" "{__file__}" --inside {name} "{folder}"; status=$?
import -window root "{folder}/train-{name}-end.png"; kill $gimp 2>/dev/null; exit $status'''
            done = subprocess.run(['dbus-run-session', '--', 'sh', '-c', script], env=environment, timeout=600)
            text = log.read_text(errors='replace')
            trouble = [line for line in text.splitlines() if re.search(r'\(fovea:.*(CRITICAL|WARNING.*assert)|Plug-in crashed|duplicate mnemonic', line)]
            assert done.returncode == 0, f'{name} failed:\n{text[-3000:]}'
            assert not trouble, '\n'.join(trouble)
            if name in ('strokes', 'photos', 'objects'):
                assert (gimp.folder / 'home/.local/share/fovea/models/My model.onnx').exists()
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
    if not (reference() / 'data/photos/mask/pets').exists():
        skip('the reference photos are missing')
    folder = pathlib.Path(sys.argv[2]).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    for scene_name in sys.argv[3:] or SCENES:
        run_scene(scene_name, sys.argv[1], folder)
    return 0


if __name__ == '__main__':
    sys.exit(main())
