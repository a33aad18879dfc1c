/*
 * Simulator that loads the library, and then its testbench, at run time: plugin LIBRARY TESTBENCH
 * MEM MAILBOX ROOT. With the macro TESTBENCH, this is the testbench.
 */
#define VHOST_DECLARE_TESTBENCH
#include <dlfcn.h>

#include "check.h"
#include "vhost.h"

#ifdef TESTBENCH
uint64_t mb_sv_call(const char *ch, const char *method, uint32_t arg_len, const uint64_t *args, uint32_t *status) {
    (void)ch, (void)method, (void)arg_len;
    *status = 0;
    return args[0] + args[1] + args[15];
}
#else
int main(int argc, char **argv) {
    CHECK(argc == 6);
    void *library = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
    CHECK(library != NULL);
    int (*init)(const char *, const char *, const char *) = dlsym(library, "mb_init");
    uint64_t (*call)(const char *, const char *, uint32_t, const uint64_t *, uint32_t *) = dlsym(library, "__mb_call");
    void (*shutdown)(void) = dlsym(library, "mb_shutdown");
    CHECK(init != NULL && call != NULL && shutdown != NULL);

    uint64_t args[] = {40, 2};
    uint32_t status = 77;
    CHECK_EQ(init(argv[3], argv[4], argv[5]), 0);
    /* A missing function is not looked up again until the next system. */
    CHECK_EQ(call("core0", "any", 2, args, &status), 0);
    CHECK_EQ(status, 3);
    shutdown();
    CHECK_EQ(init(argv[3], argv[4], argv[5]), 0);
    CHECK(dlopen(argv[2], RTLD_NOW | RTLD_GLOBAL) != NULL);
    CHECK_EQ(call("core0", "any", 2, args, &status), 42);
    CHECK_EQ(status, 0);
    shutdown();
    return 0;
}
#endif
