#!/bin/sh
# Builds the firmware images: firmware/build.sh [DIRECTORY]. They go beside this file unless told otherwise.
set -eu
mkdir -p "${1:-.}"
out=$(cd "${1:-$(dirname "$0")}" && pwd)
# Names of sources are in the images, by __FILE__: relative ones are the same on every machine.
cd "$(dirname "$0")"

for width in rv32 rv64; do
    ./compile.sh $width "$out/selftest-$width.elf" selftest.c -Wl,--strip-all
done
