# SPDX-License-Identifier: GPL-3.0-or-later
"""decode_masks.py TOOL FOVEA: the masks of every family against plain NumPy decoders, written from the papers and exporters, on random tensors; damaged tensors; and a
network of prototypes through the command, on a photo that isn't square."""

import json
import os
import subprocess
import sys
import tempfile
import unittest

try:
    import numpy as np
    from PIL import Image
    from random_tensors import RandomTensors, sigmoid, write_arguments
except ImportError as missing:
    print(f"{missing}: skipped")
    sys.exit(77)

import tiny_model  # noqa: E402

TOOL, FOVEA = (os.path.abspath(path) for path in sys.argv[1:3])
LEAST_WINS = 0.0005


def run(family, tensors, size=(64, 64), n_labels=0):
    """The process; the classes; the masks."""
    with tempfile.TemporaryDirectory() as folder:
        arguments = write_arguments(folder, tensors)
        out = os.path.join(folder, "out")
        done = subprocess.run([TOOL, family, str(size[0]), str(size[1]), str(n_labels), out, *arguments], capture_output=True, text=True, timeout=60)
        if done.returncode:
            return done, None, None
        width, height, *classes = (int(word) for word in done.stdout.split())
        return done, classes, np.fromfile(out, np.float32).reshape(len(classes), height, width)


def iou(a, b):
    width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    common = max(width, 0) * max(height, 0)
    return common / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - common)


def suppress(boxes, scores, labels, threshold=0.25, overlap=0.45):
    kept = []
    for i in np.argsort(-scores, kind="stable"):
        if scores[i] >= threshold and all(labels[i] != labels[j] or iou(boxes[i], boxes[j]) <= overlap for j in kept):
            kept.append(i)
    return kept[:64]


class Maps(RandomTensors, unittest.TestCase):
    def setUp(self):
        self.random = np.random.default_rng(11)

    def check(self, family, tensors, classes, masks, **more):
        done, found, shares = run(family, tensors, **more)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(found, list(classes))
        np.testing.assert_allclose(shares, masks, atol=2e-5)

    def test_shares(self):
        for family in ("selfie", "modnet"):
            x = self.uniform(1, 1, 20, 30, low=-0.2, high=1.2)
            self.check(family, {"y": x}, [0], x[0].clip(0, 1))
        x = self.uniform(1, 20, 30, 1)
        self.check("selfie", {"y": x}, [0], x[..., 0])
        self.check("selfie", {"y": x.astype(np.float16)}, [0], x[..., 0].astype(np.float16))

    def test_stretched(self):
        for family in ("u2net", "isnet", "saliency"):
            x = self.normal(1, 1, 24, 24, scale=3)
            self.check(family, {"d0": x, "d1": self.normal(1, 1, 24, 24)}, [0], (x[0] - x.min()) / (x.max() - x.min()))

    def test_logits(self):
        x = self.normal(1, 1, 24, 24, scale=3)
        self.check("birefnet", {"y": x}, [0], sigmoid(x[0]))
        self.check("birefnet", {"coarse": self.normal(1, 1, 6, 6), "finer": self.normal(1, 1, 24, 24), "y": x}, [0], sigmoid(x[0]))

    def expect_classes(self, x, first):
        e = np.exp(x - x.max(0))
        wins = np.bincount(x.argmax(0).ravel(), minlength=len(x))
        classes = [c for c in range(first, len(x)) if wins[c] >= LEAST_WINS * x[0].size]
        return classes, (e / e.sum(0))[classes]

    def test_classes(self):
        for family, n, first in (("human-seg", 2, 1), ("cloth", 4, 1), ("semantic", 21, 0)):
            x = self.normal(1, n, 40, 56, scale=2)
            x[:, n - 1] -= 20 if n > 4 else 0  # a class that wins no pixel
            self.check(family, {"out": x, "aux": self.normal(1, n, 40, 56)}, *self.expect_classes(x[0], first))
        x = self.normal(1, 40, 56, 5, scale=2)
        self.check("semantic", {"out": x}, *self.expect_classes(x[0].transpose(2, 0, 1), 0))

    def test_numbers(self):
        for shape, kind in (((1, 40, 56), np.int64), ((1, 1, 40, 56), np.int32), ((1, 40, 56, 1), np.uint8)):
            x = self.random.integers(0, 7, shape).astype(kind)
            x[x == 3] = 2
            rows = x.reshape(40, 56)
            self.check("semantic-indices", {"out": x}, [0, 1, 2, 4, 5, 6], np.stack([rows == c for c in (0, 1, 2, 4, 5, 6)]))

    # ---- objects

    def prototypes(self, boxes, coefficients, prototypes, size):
        h, w = prototypes.shape[1:]
        y, x = np.mgrid[0:h, 0:w]
        masks = []
        for (left, top, right, bottom), c in zip(boxes, coefficients):
            inside = (x >= left * w / size[0]) & (x < right * w / size[0]) & (y >= top * h / size[1]) & (y < bottom * h / size[1])
            masks.append(sigmoid(np.einsum("c,chw->hw", c, prototypes)) * inside)
        return np.array(masks)

    def boxes(self, n, size):
        centre, sides = self.uniform(n, 2) * size, 8 + self.uniform(n, 2) * np.array(size, np.float32) / 3
        return np.concatenate([centre, sides], 1), np.concatenate([centre - sides / 2, centre + sides / 2], 1)

    def test_prototypes(self):
        size, n, n_classes = (96, 64), 60, 5
        prototypes = self.normal(1, 32, 16, 24)
        centred, corners = self.boxes(n, size)
        coefficients, scores, objectness = self.normal(n, 32, scale=0.5), self.uniform(n, n_classes, high=0.6), self.uniform(n, low=0.5)
        labels = scores.argmax(1)

        def expect(score, classes):
            kept = suppress(corners, score, classes)
            self.assertGreater(len(kept), 5)
            return classes[kept], self.prototypes(corners[kept], coefficients[kept], prototypes[0], size)

        table = np.concatenate([centred, scores, coefficients], 1)[None]
        self.check("yolov8-seg", {"output0": table.transpose(0, 2, 1).copy(), "output1": prototypes}, *expect(scores.max(1), labels), size=size)
        table = np.concatenate([centred, objectness[:, None], scores, coefficients], 1)[None]
        self.check("yolov5-seg", {"output0": table, "output1": prototypes}, *expect(scores.max(1) * objectness, labels), size=size)
        table = np.concatenate([corners, scores.max(1)[:, None], labels[:, None], coefficients], 1)[None].astype(np.float32)
        self.check("yolo-end2end-seg", {"output0": table, "output1": prototypes}, *expect(scores.max(1), labels), size=size)

    def test_a_mask_each(self):
        size, n = (160, 96), 12
        _, corners = self.boxes(n, size)
        scores, labels, masks = self.uniform(n, low=0.1), self.random.integers(1, 6, n), self.uniform(n, 1, 28, 28)
        kept = suppress(corners, scores, labels)
        y, x = np.mgrid[0:24, 0:40] * 4.0 + 2
        expected = []
        for k in kept:
            left, top, right, bottom = corners[k].astype(np.float64)
            inside = (x >= left) & (x < right) & (y >= top) & (y < bottom)
            px, py = ((x - left) / (right - left) * 28 - 0.5).clip(0, 27), ((y - top) / (bottom - top) * 28 - 0.5).clip(0, 27)
            x0, y0 = px.astype(int), py.astype(int)
            x1, y1, fx, fy = (x0 + 1).clip(max=27), (y0 + 1).clip(max=27), px - x0, py - y0
            m = masks[k, 0]
            expected.append(((m[y0, x0] * (1 - fx) + m[y0, x1] * fx) * (1 - fy) + (m[y1, x0] * (1 - fx) + m[y1, x1] * fx) * fy) * inside)
        tensors = {"boxes": corners, "labels": labels, "scores": scores, "masks": masks}
        self.check("mask-rcnn", tensors, labels[kept] - 1, np.array(expected), size=size)
        whole = np.kron(self.uniform(n, 1, 24, 40), np.ones((4, 4), np.float32))  # as large as the input: no box is needed
        self.check("mask-rcnn", tensors | {"masks": whole}, labels[kept] - 1, whole[kept, 0, 2::4, 2::4], size=size)

    def test_no_objects(self):
        self.check("yolov8-seg", {"a": np.zeros((1, 41, 84), np.float32), "b": self.normal(1, 32, 16, 16)}, [], np.zeros((0, 16, 16)))
        self.check("mask-rcnn", {"boxes": np.zeros((0, 4), np.float32), "labels": np.zeros(0, np.int64), "scores": np.zeros(0, np.float32),
                                 "masks": np.zeros((0, 1, 28, 28), np.float32)}, [], np.zeros((0, 16, 16)))

    def test_wrong_shapes(self):
        boxes, labels, scores = self.uniform(5, 4, high=60), np.ones(5, np.int64), self.uniform(5)
        cases = [("yolov8-seg", {"a": self.uniform(1, 8, 84)}), ("yolov8-seg", {"a": self.uniform(1, 20, 84), "b": self.uniform(1, 32, 16, 16)}),
                 ("yolo-end2end-seg", {"a": self.uniform(1, 20, 6, low=0.5), "b": self.uniform(1, 32, 16, 16)}),
                 ("yolov8-seg", {"a": self.uniform(1, 40, 84, low=0.5), "c": self.uniform(1, 3), "b": self.uniform(1, 4000, 16, 16)}),
                 ("yolov8-seg", {"a": self.uniform(1, 40, 84, low=0.5), "b": self.uniform(2, 32, 16, 16)}),
                 ("yolov5-seg", {"a": self.uniform(84, 40), "b": self.uniform(1, 32, 16, 16)}), ("mask-rcnn", {"boxes": boxes, "labels": labels, "scores": scores}),
                 ("mask-rcnn", {"boxes": boxes, "labels": labels, "scores": scores, "masks": self.uniform(3, 1, 28, 28)}),
                 ("mask-rcnn", {"boxes": boxes, "labels": labels, "scores": scores, "masks": self.uniform(5, 3, 28, 28)}),
                 ("selfie", {"y": self.uniform(2, 1, 8, 8)}), ("semantic", {"y": self.uniform(8)})]
        for family, tensors in cases:
            done, _, _ = run(family, tensors)
            self.assertEqual(done.returncode, 1, (family, done.stdout[:200], done.stderr))
            self.assertTrue(done.stderr.strip().endswith("."), done.stderr)

    # ---- through the command

    def test_command(self):
        """Each class has a mask where its objects are on a letterboxed photo, whose pixels are two to one of the input's; Locate finds their boxes."""
        with tempfile.TemporaryDirectory() as folder:
            path, photo, masks = (os.path.join(folder, name) for name in ("objects.onnx", "photo.png", "masks"))
            with open(path, "wb") as file:
                file.write(tiny_model.three_objects())
            Image.new("RGB", (128, 64), (90, 120, 60)).save(photo)
            done = subprocess.run([FOVEA, "segment", path, photo, "--json", "--mask-dir", masks], capture_output=True, text=True, timeout=60)
            self.assertEqual(done.returncode, 0, done.stderr)
            areas = {mask["label"]: mask["area"] for mask in json.loads(done.stdout)["images"][0]["masks"]}
            self.assertEqual(list(areas), ["dog", "cat"])
            self.assertAlmostEqual(areas["dog"], 80 * 32 / (128 * 64), delta=0.01)
            self.assertAlmostEqual(areas["cat"], 16 * 16 / (128 * 64), delta=0.01)
            boxes = json.loads(subprocess.run([FOVEA, "locate", path, photo, "--json"], capture_output=True, text=True, timeout=60, check=True).stdout)
            self.assertEqual(sorted(item["label"] for item in boxes["images"][0]["objects"]), ["cat", "dog", "dog"])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
