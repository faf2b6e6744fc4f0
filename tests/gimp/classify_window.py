#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Classify window in real GIMP under Xvfb, driven through the accessibility bus and the keyboard: it opens with an answer, answers anew when settings
change, can be cancelled at any time, applies in one undo step, repeats, keeps its settings, and opens the manual. Screenshots stay in the folder given.

    classify_window.py BUILD/plugin/fovea SCREENSHOTS
"""

import os
import pathlib
import random
import re
import subprocess
import sys
import time

from desktop import browser_was_shown, catch_browser, check_window, count_titles, key, type_text
from gimp_window import GimpWindow, act, main, make_photo, plug_ins, run_session, shoot, wait, walk
from isolated_gimp import IsolatedGimp

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

import tiny_model  # noqa: E402

# Name of the screenshot: photo, language, theme, what is done.
SCENES = {
    'photo': ('large/oakland-zoo-otters.jpg', 'C.UTF-8', 'light', 'change'),
    'gray': ('GRAY', 'C.UTF-8', 'light', 'file'),
    'scripted': ('TINY', 'C.UTF-8', 'light', 'script'),
    'tiny': ('TINY', 'C.UTF-8', 'light', 'cancel'),
    'german': ('large/perched-osprey.jpg', 'de_DE.UTF-8', 'light', 'cancel'),
    'dark': ('large/coco-000000257896.jpg', 'C.UTF-8', 'dark', 'close'),
    'contrast': ('large/coco-000000257896.jpg', 'C.UTF-8', 'contrast', 'cancel'),
}
MENU = {'C.UTF-8': ('Filters', 'Fovea', 'Classify…'), 'de_DE.UTF-8': ('Filter', 'Fovea', 'Klassifizieren …')}
BUTTONS = {'C.UTF-8': ('Apply', 'Cancel'), 'de_DE.UTF-8': ('Anwenden', 'Abbrechen')}
NAMES = {'C.UTF-8': 'Names', 'de_DE.UTF-8': 'Namen'}
OPEN = """(script-fu-use-v3)
(define (open)
  (let ((image (vector-ref (gimp-get-images) 0)))
    (plug-in-fovea-classify #:run-mode RUN-INTERACTIVE #:image image #:drawables (gimp-image-get-layers image) #:model "strange")))
(open) (open) (open)
"""
TITLE = r'(\d+) (?:layer|Ebene)'


# ---- inside the session ---------------------------------------------------------------------------------------------

class Window(GimpWindow):
    def __init__(self, language):
        super().__init__()
        self.language = language

    def look(self):
        """Opens the dialog and waits for its answer."""
        started = time.monotonic()
        self.opened = self.open(MENU[self.language])
        self.answer()
        self.answered = time.monotonic() - started

    def image(self):
        """(whether the image has changed, how many layers it has), as the title says."""
        title = next(window.name for window in self.application('gimp') if re.search(TITLE, window.name))
        return title.startswith('*'), int(re.search(TITLE, title).group(1))

    def find(self, role, name=None):
        return next(node for node in walk(self.dialog) if node.getRoleName() == role and (name is None or node.name == name))

    def answer(self):
        """The names that the window shows, in words."""
        return wait(lambda: re.search(r'%', (words := self.names().description)) and words, 'an answer')

    def names(self):
        return next(node for node in walk(self.dialog) if node.name == NAMES[self.language] and node.description)

    def changed(self, before):
        return wait(lambda: (words := self.names().description) != before and '%' in words and words, 'another answer')

    def choose(self, combo, entry):
        """An entry of a combo box, by its name. Its list may just be made anew."""
        def find():
            box = self.find('combo box', combo)
            return box, [node.name for node in walk(box) if node.getRoleName() == 'menu item'].index(entry)

        box, place = wait(find, f'{entry} in {combo}')
        box.querySelection().selectChild(place)

    def says(self, words):
        wait(lambda: words in self.names().description, words)

    def spin(self, maximum):
        return next(node for node in walk(self.dialog) if node.getRoleName() == 'spin button' and node.queryValue().maximumValue == maximum)

    def close(self, which):
        self.press(BUTTONS[self.language][which])
        self.ended()


def use_keyboard(window):
    """Alt and the letter under the name goes to a setting, Tab to the next one; what is typed counts."""
    before = window.answer()
    wait(lambda: window.dialog.getState().contains(window.pyatspi.STATE_ACTIVE), 'the window to have the keyboard')
    key('alt+n')
    wait(lambda: window.spin(1000).getState().contains(window.pyatspi.STATE_FOCUSED), 'the number of names to be focused')
    key('ctrl+a', '2', 'Tab')
    fewer = window.changed(before)
    assert fewer.count('%') == 2, fewer
    wait(lambda: window.spin(1).getState().contains(window.pyatspi.STATE_FOCUSED), 'the threshold to be focused')


def answer_question(window, button):
    """What is asked about a model's licence."""
    question = wait(lambda: next(other for other in window.application('fovea') if any('licence' in node.name for node in walk(other))), 'the question')
    act(next(node for node in walk(question) if node.name == button))


def change_settings(window):
    """Threshold, region and model, each answered anew."""
    before = window.answer()
    window.spin(1).queryValue().currentValue = 0.3
    sure = window.changed(before)
    assert sure.count('%') == 1, sure
    window.spin(1).queryValue().currentValue = 0.01
    assert window.changed(sure) == before
    window.choose('Look at', 'The selection')
    window.says('Nothing is selected')
    assert not window.button('Apply').getState().contains(window.pyatspi.STATE_SENSITIVE), 'there is nothing to apply'
    window.choose('Look at', 'The whole image')
    assert window.changed('') == before
    window.choose('Model', 'unhurried')  # which somebody put into the folder
    answer_question(window, 'Cancel')
    wait(lambda: len(window.application('fovea')) == 1, 'the end of the question')
    assert window.answer() == before
    window.choose('Model', 'unhurried')
    answer_question(window, 'Use It')
    slow = wait(lambda: 'class ' in (words := window.names().description) and words, 'the other model to answer')
    window.choose('Look at', 'The layer')
    window.choose('Model', 'Automatic')  # while the other looks
    assert window.changed(slow) == before


def choose_file(window):
    """A file that nobody imported: its licence is said, and only then it is used."""
    before, active = window.answer(), window.pyatspi.STATE_ACTIVE
    for button in ('Cancel', 'Use It'):
        window.choose('Model', 'Choose file…')
        chooser = wait(lambda: next(other for other in window.application('fovea') if other.name == 'Choose a Model'), 'the chooser')
        wait(lambda: chooser.getState().contains(active), 'the chooser to have the keyboard')
        key('ctrl+l')
        wait(lambda: next(node for node in walk(chooser) if node.getRoleName() == 'text' and node.getState().contains(window.pyatspi.STATE_FOCUSED)), 'a place for the path')
        key('ctrl+a')
        type_text(str(pathlib.Path(os.environ['HOME']) / 'strange.onnx'))
        window.press('Choose')
        answer_question(window, button)
        if button == 'Cancel':
            wait(lambda: len(window.application('fovea')) == 1, 'the end of the question')
            assert window.answer() == before
    assert 'red' in window.changed(before)
    print('ok a file is asked about, then used')


def scripted(window, folder):
    """A script opens the window with a model that somebody put into the folder: nothing looks before the licence was heard. Who accepts it isn't asked again, unless
    the file is another one."""
    answers = pathlib.Path(os.environ['HOME']) / '.config/fovea/licences.ini'
    for call in ('refuses', 'accepts', 'has accepted', 'has used it', 'has another file', 'has it as the default'):
        if call == 'has used it':
            window.menu(MENU[window.language])
        elif call == 'has another file':
            os.utime(pathlib.Path(os.environ['FOVEA_MODELS_PATH']) / 'strange.onnx', (1, 1))
            window.menu(MENU[window.language])
        elif call == 'has it as the default':
            answers.with_name('models.ini').write_text('[defaults]\nclassify=strange\n')
            window.menu(MENU[window.language])
        if call in ('refuses', 'accepts', 'has another file', 'has it as the default'):
            wait(lambda: window.button('Use It'), f'the question for who {call}')
            assert not any(node.name == 'Names' and window.is_showing(node) for other in window.application('fovea') for node in walk(other)), 'something looks already'
            wait(lambda: count_titles('Classify') == 1, 'the title of the question')
            shoot(folder / 'scripted-question.png')
            answer_question(window, 'Use It' if call == 'accepts' else 'Cancel')
        window.dialog = wait(lambda: next(other for other in window.application('fovea') if any(node.name == 'Names' for node in walk(other))), 'the window')
        words = window.answer()
        assert ('hue' in words) == (call in ('accepts', 'has accepted', 'has used it')), (call, words)
        assert answers.exists() == (call != 'refuses'), call
        process = next(plug_ins())  # the script's next call follows at once
        window.press('Apply' if call == 'has accepted' else 'Cancel')
        wait(lambda: not process.exists(), 'the end of the plug-in')
        print(f'ok who {call}: {words}', flush=True)


def cancel_attention(window):
    """Where a network looked takes a minute with this one: Cancel doesn't wait for it, and nothing is left."""
    started = time.monotonic()
    window.choose('Model', 'unhurried')  # it is asked about but once
    window.says('class ')
    whole = 64 * (time.monotonic() - started)
    act(window.find('check box', 'Attention layer'))
    window.press('Apply')
    bar = wait(lambda: window.find('progress bar', 'Finding where the network looked'), 'the progress')
    wait(lambda: window.is_showing(bar), 'the progress to be shown')
    started = time.monotonic()
    window.close(1)
    took = time.monotonic() - started
    assert took < whole / 16, (took, whole)  # tests/session.c has the engine's own time, whatever else the machine does
    assert window.image() == (False, 1), window.image()
    print(f'ok cancelled while it worked, in {took:.2f} of {whole:.0f} s, and nothing is left')


def apply_and_repeat(window, folder):
    """One undo step, once through the window and once by Repeat; then the window has the last values."""
    window.look()
    assert window.spin(1000).queryValue().currentValue == 5, 'what was cancelled was kept'
    window.spin(1000).queryValue().currentValue = 2
    for name in ('Attention layer', 'Write tags'):
        act(window.find('check box', name))
    window.close(0)
    wait(lambda: window.image() == (True, 2), 'the attention layer')
    shoot(folder / 'photo-applied.png')
    window.menu(('Edit', 'Undo'))
    wait(lambda: window.image() == (False, 1), 'all of it undone in one step')
    window.menu(('Filters', 'Repeat'))
    wait(lambda: window.image() == (True, 2), 'the same again, without the window')
    window.ended()
    window.menu(('Edit', 'Undo'))
    wait(lambda: window.image() == (False, 1), 'that undone in one step')
    print('ok applied and undone, repeated and undone, each in one step')


def keep_settings(window, folder):
    window.look()
    assert window.spin(1000).queryValue().currentValue == 2, 'the last values are forgotten'
    window.spin(1000).queryValue().currentValue = 7
    window.press('Save Settings')
    window.press('Reset')
    act(wait(lambda: next(node for node in walk(window.dialog) if 'Factory' in node.name and node.queryAction()), 'the reset to factory settings'))
    wait(lambda: window.spin(1000).queryValue().currentValue == 5, 'the factory settings')
    window.press('Load Saved Settings')
    wait(lambda: window.spin(1000).queryValue().currentValue == 7, 'the saved settings')
    window.press('Help')
    wait(lambda: browser_was_shown(), 'the manual')
    assert browser_was_shown().endswith('/docs/classify.html') or browser_was_shown().endswith('/help/en/classify.html'), browser_was_shown()
    key('Escape')
    window.ended()
    print(f'ok last values, reset, saved settings; Help shows {browser_was_shown()}; Escape closes')


def lose_image(window, folder):
    """It is closed in GIMP's own window before Apply: that is said, not only that some procedure failed."""
    act(window.find('check box', 'Write tags'))
    window.close_image()
    window.close(0)
    said = wait(lambda: window.message('The image has been closed'), 'the message')
    shoot(folder / 'closed-applied.png')
    print(f'ok closed: {said}')


def inside(scene, folder):
    _, language, _, action = SCENES[scene]
    window = Window(language)
    if action == 'script':
        scripted(window, folder)
        return
    window.look()
    before = window.answer()
    shoot(folder / f'{scene}.png')
    print(f'ok {scene}: opened in {window.opened:.2f} s, answered in {window.answered:.2f} s: {before}')
    check_window(window.dialog)
    if action == 'change':
        use_keyboard(window)
        change_settings(window)
        shoot(folder / f'{scene}-changed.png')
        cancel_attention(window)
        apply_and_repeat(window, folder)
        keep_settings(window, folder)
    elif action == 'close':
        lose_image(window, folder)
    else:
        if action == 'file':
            choose_file(window)
        window.close(1)
        assert window.image() == (False, 1), 'cancelling left something'


# ---- outside --------------------------------------------------------------------------------------------------------

def write_slow_model(path):
    """A classifier of 40 convolutions of a photo's full size, which ends in no mean: where it looked is found by covering parts, in 64 runs."""
    numbers, channels, last = random.Random(1), 48, 'x'
    constants = [tiny_model.tensor('first', [channels, 3, 3, 3], [numbers.gauss(0, 0.1) for _ in range(channels * 27)]),
                 tiny_model.tensor('w', [channels, channels, 3, 3], [numbers.gauss(0, 0.048) for _ in range(channels * channels * 9)])]
    nodes = []
    for i in range(40):
        pads = tiny_model.field(5, tiny_model.field(1, 'pads') + b''.join(tiny_model.field(8, 1) for _ in range(4)) + tiny_model.field(20, 7))
        nodes.append(tiny_model.node('Conv', [last, 'w' if i else 'first'], [f'y{i}']) + pads)
        last = f'y{i}'
    drop = tiny_model.field(5, tiny_model.field(1, 'keepdims') + tiny_model.field(3, 0) + tiny_model.field(20, 2))
    axes = tiny_model.field(5, tiny_model.field(1, 'axes') + b''.join(tiny_model.field(8, axis) for axis in (2, 3)) + tiny_model.field(20, 7))
    nodes += [tiny_model.node('ReduceMax', [last], ['greatest']) + drop + axes, tiny_model.node('Softmax', ['greatest'], ['scores'])]
    path.write_bytes(tiny_model.model(nodes, [tiny_model.port('x', [1, 3, 224, 224])], [tiny_model.port('scores', [1, channels])], constants,
                                      {'task': 'classify', 'fovea': '{"input": {"resize": "stretch", "range": 1}}'}))


def run_scene(scene, plugin, folder):
    photo, language, theme, action = SCENES[scene]
    with IsolatedGimp(plugin) as gimp:
        environment = catch_browser(gimp.folder)
        if theme == 'contrast':
            environment['GTK_THEME'] = 'HighContrast'
            with open(gimp.folder / 'profile' / 'gimprc', 'a', encoding='utf-8') as file:
                file.write('(theme "System")\n')
        if action == 'file':
            environment['GIMP_PLUGIN_DEBUG'] = None  # GTK's own chooser complains of keys, and mustn't die of that
            (gimp.folder / 'home/strange.onnx').write_bytes(tiny_model.corner_colour())
        arguments = f'"{make_photo(photo, gimp.folder)}"'
        if action == 'script':
            (gimp.folder / 'models/strange.onnx').write_bytes(tiny_model.corner_colour(names="['hue 1', 'hue 2', 'hue 3']"))
            (gimp.folder / 'open.scm').write_text(OPEN)
            arguments += f' --batch-interpreter=plug-in-script-fu-eval -b \'(load "{gimp.folder}/open.scm")\''
        write_slow_model(gimp.folder / 'models' / 'unhurried.onnx')
        run_session(gimp, scene, folder, arguments, language, 'dark' if theme == 'dark' else 'light', environment,
                    forgiven='WIDGET_REALIZED_FOR_EVENT' if action == 'file' else None)


if __name__ == '__main__':
    sys.exit(main(SCENES, inside, run_scene, needs=('xdotool',)))
