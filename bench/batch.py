#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""How many photos a second go through Fovea: the command beside batch_peer.py in turn, on one core beside two, the batch in one GIMP; and how much memory 1,000 and
10,000 of them take. PHOTOS is a folder; so many of its photos as a measurement wants are linked into a folder of their own, again and again where it has fewer.

    bench/batch.py peer    --fovea BUILD/cli/fovea PHOTOS
    bench/batch.py cores   --fovea BUILD/cli/fovea [--verb classify|locate|segment] PHOTOS
    bench/batch.py memory  --fovea BUILD/cli/fovea PHOTOS
    bench/batch.py gimp    --plugin BUILD/plugin/fovea PHOTOS

Each takes less than a minute (cores: two for a verb), and nothing else should run meanwhile."""

import argparse
import json
import os
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
N_CORES, N_CORES_ROUNDS = {'classify': 1000, 'locate': 320, 'segment': 240}, 9
N_GIMP = 1000


def link_photos(source, folder, n):
    """Not the first ones: they may be all of one kind."""
    found = sorted(path for path in source.rglob('*') if path.is_file() and path.suffix.lower() in ('.jpg', '.jpeg', '.png'))
    random.Random(1).shuffle(found)
    folder.mkdir()
    for i in range(n):
        (folder / f'{i:05}{found[i % len(found)].suffix}').symlink_to(found[i % len(found)].resolve())
    return folder


def timed(*commands, cores=((0, 1),)):
    """Commands beside each other, each on those of our cores alone: the seconds until all have ended, and what the first wrote."""
    all_cores = sorted(os.sched_getaffinity(0))
    with tempfile.TemporaryFile() as out:
        started = time.monotonic()
        processes = [subprocess.Popen([str(word) for word in command], stdout=subprocess.DEVNULL if i else out, stderr=subprocess.DEVNULL,
                                      preexec_fn=lambda own=own: os.sched_setaffinity(0, {all_cores[k] for k in own}))
                     for i, (command, own) in enumerate(zip(commands, cores))]
        assert not any([process.wait() for process in processes])
        seconds = time.monotonic() - started
        out.seek(0)
        return seconds, out.read()


def measure_peer(options, folder):
    photos, best = link_photos(options.photos, folder / 'photos', N_PEER), {}
    for _ in range(N_ROUNDS):
        ours, a = timed((options.fovea, 'classify', MODELS['classify'], photos, '--json', '--threads', 2))
        theirs, b = timed((sys.executable, ROOT / 'bench/batch_peer.py', MODELS['classify'], photos, 2))
        for images in (a, b):
            for image in json.loads(images)['images']:
                best.setdefault(image['file'], set()).add(image['classes'][0]['label'])
        print(f'fovea {N_PEER / ours:.0f}, ONNX Runtime and Pillow {N_PEER / theirs:.0f} photos a second: {theirs / ours:.2f} times as many', flush=True)
    print(f'the first name of {sum(len(names) == 1 for names in best.values())} of {N_PEER} photos is the same')


def measure_cores(options, folder):
    """Two processes, each on a core, are as fast as two cores can be: they may have less than twice the clock of one that is alone. The ratios are medians over the
    rounds, in which all three follow each other; the one core is each in turn."""
    for verb in [options.verb] if options.verb else N_CORES:
        n, rates = N_CORES[verb], {'one': [], 'two': [], 'processes': []}
        command = (options.fovea, verb, MODELS[verb], link_photos(options.photos, folder / verb, n), '--json', '--threads')
        for i in range(N_CORES_ROUNDS):
            rates['one'].append(n / timed((*command, 1), cores=[[i % 2]])[0])
            rates['two'].append(n / timed((*command, 2))[0])
            rates['processes'].append(2 * n / timed((*command, 1), (*command, 1), cores=[[0], [1]])[0])
        one, two, processes = (statistics.median(rate) for rate in rates.values())
        by_two, by_processes = (statistics.median(many / few for many, few in zip(rates[which], rates['one'])) for which in ('two', 'processes'))
        print(f'{verb}: {one:.1f} photos a second on one core, {two:.1f} on two, {by_two:.2f} times as many; {processes:.1f} by two processes, {by_processes:.2f} times', flush=True)


def measure_memory(options, folder):
    for n in (1000, 10000):  # the most of all children so far: the larger one last
        photos = link_photos(options.photos, folder / f'photos-{n}', n)
        timed((options.fovea, 'classify', MODELS['classify'], photos, '--output-dir', folder / f'results-{n}', '--threads', 2))
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
    measurements = {'peer': measure_peer, 'cores': measure_cores, 'memory': measure_memory, 'gimp': measure_gimp}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('what', choices=measurements)
    parser.add_argument('photos', type=pathlib.Path)
    parser.add_argument('--fovea', type=pathlib.Path)
    parser.add_argument('--plugin', type=pathlib.Path)
    parser.add_argument('--verb', choices=N_CORES)
    options = parser.parse_args()
    if (options.plugin if options.what == 'gimp' else options.fovea) is None:
        parser.error('--plugin is missing' if options.what == 'gimp' else '--fovea is missing')
    with tempfile.TemporaryDirectory() as folder:
        measurements[options.what](options, pathlib.Path(folder))


if __name__ == '__main__':
    main()
