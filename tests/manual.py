# SPDX-License-Identifier: GPL-3.0-or-later
"""The examples of docs/batch.html for many machines, as they are printed there: GNU parallel, a job array, Snakemake. Arguments: the command."""

import csv
import html
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

import tiny_model

try:
    from PIL import Image
except ImportError as missing:
    print(f"{missing}: skipped")
    sys.exit(77)

FOVEA = os.path.abspath(sys.argv[1])
PAGE = pathlib.Path(__file__).resolve().parent.parent / "docs/batch.html"
N_PHOTOS = 19


class Manual(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = pathlib.Path(temporary.name)
        self.examples = {name: html.unescape(text) for name, text in re.findall(r'<pre id="([^"]+)">(.*?)</pre>', PAGE.read_text(encoding="utf-8"), re.DOTALL)}
        for name in ("bin", "models", "Pictures", "home"):
            (self.folder / name).mkdir()
        (self.folder / "bin/fovea").symlink_to(FOVEA)
        (self.folder / "models/tagger.onnx").write_bytes(tiny_model.corner_colour())
        for i in range(N_PHOTOS):
            Image.new("RGB", (20, 10), (255, 0, 0)).save(self.folder / f"Pictures/{i:02}.png")
        (self.folder / "Pictures/broken.jpg").write_bytes(b"no photo")
        self.environment = {**os.environ, "LC_ALL": "C.UTF-8", "FOVEA_MODELS_PATH": str(self.folder / "models"), "HOME": str(self.folder / "home"),
                            "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}"}

    def shell(self, text, **more):
        return subprocess.run(["sh", "-c", text], cwd=self.folder, env={**self.environment, **more}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300)

    def check(self):
        self.assertEqual(self.shell(self.examples["join"]).returncode, 0)
        with open(self.folder / "names.csv", newline="", encoding="utf-8") as table:
            rows = list(csv.DictReader(table))
        self.assertEqual(sorted({row["file"] for row in rows}), [f"{i:02}.png" for i in range(N_PHOTOS)])
        self.assertEqual(len(rows), N_PHOTOS * len({row["label"] for row in rows}))

    @unittest.skipUnless(shutil.which("parallel"), "there is no GNU parallel")
    def test_parallel(self):
        done = self.shell(self.examples["parallel"])
        self.assertEqual(done.returncode, 1, done.stdout) # the share with the broken photo
        self.check()

    def test_job_array(self):
        script = self.folder / "job"
        script.write_text(self.examples["job-array"])
        for i in range(1, 9):
            done = self.shell("sh ./job", SLURM_ARRAY_TASK_ID=str(i))
            self.assertEqual(done.returncode, 0, done.stdout)
        self.check()

    @unittest.skipUnless(shutil.which("snakemake"), "there is no Snakemake")
    def test_snakemake(self):
        (self.folder / "Snakefile").write_text(self.examples["snakemake"])
        done = self.shell("snakemake --cores 2")
        self.assertEqual(done.returncode, 0, done.stdout[-3000:])
        self.check()
        self.assertIn(b"Nothing to be done", self.shell("snakemake --cores 2").stdout)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
