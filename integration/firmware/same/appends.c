/* Writes in append mode. */
#include <stdio.h>

int main(void)
{
    for (int turn = 0; turn < 5; turn++) {
        FILE *file = fopen("log.txt", turn ? "a" : "w");
        fprintf(file, "turn %d\n", turn);
        fclose(file);
    }
    FILE *file = fopen("log.txt", "r+");
    fseek(file, 7, SEEK_SET);
    fputs("TURN", file);
    fclose(file);
    file = fopen("log.txt", "r");
    char line[32];
    while (fgets(line, sizeof line, file))
        fputs(line, stdout);
    fclose(file);
    return 0;
}
