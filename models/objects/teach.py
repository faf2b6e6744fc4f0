#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Gives photos the boxes that a teacher saw in them.

  teach.py CLASSES ANSWERS… < manifest.jsonl > taught.jsonl

CLASSES is the tag list of the training, ANSWERS are what `fovea locate TEACHER PHOTO… --json` printed. Rows with boxes of their own, and those to be judged by,
come out as they are. Others come out where the teacher is sure of something that the list has: its sure boxes become boxes, its doubtful ones regions of which
nothing is said (crowd), and the source gets "-taught" behind its name, since it now knows the teacher's classes. Everyday scenes come out four times, as they are
few and hard; photos of one leaf, which are many and easy, come out once in three."""

import json
import sys

SURE = 0.45
DOUBTFUL = 0.15
REPEATS = 4


def read_answers(paths):
    answers = {}
    for path in paths:
        with open(path, encoding="utf-8") as file:
            for image in json.load(file)["images"]:
                answers["/".join(image["file"].split("/")[-3:])] = image
    return answers


def teach(row, answer):
    sizes = [answer["width"], answer["height"]] * 2
    boxes = [(thing["score"], [thing["label"]] + [round(value / size, 4) for value, size in zip(thing["box"], sizes)]) for thing in answer["objects"]]
    row["src"] += "-taught"
    row["boxes"] = [box for score, box in boxes if score >= SURE]
    row["crowd"] = [box for score, box in boxes if DOUBTFUL <= score < SURE]


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        meant = set(file.read().split())
    answers = read_answers(sys.argv[2:])
    n_plain = 0
    for line in sys.stdin:
        row = json.loads(line)
        repeats = 1
        if row["split"] == "train" and not row["boxes"]:
            if row["file"] not in answers:
                continue
            teach(row, answers[row["file"]])
            if not any(f"{row['src']}:{box[0]}".replace(" ", "_") in meant for box in row["boxes"]):
                continue
        elif row["split"] == "train" and row["src"] == "leaf":
            n_plain += 1
            repeats = n_plain % 3 == 0
        elif row["split"] == "train" and row["src"] == "coco":
            repeats = REPEATS
        for _ in range(repeats):
            print(json.dumps(row))


if __name__ == "__main__":
    main()
