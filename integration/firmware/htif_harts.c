/* The program of htif_common.c on the first of several harts. The others wait at the start, as in
 * riscv-tests. */
#define PARK
#include "htif_common.c"
