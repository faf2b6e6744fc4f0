#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""No file includes one of a later layer, all but fovea.h itself see fovea.h and none of its parts, batch/, the command and the plug-in see nothing else
of the engine, and each header compiles alone.

    includes.py SOURCE_ROOT BUILD_ROOT COMPILER…
"""

import concurrent.futures
import pathlib
import re
import subprocess
import sys

PACKAGES = ['glib-2.0', 'gio-2.0', 'json-glib-1.0', 'libprotobuf-c', 'gdk-pixbuf-2.0']
PLUGIN_PACKAGES = ['gimp-3.0', 'gimpui-3.0', 'libsoup-3.0']  # a build for the command alone does without
# Beside the engine: batch/ is compiled into the command and the plug-in, and knows neither.
BESIDE = ['batch', 'cli', 'plugin']
# A file includes headers of its own layer and of those before it; kernels know nothing of ours.
LAYERS = ['base', 'labels', 'model', 'ops', 'compile', 'run', 'vision', 'store', 'train']
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.MULTILINE)
SOURCES = {'.c', '.h', '.inc', '.cc'}


def files_of(folder):
    return [path for path in sorted(folder.rglob('*')) if path.suffix in SOURCES]


def is_public(name):
    """fovea.h, or one of its parts: they are for fovea.h and for each other."""
    return name == 'fovea.h' or name.startswith('fovea-')


def allowed(path, engine):
    """The folders of engine/ whose headers the file may include; None where only fovea.h is."""
    if engine not in path.parents:
        return None
    layer = path.relative_to(engine).parts[0]
    if layer == 'kernels':
        return {'kernels'}
    if layer not in LAYERS:
        return None if is_public(path.name) else {'kernels', *LAYERS}
    return {'kernels', *LAYERS[:LAYERS.index(layer) + 1]} - ({'kernels'} if layer in ('base', 'labels', 'model') else set())


def check_directions(root):
    engine, wrong = root / 'engine', []
    folders = {path.name for path in engine.iterdir() if path.is_dir()}
    for path in [found for name in ('engine', *BESIDE) for found in files_of(root / name)]:
        may = allowed(path, engine)
        for name in INCLUDE.findall(path.read_text(encoding='utf-8')):
            folder = name.split('/')[0] if '/' in name else None
            if name == 'fovea.h':
                bad = may == {'kernels'}
            elif is_public(name):
                bad = not (path.parent == engine and is_public(path.name))
            elif root / 'batch' in path.parents and not (root / 'batch' / name).exists():
                bad = True
            elif folder in folders:
                bad = may is None or folder not in may
            else:
                bad = '..' in name
            if bad:
                wrong.append(f'{path.relative_to(root)} includes {name}, which is not for its layer')
    return wrong


def check_header(header, command):
    """Twice in a row: a guard that is missing shows then."""
    text = f'#include "{header}"\n#include "{header}"\nextern int used;\n'
    done = subprocess.run([*command, '-x', 'c', '-fsyntax-only', '-Wall', '-Wextra', '-Werror', '-Wno-unused-function', '-Wno-unused-parameter',
                           '-Wno-missing-field-initializers', '-'], input=text, capture_output=True, text=True)
    return None if done.returncode == 0 else f'{header} does not compile alone:\n{done.stderr[:2000]}'


def is_there(*packages):
    return subprocess.run(['pkg-config', '--exists', *packages], check=False).returncode == 0


def main():
    root, build, command = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]), sys.argv[3:]
    has_plugin = is_there(*PLUGIN_PACKAGES)
    packages = PACKAGES + (PLUGIN_PACKAGES if has_plugin else [])
    packages.append(next(name for name in ('gexiv2-0.16', 'gexiv2') if is_there(name)))
    flags = subprocess.run(['pkg-config', '--cflags', *packages], stdout=subprocess.PIPE, text=True, check=True).stdout.split()
    command += [re.sub('^-I', '-isystem', flag) for flag in flags]  # others' headers have warnings of their own
    command += [f'-I{root / "engine"}', f'-I{build / "engine"}', f'-I{build / "engine/model"}', '-std=gnu11', '-D_GNU_SOURCE']
    command.append(f'-I{root / "batch"}')
    wrong = check_directions(root)
    # The vec-*.h are pieces of one source, kernels/table.c, which is compiled per instruction set.
    headers = [path for name in ('engine', 'batch', 'cli', *(['plugin'] if has_plugin else [])) for path in files_of(root / name)
               if path.suffix == '.h' and not path.name.startswith('vec')]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        wrong += [message for message in pool.map(lambda header: check_header(header, command), headers) if message]
    print(f'{len(headers)} headers, {len(wrong)} complaints')
    print('\n'.join(wrong))
    return bool(wrong)


if __name__ == '__main__':
    sys.exit(main())
