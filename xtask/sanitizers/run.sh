#!/bin/sh
# Runs tests of the library with a sanitizer: run.sh address|thread OPTION... The options are those
# of cargo test.
#
# The runtime libraries are those of the stable compiler, which needs RUSTC_BOOTSTRAP for the
# option. The standard library is not instrumented.
set -eu
sanitizer=$1
shift
here=$(cd "$(dirname "$0")" && pwd)
target=x86_64-unknown-linux-gnu
export RUSTC_BOOTSTRAP=1
export RUSTFLAGS="-Zsanitizer=$sanitizer -Cunsafe-allow-abi-mismatch=sanitizer"
export CARGO_PROFILE_DEV_DEBUG=line-tables-only CARGO_PROFILE_TEST_DEBUG=line-tables-only
case $sanitizer in
address)
    # C programs are linked with the runtime; C code of dependencies is compiled without it.
    export CC="$here/cc.sh" CC_x86_64_unknown_linux_gnu=cc
    export ASAN_OPTIONS="$(sed -n 's/^ *return "\(.*\)";$/\1/p' "$here/options.c")"
    ;;
thread)
    export TSAN_OPTIONS="suppressions=$here/thread.txt exitcode=66"
    ;;
esac
exec cargo test --package vhost --target $target --target-dir "target/sanitizers/$sanitizer" "$@"
