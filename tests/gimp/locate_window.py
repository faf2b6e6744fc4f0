#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Locate window in real GIMP under Xvfb, driven through the accessibility bus: it opens with boxes, the sliders choose anew at once, a box can be left out,
it applies in one undo step, it can be cancelled. Screenshots stay in the folder given.

    locate_window.py BUILD/plugin/fovea SCREENSHOTS [SCENE…]
"""

import re
import sys
import time

from desktop import check_window
from gimp_window import GimpWindow, act, main, make_photo, run_session, shoot, shoot_window, wait, walk
from isolated_gimp import IsolatedGimp

# Name of the screenshot: photo, language, theme, what is done.
SCENES = {
    'street': ('large/coco-000000577932.jpg', 'C.UTF-8', 'light', 'change'),
    'gray': ('GRAY', 'C.UTF-8', 'light', 'cancel'),
    'tiny': ('TINY', 'C.UTF-8', 'light', 'cancel'),
    'german': ('large/coco-000000275198.jpg', 'de_DE.UTF-8', 'light', 'cancel'),
    'dark': ('large/coco-000000257896.jpg', 'C.UTF-8', 'dark', 'cancel'),
}
MANUAL = {'manual': ('samples/dog-with-frisbee.jpg', 'C.UTF-8', 'light', 'picture')}  # the manual's picture: only when it is named
MENU = {'C.UTF-8': ('Filters', 'Fovea', 'Locate…'), 'de_DE.UTF-8': ('Filter', 'Fovea', 'Finden …')}
BUTTONS = {'C.UTF-8': ('Apply', 'Cancel'), 'de_DE.UTF-8': ('Anwenden', 'Abbrechen')}
VIEW = {'C.UTF-8': 'The photo with its objects', 'de_DE.UTF-8': 'Das Foto mit seinen Gegenständen'}
SLOWEST = 0.5  # seconds from a slider's move to the boxes, through the accessibility bus of a busy machine; by itself it takes milliseconds


class Window(GimpWindow):
    def __init__(self, language, may_be_empty, menu=None):
        super().__init__()
        self.language = language
        started = time.monotonic()
        self.opened = self.open((menu or MENU)[language])
        if may_be_empty:
            wait(lambda: self.find('button', BUTTONS[language][0]).getState().contains(self.pyatspi.STATE_SENSITIVE), 'an answer')
        else:
            wait(self.objects, 'an answer')
        self.answered = time.monotonic() - started

    def find(self, role, name=None):
        return next(node for node in walk(self.dialog) if node.getRoleName() == role and (name is None or node.name == name))

    def objects(self):
        """The objects that the window shows, in words."""
        view = next(node for node in walk(self.dialog) if node.name == VIEW[self.language])
        return view.description.split(', ') if view.description else []

    def changed(self, before, what):
        return wait(lambda: (now := self.objects()) != before and (now or [''])[:], what)

    def close(self, which):
        act(wait(lambda: self.find('button', BUTTONS[self.language][which]), 'the button'))
        self.ended()


def layers(window):
    """How many layers GIMP's title tells."""
    names = ' '.join(node.name for node in window.application('gimp'))
    found = re.search(r'(\d+) layers?', names)
    return int(found.group(1)) if found else 0


def toggle(window):
    """Unticks the first row of the table with a click."""
    table = next(node for node in walk(window.dialog) if node.name == 'Objects')
    cell = next(node for node in walk(table, cells=True) if node.getRoleName() == 'table cell')
    box = cell.queryComponent().getExtents(window.pyatspi.DESKTOP_COORDS)
    window.pyatspi.Registry.generateMouseEvent(box.x + box.width // 2, box.y + box.height // 2, 'b1c')


def change(window, scene, folder):
    every = window.objects()
    sliders = [node for node in walk(window.dialog) if node.getRoleName() == 'slider']
    threshold = next(node for node in sliders if node.queryValue().currentValue < 0.4)
    slowest = 0
    for value in (0.6, 0.35, 0.7, 0.3):
        before, started = window.objects(), time.monotonic()
        threshold.queryValue().currentValue = value
        window.changed(before, f'threshold {value}')
        slowest = max(slowest, time.monotonic() - started)
    assert slowest < SLOWEST, slowest
    print(f'ok {scene}: a slider shows its boxes after at most {slowest * 1000:.0f} ms')
    assert len(window.objects()) == len(every)
    entry = next(node for node in walk(window.dialog) if node.getRoleName() == 'text' and node.getState().contains(window.pyatspi.STATE_EDITABLE)
                 and not node.queryText().getText(0, -1))
    entry.queryEditableText().setTextContents('person, car')
    few = window.changed(every, 'classes')
    assert few and all(words.startswith(('person', 'car')) for words in few), few
    toggle(window)
    fewer = window.changed(few, 'a box that is left out')
    assert len(fewer) == len(few) - 1, (few, fewer)
    shoot(folder / f'locate-{scene}-changed.png')
    window.close(0)
    wait(lambda: layers(window) == 1 + 1 + 2 * len(fewer), f'{2 * len(fewer)} frames and names and their group in GIMP', 60)
    shoot(folder / f'locate-{scene}-applied.png')
    window.menu(('Edit', 'Undo'))
    wait(lambda: layers(window) == 1, 'all of it undone in one step', 30)
    print(f'ok {scene}: {len(fewer)} of {len(every)} objects applied, and undone in one step')


def inside(scene, folder):
    _, language, _, action = (SCENES | MANUAL)[scene]
    window = Window(language, scene in ('tiny', 'gray'))
    shoot(folder / f'locate-{scene}.png')
    print(f'ok {scene}: opened in {window.opened:.2f} s, answered in {window.answered:.2f} s: {", ".join(window.objects())}', flush=True)
    check_window(window.dialog)
    if action == 'picture':
        shoot_window(window.dialog, folder / 'locate-window.png')
    if action == 'change':
        change(window, scene, folder)
    else:
        window.close(1)


def run_scene(scene, plugin, folder):
    photo, language, theme, _ = (SCENES | MANUAL)[scene]
    with IsolatedGimp(plugin, models=('yolox_nano',)) as gimp:
        run_session(gimp, scene, folder, f'"{make_photo(photo, gimp.folder)}"', language, theme)


if __name__ == '__main__':
    sys.exit(main(SCENES, inside, run_scene))
