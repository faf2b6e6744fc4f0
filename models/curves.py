#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The curves of docs/train.html: the small network learns five kinds of flowers from nothing, and last layers learn what the tagger has never seen, from few photos.

    models/curves.py --data PHOTOS --base tagger --base squeezenet11.onnx --work WORK docs

draws docs/images/learning.svg and docs/images/transfer.svg, and puts the numbers into docs/train.html. What was measured is kept in WORK, and a training that was
stopped goes on from there; an hour on one thread.
"""

import argparse
import html
import json
import math
import re
import statistics
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
SIZE, EPOCHS = 96, 60
NAMES = {"caltech": "Twelve kinds of Caltech 101", "trashnet": "Six kinds of rubbish", "aquarium": "Seven animals of an aquarium",
         "tagger": "the tagger’s features", "squeezenet11": "SqueezeNet’s, of ImageNet"}
WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM = 250, 220, 40, 30, 10, 40  # of a panel, pixels
STYLE = """text { font: 11px sans-serif; fill: #222 } .grid { stroke: #ddd } .band { stroke: none; opacity: .2 } .line { fill: none; stroke-width: 2 }
.s0 { stroke: #1a5a96; fill: #1a5a96 } .s1 { stroke: #b5541c; fill: #b5541c } text.s0, text.s1 { stroke: none }
@media (prefers-color-scheme: dark) { text { fill: #ddd } .grid { stroke: #444 } .s0 { stroke: #86b9ea; fill: #86b9ea } .s1 { stroke: #eaa27a; fill: #eaa27a } }"""


# ---- measuring

def run(command, kept):
    """What a command says as JSON; kept in a file, where a later call finds it."""
    if not kept.exists():
        part = kept.with_suffix(".part")
        with open(part, "wb") as out:
            subprocess.run([str(word) for word in command], check=True, stdout=out)
        part.rename(kept)
    return json.loads(kept.read_text())


def learn_flowers(fovea, photos, work, threads):
    """Links to the five kinds, as folders of folders; then the training."""
    with open(photos / "manifest.jsonl", encoding="utf-8") as manifest:
        rows = [row for row in map(json.loads, manifest) if row["src"] == "flowers"]
    for row in rows:
        place = work / "flowers" / row["split"] / row["labels"].split(";")[1] / Path(row["file"]).name
        place.parent.mkdir(parents=True, exist_ok=True)
        if not place.is_symlink():
            place.symlink_to(photos / row["file"])
    command = [fovea, "train", "--data", work / "flowers", "--size", SIZE, "--epochs", EPOCHS, "--threads", threads, "--output", work / "flowers.onnx", "--json"]
    return run(command, work / "flowers.json"), {split: sum(row["split"] == split for row in rows) for split in ("train", "val")}


def measure_transfer(fovea, photos, bases, work, threads):
    """{set: {base: [(photos a class, accuracies)]}}"""
    kept = work / "transfer.json"
    if not kept.exists():
        command = [sys.executable, HERE / "transfer.py", "--data", photos, "--fovea", fovea, "--json", kept]
        subprocess.run([*command, *(word for base in bases for word in ("--base", base)), "--", "--threads", str(threads)], check=True)
    sets = {}
    for row in json.loads(kept.read_text()):
        sets.setdefault(row["set"], {}).setdefault(row["base"].removesuffix("_fp32"), []).append((row["photos"], row["accuracies"]))
    return sets


# ---- drawing

class Panel:
    """Lines over two axes, drawn as SVG at a place of its own."""

    def __init__(self, title, below, x_ticks, y_ticks, logarithmic=False):
        self.title, self.below, self.x_ticks, self.y_ticks, self.logarithmic = title, below, x_ticks, y_ticks, logarithmic
        self.drawn = []

    def x(self, value):
        low, high, value = (math.log(v) if self.logarithmic else v for v in (self.x_ticks[0], self.x_ticks[-1], value))
        return LEFT + (value - low) / (high - low) * (WIDTH - LEFT - RIGHT)

    def y(self, value):
        return HEIGHT - BOTTOM - (value - self.y_ticks[0]) / (self.y_ticks[-1] - self.y_ticks[0]) * (HEIGHT - TOP - BOTTOM)

    def path(self, points):
        return " ".join(f"{self.x(x):.1f},{self.y(y):.1f}" for x, y in points)

    def line(self, points, series):
        self.drawn.append(f'<polyline class="line s{series}" points="{self.path(points)}" style="fill: none"/>')

    def band(self, lower, upper, series):
        self.drawn.append(f'<polygon class="band s{series}" points="{self.path([*lower, *reversed(upper)])}"/>')

    def words(self, text, series, row):
        self.drawn.append(f'<text class="s{series}" x="{WIDTH - RIGHT - 4}" y="{HEIGHT - BOTTOM - 8 - 15 * row}" text-anchor="end">{html.escape(text)}</text>')

    def draw(self, left):
        yield f'<g transform="translate({left} 0)"><text x="{LEFT}" y="18" font-weight="bold">{html.escape(self.title)}</text>'
        for value in self.y_ticks:
            yield f'<path class="grid" d="M{LEFT} {self.y(value):.1f}H{WIDTH - RIGHT}"/><text x="{LEFT - 6}" y="{self.y(value) + 4:.1f}" text-anchor="end">{value:g}</text>'
        for value in self.x_ticks:
            yield f'<text x="{self.x(value):.1f}" y="{HEIGHT - BOTTOM + 15}" text-anchor="middle">{value}</text>'
        yield f'<text x="{(LEFT + WIDTH - RIGHT) / 2:.0f}" y="{HEIGHT - 8}" text-anchor="middle">{html.escape(self.below)}</text>'
        yield from self.drawn
        yield "</g>"


def write_svg(file, panels):
    width = WIDTH * len(panels)
    drawn = "\n".join(line for i, panel in enumerate(panels) for line in panel.draw(WIDTH * i))
    file.write_text(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {HEIGHT}" width="{width}" height="{HEIGHT}">\n<style>{STYLE}</style>\n{drawn}\n</svg>\n',
                    encoding="utf-8")


def draw_learning(file, epochs):
    ends = [0, EPOCHS // 2, EPOCHS]
    loss = Panel("Loss", "epoch", ends, [0.2 * k for k in range(0, 9, 2)])
    accuracy = Panel("Accuracy", "epoch", ends, [0, 0.25, 0.5, 0.75, 1])
    loss.line([(row["epoch"], row["loss"]) for row in epochs], 0)
    loss.words("photos learned from", 0, 0)
    accuracy.line([(row["epoch"], row["accuracy"]) for row in epochs], 1)
    accuracy.words("other photos", 1, 0)
    write_svg(file, [loss, accuracy])


def draw_transfer(file, sets):
    panels = []
    for name, bases in sets.items():
        panel = Panel(NAMES[name], "photos a class", [5, 10, 20, 50], [0, 0.25, 0.5, 0.75, 1], logarithmic=True)
        for series, (base, rows) in enumerate(bases.items()):
            panel.band([(n, min(found)) for n, found in rows], [(n, max(found)) for n, found in rows], series)
            panel.line([(n, statistics.mean(found)) for n, found in rows], series)
            panel.words(NAMES.get(base, base), series, len(bases) - 1 - series)
        panels.append(panel)
    write_svg(file, panels)


# ---- the page

def write_table(sets):
    yield "<table>\n<tr><th></th><th>features</th>" + "".join(f"<th>{n} photos</th>" for n, _ in next(iter(next(iter(sets.values())).values()))) + "</tr>"
    for name, bases in sets.items():
        for base, rows in bases.items():
            yield f"<tr><td>{NAMES[name]}</td><td>{NAMES.get(base, base)}</td>" + "".join(f"<td>{statistics.mean(found):.3f}</td>" for _, found in rows) + "</tr>"
    yield "</table>"


def put(page, name, text):
    """Between its marks."""
    old = page.read_text(encoding="utf-8")
    new, n = re.subn(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", lambda found: f"{found[1]}{text}\n{found[2]}", old, flags=re.DOTALL)
    assert n == 1, f"{page} has no place for “{name}”"
    page.write_text(new, encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with manifest.jsonl")
    parser.add_argument("--base", action="append", required=True, help="model whose features are measured; again for more")
    parser.add_argument("--fovea", default="fovea", help="the command")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--work", type=Path, required=True, help="folder for what was measured")
    parser.add_argument("docs", type=Path, help="the manual's folder")
    given = parser.parse_args()
    photos, work = given.data.resolve(), given.work.resolve()
    work.mkdir(parents=True, exist_ok=True)
    flowers, n = learn_flowers(given.fovea, photos, work, given.threads)
    sets = measure_transfer(given.fovea, photos, given.base, work, given.threads)
    draw_learning(given.docs / "images/learning.svg", flowers["epochs"])
    draw_transfer(given.docs / "images/transfer.svg", sets)
    kinds = ", ".join(f"{row['label']} {row['accuracy']:.2f}" for row in flowers["evaluation"]["per_class"])
    put(given.docs / "train.html", "learning", f"<p>After {EPOCHS} epochs at {SIZE} pixels on {n['train']:,} photos it names {100 * flowers['evaluation']['accuracy']:.1f} % of "
        f"{n['val']} others rightly: {kinds}.</p>")
    put(given.docs / "train.html", "transfer", "\n".join(write_table(sets)))


if __name__ == "__main__":
    main()
