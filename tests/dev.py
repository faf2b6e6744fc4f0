#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""dev.py: the script ./dev itself: its parts are clean shell, it chooses and counts tests rightly, and it never writes over anyone's photo."""

import glob
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

REPO = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TOOLS = os.path.join(REPO, "tools", "dev")


def load(name):
    spec = importlib.util.spec_from_file_location(name.replace("-", "_"), os.path.join(TOOLS, name + ".py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def dev(*arguments):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("FOVEA_DEV_")}
    return subprocess.run([os.path.join(REPO, "dev"), *arguments], capture_output=True, text=True, check=False, env=environment)


class Script(unittest.TestCase):
    @unittest.skipUnless(shutil.which("shellcheck"), "shellcheck isn't installed")
    def test_shellcheck(self):
        files = [os.path.join(REPO, "dev"), os.path.join(REPO, ".ci", "run"), *sorted(glob.glob(os.path.join(TOOLS, "*.sh")))]
        found = subprocess.run(["shellcheck", "-x", *files], capture_output=True, text=True, check=False, cwd=REPO)
        self.assertEqual(found.stdout, "")

    def test_help_names_every_verb(self):
        said = dev("help").stdout
        for verb in ("run", "test", "build", "fovea", "gimp", "bench", "install", "uninstall", "shell", "clean"):
            self.assertIn(f"\n  {verb} ", said)
            with open(os.path.join(TOOLS, {"run": "run", "test": "test", "clean": "clean", "bench": "bench", "install": "install", "uninstall": "install"}.get(
                    verb, "build") + ".sh"), encoding="utf-8") as file:
                self.assertIn(f"verb_{verb} ()", file.read())

    def test_wrong_usage(self):
        for arguments in (["walk"], ["--suite"], ["--suite", "potato", "run"], ["run", "--fast"], ["test", "--fast"], ["clean", "all"]):
            answer = dev(*arguments)
            self.assertEqual(answer.returncode, 2, arguments)
            self.assertIn("./dev help", answer.stderr)

    def test_absent_photo(self):
        answer = dev("run", "/nowhere/photo.jpg")
        self.assertEqual((answer.returncode, answer.stdout), (1, ""))
        self.assertIn("/nowhere/photo.jpg", answer.stderr)


class Trouble(unittest.TestCase):
    """What dev says where it can't go on."""

    def shell(self, text, *arguments):
        parts = f'set -eEuo pipefail; exec 3>&1; OWNER=$(id -u); REPO={REPO}; source {TOOLS}/common.sh; source {TOOLS}/build.sh; source {TOOLS}/run.sh\n'
        return subprocess.run(["bash", "-c", parts + text, "dev", *arguments], capture_output=True, text=True, check=False)

    def test_cannot_write(self):
        """Root may write everywhere: a file stands where a folder is to be."""
        with tempfile.TemporaryDirectory() as folder:
            with open(os.path.join(folder, "build"), "w", encoding="utf-8"):
                pass
            for text in ('as_owner () { "$@"; }; hold "$1/build/trixie/test.lock" "building here"', 'BUILD=$1/build/trixie; meson () { echo; }; set_up test',
                         'build_and_stage () { :; }; hold () { :; }; REPO=$1; mv "$1/build" "$1/out"; BUILD=$1/b; verb_run photo.jpg'):
                answer = self.shell(text, folder)
                self.assertEqual(answer.returncode, 1)
                self.assertRegex(answer.stderr, r"^dev: .* can't be written\.\n     \S.*\n$")

    def test_full_disk_is_said(self):
        with tempfile.TemporaryDirectory() as folder:
            log = os.path.join(folder, "log")
            with open(log, "w", encoding="utf-8") as file:
                file.write("ld: final link failed: No space left on device\ncollect2: error: ld returned 1 exit status\n")
            self.assertEqual(self.shell('show_log "$1" error:', log).stderr, "     | ld: final link failed: No space left on device\n")


class Counting(unittest.TestCase):
    def count(self, *tests):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "testlog.json")
            with open(path, "w", encoding="utf-8") as file:
                file.write("".join(json.dumps(test) + "\n" for test in tests))
            answer = subprocess.run([sys.executable, os.path.join(TOOLS, "count-tests.py"), f"test={path}"],
                                    capture_output=True, text=True, check=False)
        return answer.returncode, answer.stdout.splitlines()[-1], answer.stdout

    def test_cases(self):
        tap = "TAP version 14\n1..3\nok 1 /a/one\nok 2 /a/two # SKIP no model\nok 3 /a/three\nas it is: 3 of 4 cases pass (75.0 %), 0 fail\n"
        status, last, said = self.count({"name": "a", "result": "OK", "stdout": tap}, {"name": "b", "result": "OK", "stdout": "fine\n"},
                                        {"name": "c", "result": "SKIP"}, {"name": "d", "result": "SKIP", "stdout": "1..0 # SKIP no GIMP\n"})
        self.assertEqual((status, last), (0, "3 passed, 0 failed, 3 skipped"))
        self.assertIn("The ONNX project's cases: 3 of 4 cases pass (75.0 %), 0 fail\n", said)

    def test_failed_case_is_named(self):
        tap = "1..2\nok 1 /a/one\nnot ok 2 /a/two\nBail out! it broke\n"
        status, last, said = self.count({"name": "a", "result": "FAIL", "stdout": tap, "stderr": "cause of it\n"})
        self.assertEqual((status, last), (1, "1 passed, 1 failed, 0 skipped"))
        self.assertIn("/a/two", said)
        self.assertIn("cause of it", said)

    def test_what_ends_badly_fails(self):
        status, last, _ = self.count({"name": "a", "result": "ERROR", "stdout": "1..2\nok 1 /a/one\n"}, {"name": "b", "result": "TIMEOUT"})
        self.assertEqual((status, last), (1, "1 passed, 2 failed, 0 skipped"))

    def test_nothing_ran(self):
        self.assertEqual(self.count()[:2], (1, "0 passed, 0 failed, 0 skipped"))


class Choosing(unittest.TestCase):
    TESTS = {"pool": {"engine", "threads"}, "train": {"engine"}, "window": {"gimp"}, "trouble": {"gimp", "slow"}}

    def choose(self, *arguments):
        listed = json.dumps([{"name": name, "suite": [f"fovea:{suite}" for suite in sorted(suites)]} for name, suites in self.TESTS.items()])
        answer = subprocess.run([sys.executable, os.path.join(TOOLS, "choose-tests.py"), *arguments], input=listed, capture_output=True, text=True, check=False)
        return answer.returncode, answer.stdout.split(), answer.stderr

    def test_suites_and_names(self):
        for arguments, chosen in (([], ["pool", "train", "window"]), (["--all"], ["pool", "train", "window", "trouble"]), (["engine"], ["pool", "train"]),
                                  (["gimp"], ["window"]), (["--all", "gimp"], ["window", "trouble"]), (["slow"], ["trouble"]), (["trouble", "threads"], ["pool", "trouble"])):
            self.assertEqual(self.choose(*arguments), (0, chosen, ""), arguments)

    def test_unknown_name(self):
        status, chosen, said = self.choose("engine", "poool")
        self.assertEqual((status, chosen), (1, []))
        self.assertIn("'poool'", said)
        self.assertIn("engine gimp slow threads", said)


class Names(unittest.TestCase):
    def test_nobodys_files_are_written_over(self):
        run = load("run")
        with tempfile.TemporaryDirectory() as out:
            def touch(name):
                with open(os.path.join(out, name), "w", encoding="utf-8"):
                    pass
                return os.path.join(out, name)

            self.assertEqual(run.choose_names(out, ["/a/dog.jpg", "/b/dog.png", "/c/cat.jpg"]), ["dog", "dog-2", "cat"])
            for name in ("dog.jpg", "dog.xcf", "cat.jpg", "bird.xcf"):
                touch(name)
            self.assertEqual(run.choose_names(out, ["/a/dog.jpg"]), ["dog"])                           # what the run before wrote
            self.assertEqual(run.choose_names(out, [os.path.join(out, "cat.jpg")]), ["cat-2"])         # a photo that lies there
            self.assertEqual(run.choose_names(out, ["/a/bird.jpg"]), ["bird-2"])                       # somebody's own XCF

    def test_scheme_strings(self):
        self.assertEqual(load("run").scheme_string('a"b\\c ä'), '"a\\"b\\\\c ä"')

    def test_photos_are_shared_out(self):
        run = load("run")
        with tempfile.TemporaryDirectory() as work, tempfile.TemporaryDirectory() as out:
            run.prepare(work, out, "2", "/a/1.jpg", "/a/2.jpg", "/a/3.jpg")
            texts = []
            for name in ("job-1.scm", "job-2.scm"):
                with open(os.path.join(work, name), encoding="utf-8") as file:
                    texts.append([line for line in file if "look-at-photo" in line])
            self.assertEqual([[line.split('"')[1] for line in lines] for lines in texts], [["/a/1.jpg", "/a/3.jpg"], ["/a/2.jpg"]])

    def test_what_is_seen_in_words(self):
        run = load("run")

        def describe(scores, areas):
            return list(run.describe({"classify": {"classes": [{"label": label, "score": score} for label, score in scores]}, "locate": {"objects": []},
                                      "segment": {"masks": [{"label": "subject", "area": area} for area in areas]}}))

        self.assertEqual(describe([("sky", 0.99), ("lake", 0.5), ("vehicle", 0.3)], [0.27]), ["names    99 % sky, 50 % lake", "boxes    none", "cut out  subject, 27 % of the photo"])
        self.assertEqual(describe([("vehicle", 0.3), ("sky", 0.2)], [0.001]), ["names    30 % vehicle", "boxes    none", "cut out  nothing"])

    def test_errors_in_words(self):
        run = load("run")
        with tempfile.TemporaryDirectory() as work:
            answer = os.path.join(work, "1.json")
            self.assertEqual(run.error_of(answer), "GIMP gave no answer")
            for said, words in (("Procedure execution of plug-in-fovea-classify failed: There is no model “a”.\nChoose one. (/x/run.scm : 31) ", "There is no model “a”. Choose one."),
                                ("Procedure execution of gimp-file-load failed: Could not open “b (2).jpg” (/x/run.scm : 31) ", "Could not open “b (2).jpg”"),
                                ("Error: eval: unbound variable: x ", "eval: unbound variable: x")):
                with open(answer + ".error", "w", encoding="utf-8") as file:
                    file.write(said)
                self.assertEqual(run.error_of(answer), words)


if __name__ == "__main__":
    unittest.main()
