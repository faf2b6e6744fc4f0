#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""How many photos a second go through Fovea: the command beside batch_peer.py in turn, one thread beside two, the batch in one GIMP; and how much memory 1,000 and
10,000 of them take. PHOTOS is a folder; so many of its photos as a measurement wants are linked into a folder of their own, again and again where it has fewer.

    bench/batch.py peer    --fovea BUILD/cli/fovea PHOTOS
    bench/batch.py threads --fovea BUILD/cli/fovea PHOTOS
    bench/batch.py memory  --fovea BUILD/cli/fovea PHOTOS
    bench/batch.py gimp    --plugin BUILD/plugin/fovea PHOTOS

Each takes less than a minute, and nothing else should run meanwhile."""

import argparse
import json
import pathlib
import random
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
MODELS = {'classify': ROOT / 'models/tagger/model.onnx', 'locate': ROOT / 'models/objects/model.onnx', 'segment': ROOT / 'models/cutout/model.onnx'}
N_PEER, N_ROUNDS = 1000, 3
N_THREADS = {'classify': 700, 'locate': 130, 'segment': 110}
N_GIMP = 1000


def link_photos(source, folder, n):
    """Not the first ones: they may be all of one kind."""
    found = sorted(path for path in source.rglob('*') if path.is_file() and path.suffix.lower() in ('.jpg', '.jpeg', '.png'))
    random.Random(1).shuffle(found)
    folder.mkdir()
    for i in range(n):
        (folder / f'{i:05}{found[i % len(found)].suffix}').symlink_to(found[i % len(found)].resolve())
    return folder


def timed(*command):
    started = time.monotonic()
    out = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True).stdout
    return time.monotonic() - started, out


def measure_peer(options, folder):
    photos, best = link_photos(options.photos, folder / 'photos', N_PEER), {}
    for _ in range(N_ROUNDS):
        ours, a = timed(options.fovea, 'classify', MODELS['classify'], photos, '--json', '--threads', 2)
        theirs, b = timed(sys.executable, ROOT / 'bench/batch_peer.py', MODELS['classify'], photos, 2)
        for images in (a, b):
            for image in json.loads(images)['images']:
                best.setdefault(image['file'], set()).add(image['classes'][0]['label'])
        print(f'fovea {N_PEER / ours:.0f}, ONNX Runtime and Pillow {N_PEER / theirs:.0f} photos a second: {theirs / ours:.2f} times as many', flush=True)
    print(f'the first name of {sum(len(names) == 1 for names in best.values())} of {N_PEER} photos is the same')


def measure_threads(options, folder):
    for verb, n in N_THREADS.items():
        photos, rates = link_photos(options.photos, folder / verb, n), {1: [], 2: []}
        for _ in range(N_ROUNDS):
            for threads, seconds in rates.items():
                seconds.append(n / timed(options.fovea, verb, MODELS[verb], photos, '--json', '--threads', threads)[0])
        one, two = (statistics.median(rates[threads]) for threads in (1, 2))
        print(f'{verb}: {one:.1f} photos a second with one thread, {two:.1f} with two: {two / one:.2f} times as many', flush=True)


def measure_memory(options, folder):
    for n in (1000, 10000):  # the most of all children so far: the larger one last
        photos = link_photos(options.photos, folder / f'photos-{n}', n)
        timed(options.fovea, 'classify', MODELS['classify'], photos, '--output-dir', folder / f'results-{n}', '--threads', 2)
        print(f'{n} photos: {resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024:.1f} MiB', flush=True)


def measure_gimp(options, folder):
    sys.path.insert(0, str(ROOT / 'tests/gimp'))
    from isolated_gimp import IsolatedGimp, find_program
    photos = link_photos(options.photos, folder / 'photos', N_GIMP)
    with IsolatedGimp(options.plugin) as gimp:
        (gimp.folder / 'models/tagger').symlink_to(ROOT / 'models/tagger')
        script = gimp.folder / 'script.scm'
        script.write_text(f'(script-fu-use-v3)\n(plug-in-fovea-batch #:run-mode RUN-NONINTERACTIVE #:operation "classify" #:model "tagger" #:input-folder "{photos}"\n'
                          f'  #:output-folder "{folder}/results" #:formats "csv,json")')
        journal, began = folder / 'results/fovea-batch.journal', None
        started = time.monotonic()
        running = subprocess.Popen([find_program('gimp-console'), '-idf', '--quit', '--batch-interpreter=plug-in-script-fu-eval', '-b', f'(load "{script}")'],
                                   env=gimp.environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        most = 0
        while running.poll() is None:
            began = began or (time.monotonic() if journal.exists() else None)
            for status in pathlib.Path('/proc').glob('[0-9]*/status'):
                try:
                    text = status.read_text()
                except OSError:
                    continue
                if text.startswith('Name:\tfovea\n') and (found := re.search(r'VmHWM:\s*(\d+)', text)):
                    most = max(most, int(found[1]) / 1024)
            time.sleep(0.02)
        ended = time.monotonic()
        count = json.loads((folder / 'results/fovea-batch.json').read_text())['count']
    print(f'{count} photos in one GIMP: {count / (ended - began):.0f} a second, {count / (ended - started):.0f} with GIMP\'s start; the plug-in took {most:.1f} MiB')


def main():
    measurements = {'peer': measure_peer, 'threads': measure_threads, 'memory': measure_memory, 'gimp': measure_gimp}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('what', choices=measurements)
    parser.add_argument('photos', type=pathlib.Path)
    parser.add_argument('--fovea', type=pathlib.Path)
    parser.add_argument('--plugin', type=pathlib.Path)
    options = parser.parse_args()
    if (options.plugin if options.what == 'gimp' else options.fovea) is None:
        parser.error('--plugin is missing' if options.what == 'gimp' else '--fovea is missing')
    with tempfile.TemporaryDirectory() as folder:
        measurements[options.what](options, pathlib.Path(folder))


if __name__ == '__main__':
    main()
