# SPDX-License-Identifier: GPL-3.0-or-later
#
# onnx_roundtrip.py SAVE-TOOL: models that are read and written by the engine pass ONNX's own checker, and ONNX Runtime gives the same answers, bit
# for bit, for the copy as for the original: the reference models, models with external data and with functions, and the ONNX project's cases.
import glob
import os
import subprocess
import sys
import tempfile

try:
    import numpy as np
    import onnx
    from onnx import TensorProto, helper, numpy_helper
except ImportError as error:
    print(f'skipped: {error}')
    sys.exit(77)

from reduced import is_brief

# onnx and onnxruntime register the same schemas and shout about it when they share a process.
RUNNER = '''
import os, sys, numpy as np, onnxruntime
options = onnxruntime.SessionOptions()
options.log_severity_level = 4
options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL  # it treats weights and overridable inputs differently
types = {'tensor(float)': np.float32, 'tensor(double)': np.float64, 'tensor(float16)': np.float16, 'tensor(int64)': np.int64,
         'tensor(int32)': np.int32, 'tensor(bool)': np.bool_, 'tensor(uint8)': np.uint8, 'tensor(int8)': np.int8}
for pair in sys.stdin.read().splitlines():
    answers = []
    for path in pair.split('\\t'):
        try:
            session = onnxruntime.InferenceSession(path, options, providers=['CPUExecutionProvider'])
            generator = np.random.default_rng(1)
            feeds = {i.name: generator.random([d if isinstance(d, int) else 1 for d in i.shape]).astype(types[i.type])
                     for i in session.get_inputs()}
            if os.path.exists(pair.split('\\t')[1] + '.npz'):
                given = np.load(pair.split('\\t')[1] + '.npz')
                feeds = {name: given[str(i)] for i, name in enumerate(feeds)}
            answers.append([(o.name, a) for o, a in zip(session.get_outputs(), session.run(None, feeds))])
        except Exception as error:
            answers.append(str(error).splitlines()[0])
    a, b = answers
    if isinstance(a, str):
        print('unusable')
    elif isinstance(b, str):
        print('differs: ' + b)
    else:
        same = len(a) == len(b) and all(m == n and np.array_equal(x, y, equal_nan=x.dtype.kind == 'f') for (m, x), (n, y) in zip(a, b))
        print('same' if same else 'differs')
'''


def keep_inputs(path, copy):
    """An ONNX case brings its own inputs: some operators do not like just any."""
    files = sorted(glob.glob(os.path.join(os.path.dirname(path), 'test_data_set_0', 'input_*.pb')))
    tensors = {}
    for i, name in enumerate(files):
        with open(name, 'rb') as file:
            tensors[str(i)] = numpy_helper.to_array(onnx.load_tensor_from_string(file.read()))
    if tensors:
        np.savez(copy + '.npz', **tensors)


def make_external(folder):
    weights = np.arange(6, dtype=np.float32).reshape(2, 3)
    graph = helper.make_graph([helper.make_node('MatMul', ['x', 'w'], ['y'])], 'g',
                              [helper.make_tensor_value_info('x', TensorProto.FLOAT, [1, 2])],
                              [helper.make_tensor_value_info('y', TensorProto.FLOAT, [1, 3])], [numpy_helper.from_array(weights, 'w')])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid('', 17)], ir_version=8)
    path = os.path.join(folder, 'external.onnx')
    onnx.save(model, path, save_as_external_data=True, location='external.bin', size_threshold=0)
    return path


def make_functions(folder):
    opsets = [helper.make_opsetid('', 17), helper.make_opsetid('mine', 1)]
    leaky = helper.make_node('LeakyRelu', ['p'], ['q'])
    leaky.attribute.add(name='alpha', ref_attr_name='slope', type=onnx.AttributeProto.FLOAT)
    function = helper.make_function('mine', 'Slope', ['p'], ['q'], [leaky], opsets, ['slope'])
    nodes = [helper.make_node('Slope', ['x'], ['h'], domain='mine', slope=0.5), helper.make_node('Slope', ['h'], ['y'], domain='mine', slope=3.0)]
    graph = helper.make_graph(nodes, 'g', [helper.make_tensor_value_info('x', TensorProto.FLOAT, [4])],
                              [helper.make_tensor_value_info('y', TensorProto.FLOAT, [4])])
    path = os.path.join(folder, 'functions.onnx')
    onnx.save(helper.make_model(graph, opset_imports=opsets, functions=[function], ir_version=8), path)
    return path


def main():
    tool = sys.argv[1]
    reference = os.environ.get('FOVEA_REFERENCE_DIR', '')
    folder = tempfile.mkdtemp(prefix='fovea-')
    models = [make_external(folder), make_functions(folder)]
    models += sorted(glob.glob(os.path.join(reference, 'models', '*.onnx')))
    cases = glob.glob('/usr/**/onnx/backend/test/data/node/*/model.onnx', recursive=True)
    models += sorted(cases)[::12 if is_brief(tool) else 4]
    pairs, failures, unsupported = [], [], 0
    for i, path in enumerate(models):
        copy = os.path.join(folder, f'copy_{i}.onnx')
        run = subprocess.run([tool, path, copy], capture_output=True, text=True)
        if run.returncode == 3 and path in cases:
            unsupported += 1
            continue
        if run.returncode != 0:
            failures.append(f'{path}: {run.stderr.strip()}')
            continue
        try:
            onnx.checker.check_model(copy)
        except onnx.checker.ValidationError as error:
            failures.append(f'{path}: {error}')
            continue
        keep_inputs(path, copy)
        pairs.append((path, copy))
    with tempfile.TemporaryFile('w+') as noise:
        run = subprocess.run([sys.executable, '-c', RUNNER], input=''.join(f'{a}\t{b}\n' for a, b in pairs), capture_output=False,
                             stdout=subprocess.PIPE, stderr=noise, text=True)
    words = run.stdout.splitlines()
    if run.returncode != 0 or len(words) != len(pairs):
        failures.append(f'ONNX Runtime ended with {run.returncode} after {len(words)} models')
    failures += [f'{a}: {word}' for (a, _), word in zip(pairs, words) if word.startswith('differs')]
    print(f'{words.count("same")} the same, {words.count("unusable")} that ONNX Runtime itself does not take, {unsupported} unsupported here, '
          f'{len(failures)} failed')
    print('\n'.join(failures))
    own = [word for (a, _), word in zip(pairs, words) if a not in cases]
    if any(word != 'same' for word in own):
        print('one of the project\'s own models is not among the same')
        failures.append('')
    for name in os.listdir(folder):
        os.unlink(os.path.join(folder, name))
    os.rmdir(folder)
    sys.exit(1 if failures else 0)


main()
