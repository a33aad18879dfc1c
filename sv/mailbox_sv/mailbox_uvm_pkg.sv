// Classes of the mailbox for UVM testbenches. The library's functions and the base classes are in
// mailbox_core_pkg.
`ifndef MAILBOX_UVM_PKG_SV
`define MAILBOX_UVM_PKG_SV
`ifndef MAILBOX_SV
`define MAILBOX_CLASSES_IN_UVM_PKG
`endif

package mailbox_uvm_pkg;
    `include "mailbox.sv"
endpackage

`endif
