#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""plug-in-fovea-import-model in real GIMP: a model comes in with the settings given and is used by name at once, one in two files with both; wrong words are errors.
And plug-in-fovea-about, which looks at them all, says what the command's self-test says.

    import_batch.py BUILD/plugin/fovea COMMAND
"""

import json
import pathlib
import re
import subprocess
import sys

from isolated_gimp import IsolatedGimp, reference

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

import tiny_model  # noqa: E402


def check_report(gimp):
    """The same report from GIMP and from the command, GIMP's version and those of its libraries among it."""
    status, output = gimp.batch('(display (string-append "\\nREPORT\\n" (cadr (plug-in-fovea-about #:run-mode RUN-NONINTERACTIVE)) "END\\n"))')
    told = subprocess.run([sys.argv[2], 'self-test'], env=gimp.environment, capture_output=True, text=True, check=False)
    report, command = (re.sub(r', [\d.]+\s.iB free', '', text) for text in (re.search('REPORT\n(.*)END\n', output, re.DOTALL)[1], told.stdout))
    assert status == 0 and report == command, f'GIMP:\n{report}\nthe command:\n{command}'
    lines = dict(line.split(None, 1) for line in report.splitlines()[:5])
    assert list(lines) == ['GIMP', 'GEGL', 'babl', 'GTK', 'Fovea'] and all(re.fullmatch(r'\d+\.\d+\.\d+', version) for version in lines.values()), lines
    assert '\nmodel      street: ' in report and 'everything is right' in report, report
    print(f'ok GIMP and the command report the same, GIMP {lines["GIMP"]}, GEGL {lines["GEGL"]}, GTK {lines["GTK"]}')


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
        check_report(gimp)
        status, output = gimp.batch(f'(plug-in-fovea-import-model #:file "{model}" #:colour "red")')
        assert status == 70 and 'rgb, bgr' in output, output[-3000:]
    print('ok imported, chosen by default, and used; a wrong word is refused')
    return 0


if __name__ == '__main__':
    sys.exit(main())
