# shellcheck shell=bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# install.sh: the release build into the user's own GIMP 3 and ~/.local, and out again. The list of what was installed is the only memory.

installed_list () { printf '%s\n' "${XDG_DATA_HOME:-$OWNER_HOME/.local/share}/fovea/installed-files"; }

verb_install () {
  local prefix=$HOME/.local folder=$BUILD/install log=$BUILD/log/install.log version list OWNER_HOME=$HOME

  # GIMP's own folder carries the version of its program: ~/.config/GIMP/3.0
  version=$("$(find_gimp gimp)" --version | sed -n 's/.* \(3\.[0-9]*\)\..*/\1/p' | head -n 1)
  [ -n "$version" ] || fail "GIMP's version can't be read." "gimp --version should say it."
  local plug_ins=${GIMP3_DIRECTORY:-${XDG_CONFIG_HOME:-$HOME/.config}/GIMP/$version}/plug-ins

  # shellcheck disable=SC2034 # build_options reads it
  INSTALL_OPTIONS=(--buildtype=release -Dtests=false -Dplugin=enabled --prefix="$prefix" -Dplugin-dir="$plug_ins")
  build install
  list=$(installed_list)
  [ ! -f "$list" ] || remove_installed "$list" # an older one may have had other files
  if ! step "Installing" "$log" meson install -C "$folder" --no-rebuild; then
    show_log "$log" 'ERROR|denied'
    fail "the installation failed; the whole log is $log"
  fi
  mkdir -p "$(dirname "$list")"
  grep -v '^#' "$folder/meson-logs/install-log.txt" >"$list"
  say "The plug-in: $plug_ins/fovea   (GIMP has it after its next start: Filters ▸ Fovea ▸ Classify…)"
  say "The command: $prefix/bin/fovea"
  case :$PATH: in *:$prefix/bin:*) ;; *) say "             $prefix/bin isn't in PATH yet: log in again, or add it." ;; esac
  say "./dev uninstall takes it all away again."
}

verb_uninstall () {
  local list
  list=$(installed_list)
  [ -f "$list" ] || fail "nothing is installed (there is no $list)."
  remove_installed "$list"
  rm -f "$list"
  rmdir --ignore-fail-on-non-empty "$(dirname "$list")" 2>/dev/null || true
  say "Your models and GIMP's settings stay."
}

# remove_installed LIST: the files, then the folders that were made for them where nothing else is in them now.
remove_installed () {
  local file n=0
  while read -r file; do
    if [ -d "$file" ] && [ ! -L "$file" ]; then rmdir --ignore-fail-on-non-empty "$file"
    elif [ -e "$file" ] || [ -L "$file" ]; then rm -f "$file"; n=$((n + 1))
    fi
  done <"$1"
  say "Removed $n files of the installed Fovea."
}
