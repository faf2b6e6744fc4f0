#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""run.py: what ./dev run gives to GIMP and makes of its answers.

run.py prepare WORK OUT N PHOTO…   chooses names in OUT, writes WORK/job-1.scm to job-N.scm, for N GIMPs at most, and WORK/photos.json
run.py report WORK OUT             prints what was seen in each photo, writes OUT/fovea.json; fails where a photo has no answer
"""

import json
import os
import re
import sys

ENDINGS = {"copy": ".jpg", "boxes": "-boxes.jpg", "cut_out": "-cut-out.png", "xcf": ".xcf"}  # what is written for each photo, behind its stem
SURE = 0.5  # names that are rather not there than there aren't printed, but the first
SEEN = 0.005  # the least part of a photo that is a cut-out
WRITTEN = ".written"  # in OUT: the files that earlier runs wrote, which may be replaced; nothing else there may


def read_lines(path):
    try:
        with open(path, encoding="utf-8") as file:
            return file.read().splitlines()
    except FileNotFoundError:
        return []


def choose_names(out, photos):
    """A stem for each photo, so that the files STEM… in `out` are neither anyone's own nor each other's."""
    mine = set(read_lines(os.path.join(out, WRITTEN)))
    originals = {os.path.realpath(photo) for photo in photos}
    taken = set()

    def is_free(stem):
        for name in (stem + ending for ending in ENDINGS.values()):
            path = os.path.join(out, name)
            if name in taken or os.path.realpath(path) in originals or (os.path.lexists(path) and name not in mine):
                return False
        return True

    stems = []
    for photo in photos:
        base = stem = os.path.splitext(os.path.basename(photo))[0]
        number = 2
        while not is_free(stem):
            stem = f"{base}-{number}"
            number += 1
        taken |= {stem + ending for ending in ENDINGS.values()}
        stems.append(stem)
    with open(os.path.join(out, WRITTEN), "w", encoding="utf-8") as file:
        file.write("".join(name + "\n" for name in sorted(mine | taken)))
    return stems


def scheme_string(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def prepare(work, out, n_jobs, *photos):
    photos_of = []
    calls = [[] for _ in range(min(int(n_jobs), len(photos)))]
    for number, (photo, stem) in enumerate(zip(photos, choose_names(out, photos))):
        entry = {"file": os.path.abspath(photo), "stem": os.path.join(out, stem), "answer": os.path.join(work, f"{number + 1}.json")}
        photos_of.append(entry)
        calls[number % len(calls)].append("(look-at-photo " + " ".join(scheme_string(entry[key]) for key in ("file", "stem", "answer")) + ")\n")
    for number, lines in enumerate(calls, 1):
        with open(os.path.join(work, f"job-{number}.scm"), "w", encoding="utf-8") as file:
            file.write(f"(load {scheme_string(os.path.join(os.path.dirname(os.path.abspath(__file__)), 'run.scm'))})\n" + "".join(lines))
    with open(os.path.join(work, "photos.json"), "w", encoding="utf-8") as file:
        json.dump(photos_of, file)


def error_of(answer):
    """What GIMP said where it gave no answer, without which procedure and which line of the script it was."""
    words = " ".join(" ".join(read_lines(answer + ".error")).split())
    words = re.sub(r"^(Error: )?(Procedure execution of \S+ failed(:| on invalid \w+ arguments:)? *)?", "", words)
    return re.sub(r" \([^()]* : \d+\)$", "", words) or "GIMP gave no answer"


def describe(answer):
    """What was seen in a photo, in lines."""
    classes = answer["classify"]["classes"]
    names = [f"{100 * one['score']:.0f} % {one['label']}" for one in classes if one["score"] >= SURE or one is classes[0]]
    yield "names    " + ", ".join(names)
    objects = answer["locate"]["objects"]
    yield "boxes    " + (", ".join(one["label"] for one in objects) or "none")
    yield "cut out  " + (", ".join(f"{one['label']}, {100 * one['area']:.0f} % of the photo" for one in answer["segment"]["masks"] if one["area"] >= SEEN) or "nothing")


def report(work, out):
    with open(os.path.join(work, "photos.json"), encoding="utf-8") as file:
        jobs = json.load(file)
    failures = 0
    photos = []
    for photo in jobs:
        entry = {"file": photo["file"]}
        print(f"\n{os.path.basename(photo['file'])}")
        try:
            with open(photo["answer"], encoding="utf-8") as file:
                answer = json.load(file)
            entry.update(answer, **{key: photo["stem"] + ending for key, ending in ENDINGS.items()})
            for line in describe(answer):
                print(f"  {line}")
            print(f"  → {os.path.relpath(photo['stem'])}: {', '.join(ENDINGS.values())}")
        except FileNotFoundError:
            failures += 1
            entry["error"] = error_of(photo["answer"])
            print(f"  failed: {entry['error']}")
        photos.append(entry)
    path = os.path.join(out, "fovea.json")
    with open(path + ".part", "w", encoding="utf-8") as file:
        json.dump({"photos": photos}, file, ensure_ascii=False, indent=2)
        file.write("\n")
    os.replace(path + ".part", path)
    return failures


if __name__ == "__main__":
    sys.exit({"prepare": prepare, "report": report}[sys.argv[1]](*sys.argv[2:]))
