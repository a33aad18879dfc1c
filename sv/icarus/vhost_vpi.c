/*
 * vhost.vpi: the VPI module of vhost, for `vvp -M DIR -m vhost`.
 *
 *     cc -shared -fPIC -O2 -o vhost.vpi vhost_vpi.c -ldl
 *
 * It has no code of the library. It loads libvhost.so from the folder of the module, or by the
 * loader's search path, or the file in the variable VHOST_LIBRARY, such as a host program's
 * library.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char library[] = "libvhost.so";

/* Loads the library by that variable, from this module's folder or by the search path. Objects that
 * are loaded later can use its symbols. */
static void *load(void)
{
    const char *named = getenv("VHOST_LIBRARY");
    char file[4096];
    void *found = NULL;
    Dl_info own;

    if (named && *named)
        return dlopen(named, RTLD_NOW | RTLD_GLOBAL);
    if (dladdr(library, &own) && own.dli_fname) {
        const char *end = strrchr(own.dli_fname, '/');
        int folder = end ? (int)(end - own.dli_fname) : 1;
        int length = snprintf(file, sizeof file, "%.*s/%s", folder, end ? own.dli_fname : ".", library);
        if (length > 0 && (size_t)length < sizeof file)
            found = dlopen(file, RTLD_NOW | RTLD_GLOBAL);
    }
    return found ? found : dlopen(library, RTLD_NOW | RTLD_GLOBAL);
}

static void register_system_tasks(void)
{
    void *host = load();
    void *found = host ? dlsym(host, "vhost_register_system_tasks") : NULL;
    int (*run)(void);

    if (!found) {
        fprintf(stderr, "vhost.vpi: %s; put %s beside the module, or name it by VHOST_LIBRARY\n",
                dlerror(), library);
        exit(1);
    }
    memcpy(&run, &found, sizeof run);
    if (run() != 0) {
        fprintf(stderr, "vhost.vpi: the simulator has no vpi_register_systf\n");
        exit(1);
    }
}

void (*vlog_startup_routines[])(void) = {register_system_tasks, NULL};
