#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pixels learned from strokes: a made-up photo with a textured disc is painted with two strokes, learned, looked at, corrected, judged, saved, gone on from, and
answered by the command and ONNX Runtime alike.

    pixel_trainer.py PIXEL-TRAINER-TOOL FOVEA
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import numpy as np
import onnxruntime
from PIL import Image

TOOL, FOVEA = sys.argv[1:3]
MODELS = pathlib.Path(__file__).resolve().parent.parent / 'models'
WIDTH, HEIGHT = 300, 220


class Tool:
    """The tool's lines, one after the other."""

    def __init__(self):
        self.process = subprocess.Popen([TOOL], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def say(self, *words):
        self.process.stdin.write(' '.join(str(word) for word in words) + '\n')
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    def __call__(self, *words):
        answer = self.say(*words)
        assert answer.startswith('ok'), f'{words}: {answer}'
        return answer.split()[1:]

    def end(self):
        self.process.stdin.close()
        assert self.process.wait() == 0


def make_photo(seed):
    """A disc of one texture on another of the same mean colour, and the truth."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    truth = (x - 140 - 20 * seed) ** 2 + (y - 110) ** 2 < 70 ** 2
    stripes = 128 + 70 * np.sign(np.sin(x / 2.5))
    clouds = 128 + 25 * random.standard_normal((HEIGHT, WIDTH))
    gray = np.where(truth, stripes, clouds)
    return np.clip(np.stack([gray, gray * 0.9 + 10, gray * 1.1 - 10], -1), 0, 255).astype(np.uint8), truth


def overlap(mask, truth):
    found = mask > 0.5
    return (found & truth).sum() / (found | truth).sum()


def judge_strokes(folder, grid, base):
    """A part of each class is kept out, whatever the order of the strokes from top to bottom and however few a photo has; a run says meanwhile what it is worth."""
    tool, column, row = Tool(), int(140 / WIDTH * grid), grid // 2
    upper, left, lower, top = (slice(row - 40, row - 20), slice(column - 2, column + 3)), (slice(row - 5, row + 5), slice(5, 40)), \
        (slice(row + 20, row + 40), slice(column - 2, column + 3)), (slice(10, 14), slice(40, grid - 40))

    def paint(photo, *strokes):
        labels = np.full((grid, grid), 255, np.uint8)
        for place, kind in strokes:
            labels[place] = kind
        labels.tofile(folder / 'strokes')
        tool('labels', photo, folder / 'strokes')

    tool('new', base, WIDTH, 1, 'Background', 'Object')
    tool('photo', folder / 'photo', WIDTH, HEIGHT)
    tool('photo', folder / 'other', WIDTH, HEIGHT)
    paint(0, (top, 0), (upper, 1), (left, 0), (lower, 1))
    enough, accuracy, *_ = tool('judge')
    assert enough == '1' and float(accuracy) > 0.8, f'strokes of two classes in turn: {accuracy}'
    scores = tool('run')[2:]
    assert scores == ['-1.0000'], f'it was not to be judged meanwhile: {scores}'
    tool('judged', 10)
    scores = [float(score) for score in tool('run')[2:]]
    assert np.isnan(scores[0]) and all(0 <= score <= 1 for score in scores[1:]) and scores[-1] > 0.8, scores
    paint(0, (top, 0), (upper, 1))
    assert tool('judge')[0] == '0' and tool('run')[2:] == ['nan']
    paint(1, (left, 0), (lower, 1))
    enough, accuracy, *_ = tool('judge')
    assert enough == '1' and float(accuracy) > 0.6, f'a stroke of each class in each of two photos: {enough} {accuracy}'
    tool.end()


def draw_bars(seed):
    """Twelve megapixels of soft colours, ten bars 16 pixels wide in front, 16 pixels apart; and where they are."""
    random = np.random.default_rng(seed)
    soft = sum(np.asarray(Image.fromarray(random.integers(0, 256, (3 * scale, 4 * scale, 3), np.uint8)).resize((4000, 3000), Image.BICUBIC), np.float32) for scale in (8, 40, 200))
    bars = np.zeros((3000, 4000), bool)
    for left in range(1203, 1203 + 320, 32):
        bars[500:2500, left:left + 16] = True
    photo = np.where(bars[..., None], np.float32([120, 60, 40]), soft / 6 + 60) + random.normal(0, 12, bars.shape)[..., None]
    return np.clip(photo, 0, 255).astype(np.uint8), bars


def separate_bars(folder, base):
    """Strokes on two of ten bars and in two of their gaps, and the other bars are told from the other gaps: what is 16 pixels wide on a photo of twelve megapixels."""
    photo, bars = draw_bars(5)
    height, width = bars.shape
    photo.tofile(folder / 'bars')
    tool = Tool()
    grid = int(tool('new', base, width, 2, 'Background', 'Bar')[0])
    tool('photo', folder / 'bars', width, height)
    labels = np.full((grid, grid), 255, np.uint8)

    def stroke(kind, left, top, right, bottom):
        x, y = (np.array((left, right)) * grid // width).clip(0, grid - 1), (np.array((top, bottom)) * grid // height).clip(0, grid - 1)
        labels[y[0]:y[1] + 1, x[0]:x[1] + 1] = kind

    for left, top in ((1203 + 2 * 32 + 8, 600), (1203 + 6 * 32 + 8, 1500)):
        stroke(1, left, top, left, top + 450)
        stroke(0, left + 16, top + 200, left + 16, top + 700)
    for around in ((400, 200, 900, 200), (1400, 2700, 3000, 2700), (3000, 1500, 3000, 2000), (700, 300, 700, 2400)):
        stroke(0, *around)
    labels.tofile(folder / 'strokes')
    tool('labels', 0, folder / 'strokes')
    tool('run')
    tool('judge')  # and it is looked at again, as in the window
    tool('mask', 0, 1, folder / 'mask')
    tool.end()
    found = np.fromfile(folder / 'mask', np.float32).reshape(height, width) > 0.5
    others = [number for number in range(9) if number not in (2, 6)]
    on_bars, in_gaps = (np.mean([found[500:2500, 1203 + 32 * number + side:][:, :16].mean() for number in others]) for side in (0, 16))
    whole = overlap(found, bars)
    assert on_bars > 0.65 and in_gaps < 0.25 and whole > 0.6, f'bars {on_bars:.2f}, gaps {in_gaps:.2f}, overlap {whole:.2f}'
    return whole


def go_on(folder, base, labels):
    """A run that was cut off goes on where it was, to the same model; what it is worth is said as before. A checkpoint of another run is refused."""
    def begin(*classes, steps=1):
        tool = Tool()
        tool('new', base, WIDTH, 1, *classes)
        tool('photo', folder / 'photo', WIDTH, HEIGHT)
        tool('labels', 0, labels)
        tool('judged', steps)
        return tool

    def end(tool, name):
        tool('save', folder / name)
        tool.end()
        return (folder / name).read_bytes()

    tool = begin('Background', 'Object')
    seconds, steps, *scores = tool('run')
    whole, checkpoint, told = end(tool, 'whole.onnx'), folder / 'checkpoint', 'done'
    os.environ['FOVEA_CHECKPOINT_SECONDS'] = '0'
    for share in (2, 4, 8, 16):
        if told == 'done':
            checkpoint.unlink(missing_ok=True)
            tool = begin('Background', 'Object')
            tool('checkpoint', checkpoint)
            told = tool('cancel', int(1000 * float(seconds) / share))[0]
            tool.end()
    assert told != 'done' and checkpoint.exists(), 'no run was cut off'
    tool = begin('Background', 'Object')
    tool('checkpoint', checkpoint)
    _, left, *said = tool('run')
    assert int(left) < int(steps) and said[-1] == scores[-1] and end(tool, 'again.onnx') == whole, (left, said, scores)
    tool = begin('Background', 'Object', 'Edge')
    tool('checkpoint', checkpoint)
    assert 'another network or other settings' in (words := tool.say('run')), words
    tool.end()
    del os.environ['FOVEA_CHECKPOINT_SECONDS']


def main():
    with tempfile.TemporaryDirectory() as name:
        folder, tool = pathlib.Path(name), Tool()
        base = MODELS / 'tagger' / 'model.onnx'
        photo, truth = make_photo(0)
        other, other_truth = make_photo(1)
        photo.tofile(folder / 'photo')
        other.tofile(folder / 'other')

        grid = int(tool('new', base, WIDTH, 1, 'Background', 'Object')[0])
        assert tool('photo', folder / 'photo', WIDTH, HEIGHT)[0] == '0'

        # No stroke, one class, a class that isn't there: words.
        labels = np.full((grid, grid), 255, np.uint8)
        assert 'Nothing is painted' in tool.say('run')
        column, row = int(140 / WIDTH * grid), grid // 2
        labels[row - 20:row + 20, column] = 1
        labels.tofile(folder / 'labels')
        tool('labels', 0, folder / 'labels')
        assert 'Only one class' in (answer := tool.say('run')) and 'Background' in answer, answer
        labels[5, 5] = 9
        labels.tofile(folder / 'labels')
        assert 'class 9' in tool.say('labels', 0, folder / 'labels')
        assert 'Train first' in tool.say('look', 0, folder / 'answer')

        labels[5, 5] = 255
        labels[10:14, 40:grid - 40] = 0
        labels.tofile(folder / 'labels')
        tool('labels', 0, folder / 'labels')
        tool('run')
        _, x, y = tool('look', 0, folder / 'answer')
        shares = np.fromfile(folder / 'answer', np.float32).reshape(2, grid, grid)
        assert np.allclose(shares.sum(0), 1, atol=1e-5)
        assert (shares.argmax(0)[labels != 255] == labels[labels != 255]).all()
        assert labels[int(y), int(x)] == 255, 'the next stroke lies where nothing is painted'
        tool('mask', 0, 1, folder / 'mask')
        first = overlap(np.fromfile(folder / 'mask', np.float32).reshape(HEIGHT, WIDTH), truth)
        assert first > 0.5, first

        # Too few strokes to say; with two of each there is a score.
        assert tool('judge')[0] == '0'
        labels[row - 20:row + 20, column + 60] = 1
        labels[grid - 14:grid - 10, 40:grid - 40] = 0
        labels.tofile(folder / 'labels')
        tool('labels', 0, folder / 'labels')
        whole = float(tool('run')[0])
        enough, accuracy, *_ = tool('judge')
        assert enough == '1' and float(accuracy) > 0.7, accuracy

        tool('mask', 0, 1, folder / 'mask')
        second = overlap(np.fromfile(folder / 'mask', np.float32).reshape(HEIGHT, WIDTH), truth)
        assert second > 0.75, second
        stopped = [tool('cancel', int(1000 * whole / 5))[0] for _ in range(5)] # the best of them: a busy machine may let a run be done before it is cancelled
        assert min((float(one) for one in stopped if one != 'done'), default=whole) < whole / 4, (stopped, whole)

        judge_strokes(folder, grid, base)
        narrow = separate_bars(folder, MODELS / 'cutout' / 'model.onnx')
        go_on(folder, base, folder / 'labels')

        # The model: the command's masks and ONNX Runtime's, on the photo that it hasn't seen.
        model = folder / 'disc.onnx'
        tool('save', model)
        Image.fromarray(other).save(folder / 'other.png')
        answer = json.loads(subprocess.run([FOVEA, 'segment', model, folder / 'other.png', '--json', '--mask-dir', folder / 'masks'], check=True,
                                           capture_output=True, text=True).stdout)
        masks = {mask['label']: np.asarray(Image.open(folder / 'masks' / pathlib.Path(mask['file']).name).convert('L')) / 255 for mask in answer['images'][0]['masks']}
        assert set(masks) == {'Object'}, masks.keys()
        assert overlap(masks['Object'], other_truth) > 0.6
        side = 2 * grid
        sample = np.random.default_rng(5).standard_normal((1, 3, side, side)).astype(np.float32)
        np.save(folder / 'x.npy', sample)
        subprocess.run([FOVEA, 'run', model, '--input', f'image={folder}/x.npy', '--output-dir', folder / 'out'], check=True, capture_output=True)
        ours = np.load(next((folder / 'out').iterdir()))
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4
        theirs = onnxruntime.InferenceSession(str(model), options, providers=['CPUExecutionProvider']).run(None, {'image': sample})[0]
        assert np.abs(ours - theirs).max() <= 1e-4 * (theirs.max() - theirs.min()), np.abs(ours - theirs).max()

        # It goes on, with one class more; what it knew stays.
        tool('new', model, WIDTH, 2, 'Background', 'Object', 'Edge')
        tool('photo', folder / 'photo', WIDTH, HEIGHT)
        labels.tofile(folder / 'labels')
        tool('labels', 0, folder / 'labels')
        tool('mask', 0, 1, folder / 'mask')
        assert overlap(np.fromfile(folder / 'mask', np.float32).reshape(HEIGHT, WIDTH), truth) > 0.5
        tool('run')
        tool('classes', 'Object', 'Background')
        assert 'Nothing is painted' in tool.say('run')

        # The same strokes and seed make the same model, with any number of threads.
        models = []
        for threads in (1, 2):
            tool('new', base, WIDTH, threads, 'Background', 'Object')
            tool('photo', folder / 'photo', WIDTH, HEIGHT)
            tool('labels', 0, folder / 'labels')
            tool('run')
            tool('save', folder / f'{threads}.onnx')
            models.append((folder / f'{threads}.onnx').read_bytes())
        assert models[0] == models[1]

        # The card has the base's licence.
        shutil.copy(base, folder / 'licensed.onnx')
        (folder / 'licensed.json').write_text(json.dumps({'fovea': {'card': {'licence': 'CC-BY-4.0'}}}))
        tool('new', folder / 'licensed.onnx', WIDTH, 1, 'Background', 'Object')
        tool('photo', folder / 'photo', WIDTH, HEIGHT)
        tool('labels', 0, folder / 'labels')
        tool('run')
        tool('save', folder / 'own.onnx')
        assert b'"base_licence":"CC-BY-4.0"' in (folder / 'own.onnx').read_bytes()
        assert 'two classes' in tool.say('new', base, WIDTH, 1, 'Alone')
        assert 'Rename one' in tool.say('new', base, WIDTH, 1, 'A', 'A')
        tool.end()
    print(f'1..1\nok 1 - pixels from strokes (overlap {first:.2f} after two strokes, {second:.2f} after four; {narrow:.2f} for bars 16 pixels wide)')


if __name__ == '__main__':
    main()
