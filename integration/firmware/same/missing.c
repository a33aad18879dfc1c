/* Errors of file operations. */
#include <errno.h>
#include <stdio.h>

int main(void)
{
    printf("%d\n", fopen("missing.txt", "r") == NULL);
    printf("%d\n", errno == ENOENT);
    printf("%d\n", fopen("no/such/folder.txt", "w") == NULL);
    FILE *file = fopen("empty.txt", "w+");
    printf("%d %d\n", fgetc(file) == EOF, feof(file) != 0);
    fclose(file);
    return errno == ENOENT ? 2 : 3;
}
