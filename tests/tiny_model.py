# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes small ONNX files for tests of the command: just enough of protobuf, so that no package is needed."""

import struct

FLOAT = 1


def varint(number):
    out = b""
    while number > 127:
        out += bytes([number & 127 | 128])
        number >>= 7
    return out + bytes([number])


def field(number, value):
    """An integer, or bytes, text or a message."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    value = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(value)) + value


def tensor(name, dims, floats):
    return b"".join(field(1, d) for d in dims) + field(2, FLOAT) + field(8, name) + field(9, struct.pack(f"<{len(floats)}f", *floats))


def port(name, dims):
    shape = b"".join(field(1, field(1, d)) for d in dims)
    return field(1, name) + field(2, field(1, field(1, FLOAT) + field(2, shape)))


def node(operator, inputs, outputs):
    return b"".join(field(1, name) for name in inputs) + b"".join(field(2, name) for name in outputs) + field(3, operator.lower()) + field(4, operator)


def model(nodes, inputs, outputs, constants=(), metadata=None):
    graph = b"".join(field(1, n) for n in nodes) + field(2, "graph") + b"".join(field(5, c) for c in constants)
    graph += b"".join(field(11, i) for i in inputs) + b"".join(field(12, o) for o in outputs)
    entries = b"".join(field(14, field(1, key) + field(2, value)) for key, value in (metadata or {}).items())
    return field(1, 8) + field(7, graph) + field(8, field(1, "") + field(2, 17)) + entries


def corner_colour(size=8, names="['red', 'green', 'blue']", **metadata):
    """A classifier whose scores are the mean red, green and blue of the photo's top left corner, a quarter of its width and height."""
    corner, weights = size // 4, []
    for out in range(3):
        for channel in range(3):
            weights += [1 / corner ** 2 if out == channel and y < corner and x < corner else 0 for y in range(size) for x in range(size)]
    return model([node("Conv", ["x", "w"], ["y"])], [port("x", [1, 3, size, size])], [port("y", [1, 3, 1, 1])], [tensor("w", [3, 3, size, size], weights)],
                 {"task": "classify", "names": names, "fovea": '{"input": {"resize": "stretch", "range": 1}}', **metadata})


def detector(size=8):
    return model([node("Relu", ["x"], ["y"])], [port("x", [1, 3, size, size])], [port("y", [1, 300, 85])])


def unknown_operator(size=8):
    return model([node("Frobnicate", ["x"], ["y"])], [port("x", [1, 3, size, size])], [port("y", [1, 3])])


def pair(side=32):
    """Encoder and decoder of a network that is pointed at: the mask is a disc of 5 of its 32 pixels around the one point."""
    encoder = model([node("Identity", ["image"], ["image_embeddings"])], [port("image", [1, 3, side, side])], [port("image_embeddings", [1, 3, side, side])])
    grids = [[float(x) for _ in range(side) for x in range(side)], [float(y) for y in range(side) for _ in range(side)]]
    nodes = [node("Relu", ["point_labels"], ["inside"]), node("MatMul", ["inside", "point_coords"], ["sum"]), node("ReduceSum", ["inside"], ["count"]),
             node("Div", ["sum", "count"], ["middle"]), node("ReduceMin", ["image_embeddings"], ["least"]), node("Mul", ["least", "zero"], ["nothing"])]
    squares = []
    for axis in ("0", "1"):
        nodes += [node("MatMul", ["middle", "axis" + axis], ["at" + axis]), node("Sub", ["grid" + axis, "at" + axis], ["off" + axis]),
                  node("Mul", ["off" + axis, "off" + axis], ["square" + axis])]
        squares.append("square" + axis)
    nodes += [node("Add", squares, ["distance"]), node("Sub", ["radius", "distance"], ["disc"]), node("Add", ["disc", "nothing"], ["masks"])]
    constants = [tensor("zero", [], [0]), tensor("radius", [], [25]), tensor("axis0", [2, 1], [1, 0]), tensor("axis1", [2, 1], [0, 1]),
                 tensor("grid0", [1, 1, side, side], grids[0]), tensor("grid1", [1, 1, side, side], grids[1])]
    decoder = model(nodes, [port("image_embeddings", [1, 3, side, side]), port("point_coords", [1, 2, 2]), port("point_labels", [1, 2])],
                    [port("masks", [1, 1, side, side])], constants)
    return encoder, decoder


def colour_masks(size=8, names="['red', 'green', 'blue']"):
    """A mask for each colour: how much of it each of 8 × 8 parts of the photo has."""
    return model([node("Relu", ["x"], ["y"])], [port("x", [1, 3, size, size])], [port("y", [1, 3, size, size])], (),
                 {"task": "segment", "names": names, "fovea": '{"input": {"resize": "stretch", "range": 1}, "output": {"family": "semantic", "activation": "none"}}'})


def two_boxes(size=32, names="['dot', 'bar']"):
    """A detector that finds the same in every photo: “bar” with 0.9 at x 8 … 24, y 4 … 12 of its 32 × 32 pixels, “dot” with 0.4 at 0 … 4."""
    rows = [8, 4, 24, 12, 0.9, 1, 0, 0, 4, 4, 0.4, 0]
    nodes = [node("ReduceMin", ["x"], ["least"]), node("Mul", ["least", "zero"], ["nothing"]), node("Add", ["rows", "nothing"], ["output0"])]
    nodes[0] += field(5, field(1, "keepdims") + field(3, 0) + field(20, 2))
    return model(nodes, [port("x", [1, 3, size, size])], [port("output0", [1, 2, 6])], [tensor("rows", [1, 2, 6], rows), tensor("zero", [], [0])],
                 {"names": names, "fovea": '{"input": {"resize": "stretch", "range": 1}}'})


def three_objects(size=64, names="['bird', 'dog', 'cat']"):
    """Boxes with masks, the same in every photo: two dogs that touch, at x 12 … 28 and 28 … 52, y 24 … 40 of its 64 × 64 pixels, and a cat at x 12 … 20,
    y 16 … 24."""
    rows = []
    for *box, label in ((12, 24, 28, 40, 1), (28, 24, 52, 40, 1), (12, 16, 20, 24, 2)):
        rows += [*box, 0.9, label, 1] + 31 * [0]
    nodes = [node("ReduceMin", ["x"], ["least"]), node("Mul", ["least", "zero"], ["nothing"]), node("Add", ["rows", "nothing"], ["output0"]),
             node("Add", ["maps", "nothing"], ["output1"])]
    nodes[0] += field(5, field(1, "keepdims") + field(3, 0) + field(20, 2))
    constants = [tensor("rows", [1, 3, 38], rows), tensor("maps", [1, 32, 16, 16], 256 * [12] + 31 * 256 * [0]), tensor("zero", [], [0])]
    return model(nodes, [port("x", [1, 3, size, size])], [port("output0", [1, 3, 38]), port("output1", [1, 32, 16, 16])], constants, {"task": "segment", "names": names})
