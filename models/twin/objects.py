# SPDX-License-Identifier: GPL-3.0-or-later
"""The objects' lesson: boxes in photos and in mosaics of four, each answered for by the cells that fit it best (Feng et al. 2021, arXiv:2108.07755), with
the losses of engine/train/loss-boxes.c. A teacher (YOLOX-Nano) looks at the same views, and what each of its cells says is learned beside the boxes (Beyer et al. 2022,
arXiv:2106.05237)."""

import random
from pathlib import Path

import onnx
import torch
from network import Network
from photos import change_colours, normalize, place_views, show
from torch import nn
from torch.nn import functional as F

CANVAS = 448
STRIDES = (8, 16, 32)
N_CANDIDATES = 10
BOX_WEIGHT = 5.0
FARTHEST = 6.0       # logarithm of a distance by 2 strides
MOSAIC = 0.4         # share of the scenes that show four photos
LAST_MOSAIC = 0.85   # share of the time after which there are none
SEEN = 0.1           # least score of a teacher's cell whose box is learned
SAME = 0.6           # least overlap of a teacher's box with one of the data that decides what it is
DOUBLED = 0.3        # weight of what the teacher says of classes of which the data say where they are
MOST_BOXES = 120     # of a scene
SMALLEST_SIDE = 3.0  # pixels


def place_cells(size, device):
    """Centres (n, 2) and reaches (n) of all cells, pixels."""
    centres, reaches = [], []
    for stride in STRIDES:
        at = (torch.arange(size // stride, device=device) + 0.5) * stride
        centres.append(torch.stack([at.repeat(len(at)), at.repeat_interleave(len(at))], 1))
        reaches.append(torch.full((len(at) ** 2,), 2.0 * stride, device=device))
    return torch.cat(centres), torch.cat(reaches)


def areas(boxes):
    return (boxes[..., 2] - boxes[..., 0]).clamp(min=0.0) * (boxes[..., 3] - boxes[..., 1]).clamp(min=0.0)


def overlap(a, b):
    """Intersections of boxes (left, top, right, bottom), and unions."""
    both = areas(torch.cat([torch.maximum(a[..., :2], b[..., :2]), torch.minimum(a[..., 2:], b[..., 2:])], -1))
    return both, areas(a) + areas(b) - both


def assign(scores, boxes, truth, classes, centres, reaches):
    """scores (batch, cells, classes) as logits, boxes (batch, cells, 4), truth (batch, n, 4), classes (batch, n): -1 a region to ignore, -2 nothing.
    To the box that each cell answers for (batch, cells), -1: none, what its score should be, and which cells are ignored."""
    inside = ((centres > truth[:, :, None, :2]) & (centres < truth[:, :, None, 2:])).all(-1)
    is_box = classes >= 0
    both, either = overlap(boxes[:, None], truth[:, :, None])
    same = both / either.clamp(min=1e-9)
    own = torch.sigmoid(scores).transpose(1, 2).gather(1, classes.clamp(min=0)[:, :, None].expand(-1, -1, scores.shape[1]))
    fit = own.sqrt() * same.pow(4.0)
    middle = (truth[:, :, :2] + truth[:, :, 2:]) / 2.0
    away = (centres - middle[:, :, None]).norm(dim=-1) + 1e6 * reaches
    nearest = F.one_hot(away.argmin(-1), len(centres)).bool()
    allowed = torch.where(inside.any(-1, keepdim=True), inside, nearest) & is_box[:, :, None]
    best, cells = torch.where(allowed, fit, -1.0).topk(min(N_CANDIDATES, len(centres)), -1)
    wanted = torch.zeros_like(allowed).scatter_(2, cells, best >= 0.0)
    most = torch.where(wanted, same, 0.0).amax(-1, keepdim=True)
    target = most * fit / torch.where(wanted, fit, 0.0).amax(-1, keepdim=True).clamp(min=1e-12)
    claim, box = torch.where(wanted, same, -1.0).max(1)
    score = target.gather(1, box[:, None])[:, 0]
    taken = claim >= 0.0
    ignored = (inside & (classes == -1)[:, :, None]).any(1) & ~taken
    return torch.where(taken, box, -1), torch.where(taken, score, 0.0), ignored


def lose_boxes(boxes, truth):
    """1 - GIoU (Rezatofighi et al. 2019, arXiv:1902.09630)."""
    both, either = overlap(boxes, truth)
    hull = areas(torch.cat([torch.minimum(boxes[..., :2], truth[..., :2]), torch.maximum(boxes[..., 2:], truth[..., 2:])], -1))
    return 2.0 - both / either.clamp(min=1e-9) - either / hull.clamp(min=1e-9)


def adapt(photos):
    """Photos (0 to 1) as the teacher takes them: B G R from 0 to 255."""
    return (photos.flip(1) * 255.0).contiguous(memory_format=torch.channels_last)


class Teacher(nn.Module):
    """A YOLOX with COCO's classes, their names beside it: what it sees in photos from 0 to 1, as boxes (batch, cells, 4) in pixels and scores of the lesson's classes
    (batch, cells, classes) in the cells of place_cells. In a view of a mammal whatever it takes for a living thing is an animal."""

    def __init__(self, path, lesson):
        super().__init__()
        self.network = Network(path, [node.input[0] for node in onnx.load(path).graph.node if node.op_type == "Reshape"]).eval().requires_grad_(False)
        labels = Path(path).with_suffix(".labels.txt").read_text(encoding="utf-8").splitlines()
        self.words = [[i for i, label in enumerate(labels) if c in lesson["words"].get(label, ())] for c in range(len(lesson["classes"]))]
        self.animals = [i for i, label in enumerate(labels) if label in lesson["animals"]]
        self.animal = lesson["classes"].index("animal")
        self.alive = [c for c, words in enumerate(self.words) if c != self.animal and set(words) & set(self.animals)]

    def forward(self, photos, mammal):
        """mammal: (batch, cells), 1 where a mammal's photo is shown."""
        grids = self.network(adapt(photos))
        boxes = []
        for grid, stride in zip(grids, STRIDES):
            at = torch.arange(grid.shape[-1], device=photos.device)
            middle = torch.stack([grid[:, 0] + at, grid[:, 1] + at[:, None]], -1) * stride
            half = 0.5 * torch.exp(grid[:, 2:4].permute(0, 2, 3, 1)) * stride
            boxes.append(torch.cat([middle - half, middle + half], -1).flatten(1, 2))
        cells = torch.cat([grid.flatten(2) for grid in grids], 2).transpose(1, 2)
        seen = cells[..., 4:5] * cells[..., 5:]
        scores = torch.stack([seen[..., words].amax(-1) if words else torch.zeros_like(mammal) for words in self.words], -1)
        scores[..., self.animal] = torch.where(mammal > 0.0, seen[..., self.animals].amax(-1), scores[..., self.animal])
        scores[..., self.alive] *= 1.0 - mammal[..., None]
        return torch.cat(boxes, 1), scores


class Lesson(nn.Module):
    averaged = 0.999
    clip = 10.0

    def __init__(self, pack, base, teacher, size, device):
        super().__init__()
        samples = pack.index["objects"]["samples"]
        names = sorted({sample["photo"] for sample in samples})
        at = {name: i for i, name in enumerate(names)}
        n_classes, n_boxes = len(pack.index["objects"]["classes"]), max(len(sample["boxes"]) for sample in samples)
        self.size, self.n, self.device = size, len(samples), device
        self.canvases, self.aspects = pack.read_all(names, CANVAS).to(device), pack.aspects(names).to(device)
        self.halves = torch.cat([F.avg_pool2d(some.float(), 2).round().to(torch.uint8) for some in self.canvases.split(256)])
        self.photo = torch.tensor([at[sample["photo"]] for sample in samples])
        self.boxes = torch.full((self.n, n_boxes, 5), -2.0)
        self.known, self.mammal = torch.zeros(self.n, n_classes), torch.tensor([float(sample["mammal"]) for sample in samples], device=device)
        groups = {}
        for i, sample in enumerate(samples):
            self.known[i, sample["known"]] = 1.0
            if sample["boxes"]:
                self.boxes[i, :len(sample["boxes"])] = torch.tensor(sample["boxes"], dtype=torch.float32)
            groups.setdefault(tuple(sample["known"]), []).append(i)
        self.group = [groups[tuple(sample["known"])] for sample in samples]
        self.share = self.weigh()
        if teacher:  # it says itself what it sees
            taught = torch.tensor([sample["taught"] for sample in samples])
            self.boxes[taught], self.known[taught] = -2.0, 0.0
        self.boxes, self.known = self.boxes.to(device), self.known.to(device)
        self.centres, self.reaches = place_cells(size, device)
        self.network = Network(base, [f"cells{stride}" for stride in STRIDES]).to(device, memory_format=torch.channels_last)
        self.teacher = Teacher(teacher, pack.index["objects"]).to(device, memory_format=torch.channels_last) if teacher else None

    def record(self, batch):
        """Has a GPU replay what batches of that size need at one call: hundreds of small steps wait for the processor otherwise."""
        photos = self.compose(self.draw(batch), MOSAIC)[0]
        self.network = torch.cuda.make_graphed_callables(self.network, (normalize(photos),))
        if self.teacher:
            self.teacher.network = torch.cuda.make_graphed_callables(self.teacher.network, (adapt(photos),))

    def weigh(self):
        """Rare classes more often, as trainer-run.c; photos of one thing only less often."""
        classes = self.boxes[:, :, 0].long()
        shown = torch.stack([(classes == c).any(1) for c in range(self.known.shape[1])], 1).float()
        often = shown.sum(0).clamp(min=1.0)
        rarity = (shown * torch.sqrt(often.mean() / often)).amax(1).clamp(1.0, 4.0)
        single = (classes >= -1).sum(1) <= 1
        return rarity * torch.where(single, 0.5, 1.0)

    def draw(self, batch):
        return torch.multinomial(self.share, batch, replacement=True)

    def view(self, chosen, canvases, size):
        """Views (n, 3, size, size), boxes in pixels (n, boxes, 4), their classes."""
        photo = self.photo[chosen].to(self.device)
        places = place_views(self.aspects[photo], 0.3, scale=0.3)
        views = show(canvases[photo], places, size, "gray")
        boxes = self.boxes[chosen.to(self.device)]
        scale, shift = torch.stack([places[:, 0, 0], places[:, 1, 1]], 1)[:, None], places[:, None, :, 2]
        near, far = (boxes[..., 1:3] - shift) / scale, (boxes[..., 1:3] + boxes[..., 3:5] - shift) / scale
        corners = torch.cat([torch.minimum(near, far), torch.maximum(near, far)], -1)
        seen = corners.clamp(0.0, 1.0) * size
        left, whole = areas(seen), areas(corners) * size * size
        sides = seen[..., 2:] - seen[..., :2]
        classes = boxes[..., 0]
        whole_enough = (left >= 0.25 * whole) & (sides.amin(-1) >= SMALLEST_SIDE)
        classes = torch.where(classes >= 0.0, torch.where(whole_enough, classes, -1.0), classes)
        return views, seen, torch.where(left > 0.0, classes, -2.0)

    def compose(self, chosen, mosaic):
        """Scenes of the chosen samples, that share of them of four photos: photos, boxes, classes, what is known, which quarters show a mammal."""
        n = round(len(chosen) * mosaic)
        others = torch.tensor([random.choice(self.group[i]) for i in chosen[:n].tolist() for _ in range(3)], dtype=torch.long).reshape(n, 3)
        four = torch.cat([chosen[:n, None], others], 1)
        four = four.gather(1, torch.rand(n, 4).argsort(1))
        half, most_boxes = self.size // 2, self.boxes.shape[1]
        views, boxes, classes = self.view(four.flatten(), self.halves, half)
        views = views.reshape(n, 2, 2, 3, half, half).permute(0, 3, 1, 4, 2, 5).reshape(n, 3, self.size, self.size)
        corner = torch.tensor([[0, 0], [half, 0], [0, half], [half, half]], device=self.device).repeat(1, 2).float()
        boxes = (boxes.reshape(n, 4, most_boxes, 4) + corner[None, :, None]).reshape(n, 4 * most_boxes, 4)
        classes = classes.reshape(n, 4 * most_boxes)
        plain_views, plain_boxes, plain_classes = self.view(chosen[n:], self.canvases, self.size)
        extra = boxes.shape[1] - plain_boxes.shape[1]
        boxes = torch.cat([boxes, F.pad(plain_boxes, (0, 0, 0, extra))])
        classes = torch.cat([classes, F.pad(plain_classes, (0, extra), value=-2.0)]).long()
        most = min(int((classes > -2).sum(1).max()), MOST_BOXES)
        order = classes.argsort(1, descending=True)[:, :max(most, 1)]
        four, plain = four.to(self.device), chosen[n:].to(self.device)
        known = torch.cat([self.known[four].amin(1), self.known[plain]])
        mammal = torch.cat([self.mammal[four].reshape(n, 2, 2), self.mammal[plain][:, None, None].expand(-1, 2, 2)])
        return torch.cat([views, plain_views]), boxes.gather(1, order[..., None].expand(-1, -1, 4)), classes.gather(1, order), known, mammal

    def follow(self, photos, truth, classes, known, mammal, boxes, scores):
        """How far the answer is from the teacher's."""
        with torch.no_grad():
            places = torch.cat([F.interpolate(mammal[:, None], (self.size // stride,) * 2).flatten(1) for stride in STRIDES], 1)
            seen_boxes, seen = self.teacher(photos, places)
            both, either = overlap(seen_boxes[:, None], truth[:, :, None])
            same, box = torch.where((classes >= 0)[:, :, None], both / either.clamp(min=1e-9), 0.0).max(1)
            own = F.one_hot(classes.gather(1, box).clamp(min=0), seen.shape[-1])
            seen = torch.where((same > SAME)[..., None], seen * own, seen)
            most = seen.amax(-1)
            mass, sure = most.sum().clamp(min=1.0), most > SEEN
            weight = torch.where(known > 0.0, DOUBLED, 1.0) * torch.tensor([len(words) > 0 for words in self.teacher.words], device=self.device)
        loss = (F.binary_cross_entropy_with_logits(scores, seen, reduction="none") * weight[:, None]).sum()
        return (loss + BOX_WEIGHT * (lose_boxes(boxes[sure], seen_boxes[sure]) * most[sure]).sum()) / mass

    def lose(self, chosen, fraction):
        photos, truth, classes, known, mammal = self.compose(chosen, MOSAIC if fraction < LAST_MOSAIC else 0.0)
        photos = change_colours(photos, 0.4, 0.03, 0.05)
        grids = self.network(normalize(photos))
        cells = torch.cat([grid.flatten(2) for grid in grids], 2).transpose(1, 2)
        distances = cells[..., :4].clamp(-FARTHEST, FARTHEST).exp() * self.reaches[:, None]
        boxes = torch.cat([self.centres - distances[..., :2], self.centres + distances[..., 2:]], -1)
        scores = cells[..., 4:]
        with torch.no_grad():
            box, score, ignored = assign(scores, boxes, truth, classes, self.centres, self.reaches)
        taken = box >= 0
        own = classes.gather(1, box.clamp(min=0))
        is_own = F.one_hot(torch.where(taken, own, 0).clamp(min=0), scores.shape[-1]).bool() & taken[..., None]
        counted = is_own | ((known[:, None] > 0.0) & ~ignored[..., None])
        loss = F.binary_cross_entropy_with_logits(scores, torch.where(is_own, score[..., None], 0.0), reduction="none")
        mass = score.sum().clamp(min=1.0)
        truths = truth.gather(1, box.clamp(min=0)[..., None].expand(-1, -1, 4))
        loss = ((loss * counted).sum() + BOX_WEIGHT * (lose_boxes(boxes[taken], truths[taken]) * score[taken]).sum()) / mass
        return loss + self.follow(photos, truth, classes, known, mammal, boxes, scores) if self.teacher else loss
