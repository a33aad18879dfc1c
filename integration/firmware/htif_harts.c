/* The program of htif_common.c on the first of several harts. The others stay at its start, as in riscv-tests. */
#define PARK
#include "htif_common.c"
