#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Draws into a page of the manual how far few photos reach, between <!-- curves --> and <!-- /curves -->.

    models/curves.py --transfer TRANSFER.json --scratch TRAIN.json PAGE.html

TRANSFER.json is what models/transfer.py wrote, TRAIN.json what `fovea train --json` did: a network that began from nothing, judged after each epoch."""

import argparse
import html
import json
import math
import re
import statistics
from pathlib import Path

WIDTH, HEIGHT, MARGIN = 260, 180, 34
SETS = {"caltech": "twelve kinds of Caltech 101", "trashnet": "six kinds of rubbish", "aquarium": "seven animals of an aquarium"}


def scale(x, low, high, first, last):
    return round(first + (x - low) / (high - low) * (last - first), 1)


def draw(title, below, lines, ticks, place):
    """One chart: lines as (name, [(x, share)], dashed); ticks: what x is written below; place: x to 0 … 1."""
    def across(x):
        return scale(place(x), 0, 1, MARGIN, WIDTH - 8)

    def up(y):
        return scale(y, 0, 1, HEIGHT - MARGIN, 24)

    parts = [f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" role="img" aria-label="{html.escape(title)}" font-size="10" fill="currentColor">',
             f'<text x="{MARGIN}" y="14" font-weight="bold">{html.escape(title)}</text>']
    for share in 0, 0.25, 0.5, 0.75, 1:
        parts.append(f'<path d="M{MARGIN} {up(share)}H{WIDTH - 8}" stroke="currentColor" opacity=".2"/><text x="4" y="{up(share) + 3}">{share:.0%}</text>')
    for x in ticks:
        parts.append(f'<text x="{across(x)}" y="{HEIGHT - MARGIN + 14}" text-anchor="middle">{x}</text>')
    parts.append(f'<text x="{(MARGIN + WIDTH) // 2}" y="{HEIGHT - 4}" text-anchor="middle">{html.escape(below)}</text>')
    for name, points, dashed in lines:
        path = " ".join(f"{across(x)},{up(y)}" for x, y in points)
        dashes = ' stroke-dasharray="4 3"' if dashed else ""
        parts.append(f'<polyline points="{path}" fill="none" stroke="currentColor" stroke-width="2"{dashes}><title>{html.escape(name)}</title></polyline>')
    return "".join(parts) + "</svg>"


def draw_transfer(rows):
    for name, title in SETS.items():
        mine = [row for row in rows if row["set"] == name]
        bases = list(dict.fromkeys(row["base"] for row in mine))
        counts = sorted({row["photos"] for row in mine})
        lines = [(base, [(row["photos"], statistics.mean(row["accuracies"])) for row in mine if row["base"] == base], i > 0) for i, base in enumerate(bases)]
        yield draw(title, "photos a class", lines, counts, lambda x: math.log(x / counts[0]) / math.log(counts[-1] / counts[0]))


def tabulate(rows):
    bases = list(dict.fromkeys(row["base"] for row in rows))
    counts = sorted({row["photos"] for row in rows})
    head = "".join(f"<th>{n}</th>" for n in counts)
    yield f"<table>\n<tr><th></th><th>features of</th>{head}</tr>"
    for name, title in SETS.items():
        for base in bases:
            shares = [statistics.mean(row["accuracies"]) for n in counts for row in rows if (row["set"], row["base"], row["photos"]) == (name, base, n)]
            yield f"<tr><td>{title}</td><td>{html.escape(base)}</td>" + "".join(f"<td>{share:.1%}</td>" for share in shares) + "</tr>"
    yield "</table>"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--transfer", type=Path, required=True)
    parser.add_argument("--scratch", type=Path, required=True)
    parser.add_argument("page", type=Path)
    given = parser.parse_args()
    rows, scratch = json.loads(given.transfer.read_text()), json.loads(given.scratch.read_text())
    names = list(dict.fromkeys(row["base"] for row in rows))
    epochs = [(epoch["epoch"], epoch["accuracy"]) for epoch in scratch["epochs"]]
    last = epochs[-1][0]
    flowers = draw("five kinds of flowers, from nothing", "epochs", [("accuracy", epochs, False)], [1, last // 2, last], lambda x: (x - 1) / (last - 1))
    text = "\n".join(["<p>", *draw_transfer(rows), flowers, "</p>",
                      f"<p>Photos named rightly. A line is drawn through for the features of {html.escape(names[0])}, broken for those of {html.escape(' and '.join(names[1:]))}; each "
                      "figure is the mean of five draws.</p>", *tabulate(rows)])
    page = given.page.read_text(encoding="utf-8")
    if "<!-- curves -->" not in page:
        parser.error(f"{given.page} has no <!-- curves -->.")
    given.page.write_text(re.sub(r"(?s)<!-- curves -->.*<!-- /curves -->", lambda _: f"<!-- curves -->\n{text}\n<!-- /curves -->", page), encoding="utf-8")


main()
