#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Gives photos the boxes that a teacher saw in them.

  teach.py CLASSES ANSWERS… < manifest.jsonl > taught.jsonl

CLASSES is the tag list of the training, ANSWERS are what `fovea locate TEACHER PHOTO… --json` printed. Rows with boxes of their own, and those to be judged by,
come out as they are; to be judged by photos of a kind of thing, its box must be known. Others get the teacher's boxes: its sure ones become boxes, its doubtful ones regions of which nothing is said (crowd), and the source gets
"-taught" behind its name, since it now knows the teacher's classes. Of photos where it is sure of nothing that the list has, one in three comes out, as showing
none of it. A photo of one kind of mammal shows an animal, whichever the teacher takes it for. Everyday scenes come out four times, as they are few and hard;
photos of one leaf, which are many and easy, come out once in three."""

import json
import sys

SURE = 0.45
DOUBTFUL = 0.15
REPEATS = 4
ONE_IN = 3
MAMMALS = {"Leopards", "beaver", "cougar_body", "cougar_face", "elephant", "gerenuk", "hedgehog", "llama", "okapi", "panda", "platypus", "rhino", "wild_cat"}
ANIMALS = {"person", "bird", "cat", "dog", "horse", "sheep", "cow", "elephant", "bear", "zebra", "giraffe", "teddy bear"}  # what it may take them for


def read_answers(paths):
    answers = {}
    for path in paths:
        with open(path, encoding="utf-8") as file:
            for image in json.load(file)["images"]:
                answers["/".join(image["file"].split("/")[-3:])] = image
    return answers


def overlap(a, b):
    """The intersection's share of the smaller one."""
    width, height = (min(a[i] + a[i + 2], b[i] + b[i + 2]) - max(a[i], b[i]) for i in (1, 2))
    return max(width, 0) * max(height, 0) / max(min(a[3] * a[4], b[3] * b[4]), 1e-9)


def see_animals(boxes):
    """Every animal by that name; the surest of those that lie on each other, and sure enough for a photo that is known to show one."""
    kept = []
    for score, box in sorted(boxes, reverse=True):
        if box[0] not in ANIMALS:
            kept.append((score, box))
        elif all(overlap(box, other) < 0.6 for _, other in kept if other[0] == "animal"):
            kept.append((score + SURE / 2 if score < SURE else score, ["animal"] + box[1:]))
    return kept


def teach(row, answer):
    sizes = [answer["width"], answer["height"]] * 2
    boxes = [(thing["score"], [thing["label"]] + [round(value / size, 4) for value, size in zip(thing["box"], sizes)]) for thing in answer["objects"]]
    if row["labels"] in MAMMALS:
        boxes = see_animals(boxes)
    row["src"] += "-taught"
    row["boxes"] = [box for score, box in boxes if score >= SURE]
    row["crowd"] = [box for score, box in boxes if DOUBTFUL <= score < SURE]


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        meant = set(file.read().split())
    answers = read_answers(sys.argv[2:])
    n_plain = n_nothing = 0
    for line in sys.stdin:
        row = json.loads(line)
        repeats = int(row["split"] == "train" or row["src"] != "caltech101" or len(row["boxes"]) > 0)
        if row["split"] == "train" and not row["boxes"]:
            if row["file"] not in answers:
                continue
            teach(row, answers[row["file"]])
            if not any(f"{row['src']}:{box[0]}".replace(" ", "_") in meant for box in row["boxes"]):
                n_nothing += 1
                repeats = n_nothing % ONE_IN == 0 and row["labels"] not in MAMMALS
        elif row["split"] == "train" and row["src"] == "leaf":
            n_plain += 1
            repeats = n_plain % 3 == 0
        elif row["split"] == "train" and row["src"] == "coco":
            repeats = REPEATS
        for _ in range(repeats):
            print(json.dumps(row))


if __name__ == "__main__":
    main()
