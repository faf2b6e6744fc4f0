# SPDX-License-Identifier: GPL-3.0-or-later
"""twin.py FOVEA MODELS: the recipes' PyTorch twin (models/twin) answers as Fovea does, says which cells answer for a box as a plain search does, takes from a teacher
what it sees, and what it has learned goes on with fovea train. Skipped without PyTorch."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

try:
    import numpy as np
    import onnx
    import torch
    from onnx import TensorProto, helper, numpy_helper
    from PIL import Image
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

FOVEA, MODELS = os.path.abspath(sys.argv[1]), pathlib.Path(sys.argv[2]).resolve()
sys.path.insert(0, str(MODELS / "twin"))
import objects
from network import Network, read_answer

OUTPUTS = {"tagger": None, "cutout": ["Resize_137"]}  # None: what the file answers with


def run(path, image, folder, name="image"):
    np.save(f"{folder}/x.npy", image)
    subprocess.run([FOVEA, "run", path, "--input", f"{name}={folder}/x.npy", "--output-dir", f"{folder}/y"], check=True, capture_output=True)
    return np.load(next(pathlib.Path(folder, "y").glob("*.npy")))


def search(scores, boxes, truth, classes, centres, reaches):
    """What assign does, one box and one cell at a time, on one photo."""
    n = len(centres)
    owner, score, claim = [-1] * n, [0.0] * n, [-1.0] * n
    for b, (left, top, right, bottom) in enumerate(truth.tolist()):
        if classes[b] < 0:
            continue
        inside = [i for i, (x, y) in enumerate(centres.tolist()) if left < x < right and top < y < bottom]
        middle = ((left + right) / 2, (top + bottom) / 2)
        inside = inside or [min(range(n), key=lambda i: np.hypot(centres[i][0] - middle[0], centres[i][1] - middle[1]) + 1e6 * reaches[i])]
        judged = []
        for i in inside:
            a = boxes[i].tolist()
            both = max(min(a[2], right) - max(a[0], left), 0) * max(min(a[3], bottom) - max(a[1], top), 0)
            same = both / ((a[2] - a[0]) * (a[3] - a[1]) + (right - left) * (bottom - top) - both)
            judged.append((1 / (1 + np.exp(-float(scores[i, classes[b]])))) ** 0.5 * same ** 4)
            judged[-1] = (judged[-1], same, i)
        best = sorted(judged, reverse=True)[:objects.N_CANDIDATES]
        for fit, same, i in best:
            if same > claim[i]:
                owner[i], claim[i], score[i] = b, same, max(s for _, s, _ in best) * fit / best[0][0]
    return owner, score


TAUGHT = ["person", "dog", "horse", "cup", "teddy bear", "kite"]


def make_teacher(path):
    """A YOLOX that looks at each place by itself, with random weights, its labels beside it."""
    random, nodes, tensors, ends = np.random.default_rng(5), [], [helper.make_tensor("all", TensorProto.INT64, [3], [0, 5 + len(TAUGHT), -1])], []
    for stride in objects.STRIDES:
        for part, n in ("box", 4), ("sure", 1 + len(TAUGHT)):
            weights = random.normal(size=(n, 3, stride, stride)).astype(np.float32) / (stride * stride * 100)
            tensors.append(numpy_helper.from_array(weights, f"{part}{stride}.weight"))
            nodes.append(helper.make_node("Conv", ["images", f"{part}{stride}.weight"], [f"{part}{stride}"], strides=[stride, stride], pads=[0, 0, 0, 0]))
        nodes += [helper.make_node("Sigmoid", [f"sure{stride}"], [f"share{stride}"]),
                  helper.make_node("Concat", [f"box{stride}", f"share{stride}"], [f"cells{stride}"], axis=1),
                  helper.make_node("Reshape", [f"cells{stride}", "all"], [f"flat{stride}"])]
        ends.append(f"flat{stride}")
    nodes += [helper.make_node("Concat", ends, ["flat"], axis=2), helper.make_node("Transpose", ["flat"], ["output"], perm=[0, 2, 1])]
    image = helper.make_tensor_value_info("images", TensorProto.FLOAT, [1, 3, "height", "width"])
    output = helper.make_tensor_value_info("output", TensorProto.FLOAT, None)
    onnx.save(helper.make_model(helper.make_graph(nodes, "teacher", [image], [output], tensors), opset_imports=[helper.make_opsetid("", 13)], ir_version=8), path)
    path.with_suffix(".labels.txt").write_text("\n".join(TAUGHT))


class Twin(unittest.TestCase):
    def test_answers_are_foveas(self):
        image = np.random.default_rng(1).normal(size=(1, 3, 96, 128)).astype(np.float32)
        for name, outputs in OUTPUTS.items():
            path = str(MODELS / name / "model.onnx")
            network = Network(path, outputs or [read_answer(path)]).eval()
            with torch.no_grad():
                theirs = network(torch.tensor(image))[0].numpy()
            with tempfile.TemporaryDirectory() as folder:
                network.save(f"{folder}/saved.onnx")
                for file in path, f"{folder}/saved.onnx":
                    self.assertLess(np.abs(run(file, image, folder) - theirs).max(), 1e-3 * np.ptp(theirs), file)

    def test_cells_answer_for_the_boxes_they_fit(self):
        random = torch.Generator().manual_seed(2)
        centres, reaches = objects.place_cells(96, "cpu")
        reach = torch.rand(len(centres), 4, generator=random) * 40 + 4
        boxes = torch.cat([centres - reach[:, :2], centres + reach[:, 2:]], 1)
        scores = torch.randn(len(centres), 3, generator=random)
        corner = torch.rand(6, 2, generator=random) * 60
        truth = torch.cat([corner, corner + torch.rand(6, 2, generator=random) * 36 + 1], 1)
        truth[2] = torch.tensor([33.0, 33.0, 35.0, 35.0])  # holds no centre
        classes = torch.tensor([0, 1, 2, -1, 1, -2])
        owner, score, ignored = (x[0] for x in objects.assign(scores[None], boxes[None], truth[None], classes[None], centres, reaches))
        expected, expected_score = search(scores, boxes, truth, classes, centres, reaches)
        self.assertEqual(owner.tolist(), expected)
        np.testing.assert_allclose(score, expected_score, atol=1e-5)
        self.assertIn(2, expected)
        inside = ((centres > truth[3, :2]) & (centres < truth[3, 2:])).all(1)
        self.assertEqual(ignored.tolist(), (inside & (owner < 0)).tolist())

    def test_a_teacher_says_what_it_sees(self):
        lesson = {"classes": ["person", "leaf", "dog", "animal", "cup"], "words": {"person": [0], "dog": [2], "horse": [3], "cup": [4]},
                  "animals": ["person", "dog", "horse", "teddy bear"]}
        photo = np.random.default_rng(3).random((64, 64, 3)).astype(np.float32)
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "teacher.onnx")
            make_teacher(path)
            teacher = objects.Teacher(path, lesson)
            answer = run(path, photo.transpose(2, 0, 1)[None, ::-1] * 255, folder, "images")[0]
        places = [(stride, x, y) for stride in objects.STRIDES for y in range(64 // stride) for x in range(64 // stride)]
        mammal = torch.tensor([float(i % 3 == 0) for i in range(len(places))])
        boxes, scores = (values[0].numpy() for values in teacher(torch.tensor(photo).permute(2, 0, 1)[None], mammal[None]))
        for i, ((stride, x, y), cell) in enumerate(zip(places, answer)):
            person, dog, horse, cup, bear, _ = cell[4] * cell[5:]
            expected = [0, 0, 0, max(person, dog, horse, bear), cup] if mammal[i] else [person, 0, dog, horse, cup]
            np.testing.assert_allclose(scores[i], expected, atol=1e-5)
            middle, half = (cell[:2] + [x, y]) * stride, np.exp(cell[2:4]) * stride / 2
            np.testing.assert_allclose(boxes[i], np.concatenate([middle - half, middle + half]), atol=1e-3)

    def test_what_was_learned_goes_on(self):
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            (folder / "img" / "disc").mkdir(parents=True)
            (folder / "mask").mkdir()
            rows = []
            at = np.arange(64)
            for i in range(8):
                disc = (at[:, None] - 20 - 3 * i) ** 2 + (at - 30) ** 2 < 200
                Image.fromarray(np.where(disc[..., None], [200, 40, 40 + i], [30, 90 + i, 160]).astype(np.uint8)).save(folder / f"img/disc/{i}.png")
                Image.fromarray(disc.astype(np.uint8)).save(folder / f"mask/{i}.png")
                rows.append({"file": f"img/disc/{i}.png", "src": "leaf", "labels": "leaf", "split": "val" if i == 7 else "train", "boxes": [["leaf", 0.2, 0.2, 0.5, 0.5]],
                             "mask": f"mask/{i}.png", "fg": 0.2})
            (folder / "manifest.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
            (folder / "behind").symlink_to(folder / "img" / "disc")
            (folder / "more.jsonl").write_text(json.dumps({**rows[0], "src": "flowers", "boxes": []}) + "\n")
            make_teacher(folder / "teacher.onnx")
            twin = [sys.executable, str(MODELS / "twin" / "learn.py")]
            subprocess.run([sys.executable, MODELS / "twin" / "pack.py", folder / "pack", f"tagger={folder}:{MODELS / 'tagger' / 'tags.txt'}",
                            f"objects={folder}:{MODELS / 'objects' / 'classes.txt'}:{folder / 'more.jsonl'}", f"cutout={folder}:{folder / 'behind'}"], check=True, capture_output=True)
            packed = json.loads((folder / "pack" / "index.json").read_text())["objects"]
            n_classes = len(packed["classes"])
            self.assertEqual([sample["taught"] for sample in packed["samples"]], [False] * 7 + [True])
            subprocess.run([FOVEA, "new", "--arch", "objects", "--classes", str(n_classes), "--output", folder / "new.onnx"], check=True, capture_output=True)
            for task, base, more in ("objects", folder / "new.onnx", ["--tags", MODELS / "objects" / "classes.txt"]), ("cutout", MODELS / "cutout" / "model.onnx", []):
                learned = folder / f"{task}.onnx"
                subprocess.run([*twin, task, "--pack", folder / "pack", "--base", base, "--also", MODELS / "tagger" / "model.onnx", "--minutes", "0.02", "--size", "64", "--batch", "4",
                                "--teacher", folder / "teacher.onnx", "--output", learned], check=True, capture_output=True)
                self.assertNotEqual(onnx.load(learned).graph.initializer, onnx.load(base).graph.initializer)
                subprocess.run([FOVEA, "train", "--task", "detect" if task == "objects" else "segment", "--data", folder, *more, "--base", learned, "--epochs", "1", "--batch",
                                "4", "--size", "64", "--output", folder / "on.onnx", "--quiet"], check=True, capture_output=True)
                (folder / "on.onnx").unlink()


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
