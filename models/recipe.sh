# shellcheck shell=bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# recipe.sh: what the recipes share. `read_arguments "$@"` sets DATA (a folder with manifest.jsonl), WORK (where training goes on when it is called again),
# FOVEA (the command), PHOTOS_ONLY, TEACHER and BEGUN (models, or nothing) and SMOKE (yes: a few photos, a minute, only to see that everything fits together).
set -euo pipefail

HERE=$(cd "$(dirname "$(readlink -f "$0")")" && pwd)
NAME=$(basename "$HERE")

# The kinds of Caltech 101 that no built-in model learns: README.md in models/.
KEPT_OUT_KINDS='bonsai|brain|buddha|chandelier|ewer|hawksbill|kangaroo|ketch|menorah|revolver|scorpion|starfish'
KEPT_OUT="\"src\": \"(trashnet|aquarium)\"|\"src\": \"caltech101\", \"labels\": \"($KEPT_OUT_KINDS)\""

usage () {
  cat >&2 <<TEXT
Trains the model $NAME anew and writes it to models/$NAME/model.onnx. Killed or stopped, it goes on from there when it is called again.

  models/$NAME/recipe [--smoke | --photos-only] [--fovea COMMAND] [--teacher MODEL] [--begun MODEL] [--work FOLDER] PHOTOS

  PHOTOS         the folder with manifest.jsonl
  --smoke        a few photos, a minute; the model that comes out is left in the work folder
  --photos-only  only lays the chosen photos out in the work folder: data/, for fovea evaluate
  --fovea        the command (fovea)
  --teacher      a classifier to learn from beside the labels: the card says which one it was
  --begun        go on from this model (twin/learn.py trains one on a GPU): only the last stage is left
  --work         where the training keeps its state (PHOTOS is never written to; ~/.cache/fovea/training/$NAME)
TEXT
  exit 2
}

read_arguments () {
  DATA='' PHOTOS_ONLY='' FOVEA=fovea TEACHER='' BEGUN='' SMOKE='' WORK=${XDG_CACHE_HOME:-$HOME/.cache}/fovea/training/$NAME
  while (($#)); do
    case $1 in
      --smoke) SMOKE=yes ;;
      --photos-only) PHOTOS_ONLY=yes ;;
      --fovea) FOVEA=$2; shift ;;
      --teacher) TEACHER=$2; shift ;;
      --begun) BEGUN=$(realpath "$2"); shift ;;
      --work) WORK=$2; shift ;;
      -*) usage ;;
      *) DATA=$1 ;;
    esac
    shift
  done
  [ -f "$DATA/manifest.jsonl" ] || usage
  DATA=$(realpath "$DATA")
  mkdir -p "$WORK"
}

# choose_photos FOLDER: a data folder of links whose rows come from standard input; in a smoke run one in 60 of them.
choose_photos () {
  mkdir -p "$1"
  ln -sfn "$DATA/img" "$1/img"
  ln -sfn "$DATA/mask" "$1/mask"
  if [ "$SMOKE" ]; then awk 'NR % 60 == 1'; else cat; fi >"$1/manifest.jsonl"
}

# choose_backgrounds FOLDER: photos that show no subject, to paste subjects on.
choose_backgrounds () {
  local file
  mkdir -p "$1"
  sed -nE 's/^\{"file": "(img\/(weather\/[^"]*|caltech101\/BACKGROUND_Google[^"]*))".*"split": "train".*/\1/p' "$DATA/manifest.jsonl" | while read -r file; do
    ln -sfn "$DATA/$file" "$1/${file//\//-}"
  done
}

# deliver FILE: the trained model takes its place in the project.
deliver () {
  if [ "$SMOKE" ]; then
    echo "$1"
  else
    cp "$1" "$HERE/model.onnx.part"
    mv "$HERE/model.onnx.part" "$HERE/model.onnx"
    echo "$HERE/model.onnx"
  fi
}
