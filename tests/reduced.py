# SPDX-License-Identifier: GPL-3.0-or-later
"""How much of its work a test does. `./dev test --all` (FOVEA_TEST_ALL) does the whole of it everywhere. Otherwise a program of the sanitized build goes each
way once, with few photos and few steps: what a sanitizer sees is seen then, and whether answers are right and good is judged in the plain build."""

import os
import pathlib

ALL = bool(os.environ.get("FOVEA_TEST_ALL"))


def is_brief(program):
    return not ALL and b"__asan_init" in pathlib.Path(program).read_bytes()
