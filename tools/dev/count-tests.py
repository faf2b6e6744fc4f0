#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""count-tests.py KIND=TESTLOG.json…: what meson's test logs say, for people and for machines.

Counts test cases: each line "ok" or "not ok" of a program that speaks TAP, otherwise each program. A program that ends badly without having said
which case failed counts as one failed case. Prints the lines that tell what failed, the share of the ONNX project's cases that pass, how many cases
each kind of build ran, and closes with "N passed, N failed, N skipped". Its status is 1 where something failed or nothing ran.
"""

import collections
import json
import re
import sys

CASE = re.compile(r"^(not )?ok\b\s*\d*\s*(?:- )?([^#]*)(?:#\s*(\w+))?")
GOOD = ("OK", "SKIP", "EXPECTEDFAIL")


def count(test):
    """Cases of one program by outcome, and the names of the failed ones."""
    counts = collections.Counter()
    failed = []
    output = test.get("stdout", "")
    if re.search(r"^1\.\.\d+", output, re.MULTILINE) or re.search(r"^(not )?ok \d+", output, re.MULTILINE):
        for line in output.splitlines():
            case = CASE.match(line)
            if case is None:
                continue
            if (case[3] or "").upper() in ("SKIP", "TODO"):
                counts["skipped"] += 1
            elif case[1]:
                counts["failed"] += 1
                failed.append(case[2].strip())
            else:
                counts["passed"] += 1
        if test["result"] == "SKIP" and not counts:
            counts["skipped"] = 1
    elif test["result"] == "SKIP":
        counts["skipped"] = 1
    elif test["result"] in GOOD:
        counts["passed"] = 1
    if test["result"] not in GOOD and not counts["failed"]:
        counts["failed"] = 1
    return counts, failed


def telling_lines(test):
    """The lines that say what went wrong, and the last ones."""
    lines = [line for line in (test.get("stdout", "") + "\n" + test.get("stderr", "")).splitlines()
             if line.strip() and not re.match(r"^ok \d|^TAP version|^1\.\.\d|^# (Start|End) of|^# random seed", line)]
    lines = [line for line in lines if not re.match(r"^ *(=>)?0x[0-9a-f]+: |^  [A-Z].*: +[0-9a-f]{2}( |$)|^Shadow byte", line)] # the sanitizer's legend
    telling = [line for line in lines[:-6] if re.search(r"ERROR|SUMMARY|runtime error|^not ok|Bail out|^#\d+ 0x|Traceback|CRITICAL|assert", line)]
    return telling[:8] + lines[-6:]


def main(arguments):
    total = collections.Counter()
    rows, conformance, logs = [], [], []
    for argument in arguments:
        kind, path = argument.split("=", 1)
        counts = collections.Counter()
        try:
            with open(path, encoding="utf-8") as file:
                tests = [json.loads(line) for line in file]
        except FileNotFoundError:
            tests = []
        for test in tests:
            result, failed = count(test)
            counts += result
            if kind == "test":
                conformance += re.findall(r"^as it is: (.* cases pass .*)$", test.get("stdout", ""), re.MULTILINE)
            if result["failed"]:
                print(f"FAILED ({kind}) {test['name']} [{test['result']}]" + "".join(f"\n  {name}" for name in failed))
                print("".join(f"  | {line[:200]}\n" for line in telling_lines(test)), end="")
                logs.append(path.replace("testlog.json", "testlog.txt"))
        total += counts
        rows.append(f"{kind + ':':<10}{counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped in {len(tests)} programs")
    for path in dict.fromkeys(logs):
        print(f"The whole log: {path}")
    for line in conformance:
        print(f"The ONNX project's cases: {line}")
    print("\n".join(rows))
    print(f"{total['passed']} passed, {total['failed']} failed, {total['skipped']} skipped", flush=True)
    return 1 if total["failed"] or not total["passed"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
