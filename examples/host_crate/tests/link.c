/* Testbench in C without references to the host program, which only its hook brings into the
 * link. */
#include <stdio.h>

#include "vhost.h"

int main(int argc, char **argv) {
    if (argc != 4)
        return 2;
    if (mb_init(argv[1], argv[2], argv[3]) != 0) {
        fprintf(stderr, "%s\n", mb_last_error());
        return 1;
    }
    int channels = mb_tick();
    mb_shutdown();
    return channels == 1 ? 0 : 3;
}
