# shellcheck shell=bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# test.sh: the tests. Warnings are errors; the suites run plainly (gcc), then the engine's once more under the address and undefined-behaviour
# sanitizers with a short fuzz run (clang), and its threads under the thread sanitizer. --all adds the suite "slow" and the whole of what runs
# in reduced form otherwise (FOVEA_TEST_ALL=1 tells the tests): sweeps, photos, and almost all of what takes long under the sanitizers (tests/reduced.py).
# Tests and suites that are named run alone, and plainly; in Debian testing without a name those in GIMP.

verb_test () {
  local status=0 all=() named=() runs=() argument
  for argument; do
    if [ "$argument" = --all ]; then export FOVEA_TEST_ALL=1; all=(--all); else named+=("$argument"); fi
  done
  [ -n "${FOVEA_REFERENCE_DIR:-}" ] || say "FOVEA_REFERENCE_DIR isn't set: tests that need its models and photos are skipped."

  if [ "$FOVEA_DEV_PLACE" = forky ] && ((!${#named[@]})); then
    say "Debian testing: the tests in GIMP. The others are held to Debian 13's photo decoders and ONNX cases; name them to run them here, too."
    named=(gimp)
  fi

  hold "$BUILD/tests.lock" "testing here"
  export TMPDIR=${TMPDIR:-/tmp}
  if ((${#named[@]})); then
    run_tests test "${named[@]}" || status=1
  else
    build test
    run_tests test || status=1
    run_tests sanitize engine fuzz || status=1
    run_tests thread threads || status=1
  fi

  say ""
  python3 "$REPO/tools/dev/count-tests.py" "${runs[@]}" || status=1
  return "$status"
}

# run_tests KIND [NAME…]: compiles what these tests (or suites; all, without one) need and runs them; the log joins `runs`.
run_tests () {
  local kind=$1 log=$BUILD/log/$1-tests.log status=0 names
  shift
  set_up "$kind"
  ninja -C "$BUILD/$kind" build.ninja >"$log" 2>&1 || build_failed "$log" # what meson says of the tests is as old as that
  # Only for tests that are named does meson compile what they need alone; a choice of suites makes it compile all.
  names=$(meson introspect --tests "$BUILD/$kind" | python3 "$REPO/tools/dev/choose-tests.py" "${all[@]}" "$@") || exit 1
  mapfile -t names <<<"$names"
  rm -f "$BUILD/$kind/meson-logs/testlog.json"
  runs+=("$kind=$BUILD/$kind/meson-logs/testlog.json")
  # What a sanitizer says must reach the log, and leaks count, but for the libraries' in tests/leaks.supp.
  export ASAN_OPTIONS=detect_leaks=1:abort_on_error=0 UBSAN_OPTIONS=print_stacktrace=1 TSAN_OPTIONS=halt_on_error=1
  export LSAN_OPTIONS=suppressions=$REPO/tests/leaks.supp:print_suppressions=0
  step "Testing ($kind)" "$log" meson test -C "$BUILD/$kind" --print-errorlogs "${names[@]}" || status=$?
  if grep -q '^ninja: build stopped' "$log"; then build_failed "$log"; fi
  return "$status"
}
