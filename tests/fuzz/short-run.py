# SPDX-License-Identifier: GPL-3.0-or-later
#
# short-run.py TARGET [SECONDS]: a short fuzz run from a fresh corpus, as a test. FOVEA_TEST_ALL=1 makes it five minutes.
import os
import subprocess
import sys
import tempfile

# What libFuzzer exits with when all that it found were slow inputs: large networks, which are no fault.
SLOW = 70

target = sys.argv[1]
# An absurd request is an error of ours, not of the sanitizer's.
os.environ['ASAN_OPTIONS'] = os.environ.get('ASAN_OPTIONS', '') + ':allocator_may_return_null=1'
seconds = '300' if os.environ.get('FOVEA_TEST_ALL') else sys.argv[2] if len(sys.argv) > 2 else '25'
with tempfile.TemporaryDirectory(prefix='fovea-') as folder:
    corpus = os.path.join(folder, 'corpus')
    subprocess.run([sys.executable, os.path.join(os.path.dirname(__file__), 'corpus.py'), corpus], check=True)
    run = subprocess.run([os.path.abspath(target), f'-max_total_time={seconds}', '-timeout=10', '-rss_limit_mb=2048', '-max_len=8192',
                          '-fork=1', '-ignore_timeouts=1', corpus], cwd=folder, capture_output=True, text=True, errors='replace')
    lines = (run.stdout + run.stderr).splitlines()
    print('\n'.join(lines[-60 if run.returncode not in (0, SLOW) else -12:]))
    crashes = [name for name in os.listdir(folder) if name.startswith(('crash-', 'leak-', 'oom-'))]
    for name in crashes:
        with open(os.path.join(folder, name), 'rb') as file:
            print(name, file.read().hex())
sys.exit(1 if run.returncode not in (0, SLOW) or crashes else 0)
