/*
 * Temporary files in the root of firmware's files, where a /tmp may be missing.
 */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "host.h"

FILE *tmpfile(void)
{
    char name[] = "tmp-00000000";
    int attempt;
    for (attempt = 0; attempt < 100; attempt++) {
        uint32_t random = 0;
        int fd, i;
        getentropy(&random, sizeof random);
        for (i = 4; i < 12; i++, random >>= 4)
            name[i] = "0123456789abcdef"[random & 15];
        fd = open(name, O_RDWR | O_CREAT | O_EXCL, 0600);
        if (fd >= 0) {
            unlink(name);
            return fdopen(fd, "w+");
        }
        if (errno != EEXIST)
            return NULL;
    }
    return NULL;
}
