/* Files that are open at the same time. */
#include <stdio.h>

int main(void)
{
    FILE *files[8];
    char name[] = "file0";
    for (int at = 0; at < 8; at++) {
        name[4] = '0' + at;
        files[at] = fopen(name, "w");
    }
    for (int turn = 0; turn < 40; turn++)
        fprintf(files[turn * 3 % 8], "turn %d\n", turn);
    for (int at = 7; at >= 0; at--)
        fclose(files[at]);
    puts("done");
    return 0;
}
