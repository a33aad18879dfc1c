/* One write per character, without a buffer. */
#include <stdio.h>

int main(void)
{
    setvbuf(stdout, NULL, _IONBF, 0);
    for (int line = 0; line < 8; line++) {
        for (int c = ' '; c < 127; c++)
            putchar(c);
        putchar('\n');
    }
    return 0;
}
