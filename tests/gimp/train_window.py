#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Train window in real GIMP under Xvfb, driven through the accessibility bus: an image with strokes is trained on, the result applied and saved; an image
without labels is told what to do; labels that are too few are said; strokes on the XCF files of a folder and on all open images are counted, learned, paused and stopped; settings of Advanced hold in the window as they do in batch; example layers become a classifier; a detector's training is paused, cancelled at once, and stopped with what is best.
In German, and dark: strokes, and the label layers.
Screenshots stay in the folder given.

    train_window.py BUILD/plugin/fovea SCREENSHOTS [SCENE…]
"""

import os
import pathlib
import re
import signal
import sys
import time

from desktop import check_window, click_twice, count_titles, key, raise_window, turn_wheel, type_text
from gimp_window import BUTTON_ROLES, GimpWindow, act, main, plug_ins, run_session, shoot, shoot_still, shoot_window, wait, walk
from isolated_gimp import IsolatedGimp, reference, skip
from label_batch import TOOLS, call as label
from locate_batch import run
from train_batch import PETS, ROOT, scene, scribble, train
from train_trouble import Beside, from_folder, make_photos, wait_for

try:
    import numpy as np
    from PIL import Image
except ImportError as missing:
    skip(missing)

SCENES = ('strokes', 'several', 'masks', 'settings', 'warned', 'none', 'closed', 'killed', 'interrupted', 'photos', 'deleted', 'objects', 'german')
MANUAL = ('manual-labels', 'manual-strokes', 'manual-photos')  # the manual's pictures: only when they are named
DOG = ((150, 60, 70, 50), (190, 90, 50, 40), (285, 225, 40, 30), (325, 330, 15, 60), (400, 250, 30, 20), (95, 45, 30, 25), (310, 110, 30, 40), (262, 110, 30, 30), (265, 200, 25, 30),
       (310, 260, 15, 50), (430, 280, 30, 15), (220, 130, 25, 60), (140, 130, 20, 30), (330, 170, 20, 15))
GROUND = ((180, 250, 40, 120), (400, 90, 120, 40), (40, 80, 40, 30), (440, 350, 70, 60), (20, 280, 40, 120), (560, 200, 50, 60), (240, 10, 120, 20), (10, 200, 20, 60),
          (20, 420, 30, 40), (480, 420, 30, 18), (420, 390, 25, 25), (110, 300, 30, 100), (560, 60, 60, 60), (600, 20, 30, 30), (240, 420, 60, 40), (480, 260, 60, 30))
SIZE = (960, 1280)
PER_KIND = 12  # photos
N_MASKS = 24
SETTINGS = {'Epochs': 3, 'Learning rate': 0.02, 'Seed': 7}
MENU = ('Filters', 'Fovea', 'Train…')
GERMAN_MENU = ('Filter', 'Fovea', 'Trainieren …')


def stay(window):
    """The answer to the question whether a training is to be abandoned."""
    window.press('Go on')
    wait(lambda: not any(node.name == 'Abandon it' and window.is_showing(node) for top in window.application('fovea') for node in walk(top)), 'the end of the question', 30)


def find(window, role, name):
    return next(node for top in window.application('fovea') for node in walk(top) if re.fullmatch(role, node.getRoleName()) and re.fullmatch(name, node.name) and window.is_showing(node))


def spin(window, name, value):
    wait(lambda: find(window, 'spin button', name), name, 30).queryValue().currentValue = value


def described(window, name):
    """What a picture of the window says to those who don't see it."""
    return find(window, '.*', name).description


def change_photos(window, folder):
    """What Advanced has; the contact sheet follows a switch at once, and goes back with it."""
    act(find(window, 'toggle button', 'Advanced'))
    wait(lambda: window.words('With 24 photos: the last layer'), 'advice', 30)
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


def check_progress(window):
    """GIMP's own bar doesn't go on saying that something is at work."""
    wait(lambda: not [node for node in walk(window.application('gimp')) if node.getRoleName() in BUTTON_ROLES and node.name == 'Cancel' and window.is_showing(node)],
         'the end of the progress in GIMP\'s window', 30)


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
                      or re.fullmatch(r'My model( 2)?\.onnx', node.name)), 'its model', 30) and None
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
    check_progress(window)


def work_seconds():
    """What the plug-in has kept a machine with nothing else to do busy."""
    fields = [int(field) for process in plug_ins() for field in (process / 'stat').read_text().rpartition(')')[2].split()[11:13]]
    return sum(fields) / os.sysconf('SC_CLK_TCK') / os.cpu_count()


def check_estimate(said, worked, least=1.5, times=5):
    """The time said before is near the time that it took, without the time that the machine did other things."""
    seconds = int(re.search(r'Takes about (\d+) s', said).group(1))
    assert worked / times <= max(seconds, least) and seconds <= times * max(worked, least), f'said {seconds} s, worked {worked:.1f} s'
    return f'{seconds} s were said, {worked:.1f} s it worked'


def judge_photos(window, folder):
    """With few photos kept out no number is said, neither in words nor in the picture; with more of them both, and what was taken for what."""
    assert window.words('Too few photos to say') and 'Too little' in (said := described(window, 'Loss and score.*')) and '%' not in said, said
    assert not [node for node in walk(window.dialog) if node.name == 'What is taken for what' and window.is_showing(node)]
    act(find(window, 'toggle button', 'Advanced'))
    spin(window, 'Kept out', 0.5)
    act(find(window, 'toggle button', 'Advanced'))
    window.press('Train')
    wait(lambda: window.words(r'Right on \d+ % of 12 photos kept out'), 'a score', 240)
    assert '%' in described(window, 'Loss and score.*')
    said = wait(lambda: described(window, 'What is taken for what'), 'the confusion matrix', 30)
    assert sum(int(n) for n in re.findall(r': (\d+) of', said)) == 12, said
    shoot(folder / 'train-photos-judged.png')


def check_pause(window):
    """Nothing goes on while it is paused."""
    window.press('Pause')
    time.sleep(0.5)
    before = find(window, 'progress bar', 'Progress').queryValue().currentValue
    time.sleep(1)
    assert find(window, 'progress bar', 'Progress').queryValue().currentValue == before, 'it goes on while it is paused'
    window.press('Pause')
    wait(lambda: find(window, 'progress bar', 'Progress').queryValue().currentValue > before, 'steps again', 60)


def change_settings(window, folder):
    """What Advanced says holds for strokes, and what means nothing for them isn't there; back at its size when it is closed. A long training shows its loss."""
    wait(lambda: window.words('strokes'), 'the first look', 90)
    width = window.dialog.queryComponent().getExtents(0).width
    act(find(window, 'check box', 'Live: .*'))
    act(find(window, 'toggle button', 'Advanced'))
    for name, value in SETTINGS.items():
        wait(lambda: spin(window, name, value) or True, name, 30)
    shown = [node.name for node in walk(window.dialog) if node.name and window.is_showing(node)]
    assert not {'or minutes', 'Batch', 'Which layers', 'Balance classes', 'Changed photos…', 'Kept out', 'Find it by trying'} & set(shown), shown
    act(find(window, 'check box', 'Judge by a third of the strokes'))
    shoot(folder / 'train-settings.png')
    check_window(window.dialog)
    window.press('Train')
    wait(lambda: window.words('Not judged'), 'the model without a judgement', 90)
    act(find(window, 'toggle button', 'Advanced'))
    wait(lambda: window.dialog.queryComponent().getExtents(0).width < width + 20, 'the room that Advanced took', 30)
    shoot(folder / 'train-settings-closed.png')
    window.press('Save model')
    saved = wait(lambda: window.words('Saved as'), 'the model', 60)
    act(find(window, 'toggle button', 'Advanced'))
    spin(window, 'Epochs', 5000)
    loss = described(window, 'Loss and score.*')
    assert re.fullmatch(r'Loss \d\.\d+', loss), loss
    window.press('Train')
    wait(lambda: described(window, 'Loss and score.*') != loss, 'another point of the curve', 30)
    assert 'kept out' not in described(window, 'Loss and score.*'), 'it is not to be judged'
    act(find(window, 'check box', 'Judge by a third of the strokes'))
    window.press('Stop')
    wait(lambda: window.button('Save model').getState().contains(window.pyatspi.STATE_SENSITIVE), 'what was learned by then', 30)
    assert not window.button('Stop').getState().contains(window.pyatspi.STATE_SENSITIVE) and window.words('Not judged')
    spin(window, 'Epochs', 150)
    window.press('Train')
    made = wait(lambda: window.words('Saved as .*My model 2.onnx'), 'a long training saves its model', 120)
    wait(lambda: window.words('on strokes kept out'), 'its score', 60)
    assert not list(pathlib.Path(os.environ['HOME'], '.cache/fovea/training').iterdir()), 'it left something'
    spin(window, 'Epochs', 5000)
    window.press('Train')
    wait(lambda: re.fullmatch(r'On what is kept out \d+ %\nLoss \d\.\d+', described(window, 'Loss and score.*')), 'the score while it learns', 60)
    view = next(node for node in walk(window.dialog) if node.name == 'The photo with its classes')
    wait(lambda: view.description == 'At present', 'what it says while it learns', 60)
    shoot_still(folder / 'train-settings-learning.png')
    act(find(window, 'check box', 'Live: .*'))
    reached = [find(window, 'progress bar', 'Progress').queryValue().currentValue]
    window.menu(('Edit', 'Fill with FG'))
    wait(lambda: reached.append(find(window, 'progress bar', 'Progress').queryValue().currentValue) or reached[-1] > reached[0] + 0.03, 'steps in spite of a stroke', 60)
    assert reached == sorted(reached), f'a stroke ended it: {reached}'
    check_pause(window)
    window.press('Cancel')
    wait(lambda: window.words('Cancelled') and view.description == 'Trained', 'that it was cancelled', 30)
    assert not list(pathlib.Path(os.environ['HOME'], '.cache/fovea/training').iterdir()), 'what was cancelled is kept'
    shoot(folder / 'train-settings-cancelled.png')
    window.press('Save model')
    wait(lambda: window.words('Saved as .*My model 3.onnx'), 'the model of before', 60)
    earlier, again = (pathlib.Path(made.removeprefix('Saved as ').partition('.onnx')[0][:-1] + f'{n}.onnx').read_bytes() for n in (2, 3))
    assert len(earlier) == len(again) and sum(a != b for a, b in zip(earlier, again)) < 50, "what was learned before isn't there again"
    window.press('Close')
    window.ended()
    print(f'ok settings: {saved} {made}', flush=True)


def shown_settings(window):
    return {node.name for node in walk(window.dialog) if node.name and window.is_showing(node)}


def learn_several(window, folder):
    """Strokes on several images: counted, with the settings of strokes; a long training shows its loss and, over the open photo, what it says at present; it is paused and stopped."""
    for words in ('2 XCF files', '2 of them have labels', r'Pet: \d+ pixels painted', 'Takes about', '4 labelled photos beside the XCF files are for something else'):
        wait(lambda: window.words(words), words, 60)
    act(find(window, 'toggle button', 'Advanced'))
    spin(window, 'Epochs', 5000)
    shown = shown_settings(window)
    assert 'Judge by a third of the strokes' in shown and not {'or minutes', 'Batch', 'Which layers', 'Kept out', 'Changed photos…'} & shown, shown
    shoot(folder / 'train-several.png')
    check_window(window.dialog)
    window.press('Train')
    wait(lambda: window.words('Learning') and find(window, 'progress bar', 'Progress').queryValue().currentValue > 0, 'steps', 120)
    now = wait(lambda: window.words(r'Now: .*Pet'), 'what it says of the photo while it learns', 60)
    said = r'On what is kept out \d+ %\nLoss (\d\.\d+)'
    loss = wait(lambda: re.fullmatch(said, described(window, 'Loss and score.*')), 'the curves', 60).group(1)
    wait(lambda: re.fullmatch(said, described(window, 'Loss and score.*')).group(1) != loss, 'another point of the curve', 60)
    assert window.words('Learning')
    check_pause(window)
    shoot(folder / 'train-several-learning.png')
    window.press('Stop and keep the best')
    saved = wait(lambda: window.words('is saved; Segment'), 'the model', 60)
    assert window.words('Not judged')
    spin(window, 'Epochs', 0)
    act(find(window, 'toggle button', 'Advanced'))
    find(window, 'combo box', 'from what').querySelection().selectChild(1)
    wait(lambda: window.words('1 open image has labels'), 'the open images', 60)
    window.press('Train')
    score = wait(lambda: window.words('on strokes kept out'), 'a score', 120)
    wait(lambda: described(window, 'What is taken for what'), 'the confusion matrix', 30)
    wait(lambda: window.words(r'Now: .*Pet'), 'what it says of the photo', 30)
    shoot(folder / 'train-several-judged.png')
    find(window, 'combo box', 'Apply to').querySelection().selectChild(1)
    window.press('Apply now')
    wait(lambda: window.words(r'Applied to 2 images\.'), 'both photos', 60)
    window.press('Close')
    window.ended()
    print(f'ok several: {saved} {score}; {now}', flush=True)


def learn_photos(window, folder):
    """Layers of two kinds."""
    wait(lambda: window.words('ewer: 12 photos'), 'what there is to learn from', 30)
    shoot(folder / 'train-photos-begin.png')
    check_window(window.dialog)
    change_photos(window, folder)
    said = wait(lambda: window.words('Takes about'), 'an estimate', 30)
    shoot(folder / 'train-photos-estimate.png')
    worked = work_seconds()
    window.press('Train')
    saved = wait(lambda: window.words('is saved; Classify'), 'the model', 240)
    estimate = check_estimate(said, work_seconds() - worked)
    now = wait(lambda: window.words(r'Now: (bonsai|ewer) \d+ %'), 'what it says of the photo', 10)
    judge_photos(window, folder)
    window.press('Apply now')
    names = wait(lambda: next(node.name for node in walk(window.dialog) if re.search(r'(bonsai|ewer) \d+ %', node.name)), 'names', 60)
    shoot(folder / 'train-photos-end.png')
    use_elsewhere(window, folder, r'Applied to 1 image\.\n.*(bonsai|ewer) \d+ %')
    window.press('Close')
    window.ended()
    print(f'ok photos: {saved} {estimate}; {now}; {names}', flush=True)


def lose_layer(window, folder):
    """An example is deleted in GIMP's own window while the photos are copied: the others are learned, and it is said."""
    process, copies = next(plug_ins()), pathlib.Path(os.environ['HOME'], '.cache/fovea')
    wait(lambda: window.words('kind 1: 12 photos'), 'what there is to learn from', 60)
    window.press('Train')
    wait(lambda: next(copies.rglob('*.png')), 'the first copy', 60)
    os.kill(int(process.name), signal.SIGSTOP)  # it would be done with all of them before a menu opens
    window.menu(('Layer', ('Delete Layer', 'Remove Layer')))
    os.kill(int(process.name), signal.SIGCONT)
    wait(lambda: window.words('is saved; Classify'), 'the model', 240)
    said = window.words('closed or deleted meanwhile; it is left out')
    wait(lambda: window.words('kind 1: 11 photos'), 'what is left', 60)
    shoot(folder / 'train-deleted.png')
    window.press('Close')
    window.ended()
    print(f'ok deleted: {said.splitlines()[-1]}', flush=True)


def learn_objects(window, folder):
    window.press('Train')
    wait(lambda: window.words('Learning'), 'the first step', 240)
    wait(lambda: window.button('Stop and keep the best').getState().contains(window.pyatspi.STATE_SENSITIVE), 'steps', 240)
    wait(lambda: window.words('Now: '), 'what it says of the photo', 120)
    wait(lambda: find(window, '.*', 'The photo with its objects'), 'the photo', 10)
    shoot(folder / 'train-objects-learning.png')
    check_window(window.dialog)
    window.press('Pause')
    shoot_still(folder / 'train-objects-paused.png')
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
    stay(window)
    window.press('Stop and keep the best')
    saved = wait(lambda: window.words('is saved; Locate'), 'the model', 120)
    shoot(folder / 'train-objects-stopped.png')
    window.press('Close')
    window.ended()
    print(f'ok objects: cancelled within {took:.2f} s of asking; closing asks; {saved}', flush=True)


def warn(window, folder):
    """Labels that are too few or contradict each other are said beside Train, which learns nevertheless; closing the window meanwhile asks, the first time, too."""
    window.press('Train')
    window.press('Close')
    wait(lambda: window.button('Abandon it'), 'the question', 30)
    assert count_titles('Train') == 2, 'the title of the question'
    shoot(folder / 'train-warned-question.png')
    stay(window)
    wait(lambda: described(window, 'Loss and score.*'), 'steps', 60)
    window.press('Stop')
    said = [wait(lambda: find(window, 'label', f'(?s).*{words}.*').name, words, 60)
            for words in ('“Pet” has only 9 painted pixels', '“Tail” has no examples yet', '400 pixels are painted in two classes')]
    place = find(window, 'label', '(?s).*“Tail” has no.*').queryComponent().getExtents(0)
    assert 0 < place.y - window.button('Train').queryComponent().getExtents(0).y < 200, place
    shoot(folder / 'train-warned.png')
    check_window(window.dialog)
    window.press('Close')
    window.press('Close without saving')  # what was learned until it was stopped
    window.ended()
    print(f'ok warned: {said[0]}', flush=True)


def show_next(window, folder):
    """Where the next stroke would help is moved into the view, however far away that is."""
    raise_window('Train')
    window.press('Label here next')
    where = wait(lambda: window.words('paint what it is there'), 'a place', 10)
    place = find(window, '.*', 'The photo with its classes').queryComponent().getExtents(0)
    x, y = (int(number) for number in re.search(r'At (\d+), (\d+)', where).groups())
    turn_wheel(place.x + (place.width - 90 if x < SIZE[0] / 2 else 90), place.y + (place.height - 30 if y < SIZE[1] / 2 else 30), 12)

    def look(name):
        shoot_still(folder / f'train-next-{name}.png')
        return np.asarray(Image.open(folder / f'train-next-{name}.png').convert('RGB'))[place.y:place.y + place.height, place.x:place.x + place.width]

    def count_white(pixels):
        return int((pixels == 255).all(2).sum())

    before = look('away')
    window.press('Label here next')
    wait(lambda: count_white(look('there')) > count_white(before) + 30, 'the ring', 30)
    assert np.abs(look('there').astype(int) - before).mean() > 10, 'another part of the photo is seen'
    key('0')


def count_masks(window, folder):
    """What masks show is counted for each class, and what is missing is said; with an XCF file beside them, they are counted with its strokes."""
    for words in (f'{N_MASKS} labelled photos', f'pet: {N_MASKS} photos', 'tail: 2 photos', 'nose: 0 photos', 'No photo shows “nose”', '“tail” has only 2 examples', 'Takes about'):
        wait(lambda: window.words(words), words, 60)
    assert not [name for name in shown_settings(window) if 'Counted so far' in name]
    shoot(folder / 'train-masks.png')
    check_window(window.dialog)
    (home() / 'masked/strokes.xcf').write_bytes((home() / 'labels.xcf').read_bytes())
    source = find(window, 'combo box', 'from what').querySelection()
    source.selectChild(1)
    source.selectChild(2)
    for words in ('1 of them has labels', r'Pet: \d+ pixels painted', f'{N_MASKS} labelled photos beside them are learned, too', f'pet: {N_MASKS} photos', 'tail: 2 photos', '“nose” has no examples yet'):
        wait(lambda: window.words(words), words, 60)
    assert not [name for name in shown_settings(window) if re.search('“(pet|tail)” has no examples', name)]
    shoot(folder / 'train-masks-and-strokes.png')
    check_window(window.dialog)
    window.press('Train')
    saved = wait(lambda: window.words('is saved; Segment'), 'the model', 240)
    window.press('Close')
    window.ended()
    print(f'ok masks: {saved}', flush=True)


def home():
    """The folder of this GIMP's own things."""
    return pathlib.Path(os.environ['HOME']).parent


def said_within(window, words, seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if any(node.getRoleName() == 'label' and words in node.name for node in walk(window.dialog)):
            return True
        time.sleep(0.05)
    return False


def lose_image(window, folder):
    """While Live is on a label layer is deleted in GIMP's own window, then the image is closed: each is said, and what was learned can still be saved."""
    window.press('Train')
    wait(lambda: next(node for node in walk(window.dialog) if node.name == 'The photo with its classes').description == 'Trained' or None, 'a result', 90)
    window.menu(('Layer', ('Delete Layer', 'Remove Layer')))
    gone = wait(lambda: window.words('One class only|one class only'), 'words on the layer that was deleted', 60)
    shoot(folder / 'train-layer-deleted.png')
    # The masks that are there, of both classes. What is said goes when Live looks once more.
    wait(lambda: window.press('Apply now') or said_within(window, 'Applied', 3), 'the end of applying', 60)
    assert not [node.name for node in walk(window.dialog) if 'null' in (node.name + node.description)]
    window.close_image()
    closed = wait(lambda: window.words('closed'), 'words on the image that was closed', 60)
    window.press('Save model')
    saved = wait(lambda: window.words('Saved as'), 'the model', 60)
    shoot_still(folder / 'train-closed.png')
    assert window.words('Saved as'), 'the words stay, though the labels are looked for again'
    window.press('Close')
    window.ended()
    print(f'ok closed: {gone} {closed} {saved}', flush=True)


def go_on(window, folder):
    """A training that was killed: the window offers to go on with it, whatever image is open."""
    offered = wait(lambda: window.words('The training of “Mine” was interrupted'), 'the offer', 60)
    for words in ('24 labelled photos', 'kind 1: 12 photos', 'Takes about'):
        wait(lambda: window.words(words), words, 30)
    shoot(folder / 'train-killed.png')
    check_window(window.dialog)
    window.press('Go on')
    wait(lambda: window.words('Learning'), 'steps', 240)
    window.press('Stop and keep the best')
    saved = wait(lambda: window.words('“Mine” is saved; Classify'), 'the model', 120)
    shoot(folder / 'train-went-on.png')
    window.press('Close')
    window.ended()
    print(f'ok killed: {offered} {saved}', flush=True)


def go_on_strokes(window, folder):
    """A long training on the open image's strokes dies with the plug-in, as by GIMP's own Cancel: the next window offers to go on with it, and does so where it was."""
    def reach(least):
        return wait(lambda: (value := find(window, 'progress bar', 'Progress').queryValue().currentValue) >= least and value, 'steps', 120)

    wait(lambda: window.words('Takes about'), 'an estimate', 60)
    assert not window.button('Stop').getState().contains(window.pyatspi.STATE_SENSITIVE), 'what takes long begins by itself'
    window.press('Train')
    wait(lambda: pathlib.Path(os.environ['HOME'], '.cache/fovea/training/Mine/checkpoint').exists(), 'a checkpoint', 60)
    wait(lambda: re.fullmatch(r'On what is kept out \d+ %\nLoss \d\.\d+', described(window, 'Loss and score.*')), 'the curves', 60)
    reached = reach(0.06)
    shoot(folder / 'train-strokes-kept.png')
    os.kill(int(next(plug_ins()).name), signal.SIGKILL)
    window.ended()
    window.open(MENU)
    offered = wait(lambda: window.words('The training of “Mine” was interrupted'), 'the offer', 60)
    shoot(folder / 'train-strokes-offered.png')
    window.press('Go on')
    wait(lambda: window.words('Learning'), 'the training', 120)
    assert reach(0.001) >= reached, 'it began anew'
    shoot(folder / 'train-strokes-went-on.png')
    check_window(window.dialog)
    window.press('Stop and keep the best')
    saved = wait(lambda: window.words('“Mine” is saved; Segment'), 'the model', 120)
    window.press('Close')
    window.ended()
    print(f'ok interrupted: {offered} {saved}', flush=True)


def label_layers(window, folder):
    """Classes are made, counted and added."""
    def cells():
        table = find(window, 'table|tree table', 'Classes').queryTable()
        return [table.getAccessibleAt(row, column).name for row in range(table.nRows) for column in (1, 2)]

    window.open((*MENU[:2], 'Label Layers…'))
    wait(lambda: window.words('no labels yet. Press Make'), 'what to do', 60)
    assert find(window, 'slider', 'Opacity').queryValue().currentValue == 50, 'what a group gets'
    shoot(folder / 'train-label-layers-none.png')
    window.press('Make')
    wait(lambda: cells() == ['Background', '0 pixels', 'Object', '0 pixels'], 'the classes', 60)
    wait(lambda: window.words('“Object” has no examples yet'), 'what is missing', 60)
    window.press('Add a class')
    wait(lambda: 'Object 2' in cells(), 'a third class', 60)
    shoot(folder / 'train-label-layers.png')
    rename(window, 2, 'cat, tabby')
    wait(lambda: cells()[::2] == ['Background', 'Object', 'cat, tabby'], 'the new name', 60)
    rename(window, 2, 'Object')
    taken = wait(lambda: window.words('already|Choose another'), 'words on a name that is taken', 60)
    assert cells()[::2] == ['Background', 'Object', 'cat, tabby'], cells()
    window.press('Remove')
    wait(lambda: cells()[::2] == ['Background', 'Object'], 'the class that went', 60)
    slide_opacity(window)
    window.open((*MENU[:2], 'Label Layers…'))
    wait(lambda: find(window, 'slider', 'Opacity').queryValue().currentValue == 50, 'the opacity before: one step of Undo', 30)
    assert wait(lambda: cells()[::2], 'the classes', 30) == ['Background', 'Object'], cells()
    window.press('Close')
    window.ended()
    print(f'ok label layers: classes are made, renamed, removed; {taken}', flush=True)


def rename(window, row, name):
    """With a double click, whose entry gets the keys that come after it: the accessibility bus doesn't tell of it."""
    place = find(window, 'table|tree table', 'Classes').queryTable().getAccessibleAt(row, 1).queryComponent().getExtents(0)
    click_twice(place.x + 20, place.y + place.height // 2)
    key('ctrl+a')
    type_text(name)
    key('Return')


def slide_opacity(window):
    """Many places of the slider, one step of Undo."""
    slider = wait(lambda: find(window, 'slider', 'Opacity'), 'the slider', 30)
    assert slider.queryValue().currentValue == 50, slider.queryValue().currentValue
    for value in (55, 60, 65, 70):
        slider.queryValue().currentValue = value
    window.press('Close')
    window.ended()
    window.menu(('Edit', 'Undo'))


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


def picture(window, scene, folder):
    """A picture for the manual."""
    if scene == 'manual-labels':
        window.open((*MENU[:2], 'Label Layers…'))
        wait(lambda: 'pixels' in find(window, 'table|tree table', 'Classes').queryTable().getAccessibleAt(0, 2).name, 'the counts', 60)
        shoot_window(window.dialog, folder / 'label-layers.png')
    elif scene == 'manual-strokes':
        window.open(MENU)
        wait(lambda: described(window, 'What is taken for what'), 'the score', 120)
        window.press('Label here next')
        shoot_window(window.dialog, folder / 'train.png')
    else:
        window.open(MENU)
        act(find(window, 'toggle button', 'Advanced'))
        wait(lambda: spin(window, 'Kept out', 0.5) or True, 'the share', 30)
        act(find(window, 'toggle button', 'Advanced'))
        window.press('Train')
        wait(lambda: window.words('is saved; Classify') and described(window, 'What is taken for what'), 'the model', 240)
        shoot_window(window.dialog, folder / 'train-photos.png')
    window.press('Close')
    if scene == 'manual-strokes':
        window.press('Close without saving')
    window.ended()


def speak_german(window, folder):
    """Strokes are trained on in a dark German window; the label layers have theirs, too. No English word is left of those that are there before and after."""
    def english():
        words = {node.name for node in walk(window.dialog) if node.name and window.is_showing(node)}
        return words & {'Train', 'Close', 'Cancel', 'Advanced', 'Classes', 'Uncertainty', 'Background', 'Apply now', 'Save model', 'Export…', 'Label here next', 'Make', 'Add a class', 'Remove'}

    window.open(GERMAN_MENU)
    wait(lambda: window.words('Dauert etwa'), 'an estimate', 60)
    shoot(folder / 'train-german-begin.png')
    assert not english(), english()
    window.press('Trainieren')
    wait(lambda: next(node for node in walk(window.dialog) if node.name == 'Das Foto mit seinen Klassen').description == 'Trainiert' or None, 'a result', 90)
    score = wait(lambda: window.words('Strichen'), 'the score', 60)
    wait(lambda: described(window, 'Was wofür gehalten wird'), 'the confusion matrix', 60)
    act(find(window, 'toggle button', 'Erweitert'))
    wait(lambda: find(window, 'spin button', 'Zahl der Epochen'), 'Advanced', 30)
    shoot(folder / 'train-german.png')
    assert (width := window.dialog.queryComponent().getExtents(0).width) <= 1280, f'{width} pixels are more than a laptop has'
    check_window(window.dialog)
    assert not english() - {'Background'}, english()  # the user's own name of a class
    window.press('Schließen')
    window.press('Ohne Speichern schließen')
    window.ended()
    window.open((*GERMAN_MENU[:2], 'Beschriftungsebenen …'))
    wait(lambda: 'Pixel' in find(window, 'table|tree table', 'Klassen').queryTable().getAccessibleAt(0, 2).name, 'the counts', 60)
    shoot(folder / 'train-german-label-layers.png')
    check_window(window.dialog)
    assert not english(), english()
    window.press('Schließen')
    window.ended()
    print(f'ok german: {score}', flush=True)


def inside(scene, folder):
    window = GimpWindow()
    if scene == 'german':
        speak_german(window, folder)
        return
    if scene in MANUAL:
        picture(window, scene, folder)
        return
    opened = window.open(MENU)
    if scene in ('photos', 'objects', 'several', 'masks', 'deleted'):
        {'photos': learn_photos, 'masks': count_masks, 'objects': learn_objects, 'several': learn_several, 'deleted': lose_layer}[scene](window, folder)
        return
    if scene in ('closed', 'settings', 'killed', 'interrupted', 'warned'):
        {'interrupted': go_on_strokes, 'closed': lose_image, 'settings': change_settings, 'killed': go_on, 'warned': warn}[scene](window, folder)
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
    wait(lambda: window.words('Takes about'), 'an estimate', 60)
    started = time.monotonic()
    window.press('Train')
    wait(lambda: next(node for node in walk(window.dialog) if node.name == 'The photo with its classes').description == 'Trained' or None, 'a result', 90)
    first = time.monotonic() - started
    score = wait(lambda: window.words('strokes'), 'the score', 60)
    taken = wait(lambda: described(window, 'What is taken for what'), 'the confusion matrix', 60)
    assert re.search('“Background”: \\d+ of \\d+ right', taken) and re.search('“Pet”: \\d+ of \\d+ right', taken), taken
    before, after = paint_live(window)
    show_next(window, folder)
    shoot(folder / 'train-classes.png')
    check_window(window.dialog)
    window.press('Uncertainty')
    shoot_still(folder / 'train-uncertainty.png')
    window.press('Classes')
    window.press('Apply now')
    wait(lambda: window.words('Applied'), 'the end of applying', 60)
    check_progress(window)
    window.press('Save model')
    saved = wait(lambda: window.words('Saved as'), 'the model', 60)
    shoot(folder / 'train-applied.png')
    use_elsewhere(window, folder, r'Applied to 1 image\.')
    window.press('Close')
    window.ended()
    print(f'ok strokes: opened in {opened:.2f} s, first result {first:.2f} s after Train, {score}; {before} became {after}; {saved}', flush=True)


def prepare_layers(gimp, photo):
    """Some photos of each of two kinds, as layers of their groups."""
    kinds = {kind: sorted((reference() / 'data/photos/img/caltech101').glob(f'*{kind}*'))[:PER_KIND] for kind in ('bonsai', 'ewer')}
    run(gimp, TOOLS + scene(photo, '', label('#:task "classify" #:classes (list "bonsai" "ewer")') + ''.join(
        f'(gimp-image-insert-layer image (gimp-file-load-layer RUN-NONINTERACTIVE image "{file}") (class-layer image {index}) 0)'
        for index, files in enumerate(kinds.values()) for file in files) + f'(gimp-file-save RUN-NONINTERACTIVE image "{gimp.folder}/labels.xcf")'))


def prepare_large(gimp, photo):
    """Examples that take their time to be copied; the last of them is chosen."""
    random = np.random.default_rng(4)
    lines = [label('#:task "classify" #:classes (list "kind 0" "kind 1")')]
    for index in range(2):
        Image.fromarray(random.integers(90 * index, 90 * index + 160, (1200, 1200, 3), np.uint8)).save(gimp.folder / f'large {index}.png')
        lines += [f'(gimp-image-insert-layer image (gimp-file-load-layer RUN-NONINTERACTIVE image "{gimp.folder}/large {index}.png") (class-layer image {index}) 0)'] * PER_KIND
    run(gimp, TOOLS + scene(photo, '', '\n'.join(lines) + f'''
      (gimp-image-set-selected-layers image (vector (vector-ref (gimp-item-get-children (class-layer image 1)) {PER_KIND - 1})))
      (gimp-file-save RUN-NONINTERACTIVE image "{gimp.folder}/labels.xcf")'''))
    return gimp.folder / 'labels.xcf'


def prepare_several(gimp):
    """A folder of two photos with strokes, which the window begins with."""
    make_photos(gimp.folder / 'several', 2, 2)
    for name in PETS[:2]:
        truth = np.asarray(Image.open(reference() / f'data/photos/mask/pets/{name}.png')) == 1
        run(gimp, TOOLS + scene(reference() / f'data/photos/img/pets/{name}.jpg', '', f'''{scribble(truth)}
          (gimp-file-save RUN-NONINTERACTIVE image "{gimp.folder}/several/{name}.xcf")'''))
    begin_with(gimp, f'(source "folder")\n(folder "{gimp.folder}/several")\n')


def prepare_masks(gimp):
    """Photos with masks of three classes: one is in all of them, one in two, one in none."""
    for name in ('images', 'masks'):
        (gimp.folder / 'masked' / name).mkdir(parents=True)
    (gimp.folder / 'masked/classes.txt').write_text('pet\ntail\nnose\n')
    random = np.random.default_rng(5)
    for i in range(N_MASKS):
        mask = np.zeros((48, 64), np.uint8)
        mask[10:30, 20:40] = 1
        mask[30:40, 20:40] = 2 if i in (3, 17) else 255
        Image.fromarray(mask).save(gimp.folder / f'masked/masks/{i}.png')
        Image.fromarray(random.integers(0, 256, (48, 64, 3), np.uint8)).save(gimp.folder / f'masked/images/{i}.png')
    begin_with(gimp, f'(source "folder")\n(folder "{gimp.folder}/masked")\n')


def begin_with(gimp, settings):
    """The window opens with the settings that it was closed with."""
    (gimp.folder / 'profile/plug-in-settings').mkdir()
    (gimp.folder / 'profile/plug-in-settings/GimpProcedureConfigRun-plug-in-fovea-train.last').write_text(settings)


def leave_training(gimp, photo):
    """GIMP with its plug-ins is killed while it trains."""
    at_work = Beside(gimp, 'killed', scene(photo, '', train(from_folder(make_photos(gimp.folder / 'two', 2, 12), 'Mine', '#:epochs 10000'))))
    try:
        wait_for(gimp.folder / 'home/.cache/fovea/training/Mine/checkpoint')
    finally:
        at_work.kill()
    begin_with(gimp, f'(source "folder")\n(folder "{gimp.folder}/two")\n')


def prepare_picture(gimp, scene_name):
    """One of our own samples with strokes as someone would paint them, or parts of two as examples of whole images."""
    photo = ROOT / 'samples' / ('horse.jpg' if scene_name == 'manual-photos' else 'dog-with-frisbee.jpg')
    if scene_name == 'manual-photos':
        random = np.random.default_rng(3)
        body = label('#:task "classify" #:classes (list "horse" "lake")')
        for index, sample in enumerate(('horse', 'mountain-lake')):
            pixels = Image.open(ROOT / f'samples/{sample}.jpg').convert('RGB')
            for i in range(PER_KIND):
                side = int(min(pixels.size) * random.uniform(0.6, 0.9))
                x, y = (int(random.uniform(0, length - side)) for length in pixels.size)
                pixels.crop((x, y, x + side, y + side)).resize((200, 200)).save(gimp.folder / f'{sample} {i}.png')
                body += f'(gimp-image-insert-layer image (gimp-file-load-layer RUN-NONINTERACTIVE image "{gimp.folder}/{sample} {i}.png") (class-layer image {index}) 0)'
    else:
        body = label('#:task "segment" #:classes (list "Background" "Dog")') + ''.join(
            f'(paint (class-layer image {index}) image {x} {y} {w} {h})' for index, boxes in enumerate((GROUND, DOG)) for x, y, w, h in boxes)
    run(gimp, TOOLS + scene(photo, '', f'{body} (gimp-file-save RUN-NONINTERACTIVE image "{gimp.folder}/labels.xcf")'))
    return gimp.folder / 'labels.xcf'


def prepare(gimp, scene_name):
    """An XCF with labels, or a photo without."""
    if scene_name in MANUAL:
        return prepare_picture(gimp, scene_name)
    photo = gimp.folder / 'photo.png'
    Image.open(reference() / f'data/photos/img/pets/{PETS[0]}.jpg').convert('RGB').resize(SIZE).save(photo)
    if scene_name == 'none':
        return photo
    if scene_name == 'killed':
        leave_training(gimp, photo)
        return photo
    if scene_name == 'deleted':
        return prepare_large(gimp, photo)
    if scene_name == 'photos':
        prepare_layers(gimp, photo)
        return gimp.folder / 'labels.xcf'
    if scene_name == 'objects':
        run(gimp, TOOLS + scene(photo, '', f'''{label('#:task "detect" #:classes (list "pet")')} (paint (class-layer image 0) image 100 200 600 700)
          (gimp-file-save RUN-NONINTERACTIVE image "{gimp.folder}/labels.xcf")'''))
        return gimp.folder / 'labels.xcf'
    if scene_name == 'warned':
        begin_with(gimp, '(epochs 5000)')
        run(gimp, TOOLS + scene(photo, '', f'''{label('#:task "segment" #:classes (list "Background" "Pet" "Tail")')}
          (paint (class-layer image 0) image 20 20 90 80) (paint (class-layer image 1) image 400 400 3 3)
          (paint (class-layer image 0) image 600 600 20 20) (paint (class-layer image 1) image 600 600 20 20)
          (gimp-file-save RUN-NONINTERACTIVE image "{gimp.folder}/labels.xcf")'''))
        return gimp.folder / 'labels.xcf'
    if scene_name in ('several', 'masks'):
        {'several': prepare_several, 'masks': prepare_masks}[scene_name](gimp)
    truth = np.asarray(Image.open(reference() / f'data/photos/mask/pets/{PETS[0]}.png').resize(SIZE, Image.Resampling.NEAREST)) == 1
    run(gimp, TOOLS + scene(photo, '', f'''{scribble(truth)} (gimp-image-select-rectangle image CHANNEL-OP-REPLACE 37 53 201 99)
          (gimp-context-set-foreground '(0 0 0)) (gimp-file-save RUN-NONINTERACTIVE image "{gimp.folder}/labels.xcf")'''))
    if scene_name == 'interrupted':
        begin_with(gimp, '(epochs 1000)\n(name "Mine")\n')
    return gimp.folder / 'labels.xcf'


def check_settings(gimp, photo):
    """Batch makes the same model of the same settings, and another of others."""
    model = gimp.folder / 'home/.local/share/fovea/models/My model.onnx'
    made = model.read_bytes()
    settings = f'#:epochs {SETTINGS["Epochs"]} #:learning-rate {SETTINGS["Learning rate"]} #:seed {SETTINGS["Seed"]}'
    for settings, is_same in ((settings, True), (settings.replace('epochs 3', 'epochs 4'), False)):
        run(gimp, scene(photo, '', train(f'#:name "My model" #:validation-share 0 {settings}')))
        assert (model.read_bytes() == made) == is_same, f'the window did not learn as {settings} says'


def run_scene(name, plugin, folder):
    with IsolatedGimp(plugin) as gimp:
        for model in ('tagger', 'cutout') if name in MANUAL else ('tagger',):
            (gimp.folder / 'models' / model).symlink_to(ROOT / 'models' / model)
        photo = prepare(gimp, name)
        second = f'"{reference()}/data/photos/img/pets/{PETS[2]}.jpg" ' if name == 'several' else ''
        dies = {'environment': {'FOVEA_CHECKPOINT_SECONDS': '0'}, 'forgiven': 'Plug-in crashed'} if name == 'interrupted' else {}
        run_session(gimp, name, folder, f'{second}"{photo}"', *(('de_DE.UTF-8', 'dark') if name == 'german' else ()), timeout=600, **dies)
        if name not in ('none', 'german', 'warned') and name not in MANUAL:
            assert (gimp.folder / f'home/.local/share/fovea/models/{"Mine" if name in ("killed", "interrupted") else "My model"}.onnx').exists()
        if name == 'settings':
            check_settings(gimp, photo)
        if name in ('strokes', 'photos'):
            assert b'pixels.normalized' in (gimp.folder / 'home/plain.onnx').read_bytes()


if __name__ == '__main__':
    sys.exit(main(SCENES, inside, run_scene, needs=('xdotool',), photos='data/photos/mask/pets'))
