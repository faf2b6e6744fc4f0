# SPDX-License-Identifier: GPL-3.0-or-later
"""Labels are words of strangers. Whatever a model calls its classes, no file lies outside of its folder, tables and XML stay sound, pages and metadata have the names as
text, and lists without end are refused. Arguments: the command."""

import csv
import html.parser
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree

import tiny_model
from reduced import is_brief

try:
    from PIL import Image
except ImportError as missing:
    print(f"{missing}: skipped")
    sys.exit(77)

FOVEA = os.path.abspath(sys.argv[1])
STRANGE = ["../../../../tmp/out", "/etc/passwd", "..", ".hidden", "a/b\\c:d*e?f|g", "<b onclick=\"x\">bold</b> & 'so'", "]]></name><name>", "<?xpacket end='w'?>",
           "=HYPERLINK(\"http://example.org\",\"x\")", "+1", "-1+2", "@SUM(A1)", "\t=1", "\r=1", "two\nlines\r\nand \"quotes\", commas", "bell\x07 escape\x1b[31m nul\x00 end",
           "\u202eturned\u2066", "%s%n%d {0}", "x" * 5000, "", "  ", "\x01\x02", "{\"json\": 1}", "# comment", "null", "ä 日本 🐱"]
ALLOWED_TAGS = {"html", "head", "meta", "title", "style", "body", "h1", "h2", "p", "table", "tr", "td", "figure", "img", "figcaption", "br", "ul", "li"}
DC = "{http://purl.org/dc/elements/1.1/}"
RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"


class Page(html.parser.HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.text = set(), set(), ""
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attributes}

    def handle_data(self, data):
        self.text += data


class StrangeLabels(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = pathlib.Path(temporary.name)
        self.photos = self.folder / "photos"
        self.photos.mkdir()
        colours = ((250, 40, 10), (40, 250, 10), (10, 40, 250))
        for i in range(3):
            photo = Image.new("RGB", (72, 48))
            for k in range(3):
                photo.paste(colours[(i + k) % 3], (24 * k, 0, 24 * k + 24, 48))
            photo.save(self.photos / f"{i}.jpg")

    def fovea(self, *arguments, status=0):
        done = subprocess.run([FOVEA, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120, cwd=self.folder,
                              env={**os.environ, "LC_ALL": "C.UTF-8"})
        self.assertEqual(done.returncode, status, done.stderr)
        return done

    def batches(self, verb, maker, formats, n_labels):
        """Runs all of STRANGE through a model of few labels; gives results, and the labels as the program has them."""
        for start in range(0, len(STRANGE), 3 * n_labels if is_brief(FOVEA) else n_labels):
            given = (STRANGE[start:] + STRANGE)[:n_labels]
            model, results = self.folder / "model.onnx", self.folder / f"results{start}"
            model.write_bytes(maker(names=json.dumps(given)))
            outside = self.tree(results)
            done = self.fovea(verb, model, self.photos, "--output-dir", results, "--formats", formats)
            self.assertRegex(done.stderr, rb"\Afovea: The model says nothing of its licence[^\n]*\n\Z")
            self.assertEqual(self.tree(results), outside)
            for path in results.rglob("*"):
                self.assertNotRegex(path.name, r'[\x00-\x1f\x7f\\:*?"<>|]', path)
                self.assertLess(len(os.fsencode(path.name)), 255)
            images = json.loads((results / "fovea-batch.json").read_text())["images"]
            labels = [item["label"] for image in images for kind in ("classes", "objects", "masks") for item in image.get(kind, ())]
            self.assertTrue(labels)
            for label in labels:
                self.assertNotRegex(label, r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
                self.assertTrue(label.strip() and len(label) <= 200)
            for text in given:
                plain = re.sub(r"[\x01-\x1f\u202e\u2066]", " ", text.replace("\0", "\ufffd"))[:200].strip()
                if plain:
                    self.assertIn(plain, [*labels, *self.known(results)])
            self.check_table(results, images)
            self.check_page(results, set(labels))
            yield results, images, labels

    def known(self, results):
        """Labels that were not found, as the files of boxes list them."""
        path = results / "coco/annotations.json"
        return [category["name"] for category in json.loads(path.read_text())["categories"]] if path.exists() else []

    def tree(self, but):
        return {path for path in self.folder.rglob("*") if but not in path.parents and path != but and path.name != "model.onnx"}

    def check_table(self, results, images):
        with open(results / "fovea-batch.csv", newline="", encoding="utf-8") as table:
            rows = list(csv.reader(table))
        self.assertEqual({len(row) for row in rows}, {len(rows[0])})
        told = [item["label"] for image in images for kind in ("classes", "objects", "masks") for item in image.get(kind, ())]
        self.assertEqual([row[1] for row in rows[1:]], [("'" if label[0] in "=+-@" else "") + label for label in told])

    def check_page(self, results, labels):
        page = Page((results / "fovea-batch.html").read_text())
        self.assertLessEqual(page.tags, ALLOWED_TAGS)
        self.assertLessEqual(page.attributes, {"lang", "charset", "http-equiv", "content", "alt", "src"})
        self.assertTrue(any(label in page.text for label in labels))

    def check_metadata(self, results, images):
        told = []
        if shutil.which("exiftool"):
            copies = [results / image["copy"] for image in images]
            told = json.loads(subprocess.run(["exiftool", "-q", "-j", "-Subject", *copies], stdout=subprocess.PIPE, check=True).stdout)
        for i, image in enumerate(images):
            names = [item["label"] for kind in ("classes", "objects", "masks") for item in image.get(kind, ()) if item.get("area", 1) >= 0.0005 and item.get("score", 1) >= 0.01]
            root = xml.etree.ElementTree.parse(results / image["sidecar"]).getroot()
            written = [item.text for item in root.find(f".//{DC}subject").iter(f"{RDF}li")]
            self.assertEqual(written, list(dict.fromkeys(names)))
            Image.open(results / image["copy"]).load()
            if told:
                found = told[i]["Subject"] if isinstance(told[i]["Subject"], list) else [told[i]["Subject"]]
                self.assertEqual([str(name) for name in found], list(dict.fromkeys(names)))

    def test_names(self):
        for results, images, _ in self.batches("classify", tiny_model.corner_colour, "csv,json,xmp,keywords", 3):
            self.check_metadata(results, images)

    def test_boxes(self):
        for results, images, labels in self.batches("locate", tiny_model.two_boxes, "csv,json,coco,yolo,voc,xmp,keywords,pictures", 2):
            self.check_metadata(results, images)
            coco = json.loads((results / "coco/annotations.json").read_text())
            names = {category["id"]: category["name"] for category in coco["categories"]}
            self.assertEqual([names[row["category_id"]] for row in coco["annotations"]], labels)
            classes = (results / "yolo/classes.txt").read_text().split("\n")[:-1]
            self.assertEqual(classes, list(names.values()))
            listed = [json.loads(line.split(": ", 1)[1]) for line in (results / "yolo/data.yaml").read_text().split("names:\n")[1].splitlines()]
            self.assertEqual(listed, classes)
            for i, image in enumerate(images):
                root = xml.etree.ElementTree.parse(results / f"voc/Annotations/{i}.xml").getroot()
                self.assertEqual([found.text for found in root.iter("name")], [item["label"] for item in image["objects"]])
                rows = [line.split() for line in (results / f"yolo/labels/{i}.txt").read_text().splitlines()]
                self.assertEqual([classes[int(row[0])] for row in rows], [item["label"] for item in image["objects"]])

    def test_masks(self):
        for results, images, _ in self.batches("segment", tiny_model.colour_masks, "csv,json,masks,cut-outs,pictures,xmp,keywords", 3):
            self.check_metadata(results, images)
            files = [(results / mask[kind]).resolve() for image in images for mask in image["masks"] for kind in ("file", "cutout")]
            self.assertEqual(len(set(files)), 2 * 3 * 3)
            for image in images:
                for mask in image["masks"]:
                    gray, cutout = (Image.open(results / mask[kind]) for kind in ("file", "cutout"))
                    self.assertEqual((gray.mode, gray.size, cutout.mode), ("L", (image["width"], image["height"]), "RGBA"))
                    self.assertEqual(cutout.getchannel("A").tobytes(), gray.tobytes())
                    self.assertAlmostEqual(sum(gray.tobytes()) / 255 / (gray.width * gray.height), mask["area"], delta=0.02)
            for path in files:
                self.assertIn((results / ("masks" if "/masks/" in str(path) else "cut-outs")).resolve(), path.parents)
                Image.open(path).load()

    def test_terminal(self):
        """What is printed for people has no escapes either."""
        model = self.folder / "model.onnx"
        model.write_bytes(tiny_model.corner_colour(names=json.dumps(["\x1b[31mred\x07", "two\nlines", "\x9b31m"])))
        for verb in (["classify", model, self.photos / "0.jpg"], ["info", model]):
            self.assertNotRegex(self.fovea(*verb).stdout.decode(), "[\x00-\x08\x0b-\x1f\x7f-\x9f]")

    def test_lists_without_end(self):
        model = self.folder / "model.onnx"
        for names in ({"0": "red", "2000000000": "far"}, [f"label {i}" for i in range(300000)]): # not its classes' names: these have numbers
            model.write_bytes(tiny_model.corner_colour(names=json.dumps(names)))
            images = json.loads(self.fovea("classify", model, self.photos, "--json").stdout)["images"]
            self.assertEqual({item["label"] for image in images for item in image["classes"]}, {"class 0", "class 1", "class 2"})
        model.write_bytes(tiny_model.corner_colour(names="[]"))
        (self.folder / "model.labels.txt").write_text("label\n" * 100001) # one more than there may be
        self.assertIn(b"labels", self.fovea("classify", model, self.photos, status=1).stderr)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
