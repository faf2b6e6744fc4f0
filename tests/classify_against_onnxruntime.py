# SPDX-License-Identifier: GPL-3.0-or-later
"""`fovea classify` on 200 photos, and on photos in all kinds of files, names the same class first as ONNX Runtime does with Pillow's preprocessing, wherever ONNX
Runtime itself is sure: its best two scores differ by more than 1e-3. Its score is the same, too. Arguments: the fovea command. Skipped without
FOVEA_REFERENCE_DIR, ONNX Runtime, Pillow or NumPy."""

import json
import os
import pathlib
import struct
import subprocess
import sys
import tempfile
import zlib

SKIPPED = 77
N_PHOTOS, N_OF_KINDS = 200, 3
NEAR = 1e-3  # between the best scores; a step of 1 in 255 in some pixels is as much
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


def write_deep(path, pixels):
    """A PNG of 16 bits a sample: (height, width, 1 or 3) of uint16. Pillow has none in colour."""
    height, width, channels = pixels.shape
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in pixels)
    chunks = ((b"IHDR", struct.pack(">IIBBBBB", width, height, 16, {1: 0, 3: 2}[channels], 0, 0, 0)), (b"IDAT", zlib.compress(rows, 1)), (b"IEND", b""))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks))


def deepen(photo):
    """Its samples in 16 bits, the lower eight of which aren't those that rounding would lose."""
    pixels = numpy.atleast_3d(numpy.asarray(photo)).astype(numpy.uint16)
    return pixels * 256 + pixels[::-1, ::-1]


def fade(photo):
    """Clear at the left, opaque at the right."""
    return Image.linear_gradient("L").rotate(90).resize(photo.size)


def write_turned(photo, path, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    photo.save(path, exif=exif)


# How a photo (RGB) becomes a file of the kind.
KINDS = {
    "plain.jpg": lambda photo, path: photo.save(path),
    "gray.jpg": lambda photo, path: photo.convert("L").save(path),
    "cmyk.jpg": lambda photo, path: photo.convert("CMYK").save(path),
    "progressive.jpg": lambda photo, path: photo.save(path, progressive=True, quality=60),
    "fine.jpg": lambda photo, path: photo.save(path, subsampling=0, quality=95),
    **{f"turned-{i}.jpg": lambda photo, path, i=i: write_turned(photo, path, i) for i in range(2, 9)},
    "plain.png": lambda photo, path: photo.save(path),
    "gray.png": lambda photo, path: photo.convert("L").save(path),
    "alpha.png": lambda photo, path: Image.merge("RGBA", (*photo.split(), fade(photo))).save(path),
    "gray-alpha.png": lambda photo, path: Image.merge("LA", (photo.convert("L"), fade(photo))).save(path),
    "indexed.png": lambda photo, path: photo.quantize(64).save(path),
    "indexed-alpha.png": lambda photo, path: photo.quantize(64).save(path, transparency=3),
    "lines.png": lambda photo, path: photo.convert("1").save(path),
    "deep.png": lambda photo, path: write_deep(path, deepen(photo)),
    "deep-gray.png": lambda photo, path: write_deep(path, deepen(photo.convert("L"))),
    "plain.tif": lambda photo, path: photo.save(path, compression="tiff_lzw"),
    "plain.bmp": lambda photo, path: photo.save(path),
    "indexed.gif": lambda photo, path: photo.quantize(64).save(path),
}


def write_kinds(photos, folder):
    paths = []
    for i, source in enumerate(photos):
        photo = ImageOps.exif_transpose(Image.open(source)).convert("RGB")
        for name, write in KINDS.items():
            paths.append(folder / f"{i}-{name}")
            write(photo, paths[-1])
    return paths


def read(path):
    """RGB, turned upright, over white."""
    photo = ImageOps.exif_transpose(Image.open(path))
    if photo.mode.startswith("I"):  # gray in 16 bits, which Pillow would clip
        photo = Image.fromarray((numpy.asarray(photo).astype(numpy.uint32) >> 8).astype(numpy.uint8))
    if "A" not in photo.mode and "transparency" not in photo.info:
        return photo.convert("RGB")
    photo = photo.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", photo.size, "white"), photo).convert("RGB")


def prepare(path):
    """Shortest side 256, bilinear; the middle 224; BGR less the mean."""
    photo = read(path)
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
        folder = pathlib.Path(folder)
        model = folder / "net.onnx"
        model.symlink_to(original)
        model.with_suffix(".json").write_text(json.dumps(SIDECAR))
        photos += write_kinds(photos[:: N_PHOTOS // N_OF_KINDS][:N_OF_KINDS], folder)
        answer = subprocess.run([sys.argv[1], "classify", model, "--top", "2", "--json", *photos], stdout=subprocess.PIPE, check=True)
        return judge(original, photos, json.loads(answer.stdout)["images"])


def judge(original, photos, images):
    """How many differ, as an exit status."""
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
        apart = abs(image["classes"][0]["score"] - scores[order[0]])
        worst = max(worst, apart)
        is_sure = scores[order[0]] - scores[order[1]] > 1e-3
        sure += is_sure
        if apart > NEAR or is_sure and image["classes"][0]["label"] != f"class {order[0]}":
            failures.append(f"{photo}: {image['classes'][0]} instead of class {order[0]} ({scores[order[0]]:.4f})")
    print(f"{len(photos)} photos, {sure} of them sure, {len(failures)} answered differently, best scores differ by at most {worst:.2g}")
    print("\n".join(failures))
    return bool(failures)


if __name__ == "__main__":
    sys.exit(main())
