#!/bin/sh
# Builds the firmware images: firmware/build.sh [DIRECTORY]. They go beside this file unless told otherwise.
# Needs clang and lld (Debian: apt-get install clang lld); CLANG names another clang.
set -eu
mkdir -p "${1:-.}"
out=$(cd "${1:-$(dirname "$0")}" && pwd)
# Names of sources are in the images, by __FILE__: relative ones are the same on every machine.
cd "$(dirname "$0")"

build() { # image target march mabi source...
    image=$1 target=$2 march=$3 mabi=$4
    shift 4
    "${CLANG:-clang}" --target="$target" -march="$march" -mabi="$mabi" -mcmodel=medany \
        -std=c99 -Os -Wall -Wextra -Werror -ffreestanding -ffunction-sections -fdata-sections \
        -I ../mailbox_rs/include \
        -nostdlib -static -fuse-ld=lld -Wl,-T,link.ld,--nmagic,--gc-sections,--strip-all \
        crt0.S "$@" -o "$out/$image"
}

build selftest-rv32.elf riscv32 rv32im ilp32 selftest.c
build selftest-rv64.elf riscv64 rv64im lp64 selftest.c
