#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""choose-tests.py [--all] [NAME…]: the tests that are meant, a line each, out of what `meson introspect --tests` says on standard input.

NAME is a test or a suite; without one, all suites are meant. A suite's slow tests are left out, but with --all or where "slow" itself is named.
Its status is 1 where a NAME is none; then it says which suites and tests there are.
"""

import json
import sys


def choose(tests, names, everything):
    """tests: {name: set of suites}. Returns the names of the tests in meson's order, and the names that are none."""
    chosen = set()
    unknown = []
    for name in names or sorted(set().union(*tests.values()) - {"slow"}):
        found = {test for test, suites in tests.items() if test == name or (name in suites and (everything or name == "slow" or "slow" not in suites))}
        if not found:
            unknown.append(name)
        chosen |= found
    return [test for test in tests if test in chosen], unknown


def main(arguments):
    tests = {test["name"]: {suite.split(":")[-1] for suite in test["suite"]} for test in json.load(sys.stdin)}
    chosen, unknown = choose(tests, [name for name in arguments if name != "--all"], "--all" in arguments)
    if unknown:
        print(f"dev: there is no test and no suite '{unknown[0]}'.\n     The suites: {' '.join(sorted(set().union(*tests.values())))}\n"
              f"     The tests: {' '.join(sorted(tests))}", file=sys.stderr)
        return 1
    print("".join(test + "\n" for test in chosen), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
