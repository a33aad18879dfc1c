/* Every byte value, written to a file and read back. */
#include <stdio.h>

int main(void)
{
    FILE *file = fopen("bytes.bin", "wb");
    for (int byte = 0; byte < 256; byte++)
        fputc(byte, file);
    fclose(file);
    file = fopen("bytes.bin", "rb");
    int wrong = 0, c;
    for (int byte = 0; (c = fgetc(file)) != EOF; byte++)
        wrong += c != byte;
    printf("%d wrong, at %ld\n", wrong, ftell(file));
    fclose(file);
    return wrong;
}
