# SPDX-License-Identifier: GPL-3.0-or-later
"""fovea bench: what it reports, at which size, step by step and from a photo. Argument: the command."""

import html.parser
import json
import os
import pathlib
import struct
import subprocess
import sys
import tempfile
import unittest
import zlib

import tiny_model

FOVEA = os.path.abspath(sys.argv[1])
FREE = b""  # a dimension without a value
LAYER = {"name", "operator", "kernel", "in", "out", "ms", "share", "gflops", "peak_share", "gbytes", "bandwidth_share"}


def png(width, height):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = (b"\0" + b"\x80\x40\x20" * width) * height
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def free_size():
    """A classifier for photos of any size, whose settings say 48: a convolution of one by one, then the mean."""
    port = tiny_model.field(1, "x") + tiny_model.field(2, tiny_model.field(1, tiny_model.field(1, tiny_model.FLOAT) + tiny_model.field(2, b"".join(
        tiny_model.field(1, tiny_model.field(1, d) if d else FREE) for d in (1, 3, 0, 0)))))
    return tiny_model.model([tiny_model.node("Conv", ["x", "w"], ["a"]), tiny_model.node("GlobalAveragePool", ["a"], ["y"])], [port],
                            [tiny_model.port("y", [1, 2, 1, 1])], [tiny_model.tensor("w", [2, 3, 1, 1], [1.0] * 6)],
                            {"task": "classify", "names": "['<a>', 'b']", "fovea": '{"input": {"size": 48, "resize": "stretch", "range": 1}}'})


class Page(html.parser.HTMLParser):
    """Counts the rows, and whether every element that is opened is closed."""

    def __init__(self, text):
        super().__init__()
        self.open, self.rows, self.text = [], 0, ""
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        if tag != "meta":
            self.open.append(tag)
        self.rows += tag == "tr"

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, tag

    def handle_data(self, data):
        self.text += data


class Bench(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory()
        cls.folder = pathlib.Path(cls.temporary.name)
        cls.model, cls.photo = cls.folder / "free.onnx", cls.folder / "photo.png"
        cls.model.write_bytes(free_size())
        cls.photo.write_bytes(png(90, 60))

    @classmethod
    def tearDownClass(cls):
        cls.temporary.cleanup()

    def run_bench(self, *arguments, status=0):
        answer = subprocess.run([FOVEA, "bench", self.model, "--threads", "1", "--repeat", "5", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                env={**os.environ, "LC_ALL": "C.UTF-8"}, timeout=120)
        self.assertEqual(answer.returncode, status, answer.stderr)
        return answer

    def bench(self, *arguments):
        return json.loads(self.run_bench("--json", *arguments).stdout)

    def test_size_of_settings(self):
        self.assertAlmostEqual(self.bench()["gflop"] * 1e9, 2 * 48 * 48 * 3 * 2)
        self.assertAlmostEqual(self.bench("--shape", "x=1x3x10x20")["gflop"] * 1e9, 2 * 10 * 20 * 3 * 2)

    def test_layers(self):
        told = self.bench("--per-layer")
        self.assertGreater(told["limits"]["gflops"], 0)
        self.assertGreater(told["limits"]["gbytes"], 0)
        self.assertEqual({frozenset(layer) for layer in told["layers"]}, {frozenset(LAYER)})
        self.assertIn("Conv", [layer["operator"] for layer in told["layers"]])
        self.assertIn("1x3x48x48", [layer["in"] for layer in told["layers"]])
        self.assertAlmostEqual(sum(layer["share"] for layer in told["layers"]), 1, places=6)
        for layer in told["layers"]:
            self.assertAlmostEqual(layer["peak_share"], layer["gflops"] / told["limits"]["gflops"])
            self.assertAlmostEqual(layer["bandwidth_share"], layer["gbytes"] / told["limits"]["gbytes"])
        flop = sum(layer["gflops"] * layer["ms"] * 1e6 for layer in told["layers"])
        self.assertAlmostEqual(flop, 2 * 48 * 48 * 3 * 2, delta=1)
        self.assertNotIn("layers", self.bench())

    def test_text(self):
        lines = self.run_bench("--per-layer").stdout.decode().splitlines()
        steps = [line for line in lines if line.split()[:1] and line.split()[0].isdigit()]
        self.assertEqual(len(steps), len(self.bench("--per-layer")["layers"]))
        self.assertIn("limits of the machine", "\n".join(lines))

    def test_page(self):
        page = self.folder / "layers.html"
        told = self.bench("--html", page)
        read = Page(page.read_text(encoding="utf-8"))
        self.assertEqual((read.open, read.rows), ([], len(told["layers"]) + 1))
        self.assertIn("Conv", read.text)
        self.assertIn(str(self.model), read.text)
        answer = self.run_bench("--html", self.folder / "nowhere" / "x.html", status=1)
        self.assertIn("can't be written", answer.stderr.decode())

    def test_photo(self):
        told = self.bench("--photo", self.photo)
        self.assertEqual((told["width"], told["height"], told["threads"]), (90, 60, 1))
        self.assertEqual(list(told["ms"]), ["decode", "resize", "normalize", "network"])
        self.assertTrue(all(ms > 0 for ms in told["ms"].values()), told)
        self.assertAlmostEqual(told["total_ms"], sum(told["ms"].values()))
        self.assertIn("decode", self.run_bench("--photo", self.photo).stdout.decode())
        self.run_bench("--photo", self.folder / "nowhere.png", status=1)
        self.run_bench("--photo", self.photo, "--per-layer", status=2)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
