#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long it takes to learn only a last layer, from files to a model: 200 photos of ten kinds that no built-in model was trained on, 50 epochs, five augmented
forms of each photo, features computed once. The median of three trainings counts.

    bench/last-layer.py --fovea BUILD/cli/fovea --base tagger --base squeezenet11.onnx [--threads 2] PHOTOS
"""

import argparse
import json
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

KINDS = "bonsai brain buddha chandelier ewer hawksbill kangaroo ketch menorah starfish".split()  # of Caltech 101
PHOTOS_OF_KIND = 20
TIMES = 3


def lay_out(folder, photos):
    with open(photos / "manifest.jsonl", encoding="utf-8") as manifest:
        rows = [row for row in map(json.loads, manifest) if row["src"] == "caltech101"]
    for kind in KINDS:
        (folder / kind).mkdir(parents=True)
        chosen = [row for row in rows if row["labels"] == kind][:PHOTOS_OF_KIND]
        assert len(chosen) == PHOTOS_OF_KIND, kind
        for row in chosen:
            (folder / kind / Path(row["file"]).name).symlink_to(photos / row["file"])


def measure(given, base, folder):
    """Seconds."""
    command = [given.fovea, "train", "--data", folder / "photos", "--base", base, "--trainable", "head", "--epochs", 50, "--validation", 0, "--threads", given.threads,
               "--output", folder / "model.onnx", "--quiet"]
    begin = time.monotonic()
    subprocess.run([str(word) for word in command], check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - begin


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("photos", type=Path, help="folder with manifest.jsonl")
    parser.add_argument("--base", action="append", required=True, help="model whose features serve; again for more")
    parser.add_argument("--fovea", default="fovea", help="the command")
    parser.add_argument("--threads", type=int, default=2)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        lay_out(Path(folder, "photos"), given.photos.resolve())
        for base in given.base:
            seconds = [measure(given, base, Path(folder)) for _ in range(TIMES)]
            print(f"{Path(base).stem:20} {given.threads} threads  {statistics.median(seconds):.2f} s ({min(seconds):.2f} to {max(seconds):.2f})", flush=True)


main()
