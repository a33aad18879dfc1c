/* Uses descriptors, their flags and duplicates, and directories. Prints the same on every
 * system. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* Prints a text and the result of a call, or its error. */
static void say(const char *text, long result)
{
    int number = errno;
    printf("%s", text);
    if (result >= 0)
        printf(" %ld", result);
    else
        printf(" %s", number == EBADF    ? "EBADF"
                      : number == EINVAL ? "EINVAL"
                      : number == EMFILE ? "EMFILE"
                      : number == ENOTTY ? "ENOTTY"
                      : number == ESPIPE ? "ESPIPE"
                                        : "another error");
    errno = 0;
}

/* Prints the content of a file on one line. */
static void show(const char *name)
{
    FILE *file = fopen(name, "r");
    int c;
    printf("%s: ", name);
    while ((c = getc(file)) != EOF)
        putchar(c == '\n' ? '|' : c);
    putchar('\n');
    fclose(file);
}

static void bad_descriptors(void)
{
    static const int bad[] = {-1, 99, 1000000};
    char byte = 'x';
    size_t i;
    for (i = 0; i < sizeof bad / sizeof *bad; i++) {
        int fd = bad[i];
        say("read", read(fd, &byte, 0));
        say("", read(fd, &byte, 1));
        say(" write", write(fd, &byte, 0));
        say("", write(fd, &byte, 1));
        say(" seek", lseek(fd, 0, SEEK_CUR));
        say(" close", close(fd));
        say(" dup", dup(fd));
        say("", dup2(fd, 1));
        say(" fcntl", fcntl(fd, F_GETFL));
        say("", fcntl(fd, F_GETFD));
        say(" sync", fsync(fd));
        say(" truncate", ftruncate(fd, 0));
        say(" tty", isatty(fd));
        isatty(fd);
        say("", -1);
        putchar('\n');
    }
    say("write to the input", dup2(0, 90));
    say("", write(90, &byte, 1));
    close(90);
    say(" read from the output", dup2(1, 90));
    say("", read(90, &byte, 0));
    close(90);
    say(" beyond the limit", fcntl(1, F_DUPFD, 100000000));
    putchar('\n');
}

static void flags_and_duplicates(void)
{
    char text[16] = "";
    int fd, copy, flags;
    fd = open("flags", O_RDWR | O_CREAT | O_TRUNC, 0666);
    printf("fd %d, mode %d", fd, (fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDWR);
    say(" write", write(fd, "abcdef", 6));
    say(" no bytes", write(fd, "", 0));
    copy = dup(fd);
    say(" copy", copy);
    say(" at", lseek(copy, 0, SEEK_CUR));
    lseek(copy, 2, SEEK_SET);
    say("\none position", lseek(fd, 0, SEEK_CUR));
    say(" read", read(fd, text, 3));
    printf(" %s", text);
    say(" at", lseek(copy, 0, SEEK_CUR));
    say("\nfrom 20 on", fcntl(fd, F_DUPFD, 20));
    say(" close-on-exec", fcntl(20, F_GETFD));
    say(" set", fcntl(20, F_SETFD, FD_CLOEXEC));
    say(" is", fcntl(20, F_GETFD));
    say(" of the first", fcntl(fd, F_GETFD));
    flags = fcntl(fd, F_GETFL);
    say("\nappend", fcntl(copy, F_SETFL, flags | O_APPEND));
    say(" of the first", (fcntl(fd, F_GETFL) & O_APPEND) != 0);
    say(" mode", (fcntl(20, F_GETFL) & O_ACCMODE) == O_RDWR);
    lseek(fd, 0, SEEK_SET);
    say(" write", write(fd, "END", 3));
    fcntl(fd, F_SETFL, flags);
    lseek(fd, 0, SEEK_SET);
    say(" again", write(fd, "START", 5));
    say("\nclose", close(fd));
    say(" again", close(fd));
    say(" read at 1", pread(copy, text, 8, 1));
    printf(" %.8s", text);
    say(" at", lseek(copy, 0, SEEK_CUR));
    say(" write at 3", pwrite(copy, "--", 2, 3));
    say(" at", lseek(copy, 0, SEEK_CUR));
    say(" read at -1", pread(copy, text, 1, -1));
    fd = open("flags", O_RDONLY);
    say("\nlowest number", fd);
    say(" reads only", write(fd, "x", 1));
    say("", write(fd, "x", 0));
    close(fd);
    close(copy);
    close(20);
    putchar('\n');
    show("flags");
}

static int count(DIR *folder)
{
    struct dirent *entry;
    int entries = 0;
    while ((entry = readdir(folder)) != NULL)
        entries += entry->d_name[0] != '.';
    return entries;
}

static void directories(void)
{
    struct stat status;
    DIR *folder;
    mode_t before;
    mkdir("folder", 0777);
    fclose(fopen("folder/one", "w"));
    folder = opendir("folder");
    printf("%d", count(folder));
    fclose(fopen("folder/two", "w"));
    rewinddir(folder);
    printf(" %d", count(folder));
    remove("folder/one");
    rewinddir(folder);
    printf(" %d\n", count(folder));
    closedir(folder);
    umask(022);
    before = umask(027);
    printf("mask %o", (unsigned)before);
    close(open("folder/masked", O_WRONLY | O_CREAT, 0666));
    stat("folder/masked", &status);
    printf(" gives %o", (unsigned)status.st_mode & 0777);
    mkdir("folder/inner", 0777);
    stat("folder/inner", &status);
    printf(" %o, was %o\n", (unsigned)status.st_mode & 0777, (unsigned)umask(022));
}

int main(void)
{
    bad_descriptors();
    flags_and_duplicates();
    directories();
    return 0;
}
