// Cost to load an ELF image: time, and number of calls to each function of the simulator. The
// linker's --wrap redirects every call of these functions, the library's own and those of UVM's
// code, to the counting ones here.

#include <cstdint>
#include <cstdio>
#include <ctime>

#include "svdpi.h"
#include "vhost.h"
#include "vpi_user.h"

namespace {

// Number of loads in each space, of which the fastest counts.
constexpr int TURNS = 20;

struct Counter {
    const char *name;
    uint64_t calls;
    Counter *next;
};

Counter *counters;

Counter *counter(const char *name) {
    counters = new Counter{name, 0, counters};
    return counters;
}

// Returns processor time in microseconds, or -1.
double load(const char *space, const char *image) {
    const std::clock_t begun = std::clock();
    if (mb_load_elf(space, image) != 0)
        return -1;
    return 1e6 * double(std::clock() - begun) / CLOCKS_PER_SEC;
}

} // namespace

#define COUNTED(RESULT, NAME, PARAMETERS, ARGUMENTS)   \
    RESULT __real_##NAME PARAMETERS;                   \
    RESULT __wrap_##NAME PARAMETERS {                  \
        static Counter *const called = counter(#NAME); \
        called->calls++;                               \
        return __real_##NAME ARGUMENTS;                \
    }

extern "C" {

COUNTED(vpiHandle, vpi_handle_by_name, (char *name, vpiHandle scope), (name, scope))
COUNTED(vpiHandle, vpi_handle_by_index, (vpiHandle object, int index), (object, index))
COUNTED(vpiHandle, vpi_handle, (int type, vpiHandle object), (type, object))
COUNTED(int, vpi_get, (int property, vpiHandle object), (property, object))
COUNTED(int, vpi_release_handle, (vpiHandle object), (object))
COUNTED(int, vpi_chk_error, (p_vpi_error_info info), (info))
COUNTED(void, vpi_get_value, (vpiHandle object, p_vpi_value value), (object, value))
COUNTED(vpiHandle, vpi_put_value, (vpiHandle object, p_vpi_value value, p_vpi_time time, int flags), (object, value, time, flags))
COUNTED(void, vpi_get_value_array, (vpiHandle object, p_vpi_arrayvalue values, int *index, unsigned count),
        (object, values, index, count))
COUNTED(void, vpi_put_value_array, (vpiHandle object, p_vpi_arrayvalue values, int *index, unsigned count),
        (object, values, index, count))
COUNTED(int, uvm_hdl_check_path, (char *path), (path))
COUNTED(int, uvm_hdl_read, (char *path, p_vpi_vecval value), (path, value))
COUNTED(int, uvm_hdl_deposit, (char *path, p_vpi_vecval value), (path, value))

int measure_loads(const char *image) {
    const char *spaces[] = {"vpi", "uvm"};
    double least[2] = {1e18, 1e18};
    for (int turn = 0; turn < TURNS; turn++) {
        for (int i = 0; i < 2; i++) {
            const double time = load(spaces[i], image);
            if (time < 0)
                return 255;
            if (time < least[i])
                least[i] = time;
        }
    }
    for (int i = 0; i < 2; i++) {
        uint64_t calls = 0;
        for (Counter *one = counters; one; one = one->next)
            one->calls = 0;
        if (load(spaces[i], image) < 0)
            return 255;
        for (Counter *one = counters; one; one = one->next)
            calls += one->calls;
        printf("load: %s: %.0f us, %lu calls:", spaces[i], least[i], (unsigned long)calls);
        for (Counter *one = counters; one; one = one->next)
            if (one->calls)
                printf(" %lu %s", (unsigned long)one->calls, one->name);
        printf("\n");
    }
    return 0;
}

} // extern "C"
