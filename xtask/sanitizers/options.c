/* Options of AddressSanitizer in programs with an empty environment. Signals are left to the tests,
 * and memory that is allocated at the end of a process is not a leak. */
const char *__asan_default_options(void) {
    return "detect_leaks=0:handle_segv=0:handle_sigbus=0:handle_abort=0:handle_sigill=0:handle_sigfpe=0";
}
