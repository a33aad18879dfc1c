#!/bin/sh
# C compiler for programs that load a library with AddressSanitizer: they are instrumented, and
# linked with the runtime of the Rust compiler. A shared library uses the runtime of its program.
here=$(cd "$(dirname "$0")" && pwd)
case " $* " in
*" -shared "*) exec clang -Xclang -fsanitize=address "$@" ;;
esac
runtime=$(rustc --print target-libdir)/librustc-stable_rt.asan.a
exec clang -Xclang -fsanitize=address "$@" "$here/options.c" \
    -Wl,--whole-archive "$runtime" -Wl,--no-whole-archive -Wl,--export-dynamic -lpthread -lrt -lm -ldl
