/* A block larger than the library's buffers. */
#include <stdio.h>
#include <string.h>

static char block[6000], back[6000];

int main(void)
{
    for (unsigned at = 0; at < sizeof block; at++)
        block[at] = at * at >> 3;
    FILE *file = fopen("block.bin", "wb+");
    printf("%zu\n", fwrite(block, 1, sizeof block, file));
    rewind(file);
    printf("%zu\n", fread(back, 1, sizeof back, file));
    fclose(file);
    return memcmp(block, back, sizeof block) != 0;
}
