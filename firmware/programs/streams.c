/* Uses streams: positions, lines of any length, reopened streams. Prints the same on every
 * system. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

/* Redirects standard output to a file and back. */
static void redirection(void)
{
    int saved, file;
    printf("before\n");
    fflush(stdout);
    saved = dup(1);
    file = open("redirected", O_WRONLY | O_CREAT | O_TRUNC, 0666);
    dup2(file, 1);
    close(file);
    printf("into the file\n");
    dprintf(1, "%s %d\n", "by dprintf", 1);
    fflush(stdout);
    dup2(saved, 1);
    close(saved);
    printf("after\n");
    show("redirected");
}

static void streams(void)
{
    FILE *file = fopen("lines", "w+");
    char *line = NULL, text[40] = "";
    size_t size = 0;
    ssize_t length;
    fpos_t position;
    int i;
    for (i = 0; i < 500; i++)
        fputc('a' + i % 26, file);
    fputs("\nsecond\n\nthe last", file);
    rewind(file);
    while ((length = getline(&line, &size, file)) >= 0)
        printf("%d of %d bytes, %.9s\n", (int)length, (int)strlen(line), *line == '\n' ? "none" : line);
    printf("end %d\n", feof(file) != 0);
    rewind(file);
    length = getdelim(&line, &size, 'c', file);
    printf("%d bytes: %s", (int)length, line);
    fgetpos(file, &position);
    printf(" then %c", getc(file));
    printf("%c", getc(file));
    fsetpos(file, &position);
    printf(" again %c\n", getc(file));
    free(line);
    /* Flushing an input sets the descriptor's position, too. */
    fseek(file, 500, SEEK_SET);
    getc(file);
    printf("flush %d", fflush(file));
    printf(" at %d", (int)lseek(fileno(file), 0, SEEK_CUR));
    printf(" %s", fgets(text, sizeof text, file));
    /* From the start of the file, for writing, then for reading. */
    file = freopen(NULL, "w", file);
    fputs("new content\n", file);
    file = freopen(NULL, "r", file);
    printf("%s", fgets(text, sizeof text, file));
    file = freopen("redirected", "a", file);
    fputs("more", file);
    printf("all %d\n", fflush(NULL));
    show("redirected");
    fclose(file);
}

/* Checks that a flush keeps the bytes that were read from a pipe or a file. */
static void input(void)
{
    char text[40];
    printf("%c", getc(stdin));
    fflush(stdin);
    printf("%s", fgets(text, sizeof text, stdin));
    ungetc('!', stdin);
    printf("%s", fgets(text, sizeof text, stdin));
}

int main(void)
{
    redirection();
    streams();
    input();
    /* A stream without a name keeps its output. */
    printf("to the %s", freopen(NULL, "w", stdout) == stdout ? "end\n" : "");
    return 0;
}
