/* The system of the C ABI without a host program. In an object of its own: a host program's definition takes its place, but where a
 * linker comes to this one first. It is left out of a library with the feature `host`. */
#include <stddef.h>

__attribute__((weak)) const void *const __vhost_host = NULL;
