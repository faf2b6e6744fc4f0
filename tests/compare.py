# SPDX-License-Identifier: GPL-3.0-or-later
"""bench/compare: its verdict on two runs of bench.py. Argument: bench/compare."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

COMPARE = os.path.abspath(sys.argv[1])


class Compare(unittest.TestCase):
    """Rows of two networks, ours and one peer's."""

    def compare(self, old, new):
        with tempfile.TemporaryDirectory() as folder:
            files = []
            for name, times in (("old", old), ("new", new)):
                rows = [{"model": model, "threads": 1, "engine": engine, "median_ms": ms} for (model, engine), ms in times.items()]
                files.append(pathlib.Path(folder, f"{name}.json"))
                files[-1].write_text(json.dumps(rows), encoding="utf-8")
            return subprocess.run([sys.executable, COMPARE, *files], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60)

    def test_verdicts(self):
        old = {("a", "fovea"): 10.0, ("b", "fovea"): 20.0, ("a", "onnxruntime"): 12.0, ("b", "onnxruntime"): 24.0}
        slower = {key: ms * (1.1 if key[1] == "fovea" else 1) for key, ms in old.items()}
        for new, status, mean in [(old, 0, "1.000"), (slower, 1, "1.100"), ({key: ms * 1.1 for key, ms in old.items()}, 0, "1.000"),
                                  ({**old, ("a", "fovea"): 11.0}, 0, "1.049")]:
            answer = self.compare(old, new)
            self.assertEqual(answer.returncode, status, answer.stdout + answer.stderr)
            self.assertIn(f"geometric mean over 2 cells: {mean}", answer.stdout)

    def test_without_peers(self):
        answer = self.compare({("a", "fovea"): 10.0}, {("a", "fovea"): 10.6})
        self.assertEqual(answer.returncode, 1)
        self.assertIn("is unknown", answer.stdout)

    def test_nothing_in_common(self):
        self.assertEqual(self.compare({("a", "fovea"): 10.0}, {("b", "fovea"): 10.0}).returncode, 2)
        self.assertEqual(self.compare({("a", "fovea"): None}, {("a", "fovea"): 10.0}).returncode, 2)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
