# SPDX-License-Identifier: GPL-3.0-or-later
"""What one would write without Fovea: photos of a folder through a tagger, whose answer is a sigmoid, with ONNX Runtime and Pillow.

    batch_peer.py MODEL.onnx FOLDER THREADS

Photos are decoded and stretched by as many threads as ONNX Runtime is given; prints one JSON object, as `fovea classify --json` does."""

import concurrent.futures
import json
import pathlib
import sys

import numpy
import onnxruntime
from PIL import Image, ImageOps


def main():
    model, folder, n_threads = sys.argv[1], pathlib.Path(sys.argv[2]), int(sys.argv[3])
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    meta = session.get_modelmeta().custom_metadata_map
    names, settings = json.loads(meta["names"]), json.loads(meta["fovea"])["input"]
    size = settings["size"] if isinstance(settings["size"], list) else [settings["size"]] * 2
    mean, std = (numpy.broadcast_to(numpy.float32(settings[key]), 3) for key in ("mean", "std"))
    given = session.get_inputs()[0].name

    def look(path):
        photo = ImageOps.exif_transpose(Image.open(path)).convert("RGB").resize(size, Image.Resampling.BILINEAR)
        values = numpy.asarray(photo, numpy.float32) * numpy.float32(settings["range"] / 255)
        scores = session.run(None, {given: ((values - mean) / std).transpose(2, 0, 1)[None]})[0].reshape(-1)
        scores = 1 / (1 + numpy.exp(-scores))
        best = numpy.argsort(-scores)[:5]
        return {"file": str(path), "classes": [{"label": names[str(i)], "score": float(scores[i])} for i in best]}

    with concurrent.futures.ThreadPoolExecutor(n_threads) as pool:
        json.dump({"images": list(pool.map(look, sorted(path for path in folder.rglob("*") if path.is_file())))}, sys.stdout)


if __name__ == "__main__":
    main()
