#!/bin/sh
# Prints the options with which GCC makes a C program firmware:
#
#     riscv64-unknown-elf-gcc $(firmware/libc/flags.sh) main.c -o main.elf && vhost run main.elf -- arguments
#
#   --arch rv64imac|rv32imac|...  instruction set (rv64imac)
#   --libc picolibc|newlib        C library (picolibc)
#   --newlib DIR                  folder of newlib's include and lib, for a compiler without newlib; makes --libc newlib
#   --mem SIZE                    RAM with code, data, heap and stack, as 16M (16M); a 16th is stack. `vhost run` needs
#                                 the same --mem.
#   --base ADDRESS                its lowest address (0x80000000)
#   --code SIZE                   part of it for code and constants (a quarter)
#   --define MACRO                option of mailbox.h, as MB_CACHE_LINE=64; more than once for several
#   --include FILE                header with the hooks of mailbox.h, included before it
#   --out DIR                     folder of the compiled port (target/libc beside firmware/)
#
# The port is compiled at the first use, and when a file of it has changed. Needs riscv64-unknown-elf-gcc and the library
# (Debian: gcc-riscv64-unknown-elf, picolibc-riscv64-unknown-elf); CC names another compiler.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
arch=rv64imac libc=picolibc newlib= mem=16M base=0x80000000 code= macros= out=$here/../../target/libc
while [ $# -gt 0 ]; do
    case $1 in
    --arch | --libc | --newlib | --mem | --base | --code | --define | --include | --out)
        [ $# -gt 1 ] || { echo "flags.sh: $1 needs a value" >&2 && exit 2; }
        ;;
    *) echo "flags.sh: unknown option $1" >&2 && exit 2 ;;
    esac
    case $1 in
    --arch) arch=$2 ;;
    --libc) libc=$2 ;;
    --newlib) libc=newlib newlib=$2 ;;
    --mem) mem=$2 ;;
    --base) base=$2 ;;
    --code) code=$2 ;;
    --define) macros="$macros -D$2" ;;
    --include) macros="$macros -include $2" ;;
    --out) out=$2 ;;
    esac
    shift 2
done
case $arch in
rv32*d* | rv32g*) abi=ilp32d ;;
rv32*f*) abi=ilp32f ;;
rv32*) abi=ilp32 ;;
rv64*d* | rv64g*) abi=lp64d ;;
rv64*f*) abi=lp64f ;;
rv64*) abi=lp64 ;;
*) echo "flags.sh: --arch is rv32... or rv64..., not $arch" >&2 && exit 2 ;;
esac

# A number of bytes of a size with K, M or G.
bytes() {
    case $1 in
    *[kK]) echo $((${1%?} << 10)) ;;
    *[mM]) echo $((${1%?} << 20)) ;;
    *[gG]) echo $((${1%?} << 30)) ;;
    *) echo $(($1)) ;;
    esac
}
all=$(bytes "$mem")
if [ -n "$code" ]; then part=$(bytes "$code"); else part=$((all / 4)); fi

machine="-march=$arch -mabi=$abi -mcmodel=medany"
case $libc in
picolibc)
    library="--specs=picolibc.specs --crt0=hosted"
    ram=$((base + part + 0x1000))
    # A script that inserts comes before the one that it inserts into.
    place="-Wl,--defsym=__vhost_mailbox=$((base + part)) -Wl,-T,$here/mailbox.ld -T picolibc.ld"
    place="$place -Wl,--defsym=__flash=$base,--defsym=__flash_size=$part"
    place="$place,--defsym=__ram=$ram,--defsym=__ram_size=$((base + all - ram))"
    # The linker script has 2 KiB of stack.
    place="$place,--defsym=__heap_end=$((base + all - all / 16))"
    ;;
newlib)
    library=
    [ -z "$newlib" ] || library="-isystem $newlib/include -B$newlib/lib -L$newlib/lib"
    # Code and data are in one segment, which has no ELF headers. Newer linkers warn of that.
    place=
    if "${CC:-riscv64-unknown-elf-gcc}" -Wl,--help 2>/dev/null | grep -q no-warn-rwx-segments; then
        place="-Wl,--no-warn-rwx-segments "
    fi
    place="$place-Wl,-n,-e,vhost_start,-Ttext-segment=$base,--defsym=__stack_top=$((base + all))"
    ;;
*) echo "flags.sh: --libc is picolibc or newlib, not $libc" >&2 && exit 2 ;;
esac
own="-I $here/include -D_POSIX_TIMERS=1 -D_POSIX_MONOTONIC_CLOCK=1"

# The port, as one object: its streams come before the library's.
key=$(cat "$here"/*.c "$here"/*.h "$here"/include/*.h "$here"/include/sys/*.h "$here/../../mailbox_rs/include/mailbox.h" |
    cksum - | cut -d ' ' -f 1)
# A header with hooks may change as well.
key=$key-$(for word in $macros; do [ ! -f "$word" ] || cat "$word"; echo "$word"; done | cksum - | cut -d ' ' -f 1)
object=$out/$arch-$libc-$key.o
if [ ! -f "$object" ]; then
    mkdir -p "$out"
    work=$(mktemp -d "$out/work.XXXXXX")
    trap 'rm -rf "$work"' EXIT
    for source in "$here"/*.c; do
        # shellcheck disable=SC2086
        "${CC:-riscv64-unknown-elf-gcc}" $machine $library $own $macros -I "$here/../../mailbox_rs/include" \
            -std=gnu11 -O2 -g0 -Wall -Wextra -Wno-array-parameter -ffunction-sections -fdata-sections \
            -c "$source" -o "$work/$(basename "$source" .c).o"
    done
    # shellcheck disable=SC2086
    "${CC:-riscv64-unknown-elf-gcc}" $machine -nostdlib -r "$work"/*.o -o "$work/all.o"
    mv "$work/all.o" "$object"
fi
object=$(cd "$out" && pwd)/$(basename "$object")
echo "$machine $library $own -Wl,--wrap=main $place -Wl,$object"
