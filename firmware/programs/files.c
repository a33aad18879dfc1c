/* Uses streams, files, directories, arguments and environment of C and POSIX. Prints the same on
 * every system. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static void at_exit(void)
{
    printf("atexit\n");
}

__attribute__((constructor)) static void construct(void)
{
    printf("constructor\n");
}

static void streams(void)
{
    char text[64];
    int c;
    FILE *file = fopen("a.txt", "w+");
    fprintf(file, "hello\nworld\n%d\n", 42);
    fseek(file, 0, SEEK_END);
    printf("size %ld\n", ftell(file));
    rewind(file);
    while (fgets(text, sizeof text, file))
        printf("> %s", text);
    printf("end %d error %d\n", feof(file) != 0, ferror(file) != 0);
    fseek(file, 6, SEEK_SET);
    c = getc(file);
    printf("%c at %ld\n", c, ftell(file));
    ungetc(c, file);
    c = (int)fread(text, 1, 3, file);
    printf("%d at %ld: %.3s\n", c, ftell(file), text);
    fseek(file, -3, SEEK_CUR);
    printf("%c\n", getc(file));
    fseek(file, -3, SEEK_END);
    fputs("99", file);
    fclose(file);
    file = fopen("a.txt", "a");
    fputs("appended\n", file);
    fclose(file);
    file = fopen("a.txt", "r");
    setvbuf(file, NULL, _IONBF, 0);
    while ((c = getc(file)) != EOF)
        putchar(c == '\n' ? '|' : c);
    printf("\nwrite to it: %d\n", fputs("x", file) < 0);
    fclose(file);
    file = tmpfile();
    fputs("temporary", file);
    rewind(file);
    printf("%s\n", fgets(text, sizeof text, file));
    fclose(file);
}

/* Prints if a call has failed as expected. */
static void report(int failed, int number)
{
    printf("%s %d\n", failed ? "fails" : "succeeds", errno == number);
    errno = 0;
}

#define FAILS(call, number) \
    do { \
        int has_failed = (call); \
        report(has_failed, number); \
    } while (0)

static void failures(void)
{
    errno = 0;
    FAILS(fopen("none", "r") == NULL, ENOENT);
    FAILS(rmdir("none") < 0, ENOENT);
    mkdir("folder", 0755);
    fclose(fopen("folder/file", "w"));
    FAILS(rmdir("folder") < 0, ENOTEMPTY);
    FAILS(mkdir("folder", 0755) < 0, EEXIST);
    FAILS(fopen("folder", "w") == NULL, EISDIR);
    FAILS(fopen("a.txt/b", "r") == NULL, ENOTDIR);
    FAILS(lseek(1000, 0, SEEK_CUR) < 0, EBADF);
}

static void directories(void)
{
    struct stat status;
    struct dirent *entry;
    DIR *folder = opendir("folder");
    int count = 0;
    while ((entry = readdir(folder)) != NULL)
        if (entry->d_name[0] != '.')
            printf("%d %s\n", ++count, entry->d_name);
    closedir(folder);
    stat("a.txt", &status);
    printf("%ld %d\n", (long)status.st_size, S_ISREG(status.st_mode) != 0);
    stat("folder", &status);
    printf("%d\n", S_ISDIR(status.st_mode) != 0);
    FAILS(rename("a.txt", "folder/b.txt") < 0, 0);
    FAILS(access("a.txt", F_OK) < 0, ENOENT);
    FAILS(access("folder/b.txt", R_OK) < 0, 0);
    FAILS(remove("folder/file") < 0, 0);
    FAILS(truncate("folder/b.txt", 4) < 0, 0);
}

/* Checks that positions of a stream count a pushed-back character as unread. */
static void pushed_back(void)
{
    FILE *file = fopen("numbers.txt", "w+");
    char text[16] = "";
    int number, first;
    fputs("12 34 56", file);
    rewind(file);
    printf("%d", fscanf(file, "%d", &number));
    printf(" %d at %ld", number, ftell(file));
    printf(" '%c'", fgetc(file));
    first = fgetc(file);
    ungetc(first, file);
    printf(" %ld\n", ftell(file));
    rewind(file);
    number = fscanf(file, "%d", &number);
    fseek(file, 0, SEEK_CUR);
    fputs("X", file);
    rewind(file);
    number = fscanf(file, "%d", &number);
    fseek(file, 1, SEEK_CUR);
    printf("'%c'", fgetc(file));
    rewind(file);
    fgets(text, sizeof text, file);
    printf(" %s\n", text);
    fclose(file);
    remove("numbers.txt");
}

int main(int argc, char **argv)
{
    char line[64];
    FILE *open;
    int i;
    atexit(at_exit);
    for (i = 1; i < argc; i++)
        printf("[%s]\n", argv[i]);
    printf("%g %lld %s %5.2f %x\n", 3.25, 1234567890123LL, "text", 1e10 / 3, 255u);
    streams();
    failures();
    directories();
    pushed_back();
    fclose(fopen("$HOME", "w"));
    FAILS(rename("$HOME", "./~") < 0, 0);
    FAILS(access("~", F_OK) < 0, 0);
    printf("name? ");
    while (fgets(line, sizeof line, stdin))
        printf("hello %s", line);
    open = fopen("open.txt", "w");
    fputs("written at the end", open);
    return 7 + 256; /* a process's status has 8 bits */
}
