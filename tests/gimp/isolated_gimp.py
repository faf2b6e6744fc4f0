# SPDX-License-Identifier: GPL-3.0-or-later
"""GIMP for tests: a profile of its own, our plug-in and few others, a folder of models, messages kept. Shared by all tests of this folder."""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

SIDECAR = """{"task": "classify", "fovea": {"version": 1,
 "input": {"size": [224, 224], "resize": "shortest-crop", "colour": "bgr", "range": 255, "mean": [123, 117, 104], "std": [1, 1, 1], "layout": "nchw"},
 "output": {"family": "classifier", "activation": "auto"}}}"""

# The version keeps GIMP from welcoming its user to a new one.
GIMPRC = """(config-version "{version}")
(show-welcome-dialog no)
(check-updates no)
(color-profile-policy keep)
(confirm-on-close no)
(save-document-history no)
(restore-accels no)
"""

# Runs the plug-in and leaves its largest resident memory, in KiB, in the file named first.
MEASURE = '''#!/usr/bin/env python3
import resource, subprocess, sys
status = subprocess.call(sys.argv[2:], close_fds=False)
with open(sys.argv[1], 'a') as file:
    file.write(f'{resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss}\\n')
sys.exit(status)
'''


def skip(reason):
    print(reason)
    sys.exit(77)


def reference():
    folder = os.environ.get('FOVEA_REFERENCE_DIR')
    if not folder:
        skip('FOVEA_REFERENCE_DIR is not set')
    return pathlib.Path(folder)


def find_program(stem):
    for version in ('3.0', '3.2', '3'):
        found = shutil.which(f'{stem}-{version}')
        if found:
            return found
    return skip(f'there is no {stem}')


class IsolatedGimp:
    """plugin: the folder plugin/fovea of the build; models: reference models beside the classifier. Use as a context manager; `folder` is gone afterwards."""

    def __init__(self, plugin, models=()):
        more_models = models
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix='fovea-gimp-'))
        libdir = subprocess.run(['pkg-config', '--variable=gimplibdir', 'gimp-3.0'], capture_output=True, text=True, check=True).stdout.strip()
        plugins = self.folder / 'plug-ins'
        models = self.folder / 'models'
        for folder in (plugins, models, self.folder / 'profile', self.folder / 'home'):
            folder.mkdir()
        (plugins / 'fovea').mkdir()
        (plugins / 'fovea' / 'fovea').symlink_to(pathlib.Path(plugin).resolve() / 'fovea')
        (plugins / 'fovea' / 'help').mkdir()
        (plugins / 'fovea' / 'help' / 'en').symlink_to(pathlib.Path(__file__).resolve().parent.parent.parent / 'docs')
        (plugins / 'fovea' / 'locale').symlink_to(pathlib.Path(plugin).resolve().parent.parent / 'po')
        for name in ('script-fu', 'python-eval', 'file-png', 'file-jpeg', 'file-tiff', 'help', 'web-browser'):
            source = pathlib.Path(libdir) / 'plug-ins' / name
            if source.exists():
                (plugins / name).symlink_to(source)
        for name in ('squeezenet11_fp32.onnx', 'squeezenet11_fp32.labels.txt'):
            (models / name).symlink_to((reference() / 'models' / name).resolve())
        for name in more_models:
            for source in (reference() / 'models').glob(f'{name}.*'):
                (models / source.name).symlink_to(source.resolve())
        (models / 'squeezenet11_fp32.json').write_text(SIDECAR)
        version = subprocess.run(['pkg-config', '--modversion', 'gimp-3.0'], capture_output=True, text=True, check=True).stdout.strip()
        (self.folder / 'profile' / 'gimprc').write_text(GIMPRC.format(version=version))
        self.environment = os.environ | {
            'HOME': str(self.folder / 'home'), 'GIMP3_DIRECTORY': str(self.folder / 'profile'), 'GIMP_TESTING_PLUGINDIRS': str(plugins),
            'FOVEA_MODELS_PATH': str(models), 'GIMP_PLUGIN_DEBUG': 'fovea,fatal-criticals', 'LC_ALL': 'C.UTF-8'}
        if not os.environ.get('FOVEA_TEST_ALL'):
            # Half of a start goes into babl's search for the quickest way between pixel formats; short ways are found at once.
            self.environment['BABL_PATH_LENGTH'] = '2'
        for name in ('DISPLAY', 'WAYLAND_DISPLAY', 'XDG_DATA_HOME', 'XDG_CONFIG_HOME', 'G_DEBUG'):
            self.environment.pop(name, None)

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        shutil.rmtree(self.folder, ignore_errors=True)

    def measuring(self):
        """The environment in which each run of the plug-in leaves the most memory that it had for peaks()."""
        program = self.folder / 'measure.py'
        program.write_text(MEASURE)
        program.chmod(0o755)
        return {'GIMP_PLUGIN_DEBUG_WRAP': 'fovea,run', 'GIMP_PLUGIN_DEBUG_WRAPPER': f'{program} {self.folder}/peaks'}

    def peaks(self):
        """MiB of each run since measuring()."""
        return [int(line) / 1024 for line in (self.folder / 'peaks').read_text().splitlines()]

    def batch(self, script, timeout=300, fonts=False):
        """Runs Script-Fu text; returns the exit status and all that was printed. fonts: GIMP loads them, which takes longer."""
        path = self.folder / 'script.scm'
        path.write_text('(script-fu-use-v3)\n' + script)
        return self.evaluate('plug-in-script-fu-eval', f'(load "{path}")', timeout, fonts=fonts)

    def refuse(self, cases, tools=''):
        """Runs Script-Fu texts that must fail, all in one GIMP, after definitions that they share; returns what each said."""
        hook = '(set! *error-hook* (lambda words (display (car words)) (apply throw words)))\n'  # a caught error is silent otherwise
        status, output = self.batch(tools + hook + '\n'.join(f'(display "\\nCASE {i}\\n") (catch #f {text} (display "\\nNOT REFUSED\\n"))' for i, text in enumerate(cases)))
        told = re.split(r'^CASE \d+$', output, flags=re.MULTILINE)[1:]
        assert status == 0 and len(told) == len(cases) and 'crashed' not in output, output[-3000:]
        for text, words in zip(cases, told):
            assert 'NOT REFUSED' not in words, f'{text}\n{words[-800:]}'
        return [words.replace('\u2019', "'") for words in told]

    def python(self, path, *arguments, timeout=300, environment=None):
        """Runs a Python program inside GIMP with sys.argv = [path, arguments…]; returns the exit status and all that was printed."""
        if not (self.folder / 'plug-ins' / 'python-eval').exists():
            skip('this GIMP has no Python-Fu')
        argv = [str(path), *map(str, arguments)]
        start = f'import sys, runpy; sys.argv = {argv!r}; runpy.run_path({str(path)!r}, run_name="inside_gimp")'
        return self.evaluate('python-fu-eval', start, timeout, environment)

    def evaluate(self, interpreter, text, timeout, environment=None, fonts=False):
        done = subprocess.run([find_program('gimp-console'), '-id' if fonts else '-idf', '--quit', f'--batch-interpreter={interpreter}', '-b', text],
                              env=self.environment | (environment or {}), capture_output=True, text=True, timeout=timeout, stdin=subprocess.DEVNULL)
        return done.returncode, done.stdout + done.stderr
