# SPDX-License-Identifier: GPL-3.0-or-later
#
# conformance.py FOVEA: the ONNX project's own cases, as Debian's libonnx-testdata has them: none fails, most pass, and the share is printed.
import collections
import json
import os
import subprocess
import sys

CASES = '/usr/share/libonnx-testdata/data'
ENOUGH = 990

if not os.path.isdir(CASES):
    print(f'{CASES} is missing (package libonnx-testdata): skipped')
    sys.exit(77)

for environment in ({}, {'FOVEA_PASSES': '-all'}, {'FOVEA_ISA': 'reference'}):
    answer = subprocess.run([sys.argv[1], 'conformance', CASES, '--json'], env=os.environ | environment, stdout=subprocess.PIPE)
    cases = json.loads(answer.stdout)
    assert list(cases) == ['passed', 'failed', 'unsupported'], list(cases)
    passed, failed, unsupported = (len(cases[key]) for key in cases)
    words = ' '.join(f'{key}={value}' for key, value in environment.items()) or 'as it is'
    print(f'{words}: {passed} of {passed + failed + unsupported} cases pass ({100 * passed / (passed + failed + unsupported):.1f} %), {failed} fail')
    for case in cases['failed']:
        print(f'  {case["case"]}: {case["reason"]}')
    assert answer.returncode == (1 if failed else 0), answer.returncode
    assert failed == 0 and passed >= ENOUGH
    missing = collections.Counter(case['operator'] for case in cases['unsupported'])

print('unsupported: ' + ', '.join(f'{operator} {n}' for operator, n in missing.most_common()))
