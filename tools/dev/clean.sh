# shellcheck shell=bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# clean.sh: takes away what dev made, and says how much it was. The results in out/ stay.

verb_clean () {
  local root name
  remove_folder "$REPO/build" "the build folders"
  case ${1:-} in
    '') for root in "$CACHE"/root-*/; do [ ! -d "$root" ] || say "Kept: $root ($(size_of "$root")); ./dev clean --all removes it too."; done ;;
    *)
      for root in "$CACHE"/root-*/; do
        [ -d "$root" ] || continue
        name=$(basename "$root")
        need_root "Removing $root" "rm -r '$root'"
        "${AS_ROOT[@]}" flock --exclusive --nonblock "$CACHE/$name.use" true ||
          fail "$root is in use by another dev." "Let that one end first."
        remove_folder "${root%/}" "the Debian ${name#root-} folder"
        "${AS_ROOT[@]}" rm -f "$CACHE/$name.use" "$CACHE/$name.lock"
      done
      remove_folder "$CACHE/log" "the logs"
      ;;
  esac
}

size_of () { "${AS_ROOT[@]}" du -shx "$1" 2>/dev/null | cut -f 1; }

# Root folders belong to root; a build folder may, where root built.
remove_folder () {
  [ -d "$1" ] || return 0
  say "Removing $2: $1 ($(size_of "$1"))"
  if [ -w "$1" ] && [ -O "$1" ]; then rm -rf --one-file-system "$1"
  else
    need_root "Removing $1" "rm -r '$1'"
    "${AS_ROOT[@]}" rm -rf --one-file-system "$1"
  fi
}
