# SPDX-License-Identifier: GPL-3.0-or-later
"""The fovea command: help, exit codes, one valid JSON object whatever happens, photos of every kind. Arguments: the command, the completion file."""

import hashlib
import io
import json
import os
import pathlib
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
import unittest
import zlib

import tiny_model

try:
    from PIL import Image
except ImportError as missing:
    print(f"{missing}: skipped")
    sys.exit(77)

FOVEA, COMPLETION = map(os.path.abspath, sys.argv[1:3])
VERBS = ["augment", "bench", "classify", "conformance", "evaluate", "export", "import", "info", "locate", "new", "run", "segment", "self-test", "train"]
RED, BLUE = (255, 0, 0), (0, 0, 255)


def fovea(*arguments, given=None, models="", **more):
    environment = {**os.environ, "LC_ALL": "C.UTF-8", "FOVEA_MODELS_PATH": str(models), "XDG_DATA_HOME": "/nonexistent"} | more
    return subprocess.run([FOVEA, *arguments], input=given, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment, timeout=120)


def quarters(first, rest, size=(40, 32)):
    """A photo whose top left quarter has one colour, and the rest another."""
    photo = Image.new("RGB", size, rest)
    photo.paste(Image.new("RGB", (size[0] // 2, size[1] // 2), first))
    return photo


def png_of_16_bits(pixel, width=9, height=7):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = (b"\0" + struct.pack(">3H", *pixel) * width) * height
    header = struct.pack(">IIBBBBB", width, height, 16, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


class Command(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory()
        cls.folder = pathlib.Path(cls.temporary.name)
        for name, data in [("corner", tiny_model.corner_colour(license="CC0-1.0")), ("detector", tiny_model.detector()), ("boxes", tiny_model.two_boxes()), ("unknown", tiny_model.unknown_operator())]:
            (cls.folder / f"{name}.onnx").write_bytes(data)
        (cls.folder / "broken.onnx").write_bytes(tiny_model.corner_colour()[:200])
        (cls.folder / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 no photo")
        (cls.folder / "empty.jpg").write_bytes(b"")
        cls.model = cls.folder / "corner.onnx"
        cls.photo = cls.folder / "red.png"
        quarters(RED, BLUE).save(cls.photo)

    @classmethod
    def tearDownClass(cls):
        cls.temporary.cleanup()

    def classify(self, *arguments, status=0, **more):
        answer = fovea("classify", self.model, *arguments, "--json", **more)
        self.assertEqual(answer.returncode, status, answer.stderr)
        return json.loads(answer.stdout)["images"]

    def best(self, photo, **more):
        best = self.classify(photo, **more)[0]["classes"][0]
        return best["label"], round(best["score"], 2)

    # ---- help and usage

    def test_help(self):
        answer = fovea("--help")
        self.assertEqual(answer.returncode, 0)
        for verb in fovea("--list-verbs").stdout.decode().split():
            self.assertIn(f"  {verb} ", answer.stdout.decode())
            of_verb = fovea(verb, "--help")
            self.assertEqual(of_verb.returncode, 0)
            self.assertIn("Examples:\n  fovea " + verb, of_verb.stdout.decode())
            self.assertEqual(of_verb.stderr, b"")

    def test_verbs(self):
        self.assertEqual(sorted(fovea("--list-verbs").stdout.decode().split()), VERBS)

    def test_version(self):
        self.assertRegex(fovea("--version").stdout.decode(), r"^fovea \d+\.\d+\.\d+ \(\w+\)\n$")

    def test_usage(self):
        for arguments in [[], ["clasify"], ["classify"], ["classify", self.model], ["classify", self.model, self.photo, "--top", "0"],
                          ["classify", self.model, self.photo, "--top", "x"], ["classify", "--frob"], ["info"], ["info", self.model, self.photo],
                          ["info", "--operators", self.model], ["classify", self.model, self.photo, "--threads", "-1"]]:
            answer = fovea(*arguments)
            self.assertEqual((answer.returncode, answer.stdout), (2, b""), arguments)
            self.assertTrue(answer.stderr.startswith(b"fovea"), answer.stderr)

    def test_suggestion(self):
        for word, verb in [("clasify", "classify"), ("inf", "info"), ("ifno", "info")]:
            self.assertIn(f"Did you mean “{verb}”?", fovea(word).stderr.decode())
        self.assertNotIn("Did you mean", fovea("xyzzy").stderr.decode())

    def test_manual(self):
        text = fovea("--man").stdout.decode()
        for verb in VERBS:
            self.assertIn(f".SS fovea {verb}\n", text)
        self.assertIn("\\-\\-top", text)

    def test_completion(self):
        def complete(*words):
            script = 'source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); compopt () { :; }; _fovea; printf "%s\\n" "${COMPREPLY[@]}"'
            environment = {**os.environ, "FOVEA_MODELS_PATH": str(self.folder)}
            return subprocess.run(["bash", "-c", script, "bash", COMPLETION, FOVEA, *words], stdout=subprocess.PIPE, env=environment,
                                  cwd=self.folder, check=True).stdout.decode().split()

        self.assertEqual(complete("cl"), ["classify"])
        self.assertEqual(complete("classify", "--t"), ["--top", "--threshold", "--threads"])
        self.assertIn("corner", complete("classify", "cor"))
        self.assertIn("red.png", complete("classify", "corner", "re"))

    # ---- failures

    def test_failures_are_json(self):
        for arguments in [["classify", "--json"], ["classify", "--json", "--frob"], ["classify", "--json", self.model, self.photo, "--top", "x"],
                          ["classify", "--json", "nowhere.onnx", self.photo], ["classify", "--json", self.folder / "broken.onnx", self.photo],
                          ["classify", "--json", self.folder / "detector.onnx", self.photo], ["classify", "--json", self.photo, self.photo],
                          ["classify", "--json", self.folder / "unknown.onnx", self.photo], ["classify", "--json", self.folder, self.photo],
                          ["info", "--json"], ["info", "--json", "nowhere"], ["info", "--json", self.folder / "broken.onnx"],
                          ["info", "--json", self.folder / "unknown.onnx"], ["info", "--json", self.model, "--shape", "x=3y"],
                          ["bench", "--json"], ["bench", "--json", "nowhere"], ["conformance", "--json"], ["frob", "--json"], ["--json"]]:
            answer = fovea(*arguments)
            self.assertIn(answer.returncode, (1, 2), arguments)
            self.assertEqual(list(json.loads(answer.stdout)), ["error"], arguments)
            self.assertNotEqual(answer.stderr, b"", arguments)
            self.assertNotIn(b"CRITICAL", answer.stderr, arguments)

    def stop(self, signal_number, ready, *arguments):
        """What a verb printed that got the signal as soon as it was ready."""
        environment = {**os.environ, "FOVEA_MODELS_PATH": "", "XDG_DATA_HOME": "/nonexistent"}
        process = subprocess.Popen([FOVEA, *map(str, arguments)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment)
        begin = ready(process)
        process.send_signal(signal_number)
        rest, words = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 1, words)
        self.assertIn(b"Stopped", words)
        return json.loads(begin + rest)

    def test_interrupted(self):
        """Ctrl+C and SIGTERM leave a whole object: of those photos that were named by then, or an error alone."""
        def caught(process):
            while not int(next(line for line in pathlib.Path(f"/proc/{process.pid}/status").read_text().splitlines() if line.startswith("SigCgt")).split()[1], 16) & 1 << signal.SIGINT - 1:
                time.sleep(0.01)
            return b""

        for number in (signal.SIGINT, signal.SIGTERM):
            answer = self.stop(number, lambda process: process.stdout.read(4096), "classify", "--json", self.model, *[self.photo] * 1000)  # more than a pipe holds
            self.assertEqual(set(answer), {"images", "error"})
            self.assertTrue(0 < len(answer["images"]) < 1000)
            self.assertEqual(set(answer["images"][-1]), {"file", "classes"})
            self.assertEqual(set(self.stop(number, caught, "bench", "--json", "--repeat", "1000000", self.model)), {"error"})

    def test_interrupted_twice(self):
        """A photo that never comes is waited for once."""
        pipe, until = self.folder / "pipe.jpg", time.monotonic() + 60
        os.mkfifo(pipe)
        process = subprocess.Popen([FOVEA, "classify", "--json", self.model, pipe], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        with open(pipe, "wb"):  # it reads
            while process.poll() is None and time.monotonic() < until:
                process.send_signal(signal.SIGINT)
                time.sleep(0.05)
        self.assertEqual(process.returncode, 1)
        self.assertIn(b"Stopped", process.communicate()[1])

    def test_lost_output(self):
        for arguments in (["classify", self.model, self.photo], ["classify", self.model, self.photo, "--json"], ["info", self.model], ["--version"]):
            with open("/dev/full", "wb") as full:
                answer = subprocess.run([FOVEA, *map(str, arguments)], stdout=full, stderr=subprocess.PIPE)
            self.assertEqual(answer.returncode, 1, arguments)
            self.assertIn(b"can't be written to standard output", answer.stderr, arguments)

    def test_reasons(self):
        answer = fovea("classify", self.folder / "detector.onnx", self.photo)
        self.assertIn("is a detector (85 values for each of 300 boxes): use Locate", answer.stderr.decode())
        answer = fovea("info", self.folder / "unknown.onnx")
        self.assertIn("Frobnicate", answer.stderr.decode())

    def test_broken_among_good(self):
        odd = os.fsencode(self.folder) + b"/\xff\x01.png"
        pathlib.Path(os.fsdecode(odd)).write_bytes(self.photo.read_bytes())
        images = self.classify(self.photo, self.folder / "broken.jpg", self.folder / "empty.jpg", self.folder / "nowhere.jpg", odd, self.photo, status=1)
        self.assertEqual([set(image) for image in images], [{"file", "classes"}] + [{"file", "error"}] * 3 + [{"file", "classes"}] * 2)
        self.assertIn("broken.jpg", images[1]["error"])
        answer = fovea("classify", self.model, self.folder / "broken.jpg", self.photo)
        self.assertEqual(answer.returncode, 1)
        self.assertIn("red", answer.stdout.decode())

    def test_broken_sidecar(self):
        folder = self.folder / "sidecar"
        folder.mkdir()
        (folder / "net.onnx").write_bytes(self.model.read_bytes())
        (folder / "net.json").write_text('{"task": "cook"}')
        answer = fovea("classify", folder / "net.onnx", self.photo)
        self.assertEqual(answer.returncode, 1)
        self.assertIn("classify, detect, segment", answer.stderr.decode())

    # ---- photos

    def test_text(self):
        answer = fovea("classify", self.model, self.photo, "--top", "1")
        self.assertEqual(answer.stdout.decode(), f"{self.photo}\n  100.0 %  red\n")
        self.assertEqual(answer.stderr, b"")

    def test_top(self):
        self.assertEqual(len(self.classify(self.photo)[0]["classes"]), 3)
        self.assertEqual(len(self.classify(self.photo, "--top", "2")[0]["classes"]), 2)

    def test_installed(self):
        answer = fovea("classify", "corner", self.photo, "--json", models=self.folder)
        self.assertEqual(json.loads(answer.stdout)["images"][0]["classes"][0]["label"], "red")

    def test_standard_input(self):
        self.assertEqual(self.best("-", given=self.photo.read_bytes()), ("red", 1))
        self.assertIn("error", self.classify("-", given=b"", status=1)[0])
        self.assertIn("error", self.classify("-", given=self.photo.read_bytes()[:60], status=1)[0])

    def test_hyphen(self):
        answer = subprocess.run([FOVEA, "classify", "--json", self.model, "--", "-photo.png"], cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.assertIn("-photo.png", json.loads(answer.stdout)["images"][0]["error"])

    def test_orientation(self):
        turned = quarters(BLUE, RED).transpose(Image.Transpose.ROTATE_180)  # its top left is red; upright it is blue
        exif = Image.Exif()
        exif[0x0112] = 3
        turned.save(self.folder / "turned.jpg", exif=exif, quality=95, subsampling=0)
        turned.save(self.folder / "plain.jpg", quality=95, subsampling=0)
        self.assertEqual(self.best(self.folder / "plain.jpg")[0], "red")
        self.assertEqual(self.best(self.folder / "turned.jpg")[0], "blue")
        self.assertEqual(self.best("-", given=(self.folder / "turned.jpg").read_bytes())[0], "blue")

    def test_alpha(self):
        photo = quarters(RED, BLUE).convert("RGBA")
        photo.putalpha(0)
        photo.save(self.folder / "clear.png")
        self.assertEqual(self.best(self.folder / "clear.png")[1], 0.33)  # white: no colour wins
        photo.putalpha(255)
        photo.save(self.folder / "opaque.png")
        self.assertEqual(self.best(self.folder / "opaque.png"), ("red", 1))

    def test_kinds(self):
        red, gray = Image.new("RGB", (20, 10), RED), Image.new("L", (20, 10), 90)
        red.save(self.folder / "red.tiff")
        red.save(self.folder / "red.bmp")
        red.convert("P").save(self.folder / "indexed.png")
        red.save(self.folder / "one.jpg", quality=100, subsampling=0)
        Image.new("RGB", (1, 1), RED).save(self.folder / "pixel.png")
        Image.new("RGB", (3000, 1), RED).save(self.folder / "thin.png")
        (self.folder / "deep.png").write_bytes(png_of_16_bits((65535, 0, 0)))
        for name in ["red.tiff", "red.bmp", "indexed.png", "one.jpg", "pixel.png", "thin.png", "deep.png"]:
            self.assertEqual(self.best(self.folder / name)[0], "red", name)
        gray.save(self.folder / "gray.png")
        gray.convert("I;16").save(self.folder / "gray16.png")
        for name in ["gray.png", "gray16.png"]:
            self.assertEqual(self.best(self.folder / name)[1], 0.33, name)

    def test_webp(self):
        file = io.BytesIO()
        try:
            Image.new("RGB", (20, 10), RED).save(file, "webp", lossless=True)
        except (KeyError, OSError):
            self.skipTest("Pillow has no WebP")
        (self.folder / "red.webp").write_bytes(file.getvalue())
        answer = fovea("classify", self.model, self.folder / "red.webp", "--json")
        if b"format" in answer.stderr:
            self.skipTest("GdkPixbuf has no WebP: install webp-pixbuf-loader")
        self.assertEqual(json.loads(answer.stdout)["images"][0]["classes"][0]["label"], "red")

    # ---- info

    def test_info(self):
        answer = fovea("info", self.model)
        self.assertEqual((answer.returncode, answer.stderr), (0, b""))
        for word in ["conv", "8x8", "1x3x1x1", "576", "classify", "3 labels", "metadata", "arena"]:
            self.assertIn(word, answer.stdout.decode())

    def test_info_json(self):
        info = json.loads(fovea("info", self.model, "--json").stdout)
        self.assertEqual(list(info), ["task", "family", "labels", "layers", "totals", "plan"])
        self.assertEqual(info["labels"], ["red", "green", "blue"])
        self.assertEqual(info["layers"], [{"name": "conv", "operator": "Conv", "kernel": [8, 8], "stride": [1, 1], "padding": [0, 0, 0, 0],
                                           "dilation": [1, 1], "in": [1, 3, 8, 8], "out": [1, 3, 1, 1], "parameters": 576, "macs": 576,
                                           "receptive_field": 8}])
        self.assertEqual(info["totals"], {"parameters": 576, "macs": 576})
        self.assertEqual(sorted(info["plan"]), ["arena_bytes", "steps"])

    def test_plan(self):
        answer = fovea("info", self.model, "--plan")
        self.assertEqual(answer.returncode, 0)
        self.assertIn("conv", answer.stdout.decode())

    def test_operators(self):
        names = fovea("info", "--operators").stdout.decode().split()
        self.assertEqual(names, sorted(names))
        self.assertIn("Conv", names)
        self.assertEqual(json.loads(fovea("info", "--operators", "--json").stdout)["operators"], names)

    # ---- locate

    def locate(self, *arguments, status=0, **more):
        answer = fovea("locate", self.folder / "boxes.onnx", *arguments, "--json", **more)
        self.assertEqual(answer.returncode, status, answer.stderr)
        return json.loads(answer.stdout)["images"]

    def test_locate(self):
        image = self.locate(self.photo)[0]
        self.assertEqual((image["file"], image["width"], image["height"]), (str(self.photo), 40, 32))
        self.assertEqual([(found["label"], round(found["score"], 3), found["box"]) for found in image["objects"]],
                         [("bar", 0.9, [10, 4, 20, 8]), ("dot", 0.4, [0, 0, 5, 4])])

    def test_locate_choice(self):
        self.assertEqual([found["label"] for found in self.locate(self.photo, "--threshold", "0.5")[0]["objects"]], ["bar"])
        self.assertEqual([found["label"] for found in self.locate(self.photo, "--classes", "DOT")[0]["objects"]], ["dot"])
        self.assertEqual(len(self.locate(self.photo, "--max", "1")[0]["objects"]), 1)
        self.assertEqual(self.locate(self.photo, "--threshold", "1")[0]["objects"], [])

    def test_self_test(self):
        with tempfile.TemporaryDirectory() as models:
            whole = tiny_model.corner_colour()
            (pathlib.Path(models) / "whole.onnx").write_bytes(whole)
            answer = fovea("self-test", "--json", models=models)
            report = json.loads(answer.stdout)
            self.assertEqual((answer.returncode, report["passed"]), (0, True), answer.stderr)
            self.assertEqual([(model["name"], model["sha256"], model["run"]) for model in report["models"]], [("whole", hashlib.sha256(whole).hexdigest(), True)])
            self.assertGreaterEqual(len({check["isa"] for check in report["kernels"]}), 2)
            self.assertTrue(all(check["passed"] for check in report["kernels"]))

            (pathlib.Path(models) / "cut").mkdir()
            (pathlib.Path(models) / "cut" / "model.onnx").write_bytes(whole[:200])
            answer = fovea("self-test", "--json", models=models)
            report = json.loads(answer.stdout)
            self.assertEqual((answer.returncode, report["passed"]), (1, False))
            self.assertEqual([(model["name"], model["passed"], "fault" in model) for model in report["models"]], [("cut", False, True), ("whole", True, False)])
            answer = fovea("self-test", models=models)
            self.assertEqual(answer.returncode, 1)
            for words in ("Fovea ", "GLib ", "kernels    reference", "cut: ", "BROKEN", "whole: ", "answers rightly", hashlib.sha256(whole).hexdigest(), "SOMETHING IS WRONG"):
                self.assertIn(words, answer.stdout.decode())
        self.assertEqual(fovea("self-test", "tagger").returncode, 2)

    def test_self_test_asks_gimp(self):
        """The versions are those that the first GIMP in PATH says; none, and one that hangs, hold nothing up."""
        words = "GNU Image Manipulation Program version 3.0.99\nusing babl version 0.1.98 (compiled against version 0.1.2)\nusing GEGL version 0.4.97 (…)\n"
        programs = {"whole": f"cat <<'END'\n{words}using GTK+ version 3.24.96 (…)\nEND", "console": f"cat <<'END'\n{words}END", "hangs": "sleep 60", "odd": "echo $'\\xff'", "fails": "exit 3"}
        told = {"whole": ["3.0.99", "0.4.97", "0.1.98", "3.24.96"], "console": ["3.0.99", "0.4.97", "0.1.98", None]}
        for case, script in {**programs, "none": None}.items():
            with tempfile.TemporaryDirectory() as folder:
                for name in ("sleep", "cat", "bash"):
                    (pathlib.Path(folder) / name).symlink_to(shutil.which(name))
                if script:
                    gimp = pathlib.Path(folder) / ("gimp-console" if case == "console" else "gimp")
                    gimp.write_text(f"#!{shutil.which('bash')}\n[ \"$*\" = '--version --verbose' ] && {script}\n")
                    gimp.chmod(0o755)
                started = time.monotonic()
                report = json.loads(fovea("self-test", "--json", PATH=folder).stdout)
                self.assertLess(time.monotonic() - started, 30)
                self.assertEqual([report[name] for name in ("gimp", "gegl", "babl", "gtk")], told.get(case, [None] * 4), case)
                if case in ("console", "none"):
                    lines = fovea("self-test", PATH=folder).stdout.decode().splitlines()[:4]
                    self.assertEqual([line.split(None, 1) for line in lines], [[name, version or "not found"] for name, version in zip(("GIMP", "GEGL", "babl", "GTK"), told.get(case, [None] * 4))])

    def test_locate_in_text(self):
        answer = fovea("locate", self.folder / "boxes.onnx", self.photo)
        self.assertEqual(answer.returncode, 0)
        self.assertIn("90.0 %    20×8    at   10, 4     bar", answer.stdout.decode())

    def test_locate_usage(self):
        for wrong in (["--threshold", "2"], ["--overlap", "-0.5"], ["--max", "0"], ["--tiles", "33"], ["--tiles", "few"], ["--suppress", "no"],
                      ["--threads", "-1"]):
            answer = fovea("locate", self.folder / "boxes.onnx", self.photo, *wrong)
            self.assertEqual((answer.returncode, answer.stdout), (2, b""), wrong)
            self.assertIn(wrong[0], answer.stderr.decode())
        self.assertEqual(fovea("locate", self.folder / "boxes.onnx").returncode, 2)

    def test_segment_places(self):
        """What is pointed at; tiles; and what can be neither."""
        model, photo = self.folder / "masks.onnx", self.folder / "halves.png"
        model.write_bytes(tiny_model.colour_masks())
        halves = Image.new("RGB", (400, 320), (230, 20, 20))
        halves.paste((20, 20, 230), (240, 0, 400, 320))
        halves.save(photo)
        for more, least, most in ((["--prompt", "60,60 !300,60"], 0.3, 0.62), (["--prompt", "300,60 !60,60"], 0.2, 0.42), (["--prompt", "250,0,150,320"], 0.3, 0.42)):
            answer = fovea("segment", model, photo, "--json", *more)
            self.assertEqual(answer.returncode, 0, answer.stderr)
            area, = (mask["area"] for mask in json.loads(answer.stdout)["images"][0]["masks"])
            self.assertTrue(least < area < most, (more, area))
        for tiles in ("3", "auto"):
            masks = json.loads(fovea("segment", model, photo, "--json", "--tiles", tiles).stdout)["images"][0]["masks"]
            self.assertAlmostEqual(sum(mask["area"] for mask in masks), 0.98, delta=0.05)
        for wrong in ("33", "few"):
            answer = fovea("segment", model, photo, "--tiles", wrong)
            self.assertEqual((answer.returncode, answer.stdout), (2, b""), wrong)
        for wrong in ("here", "1,2,3", "1,2,0,4"):
            answer = fovea("segment", model, photo, "--prompt", wrong)
            self.assertEqual(answer.returncode, 1)
            self.assertIn("neither a point nor a box", answer.stderr.decode())

    def test_locate_failures(self):
        answer = fovea("locate", self.folder / "boxes.onnx", self.photo, "--classes", "fish")
        self.assertEqual(answer.returncode, 1)
        self.assertIn("fish", answer.stderr.decode())
        self.assertIn("dot, bar", answer.stderr.decode())
        images = self.locate(self.folder / "broken.jpg", self.photo, status=1)
        self.assertIn("error", images[0])
        self.assertEqual(len(images[1]["objects"]), 2)
        answer = fovea("locate", self.model, self.photo)
        self.assertEqual(answer.returncode, 1)
        self.assertIn("Choose a detector", answer.stderr.decode())

    def test_locate_drawn(self):
        plain, pictures = Image.new("RGB", (400, 320), (90, 90, 90)), self.folder / "pictures" / "deep"
        for folder in ("a", "b"):
            (self.folder / folder).mkdir()
            plain.save(self.folder / folder / "gray.png")
        images = self.locate(self.folder / "a" / "gray.png", self.folder / "b" / "gray.png", "--draw", pictures, "--threshold", "0.5")
        self.assertEqual([image["picture"] for image in images], [str(pictures / "gray.png"), str(pictures / "gray-2.png")])
        self.assertEqual(sorted(path.name for path in pictures.iterdir()), ["gray-2.png", "gray.png"])
        drawn = Image.open(pictures / "gray.png").convert("RGB")
        self.assertEqual(drawn.size, plain.size)
        self.assertEqual(drawn.getpixel((200, 80)), (90, 90, 90))   # inside
        self.assertEqual(drawn.getpixel((200, 119)), (86, 180, 233))  # the frame, in the second class's colour
        self.assertEqual(drawn.getpixel((350, 300)), (90, 90, 90))  # far away
        (self.folder / "file").write_bytes(b"")
        answer = fovea("locate", self.folder / "boxes.onnx", self.photo, "--draw", self.folder / "file" / "x")
        self.assertEqual(answer.returncode, 1)
        self.assertIn("Choose another folder", answer.stderr.decode())


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
