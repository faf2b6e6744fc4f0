# shellcheck shell=bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# bench.sh: Fovea beside the engines that its users could have instead: their programs (bench/peers), the networks (bench/networks.py), the run
# (bench/bench.py, or with --train bench/train.py; they look at the arguments). ncnn takes part where FOVEA_NCNN names the program, see bench/README.md.

verb_bench () {
  local peers=$BUILD/peers networks=$BUILD/networks program=bench.py models=() arguments=() argument
  # Where it only has to say what is wrong, or how it is used, nothing is built for it.
  for argument; do
    case $argument in
      -h | --help) exec python3 "$REPO/bench/$program" --help ;;
      --train) program=train.py networks=$BUILD/networks/train ;;
      *) arguments+=("$argument") ;;
    esac
  done
  build release
  hold "$BUILD/bench.lock" "measuring here"
  build_peers "$peers"
  if [ "$program" = train.py ]; then
    write_networks --train "$networks"
  else
    mapfile -t models < <(find "$REPO/models" -name model.onnx | sort)
    write_networks "$networks"
    ((${#models[@]} == 0)) || python3 "$REPO/bench/networks.py" "$networks" "${models[@]}"
  fi
  python3 "$REPO/bench/$program" --peers "$peers" --networks "$networks" "${arguments[@]}"
}

# write_networks ARGUMENT…: those of networks.py.
write_networks () {
  step "Writing the networks" "$BUILD/log/networks.log" nice -n 5 python3 "$REPO/bench/networks.py" "$@" ||
    { show_log "$BUILD/log/networks.log" 'Error'; fail "the networks could not be written; the whole log is $BUILD/log/networks.log"; }
}

# build_peers FOLDER: the programs in bench/peers that are older than what they are made of.
build_peers () {
  local engine=$BUILD/release/engine/libfovea-engine.a source=$REPO/bench/peers glib opencv
  read -ra glib < <(pkg-config --cflags --libs gio-2.0 json-glib-1.0 libprotobuf-c)
  opencv=$(find /usr/include -maxdepth 1 -name 'opencv4' | head -n 1)
  mkdir -p "$1"
  compile_peer "$1/fovea" "$engine" gcc -O2 "$source/fovea.c" -I"$REPO/engine" "$engine" "${glib[@]}" -lm -lpthread
  compile_peer "$1/onnxruntime" "$source/onnxruntime.cc" g++ -O2 "$source/onnxruntime.cc" -I/usr/include/onnxruntime -lonnxruntime
  compile_peer "$1/opencv" "$source/opencv.cc" g++ -O2 "$source/opencv.cc" -I"$opencv" -lopencv_dnn -lopencv_core
  compile_peer "$1/train-fovea" "$engine" gcc -O2 "$source/train-fovea.c" -I"$REPO/engine" "$engine" "${glib[@]}" -lm -lpthread
  ln -sf "$source/pytorch.py" "$1/pytorch"
  ln -sf "$source/train-pytorch.py" "$1/train-pytorch"
  rm -f "$1/ncnn"
  [ -z "${FOVEA_NCNN:-}" ] || ln -s "$(realpath "$FOVEA_NCNN")" "$1/ncnn"
}

# compile_peer PROGRAM SOURCE COMMAND…
compile_peer () {
  local program=$1 log=$BUILD/log/peers.log source=$REPO/bench/peers
  if [ -x "$program" ] && [ -z "$(find "$2" "$source/harness.h" "$source/$(basename "$program")".c* -newer "$program")" ]; then return; fi
  shift 2
  step "Building bench/peers/$(basename "$program")" "$log" "$@" -o "$program" || build_failed "$log"
}
