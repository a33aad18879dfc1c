#!/bin/sh
# Builds the firmware images: firmware/build.sh [DIRECTORY]. The default directory is that of this
# file.
set -eu
mkdir -p "${1:-.}"
out=$(cd "${1:-$(dirname "$0")}" && pwd)
# The images contain names of sources, by __FILE__: relative names are the same on every machine.
cd "$(dirname "$0")"

for width in rv32 rv64; do
    ./compile.sh $width "$out/selftest-$width.elf" selftest.c -Wl,--strip-all
done
