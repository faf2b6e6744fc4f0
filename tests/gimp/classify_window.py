#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Classify window in real GIMP under Xvfb, driven through the accessibility bus: it opens with an answer, answers anew when settings change, can be
cancelled, and applies. Screenshots stay in the folder given.

    classify_window.py BUILD/plugin/fovea SCREENSHOTS
"""

import re
import sys
import time

from gimp_window import GimpWindow, act, main, make_photo, run_session, shoot, wait, walk
from isolated_gimp import IsolatedGimp

# Name of the screenshot: photo, language, theme, what is done.
SCENES = {
    'photo': ('large/oakland-zoo-otters.jpg', 'C.UTF-8', 'light', 'change'),
    'gray': ('GRAY', 'C.UTF-8', 'light', 'cancel'),
    'tiny': ('TINY', 'C.UTF-8', 'light', 'cancel'),
    'german': ('large/perched-osprey.jpg', 'de_DE.UTF-8', 'light', 'cancel'),
    'dark': ('large/coco-000000257896.jpg', 'C.UTF-8', 'dark', 'cancel'),
}
MENU = {'C.UTF-8': ('Filters', 'Fovea', 'Classify…'), 'de_DE.UTF-8': ('Filter', 'Fovea', 'Klassifizieren …')}
BUTTONS = {'C.UTF-8': ('Apply', 'Cancel'), 'de_DE.UTF-8': ('Anwenden', 'Abbrechen')}
NAMES = {'C.UTF-8': 'Names', 'de_DE.UTF-8': 'Namen'}


class Window(GimpWindow):
    def __init__(self, language):
        super().__init__()
        self.language = language
        started = time.monotonic()
        self.opened = self.open(MENU[language])
        self.answer()
        self.answered = time.monotonic() - started

    def find(self, role, name=None):
        return next(node for node in walk(self.dialog) if node.getRoleName() == role and (name is None or node.name == name))

    def answer(self):
        """The names that the window shows, in words."""
        return wait(lambda: re.search(r'%', (words := self.names().description)) and words, 'an answer')

    def names(self):
        return next(node for node in walk(self.dialog) if node.name == NAMES[self.language] and node.description)

    def changed(self, before):
        return wait(lambda: (words := self.names().description) != before and '%' in words and words, 'another answer')

    def close(self, which):
        act(wait(lambda: self.find('button', BUTTONS[self.language][which]), 'the button'))
        self.ended()


def inside(scene, folder):
    _, language, _, action = SCENES[scene]
    window = Window(language)
    before = window.answer()
    shoot(folder / f'{scene}.png')
    print(f'ok {scene}: opened in {window.opened:.2f} s, answered in {window.answered:.2f} s: {before}')
    if action == 'cancel':
        window.close(1)
        return
    # fewer names, then only sure ones; then Apply with the attention layer
    spins = {node.queryValue().maximumValue: node for node in walk(window.dialog) if node.getRoleName() == 'spin button'}
    spins[1000].queryValue().currentValue = 2
    fewer = window.changed(before)
    assert fewer.count('%') == 2, fewer
    spins[1].queryValue().currentValue = 0.3
    sure = window.changed(fewer)
    assert sure.count('%') == 1, sure
    attention = window.find('check box', 'Attention layer')
    act(attention)
    shoot(folder / f'{scene}-changed.png')
    window.close(0)
    gimp = window.application('gimp')
    wait(lambda: any('2 layers' in node.name for node in gimp), 'the attention layer in GIMP', 30)
    shoot(folder / f'{scene}-applied.png')


def run_scene(scene, plugin, folder):
    photo, language, theme, _ = SCENES[scene]
    with IsolatedGimp(plugin) as gimp:
        run_session(gimp, scene, folder, f'"{make_photo(photo, gimp.folder)}"', language, theme)


if __name__ == '__main__':
    sys.exit(main(SCENES, inside, run_scene))
