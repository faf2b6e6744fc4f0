# SPDX-License-Identifier: GPL-3.0-or-later
"""GIMP's windows for tests: a display (Xvfb), a session (D-Bus), a window manager and the accessibility bus of their own around an isolated GIMP, and what is said
to windows over that bus. A test's program is started twice: outside, where it prepares GIMP and calls run_session(), and inside the session, with --inside."""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

from isolated_gimp import find_program, reference, skip

TIMEOUT, START = 180, 300  # seconds, on a machine that is busy with other things: a start, above all, reads many files
ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PROGRAMS = ('Xvfb', 'dbus-run-session', 'openbox', 'import')
BUTTON_ROLES = ('button', 'push button', 'toggle button', 'radio button')


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


def walk(node, cells=False, depth=0):
    """The node and all below it; cells of tables only when asked for: they are many, and each takes a question over the bus."""
    if node is None or depth > 40:
        return
    yield node
    if cells or 'table' not in node.getRoleName():
        for child in node:
            yield from walk(child, cells, depth + 1)


def act(node):
    """A busy machine may answer late; what was to be done is done nevertheless."""
    try:
        node.queryAction().doAction(0)
    except Exception as late:
        if 'timeout' not in str(late):
            raise


def shoot(path):
    subprocess.run(['import', '-window', 'root', '-quality', '10', path], check=True) # little compression: quick


def shoot_still(path):
    """Once nothing moves any more, or never stops moving."""
    before = None
    for _ in range(40):
        now = subprocess.run(['import', '-window', 'root', 'rgb:-'], check=True, capture_output=True).stdout
        if now == before:
            break
        before = now
    shoot(path)


def shoot_window(window, path):
    """A window with its title, in few colours: for the manual."""
    place = window.queryComponent().getExtents(0)
    title = 20
    subprocess.run(['import', '-window', 'root', '-crop', f'{place.width}x{place.height + title}+{place.x}+{place.y - title}', '+repage', '-dither', 'FloydSteinberg',
                    '-colors', '255', f'png8:{path}'], check=True)


class GimpWindow:
    """GIMP with its open image, and the plug-in's dialog once it is opened."""

    def __init__(self, needs_image=True):
        import pyatspi

        self.pyatspi, self.dialog = pyatspi, None
        gimp = wait(lambda: self.application('gimp'), 'GIMP', START)
        if needs_image:
            wait(lambda: any(re.search(r'\d+x\d+', window.name) for window in gimp), 'the open image')
            self.bar = wait(lambda: next(node for node in walk(gimp) if node.getRoleName() == 'menu bar' and node.childCount > 5), 'the menu bar')

    def application(self, name):
        return next(app for app in self.pyatspi.Registry.getDesktop(0) if app and app.name.startswith(name) and app.childCount)

    def menu(self, names):
        """names: from the menu bar down, each a beginning or a tuple of them."""
        node = self.bar
        for name in names:
            menu = node
            node = wait(lambda: next(child for child in menu if child.name.startswith(name)), f'the menu {name}')
            act(node)

    def close_image(self):
        """Without saving it."""
        def is_closed():
            for node in (node for top in self.application('gimp') for node in walk(top) if node.getRoleName() in BUTTON_ROLES):
                if node.name.startswith('Discard') and self.is_showing(node):  # GIMP asks about one that was changed
                    act(node)
            return not any(re.search(r'\d+x\d+', top.name) for top in self.application('gimp'))

        self.menu(('File', 'Close View'))
        wait(is_closed, 'the end of the image', 60)

    def message(self, pattern):
        """What GIMP says of a plug-in that failed: in these sessions, to its console."""
        return next(line for line in (pathlib.Path(os.environ['HOME']).parent / 'gimp.log').read_text(errors='replace').splitlines() if re.search(pattern, line))

    def open(self, names):
        """The plug-in's dialog, from the menu; the seconds it took."""
        started = time.monotonic()
        self.menu(names)
        self.dialog = wait(lambda: self.application('fovea')[0], 'the dialog')
        return time.monotonic() - started

    def is_showing(self, node):
        return node.getState().contains(self.pyatspi.STATE_SHOWING)

    def button(self, pattern):
        """The visible button of the plug-in's windows with this name, or pattern."""
        return next(node for window in self.application('fovea') for node in walk(window)
                    if node.getRoleName() in BUTTON_ROLES and re.fullmatch(pattern, node.name) and self.is_showing(node))

    def press(self, pattern, timeout=60):
        wait(lambda: self.button(pattern).getState().contains(self.pyatspi.STATE_SENSITIVE), f'{pattern} to be possible', timeout)
        act(self.button(pattern))

    def words(self, pattern):
        """The dialog's text that has these words."""
        return next(node.name for node in walk(self.dialog) if node.getRoleName() == 'label' and re.search(pattern, node.name))

    def ended(self):
        """The plug-in has gone, not only its window: it goes on writing after that, and before its end GIMP can't undo what it did."""
        wait(lambda: not any(app and app.name.startswith('fovea') for app in self.pyatspi.Registry.getDesktop(0)), 'the end of the window')
        wait(lambda: not any(plug_ins()), 'the end of the plug-in')


def plug_ins():
    """The processes of Fovea's plug-in on this display: folders in /proc."""
    display = f'DISPLAY={os.environ["DISPLAY"]}'.encode()
    for process in pathlib.Path('/proc').glob('[0-9]*'):
        try:
            if os.readlink(process / 'exe').endswith('/fovea') and display in (process / 'environ').read_bytes().split(b'\0'):
                yield process
        except OSError:
            continue


# ---- outside: the display, the session, GIMP ------------------------------------------------------------------------

def make_photo(name, folder):
    """A photo of the reference data, or one made of it: GRAY, TINY; or one of our own samples."""
    if name.startswith('samples/'):
        return ROOT / name
    if name == 'GRAY':
        subprocess.run(['convert', reference() / 'data/large/canyon-wren.jpg', '-colorspace', 'Gray', '-resize', '900x', folder / 'gray.png'], check=True)
        return folder / 'gray.png'
    if name == 'TINY':
        subprocess.run(['convert', reference() / 'data/large/canyon-wren.jpg', '-resize', '3x2!', folder / 'tiny.png'], check=True)
        return folder / 'tiny.png'
    return reference() / 'data' / name


def start_display(screen):
    """Xvfb under a free number; the process and the number. It isn't reset when its last client goes: one that comes just then would be turned away."""
    reader, writer = os.pipe()
    display = subprocess.Popen(['Xvfb', '-displayfd', str(writer), '-screen', '0', screen, '-nolisten', 'tcp', '-noreset'], pass_fds=[writer],
                               stderr=subprocess.DEVNULL)
    os.close(writer)
    with os.fdopen(reader) as numbers:
        number = numbers.readline().strip()
    if not number:
        raise SystemExit('Xvfb did not start')
    return display, number


def speak(gimp, language):
    """The environment for a language; C libraries have few by themselves."""
    environment = {'LC_ALL': language, 'LANG': language, 'LANGUAGE': language.split('_')[0] if '_' in language else ''}
    if '_' in language:
        (gimp.folder / 'locales').mkdir()
        subprocess.run(['localedef', '-i', language.split('.')[0], '-f', 'UTF-8', gimp.folder / 'locales' / language], check=True)
        environment['LOCPATH'] = str(gimp.folder / 'locales')
    return environment


def run_session(gimp, scene, folder, arguments, language='C.UTF-8', theme='light', environment=None, screen='1280x900x24', timeout=900, forgiven=None):
    """GIMP with `arguments` (a line of the shell's), and beside it this test's program with --inside SCENE FOLDER, which must succeed without complaint of the
    plug-in's. environment: more of it, None as a value takes away. forgiven: a pattern of complaints that aren't ours. A picture of the end
    lies in the folder."""
    program = pathlib.Path(sys.argv[0]).resolve()
    around = gimp.environment | speak(gimp, language) | {
        'GTK_A11Y': 'atspi', 'NO_AT_BRIDGE': '0', 'PYTHONFAULTHANDLER': '1', 'GDK_BACKEND': 'x11', 'XDG_RUNTIME_DIR': str(gimp.folder / 'home'), 'LIBGL_ALWAYS_SOFTWARE': '1'}
    around = {name: value for name, value in (around | (environment or {})).items() if value is not None}
    os.chmod(gimp.folder / 'home', 0o700)
    with open(gimp.folder / 'profile' / 'gimprc', 'a', encoding='utf-8') as file:
        file.write(f'(theme-color-scheme {theme})\n(image-title-format "%D*%f-%p.%i (%t, %L) %wx%h")\n')
    display, number = start_display(screen)
    try:
        log = gimp.folder / 'gimp.log'
        script = f'''openbox --sm-disable >/dev/null 2>&1 &
/usr/libexec/at-spi-bus-launcher --launch-immediately >/dev/null 2>&1 &
{find_program('gimp')} -n --no-splash -c {arguments} >"{log}" 2>&1 & gimp=$!
"{sys.executable}" "{program}" --inside {scene} "{folder}"; status=$?
import -window root "{folder}/{program.stem.split('_')[0]}-{scene}-end.png"; kill $gimp 2>/dev/null; exit $status'''
        done = subprocess.run(['dbus-run-session', '--', 'sh', '-c', script], env=around | {'DISPLAY': f':{number}'}, timeout=timeout)
        text = log.read_text(errors='replace')
        trouble = [line for line in text.splitlines() if re.search(r'\(fovea:.*(CRITICAL|WARNING.*assert)|Plug-in crashed|duplicate mnemonic', line)
                   and not (forgiven and re.search(forgiven, line))]
        assert done.returncode == 0, f'{scene} failed:\n{text[-3000:]}'
        assert not trouble, '\n'.join(trouble)
    finally:
        display.kill()
        display.wait()


def main(scenes, inside, run_scene, needs=(), photos='data/large'):
    """The program of a window test: PROGRAM PLUGIN FOLDER [SCENE…], and inside the session PROGRAM --inside SCENE FOLDER."""
    if sys.argv[1] == '--inside':
        inside(sys.argv[2], pathlib.Path(sys.argv[3]))
        return 0
    for program in PROGRAMS + tuple(needs):
        if not shutil.which(program):
            skip(f'there is no {program}')
    if not (reference() / photos).exists():
        skip('the reference photos are missing')
    folder = pathlib.Path(sys.argv[2]).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    for scene in sys.argv[3:] or scenes:
        run_scene(scene, sys.argv[1], folder)
    return 0
