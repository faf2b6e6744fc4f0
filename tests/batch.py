# SPDX-License-Identifier: GPL-3.0-or-later
"""Many photos through the fovea command: folders, lists, shares, photos that can't be read, files that are whole or absent, memory. Arguments: the command."""

import csv
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

import tiny_model

try:
    from PIL import Image
except ImportError as missing:
    print(f"{missing}: skipped")
    sys.exit(77)

FOVEA = os.path.abspath(sys.argv[1])
COLOURS = {"red": (255, 0, 0), "green": (0, 255, 0), "blue": (0, 0, 255)}
N_LINKS = 10000 if os.environ.get("FOVEA_TEST_ALL") else 2000


def fovea(*arguments, given=None, cwd=None):
    return subprocess.run([FOVEA, *arguments], input=given, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=cwd, timeout=300,
                          env={**os.environ, "LC_ALL": "C.UTF-8"})


def peak_bytes(*arguments):
    """The command's largest resident size. GNU time isn't everywhere: a small Python around it asks the kernel."""
    script = "import resource, subprocess, sys; subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, check=True); " \
             "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024)"
    return int(subprocess.run([sys.executable, "-c", script, FOVEA, *map(str, arguments)], stdout=subprocess.PIPE, check=True).stdout)


class Batch(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = pathlib.Path(temporary.name)
        (self.folder / "corner.onnx").write_bytes(tiny_model.corner_colour())
        (self.folder / "boxes.onnx").write_bytes(tiny_model.two_boxes())
        self.model, self.photos = self.folder / "corner.onnx", self.folder / "photos"
        for name, colour in {"b.png": "blue", "A.PNG": "green", "sub/c.jpg": "red", "sub/b.png": "red", ".hidden.png": "red", ".cache/d.png": "red",
                             "with space\nand line.png": "green"}.items():
            self.paint(self.photos / name, colour)
        (self.photos / "notes.txt").write_text("no photo")
        (self.photos / "sub" / "round").symlink_to(self.photos, target_is_directory=True)
        self.all = ["A.PNG", "b.png", "sub/b.png", "sub/c.jpg", "with space\nand line.png"]

    @staticmethod
    def paint(path, colour, size=(20, 10)):
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", size, COLOURS[colour]).save(path, **({"quality": 100} if path.suffix == ".jpg" else {}))

    def classify(self, *arguments, status=0, **more):
        answer = fovea("classify", self.model, *arguments, "--json", **more)
        self.assertEqual(answer.returncode, status, answer.stderr)
        return json.loads(answer.stdout)["images"]

    def names(self, *arguments, **more):
        return [os.path.relpath(image["file"], self.photos) for image in self.classify(*arguments, **more)]

    # ---- which photos

    def test_folder(self):
        images = self.classify(self.photos)
        self.assertEqual([os.path.relpath(image["file"], self.photos) for image in images], self.all)
        self.assertEqual([image["classes"][0]["label"] for image in images], ["green", "blue", "red", "red", "green"])
        self.assertEqual(self.names(self.photos, "--flat"), [name for name in self.all if "/" not in name])

    def test_pattern(self):
        self.assertEqual(self.names(self.photos, "--pattern", "*.png"), [name for name in self.all if not name.endswith("jpg")])
        self.assertEqual(self.names(self.photos, "--pattern", "c.*, a.*"), ["A.PNG", "sub/c.jpg"])
        self.assertEqual(self.names(self.photos, "--pattern", "sub/*"), ["sub/b.png", "sub/c.jpg"])
        answer = fovea("classify", self.model, self.photos, "--pattern", "*.gif", "--json")
        self.assertEqual(answer.returncode, 1)
        self.assertIn("*.gif", json.loads(answer.stdout)["error"])

    def test_list(self):
        wanted = ["sub/c.jpg", "A.PNG"]
        lines = "\r\n".join(str(self.photos / name) for name in wanted).encode()
        (self.folder / "list.txt").write_bytes(lines)
        self.assertEqual(self.names("--list", self.folder / "list.txt"), wanted)
        self.assertEqual(self.names("--list", "-", given=lines + b"\n\n"), wanted)
        null = b"".join(os.fsencode(self.photos / name) + b"\0" for name in self.all)
        self.assertEqual(self.names("--list", "-", given=null), self.all)
        self.assertEqual(self.names(self.photos / "b.png", "--list", "-", given=os.fsencode(self.photos / "sub")), ["b.png", "sub/b.png", "sub/c.jpg"] + [
            name for name in self.names(self.photos / "sub")[2:]])
        answer = fovea("classify", self.model, "--list", self.folder / "nowhere.txt")
        self.assertEqual(answer.returncode, 1)
        self.assertIn("nowhere.txt", answer.stderr.decode())
        # A hyphen alone is still a photo.
        self.assertEqual(self.classify("-", given=(self.photos / "b.png").read_bytes())[0]["classes"][0]["label"], "blue")

    def test_shards(self):
        for n in (1, 2, 3, 7):
            shares = [self.names(self.photos, "--shard", f"{i}/{n}") for i in range(1, n + 1)]
            self.assertEqual(sorted(sum(shares, [])), sorted(self.all))
            self.assertLessEqual(max(map(len, shares)) - min(map(len, shares)), 1)
        for wrong in ("0/2", "3/2", "2", "1/2/3", "a/b", "1/0", "-1/2"):
            self.assertEqual(fovea("classify", self.model, self.photos, f"--shard={wrong}").returncode, 2, wrong)

    def test_threads(self):
        """The answers don't depend on how many photos are looked at together."""
        for i in range(40):
            self.paint(self.photos / "more" / f"{i:02}.png", list(COLOURS)[i % 3])
        one = self.classify(self.photos, "--threads", "1")
        self.assertEqual(len(one), 45)
        for n in ("2", "3", "8"):
            self.assertEqual(self.classify(self.photos, "--threads", n), one)

    # ---- what goes wrong

    def test_unreadable(self):
        (self.photos / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 no photo")
        (self.photos / "sub" / "cut.png").write_bytes((self.photos / "b.png").read_bytes()[:40])
        images = self.classify(self.photos, status=3)
        self.assertEqual([os.path.basename(image["file"]) for image in images if "error" in image], ["broken.jpg", "cut.png"])
        self.assertEqual(len([image for image in images if "classes" in image]), 5)
        answer = fovea("classify", self.model, self.photos)
        told = answer.stderr.decode()
        self.assertIn("broken.jpg", told)
        self.assertIn("cut.png", told)
        self.assertIn("2 of 7 photos failed", told)
        self.assertEqual(fovea("classify", self.model, self.photos / "broken.jpg", self.photos / "b.png").returncode, 1)

    def test_killed(self):
        """A picture has its name only when it is whole."""
        for i in range(60):
            self.paint(self.photos / f"p{i}.png", "red", (300, 200))
        out, dice = self.folder / "drawn", random.Random(7)
        for _ in range(10):
            running = subprocess.Popen([FOVEA, "locate", self.folder / "boxes.onnx", self.photos, "--draw", out], stdout=subprocess.DEVNULL)
            time.sleep(dice.uniform(0.02, 0.3))
            running.send_signal(signal.SIGKILL)
            running.wait()
            for path in out.rglob("*.png") if out.exists() else []:
                if not path.name.startswith("."):
                    Image.open(path).load()
        self.assertEqual(fovea("locate", self.folder / "boxes.onnx", self.photos, "--draw", out).returncode, 0)
        self.assertEqual(len(list(out.rglob("*.png"))), 65)

    def test_names_of_pictures(self):
        """Each photo has a picture of its own, in folders like its own; shares agree on the names."""
        self.paint(self.photos / "b.jpg", "red")
        whole, shared = self.folder / "whole", self.folder / "shared"
        fovea("locate", self.folder / "boxes.onnx", self.photos, "--draw", whole)
        for i in (1, 2, 3):
            fovea("locate", self.folder / "boxes.onnx", self.photos, "--draw", shared, "--shard", f"{i}/3")
        names = sorted(str(path.relative_to(whole)) for path in whole.rglob("*.png"))
        self.assertEqual(names, ["A.png", "b-2.png", "b.png", "sub/b.png", "sub/c.png", "with space\nand line.png"])
        self.assertEqual(sorted(str(path.relative_to(shared)) for path in shared.rglob("*.png")), names)

    # ---- tables

    def test_csv(self):
        """Read back it says what JSON says, and no cell is a formula."""
        odd = ["=1+1.png", "+a.png", "-b.png", "@c.png", 'quo"te, comma.png', "new\nline.png"]
        for name in odd:
            self.paint(self.folder / "odd" / name, "red")
        answer = fovea("classify", self.model, "--csv", "--top", "2", "--", *odd, cwd=self.folder / "odd")
        self.assertEqual(answer.returncode, 0, answer.stderr)
        rows = list(csv.reader(io.StringIO(answer.stdout.decode(), newline="")))
        self.assertEqual(rows[0], ["file", "label", "score"])
        self.assertEqual([row[0] for row in rows[1::2]], ["'" + name if name[0] in "=+-@" else name for name in odd])
        self.assertEqual({tuple(row[1:]) for row in rows[1::2]}, {("red", "1")})
        rows = list(csv.DictReader(io.StringIO(fovea("locate", self.folder / "boxes.onnx", self.photos, "--csv").stdout.decode(), newline="")))
        images = json.loads(fovea("locate", self.folder / "boxes.onnx", self.photos, "--json").stdout)["images"]
        self.assertEqual([(row["file"], row["label"], [float(row[key]) for key in ("x", "y", "width", "height")]) for row in rows],
                         [(image["file"], found["label"], found["box"]) for image in images for found in image["objects"]])
        self.assertEqual(fovea("classify", self.model, self.photos, "--csv", "--json").returncode, 2)

    # ---- size

    @unittest.skipIf(b"__asan_init" in pathlib.Path(FOVEA).read_bytes(), "the address sanitizer keeps what was freed")
    def test_memory(self):
        many = self.folder / "many"
        many.mkdir()
        Image.effect_noise((640, 480), 80).convert("RGB").save(self.folder / "noise.jpg")
        for i in range(N_LINKS):
            (many / f"{i:05}.jpg").symlink_to(self.folder / "noise.jpg")
        few = peak_bytes("classify", self.model, many, "--json", "--threads", "2", "--pattern", "0000?.jpg,0001?.jpg")
        whole = peak_bytes("classify", self.model, many, "--json", "--threads", "2")
        print(f"{N_LINKS} photos: {whole / 1e6:.1f} MB, 20 photos: {few / 1e6:.1f} MB", file=sys.stderr)
        self.assertLess(whole, few + 8e6 + 600 * N_LINKS)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
