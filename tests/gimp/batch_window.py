#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Batch window in real GIMP under Xvfb, driven through the accessibility bus: a folder is done, with a broken photo; a run is stopped and gone on with; opened
again, it has its settings. Screenshots stay in the folder given.

    batch_window.py BUILD/plugin/fovea SCREENSHOTS [SCENE…]
"""

import json
import re
import sys

from desktop import check_window, letters_of
from gimp_window import GimpWindow, main, run_session, shoot, wait, walk
from isolated_gimp import IsolatedGimp, reference, skip

try:
    from PIL import Image
except ImportError as missing:
    skip(missing)

SCENES = {'light': 'C.UTF-8', 'dark': 'C.UTF-8', 'german': 'de_DE.UTF-8'}
N_PHOTOS = 24


class Window(GimpWindow):
    """Photos and results are set by the call that opens the window: choosers of folders are windows of the desktop's own."""

    def __init__(self):
        super().__init__(needs_image=False)
        self.dialog = wait(lambda: self.application('fovea')[0], 'the dialog')

    def is_new(self):
        """It hasn't done anything yet."""
        return not any('photos are done' in node.name for node in walk(self.dialog))

    def field(self, name):
        return next(node for node in walk(self.dialog) if re.fullmatch(name, node.name) and node.getRoleName() in ('text', 'spin button'))

    def can_change(self, name):
        return self.field(name).getState().contains(self.pyatspi.STATE_SENSITIVE)

    def choose_operation(self, i):
        next(node for node in walk(self.dialog) if node.name == 'Do' and node.getRoleName() == 'combo box').querySelection().selectChild(i)

    def progress(self):
        return next(node for node in walk(self.dialog) if node.getRoleName() == 'progress bar').queryValue().currentValue


def inside(scene, folder):
    window = Window()
    window.press('Use It|Verwenden')  # somebody put the model into the folder
    window = wait(lambda: (batch := Window()).field('Threshold|Schwelle') and batch, 'the window')
    if scene == 'german':
        wait(lambda: window.words(f'^{N_PHOTOS + 1} Fotos$'), 'the number of photos', 60)
        shoot(folder / 'batch-german.png')
        check_window(window.dialog)
        window.press('Starten', 120)
        wait(lambda: next(node for node in walk(window.dialog) if node.getRoleName() == 'text' and 'broken.jpg“ kann nicht als Foto gelesen werden' in
                          node.queryText().getText(0, -1)), 'what failed, in German', 240)
        shoot(folder / 'batch-german-done.png')
        check_window(window.dialog)
        window.press('Schließen')
        window.ended()
        return
    wait(lambda: window.words(f'^{N_PHOTOS + 1} photos$'), 'the number of photos', 60)
    shoot(folder / f'batch-{scene}-open.png')
    check_window(window.dialog)
    assert window.can_change('Threshold') and window.can_change('Classes') and not window.can_change('How many names')
    assert all(letters_of(window.field(name)) for name in ('Threshold', 'Classes', 'How many names'))
    window.choose_operation(0)
    wait(lambda: window.can_change('How many names') and not window.can_change('Classes'), "Classify's settings")
    window.choose_operation(2)
    wait(lambda: window.can_change('Classes') and not window.can_change('How many names'), "Segment's settings")
    threshold = window.field('Threshold')
    for value, text in ((0.3, '0.30'), (-0.05, 'usual')):
        threshold.queryValue().currentValue = value
        wait(lambda: threshold.queryText().getText(0, -1) == text, f'the threshold {text}')
    window.press('Start.*', 120)
    wait(lambda: window.progress() > 0, 'progress', 120)
    shoot(folder / f'batch-{scene}-running.png')
    window.press('Stop.*')
    wait(lambda: window.words('Stopped'), 'the end of the run', 30)
    window.press('Start.*', 120)
    told = wait(lambda: window.words('photos are done'), 'the end', 240)
    shoot(folder / f'batch-{scene}-done.png')
    check_window(window.dialog)
    skipped = int(re.search(r'(\d+) of them before', told)[1])
    assert skipped > 0 and '1 failed' in told and f'{N_PHOTOS} photos' in told, told
    window.press('Close')
    print(f'ok {scene}: {told}', flush=True)
    if scene == 'light':
        window = wait(lambda: (another := Window()).is_new() and another, 'the window again')
        wait(lambda: window.words(f'^{N_PHOTOS + 1} photos$'), 'the folder of the time before', 60)
        shoot(folder / f'batch-{scene}-again.png')
        window.press('Close')
        print(f'ok {scene}: opened again, it has the settings that it was closed with', flush=True)
    window.ended()


def run_scene(name, plugin, folder):
    with IsolatedGimp(plugin, models=('selfie_segmentation',)) as gimp:
        photos, results = gimp.folder / 'Photos', gimp.folder / 'Results'
        photos.mkdir()
        picture = Image.open(reference() / 'data/large/coco-000000257896.jpg').convert('RGB').resize((640, 480))
        for i in range(N_PHOTOS):
            picture.save(photos / f'{i:02}.jpg')
        (photos / 'broken.jpg').write_bytes((photos / '00.jpg').read_bytes()[:300])
        call = gimp.folder / 'call.scm'
        call.write_text(f'''(script-fu-use-v3)
(plug-in-fovea-batch #:run-mode RUN-INTERACTIVE #:operation "segment" #:model "selfie_segmentation" #:input-folder "{photos}" #:output-folder "{results}"
  #:formats "csv,json,masks")
{'(plug-in-fovea-batch #:run-mode RUN-INTERACTIVE)' if name == 'light' else ''}''')
        run_session(gimp, name, folder, f'--batch-interpreter=plug-in-script-fu-eval -b \'(load "{call}")\'', SCENES[name], 'dark' if name == 'dark' else 'light',
                    screen='1280x1000x24')
        images, page = json.loads((results / 'fovea-batch.json').read_text())['images'], (results / 'fovea-batch.html').read_text()
        assert len(images) == N_PHOTOS and all((results / image['masks'][0]['file']).is_file() for image in images)
        words = ('lang="de"', f'{N_PHOTOS} Fotos sind fertig', '<h2>Gescheitert</h2>') if name == 'german' else ('lang="en"', f'{N_PHOTOS} photos are done', '<h2>Failed</h2>')
        assert all(word in page for word in words), page


if __name__ == '__main__':
    sys.exit(main(SCENES, inside, run_scene))
