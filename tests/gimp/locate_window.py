#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Locate window in real GIMP under Xvfb, driven through the accessibility bus: it opens with boxes, the sliders choose anew at once, a box can be left out,
it applies in one undo step, it can be cancelled. Screenshots stay in the folder given.

    locate_window.py BUILD/plugin/fovea SCREENSHOTS [SCENE…]
"""

import re
import subprocess
import sys
import time

from desktop import check_window
from gimp_window import GimpWindow, act, main, make_photo, run_session, shoot, shoot_window, wait, walk
from isolated_gimp import IsolatedGimp

# Name of the screenshot: photo, language, theme, what is done.
SCENES = {
    'street': ('large/coco-000000577932.jpg', 'C.UTF-8', 'light', 'change'),
    'deleted': ('large/coco-000000577932.jpg', 'C.UTF-8', 'light', 'lose'),
    'gray': ('GRAY', 'C.UTF-8', 'light', 'cancel'),
    'tiny': ('TINY', 'C.UTF-8', 'light', 'cancel'),
    'german': ('large/coco-000000275198.jpg', 'de_DE.UTF-8', 'light', 'cancel'),
    'dark': ('large/coco-000000257896.jpg', 'C.UTF-8', 'dark', 'cancel'),
}
MANUAL = {'manual': ('samples/dog-with-frisbee.jpg', 'C.UTF-8', 'light', 'picture')}  # the manual's picture: only when it is named
MENU = {'C.UTF-8': ('Filters', 'Fovea', 'Locate…'), 'de_DE.UTF-8': ('Filter', 'Fovea', 'Finden …')}
BUTTONS = {'C.UTF-8': ('Apply', 'Cancel'), 'de_DE.UTF-8': ('Anwenden', 'Abbrechen')}
VIEW = {'C.UTF-8': 'The photo with its objects', 'de_DE.UTF-8': 'Das Foto mit seinen Gegenständen'}
PHOTO, CAR = (640, 543), ['car', '87 %', '139×267']  # pixels of the street's photo, and a row of what is there
IN_CAR, CAR_BORDER, BESIDE = (570, 400), (505, 300), (60, 480)
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


def rows(window):
    """The table of objects: tick, name, score and size of each."""
    table = next(node for node in walk(window.dialog) if node.name == 'Objects')
    cells = [node for node in walk(table, cells=True) if node.getRoleName() == 'table cell']
    return [cells[i:i + 4] for i in range(0, len(cells), 4)]


def toggle(window):
    """Unticks the first row of the table with a click; its name and score."""
    cells = rows(window)[0]
    box = cells[0].queryComponent().getExtents(window.pyatspi.DESKTOP_COORDS)
    window.pyatspi.Registry.generateMouseEvent(box.x + box.width // 2, box.y + box.height // 2, 'b1c')
    return f'{cells[1].name} {cells[2].name}'


def pointer(*words):
    subprocess.run(['xdotool', *map(str, words)], check=True)


def on_screen(window, place):
    """Where a pixel of the photo is while all of it is shown."""
    view = next(node for node in walk(window.dialog) if node.name == VIEW[window.language]).queryComponent().getExtents(0)
    scale = min(view.width / PHOTO[0], view.height / PHOTO[1])
    return [int(start + (size - scale * side) / 2 + scale * at) for start, size, side, at in zip((view.x, view.y), (view.width, view.height), PHOTO, place)]


def tells():
    """Whether words stand at the pointer: a small window of its own, which the accessibility bus doesn't have."""
    shown = subprocess.run(['xdotool', 'search', '--onlyvisible', '--maxdepth', '1', '--name', '', 'getwindowgeometry', '--shell', '%@'], capture_output=True, text=True).stdout
    return any(10 < int(height) < 100 for height in re.findall(r'HEIGHT=(\d+)', shown))


def wait_told(expected, what):
    """Words at the pointer, or none for two seconds; they come after half of one. They follow its moves only: one that came while the photo was still being zoomed
    says nothing of what is there after that."""
    for step in 10 * (1, -1):
        pointer('mousemove_relative', '--', step, 0)
        end, told = time.monotonic() + 2, False
        while time.monotonic() < end and not (told and expected):
            told = told or tells()
            time.sleep(0.05)
        if told == expected:
            return
    raise SystemExit(f'timeout: {what}')


def handle(window, folder):
    """Words stand at a box, a click selects its row, the wheel zooms where the pointer is, dragging moves, 0 shows all again; the table is sorted by a click on its head."""
    inside, border, beside = (on_screen(window, place) for place in (IN_CAR, CAR_BORDER, BESIDE))
    pointer('mousemove', *inside)
    wait_told(True, 'words at a box')
    shoot(folder / 'locate-hover.png')
    pointer('mousemove', *beside)
    wait_told(False, 'no words beside it')
    pointer('mousemove', *inside, 'click', 1)
    chosen = wait(lambda: [cells for cells in rows(window) if cells[1].getState().contains(window.pyatspi.STATE_SELECTED)], 'a selected row')
    assert [[cell.name for cell in cells[1:]] for cells in chosen] == [CAR], chosen
    pointer('click', '--repeat', 12, '--delay', 20, 4, 'mousemove', *beside)
    wait_told(True, 'the same box, larger')
    shoot(folder / 'locate-zoomed.png')
    pointer('key', '0')
    wait_told(False, 'all of the photo again')
    pointer('mousemove', *border, 'click', '--repeat', 12, '--delay', 20, 4)
    wait_told(True, 'the box at its border')
    # At a hand's pace: a drag within a millisecond is one move for GTK, after the button was let go.
    pointer('mousedown', 1, 'sleep', 0.1, 'mousemove_relative', 40, 0, 'sleep', 0.1, 'mousemove_relative', 100, 0, 'sleep', 0.1, 'mouseup', 1, 'sleep', 0.1, 'mousemove', *border)
    wait_told(False, 'the box dragged away')
    shoot(folder / 'locate-dragged.png')
    pointer('key', '0')
    wait_told(True, 'all of the photo again')
    for head in ('Name', 'Score'):
        act(next(node for node in walk(window.dialog, cells=True) if node.name == head and 'header' in node.getRoleName()))
        column = 1 if head == 'Name' else 2
        wait(lambda: (shown := [cells[column].name for cells in rows(window)]) == sorted(shown, key=lambda words: (len(words) if column == 2 else 0, words)), f'rows by {head}')
    before = window.objects()
    worst = toggle(window)
    window.changed(before, 'the row that was sorted to the top is left out')
    before.remove(worst)
    assert window.objects() == before, (window.objects(), before)
    toggle(window)
    wait(lambda: len(window.objects()) == len(before) + 1, 'it is back')
    print('ok words at a box; zoomed, dragged, sorted', flush=True)


def lose(window, folder):
    """The layer is deleted in GIMP's own window: that is said when it is looked at again, and on Apply; nothing is written, and the plug-in isn't ended by GIMP."""
    first, delete = window.objects(), ('Layer', ('Delete Layer', 'Remove Layer'))
    region = window.find('combo box', 'Look at')
    window.menu(delete)
    wait(lambda: layers(window) == 0, 'no layer')
    region.querySelection().selectChild(1)
    wait(lambda: window.words('nothing but transparency'), 'words on an image without layers', 60)
    region.querySelection().selectChild(0)
    said = wait(lambda: window.words('The layer has been deleted'), 'words on the layer', 60)
    shoot(folder / 'locate-deleted-said.png')
    assert not window.find('button', 'Apply').getState().contains(window.pyatspi.STATE_SENSITIVE)
    window.menu(('Edit', 'Undo'))
    wait(lambda: layers(window) == 1, 'the layer again')
    region.querySelection().selectChild(1)
    wait(lambda: window.objects() == first, 'an answer')
    region.querySelection().selectChild(0)
    window.find('combo box', 'Make').querySelection().selectChild(3)
    wait(lambda: window.objects() == first and window.find('button', 'Apply').getState().contains(window.pyatspi.STATE_SENSITIVE), 'an answer')
    window.menu(delete)
    wait(lambda: layers(window) == 0, 'no layer')
    window.close(0)
    wait(lambda: window.message('The layer has been deleted'), 'the message', 60)
    shoot(folder / 'locate-deleted-applied.png')
    assert layers(window) == 0
    print(f'ok deleted: {said}', flush=True)


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
        handle(window, folder)
        change(window, scene, folder)
    elif action == 'lose':
        lose(window, folder)
    else:
        window.close(1)


def run_scene(scene, plugin, folder):
    photo, language, theme, _ = (SCENES | MANUAL)[scene]
    with IsolatedGimp(plugin, models=('yolox_nano',)) as gimp:
        run_session(gimp, scene, folder, f'"{make_photo(photo, gimp.folder)}"', language, theme)


if __name__ == '__main__':
    sys.exit(main(SCENES, inside, run_scene, needs=('xdotool',)))
