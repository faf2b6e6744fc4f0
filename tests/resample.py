# SPDX-License-Identifier: GPL-3.0-or-later
"""What a network sees of a photo against Pillow, byte for byte: all filters, sizes from 1 to thousands, crops, letterboxes, bands of rows."""

import random
import subprocess
import sys

try:
    import numpy
    from PIL import Image
except ImportError as missing:
    print(f"{missing}: skipped")
    sys.exit(77)

FILTERS = [Image.Resampling.NEAREST, Image.Resampling.BILINEAR, Image.Resampling.BICUBIC, Image.Resampling.LANCZOS]
STRETCH, SHORTEST_CROP, LETTERBOX = range(3)
PAD = 114


class Tool:
    def __init__(self, path):
        self.process = subprocess.Popen([path], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def prepare(self, photo, filter_index, resize, size, crop_scale=256 / 224, gray=False, rows_at_once=7):
        height, width, _ = photo.shape
        request = f"{filter_index} {resize} {crop_scale!r} {PAD} {int(gray)} {width} {height} {size[0]} {size[1]} {rows_at_once}\n"
        self.process.stdin.write(request.encode() + photo.tobytes())
        self.process.stdin.flush()
        region = [int(word) for word in self.process.stdout.readline().split()]
        pixels = numpy.frombuffer(self.process.stdout.read(size[0] * size[1] * 3), numpy.uint8)
        return pixels.reshape(size[1], size[0], 3), region


def expect_stretch(image, filter_index, size):
    return numpy.asarray(image.resize(size, FILTERS[filter_index]))


def expect_crop(image, filter_index, size, crop_scale):
    """torchvision.transforms.Resize (shortest side) and CenterCrop, as they are written there."""
    width, height = image.size
    short = round(size[0] * crop_scale)
    scaled = (short, int(short * height / width)) if width <= height else (int(short * width / height), short)
    top, left = int(round((scaled[1] - size[1]) / 2.0)), int(round((scaled[0] - size[0]) / 2.0))
    return numpy.asarray(image.resize(scaled, FILTERS[filter_index]).crop((left, top, left + size[0], top + size[1])))


def expect_letterbox(image, filter_index, size):
    """Ultralytics' LetterBox, with Pillow's filter."""
    width, height = image.size
    ratio = min(size[0] / width, size[1] / height)
    scaled = max(round(width * ratio), 1), max(round(height * ratio), 1)
    top, left = round((size[1] - scaled[1]) / 2 - 0.1), round((size[0] - scaled[0]) / 2 - 0.1)
    out = Image.new("RGB", size, (PAD,) * 3)
    out.paste(image.resize(scaled, FILTERS[filter_index]), (left, top))
    return numpy.asarray(out)


def make_photo(generator, width, height):
    kind = generator.integers(3)
    if kind == 0:
        return generator.integers(0, 256, (height, width, 3), numpy.uint8)
    if kind == 1:  # only the ends: the filters' overshoots
        return (generator.integers(0, 2, (height, width, 3)) * 255).astype(numpy.uint8)
    return numpy.full((height, width, 3), generator.integers(0, 256, 3), numpy.uint8)


def compare(name, found, expected, failures):
    worst = int(numpy.abs(found.astype(int) - expected.astype(int)).max())
    if worst:
        failures.append(f"{name}: differs by up to {worst}")


def main():
    tool, failures, count = Tool(sys.argv[1]), [], 0
    generator, chooser = numpy.random.default_rng(1), random.Random(1)
    sizes = [1, 2, 3, 5, 16, 17, 31, 64, 100, 224, 255, 301]
    for round_number in range(150):
        width, height = chooser.choice(sizes), chooser.choice(sizes)
        size = chooser.choice(sizes), chooser.choice(sizes)
        photo = make_photo(generator, width, height)
        image = Image.fromarray(photo)
        rows = chooser.choice([1, 7, 64, 1000])
        for filter_index in range(4):
            name = f"{FILTERS[filter_index].name} {width}x{height} to {size[0]}x{size[1]}"
            found, region = tool.prepare(photo, filter_index, STRETCH, size, rows_at_once=rows)
            compare(f"stretch {name}", found, expect_stretch(image, filter_index, size), failures)
            found, region = tool.prepare(photo, filter_index, LETTERBOX, size, rows_at_once=rows)
            compare(f"letterbox {name}", found, expect_letterbox(image, filter_index, size), failures)
            square, scale = (size[0], size[0]), chooser.choice([1, 256 / 224, 1.3])
            if max(width, height) / min(width, height) < 32:
                found, region = tool.prepare(photo, filter_index, SHORTEST_CROP, square, scale, rows_at_once=rows)
                compare(f"crop {scale:.3f} {name}", found, expect_crop(image, filter_index, square, scale), failures)
            count += 3

    # Large photos, and one as thin as they come.
    for width, height in [(3000, 2001), (1201, 1999), (4000, 3), (2, 3000)]:
        photo = make_photo(generator, width, height)
        for filter_index in range(4):
            name = f"{FILTERS[filter_index].name} {width}x{height}"
            found, region = tool.prepare(photo, filter_index, STRETCH, (224, 224), rows_at_once=64)
            compare(f"stretch {name}", found, expect_stretch(Image.fromarray(photo), filter_index, (224, 224)), failures)
            found, region = tool.prepare(photo, filter_index, SHORTEST_CROP, (224, 224), rows_at_once=64)
            compare(f"crop {name}", found, expect_crop(Image.fromarray(photo), filter_index, (224, 224), 256 / 224), failures)
            if width == 3000 and filter_index == 1 and not (480 <= region[0] < 640 and region[2] < 1800):
                failures.append(f"crop {name}: asks for the region {region}, more than it needs")
            count += 2

    # Gray networks see Pillow's luma.
    photo = make_photo(numpy.random.default_rng(5), 200, 150)
    gray = Image.fromarray(photo).convert("L").convert("RGB")
    found, region = tool.prepare(photo, 1, STRETCH, (64, 48), gray=True)
    compare("gray", found, expect_stretch(gray, 1, (64, 48)), failures)

    tool.process.stdin.close()
    if tool.process.wait() != 0:
        failures.append("the tool failed")
    print(f"{count + 1} comparisons, {len(failures)} differ")
    print("\n".join(failures[:20]))
    return bool(failures)


if __name__ == "__main__":
    sys.exit(main())
