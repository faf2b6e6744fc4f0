# shellcheck shell=bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# common.sh: messages, progress and failing for dev. What dev itself says goes to descriptor 3.

say () { printf '%s\n' "$*" >&3; }

# fail CAUSE [WAY OUT…]: a line each, then the end.
fail () {
  printf 'dev: %s\n' "$1" >&2
  shift
  (($# == 0)) || printf '     %s\n' "$@" >&2
  exit 1
}

usage_error () {
  printf 'dev: %s\n     ./dev help lists the verbs.\n' "$1" >&2
  exit 2
}

# step WHAT LOG COMMAND…: runs a command (a program, not a function) with its output in LOG and one line on the screen; the line counts the
# seconds and shows the log's last line where it takes more than two. The command ends with dev. Returns its status. QUIET: what takes less
# than two seconds isn't worth a line.
STEP_PID=
QUIET=
step () {
  local what=$1 log=$2 status=0 start=$SECONDS told=$SECONDS seconds last
  shift 2
  as_owner mkdir -p "$(dirname "$log")"
  rm -f "$log"
  as_owner touch "$log"
  env --default-signal=INT,QUIT "$@" >"$log" 2>&1 </dev/null &
  STEP_PID=$!
  trap 'step_interrupted' INT TERM HUP
  while [ -d "/proc/$STEP_PID" ]; do
    seconds=$((SECONDS - start))
    if [ -t 3 ]; then
      last=''
      ((seconds < 2)) || last="$seconds s  $(tail -c 300 "$log" | tr -d '\000-\010\015\033' | tail -n 1 | cut -c 1-60)"
      printf '\r\033[K%s … %s' "$what" "$last" >&3
    elif ((SECONDS - told >= 30)); then
      told=$SECONDS
      say "$what … $seconds s"
    fi
    sleep 0.2
  done
  wait "$STEP_PID" || status=$?
  STEP_PID=
  trap - INT TERM HUP
  seconds=$((SECONDS - start))
  [ ! -t 3 ] || printf '\r\033[K' >&3
  if ((status != 0)); then say "$what: failed"
  elif ((seconds >= 2)); then say "$what: done in $seconds s"
  elif [ -z "$QUIET" ]; then say "$what: done"
  fi
  return "$status"
}

step_interrupted () {
  trap - INT TERM HUP
  kill -TERM "$STEP_PID" 2>/dev/null || true
  printf '\n' >&3
  fail "interrupted. The same command goes on from here."
}

# show_log LOG PATTERN: the lines of a log that say what went wrong, ten at most; its end where none does. A full disk is said first, whatever follows of it.
show_log () {
  local lines
  lines=$(grep -a -m 1 'No space left on device' "$1" || grep -aE "$2" "$1" | head -n 10 || true)
  [ -n "$lines" ] || lines=$(tail -n 10 "$1")
  printf '%s\n' "$lines" | cut -c 1-200 | sed 's/^/     | /' >&2
}

# hold FILE WHAT: an exclusive lock on FILE until dev ends or releases it, the last one first; says so where it has to wait.
HELD=()
hold () {
  local descriptor
  if ! { as_owner mkdir -p "$(dirname "$1")" && { [ -e "$1" ] || as_owner touch "$1"; }; } 2>/dev/null; then cannot_write "$(dirname "$1")"; fi
  exec {descriptor}<"$1"
  HELD+=("$descriptor")
  flock --nonblock "$descriptor" && return
  say "Another dev is $2: waiting for it."
  flock "$descriptor"
}

# cannot_write FOLDER: the end, with the way out.
cannot_write () {
  local part=$1
  while [ ! -e "$part" ]; do part=$(dirname "$part"); done
  [ "$part" -ef "$1" ] || fail "there is no $1, and $part can't be written." "Use a clone of your own, on a disk that isn't full."
  fail "$1 can't be written." "Made by another user? Then: sudo chown -R $OWNER '$1'"
}

release () {
  local descriptor=${HELD[-1]}
  unset 'HELD[-1]'
  exec {descriptor}>&-
}
