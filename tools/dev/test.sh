# shellcheck shell=bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# test.sh: the tests. Warnings are errors; the suites run plainly (gcc), then the engine's once more under the address and undefined-behaviour
# sanitizers with a short fuzz run (clang), and its threads under the thread sanitizer. --all adds the suite "slow" and the whole of what runs
# in reduced form otherwise (FOVEA_TEST_ALL=1 tells the tests): sweeps, photos, and almost all of what takes long under the sanitizers (tests/reduced.py).

verb_test () {
  local status=0 only=(--no-suite slow) runs=()
  if (($#)); then export FOVEA_TEST_ALL=1; only=(); fi
  [ -n "${FOVEA_REFERENCE_DIR:-}" ] || say "FOVEA_REFERENCE_DIR isn't set: tests that need its models and photos are skipped."

  hold "$BUILD/tests.lock" "testing here"
  export TMPDIR=${TMPDIR:-/tmp}
  build test
  run_tests test "${only[@]}" || status=1
  set_up sanitize
  run_tests sanitize "${only[@]}" --suite engine --suite fuzz || status=1
  set_up thread
  run_tests thread "${only[@]}" --suite threads || status=1

  say ""
  python3 "$REPO/tools/dev/count-tests.py" "${runs[@]}" || status=1
  return "$status"
}

# run_tests KIND OPTION…: compiles what the chosen tests need and runs them; the log joins `runs`.
run_tests () {
  local kind=$1 log=$BUILD/log/$1-tests.log status=0 names=()
  shift
  # Only for tests that are named does meson compile what they need alone; a choice of suites makes it compile all.
  mapfile -t names < <(meson test -C "$BUILD/$kind" --list "$@" | sed -n 's|.* / ||p')
  ((${#names[@]})) || fail "the $kind build has no tests for: $*"
  rm -f "$BUILD/$kind/meson-logs/testlog.json"
  runs+=("$kind=$BUILD/$kind/meson-logs/testlog.json")
  # What a sanitizer says must reach the log, and leaks count, but for the libraries' in tests/leaks.supp.
  export ASAN_OPTIONS=detect_leaks=1:abort_on_error=0 UBSAN_OPTIONS=print_stacktrace=1 TSAN_OPTIONS=halt_on_error=1
  export LSAN_OPTIONS=suppressions=$REPO/tests/leaks.supp:print_suppressions=0
  step "Testing ($kind)" "$log" meson test -C "$BUILD/$kind" --print-errorlogs "$@" "${names[@]}" || status=$?
  if grep -q '^ninja: build stopped' "$log"; then build_failed "$log"; fi
  return "$status"
}
