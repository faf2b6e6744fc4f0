# shellcheck shell=bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# place.sh: where Fovea is built and run (PLACE: "system", or the suite of a Debian root folder), and the packages there.

# What is installed for what. One name must do for Debian 13, Debian testing and Ubuntu. Why each is needed is in CONTRIBUTING.md.
declare -A PACKAGES=(
  [build]='gcc libc6-dev meson ninja-build pkgconf gettext
           libglib2.0-dev libjson-glib-dev libyaml-dev libpotrace-dev libprotobuf-c-dev protobuf-c-compiler protobuf-compiler
           libgdk-pixbuf-2.0-dev libjpeg-dev libgexiv2-dev libgimp-3.0-dev libsoup-3.0-dev webp-pixbuf-loader'
  [run]='gimp'
  [window]='adwaita-icon-theme dbus-x11'
  [install]='gimp'
  [bench]='g++ libonnxruntime-dev libopencv-dev python3-torch python3-torchvision python3-onnx python3-numpy libopenblas0-openmp'
  [test]='libonnx-testdata python3-onnxruntime python3-onnx python3-numpy python3-pil
          clang llvm libclang-rt-dev valgrind qemu-user gcc-aarch64-linux-gnu libc6-dev-arm64-cross
          xvfb openbox xdotool dbus dbus-x11 at-spi2-core python3-pyatspi python3-gi imagemagick adwaita-icon-theme gnome-themes-extra
          libimage-exiftool-perl locales appstream parallel snakemake bash-completion shellcheck clang-format'
)
HOST_PACKAGES='mmdebstrap debian-archive-keyring mount' # what making a root folder takes

# The user whom the results belong to (whoever typed sudo, if it was that), their cache, and how to become root.
find_user () {
  OWNER=$(id -u) GROUP=$(id -g) GROUPS_OF_OWNER=$(id -G | tr ' ' ,) OWNER_HOME=$HOME
  AS_ROOT=()
  if [ "$(id -u)" = 0 ] && [ "${SUDO_UID:-0}" != 0 ]; then
    OWNER=$SUDO_UID GROUP=$SUDO_GID GROUPS_OF_OWNER=$(id -G "$SUDO_USER" | tr ' ' ,)
    OWNER_HOME=$(getent passwd "$SUDO_UID" | cut -d: -f6)
    unset XDG_CACHE_HOME # root's
  elif [ "$(id -u)" != 0 ]; then
    AS_ROOT=(sudo)
  fi
  CACHE=${XDG_CACHE_HOME:-$OWNER_HOME/.cache}/fovea
}

# as_owner COMMAND…: what makes files, when we are root for somebody else.
as_owner () {
  if [ "$OWNER" = "$(id -u)" ]; then "$@"
  else setpriv --reuid="$OWNER" --regid="$GROUP" --groups="$GROUPS_OF_OWNER" env HOME="$OWNER_HOME" "$@"
  fi
}

# need_root WHY COMMAND: stops, with the command for an administrator, where we can't become root.
need_root () {
  ((${#AS_ROOT[@]})) || return 0
  command -v sudo >/dev/null || fail "$1 needs root, and there is no sudo here." "As root, once: $2" "Then the same ./dev again."
  sudo -n true 2>/dev/null && return
  say "$1 needs root: sudo asks for your password."
  sudo -v || fail "$1 needs root, and sudo refused." "An administrator, once: $2"
}

# choose_place SUITE VERB: sets PLACE.
choose_place () {
  local ID='' VERSION_ID='' VERSION_CODENAME='' has_gimp3=no
  # shellcheck source=/dev/null
  [ ! -r /etc/os-release ] || eval "$(grep -E '^(ID|VERSION_ID|VERSION_CODENAME)=' /etc/os-release)"

  case $ID in
    debian) [ -z "$VERSION_ID" ] || ((${VERSION_ID%%.*} >= 13)) && has_gimp3=yes ;; # testing and sid have no number
    ubuntu) [ "$(printf '%s\n' 25.04 "$VERSION_ID" | sort -V | head -n 1)" = 25.04 ] && has_gimp3=yes ;;
    *)      { pkg-config --exists gimp-3.0 || apt-cache show libgimp-3.0-dev; } >/dev/null 2>&1 && has_gimp3=yes ;;
  esac
  if [ -n "$1" ] && [ "$1" != "$VERSION_CODENAME" ]; then PLACE=$1
  elif [ $has_gimp3 = yes ]; then PLACE=system
  else PLACE=trixie
  fi
  MIRROR=$(find_mirror "$ID" "$VERSION_CODENAME")
  # This system's way to the mirror holds for the root folder too. The Release file of Debian testing may be past its date.
  mapfile -t APT_OPTIONS < <(apt-config dump 2>/dev/null |
    sed -nE 's/^(Acquire::(https?::Proxy|Retries|Check-Valid-Until|Check-Date)) "(.+)";$/\1=\3/p')
  [ "$PLACE" != forky ] || APT_OPTIONS+=(Acquire::Check-Valid-Until=false)

  if [ "$2" = install ] && [ "$PLACE" != system ]; then
    fail "there is no GIMP 3 on this system to install the plug-in for (its packages are older)." \
         "Try it here with ./dev run, or install GIMP 3 (Debian 13, Ubuntu 25.04 or later have it)."
  fi
}

# The mirror that this system takes Debian from, or Debian's own.
find_mirror () {
  local mirror=''
  if [ "$1" = debian ]; then
    # shellcheck disable=SC2016 # apt's own variables
    mirror=$(apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 2>/dev/null |
             awk -v release="$2" '$1 ~ /^https?:/ && $2 == release && $3 == "main" { print $1; exit }') || true
  fi
  printf '%s\n' "${mirror:-http://deb.debian.org/debian}"
}

# missing_of DPKG_FOLDER SET…: the packages of the sets that aren't installed there.
missing_of () {
  local folder=$1 name names=()
  shift
  for name; do
    # shellcheck disable=SC2206 # the table's names are words
    names+=(${PACKAGES[$name]})
  done
  comm -13 <(dpkg-query --admindir="$folder" -W -f '${db:Status-Status} ${Package}\n' 2>/dev/null | sed -n 's/^installed //p' | sort -u) \
           <(printf '%s\n' "${names[@]}" | sort -u)
}

# prepare_place SET…: sees to the packages there, and to the root folder first where PLACE is one.
prepare_place () {
  local missing
  if [ "$PLACE" = system ]; then
    ROOT='' ADMIN=/var/lib/dpkg IN_ROOT=()
    if ! command -v apt-get >/dev/null; then
      say "This system has no apt: the packages that CONTRIBUTING.md lists are taken as installed."
      return
    fi
  else
    ROOT=$CACHE/root-$PLACE ADMIN=$ROOT/var/lib/dpkg
    as_owner mkdir -p "$CACHE/log"
    need_root "Working in a Debian $PLACE folder" "apt-get install sudo, and a sudo right for $(id -un)"
    [ -d "$ADMIN" ] || make_root "$@"
    # shellcheck disable=SC2016 # the inner shell's own
    # Programs of the root run in namespaces of their own: nothing of theirs stays behind.
    IN_ROOT=(setpriv --pdeathsig KILL unshare --mount --pid --fork --kill-child --propagation private
             sh -c 'mount -t proc proc "$1/proc" && mount --rbind /dev "$1/dev" && { cp -L /etc/resolv.conf "$1/etc/resolv.conf" || true; } && exec chroot "$@"'
             sh "$ROOT")
  fi
  mapfile -t missing < <(missing_of "$ADMIN" "$@")
  ((${#missing[@]} == 0)) || install_packages "${missing[@]}"
}

make_root () {
  local log=$CACHE/log/root-$PLACE.log part packages options

  install_host_packages
  hold "$CACHE/root-$PLACE.lock" "making the Debian $PLACE folder"
  if [ -d "$ADMIN" ]; then release; return; fi # it did
  say "Fovea needs GIMP 3: making a Debian $PLACE folder for it, once, in $ROOT"
  "${AS_ROOT[@]}" rm -rf --one-file-system "$ROOT".part-* # of a run that was cut off
  part=$(as_owner mktemp -d "$ROOT.part-XXXXXX")
  packages=$(missing_of /nonexistent "$@" | paste -sd,)
  mapfile -t options < <(printf '%s\n' "${APT_OPTIONS[@]}" | sed -nE 's/^([^=]+)=(.*)$/--aptopt=\1 "\2"/p')
  if ! step "Making the Debian $PLACE folder" "$log" \
       "${AS_ROOT[@]}" setpriv --pdeathsig KILL unshare --mount --pid --fork --kill-child --mount-proc --propagation private \
       mmdebstrap --variant=minbase --include="$packages" --dpkgopt='force-unsafe-io' --dpkgopt='path-exclude=/usr/share/man/*' \
         "${options[@]}" --skip=cleanup/apt/lists "$PLACE" "$part" "$MIRROR"; then
    "${AS_ROOT[@]}" rm -rf --one-file-system "$part"
    show_log "$log" '^E: |Err:|error|Operation not permitted'
    fail "the Debian $PLACE folder could not be made; the whole log is $log" \
         "No network, or a full disk? Then the same ./dev again." \
         "\"Operation not permitted\" in a container: it must be a privileged one, or one of Debian 13."
  fi
  "${AS_ROOT[@]}" chmod 755 "$part"
  sync --file-system "$part"
  "${AS_ROOT[@]}" mv -T "$part" "$ROOT" # whole, or not there
  release
}

# What making a root takes, from this system's own packages.
install_host_packages () {
  local missing
  # shellcheck disable=SC2086 # words
  mapfile -t missing < <(PACKAGES[host]=$HOST_PACKAGES; missing_of /var/lib/dpkg host)
  ((${#missing[@]})) || return 0
  command -v apt-get >/dev/null ||
    fail "making a Debian folder takes mmdebstrap, and this system has no apt to install it." "Install mmdebstrap and debian-archive-keyring by hand."
  local ROOT='' IN_ROOT=()
  install_packages "${missing[@]}"
}

# install_packages NAME…: on the system, or into the root folder, which grows.
install_packages () {
  local where="this system" log=$CACHE/log/apt-system.log lock=$CACHE/apt-system.lock
  local apt=("${AS_ROOT[@]}" "${IN_ROOT[@]}" env DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 apt-get -y -q "${APT_OPTIONS[@]/#/-o}")

  as_owner mkdir -p "$CACHE/log"
  if [ -n "$ROOT" ]; then where="the Debian $PLACE folder" log=$CACHE/log/apt-$PLACE.log lock=$CACHE/root-$PLACE.lock; apt+=(-oAPT::Keep-Downloaded-Packages=false); fi
  need_root "Installing packages" "apt-get install $*"
  hold "$lock" "installing packages"
  say "Missing on $where: $*"

  # What a cut in the middle of dpkg left is mended first; lists that are absent or old are fetched anew.
  "${AS_ROOT[@]}" "${IN_ROOT[@]}" dpkg --configure -a >"$log" 2>&1 || true
  if ! "${apt[@]}" install --simulate --no-install-recommends "$@" >/dev/null 2>&1 ||
     ! step "Installing $# packages on $where" "$log" "${apt[@]}" install --no-install-recommends "$@"; then
    if ! step "Fetching the lists of packages" "$log" "${apt[@]}" update; then
      show_log "$log" '^(E|W|Err):'
      fail "the lists of packages could not be fetched; the log is $log" "Is there a network? Then the same ./dev again."
    fi
    if ! step "Installing $# packages on $where" "$log" "${apt[@]}" --fix-broken install --no-install-recommends "$@"; then
      show_log "$log" '^E: |Depends|Conflicts'
      fail "these packages could not be installed; the whole log is $log" "By hand: apt-get install $*"
    fi
  fi
  release
}

# go_there VERB ARGUMENT…: the verb itself, in its place, as the owner; ends dev.
go_there () {
  local variables=("FOVEA_DEV_PLACE=$PLACE" "FOVEA_DEV_CACHE=$CACHE") name

  if [ "$PLACE" = system ]; then
    export "${variables[@]}"
    [ "$OWNER" != "$(id -u)" ] || exec "$REPO/dev" "$@"
    exec setpriv --reuid="$OWNER" --regid="$GROUP" --groups="$GROUPS_OF_OWNER" env HOME="$OWNER_HOME" "$REPO/dev" "$@"
  fi

  for name in "${!FOVEA_@}" TERM CI DISPLAY WAYLAND_DISPLAY XAUTHORITY XDG_RUNTIME_DIR MESON_TESTTHREADS; do
    [[ -z ${!name:-} || $name = FOVEA_DEV_* ]] || variables+=("$name=${!name}")
  done
  exec "${AS_ROOT[@]}" bash "$REPO/tools/dev/enter.sh" "$ROOT" "$OWNER" "$GROUP" "$GROUPS_OF_OWNER" "$OWNER_HOME" "$PWD" \
    "${variables[@]}" -- "$REPO/dev" "$@"
}
