/* A testbench in C that names nothing of the host program's, so that only its hook can bring it in. */
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
