/* Access to the simulator that needs C: weak references to functions that may be missing, and C's
 * stdout. */

#include <stdio.h>
#include <string.h>

/* All functions that symbols.rs declares; a test compares the two lists. */
#define SYMBOLS(X)              \
    X(mb_step)                  \
    X(mb_sv_call)               \
    X(mb_exit)                  \
    X(mb_exited)                \
    X(sv_registery_ch)          \
    X(mb_report)                \
    X(mb_print)                 \
    X(mb_served)                \
    X(mb_written)               \
    X(mb_bb_mem_read)           \
    X(mb_bb_mem_write)          \
    X(mb_bb_mem_read_block)     \
    X(mb_bb_mem_write_block)    \
    X(__vhost_bb_mem_read)      \
    X(__vhost_bb_mem_write)     \
    X(uvm_hdl_check_path)       \
    X(uvm_hdl_read)             \
    X(uvm_hdl_deposit)          \
    X(vpi_handle_by_name)       \
    X(vpi_handle_by_index)      \
    X(vpi_handle)               \
    X(vpi_release_handle)       \
    X(vpi_get)                  \
    X(vpi_get_value)            \
    X(vpi_put_value)            \
    X(vpi_get_value_array)      \
    X(vpi_put_value_array)      \
    X(vpi_chk_error)            \
    X(vpi_get_time)             \
    X(vpi_register_cb)          \
    X(vpi_iterate)              \
    X(vpi_scan)                 \
    X(vpi_get_str)              \
    X(vpi_register_systf)       \
    X(vpi_printf)               \
    X(vpi_control)              \
    X(vpi_get_vlog_info)        \
    X(vpip_set_return_value)    \
    X(svGetScope)               \
    X(svSetScope)               \
    X(svGetScopeFromName)       \
    X(svGetNameFromScope)       \
    X(svPutUserData)            \
    X(svGetUserData)            \
    X(svGetCallerInfo)          \
    X(svGetTime)                \
    X(_ZN9Verilated11productNameEv) \
    X(svIsDisabledState)        \
    X(svAckDisabledState)       \
    X(svSize)                   \
    X(svLow)                    \
    X(svGetArrayPtr)            \
    X(svGetArrElemPtr1)

/* Only addresses are taken here, so the prototypes don't matter. */
#define DECLARE(name) extern void name(void) __attribute__((weak));
SYMBOLS(DECLARE)

#define ENTRY(name) {#name, name},
static const struct {
    const char *name;
    void (*address)(void);
} symbols[] = {SYMBOLS(ENTRY)};

/* Address of one of the functions above; NULL if the program does not define it. */
void *vhost_weak_symbol(const char *name) {
    for (size_t i = 0; i < sizeof symbols / sizeof *symbols; i++)
        if (strcmp(symbols[i].name, name) == 0)
            return (void *)symbols[i].address;
    return NULL;
}

size_t vhost_stdout_write(const void *data, size_t len) { return fwrite(data, 1, len, stdout); }

int vhost_stdout_flush(void) { return fflush(stdout); }
