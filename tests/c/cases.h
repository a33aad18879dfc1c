/* Functions of all cases, and their common arguments. */
#ifndef CASES_H
#define CASES_H

/* Files, and layout of `core0`; `core1` has the other pointer width. */
extern struct setup {
    const char *mem_cfg, *mailbox_cfg, *fs_root;
    unsigned word, line;
} setup;

/* services.c */
void services(void);
void malformed(void);
void bursts(void);
void wraps(void);
void resets(void);
void two_cores(void);
void standard_input(void);

/* life.c */
void from_environment(void);
void failed_init(void);
void again(void);
void server_run(void);
void reentry(void);
void reentry_by_report(void);
void reentry_by_init(void);
void failed_beginning(void);
void threads(void);
void overlap(void);
void overlap_of_steps(void);
void watchdog(void);
void settled_ticks(void);
void exit_unannounced(void);
void exit_from_call(void);
void exit_with_handler(void);

/* ends.c */
void last_words_at_exit(void);
void last_words_at_return(void);
void last_words_at_quick_exit(void);
void last_words_at_quit(void);
void last_words_at_shutdown(void);
void last_words_at_exit_in_a_handler(void);
void interrupted(void);
void terminated(void);
void crashed(void);
void left(void);
void quit_in_a_function_of_the_testbench(void);
void quit_in_a_memory_of_a_c_model(void);
void quit_in_a_memory_of_a_c_model_by_backdoor(void);
void quit_in_a_handler_in_a_call(void);
void quit_in_a_handler(void);
void quit_in_a_handler_at_some_time(void);
void quit_in_a_handler_in_a_step(void);
void exit_on_a_thread(void);
void quit_on_a_thread(void);
void quit_on_a_thread_in_a_call_that_hangs(void);
void aborted(void);
void killed_when_idle(void);
void killed_after_watchdog(void);
void killed_when_busy(void);

/* hangs.c */
void hangs_in_a_call(void);
void hangs_in_a_call_with_calls(void);
void hangs_behind_a_call(void);
void hangs_in_a_child(void);
void takes_its_time(void);

/* misuse.c */
void backdoor(void);
void misuse(void);

/* sockets.c */
void sockets_alone(void);
void sockets_stay(void);
void sockets_in_call(void);
void sockets_and_threads(void);
void sockets_lost(void);
void sockets_misuse(void);

#endif
