#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The windows About and Self-Test and Models… in real GIMP under Xvfb, driven through the accessibility bus: the report; the list with default, renaming, deleting
and undo, card and layers; a file imported with guessed and corrected settings and tried on the open image, another dropped; a model of the catalogue asked for without a network.
Screenshots stay in the folder given.

    models_window.py BUILD/plugin/fovea SCREENSHOTS [SCENE…]
"""

import gettext
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time
import zipfile

from desktop import browser_was_shown, catch_browser, check_window, key, type_text
from gimp_window import GimpWindow, act, main, run_session, shoot, shoot_still, wait, walk
from isolated_gimp import SIDECAR, IsolatedGimp, reference

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

import tiny_model  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
# Language, theme, what is done. "import": the window is opened by a script, with a file.
SCENES = {'light': ('C.UTF-8', 'light', 'manage'), 'import': ('C.UTF-8', 'light', 'import'), 'dark': ('C.UTF-8', 'dark', 'look'), 'german': ('de_DE.UTF-8', 'light', 'look')}
FILTERS = ('Filters', 'Filter')
ABOUT = ('About and Self-Test', 'Info und Selbsttest')
MODELS = ('Models…', 'Modelle …', 'Modelle…')


# A window whose file can be dragged, as a file manager's.
DRAG = '''import sys
import gi
gi.require_version("Gtk", "3.0")
from gi.repository import Gdk, Gtk
window, box = Gtk.Window(title="Drag"), Gtk.EventBox()
box.set_size_request(80, 80)
box.drag_source_set(Gdk.ModifierType.BUTTON1_MASK, [], Gdk.DragAction.COPY)
box.drag_source_add_uri_targets()
box.connect("drag-data-get", lambda widget, context, data, info, moment: data.set_uris(sys.argv[1:]))
box.connect("drag-end", Gtk.main_quit)
window.add(box)
window.set_keep_above(True)
window.show_all()
Gtk.main()'''


# What was copied.
PASTE = '''import gi
gi.require_version("Gdk", "3.0")
gi.require_version("Gtk", "3.0")
from gi.repository import Gdk, Gtk
Gtk.init()
print(Gtk.Clipboard.get(Gdk.SELECTION_CLIPBOARD).wait_for_text())'''


class Windows(GimpWindow):
    """One after the other."""

    def open_filter(self, names):
        self.open((FILTERS, 'Fovea', names))

    def close(self):
        self.press('Close|Schließen')
        self.ended()

    def find(self, name, roles=('button', 'push button')):
        return next(node for node in walk(self.dialog) if node.getRoleName() in roles and node.name == name)

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

    def drop(self, path):
        """Drags the file from another window onto the middle of this one."""
        source = subprocess.Popen([sys.executable, '-c', DRAG, path.as_uri()])
        place = self.dialog.queryComponent().getExtents(0)
        x, y = place.x + place.width // 2, place.y + place.height // 2
        subprocess.run(['xdotool', 'search', '--sync', '--name', '^Drag$', 'mousemove', '--window', '%1', '40', '40', 'mousedown', '1'], check=True)
        for step in range(-8, 1):
            subprocess.run(['xdotool', 'mousemove', str(x + 5 * step), str(y + 5 * step)], check=True)
            time.sleep(0.1)
        subprocess.run(['xdotool', 'mouseup', '1'], check=True)
        assert source.wait(30) == 0

    def sort(self, column):
        """The layers, by a click on a column's title."""
        act(next(node for node in walk(self.dialog) if node.name == 'Layers' and 'table' in node.getRoleName()).queryTable().getColumnHeader(column))

    def turn(self, names, number):
        """To a page of the notebook that has a page of that name."""
        for node in walk(self.dialog):
            if node.getRoleName() == 'page tab list' and any(child.name in names for child in node):
                node.querySelection().selectChild(number)
                return
        raise SystemExit(f'no page {names}')

    def field(self, name):
        return next(node for node in walk(self.dialog) if node.name == name and node.getRoleName() in ('text', 'entry', 'combo box'))


def about(windows, folder, scene):
    windows.open_filter(ABOUT)
    if scene == 'german':
        wait(lambda: 'SHA-256' in ' '.join(node.queryText().getText(0, -1) for node in walk(windows.dialog) if node.getRoleName() == 'text'), 'the report', 120)
    else:
        wait(lambda: windows.words('Everything is right'), 'the verdict', 120)
        report = windows.text('Report')
        for part in ('GIMP  ', 'GEGL  ', 'GTK  ', 'GLib  ', 'kernels    reference', 'SHA-256', 'tagger', 'everything is right'):
            assert part in report, (part, report)
        windows.press('Copy Report')
        wait(lambda: windows.words('copied'), 'the copy')
        copied = subprocess.run([sys.executable, '-c', PASTE], capture_output=True, text=True, check=True).stdout
        assert copied.strip() == report.strip(), copied
    shoot(folder / f'about-{scene}.png')
    check_window(windows.dialog)
    windows.close()
    print(f'ok {scene}: the report is there', flush=True)


def make_default(windows, folder, home):
    """Who makes a model the default that somebody put into the folder is asked about its licence, once; who doesn't use it keeps the default that there was."""
    defaults, answers = home / '.config/fovea/models.ini', home / '.config/fovea/licences.ini'

    def press():  # by the keyboard: a button that is pressed over the bus answers when the question has gone
        wait(lambda: windows.dialog.getState().contains(windows.pyatspi.STATE_ACTIVE), 'the window to have the keyboard')
        key('alt+d')

    def is_default(name):
        wait(lambda: f'classify={name}\n' in defaults.read_text(), f'{name} to be the default')
        wait(lambda: {row[0]: row[2] for row in windows.cells('Models') if row[2]} == {name: 'Default', 'cutout': 'Automatic'}, 'the mark')

    windows.choose('Models', 'learned')
    press()
    is_default('learned')
    windows.choose('Models', 'mine')
    for answer in ('Cancel', 'Use It'):
        press()
        wait(lambda: windows.button('Use It'), 'the question')
        assert any(re.search('says nothing of its licence', node.name) for other in windows.application('fovea') for node in walk(other) if node.getRoleName() == 'label')
        shoot(folder / 'models-question.png')
        assert not answers.exists() and 'classify=learned\n' in defaults.read_text(), 'the question comes first'
        windows.press(answer)
        wait(lambda: len(windows.application('fovea')) == 1, 'the end of the question')
        is_default('learned' if answer == 'Cancel' else 'mine')
        assert answers.exists() == (answer == 'Use It')
    assert str(home / '.local/share/fovea/models/mine.onnx') in answers.read_text(), answers.read_text()
    press()  # once more: none is
    wait(lambda: windows.words('chooses a model by itself again'), 'the end of the default')
    press()  # it was accepted
    is_default('mine')
    print('ok light: a default is asked about, once', flush=True)


def manage(windows, folder, home):
    """The list: where each comes from and lies, default, renaming, deleting, undo."""
    own = home / '.local/share/fovea/models'
    rows = {row[0]: row for row in windows.cells('Models')}
    assert {name: (rows[name][3], rows[name][5]) for name in rows} == {
        'mine': ('Other', 'unknown'), 'learned': ('Trained', 'yours'), 'brought': ('Imported', 'CC-BY-4.0'), 'packed': ('Broken', 'unknown'), 'cut': ('Broken', 'unknown'), 'odd': ('Broken', 'unknown'), 'tagger': ('Built-in', "as Fovea's"),
        'cutout': ('Built-in', "as Fovea's"), 'squeezenet11_fp32': ('Other', 'unknown')}, rows
    assert rows['learned'][6:8] == ['accuracy 0.9000', '2026-01-02'] and rows['brought'][7] == '2026-03-04', rows
    assert [name for name in rows if rows[name][2] == 'Automatic'] == ['cutout', 'tagger'], rows
    windows.choose('Models', 'packed')
    wait(lambda: 'ZIP archive' in windows.text('Card'), 'why it is broken')
    windows.choose('Models', 'mine')
    wait(lambda: 'says nothing of its licence' in windows.text('Card') and windows.words(re.escape(str(own / 'mine.onnx'))), 'its licence and its place')
    windows.press('Show in Folder')
    wait(browser_was_shown, 'the folder')
    assert browser_was_shown() in (str(own), own.as_uri()), browser_was_shown()
    make_default(windows, folder, home)
    windows.press('Delete')
    wait(lambda: not (own / 'mine.onnx').exists() and all(row[0] != 'mine' for row in windows.cells('Models')), 'the end of it')
    assert not (own / 'mine.json').exists()
    windows.press('Undo Delete')
    wait(lambda: (own / 'mine.onnx').exists() and (own / 'mine.json').exists() and any(row[0] == 'mine' for row in windows.cells('Models')), 'it to be back')
    windows.choose('Models', 'mine')
    windows.press('Rename')
    type_text('beetles')
    key('Return')
    wait(lambda: (own / 'beetles.onnx').exists() and any(row[0] == 'beetles' for row in windows.cells('Models')), 'the new name')
    assert 'classify=beetles' in (home / '.config/fovea/models.ini').read_text()
    windows.press('Delete')
    wait(lambda: not (own / 'beetles.onnx').exists(), 'the end of it, for good')
    print('ok light: origins, the place, default, delete, undo, rename', flush=True)


def choose_file(windows, letter, path):
    """A file by its path, in GTK's own window. By the keyboard: a button that is pressed over the bus answers when that window has gone."""
    wait(lambda: windows.dialog.getState().contains(windows.pyatspi.STATE_ACTIVE), 'the window to have the keyboard')
    key(f'alt+{letter}')
    chooser = wait(lambda: next(other for other in windows.application('fovea') if other.name.startswith('Choose a ')), 'the chooser')
    wait(lambda: chooser.getState().contains(windows.pyatspi.STATE_ACTIVE), 'the chooser to have the keyboard')
    key('ctrl+l')
    wait(lambda: next(node for node in walk(chooser) if node.getRoleName() == 'text' and node.getState().contains(windows.pyatspi.STATE_FOCUSED)), 'a place for the path')
    key('ctrl+a')
    type_text(str(path))
    windows.press('Choose')
    wait(lambda: len(windows.application('fovea')) == 1, 'the end of the chooser')


def choose_files(windows, home):
    """A model and its labels, each with its own button; and a file that is none."""
    windows.turn(('Import',), 1)
    choose_file(windows, 'e', home / 'packed.onnx')
    wait(lambda: windows.words('packed.onnx”: it is a ZIP archive'), 'what it is')
    choose_file(windows, 'e', home / 'colours.onnx')
    wait(lambda: windows.field('Input size').queryText().getText(0, -1) == '8x8', 'the settings')
    assert windows.words('It forbids commercial use'), 'its licence'
    choose_file(windows, 'l', home / 'colours.txt')
    wait(lambda: windows.text('Labels') == 'rouge\nvert\nbleu\n', 'the labels')
    windows.press('Import')
    wait(lambda: windows.words('Imported as “colours”.'), 'the import', 60)
    assert json.loads((home / '.local/share/fovea/models/colours.json').read_text())['names'] == ['rouge', 'vert', 'bleu']
    print('ok light: a model and its labels chosen', flush=True)


def break_models(folder):
    """A weight with too few numbers, operators of a version that nobody knows, settings with a mistake."""
    weight = tiny_model.tensor('w', [3, 3, 1, 3], [0.0] * 5)
    (folder / 'short.onnx').write_bytes(tiny_model.model([tiny_model.node('Conv', ['x', 'w'], ['y'])], [tiny_model.port('x', [1, 3, 8, 8])],
                                                         [tiny_model.port('y', [1, 3, 8, 6])], [weight]))
    usual, newer = (tiny_model.field(8, tiny_model.field(1, '') + tiny_model.field(2, version)) for version in (17, 99))
    (folder / 'newer.onnx').write_bytes(tiny_model.corner_colour().replace(usual, newer))
    (folder / 'colon.onnx').write_bytes(tiny_model.corner_colour())
    (folder / 'colon.json').write_text('{\n"task" "classify"}')


def study(windows, folder, scene):
    """Card and layers of the tagger."""
    table = 'Modelle' if scene == 'german' else 'Models'
    wait(lambda: any(row[0] == 'tagger' for row in windows.cells(table)), 'the models')
    windows.choose(table, 'tagger')
    if scene != 'german':
        wait(lambda: 'How good it is' in windows.text('Card'), 'the card')
        row = next(row for row in windows.cells('Models') if row[0] == 'tagger')
        assert row[1] == 'Classify' and row[3] == 'Built-in' and 'map 0.8' in row[6], row
    shoot(folder / f'models-{scene}.png')
    check_window(windows.dialog)
    if scene == 'german':  # the engine's words
        for name, words in (('packed', '„packed.onnx“: Das ist ein ZIP-Archiv, kein ONNX-Modell.'), ('odd', 'Es braucht Operatoren, die Fovea nicht hat: Frobnicate.'),
                            ('cut', r'„cut.onnx“: Es ist bei Byte \d+ beschädigt \(das Modell\): Es endet zu früh'),
                            ('short', r'Tensor „w“: Seine Form .* braucht 108 Byte, es sind aber 20\.'), ('newer', r'in Version \(opset\) 99, gelesen werden aber'),
                            ('colon', 'Zeile 2: ein Doppelpunkt wurde erwartet')):
            windows.choose(table, name)
            wait(lambda: re.search(words, windows.text('Karte')), words)
        windows.choose(table, 'tagger')
    windows.turn(('Layers', 'Ebenen', 'Schichten'), 1)
    wait(lambda: len(windows.cells('Schichten' if scene == 'german' else 'Layers')) > 20, 'the layers')
    if scene != 'german':
        wait(lambda: windows.words('Slides small filters'), 'what a convolution is')
        assert windows.words('multiply-adds for a photo')
        windows.sort(8)
        column = wait(lambda: (now := [int(row[8].replace(',', '') or 0) for row in windows.cells('Layers')]) == sorted(now) and now, 'the order by parameters')
        assert column[0] == 0 and column[-1] > 1000, column
        windows.sort(0)
    shoot(folder / f'layers-{scene}.png')


def check_explanations(windows, scene):
    """Every setting that can be changed says what it means, in the user's language, to those who point at it and to those who don't see it."""
    text = (ROOT / 'engine/vision/settings-text.c').read_text(encoding='utf-8')
    expected = [''.join(re.findall(r'"([^"]*)"', words)) for words in re.findall(r'N_\(((?:"[^"]*"\s*)+)\)', text)]
    if scene == 'german':
        german = gettext.translation('fovea', pathlib.Path(os.environ['GIMP_TESTING_PLUGINDIRS']) / 'fovea/locale', ['de'])
        translated = [german.gettext(words) for words in expected]
        assert not set(expected) & set(translated), set(expected) & set(translated)
        expected = translated
    fields = [node for node in walk(windows.dialog) if node.getRoleName() == 'combo box' or node.getState().contains(windows.pyatspi.STATE_EDITABLE)]
    said = [node.description for node in fields]
    assert len(expected) > 15 and set(expected) <= set(said), [words for words in expected if words not in said]
    assert all(said), [node.name for node in fields if not node.description]
    print(f'ok {scene}: {len(said)} settings say what they mean', flush=True)


def import_file(windows, folder, home):
    """yolox_nano, tried, corrected, imported."""
    windows.dialog = wait(lambda: windows.application('fovea')[0], 'the window', 240)
    wait(lambda: windows.field('Input size').queryText().getText(0, -1) == '416x416', 'the settings')
    windows.press('Try on the Open Image')
    wait(lambda: windows.words('Raw output:'), 'the raw numbers', 60)
    before = wait(lambda: windows.words(' %'), 'what it finds')
    shoot(folder / 'import.png')
    check_window(windows.dialog)
    check_explanations(windows, 'import')
    threshold = windows.field('Threshold')
    threshold.queryEditableText().setTextContents('0.99')
    wait(lambda: windows.words('It finds nothing here'), 'the effect of a threshold')
    threshold.queryEditableText().setTextContents('nonsense')
    wait(lambda: windows.words('threshold'), 'what may stand there')
    threshold.queryEditableText().setTextContents('0.4')
    wait(lambda: windows.words(' %'), 'objects again')
    windows.field('Name').queryEditableText().setTextContents('everyday things')
    windows.press('Import')
    wait(lambda: windows.words('Imported as “everyday things”.'), 'the import', 60)
    sidecar = json.loads((home / '.local/share/fovea/models/everyday things.json').read_text())
    assert sidecar['task'] == 'detect' and sidecar['fovea']['output']['threshold'] == 0.4, sidecar
    print(f'ok import: tried ({before}), corrected and imported', flush=True)


def fetch(windows, folder, home, scene):
    windows.turn(('Catalogue', 'Katalog'), 2)
    wait(lambda: len(windows.cells('Katalog' if scene == 'german' else 'Catalogue')) > 8 and windows.button('Fetch|Holen'), 'the catalogue')
    if scene == 'import':
        windows.choose('Catalogue', 'yunet')
        wait(lambda: windows.words('8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4'), 'its sum')
        windows.press('Fetch')
        wait(lambda: windows.words("can't be reached"), 'that there is no network', 60)
        downloads, models = home / '.cache/fovea/downloads', home / '.local/share/fovea/models'
        before = sorted(models.iterdir())
        assert list(downloads.iterdir()) == [], list(downloads.iterdir())  # neither an old one, see prepare
        (downloads / 'yunet.onnx.part').write_bytes(b'x' * yunet_bytes())
        windows.press('Fetch')
        wait(lambda: windows.words('It was thrown away'), 'that it is a wrong file', 60)
        assert list(downloads.iterdir()) == [] and sorted(models.iterdir()) == before, list(downloads.iterdir())
        print('ok import: without a network it says so; of that and of a wrong file nothing is left', flush=True)
        whole = home / '.cache/fovea/downloads/ultraface-320.onnx.part'  # all has come but the last look at it
        shutil.copy(reference() / 'models/version-RFB-320.onnx', whole)
        windows.choose('Catalogue', 'ultraface-320')
        windows.press('Fetch')
        wait(lambda: windows.words('“ultraface-320” is here'), 'the import', 60)
        sidecar = json.loads((home / '.local/share/fovea/models/ultraface-320.json').read_text())
        assert sidecar['fovea']['card']['licence'] == 'Apache-2.0' and sidecar['task'] == 'detect', sidecar
        assert next(row for row in windows.cells('Catalogue') if row[0] == 'ultraface-320')[4] == 'here' and not list(whole.parent.iterdir())
        print('ok import: what has come whole becomes a model', flush=True)
    shoot_still(folder / f'catalogue-{scene}.png')
    check_window(windows.dialog)


def inside(scene, folder):
    home, action = pathlib.Path(os.environ['HOME']), SCENES[scene][2]
    windows = Windows()
    if action == 'import':
        import_file(windows, folder, home)
    else:
        about(windows, folder, scene)
        if action == 'manage' or scene == 'german':  # broken ones, which the self-test would tell of
            shutil.copy(home / 'packed.onnx', home / '.local/share/fovea/models')
            (home / '.local/share/fovea/models/cut.onnx').write_bytes(tiny_model.corner_colour()[:300])
            (home / '.local/share/fovea/models/odd.onnx').write_bytes(tiny_model.unknown_operator())
            (home / '.local/share/fovea/models/odd.json').write_text('{"task": "classify"}')
        if scene == 'german':
            break_models(home / '.local/share/fovea/models')
        windows.open_filter(MODELS)
        study(windows, folder, scene)
    if action == 'manage':
        manage(windows, folder, home)
        choose_files(windows, home)
    if action == 'look':
        windows.drop(reference() / 'models/yunet_n_320_320.onnx')  # onto the list: the page turns
        wait(lambda: windows.is_showing(windows.button('Try on the Open Image|.*offenen Bild.*')), 'the page')
        windows.press('Try on the Open Image|.*offenen Bild.*')
        wait(lambda: windows.words('obj_8|cls_8'), 'the raw numbers', 60)
        if scene == 'german':
            assert windows.words('yunet, denn das Modell hat Ausgänge') and windows.words('üblich für yunet'), 'where it came from, in German'
            check_explanations(windows, scene)
            windows.field('Schwelle').queryEditableText().setTextContents('viel')
            wait(lambda: windows.words('„threshold“ muss so angegeben sein: eine Zahl von 0 bis 1'), 'what may stand there')
            windows.field('Schwelle').queryEditableText().setTextContents('')
        shoot(folder / f'import-{scene}.png')
        check_window(windows.dialog)
    fetch(windows, folder, home, scene)
    windows.close()
    left = [path.name for path in (home / '.local/share/fovea/models').iterdir() if path.name.startswith('.')]
    assert left == [], left
    print(f'ok {scene}: closed, and nothing hidden is left', flush=True)


def yunet_bytes():
    """The size that the catalogue knows."""
    text = (ROOT / 'engine/store/catalogue.c').read_text(encoding='utf-8')
    return int(re.search(r'"yunet",.*?\b(\d{5,}),', text, re.DOTALL)[1])


def prepare(gimp):
    old = gimp.folder / 'home/.cache/fovea/downloads/old.onnx.part'
    old.parent.mkdir(parents=True)
    old.write_bytes(b'old')
    os.utime(old, (0, 0))
    own = gimp.folder / 'home/.local/share/fovea/models'
    own.mkdir(parents=True)
    shutil.copy(reference() / 'models/squeezenet11_fp32.onnx', own / 'mine.onnx')
    (own / 'mine.json').write_text(SIDECAR)
    card = {'training': {'epochs': 3}, 'metrics': {'accuracy': 0.9}, 'date': '2026-01-02'}
    (own / 'learned.onnx').write_bytes(tiny_model.corner_colour(fovea=json.dumps({'input': {'resize': 'stretch', 'range': 1}, 'card': card})))
    (own / 'brought.onnx').write_bytes(tiny_model.corner_colour())
    (own / 'brought.json').write_text(json.dumps({'fovea': {'card': {'imported': '2026-03-04', 'licence': 'CC-BY-4.0'}}}))
    with zipfile.ZipFile(gimp.folder / 'home/packed.onnx', 'w') as archive:
        archive.writestr('net/model.onnx', tiny_model.corner_colour())
    (gimp.folder / 'home/colours.onnx').write_bytes(tiny_model.corner_colour(license='CC-BY-NC-4.0'))
    (gimp.folder / 'home/colours.txt').write_text('rouge\nvert\nbleu\n')
    for name in ('tagger', 'cutout'):
        (gimp.folder / 'models' / name).symlink_to(ROOT / 'models' / name)


def run_scene(scene, plugin, folder):
    language, theme, _ = SCENES[scene]
    with IsolatedGimp(plugin) as gimp:
        prepare(gimp)
        nowhere = 'http://127.0.0.1:9'  # no test leaves this machine
        environment = dict.fromkeys(('XDG_CACHE_HOME', 'HTTP_PROXY', 'HTTPS_PROXY', 'all_proxy', 'ALL_PROXY')) | {'http_proxy': nowhere, 'https_proxy': nowhere}
        environment |= catch_browser(gimp.folder)
        if SCENES[scene][2] == 'manage':
            environment['GIMP_PLUGIN_DEBUG'] = None  # GTK's own chooser complains of keys, and mustn't die of that
        arguments = f'"{reference()}/data/large/coco-000000257896.jpg"'
        if scene == 'import':
            (gimp.folder / 'import.scm').write_text(f'(script-fu-use-v3) (plug-in-fovea-models #:run-mode RUN-INTERACTIVE #:file "{reference()}/models/yolox_nano.onnx")')
            arguments += f' --batch-interpreter=plug-in-script-fu-eval -b \'(load "{gimp.folder}/import.scm")\''
        run_session(gimp, scene, folder, arguments, language, theme, environment, timeout=600,
                    forgiven='WIDGET_REALIZED_FOR_EVENT' if SCENES[scene][2] == 'manage' else None)


if __name__ == '__main__':
    sys.exit(main(SCENES, inside, run_scene, needs=('xdotool',)))
