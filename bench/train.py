#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measures how fast Fovea trains beside PyTorch, in one run, as bench.py does for answers.

    train.py --peers DIR --networks DIR [--models a,b] [--engines x,y] [--threads 1,2] [--rounds N] [--json FILE]

A run is a whole step: forward, loss, backward, SGD with Nesterov momentum and weight decay, on one fixed batch, batch normalization in training mode. An engine
whose first five losses are more than 1 % off PyTorch's has no time. The JSON is a list of rows: model shape batch threads engine median_ms peak_rss_mb date
machine isa.
"""

import argparse
import json
import math
import os
import pathlib
import statistics
import sys
import time

import numpy

import bench
import report

ENGINES = {
    'fovea': ['train-fovea'],
    'pytorch': ['train-pytorch'],
    'pytorch (channels last)': ['train-pytorch', 'channels-last'],
}
REFERENCE = 'pytorch'
MAX_ERROR = 0.01

# Name of the network as networks.py writes it, pixels of a side, photos of a batch.
RUNS = [('resnet18', 224, 16), ('resnet18', 160, 16), ('mobilenet_v2', 224, 16), ('mobilenet_v2', 160, 16), ('unet32', 256, 8)]


def relative_error(ours, reference):
    return float(numpy.abs(ours - reference).max() / abs(reference[0])) if ours.size == reference.size > 0 else math.inf


def measure(arguments, run, threads):
    """Rows for all engines on one network with one number of threads."""
    name, size, batch = run
    stem = arguments.networks / f'{name}_{size}'
    cpus = sorted(os.sched_getaffinity(0))[:threads]
    tail = [str(stem), f'{stem}.input', f'{batch}x3x{size}x{size}', str(threads)]
    engines = [bench.Engine(engine, [str(arguments.peers / words[0])] + tail + words[1:], cpus) for engine, words in ENGINES.items()
               if engine == REFERENCE or engine in arguments.engines]
    reference = next(engine for engine in engines if engine.name == REFERENCE)
    able = [engine for engine in engines if engine.alive and relative_error(engine.output, reference.output) <= MAX_ERROR and engine.name in arguments.engines]
    noisy = sum(not engine.burst() for _ in range(arguments.rounds) for engine in able)
    rows = []
    for engine in engines:
        engine.close()
        if engine.name in arguments.engines:
            rows.append({'model': name, 'shape': f'3x{size}x{size}', 'batch': batch, 'threads': threads, 'engine': engine.name,
                         'median_ms': statistics.median(engine.times) if engine in able else None, 'peak_rss_mb': engine.peak_rss_mb if engine in able else None})
    if noisy:
        print(f'{name} {size}, {threads} threads: {noisy} bursts were disturbed each time they were tried', file=sys.stderr)
    return rows


def text_table(rows):
    """Lines: images a second, how many times as many as the best of the others, and our memory as a share of the leanest one's."""
    cells = {}
    for row in rows:
        cells.setdefault((row['model'], row['shape'], row['batch'], row['threads']), {})[row['engine']] = row
    names = list(dict.fromkeys(row['engine'] for row in rows))
    lines = [f'{"images a second":34}' + ''.join(f'{name:>25}' for name in names) + f'{"fovea / best":>14}{"its memory":>12}']
    for (model, shape, batch, threads), cell in cells.items():
        timed = {name: row for name, row in cell.items() if row['median_ms']}
        peers = [row for name, row in timed.items() if name != report.US]
        line = f'{model:13}{shape:>10}{batch:>4}{threads:>4}   ' + ''.join(f'{1e3 * batch / timed[name]["median_ms"]:25.2f}' if name in timed else f'{"-":>25}' for name in names)
        if peers and report.US in timed:
            ours = timed[report.US]
            line += f'{min(row["median_ms"] for row in peers) / ours["median_ms"]:14.2f}{ours["peak_rss_mb"] / min(row["peak_rss_mb"] for row in peers):12.2f}'
        lines.append(line)
    return lines


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    listed = lambda text: text.split(',')
    models = list(dict.fromkeys(name for name, _, _ in RUNS))
    parser.add_argument('--peers', type=pathlib.Path, required=True, help='folder of the engines\' programs')
    parser.add_argument('--networks', type=pathlib.Path, required=True, help='folder that networks.py --train has filled')
    parser.add_argument('--models', type=listed, default=models)
    parser.add_argument('--engines', type=listed, default=list(ENGINES))
    parser.add_argument('--threads', type=lambda text: [int(word) for word in text.split(',')], default=[1, 2])
    parser.add_argument('--rounds', type=int, default=5)
    parser.add_argument('--json', type=pathlib.Path)
    arguments = parser.parse_args()
    for given, known, what in (arguments.models, models, 'network'), (arguments.engines, ENGINES, 'engine'):
        unknown = [name for name in given if name not in known]
        if unknown:
            parser.error(f'there is no {what} {unknown[0]}: {", ".join(known)}')
    if max(arguments.threads) > len(os.sched_getaffinity(0)):
        parser.error(f'there are only {len(os.sched_getaffinity(0))} processors to run {max(arguments.threads)} threads on')

    about = {'date': time.strftime('%Y-%m-%d'), 'machine': bench.machine(), 'isa': bench.instructions()}
    bench.limit_peers(about['isa'])
    bench.TRIES = 2 # a burst is a step of seconds, in which a disturbance counts for less
    rows = []
    for run in RUNS:
        for threads in arguments.threads if run[0] in arguments.models else []:
            print(f'training {run[0]} at {run[1]} pixels, {threads} thread{"s" if threads > 1 else ""}', file=sys.stderr, flush=True)
            rows += [row | about for row in measure(arguments, run, threads)]
            if arguments.json:
                arguments.json.write_text(json.dumps(rows, indent=1) + '\n')
    print('\n'.join(text_table(rows)))


if __name__ == '__main__':
    main()
