#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# enter.sh ROOT UID GID GROUPS HOME FOLDER NAME=VALUE… -- COMMAND…: runs COMMAND in the root folder as that user, in FOLDER, in a mount and a
# pid namespace of its own: when it ends, no mount and no process is left. Needs root; dev calls it.
#
# The root folder keeps its own /usr, /etc, /var, /bin, /lib, /run; everything else of the system (/home, /tmp, /mnt, …) is seen at the same
# path, and so is each folder that FOLDER, a value or an argument names below the former.
set -euo pipefail

OWN='^/(bin|sbin|lib[^/]*|usr|etc|var|run|boot|proc|sys|dev)(/|$)'

# see PATH: makes it visible at the same place, where it isn't yet. A folder that the root's own packages have stays the root's.
see () {
  local path=$1 folder file
  while [ ! -e "$path" ]; do path=$(dirname "$path"); done # of what is yet to be made: where it will be
  folder=$path
  [ -d "$path" ] || folder=$(dirname "$path")
  if [[ $folder != / && ! $folder =~ $OWN ]]; then return; fi

  if [ "$folder" != / ] && ! grep -qxF -- "$folder" "$ROOT"/var/lib/dpkg/info/*.list; then
    mkdir -p "$ROOT$folder"
    mountpoint -q "$ROOT$folder" || mount --rbind "$folder" "$ROOT$folder"
  elif [ "$folder" != "$path" ]; then # a file there: it alone, with what belongs to it (model.onnx, model.json)
    for file in "$path" "${path%.*}".*; do
      [ -f "$file" ] || continue
      [ -e "$ROOT$file" ] || touch "$ROOT$file"
      mountpoint -q "$ROOT$file" || mount --bind "$file" "$ROOT$file"
    done
  fi
}

# Inside the namespaces.
if [ "$1" = --inside ]; then
  shift
  ROOT=$1 user=$2 group=$3 groups=$4 home=$5 folder=$6
  shift 6
  variables=()
  while [ "$1" != -- ]; do variables+=("$1"); shift; done
  shift

  for top in /*; do
    [[ ! $top =~ $OWN ]] || continue
    if [ -L "$top" ]; then
      [ -e "$ROOT$top" ] || ln -s "$(readlink "$top")" "$ROOT$top"
    elif [ -d "$top" ]; then
      mkdir -p "$ROOT$top"
      mount --rbind "$top" "$ROOT$top"
    fi
  done
  mount -t proc proc "$ROOT/proc"
  mount --rbind /sys "$ROOT/sys"
  mount --rbind /dev "$ROOT/dev"
  mount -t tmpfs -o mode=1777 tmpfs "$ROOT/dev/shm"
  for argument in "$folder" "${variables[@]#*=}" "$@" "${@#*=}"; do
    [[ $argument = /* ]] || argument=$folder/$argument
    see "$argument"
    see "$(readlink -m -- "$argument")"
  done
  grep -qsxE '[0-9a-f]{32}' "$ROOT/etc/machine-id" || tr -d - </proc/sys/kernel/random/uuid >"$ROOT/etc/machine-id" # D-Bus asks for it
  grep -q "^[^:]*:[^:]*:$user:" "$ROOT/etc/passwd" || echo "user$user:x:$user:$group::$home:/bin/bash" >>"$ROOT/etc/passwd"

  chroot --userspec="+$user:+$group" --groups="$groups" "$ROOT" /usr/bin/env -i --chdir="$folder" --default-signal=INT,QUIT,TERM \
    PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME="$home" LANG=C.UTF-8 "${variables[@]}" "$@"
  exit # with its status; this is the namespace's first process, so all others end with it
fi

# Outside: whatever ends this script ends the namespaces. clean asks for the lock.
exec 8>"$1.use"
flock --shared 8
setpriv --pdeathsig KILL unshare --mount --pid --fork --kill-child --propagation private bash "$0" --inside "$@" <&0 &
inside=$!
trap 'kill -KILL "$inside"; exit 130' INT TERM HUP
wait "$inside"
