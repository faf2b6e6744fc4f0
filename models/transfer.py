#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""How well features serve for what they were never trained on: a last layer alone learns from 5 to 50 photos a class, on a backbone that stays as it is.

The classes are the ones that no built-in model is trained on (see README.md here): trashnet, aquarium and twelve kinds of Caltech 101. Each draw takes
its own photos to learn from and, for each class, up to 25 others to be judged by.

    models/transfer.py --data PHOTOS --base tagger --base squeezenet11.onnx [--json FILE]
"""

import argparse
import json
import random
import statistics
import subprocess
import tempfile
from pathlib import Path

CALTECH = "bonsai brain buddha chandelier ewer hawksbill kangaroo ketch menorah revolver scorpion starfish".split()
AQUARIUM = "fish jellyfish penguin puffin shark starfish stingray".split()
JUDGED_BY = 25  # photos of a class, at most


def group(rows):
    """{set: {class: [file]}}, each photo of exactly one class."""
    sets = {"caltech": {}, "trashnet": {}, "aquarium": {}}
    for row in rows:
        labels = row["labels"].split(";")
        if row["src"] == "trashnet":
            sets["trashnet"].setdefault(labels[0], []).append(row["file"])
        elif row["src"] == "aquarium":
            kinds = [label for label in labels if label in AQUARIUM]
            if len(kinds) == 1:
                sets["aquarium"].setdefault(kinds[0], []).append(row["file"])
        elif row["src"] == "caltech101" and labels[0] in CALTECH:
            sets["caltech"].setdefault(labels[0], []).append(row["file"])
    return sets


def lay_out(folder, photos, classes, n, draw):
    """train/ and val/ folders of links; a class with too few photos for n gives half of them to learn from."""
    for label, files in classes.items():
        files = sorted(files)
        random.Random(f"{label} {draw}").shuffle(files)
        judged = min(JUDGED_BY, len(files) // 2)
        for split, part in ("val", files[:judged]), ("train", files[judged:judged + n]):
            place = folder / split / label
            place.mkdir(parents=True)
            for file in part:
                (place / Path(file).name).symlink_to(photos / file)


def measure(fovea, base, photos, classes, n, draw, extra):
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        lay_out(folder / "data", photos, classes, n, draw)
        command = [fovea, "train", "--data", folder / "data", "--base", base, "--trainable", "head", "--output", folder / "model.onnx", "--quiet", "--json", *extra]
        return json.loads(subprocess.run(command, check=True, capture_output=True).stdout)["evaluation"]["accuracy"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with manifest.jsonl")
    parser.add_argument("--base", action="append", required=True, help="model whose features are measured; again for more")
    parser.add_argument("--fovea", default="fovea", help="the command")
    parser.add_argument("--photos", type=int, nargs="+", default=[5, 10, 20, 50], help="photos of a class to learn from")
    parser.add_argument("--draws", type=int, default=5)
    parser.add_argument("--json", type=Path, help="every accuracy, as rows")
    parser.add_argument("extra", nargs="*", help="after --, options of fovea train")
    given = parser.parse_args()
    with open(given.data / "manifest.jsonl", encoding="utf-8") as manifest:
        sets = group(json.loads(line) for line in manifest)
    rows = []
    for name, classes in sets.items():
        for n in given.photos:
            for base in given.base:
                accuracies = [measure(given.fovea, base, given.data.resolve(), classes, n, draw, given.extra) for draw in range(given.draws)]
                rows.append({"set": name, "photos": n, "base": Path(base).stem, "accuracies": accuracies})
                print(f"{name:9} {n:3} photos a class  {Path(base).stem:20} {statistics.mean(accuracies):.3f}  ± {statistics.pstdev(accuracies):.3f}", flush=True)
    if given.json:
        given.json.write_text(json.dumps(rows, indent=1))


main()
