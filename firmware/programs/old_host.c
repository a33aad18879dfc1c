/*
 * Uses services on a host with protocol 0.2: output and files work, the rest fails with ENOSYS.
 * Requests that fail do so on any host, so that files are the same.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static void show(const char *what, int fd)
{
    char text[100];
    int length = (int)read(fd, text, sizeof text - 1);
    text[length < 0 ? 0 : length] = '\0';
    printf("%s: %s", what, text);
}

static void write_file(int flags, const char *text)
{
    int fd = open("file", O_WRONLY | flags, 0666);
    printf("written %d\n", (int)write(fd, text, strlen(text)));
    close(fd);
}

static const char *outcome(int result)
{
    return result >= 0 ? "done" : errno == ENOSYS ? "ENOSYS" : strerror(errno);
}

int main(int argc, char **argv)
{
    char text[100];
    struct stat status;
    int fd;
    FILE *file;
    (void)argv;
    printf("arguments %d\n", argc);
    printf("read %d of standard input\n", (int)fread(text, 1, sizeof text, stdin));

    write_file(O_CREAT | O_TRUNC, "first\n");
    write_file(O_CREAT | O_APPEND, "second\n");
    fd = open("file", O_RDONLY);
    show("from 0", fd);
    printf("seek %d\n", (int)lseek(fd, 8, SEEK_SET));
    show("from 8", fd);
    printf("seek from the end %s\n", outcome((int)lseek(fd, 0, SEEK_END)));
    close(fd);

    file = fopen("stream", "w");
    fprintf(file, "line %d\n", 1);
    fclose(file);
    file = fopen("stream", "r");
    printf("stream: %s", fgets(text, sizeof text, file));
    fclose(file);

    printf("missing %s", outcome(stat("none", &status)));
    printf(" %s", outcome(rename("none", "other")));
    printf(" %s", outcome(mkdir("file", 0777)));
    printf(" %s", outcome(unlink("none")));
    printf(" %s\n", outcome(access("none", F_OK)));
    printf("time %d, clock %d\n", time(NULL) == (time_t)-1, clock() == (clock_t)-1);
    return 0;
}
