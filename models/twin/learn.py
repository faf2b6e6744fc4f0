#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The recipes' lessons on a GPU, with PyTorch: the same networks, data, losses and schedule as fovea train, for as long as one says.

  learn.py TASK --pack FOLDER --base MODEL --minutes N --output MODEL [--also MODEL] [--teacher MODEL] [--size N] [--batch N] [--learning-rate R]

TASK is tagger, objects or cutout; --base a model of that task, of which the weights are taken; --also another whose weights come before the base's where name and
shape agree (a better backbone); it is waited for. What comes out goes on with fovea train: `models/TASK/recipe --begun MODEL`. Needs Python's torch, onnx and Pillow."""

import argparse
import importlib
import math
import os
import random
import time

import torch
from photos import Pack

DEFAULTS = {"tagger": (176, 256, 0.3), "objects": (352, 96, 0.15), "cutout": (320, 48, 0.08)}  # size, batch, learning rate
WARM_UP = 0.03
WEIGHT_DECAY = 4e-5


def schedule(fraction):
    """Share of the highest learning rate, as train/schedule.h."""
    if fraction < WARM_UP:
        return 0.02 + 0.98 * fraction / WARM_UP
    return 0.002 + 0.998 * 0.5 * (1.0 + math.cos(math.pi * min((fraction - WARM_UP) / (1.0 - WARM_UP), 1.0)))


def make_optimizer(lesson, rate):
    learned = [p for p in lesson.parameters() if p.requires_grad]
    groups = [{"params": [p for p in learned if p.ndim > 1], "weight_decay": WEIGHT_DECAY}, {"params": [p for p in learned if p.ndim == 1], "weight_decay": 0.0}]
    return torch.optim.SGD(groups, lr=rate, momentum=0.9, nesterov=True)


class Average:
    """A moving average of the network's weights and statistics."""

    def __init__(self, network, keep):
        self.network, self.keep, self.steps = network, keep, 0
        self.values = [value.detach().clone() for value in network.state_dict().values()]

    @torch.no_grad()
    def follow(self):
        keep = min(self.keep, (1.0 + self.steps) / (10.0 + self.steps))
        torch._foreach_lerp_(self.values, [value.detach() for value in self.network.state_dict().values()], 1.0 - keep)
        self.steps += 1

    @torch.no_grad()
    def save(self, path):
        now = [value.detach().clone() for value in self.network.state_dict().values()]
        for value, mean in zip(self.network.state_dict().values(), self.values):
            value.copy_(mean)
        self.network.save(path)
        for value, before in zip(self.network.state_dict().values(), now):
            value.copy_(before)


def learn(lesson, given, began):
    optimizer, average = make_optimizer(lesson, given.learning_rate), Average(lesson.network, lesson.averaged)
    first, steps, total, shown, fraction = time.time(), 0, 0.0, 0, 0.0
    lesson.train()
    if torch.cuda.is_available() and hasattr(lesson, "record"):
        lesson.record(given.batch)
    while fraction < 1.0:
        fraction = (time.time() - first) / (given.minutes * 60.0)
        for group in optimizer.param_groups:
            group["lr"] = given.learning_rate * schedule(fraction)
        loss = lesson.lose(lesson.draw(given.batch), fraction)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(lesson.parameters(), lesson.clip)
        if torch.isfinite(norm):
            optimizer.step()
            average.follow()
        steps, total, shown = steps + 1, total + loss.detach(), shown + 1
        if steps % given.report == 0:
            photos = steps * given.batch
            print(f"{given.task} {time.time() - began:.0f} s: step {steps}, {photos / lesson.n:.1f} times all photos, {photos / (time.time() - first):.0f} photos/s, "
                  f"loss {float(total) / shown:.4f}", flush=True)
            total, shown = 0.0, 0
    average.save(given.output)
    print(f"{given.task}: {steps} steps of {given.batch}, {steps * given.batch / lesson.n:.1f} times all {lesson.n} photos; {given.output}", flush=True)


def main():
    began = time.time()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("task", choices=DEFAULTS)
    parser.add_argument("--pack", required=True)
    parser.add_argument("--base", required=True)
    parser.add_argument("--also", help="a model whose weights come before the base's")
    parser.add_argument("--teacher", help="squeezenet11.onnx for the tagger; yolox_nano.onnx for the objects, its labels beside it")
    parser.add_argument("--output", required=True)
    parser.add_argument("--minutes", type=float, required=True)
    parser.add_argument("--size", type=int)
    parser.add_argument("--batch", type=int)
    parser.add_argument("--learning-rate", type=float)
    parser.add_argument("--report", type=int, default=200, help="steps between lines")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    size, batch, rate = DEFAULTS[given.task]
    given.size, given.batch, given.learning_rate = given.size or size, given.batch or batch, given.learning_rate or rate
    torch.manual_seed(given.seed)
    random.seed(given.seed)
    torch.backends.cudnn.benchmark = True
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    lesson = importlib.import_module(given.task).Lesson(Pack(given.pack), given.base, given.teacher, given.size, device)
    if given.also:
        while not os.path.exists(given.also):
            time.sleep(0.2)
        print(f"{lesson.network.load_common(given.also)} of {len(lesson.network.names)} tensors of {given.also}", flush=True)
    print(f"{given.task} {time.time() - began:.0f} s: {lesson.n} photos are ready", flush=True)
    learn(lesson, given, began)


if __name__ == "__main__":
    main()
