#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The reference models give ONNX Runtime's answers, on real photos, with every kernel table that this processor has.

    against_onnxruntime.py FOVEA

Every answer lies within 1e-4 of the output's range over the photos, and doesn't depend on the number of threads, bit for bit. Skipped where FOVEA_REFERENCE_DIR isn't set.
"""

import os
import pathlib
import subprocess
import sys
import tempfile

import numpy
import onnxruntime
from PIL import Image

from reduced import is_brief

# A table that isn't here would be the best one again.
TABLES = ['reference', 'neon'] if os.uname().machine == 'aarch64' else [
    'reference', 'sse2', *(name for name, flag in (('avx2', ' avx2 '), ('avx512', ' avx512vl ')) if flag in open('/proc/cpuinfo', encoding='utf-8').read())]
TOLERANCE = 1e-4
# A bird in front of little, a city of many small things, flowers that fill the picture.
PHOTOS = ('coco-000000257896', 'canyon-wren', 'singaporean-cityscape', 'blue-periwinkle')
# What a model's input is, in the photo's 0 to 255: scale and offset.
SCALES = {'version-RFB-320': (1 / 128, -127 / 128), 'version-RFB-320_simplified': (1 / 128, -127 / 128), 'selfie_segmentation': (1 / 255, 0)}


def make_input(session, name, photo):
    """The photo in the shape of the model's input, whatever that is."""
    shape = [size if isinstance(size, int) else 1 for size in session.get_inputs()[0].shape]
    nhwc = shape[-1] in (1, 3)
    height, width, channels = (shape[1], shape[2], shape[3]) if nhwc else (shape[2], shape[3], shape[1])
    image = Image.open(photo).convert('RGB' if channels == 3 else 'L').resize((width, height), Image.BILINEAR)
    pixels = numpy.asarray(image, numpy.float32).reshape(1, height, width, channels)
    scale, offset = SCALES.get(name, (1, 0))
    return numpy.ascontiguousarray(pixels if nhwc else pixels.transpose(0, 3, 1, 2)) * numpy.float32(scale) + numpy.float32(offset)


def run_fovea(fovea, model, name, value, folder, table, threads):
    numpy.save(folder / 'in.npy', value)
    subprocess.run([fovea, 'run', model, '--input', f'{name}={folder}/in.npy', '--output-dir', folder, '--threads', str(threads)], check=True,
                   env=os.environ | {'FOVEA_ISA': table})


def compare(path, outputs, found, expected, spreads, words):
    for output, ours, theirs, spread in zip(outputs, found, expected, spreads):
        error = float(numpy.abs(ours - theirs).max()) / spread
        assert ours.shape == theirs.shape, f'{path.stem}, {output}: shape {ours.shape}, not {theirs.shape}'
        assert error <= TOLERANCE, f'{path.stem}, {output}, {words}: error {error:.2e} of the range'


def check_model(fovea, path, photos, folder):
    """Each photo with each table; the first one with 1, 2 and 3 threads, the others with 3."""
    onnxruntime.set_default_logger_severity(4)
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(str(path), options, providers=['CPUExecutionProvider'])
    name = session.get_inputs()[0].name
    outputs = [output.name for output in session.get_outputs()]
    brief = is_brief(fovea)
    photos = photos[:1] if brief else photos
    values = [make_input(session, path.stem, photo) for photo in photos]
    answers = [session.run(outputs, {name: value}) for value in values]
    spreads = [float(max(map(numpy.max, all_of)) - min(map(numpy.min, all_of))) or 1.0 for all_of in zip(*answers)]
    for photo, value, expected in zip(photos, values, answers):
        for table in TABLES[1:3] if brief else TABLES:
            first = None
            for threads in [1, 2, 3] if photo is photos[0] and not brief else [3]:
                run_fovea(fovea, path, name, value, folder, table, threads)
                found = [numpy.load(folder / (output.replace('/', '_') + '.npy')) for output in outputs]
                compare(path, outputs, found, expected, spreads, f'{photo.stem}, {table}, {threads} threads')
                if first is not None:
                    assert all(numpy.array_equal(a, b) for a, b in zip(first, found)), f'{path.stem}, {table}: {threads} threads differ from one'
                first = first or found
    print(f'ok {path.stem}')


def main():
    reference = os.environ.get('FOVEA_REFERENCE_DIR')
    if not reference:
        print('FOVEA_REFERENCE_DIR is not set')
        return 77
    photos = [pathlib.Path(reference) / f'data/large/{name}.jpg' for name in PHOTOS]
    with tempfile.TemporaryDirectory() as folder:
        for path in sorted((pathlib.Path(reference) / 'models').glob('*.onnx')):
            check_model(sys.argv[1], path, photos, pathlib.Path(folder))
    return 0


if __name__ == '__main__':
    sys.exit(main())
