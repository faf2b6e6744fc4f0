# SPDX-License-Identifier: GPL-3.0-or-later
"""gradients.py GRADIENT_TOOL: every operator that can be trained through, against central differences in double; then float32, every kernel table and
several threads, against the double gradients."""
import os, subprocess, sys, tempfile
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from reduced import is_brief

TOOL = sys.argv[1]
random = np.random.default_rng(5)


def normal(*shape):
    """Numbers that keep away from 0, where activations have their corners."""
    numbers = random.normal(size=shape)
    return numbers + 0.05 * np.sign(numbers)


def distinct(*shape):
    """Numbers that all differ clearly, for maxima."""
    n = int(np.prod(shape))
    return (random.permutation(n).reshape(shape) - n / 2) / n * 4


class Case:
    """A graph of a few nodes; every float array is a constant, so that its gradient is asked for. Names that begin with "fixed" stay constants."""

    def __init__(self, name, nodes, opset=20, double=True, **arrays):
        self.name, self.nodes, self.opset, self.double, self.arrays = name, nodes, opset, double, arrays

    def save(self, path, dtype):
        arrays = [numpy_helper.from_array(np.asarray(a, dtype if np.asarray(a).dtype == np.float64 else None), n) for n, a in self.arrays.items()]
        kind = TensorProto.DOUBLE if dtype == np.float64 else TensorProto.FLOAT
        graph = helper.make_graph(self.nodes, "g", [], [helper.make_tensor_value_info("y", kind, None)], arrays)
        onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", self.opset)], ir_version=9), path)


def node(kind, inputs, outputs="y", **attributes):
    return helper.make_node(kind, inputs.split(), outputs.split(), **attributes)


def cases():
    for kind in ("Relu LeakyRelu ThresholdedRelu Sigmoid Tanh Elu Selu Celu Softplus Softsign HardSigmoid HardSwish Gelu Mish Erf Exp Neg").split():
        yield Case(kind, [node(kind, "x")], x=normal(2, 5, 3, 3))
        yield Case(kind + " conv", [node("Conv", "a w", "b", pads=[1] * 4), node(kind, "b", "c"), node("Conv", "c v", pads=[0] * 4)], a=normal(2, 3, 6, 7),
                   w=normal(20, 3, 3, 3) / 3, v=normal(4, 20, 1, 1))
    yield Case("Sqrt", [node("Sqrt", "x")], x=np.abs(normal(3, 4)) + 0.3)
    yield Case("Reciprocal", [node("Reciprocal", "x")], x=np.abs(normal(3, 4)) + 0.5)
    yield Case("Clip", [node("Clip", "x fixed_low fixed_high")], x=normal(2, 5, 3), fixed_low=np.float64(-0.52), fixed_high=np.float64(0.61))
    yield Case("Clip by a node", [node("Neg", "fixed_high", "low"), node("Clip", "x low fixed_high")], x=normal(2, 5, 3), fixed_high=np.float64(0.61))
    for kind in "Add Sub Mul Div".split():
        for shape in ((2, 3, 4), (3, 1), (4,), ()):
            yield Case(f"{kind} {shape}", [node(kind, "a b")], a=normal(2, 3, 4), b=np.abs(normal(*shape)) + 0.5)
            yield Case(f"{kind} {shape} turned", [node(kind, "b a")], a=np.abs(normal(2, 3, 4)) + 0.5, b=normal(*shape))
    for shape in ((5, 1, 1), (1,), (3,)):
        yield Case(f"PRelu {shape}", [node("PRelu", "x s")], x=normal(2, 5, 4, 3), s=normal(*shape))
    for more in ({}, dict(lambd=0.7, bias=0.3)):
        yield Case(f"Shrink {more}", [node("Shrink", "x", **more)], x=normal(2, 5, 4, 3))
    yield Case("Sum", [node("Sum", "a b c")], a=normal(2, 3), b=normal(3), c=normal(2, 1))
    for label, size, w, attributes in [
            ("3x3", (2, 5, 6, 7), (7, 5, 3, 3), dict(pads=[1, 1, 1, 1])),
            ("3x3 blocks", (3, 32, 9, 8), (20, 32, 3, 3), dict(pads=[1, 1, 1, 1])),
            ("winograd", (2, 33, 14, 13), (35, 33, 3, 3), dict(pads=[1, 1, 1, 1])),
            ("no padding", (2, 18, 6, 5), (17, 18, 3, 3), {}),
            ("stride 2", (2, 17, 9, 8), (18, 17, 3, 3), dict(pads=[1, 1, 1, 1], strides=[2, 2])),
            ("stride 2 even", (2, 3, 8, 8), (16, 3, 3, 3), dict(pads=[0, 0, 1, 1], strides=[2, 2])),
            ("stride 3 2", (1, 16, 11, 9), (16, 16, 2, 5), dict(pads=[0, 2, 1, 2], strides=[3, 2])),
            ("stem 7x7", (2, 3, 15, 14), (16, 3, 7, 7), dict(pads=[3] * 4, strides=[2, 2])),
            ("1x1", (2, 40, 5, 6), (24, 40, 1, 1), {}),
            ("1x1 stride 2", (2, 16, 6, 7), (32, 16, 1, 1), dict(strides=[2, 2])),
            ("dilated", (2, 16, 9, 9), (16, 16, 3, 3), dict(pads=[2] * 4, dilations=[2, 2])),
            ("dilated, stride 2", (1, 16, 9, 9), (16, 16, 3, 3), dict(pads=[2] * 4, dilations=[2, 2], strides=[2, 2])),
            ("asymmetric", (2, 4, 6, 7), (5, 4, 3, 2), dict(pads=[0, 1, 2, 0])),
            ("wide padding", (1, 4, 3, 3), (16, 4, 3, 3), dict(pads=[4, 3, 4, 5])),
            ("same", (2, 4, 7, 7), (5, 4, 4, 4), dict(auto_pad="SAME_UPPER", strides=[2, 2])),
            ("depthwise", (2, 20, 7, 6), (20, 1, 3, 3), dict(pads=[1] * 4, group=20)),
            ("depthwise stride 2", (2, 32, 9, 8), (32, 1, 5, 5), dict(pads=[2] * 4, group=32, strides=[2, 2])),
            ("depthwise dilated", (1, 16, 8, 8), (16, 1, 3, 3), dict(pads=[2] * 4, group=16, dilations=[2, 2])),
            ("groups of 16", (2, 32, 5, 5), (32, 16, 3, 3), dict(pads=[1] * 4, group=2)),
            ("groups of 4", (2, 16, 5, 5), (16, 4, 3, 3), dict(pads=[1] * 4, group=4)),
            ("groups of 3", (2, 9, 5, 5), (6, 3, 3, 3), dict(pads=[1] * 4, group=3)),
            ("1-D", (2, 3, 9), (4, 3, 3), dict(pads=[1, 1])),
            ("3-D", (1, 2, 4, 4, 3), (3, 2, 2, 2, 2), {})]:
        yield Case("Conv " + label, [node("Conv", "x w b", **attributes)], x=normal(*size), w=normal(*w), b=normal(w[0]))
    for label, size, w, attributes in [
            ("2x2 stride 2", (2, 5, 4, 3), (5, 7, 2, 2), dict(strides=[2, 2])),
            ("blocks", (2, 32, 5, 4), (32, 20, 2, 2), dict(strides=[2, 2])),
            ("3x3 stride 2", (2, 18, 4, 5), (18, 17, 3, 3), dict(strides=[2, 2], pads=[1] * 4, output_padding=[1, 1])),
            ("4x4 stride 2", (1, 16, 5, 3), (16, 16, 4, 4), dict(strides=[2, 2], pads=[1] * 4)),
            ("stride 1", (2, 3, 5, 6), (3, 4, 3, 2), dict(pads=[1, 0, 2, 1])),
            ("same", (1, 3, 4, 5), (3, 4, 3, 3), dict(auto_pad="SAME_UPPER", strides=[2, 3])),
            ("shape", (1, 3, 4, 5), (3, 4, 3, 3), dict(output_shape=[8, 9], strides=[2, 2])),
            ("groups", (2, 8, 4, 3), (8, 3, 3, 3), dict(group=2, strides=[2, 1])),
            ("depthwise", (2, 32, 4, 3), (32, 1, 2, 2), dict(group=32, strides=[2, 2])),
            ("dilated", (1, 4, 4, 4), (4, 5, 3, 3), dict(dilations=[2, 2])),
            ("1-D", (2, 3, 5), (3, 4, 3), dict(strides=[2])),
            ("3-D", (1, 2, 3, 2, 3), (2, 3, 2, 2, 2), dict(strides=[2, 1, 2]))]:
        yield Case("ConvTranspose " + label, [node("ConvTranspose", "x w b", **attributes)], x=normal(*size), w=normal(*w), b=normal(w[1] * attributes.get("group", 1)))
    yield Case("ConvTranspose between", [node("Conv", "x v", "a"), node("Relu", "a", "c"), node("ConvTranspose", "c w", "d", strides=[2, 2]), node("Conv", "d u")],
               x=normal(2, 4, 5, 5), v=normal(32, 4, 1, 1), w=normal(32, 16, 2, 2) / 4, u=normal(8, 16, 1, 1))
    yield Case("Conv twice", [node("Conv", "x w b", "t", pads=[1] * 4), node("Relu", "t", "u"), node("Conv", "u v", "s", pads=[1] * 4), node("Add", "u s")],
               x=normal(2, 16, 6, 6), w=normal(16, 16, 3, 3) / 8, b=normal(16), v=normal(16, 16, 3, 3) / 8)
    for kind in "MaxPool AveragePool LpPool".split():
        for label, size, attributes in [("2x2", (2, 5, 6, 7), dict(kernel_shape=[2, 2], strides=[2, 2])),
                                        ("3x3 stride 2", (2, 5, 7, 8), dict(kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])),
                                        ("1-D", (2, 3, 9), dict(kernel_shape=[3], strides=[2])), ("3-D", (1, 2, 4, 4, 4), dict(kernel_shape=[2, 2, 2]))]:
            yield Case(f"{kind} {label}", [node(kind, "x", **attributes)], x=distinct(*size))
    yield Case("AveragePool padded", [node("AveragePool", "x", kernel_shape=[3, 3], pads=[1] * 4, count_include_pad=1)], x=normal(2, 3, 5, 5))
    for kind in "GlobalMaxPool GlobalAveragePool GlobalLpPool".split():
        yield Case(kind, [node(kind, "x")], x=distinct(2, 5, 4, 3))
        if kind != "GlobalLpPool":
            yield Case(kind + " conv", [node("Conv", "x w", "t"), node(kind, "t")], x=distinct(2, 5, 4, 3), w=normal(20, 5, 1, 1))
    yield Case("MaxPool conv", [node("Conv", "x w", "t"), node("MaxPool", "t", kernel_shape=[2, 2], strides=[2, 2])], x=distinct(2, 5, 6, 6),
               w=normal(20, 5, 1, 1))
    yield Case("Concat", [node("Concat", "a b", axis=1)], a=normal(2, 3, 4), b=normal(2, 5, 4))
    yield Case("Concat conv", [node("Conv", "x v", "a"), node("Conv", "x w", "b"), node("Concat", "a b", "c", axis=1), node("Conv", "c u")], x=normal(2, 4, 5, 5),
               v=normal(16, 4, 1, 1), w=normal(20, 4, 1, 1), u=normal(8, 36, 1, 1))
    yield Case("Split", [node("Split", "x fixed_s", "a b", axis=1), node("Mul", "a a", "c"), node("ReduceSum", "c", "y", keepdims=1)], x=normal(2, 5, 3),
               fixed_s=np.array([2, 3]))
    for label, starts, ends, axes, steps in [("ends", [1, -3], [4, 9], [2, 0], [1, 1]), ("every other", [1, 0], [9, 5], [1, 2], [2, 3]), ("one", [2], [3], [1], [1]),
                                              ("backwards", [4, -1], [0, -7], [1, 2], [-1, -2]), ("from the end", [9], [-9], [0], [-3])]:
        yield Case("Slice " + label, [node("Slice", "x fixed_s fixed_e fixed_a fixed_t")], x=normal(4, 5, 6), fixed_s=np.array(starts), fixed_e=np.array(ends),
                   fixed_a=np.array(axes), fixed_t=np.array(steps))
    yield Case("Slice between", [node("Conv", "x v", "a"), node("Slice", "a fixed_s fixed_e fixed_a", "b"), node("Conv", "b w")], x=normal(2, 4, 5, 5),
               v=normal(40, 4, 1, 1), w=normal(20, 16, 1, 1), fixed_s=np.array([16]), fixed_e=np.array([32]), fixed_a=np.array([1]))
    yield Case("Pad", [node("Pad", "x fixed_p fixed_v")], x=normal(2, 3, 4), fixed_p=np.array([0, 1, 2, 0, 0, -1]), fixed_v=np.float64(0.5))
    yield Case("Pad between", [node("Conv", "x v", "a"), node("Pad", "a fixed_p", "b"), node("Conv", "b w")], x=normal(2, 4, 5, 5), v=normal(16, 4, 1, 1),
               w=normal(20, 16, 3, 3), fixed_p=np.array([0, 0, 1, 1, 0, 0, 2, 1]))
    for mode, shape in ("reflect", (2, 3, 4)), ("edge", (2, 3, 4)), ("wrap", (2, 3, 4)), ("reflect", (3, 2, 5, 4)), ("edge", (1, 5)), ("wrap", (1, 2, 3)):
        pads = random.integers(0, shape, (2, len(shape)))
        pads[0, 0], pads[1, -1] = -(shape[0] > 1), -1 # also cut
        far = mode != "reflect" # once around and further
        yield Case(f"Pad {mode} {len(shape)}-D", [node("Pad", "x fixed_p", mode=mode)], x=normal(*shape), fixed_p=(pads * (1 + far)).ravel())
        if len(shape) == 3:
            yield Case(f"Pad {mode} between", [node("Conv", "x v", "a"), node("Pad", "a fixed_p", "b", mode=mode), node("Conv", "b w")], x=normal(2, 4, 5, 6),
                       v=normal(16, 4, 1, 1), w=normal(20, 16, 3, 3), fixed_p=np.array([0, 0, 2, 1, 0, 0, 3, 4]))
    yield Case("InstanceNormalization", [node("InstanceNormalization", "x s b")], x=normal(2, 5, 4, 3), s=normal(5), b=normal(5))
    for opset in (18, 21): # scales of groups, then of channels
        yield Case(f"GroupNormalization {opset}", [node("GroupNormalization", "x s b", num_groups=2)], opset=opset, x=normal(2, 6, 4, 3), s=normal(2 if opset == 18 else 6),
                   b=normal(2 if opset == 18 else 6))
    for axis, shape in ((-1, (5,)), (1, (4, 5)), (1, (5,))):
        yield Case(f"LayerNormalization {axis} {shape}", [node("LayerNormalization", "x s b", axis=axis)], x=normal(3, 4, 5), s=normal(*shape), b=normal(*shape))
    yield Case("LayerNormalization without bias", [node("LayerNormalization", "x s")], x=normal(3, 4, 5), s=normal(5))
    yield Case("InstanceNormalization between", [node("Conv", "x v", "a"), node("InstanceNormalization", "a s b", "c"), node("Relu", "c", "d"), node("Conv", "d w")],
               x=normal(2, 4, 5, 5), v=normal(20, 4, 1, 1), s=normal(20), b=normal(20), w=normal(8, 20, 1, 1))
    yield Case("Reshape", [node("Reshape", "x fixed_s")], x=normal(2, 3, 4), fixed_s=np.array([4, 6]))
    yield Case("Flatten", [node("Flatten", "x")], x=normal(2, 3, 4))
    yield Case("Squeeze", [node("Squeeze", "x", "t"), node("Unsqueeze", "t fixed_a")], x=normal(2, 1, 3), fixed_a=np.array([0]))
    yield Case("Transpose", [node("Transpose", "x", perm=[2, 0, 1])], x=normal(2, 3, 4))
    for a, b in ((0, 0), (0, 1), (1, 0), (1, 1)):
        yield Case(f"Gemm {a}{b}", [node("Gemm", "a b c", transA=a, transB=b, alpha=0.7, beta=1.3)], a=normal(*((5, 4) if a else (4, 5))),
                   b=normal(*((19, 5) if b else (5, 19))), c=normal(19))
    yield Case("MatMul", [node("MatMul", "a b")], a=normal(4, 5), b=normal(5, 3))
    yield Case("MatMul batch", [node("MatMul", "a b")], a=normal(2, 3, 4, 5), b=normal(3, 5, 2))
    for kind in "ReduceMean ReduceSum".split():
        yield Case(kind, [node(kind, "x fixed_a", keepdims=0)], x=normal(2, 3, 4, 5), fixed_a=np.array([1, 3]))
    for kind in "Softmax LogSoftmax".split():
        yield Case(kind, [node(kind, "x", axis=1)], x=normal(3, 6, 2))
        yield Case(kind + " 11", [node(kind, "x", axis=1)], opset=11, x=normal(3, 6, 2))
    for label, attributes in [("nearest", dict(mode="nearest", nearest_mode="floor", coordinate_transformation_mode="asymmetric")),
                              ("linear", dict(mode="linear")), ("corners", dict(mode="linear", coordinate_transformation_mode="align_corners"))]:
        yield Case("Resize " + label, [node("Resize", "x fixed_roi fixed_scale", **attributes)], x=normal(2, 5, 4, 3),
                   fixed_roi=np.zeros(0, np.float32), fixed_scale=np.array([1, 1, 2, 2], np.float32))
        yield Case("Resize conv " + label, [node("Conv", "x w", "t"), node("Resize", "t fixed_roi fixed_scale", **attributes)], x=normal(2, 5, 4, 3),
                   w=normal(20, 5, 1, 1), fixed_roi=np.zeros(0, np.float32), fixed_scale=np.array([1, 1, 2, 2], np.float32))


def run(path, *arguments, **environment):
    result = subprocess.run([TOOL, path, *arguments], capture_output=True, text=True, env={**os.environ, **environment})
    if result.returncode:
        return None, result.stderr.strip()
    lines = [line.split(" ") for line in result.stdout.strip().splitlines()]
    return lines, None


def numbers(lines):
    return {line[0]: np.array([float(x) for x in line[1:]]) for line in lines if line[0] != "finite"}


def main():
    failures = n = 0
    tables = [{"FOVEA_ISA": isa} for isa in ("reference", "sse2", "avx2")] + [{"FOVEA_PASSES": "-all"}]
    runs = [(table, "1") for table in tables] + [({}, "1"), ({}, "3")]
    brief = is_brief(TOOL)
    if brief:
        runs = [({"FOVEA_ISA": "sse2"}, "3"), ({}, "1")]
    with tempfile.TemporaryDirectory() as folder:
        wide, narrow = os.path.join(folder, "double.onnx"), os.path.join(folder, "float.onnx")
        for case in cases():
            n += 1
            case.save(wide, np.float64)
            case.save(narrow, np.float32)
            lines, error = run(wide, *[] if brief else ["--finite"])
            problems = [error] if error else []
            if lines:
                for line in lines:
                    if line[0] == "finite" and not float(line[2]) < 1e-6:
                        problems.append(" ".join(line))
                wanted = numbers(lines)
                missing = [name for name in case.arrays if not name.startswith("fixed") and name not in wanted]
                problems += [f"no gradient for {name}" for name in missing]
                outputs = []
                for environment, threads in runs:
                    lines, error = run(narrow, "--threads", threads, **environment)
                    if error:
                        problems.append(f"{environment}: {error}")
                        continue
                    got = numbers(lines)
                    outputs.append(got)
                    for name in wanted:
                        least = 10 if name == "loss" else 1e-6 # a sum of hundreds of terms to both sides may come to nearly nothing
                        worst = np.max(np.abs(got[name] - wanted[name])) / max(np.max(np.abs(wanted[name])), least)
                        if not worst < 1e-4:
                            problems.append(f"{environment} {name}: {worst:.3g}")
                if len(outputs) == len(runs) > 2 and any(not np.array_equal(outputs[-1][name], outputs[-2][name]) for name in wanted):
                    problems.append("depends on the number of threads")
            print(("not ok" if problems else "ok"), n, case.name, flush=True)
            for problem in problems:
                print("#  ", problem)
            failures += bool(problems)
    print(f"1..{n}")
    return failures > 0


sys.exit(main())
