/* Program that uses only the C ABI and the wire layout: driver CASE MEM MAILBOX ROOT WORD LINE. */
#include "cases.h"
#include "check.h"

struct setup setup;

static const struct {
    const char *name;
    void (*run)(void);
} cases[] = {
#define CASE(name) {#name, name}
    CASE(services),         CASE(malformed),      CASE(bursts),           CASE(wraps),         CASE(resets),
    CASE(two_cores), CASE(standard_input),       CASE(from_environment), CASE(failed_init),    CASE(again),         CASE(server_run),
    CASE(reentry),          CASE(reentry_by_report), CASE(reentry_by_init), CASE(failed_beginning), CASE(threads), CASE(overlap), CASE(overlap_of_steps),        CASE(exit_unannounced), CASE(exit_from_call), CASE(exit_with_handler),
    CASE(backdoor),         CASE(misuse),         CASE(sockets_alone),    CASE(sockets_stay),  CASE(sockets_in_call),
    CASE(sockets_and_threads), CASE(sockets_lost), CASE(sockets_misuse), CASE(watchdog), CASE(settled_ticks),
    CASE(last_words_at_exit), CASE(last_words_at_return), CASE(last_words_at_quick_exit), CASE(last_words_at_quit),
    CASE(last_words_at_shutdown), CASE(last_words_at_exit_in_a_handler),
    CASE(quit_in_a_function_of_the_testbench), CASE(quit_in_a_memory_of_a_c_model), CASE(quit_in_a_memory_of_a_c_model_by_backdoor), CASE(quit_in_a_handler_in_a_call), CASE(quit_in_a_handler), CASE(quit_in_a_handler_at_some_time), CASE(quit_in_a_handler_in_a_step), CASE(exit_on_a_thread), CASE(quit_on_a_thread), CASE(quit_on_a_thread_in_a_call_that_hangs), CASE(aborted),
    CASE(interrupted), CASE(terminated), CASE(crashed), CASE(left),
    CASE(killed_when_idle), CASE(killed_after_watchdog), CASE(killed_when_busy),
    CASE(hangs_in_a_call), CASE(hangs_in_a_call_with_calls), CASE(hangs_behind_a_call), CASE(hangs_in_a_child),
    CASE(takes_its_time),
};

int main(int argc, char **argv) {
    CHECK(argc == 7);
    setup = (struct setup){argv[2], argv[3], argv[4], atoi(argv[5]), atoi(argv[6])};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (strcmp(cases[i].name, argv[1]) == 0) {
            cases[i].run();
            return 0;
        }
    fail(__FILE__, __LINE__, argv[1]);
}
