#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measures Fovea beside the engines that its users could have instead, in one run.

    bench.py --peers DIR --networks DIR [--models a,b] [--engines x,y] [--threads 1,2] [--rounds N] [--json FILE]

Each engine loads the network in a process of its own, pinned to as many processors as it has threads. Then all of them run in turn, a burst each,
round after round (A B C A B C ...), so that whatever else slows the machine slows all alike; a burst during which somebody else used those
processors is thrown away and run again. What counts is the median over all bursts. An engine whose answer differs from ONNX Runtime's own
unoptimized one by more than 1e-3 of the output's range has no time. README.md says how the programs are built.
"""

import argparse
import json
import math
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

import numpy

# Engine -> its program in the folder of peers, and its options. "reference" only gives the answers.
ENGINES = {
    'fovea': ['fovea'],
    'onnxruntime': ['onnxruntime'],
    'onnxruntime+xnnpack': ['onnxruntime', 'xnnpack'],
    'opencv': ['opencv'],
    'ncnn': ['ncnn'],
}
REFERENCE = ['onnxruntime', 'unoptimized']

SIZES = {'ssdlite320_mbv3l': 320, 'yolo_s_640': 640, 'lraspp_mbv3l_320': 320, 'deeplabv3_mbv3l_320': 320, 'deeplabv3_mbv3l_513': 513,
         'fcn_resnet18_320': 320, 'unet32_256': 256, 'unet32_512': 512}

# ncnn's time divided by ONNX Runtime's, one and two threads, measured side by side on a Zen 5: stands in where ncnn isn't installed.
NCNN_RATIO = {
    'squeezenet1_1': (1.232, 1.275), 'mobilenet_v2': (1.162, 1.122), 'mobilenet_v3_small': (0.766, 0.795),
    'mobilenet_v3_large': (0.899, 1.095), 'shufflenet_v2_x1_0': (1.063, 1.029), 'mnasnet1_0': (1.282, 1.491),
    'efficientnet_b0': (0.633, 0.639), 'resnet18': (0.986, 1.345), 'resnet50': (1.114, 1.267), 'vgg16': (0.568, 0.636),
    'ssdlite320_mbv3l': (0.952, 1.052), 'yolo_s_640': (0.790, 0.900), 'lraspp_mbv3l_320': (0.879, 0.862),
    'deeplabv3_mbv3l_320': (1.816, 2.010), 'deeplabv3_mbv3l_513': (1.500, 1.480), 'fcn_resnet18_320': (0.875, 1.018),
    'unet32_256': (0.671, 0.723), 'unet32_512': (0.641, 0.731),
}

MAX_ERROR = 1e-3
BURST_MS = 250
FOREIGN_SHARE = 0.04
CLOCK_TICKS = os.sysconf('SC_CLK_TCK')


def busy_ticks(cpus):
    """Clock ticks that the processors have spent on anything but idling."""
    busy = 0
    for line in pathlib.Path('/proc/stat').read_text().splitlines():
        fields = line.split()
        if fields[0][:3] == 'cpu' and fields[0][3:].isdigit() and int(fields[0][3:]) in cpus:
            ticks = [int(field) for field in fields[1:9]]
            busy += sum(ticks) - ticks[3] - ticks[4]
    return busy


class Engine:
    """One engine with one network in its own process."""

    def __init__(self, name, command, cpus):
        self.name, self.cpus, self.times, self.error = name, cpus, [], None
        output = tempfile.NamedTemporaryFile(delete=False)
        self.process = subprocess.Popen(['taskset', '-c', ','.join(map(str, cpus))] + command[:5] + [output.name] + command[5:],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        words = self.process.stdout.readline().split()
        self.alive = len(words) == 4 and words[0] == 'ready'
        self.output = numpy.fromfile(output.name, numpy.float32)
        os.unlink(output.name)
        if self.alive:
            self.load_ms, self.first_run_ms, self.peak_rss_mb = float(words[1]), float(words[2]), int(words[3]) / 1024
            self.repeat = max(1, round(BURST_MS / max(statistics.median(self.ask(3)), 0.01)))

    def ask(self, repeat):
        self.process.stdin.write(f'{repeat}\n')
        self.process.stdin.flush()
        return [float(word) for word in self.process.stdout.readline().split()]

    def own_ticks(self):
        fields = pathlib.Path(f'/proc/{self.process.pid}/stat').read_text().rsplit(')', 1)[1].split()
        return int(fields[11]) + int(fields[12])

    def burst(self):
        """One burst; again, a few times, while somebody else is on our processors. The last try counts, and is said."""
        for attempt in range(5):
            busy, own = busy_ticks(self.cpus), self.own_ticks()
            times = self.ask(self.repeat)
            elapsed = sum(times) / 1000 * CLOCK_TICKS * len(self.cpus)
            foreign = (busy_ticks(self.cpus) - busy) - (self.own_ticks() - own)
            if foreign <= max(2, FOREIGN_SHARE * elapsed):
                break
        self.times += times
        return attempt < 4

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def relative_error(ours, reference):
    if ours.size != reference.size:
        return math.inf
    spread = float(reference.max() - reference.min()) or 1.0
    return float(numpy.abs(ours - reference).max()) / spread


def measure(arguments, model, threads):
    """Rows for all engines on one network with one number of threads."""
    size = SIZES.get(model, 224)
    stem = arguments.networks / model
    cpus = sorted(os.sched_getaffinity(0))[:threads]
    tail = [str(stem), f'{stem}.input', f'1x3x{size}x{size}', str(threads)]

    def start(name, words):
        return Engine(name, [str(arguments.peers / words[0])] + tail + words[1:], cpus)

    reference = start('reference', REFERENCE)
    reference.close()
    engines = [start(name, ENGINES[name]) for name in arguments.engines if (arguments.peers / ENGINES[name][0]).exists()]
    noisy = 0
    for engine in engines:
        engine.max_error = relative_error(engine.output, reference.output) if engine.alive else math.inf
    able = [engine for engine in engines if engine.max_error <= MAX_ERROR]
    for _ in range(arguments.rounds):
        for engine in able:
            noisy += not engine.burst()
    rows = []
    for engine in engines:
        row = {'model': model, 'threads': threads, 'engine': engine.name, 'median_ms': None, 'min_ms': None,
               'max_error': engine.max_error if math.isfinite(engine.max_error) else None}
        if engine in able:
            row |= {'median_ms': statistics.median(engine.times), 'min_ms': min(engine.times), 'load_ms': engine.load_ms,
                    'first_run_ms': engine.first_run_ms, 'peak_rss_mb': engine.peak_rss_mb}
        rows.append(row)
        engine.close()
    rows += derived_ncnn(rows, model, threads)
    if noisy:
        print(f'{model}, {threads} threads: {noisy} bursts were disturbed each time they were tried', file=sys.stderr)
    return rows


def derived_ncnn(rows, model, threads):
    by_engine = {row['engine']: row['median_ms'] for row in rows}
    if 'ncnn' in by_engine or not by_engine.get('onnxruntime') or model not in NCNN_RATIO or threads > 2:
        return []
    return [{'model': model, 'threads': threads, 'engine': 'ncnn (derived)',
             'median_ms': by_engine['onnxruntime'] * NCNN_RATIO[model][threads - 1], 'min_ms': None, 'max_error': None}]


def print_table(rows):
    """A line per network and thread count: all medians, and how many times faster than the fastest peer we are; then the geometric means."""
    names = list(dict.fromkeys(row['engine'] for row in rows))
    cells = {(row['model'], row['threads'], row['engine']): row['median_ms'] for row in rows}
    print(f'{"network":22}{"threads":>8}' + ''.join(f'{name:>21}' for name in names) + f'{"fastest peer / fovea":>23}')
    ratios = []
    for model, threads in dict.fromkeys((row['model'], row['threads']) for row in rows):
        times = {name: cells.get((model, threads, name)) for name in names}
        line = f'{model:22}{threads:>8}' + ''.join(f'{times[name]:21.2f}' if times[name] else f'{"-":>21}' for name in names)
        peers = [time for name, time in times.items() if name != 'fovea' and time]
        if times.get('fovea') and peers:
            ratios.append(min(peers) / times['fovea'])
            line += f'{ratios[-1]:23.2f}'
        print(line)
    if ratios:
        print(f'geometric mean over {len(ratios)} cells: {math.exp(statistics.fmean(map(math.log, ratios))):.3f}, least {min(ratios):.3f}')


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    listed = lambda text: text.split(',')
    parser.add_argument('--peers', type=pathlib.Path, required=True, help='folder of the engines\' programs')
    parser.add_argument('--networks', type=pathlib.Path, required=True, help='folder that networks.py has filled')
    parser.add_argument('--models', type=listed, default=list(NCNN_RATIO))
    parser.add_argument('--engines', type=listed, default=list(ENGINES))
    parser.add_argument('--threads', type=lambda text: [int(word) for word in text.split(',')], default=[1, 2])
    parser.add_argument('--rounds', type=int, default=5)
    parser.add_argument('--json', type=pathlib.Path)
    arguments = parser.parse_args()

    rows = []
    for model in arguments.models:
        for threads in arguments.threads:
            print(f'measuring {model}, {threads} thread{"s" if threads > 1 else ""}', file=sys.stderr, flush=True)
            rows += measure(arguments, model, threads)
            if arguments.json:
                arguments.json.write_text(json.dumps(rows, indent=1) + '\n')
    print_table(rows)


if __name__ == '__main__':
    main()
