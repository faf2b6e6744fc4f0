#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Classify window in real GIMP under Xvfb, driven through the accessibility bus: it opens with an answer, answers anew when settings change, can be
cancelled, and applies. Screenshots stay in the folder given.

    classify_window.py BUILD/plugin/fovea SCREENSHOTS
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

from isolated_gimp import IsolatedGimp, find_program, reference, skip

TIMEOUT = 90

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


# ---- inside the session: at-spi -----------------------------------------------------------------------------------

def wait(found, what, timeout=TIMEOUT):
    """Polls until `found` gives something."""
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        try:
            result = found()
        except Exception:  # the tree changes while we look
            result = None
        if result:
            return result
        time.sleep(0.05)
    raise SystemExit(f'timeout: {what}')


def walk(node, depth=0):
    if node is None or depth > 40:
        return
    yield node
    for child in node:
        yield from walk(child, depth + 1)


def act(node):
    node.queryAction().doAction(0)


class Window:
    """The plug-in's dialog."""

    def __init__(self, language):
        import pyatspi

        self.pyatspi, self.language = pyatspi, language
        gimp = wait(lambda: self.application('gimp'), 'GIMP')
        wait(lambda: any(re.search(r'\d+x\d+', window.name) for window in gimp), 'the open image')
        bar = wait(lambda: next(node for node in walk(gimp) if node.getRoleName() == 'menu bar' and node.childCount > 5), 'the menu bar')
        node = bar
        for name in MENU[language]:
            menu = node
            node = wait(lambda: next(child for child in menu if child.name == name), f'the menu {name}')
            act(node)
        started = time.monotonic()
        self.dialog = wait(lambda: self.application('fovea')[0], 'the dialog')
        self.opened = time.monotonic() - started
        self.answer()
        self.answered = time.monotonic() - started

    def application(self, name):
        return next(app for app in self.pyatspi.Registry.getDesktop(0) if app and app.name.startswith(name) and app.childCount)

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
        wait(lambda: not any(app and app.name.startswith('fovea') for app in self.pyatspi.Registry.getDesktop(0)), 'the end of the plug-in')


def shoot(path):
    subprocess.run(['import', '-window', 'root', path], check=True)


def inside(scene, folder, log):
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


# ---- outside: the display, the session, GIMP ------------------------------------------------------------------------

def make_photo(name, folder):
    if name == 'GRAY':
        subprocess.run(['convert', reference() / 'data/large/canyon-wren.jpg', '-colorspace', 'Gray', '-resize', '900x', folder / 'gray.png'], check=True)
        return folder / 'gray.png'
    if name == 'TINY':
        subprocess.run(['convert', reference() / 'data/large/canyon-wren.jpg', '-resize', '3x2!', folder / 'tiny.png'], check=True)
        return folder / 'tiny.png'
    return reference() / 'data' / name


def run_scene(scene, plugin, folder):
    photo, language, theme, _ = SCENES[scene]
    with IsolatedGimp(plugin) as gimp:
        environment = gimp.environment | {
            'LC_ALL': language, 'LANG': language, 'LANGUAGE': language.split('_')[0] if '_' in language else '', 'GTK_A11Y': 'atspi', 'NO_AT_BRIDGE': '0',
            'GDK_BACKEND': 'x11', 'XDG_RUNTIME_DIR': str(gimp.folder / 'home'), 'LIBGL_ALWAYS_SOFTWARE': '1'}
        os.chmod(gimp.folder / 'home', 0o700)
        if '_' in language:
            (gimp.folder / 'locales').mkdir()
            subprocess.run(['localedef', '-i', language.split('.')[0], '-f', 'UTF-8', gimp.folder / 'locales' / language], check=True)
            environment['LOCPATH'] = str(gimp.folder / 'locales')
        with open(gimp.folder / 'profile' / 'gimprc', 'a', encoding='utf-8') as file:
            file.write(f'(theme-color-scheme {theme})\n' if theme == 'light' else '(theme-color-scheme dark)\n')
        reader, writer = os.pipe()
        display = subprocess.Popen(['Xvfb', '-displayfd', str(writer), '-screen', '0', '1280x900x24', '-nolisten', 'tcp'], pass_fds=[writer],
                                   stderr=subprocess.DEVNULL)
        os.close(writer)
        try:
            environment['DISPLAY'] = ':' + os.read(reader, 16).decode().strip()
            log = gimp.folder / 'gimp.log'
            script = f'''openbox --sm-disable >/dev/null 2>&1 &
/usr/libexec/at-spi-bus-launcher --launch-immediately >/dev/null 2>&1 &
{find_program('gimp')} -n --no-splash -c "{make_photo(photo, gimp.folder)}" >"{log}" 2>&1 & gimp=$!
"{sys.executable}" "{__file__}" --inside {scene} "{folder}" "{log}"; status=$?
kill $gimp 2>/dev/null; exit $status'''
            done = subprocess.run(['dbus-run-session', '--', 'sh', '-c', script], env=environment, timeout=240)
            text = log.read_text(errors='replace')
            trouble = [line for line in text.splitlines() if re.search(r'\(fovea:.*CRITICAL|Plug-in crashed|duplicate mnemonic', line)]
            assert done.returncode == 0, f'{scene} failed:\n{text[-3000:]}'
            assert not trouble, '\n'.join(trouble)
        finally:
            display.kill()
            display.wait()
            os.close(reader)


def main():
    if sys.argv[1] == '--inside':
        inside(sys.argv[2], pathlib.Path(sys.argv[3]), pathlib.Path(sys.argv[4]))
        return 0
    for program in ('Xvfb', 'dbus-run-session', 'openbox', 'import'):
        if not shutil.which(program):
            skip(f'there is no {program}')
    folder = pathlib.Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    for scene in sys.argv[3:] or SCENES:
        run_scene(scene, sys.argv[1], folder)
    return 0


if __name__ == '__main__':
    sys.exit(main())
