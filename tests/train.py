# SPDX-License-Identifier: GPL-3.0-or-later
"""fovea train, evaluate, new: photos in folders, in a manifest and with masks become models that ONNX Runtime agrees on; what is killed goes on to the same bits;
bad data are named. Photos are drawn here: a disc, a square or stripes on a noisy ground. Argument: the command."""

import io
import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import time
import unittest

try:
    import numpy as np
    import onnx
    import onnx.numpy_helper
    from PIL import Image, ImageDraw
except ImportError as missing:
    print(f"{missing}: skipped")
    sys.exit(77)

import reduced

FOVEA = os.path.abspath(sys.argv[1])
BRIEF = reduced.is_brief(FOVEA) # a few steps of each kind of training; nothing is learned well by them
EPOCHS = 2 if BRIEF else 4 # of a training that is killed
KINDS = ["disc", "square", "stripes"]


def draw(kind, seed, size=72):
    """A photo and its mask."""
    chance = np.random.default_rng(seed)
    ground = chance.integers(0, 120, 3)
    photo = Image.fromarray((ground + chance.integers(0, 60, (size, size, 3))).astype(np.uint8))
    mask = Image.new("L", (size, size))
    x, y, r = chance.integers(18, size - 18), chance.integers(18, size - 18), chance.integers(9, 16)
    colour = tuple(int(c) for c in chance.integers(150, 255, 3))
    for canvas, fill in [(photo, colour), (mask, 1)]:
        pen = ImageDraw.Draw(canvas)
        if kind == "disc":
            pen.ellipse([x - r, y - r, x + r, y + r], fill=fill)
        elif kind == "square":
            pen.rectangle([x - r, y - r, x + r, y + r], fill=fill)
        else:
            for k in range(-r, r, 5):
                pen.rectangle([x - r, y + k, x + r, y + k + 1], fill=fill)
    return photo, mask


def fovea(*arguments, status=0):
    answer = subprocess.run([FOVEA, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=300, env={**os.environ, "LC_ALL": "C.UTF-8"})
    assert answer.returncode == status, (arguments, answer.returncode, answer.stderr.decode())
    return answer


class Train(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory()
        cls.folder = pathlib.Path(cls.temporary.name)
        for k, kind in enumerate(KINDS):
            (cls.folder / "folders" / kind).mkdir(parents=True)
            for i in range(40):
                draw(kind, 1000 * k + i)[0].save(cls.folder / "folders" / kind / f"{i:02}.png")
        (cls.folder / "pairs" / "images").mkdir(parents=True)
        (cls.folder / "pairs" / "masks").mkdir()
        for i in range(40):
            photo, mask = draw("disc", 5000 + i)
            photo.save(cls.folder / "pairs" / "images" / f"{i:02}.png")
            mask.save(cls.folder / "pairs" / "masks" / f"{i:02}.png")

        for kind in KINDS[:2]:
            (cls.folder / "few" / kind).mkdir(parents=True)
            for i in range(10):
                (cls.folder / "few" / kind / f"{i}.png").symlink_to(cls.folder / "folders" / kind / f"{i:02}.png")

        rows = []
        (cls.folder / "boxes").mkdir()
        for i in range(64):
            photo, mask = draw("disc" if i % 2 else "square", 7000 + i)
            left, top, right, bottom = mask.getbbox()
            photo.save(cls.folder / "boxes" / f"{i:02}.png")
            rows.append({"file": f"{i:02}.png", "split": "val" if i % 8 < 2 else "train",
                         "boxes": [["disc" if i % 2 else "square", left / 72, top / 72, (right - left) / 72, (bottom - top) / 72]]})
        (cls.folder / "boxes" / "manifest.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))

    @classmethod
    def tearDownClass(cls):
        cls.temporary.cleanup()

    def train(self, name, *more, data="folders", status=0):
        output = self.folder / f"{name}.onnx"
        if BRIEF and "--epochs" in more:
            at = more.index("--epochs") + 1
            more = (*more[:at], min(int(more[at]), EPOCHS), *more[at + 1:])
        answer = fovea("train", "--data", self.folder / data, "--output", output, "--size", 48, "--json", *more, status=status)
        return output, json.loads(answer.stdout), answer.stderr.decode()

    def assertLearned(self, better, worse):
        if not BRIEF:
            self.assertGreater(better, worse)

    def test_classes_are_learned_and_agree_with_onnxruntime(self):
        output, answer, _ = self.train("classes", "--epochs", 40, "--average", "0.9", "--validation", "0.25")
        self.assertLearned(answer["evaluation"]["accuracy"], 0.74)
        self.assertLearned(0.75 * answer["epochs"][0]["loss"], answer["epochs"][-1]["loss"])
        again = json.loads(fovea("evaluate", output, self.folder / "folders", "--split", "train", "--json").stdout)
        self.assertLearned(again["accuracy"], 0.79)
        self.assertEqual([c["label"] for c in again["per_class"]], KINDS)
        info = json.loads(fovea("info", output, "--json").stdout)
        self.assertEqual((info["task"], info["labels"]), ("classify", KINDS))
        self.assertFalse((self.folder / "classes.onnx.checkpoint").exists())
        self.check_against_onnxruntime(output)

    def check_against_onnxruntime(self, output, size=48):
        try:
            import onnxruntime
        except ImportError:
            self.skipTest("no ONNX Runtime")
        x = np.random.default_rng(1).normal(size=(2, 3, size, size)).astype(np.float32)
        np.save(self.folder / "x.npy", x)
        fovea("run", output, "--input", f"image={self.folder}/x.npy", "--output-dir", self.folder / f"{output.stem}-ours")
        ours = np.load(next((self.folder / f"{output.stem}-ours").glob("*.npy")))
        theirs = onnxruntime.InferenceSession(str(output)).run(None, {"image": x})[0]
        self.assertLess(np.abs(ours - theirs).max(), 1e-4 * np.ptp(theirs))

    def check_plain(self, output, photo, size, close=1e-4):
        """Exported, it says the same of the samples as they are, in ONNX Runtime and in Fovea."""
        plain = self.folder / f"{output.stem}-plain.onnx"
        fovea("export", output, "--output", plain)
        info = json.loads(fovea("info", plain, "--json").stdout)
        verb = {"classify": "classify", "detect": "locate", "segment": "evaluate"}[info["task"]]
        if verb == "evaluate":
            found = [json.loads(fovea(verb, model, self.folder / "pairs", "--split", "train", "--json").stdout) for model in (output, plain)]
            self.assertAlmostEqual(found[0]["iou"], found[1]["iou"], places=3)
        else:
            found = [json.loads(fovea(verb, model, photo, "--json").stdout)["images"][0] for model in (output, plain)]
            things = [{thing["label"]: thing["score"] for thing in one.get("classes", one.get("objects"))} for one in found]
            self.assertEqual(set(things[0]), set(things[1]))
            self.assertTrue(all(abs(things[0][name] - things[1][name]) < close for name in things[0]), things)
        try:
            import onnxruntime
        except ImportError:
            return
        samples = np.asarray(Image.open(photo).convert("RGB").resize((size, size), Image.BILINEAR), np.float32).transpose(2, 0, 1)[None]
        session = onnxruntime.InferenceSession(str(plain))
        answer = session.run(None, {session.get_inputs()[0].name: samples})[0]
        if verb != "locate":
            self.assertTrue(answer.min() >= 0 and answer.max() <= 1, (answer.min(), answer.max()))
        if verb == "classify":
            self.assertLess(abs(answer.max() - max(things[0].values())), 0.01)
            self.assertAlmostEqual(float(answer.sum()), 1, places=4)

    def test_a_base_gets_a_new_last_layer(self):
        base, _, _ = self.train("base", "--epochs", 25, "--average", "0.9")
        two = self.folder / "two"
        for kind in KINDS[:2]:
            (two / kind).mkdir(parents=True)
            for i in range(16):
                draw(kind, 9000 + 100 * len(kind) + i)[0].save(two / kind / f"{i}.png")
        output, answer, _ = self.train("head", "--base", base, "--trainable", "head", "--epochs", 15, "--average", "0.8", "--half", data="two")
        self.check_plain(output, two / "disc" / "0.png", 48)
        self.assertLearned(answer["evaluation"]["accuracy"], 0.74)
        # What was learned on features is what the whole network says, and half the bytes are enough.
        whole = json.loads(fovea("evaluate", output, two, "--split", "train", "--json").stdout)
        self.assertLearned(whole["accuracy"], 0.74)
        self.assertLess(output.stat().st_size, 0.65 * base.stat().st_size)
        self.check_against_onnxruntime(output)
        self.train("again", "--base", output, "--epochs", 1, data="two")

    def test_normalizations_stay_where_they_are_frozen(self):
        base, _, _ = self.train("norms-base", "--epochs", 2)
        frozen, _, _ = self.train("norms-frozen", "--base", base, "--frozen-norms", "--epochs", 2, "--average", "0")
        moved, _, _ = self.train("norms-moved", "--base", base, "--epochs", 2, "--average", "0")
        weights = [{tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in onnx.load(path).graph.initializer} for path in (base, frozen, moved)]
        norms = {name for node in onnx.load(base).graph.node if node.op_type == "BatchNormalization" for name in node.input[1:]}
        learned = {name for node in onnx.load(base).graph.node if node.op_type == "Conv" for name in node.input[1:2]}
        self.assertTrue(norms and learned)
        for name in norms | learned:
            self.assertEqual(np.array_equal(weights[0][name], weights[1][name]), name in norms, name)
        self.assertFalse(all(np.array_equal(weights[0][name], weights[2][name]) for name in norms))
        self.assertIn("give a base", fovea("train", "--data", self.folder / "folders", "--output", frozen, "--frozen-norms", status=2).stderr.decode())

    def move(self, base, name, *more, batch=64, data="folders"):
        """How far one step moves each weight of the base's convolutions and last layer, by name; and a last layer that is new, after it."""
        moved, _, _ = self.train(name, "--base", base, "--epochs", 1, "--batch", batch, "--no-balance", "--average", "0", "--weight-decay", "0", *more, data=data)
        before, after = ({tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in onnx.load(path).graph.initializer} for path in (base, moved))
        return {key: np.abs(after[key] - before[key]) for key in before if before[key].ndim > 1 and key in after}, after.get("head.weight")

    def test_the_optimizer_is_chosen(self):
        output, answer, _ = self.train("adamw", "--optimizer", "adamw", "--epochs", 40, "--average", "0.9", "--validation", "0.25")
        self.assertLearned(answer["evaluation"]["accuracy"], 0.74)
        self.assertEqual(answer["learning_rate"], 0.001)
        self.assertEqual(self.train("adamw-head", "--base", output, "--trainable", "head", "--optimizer", "adamw", "--epochs", 1, data="few")[1]["learning_rate"], 0.02)
        # AdamW's first step is as long as the rate, which begins at a fiftieth, whatever the gradients are; that of SGD is as the gradients are.
        for moves in self.move(output, "adamw-step", "--optimizer", "adamw", "--learning-rate", "0.05")[0].values():
            self.assertAlmostEqual(np.median(moves), 0.001, delta=1e-4)
        moves, _ = self.move(output, "sgd-step", "--optimizer", "sgd", "--learning-rate", "0.05")
        self.assertGreater(max(map(np.median, moves.values())), 3 * min(map(np.median, moves.values())))
        self.assertIn("sgd or adamw", self.train("usage", "--optimizer", "guess", status=2)[1]["error"])

    def test_layers_of_the_base_learn_more_slowly(self):
        base, _, _ = self.train("rated-base", "--epochs", 1)
        (all_moves, all_head), (moves, head) = (self.move(base, "rated", "--optimizer", "adamw", "--learning-rate", "0.05", "--base-rate", share, batch=16, data="few")
                                                for share in (1, 0.1))
        self.assertTrue(moves.keys() == all_moves.keys() and moves)
        for name in moves:
            self.assertGreater(np.median(all_moves[name]), 0.0005)
            np.testing.assert_allclose(10 * moves[name], all_moves[name], atol=1e-5)
        np.testing.assert_allclose(head, all_head, atol=1e-6) # from the same start it went as far
        for share, more, status in (0.1, [], 2), (0, ["--base", base], 1), (2, ["--base", base], 1):
            self.assertIn("base", self.train("refused", "--base-rate", share, *more, status=status)[1]["error"])

    def test_the_last_layer_is_named(self):
        base, _, _ = self.train("named-base", "--epochs", 1, data="few")
        layers = [node for node in onnx.load(base).graph.node if node.op_type in ("Conv", "Gemm")]
        shapes = {tensor.name: tensor.dims for tensor in onnx.load(base).graph.initializer}
        found = {}
        for layer in layers[-1], layers[-3]:
            output, _, _ = self.train("named", "--base", base, "--last-layer", layer.name, "--epochs", 1, data="few")
            found[layer.name] = [list(tensor.dims) for tensor in onnx.load(output).graph.initializer if tensor.name == "head.weight"]
            self.assertEqual(found[layer.name], [[2, shapes[layer.input[1]][1]]])
        self.assertNotEqual(*found.values())
        self.assertIn("no layer “nowhere”", self.train("refused", "--base", base, "--last-layer", "nowhere", data="few", status=1)[1]["error"])
        self.assertIn("name no layer", self.train("refused", "--last-layer", layers[-1].name, data="few", status=1)[1]["error"])

    def test_rare_classes_are_balanced(self):
        uneven, models = self.folder / "uneven", {}
        for kind, n in ("disc", 24), ("square", 6):
            (uneven / kind).mkdir(parents=True)
            for i in range(n):
                (uneven / kind / f"{i}.png").symlink_to(self.folder / "folders" / kind / f"{i:02}.png")
        for name, more in {"repeats": [], "weights": ["--balance", "weights"], "none": ["--balance", "none"], "no": ["--no-balance"]}.items():
            models[name] = self.answer(self.train(f"balance-{name}", "--size", 48, "--epochs", 1, "--batch", 8, *more, data="uneven")[0])
        self.assertEqual(models["none"], models["no"])
        self.assertEqual(len(set(models.values())), 3)
        self.assertIn("weights or none", self.train("usage", "--balance", "guess", status=2)[1]["error"])
        self.assertIn("classifiers only", self.train("usage", "--task", "detect", "--balance", "weights", data="boxes", status=1)[1]["error"])

    def test_the_rate_follows_its_schedule(self):
        rates = {}
        for schedule in "cosine", "step", "one-cycle", "constant":
            _, answer, _ = self.train("schedule", "--schedule", schedule, "--epochs=20", "--size", 16, "--batch", 4, "--learning-rate", "0.01", data="few")
            rates[schedule] = [epoch["learning_rate"] / 0.01 for epoch in answer["epochs"]]
        for rate, wanted in zip(rates["step"][1:], 11 * [1] + 5 * [0.1] + 3 * [0.01], strict=True):
            self.assertAlmostEqual(rate, wanted)
        self.assertEqual({round(rate, 9) for rate in rates["constant"][1:]}, {1})
        self.assertTrue(rates["cosine"][1] > 0.98 and 0.4 < rates["cosine"][9] < 0.65 and 0.002 <= rates["cosine"][19] < 0.01, rates["cosine"])
        self.assertTrue(rates["one-cycle"][0] < 0.15 and rates["one-cycle"][5] > 0.95 and rates["one-cycle"][19] < 0.01, rates["one-cycle"])
        self.assertIn("cosine, step", self.train("usage", "--schedule", "guess", status=2)[1]["error"])
        # A training doesn't go on with another one.
        self.train("rated", "--schedule", "step", "--epochs", 1, "--checkpoint", self.folder / "rated", data="few")
        self.assertIn("other settings", self.train("rated", "--epochs", 1, "--checkpoint", self.folder / "rated", data="few", status=1)[1]["error"])

    def test_boxes_are_learned_and_located(self):
        output, answer, _ = self.train("boxes", "--task", "detect", "--size", 96, "--epochs", 30, "--batch", 8, "--average", "0.9", "--crop", "0.7", data="boxes")
        self.assertLearned(answer["evaluation"]["ap50"], 0.5)
        self.assertLearned(answer["epochs"][0]["loss"], answer["epochs"][-1]["loss"])
        self.check_sheet(output, self.folder / "boxes")
        self.check_plain(output, self.folder / "boxes" / "00.png", 96, 0.01)
        again = json.loads(fovea("evaluate", output, self.folder / "boxes", "--json").stdout)
        self.assertAlmostEqual(again["ap50"], answer["evaluation"]["ap50"], places=3)
        self.assertEqual([(c["label"], c["n"]) for c in again["per_class"]], [("disc", 8), ("square", 8)])
        # What Locate says of a photo lies where the object is.
        info = json.loads(fovea("info", output, "--json").stdout)
        self.assertEqual((info["task"], info["family"], info["labels"]), ("detect", "yolov8", ["disc", "square"]))
        hits = 0
        for i in (0, 1, 8, 9, 16, 17, 24, 25):
            left, top, right, bottom = draw("disc" if i % 2 else "square", 7000 + i)[1].getbbox()
            found = json.loads(fovea("locate", output, self.folder / "boxes" / f"{i:02}.png", "--threshold", "0.1", "--json").stdout)["images"][0]["objects"]
            x, y, w, h = found[0]["box"] if found else (0, 0, 1, 1)
            both = max(0, min(right, x + w) - max(left, x)) * max(0, min(bottom, y + h) - max(top, y))
            hits += both / (w * h + (right - left) * (bottom - top) - both) > 0.5
        self.assertLearned(hits, 5)
        # It goes on with other classes: what it knows of the old ones is kept.
        rows = [json.loads(line) for line in (self.folder / "boxes" / "manifest.jsonl").read_text().splitlines()]
        (self.folder / "more").mkdir()
        for row in rows:
            row["file"] = "../boxes/" + row["file"]
            row["boxes"][0][0] = {"disc": "ball", "square": "square"}[row["boxes"][0][0]]
        (self.folder / "more" / "manifest.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        _, answer, _ = self.train("more", "--task", "detect", "--base", output, "--size", 96, "--epochs", 2, "--batch", 8, "--average", "0.5", "--crop", "0.7",
                                  "--learning-rate", "0.02", data="more")
        self.assertLearned([c["ap50"] for c in answer["evaluation"]["per_class"] if c["label"] == "square"][0], 0.3)
        self.check_against_onnxruntime(output, 96)

    def test_a_sheet_shows_what_training_sees(self):
        sheets = {}
        for name, more in {"plain": ["--no-augmentation"], "forms": ["--seed", 3], "again": ["--seed", 3], "others": ["--seed", 4], "boxes": ["--task", "detect"],
                           "masks": ["--task", "segment"]}.items():
            file = self.folder / f"sheet-{name}.png"
            data = self.folder / {"boxes": "boxes", "masks": "pairs"}.get(name, "folders")
            fovea("augment", "--data", data, "--sheet", file, "--size", 48, "--photos", 3, "--forms", 4, *more)
            sheets[name] = np.asarray(Image.open(file), np.int16)
            self.assertEqual(sheets[name].shape, (3 * 52 + 4, 5 * 52 + 4, 3), name)
        cells = {name: [[sheet[52 * row + 4:52 * row + 52, 52 * column + 4:52 * column + 52] for column in range(5)] for row in range(3)]
                 for name, sheet in sheets.items()}
        for row in range(3):
            for column in range(1, 5):
                self.assertTrue((cells["plain"][row][column] == cells["plain"][row][0]).all()) # nothing changes it
                self.assertGreater(np.abs(cells["forms"][row][column] - cells["forms"][row][0]).mean(), 3)
            self.assertTrue((cells["forms"][row][0] == cells["plain"][row][0]).all())
        self.assertTrue((sheets["forms"] == sheets["again"]).all())
        self.assertFalse((sheets["forms"] == sheets["others"]).all())
        # A mask's colour lies on the disc that it is of, a frame around a box. Photos to train on: 02, and those a third and two thirds on.
        for name in ("masks", "boxes"):
            plain = np.asarray(Image.open(self.folder / ("boxes/02.png" if name == "boxes" else "pairs/images/00.png")).resize((48, 48), Image.BILINEAR), np.int16)
            drawn = np.abs(cells[name][0][0] - plain).max(-1) > 40
            self.assertTrue(0.02 < drawn.mean() < 0.5, (name, drawn.mean()))
        self.assertIn("--data and --sheet", fovea("augment", "--data", self.folder, status=2).stderr.decode())
        fovea("augment", "--data", self.folder / "nowhere", "--sheet", self.folder / "no.png", status=1)
        self.assertFalse((self.folder / "no.png").exists())

    def draw_forms(self, name, *more, photos=3, forms=4):
        """Photos as they are, and beside them the forms, changed in no other way than that."""
        file = self.folder / f"forms-{name}.png"
        fovea("augment", "--data", self.folder / "folders", "--sheet", file, "--size", 64, "--photos", photos, "--forms", forms, "--crop", 1, "--stretch", 0, "--rotate", 0, "--no-flip",
              "--colour", 0, "--hue", 0, "--grayscale", 0, *more)
        sheet = np.asarray(Image.open(file), np.int16)
        return [[sheet[68 * row + 4:68 * row + 68, 68 * column + 4:68 * column + 68] for column in range(forms + 1)] for row in range(photos)]

    def test_photos_are_as_if_stored_as_jpeg(self):
        found = set()
        for plain, *forms in self.draw_forms("jpeg", "--jpeg", 1):
            for form in forms:
                away = {}
                for quality in range(10, 92):
                    file = io.BytesIO()
                    Image.fromarray(plain.astype(np.uint8)).save(file, "JPEG", quality=quality, subsampling=2)
                    away[quality] = np.abs(np.asarray(Image.open(file), np.int16) - form).mean()
                found.add(min(away, key=away.get))
                self.assertLess(min(away.values()), 2.5)
                self.assertGreater(max(away.values()), 2 * min(away.values()))
        self.assertTrue(len(found) > 6 and min(found) < 40 and max(found) > 60, found)
        for plain, form in self.draw_forms("never", "--jpeg", 0, forms=1):
            self.assertTrue((plain == form).all())

    def test_photos_exchange_rectangles(self):
        cells = self.draw_forms("cutmix", "--cutmix", 1)
        shares = []
        for row, partner in (0, 1), (1, 0), (2, 0):
            for form in cells[row][1:]:
                others = (form == cells[partner][0]).all(-1) & ~(cells[row][0] == cells[partner][0]).all(-1)
                self.assertTrue(((form == cells[row][0]).all(-1) | others).all())
                shares.append(others.mean())
                if others.any():
                    y, x = np.where(others)
                    self.assertGreater(others[y.min():y.max() + 1, x.min():x.max() + 1].mean(), 0.99) # a rectangle
        self.assertTrue(len(set(shares)) > 4 and max(shares) > 0.1, shares)
        mixed = self.draw_forms("mixup", "--mixup", 1)
        self.assertFalse(all((form == cells[0][0]).all() for row in mixed for form in row[1:2]))
        self.assertLess(np.abs(mixed[0][1] + mixed[1][1] - mixed[0][0] - mixed[1][0]).max(), 2) # what one has lost the other has got
        models = {self.answer(self.train("cut", "--epochs", 1, "--no-flip", *more, data="few")[0]) for more in ([], ["--mixup", 1], ["--cutmix", 1], ["--jpeg", 1])}
        self.assertEqual(len(models), 4) # all of it is trained on
        self.assertIn("mix whole photos", self.train("refused", "--base", self.folder / "cut.onnx", "--trainable", "head", "--cutmix", 1, status=1)[1]["error"].lower())

    def test_masks_are_learned(self):
        output, answer, _ = self.train("masks", "--task", "segment", "--arch", "cutout", "--size", 64, "--epochs", 16, "--batch", 8, "--average", "0.9", data="pairs")
        self.assertLearned(answer["evaluation"]["iou"], 0.6)
        self.check_sheet(output, self.folder / "pairs", "--split", "train")
        self.check_plain(output, self.folder / "pairs" / "images" / "00.png", 64)

    def check_sheet(self, model, data, *more):
        """Rows of the best, the middle and the worst photos, with something in each, and not the same."""
        fovea("evaluate", model, data, "--sheet", self.folder / "sheet.png", *more)
        sheet = np.asarray(Image.open(self.folder / "sheet.png").convert("RGB")).astype(int)
        step = (len(sheet) - 6) // 3
        photos = [sheet[row * step + 23:row * step + 263] for row in range(3)]  # without the title above and the words below
        for row in photos:
            self.assertGreater((row.min(axis=2) < 200).mean(), 0.05)
        self.assertFalse(np.array_equal(photos[0], photos[2]))

    def test_subjects_are_pasted_on_other_backgrounds(self):
        # All training photos are dark behind their subject; the ones to be judged by are striped, like the backgrounds that are offered.
        chance = np.random.default_rng(3)

        def striped():
            rows = chance.integers(60, 255, (12, 1, 3)).repeat(6, 0)
            return Image.fromarray(rows.repeat(72, 1).astype(np.uint8))

        (self.folder / "backgrounds").mkdir()
        for i in range(20):
            striped().save(self.folder / "backgrounds" / f"{i}.png")
        for part in "images", "masks":
            (self.folder / "striped" / part).mkdir(parents=True)
        for i in range(40):
            photo, mask = draw("disc", 7000 + i)
            behind = striped()
            behind.paste(photo, (0, 0), mask.point(lambda v: 255 * v))
            behind.save(self.folder / "striped" / "images" / f"{i}.png")
            mask.save(self.folder / "striped" / "masks" / f"{i}.png")
        scores = []
        for more in [], ["--backgrounds", self.folder / "backgrounds", "--paste", "0.7"]:
            output, _, _ = self.train("pasted", "--task", "segment", "--arch", "cutout", "--size", 64, "--epochs", 12, "--batch", 8, "--average", "0.9", *more, data="pairs")
            scores.append(json.loads(fovea("evaluate", output, self.folder / "striped", "--split", "train", "--json").stdout)["iou"])
        self.assertLearned(scores[1], scores[0] + 0.1)
        (self.folder / "empty").mkdir()
        self.assertIn("no photos", self.train("empty", "--task", "segment", "--backgrounds", self.folder / "empty", data="pairs", status=1)[1]["error"])

    def test_a_teacher_is_followed(self):
        teacher, _, _ = self.train("teacher", "--epochs", 20, "--average", "0.9")
        output, answer, _ = self.train("taught", "--teacher", teacher, "--epochs", 20, "--average", "0.9", "--size", 64)
        # The loss holds what is left of the teacher's features: 8 where nothing of them is known.
        self.assertGreater(answer["epochs"][0]["loss"], 6)
        self.assertLearned(0.75 * answer["epochs"][0]["loss"], answer["epochs"][-1]["loss"])
        self.assertLearned(answer["evaluation"]["accuracy"], 0.7)
        self.assertEqual(json.loads(fovea("info", output, "--json").stdout)["layers"][-1]["out"][-1], 3)
        self.check_against_onnxruntime(output)
        self.assertIn("learn as a whole", self.train("refused", "--teacher", teacher, "--base", teacher, "--trainable", "head", status=1)[1]["error"])

    def test_a_teacher_answers(self):
        teacher, _, _ = self.train("answers", "--epochs", 20, "--average", "0.9")
        # Without a label: all that is learned is what the teacher says.
        _, answer, _ = self.train("answered", "--teacher", teacher, "--distill", 1, "--epochs", 20, "--average", "0.9", "--size", 64)
        self.assertLearned(0.5 * answer["epochs"][0]["loss"], answer["epochs"][-1]["loss"])
        self.assertLearned(answer["evaluation"]["accuracy"], 0.5) # of 18 photos, three kinds: by the seed it is 0.66 to 0.89
        # Who says already what the teacher says has nothing to learn, also of two of its three classes; and it is asked about the photos as they are.
        text = self.folder / "answers.txt"
        text.write_text("conv 16 3 2\nconv 32 3 2\ninverted 48 2 3\nglobal\nlinear classes\n") # nothing by chance in it
        teacher, _, _ = self.train("answers", "--arch", text, "--epochs", 4, "--average", "0.9")
        same = ["--base", teacher, "--frozen-norms", "--teacher", teacher, "--epochs", 1, "--learning-rate", "1e-9", "--no-augmentation"]
        for data in "folders", "few":
            self.assertLess(self.train("same", *same, "--distill", 1, data=data)[1]["epochs"][0]["loss"], 1e-4, data)
        losses = [self.train("other", *same, "--distill", 1, "--size", 64, *more)[1]["epochs"][0]["loss"] for more in ([], ["--temperature", 1])]
        self.assertTrue(0 <= losses[0] < 1e-4 and 0 <= losses[1] < 1e-4, losses) # at another size, both see it
        fresh = [self.train("fresh", "--teacher", teacher, "--distill", 1, "--learning-rate", "1e-9", "--epochs", 1, "--no-augmentation", *more)[1]["epochs"][0]["loss"]
                 for more in ([], ["--temperature", 1])]
        self.assertTrue(min(fresh) > 0.001 and abs(fresh[0] - fresh[1]) > 1e-6, fresh) # how far apart they are depends on the processor
        two, _, _ = self.train("two", "--epochs", 1, data="few")
        for more, status, words in [(["--teacher", two, "--distill", 1], 1, "stripes"), (["--distill", 1], 2, "give --teacher"), (["--teacher", two, "--temperature", 2], 2, "give --distill"),
                                    (["--teacher", teacher, "--distill", 2], 1, "0 to 1"), (["--teacher", teacher, "--distill", 1, "--temperature", 0], 1, "0.1 to 100")]:
            self.assertIn(words, self.train("refused", "--epochs", 1, *more, status=status)[1]["error"])

    def test_the_loss_is_chosen(self):
        boxes, masks = ["--task", "detect", "--size", 64, "--batch", 8], ["--task", "segment", "--arch", "cutout", "--size", 64, "--batch", 8]
        for data, more, names in [("boxes", boxes, ["usual", "ciou", "smooth-l1"]), ("pairs", masks, ["usual", "lovasz", "focal", "l1"])]:
            losses = [self.train("lost", *more, "--epochs", 1, "--learning-rate", "1e-9", "--no-augmentation", "--loss", name, data=data)[1]["epochs"][0]["loss"] for name in names]
            self.assertEqual(len({round(loss, 4) for loss in losses}), len(names), (data, losses))
        plain = self.train("lost", *masks, "--epochs", 1, "--learning-rate", "1e-9", "--no-augmentation", data="pairs")[1]["epochs"][0]["loss"]
        self.assertEqual(plain, self.train("lost", *masks, "--epochs", 1, "--learning-rate", "1e-9", "--no-augmentation", "--loss", "usual", data="pairs")[1]["epochs"][0]["loss"])
        output, answer, _ = self.train("lovasz", *masks, "--epochs", 16, "--average", "0.9", "--loss", "lovasz", data="pairs")
        self.assertLearned(answer["evaluation"]["iou"], 0.6)
        for name, data, more, words in [("ciou", "pairs", masks, "is for boxes"), ("smooth-l1", "folders", [], "is for boxes"), ("lovasz", "boxes", boxes, "for masks"),
                                        ("lovasz", "folders", [], "for masks"), ("focal", "folders", [], "several tags"), ("focal", "boxes", boxes, "several tags"), ("l1", "folders", [], "masks of one class")]:
            self.assertIn(words, self.train("refused", *more, "--loss", name, data=data, status=1)[1]["error"])
        self.assertIn("usual, focal", self.train("usage", "--loss", "guess", status=2)[1]["error"])

    def test_sources_know_only_their_own_tags(self):
        with open(self.folder / "manifest.jsonl", "w") as manifest:
            for k, kind in enumerate(KINDS):
                for i in range(40):
                    manifest.write(json.dumps({"file": f"folders/{kind}/{i:02}.png", "labels": kind, "src": "a" if k < 2 else "b", "split": "val" if i >= 30 else "train"}) + "\n")
        (self.folder / "tags.txt").write_text("round thing = a:disc\nbox = a:square # corners\nany = a: b:\nlines = b:stripes | a\n")
        output = self.folder / "tags.onnx"
        answer = json.loads(fovea("train", "--data", self.folder / "manifest.jsonl", "--tags", self.folder / "tags.txt", "--output", output, "--size", 48, "--epochs", EPOCHS if BRIEF else 20,
                                  "--average", "0.9", "--json").stdout)
        rows = {row["label"]: row for row in answer["evaluation"]["per_class"]}
        self.assertEqual([row["n"] for row in rows.values()], [10, 10, 30, 10])
        self.assertLearned(answer["evaluation"]["map"], 0.8)
        self.assertEqual(json.loads(fovea("evaluate", output, self.folder / "manifest.jsonl", "--tags", self.folder / "tags.txt", "--json").stdout)["map"], answer["evaluation"]["map"])
        plain, mixed = (json.loads(fovea("train", "--data", self.folder / "manifest.jsonl", "--tags", self.folder / "tags.txt", "--output", self.folder / "mixed-tags.onnx", "--size", 48,
                                         "--epochs", 1, "--mixup", share, "--json").stdout)["epochs"][0]["loss"] for share in (0, 1))
        self.assertNotAlmostEqual(plain, mixed, 4) # photos of several tags are mixed, too

    def test_what_was_best_is_kept(self):
        """With patience the result is the network of the epoch that was best, also where the training has been stopped since; and what has ended has ended."""
        monitored = ["--monitor", "0.3", "--epochs", 30, "--patience", 3, "--learning-rate", "0.02", "--schedule", "constant", "--average", 0, "--seed", 3]
        checkpoint = self.folder / "patient"
        output, answer, _ = self.train("patient", *monitored, "--checkpoint", checkpoint)
        scores = [epoch["accuracy"] for epoch in answer["epochs"]]
        if BRIEF:
            self.assertEqual(len(scores), EPOCHS) # too few for the rest
            return
        best = scores.index(max(scores))
        self.assertEqual(len(scores), best + 4 if len(scores) < 30 else 30)
        self.assertLess(best, len(scores) - 1)
        self.assertEqual(self.answer(output), self.answer(pathlib.Path(f"{checkpoint}.best")))
        again, answer, _ = self.train("patient-again", *monitored, "--checkpoint", checkpoint)
        self.assertEqual((answer["epochs"], self.answer(again)), ([], self.answer(output)))
        last = self.train("impatient", *monitored[:2], "--epochs", len(scores), *monitored[6:])[0]
        self.assertNotEqual(self.answer(last), self.answer(output))
        for name, more, data in [("patient-too", [], "folders"), ("patient-head", ["--base", output, "--trainable", "head"], "few"),
                                 ("patient-boxes", ["--task", "detect", "--size", 64, "--batch", 8], "boxes")]:
            state = ["--epochs", 3, "--monitor", "0.3", "--patience", 2, *more]
            whole, _, _ = self.train(name, *state, data=data)
            self.assertFalse(list(self.folder.glob(f"{name}.onnx.*")))
            for _ in range(2): # the second time only what was kept is there
                on, answer, _ = self.train(f"{name}-on", *state, "--checkpoint", self.folder / name, data=data)
            self.assertEqual(answer["epochs"], [])
            weights = [{tensor.name: tensor.raw_data for tensor in onnx.load(path).graph.initializer} for path in (whole, on)]
            self.assertEqual(*weights, name)

    def test_killed_and_resumed_is_the_same_to_the_bit(self):
        self.check_resumed(5)

    def test_adamw_resumed_is_the_same_to_the_bit(self):
        self.check_resumed(4, "--optimizer", "adamw")

    def check_resumed(self, n, *more):
        n, epochs = (4 * n, 10 * EPOCHS) if reduced.ALL else (n, EPOCHS)
        environment = {**os.environ, "FOVEA_CHECKPOINT_SECONDS": "0"}
        whole, output, chance, killed = self.folder / "whole.onnx", self.folder / "killed.onnx", random.Random(4), 0

        def command(model, threads):
            return [FOVEA, "train", "--data", self.folder / "folders", "--output", model, "--size", "48", "--epochs", str(epochs), "--threads", str(threads), "--quiet", *more]

        begin = time.monotonic()
        subprocess.run(command(whole, 1), check=True, stdout=subprocess.DEVNULL, env=environment, timeout=200)
        took = time.monotonic() - begin
        checkpoint = self.folder / "killed.onnx.checkpoint"
        while killed < n:
            process = subprocess.Popen(command(output, 2), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)
            begin = checkpoint.stat().st_mtime_ns if checkpoint.exists() else None
            while killed % 2 and process.poll() is None and (not checkpoint.exists() or checkpoint.stat().st_mtime_ns == begin):
                time.sleep(0.005) # until it has got further, however slow the machine is
            try:
                process.wait(chance.uniform(0.02, min(0.5, 0.8 * took)))
                output.unlink() # it came to its end: once more from the start
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGINT if killed % 3 == 2 else signal.SIGKILL) # Ctrl+C, too
                process.wait()
                killed += 1
        subprocess.run(command(output, 2), check=True, stdout=subprocess.DEVNULL, env=environment, timeout=200)
        self.assertEqual(*[self.answer(path) for path in (whole, output)])

    def test_the_learning_rate_is_found(self):
        """Whatever was said of it; and what the search has learned is taken back: the same comes of the rate that it has found."""
        found, first, _ = self.train("found", "--epochs", EPOCHS, "--learning-rate", "0.000001", "--find-rate")
        rate = first["learning_rate"]
        self.assertTrue(0.002 < rate < 1, rate)
        told, second, _ = self.train("told", "--epochs", EPOCHS, "--learning-rate", repr(rate))
        self.assertEqual(second["learning_rate"], rate)
        answers = [np.load(io.BytesIO(self.answer(path))) for path in (found, told)]
        self.assertLess(np.abs(answers[0] - answers[1]).max(), 0.01 * np.ptp(answers[1]))
        base, _, _ = self.train("slow", "--epochs", EPOCHS, "--learning-rate", "0.000001")
        self.assertGreater(np.abs(np.load(io.BytesIO(self.answer(base))) - answers[1]).max(), 0.1 * np.ptp(answers[1]))
        rate = self.train("head-found", "--base", told, "--trainable", "head", "--epochs", EPOCHS, "--find-rate", "--no-augmentation")[1]["learning_rate"]
        self.assertTrue(0.002 < rate < 3, rate)

    def test_old_classes_are_kept_beside_new_ones(self):
        """A classifier goes on with one class more, at a rate that moves nothing: what it says of the old ones is as before."""
        old = self.folder / "old"
        for kind in ("disc", "stripes"):
            (old / kind).mkdir(parents=True)
            for i in range(20):
                (old / kind / f"{i}.png").symlink_to(self.folder / "folders" / kind / f"{i:02}.png")
        base, _, _ = self.train("old", "--epochs", 3, data="old")
        more, _, _ = self.train("old-and-new", "--base", base, "--frozen-norms", "--epochs", 1, "--learning-rate", "0.0000001")
        before, after = (np.load(io.BytesIO(self.answer(path))) for path in (base, more))
        self.assertEqual((before.shape, after.shape), ((3, 2), (3, 3)))
        self.assertLess(np.abs(after[:, [KINDS.index("disc"), KINDS.index("stripes")]] - before).max(), 0.001 * np.ptp(before))

        # And so it is where the last layer has been exchanged before.
        for half in ([], ["--half"]):
            fewer, _, _ = self.train("old-again", "--base", more, "--frozen-norms", "--epochs", 1, "--learning-rate", "0.0000001", *half, data="old")
            self.assertLess(np.abs(np.load(io.BytesIO(self.answer(fewer))) - before).max(), 0.01 * np.ptp(before))
            head, _, _ = self.train("old-head", "--base", fewer, "--trainable", "head", "--epochs", 15, "--average", "0.8", "--no-augmentation")
            whole = json.loads(fovea("evaluate", head, self.folder / "folders", "--split", "train", "--json").stdout)
            self.assertLearned(whole["accuracy"], 0.6)

    def check_kept(self, data, lead, classes, before, *more, base):
        """Files of trainings that keep nothing and a quarter of the base, once trained: what lies where in the second one. Rows of a new class are as trained."""
        checkpoint = self.folder / f"keep-{data}"
        command = ["--base", base, "--frozen-norms", "--epochs", 1, "--average", "0", "--checkpoint", checkpoint, *more]
        trained, _, _ = self.train("keep-none", *command, data=data)
        state = checkpoint.read_bytes()
        kept, answer, _ = self.train("keep-some", *command, "--keep-base", "0.25", data=data)
        self.assertEqual(state, checkpoint.read_bytes()) # nothing was trained again, and the state has the weights as they were learned
        base, trained, after = ({tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in onnx.load(path).graph.initializer} for path in (base, trained, kept))
        mixed = new = 0
        for name, weights in after.items():
            start, end = base.get(name), trained[name]
            last = weights.ndim in (1, 2, 4) and len(weights) == lead + len(classes)
            if last and start is None: # a classifier's new last layer, called otherwise
                start, = (one for one in base.values() if one.shape == (lead + len(before), *weights.shape[1:]))
            if not last and start is not None and start.shape == weights.shape:
                np.testing.assert_allclose(weights, 0.25 * start + 0.75 * end, rtol=1e-5, atol=1e-6, err_msg=name)
                mixed += not np.array_equal(start, end)
            elif last:
                for row, label in enumerate([None] * lead + classes):
                    old = row if row < lead else lead + before.index(label) if label in before else None
                    np.testing.assert_allclose(weights[row], end[row] if old is None else 0.25 * start[old] + 0.75 * end[row], rtol=1e-5, atol=1e-6, err_msg=f"{name} {row}")
                    new += old is None and not np.array_equal(end[row], np.zeros_like(end[row]))
        self.assertTrue(mixed > 4 and new > 0, (mixed, new))
        return kept, answer

    def test_a_share_of_the_base_is_kept(self):
        some = self.folder / "some"
        for kind in ("disc", "stripes"):
            (some / kind).mkdir(parents=True)
            for i in range(20):
                (some / kind / f"{i}.png").symlink_to(self.folder / "folders" / kind / f"{i:02}.png")
        base, _, _ = self.train("keep-base", "--epochs", 1, data="some")
        (self.folder / "kinds").mkdir()
        rows = [{"file": f"../folders/{kind}/{i:02}.png", "labels": kind, "split": "val" if i % 2 else "train"} for kind in KINDS for i in range(40)]
        (self.folder / "kinds" / "manifest.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        kept, answer = self.check_kept("kinds", 0, KINDS, ["disc", "stripes"], base=base)
        again = json.loads(fovea("evaluate", kept, self.folder / "kinds", "--json").stdout)
        self.assertEqual((again["accuracy"], again["per_class"]), (answer["evaluation"]["accuracy"], answer["evaluation"]["per_class"])) # of what was written
        boxes, _, _ = self.train("keep-boxes", "--task", "detect", "--size", 96, "--epochs", 1, "--batch", 8, data="boxes")
        (self.folder / "balls").mkdir()
        rows = (self.folder / "boxes" / "manifest.jsonl").read_text().replace('"disc"', '"ball"').replace('"file": "', '"file": "../boxes/')
        (self.folder / "balls" / "manifest.jsonl").write_text(rows)
        self.check_kept("balls", 4, ["ball", "square"], ["disc", "square"], "--task", "detect", "--size", 96, "--batch", 8, base=boxes)
        for more, status, words in [(["--base", base, "--keep-base", "0.5"], 1, "Freeze them"), (["--keep-base", "0.5"], 2, "give a base"),
                                    (["--base", base, "--keep-base", "2"], 1, "0 to 1"), (["--base", base, "--trainable", "head", "--keep-base", "0.5"], 1, "all of the base is kept")]:
            self.assertIn(words, self.train("refused", "--epochs", 1, *more, status=status)[1]["error"])

    def test_numbers_that_leave_all_bounds_ruin_nothing(self):
        """At rates that can't be, a training goes back, at half the rate, and learns, or says what to do; what comes out answers with numbers."""
        recovered = refused = 0
        for rate in ("1e5", "3e5", "1e6", "3e6", "1e30"):
            output = self.folder / f"bounds-{rate}.onnx"
            command = [FOVEA, "train", "--data", self.folder / "folders", "--output", output, "--size", "48", "--epochs", "1", "--batch", "4", "--learning-rate", rate, "--quiet"]
            process = subprocess.run(list(map(str, command)), capture_output=True, timeout=300, text=True)
            self.assertEqual(output.exists(), process.returncode == 0)
            if process.returncode == 0:
                recovered += "half the rate" in process.stderr
                self.assertTrue(np.isfinite(np.load(io.BytesIO(self.answer(output)))).all(), rate)
            else:
                self.assertIn("a tenth of the learning rate", process.stderr)
                refused += 1
        self.assertTrue(recovered >= 1 and refused >= 1, (recovered, refused))

    def test_answers_that_are_no_numbers_count_as_nothing(self):
        try:
            import onnx
        except ImportError:
            self.skipTest("no onnx")
        output, _, _ = self.train("whole-numbers", "--epochs", 1)
        model = onnx.load(str(output))
        bias = next(one for one in model.graph.initializer if list(one.dims) == [len(KINDS)])
        bias.CopyFrom(onnx.numpy_helper.from_array(np.full(len(KINDS), np.nan, np.float32), bias.name))
        onnx.save(model, str(output))
        self.assertIn("no numbers", fovea("evaluate", output, self.folder / "folders", "--split", "train", status=1).stderr.decode())

    def test_memory_of_training_is_said_beforehand(self):
        base, _, _ = self.train("measured", "--epochs", 1)
        small, large = (json.loads(fovea("info", base, "--train", "--batch", n, "--json").stdout)["plan"]["training_bytes"] for n in (4, 32))
        plan = json.loads(fovea("info", base, "--json").stdout)["plan"]
        self.assertNotIn("training_bytes", plan)
        self.assertGreater(small, plan["arena_bytes"])
        self.assertTrue(3 * small < large < 8 * small, (small, large))
        self.assertIn("a batch of 32", fovea("info", base, "--train", "--batch", 32).stdout.decode())
        fovea("info", base, "--train", "--batch", 0, status=2)

    def answer(self, model):
        """To the bit; the card in the file tells how long it took, so that the files differ."""
        np.save(self.folder / "fixed.npy", np.random.default_rng(2).normal(size=(3, 3, 48, 48)).astype(np.float32))
        answers = self.folder / f"{model.stem}-answers"
        fovea("run", model, "--input", f"image={self.folder}/fixed.npy", "--output-dir", answers)
        return next(answers.glob("*.npy")).read_bytes()

    def test_interrupted_within_moments_and_goes_on(self):
        output = self.folder / "stopped.onnx"
        command = [FOVEA, "train", "--data", self.folder / "folders", "--output", output, "--size", "64", "--epochs", "500", "--quiet"]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        while not (self.folder / "stopped.onnx.checkpoint").exists() and process.poll() is None:
            time.sleep(0.02)
        begin = time.monotonic()
        process.send_signal(signal.SIGINT)
        message = process.communicate(timeout=60)[1].decode()
        self.assertLess(time.monotonic() - begin, 5)
        self.assertEqual(process.returncode, 1)
        self.assertIn("goes on from here", message)
        self.assertTrue((self.folder / "stopped.onnx.checkpoint").exists() and not output.exists())
        self.assertIn("other settings", fovea("train", "--data", self.folder / "folders", "--output", output, "--size", 64, "--epochs", 5, status=1).stderr.decode())

    def test_bad_data_are_named(self):
        broken = self.folder / "broken"
        for kind in KINDS[:2]:
            (broken / kind).mkdir(parents=True)
            for i in range(12):
                draw(kind, i)[0].save(broken / kind / f"{i}.png")
        (broken / "disc" / "damaged.jpg").write_bytes(b"no photo")
        (broken / "disc" / "notes.txt").write_text("not a photo either")
        _, _, messages = self.train("broken", "--epochs", 2, data="broken")
        self.assertIn("damaged.jpg", messages)
        (self.folder / "one" / "disc").mkdir(parents=True)
        draw("disc", 1)[0].save(self.folder / "one" / "disc" / "1.png")
        for data, words in [("one", "only one class"), ("nothing here", "There is no"), ("pairs/masks", "No photo")]:
            self.assertIn(words, self.train("refused", "--epochs", 1, data=data, status=1)[1]["error"])
        for arguments in [["--epochs", "-1"], ["--task", "guess"], ["--crop", "0"], ["--batch", "-4"]]:
            self.train("usage", *arguments, status=2)
        self.assertIn("no architecture", self.train("arch", "--arch", "nonesuch", status=1)[1]["error"])
        self.assertIn("can't be kept", self.train("disk", "--epochs", 1, "--checkpoint", "/dev/full/x", status=1)[1]["error"])

    def test_rare_classes_are_said(self):
        boxes = json.loads((self.folder / "boxes" / "manifest.jsonl").read_text().splitlines()[2])
        rows = [{**boxes, "file": f"boxes/{boxes['file']}", "boxes": boxes["boxes"] * 6 + [["rare", 0.1, 0.1, 0.2, 0.2]] * n} for n in (1, 2)]
        (self.folder / "rare-boxes.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        for part in ("images", "masks"):
            (self.folder / "rare-pairs" / part).mkdir(parents=True)
            for i in range(4):
                (self.folder / "rare-pairs" / part / f"{i}.png").symlink_to(self.folder / "pairs" / part / f"{i:02}.png")
        more = ["--size", 64, "--validation", 0, "--epochs", 1, "--batch", 2]
        said = self.train("rare", "--task", "detect", *more, data="rare-boxes.jsonl")[2]
        self.assertIn("Class “rare” has 3 boxes to learn from", said)
        self.assertEqual(said.count("serve better"), 1, said)
        self.assertIn("only 4 photos with masks", self.train("rare", "--task", "segment", "--arch", "cutout", *more, data="rare-pairs")[2])
        self.assertNotIn("serve better", self.train("rare", "--task", "segment", "--arch", "cutout", *more, data="pairs")[2])

    def test_networks_are_built_from_text(self):
        for line in fovea("new", "--list").stdout.decode().splitlines():
            fovea("new", "--arch", line.split()[0], "--classes", 7, "--output", self.folder / "new.onnx")
        text = self.folder / "net.txt"
        text.write_text("conv 8 5 2 # comment\nmax\ninverted 16 2 3 5 squeeze\nglobal\nlinear classes\n")
        fovea("new", "--arch", text, "--classes", 3, "--channels", 1, "--output", self.folder / "mine.onnx")
        self.assertEqual(json.loads(fovea("info", self.folder / "mine.onnx", "--json").stdout)["layers"][-1]["out"][-1], 3)
        for wrong, words in [("conv", "a number is missing"), ("conv 8\nfly 3", "Line 2"), ("global\nconv 3", "needs pixels"), ("join nothing", "name a tensor"), ("", "no blocks"),
                             ("conv 999999", "999999"), ("dropout 2", "share")]:
            text.write_text(wrong)
            self.assertIn(words, fovea("new", "--arch", text, "--output", self.folder / "wrong.onnx", status=1).stderr.decode())


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
