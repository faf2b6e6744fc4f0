# SPDX-License-Identifier: GPL-3.0-or-later
"""Masks of 64 pixels brought back to the photo's own: with refinement the border is nearer to the true one than between pixels alone (boundary F-score), and no
less of the area is right (IoU). On drawn shapes, and on photos with true masks where FOVEA_REFERENCE_DIR has them. Argument: refine-tool."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

try:
    import numpy as np
    from PIL import Image, ImageDraw
except ImportError as missing:
    print(f"{missing}: skipped")
    sys.exit(77)

from mask_scores import score  # noqa: E402

TOOL = os.path.abspath(sys.argv[1])


def compare(photo, truth, known, folder):
    """(IoU, F) of plain bilinear and of the refined mask."""
    height, width = truth.shape
    small = np.asarray(Image.fromarray((truth * 255).astype(np.uint8)).resize((64, 64), Image.BOX), np.float32) / 255
    plain = np.asarray(Image.fromarray(small).resize((width, height), Image.BILINEAR))
    np.asarray(photo, np.uint8).tofile(folder / "rgb")
    small.tofile(folder / "mask")
    subprocess.run([TOOL, folder / "rgb", str(width), str(height), folder / "mask", "64", "64", "1024", folder / "out"], check=True)
    refined = np.fromfile(folder / "out", np.float32).reshape(height, width)
    assert np.isfinite(refined).all() and refined.min() >= 0 and refined.max() <= 1
    return score(plain, truth, known)[:2] + score(refined, truth, known)[:2]


def drawn(seed):
    chance = np.random.default_rng(seed)
    mask = Image.new("L", (400, 300))
    pen = ImageDraw.Draw(mask)
    centre, points = np.array([200, 150]), []
    for angle in np.linspace(0, 2 * np.pi, 40, endpoint=False):
        points.append(tuple(centre + (60 + 40 * chance.random()) * np.array([np.cos(angle), np.sin(angle)])))
    pen.polygon(points, fill=1)
    truth = np.asarray(mask) > 0
    colours = chance.integers(0, 255, (2, 3))
    photo = colours[truth.astype(int)] * 0.6 + 50 + chance.normal(0, 6, (300, 400, 3))
    return np.clip(photo, 0, 255), truth, np.ones_like(truth)


def refine(photo, mask, folder):
    """Along the photo itself."""
    height, width = photo.shape[:2]
    np.asarray(photo, np.uint8).tofile(folder / "rgb")
    np.asarray(mask, np.float32).tofile(folder / "mask")
    subprocess.run([TOOL, folder / "rgb", str(width), str(height), folder / "mask", str(mask.shape[1]), str(mask.shape[0]), "1024", folder / "out"], check=True)
    return np.fromfile(folder / "out", np.float32).reshape(height, width)


def check_seams(folder):
    """The blocks that are fitted one by one leave no seams: where they lie differently, the same comes out."""
    photo, truth, _ = drawn(1)
    mask = np.asarray(Image.fromarray((truth * 255).astype(np.uint8)).resize((100, 75), Image.BOX), np.float32) / 255
    whole, shifted = refine(photo, mask, folder), refine(photo[20:, 28:], mask[5:, 7:], folder)
    apart = np.abs(whole[20:, 28:] - shifted)[60:-60, 60:-60].max()
    print(f"blocks elsewhere: {apart:.2g} apart")
    assert apart < 1e-5, apart


def photos(folder):
    rows = [json.loads(line) for line in open(folder / "manifest.jsonl")]
    rows = [row for row in rows if row["mask"] and row["src"] in ("pets", "pets100", "coco", "leaf", "caltech101")]
    for source in sorted({row["src"] for row in rows}):
        for row in [row for row in rows if row["src"] == source and row["split"] == "val"][: 40 if os.environ.get("FOVEA_TEST_ALL") else 12]:
            mask = np.asarray(Image.open(folder / row["mask"]))
            photo = Image.open(folder / row["file"]).convert("RGB").resize(mask.shape[::-1])
            yield source, np.asarray(photo), mask == 1, mask != 255


def report(name, rows):
    iou, f, refined_iou, refined_f = np.mean(rows, axis=0)
    print(f"{name}: {len(rows)} masks, IoU {iou:.4f} -> {refined_iou:.4f}, boundary F {f:.4f} -> {refined_f:.4f}")
    return refined_iou - iou, refined_f - f


def main():
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        check_seams(folder)
        better = report("drawn", [compare(*drawn(seed), folder) for seed in range(8)])
        assert better[0] > 0 and better[1] > 0.005, better
        reference = pathlib.Path(os.environ.get("FOVEA_REFERENCE_DIR", "/nonexistent")) / "data" / "photos"
        if not reference.exists():
            return
        sources = {}
        for source, *sample in photos(reference):
            sources.setdefault(source, []).append(compare(*sample, folder))
        for source, rows in sources.items():
            report(source, rows)
        better = report("all", [row for rows in sources.values() for row in rows])
        assert better[0] > 0 and better[1] > 0.01, better


main()
