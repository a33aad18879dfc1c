/* Options of AddressSanitizer in programs whose environment is empty. Signals are those of the tests, and what is left at the end of a process is no leak. */
const char *__asan_default_options(void) {
    return "detect_leaks=0:handle_segv=0:handle_sigbus=0:handle_abort=0:handle_sigill=0:handle_sigfpe=0";
}
