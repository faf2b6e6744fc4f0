# SPDX-License-Identifier: GPL-3.0-or-later
"""The models in models/: each has a card whose numbers `fovea evaluate` prints again, answers as ONNX Runtime does, and comes out of its recipe (in a smoke run).
Arguments: the command, the folder models/. Needs the labelled photos of FOVEA_REFERENCE_DIR/data/photos."""

import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

try:
    import numpy as np
except ImportError as missing:
    print(f"{missing}: skipped")
    sys.exit(77)

from reduced import is_brief

FOVEA, MODELS = os.path.abspath(sys.argv[1]), pathlib.Path(sys.argv[2])
PHOTOS = pathlib.Path(os.environ.get("FOVEA_REFERENCE_DIR", "/nonexistent")) / "data" / "photos"
NAMES = sorted(path.parent.name for path in MODELS.glob("*/model.onnx"))
METRICS = {"tagger": "map", "cutout": "iou", "objects": "ap50"}
TAGS = {"tagger": "tags.txt", "objects": "classes.txt"}


def fovea(*arguments):
    return subprocess.run([FOVEA, *map(str, arguments)], check=True, capture_output=True, timeout=600).stdout


class BuiltInModels(unittest.TestCase):
    def test_every_model_has_its_papers(self):
        self.assertGreaterEqual(len(NAMES), 1)
        table = (MODELS / "README.md").read_text()
        for name in NAMES:
            for paper in "card.md", "recipe":
                self.assertTrue((MODELS / name / paper).is_file(), (name, paper))
            self.assertIn(f"[{name}]({name}/card.md)", table)
            self.assertLess((MODELS / name / "model.onnx").stat().st_size, 8 << 20)
            info = json.loads(fovea("info", MODELS / name / "model.onnx", "--json"))
            self.assertIn(info["task"], ("classify", "detect", "segment"))
            first = next(layer for layer in info["layers"] if layer["operator"] == "Conv")  # the weights, float16 behind a Cast, are its own
            self.assertEqual((info["layers"][0], first["receptive_field"]), (first, 3), name)
            self.assertEqual(first["parameters"], 3 * 9 * first["out"][1])

    def test_onnxruntime_agrees(self):
        try:
            import onnxruntime
        except ImportError:
            self.skipTest("no ONNX Runtime")
        for name in NAMES:
            path = MODELS / name / "model.onnx"
            session = onnxruntime.InferenceSession(str(path))
            sides = [side if isinstance(side, int) else 224 for side in session.get_inputs()[0].shape[2:]]
            x = np.random.default_rng(1).normal(size=(1, 3, *sides)).astype(np.float32)
            with tempfile.TemporaryDirectory() as folder:
                np.save(f"{folder}/x.npy", x)
                fovea("run", path, "--input", f"{session.get_inputs()[0].name}={folder}/x.npy", "--output-dir", f"{folder}/y")
                ours = np.load(next(pathlib.Path(folder, "y").glob("*.npy")))
            theirs = session.run(None, {session.get_inputs()[0].name: x})[0]
            self.assertLess(np.abs(ours - theirs).max(), 1e-4 * np.ptp(theirs), name)

    @unittest.skipUnless(PHOTOS.is_dir(), "no labelled photos")
    @unittest.skipIf(is_brief(FOVEA), "minutes under the address sanitizer, where train.py evaluates, too")
    def test_the_cards_numbers_are_true(self):
        for name in NAMES:
            metric = METRICS[name]
            said = re.search(rf"\*\*{metric} ([0-9.]+)\*\* on ([0-9]+) photos", (MODELS / name / "card.md").read_text())
            with tempfile.TemporaryDirectory() as folder:
                data, more = PHOTOS, ["--tags", MODELS / name / TAGS[name]] if name in TAGS else []
                if name != "tagger": # the recipe chooses the photos
                    subprocess.run([MODELS / name / "recipe", "--photos-only", "--work", folder, PHOTOS], check=True, timeout=120)
                    data = pathlib.Path(folder, "data")
                answer = json.loads(fovea("evaluate", MODELS / name / "model.onnx", data, *more, "--json"))
            self.assertAlmostEqual(answer[metric], float(said[1]), places=3, msg=name)
            self.assertEqual(answer["images"], int(said[2]), name)
            self.check_the_worst(name, answer)

    def check_the_worst(self, name, answer):
        """Where a card lists what the model is worst at, nothing is left out."""
        listed = re.search(r"Worst: (.*?)\.\n", (MODELS / name / "card.md").read_text(), re.DOTALL)
        if not listed:
            return
        said = [(label, float(value)) for label, value in re.findall(r"([a-z][a-z ]*) ([01]\.\d\d)", listed[1].replace("\n", " "))]
        worst = sorted(answer["per_class"], key=lambda row: row[METRICS[name]])[:len(said)]
        self.assertGreaterEqual(len(said), 10)
        self.assertCountEqual([label for label, _ in said], [row["label"] for row in worst])
        found = {row["label"]: row[METRICS[name]] for row in worst}
        for label, value in said:
            self.assertAlmostEqual(value, found[label], delta=0.0051, msg=label)

    @unittest.skipUnless(PHOTOS.is_dir(), "no labelled photos")
    @unittest.skipIf(is_brief(FOVEA), "minutes under the address sanitizer, where train.py trains, too")
    def test_the_recipes_work(self):
        for name in NAMES:
            with tempfile.TemporaryDirectory() as folder:
                answer = subprocess.run([MODELS / name / "recipe", "--smoke", "--fovea", FOVEA, "--work", folder, PHOTOS], check=True, capture_output=True, timeout=600)
                model = answer.stdout.decode().split()[-1]
                self.assertEqual(json.loads(fovea("info", model, "--json"))["labels"], json.loads(fovea("info", MODELS / name / "model.onnx", "--json"))["labels"])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
