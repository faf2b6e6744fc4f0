# SPDX-License-Identifier: GPL-3.0-or-later
#
# corpus.py FOLDER: fills FOLDER with seeds for the fuzz targets: the small models among the ONNX project's cases (Debian: libonnx-testdata).
import glob
import hashlib
import os
import sys

LARGEST = 4096  # bytes

folder = sys.argv[1]
os.makedirs(folder, exist_ok=True)
n = 0
for path in sorted(glob.glob('/usr/**/onnx/backend/test/data/*/*/model.onnx', recursive=True)):
    with open(path, 'rb') as file:
        data = file.read(LARGEST + 1)
    if len(data) <= LARGEST:
        with open(os.path.join(folder, hashlib.sha256(data).hexdigest()[:16]), 'wb') as file:
            file.write(data)
        n += 1
print(f'{n} seeds in {folder}')
