/* The system of the C ABI without a host program. In an object of its own: a host program's definition takes its place. */
#include <stddef.h>

__attribute__((weak)) const void *const __vhost_host = NULL;
