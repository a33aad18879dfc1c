/* State of the process or of this thread, as text that can be compared. */
#ifndef PROCESS_H
#define PROCESS_H

struct process {
    /* Signals, masks, locale, environment, folder, umask, floating point, limits, timers, threads, standard streams. */
    char state[64 * 1024];
    /* Descriptors from 3 on, one per line. */
    char files[16 * 1024];
};

void process_look(struct process *);

/* Fails with the first line that differs. */
void process_is_as(const struct process *before, const char *when);

#endif
