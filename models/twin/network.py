# SPDX-License-Identifier: GPL-3.0-or-later
"""An ONNX network of Fovea's as a PyTorch module, and back."""

import os

import numpy as np
import onnx
import torch
from onnx import helper, numpy_helper
from torch import nn
from torch.nn import functional as F

WEIGHTS = {"Conv": (1, 2), "Gemm": (1, 2), "BatchNormalization": (1, 2)}  # which inputs of a node are learned


def read_constants(graph):
    """{name: array}; weights that are kept as float16 behind a Cast come as float32."""
    constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    for node in graph.node:
        if node.op_type == "Cast" and node.input[0] in constants:
            constants[node.output[0]] = constants[node.input[0]].astype(np.float32)
    return constants


def read_answer(path):
    """The name of the file's first output; a last layer that was exchanged has a new one."""
    return onnx.load(path).graph.output[0].name


def needed_nodes(graph, outputs):
    wanted, nodes = set(outputs), []
    for node in reversed(graph.node):
        if node.op_type != "Cast" and wanted.intersection(node.output):
            wanted.update(node.input)
            nodes.insert(0, node)
    return nodes


class Network(nn.Module):
    """The part of the network in the file `path` that the values named `outputs` need. forward: photos (batch, 3, height, width), normalized, to those values."""

    def __init__(self, path, outputs):
        super().__init__()
        self.path, self.outputs = path, outputs
        graph = onnx.load(path).graph
        constants = read_constants(graph)
        self.nodes = needed_nodes(graph, outputs)
        self.attributes = [{a.name: helper.get_attribute_value(a) for a in node.attribute} for node in self.nodes]
        self.input = next(value.name for value in graph.input if value.name not in constants)
        self.names, self.numbers = {}, {}
        for node in self.nodes:
            if node.op_type == "Slice":
                self.numbers.update({name: constants[name].tolist() for name in node.input[1:]})
            for k, name in enumerate(node.input):
                if name in constants and constants[name].dtype == np.float32 and constants[name].ndim > 0 and node.op_type in WEIGHTS:
                    self.add_constant(name, torch.tensor(constants[name]), k in WEIGHTS[node.op_type])

    def add_constant(self, name, tensor, is_learned):
        key = self.names[name] = "v" + str(len(self.names))
        if is_learned:
            self.register_parameter(key, nn.Parameter(tensor))
        else:
            self.register_buffer(key, tensor)

    def take(self, name):
        return getattr(self, self.names[name])

    def forward(self, photos):
        values = {self.input: photos}
        with torch.autocast(photos.device.type, torch.bfloat16, enabled=photos.is_cuda, cache_enabled=False):
            for node, attributes in zip(self.nodes, self.attributes):
                inputs = [values[name] if name in values else self.take(name) if name in self.names else self.numbers.get(name) for name in node.input]
                values[node.output[0]] = self.run(node.op_type, inputs, attributes)
        return [values[name].float() for name in self.outputs]

    def run(self, kind, inputs, attributes):
        x = inputs[0]
        if kind == "Conv":
            before, after = attributes["pads"][:2], attributes["pads"][2:]
            if before != after:
                x = F.pad(x, (before[1], after[1], before[0], after[0]))
                before = [0, 0]
            return F.conv2d(x, inputs[1], inputs[2] if len(inputs) > 2 else None, attributes.get("strides", [1, 1]), before, 1, attributes.get("group", 1))
        if kind == "BatchNormalization":
            return F.batch_norm(x, inputs[3], inputs[4], inputs[1], inputs[2], self.training, 0.1, attributes.get("epsilon", 1e-5))
        if kind == "Relu":
            return F.relu(x)
        if kind == "Sigmoid":
            return torch.sigmoid(x)
        if kind == "Mul":
            return x * inputs[1]
        if kind == "Add":
            return x + inputs[1]
        if kind == "Slice":
            parts = {axis: slice(first, end, step) for first, end, axis, step in zip(*inputs[1:])}
            return x[tuple(parts.get(axis, slice(None)) for axis in range(x.ndim))]
        if kind == "Concat":
            return torch.cat(inputs, attributes["axis"])
        if kind == "Resize":
            return F.interpolate(x, scale_factor=2.0, mode="nearest" if attributes["mode"] == b"nearest" else "bilinear")
        if kind == "MaxPool":
            return F.max_pool2d(x, attributes["kernel_shape"], attributes["strides"], attributes.get("pads", [0, 0])[:2])
        if kind == "GlobalAveragePool":
            return x.mean((2, 3), keepdim=True)
        if kind == "Flatten":
            return x.flatten(1)
        if kind == "Dropout":
            return F.dropout(x, 0.2, self.training)
        if kind == "Gemm":
            return F.linear(x, inputs[1], inputs[2])
        raise ValueError(f"{self.path} has a {kind}, which this twin doesn't know. Add it to Network.run.")

    def load_common(self, path):
        """Takes from another file what has the same name and shape, and says how many tensors those were."""
        constants = read_constants(onnx.load(path).graph)
        same = [name for name in self.names if name in constants and constants[name].shape == tuple(self.take(name).shape)]
        with torch.no_grad():
            for name in same:
                self.take(name).copy_(torch.tensor(constants[name]))
        return len(same)

    def save(self, path):
        """The file that this network came from with its present weights, as float32."""
        model = onnx.load(self.path)
        graph = model.graph
        halves = {node.output[0]: node.input[0] for node in graph.node if node.op_type == "Cast"}
        tensors = {tensor.name: tensor for tensor in graph.initializer}
        for name in self.names:
            graph.initializer.remove(tensors[halves.get(name, name)])
            graph.initializer.append(numpy_helper.from_array(self.take(name).detach().float().cpu().contiguous().numpy(), name))
        for node in [node for node in graph.node if node.op_type == "Cast" and node.output[0] in self.names]:
            graph.node.remove(node)
        onnx.save(model, path + ".part")
        os.replace(path + ".part", path)
