#!/bin/sh
# Prints the options of GCC that compile a C program as firmware:
#
#     riscv64-unknown-elf-gcc $(firmware/libc/flags.sh) main.c -o main.elf && vhost run main.elf -- arguments
#
#   --arch rv64imac|rv32imac|...  instruction set (rv64imac) --libc picolibc|newlib        C library
#   (picolibc) --newlib DIR                  folder of newlib's include and lib, for a compiler
#   without newlib; makes --libc newlib --mem SIZE                    RAM with code, data, heap and
#   stack, as 16M (16M). `vhost run` needs the same --mem. --stack SIZE                  part of it
#   for the stack (a 16th); a guard of a 16th of the stack is below it --base ADDRESS
#   its lowest address (0x80000000) --code SIZE                   part of it for code and constants
#   (a quarter) --define MACRO                option of mailbox.h, as MB_CACHE_LINE=64; more than
#   once for several --include FILE                header with the hooks of mailbox.h, included
#   before it --out DIR                     folder of the compiled port (target/libc beside
#   firmware/) --response FILE               write the options to this file and print @FILE, which
#   GCC reads: for paths with spaces
#
# The port is compiled at the first use, and after a change of its files. Needs
# riscv64-unknown-elf-gcc and the library (Debian: gcc-riscv64-unknown-elf,
# picolibc-riscv64-unknown-elf); CC names another compiler.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
gcc=${CC:-riscv64-unknown-elf-gcc}
arch=rv64imac libc=picolibc newlib='' mem=16M stack='' base=0x80000000 code='' macros='' response='' out=$here/../../target/libc

fail() {
    echo "flags.sh: $1" >&2
    exit 2
}

# Prints a word in quotes, for `eval`.
quoted() {
    printf " '%s'" "$(printf '%s\n' "$1" | sed "s/'/'\\\\''/g")"
}

while [ $# -gt 0 ]; do
    case $1 in
    --help | -h)
        sed -n '/^#   --/s/^#   //p' "$0"
        exit 0
        ;;
    --arch | --libc | --newlib | --mem | --stack | --base | --code | --define | --include | --out | --response)
        [ $# -gt 1 ] || fail "$1 needs a value"
        ;;
    *) fail "unknown option $1" ;;
    esac
    case $1 in
    --arch) arch=$2 ;;
    --libc) libc=$2 ;;
    --newlib) libc=newlib newlib=$2 ;;
    --mem) mem=$2 ;;
    --stack) stack=$2 && [ -n "$2" ] || fail "--stack is to be a size, as 64K or 1M, and is empty" ;;
    --base) base=$2 ;;
    --code) code=$2 && [ -n "$2" ] || fail "--code is to be a size, as 64K or 1M, and is empty" ;;
    --define) macros="$macros$(quoted "-D$2")" ;;
    --include) macros="$macros -include$(quoted "$2")" ;;
    --out) out=$2 ;;
    --response) response=$2 && [ -n "$2" ] || fail "--response is to be the name of a file, and is empty" ;;
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
*) fail "--arch is rv32... or rv64..., not $arch" ;;
esac

# Sets `number` to the value of a text with at most 15 digits, decimal or 0x and hexadecimal.
parse() {
    case $1 in
    0[xX]?*)
        number=${1#0[xX]}
        case $number in *[!0-9a-fA-F]*) return 1 ;; esac
        [ ${#number} -le 15 ] || return 1
        number=$((0x$number))
        ;;
    '' | *[!0-9]* | 0?*) return 1 ;;
    *)
        [ ${#1} -le 15 ] || return 1
        number=$1
        ;;
    esac
}

# Sets `number` to the bytes of a size option: a number, optionally with K, M or G.
size() {
    text=${2%iB} shift=0
    case $text in
    *[kK]) shift=10 ;;
    *[mM]) shift=20 ;;
    *[gG]) shift=30 ;;
    *) text=$2 ;;
    esac
    [ $shift -eq 0 ] || text=${text%?}
    if ! parse "$text" || [ $number -eq 0 ] || [ $number -ge $((1 << (46 - shift))) ]; then
        fail "$1 is to be a size, as 64K, 16M, 1G or 0x10000, not \`$2\`"
    fi
    number=$((number << shift))
}

parse "$base" || fail "--base is to be an address, as 0x80000000, not \`$base\`"
base=$number
size --mem "$mem"
all=$number
stack_bytes=$((all / 16 / 16 * 16))
[ -z "$stack" ] || { size --stack "$stack" && stack_bytes=$((number / 16 * 16)); }
part=$((all / 4))
[ -z "$code" ] || { size --code "$code" && part=$number; }
guard=$((stack_bytes / 16 / 16 * 16))
# Size of the mailbox, with the largest cache line.
mailbox=4096
needed=$((part + mailbox + stack_bytes + guard + 16 + 4096))
[ $stack_bytes -ge 1024 ] || fail "--stack of $stack_bytes bytes is too small: give --stack 1K or more, or a larger --mem"
[ $all -ge $needed ] ||
    fail "--mem $mem is too small for $part bytes of code, $stack_bytes of stack and 8 KiB: give --mem $needed or more, or a smaller --stack or --code"
case $arch in
rv32*)
    [ $((base + all)) -le 4294967296 ] || fail "--mem $mem from $(printf 0x%x "$base") passes the last address of a CPU of 32 bits: give a smaller --mem or --base"
    ;;
esac
top=$((base + all / 16 * 16))
limit=$((top - stack_bytes))
canary=$((limit - guard - 16))

# Options as words of the shell.
set -- "-march=$arch" "-mabi=$abi" -mcmodel=medany
place="-Wl,--defsym=__vhost_stack_limit=$limit,--defsym=__vhost_guard=$((limit - guard)),--defsym=__vhost_canary=$canary"
case $libc in
picolibc)
    library="--specs=picolibc.specs --crt0=hosted"
    ram=$((base + part + mailbox))
    # A script with INSERT must precede the script that it modifies.
    place="$place -Wl,--defsym=__vhost_mailbox=$((base + part))$(quoted "-Wl,-T,$here/mailbox.ld") -T picolibc.ld"
    place="$place -Wl,--defsym=__flash=$base,--defsym=__flash_size=$part"
    # The linker script expects the stack at the end of the RAM, with 2 KiB.
    place="$place,--defsym=__ram=$ram,--defsym=__ram_size=$((top - ram)),--defsym=__heap_end=$canary"
    ;;
newlib)
    [ -z "$newlib" ] || [ -f "$newlib/include/stdio.h" ] ||
        fail "--newlib $newlib has no include/stdio.h: name the folder that xtask/build-newlib.sh has made, as DIR/newlib/$arch"
    [ -n "$newlib" ] || echo '#include <stdio.h>' | "$gcc" -E - >/dev/null 2>&1 ||
        fail "$gcc has no newlib: compile one by xtask/build-newlib.sh, and give --newlib DIR/newlib/$arch"
    library=
    [ -z "$newlib" ] || library="-isystem$(quoted "$newlib/include") $(quoted "-B$newlib/lib")$(quoted "-L$newlib/lib")"
    # Code and data share a segment, without ELF headers. Newer linkers warn about it.
    if "$gcc" -Wl,--help 2>/dev/null | grep -q no-warn-rwx-segments; then
        place="$place -Wl,--no-warn-rwx-segments"
    fi
    place="$place -Wl,-n,-e,vhost_start,-Ttext-segment=$(printf 0x%x "$base"),--defsym=__stack_top=$top"
    ;;
*) fail "--libc is picolibc or newlib, not $libc" ;;
esac
eval "set -- \"\$@\" $library"
set -- "$@" -I "$here/include" -D_POSIX_TIMERS=1 -D_POSIX_MONOTONIC_CLOCK=1

# The port is one object, so that its streams precede the library's.
key=$(cat "$here"/*.c "$here"/*.h "$here"/include/*.h "$here"/include/sys/*.h "$here/../../mailbox_rs/include/mailbox.h" |
    cksum - | cut -d ' ' -f 1)
# A header with hooks may change as well.
headers() {
    for word in "$@"; do
        [ ! -f "$word" ] || cat "$word"
        echo "$word"
    done
}
key=$key-$({ eval "headers $macros" && echo "$gcc $newlib"; } | cksum - | cut -d ' ' -f 1)
object=$out/$arch-$libc-$key.o
if [ ! -f "$object" ]; then
    mkdir -p "$out"
    work=$(mktemp -d "$out/work.XXXXXX")
    trap 'rm -rf "$work"' EXIT
    for source in "$here"/*.c; do
        eval "\"\$gcc\" \"\$@\" $macros"' -I "$here/../../mailbox_rs/include" -std=gnu11 -O2 -g0 -Wall -Wextra \
            -Wno-array-parameter -ffunction-sections -fdata-sections -c "$source" -o "$work/$(basename "$source" .c).o"'
    done
    "$gcc" "-march=$arch" "-mabi=$abi" -nostdlib -r "$work"/*.o -o "$work/all.o"
    mv "$work/all.o" "$object"
fi
object=$(cd "$out" && pwd)/$(basename "$object")
eval "set -- \"\$@\" -Wl,--wrap=main $place"
set -- "$@" "-Wl,$object"
if [ -n "$response" ]; then
    for word in "$@"; do
        printf '"%s"\n' "$(printf '%s\n' "$word" | sed 's/[\\"]/\\&/g')"
    done >"$response"
    set -- "@$response"
fi
for word in "$@"; do
    case $word in
    *[[:space:]]*) fail "\`$word\` has a space, where a shell divides it: give --response FILE, and @FILE to the compiler" ;;
    esac
done
echo "$*"
