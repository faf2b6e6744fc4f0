# SPDX-License-Identifier: GPL-3.0-or-later
"""Packed photos (pack.py) on the device, and random views of them: the augmentation of Fovea's trainer (engine/train/augment.c) on whole batches."""

import io
import json
import math
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch.nn import functional as F

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
GRAY = 114.0 / 255.0
LUMA = (0.299, 0.587, 0.114)


class Pack:
    def __init__(self, folder):
        folder = Path(folder)
        self.index = json.loads((folder / "index.json").read_text())
        self.parts = [path.read_bytes() for path in sorted(folder.glob("photos-*.bin"))]

    def read(self, name):
        part, first, size, _ = self.index["files"][name]
        return Image.open(io.BytesIO(self.parts[part][first:first + size]))

    def read_all(self, names, size, mode="RGB"):
        """All stretched to size x size: uint8 (n, 3 or 1, size, size)."""
        channels = 3 if mode == "RGB" else 1
        out = torch.empty((len(names), channels, size, size), dtype=torch.uint8)

        def decode(i):
            image = self.read(names[i])
            image = image.convert(mode).resize((size, size), Image.BILINEAR) if mode == "RGB" else image.resize((size, size), Image.NEAREST)
            out[i] = torch.from_numpy(np.array(image)).reshape(size, size, channels).permute(2, 0, 1)

        with ThreadPoolExecutor() as pool:
            list(pool.map(decode, range(len(names))))
        return out

    def aspects(self, names):
        return torch.tensor([self.index["files"][name][3] for name in names])


def between(n, low, high, device):
    return torch.rand(n, device=device) * (high - low) + low


def place_views(aspects, crop, stretch=0.3, scale=0.0, rotate=0.0):
    """(n, 2, 3): where a point of each view, (u, v, 1) from 0 to 1, lies in its photo. crop: least share of the area; rotate: degrees."""
    n, device = len(aspects), aspects.device
    area, ratio = between(n, crop, 1.0, device), torch.exp(between(n, -1.0, 1.0, device) * math.log1p(stretch))
    zoom = torch.exp(between(n, -1.0, 1.0, device) * math.log1p(scale))
    width, height = torch.sqrt(area * ratio) * zoom, torch.sqrt(area / ratio) * zoom
    angle = between(n, -1.0, 1.0, device) * math.radians(rotate)
    x = 0.5 + between(n, -0.5, 0.5, device) * (1.0 - width).clamp(min=0.0)
    y = 0.5 + between(n, -0.5, 0.5, device) * (1.0 - height).clamp(min=0.0)
    mirror = torch.where(torch.rand(n, device=device) < 0.5, -1.0, 1.0)
    a, b = width * torch.cos(angle) * mirror, -height * torch.sin(angle) / aspects
    c, d = width * torch.sin(angle) * aspects * mirror, height * torch.cos(angle)
    return torch.stack([a, b, x - 0.5 * (a + b), c, d, y - 0.5 * (c + d)], 1).reshape(n, 2, 3)


def make_grid(places, size):
    at = (torch.arange(size, device=places.device) + 0.5) / size
    u, v = at.expand(size, size), at[:, None].expand(size, size)
    points = torch.stack([u, v, torch.ones_like(u)], -1).reshape(1, -1, 3)
    return (points @ places.transpose(1, 2)).reshape(-1, size, size, 2) * 2.0 - 1.0


def show(canvases, places, size, beyond="reflection"):
    """Views of uint8 photos as floats from 0 to 1; beyond: "reflection", or "gray"."""
    photos = canvases.float() / 255.0
    if beyond == "gray":
        return F.grid_sample(photos - GRAY, make_grid(places, size), padding_mode="zeros", align_corners=False) + GRAY
    return F.grid_sample(photos, make_grid(places, size), padding_mode=beyond, align_corners=False)


def change_colours(photos, colour, hue, grayscale, blur=0.0, noise=0.0):
    """Brightness, contrast, saturation and hue as one affine map of R G B a photo; some without colour, some blurred or noisy."""
    n, device = len(photos), photos.device
    luma = torch.tensor(LUMA, device=device)
    bright, contrast, colourful = (1.0 + between(n, -colour, colour, device) for _ in range(3))
    colourful = torch.where(torch.rand(n, device=device) < grayscale, 0.0, colourful)
    turn = between(n, -1.0, 1.0, device) * hue * 2.0 * math.pi
    c, s = torch.cos(turn), torch.sin(turn) / math.sqrt(3.0)
    even = (1.0 - c) / 3.0
    same, ahead, behind = c + even, even - s, even + s
    turned = torch.stack([same, ahead, behind, behind, same, ahead, ahead, behind, same], 1).reshape(n, 3, 3)
    colourful, bright, contrast = colourful[:, None, None], bright[:, None, None], contrast[:, None, None]
    mix = bright * contrast * (colourful * turned + (1.0 - colourful) * luma)
    mean = (photos.mean((2, 3)) * luma).sum(1)[:, None, None]
    changed = (mix @ photos.flatten(2) + bright * (1.0 - contrast) * mean).reshape(photos.shape)
    if noise > 0.0:
        changed = changed + torch.randn_like(changed) * between(n, 0.0, noise, device)[:, None, None, None]
    if blur > 0.0:
        soft = F.avg_pool2d(F.pad(changed, (1, 1, 1, 1), mode="replicate"), 3, 1)
        changed = torch.where((torch.rand(n, device=device) < blur)[:, None, None, None], soft, changed)
    return changed.clamp(0.0, 1.0)


def normalize(photos):
    mean, std = (torch.tensor(numbers, device=photos.device)[:, None, None] for numbers in (MEAN, STD))
    return ((photos - mean) / std).contiguous(memory_format=torch.channels_last)
