/*
 * Simulator that unloads what it has loaded: unload PLUGIN MEM MAILBOX ROOT. With the macro PLUGIN,
 * this is a plugin, which may contain the library.
 */
#define _GNU_SOURCE
#include <dlfcn.h>

#include "check.h"

#ifdef PLUGIN
#include "vhost.h"

int begin(const char *mem, const char *mailbox, const char *root);
void *library(void);

/* Returns an address in the library. */
void *library(void) { return (void *)mb_tick; }

int begin(const char *mem, const char *mailbox, const char *root) {
    if (mb_init(mem, mailbox, root) != 0)
        fail(__FILE__, __LINE__, mb_last_error());
    return mb_tick();
}
#else
int main(int argc, char **argv) {
    CHECK(argc == 5);
    void *plugin = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
    if (plugin == NULL)
        fail(__FILE__, __LINE__, dlerror());
    int (*begin)(const char *, const char *, const char *) = dlsym(plugin, "begin");
    void *(*library)(void) = dlsym(plugin, "library");
    CHECK(begin != NULL && library != NULL);
    void *inside = library();
    CHECK_EQ(begin(argv[2], argv[3], argv[4]), 1);
    CHECK_EQ(dlclose(plugin), 0);
    Dl_info still;
    CHECK(dladdr(inside, &still) != 0);
    /* The exit writes the recording. */
    exit(38);
}
#endif
