# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of decoders share: random tensors, and how a tool gets them."""

import os

import numpy as np
from onnx import numpy_helper


def sigmoid(x):
    return 1 / (1 + np.exp(-x.astype(np.float64)))


def write_arguments(folder, tensors):
    """NAME=FILE.pb for each of {name: array}, written into the folder."""
    arguments = []
    for i, (name, value) in enumerate(tensors.items()):
        path = os.path.join(folder, f"{i}.pb")
        with open(path, "wb") as file:
            file.write(numpy_helper.from_array(value, name).SerializeToString())
        arguments.append(f"{name}={path}")
    return arguments


class RandomTensors:
    """For a test case, whose setUp makes self.random."""

    def uniform(self, *shape, low=0.0, high=1.0):
        return self.random.uniform(low, high, shape).astype(np.float32)

    def normal(self, *shape, scale=1.0):
        return (scale * self.random.standard_normal(shape)).astype(np.float32)
