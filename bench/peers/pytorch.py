#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""PyTorch in the harness (see harness.h). Options: "frozen" for the traced network, frozen and optimized for inference; without it, it runs channels last.

Python, because TorchScript's C++ library in Debian hangs while it loads; the interpreter adds some microseconds to a run, and is said in load_ms.
"""

import resource
import sys
import time

STARTED = time.perf_counter()

import numpy  # noqa: E402
import torch  # noqa: E402


def tensors_of(answer):
    """The tensors of nested tuples, in order."""
    if isinstance(answer, torch.Tensor):
        return [answer]
    return [tensor for part in answer for tensor in tensors_of(part)]


def main():
    model, image, shape, threads, output = sys.argv[1:6]
    torch.set_num_threads(int(threads))
    torch.set_num_interop_threads(1)
    network = torch.jit.load(model + '.pt').eval()
    sample = torch.from_numpy(numpy.fromfile(image, numpy.float32)).reshape([int(size) for size in shape.split('x')])
    if 'frozen' in sys.argv[6:]:
        network = torch.jit.optimize_for_inference(torch.jit.freeze(network))
    else:
        network, sample = network.to(memory_format=torch.channels_last), sample.contiguous(memory_format=torch.channels_last)

    with torch.inference_mode():
        loaded = time.perf_counter()
        answer = network(sample)
        first = time.perf_counter()
        with open(output, 'wb') as file:
            for tensor in tensors_of(answer):
                file.write(tensor.contiguous().numpy().tobytes())
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        print('ready', 1e3 * (loaded - STARTED), 1e3 * (first - loaded), peak, flush=True)
        for line in sys.stdin:
            times = []
            for _ in range(int(line)):
                before = time.perf_counter()
                network(sample)
                times.append(1e3 * (time.perf_counter() - before))
            print(*times, flush=True)


if __name__ == '__main__':
    main()
