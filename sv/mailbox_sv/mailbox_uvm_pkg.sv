// The mailbox's classes for UVM testbenches, and what they stand on.
`ifndef MAILBOX_UVM_PKG_SV
`define MAILBOX_UVM_PKG_SV

package mailbox_uvm_pkg;
    `include "mailbox.sv"
    export mailbox_core_pkg::*;
endpackage

`endif
