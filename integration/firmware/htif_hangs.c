/* Never writes a command. */
#include "htif.h"

int main(void)
{
    for (volatile int turn = 0;; turn++) {
    }
}
