#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Segment window in real GIMP under Xvfb, driven through the accessibility bus: it opens with a mask, sliders answer at once, four views, it applies in one
undo step, it can be cancelled. Screenshots stay in the folder given.

    segment_window.py BUILD/plugin/fovea SCREENSHOTS [SCENE…]
"""

import re
import subprocess
import sys
import time

from desktop import check_window
from gimp_window import ROOT, act, main, make_photo, run_session, shoot, shoot_still, shoot_window, wait, walk
from isolated_gimp import IsolatedGimp
from locate_window import Window, layers

# Name of the screenshot: photo, language, theme, what is done.
SCENES = {
    'portrait': ('large/coco-000000257896.jpg', 'C.UTF-8', 'light', 'change'),
    'closed': ('large/coco-000000257896.jpg', 'C.UTF-8', 'light', 'lose'),
    'gray': ('GRAY', 'C.UTF-8', 'light', 'cancel'),
    'german': ('large/coco-000000257896.jpg', 'de_DE.UTF-8', 'light', 'cancel'),
    'dark': ('large/coco-000000257896.jpg', 'C.UTF-8', 'dark', 'cancel'),
}
MANUAL = {'manual': ('samples/otters.jpg', 'C.UTF-8', 'light', 'picture')}  # the manual's picture: only when it is named
MENU = {'C.UTF-8': ('Filters', 'Fovea', 'Segment…'), 'de_DE.UTF-8': ('Filter', 'Fovea', 'Segment')}
SLOWEST = 0.5  # seconds from a slider's move to the mask, through the accessibility bus of a busy machine; by itself it takes milliseconds

LEAST_GROUND = 20  # per cent of the portrait that what is behind the person takes


class MaskWindow(Window):
    def objects(self):
        """The mask's area, in words."""
        view = next(node for node in walk(self.dialog) if node.getRoleName() == 'drawing area')
        return [view.description] if '%' in view.description else []


def check_area(window):
    """The table says of its one mask what stands below the photo."""
    cells = lambda: [node.name for node in walk(window.dialog, cells=True) if node.getRoleName() == 'table cell']
    wait(lambda: window.objects() and window.objects()[0] in cells(), 'the area in the table')


def change(window, folder):
    first = window.objects()
    sliders = {node.name: node for node in walk(window.dialog) if node.getRoleName() == 'slider'}
    slowest = 0
    for name, value in (('Threshold', 0.8), ('Softness', 0.3), ('Grow', 20), ('Threshold', 0.6), ('Grow', -20)):
        before, started = window.objects(), time.monotonic()
        sliders[name].queryValue().currentValue = value
        window.changed(before, f'{name} {value}')
        slowest = max(slowest, time.monotonic() - started)
    assert slowest < SLOWEST, slowest
    check_area(window)
    print(f'ok a slider shows its mask after at most {slowest * 1000:.0f} ms: {first}, then {window.objects()}')
    for name in ('Mask', 'Cut-out', 'Outline'):
        act(window.find('radio button', name))
        shoot_still(folder / f'segment-{name}.png')
    combo = next(node for node in walk(window.dialog) if node.getRoleName() == 'combo box' and node.name == 'Make')
    combo.querySelection().selectChild(3)
    window.close(0)
    wait(lambda: layers(window) == 1 + 1 + 1, 'a group with a layer in GIMP', 60)
    shoot(folder / 'segment-applied.png')
    window.menu(('Edit', 'Undo'))
    wait(lambda: layers(window) == 1, 'all of it undone in one step', 30)
    print('ok applied, and undone in one step')


def look_for_hair(window, folder):
    """It is looked for in a worker: the window says so, other sliders answer meanwhile, and the newest setting wins."""
    sliders = {node.name: node for node in walk(window.dialog) if node.getRoleName() == 'slider'}
    bar = next(node for node in walk(window.dialog) if node.getRoleName() == 'progress bar')
    before = window.objects()
    for hair in (120, 60, 90):  # each cancels the one before
        sliders['Hair and fur'].queryValue().currentValue = hair
    wait(lambda: window.is_showing(bar), 'progress')
    started = time.monotonic()
    sliders['Threshold'].queryValue().currentValue = 0.45
    moved = window.changed(before, 'the threshold while hair is looked for')
    took = time.monotonic() - started
    was_busy = window.is_showing(bar)
    assert took < SLOWEST, took
    hairy = window.changed(moved, 'the mask with hair')
    wait(lambda: not window.is_showing(bar), 'the end of progress')
    shoot(folder / 'segment-hair.png')
    sliders['Hair and fur'].queryValue().currentValue = 0
    wait(lambda: window.objects() == moved, 'the mask without hair')
    sliders['Threshold'].queryValue().currentValue = 0.5
    wait(lambda: window.objects() == before, 'the mask that was there before')
    print(f'ok hair: {before}, then {hairy}; another slider took {took * 1000:.0f} ms {"meanwhile" if was_busy else "(hair was found by then)"}')


def click(window, folder):
    """A click on the ground behind means all of it, and it isn't called a person; the button forgets it."""
    first = window.objects()
    view = next(node for node in walk(window.dialog) if node.getRoleName() == 'drawing area')
    place = view.queryComponent().getExtents(0)
    subprocess.run(['xdotool', 'mousemove', str(place.x + place.width // 4), str(place.y + place.height // 8), 'click', '1', 'mousemove', '1270', '890'],
                   check=True)
    clicked = wait(lambda: window.objects() not in ([], first) and window.objects(), 'the mask of what was clicked')
    shoot(folder / 'segment-click.png')
    area = float(re.search(r'([\d.]+) %', clicked[0])[1])
    cells = [node.name for node in walk(window.dialog, cells=True) if node.getRoleName() == 'table cell']
    assert LEAST_GROUND < area < 100 and 'region' in cells and 'person' not in cells, (area, cells)
    act(window.find('button', 'Forget the clicks'))
    wait(lambda: window.objects() == first, 'the first mask')
    print(f'ok a click: {first}, then {clicked}, and back')


def lose(window, folder):
    """The image is closed in GIMP's own window after the network has begun: it ends its work, another look says it, nothing hangs."""
    first = window.objects()
    window.find('spin button', 'Tiles').queryValue().currentValue = 12
    window.close_image()
    window.changed(first, 'the mask of what had been read')
    window.find('combo box', 'Look at').querySelection().selectChild(1)
    said = wait(lambda: window.words('The image has been closed'), 'words on the image', 60)
    shoot(folder / 'segment-closed-said.png')
    assert not window.find('button', 'Apply').getState().contains(window.pyatspi.STATE_SENSITIVE)
    window.close(1)
    print(f'ok closed: {first}, then {said}', flush=True)


def inside(scene, folder):
    _, language, _, action = (SCENES | MANUAL)[scene]
    window = MaskWindow(language, scene == 'gray', MENU)
    shoot(folder / f'segment-{scene}.png')
    check_window(window.dialog)
    check_area(window)
    print(f'ok {scene}: opened in {window.opened:.2f} s, answered in {window.answered:.2f} s: {window.objects()}', flush=True)
    if action == 'picture':
        shoot_window(window.dialog, folder / 'segment-window.png')
    if action == 'change':
        click(window, folder)
        look_for_hair(window, folder)
        change(window, folder)
    elif action == 'lose':
        lose(window, folder)
    else:
        window.close(1)


def run_scene(scene, plugin, folder):
    photo, language, theme, _ = (SCENES | MANUAL)[scene]
    with IsolatedGimp(plugin, models=('selfie_segmentation',)) as gimp:
        if scene in MANUAL:
            (gimp.folder / 'models' / 'cutout').symlink_to(ROOT / 'models' / 'cutout')
        run_session(gimp, scene, folder, f'"{make_photo(photo, gimp.folder)}"', language, theme)


if __name__ == '__main__':
    sys.exit(main(SCENES, inside, run_scene))
