# SPDX-License-Identifier: GPL-3.0-or-later
# bash completion for fovea: verbs, each verb's options (from the command itself), installed models, files.

_fovea()
{
  local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} fovea=${COMP_WORDS[0]} verb=${COMP_WORDS[1]} models=
  COMPREPLY=()

  if [ "$COMP_CWORD" -eq 1 ]; then
    mapfile -t COMPREPLY < <(compgen -W "$("$fovea" --list-verbs 2>/dev/null) --help --version" -- "$word")
    return
  fi
  case $word in
    -*)
      mapfile -t COMPREPLY < <(compgen -W "$("$fovea" "$verb" --list-options 2>/dev/null)" -- "$word")
      return ;;
  esac
  [ "$verb" != self-test ] || return
  # The first plain word after the verb is a model; installed ones have names.
  if [ "$previous" = "$verb" ] && [ "$verb" != conformance ]; then
    models=$("$fovea" --list-models 2>/dev/null)
  fi
  compopt -o filenames 2>/dev/null
  mapfile -t COMPREPLY < <(compgen -W "$models" -- "$word"; compgen -f -- "$word")
}
complete -F _fovea fovea
