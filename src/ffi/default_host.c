/* Default for programs without a host program. It is in an object of its own, so that a host
 * program's definition replaces it, unless a linker finds this one first. A library with the
 * feature `host` omits it. */
#include <stddef.h>

__attribute__((weak)) const void *const __vhost_host = NULL;
