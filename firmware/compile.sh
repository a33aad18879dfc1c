#!/bin/sh
# Compiles one firmware image: firmware/compile.sh rv32|rv64 IMAGE SOURCE-OR-OPTION... Sources are
# in C, or in C++ without a library if one of them is a .cpp. The start-up code and the linker
# script are those of this folder; -Wl,--defsym=RAM_BASE=... and the like (see link.ld) set the
# image's address. Needs clang and lld (Debian: apt-get install clang lld); CLANG names another
# clang.
set -eu
width=$1 image=$2
shift 2
case $width in
rv32) machine="--target=riscv32 -march=rv32im -mabi=ilp32" ;;
rv64) machine="--target=riscv64 -march=rv64im -mabi=lp64" ;;
*) echo "compile.sh: rv32 or rv64, not $width" >&2 && exit 2 ;;
esac
case " $* " in
*".cpp "*) language="-std=c++11 -fno-exceptions -fno-rtti -fno-threadsafe-statics" ;;
*) language=-std=c99 ;;
esac
here=$(dirname "$0")
# shellcheck disable=SC2086
exec "${CLANG:-clang}" $machine -mcmodel=medany \
    $language -Os -Wall -Wextra -Werror -ffreestanding -ffunction-sections -fdata-sections \
    -I "$here" -I "$here/../mailbox_rs/include" \
    -nostdlib -static -fuse-ld=lld "-Wl,-T,$here/link.ld,--nmagic,--gc-sections,--strip-debug" \
    "$here/crt0.S" "$@" "$here/memory.S" -o "$image"
