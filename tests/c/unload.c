/*
 * A simulator that unloads what it has loaded: unload PLUGIN MEM MAILBOX ROOT
 * With PLUGIN defined, this is a plugin, which may have the library in it.
 */
#define _GNU_SOURCE
#include <dlfcn.h>

#include "check.h"

#ifdef PLUGIN
#include "vhost.h"

int begin(const char *mem, const char *mailbox, const char *root);
void *library(void);

/* An address in the library. */
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
    /* The recording is written now. */
    exit(38);
}
#endif
