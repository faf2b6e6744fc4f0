#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""PyTorch in the harness (see harness.h): a run is a whole training step on the batch INPUT. OUTPUT gets the losses of the first steps. Option: "channels-last".

MODEL is DIR/NAME_SIZE of a network that networks.py makes; MODEL.pt has its weights.
"""

import pathlib
import resource
import sys
import time

STARTED = time.perf_counter()

import numpy  # noqa: E402
import torch  # noqa: E402

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent))

import networks  # noqa: E402

STEPS, RATE, CHECKER = 5, 0.001, 16


def make_targets(answer):
    """One class for each photo, or for each square of a checkerboard: train-fovea.c makes the same."""
    if answer.dim() == 2:
        return torch.arange(answer.shape[0]) * 37 % answer.shape[1]
    rows, columns = (torch.arange(size) // CHECKER for size in answer.shape[2:])
    return ((rows[:, None] + columns[None, :]) % answer.shape[1]).expand(answer.shape[0], -1, -1).contiguous()


def main():
    model, images, shape, threads, output = sys.argv[1:6]
    torch.set_num_threads(int(threads))
    torch.set_num_interop_threads(1)
    network = networks.make_trainable(*pathlib.Path(model).name.rsplit('_', 1))
    network.load_state_dict(torch.load(model + '.pt', weights_only=True))
    network.train()
    batch = torch.from_numpy(numpy.fromfile(images, numpy.float32)).reshape([int(size) for size in shape.split('x')])
    if 'channels-last' in sys.argv[6:]:
        network, batch = network.to(memory_format=torch.channels_last), batch.contiguous(memory_format=torch.channels_last)
    optimizer = torch.optim.SGD([{'params': [p for p in network.parameters() if p.dim() > 1], 'weight_decay': 1e-4},
                                 {'params': [p for p in network.parameters() if p.dim() <= 1]}], lr=RATE, momentum=0.9, nesterov=True)
    targets = None

    def step():
        nonlocal targets
        optimizer.zero_grad()
        answer = network(batch)
        targets = make_targets(answer) if targets is None else targets
        loss = torch.nn.functional.cross_entropy(answer, targets)
        loss.backward()
        optimizer.step()
        return loss.item()

    loaded = time.perf_counter()
    losses = [step()]
    first = time.perf_counter()
    losses += [step() for _ in range(STEPS)]
    numpy.array(losses[:STEPS], numpy.float32).tofile(output)
    print('ready', 1e3 * (loaded - STARTED), 1e3 * (first - loaded), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, flush=True)
    for line in sys.stdin:
        times = []
        for _ in range(int(line)):
            before = time.perf_counter()
            step()
            times.append(1e3 * (time.perf_counter() - before))
        print(*times, flush=True)


if __name__ == '__main__':
    main()
