#!/bin/sh
# Compiles newlib from Debian's source for one instruction set, since Debian has no package of
# newlib for RISC-V. Usage: xtask/build-newlib.sh ARCH FOLDER creates FOLDER/newlib/ARCH with
# `include` and `lib`, or fails. It takes about a minute.
set -eu
arch=$1
mkdir -p "$2/newlib"
folder=$(cd "$2" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
[ ! -d "$folder/newlib/$arch" ] || exit 0
case $arch in
rv32*) abi=ilp32 ;;
*) abi=lp64 ;;
esac
sh "$here/fetch-source.sh" newlib "$folder/source"
work=$(mktemp -d "$folder/newlib/work.XXXXXX")
trap 'rm -rf "$work"' EXIT
mkdir "$work/build"
cd "$work/build"
run() {
    "$@" >>../log 2>&1 || { tail -n 20 ../log >&2 && exit 1; }
}
run "$folder/source/newlib/configure" --target=riscv64-unknown-elf --prefix="$work/to" --disable-multilib \
    --enable-newlib-io-long-long --enable-newlib-io-c99-formats \
    CC_FOR_TARGET="riscv64-unknown-elf-gcc -march=$arch -mabi=$abi -mcmodel=medany" \
    CFLAGS_FOR_TARGET="-O2 -g0 -ffunction-sections -fdata-sections -w"
run make -j2 MAKEINFO=true all-target-newlib all-target-libgloss
run make MAKEINFO=true install-target-newlib install-target-libgloss
mv "$work/to/riscv64-unknown-elf" "$folder/newlib/$arch"
