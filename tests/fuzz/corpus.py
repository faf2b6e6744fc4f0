# SPDX-License-Identifier: GPL-3.0-or-later
#
# corpus.py FOLDER: fills FOLDER with seeds for the fuzz targets: the small models among the ONNX project's cases (Debian: libonnx-testdata,
# python3-onnx). Small integer inputs (shapes, axes, pads, indices) become weights with the case's own values, as exporters write them.
import glob
import hashlib
import os
import sys

import onnx

LARGEST = 4096  # bytes
INTEGERS = (onnx.TensorProto.INT64, onnx.TensorProto.INT32)


def with_constants(model, folder):
    for i, port in enumerate(model.graph.input):
        path = os.path.join(folder, 'test_data_set_0', f'input_{i}.pb')
        if port.type.tensor_type.elem_type in INTEGERS and os.path.exists(path) and os.path.getsize(path) < 600:
            with open(path, 'rb') as file:
                tensor = onnx.load_tensor_from_string(file.read())
            tensor.name = port.name
            model.graph.initializer.append(tensor)
    return model.SerializeToString()


def main():
    folder = sys.argv[1]
    os.makedirs(folder, exist_ok=True)
    seeds = set()
    for path in sorted(glob.glob('/usr/lib/python3/dist-packages/onnx/backend/test/data/*/*/model.onnx')
                       + glob.glob('/usr/include/onnx/backend/test/data/*/*/model.onnx')):
        if os.path.getsize(path) > LARGEST:
            continue
        with open(path, 'rb') as file:
            seeds.add(file.read())
        seeds.add(with_constants(onnx.load(path), os.path.dirname(path)))
    for data in seeds:
        with open(os.path.join(folder, hashlib.sha256(data).hexdigest()[:16]), 'wb') as file:
            file.write(data)
    print(f'{len(seeds)} seeds in {folder}')


main()
