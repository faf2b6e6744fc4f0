#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""plug-in-fovea-import-model in real GIMP: a model comes in with the settings given and is used by name at once, one in two files with both; wrong words are errors.

    import_batch.py BUILD/plugin/fovea
"""

import json
import pathlib
import sys

from isolated_gimp import IsolatedGimp, reference

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

import tiny_model  # noqa: E402


def main():
    model = reference() / 'models/yolox_nano.onnx'
    photo = reference() / 'data/large/coco-000000577932.jpg'
    with IsolatedGimp(sys.argv[1]) as gimp:
        for name, content in zip(('tiny.encoder.onnx', 'tiny.decoder.onnx'), tiny_model.pair()):
            (gimp.folder / name).write_bytes(content)
        status, output = gimp.batch(f'''
(define name (plug-in-fovea-import-model #:file "{model}" #:name "street" #:threshold 0.4 #:default #t))
(display (string-append "\\nNAME " name "\\n"))
(let ((image (gimp-file-load RUN-NONINTERACTIVE "{photo}")))
  (display (string-append "\\nJSON " (list-ref (plug-in-fovea-locate #:image image #:drawables (gimp-image-get-layers image) #:output "none") 3) "\\n"))
  (plug-in-fovea-import-model #:file "{gimp.folder}/tiny.encoder.onnx" #:name "pair")
  (gimp-image-select-rectangle image CHANNEL-OP-REPLACE 100 100 200 200)
  (display (string-append "\\nPAIR " (list-ref (plug-in-fovea-segment #:image image #:drawables (gimp-image-get-layers image) #:model "pair" #:prompt "selection"
                                                                    #:output "layers") 2) "\\n")))''')
        assert status == 0 and '\nNAME street\n' in output, output[-3000:]
        answer = json.loads(next(line for line in output.splitlines() if line.startswith('JSON '))[5:])
        assert answer['model'] == 'street' and answer['objects'], answer
        masks = json.loads(next(line for line in output.splitlines() if line.startswith('PAIR '))[5:])['masks']
        assert len(masks) == 1 and 0.01 < masks[0]['area'] < 0.3 and (gimp.folder / 'home/.local/share/fovea/models/pair.partner').is_file(), masks
        stored = json.loads((gimp.folder / 'home/.local/share/fovea/models/street.json').read_text())
        assert stored['fovea']['output']['family'] == 'yolox' and stored['fovea']['output']['threshold'] == 0.4
        status, output = gimp.batch(f'(plug-in-fovea-import-model #:file "{model}" #:colour "red")')
        assert status == 70 and 'rgb, bgr' in output, output[-3000:]
    print('ok imported, chosen by default, and used; a wrong word is refused')
    return 0


if __name__ == '__main__':
    sys.exit(main())
