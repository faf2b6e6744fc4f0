# shellcheck shell=bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# run.sh: photos through real GIMP, in batch, with a profile of its own: what was seen on the screen; pictures, XCF files and a JSON in out/.

# find_gimp NAME: the newest GIMP 3 of that name here ("gimp", "gimp-console").
find_gimp () {
  local version
  for version in 3.4 3.2 3.0; do
    command -v "$1-$version" && return
  done
  fail "there is no $1 of GIMP 3 on this system." "Its package is named gimp."
}

# isolate_gimp FOLDER PLUG-INS: GIMP keeps to FOLDER, and has the plug-ins that the pattern names, and ours.
isolate_gimp () {
  local system plug_in
  system=$(pkg-config --variable=gimplibdir gimp-3.0)/plug-ins
  [ -n "$PLUG_IN" ] || fail "the build has no plug-in." "See $BUILD/log/release.log"
  mkdir -p "$1/plug-ins" "$1/profile"
  for plug_in in "$system"/*/ "$PLUG_IN"; do
    case $2:$(basename "$plug_in") in
      all:* | batch:file-* | batch:script-fu | batch:fovea) ln -sfn "${plug_in%/}" "$1/plug-ins/$(basename "$plug_in")" ;;
    esac
  done
  [ -f "$1/profile/gimprc" ] ||
    printf '(%s)\n' 'show-welcome-dialog no' 'check-updates no' "config-version \"$(pkg-config --modversion gimp-3.0)\"" >"$1/profile/gimprc"
  export GIMP3_DIRECTORY=$1/profile GIMP_TESTING_PLUGINDIRS=$1/plug-ins
}

# One GIMP has enough to do for one processor; more than two have too much to load.
n_gimps () { if (($(nproc) > 1)); then echo 2; else echo 1; fi; }

verb_run () {
  local photos=("$@") out=$REPO/out work=$BUILD/run log=$BUILD/log/gimp.log status=0 answered=yes job
  ((${#photos[@]})) || photos=("$REPO"/samples/*.jpg)

  build_and_stage
  hold "$BUILD/run.lock" "sending photos through GIMP"
  if ! mkdir -p "$out" 2>/dev/null || [ ! -w "$out" ]; then cannot_write "$out"; fi
  rm -rf "$work"
  mkdir -p "$work"
  python3 "$REPO/tools/dev/run.py" prepare "$work" "$out" "$(n_gimps)" "${photos[@]}"
  for job in "$work"/job-*.scm; do
    isolate_gimp "$BUILD/gimp-$(basename "$job" .scm)" batch # each has a profile of its own
  done

  # Without a display: batch must not need one.
  # shellcheck disable=SC2016 # the inner shell's own
  step "Sending ${#photos[@]} $( ((${#photos[@]} == 1)) && echo photo || echo photos) through GIMP" "$log" \
    env -u DISPLAY -u WAYLAND_DISPLAY timeout --kill-after=5 $((180 + 60 * ${#photos[@]})) bash -c '
      gimp=$1 build=$2 status=0 pids=()
      for job in "$build"/run/job-*.scm; do
        folder=$build/gimp-$(basename "$job" .scm)
        GIMP3_DIRECTORY=$folder/profile GIMP_TESTING_PLUGINDIRS=$folder/plug-ins "$gimp" --no-interface --no-data --no-fonts --quit \
          --batch-interpreter=plug-in-script-fu-eval --batch="(load \"$job\")" &
        pids+=($!)
      done
      for pid in "${pids[@]}"; do wait "$pid" || status=$?; done
      exit $status' gimps "$(find_gimp gimp-console)" "$BUILD" || status=$?
  python3 "$REPO/tools/dev/run.py" report "$work" "$out" >&3 || answered=no
  release
  if ((status == 124)); then fail "GIMP took too long and was ended; its whole log is $log"; fi
  if ((status != 0)); then
    show_log "$log" 'crash|Segmentation|Error:|CRITICAL|cannot'
    fail "GIMP ended with status $status; its whole log is $log"
  fi
  if [ $answered = no ]; then
    fail "not every photo went through GIMP; its whole log is $log"
  fi
  say ""
  say "In $out: a copy of each photo with its names as tags, its boxes, its cut-out, an XCF with all of that as layers, and fovea.json."
  say "Next:  ./dev run your-photo.jpg     ./dev gimp your-photo.jpg     ./dev fovea classify tagger your-photo.jpg     ./dev test"
}
