/* A simulator without Python: starts the host, calls a method in Python, ends the host, and repeats
 * it. */
#include <stdio.h>
#include <stdint.h>

#include "vhost.h"

static int poll_until_done(const char *method, const uint64_t *args, uint32_t count, uint64_t *result)
{
    uint32_t status;
    do {
        *result = __mb_call("core", method, count, args, &status);
        if (status == 1)
            mb_tick();
    } while (status == 1);
    return status == 0;
}

int main(int argc, char **argv)
{
    const uint64_t args[] = {0x100, 16};
    uint32_t word;
    uint64_t result;
    int run;

    for (run = 0; run < 2; run++) {
        if (argc < 4 || mb_init(argv[1], argv[2], argv[3]) != 0) {
            printf("%s\n", mb_last_error());
            return 1;
        }
        if (!poll_until_done("squares", args, 2, &result)) {
            printf("%s\n", mb_last_error());
            return 2;
        }
        mb_backdoor_read_u32("core", 0x100 + 4 * 15, &word);
        printf("%d squares, the last is %u\n", (int)result, word);
        mb_shutdown();
    }
    return 0;
}
