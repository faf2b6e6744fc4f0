# SPDX-License-Identifier: GPL-3.0-or-later
"""What every window is held to, the keyboard, and a browser that only notes what it is to show. For the window tests."""

import collections
import os
import subprocess

from gimp_window import walk

# Widgets that a name for the screen reader is asked of; containers and texts speak for themselves.
NAMED = {'button', 'push button', 'toggle button', 'check box', 'radio button', 'combo box', 'spin button', 'slider', 'text', 'entry', 'table', 'tree table',
         'drawing area', 'progress bar'}
LARGEST = (1366, 700)
SHOWN = 'FOVEA_TEST_BROWSER'  # the file that the browser writes to

BROWSER = """#!/bin/sh
echo "$1" >"{shown}.part" && mv "{shown}.part" "{shown}"
"""
DESKTOP = """[Desktop Entry]
Type=Application
Name=Test browser
Exec={program} %u
MimeType=text/html;inode/directory;x-scheme-handler/file;x-scheme-handler/http;x-scheme-handler/https;
"""


def key(*keys):
    subprocess.run(['xdotool', 'key', '--clearmodifiers', *keys], check=True)


def type_text(text):
    subprocess.run(['xdotool', 'type', '--delay', '30', text], check=True)


def count_titles(title):
    """How many windows on the screen have this title."""
    return len(subprocess.run(['xdotool', 'search', '--onlyvisible', '--name', f'^{title}$'], capture_output=True, text=True).stdout.split())


def raise_window(title):
    """Above the others, wherever GIMP's own window is."""
    subprocess.run(['xdotool', 'search', '--onlyvisible', '--name', f'^{title}$', 'windowactivate', '--sync'], check=True)


def click_twice(x, y):
    subprocess.run(['xdotool', 'mousemove', str(x), str(y), 'click', '--repeat', '2', '--delay', '150', '1'], check=True)


def turn_wheel(x, y, n):
    """Up, n notches, over a place of the screen."""
    subprocess.run(['xdotool', 'mousemove', str(x), str(y), 'click', '--repeat', str(n), '--delay', '60', '4'], check=True)


def letters_of(node):
    """The Alt-letters of a widget, as GTK tells them to the accessibility bus."""
    try:
        action = node.queryAction()
    except NotImplementedError:
        return []
    bindings = {action.getKeyBinding(i).split(';')[0] for i in range(action.nActions)}
    return [binding[-1].lower() for binding in bindings if binding.startswith('<Alt>')]


def check_names(window):
    """No two widgets of a window answer to the same letter; each has a name. Pages that aren't shown have letters of their own."""
    import pyatspi

    letters, nameless = collections.defaultdict(set), []
    for node in walk(window):
        role = node.getRoleName()
        if role == 'menu item' or not node.getState().contains(pyatspi.STATE_SHOWING):
            continue
        for letter in letters_of(node):
            letters[letter].add(f'{role} “{node.name}”')
        if role in NAMED and not node.name:
            nameless.append(role)
    clashes = {letter: sorted(names) for letter, names in letters.items() if len(names) > 1}
    assert not clashes, f'letters of more than one: {clashes}'
    assert not nameless, f'without a name: {nameless}'
    assert len(letters) > 2, f'hardly any letters: {dict(letters)}'
    print(f'ok {len(letters)} letters, each of one widget: {"".join(sorted(letters))}')


def check_size(window):
    """A window fits on a laptop's screen, 1366 × 768, beside the desktop's own bars; its title counts."""
    place = window.queryComponent().getExtents(0)
    print(f'ok “{window.name}” is {place.width}×{place.height}')
    assert place.width <= LARGEST[0] and place.height <= LARGEST[1], f'“{window.name}” is {place.width}×{place.height}: larger than {LARGEST[0]}×{LARGEST[1]}'


def check_window(window):
    check_size(window)
    check_names(window)


def catch_browser(folder):
    """Makes web pages and folders open in a program that notes their address; the environment that this takes."""
    shown = folder / 'shown'
    program = folder / 'browser'
    program.write_text(BROWSER.format(shown=shown))
    program.chmod(0o755)
    applications = folder / 'home' / '.local' / 'share' / 'applications'
    applications.mkdir(parents=True)
    (applications / 'test-browser.desktop').write_text(DESKTOP.format(program=program))
    kinds = ('text/html', 'inode/directory', 'application/xhtml+xml', 'x-scheme-handler/file', 'x-scheme-handler/http', 'x-scheme-handler/https')
    (applications / 'mimeapps.list').write_text('[Default Applications]\n' + ''.join(f'{kind}=test-browser.desktop\n' for kind in kinds))
    return {SHOWN: str(shown)}


def browser_was_shown():
    """The address, or None."""
    try:
        with open(os.environ[SHOWN], encoding='utf-8') as file:
            return file.read().strip()
    except FileNotFoundError:
        return None
