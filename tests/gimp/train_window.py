#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Train window in real GIMP under Xvfb, driven through the accessibility bus: an image with strokes is trained on, the result applied and saved; an image
without labels is told what to do; example layers become a classifier; a detector's training is paused, cancelled at once, and stopped with what is best.
Screenshots stay in the folder given.

    train_window.py BUILD/plugin/fovea SCREENSHOTS [SCENE…]
"""

import os
import re
import sys
import time

from desktop import check_window
from gimp_window import BUTTON_ROLES, GimpWindow, act, main, run_session, shoot, wait, walk
from isolated_gimp import IsolatedGimp, reference, skip
from label_batch import TOOLS, call as label
from locate_batch import run
from train_batch import PETS, ROOT, scene, scribble

try:
    import numpy as np
    from PIL import Image
except ImportError as missing:
    skip(missing)

SCENES = ('strokes', 'none', 'closed', 'photos', 'objects')
SIZE = (960, 1280)
MENU = ('Filters', 'Fovea', 'Train…')


def find(window, role, name):
    return next(node for top in window.application('fovea') for node in walk(top) if re.fullmatch(role, node.getRoleName()) and re.fullmatch(name, node.name) and window.is_showing(node))


def change_photos(window, folder):
    """What Advanced has; the contact sheet follows a switch at once, and goes back with it."""
    act(find(window, 'toggle button', 'Advanced'))
    wait(lambda: window.words('With 10 photos: the last layer'), 'advice', 30)
    shoot(folder / 'train-advanced.png')
    check_window(window.dialog)
    window.press('Changed photos…')
    wait(lambda: find(window, 'check box', 'Without colour'), 'the window', 60)
    sheet = [node for top in window.application('fovea') for node in walk(top) if node.name == 'Photos as training shows them'][0]
    dialog = next(top for top in window.application('fovea') if top.name == 'Changed Photos')

    def look(name):
        place = sheet.queryComponent().getExtents(0)
        shoot(folder / f'train-forms-{name}.png')
        pixels = np.asarray(Image.open(folder / f'train-forms-{name}.png').convert('RGB'), np.int16)
        return pixels[place.y:place.y + place.height, place.x:place.x + place.width]

    def colour(pixels):
        return float((pixels.max(2) - pixels.min(2)).mean())

    before = wait(lambda: (now := look('usual')).std() > 40 and [now], 'the sheet', 60)[0]
    check_window(dialog)
    scale = find(window, 'slider', 'Without colour')
    scale.queryValue().currentValue = 1.0
    gray = wait(lambda: colour((now := look('gray'))) < 0.6 * colour(before) and [now], 'photos without colour', 60)[0]
    columns = [int(gray.shape[1] * k / 5) for k in range(6)]
    assert colour(gray[:, :columns[1]]) > 4 * colour(gray[:, columns[1] + 4:]), 'the photos as they are keep their colours'
    window.press('As is usual')
    wait(lambda: np.array_equal(look('again'), before), 'the sheet as it was', 60)
    act(find(window, 'check box', 'Upside down'))
    wait(lambda: not np.array_equal(look('upside-down'), before), 'photos upside down', 60)
    act(next(node for node in walk(dialog) if node.getRoleName() in BUTTON_ROLES and node.name == 'Close'))
    act(find(window, 'toggle button', 'Advanced'))


def use_elsewhere(window, folder, applied):
    """On all open images, on a folder, which opens the Batch window with the model, and as a file for other programs."""
    places = find(window, 'combo box', 'Apply to')
    places.querySelection().selectChild(1)
    window.press('Apply now')
    wait(lambda: window.words(applied), 'words on all open images', 60)
    places.querySelection().selectChild(2)
    window.press('Apply now')
    wait(lambda: next(top for top in window.application('fovea') if top.name == 'Batch'), 'the Batch window', 60)
    wait(lambda: next(node for top in window.application('fovea') if top.name == 'Batch' for node in walk(top) if node.getRoleName() == 'combo box' and 'My model' in node.name + node[0].name
                      or node.name == 'My model.onnx'), 'its model', 30) and None
    shoot(folder / 'train-folder.png')
    act(next(node for top in window.application('fovea') if top.name == 'Batch' for node in walk(top) if node.getRoleName() in BUTTON_ROLES and node.name == 'Close'))
    wait(lambda: all(top.name != 'Batch' for top in window.application('fovea')), 'the end of the Batch window', 60)
    places.querySelection().selectChild(0)
    window.press('Export…')
    name = wait(lambda: next(node for top in window.application('fovea') if top.name == 'Export the Model' for node in walk(top) if node.getRoleName() == 'text'), 'the name', 60)
    name.queryEditableText().setTextContents(f'{os.environ["HOME"]}/plain.onnx')
    shoot(folder / 'train-export.png')
    act(next(node for top in window.application('fovea') if top.name == 'Export the Model' for node in walk(top) if node.getRoleName() in BUTTON_ROLES and node.name == 'Export'))
    wait(lambda: window.words('Exported to'), 'the file', 60)
    shoot(folder / 'train-exported.png')


def learn_photos(window, folder):
    """Layers of two kinds."""
    wait(lambda: window.words('ewer: 5 photos'), 'what there is to learn from', 30)
    shoot(folder / 'train-photos-begin.png')
    check_window(window.dialog)
    change_photos(window, folder)
    started = time.monotonic()
    window.press('Train')
    saved = wait(lambda: window.words('is saved; Classify'), 'the model', 240)
    took = time.monotonic() - started
    window.press('Apply now')
    names = wait(lambda: next(node.name for node in walk(window.dialog) if re.search(r'(bonsai|ewer) \d+ %', node.name)), 'names', 60)
    shoot(folder / 'train-photos-end.png')
    use_elsewhere(window, folder, r'Applied to 1 image\.\n.*(bonsai|ewer) \d+ %')
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


def lose_image(window, folder):
    """While Live is on a label layer is deleted in GIMP's own window, then the image is closed: each is said, and what was learned can still be saved."""
    window.press('Train')
    wait(lambda: next(node for node in walk(window.dialog) if node.name == 'The photo with its classes').description == 'Trained' or None, 'a result', 90)
    window.menu(('Layer', ('Delete Layer', 'Remove Layer')))
    gone = wait(lambda: window.words('One class only|one class only'), 'words on the layer that was deleted', 60)
    shoot(folder / 'train-layer-deleted.png')
    window.menu(('File', 'Close View'))
    discard = wait(lambda: next(node for top in window.application('gimp') for node in walk(top)
                                if node.getRoleName() in BUTTON_ROLES and node.name.startswith('Discard') and window.is_showing(node)), 'the question of GIMP', 60)
    act(discard)
    closed = wait(lambda: window.words('closed'), 'words on the image that was closed', 60)
    window.press('Save model')
    saved = wait(lambda: window.words('Saved as'), 'the model', 60)
    time.sleep(1)
    assert window.words('Saved as'), 'the words stay, though the labels are looked for again'
    shoot(folder / 'train-closed.png')
    window.press('Close')
    window.ended()
    print(f'ok closed: {gone} {closed} {saved}', flush=True)


def label_layers(window, folder):
    """Classes are made, counted and added."""
    def cells():
        table = find(window, 'table|tree table', 'Classes').queryTable()
        return [table.getAccessibleAt(row, column).name for row in range(table.nRows) for column in (1, 2)]

    window.open((*MENU[:2], 'Label Layers…'))
    wait(lambda: window.words('no labels yet'), 'what to do', 60)
    shoot(folder / 'train-label-layers-none.png')
    window.press('Make')
    wait(lambda: cells() == ['Background', '0 pixels', 'Object', '0 pixels'], 'the classes', 60)
    wait(lambda: window.words('“Object” has no examples yet'), 'what is missing', 60)
    window.press('Add a class')
    wait(lambda: 'Object 2' in cells(), 'a third class', 60)
    shoot(folder / 'train-label-layers.png')
    window.press('Close')
    window.ended()


def ask_about_labels(window, folder):
    """The small windows about labels."""
    label_layers(window, folder)
    for title in ('Export Labels', 'Import Labels'):
        window.open((*MENU[:2], f'{title}…'))
        wait(lambda: window.button('Cancel'), 'the buttons', 60)
        shoot(folder / f'train-{title.replace(" ", "-").lower()}.png')
        check_window(window.dialog)
        window.press('Cancel')
        window.ended()


def paint_live(window):
    """What is painted in GIMP's own window is learned without a button: the selection is filled on the label layer that is chosen; then, that all is read anew says
    the same. What was painted before and after."""
    def painted():
        return [node.name for node in walk(window.dialog) if re.search(r'cells? painted', node.name)]

    before = wait(painted, 'what is painted', 30)
    window.menu(('Edit', 'Fill with FG'))
    after = wait(lambda: (now := painted()) != before and now, 'what was painted since', 60)
    wait(lambda: window.words('strokes'), 'what it is worth now', 60)
    window.press('Train')
    wait(lambda: not any(window.is_showing(node) for node in walk(window.dialog) if node.name and re.search('on strokes kept out', node.name)), 'another look', 60)
    wait(lambda: window.words('strokes'), 'the score', 60)
    assert painted() == after, f'a part was read: {after}; all of it: {painted()}'
    return before, after


def inside(scene, folder):
    window = GimpWindow()
    opened = window.open(MENU)
    if scene in ('photos', 'objects'):
        (learn_photos if scene == 'photos' else learn_objects)(window, folder)
        return
    if scene == 'closed':
        lose_image(window, folder)
        return
    if scene == 'none':
        wait(lambda: window.words('Label Layers'), 'what to do without labels', 60)
        shoot(folder / 'train-none.png')
        check_window(window.dialog)
        window.press('Close')
        window.ended()
        ask_about_labels(window, folder)
        print(f'ok none: opened in {opened:.2f} s; says what to do', flush=True)
        return
    started = time.monotonic()
    window.press('Train')
    wait(lambda: next(node for node in walk(window.dialog) if node.name == 'The photo with its classes').description == 'Trained' or None, 'a result', 90)
    first = time.monotonic() - started
    score = wait(lambda: window.words('strokes'), 'the score', 60)
    before, after = paint_live(window)
    window.press('Label here next')
    wait(lambda: window.words('paint what it is there'), 'a place', 10)
    shoot(folder / 'train-classes.png')
    check_window(window.dialog)
    window.press('Uncertainty')
    time.sleep(1)
    shoot(folder / 'train-uncertainty.png')
    window.press('Classes')
    window.press('Apply now')
    wait(lambda: window.words('Applied'), 'the end of applying', 60)
    window.press('Save model')
    saved = wait(lambda: window.words('Saved as'), 'the model', 60)
    shoot(folder / 'train-applied.png')
    use_elsewhere(window, folder, r'Applied to 1 image\.')
    window.press('Close')
    window.ended()
    print(f'ok strokes: opened in {opened:.2f} s, first result {first:.2f} s after Train, {score}; {before} became {after}; {saved}', flush=True)


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
    run(gimp, TOOLS + scene(photo, '', f'''{scribble(truth)} (gimp-image-select-rectangle image CHANNEL-OP-REPLACE 37 53 201 99)
          (gimp-context-set-foreground '(0 0 0)) (gimp-file-save RUN-NONINTERACTIVE image "{gimp.folder}/labels.xcf")'''))
    return gimp.folder / 'labels.xcf'


def run_scene(name, plugin, folder):
    with IsolatedGimp(plugin) as gimp:
        (gimp.folder / 'models' / 'tagger').symlink_to(ROOT / 'models' / 'tagger')
        photo = prepare(gimp, name)
        run_session(gimp, name, folder, f'"{photo}"', timeout=600)
        if name != 'none':
            assert (gimp.folder / 'home/.local/share/fovea/models/My model.onnx').exists()
        if name in ('strokes', 'photos'):
            assert b'pixels.normalized' in (gimp.folder / 'home/plain.onnx').read_bytes()


if __name__ == '__main__':
    sys.exit(main(SCENES, inside, run_scene, photos='data/photos/mask/pets'))
