/*
 * Functions for processes and signals, which fail here, so that programs that call them can be
 * linked.
 */
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host.h"

HOST_WEAK FILE *popen(const char *command, const char *mode)
{
    (void)command, (void)mode;
    errno = ENOSYS;
    return NULL;
}

HOST_WEAK int pclose(FILE *file)
{
    (void)file;
    errno = EINVAL;
    return -1;
}

HOST_WEAK int system(const char *command)
{
    if (command == NULL)
        return 0;
    errno = ENOSYS;
    return -1;
}

/* Does nothing: no alarm comes. */
HOST_WEAK unsigned alarm(unsigned seconds)
{
    (void)seconds;
    return 0;
}

/* Fails, since there are no users. */
HOST_WEAK struct passwd *getpwuid(uid_t user)
{
    (void)user;
    return NULL;
}

HOST_WEAK struct passwd *getpwnam(const char *name)
{
    (void)name;
    return NULL;
}

/* Returns limits of the host. */
HOST_WEAK long pathconf(const char *path, int name)
{
    (void)path;
    switch (name) {
    case _PC_PATH_MAX: return 4096;
    case _PC_NAME_MAX: return 255;
    default: errno = EINVAL; return -1;
    }
}

/* Returns the path from the root, without . and .. and doubled slashes. There are no symbolic links
 * to resolve. */
HOST_WEAK char *realpath(const char *restrict path, char *restrict resolved)
{
    struct stat status;
    char *buffer = resolved;
    size_t length = 0;
    if (path == NULL || *path == '\0') {
        errno = path == NULL ? EINVAL : ENOENT;
        return NULL;
    }
    if (stat(path, &status) < 0)
        return NULL;
    if (buffer == NULL && (buffer = malloc(strlen(path) + 2)) == NULL) {
        errno = ENOMEM;
        return NULL;
    }
    while (*path != '\0') {
        size_t part = strcspn(path, "/");
        if (part == 2 && path[0] == '.' && path[1] == '.') {
            while (length > 0 && buffer[--length] != '/') {
            }
        } else if (part > 0 && !(part == 1 && path[0] == '.')) {
            buffer[length++] = '/';
            memcpy(buffer + length, path, part);
            length += part;
        }
        path += part;
        path += *path == '/';
    }
    if (length == 0)
        buffer[length++] = '/';
    buffer[length] = '\0';
    return buffer;
}
