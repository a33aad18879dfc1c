/* Floating-point environment: rounding, traps and flags, which the simulator may have set. */

#include <fenv.h>

_Static_assert(sizeof(fenv_t) <= 64, "float.rs has room for it");

void vhost_float_enter(fenv_t *before) {
    fegetenv(before);
    fesetenv(FE_DFL_ENV);
}

void vhost_float_leave(const fenv_t *before) { fesetenv(before); }
