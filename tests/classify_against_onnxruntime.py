# SPDX-License-Identifier: GPL-3.0-or-later
"""`fovea classify` on 200 photos names the same class first as ONNX Runtime does with Pillow's preprocessing, wherever ONNX Runtime itself is sure:
its best two scores differ by more than 1e-3. Arguments: the fovea command. Skipped without FOVEA_REFERENCE_DIR, ONNX Runtime, Pillow or NumPy."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

SKIPPED = 77
N_PHOTOS = 200
MEAN_BGR = (104, 117, 123)
SIDECAR = {
    "task": "classify",
    "fovea": {
        "version": 1,
        "input": {"size": 224, "resize": "shortest-crop", "crop_scale": 256 / 224, "filter": "bilinear", "colour": "bgr", "range": 255,
                  "mean": MEAN_BGR[::-1], "std": 1},
    },
}

try:
    import numpy
    import onnxruntime
    from PIL import Image, ImageOps
except ImportError as missing:
    print(f"{missing}: skipped")
    sys.exit(SKIPPED)


def prepare(path):
    """Shortest side 256, bilinear; the middle 224; BGR less the mean."""
    photo = ImageOps.exif_transpose(Image.open(path)).convert("RGB")
    width, height = photo.size
    size = (256, int(256 * height / width)) if width <= height else (int(256 * width / height), 256)
    photo = photo.resize(size, Image.Resampling.BILINEAR)
    left, top = int(round((size[0] - 224) / 2.0)), int(round((size[1] - 224) / 2.0))
    rgb = numpy.asarray(photo.crop((left, top, left + 224, top + 224)), numpy.float32)
    return (rgb[:, :, ::-1] - numpy.float32(MEAN_BGR)).transpose(2, 0, 1)[None]


def main():
    reference = os.environ.get("FOVEA_REFERENCE_DIR")
    if not reference:
        print("FOVEA_REFERENCE_DIR isn't set: skipped")
        return SKIPPED
    reference = pathlib.Path(reference)
    photos = sorted((reference / "data/photos/img").rglob("*.jpg"))
    photos = photos[:: max(1, len(photos) // N_PHOTOS)][:N_PHOTOS]
    original = reference / "models/squeezenet11_fp32.onnx"
    if not photos or not original.exists():
        print(f"{reference} has no photos or no model: skipped")
        return SKIPPED

    with tempfile.TemporaryDirectory() as folder:
        model = pathlib.Path(folder) / "net.onnx"
        model.symlink_to(original)
        model.with_suffix(".json").write_text(json.dumps(SIDECAR))
        answer = subprocess.run([sys.argv[1], "classify", model, "--top", "2", "--json", *photos], stdout=subprocess.PIPE, check=True)
    images = json.loads(answer.stdout)["images"]
    assert [image["file"] for image in images] == [str(photo) for photo in photos]

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(original), options, providers=["CPUExecutionProvider"])
    name, sure, failures, worst = session.get_inputs()[0].name, 0, [], 0
    for photo, image in zip(photos, images):
        scores = session.run(None, {name: prepare(photo)})[0].reshape(-1).astype(numpy.float64)
        if scores.min() < 0 or abs(scores.sum() - 1) > 1e-3:
            scores = numpy.exp(scores - scores.max())
            scores /= scores.sum()
        order = numpy.argsort(-scores)
        worst = max(worst, abs(image["classes"][0]["score"] - scores[order[0]]))
        if scores[order[0]] - scores[order[1]] <= 1e-3:
            continue
        sure += 1
        if image["classes"][0]["label"] != f"class {order[0]}":
            failures.append(f"{photo}: {image['classes'][0]['label']} instead of class {order[0]} ({scores[order[0]]:.4f})")
    print(f"{len(photos)} photos, {sure} of them sure, {len(failures)} named differently, best scores differ by at most {worst:.2g}")
    print("\n".join(failures))
    return bool(failures)


if __name__ == "__main__":
    sys.exit(main())
