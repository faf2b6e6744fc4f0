# shellcheck shell=bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# build.sh: the build folders build/PLACE/KIND, and the verbs that only need a build. This runs in the place itself.

BUILD=$REPO/build/${FOVEA_DEV_PLACE:-}

# The options of each kind of build, one a line. What a sanitizer finds ends the program. The sanitized build is clang's, which has the fuzzer
# too and warns of other things than gcc.
build_options () {
  case $1 in
    release)  printf '%s\n' --buildtype=release -Dtests=false ;;
    test)     printf '%s\n' -Dwerror=true ;;
    sanitize) printf '%s\n' -Dwerror=true -Doptimization=1 -Db_sanitize=address,undefined -Db_lundef=false -Dc_args=-fno-sanitize-recover=all -Dfuzz=true ;;
    thread)   printf '%s\n' -Doptimization=1 -Db_sanitize=thread -Db_lundef=false ;;
    install)  printf '%s\n' "${INSTALL_OPTIONS[@]}" ;;
  esac
}

# set_up KIND: makes build/PLACE/KIND ready, anew where something under it changed.
set_up () {
  local kind=$1 folder=$BUILD/$1 log=$BUILD/log/$1.log compiler=gcc options=() key
  [ "$kind" != sanitize ] || compiler=clang
  mapfile -t options < <(build_options "$kind")
  if ! mkdir -p "$BUILD/log" 2>/dev/null || [ ! -w "$BUILD/log" ]; then cannot_write "$BUILD"; fi

  key="$REPO $(meson --version) $($compiler -dumpfullversion -dumpversion) ${options[*]}"
  if [ -f "$folder/build.ninja" ] && [ "$(cat "$folder/.key" 2>/dev/null)" = "$key" ]; then return; fi
  rm -rf "$folder"
  if ! step "Setting up the $kind build" "$log" env CC="$compiler" meson setup "${options[@]}" "$folder" "$REPO"; then
    show_log "$log" 'ERROR'
    fail "the build could not be set up; the whole log is $log"
  fi
  printf '%s\n' "$key" >"$folder/.key"
}

# build KIND: compiles what changed, all of it.
build () {
  hold "$BUILD/$1.lock" "building here"
  set_up "$1"
  step "Building ($1)" "$BUILD/log/$1.log" ninja -C "$BUILD/$1" || build_failed "$BUILD/log/$1.log"
  release
}

build_failed () {
  show_log "$1" 'error:|undefined reference|ERROR'
  fail "the build failed; the whole log is $1"
}

# build_and_stage: a release build as it would be installed, under build/PLACE/stage. Sets PLUG_IN (the folder) and FOVEA (the command).
build_and_stage () {
  local stage=$BUILD/stage log=$BUILD/log/stage.log

  build release
  hold "$BUILD/stage.lock" "building here"
  if [ ! -f "$stage/.done" ] || [ "$(find "$BUILD/release" -newer "$stage/.done" -type f -not -path '*/meson-*' | head -n 1)" ]; then
    if ! step "Laying it out" "$log" meson install -C "$BUILD/release" --no-rebuild --only-changed --destdir "$stage"; then
      show_log "$log" 'ERROR'
      fail "the build could not be laid out in $stage; the whole log is $log"
    fi
    mkdir -p "$stage"
    touch "$stage/.done"
  fi
  release
  FOVEA=$stage/usr/local/bin/fovea
  PLUG_IN=$(find "$stage" -type d -path '*/plug-ins/fovea' | head -n 1)
  # The built-in models, where they were laid out; the user's own are found as ever.
  export FOVEA_MODELS_PATH="${FOVEA_MODELS_PATH:+$FOVEA_MODELS_PATH:}$stage/usr/local/share/fovea/built-in"
}

verb_build () {
  build_and_stage
  say "The command is $FOVEA"
  [ -z "$PLUG_IN" ] || say "The plug-in is $PLUG_IN"
}

verb_fovea () {
  # shellcheck disable=SC2034 # step reads it
  QUIET=yes
  build_and_stage
  exec "$FOVEA" "$@"
}

verb_gimp () {
  build_and_stage
  isolate_gimp "$BUILD/gimp-window" all
  say "Opening GIMP: the filter is Filters ▸ Fovea ▸ Classify…   (what GIMP says goes to $BUILD/log/gimp-window.log)"
  exec "$(find_gimp gimp)" --no-splash "$@" >"$BUILD/log/gimp-window.log" 2>&1
}

verb_shell () {
  build_and_stage
  say "This is the place where Fovea is built ($FOVEA_DEV_PLACE). The build is $BUILD/release; exit ends it."
  exec "${SHELL_IN_PLACE:-/bin/bash}" "$@"
}
