# SPDX-License-Identifier: GPL-3.0-or-later
"""The tagger's lesson: its labels, and what a teacher (SqueezeNet 1.1) makes of the same photos, as features of the whole photo and of its places."""

import torch
from network import Network, read_answer
from photos import change_colours, normalize, place_views, show
from torch import nn
from torch.nn import functional as F

CANVAS = 224
TEACHER_SIZE = 224
TEACHER_MEAN = (123.0, 117.0, 104.0)  # R G B; it takes B G R from 0 to 255
MIXED = 0.5    # share of the batches whose photos are mixed in pairs (Beyer et al. 2022, arXiv:2106.05237)
PLACES = 0.3   # weight of the features of places beside those of the photo


class Teacher(nn.Module):
    """Standardized features of photos (0 to 1): (batch, 512) and (batch, 512, places, places)."""

    def __init__(self, path):
        super().__init__()
        self.network = Network(path, ["fire9/concat_1"]).eval().requires_grad_(False)
        self.register_buffer("mean", torch.zeros(512))
        self.register_buffer("scale", torch.ones(512))
        self.register_buffer("place_scale", torch.ones(512))

    def look(self, photos):
        photos = F.interpolate(photos, (TEACHER_SIZE, TEACHER_SIZE), mode="bilinear", align_corners=False).flip(1) * 255.0
        mean = torch.tensor(TEACHER_MEAN, device=photos.device).flip(0)[:, None, None]
        return self.network((photos - mean).contiguous(memory_format=torch.channels_last))[0]

    def measure(self, photos):
        maps = self.look(photos)
        self.mean, self.scale = maps.mean((0, 2, 3)), 1.0 / maps.mean((2, 3)).std(0).clamp(min=1e-3)
        self.place_scale = 1.0 / maps.std((0, 2, 3)).clamp(min=1e-3)

    def forward(self, photos, n_places):
        maps = self.look(photos)
        whole = (maps.mean((2, 3)) - self.mean) * self.scale
        return whole, (F.adaptive_avg_pool2d(maps, n_places) - self.mean[:, None, None]) * self.place_scale[:, None, None]


class Lesson(nn.Module):
    averaged = 0.999
    clip = 5.0

    def __init__(self, pack, base, teacher, size, device):
        super().__init__()
        samples = pack.index["tagger"]["samples"]
        n_classes = len(pack.index["tagger"]["classes"])
        names = [sample["photo"] for sample in samples]
        self.size, self.n = size, len(samples)
        self.canvases, self.aspects = pack.read_all(names, CANVAS).to(device), pack.aspects(names).to(device)
        self.tags, self.known = torch.zeros(2, self.n, n_classes)
        for i, sample in enumerate(samples):
            self.tags[i, sample["tags"]] = 1.0
            self.known[i, sample["known"]] = 1.0
        often = self.tags.sum(0).clamp(min=1.0)
        rarity = torch.sqrt(often.mean() / often)
        self.share = (self.tags * rarity).amax(1).clamp(1.0, 4.0)  # rare tags more often, as trainer-run.c
        self.tags, self.known = self.tags.to(device), self.known.to(device)
        self.network = Network(base, [read_answer(base), "Flatten_97", "stride16"])
        self.follow, self.follow_places = nn.Linear(512, 512), nn.Conv2d(96, 512, 1)
        self.teacher = Teacher(teacher)
        self.to(device, memory_format=torch.channels_last)
        with torch.no_grad():
            self.teacher.measure(self.canvases[:: max(1, self.n // 512)][:512].float() / 255.0)

    def draw(self, batch):
        return torch.multinomial(self.share, batch, replacement=True)

    def lose(self, chosen, fraction):
        chosen = chosen.to(self.aspects.device)
        photos = show(self.canvases[chosen], place_views(self.aspects[chosen], 0.35, rotate=8.0), self.size)
        photos = change_colours(photos, 0.3, 0.02, 0.05)
        tags, known = self.tags[chosen], self.known[chosen]
        if torch.rand(()) < MIXED and fraction < 0.9:
            other = torch.randperm(len(chosen), device=photos.device)
            share = torch.rand(len(chosen), device=photos.device)
            photos = photos * share[:, None, None, None] + photos[other] * (1.0 - share[:, None, None, None])
            tags = tags * share[:, None] + tags[other] * (1.0 - share[:, None])
            known = known * known[other]
        answers, features, places = self.network(normalize(photos))
        with torch.no_grad():
            whole, spread = self.teacher(photos, places.shape[-1])
        loss = (F.binary_cross_entropy_with_logits(answers, tags, reduction="none") * known).sum() / len(chosen)
        loss = loss + 0.5 * (self.follow(features) - whole).square().sum() / len(chosen)
        return loss + PLACES * 0.5 * (self.follow_places(places) - spread).square().sum(1).mean()
