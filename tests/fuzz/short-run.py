# SPDX-License-Identifier: GPL-3.0-or-later
#
# short-run.py TARGET: a short fuzz run from a fresh corpus, as a test.
import os
import subprocess
import sys
import tempfile

target = sys.argv[1]
# An absurd request is an error of ours, not of the sanitizer's.
os.environ['ASAN_OPTIONS'] = os.environ.get('ASAN_OPTIONS', '') + ':allocator_may_return_null=1'
# In reduced form a given number of inputs from a given seed: the same on every machine. With FOVEA_TEST_ALL five minutes of whatever comes; slow
# inputs are large networks then, which are no fault (libFuzzer exits with 70).
LIMITS = ['-max_total_time=300', '-fork=1', '-ignore_timeouts=1'] if os.environ.get('FOVEA_TEST_ALL') else ['-runs=20000', '-seed=1', '-timeout=120']
SLOW = 70

with tempfile.TemporaryDirectory(prefix='fovea-') as folder:
    corpus = os.path.join(folder, 'corpus')
    subprocess.run([sys.executable, os.path.join(os.path.dirname(__file__), 'corpus.py'), corpus], check=True)
    run = subprocess.run([os.path.abspath(target), '-rss_limit_mb=2048', '-max_len=8192', *LIMITS, corpus], cwd=folder, capture_output=True, text=True,
                         errors='replace')
    is_bad = run.returncode not in (0, SLOW)
    lines = (run.stdout + run.stderr).splitlines()
    print('\n'.join(lines[-60 if is_bad else -12:]))
    crashes = [name for name in os.listdir(folder) if name.startswith(('crash-', 'leak-', 'oom-'))]
    for name in crashes:
        with open(os.path.join(folder, name), 'rb') as file:
            print(name, file.read().hex())
sys.exit(1 if is_bad or crashes else 0)
