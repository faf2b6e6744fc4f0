# SPDX-License-Identifier: GPL-3.0-or-later
"""The cut-out's lesson: masks of subjects, half of them pasted on other backgrounds."""

import torch
from network import Network
from photos import change_colours, make_grid, normalize, place_views, show
from torch import nn
from torch.nn import functional as F

CANVAS = 384
PASTED = 0.5
OFTEN = {"pets": 2.0, "pets100": 2.0, "coco": 5.0, "caltech101": 0.7, "leaf": 0.2, "hands": 0.3}  # what is hard is shown more often


class Lesson(nn.Module):
    averaged = 0.998
    clip = 5.0

    def __init__(self, pack, base, _teacher, size, device):
        super().__init__()
        samples, backgrounds = pack.index["cutout"]["samples"], pack.index["cutout"]["backgrounds"]
        names = [sample["photo"] for sample in samples]
        self.size, self.n, self.device = size, len(samples), device
        self.canvases, self.aspects = pack.read_all(names, CANVAS).to(device), pack.aspects(names).to(device)
        self.masks = pack.read_all([sample["mask"] for sample in samples], CANVAS, "L").to(device)
        self.behind, self.behind_aspects = pack.read_all(backgrounds, CANVAS).to(device), pack.aspects(backgrounds).to(device)
        self.share = torch.tensor([OFTEN[sample["source"]] for sample in samples])
        self.network = Network(base, ["Resize_137"]).to(device, memory_format=torch.channels_last)

    def draw(self, batch):
        return torch.multinomial(self.share, batch, replacement=True)

    def lose(self, chosen, fraction):
        chosen = chosen.to(self.device)
        places = place_views(self.aspects[chosen], 0.4, scale=0.35, rotate=15.0)
        photos, grid = show(self.canvases[chosen], places, self.size), make_grid(places, self.size)
        masks = self.masks[chosen]
        known = F.grid_sample((masks != 255).float(), grid, mode="nearest", align_corners=False)
        shown = F.grid_sample((masks == 1).float(), grid, align_corners=False)
        other = torch.randint(len(self.behind), (len(chosen),), device=self.device)
        behind = show(self.behind[other], place_views(self.behind_aspects[other], 0.4, scale=0.2, rotate=15.0), self.size)
        pasted = (torch.rand(len(chosen), device=self.device) < PASTED * (1.0 - 0.5 * fraction))[:, None, None, None]
        photos = torch.where(pasted, behind + shown * (photos - behind), photos)
        answers = self.network(normalize(change_colours(photos, 0.4, 0.05, 0.08, 0.1, 0.03)))[0]
        loss = (F.binary_cross_entropy_with_logits(answers, shown, reduction="none") * known).sum() / known.sum().clamp(min=1.0)
        p = torch.sigmoid(answers) * known
        dice = (2.0 * (p * shown).sum((1, 2, 3)) + 1.0) / ((p + shown * known).sum((1, 2, 3)) + 1.0)
        return loss + (1.0 - dice).mean()
