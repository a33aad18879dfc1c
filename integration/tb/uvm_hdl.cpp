// UVM's DPI code for HDL access only, without its package. Its error messages are printed.

#include <cstdio>

#include "svdpi.h"
#include "vpi_user.h"

extern "C" {

enum { M_UVM_ERROR = 2, M_UVM_NONE = 0 };

void m_uvm_report_dpi(int, const char *id, const char *message, int, const char *, int) {
    printf("UVM_ERROR [%s] %s\n", id, message);
}

#include "uvm_hdl_verilator.c"

} // extern "C"
