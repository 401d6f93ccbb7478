#!/bin/sh
# Makes the mp3 files in this directory, with sox and lame. They are kept, so that the tests need
# neither: chirps and noise from a formula, nobody's music.
set -e
cd "$(dirname "$0")"
make() { # NAME RATE CHANNELS LAME-OPTION...
  name=$1 rate=$2 channels=$3
  shift 3
  sox -R -n -r "$rate" -c "$channels" -b 16 "/tmp/$name.wav" synth "$seconds" \
    sine 60-3000 pinknoise amod 3 gain -6 2>/dev/null
  lame --quiet "$@" "/tmp/$name.wav" "$name.mp3"
  rm "/tmp/$name.wav"
}
seconds=6.1
make cbr44 44100 2 -b 96 --resample 44.1
make vbr48 48000 2 -V 6 --resample 48
make mono22 22050 1 -b 64
make low8 8000 2 -b 24
# The rates that remain, shorter.
seconds=1.5
make rate11 11025 1 -b 40
make rate12 12000 2 -b 48
make rate16 16000 2 -V 7 --resample 16
make rate24 24000 1 -b 64
make rate32 32000 2 -b 80 --resample 32
