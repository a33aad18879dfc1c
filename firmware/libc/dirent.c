/*
 * Directory streams.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host.h"

struct vhost_directory {
    int fd;
    char *path; /* NULL if unknown */
    size_t next; /* offset of the next entry */
    size_t length;
    struct dirent entry;
    uint64_t buffer[512];
};

DIR *fdopendir(int fd)
{
    DIR *directory = malloc(sizeof *directory);
    if (directory == NULL) {
        errno = ENOMEM;
        return NULL;
    }
    directory->fd = fd;
    directory->path = NULL;
    directory->next = directory->length = 0;
    return directory;
}

DIR *opendir(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY);
    DIR *directory;
    if (fd < 0)
        return NULL;
    directory = fdopendir(fd);
    if (directory == NULL)
        close(fd);
    else
        directory->path = strdup(path);
    return directory;
}

struct dirent *readdir(DIR *directory)
{
    const mb_dirent *entry;
    size_t length;
    if (directory->next == directory->length) {
        int host = vhost_descriptor(directory->fd);
        mb_sword bytes;
        if (host < 0)
            return NULL;
        bytes = (mb_readdir)(vhost_channel(), host, directory->buffer, sizeof directory->buffer);
        directory->next = directory->length = 0;
        if (vhost_result(bytes) <= 0)
            return NULL;
        directory->length = (size_t)bytes;
    }
    entry = (const mb_dirent *)((const char *)directory->buffer + directory->next);
    directory->next += entry->size;
    length = entry->length; /* at most 255 */
    directory->entry.d_ino = (ino_t)entry->inode;
    directory->entry.d_type = entry->type;
    memcpy(directory->entry.d_name, entry->name, length);
    directory->entry.d_name[length] = '\0';
    return &directory->entry;
}

/* The host reads the entries when a directory is opened. */
void rewinddir(DIR *directory)
{
    if (directory->path == NULL || vhost_reopen_directory(directory->fd, directory->path) < 0)
        lseek(directory->fd, 0, SEEK_SET);
    directory->next = directory->length = 0;
}

int dirfd(DIR *directory)
{
    return directory->fd;
}

int closedir(DIR *directory)
{
    int result = close(directory->fd);
    free(directory->path);
    free(directory);
    return result;
}
