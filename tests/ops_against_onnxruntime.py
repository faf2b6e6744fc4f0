# SPDX-License-Identifier: GPL-3.0-or-later
#
# ops_against_onnxruntime.py FOVEA: operators in the forms that ONNX's own cases leave out (attributes of old opsets, odd shapes, other types, images
# that run in blocks), with ONNX Runtime's answers, through `fovea conformance`.
import json
import os
import subprocess
import sys
import tempfile

try:
    import numpy as np
    import onnx
    from onnx import TensorProto, helper, numpy_helper
    missing = subprocess.run([sys.executable, '-c', 'import onnxruntime'], stderr=subprocess.PIPE, text=True)
    if missing.returncode:
        raise ImportError(missing.stderr.strip().splitlines()[-1])
except ImportError as error:
    print(f'skipped: {error}')
    sys.exit(77)

# onnx and onnxruntime don't go together in one process.
RUNNER = '''
import sys, numpy, onnxruntime
options = onnxruntime.SessionOptions()
options.log_severity_level = 4
for folder in sys.stdin.read().split():
    session = onnxruntime.InferenceSession(folder + '/model.onnx', options, providers=['CPUExecutionProvider'])
    feeds = numpy.load(folder + '/feeds.npz')
    numpy.savez(folder + '/answers.npz', *session.run(None, {i.name: feeds[i.name] for i in session.get_inputs()}))
'''

random = np.random.default_rng(7)


def floats(*shape):
    return random.uniform(0.5, 1.5, shape).astype(np.float32)  # sums of them lie far from zero, where rounding would be all


def ints(*values):
    return np.array(values, np.int64)


CASES = []


def case(operator, opset, inputs, n_outputs=1, relu=False, **attributes):
    """One node on inputs; arrays in a list of one become initializers. relu: between two of them after a convolution, so that blocks are used."""
    CASES.append((operator, opset, inputs, n_outputs, relu, attributes))


x = floats(2, 3, 5, 7)
for opset in (7, 11, 13, 18, 22):
    axes = (lambda *v: {'axes': list(v)}) if opset < 13 else (lambda *v: {})
    extra = (lambda *v: []) if opset < 13 else (lambda *v: [[ints(*v)]])
    case('Squeeze', opset, [floats(1, 3, 1, 2)] + extra(0, 2), **axes(0, 2))
    case('Unsqueeze', opset, [floats(3, 2)] + extra(0, 3), **axes(0, 3))
    if opset < 13:
        case('Split', opset, [x], 3, axis=3, split=[2, 1, 4])
        case('Split', opset, [floats(2, 6)], 2, axis=1)
    else:
        case('Split', opset, [x, [ints(2, 1, 4)]], 3, axis=-1)
    case('Flatten', opset, [x], axis=2)
    case('Concat', opset, [x, floats(2, 4, 5, 7), floats(2, 1, 5, 7)], axis=1)
    case('Transpose', opset, [x], perm=[0, 2, 3, 1])
    case('Transpose', opset, [floats(4, 1, 50, 33).astype(np.float64)], perm=[3, 1, 0, 2])
    case('Gather', opset, [x, [ints(2, 0, 0)]], axis=3)
    case('Tile', opset, [x, [ints(1, 2, 1, 3)]])
    case('DepthToSpace', opset, [floats(2, 12, 3, 5)], blocksize=2)
    case('SpaceToDepth', opset, [floats(2, 3, 4, 6)], blocksize=2)
for shape in ((1, 40, 35, 19), (2, 3, 70, 33), (5, 17, 16, 64)):  # larger than the tiles that are moved at once
    for perm in ((0, 2, 3, 1), (0, 3, 1, 2), (3, 2, 1, 0), (1, 3, 0, 2), (2, 0, 3, 1)):
        case('Transpose', 13, [floats(*shape)], perm=perm)
    case('Transpose', 13, [random.integers(0, 200, shape).astype(np.uint8)])
case('Slice', 9, [x], axes=[1, 3], starts=[-2, 1], ends=[9, -1])
case('Slice', 9, [x], starts=[1, 0], ends=[2, 2])
for steps in ((1, 2), (-1, -3), (2, -1)):
    starts, ends = ([0 if s > 0 else -1 for s in steps], [2**62 if s > 0 else -2**63 for s in steps])
    case('Slice', 13, [x, [ints(*starts)], [ints(*ends)], [ints(2, 3)], [ints(*steps)]])
    case('Slice', 11, [(x * 50).astype(np.int8), [ints(*starts)], [ints(*ends)], [ints(-2, -1)], [ints(*steps)]])
for mode in ('constant', 'reflect', 'edge'):
    case('Pad', 10, [x], mode=mode, pads=[0, 0, 2, 1, 0, 0, 1, 3], **({'value': 1.5} if mode == 'constant' else {}))
    case('Pad', 13, [x, [ints(0, 1, 2, 1, 0, 1, 1, 3)]], mode=mode)
case('Pad', 18, [x, [ints(2, 1)], [np.array(3, np.float32)], [ints(-1)]])
case('Pad', 13, [x, [ints(0, 0, -1, 2, 0, 0, 1, -3)]])
case('Pad', 19, [x, [ints(0, 0, 2, 1, 0, 0, 1, 3)]], mode='wrap')
case('Expand', 13, [floats(3, 1), [ints(2, 1, 6)]])
case('TopK', 9, [x], 2, axis=3, k=3)
case('TopK', 10, [floats(4, 40), [ints(7)]], 2)
case('TopK', 11, [random.integers(-9, 9, (4, 40)), [ints(11)]], 2, largest=0, axis=1)
case('GatherElements', 13, [x, [random.integers(-5, 5, (2, 3, 4, 7))]], axis=2)
case('GatherND', 13, [x, [random.integers(0, 2, (2, 3, 2))]], batch_dims=1)
case('OneHot', 11, [random.integers(-4, 6, (3, 4)), [ints(5)], [np.array([-1, 2], np.float32)]], axis=1)
case('Compress', 11, [x, [np.array([1, 0, 1, 1, 0], bool)]], axis=2)
case('Compress', 11, [x, [np.array([1, 0, 1, 1, 0], bool)]])
case('NonZero', 13, [random.integers(0, 2, (3, 4, 5))])
case('ReverseSequence', 10, [floats(5, 3, 2), [ints(1, 5, 3)]], time_axis=0, batch_axis=1)
case('Trilu', 14, [floats(2, 4, 6), [np.array(-1, np.int64)]], upper=0)
case('Unique', 11, [random.integers(0, 6, 30)], 4)
case('Unique', 11, [random.integers(0, 2, (6, 3)).astype(np.float32)], 4, axis=0)
case('EyeLike', 9, [floats(4, 6)], k=-1)
case('Range', 11, [[np.array(9.5, np.float32)], [np.array(-2, np.float32)], [np.array(-0.75, np.float32)]])
case('CenterCropPad', 18, [x, [ints(4, 10)]], axes=[2, 3])
for mode in ('nearest', 'linear'):
    case('Upsample', 7, [x], mode=mode, scales=[1., 1., 2., 3.])
    case('Upsample', 9, [x, [np.array([1, 1, 2.5, 1.5], np.float32)]], mode=mode)
    case('Resize', 10, [x, [np.array([1, 1, 2, 2], np.float32)]], mode=mode)
for relu in (False, True):
    image = floats(1, 5, 6, 9)
    for coordinate in ('half_pixel', 'pytorch_half_pixel', 'align_corners', 'asymmetric'):
        for mode in ('nearest', 'linear', 'cubic'):
            for sizes in ((12, 18), (4, 13), (7, 1)):
                case('Resize', 13, [image, [np.zeros(0, np.float32)], [np.zeros(0, np.float32)], [ints(1, 20 if relu else 5, *sizes)]], relu=relu, mode=mode,
                     coordinate_transformation_mode=coordinate, nearest_mode='floor' if coordinate == 'asymmetric' else 'round_prefer_floor')
    case('Resize', 18, [image, [], [], [ints(9, 4)]], relu=relu, axes=[2, 3], mode='linear', antialias=0)
    case('Slice', 13, [image, [ints(1, 2)], [ints(5, 8)], [ints(2, 3)]], relu=relu)
    case('Split', 13, [image, [ints(16, 4) if relu else ints(2, 3)]], 2, relu=relu, axis=1)
    case('Pad', 13, [image, [ints(0, 0, 1, 2, 0, 0, 3, 0)]], relu=relu)
for parts in ((16, 32), (20, 12), (3, 16, 1)):
    for axis in (1, 2):
        shapes = [(1, n, 5, 6) if axis == 1 else (1, 20, n, 6) for n in parts]
        case('Concat', 13, [floats(*shape) for shape in shapes], relu='each', axis=axis)


# ---- numbers: awkward values, shapes that broadcast, every numeric type
awkward = np.array([0, -0.0, 1, -1, 0.5, -0.5, 1.5, -2.5, np.nan, np.inf, -np.inf, 1e-30, -1e-30, 3e38, 88, -104, 20, -20, 1e-6, 2.5], np.float32)
small = random.integers(1, 7, (3, 4))
for operator in ('Relu', 'LeakyRelu', 'ThresholdedRelu', 'Sigmoid', 'HardSigmoid', 'HardSwish', 'Tanh', 'Elu', 'Selu', 'Celu', 'Softplus', 'Softsign', 'Mish',
                 'Exp', 'Erf', 'Sqrt', 'Reciprocal', 'Abs', 'Neg', 'Sign', 'Floor', 'Ceil', 'Round', 'Log', 'Sin', 'Cos', 'Tan', 'Asin', 'Acos', 'Atan', 'Sinh',
                 'Cosh', 'Asinh', 'Acosh', 'Atanh', 'IsNaN', 'IsInf'):
    trigonometric = operator in ('Sin', 'Cos', 'Tan')
    unclear = operator in ('ThresholdedRelu', 'HardSwish', 'Softsign', 'Mish', 'Erf', 'Sqrt')  # the runtime's infinities or NaN aren't NumPy's
    case(operator, 18, [awkward[np.abs(awkward) < 1e3] if trigonometric else awkward[np.isfinite(awkward)] if unclear else awkward])
    case(operator, 18, [floats(2, 0, 3)])
    if operator not in ('IsNaN', 'IsInf', 'Acosh', 'Sin', 'Cos', 'Tan'):
        case(operator, 18, [floats(1, 5, 6, 9) * 0.6], relu=True)
case('Gelu', 20, [awkward[np.isfinite(awkward)]])
case('Gelu', 20, [floats(40) * 3 - 3], approximate='tanh')
case('IsInf', 10, [awkward], detect_negative=0)
case('LeakyRelu', 16, [awkward], alpha=-0.3)
case('Elu', 7, [awkward], alpha=2.5)
case('Celu', 12, [awkward], alpha=2.5)
case('HardSigmoid', 7, [awkward], alpha=0.4, beta=-0.1)
case('Selu', 7, [awkward], alpha=2., gamma=3.)
case('Shrink', 9, [awkward], bias=0.5, lambd=0.75)
case('Shrink', 9, [(small - 3).astype(np.int8)], bias=1., lambd=1.5)
for operator in ('Add', 'Sub', 'Mul', 'Div', 'Min', 'Max', 'Pow', 'PRelu', 'Less', 'GreaterOrEqual', 'Equal'):
    old = 11 if operator == 'PRelu' else 13
    known = awkward[np.isfinite(awkward)] if operator in ('PRelu', 'Min', 'Max') else awkward  # NaN goes through Min and Max here, as in NumPy
    case(operator, old, [np.stack([known] * len(known)) if operator == 'PRelu' else known[:, None], known])
    case(operator, old, [floats(2, 3, 4, 5), floats(3, 1, 1)])
    if operator not in ('Less', 'GreaterOrEqual', 'Equal'):
        for other in ((1, 20, 1, 1), (1, 20, 6, 9), (20, 1, 1), (1, 1, 1, 1), (6, 9), (9,), ()):
            case(operator, old, [floats(1, 5, 6, 9), floats(*other)], relu=True)
            case(operator, old, [floats(1, 5, 6, 9), [floats(*other)]], relu=True)
    if operator == 'PRelu':
        continue
    case(operator, old, [floats(0, 4), floats(1, 4)])
    for kind in (np.int32, np.int64, np.float64):
        case(operator, old, [small.astype(kind), small[:1].astype(kind)])
        case(operator, old, [small.astype(kind), small[0, 0].astype(kind)])
        if kind != np.float64 and operator != 'Pow':  # which wraps here, as in NumPy
            case(operator, old, [np.array([np.iinfo(kind).max, np.iinfo(kind).min + 1, -7, 7], kind), np.array([2, 3, 2, 3], kind)])
case('Mod', 13, [np.array([-7, 7, -7, 7, 5], np.int32), np.array([3, -3, -3, 3, 5], np.int32)])
case('Mod', 13, [np.array([-7, 7, -7, 7, 5.5], np.float32), np.array([3, -3, -3, 3, 2], np.float32)], fmod=1)
case('Mod', 13, [np.array([-7, 7, -7, 7, 5], np.int64), np.array([3, -3, -3, 3, 5], np.int64)], fmod=1)
case('Pow', 13, [small.astype(np.int32), np.float32(0.5).reshape(1)])
case('Pow', 13, [floats(3, 4), small[0]])
for operator in ('Sum', 'Mean', 'Min', 'Max'):
    case(operator, 13, [floats(3, 1), floats(4), floats(2, 1, 1)])
    case(operator, 13, [floats(3, 1)])
case('BitShift', 11, [np.array([255, 1, 16, 3], np.uint8), np.array([1, 7, 3, 0], np.uint8)], direction='LEFT')
case('BitShift', 11, [np.array([2**63, 1, 16, 3], np.uint64), np.array([1, 7, 3, 0], np.uint64)], direction='RIGHT')
case('Clip', 7, [awkward], min=-1., max=1.5)
case('Clip', 7, [floats(1, 5, 6, 9)], relu=True, min=1.1)
case('Clip', 13, [awkward[np.isfinite(awkward)], [], np.array(2, np.float32)])
case('Clip', 13, [small, np.array(2), np.array(4)])
case('Clip', 13, [small.astype(np.int8), np.array(2, np.int8)])

# ---- reductions
for operator in ('Sum', 'Mean', 'Max', 'Min', 'Prod', 'L1', 'L2', 'LogSum', 'LogSumExp', 'SumSquare'):
    for axes in ([1], [0, -1], [2, 3], [0, 1, 2, 3], [1, 2], [3], [0, 2]):
        case(f'Reduce{operator}', 18, [x, [ints(*axes)]])
        case(f'Reduce{operator}', 11, [x], axes=axes, keepdims=0)
    case(f'Reduce{operator}', 18, [x], keepdims=0)
    case(f'Reduce{operator}', 18, [floats(1, 5, 6, 9), [ints(2, 3)]], relu=True)
    if not operator.startswith('Log') and operator != 'L2':
        case(f'Reduce{operator}', 18, [small.astype(np.int32), [ints(0)]])
    case(f'Reduce{operator}', 13 if operator == 'Sum' else 11, [floats(37, 300)], **({} if operator == 'Sum' else {'axes': [1]}))
for operator in ('ArgMax', 'ArgMin'):
    for last in (0, 1):
        case(operator, 13, [random.integers(0, 4, (3, 9, 2)).astype(np.float32)], axis=-2, select_last_index=last, keepdims=last)
for flags in (0, 1, 2, 3):
    case('CumSum', 14, [x, [np.array(-3, np.int64)]], exclusive=flags & 1, reverse=flags >> 1)
    case('CumSum', 14, [small, [np.array(1, np.int32)]], exclusive=flags & 1, reverse=flags >> 1)

# ---- matrices
for a, b in (((3, 5), (5, 7)), ((5,), (5,)), ((5,), (2, 5, 7)), ((2, 3, 5), (5,)), ((4, 1, 3, 5), (2, 5, 33)), ((2, 3, 5), (5, 17)), ((1, 300), (300, 40)),
             ((2, 3, 70, 40), (2, 3, 40, 50)), ((0, 5), (5, 7)), ((3, 0), (0, 7)), ((65, 130), (130, 67))):
    case('MatMul', 13, [floats(*a), floats(*b)])
    case('MatMul', 13, [floats(*a), [floats(*b)]])
    case('MatMul', 13, [floats(*a).astype(np.float64), floats(*b).astype(np.float64)])
case('MatMul', 13, [small, small.T])
case('MatMul', 13, [small.astype(np.int32), small.T.astype(np.int32)])
for ta in (0, 1):
    for tb in (0, 1):
        for c in ((19,), (6, 1), (6, 19), (1, 1), ()):
            a, b = floats(*((9, 6) if ta else (6, 9))), floats(*((19, 9) if tb else (9, 19)))
            case('Gemm', 13, [a, b, floats(*c)], transA=ta, transB=tb, alpha=0.5, beta=2.)
            case('Gemm', 13, [a, [b], [floats(*c)]], transA=ta, transB=tb, beta=0.25)
        case('Gemm', 13, [a.astype(np.float64), b.astype(np.float64)], transA=ta, transB=tb)
for equation, shapes in (('ij,jk->ik', ((3, 4), (4, 5))), ('bij,bjk->bik', ((2, 3, 4), (2, 4, 5))), ('ij->ji', ((3, 4),)), ('ii->i', ((4, 4),)),
                         ('ii', ((4, 4),)),
                         ('...ij,...jk->...ik', ((2, 1, 3, 4), (2, 3, 4, 5))), ('...ij->...', ((2, 1, 3, 4),)), ('zb,ab', ((3, 4), (5, 4))),
                         ('bhwc,hkc->bhwk', ((2, 3, 4, 5), (3, 6, 5))), ('i,j', ((3,), (4,))),
                         ('ij,ij,ij->', ((3, 4),) * 3), (' b i , b i -> b ', ((3, 4),) * 2), ('ijk->j', ((3, 4, 2),)),
                         ('bnqd,bnkd->bnqk', ((1, 2, 30, 16), (1, 2, 20, 16)))):
    case('Einsum', 12, [floats(*shape) for shape in shapes], equation=equation)

# ---- softmax and norms
for operator in ('Softmax', 'LogSoftmax', 'Hardmax'):
    for axis in (0, 1, -1, 2):
        case(operator, 11, [x], axis=axis)
        case(operator, 13, [x], axis=axis)
    case(operator, 13, [np.array([[-np.inf, 0, 88], [1000, 1001, -1000]], np.float32)])
case('BatchNormalization', 15, [x, [floats(3)], [floats(3)], [floats(3)], [floats(3)]], epsilon=0.1)
case('BatchNormalization', 9, [x, floats(3), floats(3), floats(3), floats(3)])
case('BatchNormalization', 15, [floats(1, 5, 6, 9)] + [[floats(20)] for _ in range(4)], relu=True)
case('BatchNormalization', 15, [floats(4, 3)] + [[floats(3)] for _ in range(4)])
case('InstanceNormalization', 7, [x, floats(3), floats(3)])
case('InstanceNormalization', 7, [floats(2, 3, 11), [floats(3)], [floats(3)]], epsilon=0.01)
for axis in (-1, 1, 2):
    case('LayerNormalization', 17, [x, floats(*x.shape[axis:]), floats(*x.shape[axis:]) + 9], 3, axis=axis)
case('LayerNormalization', 17, [x, [floats(7)]])
case('LpNormalization', 7, [x], axis=1, p=1)
case('LpNormalization', 7, [x], axis=-2, p=2)
case('LRN', 13, [floats(1, 8, 4, 4)], size=3, alpha=0.5, beta=0.6, bias=2.)
case('LRN', 13, [floats(1, 8, 4, 4)], size=5, alpha=0.5)
case('MeanVarianceNormalization', 13, [x])
case('Det', 11, [floats(2, 3, 4, 4)])
case('Det', 11, [np.array([[0, 2], [3, 4]], np.float32)])

# ---- casts
numbers = np.array([0, 1, -1, 2.7, -2.7, 100.5, 126.99, 65504, 1e-8, 0.1], np.float32)
for kind in (1, 6, 7, 9, 11):
    case('Cast', 13, [numbers], to=kind)
    case('Cast', 13, [numbers.astype(np.float64)], to=kind)
for kind in (1, 2, 3, 4, 5, 6, 7, 9, 11, 12, 13):
    for source in (np.int8, np.uint8, np.int32, np.int64, bool):
        case('Cast', 13, [np.array([0, 1, 100, 127], source)], to=kind)

# Scattering: places that come twice, negative ones, int32 indices, old opsets; whole rows.
for opset in (11, 13, 16, 18):
    joins = ['none'] + (['add', 'mul'] if opset >= 16 else []) + (['max', 'min'] if opset >= 18 else [])
    for join in joins:
        more = {} if join == 'none' else {'reduction': join}
        for axis in (0, -1):
            where = np.stack([random.permutation(4)[:2] for _ in range(6)]).T.reshape(2, 6) if axis == 0 else np.stack([random.permutation(6)[:3] for _ in range(4)])
            case('ScatterElements', opset, [floats(4, 6), where.astype(np.int64), floats(*where.shape)], axis=axis, **more)
        case('ScatterND', opset, [floats(4, 5, 6), ints([0], [2], [-1]), floats(3, 5, 6)], **more)
        case('ScatterND', opset, [floats(4, 5, 6), ints([[0, 1], [3, -2]]), floats(1, 2, 6)], **more)
        case('ScatterND', opset, [random.integers(-9, 9, (4, 5)), ints([0, 1], [3, 2]), random.integers(-9, 9, (2,))], **more)
case('Scatter', 9, [floats(3, 3), ints([1, 0, 2], [0, 2, 1]), floats(2, 3)], axis=0)
case('ScatterElements', 18, [floats(3, 3), np.array([[1, 1, 2]], np.int32), floats(1, 3)], axis=1, reduction='add')
case('ScatterElements', 13, [random.integers(0, 9, (3, 4)).astype(np.uint8), ints([1, -1]), random.integers(0, 9, (1, 2)).astype(np.uint8)], axis=1)

# Sampling: places inside, on the border and far beyond it.
for mode in ('bilinear', 'nearest', 'bicubic'):
    for padding in ('zeros', 'border', 'reflection'):
        for corners in (0, 1):
            # nearest: nowhere near a half, where a rounding decides
            grid = random.uniform(-1.8, 1.8, (2, 9, 7, 2)) if mode != 'nearest' else (np.round(random.uniform(-1.8, 1.8, (2, 9, 7, 2)) * 40) + 0.3) / 40
            case('GridSample', 16, [floats(2, 3, 6, 5), grid.astype(np.float32)], mode=mode, padding_mode=padding, align_corners=corners)
case('GridSample', 20, [floats(1, 2, 3, 6, 5), random.uniform(-1.2, 1.2, (1, 4, 2, 3, 3)).astype(np.float32)], mode='linear')
case('GridSample', 16, [floats(1, 20, 9, 9), random.uniform(-1, 1, (1, 40, 30, 2)).astype(np.float32)])
case('GridSample', 16, [floats(1, 1, 1, 1), random.uniform(-3, 3, (1, 4, 4, 2)).astype(np.float32)], align_corners=1, padding_mode='reflection')


def loop_body(opset, condition, lists=True):
    """Carried: a running sum of rows. Lists: the sum so far, and the round. The condition comes from the round, or is handed on."""
    nodes = [helper.make_node('Gather', ['table', 'round'], ['row']), helper.make_node('Add', ['sum', 'row'], ['sum_out']),
             helper.make_node('Identity', ['sum_out'], ['sums']), helper.make_node('Cast', ['round'], ['rounds'], to=TensorProto.FLOAT)]
    if condition == 'round':
        nodes += [helper.make_node('Constant', [], ['three'], value=numpy_helper.from_array(ints(3).reshape(()))), helper.make_node('Less', ['round', 'three'], ['go_out'])]
    else:
        nodes += [helper.make_node('Identity', ['go'], ['go_out'])]
    nodes += [helper.make_node('Constant', [], ['table'], value=numpy_helper.from_array(floats(9, 4)))]
    nodes = nodes[-1:] + nodes[:-1]
    outputs = [helper.make_tensor_value_info('go_out', TensorProto.BOOL, []), helper.make_tensor_value_info('sum_out', TensorProto.FLOAT, [4])]
    if lists:
        outputs += [helper.make_tensor_value_info('sums', TensorProto.FLOAT, [4]), helper.make_tensor_value_info('rounds', TensorProto.FLOAT, [])]
    return helper.make_graph(nodes, 'body', [helper.make_tensor_value_info('round', TensorProto.INT64, []), helper.make_tensor_value_info('go', TensorProto.BOOL, []),
                                             helper.make_tensor_value_info('sum', TensorProto.FLOAT, [4])], outputs)


# Loops whose rounds are known: counted, ended by their condition, none at all.
yes, no, five = np.array(True), np.array(False), np.array(5, np.int64)
for opset in (11, 13, 17):
    case('Loop', opset, [[five], [yes], floats(4)], 3, body=loop_body(opset, 'handed on'))
    case('Loop', opset, [[five], [yes], floats(4)], 3, body=loop_body(opset, 'round'))
    case('Loop', opset, [[five], [no], floats(4)], 1, body=loop_body(opset, 'handed on', False))
    case('Loop', opset, [[np.array(1, np.int64)], [yes], floats(4)], 3, body=loop_body(opset, 'handed on'))


def bytes_of(kind, *shape):
    return random.integers(np.iinfo(kind).min, np.iinfo(kind).max + 1, shape).astype(kind)


def weights_of(kind, image, *shape):
    """Beside uint8, ONNX Runtime adds pairs of products in 16 bits on AVX2 and saturates: only 7-bit weights give exact sums there."""
    return bytes_of(kind, *shape) // (2 if image == np.uint8 and kind == np.int8 else 1)


# Integers: types, zero points and scales for all and for each channel, weights that are constants and that aren't.
def scale(*values):
    return [np.array(values if len(values) > 1 else values[0], np.float32)]


numbers = random.uniform(-9, 9, (2, 3, 5, 7)).astype(np.float32)
for kind in (np.uint8, np.int8):
    zero, zeros = [np.array(3, kind)], [np.array([1, 0, 7], kind)]
    case('QuantizeLinear', 13, [numbers, scale(0.05), zero])
    case('QuantizeLinear', 13, [numbers, scale(0.05, 0.01, 0.2), zeros], axis=1)
    case('DequantizeLinear', 13, [bytes_of(kind, 2, 3, 5, 7), scale(0.05), zero])
    case('DequantizeLinear', 13, [bytes_of(kind, 2, 3, 5, 7), scale(0.05, 0.01, 0.2), zeros], axis=-3)
    for dims, attributes in (((2, 6, 9, 11), {}), ((1, 6, 9, 11), {'strides': [2, 2], 'pads': [1, 1, 1, 1]}), ((1, 6, 9, 11), {'group': 3, 'pads': [0, 1, 2, 0]}),
                             ((1, 6, 9, 11), {'dilations': [2, 3]})):
        image, weights = bytes_of(kind, *dims), weights_of(np.int8, kind, 9, 6 // attributes.get('group', 1), 3, 3)
        case('QLinearConv', 13, [image, scale(0.02), zero, [weights], scale(0.004), [np.array(0, np.int8)], scale(0.3), zero,
                                 [random.integers(-9999, 9999, 9).astype(np.int32)]], **attributes)
        case('QLinearConv', 13, [image, scale(0.02), zero, [weights], scale(*random.uniform(0.001, 0.01, 9)), [np.zeros(9, np.int8)], scale(0.3), zero],
             **attributes)
    case('QLinearMatMul', 13, [bytes_of(kind, 2, 5, 40), scale(0.02), zero, [bytes_of(kind, 40, 7)], scale(0.01), [np.array(5, kind)], scale(0.3), zero])
for image, weights in ((np.uint8, np.uint8), (np.uint8, np.int8)):
    if weights == np.uint8:  # ONNX Runtime's ConvInteger has no other
        case('ConvInteger', 10, [bytes_of(image, 1, 4, 9, 9), bytes_of(weights, 5, 4, 3, 3), [np.array(9, image)], [np.array(0, weights)]], pads=[1, 1, 1, 1])
    case('MatMulInteger', 10, [bytes_of(image, 3, 5, 40), weights_of(weights, image, 40, 7), [np.array(9, image)], [np.array(4, weights)]])
case('DynamicQuantizeLinear', 11, [numbers], 3)
case('DynamicQuantizeLinear', 11, [np.zeros((3, 4), np.float32)], 3)
# ONNX's own numbers, whose last sum lies far below -128.
case('QLinearMatMul', 21, [np.array([[81, 109, -127, 111], [-124, 87, -128, -98]], np.int8), scale(0.0066), [np.array(-14, np.int8)],
                           [np.array([[25, -76, 117], [-67, -101, -128], [-127, 0, 119], [0, 127, 120]], np.int8)], scale(0.00705),
                           [np.array(-13, np.int8)], scale(0.0107), [np.array(-9, np.int8)]])


def make_model(operator, opset, inputs, n_outputs, relu, attributes):
    values, initializers, names, nodes, feeds = [], [], [], [], {}
    for i, given in enumerate(inputs):
        name = f'in{i}'
        if isinstance(given, list):
            if given:
                initializers.append(numpy_helper.from_array(np.asarray(given[0]), name))
            names.append(name if given else '')
            continue
        feeds[name] = given
        values.append(helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(given.dtype), given.shape))
        if relu == 'each' or (relu and i == 0):  # a convolution before, which makes blocks
            out = given.shape[1] if relu == 'each' else 20
            initializers.append(numpy_helper.from_array(floats(out, given.shape[1], 3, 3), f'weights{i}'))
            nodes.append(helper.make_node('Conv', [name, f'weights{i}'], [f'conv{i}'], kernel_shape=[3, 3], pads=[1, 1, 1, 1]))
            name = f'conv{i}'
        names.append(name)
    outputs = [f'out{i}' for i in range(n_outputs)]
    nodes.append(helper.make_node(operator, names, outputs, **attributes))
    if relu:
        nodes.append(helper.make_node('Relu', ['out0'], ['relu']))
        outputs[0] = 'relu'
    graph = helper.make_graph(nodes, operator, values, [helper.make_empty_tensor_value_info(name) for name in outputs], initializers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid('', opset)], ir_version=8)
    return model, feeds


def write_tensor(path, array, name):
    with open(path, 'wb') as file:
        file.write(numpy_helper.from_array(np.asarray(array), name).SerializeToString())


with tempfile.TemporaryDirectory() as top:
    folders = []
    for i, one in enumerate(CASES):
        folder = f'{top}/{i:04}_{one[0]}_{one[1]}'
        os.makedirs(f'{folder}/test_data_set_0')
        model, feeds = make_model(*one)
        onnx.save(model, f'{folder}/model.onnx')
        np.savez(f'{folder}/feeds.npz', **feeds)
        for k, (name, array) in enumerate(feeds.items()):
            write_tensor(f'{folder}/test_data_set_0/input_{k}.pb', array, name)
        folders.append(folder)
    run = subprocess.run([sys.executable, '-c', RUNNER], input='\n'.join(folders), text=True, stderr=subprocess.PIPE)
    if run.returncode:
        sys.exit(run.stderr[-2000:])
    for folder in folders:
        answers = np.load(f'{folder}/answers.npz')
        for k, name in enumerate(answers.files):
            write_tensor(f'{folder}/test_data_set_0/output_{k}.pb', answers[name], f'out{k}')
        os.remove(f'{folder}/feeds.npz')
    for passes in ('', '-all'):
        answer = subprocess.run([sys.argv[1], 'conformance', top, '--json'], env=os.environ | {'FOVEA_PASSES': passes}, stdout=subprocess.PIPE)
        found = json.loads(answer.stdout)
        for bad in found['failed'] + found['unsupported']:
            print(bad, CASES[int(bad['case'][:4])][5])
        print(f'passes "{passes}": {len(found["passed"])} of {len(CASES)} agree with ONNX Runtime')
        assert len(found['passed']) == len(CASES)
