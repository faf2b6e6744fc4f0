#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Packs the photos that the recipes learn from into a few small files, to be carried to another machine.

  pack.py [--quality Q] [--largest MB] OUTPUT tagger=DATA:TAGS objects=DATA:TAGS[:MORE] cutout=DATA[:BACKGROUNDS]

DATA is a folder as a recipe lays it out (--photos-only), TAGS its tag list, MORE the manifest of photos of which only the teacher says what they show. OUTPUT gets
index.json, and photos-0.bin, photos-1.bin … of at most so many MB: WebP photos one after the other, then the masks as PNG. Rows to be judged by stay behind."""

import argparse
import io
import json
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "objects"))
from teach import ANIMALS, MAMMALS  # noqa: E402 (beside the other recipe)

SMALLEST_SUBJECT = 0.05  # share of the photo, as in train/dataset-manifest.c


class TagList:
    """A tag list of fovea train: classes, what a source's labels mean, and what each source knows."""

    def __init__(self, path):
        self.classes, self.meanings, self.known, self.left_out = [], {}, {}, set()
        for line in path.read_text(encoding="utf-8").splitlines():
            line = line.split("#")[0].strip()
            if line.startswith("-"):
                self.left_out.add(line[1:])
            elif line:
                self.add(*line.split("=", 1))

    def add(self, tag, words):
        index = len(self.classes)
        self.classes.append(tag.strip())
        shown, _, absent = words.partition("|")
        for word in shown.split():
            self.meanings.setdefault(word, []).append(index)
            self.known.setdefault(word.split(":")[0], set()).add(index)
        for source in absent.split():
            self.known.setdefault(source, set()).add(index)

    def find(self, source, label):
        return self.meanings.get(f"{source}:{label}".replace(" ", "_"), [])

    def keeps(self, source, labels):
        return not any(f"{source}:{label}".replace(" ", "_") in self.left_out for label in [*labels, ""])


def read_rows(manifest):
    with open(manifest, encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            if row["split"] == "train":
                yield row


def list_tagged(folder, tags):
    """Photos with tags: {photo, tags, known}."""
    for row in read_rows(folder / "manifest.jsonl"):
        labels = row["labels"].split(";")
        known = sorted(tags.known.get(row["src"], ()))
        if known and tags.keeps(row["src"], labels):
            meant = {index for label in [*labels, ""] for index in tags.find(row["src"], label)}
            yield {"photo": row["file"], "tags": sorted(meant), "known": known}


def list_boxed(folder, tags, more):
    """Photos with boxes: {photo, known, boxes [[class or -1, left, top, width, height]], taught, mammal}, shares of the photo. taught: the boxes are a teacher's;
    mammal: whatever animal or person a teacher takes it for."""
    for row in read_rows(folder / "manifest.jsonl"):
        if not tags.keeps(row["src"], row["labels"].split(";")):
            continue
        known = sorted(tags.known.get(row["src"], ()))
        boxes = [[index, *box[1:5]] for box in row["boxes"] for index in tags.find(row["src"], box[0])]
        boxes += [[-1, *box[1:5]] for box in row.get("crowd", []) if tags.find(row["src"], box[0])]
        if known or boxes:
            yield {"photo": row["file"], "known": known, "boxes": boxes, "taught": row["src"].endswith("-taught"), "mammal": row["labels"] in MAMMALS}
    for row in read_rows(more) if more else ():
        if tags.keeps(row["src"], row["labels"].split(";")):
            yield {"photo": row["file"], "known": [], "boxes": [], "taught": True, "mammal": row["labels"] in MAMMALS}


def list_masked(folder):
    """Photos with a mask of the subject: {photo, mask, source}."""
    for row in read_rows(folder / "manifest.jsonl"):
        share = row["fg"] if isinstance(row["fg"], float) else 1.0
        if row["mask"] and share >= SMALLEST_SUBJECT:
            yield {"photo": row["file"], "mask": row["mask"], "source": row["src"]}


def list_samples(task, folder, rest):
    if task == "cutout":
        samples = list(list_masked(folder))
        backgrounds = sorted(path.resolve() for path in Path(rest).iterdir()) if rest else []
        return {"samples": samples, "backgrounds": ["/".join(path.parts[-3:]) for path in backgrounds]}
    path, _, more = rest.partition(":")
    tags = TagList(Path(path))
    if task == "tagger":
        return {"classes": tags.classes, "samples": list(list_tagged(folder, tags))}
    words = {word.removeprefix("coco:").replace("_", " "): classes for word, classes in tags.meanings.items() if word.startswith("coco:")}
    return {"classes": tags.classes, "words": words, "animals": sorted(ANIMALS), "samples": list(list_boxed(folder, tags, more))}


def shrink(path, quality):
    with Image.open(path) as photo:
        out = io.BytesIO()
        photo.convert("RGB").save(out, "WEBP", quality=quality, method=4)
        return out.getvalue(), photo.width / photo.height


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--quality", type=int, default=75)
    parser.add_argument("--largest", type=float, default=46.0, help="MB of a file")
    parser.add_argument("output", type=Path)
    parser.add_argument("task", nargs="+")
    given = parser.parse_args()
    index, root, names = {}, None, {}
    for word in given.task:
        task, _, place = word.partition("=")
        folder, _, rest = place.partition(":")
        root = root or Path(folder)
        index[task] = list_samples(task, Path(folder), rest)
        for sample in index[task]["samples"]:
            names[sample["photo"]] = None
            if "mask" in sample:
                names[sample["mask"]] = None
        names.update(dict.fromkeys(index[task].get("backgrounds", [])))
    given.output.mkdir(parents=True, exist_ok=True)
    photos = [name for name in names if not name.startswith("mask/")]
    with ProcessPoolExecutor() as pool:
        shrunk = dict(zip(photos, pool.map(shrink, [root / name for name in photos], [given.quality] * len(photos), chunksize=64)))
    index["files"], part, place, file = {}, -1, 0, None
    for name in names:
        data, aspect = shrunk.get(name) or ((root / name).read_bytes(), 1.0)
        if not file or place + len(data) > given.largest * 1e6:
            part, place = part + 1, 0
            file = open(given.output / f"photos-{part}.bin", "wb")
        index["files"][name] = [part, place, len(data), round(aspect, 4)]
        place += file.write(data)
    (given.output / "index.json").write_text(json.dumps(index, separators=(",", ":")))
    print(f"{len(photos)} photos, {part + 1} files")


if __name__ == "__main__":
    main()
