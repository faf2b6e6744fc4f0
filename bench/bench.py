#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measures Fovea beside the engines that its users could have instead, in one run.

    bench.py --peers DIR --networks DIR [--models a,b] [--engines x,y] [--threads 1,2] [--rounds N] [--json FILE]

Each engine loads the network in a process of its own, pinned to as many processors as it has threads. Then all of them run in turn, a burst each,
round after round (A B C A B C ...), so that whatever else slows the machine slows all alike; a burst during which the engine had to wait for its
processors is thrown away and run again. What counts is the median over all bursts. An engine whose answer differs from ONNX Runtime's own
unoptimized one by more than 1e-3 of the output's range has no time. README.md says how the programs are built.
"""

import argparse
import json
import math
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import tempfile
import time

import numpy

import report

# Engine -> its program in the folder of peers, and its options. "reference" only gives the answers.
ENGINES = {
    'fovea': ['fovea'],
    'onnxruntime': ['onnxruntime'],
    'onnxruntime+xnnpack': ['onnxruntime', 'xnnpack'],
    'opencv': ['opencv'],
    'ncnn': ['ncnn'],
    'pytorch': ['pytorch'],
    'pytorch (frozen)': ['pytorch', 'frozen'],
}
REFERENCE = ['onnxruntime', 'unoptimized']

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
BURST_MS = 80
TRIES = 6             # of a burst, while others use our processors
FOREIGN_SHARE = 0.02  # of a burst that we may have waited for a processor, or that the host took away


def waited(process, cpus):
    """Nanoseconds that the process's threads could have run but waited for a processor, and that the host kept the processors from us."""
    waiting = 0
    for thread in pathlib.Path(f'/proc/{process.pid}/task').iterdir():
        waiting += int((thread / 'schedstat').read_text().split()[1])
    for line in pathlib.Path('/proc/stat').read_text().splitlines():
        fields = line.split()
        if fields[0][:3] == 'cpu' and fields[0][3:].isdigit() and int(fields[0][3:]) in cpus:
            waiting += int(fields[8]) * 1_000_000_000 // os.sysconf('SC_CLK_TCK')
    return waiting


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

    def burst(self):
        """One burst; again, a few times, while somebody else is on our processors; the least disturbed one counts. Whether that was quiet."""
        best, least = None, math.inf
        for _ in range(TRIES):
            before = waited(self.process, self.cpus)
            times = self.ask(self.repeat)
            share = (waited(self.process, self.cpus) - before) / (1e6 * max(sum(times), 0.001))
            if share < least:
                best, least = times, share
            if share <= FOREIGN_SHARE:
                break
        self.times += best
        return least <= FOREIGN_SHARE

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def relative_error(ours, reference):
    if ours.size != reference.size:
        return math.inf
    spread = float(reference.max() - reference.min()) or 1.0
    return float(numpy.abs(ours - reference).max()) / spread


def empty_row(model, threads, engine):
    return {'model': model, 'threads': threads, 'engine': engine} | dict.fromkeys(
        ('median_ms', 'min_ms', 'max_error', 'load_ms', 'first_run_ms', 'peak_rss_mb'))


def measure(arguments, model, threads):
    """Rows for all engines on one network with one number of threads."""
    stem = arguments.networks / model
    size = math.isqrt(pathlib.Path(f'{stem}.input').stat().st_size // 12) # three channels, square
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
        row = empty_row(model, threads, engine.name)
        row['max_error'] = engine.max_error if math.isfinite(engine.max_error) else None
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
    return [empty_row(model, threads, 'ncnn (derived)') | {'median_ms': by_engine['onnxruntime'] * NCNN_RATIO[model][threads - 1]}]


def machine():
    """The processor's name, for tables."""
    for line in pathlib.Path('/proc/cpuinfo').read_text().splitlines():
        if line.startswith('model name'):
            return f'{line.split(":", 1)[1].strip()}, {os.cpu_count()} processors'
    return f'{platform.machine()}, {os.cpu_count()} processors'


def instructions():
    """What the engines may use here, for tables."""
    flags = pathlib.Path('/proc/cpuinfo').read_text().split()
    return os.environ.get('FOVEA_ISA') or next((isa for isa in ('avx512f', 'avx2', 'asimd') if isa in flags), platform.machine())


def limit_peers(isa):
    """FOVEA_ISA=avx2 holds those others to AVX2 that can be held; ONNX Runtime has no such switch."""
    if isa == 'avx2':
        os.environ |= {'ONEDNN_MAX_CPU_ISA': 'AVX2', 'ATEN_CPU_CAPABILITY': 'avx2',
                       'OPENCV_CPU_DISABLE': 'AVX512F,AVX512-COMMON,AVX512-SKX,AVX512-CNL,AVX512-CLX,AVX512-ICL'}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    listed = lambda text: text.split(',')
    parser.add_argument('--peers', type=pathlib.Path, required=True, help='folder of the engines\' programs')
    parser.add_argument('--networks', type=pathlib.Path, required=True, help='folder that networks.py has filled')
    parser.add_argument('--models', type=listed, help='the default: all that are in the folder of networks')
    parser.add_argument('--engines', type=listed, default=list(ENGINES))
    parser.add_argument('--threads', type=lambda text: [int(word) for word in text.split(',')], default=[1, 2])
    parser.add_argument('--rounds', type=int, default=15)
    parser.add_argument('--json', type=pathlib.Path)
    arguments = parser.parse_args()
    about = {'date': time.strftime('%Y-%m-%d'), 'machine': machine(), 'isa': instructions()}
    unknown = [name for name in arguments.engines if name not in ENGINES]
    models = arguments.models or [*NCNN_RATIO, *sorted(path.stem for path in arguments.networks.glob('*.input') if path.stem not in NCNN_RATIO)]
    missing = [name for name in models if not (arguments.networks / f'{name}.input').exists()]
    if unknown:
        parser.error(f'there is no engine {unknown[0]}: {", ".join(ENGINES)}')
    if missing:
        parser.error(f'there is no network {missing[0]} in {arguments.networks}')
    if max(arguments.threads) > len(os.sched_getaffinity(0)):
        parser.error(f'there are only {len(os.sched_getaffinity(0))} processors to run {max(arguments.threads)} threads on')

    limit_peers(about['isa'])
    rows = []
    for model in models:
        for threads in arguments.threads:
            print(f'measuring {model}, {threads} thread{"s" if threads > 1 else ""}', file=sys.stderr, flush=True)
            rows += [row | about for row in measure(arguments, model, threads)]
            if arguments.json:
                arguments.json.write_text(json.dumps(rows, indent=1) + '\n')
    print('\n'.join(report.text_table(rows)))


if __name__ == '__main__':
    main()
