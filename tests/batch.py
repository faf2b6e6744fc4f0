# SPDX-License-Identifier: GPL-3.0-or-later
"""Many photos through the fovea command: folders, lists, shares, photos that can't be read, files that are whole or absent, memory. Arguments: the command."""

import csv
import fcntl
import io
import json
import os
import pathlib
import random
import signal
import struct
import subprocess
import sys
import tempfile
import time
import unittest
import xml.etree.ElementTree
import zlib

import tiny_model

try:
    from PIL import Image
except ImportError as missing:
    print(f"{missing}: skipped")
    sys.exit(77)

FOVEA = os.path.abspath(sys.argv[1])
COLOURS = {"red": (255, 0, 0), "green": (0, 255, 0), "blue": (0, 0, 255)}
N_LINKS = 10000 if os.environ.get("FOVEA_TEST_ALL") else 2000


def fovea(*arguments, given=None, cwd=None, timeout=300):
    return subprocess.run([FOVEA, *arguments], input=given, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=cwd, timeout=timeout,
                          env={**os.environ, "LC_ALL": "C.UTF-8"})


def peak_bytes(*arguments, status=0):
    """The command's largest resident size. GNU time isn't everywhere: a small Python around it asks the kernel."""
    script = "import resource, subprocess, sys; done = subprocess.run(sys.argv[2:], stdout=subprocess.DEVNULL); assert done.returncode == int(sys.argv[1]), done; " \
             "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024)"
    return int(subprocess.run([sys.executable, "-c", script, str(status), FOVEA, *map(str, arguments)], stdout=subprocess.PIPE, check=True).stdout)


def png(width, height, n_rows=None, bits=1):
    """A gray PNG that is black, or says so and has fewer rows."""
    pack, row = zlib.compressobj(9), bytes((width * bits + 7) // 8 + 1)
    chunks = {b"IHDR": struct.pack(">IIBBBBB", width, height, bits, 0, 0, 0, 0), b"IDAT": b"".join(pack.compress(row) for _ in range(height if n_rows is None else n_rows))}
    chunks[b"IDAT"] += pack.flush()
    return b"\x89PNG\r\n\x1a\n" + b"".join(struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
                                            for kind, data in (chunks | {b"IEND": b""}).items())


def gif(screen, frame):
    return b"GIF89a" + struct.pack("<HHBBB", *screen, 0x80, 0, 0) + b"\0\0\0\xff\xff\xff," + struct.pack("<HHHHB", 0, 0, *frame, 0) + b"\x02\x02\x44\x01\x00;"


def tiff(width, height):
    """One strip, of which a hundred bytes are there."""
    entries = [(256, width), (257, height), (258, 8), (259, 1), (262, 1), (273, 8), (277, 1), (278, height), (279, 100)]
    return b"II*\0" + struct.pack("<I", 116) + bytes(108) + struct.pack("<H", len(entries)) + b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in entries) + bytes(4)


def bombs():
    """Small files that say they are gigantic, and such as aren't what their names say."""
    noise, small = io.BytesIO(), io.BytesIO()
    Image.effect_noise((640, 480), 80).convert("RGB").save(noise, "JPEG")
    Image.effect_noise((80, 60), 80).save(small, "JPEG")
    photo = noise.getvalue()
    frame = photo.index(b"\xff\xc0") + 5
    thumbnail = photo[:2] + b"\xff\xe1" + struct.pack(">H", len(small.getvalue()) + 2) + small.getvalue() + photo[2:]  # a whole file within the file
    return {"all.png": png(60000, 60000, 3000), "few.png": png(60000, 60000, 9, 8), "most.png": png(2 ** 31 - 1, 2 ** 31 - 1, 0), "screen.gif": gif((65535, 65535), (1, 1)),
            "frame.gif": gif((9, 9), (65535, 65535)), "wide.tif": tiff(60000, 60000), "most.tif": tiff(2 ** 31 - 1, 2 ** 31 - 1),
            "size.jpg": photo[:frame] + struct.pack(">HH", 65000, 65000) + photo[frame + 4:], "rows.ppm": b"P6\n60000 60000\n255\n" + bytes(100),
            "cut.jpg": photo[:len(photo) // 2], "thumbnail.jpg": thumbnail[:len(thumbnail) // 2], "padded.jpg": photo[:len(photo) // 2] + bytes(5000), "head.jpg": photo[:300],
            "text.jpg": b"Dear diary\n", "empty.jpg": b""}


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

    def test_bombs(self):
        """Each fails with its reason, at once and without taking memory; the photos between are done."""
        words = {"jpg": "cut off", "size.jpg": "65000 × 65000", "text.jpg": "Not a JPEG", "empty.jpg": "no data", "all.png": "60000 × 60000", "few.png": "60000 × 60000",
                 "screen.gif": "65535 × 65535", "frame.gif": "65535 × 65535"}
        plain = peak_bytes("classify", self.model, self.photos, "--json", "--threads", "2")
        for name, content in bombs().items():
            (self.photos / name).write_bytes(content)
        started = time.monotonic()
        peak = peak_bytes("classify", self.model, self.photos, "--json", "--threads", "2", status=3)
        self.assertLess(peak, plain + 40e6)
        self.assertLess(time.monotonic() - started, 20)
        images = self.classify(self.photos, status=3)
        self.assertEqual([os.path.relpath(image["file"], self.photos) for image in images if "classes" in image], self.all)
        errors = {os.path.basename(image["file"]): image["error"] for image in images if "error" in image}
        self.assertEqual(set(errors), set(bombs()))
        for name, error in errors.items():
            self.assertIn(f"{name}” can't be read as a photo: ", error)
            self.assertIn(words.get(name, words.get(name.rsplit(".", 1)[1], "")), error)
        told, images = self.fill(self.folder / "results", status=3)
        self.assertEqual((len(told["failed"]), len(images)), (len(errors), len(self.all)))
        self.assertIn("cut off", (self.folder / "results/fovea-batch.html").read_text())
        answer = fovea("classify", self.model, "-", given=bombs()["cut.jpg"])
        self.assertEqual((answer.returncode, b"cut off" in answer.stderr), (1, True), answer.stderr)

    def test_whole_jpeg(self):
        """What is whole isn't taken for cut off: progressive ones, and those with something behind the end or before a marker."""
        for progressive in (False, True):
            file = io.BytesIO()
            Image.effect_noise((64, 48), 80).convert("RGB").save(file, "JPEG", progressive=progressive, comment=b"\xff\xd8\xff\xd9")
            photo, name = file.getvalue(), f"whole-{progressive}"
            for more, content in {"": photo, "-more": photo + b"more" * 999, "-filled": photo.replace(b"\xff\xda", b"\xff\xff\xff\xda") + b"x"}.items():
                path = self.photos / f"{name}{more}.jpg"
                path.write_bytes(content)
                self.assertIn("classes", self.classify(path)[0])

    def test_jpeg_without_end(self):
        """Many cameras leave the marker at the end out: such a photo is whole as long as all of its pixels are there, and is answered as with the marker."""
        for name, colours, options in (("plain", "RGB", {}), ("gray", "L", {}), ("progressive", "RGB", {"progressive": True}), ("restarts", "RGB", {"restart_marker_blocks": 7}),
                                       ("cmyk", "CMYK", {}), ("white", "RGB", {"optimize": True})):
            file, path = io.BytesIO(), self.photos / f"{name}.jpg"
            picture = Image.effect_noise((64, 640), 80).convert("RGB")
            if name == "white":  # its end is many zeros, which are data
                picture.paste("white", (0, 48, 64, 640))
            picture.convert(colours).save(file, "JPEG", **options)
            photo = file.getvalue()
            path.write_bytes(photo)
            expected, = self.classify(path)
            scans = [i for i in range(len(photo)) if photo[i:i + 2] == b"\xff\xda"]
            for content in (photo[:-2], photo[:-1], photo[:-2] + bytes(900)):
                path.write_bytes(content)
                self.assertEqual(self.classify(path), [expected], name)
            for content in (photo[:-9], photo[:-99] + bytes(900), photo[:scans[-1]]):
                path.write_bytes(content)
                self.assertIn("cut off", self.classify(path, status=1)[0]["error"], name)
            path.unlink()

    @unittest.skipIf(b"__asan_init" in pathlib.Path(FOVEA).read_bytes(), "the address sanitizer keeps what was freed")
    def test_large(self):
        """Large photos are answered, one in memory at a time."""
        large = self.folder / "large"
        large.mkdir()
        for i in range(8):
            (large / f"{i}.png").write_bytes(png(9000, 8000))
        one, all_of_them = (peak_bytes("classify", self.model, large, "--json", "--threads", "4", "--pattern", pattern) for pattern in ("0.png", "*.png"))
        self.assertGreater(one, 3 * 9000 * 8000)
        self.assertLess(all_of_them, one + 60e6)

    def test_no_files(self):
        """Pipes, devices and links to nowhere hold nothing up."""
        os.mkfifo(self.photos / "pipe.jpg")
        (self.photos / "device.png").symlink_to("/dev/zero")
        (self.photos / "nowhere.png").symlink_to("nothing")
        (self.photos / "folder.png").mkdir()
        images = self.classify(self.photos, status=3)
        self.assertEqual({os.path.basename(image["file"]) for image in images if "error" in image}, {"pipe.jpg", "device.png", "nowhere.png"})
        self.assertEqual(len(images), 8)

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

    def test_many_photos_of_one_name(self):
        """Names are chosen in a time that grows with their number, not with its square."""
        (self.folder / "list").write_text("nothing/a.png\n" * 40000)
        answer = fovea("locate", self.folder / "boxes.onnx", "--list", self.folder / "list", "--shard", "1/40000", "--json", timeout=20)
        self.assertEqual([image["file"] for image in json.loads(answer.stdout)["images"]], ["nothing/a.png"])

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

    # ---- into a folder

    def fill(self, results, *arguments, model="boxes.onnx", verb="locate", status=0, photos=None):
        answer = fovea(verb, self.folder / model, photos or self.photos, "--output-dir", results, *arguments, "--json")
        self.assertEqual(answer.returncode, status, answer.stderr)
        told = json.loads(answer.stdout)
        images = json.loads((results / pathlib.Path(told["files"]["json"]).name).read_text())["images"] if "json" in told.get("files", {}) else None
        return told, images

    def test_skipping(self):
        """Only what is new, changed or missing is done again."""
        results, more = self.folder / "results", ("--formats", "json,csv,pictures")
        told, images = self.fill(results, *more)
        self.assertEqual((told["count"], told["skipped"], [image["file"] for image in images]), (5, 0, self.all))
        self.assertEqual(self.fill(results, *more), ({**told, "skipped": 5}, images))
        os.utime(self.photos / "b.png", (1, 1))
        self.assertEqual(self.fill(results, *more)[0]["skipped"], 4)
        (results / images[2]["picture"]).unlink()
        self.assertEqual(self.fill(results, *more)[0]["skipped"], 4)
        self.paint(self.photos / "new.jpg", "red")
        self.assertEqual([self.fill(results, *more)[0]["skipped"] for _ in range(2)], [5, 6])
        with open(results / "fovea-batch.journal", "ab") as journal:
            journal.write(b'{"task":"half a li')
        self.assertEqual(self.fill(results, *more)[0]["skipped"], 6)
        for other in (["--threshold", "0.5"], ["--classes", "bar"], ["--again"]):
            self.assertEqual(self.fill(results, *more, *other)[0]["skipped"], 0, other)
        (self.photos / "new.jpg").unlink()
        self.assertEqual(len(self.fill(results, *more, "--again")[1]), 5)
        moved = self.folder / "moved"
        results.rename(moved)
        self.assertEqual(self.fill(moved, *more)[0]["skipped"], 5)

    def test_formats_agree(self):
        """COCO, YOLO and VOC have the boxes of the JSON, as readers that aren't ours read them."""
        (self.photos / "with space\nand line.png").unlink()
        self.paint(self.photos / "b.jpg", "red", (333, 77))
        results = self.folder / "results"
        told, images = self.fill(results, "--formats", "json,coco,yolo,voc")
        self.assertEqual(len(told["left_out"]), 1)
        self.assertIn("b.png", told["left_out"][0])
        wanted = {image["file"]: [(item["label"], item["box"], round(item["score"], 6)) for item in image["objects"]] for image in images}
        sizes = {image["file"]: (image["width"], image["height"]) for image in images}
        self.assertEqual(len(wanted), 5)
        coco = json.loads((results / "coco/annotations.json").read_text())
        names = {category["id"]: category["name"] for category in coco["categories"]}
        files = {image["id"]: image["file_name"] for image in coco["images"]}
        self.assertEqual({image["file_name"]: (image["width"], image["height"]) for image in coco["images"]}, sizes)
        found = {name: [(names[row["category_id"]], row["bbox"], round(row["score"], 6)) for row in coco["annotations"] if files[row["image_id"]] == name] for name in wanted}
        self.assertEqual(found, wanted)
        try:
            from pycocotools.coco import COCO

            api = COCO(str(results / "coco/annotations.json"))
            self.assertEqual(sorted(row["bbox"] for row in api.loadAnns(api.getAnnIds())), sorted(box for rows in wanted.values() for _, box, _ in rows))
        except ImportError:
            pass
        del wanted["b.png"]
        classes = (results / "yolo/classes.txt").read_text().splitlines()
        for name, boxes in wanted.items():
            (width, height), stem = sizes[name], name.rsplit(".", 1)[0]
            rows = [[float(word) for word in line.split()] for line in (results / f"yolo/labels/{stem}.txt").read_text().splitlines()]
            root = xml.etree.ElementTree.parse(results / f"voc/Annotations/{stem}.xml").getroot()
            self.assertEqual((root.find("filename").text, int(root.find("size/width").text), int(root.find("size/height").text)), (name, width, height))
            self.assertEqual([classes[int(row[0])] for row in rows], [label for label, _, _ in boxes])
            self.assertEqual([item.find("name").text for item in root.iter("object")], [label for label, _, _ in boxes])
            for row, item, (_, box, score) in zip(rows, root.iter("object"), boxes):
                yolo = [(row[1] - row[3] / 2) * width, (row[2] - row[4] / 2) * height, row[3] * width, row[4] * height, row[5]]
                x1, y1, x2, y2 = (float(item.find(f"bndbox/{side}").text) for side in ("xmin", "ymin", "xmax", "ymax"))
                for got in (yolo, [x1 - 1, y1 - 1, x2 - x1 + 1, y2 - y1 + 1, float(item.find("score").text)]):
                    for a, b in zip(got, [*box, score], strict=True):
                        self.assertAlmostEqual(a, b, places=5)

    def test_shares_in_one_folder(self):
        """Shares write into one folder at the same time."""
        results = self.folder / "results"
        running = [subprocess.Popen([FOVEA, "locate", self.folder / "boxes.onnx", self.photos, "-o", results, "--formats", "json,coco,pictures", "--shard", f"{i}/3"],
                                    stdout=subprocess.DEVNULL) for i in (1, 2, 3)]
        self.assertEqual([share.wait(120) for share in running], [0, 0, 0])
        tables = [json.loads((results / f"fovea-batch-{i}-of-3.json").read_text())["images"] for i in (1, 2, 3)]
        self.assertEqual(sorted(image["file"] for table in tables for image in table), sorted(self.all))
        self.assertEqual(sorted(os.path.relpath(path, results / "pictures") for path in results.rglob("*.png")), sorted(name[:-4] + ".png" for name in self.all))
        categories = [json.loads((results / f"coco-{i}-of-3/annotations.json").read_text())["categories"] for i in (1, 2, 3)]
        self.assertTrue(categories[0] == categories[1] == categories[2] and len(categories[0]) == 2)

    def test_one_at_a_time(self):
        """A folder that another process writes into is waited for a moment; then it is said who has it."""
        results = self.folder / "results"
        self.fill(results)
        with open(results / "fovea-batch.journal", "ab") as journal:
            fcntl.lockf(journal, fcntl.LOCK_EX)
            started = time.monotonic()
            told, _ = self.fill(results, status=1)
            self.assertIn(f"the process {os.getpid()},", told["error"])
            self.assertLess(time.monotonic() - started, 30)
            waiting = subprocess.Popen([FOVEA, "locate", self.folder / "boxes.onnx", self.photos, "-o", results], stdout=subprocess.DEVNULL)
            while not any(os.path.realpath(handle) == journal.name for handle in pathlib.Path(f"/proc/{waiting.pid}/fd").iterdir()):
                time.sleep(0.01)
            fcntl.lockf(journal, fcntl.LOCK_UN)
            self.assertEqual(waiting.wait(60), 0)

    def test_folder_killed(self):
        """Killed at ten moments: nothing that was done is lost or done twice, and no file is broken."""
        n, results, dice, more = 300, self.folder / "results", random.Random(5), ("--formats", "json,csv,coco,yolo,voc,xmp,keywords,pictures")
        source = self.folder / "source"
        for i in range(n):
            self.paint(source / f"p{i:03}.jpg", "red", (300, 200))
        journal, done, before = results / "fovea-batch.journal", 0, 0
        for _ in range(10):
            running = subprocess.Popen([FOVEA, "locate", self.folder / "boxes.onnx", source, "-o", results, *more], stdout=subprocess.DEVNULL)
            wanted, until = before + dice.randint(1, 20), time.monotonic() + 60
            while running.poll() is None and done < wanted and time.monotonic() < until:
                done = journal.read_bytes().count(b"\n") if journal.exists() else 0
            time.sleep(dice.uniform(0, 0.02))
            running.kill()
            self.assertEqual(running.wait(), -signal.SIGKILL)
            before = done = journal.read_bytes().count(b"\n")
            self.check_sound(results)
        told, images = self.fill(results, *more, photos=source)
        lines = [json.loads(line) for line in journal.read_text().splitlines() if line.endswith("}") and line.startswith("{\"task")]
        self.assertEqual((told["count"], len(images), len(lines)), (n, n, n))
        self.assertEqual(len({line["path"] for line in lines}), n)
        self.assertTrue(10 <= told["skipped"] < n, told["skipped"])
        self.check_sound(results)
        self.assertFalse(list(results.rglob(".*")))

    def test_taken_away(self):
        """Who deletes the results while they are written is told, at once."""
        results = self.folder / "results"
        for i in range(400):
            self.paint(self.photos / "many" / f"{i:03}.jpg", "red", (300, 200))
        running = subprocess.Popen([FOVEA, "locate", self.folder / "boxes.onnx", self.photos, "-o", results, "--formats", "json,pictures", "--json"], stdout=subprocess.PIPE)
        journal, until = results / "fovea-batch.journal", time.monotonic() + 60
        while not (journal.exists() and journal.stat().st_size) and time.monotonic() < until:
            time.sleep(0.005)
        journal.unlink()
        told = json.loads(running.communicate(timeout=120)[0])
        self.assertEqual(running.returncode, 1, told)
        self.assertIn("taken away", told["error"])

    def check_sound(self, results):
        for path in results.rglob("*"):
            if not path.is_file() or any(part.startswith(".fovea-batch") for part in path.relative_to(results).parts):
                continue
            self.assertFalse(path.name.startswith("."), path)
            if path.suffix in (".png", ".jpg"):
                Image.open(path).load()
            elif path.suffix in (".xmp", ".xml"):
                xml.etree.ElementTree.parse(path)
            elif path.suffix == ".json":
                json.loads(path.read_text())
            elif path.suffix == ".txt":
                self.assertTrue(path.read_text().endswith("\n"), path)
            else:
                self.assertIn(path.suffix, (".csv", ".html", ".journal", ".yaml"), path)

    def test_pictures_refused(self):
        """No picture takes a photo's place, by whatever path its folder is given; a folder inside that of a photo that was named is no such thing."""
        (self.folder / "masks.onnx").write_bytes(tiny_model.colour_masks())
        other = self.folder / "other"
        other.symlink_to(self.photos)
        before = {path: path.read_bytes() for path in self.photos.rglob("*") if path.is_file()}
        for output in (self.photos, self.photos / "sub", self.folder, other, self.photos / "new"):
            for verb, model, option in (("locate", "boxes", "--draw"), ("segment", "masks", "--mask-dir"), ("segment", "masks", "--cutout-dir")):
                answer = fovea(verb, self.folder / f"{model}.onnx", self.photos, option, output)
                self.assertEqual(answer.returncode, 1, (option, output))
                self.assertIn(b"beside it", answer.stderr)
        self.assertEqual(fovea("locate", self.folder / "boxes.onnx", "b.png", "--draw", ".", cwd=self.photos).returncode, 1)
        results = self.folder / "results"
        results.mkdir()
        (results / "keywords").symlink_to(self.photos)
        self.assertIn("beside it", self.fill(results, "--formats", "keywords", status=1)[0]["error"])
        self.assertEqual({path: path.read_bytes() for path in self.photos.rglob("*") if path.is_file()}, before)
        self.assertEqual(fovea("locate", self.folder / "boxes.onnx", "b.png", "--draw", "framed", cwd=self.photos).returncode, 0)
        self.assertEqual(fovea("locate", self.folder / "boxes.onnx", "-", "--draw", ".", cwd=self.photos, given=before[self.photos / "b.png"]).returncode, 0)

    def test_link_to_results(self):
        """Results that can be reached from the folder of photos aren't taken for photos the next time."""
        results = self.folder / "results"
        results.mkdir()
        (self.photos / "latest").symlink_to(results)
        self.assertEqual([self.fill(results, "--formats", "json,pictures")[0]["count"] for _ in range(2)], [5, 5])

    def test_output_refused(self):
        other = self.folder / "other"
        other.symlink_to(self.photos)
        for output in (self.photos, self.photos / "results", self.folder, other / "new", self.photos / "sub"):
            self.assertIn("beside it", self.fill(output, status=1)[0]["error"], output)
        for wrong in (["--formats", "xls"], ["--formats", "masks"], ["--csv"], ["--draw", self.folder / "d"]):
            self.assertEqual(fovea("locate", self.folder / "boxes.onnx", self.photos, "-o", self.folder / "r", *wrong).returncode, 2, wrong)
        self.assertEqual(fovea("locate", self.folder / "boxes.onnx", self.photos, "--formats", "csv").returncode, 2)
        (self.photos / "broken.jpg").write_bytes(b"no photo")
        told, images = self.fill(self.folder / "r", status=3)
        self.assertEqual(([failed["file"] for failed in told["failed"]], len(images)), (["broken.jpg"], 5))

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
