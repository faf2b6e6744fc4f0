# SPDX-License-Identifier: GPL-3.0-or-later
"""Networks for the training tests, written twice from one description: for PyTorch and as ONNX with the same weights and separate batch normalization.

A description is a list of layers: ("conv", out, kernel, stride, groups), ("bn",), ("relu",), ("relu6",), ("hardswish",), ("max", kernel, stride),
("average", kernel, stride), ("up",), ("save", name), ("add", name), ("concat", name), ("global",), ("flatten",), ("linear", out), ("dropout", ratio)."""
import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn
from torch.nn import functional as F


class Network(nn.Module):
    def __init__(self, layers, channels=3):
        super().__init__()
        self.layers, self.parts, saved = layers, nn.ModuleList(), {}
        for kind, *a in layers:
            part = nn.Identity()
            if kind == "conv":
                out, kernel, stride, groups = a
                part = nn.Conv2d(channels, out, kernel, stride, kernel // 2, groups=groups, bias=False)
                channels = out
            elif kind == "bn":
                part = nn.BatchNorm2d(channels)
            elif kind == "linear":
                part = nn.Linear(channels, a[0])
            elif kind == "dropout":
                part = nn.Dropout(a[0])
            elif kind == "save":
                saved[a[0]] = channels
            elif kind == "back":
                channels = saved[a[0]]
            elif kind == "concat":
                channels += saved[a[0]]
            self.parts.append(part)

    def forward(self, x):
        saved = {}
        for (kind, *a), part in zip(self.layers, self.parts):
            if kind == "relu":
                x = F.relu(x)
            elif kind == "relu6":
                x = F.relu6(x)
            elif kind == "hardswish":
                x = F.hardswish(x)
            elif kind == "max":
                x = F.max_pool2d(x, a[0], a[1], a[0] // 2 if a[0] % 2 else 0)
            elif kind == "average":
                x = F.avg_pool2d(x, a[0], a[1])
            elif kind == "up":
                x = F.interpolate(x, scale_factor=2, mode="nearest")
            elif kind == "save":
                saved[a[0]] = x
            elif kind == "back":
                x = saved[a[0]]
            elif kind == "add":
                x = x + saved[a[0]]
            elif kind == "concat":
                x = torch.cat([x, saved[a[0]]], 1)
            elif kind == "global":
                x = F.adaptive_avg_pool2d(x, 1)
            elif kind == "flatten":
                x = x.flatten(1)
            else:
                x = part(x)
        return x

    def save(self, path, height, width):
        nodes, tensors, saved, last = [], [], {}, "x"

        def tensor(name, value):
            tensors.append(numpy_helper.from_array(np.ascontiguousarray(value.detach().numpy() if hasattr(value, "detach") else value), name))
            return name

        for i, ((kind, *a), part) in enumerate(zip(self.layers, self.parts)):
            out = f"t{i}"
            one = {"relu": "Relu", "hardswish": "HardSwish", "global": "GlobalAveragePool", "flatten": "Flatten"}
            if kind in one:
                nodes.append(helper.make_node(one[kind], [last], [out]))
            elif kind == "relu6":
                nodes.append(helper.make_node("Clip", [last, tensor(out + "l", np.float32(0)), tensor(out + "h", np.float32(6))], [out]))
            elif kind == "conv":
                kernel = a[1]
                nodes.append(helper.make_node("Conv", [last, tensor(out + "w", part.weight)], [out], pads=[kernel // 2] * 4, strides=[a[2]] * 2, group=a[3]))
            elif kind == "bn":
                names = [tensor(out + s, v) for s, v in zip("gbmv", [part.weight, part.bias, part.running_mean, part.running_var])]
                nodes.append(helper.make_node("BatchNormalization", [last] + names, [out], epsilon=part.eps))
            elif kind in ("max", "average"):
                pad = a[0] // 2 if kind == "max" and a[0] % 2 else 0
                nodes.append(helper.make_node("MaxPool" if kind == "max" else "AveragePool", [last], [out], kernel_shape=[a[0]] * 2, strides=[a[1]] * 2,
                                              pads=[pad] * 4))
            elif kind == "up":
                nodes.append(helper.make_node("Resize", [last, "", tensor(out + "s", np.array([1, 1, 2, 2], np.float32))], [out], mode="nearest",
                                              nearest_mode="floor", coordinate_transformation_mode="asymmetric"))
            elif kind == "add":
                nodes.append(helper.make_node("Add", [last, saved[a[0]]], [out]))
            elif kind == "concat":
                nodes.append(helper.make_node("Concat", [last, saved[a[0]]], [out], axis=1))
            elif kind == "linear":
                nodes.append(helper.make_node("Gemm", [last, tensor(out + "w", part.weight), tensor(out + "b", part.bias)], [out], transB=1))
            elif kind == "save":
                saved[a[0]], out = last, last
            elif kind == "back":
                out = saved[a[0]]
            elif kind == "dropout":
                nodes.append(helper.make_node("Dropout", [last, tensor(out + "r", np.float32(a[0]))], [out]))
            last = out
        inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 3, height, width])]
        graph = helper.make_graph(nodes, "network", inputs, [helper.make_tensor_value_info(last, TensorProto.FLOAT, None)], tensors)
        onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), path)


def conv_bn(out, kernel, stride=1, groups=1, activation="relu"):
    return [("conv", out, kernel, stride, groups), ("bn",)] + ([(activation,)] if activation else [])


def resnet18(classes=1000):
    layers, channels = conv_bn(64, 7, 2) + [("max", 3, 2)], 64
    for stage, out in enumerate((64, 128, 256, 512)):
        for block in range(2):
            stride, name = 2 if stage and not block else 1, f"{stage}{block}"
            layers += [("save", name)] + conv_bn(out, 3, stride) + conv_bn(out, 3, activation=None)
            if stride != 1 or channels != out:
                layers += [("save", name + "b"), ("back", name)] + conv_bn(out, 1, stride, activation=None) + [("add", name + "b"), ("relu",)]
            else:
                layers += [("add", name), ("relu",)]
            channels = out
    return layers + [("global",), ("flatten",), ("linear", classes)]


def mobilenet_v2(classes=1000):
    layers, channels = conv_bn(32, 3, 2, activation="relu6"), 32
    for t, c, n, s in ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)):
        for i in range(n):
            stride, name = s if i == 0 else 1, f"{c}{i}"
            layers += [("save", name)]
            if t != 1:
                layers += conv_bn(channels * t, 1, activation="relu6")
            layers += conv_bn(channels * t, 3, stride, channels * t, "relu6") + conv_bn(c, 1, activation=None)
            layers += [("add", name)] if stride == 1 and channels == c else []
            channels = c
    return layers + conv_bn(1280, 1, activation="relu6") + [("global",), ("flatten",), ("linear", classes)]


def unet(width=32, depth=4, classes=2):
    layers = []
    for d in range(depth):
        layers += conv_bn(width << d, 3) + conv_bn(width << d, 3) + [("save", f"d{d}"), ("max", 2, 2)]
    layers += conv_bn(width << depth, 3) + conv_bn(width << depth, 3)
    for d in reversed(range(depth)):
        layers += [("up",)] + conv_bn(width << d, 3) + [("concat", f"d{d}")] + conv_bn(width << d, 3) + conv_bn(width << d, 3)
    return layers + [("conv", classes, 1, 1, 1)]


def small():
    return (conv_bn(16, 3, 2) + [("save", "a")] + conv_bn(32, 1, activation="hardswish") + conv_bn(32, 3, 1, 32, "relu6") + conv_bn(16, 1, activation=None)
            + [("add", "a"), ("max", 3, 2)] + conv_bn(40, 3, 2) + [("global",), ("flatten",), ("linear", 10)])
