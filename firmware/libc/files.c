/*
 * Files and directories.
 */
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>
#include <utime.h>

#include "host.h"

/* Maximum length of a path of the host, with its NUL. */
#define PATH_BYTES 4096

/* Permission bits that are cleared in new files and directories. */
static mode_t mask = 022;

static int fail(int number)
{
    errno = number;
    return -1;
}

/*
 * Returns the path in the host's form, in the buffer if it must be changed: the root of files is /,
 * and a $ or a ~ does not begin a variable. NULL with errno if it is too long.
 */
static const char *host_path(const char *path, char *buffer)
{
    size_t length = 0;
    if (*path != '/' && *path != '~' && strchr(path, '$') == NULL)
        return path;
    if (*path == '/') {
        while (*path == '/')
            path++;
        if (*path == '\0')
            return ".";
    }
    if (*path == '~') {
        buffer[length++] = '.';
        buffer[length++] = '/';
    }
    for (; *path != '\0'; path++) {
        if (length + 2 >= PATH_BYTES)
            return errno = ENAMETOOLONG, NULL;
        if (*path == '$')
            buffer[length++] = '$';
        buffer[length++] = *path;
    }
    buffer[length] = '\0';
    return buffer;
}

/* Converts flags of open to those of protocol 0.3. */
static uint32_t wire_flags(int flags)
{
    static const struct {
        int own;
        uint32_t wire;
    } pairs[] = {
        {O_CREAT, MB_O_CREAT}, {O_EXCL, MB_O_EXCL}, {O_TRUNC, MB_O_TRUNC}, {O_APPEND, MB_O_APPEND},
#ifdef O_DIRECTORY
        {O_DIRECTORY, MB_O_DIRECTORY},
#endif
    };
    uint32_t wire = (uint32_t)flags & O_ACCMODE;
    size_t i;
    for (i = 0; i < sizeof pairs / sizeof *pairs; i++)
        if (flags & pairs[i].own)
            wire |= pairs[i].wire;
    return wire;
}

/* Converts flags of open to those of protocol 0.2, where any but the first creates the file. */
static uint32_t old_flags(int flags)
{
    uint32_t old = (flags & O_ACCMODE) == O_WRONLY ? 0 : MB_OPEN_READ;
    if ((flags & O_ACCMODE) != O_RDONLY)
        old |= MB_OPEN_WRITE;
    if (flags & O_APPEND)
        old |= MB_OPEN_APPEND;
    if (flags & O_TRUNC)
        old |= MB_OPEN_TRUNCATE;
    return old;
}

int HOST_NAME(open)(const char *path, int flags, ...)
{
    char path_bytes[PATH_BYTES];
    mb_channel *channel = vhost_channel();
    int mode = 0666, host, fd;
    if ((path = host_path(path, path_bytes)) == NULL)
        return -1;
    if (flags & O_CREAT) {
        va_list rest;
        va_start(rest, flags);
        mode = va_arg(rest, int);
        va_end(rest);
    }
    if (!vhost_is_posix())
        host = (int)vhost_result((mb_open)(channel, path, old_flags(flags)));
    else
        host = (int)vhost_result((mb_posix_open)(channel, path, wire_flags(flags), (uint32_t)mode & ~mask));
    if (host < 0)
        return -1;
    fd = vhost_open_descriptor(host, flags);
    if (fd < 0)
        (mb_close)(channel, host);
    return fd;
}

int vhost_reopen_directory(int fd, const char *path)
{
    char path_bytes[PATH_BYTES];
    int host;
    if ((path = host_path(path, path_bytes)) == NULL)
        return -1;
    host = (int)(mb_posix_open)(vhost_channel(), path, MB_O_DIRECTORY, 0);
    return host < 0 ? -1 : vhost_replace_descriptor(fd, host);
}

ssize_t HOST_NAME(read)(int fd, void *buffer, size_t size)
{
    mb_channel *channel = vhost_channel();
    int host = vhost_readable(fd);
    if (host < 0)
        return -1;
    if (size == 0) /* the host would read all that is there */
        return 0;
    if (host == 0) {
        vhost_flush_lines();
        if (!vhost_is_posix())
            return 0;
    }
    return (ssize_t)vhost_result((mb_read)(channel, host, buffer, size < HOST_MOST ? size : HOST_MOST));
}

ssize_t HOST_NAME(write)(int fd, const void *data, size_t size)
{
    mb_channel *channel = vhost_channel();
    int host = vhost_writable(fd);
    ssize_t written;
    if (host < 0)
        return -1;
    if (size == 0)
        return 0;
    size = size < HOST_MOST ? size : HOST_MOST;
    if ((host == 1 || host == 2) && !vhost_is_posix())
        return vhost_result((mb_write_text)(channel, data, size)) < 0 ? -1 : (ssize_t)size;
    written = (ssize_t)vhost_result((mb_write)(channel, host, data, size));
    if (written < 0 && errno == EPIPE) {
        raise(SIGPIPE);
        errno = EPIPE; /* for a program that ignores the signal */
    }
    return written;
}

off_t HOST_NAME(lseek)(int fd, off_t offset, int whence)
{
    mb_channel *channel = vhost_channel();
    int64_t position;
    if ((fd = vhost_descriptor(fd)) < 0)
        return -1;
    if (!vhost_is_posix()) {
        if (whence != SEEK_SET || offset < 0)
            return fail(ENOSYS);
        return (off_t)vhost_result((mb_seek)(channel, fd, (mb_word)offset));
    }
    position = (mb_lseek)(channel, fd, offset, whence);
    if (position < 0)
        return (off_t)vhost_result((mb_sword)position);
    if ((int64_t)(off_t)position != position)
        return fail(EOVERFLOW);
    return (off_t)position;
}

/* Converts a status to the library's form. */
static int status(mb_sword answer, const mb_stat *from, struct stat *to)
{
    if (vhost_result(answer) < 0)
        return -1;
    memset(to, 0, sizeof *to);
    if ((uint64_t)(off_t)from->size != from->size)
        return fail(EOVERFLOW);
    to->st_size = (off_t)from->size;
    to->st_ino = (ino_t)from->inode;
    to->st_mode = (mode_t)from->mode;
    to->st_nlink = (nlink_t)from->links;
    to->st_blksize = 4096;
    to->st_blocks = (blkcnt_t)from->blocks;
    to->st_atime = (time_t)from->accessed.seconds;
    to->st_mtime = (time_t)from->modified.seconds;
    to->st_ctime = (time_t)from->changed.seconds;
    return 0;
}

int HOST_NAME(fstat)(int fd, struct stat *result)
{
    mb_stat answer;
    mb_sword value;
    if ((fd = vhost_descriptor(fd)) < 0)
        return -1;
    value = mb_fstat(vhost_channel(), fd, &answer);
    return status(value, &answer, result);
}

int HOST_NAME(stat)(const char *path, struct stat *result)
{
    char path_bytes[PATH_BYTES];
    mb_stat answer;
    mb_sword value;
    if ((path = host_path(path, path_bytes)) == NULL)
        return -1;
    value = mb_stat_path(vhost_channel(), path, &answer);
    return status(value, &answer, result);
}

/* Same as stat: the protocol follows symbolic links. */
int lstat(const char *path, struct stat *result)
{
    return stat(path, result);
}

int HOST_NAME(unlink)(const char *path)
{
    char path_bytes[PATH_BYTES];
    if ((path = host_path(path, path_bytes)) == NULL)
        return -1;
    return (int)vhost_result(mb_unlink(vhost_channel(), path));
}

int rename(const char *from, const char *to)
{
    char from_bytes[PATH_BYTES];
    char to_bytes[PATH_BYTES];
    if ((from = host_path(from, from_bytes)) == NULL || (to = host_path(to, to_bytes)) == NULL)
        return -1;
    return (int)vhost_result(mb_rename(vhost_channel(), from, to));
}

int mkdir(const char *path, mode_t mode)
{
    char path_bytes[PATH_BYTES];
    if ((path = host_path(path, path_bytes)) == NULL)
        return -1;
    return (int)vhost_result((mb_mkdir)(vhost_channel(), path, (uint32_t)mode & ~mask));
}

int rmdir(const char *path)
{
    char path_bytes[PATH_BYTES];
    if ((path = host_path(path, path_bytes)) == NULL)
        return -1;
    return (int)vhost_result(mb_rmdir(vhost_channel(), path));
}

int remove(const char *path)
{
    char path_bytes[PATH_BYTES];
    mb_sword answer;
    if ((path = host_path(path, path_bytes)) == NULL)
        return -1;
    answer = mb_unlink(vhost_channel(), path);
    if (answer == -MB_EISDIR || answer == -1 /* EPERM */)
        answer = mb_rmdir(vhost_channel(), path);
    return (int)vhost_result(answer);
}

int access(const char *path, int mode)
{
    char path_bytes[PATH_BYTES];
    if ((path = host_path(path, path_bytes)) == NULL)
        return -1;
    return (int)vhost_result((mb_access)(vhost_channel(), path, (uint32_t)mode));
}

int ftruncate(int fd, off_t size)
{
    if (size < 0)
        return fail(EINVAL);
    if ((fd = vhost_descriptor(fd)) < 0)
        return -1;
    return (int)vhost_result((mb_ftruncate)(vhost_channel(), fd, (uint64_t)size));
}

int truncate(const char *path, off_t size)
{
    int fd = open(path, O_WRONLY);
    int result, number;
    if (fd < 0)
        return -1;
    result = ftruncate(fd, size);
    number = errno;
    close(fd);
    errno = number;
    return result;
}

int fsync(int fd)
{
    if ((fd = vhost_descriptor(fd)) < 0)
        return -1;
    return (int)vhost_result((mb_fsync)(vhost_channel(), fd));
}

int fdatasync(int fd)
{
    return fsync(fd);
}

/* A character device is a terminal if the environment has TERM, which `vhost run` does not set by
 * itself. */
int HOST_NAME(isatty)(int fd)
{
    struct stat result;
    const char *terminal = getenv("TERM");
    if (vhost_descriptor(fd) < 0)
        return 0;
    if (terminal == NULL || *terminal == '\0')
        return fail(ENOTTY), 0;
    if (fstat(fd, &result) < 0)
        return 0;
    if (!S_ISCHR(result.st_mode))
        return fail(ENOTTY), 0;
    return 1;
}

int ioctl(int fd, unsigned long request, ...)
{
    (void)request;
    return vhost_descriptor(fd) < 0 ? -1 : fail(ENOTTY);
}

char *getcwd(char *buffer, size_t size)
{
    if (buffer == NULL)
        return strdup("/");
    if (size < 2)
        return errno = size == 0 ? EINVAL : ERANGE, NULL;
    return strcpy(buffer, "/");
}

int chdir(const char *path)
{
    return strcmp(path, "/") == 0 || strcmp(path, ".") == 0 ? 0 : fail(ENOSYS);
}

/* Fails: STAT follows links, so that no path is one. */
ssize_t readlink(const char *restrict path, char *restrict buffer, size_t size)
{
    struct stat result;
    (void)buffer, (void)size;
    return stat(path, &result) < 0 ? -1 : fail(EINVAL);
}

/* Permissions and owners can't be changed. Programs continue without. */

int chmod(const char *path, mode_t mode)
{
    (void)mode;
    return access(path, F_OK);
}

int fchmod(int fd, mode_t mode)
{
    struct stat result;
    (void)mode;
    return fstat(fd, &result);
}

int chown(const char *path, uid_t user, gid_t group)
{
    (void)user, (void)group;
    return access(path, F_OK);
}

int fchown(int fd, uid_t user, gid_t group)
{
    (void)user, (void)group;
    return fchmod(fd, 0);
}

/* Does nothing: the host sets times of files. */
int utime(const char *path, const struct utimbuf *times)
{
    (void)times;
    return access(path, F_OK);
}

int utimes(const char *path, const struct timeval *times)
{
    (void)times;
    return access(path, F_OK);
}

mode_t umask(mode_t bits)
{
    mode_t before = mask;
    mask = bits & 0777;
    return before;
}

uid_t getuid(void)
{
    return 0;
}

uid_t geteuid(void)
{
    return 0;
}

gid_t getgid(void)
{
    return 0;
}

gid_t getegid(void)
{
    return 0;
}

pid_t getppid(void)
{
    return 0;
}
