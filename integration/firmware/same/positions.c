/* Positions in a file that is written, and in a file that is read. */
#include <stdio.h>

int main(void)
{
    char text[8] = "";
    FILE *file = fopen("positions.txt", "w");
    fputs("0123456789abcdef", file);
    fseek(file, 4, SEEK_SET);
    fputs("XY", file);
    fseek(file, 40, SEEK_SET);
    fputs("behind the end\n", file);
    fclose(file);
    file = fopen("positions.txt", "r");
    fseek(file, -3, SEEK_END);
    if (!fgets(text, sizeof text, file))
        return 1;
    printf("%s %ld\n", text, ftell(file));
    rewind(file);
    printf("%zu\n", fread(text, 1, 6, file));
    text[6] = 0;
    puts(text);
    fclose(file);
    return 0;
}
