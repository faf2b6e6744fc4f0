#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The windows About and Self-Test and Models… in real GIMP under Xvfb, driven through the accessibility bus: the report; the list with default, renaming, deleting
and undo, card and layers; a file imported with guessed and corrected settings and tried on the open image; a model of the catalogue asked for without a network.
Screenshots stay in the folder given.

    models_window.py BUILD/plugin/fovea SCREENSHOTS [SCENE…]
"""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

import classify_window
from classify_window import shoot, wait
from isolated_gimp import SIDECAR, IsolatedGimp, find_program, reference, skip

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
# Language, theme, what is done. "import": the window is opened by a script, with a file.
SCENES = {'light': ('C.UTF-8', 'light', 'manage'), 'import': ('C.UTF-8', 'light', 'import'), 'dark': ('C.UTF-8', 'dark', 'look'), 'german': ('de_DE.UTF-8', 'light', 'look')}
FILTERS = ('Filters', 'Filter')
ABOUT = ('About and Self-Test', 'Info und Selbsttest')
MODELS = ('Models…', 'Modelle …', 'Modelle…')


def walk(node, depth=0):
    """All that a window has but the cells of its tables: they are many, and each takes a question over the bus."""
    if node is None or depth > 40:
        return
    yield node
    if 'table' not in node.getRoleName():
        for child in node:
            yield from walk(child, depth + 1)


def act(node):
    """A busy machine may answer late; what was to be done is done nevertheless."""
    try:
        classify_window.act(node)
    except Exception as late:
        if 'timeout' not in str(late):
            raise


class Windows:
    def __init__(self):
        import pyatspi

        self.pyatspi, self.dialog = pyatspi, None
        gimp = wait(lambda: self.application('gimp'), 'GIMP', 240)
        wait(lambda: any(re.search(r'\d+x\d+', window.name) for window in gimp), 'the open image', 240)
        self.bar = wait(lambda: next(node for node in walk(gimp) if node.getRoleName() == 'menu bar' and node.childCount > 5), 'the menu bar', 240)

    def application(self, name):
        return next(app for app in self.pyatspi.Registry.getDesktop(0) if app and app.name.startswith(name) and app.childCount)

    def open(self, names):
        node = self.bar
        for choices in (FILTERS, ('Fovea',), names):
            menu = node
            node = wait(lambda: next(child for child in menu if child.name in choices), f'the menu {choices}')
            act(node)
        self.dialog = wait(lambda: self.application('fovea')[0], 'the window')

    def close(self):
        act(next(node for node in walk(self.dialog) if node.getRoleName() in ('button', 'push button') and node.name in ('Close', 'Schließen')))
        wait(lambda: not any(app and app.name.startswith('fovea') for app in self.pyatspi.Registry.getDesktop(0)), 'the end of the plug-in')

    def find(self, name, roles=('button', 'push button')):
        return next(node for node in walk(self.dialog) if node.getRoleName() in roles and node.name == name)

    def press(self, name):
        wait(lambda: self.find(name).getState().contains(self.pyatspi.STATE_SENSITIVE), f'{name} to be possible', 60)
        act(self.find(name))

    def says(self, part):
        """The label that has these words."""
        return next(node.name for node in walk(self.dialog) if node.getRoleName() == 'label' and part in node.name)

    def text(self, name):
        node = next(node for node in walk(self.dialog) if node.name == name and node.getRoleName() == 'text')
        return node.queryText().getText(0, -1)

    def cells(self, name):
        """Texts of a table, row by row, all columns in one list."""
        table = next(node for node in walk(self.dialog) if node.name == name and 'table' in node.getRoleName()).queryTable()
        return [[table.getAccessibleAt(row, column).name for column in range(table.nColumns)] for row in range(table.nRows)]

    def choose(self, name, text):
        def selected():
            table = next(node for node in walk(self.dialog) if node.name == name and 'table' in node.getRoleName()).queryTable()
            row = next(row for row in range(table.nRows) if table.getAccessibleAt(row, 0).name == text)
            return table.isRowSelected(row) or (table.addRowSelection(row) and False)

        wait(selected, f'{text} to be chosen')

    def turn(self, names, number):
        """To a page of the notebook that has a page of that name."""
        for node in walk(self.dialog):
            if node.getRoleName() == 'page tab list' and any(child.name in names for child in node):
                node.querySelection().selectChild(number)
                return
        raise SystemExit(f'no page {names}')

    def field(self, name):
        return next(node for node in walk(self.dialog) if node.name == name and node.getRoleName() in ('text', 'entry', 'combo box'))


def keys(*words):
    subprocess.run(['xdotool', *words], check=True)


def about(windows, folder, scene):
    windows.open(ABOUT)
    if scene == 'german':
        wait(lambda: 'SHA-256' in ' '.join(node.queryText().getText(0, -1) for node in walk(windows.dialog) if node.getRoleName() == 'text'), 'the report', 120)
    else:
        wait(lambda: windows.says('Everything is right'), 'the verdict', 120)
        report = windows.text('Report')
        for part in ('GIMP  ', 'GEGL  ', 'GTK  ', 'GLib  ', 'kernels    reference', 'SHA-256', 'tagger', 'everything is right'):
            assert part in report, (part, report)
        windows.press('Copy Report')
        wait(lambda: windows.says('copied'), 'the copy')
    shoot(folder / f'about-{scene}.png')
    windows.close()
    print(f'ok {scene}: the report is there', flush=True)


def manage(windows, folder, home):
    """The list: default, renaming, deleting, undo."""
    own = home / '.local/share/fovea/models'
    windows.choose('Models', 'mine')
    windows.press('Make Default')
    wait(lambda: 'classify=mine' in (home / '.config/fovea/models.ini').read_text(), 'the default')
    wait(lambda: next(row for row in windows.cells('Models') if row[0] == 'mine')[2] == 'Default', 'the mark')
    windows.press('Delete')
    wait(lambda: not (own / 'mine.onnx').exists() and all(row[0] != 'mine' for row in windows.cells('Models')), 'the end of it')
    assert not (own / 'mine.json').exists()
    windows.press('Undo Delete')
    wait(lambda: (own / 'mine.onnx').exists() and (own / 'mine.json').exists() and any(row[0] == 'mine' for row in windows.cells('Models')), 'it to be back')
    windows.choose('Models', 'mine')
    windows.press('Rename')
    keys('type', '--delay', '30', 'beetles')
    keys('key', 'Return')
    wait(lambda: (own / 'beetles.onnx').exists() and any(row[0] == 'beetles' for row in windows.cells('Models')), 'the new name')
    assert 'classify=beetles' in (home / '.config/fovea/models.ini').read_text()
    windows.press('Delete')
    wait(lambda: not (own / 'beetles.onnx').exists(), 'the end of it, for good')
    print('ok light: default, delete, undo, rename', flush=True)


def study(windows, folder, scene):
    """Card and layers of the tagger."""
    wait(lambda: any(row[0] == 'tagger' for row in windows.cells('Models')), 'the models')
    windows.choose('Models', 'tagger')
    if scene != 'german':
        wait(lambda: 'How good it is' in windows.text('Card'), 'the card')
        row = next(row for row in windows.cells('Models') if row[0] == 'tagger')
        assert row[1] == 'Classify' and row[3] == 'Built-in' and 'map 0.8' in row[6], row
    shoot(folder / f'models-{scene}.png')
    windows.turn(('Layers', 'Ebenen', 'Schichten'), 1)
    if scene != 'german':
        wait(lambda: len(windows.cells('Layers')) > 20, 'the layers')
        wait(lambda: windows.says('Slides small filters'), 'what a convolution is')
        assert windows.says('multiply-adds for a photo')
    shoot(folder / f'layers-{scene}.png')


def import_file(windows, folder, home):
    """yolox_nano, tried, corrected, imported."""
    windows.dialog = wait(lambda: windows.application('fovea')[0], 'the window', 240)
    wait(lambda: windows.field('Input size').queryText().getText(0, -1) == '416x416', 'the settings')
    windows.press('Try on the Open Image')
    wait(lambda: windows.says('Raw output:'), 'the raw numbers', 60)
    before = wait(lambda: windows.says(' %'), 'what it finds')
    shoot(folder / 'import.png')
    threshold = windows.field('Threshold')
    threshold.queryEditableText().setTextContents('0.99')
    wait(lambda: windows.says('It finds nothing here'), 'the effect of a threshold')
    threshold.queryEditableText().setTextContents('nonsense')
    wait(lambda: windows.says('threshold'), 'what may stand there')
    threshold.queryEditableText().setTextContents('0.4')
    wait(lambda: windows.says(' %'), 'objects again')
    windows.field('Name').queryEditableText().setTextContents('everyday things')
    windows.press('Import')
    wait(lambda: windows.says('Imported as “everyday things”.'), 'the import', 60)
    sidecar = json.loads((home / '.local/share/fovea/models/everyday things.json').read_text())
    assert sidecar['task'] == 'detect' and sidecar['fovea']['output']['threshold'] == 0.4, sidecar
    print(f'ok import: tried ({before}), corrected and imported', flush=True)


def fetch(windows, folder, home, scene):
    windows.turn(('Catalogue', 'Katalog'), 2)
    wait(lambda: len(windows.cells('Catalogue')) > 8 if scene != 'german' else True, 'the catalogue')
    if scene == 'import':
        windows.choose('Catalogue', 'yunet')
        wait(lambda: windows.says('8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4'), 'its sum')
        windows.press('Fetch')
        wait(lambda: windows.says("can't be reached"), 'that there is no network', 60)
        left = [path for path in (home / '.cache/fovea/downloads').iterdir()]
        assert left == [], left
        print('ok import: without a network it says so, and nothing is left', flush=True)
    shoot(folder / f'catalogue-{scene}.png')


def inside(scene, folder):
    home, action = pathlib.Path(os.environ['HOME']), SCENES[scene][2]
    windows = Windows()
    if action == 'import':
        import_file(windows, folder, home)
    else:
        about(windows, folder, scene)
        windows.open(MODELS)
        study(windows, folder, scene)
    if action == 'manage':
        manage(windows, folder, home)
    if action == 'look':
        windows.turn(('Catalogue', 'Katalog'), 1)
        shoot(folder / f'import-{scene}.png')
    fetch(windows, folder, home, scene)
    windows.close()
    left = [path.name for path in (home / '.local/share/fovea/models').iterdir() if path.name.startswith('.')]
    assert left == [], left
    print(f'ok {scene}: closed, and nothing hidden is left', flush=True)


def prepare(gimp, environment, language):
    os.chmod(gimp.folder / 'home', 0o700)
    own = gimp.folder / 'home/.local/share/fovea/models'
    own.mkdir(parents=True)
    shutil.copy(reference() / 'models/squeezenet11_fp32.onnx', own / 'mine.onnx')
    (own / 'mine.json').write_text(SIDECAR)
    for name in ('tagger', 'cutout'):
        (gimp.folder / 'models' / name).symlink_to(ROOT / 'models' / name)
    if '_' in language:
        (gimp.folder / 'locales').mkdir()
        subprocess.run(['localedef', '-i', language.split('.')[0], '-f', 'UTF-8', gimp.folder / 'locales' / language], check=True)
        environment['LOCPATH'] = str(gimp.folder / 'locales')
        environment['LANGUAGE'] = language.split('_')[0]


def run_scene(scene, plugin, folder):
    language, theme, _ = SCENES[scene]
    with IsolatedGimp(plugin) as gimp:
        environment = gimp.environment | {'LC_ALL': language, 'LANG': language, 'GTK_A11Y': 'atspi', 'NO_AT_BRIDGE': '0', 'GDK_BACKEND': 'x11',
                                          'XDG_RUNTIME_DIR': str(gimp.folder / 'home'), 'LIBGL_ALWAYS_SOFTWARE': '1'}
        prepare(gimp, environment, language)
        for name in ('XDG_CACHE_HOME', 'http_proxy', 'https_proxy', 'HTTP_PROXY', 'HTTPS_PROXY', 'all_proxy', 'ALL_PROXY'):
            environment.pop(name, None)
        environment['https_proxy'] = environment['http_proxy'] = 'http://127.0.0.1:9'  # no test leaves this machine
        with open(gimp.folder / 'profile' / 'gimprc', 'a', encoding='utf-8') as file:
            file.write(f'(theme-color-scheme {theme})\n(image-title-format "%D*%f-%p.%i (%t, %L) %wx%h")\n')
        reader, writer = os.pipe()
        display = subprocess.Popen(['Xvfb', '-displayfd', str(writer), '-screen', '0', '1280x900x24', '-nolisten', 'tcp'], pass_fds=[writer],
                                   stderr=subprocess.DEVNULL)
        os.close(writer)
        try:
            environment['DISPLAY'] = ':' + os.read(reader, 16).decode().strip()
            log = gimp.folder / 'gimp.log'
            photo = reference() / 'data/large/coco-000000257896.jpg'
            batch = ''
            if scene == 'import':
                (gimp.folder / 'import.scm').write_text(f'(script-fu-use-v3) (plug-in-fovea-models #:run-mode RUN-INTERACTIVE #:file "{reference()}/models/yolox_nano.onnx")')
                batch = f'--batch-interpreter=plug-in-script-fu-eval -b \'(load "{gimp.folder}/import.scm")\''
            script = f'''openbox --sm-disable >/dev/null 2>&1 &
/usr/libexec/at-spi-bus-launcher --launch-immediately >/dev/null 2>&1 &
{find_program('gimp')} -n --no-splash -c "{photo}" {batch} >"{log}" 2>&1 & gimp=$!
"{sys.executable}" "{__file__}" --inside {scene} "{folder}"; status=$?
import -window root "{folder}/models-{scene}-end.png"; kill $gimp 2>/dev/null; exit $status'''
            done = subprocess.run(['dbus-run-session', '--', 'sh', '-c', script], env=environment, timeout=600)
            text = log.read_text(errors='replace')
            trouble = [line for line in text.splitlines() if re.search(r'\(fovea:.*(CRITICAL|WARNING)|Plug-in crashed', line)]
            assert done.returncode == 0, f'{scene} failed:\n{text[-3000:]}'
            assert not trouble, '\n'.join(trouble)
        finally:
            display.kill()
            display.wait()
            os.close(reader)


def main():
    if sys.argv[1] == '--inside':
        inside(sys.argv[2], pathlib.Path(sys.argv[3]))
        return 0
    for program in ('Xvfb', 'dbus-run-session', 'openbox', 'import', 'xdotool'):
        if not shutil.which(program):
            skip(f'there is no {program}')
    folder = pathlib.Path(sys.argv[2]).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    for scene in sys.argv[3:] or SCENES:
        run_scene(scene, sys.argv[1], folder)
    return 0


if __name__ == '__main__':
    sys.exit(main())
