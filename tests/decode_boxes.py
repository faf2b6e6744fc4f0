# SPDX-License-Identifier: GPL-3.0-or-later
"""decode_boxes.py TOOL: every family's decoder against a plain NumPy one, written from the papers and exporters, on random tensors; and damaged tensors."""

import os
import subprocess
import sys
import tempfile
import unittest

try:
    import numpy as np
    from random_tensors import RandomTensors, sigmoid, write_arguments
except ImportError as missing:
    print(f"{missing}: skipped")
    sys.exit(77)

TOOL = os.path.abspath(sys.argv[1])
LEAST = 0.01


def softmax(x):
    e = np.exp(x.astype(np.float64) - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def centred(x, y, w, h):
    return np.stack([x - w / 2, y - h / 2, x + w / 2, y + h / 2], -1)


def run(family, tensors, size=(64, 64), first_id=1, n_labels=0, anchors="-"):
    with tempfile.TemporaryDirectory() as folder:
        arguments = write_arguments(folder, tensors)
        return subprocess.run([TOOL, family, str(size[0]), str(size[1]), str(first_id), str(n_labels), anchors, *arguments], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, timeout=60)


def best(scores):
    return scores.argmax(-1), scores.max(-1)


class Decoders(RandomTensors, unittest.TestCase):
    def setUp(self):
        self.random = np.random.default_rng(7)

    def check(self, family, tensors, boxes, scores, labels, **more):
        """Boxes in the order of the network's rows; those with a score under LEAST must be missing, a little around it may."""
        answer = run(family, tensors, **more)
        self.assertEqual(answer.returncode, 0, answer.stderr)
        rows = np.array([line.split() for line in answer.stdout.splitlines()], np.float64).reshape(-1, 7)
        self.assertTrue((np.diff(rows[:, 4]) <= 0).all(), "not sorted")
        expected = np.flatnonzero(scores > LEAST * 1.001)
        self.assertGreater(len(expected), 5, "the case says nothing")
        self.assertLess(len(expected), 10000)
        found = {int(row[6]): row for row in rows}
        self.assertEqual(len(found), len(rows), "a row twice")
        self.assertLessEqual(set(expected), set(found))
        self.assertLessEqual(set(found), set(np.flatnonzero(scores > LEAST * 0.999)))
        got = np.stack([found[i] for i in expected])
        ordered = np.stack([np.minimum(boxes[:, :2], boxes[:, 2:]), np.maximum(boxes[:, :2], boxes[:, 2:])], 1).reshape(-1, 4)
        np.testing.assert_allclose(got[:, :4], ordered[expected], rtol=2e-4, atol=2e-3)
        np.testing.assert_allclose(got[:, 4], np.minimum(scores[expected], 1), rtol=2e-4, atol=1e-5)
        np.testing.assert_array_equal(got[:, 5], labels[expected])

    # ---- one table

    def test_yolov5(self):
        x = self.uniform(1, 252, 12)
        x[..., :4] *= 64
        label, score = best(x[0, :, 5:])
        self.check("yolov5", {"output": x}, centred(*x[0, :, :4].T), x[0, :, 4] * score, label)

    def test_yolov5_with_masks(self):
        x = self.uniform(1, 252, 5 + 3 + 32)
        x[..., :4] *= 64
        x[..., 8:] *= 100
        label, score = best(x[0, :, 5:8])
        self.check("yolov5-seg", {"output0": x, "output1": self.normal(1, 32, 16, 16)}, centred(*x[0, :, :4].T), x[0, :, 4] * score, label)

    def test_yolov8(self):
        for n_classes in (1, 80):
            x = self.uniform(1, 4 + n_classes, 300)
            x[:, :4] *= 64
            label, score = best(x[0, 4:].T)
            self.check("yolov8", {"output0": x}, centred(*x[0, :4]), score, label)

    def test_yolov8_half(self):
        x = self.uniform(1, 8, 84).astype(np.float16)
        label, score = best(x[0, 4:].T.astype(np.float32))
        self.check("yolov8", {"output0": x}, centred(*x[0, :4].astype(np.float32)), score, label)

    def test_yolov8_with_masks(self):
        x = self.uniform(1, 4 + 5 + 32, 84)
        x[:, 9:] += 50
        label, score = best(x[0, 4:9].T)
        self.check("yolov8-seg", {"output0": x, "output1": self.normal(1, 32, 16, 16)}, centred(*x[0, :4]), score, label)

    def test_yolov8_pose(self):
        x = self.uniform(1, 56, 84)
        x[:, 5:] *= 64
        self.check("yolov8-pose", {"output0": x}, centred(*x[0, :4]), x[0, 4], np.zeros(84))

    def test_yolov8_turned(self):
        x = self.uniform(1, 4 + 15 + 1, 84)
        x[:, :4] *= 64
        x[:, -1] = self.uniform(84, low=-1.5, high=1.5)
        label, score = best(x[0, 4:19].T)
        corners = []
        for cx, cy, w, h, angle in zip(*x[0, :4], x[0, -1]):
            turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
            points = np.array([[w, h], [w, -h], [-w, h], [-w, -h]]) / 2 @ turn.T + [cx, cy]
            corners.append([*points.min(0), *points.max(0)])
        self.check("yolov8-obb", {"output0": x}, np.array(corners), score, label)

    def test_end_to_end(self):
        for more in (0, 32, 51):
            x = self.uniform(1, 300, 6 + more)
            x[..., :4] *= 64
            x[..., 5] = self.random.integers(0, 80, 300)
            self.check("yolo-end2end", {"output0": x}, x[0, :, :4], x[0, :, 4], x[0, :, 5])

    def test_yolox(self):
        size, cells = (96, 64), []
        for s in (8, 16, 32):
            y, x = np.mgrid[0:size[1] // s, 0:size[0] // s]
            cells.append(np.stack([x.ravel(), y.ravel(), np.full(x.size, s)], -1))
        cells = np.concatenate(cells)
        raw = self.normal(1, len(cells), 5 + 80)
        raw[..., 4:] = self.uniform(1, len(cells), 81)
        label, score = best(raw[0, :, 5:])
        xy = (raw[0, :, :2] + cells[:, :2]) * cells[:, 2:]
        wh = np.exp(raw[0, :, 2:4]) * cells[:, 2:]
        self.check("yolox", {"output": raw}, centred(*xy.T, *wh.T), raw[0, :, 4] * score, label, size=size)
        done = np.concatenate([xy, wh, raw[0, :, 4:]], -1)[None].astype(np.float32)
        self.check("yolox", {"output": done}, centred(*xy.T, *wh.T), raw[0, :, 4] * score, label, size=size)

    # ---- anchors

    def grids(self, sizes, n_classes, order):
        """Tensors of the given layout, and the same values as (anchor, y, x, value)."""
        tensors, plain = {}, []
        for i, (h, w) in enumerate(sizes):
            values = self.normal(3, h, w, 5 + n_classes)
            plain.append(values)
            if order == "channels":
                tensors[f"g{i}"] = values.transpose(0, 3, 1, 2).reshape(1, -1, h, w).copy()
            elif order == "anchors first":
                tensors[f"g{i}"] = values[None]
            else:
                tensors[f"g{i}"] = values.transpose(1, 2, 0, 3)[None].copy()
        return tensors, plain

    def expect_grids(self, plain, size, anchors, spread, square):
        boxes, scores, labels = [], [], []
        anchors = np.array(anchors, np.float64).reshape(len(plain), 3, 2)
        for values, anchor, k in zip(plain, anchors, spread):
            _, h, w, _ = values.shape
            y, x = np.mgrid[0:h, 0:w]
            s = sigmoid(values)
            cx = (s[..., 0] * k - (k - 1) / 2 + x) * size[0] / w
            cy = (s[..., 1] * k - (k - 1) / 2 + y) * size[1] / h
            wh = (2 * s[..., 2:4]) ** 2 if square else np.exp(values[..., 2:4].astype(np.float64))
            wh = wh * anchor[:, None, None]
            label, score = best(s[..., 5:])
            boxes.append(centred(cx, cy, wh[..., 0], wh[..., 1]).reshape(-1, 4))
            scores.append((s[..., 4] * score).ravel())
            labels.append(label.ravel())
        return np.concatenate(boxes), np.concatenate(scores), np.concatenate(labels)

    V3 = [10, 13, 16, 30, 33, 23, 30, 61, 62, 45, 59, 119, 116, 90, 156, 198, 373, 326]
    V4 = [12, 16, 19, 36, 40, 28, 36, 75, 76, 55, 72, 146, 142, 110, 192, 243, 459, 401]
    TINY = [10, 14, 23, 27, 37, 58, 81, 82, 135, 169, 344, 319]

    def test_yolov3_grids(self):
        sizes = [(8, 12), (4, 6), (2, 3)]
        tensors, plain = self.grids(sizes, 4, "channels")
        turned = dict(reversed(list(tensors.items())))  # exporters give the coarsest first
        for given in (tensors, turned):
            self.check("yolov3-grids", given, *self.expect_grids(plain, (96, 64), self.V3, (1, 1, 1), False), size=(96, 64))

    def test_tiny_yolov3_grids(self):
        tensors, plain = self.grids([(4, 4), (2, 2)], 80, "channels")
        self.check("yolov3-grids", tensors, *self.expect_grids(plain, (64, 64), self.TINY, (1, 1), False))

    def test_yolov4(self):
        tensors, plain = self.grids([(8, 12), (4, 6), (2, 3)], 80, "anchors last")
        self.check("yolov4", tensors, *self.expect_grids(plain, (96, 64), self.V4, (1.2, 1.1, 1.05), False), size=(96, 64))

    def test_yolov5_grids(self):
        tensors, plain = self.grids([(8, 12), (4, 6), (2, 3)], 3, "anchors first")
        self.check("yolov5-grids", tensors, *self.expect_grids(plain, (96, 64), self.V3, (2, 2, 2), True), size=(96, 64))

    def test_own_anchors(self):
        tensors, plain = self.grids([(8, 8), (4, 4), (2, 2)], 3, "anchors first")
        own = list(range(5, 23))
        self.check("yolov5-grids", tensors, *self.expect_grids(plain, (64, 64), own, (2, 2, 2), True), anchors=",".join(map(str, own)))
        self.assertIn("anchors", run("yolov5-grids", tensors, anchors="1,2,3,4").stderr)

    def test_yolov2(self):
        anchors = np.array([1.08, 1.19, 3.42, 4.41, 6.63, 11.38, 9.42, 5.11, 16.62, 10.52]).reshape(5, 2) * 32
        values = self.normal(5, 25, 4, 4)
        y, x = np.mgrid[0:4, 0:4]
        s, classes = sigmoid(values), softmax(values[:, 5:].transpose(0, 2, 3, 1))
        wh = np.exp(values[:, 2:4].astype(np.float64)) * anchors[:, :, None, None]
        label, score = best(classes)
        self.check("yolov2", {"grid": values.reshape(1, 125, 4, 4)},
                   centred((s[:, 0] + x) * 32, (s[:, 1] + y) * 32, wh[:, 0], wh[:, 1]).reshape(-1, 4), (s[:, 4] * score).ravel(), label.ravel(),
                   size=(128, 128))

    def test_yolov3_in_graph(self):
        boxes, scores = self.uniform(1, 90, 4, high=64), self.uniform(1, 6, 90)
        label, score = best(scores[0].T)
        self.check("yolov3", {"boxes": boxes, "scores": scores, "indices": np.zeros((1, 3), np.int32)}, boxes[0][:, [1, 0, 3, 2]], score, label)

    # ---- SSD

    def test_ssd_finished(self):
        first = self.uniform(1, 1200, 2, high=0.5)
        boxes = np.concatenate([first, first + self.uniform(1, 1200, 2, high=0.5)], -1)
        scores = softmax(self.normal(1, 1200, 5)).astype(np.float32)
        label, score = best(scores[0, :, 1:])
        self.check("ssd", {"scores": scores, "boxes": boxes}, boxes[0] * [96, 64, 96, 64], score, label, size=(96, 64))
        self.check("ssd", {"boxes": boxes * np.float32([96, 64, 96, 64]), "scores": scores}, boxes[0] * [96, 64, 96, 64], score, label, size=(96, 64))

    @staticmethod
    def priors(side, maps, steps, sizes, ratios):
        out = []
        for k, cells in enumerate(maps):
            step = steps[k] if steps else side / cells
            for y in range(cells):
                for x in range(cells):
                    c = [(x + 0.5) * step / side, (y + 0.5) * step / side]
                    s, between = sizes[k] / side, np.sqrt(sizes[k] * sizes[k + 1]) / side
                    out += [[*c, s, s], [*c, between, between]]
                    for r in ratios[k]:
                        out += [[*c, s * np.sqrt(r), s / np.sqrt(r)], [*c, s / np.sqrt(r), s * np.sqrt(r)]]
        return np.array(out)

    def test_ssd_offsets(self):
        cases = [(self.priors(300, [38, 19, 10, 5, 3, 1], [8, 16, 32, 64, 100, 300], [30, 60, 111, 162, 213, 264, 315],
                              [[2], [2, 3], [2, 3], [2, 3], [2], [2]]), 300, 21, False),
                 (self.priors(300, [38, 19, 10, 5, 3, 1], [8, 16, 32, 64, 100, 300], [21, 45, 99, 153, 207, 261, 315],
                              [[2], [2, 3], [2, 3], [2, 3], [2], [2]]), 300, 81, False),
                 (self.priors(300, [19, 10, 5, 3, 2, 1], [16, 32, 64, 100, 150, 300], [60, 105, 150, 195, 240, 285, 330], [[2, 3]] * 6), 300, 3, True),
                 (self.priors(320, [20, 10, 5, 3, 2, 1], None, [64, 112, 160, 208, 256, 304, 320], [[2, 3]] * 6), 320, 91, True)]
        for priors, side, n_classes, logits in cases:
            offsets = self.normal(1, len(priors), 4)
            raw = self.normal(1, len(priors), n_classes, scale=3)
            probabilities = softmax(raw)
            label, score = best(probabilities[0, :, 1:])
            xy = priors[:, :2] + offsets[0, :, :2] * 0.1 * priors[:, 2:]
            wh = priors[:, 2:] * np.exp(offsets[0, :, 2:].astype(np.float64) * 0.2)
            self.check("ssd", {"boxes": offsets, "scores": raw if logits else probabilities.astype(np.float32)}, centred(*xy.T, *wh.T) * side, score, label,
                       size=(side, side))

    def test_ssd_tf(self):
        boxes, classes = self.uniform(1, 50, 4), self.random.integers(1, 91, (1, 50)).astype(np.float32)
        scores, n = np.sort(self.uniform(1, 50))[:, ::-1].copy(), 40
        scores[0, n:] = 0.9  # after the end: not to be read
        valid = np.where(np.arange(50) < n, scores[0], 0)
        tensors = {"detection_boxes": boxes, "detection_classes": classes, "detection_scores": scores, "num_detections": np.float32([n])}
        corners = boxes[0][:, [1, 0, 3, 2]] * [96, 64, 96, 64]
        self.check("ssd-tf", tensors, corners, valid, classes[0], size=(96, 64), first_id=0)
        self.check("ssd-tf", tensors, corners, valid, classes[0] - 1, size=(96, 64), first_id=1)
        scores = np.sort(self.uniform(1, 50))[:, ::-1].copy()
        unnamed = {"a": np.float32([50]), "b": boxes, "c": scores, "d": classes}
        self.check("ssd-tf", unnamed, corners, scores[0], classes[0], size=(96, 64), first_id=0)

    def test_detection_output(self):
        x = self.uniform(1, 1, 60, 7)
        x[..., 0] = 0
        x[..., 1] = self.random.integers(1, 21, 60)
        x[0, 0, 40, 0] = -1
        scores = np.where(np.arange(60) < 40, x[0, 0, :, 2], 0)
        self.check("detection-output", {"detection_out": x}, x[0, 0, :, 3:] * [96, 64, 96, 64], scores, x[0, 0, :, 1], size=(96, 64), first_id=0)

    # ---- faces

    def test_ultraface(self):
        scores = softmax(self.normal(1, 4420, 2)).astype(np.float32)
        boxes = np.concatenate([self.uniform(1, 4420, 2, low=-0.1, high=0.5), self.uniform(1, 4420, 2, low=0.5, high=1.1)], -1)
        for order in (("scores", "boxes"), ("boxes", "scores")):
            tensors = {name: {"scores": scores, "boxes": boxes}[name] for name in order}
            self.check("ultraface", tensors, boxes[0] * [320, 240, 320, 240], scores[0, :, 1], np.zeros(4420), size=(320, 240))

    def test_ultraface_offsets(self):
        size, priors = (320, 240), []
        for s, sides in ((8, (10, 16, 24)), (16, (32, 48)), (32, (64, 96)), (64, (128, 192, 256))):
            for y in range(-(-size[1] // s)):
                for x in range(-(-size[0] // s)):
                    priors += [[(x + 0.5) * s, (y + 0.5) * s, side] for side in sides]
        priors = np.array(priors)
        offsets, scores = self.normal(1, 4420, 4), softmax(self.normal(1, 4420, 2)).astype(np.float32)
        xy = priors[:, :2] + offsets[0, :, :2] * 0.1 * priors[:, 2:]
        wh = np.exp(offsets[0, :, 2:].astype(np.float64) * 0.2) * priors[:, 2:]
        self.check("ultraface", {"scores": scores, "boxes": offsets}, centred(*xy.T, *wh.T), scores[0, :, 1], np.zeros(4420), size=size)

    def test_yunet(self):
        tensors, boxes, scores = {}, [], []
        for s in (8, 16, 32):
            h, w = 64 // s, 96 // s
            classes, objects, box = self.uniform(1, h * w, 1, low=-0.2, high=1.2), self.uniform(1, h * w, 1), self.normal(1, h * w, 4)
            tensors |= {f"cls_{s}": classes, f"obj_{s}": objects, f"bbox_{s}": box, f"kps_{s}": self.normal(1, h * w, 10)}
            row, column = np.divmod(np.arange(h * w), w)
            boxes.append(centred((column + box[0, :, 0]) * s, (row + box[0, :, 1]) * s, np.exp(box[0, :, 2]) * s, np.exp(box[0, :, 3]) * s))
            scores.append(np.sqrt(np.clip(classes, 0, 1) * np.clip(objects, 0, 1))[0, :, 0])
        scores = np.concatenate(scores)
        self.check("yunet", tensors, np.concatenate(boxes), scores, np.zeros(len(scores)), size=(96, 64))

    # ---- pyramids

    def expect_nanodet(self, scores, bins, strides, size, shift):
        boxes = []
        for values, s in zip(bins, strides):
            h, w = -(-size[1] // s), -(-size[0] // s)
            row, column = np.divmod(np.arange(h * w), w)
            x, y = (column + shift) * s, (row + shift) * s
            d = (softmax(values[0].reshape(-1, 4, 8)) * np.arange(8)).sum(-1) * s
            boxes.append(np.stack([x - d[:, 0], y - d[:, 1], x + d[:, 2], y + d[:, 3]], -1))
        label, score = best(np.concatenate([value[0] for value in scores]))
        return np.concatenate(boxes), score, label

    def test_nanodet(self):
        for strides, n_classes in (((8, 16, 32), 80), ((8, 16, 32, 64), 5), ((8, 16, 32), 32)):
            cells = [(64 // s) * -(-128 // s) for s in strides]
            scores = [self.uniform(1, n, n_classes) for n in cells]
            bins = [self.normal(1, n, 32) for n in cells]
            tensors = {f"cls_{s}": v for s, v in zip(strides, scores)} | {f"dis_{s}": v for s, v in zip(strides, bins)}
            self.check("nanodet", tensors, *self.expect_nanodet(scores, bins, strides, (128, 64), 0.5), size=(128, 64))

    def test_nanodet_plus(self):
        strides = (8, 16, 32, 64)
        cells = [-(-96 // s) * -(-96 // s) for s in strides]
        scores, bins = [self.uniform(1, n, 7) for n in cells], [self.normal(1, n, 32) for n in cells]
        joined = np.concatenate([np.concatenate(scores, 1), np.concatenate(bins, 1)], -1)
        self.check("nanodet", {"data": joined}, *self.expect_nanodet(scores, bins, strides, (96, 96), 0), size=(96, 96))

    def test_retinanet(self):
        levels = [(8, 12, 16), (16, 6, 8), (32, 3, 4), (64, 2, 2), (128, 1, 1)]
        for logits in (False, True):
            tensors, boxes, scores, labels = {}, [], [], []
            for i, (s, h, w) in enumerate(levels):
                raw = self.normal(1, 9 * 4, h, w)
                tensors[f"cls{i}"] = raw if logits else sigmoid(raw).astype(np.float32)
                offsets = self.normal(9, 4, h, w, scale=0.5)
                tensors[f"zbox{i}"] = offsets.reshape(1, 36, h, w)
                label, score = best(sigmoid(raw.reshape(9, 4, h, w).transpose(0, 2, 3, 1)))
                for a in range(9):
                    scale, ratio = 4 * 2 ** (a // 3 / 3), (1, 2, 0.5)[a % 3]
                    aw = np.sqrt(s * s / ratio)
                    x1, y1, x2, y2 = (s - aw * scale) / 2, (s - aw * ratio * scale) / 2, (s + aw * scale) / 2, (s + aw * ratio * scale) / 2
                    y, x = np.mgrid[0:h, 0:w] * s
                    width, height = x2 - x1 + 1, y2 - y1 + 1
                    cx, cy = x + x1 + width / 2 + offsets[a, 0] * width, y + y1 + height / 2 + offsets[a, 1] * height
                    bw, bh = np.exp(offsets[a, 2]) * width, np.exp(offsets[a, 3]) * height
                    boxes.append(np.stack([cx - bw / 2, cy - bh / 2, cx + bw / 2 - 1, cy + bh / 2 - 1], -1).reshape(-1, 4))
                    scores.append(score[a].ravel())
                    labels.append(label[a].ravel())
            self.check("retinanet", dict(sorted(tensors.items())), np.concatenate(boxes), np.concatenate(scores), np.concatenate(labels), size=(128, 96))

    # ---- lists

    def test_detr(self):
        boxes, logits = self.uniform(1, 100, 4), self.normal(1, 100, 92, scale=3)
        corners = centred(*boxes[0].T) * [96, 64, 96, 64]
        label, score = best(softmax(logits)[0, :, :-1])
        self.check("detr", {"logits": logits, "pred_boxes": boxes}, corners, score, label, size=(96, 64))
        label, score = best(sigmoid(logits)[0])
        self.check("detr", {"logits": logits, "pred_boxes": boxes}, corners, score, label, size=(96, 64), n_labels=92)
        boxes, logits = self.uniform(1, 300, 4), self.normal(1, 300, 80)
        label, score = best(sigmoid(logits)[0])
        self.check("detr", {"pred_boxes": boxes, "logits": logits}, centred(*boxes[0].T) * 64, score, label)

    def test_numbered(self):
        boxes, labels, scores = self.uniform(40, 4, high=60), self.random.integers(1, 80, 40), self.uniform(40)
        for family, first in (("torchvision", 0), ("faster-rcnn", 1), ("mask-rcnn", 1)):
            self.check(family, {"boxes": boxes, "labels": labels, "scores": scores}, boxes, scores, labels - first, first_id=first)
        self.check("torchvision", {"scores": scores, "labels": labels, "boxes": boxes / 64}, boxes, scores, labels, first_id=0)
        self.check("rt-detr", {"labels": labels[None], "boxes": boxes[None], "scores": scores[None]}, boxes, scores, labels)

    # ---- what must be refused

    def refused(self, family, tensors, word="", **more):
        answer = run(family, tensors, **more)
        self.assertEqual(answer.returncode, 1, (family, answer.stdout[:200], answer.stderr))
        self.assertIn(word, answer.stderr)
        self.assertTrue(answer.stderr.strip().endswith("."), answer.stderr)

    FAMILIES = ("yolov5 yolov5-seg yolov8 yolov8-seg yolov8-pose yolov8-obb yolo-end2end yolo-end2end-seg yolox yolov2 yolov3-grids yolov4 yolov5-grids yolov3 ssd ssd-tf"
                " detection-output ultraface yunet nanodet retinanet detr rt-detr ssd-resnet torchvision faster-rcnn mask-rcnn").split()

    def test_wrong_shapes(self):
        shapes = [(), (1,), (3, 4), (1, 5), (2, 84, 3), (1, 1, 1), (1, 3, 5), (1, 2, 2, 2), (1, 3, 2, 2, 5), (1, 7, 1, 1, 1, 1)]
        for family in self.FAMILIES:
            for shape in shapes:
                for n in (1, 2, 3, 6, 10):
                    tensors = {f"t{i}": np.ones(shape, np.float32) for i in range(n)}
                    answer = run(family, tensors)
                    self.assertIn(answer.returncode, (0, 1), (family, shape, n, answer.stderr))
                    if n == 1 and family != "ssd-tf":
                        self.assertEqual(answer.returncode, 1, (family, shape))

    def test_no_classes(self):
        self.refused("yolov5", {"x": np.ones((1, 252, 5), np.float32)}, "score for each class")
        self.refused("yolov8", {"x": np.ones((1, 4, 84), np.float32)}, "score for each class")
        self.refused("yolov8-seg", {"x": np.ones((1, 36, 84), np.float32), "y": np.ones((1, 32, 16, 16), np.float32)}, "score for each class")
        self.refused("yolox", {"x": np.ones((1, 84, 5), np.float32)}, "score for each class")
        self.refused("detr", {"logits": np.ones((1, 100, 0), np.float32), "pred_boxes": np.ones((1, 100, 4), np.float32)})
        self.refused("ssd", {"scores": np.ones((1, 3000, 1), np.float32), "boxes": np.ones((1, 3000, 4), np.float32)})
        self.refused("yolov3", {"boxes": np.ones((1, 9, 4), np.float32), "scores": np.ones((1, 0, 9), np.float32), "indices": np.ones((0, 3), np.int64)})
        self.refused("fish", {"x": np.ones((1, 84, 85), np.float32)}, "family")

    def test_not_numbers(self):
        def spoiled(value, place):
            value = value.copy()
            value[place] = np.nan
            return value

        table = self.uniform(1, 84, 85)
        for place in ((0, 50, 0), (0, 50, 4), (0, 50, 5), (0, 83, 84)):
            whole = table.copy()
            whole[0, 50, 4:] = 1
            for family in ("yolov5", "yolox"):
                self.refused(family, {"x": spoiled(whole, place)}, "aren't numbers")
        self.refused("yolov8", {"x": spoiled(self.uniform(1, 9, 84), (0, 8, 83))}, "aren't numbers")
        grids, _ = self.grids([(8, 8), (4, 4), (2, 2)], 3, "anchors first")
        self.refused("yolov5-grids", grids | {"g0": spoiled(grids["g0"], (0, 0, 3, 3, 4))}, "aren't numbers")
        self.refused("detr", {"logits": spoiled(self.normal(1, 300, 80), (0, 9, 79)), "pred_boxes": self.uniform(1, 300, 4)}, "aren't numbers")
        self.refused("ultraface", {"scores": spoiled(self.uniform(1, 4420, 2), (0, 3, 1)), "boxes": self.uniform(1, 4420, 4)}, "aren't numbers", size=(320, 240))

    def test_huge_values(self):
        x = self.uniform(1, 84, 85)
        x[0, 3, 2:4], x[0, 3, 4:] = 1e30, 1
        answer = run("yolox", {"x": x})
        self.assertEqual(answer.returncode, 0)
        self.assertNotIn("inf", answer.stdout)

    def test_nothing_found(self):
        empty = {"boxes": np.zeros((0, 4), np.float32), "labels": np.zeros(0, np.int64), "scores": np.zeros(0, np.float32)}
        for family in ("torchvision", "faster-rcnn"):
            answer = run(family, empty)
            self.assertEqual((answer.returncode, answer.stdout), (0, ""))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[2:])
